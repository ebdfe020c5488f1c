//! What does a decision about a pinned partner cost, among many, next to the one hash that it cannot do without?

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap::{Certificate, Evidence};
use certmap_bench::{
    Bound, Comparison, PINS, Partners, Report, another_each_time, erp_v1, evidence, is_measuring, partner_v3,
};
use foldhash::fast::RandomState;
use sha2::{Digest as _, Sha256};

/// As many as have, with their certificates, no room in a cache that one core has for itself.
const OTHERS: usize = 20_000;

fn main() {
    let report = Report::new("1. A pinned RSA-2048 certificate; names, hosts and roles in use");
    let partners = Partners::new(NewKey::Rsa2048);
    let own = [erp_v1(), partner_v3(NewKey::Rsa2048).certificate().clone()];
    let sizes: &[usize] = if is_measuring() { &[150, 10_000, 1_000_000] } else { &[150] };
    for &size in sizes {
        let most = if size > 10_000 { 2.0 } else { 1.5 };
        let policy = partners.policy(size, &own);
        let [v1, v3] = own.each_ref().map(|certificate| evidence(&policy, certificate));
        let others: Vec<_> = another_each_time(size - own.len(), OTHERS)
            .into_iter()
            .map(|number| evidence(&policy, &partners.certificate(number)))
            .collect();
        // The least that finding a partner by its bytes can cost: one table, and an answer that is counted.
        let answer = |der: &[u8]| (Box::<[u8]>::from(der), Arc::new([der.len(); 16]));
        let table: HashMap<_, _, RandomState> =
            partners.first(size.min(PINS)).iter().map(|certificate| answer(&certificate.der())).collect();
        let [mut to_hash, mut to_find, mut to_decide] = [&others; 3].map(|others| others.iter().cycle());
        let decide = |evidence: &Evidence| {
            let decision = policy.decide(black_box(evidence), NOW);
            assert!(decision.principal().is_some());
            decision
        };
        let hash = |certificate: &Certificate| Sha256::digest(black_box(certificate.der()));
        let times = Comparison::new()
            .row("hash v1", || hash(&own[0]))
            .row("decide v1", || decide(&v1))
            .row("hash v3", || hash(&own[1]))
            .row("decide v3", || decide(&v3))
            .row("hash another", || to_hash.next().map(|another| Sha256::digest(&another.chain()[0])))
            .row("find another", || to_find.next().and_then(|another| table.get(&another.chain()[0][..]).cloned()))
            .row("decide another", || to_decide.next().map(decide))
            .run();
        for (what, name) in [("v1", "version 1"), ("v3", "version 3"), ("another", "another partner each time")] {
            let (hash, decide) = (format!("hash {what}"), format!("decide {what}"));
            report.time(&format!("{size} mappings, {name}: SHA-256 of the certificate"), times.of(&hash));
            report.time(&format!("{size} mappings, {name}: decide"), times.of(&decide));
            report.ratio(1, &format!("{size} mappings, {name}"), times.ratio(&decide, &hash), Bound::AtMost(most));
        }
        report
            .time(&format!("{size} mappings, another partner each time: found in one table"), times.of("find another"));
        let least = times.ratio("find another", "hash another");
        report.figure("of the hash", &format!("{least:.2} ×"));
    }
}
