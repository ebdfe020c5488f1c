//! A peer may be anonymous, and then it is no principal.

use certmap::rustls::pki_types::UnixTime;
use certmap::{Authority, Caller, Principal, Refused};

fn misuse(caller: &Caller, authority: Authority<'_>, now: UnixTime) -> Result<Principal, Refused> {
    caller.identify(authority, now)
}

fn main() {}
