//! Errors are made here.

use certmap::live::TooManyCallers;

fn misuse() -> TooManyCallers {
    TooManyCallers { limit: 0 }
}

fn main() {}
