//! A principal is made by a decision, never written down.

use certmap::{PolicyDigest, Principal};

fn misuse(policy: PolicyDigest) -> Principal {
    Principal { policy }
}

fn main() {}
