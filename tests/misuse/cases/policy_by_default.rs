//! There is no policy that nobody wrote.

use certmap::Policy;

fn misuse() -> Policy {
    Policy::default()
}

fn main() {}
