//! How costs grow with the number of partners, for certmap and for whatever else is given.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use certmap::identity::NewKey;
use certmap::rustls::pki_types::CertificateDer;
use certmap::testing::NOW;
use certmap::{Certificate, Evidence};
use sha2::{Digest as _, Sha256};

use crate::chart::{Line, svg};
use crate::peers::{WrittenByHand, stock};
use crate::{Comparison, Partners, Report, another_each_time, evidence, is_measuring, partner_v3};

/// Says whether somebody is admitted, each time it is called.
pub type Admits = Box<dyn FnMut() -> bool>;

/// One that admits the holder of a certificate among others.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "of a program that only measures")]
pub struct Peer {
    /// What stands in table and chart.
    pub name: &'static str,
    /// How many certificates it can be given in a time that can be waited for.
    pub most: usize,
    /// From all certificates and one of them, which is to be admitted.
    pub make: fn(&[Certificate], &Certificate) -> Admits,
}

const SIZES: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
const SHA256: &str = "SHA-256 of the certificate";
const OURS: &str = "certmap";
const ANOTHER: &str = "certmap, another each time";

/// rustls' own verifier with every partner as a root, and with it what people write to know the user.
pub const RUSTLS: [Peer; 2] = [
    Peer { name: "rustls’ own verifier", most: 100_000, make: rustls },
    Peer { name: "rustls, parse and lookup", most: 100_000, make: by_hand },
];

fn rustls(roots: &[Certificate], own: &Certificate) -> Admits {
    let (verifier, own) = (stock(roots), CertificateDer::from(own.der().to_vec()));
    Box::new(move || verifier.verify_client_cert(black_box(&own), &[], NOW).is_ok())
}

fn by_hand(roots: &[Certificate], own: &Certificate) -> Admits {
    let (by_hand, own) = (WrittenByHand::new(roots), CertificateDer::from(own.der().to_vec()));
    Box::new(move || by_hand.user(black_box(&own), NOW).is_some())
}

/// Measures certmap and the peers, prints the table, and draws `chart.svg` into the folder of the benches.
///
/// # Panics
/// If the chart cannot be written, or one of them does not admit the partner.
pub fn measure(peers: &[Peer]) {
    let report =
        Report::new("Cost against the number of partners, P-256; each partner's own certificate is what is trusted");
    let names: Vec<_> = [SHA256, OURS, ANOTHER].into_iter().chain(peers.iter().map(|peer| peer.name)).collect();
    let mut lines: Vec<_> = names.iter().map(|name| Line { name: (*name).to_owned(), points: Vec::new() }).collect();
    let (partners, own) = (Partners::new(NewKey::EcP256), partner_v3(NewKey::EcP256));
    let own = own.certificate();
    for size in SIZES {
        let policy = partners.policy(size, std::slice::from_ref(own));
        let seen = evidence(&policy, own);
        let others: Vec<_> =
            another_each_time(size - 1, 20_000).into_iter().map(|number| partners.certificate(number)).collect();
        let others: Vec<Evidence> = others.iter().map(|other| evidence(&policy, other)).chain([seen.clone()]).collect();
        let mut another = others.iter().cycle();
        let mut roots = partners.first(size - 1);
        roots.insert((size - 1) / 2, own.clone());
        let admits = |evidence: &Evidence| policy.decide(black_box(evidence), NOW).principal().is_some();
        let mut comparison = Comparison::new().lasting(Duration::from_millis(1_500));
        comparison = comparison.row(SHA256, || Sha256::digest(black_box(own.der())));
        comparison = comparison.row(OURS, || assert!(admits(&seen)));
        comparison = comparison.row(ANOTHER, || assert!(another.next().is_some_and(admits)));
        let peers: Vec<_> = peers.iter().filter(|peer| size <= peer.most).collect();
        for peer in &peers {
            let mut call = (peer.make)(&roots, own);
            comparison = comparison.row(peer.name, move || assert!(call()));
        }
        let times = comparison.run();
        let is_measured = |name: &str| names[..3].contains(&name) || peers.iter().any(|peer| peer.name == name);
        for line in lines.iter_mut().filter(|line| is_measured(&line.name)) {
            let time = times.of(&line.name);
            report.time(&format!("{size} partners: {}", line.name), time);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            line.points.push((size as f64, time));
        }
        if !is_measuring() {
            return;
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("chart.svg");
    std::fs::write(&file, svg("Who is this client certificate? One decision", &lines))
        .expect("the folder can be written");
    println!("\nDrawn: {}", file.display());
}
