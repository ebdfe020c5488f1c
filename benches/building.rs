//! What it costs to build a policy: the time, and the heap beyond what the caller brings along.

use certmap::policy::Host;
use certmap::{CertUserMapping, Certificate, Fingerprint, PolicyBuilder, Selector, TrustBundle, UserName};
use certmap_bench::Partners;
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn user(number: usize) -> UserName {
    format!("USER{number}").parse().expect("a user name")
}

/// From mappings that are made already: what is counted is the policy's own.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 3, sample_size = 1)]
fn fingerprint_mappings(bencher: Bencher<'_, '_>, mappings: usize) {
    let pin = Partners::new().certificate(0);
    let mut bundle = TrustBundle::new("partners".parse().expect("a label"));
    bundle.add_pin(pin).expect("a pin");
    let host = Host::new("gateway".parse().expect("a label"), bundle);
    bencher
        .with_inputs(|| -> Vec<CertUserMapping> {
            let selector = |number: usize| Selector::certificate(Fingerprint::of(&number.to_le_bytes()));
            (0..mappings).map(|number| CertUserMapping::new(selector(number), user(number))).collect()
        })
        .bench_local_values(|mappings| PolicyBuilder::for_host(host.clone()).mappings(mappings).build().map_err(drop));
}

/// From files: each is read, pinned and mapped.
#[divan::bench(args = [2_000], sample_count = 20, sample_size = 1)]
fn pem_certificates(bencher: Bencher<'_, '_>, certificates: usize) {
    let partners = Partners::new();
    let files: Vec<String> = (0..certificates).map(|number| partners.certificate(number).to_pem()).collect();
    bencher.bench_local(|| {
        let mut bundle = TrustBundle::with_limit("partners".parse().expect("a label"), files.len());
        let mut mappings = Vec::with_capacity(files.len());
        for (number, file) in black_box(&files).iter().enumerate() {
            let certificate = Certificate::from_pem(file.as_bytes()).expect("a certificate");
            mappings.push(CertUserMapping::new(Selector::certificate(certificate.fingerprint()), user(number)));
            bundle.add_pin(certificate).expect("another one");
        }
        let host = Host::new("gateway".parse().expect("a label"), bundle);
        PolicyBuilder::for_host(host).mappings(mappings).build().map_err(drop)
    });
}
