//! What do ten thousand rules over names add to a decision, and what does our reading of a certificate add to x509-parser's?

use std::hint::black_box;
use std::time::Duration;

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap::{Certificate, Decision};
use certmap_bench::clients::presented;
use certmap_bench::fleet::{ANCHORS, Fleet, RULES};
use certmap_bench::{Bound, Comparison, Report, erp_v1, partner_v3, peers};

fn main() {
    let report = Report::new("6. Rules over names, nothing remembered; and reading a certificate");
    let fleet = Fleet::new();
    let (with, without) = (fleet.with_rules(), fleet.without_names());
    let client = presented(&with, fleet.device());
    let user = |decision: &Decision| decision.principal().map(|principal| principal.user().to_string());
    assert_ne!(user(&with.decide(&client, NOW)), user(&without.decide(&client, NOW)));
    let times = Comparison::new()
        .lasting(Duration::from_secs(6))
        .row("with", || with.decide(black_box(&client), NOW))
        .row("without", || without.decide(black_box(&client), NOW))
        .run();
    report.time("decide by a rule for the certificate", times.of("without"));
    report.time(
        &format!("decide by one of {RULES} rules over names of eight kinds, {ANCHORS} anchors"),
        times.of("with"),
    );
    let beyond = times.beyond("with", "without");
    report.bounded_time(6, "what the rules add", beyond, Bound::AtMost(3_000.0));

    let p256 = partner_v3(NewKey::EcP256);
    let own = [("RSA-2048, version 1", &erp_v1()), ("P-256, version 3", p256.certificate())];
    for (name, certificate) in own.into_iter().chain([("P-256, names of five kinds", fleet.device().certificate())]) {
        let times = Comparison::new()
            .row("ours", || Certificate::from_der(black_box(&certificate.der())))
            .row("x509-parser", || peers::parse(black_box(&certificate.der())).version())
            .run();
        report.time(&format!("{name}: x509-parser alone"), times.of("x509-parser"));
        report.time(&format!("{name}: `Certificate::from_der`"), times.of("ours"));
        report.ratio(6, &format!("{name}: reading"), times.ratio("ours", "x509-parser"), Bound::AtMost(1.5));
    }
}
