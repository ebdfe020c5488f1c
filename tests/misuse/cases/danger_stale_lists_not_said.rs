//! Lists beyond their time are danger, and say so.

use certmap::trust::Revocation;
use std::time::Duration;

fn misuse(revocation: Revocation) -> Revocation {
    revocation.accept_stale_lists(Duration::from_secs(60))
}

fn main() {}
