//! What went wrong elsewhere with revocation, one test for each row of `corpus.md`.

use std::time::Duration;

use certmap::cert::{InvalidCertificate, InvalidRevocationList, RevocationList, SpkiFingerprint};
use certmap::policy::ClientAuth;
use certmap::rustls::pki_types::CertificateRevocationListDer;
use certmap::rustls::pki_types::pem::PemObject as _;
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestCrl, TestIdentity, TestRevocationList};
use certmap::trust::{Denial, Revocation};
use certmap::{CertUserMapping, Certificate, Host, PolicyBuilder, Refusal, RefusalCode, Selector, TrustBundle};

use crate::anchors::{bundle, client, decide_at};
use crate::common::{Backend, Gateway, everywhere, user};
use crate::naive::{Attack, Naive};
use crate::parts::{Parts, inside, other_signature, sequence, tlv, with_signature};

const HOUR: u64 = 3_600;

/// A CA and a client with serial number 9 that it issued.
struct Pki {
    ca: TestIdentity,
    partner: TestIdentity,
}

impl Pki {
    fn new() -> Self {
        let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
        Self { partner: client("CN=partner").issued_by(&ca), ca }
    }

    fn trust(&self) -> TrustBundle {
        bundle(&[&self.ca])
    }

    fn under(&self, lists: &[&TestCrl]) -> Attack {
        Attack::on(&self.trust(), self.partner.chain_without_root()).with_lists(lists)
    }
}

fn list() -> TestRevocationList {
    TestRevocationList::new()
}

/// Of these dates, in hours from now.
fn dated(from: i64, to: i64) -> TestRevocationList {
    let at = |hours: i64| NOW.as_secs().checked_add_signed(hours * 3_600).unwrap();
    list().with_dates(at(from), Some(at(to)))
}

#[track_caller]
fn unread(list: &TestCrl) -> InvalidRevocationList {
    RevocationList::from_der(list.der()).unwrap_err()
}

/// The naive build takes the lists, in this order, and then admits.
#[track_caller]
fn naively_admitted(pki: &Pki, lists: &[TestCrl]) {
    let naive = Naive::new(&pki.trust(), lists).unwrap();
    assert_eq!(naive.user(pki.partner.chain_without_root(), NOW).as_deref(), Ok("partner"));
}

#[test]
fn rv_01_a_certificate_with_two_distribution_points() {
    let ca = Pki::new().ca;
    let point = |url: &[u8]| sequence(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, url)))]);
    let points = sequence(&[&point(b"http://a.example/1"), &point(b"http://a.example/2")]);
    let partner = client("CN=partner").with_extension("2.5.29.31", false, &points).issued_by(&ca);
    let pki = Pki { ca, partner };
    pki.under(&[&list().signed_by(&pki.ca)]).admitted();
    let revoking = list().revoking(&[9]).signed_by(&pki.ca);
    pki.under(&[&revoking]).refused(RefusalCode::CertificateRevoked).naively_refused();
    // A list for one of the points is no list of this CA's certificates; there it is the answer for all of them.
    let name = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/1")));
    let first = list().with_extension("2.5.29.28", true, &sequence(&[&name])).signed_by(&pki.ca);
    assert_eq!(unread(&first), InvalidRevocationList::Partitioned);
    naively_admitted(&pki, &[first, revoking]);
}

#[test]
fn rv_03_an_empty_list_for_a_part_before_the_whole_one() {
    let ca = Pki::new().ca;
    let name = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/users")));
    let partner = client("CN=partner").with_extension("2.5.29.31", false, &sequence(&[&sequence(&[&name])]));
    let pki = Pki { partner: partner.issued_by(&ca), ca };
    let whole = list().revoking(&[9]).signed_by(&pki.ca);
    // onlyContainsUserCerts
    let scope = sequence(&[&name, &[0x81, 1, 0xff]]);
    let part = list().with_extension("2.5.29.28", true, &scope).signed_by(&pki.ca);
    assert_eq!(unread(&part), InvalidRevocationList::Partitioned);
    let naive = |lists: &[&TestCrl]| {
        let lists: Vec<_> = lists.iter().map(|list| (*list).clone()).collect();
        Naive::new(&pki.trust(), &lists).unwrap().user(pki.partner.chain_without_root(), NOW).is_ok()
    };
    assert_eq!([naive(&[&part, &whole]), naive(&[&whole, &part])], [true, false], "the order decides");
    pki.under(&[&whole]).refused(RefusalCode::CertificateRevoked);
}

#[test]
fn rv_04_an_older_list_before_the_newer() {
    let pki = Pki::new();
    let new = dated(-1, 100).with_number(&[5]).revoking(&[9]).signed_by(&pki.ca);
    for (name, other) in [
        ("older", dated(-48, 100).with_number(&[4])),
        ("older with a higher number", dated(-48, 100).with_number(&[6])),
        ("of the same number", dated(-1, 100).with_number(&[5])),
    ] {
        let other = other.signed_by(&pki.ca);
        pki.under(&[&new, &other]).refused(RefusalCode::CertificateRevoked).naively_refused();
        let attack = pki.under(&[&other, &new]);
        assert_eq!(attack.naive().as_deref(), Ok("partner"), "{name}");
        attack.refused(RefusalCode::CertificateRevoked);
    }
}

#[test]
fn rv_05_a_list_from_the_future() {
    let pki = Pki::new();
    let from = |seconds: u64| list().with_dates(NOW.as_secs() + seconds, Some(NOW.as_secs() + HOUR)).signed_by(&pki.ca);
    for skew in [0, 59, 300] {
        pki.under(&[&from(skew)]).admitted();
    }
    pki.under(&[&from(301)]).refused(RefusalCode::RevocationUnknown).naively("partner");
}

#[test]
fn rv_06_a_list_of_whoever_may_not_sign_one_or_without_number() {
    let ca = TestCertificate::new("CN=ca").with_ca_true().with_key_usage(&[KeyUsageBit::KeyCertSign]).self_signed();
    let pki = Pki { partner: client("CN=partner").issued_by(&ca), ca };
    let attack = pki.under(&[&list().signed_by(&pki.ca)]);
    assert_eq!(attack.policy().unwrap_err().problems()[0].code(), "revocation");
    attack.naively("partner");
    let pki = Pki::new();
    let key = [0x30, 3, 0x80, 1, 7];
    let without = list().without_number().with_extension("2.5.29.35", false, &key).signed_by(&pki.ca);
    assert_eq!(unread(&without), InvalidRevocationList::NoNumber);
    let critical = list().with_critical_number().signed_by(&pki.ca);
    assert_eq!(unread(&critical), InvalidRevocationList::CriticalNumber);
    naively_admitted(&pki, &[without]);
    naively_admitted(&pki, &[critical]);
}

#[test]
fn rv_07_one_list_of_a_file_that_cannot_be_read() {
    let pki = Pki::new();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let (good, revoking) = (list().signed_by(&other).pem(), list().revoking(&[9]).signed_by(&pki.ca).pem());
    let file = good + &revoking.replacen("MI", "AA", 1);
    let mut lists = Revocation::new();
    assert!(matches!(lists.add_pem(file.as_bytes()), Err(InvalidRevocationList::Section { ordinal: 2, .. })));
    assert_eq!(lists.lists().count(), 0, "all or nothing");
    // What was in force stays in force when a reload fails.
    let policy = pki.under(&[&list().revoking(&[9]).signed_by(&pki.ca)]).policy().unwrap();
    let mut forged = Revocation::new();
    forged.add_pem(list().signed_with_wrong_key(&pki.ca, &other).pem().as_bytes()).unwrap();
    assert!(policy.with_revocation(&forged).is_err());
    let decision = decide_at(&policy, pki.partner.chain_without_root(), NOW);
    assert_eq!(decision.refusal().unwrap().code(), RefusalCode::CertificateRevoked);
    // Whoever goes on with the lists that can be read has nobody revoked; rustls by itself takes no list that it cannot read.
    let older = list().signed_by(&pki.ca);
    let file = older.pem() + &revoking.replacen("MI", "AA", 1);
    let sections: Vec<_> = CertificateRevocationListDer::pem_slice_iter(file.as_bytes()).flatten().collect();
    let roots = Naive::roots(&pki.trust());
    let verifier = |lists: &[CertificateRevocationListDer<'static>]| {
        let builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), Backend::AwsLcRs.provider());
        builder.with_crls(lists.iter().cloned()).build()
    };
    assert!(verifier(&sections).is_err());
    let read: Vec<_> = sections.into_iter().filter(|one| verifier(std::slice::from_ref(one)).is_ok()).collect();
    assert_eq!(read, [CertificateRevocationListDer::from(older.der())]);
    let chain = pki.partner.chain_without_root();
    assert!(verifier(&read).unwrap().verify_client_cert(&chain[0], &chain[1..], NOW).is_ok());
}

#[test]
fn rv_08_the_handshake_the_decision_and_the_record_agree() {
    let pki = Pki::new();
    let attack = pki.under(&[&list().revoking(&[9]).signed_by(&pki.ca)]);
    let decided = attack.refused(RefusalCode::CertificateRevoked).decision().record();
    assert_eq!(decided.code(), Some("certificate-revoked"));
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(attack.policy().unwrap(), backend);
        let ends = gateway.call(gateway.client(pki.partner.identity_on(&backend.provider()), backend, version));
        let error = ends.server_error.as_ref().expect("the handshake fails");
        let refused = gateway.endpoint.only().unwrap().refused(error, NOW).unwrap();
        assert_eq!(refused.record().code(), decided.code(), "{backend:?} {version:?}");
        assert!(gateway.endpoint.only().unwrap().caller(&ends.server).is_err());
    }
}

#[test]
fn rv_09_no_answer_hard_and_soft() {
    let pki = Pki::new();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().issued_by(&pki.ca);
    let below = client("CN=partner").issued_by(&issuing);
    let root = list().signed_by(&pki.ca);
    let [current, expired] = [list(), dated(-48, -1)].map(|made| made.signed_by(&issuing));
    let wrong = list().signed_with_wrong_key(&issuing, &other);
    let rows: [(&str, Vec<&TestCrl>, [bool; 2]); 4] = [
        ("current", vec![&root, &current], [true, true]),
        ("expired", vec![&root, &expired], [false, true]),
        ("wrong signer", vec![&root, &wrong], [false, false]),
        ("missing", vec![&root], [false, false]),
    ];
    for (name, lists, admits) in rows {
        for (grace, admits) in [0, 2 * HOUR].into_iter().zip(admits) {
            let mut revocation = Revocation::new().danger_accept_stale_lists(Duration::from_secs(grace));
            for list in &lists {
                revocation.add(RevocationList::from_der(list.der()).unwrap());
            }
            let policy = Attack::on(&pki.trust(), below.chain_without_root()).policy().unwrap();
            let decision = decide_at(&policy.with_revocation(&revocation).unwrap(), below.chain_without_root(), NOW);
            let expected = (!admits).then_some(RefusalCode::RevocationUnknown);
            assert_eq!(decision.refusal().map(Refusal::code), expected, "{name} {grace}");
        }
    }
}

#[test]
fn rv_10_a_ca_that_is_revoked_itself() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_serial(&[2]).issued_by(&root);
    let lists = [list().revoking(&[2]).signed_by(&root), list().signed_by(&issuing)];
    for partner in ["CN=one", "CN=two"].map(|name| client(name).issued_by(&issuing)) {
        let attack = Attack::on(&bundle(&[&root]), partner.chain_without_root()).with_lists(&[&lists[0], &lists[1]]);
        attack.refused(RefusalCode::CertificateRevoked).naively_refused();
    }
}

#[test]
fn rv_12_lists_for_a_part_beside_points_of_distribution() {
    let ca = Pki::new().ca;
    let name = |url: &str| tlv(0xa0, &tlv(0xa0, &tlv(0x86, url.as_bytes())));
    let (here, there) = (name("http://a.example/1"), name("http://a.example/2"));
    let point = |name: &[u8]| sequence(&[name]);
    let points = [
        None,
        Some(sequence(&[&point(&here)])),
        Some(sequence(&[&point(&there)])),
        Some(sequence(&[&point(&here), &point(&there)])),
    ];
    // The list's point, whose certificates it is for, its reasons, and whether it has those of other CAs (RFC 5280,
    // section 5.2.5).
    let flag = |number: u8| vec![0x80 | number, 1, 0xff];
    let scopes = [here, there, flag(1), flag(2), flag(5), vec![0x83, 2, 1, 6], flag(4)];
    for points in points {
        let partner = client("CN=partner");
        let partner = points.iter().fold(partner, |made, value| made.with_extension("2.5.29.31", false, value));
        let pki = Pki { partner: partner.issued_by(&ca), ca: ca.clone() };
        let (empty, revoking) = (list().signed_by(&ca), list().revoking(&[9]).signed_by(&ca));
        // What the certificate says of lists changes nothing, and a part is never taken for the whole.
        pki.under(&[&empty]).admitted();
        pki.under(&[&revoking]).refused(RefusalCode::CertificateRevoked);
        for (scope, part) in scopes.iter().flat_map(|scope| [list(), list().revoking(&[9])].map(|part| (scope, part))) {
            let part = part.with_extension("2.5.29.28", true, &sequence(&[scope])).signed_by(&ca);
            let indirect = scope[0] == 0x84;
            let expected = if indirect { InvalidRevocationList::Indirect } else { InvalidRevocationList::Partitioned };
            assert_eq!(unread(&part), expected, "{scope:x?}");
            for file in [[part.pem(), empty.pem()], [empty.pem(), part.pem()]] {
                let mut lists = Revocation::new();
                assert!(lists.add_pem(file.concat().as_bytes()).is_err(), "{scope:x?}");
                assert_eq!(lists.lists().count(), 0);
            }
        }
    }
}

#[test]
fn rv_13_revoked_only_in_the_last_of_three_lists() {
    let pki = Pki::new();
    let [first, second] = [1, 2].map(|number| dated(-3, 100).with_number(&[number]).signed_by(&pki.ca));
    let last = dated(-1, 100).with_number(&[3]).revoking(&[9]).signed_by(&pki.ca);
    pki.under(&[&first, &second, &last]).refused(RefusalCode::CertificateRevoked).naively("partner");
}

#[test]
fn rv_15_a_denied_certificate_whose_signature_is_written_in_the_other_way() {
    let pki = Pki::new();
    let own = pki.partner.certificate();
    let other = other_signature(&own.der());
    assert_ne!(Certificate::from_der(&other).unwrap().fingerprint(), own.fingerprint());
    // It is a valid certificate of the CA, and for the naive build another one.
    Attack::on(&pki.trust(), &[&other]).admitted();
    Attack::on(&pki.trust(), pki.partner.chain()).denying(own).refused(RefusalCode::Denied).naively_refused();
    Attack::on(&pki.trust(), &[&other]).denying(own).refused(RefusalCode::Denied).naively("partner");
    let by_key = crate::anchors::builder(pki.trust(), &[&pki.partner]).denial(Denial::key(own.spki_fingerprint()));
    let decision = decide_at(&by_key.build().unwrap(), &[&other], NOW);
    assert_eq!(decision.refusal().unwrap().code(), RefusalCode::Denied);
    // A pin of the one is no pin of the other.
    let pinned = crate::naive::pins(&[&pki.partner]);
    Attack::on(&pinned, &[&other]).refused(RefusalCode::Untrusted);
}

#[test]
fn a_denied_key_whose_point_is_written_compressed() {
    // aws-lc verifies with it, so it would be the same key under another fingerprint.
    let pki = Pki::new();
    let mut parts = Parts::of(&pki.partner);
    let [algorithm, bits] = <[Vec<u8>; 2]>::try_from(inside(&parts.public_key)).unwrap();
    let (x, y) = bits[bits.len() - 64..].split_at(32);
    parts.public_key = sequence(&[&algorithm, &tlv(3, &[&[0, 2 | y[31] & 1], x].concat())]);
    let other = parts.signed_by(&pki.ca);
    assert!(matches!(Certificate::from_der(&other), Err(InvalidCertificate::Malformed { .. })));
    let rule = CertUserMapping::new(Selector::key(SpkiFingerprint::of(&parts.public_key)), user("u"));
    let denial = Denial::key(pki.partner.certificate().spki_fingerprint());
    let policy = crate::anchors::builder(pki.trust(), &[]).mapping(rule).denial(denial).build().unwrap();
    let decision = decide_at(&policy, &[&other], NOW);
    assert_eq!(decision.refusal().map(Refusal::code), Some(RefusalCode::Untrusted));
    Attack::on(&pki.trust(), &[&other]).denying(pki.partner.certificate()).naively("partner");
}

#[test]
fn rv_16_a_denied_certificate_whose_unsigned_parts_are_written_in_another_way() {
    let pki = Pki::new();
    let der = pki.partner.certificate().der().to_vec();
    let [tbs, algorithm, signature] = <[Vec<u8>; 3]>::try_from(inside(&der)).unwrap();
    let with_null = sequence(&[&inside(&algorithm)[0], &[5, 0]]);
    let padded = with_signature(&der, |signature| {
        let integers: Vec<_> = inside(signature).iter().map(|one| tlv(2, &[&[0, 0], &one[2..]].concat())).collect();
        sequence(&[&integers[0], &integers[1]])
    });
    let long_length = {
        let content = [&tbs[..], &algorithm, &signature].concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x84][..], &length, &content].concat()
    };
    let indefinite = [&[0x30, 0x80][..], &tbs, &algorithm, &signature, &[0, 0]].concat();
    for (name, other) in [
        ("a byte behind it", [&der[..], &[0]].concat()),
        ("long form of the length", long_length),
        ("indefinite length", indefinite),
        ("NULL parameters", sequence(&[&tbs, &with_null, &signature])),
        ("padded integers", padded),
        ("bits left over", sequence(&[&tbs, &algorithm, &[&[3, signature[1], 1][..], &signature[3..]].concat()])),
    ] {
        for attack in [Attack::on(&pki.trust(), &[&other]), Attack::on(&crate::naive::pins(&[&pki.partner]), &[&other])]
        {
            assert!(attack.decision().principal().is_none(), "{name}");
            attack.naively_refused();
        }
        let denied = Attack::on(&pki.trust(), &[&other]).denying(pki.partner.certificate());
        assert!(denied.decision().principal().is_none(), "{name}");
    }
}

#[test]
fn rv_17_a_host_that_need_not_be_shown_a_certificate_takes_nobody_for_a_user() {
    let pki = Pki::new();
    for auth in [ClientAuth::None, ClientAuth::Request] {
        let host = Host::new("gw".parse().unwrap(), pki.trust()).with_client_auth(auth);
        let mut lists = Revocation::new();
        lists.add(RevocationList::from_der(list().revoking(&[9]).signed_by(&pki.ca).der()).unwrap());
        let rule = Selector::key(pki.partner.certificate().spki_fingerprint());
        let rules = PolicyBuilder::for_host(host).mapping(CertUserMapping::new(rule, user("u")));
        let policy = rules.revocation(lists).build().unwrap();
        let nothing: [&[u8]; 0] = [];
        assert!(decide_at(&policy, &nothing, NOW).principal().is_none());
        let shown = decide_at(&policy, pki.partner.chain_without_root(), NOW);
        assert!(shown.principal().is_none());
        let revoked = (auth == ClientAuth::Request).then_some(RefusalCode::CertificateRevoked);
        assert_eq!(shown.refusal().map(Refusal::code), revoked);
    }
}

#[test]
fn rv_18_a_list_whose_successor_is_overdue() {
    let pki = Pki::new();
    let stale = dated(-48, -1).signed_by(&pki.ca);
    pki.under(&[&stale]).refused(RefusalCode::RevocationUnknown).naively("partner");
    pki.under(&[&stale]).at(NOW.as_secs() - HOUR).admitted();
    // A week is a choice that somebody made by name.
    let mut lists = Revocation::new().danger_accept_stale_lists(Duration::from_secs(7 * 24 * HOUR));
    lists.add(RevocationList::from_der(stale.der()).unwrap());
    let policy = pki.under(&[]).policy().unwrap().with_revocation(&lists).unwrap();
    assert!(decide_at(&policy, pki.partner.chain_without_root(), NOW).principal().is_some());
}

#[test]
fn rv_19_the_same_serial_number_in_another_form() {
    let ca = Pki::new().ca;
    let code = |certificate: &[u8], revoked: &[u8]| {
        let mut parts = Parts::of(&client("CN=partner").issued_by(&ca));
        parts.serial = tlv(2, certificate);
        let revoking = list().revoking(revoked).signed_by(&ca);
        let attack = Attack::on(&bundle(&[&ca]), &[parts.signed_by(&ca)]).with_lists(&[&revoking]);
        (attack.decision().refusal().map(Refusal::code), attack.naive().is_ok())
    };
    let revoked = Some(RefusalCode::CertificateRevoked);
    assert_eq!(code(&[0, 0xff], &[0, 0xff]), (revoked, false));
    // Compared as octets, one number is two.
    assert_eq!(code(&[0, 0, 0xff], &[0, 0xff]), (revoked, true));
    assert_eq!(code(&[0, 0xff], &[0, 0, 0xff]), (revoked, true));
    // No octets are no number, and what has none is not read.
    assert_eq!(code(&[], &[0]), (Some(RefusalCode::Untrusted), true));
    assert_eq!(code(&[0x7f; 21], &[0x7f; 21]).0, revoked);
    assert_eq!(code(&[0xff], &[0xff]).0, revoked);
    assert_eq!(code(&[0xff], &[0, 0xff]), (None, true), "-1 is not 255");
    assert_eq!(code(&[0, 0xff], &[0xff]), (None, true));
}

#[test]
fn a_list_whose_issuer_is_written_in_another_string_type_counts() {
    let pki = Pki::new();
    let printable = sequence(&[&tlv(0x31, &sequence(&[&[6, 3, 0x55, 4, 3], &tlv(0x13, b"ca")]))]);
    assert_ne!(Parts::of(&pki.ca).subject, printable);
    let rewritten = |made: TestRevocationList| made.with_issuer_der(&printable).signed_by(&pki.ca);
    pki.under(&[&rewritten(list())]).admitted().naively_refused();
    pki.under(&[&rewritten(list().revoking(&[9]))]).refused(RefusalCode::CertificateRevoked).naively_refused();
}

#[test]
fn a_list_by_another_key_of_the_same_name_is_no_answer() {
    // A CA that changed its key, as anchor and as intermediate; only the new key signs lists.
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let anchors = [1, 2].map(|serial| TestCertificate::new("CN=ca").as_ca().with_serial(&[serial]).self_signed());
    let issuing = [1, 2].map(|serial| TestCertificate::new("CN=ca").as_ca().with_serial(&[serial]).issued_by(&root));
    for ([old, new], trust) in [(&anchors, bundle(&[&anchors[0], &anchors[1]])), (&issuing, bundle(&[&root]))] {
        let partner = client("CN=partner").issued_by(old);
        let attack = |made: TestRevocationList| {
            Attack::on(&trust, partner.chain_without_root()).with_lists(&[&made.signed_by(new)])
        };
        attack(list()).refused(RefusalCode::RevocationUnknown).naively_refused();
        attack(list().revoking(&[9])).refused(RefusalCode::RevocationUnknown).naively_refused();
    }
}

#[test]
fn a_list_that_nobody_can_verify_is_an_error_whoever_its_issuer_is() {
    let pki = Pki::new();
    let issuing = TestCertificate::new("CN=issuing").as_ca().issued_by(&pki.ca);
    // ECDSA with SHA-224 in the place of SHA-256, which no provider verifies.
    let [strong, weak] = [2, 1].map(|hash| [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, hash]);
    for issuer in [&pki.ca, &issuing] {
        let der = list().signed_by(issuer).der().to_vec();
        let mut weakened = der.clone();
        for (at, _) in der.windows(8).enumerate().filter(|(_, octets)| *octets == strong) {
            weakened[at..at + 8].copy_from_slice(&weak);
        }
        let mut lists = Revocation::new();
        lists.add(RevocationList::from_der(&weakened).unwrap());
        let error = pki.under(&[]).policy().unwrap().with_revocation(&lists).unwrap_err().to_string();
        let name = issuer.certificate().subject();
        let expected = format!(
            "of `{name}` is signed by an algorithm that is too weak or unknown, such as SHA-1: ask the CA for one signed with SHA-256 or better"
        );
        assert!(error.ends_with(&expected), "{error}");
    }
}
