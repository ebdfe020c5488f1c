//! What does the first decision about a client below an anchor cost, among many anchors, next to rustls' verifier with that
//! anchor alone and one reading of the certificate?

use std::hint::black_box;

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap_bench::clients::{Clients, presented};
use certmap_bench::{Bound, Comparison, Report, is_measuring, peers};

/// Fewer are remembered than come, so that everybody comes for the first time, and is remembered then.
const COMING: usize = 500;
const REMEMBERED: usize = 32;

fn main() {
    let report = Report::new(
        "4. A client that comes for the first time, P-256, among so many anchors; to rustls' verifier with one, and one parse",
    );
    let clients = Clients::new(NewKey::EcP256);
    let verifier = peers::stock([clients.root()]);
    let sizes: &[usize] = if is_measuring() { &[1, 1_000, 100_000] } else { &[1] };
    for &anchors in sizes {
        let policy = clients.policy(anchors, REMEMBERED);
        for (name, through_another) in [("issued by the anchor", false), ("through one more CA", true)] {
            let coming: Vec<_> = (0..COMING).map(|number| clients.client(number, through_another)).collect();
            let coming: Vec<_> = coming.iter().map(|client| presented(&policy, client)).collect();
            assert!(coming.iter().all(|client| policy.decide(client, NOW).principal().is_some()));
            let (mut to_decide, mut to_verify) = (coming.iter().cycle(), coming.iter().cycle());
            let times = Comparison::new()
                .row("decide", || to_decide.next().map(|client| policy.decide(black_box(client), NOW)))
                .row("stock", || {
                    let [own, above @ ..] = to_verify.next()?.chain() else { return None };
                    verifier.verify_client_cert(black_box(own), above, NOW).expect("a valid path");
                    Some(peers::parse(own).version())
                })
                .run();
            report.time(&format!("{anchors} anchors, {name}: decide"), times.of("decide"));
            report.time(&format!("rustls' verifier with 1 anchor, and one parse, {name}"), times.of("stock"));
            let ratio = times.ratio("decide", "stock");
            report.ratio(4, &format!("{anchors} anchors, {name}"), ratio, Bound::AtMost(1.1));
        }
    }
}
