//! What a decision costs, next to the hash that it cannot do without and to path validation, which it replaces.
//!
//! One module a question. Ratios are those of medians within a module, in one run; `alloc` is the heap that one call takes.

use std::sync::{Arc, LazyLock};

use certmap::identity::NewKey;
use certmap::rustls::RootCertStore;
use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use certmap::rustls::pki_types::CertificateDer;
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::rustls::server::danger::ClientCertVerifier;
use certmap::testing::{NOW, TestCertificate};
use certmap::{Certificate, Policy};
use certmap_bench::{Partners, erp_v1, evidence, partner_v3};
use divan::{AllocProfiler, Bencher, black_box};
use sha2::{Digest as _, Sha256};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SMALL: usize = 150;
const LARGE: usize = 100_000;

static PARTNERS: LazyLock<Partners> = LazyLock::new(Partners::new);
static ERP_V1: LazyLock<Certificate> = LazyLock::new(erp_v1);
static RSA_V3: LazyLock<Certificate> = LazyLock::new(|| partner_v3(NewKey::Rsa2048).certificate().clone());
static P256_V3: LazyLock<Certificate> = LazyLock::new(|| partner_v3(NewKey::EcP256).certificate().clone());
static SMALL_POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| policy(SMALL));
static LARGE_POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| policy(LARGE));

fn main() {
    divan::main();
}

/// A policy of so many partners, the measured ones among them.
fn policy(size: usize) -> Arc<Policy> {
    Arc::new(PARTNERS.policy(size, &[ERP_V1.clone(), RSA_V3.clone(), P256_V3.clone()]))
}

fn of_size(size: usize) -> &'static Arc<Policy> {
    if size == SMALL { &SMALL_POLICY } else { &LARGE_POLICY }
}

fn hash(bencher: Bencher<'_, '_>, certificate: &Certificate) {
    bencher.bench_local(|| Sha256::digest(black_box(certificate.der())));
}

fn decide(bencher: Bencher<'_, '_>, size: usize, certificate: &Certificate) {
    let policy = of_size(size);
    let seen = evidence(policy, certificate);
    assert!(policy.decide(&seen, NOW).principal().is_some());
    bencher.bench_local(|| policy.decide(black_box(&seen), NOW));
}

/// rustls' own verifier with this many roots, `certificate` in the middle of them.
fn webpki(bencher: Bencher<'_, '_>, roots: usize, certificate: &Certificate, provider: CryptoProvider) {
    let der = CertificateDer::from(certificate.der().to_vec());
    let mut store = RootCertStore::empty();
    for number in 0..roots {
        let other = || TestCertificate::new(&format!("CN=root-{number}")).with_ca_true().self_signed();
        let root = if number == roots / 2 { der.clone() } else { other().chain()[0].clone() };
        store.add(root).expect("a root");
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::new(provider));
    let verifier: Arc<dyn ClientCertVerifier> = builder.build().expect("a verifier");
    verifier.verify_client_cert(&der, &[], NOW).expect("its own root");
    bencher.bench_local(|| verifier.verify_client_cert(black_box(&der), &[], NOW));
}

/// A pinned version 1 certificate, which path validation refuses: how far from the hash is a decision?
mod rsa_2048_v1 {
    use super::*;
    use certmap::{Authority, Caller, PolicyHandle};
    use certmap_bench::SEND;

    #[divan::bench]
    fn a_sha256(bencher: Bencher<'_, '_>) {
        hash(bencher, &ERP_V1);
    }

    #[divan::bench(args = [SMALL, LARGE])]
    fn decide(bencher: Bencher<'_, '_>, mappings: usize) {
        super::decide(bencher, mappings, &ERP_V1);
    }

    /// Per request, on a connection that has been decided.
    #[divan::bench(args = [LARGE])]
    fn kept_connection(bencher: Bencher<'_, '_>, mappings: usize) {
        let policy = of_size(mappings);
        let caller = Caller::new(Arc::new(PolicyHandle::new(policy.clone())), evidence(policy, &ERP_V1));
        assert!(caller.admit(Authority::NotHttp, NOW).is_ok());
        bencher.bench_local(|| {
            black_box(&caller).admit(Authority::NotHttp, NOW).map(|principal| principal.require(&SEND).is_ok())
        });
    }
}

/// Another of 100,000 partners each time, so that no cache has its pin and its rule: what does the size cost then?
mod p256_v3_another_partner_each_time {
    use super::*;

    /// The odd partners are mapped by their certificates. A step without common divisor with their count visits each.
    static SEEN: LazyLock<Vec<certmap::Evidence>> = LazyLock::new(|| {
        let mapped = (LARGE - 3) / 2;
        let numbers = (0..mapped).map(|visit| visit * 12_347 % mapped * 2 + 1);
        let seen: Vec<_> = numbers.map(|number| evidence(&LARGE_POLICY, &PARTNERS.certificate(number))).collect();
        assert!(seen.iter().all(|seen| LARGE_POLICY.decide(seen, NOW).principal().is_some()));
        seen
    });

    #[divan::bench(sample_count = 1000, sample_size = 40)]
    fn a_sha256(bencher: Bencher<'_, '_>) {
        let mut seen = SEEN.iter().cycle();
        bencher.bench_local(|| seen.next().map(|seen| Sha256::digest(&seen.chain()[0])));
    }

    #[divan::bench(args = [LARGE], sample_count = 1000, sample_size = 40)]
    fn decide(bencher: Bencher<'_, '_>, mappings: usize) {
        let (policy, mut seen) = (of_size(mappings), SEEN.iter().cycle());
        bencher.bench_local(|| seen.next().map(|seen| policy.decide(seen, NOW)));
    }
}

/// A certificate that is not pinned, which anybody can send: what does the refusal cost, with all that it explains?
mod p256_v3_not_pinned {
    use super::*;

    static STRANGER: LazyLock<Certificate> = LazyLock::new(|| partner_v3(NewKey::EcP256).certificate().clone());

    #[divan::bench]
    fn a_sha256(bencher: Bencher<'_, '_>) {
        hash(bencher, &STRANGER);
    }

    #[divan::bench(args = [SMALL, LARGE])]
    fn refuse(bencher: Bencher<'_, '_>, mappings: usize) {
        let policy = of_size(mappings);
        let seen = evidence(policy, &STRANGER);
        assert!(policy.decide(&seen, NOW).refusal().is_some());
        bencher.bench_local(|| policy.decide(black_box(&seen), NOW));
    }
}

/// A client below an intermediate: what does it cost to find its path, and what if it comes back? Among so many anchors.
mod p256_below_an_anchor {
    use super::*;
    use certmap::testing::TestIdentity;
    use certmap::{CertUserMapping, Evidence, Host, PolicyBuilder, Selector, TrustBundle};

    struct Client {
        root: TestIdentity,
        partner: TestIdentity,
    }

    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let root = TestCertificate::new("CN=root").as_ca().self_signed();
        let issuing = TestCertificate::new("CN=issuing").as_ca().issued_by(&root);
        let partner = TestCertificate::new("CN=measured").with_server_name("a.example").with_purpose(2);
        Client { partner: partner.issued_by(&issuing), root }
    });

    fn decide(bencher: Bencher<'_, '_>, anchors: usize, remembered: usize) {
        let Client { root, partner } = &*CLIENT;
        let mut bundle = TrustBundle::with_limit("partners".parse().expect("a label"), anchors);
        let anchor = bundle.add_anchor(root.certificate().clone()).expect("an anchor");
        for number in 1..anchors {
            let other = TestCertificate::new(&format!("CN=root-{number}")).as_ca().self_signed();
            bundle.add_anchor(other.certificate().clone()).expect("an anchor");
        }
        let selector: Selector = format!("under {anchor} dns \"a.example\"").parse().expect("a selector");
        let host = Host::new("gw".parse().expect("a label"), bundle);
        let builder = PolicyBuilder::for_host(host.clone()).remembered_paths(remembered);
        let policy = builder.mapping(CertUserMapping::new(selector, "u".parse().expect("a user"))).build();
        let policy = policy.expect("a policy without contradiction");
        let seen = Evidence::after_handshake(host.id().clone(), partner.chain_without_root());
        assert!(policy.decide(&seen, NOW).principal().is_some());
        bencher.bench_local(|| policy.decide(black_box(&seen), NOW));
    }

    #[divan::bench]
    fn a_sha256_of_the_chain(bencher: Bencher<'_, '_>) {
        let chain = CLIENT.partner.chain_without_root();
        bencher.bench_local(|| black_box(chain).iter().fold(Sha256::new(), Sha256::chain_update).finalize());
    }

    #[divan::bench(args = [1, SMALL])]
    fn who_comes_back(bencher: Bencher<'_, '_>, anchors: usize) {
        decide(bencher, anchors, 4096);
    }

    #[divan::bench(args = [1, SMALL])]
    fn who_comes_for_the_first_time(bencher: Bencher<'_, '_>, anchors: usize) {
        decide(bencher, anchors, 0);
    }

    #[divan::bench]
    fn webpki_aws_lc_rs(bencher: Bencher<'_, '_>) {
        let chain = CLIENT.partner.chain_without_root().to_vec();
        let mut store = RootCertStore::empty();
        store.add(CLIENT.root.certificate().der().clone()).expect("a root");
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::new(aws_lc_rs::default_provider()));
        let verifier: Arc<dyn ClientCertVerifier> = builder.build().expect("a verifier");
        let [own, above @ ..] = &chain[..] else { return };
        verifier.verify_client_cert(own, above, NOW).expect("a valid chain");
        bencher.bench_local(|| verifier.verify_client_cert(black_box(own), above, NOW));
    }
}

/// A pinned version 3 certificate: how far from path validation with the same certificate as a root is a decision?
macro_rules! next_to_path_validation {
    ($name:ident, $certificate:ident) => {
        mod $name {
            use super::*;

            #[divan::bench]
            fn a_sha256(bencher: Bencher<'_, '_>) {
                hash(bencher, &$certificate);
            }

            #[divan::bench(args = [SMALL, LARGE])]
            fn decide(bencher: Bencher<'_, '_>, mappings: usize) {
                super::decide(bencher, mappings, &$certificate);
            }

            #[divan::bench(args = [1, SMALL])]
            fn webpki_aws_lc_rs(bencher: Bencher<'_, '_>, roots: usize) {
                webpki(bencher, roots, &$certificate, aws_lc_rs::default_provider());
            }

            #[divan::bench(args = [1, SMALL])]
            fn webpki_ring(bencher: Bencher<'_, '_>, roots: usize) {
                webpki(bencher, roots, &$certificate, ring::default_provider());
            }
        }
    };
}

next_to_path_validation!(p256_v3, P256_V3);
next_to_path_validation!(rsa_2048_v3, RSA_V3);
