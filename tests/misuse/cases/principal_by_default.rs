//! There is no default principal.

use certmap::Principal;

fn misuse() -> Principal {
    Principal::default()
}

fn main() {}
