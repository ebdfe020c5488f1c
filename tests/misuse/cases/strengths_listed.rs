//! More strengths may come; a match has an arm for them.

use certmap::Strength;

fn misuse(strength: Strength) -> bool {
    match strength {
        Strength::Name | Strength::Serial => false,
        Strength::Key | Strength::Certificate => true,
    }
}

fn main() {}
