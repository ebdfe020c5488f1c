//! A principal has no constructor.

use certmap::Principal;

fn misuse() {
    drop(Principal::new);
}

fn main() {}
