//! An anchor does not become a pin.

use certmap::trust::{Entry, TrustBundle, TrustError};

fn misuse(bundle: &mut TrustBundle, anchor: Entry) -> Result<(), TrustError> {
    bundle.add_pin(anchor).map(drop)
}

fn main() {}
