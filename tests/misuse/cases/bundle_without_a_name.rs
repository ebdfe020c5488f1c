//! A bundle has a name.

use certmap::TrustBundle;

fn misuse() -> TrustBundle {
    TrustBundle::default()
}

fn main() {}
