//! Evidence is for one host.

use certmap::Evidence;
use certmap::rustls::pki_types::CertificateDer;

fn misuse(chain: Vec<CertificateDer<'static>>) -> Evidence {
    Evidence::after_handshake(chain)
}

fn main() {}
