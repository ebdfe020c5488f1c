//! A borrowed principal does not outlive its decision.

use certmap::rustls::pki_types::UnixTime;
use certmap::{Caller, Principal};

fn misuse(caller: &Caller, now: UnixTime) -> Option<&Principal> {
    caller.decide(now).principal()
}

fn main() {}
