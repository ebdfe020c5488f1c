//! What can somebody make us spend whom nothing vouches for?

use std::hint::black_box;

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap_bench::clients::{Clients, presented};
use certmap_bench::{Comparison, Partners, Report, evidence, partner_v3};
use sha2::{Digest as _, Sha256};

fn main() {
    let report = Report::new("A stranger, P-256, is refused with all that the refusal explains");
    let partners = Partners::new(NewKey::EcP256);
    for size in [150, 10_000] {
        let (policy, stranger) = (partners.policy(size, &[]), partner_v3(NewKey::EcP256));
        let seen = evidence(&policy, stranger.certificate());
        assert!(policy.decide(&seen, NOW).refusal().is_some());
        let times = Comparison::new()
            .row("hash", || Sha256::digest(black_box(stranger.certificate().der())))
            .row("refuse", || policy.decide(black_box(&seen), NOW))
            .run();
        report.time("SHA-256 of the certificate", times.of("hash"));
        report.time(&format!("self-signed, {size} pins"), times.of("refuse"));
    }
    let (ours, theirs) = (Clients::new(NewKey::EcP256), Clients::new(NewKey::EcP256));
    let policy = ours.policy(1, 4096);
    // The names of the CAs are the same, the keys are not: a signature is verified to find that out.
    let seen = presented(&policy, &theirs.client(1, true));
    assert!(policy.decide(&seen, NOW).refusal().is_some());
    let times = Comparison::new().row("refuse", || policy.decide(black_box(&seen), NOW)).run();
    report.time("with the name of an anchor and another key, through one more CA", times.of("refuse"));
}
