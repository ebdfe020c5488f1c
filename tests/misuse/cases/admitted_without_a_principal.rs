//! Admitted is a principal, not a user.

use certmap::{Outcome, UserName};

fn misuse(user: UserName) -> Outcome {
    Outcome::Admitted(user)
}

fn main() {}
