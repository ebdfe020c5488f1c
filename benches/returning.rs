//! What does a decision about a client cost that comes back with the same chain, next to one hash of that chain?

use std::hint::black_box;

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap_bench::clients::{Clients, presented};
use certmap_bench::{Bound, Comparison, Report, is_measuring};
use sha2::{Digest as _, Sha256};

const REMEMBERED: usize = 4096;

fn main() {
    let report = Report::new("5. A client that comes back, below an anchor, P-256");
    let clients = Clients::new(NewKey::EcP256);
    let sizes: &[usize] = if is_measuring() { &[1, 1_000] } else { &[1] };
    for &anchors in sizes {
        let policy = clients.policy(anchors, REMEMBERED);
        for (name, through_another) in [("issued by the anchor", false), ("through one more CA", true)] {
            let client = presented(&policy, &clients.client(1, through_another));
            assert!(policy.decide(&client, NOW).principal().is_some());
            let times = Comparison::new()
                .row("hash", || black_box(client.chain()).iter().fold(Sha256::new(), Sha256::chain_update).finalize())
                .row("decide", || policy.decide(black_box(&client), NOW))
                .run();
            report.time(&format!("{anchors} anchors, {name}: SHA-256 of the chain"), times.of("hash"));
            report.time(&format!("{anchors} anchors, {name}: decide"), times.of("decide"));
            let ratio = times.ratio("decide", "hash");
            report.ratio(5, &format!("{anchors} anchors, {name}"), ratio, Bound::AtMost(3.0));
        }
    }
}
