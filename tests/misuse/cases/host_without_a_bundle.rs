//! A host says whom it trusts.

use certmap::{Host, HostId};

fn misuse(id: HostId) -> Host {
    Host::new(id)
}

fn main() {}
