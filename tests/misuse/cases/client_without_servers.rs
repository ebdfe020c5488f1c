//! An outgoing call says which servers it trusts.

use certmap::{ClientConfigBuilder, Identity};

fn misuse(identity: Identity) -> ClientConfigBuilder {
    ClientConfigBuilder::new(identity)
}

fn main() {}
