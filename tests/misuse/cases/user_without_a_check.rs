//! A user name is checked when it is made.

use certmap::UserName;

fn misuse() -> UserName {
    UserName("billing\n".into())
}

fn main() {}
