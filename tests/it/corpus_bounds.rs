//! What large, deep and endless input did to others (DS): each attack meets a bound here, and beside it stands what has
//! none. Nothing is timed; what is counted are steps, octets and characters. The list is `corpus.md`.

use std::io::{Cursor, Read, Write};
use std::panic::catch_unwind;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use certmap::rustls::server::Acceptor;
use certmap::rustls::sign::CertifiedKey;
use certmap::rustls::{InvalidMessage, ServerConnection};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity, TestName, handshake};
use certmap::trust::{Entry, PathFailure, TrustError};
use certmap::{Certificate, ClientConfigBuilder, Endpoint, PolicyHandle, Refusal, RefusalCode, TrustBundle};

use crate::anchors::{builder, bundle, client, decide_at, hierarchy};
use crate::common::{Gateway, SERVER, data, everywhere};
use crate::corpus_clients::presenting;
use crate::fleets::{of, policy, rule, who};
use crate::naive::{Attack, Naive, common_name, pins};
use crate::parts::{Parts, algorithm, extension, sequence, tlv};

fn made(name: &str) -> TestCertificate {
    TestCertificate::new(name)
}

/// How many certificates a search for paths looks at that tries every order and has no budget, as webpki did before
/// RUSTSEC-2023-0053. It gives up at a million.
fn steps_without_budget(own: &Certificate, others: &[Certificate], used: &mut [bool], steps: &mut usize) {
    for (at, ca) in others.iter().enumerate() {
        if !used[at] && ca.subject() == own.issuer() && *steps < 1_000_000 {
            *steps += 1;
            used[at] = true;
            steps_without_budget(ca, others, used, steps);
            used[at] = false;
        }
    }
}

#[test]
fn ds_01_ds_07_cas_of_one_name_that_all_may_have_issued_each_other() {
    let ring: Vec<_> = (0..7).map(|_| made("CN=ring").as_ca().self_signed()).collect();
    let anchors: Vec<_> = (0..4).map(|_| made("CN=ring").as_ca().self_signed()).collect();
    let partner = client("CN=p").issued_by(&ring[0]);
    let presented: Vec<_> = std::iter::once(&partner).chain(&ring).map(|one| one.chain()[0].clone()).collect();
    let trust = bundle(&anchors.iter().collect::<Vec<_>>());
    let attack = Attack::on(&trust, &presented);
    attack.refused(RefusalCode::PathInvalid);
    let decision = attack.decision();
    let failure = decision.refusal().and_then(Refusal::path_failure);
    // By our own count, not by that of the library underneath, which is larger.
    let Some(PathFailure::TooMuchWork { reason }) = failure else { panic!("{failure:?}") };
    assert_eq!(*reason, "more signatures than a decision verifies");
    // At most 64 certificates are looked at for that; without a budget thousands are, and each is a signature.
    let certificates: Vec<_> = ring.iter().map(|ca| ca.certificate().clone()).collect();
    let mut steps = 0;
    steps_without_budget(partner.certificate(), &certificates, &mut [false; 7], &mut steps);
    assert!(steps > 64 * 100, "{steps}");
}

/// What a peer with so many names gets to read, and what is written about it; and the longest line of what programs write
/// that list the names (CVE-2025-61729).
fn told(root: &TestIdentity, count: usize) -> (usize, usize) {
    let names: Vec<_> = (0..count).map(|number| format!("{number:03}.{}.example", "a".repeat(30))).collect();
    let alternative: Vec<_> = names.iter().map(|name| TestName::Dns(name)).collect();
    let partner = client("O=p").with_alternative_names(&alternative).issued_by(root);
    let policy = policy(bundle(&[root]), [rule(root, "dns any \"api.example\"", "\"api\"")]);
    let decision = decide_at(&policy, partner.chain_without_root(), NOW);
    let refusal = decision.refusal().unwrap();
    assert_eq!(refusal.code(), RefusalCode::NotMapped);
    let ours = refusal.to_string().len().max(refusal.detail().len()).max(refusal.cure().len());
    (ours, format!("certificate is valid for {}, not api.example", names.join(", ")).len())
}

#[test]
fn ds_02_a_certificate_with_very_many_names() {
    let root = made("CN=root").as_ca().self_signed();
    let ((ours, naive), (ours_of_twice, naive_of_twice)) = (told(&root, 128), told(&root, 256));
    assert!(ours <= 1024 && ours_of_twice <= 1024, "{ours} {ours_of_twice}");
    assert!(naive > 4096 && naive_of_twice > 2 * naive - 100);
    // Beyond that, it is not read: neither with one name more, nor with one octet more than 16 KiB.
    let names = tlv(0x30, &tlv(0x82, b"a.example").repeat(257));
    for (extra, code) in [
        (extension(17, false, &names), RefusalCode::Untrusted),
        (extension(99, false, &[0; 16 * 1024]), RefusalCode::CertificateTooLarge),
    ] {
        let mut parts = Parts::of(&client("CN=p").issued_by(&root));
        parts.extend(&extra);
        let attack = Attack::on(&bundle(&[&root]), &[parts.signed_by(&root)]);
        attack.refused(code).naively("p");
        assert!(attack.decision().refusal().unwrap().detail().len() <= 1024);
    }
}

#[test]
fn ds_03_a_key_of_65536_bits() {
    let root = made("CN=root").as_ca().self_signed();
    for bits in [8_200, 65_536] {
        // An odd number whose highest bit is one.
        let modulus = [&[0][..], &vec![0xff; bits / 8]].concat();
        let key = sequence(&[&tlv(2, &modulus), &tlv(2, &[1, 0, 1])]);
        let rsa = algorithm([6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]);
        let mut parts = Parts::of(&client("CN=partner").issued_by(&root));
        parts.public_key = sequence(&[&rsa, &tlv(3, &[&[0], &key[..]].concat())]);
        let forged = parts.signed_by(&root);
        // Said before anything is computed with it: as a pin, as an anchor, below an anchor.
        let certificate = Certificate::from_der(&forged).unwrap();
        assert!(matches!(Entry::pin(certificate.clone()), Err(TrustError::UnfitKey { .. })), "{bits}");
        assert!(Entry::anchor(certificate).is_err());
        Attack::on(&bundle(&[&root]), &[&forged]).refused(RefusalCode::PathInvalid).naively("partner");
    }
}

/// A wildcard is recognised by its first octet; an empty name has none (CVE-2026-27138).
fn is_wildcard(name: &str) -> bool {
    name.as_bytes()[0] == b'*'
}

#[test]
fn ds_04_an_empty_name_and_keys_of_kinds_that_nobody_knows() {
    let (root, issuing) = hierarchy();
    let policy = policy(bundle(&[&root]), [rule(&root, "dns \"api.example\"", "\"api\"")]);
    for name in [TestName::Dns(""), TestName::Email(""), TestName::Uri(""), TestName::Raw(0x87, b"")] {
        let partner = client("CN=p").with_alternative_names(&[name, TestName::Dns("api.example")]).issued_by(&issuing);
        // A second name of the kind that is asked for is one too many; others are no matter. Nothing panics.
        let user = who(&policy, &partner);
        assert!(user == of("api") || user.is_err(), "{name:?}");
        assert!(user.is_err() || !matches!(name, TestName::Dns(_)), "{name:?}");
    }
    assert!(catch_unwind(|| is_wildcard("")).is_err());
    for file in ["dsa.pem", "secp256k1.pem", "ec-explicit-parameters.pem"] {
        let pem = String::from_utf8(data(file)).unwrap();
        let begin = pem.find("-----BEGIN CERTIFICATE").unwrap();
        let odd = Certificate::from_pem(&pem.as_bytes()[begin..]).unwrap();
        assert!(matches!(Entry::pin(odd.clone()), Err(TrustError::UnfitKey { .. })), "{file}");
        assert!(decide_at(&policy, &[odd.der()], NOW).refusal().is_some());
    }
}

/// True if this came to an end. A minute is for a machine that is very busy: what hangs here hangs for ever.
fn ends(run: impl FnOnce() + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    ended.recv_timeout(Duration::from_secs(60)).is_ok()
}

#[test]
fn ds_05_a_connection_that_is_closed_in_the_middle_of_a_handshake() {
    for (backend, version) in everywhere() {
        let partner = made("CN=partner").self_signed();
        let gateway = Gateway::new(crate::common::one_partner(&partner), backend);
        let client = gateway.client(partner.identity_on(&backend.provider()), backend, version);
        let mut client = certmap::rustls::ClientConnection::new(Arc::new(client), SERVER.try_into().unwrap()).unwrap();
        let hello = crate::hosting::written_by(&mut client);
        let selected = gateway.endpoint.only().unwrap();
        // close_notify (RFC 8446, section 6.1) before, after and instead of the first message.
        let close = [21, 3, 3, 0, 2, 1, 0];
        for bytes in [close.to_vec(), [&hello[..], &close].concat(), [&hello[..40], &close].concat()] {
            let mut server = ServerConnection::new(selected.config()).unwrap();
            let ended = ends(move || {
                let mut stream = Both { from: Cursor::new(bytes), to: Vec::new() };
                // Once more after the end: nothing may wait for what cannot come.
                let _ = server.complete_io(&mut stream);
                let _ = server.complete_io(&mut stream);
                assert!(server.is_handshaking());
            });
            assert!(ended, "{backend:?} {version:?}");
        }
    }
}

/// What is read, and then nothing more; what is written.
struct Both {
    from: Cursor<Vec<u8>>,
    to: Vec<u8>,
}

impl Read for Both {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.from.read(into)
    }
}

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn ds_06_a_chain_of_two_hundred_certificates() {
    let root = made("CN=root").as_ca().self_signed();
    // Some 400 octets: 150 times that fits into 64 KiB, and 200 times does not.
    let partner = client("CN=partner").with_extension("1.2.3", false, &[0; 40]).issued_by(&root);
    let trust = bundle(&[&root]);
    let chain = |length| vec![partner.chain()[0].clone(); length];
    for length in [9, 60, 150, 200] {
        Attack::on(&trust, &chain(length)).refused(RefusalCode::ChainTooLong).naively("partner");
    }
    Attack::on(&trust, &chain(8)).admitted();
    // Sent, and not handed over: where rustls stops reading, both builds do.
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(builder(trust.clone(), &[&partner]).build().unwrap(), backend);
        let naive = Arc::new(Naive::new(&trust, &[]).unwrap().server(&gateway.certificate));
        let client = |length| {
            let key = backend.provider().key_provider.load_private_key(partner.key()).unwrap();
            presenting(Some(CertifiedKey::new(chain(length), key)), false, backend, version)
        };
        for length in [9, 60, 150] {
            let ends = gateway.call(client(length));
            assert_eq!(gateway.refusal(&ends).as_deref(), Some("chain-too-long"), "{backend:?} {version:?} {length}");
            let ends = handshake(Arc::new(client(length)), Arc::clone(&naive), SERVER);
            assert_eq!((&ends.server_error, Naive::user_of(&ends.server).as_deref()), (&None, Some("partner")));
        }
        let too_large = Some(certmap::rustls::Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge));
        assert_eq!(gateway.call(client(200)).server_error, too_large, "{backend:?} {version:?}");
        assert_eq!(handshake(Arc::new(client(200)), naive, SERVER).server_error, too_large);
    }
}

/// A first message that claims to have 16 MiB, and has them, record by record.
fn endless() -> impl Iterator<Item = Vec<u8>> {
    (0..1025).map(|number| {
        let head: &[u8] = if number == 0 { &[1, 0xff, 0xff, 0xff, 3, 3] } else { &[0; 6] };
        [&[22, 3, 1, 0x40, 0][..], head, &[0; 0x4000 - 6]].concat()
    })
}

/// What is held of a message before anybody has said who it is, by those who collect what it announces (CVE-2022-29189).
fn collected(records: impl Iterator<Item = Vec<u8>>) -> usize {
    let mut message = Vec::new();
    for record in records {
        message.extend_from_slice(&record[5..]);
        let announced = message[1..4].iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        if message.len() >= 4 + announced {
            break;
        }
    }
    message.len()
}

#[test]
fn ds_08_a_first_message_that_never_ends() {
    let mut acceptor = Acceptor::default();
    let mut taken = 0;
    let refused = endless().find_map(|record| {
        let mut rest = &record[..];
        while !rest.is_empty() && acceptor.read_tls(&mut rest).is_ok() {}
        taken += record.len() - rest.len();
        acceptor.accept().err().map(|(error, _)| error)
    });
    assert!(
        matches!(refused, Some(certmap::rustls::Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge))),
        "{refused:?}"
    );
    assert!(taken <= 128 * 1024, "{taken}");
    let held = collected(endless());
    assert!(held > 16_000_000, "{held}");
}

/// The code that the decision gives a certificate whose end is written so; `None` if it is admitted.
fn ending(pki: &(TestIdentity, TestIdentity), tag: u8, last: &str) -> Option<RefusalCode> {
    let (root, partner) = pki;
    let mut parts = Parts::of(partner);
    parts.validity = sequence(&[&tlv(0x17, b"700101000000Z"), &tlv(tag, last.as_bytes())]);
    let decision = Attack::on(&bundle(&[root]), &[parts.signed_by(root)]).decision();
    decision.refusal().map(Refusal::code)
}

/// The tags of the two types of dates.
const UTC: u8 = 0x17;
const GENERALIZED: u8 = 0x18;

#[test]
fn ds_10_dates_that_are_none() {
    let root = made("CN=root").as_ca().self_signed();
    let pki = (root.clone(), client("CN=partner").issued_by(&root));
    let (expired, unreadable) = (Some(RefusalCode::CertificateExpired), Some(RefusalCode::Untrusted));
    for (tag, last, expected) in [
        (UTC, "491231235959Z", None),
        (UTC, "700101000000Z", expired),
        // 1950, before it begins.
        (UTC, "500101000000Z", Some(RefusalCode::PathInvalid)),
        (UTC, "280229000000Z", None),
        (UTC, "270229000000Z", unreadable),
        (UTC, "271301000000Z", unreadable),
        (UTC, "270100000000Z", unreadable),
        (UTC, "270101240000Z", unreadable),
        (UTC, "270101000061Z", unreadable),
        (UTC, "270101000000", unreadable),
        (UTC, "", unreadable),
        (UTC, "2701010000\u{660}Z", unreadable),
        (GENERALIZED, "20500101000000Z", None),
        (GENERALIZED, "99991231235959Z", None),
        // Read, and refused by path validation.
        (GENERALIZED, "20500101000000.5Z", Some(RefusalCode::PathInvalid)),
        (GENERALIZED, "00000000000000Z", unreadable),
        (0x0c, "20500101000000Z", unreadable),
    ] {
        assert_eq!(ending(&pki, tag, last), expected, "{last}");
    }
}

#[test]
fn ds_11_a_client_certificate_that_brings_a_program_down() {
    let root = made("CN=root").as_ca().self_signed();
    // A common name that is no UTF-8: `as_str().unwrap()` stands in many handlers, behind the check of the path.
    for subject in ["CN=#1e0a00610064006d0069006e", "CN=#1c0400000061"] {
        let partner = client(subject).issued_by(&root);
        let attack = Attack::on(&bundle(&[&root]), partner.chain_without_root());
        assert_eq!(attack.naive(), Err("no common name".to_owned()), "the path is valid");
        let der = partner.chain()[0].clone();
        assert!(catch_unwind(|| common_name(&der).unwrap()).is_err());
        let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
        let decision = decide_at(&policy, partner.chain_without_root(), NOW);
        assert_eq!(decision.refusal().map(Refusal::code), Some(RefusalCode::NotMapped));
    }
    // Cut anywhere, and with any octet turned: an answer each time, and never an admission.
    let partner = client("CN=partner").issued_by(&root);
    let policy = builder(bundle(&[&root]), &[&partner]).build().unwrap();
    let der = partner.chain()[0].to_vec();
    for at in 0..der.len() {
        let mut turned = der.clone();
        turned[at] = !turned[at];
        for damaged in [&der[..at], &turned] {
            assert!(decide_at(&policy, &[damaged], NOW).refusal().is_some(), "{at}");
        }
    }
}

#[test]
fn ds_13_so_many_pins_that_their_names_do_not_fit_into_a_message() {
    // Ten names of 7,000 octets are more than the 65,535 that there is room for.
    let pin = |number: usize| made(&format!("O={},CN=pin {number}", "a".repeat(7_000))).self_signed();
    let crowd: Vec<_> = (0..10).map(pin).collect();
    let partner = made("CN=partner").self_signed();
    let trust = pins(&crowd.iter().chain([&partner]).collect::<Vec<_>>());
    let handle = Arc::new(PolicyHandle::new(builder(trust.clone(), &[&partner]).build().unwrap()));
    let server = made("CN=gateway").with_server_name(SERVER).self_signed();
    let endpoint = Endpoint::single(handle, server.identity()).unwrap().with_time_provider(TestClock::at(NOW));
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    servers.add_pin(server.certificate().clone()).unwrap();
    let config = ClientConfigBuilder::new(partner.identity(), servers).with_time_provider(TestClock::at(NOW));
    let config = Arc::new(config.build().unwrap());
    let ends = handshake(config, endpoint.only().unwrap().config(), SERVER);
    assert_eq!((ends.client_error, ends.server_error), (None, None));
    // The verifier of rustls hints everybody it trusts, and nothing bounds it: no client can read such a message.
    let hinted: usize = Naive::new(&trust, &[])
        .unwrap()
        .verifier()
        .root_hint_subjects()
        .iter()
        .map(|name| name.as_ref().len() + 2)
        .sum();
    assert!(hinted > 0xffff, "{hinted}");
}

#[test]
fn ds_14_a_name_that_fills_the_log() {
    let root = made("CN=root").as_ca().self_signed();
    let partner = client(&format!("CN={}", "a".repeat(12_000))).issued_by(&root);
    let policy = builder(bundle(&[&root]), &[]).build().unwrap();
    let decision = decide_at(&policy, partner.chain_without_root(), NOW);
    let line = decision.record().to_string();
    assert!(line.len() <= 4096, "{}", line.len());
    let read: certmap::AuditRecord = line.parse().unwrap();
    assert_eq!(read.elided("subject"), Some(12_003));
    let naive = format!("refused user={}", common_name(&partner.certificate().der()).unwrap());
    assert!(naive.len() > 12_000);
}
