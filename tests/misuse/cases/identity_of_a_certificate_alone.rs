//! An identity has its key.

use certmap::{Certificate, Identity};

fn misuse(certificate: Certificate) -> Identity {
    certificate.into()
}

fn main() {}
