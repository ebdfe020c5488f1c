//! The fingerprints of a key and of a certificate are never equal, nor compared.

use certmap::{Fingerprint, SpkiFingerprint};

fn misuse(certificate: Fingerprint, key: SpkiFingerprint) -> bool {
    certificate == key
}

fn main() {}
