//! A pin does not become an anchor.

use certmap::trust::{Entry, TrustBundle, TrustError};

fn misuse(bundle: &mut TrustBundle, pin: Entry) -> Result<(), TrustError> {
    bundle.add_anchor(pin).map(drop)
}

fn main() {}
