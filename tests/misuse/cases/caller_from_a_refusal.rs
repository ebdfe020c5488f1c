//! No caller comes out of a refused decision.

use certmap::{Caller, Refused};

fn misuse(refused: Refused) -> Caller {
    refused.into()
}

fn main() {}
