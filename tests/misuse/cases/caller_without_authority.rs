//! A caller is admitted for the host that the request names.

use certmap::rustls::pki_types::UnixTime;
use certmap::{Caller, Principal, Refused};

fn misuse(caller: &Caller, now: UnixTime) -> Result<Principal, Refused> {
    caller.admit(now)
}

fn main() {}
