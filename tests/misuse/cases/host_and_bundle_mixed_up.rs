//! The name of a bundle is not that of a host.

use certmap::{BundleName, Host, TrustBundle};

fn misuse(name: BundleName, bundle: TrustBundle) -> Host {
    Host::new(name, bundle)
}

fn main() {}
