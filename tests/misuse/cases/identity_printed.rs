//! An identity has no text form.

use certmap::Identity;

fn misuse(identity: &Identity) -> String {
    identity.to_string()
}

fn main() {}
