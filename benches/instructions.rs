//! How many instructions do the central operations take? The gate against getting slower: above its bound a count is an
//! error. Needs valgrind and gungraun-runner (see README.md); times are measured elsewhere.
//!
//! Counts do not depend on what else the machine does, but on the compiler and on what the libraries find in the processor.
//! Valgrind shows neither the SHA instructions nor AVX-512 of any, so a hash is counted in plain code, which is many
//! instructions: a second hash is seen wherever it is added. Counted on x86-64 with AVX2.
#![expect(missing_docs, clippy::must_use_candidate, reason = "the macros make public items")]

use std::hint::black_box;

use certmap::identity::NewKey;
use certmap::policy::{Host, Policy};
use certmap::testing::NOW;
use certmap::{Authority, Caller, CertUserMapping, Certificate, Evidence, PolicyBuilder, Role, TrustBundle};
use certmap_bench::clients::{Clients, presented};
use certmap_bench::fleet::Fleet;
use certmap_bench::{Partners, erp_v1, evidence, fingerprint_mappings, partner_v3, with_many_roles};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use sha2::{Digest as _, Sha256};

/// The count that was measured, and how many percent it may grow before that is an error.
fn at_most(count: u64, percent: u64) -> LibraryBenchmarkConfig {
    let bound = count + count * percent / 100;
    LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, bound)])).clone()
}

type Question = (Policy, Evidence);

/// The inputs are handed back, so that dropping them is not counted; dropping the answer is.
fn decide(question: Question) -> Question {
    drop(black_box(question.0.decide(black_box(&question.1), NOW)));
    question
}

fn pinned() -> Question {
    let policy = Partners::new(NewKey::EcP256).policy(150, &[erp_v1()]);
    let seen = evidence(&policy, &erp_v1());
    assert!(policy.decide(&seen, NOW).principal().is_some());
    (policy, seen)
}

fn stranger() -> Question {
    let policy = Partners::new(NewKey::EcP256).policy(150, &[]);
    let seen = evidence(&policy, &erp_v1());
    assert!(policy.decide(&seen, NOW).refusal().is_some());
    (policy, seen)
}

/// Below an anchor and one more CA. On RSA keys signatures take about the same count to verify whatever they are.
fn client(kind: NewKey, remembered: usize) -> Question {
    let clients = Clients::new(kind);
    let policy = clients.policy(1, remembered);
    let seen = presented(&policy, &clients.client(1, true));
    assert!(policy.decide(&seen, NOW).principal().is_some());
    (policy, seen)
}

fn device() -> Question {
    let fleet = Fleet::new();
    let policy = fleet.with_rules();
    let seen = presented(&policy, fleet.device());
    assert!(policy.decide(&seen, NOW).principal().is_some());
    (policy, seen)
}

fn kept_connection() -> (Caller, Role) {
    let (caller, role) = with_many_roles();
    assert!(caller.admit(Authority::Host("gateway.example"), NOW).is_ok());
    (caller, role)
}

fn host_and_mappings() -> (Host, Vec<CertUserMapping>) {
    let mut bundle = TrustBundle::new("partners".parse().expect("a label"));
    bundle.add_pin(erp_v1()).expect("a pin");
    (Host::new("gateway".parse().expect("a label"), bundle), fingerprint_mappings(10_000))
}

// What everything is compared with: one hash of a certificate.
#[library_benchmark(config = at_most(50_224, 1))]
#[bench::erp(erp_v1())]
fn sha256(certificate: Certificate) -> Certificate {
    black_box(Sha256::digest(black_box(certificate.der())));
    certificate
}

#[library_benchmark(config = at_most(1_358, 3))]
#[bench::among_150(pinned())]
fn decide_pinned(question: Question) -> Question {
    decide(question)
}

#[library_benchmark(config = at_most(106_110, 3))]
#[bench::among_150(stranger())]
fn refuse(question: Question) -> Question {
    decide(question)
}

#[library_benchmark(config = at_most(43_554, 3))]
#[bench::chain_of_two(client(NewKey::EcP256, 4096))]
fn decide_returning(question: Question) -> Question {
    decide(question)
}

#[library_benchmark(config = at_most(787_961, 3))]
#[bench::chain_of_two(client(NewKey::Rsa2048, 0))]
fn decide_first(question: Question) -> Question {
    decide(question)
}

#[library_benchmark(config = at_most(410_448, 3))]
#[bench::ten_thousand(device())]
fn decide_by_rules(question: Question) -> Question {
    decide(question)
}

#[library_benchmark(config = at_most(878, 10))]
#[bench::a_hundred_roles(kept_connection())]
fn admit_and_require((caller, role): (Caller, Role)) -> (Caller, Role) {
    let principal = black_box(&caller).admit(black_box(Authority::Host("gateway.example")), NOW);
    assert!(principal.is_ok_and(|principal| principal.require(black_box(&role)).is_ok()));
    (caller, role)
}

#[library_benchmark(config = at_most(64_159_204, 3))]
#[bench::ten_thousand(host_and_mappings())]
fn build((host, mappings): (Host, Vec<CertUserMapping>)) -> Policy {
    PolicyBuilder::for_host(host).mappings(mappings).build().expect("a policy without contradiction")
}

#[library_benchmark]
#[bench::version_1(args = (erp_v1()), config = at_most(14_040, 3))]
#[bench::version_3(args = (partner_v3(NewKey::EcP256).certificate().clone()), config = at_most(14_497, 3))]
fn read(certificate: Certificate) -> Certificate {
    drop(black_box(Certificate::from_der(black_box(&certificate.der()))));
    certificate
}

library_benchmark_group!(
    name = central,
    benchmarks = [
        sha256,
        decide_pinned,
        refuse,
        decide_returning,
        decide_first,
        decide_by_rules,
        admit_and_require,
        build,
        read
    ]
);
main!(library_benchmark_groups = central);
