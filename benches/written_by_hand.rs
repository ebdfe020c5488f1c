//! How far is a decision from what people write by hand: rustls' verifier with every partner as a root, parse, look up?

use std::hint::black_box;

use certmap::identity::NewKey;
use certmap::rustls::pki_types::CertificateDer;
use certmap::testing::NOW;
use certmap_bench::peers::WrittenByHand;
use certmap_bench::{Bound, Comparison, Partners, Report, evidence, is_measuring, partner_v3};

const TARGETS: [(&str, NewKey, usize, f64); 4] = [
    ("P-256", NewKey::EcP256, 150, 100.0),
    ("P-256", NewKey::EcP256, 20_000, 500.0),
    ("RSA-2048", NewKey::Rsa2048, 150, 30.0),
    ("RSA-2048", NewKey::Rsa2048, 20_000, 300.0),
];

fn main() {
    let report = Report::new(
        "2. A partner's own certificate, next to a verifier with all of them as roots, a parse and a lookup",
    );
    for (name, kind, size, least) in TARGETS {
        let (partners, own) = (Partners::new(kind), partner_v3(kind));
        let size = if is_measuring() { size } else { 150 };
        let policy = partners.policy(size, std::slice::from_ref(own.certificate()));
        let seen = evidence(&policy, own.certificate());
        assert!(policy.decide(&seen, NOW).principal().is_some());
        // In the middle of the others.
        let mut roots = partners.first(size - 1);
        roots.insert(size / 2, own.certificate().clone());
        let by_hand = WrittenByHand::new(&roots);
        let der = CertificateDer::from(own.certificate().der().to_vec());
        assert_eq!(by_hand.user(&der, NOW), Some("user of partner-measured"));
        let times = Comparison::new()
            .row("decide", || policy.decide(black_box(&seen), NOW))
            .row("by hand", || by_hand.user(black_box(&der), NOW))
            .run();
        report.time(&format!("{name}, {size} partners: decide"), times.of("decide"));
        report.time(&format!("{name}, {size} partners: by hand"), times.of("by hand"));
        let ratio = times.ratio("by hand", "decide");
        report.ratio(2, &format!("{name}, {size} partners: how many times as fast"), ratio, Bound::AtLeast(least));
    }
}
