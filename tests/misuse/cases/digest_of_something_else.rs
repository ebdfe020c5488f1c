//! The digest of a policy is not the fingerprint of a certificate.

use certmap::policy::Overtaken;
use certmap::{Fingerprint, Policy, PolicyHandle};

fn misuse(handle: &PolicyHandle, expected: Fingerprint, policy: Policy) -> Result<(), Overtaken> {
    handle.compare_and_replace(expected, policy).map(drop)
}

fn main() {}
