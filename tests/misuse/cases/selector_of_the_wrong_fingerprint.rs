//! The fingerprint of a key is not that of a certificate.

use certmap::{Selector, SpkiFingerprint};

fn misuse(key: SpkiFingerprint) -> Selector {
    Selector::certificate(key)
}

fn main() {}
