//! Time is an argument.

use certmap::{Decision, Evidence, Policy};

fn misuse(policy: &Policy, evidence: &Evidence) -> Decision {
    policy.decide(evidence)
}

fn main() {}
