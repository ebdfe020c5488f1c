//! A role is asked of a principal, not of an answer that may be a refusal.

use certmap::rustls::pki_types::UnixTime;
use certmap::{Authority, Caller, Role};

fn misuse(caller: &Caller, authority: Authority<'_>, role: &Role, now: UnixTime) -> bool {
    caller.admit(authority, now).require(role).is_ok()
}

fn main() {}
