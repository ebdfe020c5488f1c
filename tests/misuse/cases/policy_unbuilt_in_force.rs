//! A document is not a policy.

use certmap::PolicyHandle;
use certmap::document::Document;

fn misuse(document: Document) -> PolicyHandle {
    PolicyHandle::new(document)
}

fn main() {}
