//! The outcome of a decision is not exchanged.

use certmap::{Decision, Outcome};

fn misuse(decision: &mut Decision) {
    decision.outcome = Outcome::Anonymous;
}

fn main() {}
