//! A certificate has to be checked to be an entry, for what it is to be.

use certmap::Certificate;
use certmap::trust::Entry;

fn misuse(certificate: Certificate) -> Entry {
    certificate.into()
}

fn main() {}
