//! A decision is made by a policy, never written down.

use certmap::{Decision, Outcome};

fn misuse(outcome: Outcome) -> Decision {
    Decision { outcome }
}

fn main() {}
