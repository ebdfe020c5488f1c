//! How does a decision grow with the number of partners, next to rustls' own verifier? Draws `chart.svg`; the
//! package in `openssl/` draws it with OpenSSL in it.

use certmap_bench::growth::{RUSTLS, measure};

fn main() {
    measure(&RUSTLS);
}
