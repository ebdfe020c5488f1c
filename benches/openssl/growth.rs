//! How does a decision grow with the number of partners, next to rustls' own verifier and to OpenSSL's? Draws `chart.svg`.

use std::hint::black_box;

use certmap::Certificate;
use certmap_bench::growth::{Admits, Peer, RUSTLS, measure};
use certmap_bench_openssl::{admits, store};

/// Its store sorts itself anew for every certificate that is added: more of them would be waited for in minutes.
const OPENSSL: Peer = Peer { name: "OpenSSL, X509_verify_cert", most: 10_000, make: openssl };

fn openssl(trusted: &[Certificate], own: &Certificate) -> Admits {
    let (store, der) = (store(trusted), own.der().to_vec());
    Box::new(move || admits(&store, black_box(&der)))
}

fn main() {
    println!("{}", ::openssl::version::version());
    let [rustls, by_hand] = RUSTLS;
    measure(&[rustls, by_hand, OPENSSL]);
}
