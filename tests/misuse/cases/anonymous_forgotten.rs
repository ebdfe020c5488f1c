//! Whoever asks for the outcome has to say what becomes of anonymous peers.

use certmap::{Outcome, Principal, Refusal};

fn misuse(outcome: Outcome) -> Result<Principal, Refusal> {
    match outcome {
        Outcome::Admitted(principal) => Ok(principal),
        Outcome::Refused(refusal) => Err(refusal),
    }
}

fn main() {}
