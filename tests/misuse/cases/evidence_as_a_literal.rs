//! Evidence says where it comes from.

use certmap::{Evidence, HostId};

fn misuse(host: HostId) -> Evidence {
    Evidence(host.into())
}

fn main() {}
