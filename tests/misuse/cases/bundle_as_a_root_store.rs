//! Pins do not become authorities by way of a root store.

use certmap::TrustBundle;
use certmap::rustls::RootCertStore;

fn misuse(bundle: TrustBundle) -> RootCertStore {
    bundle.into()
}

fn main() {}
