//! Asking for a role and not looking at the answer is an error under `deny(unused_must_use)`.

#![deny(unused_must_use)]

use certmap::{Principal, Role};

fn misuse(principal: &Principal, role: &Role) {
    principal.require(role);
}

fn main() {}
