//! How long does it take to build a policy of many mappings, or of many files?

use std::cell::RefCell;
use std::time::Duration;

use certmap::identity::NewKey;
use certmap::policy::{Host, Policy};
use certmap::{CertUserMapping, Certificate, PolicyBuilder, Selector, TrustBundle};
use certmap_bench::{Bound, Comparison, Partners, Report, fingerprint_mappings, is_measuring, user};

fn host(bundle: TrustBundle) -> Host {
    Host::new("gateway".parse().expect("a label"), bundle)
}

/// Each file is read, pinned and mapped.
fn from_files(files: &[String]) -> Policy {
    let mut bundle = TrustBundle::with_limit("partners".parse().expect("a label"), files.len());
    let mut mappings = Vec::with_capacity(files.len());
    for (number, file) in files.iter().enumerate() {
        let certificate = Certificate::from_pem(file.as_bytes()).expect("a certificate");
        mappings.push(CertUserMapping::new(Selector::certificate(certificate.fingerprint()), user(number)));
        bundle.add_pin(certificate).expect("another one");
    }
    PolicyBuilder::for_host(host(bundle)).mappings(mappings).build().expect("a policy without contradiction")
}

fn main() {
    let report = Report::new("7. Building; the mappings exist before, the files are read");
    let partners = Partners::new(NewKey::EcP256);
    let files: Vec<_> = (0..2_000).map(|number| partners.certificate(number).to_pem()).collect();
    let times = Comparison::new().row("files", || from_files(&files)).run();
    report.bounded_time(7, "2,000 PEM certificates", times.of("files"), Bound::AtMost(40e6));

    let size = if is_measuring() { 1_000_000 } else { 1_000 };
    let mut bundle = TrustBundle::new("partners".parse().expect("a label"));
    bundle.add_pin(partners.certificate(0)).expect("a pin");
    let host = host(bundle);
    let mappings = fingerprint_mappings(size);
    // Made before they are timed; the policies are dropped after.
    let ready = RefCell::new(vec![mappings.clone(); if is_measuring() { 6 } else { 2 }]);
    let policies = RefCell::new(Vec::new());
    let build = || {
        let mappings = ready.borrow_mut().pop().unwrap_or_else(|| mappings.clone());
        let policy = PolicyBuilder::for_host(host.clone()).mappings(mappings).build();
        policies.borrow_mut().push(policy.expect("a policy without contradiction"));
    };
    let times = Comparison::new().lasting(Duration::ZERO).row("mappings", build).run();
    let what = format!("{size} mappings of fingerprints");
    report.bounded_time(7, &what, times.of("mappings"), Bound::AtMost(1.5e9));
}
