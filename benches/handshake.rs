//! What does certmap add to a full mutual handshake, and what does it save next to rustls' own verifier?

use std::time::Duration;

use certmap_bench::ends::{Ends, Server};
use certmap_bench::{Bound, Comparison, Report};

const PARTNERS: usize = 150;

fn main() {
    let report = Report::new("3. A full mutual TLS 1.3 handshake in memory, both ends, P-256; ours with the decision");
    let ends = Ends::new(PARTNERS);
    assert!(ends.handshake(Server::Ours).is_some_and(|decision| decision.principal().is_some()));
    let times = Comparison::new()
        .lasting(Duration::from_secs(12))
        .row("accepting", || ends.handshake(Server::Accepting))
        .row("ours", || ends.handshake(Server::Ours))
        .row("stock", || ends.handshake(Server::Stock))
        .run();
    report.time("a verifier that accepts anything", times.of("accepting"));
    report.time(&format!("certmap with {PARTNERS} pins"), times.of("ours"));
    report.time(&format!("rustls' own verifier with {PARTNERS} roots"), times.of("stock"));
    report.ratio(3, "certmap, to accepting anything", times.ratio("ours", "accepting"), Bound::AtMost(1.02));
    report.ratio(
        3,
        "certmap, how many times as fast as rustls' own",
        times.ratio("stock", "ours"),
        Bound::AtLeast(1.2),
    );
    let [ours, stock] = [Server::Ours, Server::Stock].map(|server| ends.first_flight(server));
    report.figure("the server's first flight", &format!("{ours} bytes, rustls' own {stock}"));
    #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
    report.ratio(3, "the server's first flight, of rustls' own", ours as f64 / stock as f64, Bound::AtMost(0.2));
}
