//! A rule names a user, which is checked.

use certmap::{CertUserMapping, Selector};

fn misuse(selector: Selector) -> CertUserMapping {
    CertUserMapping::new(selector, "billing")
}

fn main() {}
