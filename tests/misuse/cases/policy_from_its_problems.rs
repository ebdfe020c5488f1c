//! Problems are read and mended; no policy comes out of them.

use certmap::{Policy, PolicyError};

fn misuse(error: PolicyError) -> Policy {
    error.into()
}

fn main() {}
