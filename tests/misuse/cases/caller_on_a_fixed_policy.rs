//! A caller is bound to the handle, so that it is decided on the policy in force.

use certmap::{Caller, Evidence, Policy};
use std::sync::Arc;

fn misuse(policy: Arc<Policy>, evidence: Evidence) -> Caller {
    Caller::new(policy, evidence)
}

fn main() {}
