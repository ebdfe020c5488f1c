//! There is no selector of a subject alone.

use certmap::{DistinguishedName, Selector};

fn misuse(subject: DistinguishedName) -> Selector {
    Selector::subject(subject)
}

fn main() {}
