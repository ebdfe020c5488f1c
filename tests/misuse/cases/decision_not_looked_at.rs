//! A decision that nobody looks at is an error under `deny(unused_must_use)`.

#![deny(unused_must_use)]

use certmap::rustls::pki_types::UnixTime;
use certmap::{Evidence, Policy};

fn misuse(policy: &Policy, evidence: &Evidence, now: UnixTime) {
    policy.decide(evidence, now);
}

fn main() {}
