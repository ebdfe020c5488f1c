//! What went wrong in gateways, brokers and servers that know clients by certificate, as far as it is about trust; and
//! clocks. One test for each row of `corpus.md`.

use std::sync::Arc;
use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::{HandshakeKind, ServerConfig};
use certmap::testing::{NOW, TestCertificate, TestClock, TestCrl, TestIdentity, TestRevocationList, handshake};
use certmap::{Policy, Refusal, RefusalCode, TrustBundle};

use crate::anchors::{builder, bundle, client, decide_at, hierarchy};
use crate::common::{Backend, Gateway, SERVER, Version};
use crate::naive::{Attack, Naive, pins};
use crate::parts::Parts;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn cve_2026_67231_an_allow_list_of_issuer_and_serial_number() {
    let (root, issuing) = hierarchy();
    let genuine = client("CN=partner").with_key_identifier(&[1; 20]).issued_by(&issuing);
    let forger = TestCertificate::new("CN=issuing").as_ca().self_signed();
    let mut rng = fastrand::Rng::with_seed(67_231);
    for trust in [pins(&[&genuine]), bundle(&[&root])] {
        Attack::on(&trust, genuine.chain_without_root()).admitted();
        for _ in 0..50 {
            // Some fields or all of them from the genuine certificate, the key never.
            let (mut made, from) =
                (Parts::of(&client("CN=else").with_serial(&[7]).issued_by(&forger)), Parts::of(&genuine));
            let fields = rng.u8(..) | if rng.bool() { 0xff } else { 0 };
            let pairs = [
                (&mut made.serial, from.serial),
                (&mut made.issuer, from.issuer),
                (&mut made.validity, from.validity),
                (&mut made.subject, from.subject),
                (&mut made.extensions, from.extensions),
            ];
            for (bit, (field, genuine)) in pairs.into_iter().enumerate() {
                if fields >> bit & 1 == 1 {
                    *field = genuine;
                }
            }
            let chain = [&made.signed_by(&forger), &issuing.chain()[0].to_vec()].map(Vec::clone);
            let attack = Attack::on(&trust, &chain);
            assert!(attack.decision().principal().is_none(), "{fields:05b}");
            attack.naively_refused();
        }
    }
}

#[test]
fn cve_2026_32253_no_error_of_path_validation_is_an_admission() {
    // Every bit of a valid chain, flipped one after the other: whatever error that is, nobody is admitted by another
    // certificate than the one that was issued.
    let (root, issuing) = hierarchy();
    let partner = client("CN=partner").issued_by(&issuing);
    let policy = builder(bundle(&[&root]), &[&partner]).build().unwrap();
    let chain = partner.chain_without_root();
    assert!(decide_at(&policy, chain, NOW).principal().is_some());
    for place in 0..chain.len() {
        for at in (0..chain[place].len()).step_by(3) {
            let mut damaged: Vec<Vec<u8>> = chain.iter().map(|der| der.to_vec()).collect();
            damaged[place][at] ^= 1 << (at % 8);
            let decision = decide_at(&policy, &damaged, NOW);
            assert!(decision.principal().is_none(), "{place} {at}");
        }
    }
}

#[test]
fn openbao_the_serial_number_of_another_issuer() {
    let (root, issuing) = hierarchy();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&issuing);
    let (of_root, list) = (TestRevocationList::new().signed_by(&root), TestRevocationList::new());
    let lists = |third: &TestCrl, by: &TestRevocationList| {
        let own = by.clone().signed_by(&issuing);
        Attack::on(&bundle(&[&root, &other]), partner.chain_without_root()).with_lists(&[third, &own, &of_root])
    };
    let revoking = list.clone().revoking(&[9]);
    lists(&revoking.signed_by(&other), &list).admitted().naively("partner");
    lists(&list.signed_by(&other), &revoking).refused(RefusalCode::CertificateRevoked).naively_refused();
}

/// What changed between a handshake and the next one that resumes its session.
enum Since {
    Expired,
    OtherTrust,
    Revoked,
}

/// A call that makes a session, and one that comes back with it.
fn twice(
    gateway: &Gateway,
    caller: &TestIdentity,
    first: ServerConfig,
    second: ServerConfig,
    version: Version,
) -> Outcome {
    let client = Arc::new(gateway.client(caller.identity(), Backend::AwsLcRs, version));
    let before = handshake(Arc::clone(&client), Arc::new(first), SERVER);
    assert_eq!((&before.client_error, &before.server_error), (&None, &None));
    let after = handshake(client, Arc::new(second), SERVER);
    Outcome { kind: after.server.handshake_kind(), naive: Naive::user_of(&after.server), after }
}

struct Outcome {
    kind: Option<HandshakeKind>,
    naive: Option<String>,
    after: certmap::testing::Handshake,
}

#[test]
fn cve_2025_68121_a_session_outlives_the_trust_that_it_was_made_under() {
    let (ca, other) = (TestCertificate::new("CN=ca").as_ca().self_signed(), hierarchy().0);
    let partner = client("CN=partner").with_validity(1, NOW.as_secs() + 10).issued_by(&ca);
    let revoking = TestRevocationList::new().revoking(&[9]).signed_by(&ca);
    for version in [Version::Tls12, Version::Tls13] {
        for since in [Since::Expired, Since::OtherTrust, Since::Revoked] {
            let (trust, lists, now): (TrustBundle, &[TestCrl], u64) = match since {
                Since::Expired => (bundle(&[&ca]), &[], NOW.as_secs() + 11),
                Since::OtherTrust => (bundle(&[&other]), &[], NOW.as_secs()),
                Since::Revoked => (bundle(&[&ca]), std::slice::from_ref(&revoking), NOW.as_secs()),
            };
            let policy = |attack: Attack| -> Policy { attack.policy().unwrap() };
            let gateway = Gateway::new(policy(Attack::on(&bundle(&[&ca]), partner.chain())), Backend::AwsLcRs);

            let before = Naive::new(&bundle(&[&ca]), &[]).unwrap().server(&gateway.certificate);
            let after = Naive::new(&trust, lists).unwrap();
            assert!(after.user(partner.chain(), at(now)).is_err(), "a full handshake would be refused");
            let mut after = after.server(&gateway.certificate);
            after.session_storage = Arc::clone(&before.session_storage);
            after.time_provider = TestClock::at(at(now));
            let naive = twice(&gateway, &partner, before, after, version);
            assert_eq!((naive.kind, naive.naive.as_deref()), (Some(HandshakeKind::Resumed), Some("partner")));

            let configured = gateway.endpoint.only().unwrap().config();
            let (first, mut second) = ((*configured).clone(), (*configured).clone());
            second.time_provider = TestClock::at(at(now));
            let next = policy(Attack::on(&trust, partner.chain()).with_lists(&lists.iter().collect::<Vec<_>>()));
            let client = Arc::new(gateway.client(partner.identity(), Backend::AwsLcRs, version));
            let ends = handshake(Arc::clone(&client), Arc::new(first), SERVER);
            assert_eq!(gateway.refusal(&ends), None);
            // The open connection, and the next one.
            let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
            gateway.policy.replace(next);
            assert!(caller.decide(at(now)).principal().is_none());
            let ends = handshake(client, Arc::new(second), SERVER);
            assert_ne!(ends.server.handshake_kind(), Some(HandshakeKind::Resumed));
            assert!(ends.server_error.is_some() && gateway.endpoint.only().unwrap().caller(&ends.server).is_err());
        }
    }
}

#[test]
fn cve_2025_23419_a_session_of_another_host() {
    let [ca, other] = ["CN=ca", "CN=other"].map(|name| TestCertificate::new(name).as_ca().self_signed());
    let partner = client("CN=partner").issued_by(&ca);
    for version in [Version::Tls12, Version::Tls13] {
        let gateway = Gateway::new(Attack::on(&bundle(&[&ca]), partner.chain()).policy().unwrap(), Backend::AwsLcRs);
        let [one, mut two] =
            [&ca, &other].map(|ca| Naive::new(&bundle(&[ca]), &[]).unwrap().server(&gateway.certificate));
        two.session_storage = Arc::clone(&one.session_storage);
        let naive = twice(&gateway, &partner, one, two, version);
        assert_eq!((naive.kind, naive.naive.as_deref()), (Some(HandshakeKind::Resumed), Some("partner")));

        let strict = Gateway::new(Attack::on(&bundle(&[&other]), partner.chain()).policy().unwrap(), Backend::AwsLcRs);
        let (one, mut two) =
            ((*gateway.endpoint.only().unwrap().config()).clone(), (*strict.endpoint.only().unwrap().config()).clone());
        two.session_storage = Arc::clone(&one.session_storage);
        two.cert_resolver = Arc::clone(&one.cert_resolver);
        let ours = twice(&gateway, &partner, one, two, version);
        assert_eq!(strict.refusal(&ours.after).as_deref(), Some("untrusted"));
    }
}

#[test]
fn ck_01_the_first_and_the_last_second_of_everything_on_a_path() {
    let (now, day) = (NOW.as_secs(), 86_400);
    let code = |ca: (u64, u64), own: (u64, u64)| {
        let root = TestCertificate::new("CN=root").as_ca().with_validity(1, now + day).self_signed();
        let issuing = TestCertificate::new("CN=issuing").as_ca().with_validity(ca.0, ca.1).issued_by(&root);
        let partner = client("CN=partner").with_validity(own.0, own.1).issued_by(&issuing);
        let attack = Attack::on(&bundle(&[&root]), partner.chain_without_root());
        assert_eq!(attack.decision().principal().is_some(), attack.naive().is_ok(), "{ca:?} {own:?}");
        attack.decision().refusal().map(Refusal::code)
    };
    let (always, late) = ((1, now + day), Some(RefusalCode::CertificateExpired));
    let early = Some(RefusalCode::CertificateNotYetValid);
    let rows = [
        ((now, now), None),
        ((now - day, now), None),
        ((now, now + day), None),
        ((now + 1, now + day), early),
        ((now + 60, now + day), early),
        ((now - day, now - 1), late),
        // The years in which the encoding changes, and the last one.
        ((1, 2_524_607_999), None),
        ((1, 2_524_608_000), None),
        ((1, 253_402_300_799), None),
    ];
    for (validity, expected) in rows {
        assert_eq!(code(always, validity), expected, "{validity:?}");
        assert_eq!(code(validity, always), expected, "{validity:?}");
    }
    // A time beyond every calendar is late, and the beginning of time is early.
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let attack = |seconds| Attack::on(&bundle(&[&root]), client("CN=partner").issued_by(&root).chain()).at(seconds);
    attack(u64::MAX).refused(RefusalCode::CertificateExpired).naively_refused();
    attack(0).refused(RefusalCode::CertificateNotYetValid).naively_refused();
}
