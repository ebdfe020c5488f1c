//! Revocation lists: their order never matters, and no answer is a refusal.

use std::time::Duration;

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::limits::REVOCATION_LISTS_PER_NAME;
use certmap::review::FindingCode;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestCrl, TestIdentity, TestRevocationList};
use certmap::trust::{PathFailure, PathPlace, Revocation, UnknownStatus};
use certmap::{NewKey, Policy, PolicyError, RefusalCode};

use crate::anchors::{builder, bundle, client, decide_at, hierarchy};

const HOUR: u64 = 3_600;

fn lists(lists: &[&TestCrl]) -> Revocation {
    let mut revocation = Revocation::new();
    for list in lists {
        revocation.add(RevocationList::from_der(list.der()).unwrap());
    }
    revocation
}

/// A root, an intermediate, and a client with serial number 9 below it.
struct Pki {
    root: TestIdentity,
    issuing: TestIdentity,
    partner: TestIdentity,
}

impl Pki {
    fn new() -> Self {
        let (root, issuing) = hierarchy();
        let partner = client("CN=partner").issued_by(&issuing);
        Self { root, issuing, partner }
    }

    fn try_policy(&self, revocation: Revocation) -> Result<Policy, PolicyError> {
        builder(bundle(&[&self.root]), &[&self.partner]).revocation(revocation).build()
    }

    fn code_at(&self, revocation: Revocation, now: UnixTime) -> Option<RefusalCode> {
        let policy = self.try_policy(revocation).unwrap();
        decide_at(&policy, self.partner.chain_without_root(), now).refusal().map(certmap::Refusal::code)
    }

    fn code(&self, of: &[&TestCrl]) -> Option<RefusalCode> {
        self.code_at(lists(of), NOW)
    }

    fn failure(&self, of: &[&TestCrl]) -> PathFailure {
        let policy = self.try_policy(lists(of)).unwrap();
        let decision = decide_at(&policy, self.partner.chain_without_root(), NOW);
        decision.refusal().unwrap().path_failure().unwrap().clone()
    }
}

fn list() -> TestRevocationList {
    TestRevocationList::new()
}

#[test]
fn an_anchor_without_lists_is_not_checked_and_with_one_all_below_it_need_one() {
    let pki = Pki::new();
    let (of_root, of_issuing) = (list().signed_by(&pki.root), list().signed_by(&pki.issuing));
    assert_eq!(pki.code(&[]), None);
    assert_eq!(pki.code(&[&of_root, &of_issuing]), None);
    assert_eq!(pki.code(&[&of_root]), Some(RefusalCode::RevocationUnknown));
    let PathFailure::RevocationUnknown { member, cause } = pki.failure(&[&of_root]) else { panic!() };
    assert_eq!(member.place, PathPlace::EndEntity);
    assert_eq!(cause, UnknownStatus::NoList { issuer: "CN=issuing".parse().unwrap() });
    // The intermediate's list counts although its anchor has none.
    assert_eq!(pki.code(&[&of_issuing]), None);
    assert_eq!(pki.code(&[&list().revoking(&[9]).signed_by(&pki.issuing)]), Some(RefusalCode::CertificateRevoked));
}

#[test]
fn who_is_revoked_is_refused_at_every_level_and_told_by_which_list() {
    let pki = Pki::new();
    let (of_root, of_issuing) = (list().signed_by(&pki.root), list().signed_by(&pki.issuing));
    let revoked = list().revoking(&[1]).revoking(&[9]).signed_by(&pki.issuing);
    let PathFailure::Revoked { member, list: by, since } = pki.failure(&[&of_root, &revoked]) else { panic!() };
    assert_eq!(member.place, PathPlace::EndEntity);
    assert_eq!(by, RevocationList::from_der(revoked.der()).unwrap().fingerprint());
    assert_eq!(since.as_secs(), NOW.as_secs() - HOUR);
    // The intermediate has serial number 2, and the same number in its own list means another certificate.
    let ca_revoked = list().revoking(&[2]).signed_by(&pki.root);
    let PathFailure::Revoked { member, .. } = pki.failure(&[&ca_revoked, &of_issuing]) else { panic!() };
    assert_eq!((member.place, member.subject.to_string().as_str()), (PathPlace::Intermediate, "CN=issuing"));
    let other_number = list().revoking(&[2]).signed_by(&pki.issuing);
    let other_issuer = list().revoking(&[9]).signed_by(&pki.root);
    assert_eq!(pki.code(&[&other_issuer, &other_number]), None);
}

#[test]
fn every_order_of_lists_gives_one_answer() {
    let pki = Pki::new();
    let of_root = list().signed_by(&pki.root);
    let (old, new) = (NOW.as_secs() - 48 * HOUR, NOW.as_secs() - HOUR);
    let week = |first: u64| Some(first + 168 * HOUR);
    let at = |first: u64, number: u8| list().with_dates(first, week(first)).with_number(&[number]);
    let empty_old = at(old, 1).signed_by(&pki.issuing);
    let empty_new = at(new, 2).signed_by(&pki.issuing);
    let empty_same_number = at(new, 3).signed_by(&pki.issuing);
    let revoking = [at(new, 3), at(old, 7), list().with_dates(old, Some(old + HOUR))];
    for revoking in revoking.map(|list| list.revoking(&[9]).signed_by(&pki.issuing)) {
        for set in [vec![&revoking], vec![&empty_old, &revoking], vec![&empty_old, &empty_new, &revoking]] {
            for order in permutations(&[set, vec![&of_root]].concat()) {
                assert_eq!(pki.code(&order), Some(RefusalCode::CertificateRevoked));
            }
        }
    }
    for order in permutations(&[&of_root, &empty_old, &empty_new, &empty_same_number]) {
        assert_eq!(pki.code(&order), None);
    }
}

fn permutations<'a>(lists: &[&'a TestCrl]) -> Vec<Vec<&'a TestCrl>> {
    let [first, rest @ ..] = lists else { return vec![Vec::new()] };
    let shorter = permutations(rest);
    let with_first = |shorter: Vec<&'a TestCrl>| {
        (0..=shorter.len()).map(move |at| {
            let mut longer = shorter.clone();
            longer.insert(at, *first);
            longer
        })
    };
    shorter.into_iter().flat_map(with_first).collect()
}

#[test]
fn a_list_is_that_of_its_issuer_however_the_name_is_spelled() {
    let root = TestCertificate::new("CN=Acme Root,O=Acme").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&root);
    let code = |list: TestRevocationList, name: &str| {
        let der = name.parse::<DistinguishedName>().unwrap().to_der();
        let listed = lists(&[&list.with_issuer_der(&der).signed_by(&root)]);
        let policy = builder(bundle(&[&root]), &[&partner]).revocation(listed).build().unwrap();
        decide_at(&policy, partner.chain(), NOW).refusal().map(certmap::Refusal::code)
    };
    // Case, blanks, and a TeletexString (RFC 5280, section 7.1); a soft hyphen.
    for name in [
        "CN=ACME ROOT,O=Acme",
        "CN=Acme  Root,O=acme",
        "CN=#140941636d6520526f6f74,O=Acme",
        "CN=Acme Root,O=Ac\u{ad}me",
    ] {
        assert_eq!(code(list().revoking(&[9]), name), Some(RefusalCode::CertificateRevoked), "{name}");
        assert_eq!(code(list(), name), None, "{name}");
    }
}

#[test]
fn a_list_that_an_anchor_signed_under_another_name_is_told() {
    let root = TestCertificate::new("CN=M\u{fc}ller").as_ca().self_signed();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_new_key(NewKey::EcP256).issued_by(&root);
    let renamed = TestCertificate::new("CN=M\u{fc}ller AG").with_key_of(&root).as_ca().self_signed();
    let told = |list: &TestCrl| {
        let policy = builder(bundle(&[&other, &root, &renamed]), &[]).revocation(lists(&[list])).build().unwrap();
        let findings = certmap::review::lint(&policy, NOW, Duration::from_secs(1)).into_iter();
        findings.filter(|one| one.code() == FindingCode::ListOfOtherName).map(|one| one.to_string()).collect::<Vec<_>>()
    };
    let named = |name: &str| name.parse::<DistinguishedName>().unwrap().to_der();
    // As two characters: another text, which nobody would look for.
    let decomposed = list().revoking(&[9]).with_issuer_der(&named("CN=Mu\u{308}ller"));
    let [finding] = &told(&decomposed.clone().signed_by(&root))[..] else { panic!("not told once") };
    assert!(
        finding.contains("it is of `CN=Mu\u{308}ller`, and signed by the key of the anchor `CN=M\u{fc}ller`:"),
        "{finding}"
    );
    // An intermediate's own, one that nobody here signed, and those in the name of an anchor.
    let none = [
        list().signed_by(&issuing),
        decomposed.signed_with_wrong_key(&root, &issuing),
        list().signed_by(&root),
        list().with_issuer_der(&named("CN=M\u{dc}LLER")).signed_by(&root),
        list().signed_by(&renamed),
    ];
    for list in &none {
        assert_eq!(told(list), [] as [&str; 0]);
    }
}

#[test]
fn the_same_list_many_times_is_one_and_many_lists_are_always_as_many() {
    let pki = Pki::new();
    let (of_root, of_issuing) = (list().signed_by(&pki.root), list().signed_by(&pki.issuing));
    let answers = |lists: Revocation| {
        let policy = pki.try_policy(lists).unwrap();
        let ask = |_| decide_at(&policy, pki.partner.chain_without_root(), NOW).refusal().map(certmap::Refusal::code);
        (policy.digest(), (0..3).map(ask).collect::<Vec<_>>())
    };
    let mut often = vec![&of_root];
    often.extend([&of_issuing; 400]);
    assert_eq!(answers(lists(&often)), answers(lists(&[&of_root, &of_issuing])));
    // Others: as many as there may be are asked by each, and no policy has one more.
    let numbered = |count: u16| -> Revocation {
        let mut all = lists(&[&of_root]);
        for number in 0..count {
            let list = list().with_number(&[&[1][..], &number.to_be_bytes()].concat()).signed_by(&pki.issuing);
            all.add(RevocationList::from_der(list.der()).unwrap());
        }
        all
    };
    let most = u16::try_from(REVOCATION_LISTS_PER_NAME).unwrap();
    assert_eq!(answers(numbered(most)).1, [None; 3]);
    let error = pki.try_policy(numbered(most + 1)).unwrap_err().to_string();
    assert!(error.contains("33 revocation lists of `CN=issuing` are too many, at most 32 are asked"), "{error}");
}

#[test]
fn a_list_counts_from_shortly_before_its_making_to_its_promised_successor() {
    let pki = Pki::new();
    let (now, of_root) = (NOW.as_secs(), list().with_dates(1, Some(NOW.as_secs() * 2)).signed_by(&pki.root));
    let code =
        |first: u64, last: u64| pki.code(&[&of_root, &list().with_dates(first, Some(last)).signed_by(&pki.issuing)]);
    let unknown = Some(RefusalCode::RevocationUnknown);
    assert_eq!([code(now, now), code(now + 59, now + HOUR), code(now + 300, now + HOUR)], [None; 3]);
    assert_eq!([code(now + 301, now + HOUR), code(1, now - 1)], [unknown; 2]);
    // The newest of several is what counts, wherever it stands.
    let (stale, current) = (list().with_dates(1, Some(2)).signed_by(&pki.issuing), list().signed_by(&pki.issuing));
    assert_eq!(pki.code(&[&of_root, &stale, &current]), None);
    assert_eq!(pki.code(&[&of_root, &stale]), unknown);
    let PathFailure::RevocationUnknown { cause: UnknownStatus::Stale { next_update, .. }, .. } =
        pki.failure(&[&of_root, &stale])
    else {
        panic!()
    };
    assert_eq!(next_update.as_secs(), 2);
}

#[test]
fn stale_lists_are_believed_only_as_long_as_somebody_dangerously_says() {
    let pki = Pki::new();
    let last = NOW.as_secs() - HOUR;
    let pair = [&pki.root, &pki.issuing].map(|ca| list().with_dates(1, Some(last)).signed_by(ca));
    let of = |grace: u64, now: u64| {
        let revocation = lists(&[&pair[0], &pair[1]]).danger_accept_stale_lists(Duration::from_secs(grace));
        pki.code_at(revocation, UnixTime::since_unix_epoch(Duration::from_secs(now)))
    };
    let unknown = Some(RefusalCode::RevocationUnknown);
    assert_eq!([of(0, last), of(0, last + 1), of(10, last + 10), of(10, last + 11)], [None, unknown, None, unknown]);
}

#[test]
fn a_list_that_its_issuer_did_not_sign_is_an_error_or_no_list() {
    let pki = Pki::new();
    let stranger = TestCertificate::new("CN=stranger").as_ca().self_signed();
    let forged_root = list().signed_with_wrong_key(&pki.root, &stranger);
    let error = pki.try_policy(lists(&[&forged_root])).unwrap_err();
    assert_eq!(error.problems()[0].code(), "revocation");
    assert!(error.problems()[0].to_string().contains("bears the name of the anchor `CN=root`, but not its signature"));
    // Of an intermediate it is known only when it is seen: a forged list revokes nobody, and is no answer either.
    let of_root = list().signed_by(&pki.root);
    let forged = list().revoking(&[9]).signed_with_wrong_key(&pki.issuing, &stranger);
    let PathFailure::RevocationUnknown { cause: UnknownStatus::OtherSigner { issuer }, .. } = pki.failure(&[&forged])
    else {
        panic!()
    };
    assert_eq!(issuer.to_string(), "CN=issuing");
    assert_eq!(pki.code(&[&of_root, &forged]), Some(RefusalCode::RevocationUnknown));
    assert_eq!(pki.code(&[&of_root, &forged, &list().signed_by(&pki.issuing)]), None);
}

#[test]
fn who_may_not_sign_lists_signs_none() {
    use KeyUsageBit::{CrlSign, KeyCertSign};
    let ca = |name: &str, usage: &[KeyUsageBit]| {
        TestCertificate::new(name).with_basic_constraints(true, None, true).with_key_usage(usage)
    };
    let root = ca("CN=root", &[KeyCertSign]).self_signed();
    let partner = client("CN=partner").issued_by(&root);
    let error = builder(bundle(&[&root]), &[&partner]).revocation(lists(&[&list().signed_by(&root)])).build();
    assert!(error.unwrap_err().problems()[0].to_string().contains("key usage does not include cRLSign"));

    let root = ca("CN=root", &[KeyCertSign, CrlSign]).self_signed();
    let issuing = ca("CN=issuing", &[KeyCertSign]).issued_by(&root);
    let pki = Pki { partner: client("CN=partner").issued_by(&issuing), root, issuing };
    let failure = pki.failure(&[&list().signed_by(&pki.root), &list().signed_by(&pki.issuing)]);
    let issuer = "CN=issuing".parse().unwrap();
    assert!(
        matches!(failure, PathFailure::RevocationUnknown { cause: UnknownStatus::SignerMayNot { issuer: i }, .. } if i == issuer)
    );
}

#[test]
fn lists_change_without_rebuilding_the_rest() {
    let pki = Pki::new();
    let pair = [list().signed_by(&pki.root), list().signed_by(&pki.issuing)];
    let before = pki.try_policy(lists(&[&pair[0], &pair[1]])).unwrap();
    let code = |policy: &Policy| {
        let decision = decide_at(policy, pki.partner.chain_without_root(), NOW);
        decision.refusal().map(certmap::Refusal::code)
    };
    assert_eq!(code(&before), None);
    let after = before.with_revocation(&lists(&[&pair[0], &list().revoking(&[9]).signed_by(&pki.issuing)])).unwrap();
    assert_eq!(code(&after), Some(RefusalCode::CertificateRevoked));
    assert_eq!(code(&before), None, "a policy never changes");
    assert_ne!(before.digest(), after.digest());
    // The same lists in another order are the same policy, however it came to be.
    let again = after.with_revocation(&lists(&[&pair[1], &pair[0], &pair[1]])).unwrap();
    assert_eq!(again.digest(), before.digest());
    assert_eq!(again.canonical_form(), before.canonical_form());
    let forged = list().signed_with_wrong_key(&pki.root, &pki.issuing);
    assert_eq!(before.with_revocation(&lists(&[&forged])).unwrap_err().problems().len(), 1);
}

#[test]
fn pins_are_not_concerned() {
    let pki = Pki::new();
    let mut trust = bundle(&[&pki.root]);
    trust.add_pin(pki.partner.certificate().clone()).unwrap();
    let revoked = lists(&[&list().signed_by(&pki.root), &list().revoking(&[9]).signed_by(&pki.issuing)]);
    let policy = builder(trust, &[&pki.partner]).revocation(revoked).build().unwrap();
    assert!(decide_at(&policy, pki.partner.chain(), NOW).principal().is_some());
}
