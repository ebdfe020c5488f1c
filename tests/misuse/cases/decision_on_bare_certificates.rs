//! A chain alone is no evidence; who vouches for the handshake says so.

use certmap::rustls::pki_types::{CertificateDer, UnixTime};
use certmap::{Decision, Policy};

fn misuse(policy: &Policy, chain: &[CertificateDer<'static>], now: UnixTime) -> Decision {
    policy.decide(chain, now)
}

fn main() {}
