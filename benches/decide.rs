//! What a decision costs, next to the hash that it cannot do without and to path validation, which it replaces.
//!
//! Contenders of one table run in turns, a fraction of a millisecond each, so that whatever the machine does meanwhile
//! happens to all of them. A ratio is the median over all rounds of a contender's time divided by that of the first
//! contender in the same round.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use certmap::identity::NewKey;
use certmap::rustls::RootCertStore;
use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use certmap::rustls::pki_types::CertificateDer;
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::rustls::server::danger::ClientCertVerifier;
use certmap::testing::{NOW, TestCertificate};
use certmap::{Authority, Caller, Certificate, Policy, PolicyHandle};
use certmap_bench::{Partners, SEND, erp_v1, evidence, partner_v3};
use sha2::{Digest as _, Sha256};

const SMALL: usize = 150;
const LARGE: usize = 100_000;

/// Odd, so that a median is one of the values.
const ROUNDS: usize = 801;
const TURN: Duration = Duration::from_micros(250);

fn main() {
    let partners = Partners::new();
    let erp = erp_v1();
    let rsa = partner_v3(NewKey::Rsa2048).certificate().clone();
    let p256 = partner_v3(NewKey::EcP256).certificate().clone();
    let measured = [erp.clone(), rsa.clone(), p256.clone()];
    let [small, large] = [SMALL, LARGE].map(|size| Arc::new(partners.policy(size, &measured)));

    version_1(&small, &large, &erp);
    any_partner(&partners, &large);
    stranger(&large);
    path_validation("RSA-2048, version 3", &small, &large, &rsa);
    path_validation("P-256, version 3", &small, &large, &p256);
}

/// A pinned version 1 certificate, which path validation refuses: how far from the hash is a decision?
fn version_1(small: &Arc<Policy>, large: &Arc<Policy>, certificate: &Certificate) {
    let seen = evidence(small, certificate);
    let caller = Caller::new(Arc::new(PolicyHandle::new(large.clone())), seen.clone());
    assert!(small.decide(&seen, NOW).principal().is_some() && large.decide(&seen, NOW).principal().is_some());
    assert!(caller.admit(Authority::NotHttp, NOW).is_ok());
    compare(
        &format!("RSA-2048, version 1, {} bytes", certificate.der().len()),
        vec![
            contender("sha256", || Sha256::digest(black_box(certificate.der()))),
            contender("decide_150", || small.decide(black_box(&seen), NOW)),
            contender("decide_100k", || large.decide(black_box(&seen), NOW)),
            contender("admit_and_require_100k_kept_connection", || {
                black_box(&caller).admit(Authority::NotHttp, NOW).map(|principal| principal.require(&SEND))
            }),
        ],
    );
}

/// Another of 100,000 partners each time, so that no cache has its pin and its rule: what does the size cost then?
fn any_partner(partners: &Partners, large: &Policy) {
    // The odd partners are mapped by their certificates. A step without common divisor with their count visits each.
    let mapped = (LARGE - 3) / 2;
    let numbers = (0..mapped).map(|visit| visit * 12_347 % mapped * 2 + 1);
    let certificates: Vec<_> = numbers.map(|number| partners.certificate(number)).collect();
    let seen: Vec<_> = certificates.iter().map(|certificate| evidence(large, certificate)).collect();
    assert!(seen.iter().all(|seen| large.decide(seen, NOW).principal().is_some()));
    let (mut hashed, mut decided) = (seen.iter().cycle(), seen.iter().cycle());
    compare(
        &format!("P-256, version 3, {} bytes, another one each time", certificates[0].der().len()),
        vec![
            contender("sha256", move || hashed.next().map(|seen| Sha256::digest(&seen.chain()[0]))),
            contender("decide_100k_any_partner", move || decided.next().map(|seen| large.decide(seen, NOW))),
        ],
    );
}

/// A certificate that is not pinned, which anybody can send: what does the refusal cost, with all that it explains?
fn stranger(large: &Policy) {
    let stranger = TestCertificate::new("CN=stranger").with_ca_false().with_purpose(2).self_signed();
    let seen = evidence(large, stranger.certificate());
    assert!(large.decide(&seen, NOW).refusal().is_some());
    compare(
        &format!("P-256, version 3, {} bytes, not pinned", stranger.certificate().der().len()),
        vec![
            contender("sha256", || Sha256::digest(black_box(stranger.certificate().der()))),
            contender("refuse_100k", || large.decide(black_box(&seen), NOW)),
        ],
    );
}

/// A pinned version 3 certificate: how far from path validation with the same certificate as a root is a decision?
fn path_validation(what: &str, small: &Policy, large: &Policy, certificate: &Certificate) {
    let seen = evidence(small, certificate);
    let der = CertificateDer::from(certificate.der().to_vec());
    assert!(small.decide(&seen, NOW).principal().is_some() && large.decide(&seen, NOW).principal().is_some());
    let [one_aws, all_aws] = [1, SMALL].map(|roots| verifier(roots, &der, aws_lc_rs::default_provider()));
    let [one_ring, all_ring] = [1, SMALL].map(|roots| verifier(roots, &der, ring::default_provider()));
    let webpki = |name, verifier: Arc<dyn ClientCertVerifier>| {
        verifier.verify_client_cert(&der, &[], NOW).expect("its own root");
        let der = &der;
        contender(name, move || verifier.verify_client_cert(black_box(der), &[], NOW))
    };
    compare(
        &format!("{what}, {} bytes", certificate.der().len()),
        vec![
            contender("sha256", || Sha256::digest(black_box(certificate.der()))),
            contender("decide_150", || small.decide(black_box(&seen), NOW)),
            contender("decide_100k", || large.decide(black_box(&seen), NOW)),
            webpki("webpki_1_root_aws_lc_rs", one_aws),
            webpki("webpki_150_roots_aws_lc_rs", all_aws),
            webpki("webpki_1_root_ring", one_ring),
            webpki("webpki_150_roots_ring", all_ring),
        ],
    );
}

/// rustls' own verifier with this many roots, `certificate` in the middle of them.
fn verifier(roots: usize, certificate: &CertificateDer<'_>, provider: CryptoProvider) -> Arc<dyn ClientCertVerifier> {
    let mut store = RootCertStore::empty();
    for number in 0..roots {
        let other = || TestCertificate::new(&format!("CN=root-{number}")).with_ca_true().self_signed();
        let root = if number == roots / 2 { certificate.clone().into_owned() } else { other().chain()[0].clone() };
        store.add(root).expect("a root");
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::new(provider));
    builder.build().expect("a verifier")
}

struct Contender<'a> {
    name: &'static str,
    /// Makes so many calls.
    run: Box<dyn FnMut(u32) + 'a>,
}

/// What `call` returns is dropped within the measured time.
fn contender<'a, T>(name: &'static str, mut call: impl FnMut() -> T + 'a) -> Contender<'a> {
    let run = Box::new(move |calls| (0..calls).for_each(|_| drop(black_box(call()))));
    Contender { name, run }
}

fn compare(title: &str, mut contenders: Vec<Contender<'_>>) {
    let calls: Vec<u32> = contenders.iter_mut().map(calls_per_turn).collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..ROUNDS {
        // Begins with another one each round: nobody always runs after the same neighbour finished.
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            times[at].push(nanoseconds(&mut contenders[at], calls[at]));
        }
    }

    let mut table = format!(
        "\n{title}\n\n| {:<38} | {:>9} | {:>7} | {:>16} | {:>5} | {:>7} |\n|{:-<40}|{}|{}|{}|{}|{}|\n",
        "",
        "ns/call",
        "ratio",
        "p10 to p90",
        "alloc",
        "bytes",
        "",
        "----------:",
        "--------:",
        "-----------------:",
        "------:",
        "--------:"
    );
    for (contender, time) in contenders.iter_mut().zip(&times) {
        let mut ratios: Vec<f64> = time.iter().zip(&times[0]).map(|(time, base)| time / base).collect();
        let [ratio, low, high] = [50, 10, 90].map(|percent| percentile(&mut ratios, percent));
        let median = percentile(&mut time.clone(), 50);
        let heap = allocation_counter::measure(|| (contender.run)(1));
        writeln!(
            table,
            "| {:<38} | {median:>9.0} | {ratio:>6.2}x | {low:>6.2} to {high:>6.2} | {:>5} | {:>7} |",
            contender.name, heap.count_total, heap.bytes_total
        )
        .expect("writing to a string does not fail");
    }
    print!("{table}");
}

/// As many as fill one turn, after a tenth of a second to warm up.
fn calls_per_turn(contender: &mut Contender<'_>) -> u32 {
    let (start, mut calls) = (Instant::now(), 0u32);
    while start.elapsed() < Duration::from_millis(100) {
        (contender.run)(1);
        calls += 1;
    }
    let per_call = start.elapsed() / calls;
    u32::try_from(TURN.as_nanos() / per_call.as_nanos().max(1)).unwrap_or(u32::MAX).max(1)
}

fn nanoseconds(contender: &mut Contender<'_>, calls: u32) -> f64 {
    let start = Instant::now();
    (contender.run)(calls);
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}
