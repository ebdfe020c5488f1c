//! A principal is made by a decision, never written down.

use certmap::{Principal, UserName};

fn misuse(user: UserName) -> Principal {
    Principal { user }
}

fn main() {}
