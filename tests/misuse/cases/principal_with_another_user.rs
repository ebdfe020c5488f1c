//! The user of a principal is not exchanged.

use certmap::{Principal, UserName};

fn misuse(principal: &mut Principal, user: UserName) {
    *principal.user() = user;
}

fn main() {}
