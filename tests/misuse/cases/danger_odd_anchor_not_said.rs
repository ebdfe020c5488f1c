//! An odd anchor is danger, and says so.

use certmap::Certificate;
use certmap::trust::{Entry, TrustError};

fn misuse(certificate: Certificate) -> Result<Entry, TrustError> {
    Entry::odd_anchor(certificate)
}

fn main() {}
