//! The time is not the machine's own, which may be before 1970.

use certmap::{Decision, Evidence, Policy};
use std::time::SystemTime;

fn misuse(policy: &Policy, evidence: &Evidence) -> Decision {
    policy.decide(evidence, SystemTime::now())
}

fn main() {}
