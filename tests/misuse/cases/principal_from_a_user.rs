//! That a user exists does not make a principal.

use certmap::{Principal, UserName};

fn misuse(user: UserName) -> Principal {
    user.into()
}

fn main() {}
