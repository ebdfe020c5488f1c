//! Paths that are remembered: never another answer than that of a search made again.

use std::sync::Arc;
use std::time::Duration;

use certmap::cert::RevocationList;
use certmap::identity::NewKey;
use certmap::live::{Callers, Change};
use certmap::map::{CaPath, NameTest};
use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use certmap::rustls::pki_types::{CertificateDer, UnixTime};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::Revocation;
use certmap::{Authority, Caller, CertUserMapping, Evidence, Policy, PolicyHandle, RefusalCode, Selector};

use crate::anchors::{builder, bundle, client, decide_at, hierarchy};

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn answer(policy: &Policy, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<UnixTime, RefusalCode> {
    let decision = decide_at(policy, chain, now);
    decision.into_result().map(|principal| principal.valid_until()).map_err(|refused| refused.code())
}

#[test]
fn the_clock_may_go_both_ways() {
    let (first, last) = (NOW.as_secs() - 100, NOW.as_secs() + 100);
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let partner = client("CN=p").with_validity(first, last).issued_by(&root);
    let policy = builder(bundle(&[&root]), &[&partner]).build().unwrap();
    let code = |now: u64| answer(&policy, partner.chain(), at(now)).err();
    let expected = [
        (first, None),
        (last, None),
        (last + 1, Some(RefusalCode::CertificateExpired)),
        (first - 1, Some(RefusalCode::CertificateNotYetValid)),
        (first, None),
    ];
    for (now, expected) in expected.into_iter().chain(expected.into_iter().rev()) {
        assert_eq!(code(now), expected, "{now}");
    }
}

#[test]
fn another_anchor_that_becomes_valid_is_seen() {
    // Two anchors of one key: the second begins later, and then vouches too.
    let first = TestCertificate::new("CN=root").as_ca().with_validity(1, NOW.as_secs() + 500).self_signed();
    let second = TestCertificate::new("CN=root").as_ca().with_key_of(&first).with_serial(&[2]);
    let second = second.with_validity(NOW.as_secs() + 100, NOW.as_secs() + 200).self_signed();
    let partner = client("CN=p").with_validity(1, NOW.as_secs() + 1_000).issued_by(&first);
    let policy = builder(bundle(&[&first, &second]), &[&partner]).build().unwrap();
    let until = |now: u64| answer(&policy, &partner.chain()[..1], at(now)).unwrap().as_secs() - NOW.as_secs();
    for _ in 0..2 {
        assert_eq!(until(NOW.as_secs()), 99);
        assert_eq!(until(NOW.as_secs() + 150), 200);
        assert_eq!(until(NOW.as_secs() + 201), 500);
    }
}

#[test]
fn a_caller_remembers_nobody_beyond_the_second_in_which_another_anchor_says_another_user() {
    let first = TestCertificate::new("CN=root").as_ca().self_signed();
    let second = TestCertificate::new("CN=root").as_ca().with_key_of(&first).with_serial(&[2]);
    let second = second.with_validity(NOW.as_secs() + 100, NOW.as_secs() + 1_000).self_signed();
    let partner = client("CN=p").issued_by(&first);
    let rule = |anchor: &TestIdentity, user: &str| {
        let selector = Selector::under(anchor.certificate().fingerprint(), NameTest::every_certificate());
        CertUserMapping::new(selector, user.parse().unwrap())
    };
    let policy = builder(bundle(&[&first, &second]), &[]).mappings([rule(&first, "u"), rule(&second, "v")]).build();
    let policy = Arc::new(PolicyHandle::new(policy.unwrap()));
    let gateway = policy.current().hosts().next().unwrap().id().clone();
    let caller = Caller::new(policy, Evidence::after_handshake(gateway, &partner.chain()[..1]));
    let admitted = |second: u64| caller.admit(Authority::NotHttp, at(NOW.as_secs() + second));
    assert_eq!(admitted(0).unwrap().user().as_str(), "u");
    assert_eq!(admitted(99).unwrap().user().as_str(), "u");
    assert_eq!(admitted(100).unwrap_err().code(), RefusalCode::Ambiguous);
}

#[test]
fn an_intermediate_that_was_read_before_is_known_by_its_bytes_and_presented_by_nobody_else() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_validity(1, NOW.as_secs() + 100).issued_by(&root);
    let stranger = TestCertificate::new("CN=root").as_ca().self_signed();
    let posing = TestCertificate::new("CN=issuing").as_ca().issued_by(&stranger);
    let clients = [(); 3].map(|()| client("CN=p").issued_by(&issuing));
    let policy = builder(bundle(&[&root]), &clients.iter().collect::<Vec<_>>()).build().unwrap();
    let own = |of: &TestIdentity| CertificateDer::from(of.certificate().der().to_vec());
    let code = |chain: &[CertificateDer<'_>], now| answer(&policy, chain, now).err();
    let [first, second, third] = &clients;
    assert_eq!(code(&[own(first), own(&issuing)], NOW), None);
    // From here on it is remembered. Whoever does not present it has no path, neither alone nor beside one of its name.
    let posed = client("CN=p").issued_by(&posing);
    assert_eq!(code(&[own(second)], NOW), Some(RefusalCode::Untrusted));
    for client in [second, &posed] {
        assert_eq!(code(&[own(client), own(&posing)], NOW), Some(RefusalCode::PathInvalid));
    }
    // It is as valid as it says, whenever it was read.
    assert_eq!(code(&[own(third), own(&issuing)], at(NOW.as_secs() + 101)), Some(RefusalCode::CertificateExpired));
    for client in [second, third] {
        assert_eq!(code(&[own(client), own(&posing), own(&issuing)], NOW), None);
    }
}

#[test]
fn other_trust_remembers_nothing_of_this() {
    let (root, issuing) = hierarchy();
    let partner = client("CN=p").issued_by(&issuing);
    let other = TestCertificate::new("CN=root").as_ca().self_signed();
    let good = builder(bundle(&[&root]), &[&partner]).build().unwrap();
    assert!(answer(&good, partner.chain(), NOW).is_ok());
    let swapped = builder(bundle(&[&other]), &[&partner]).build().unwrap();
    assert_eq!(answer(&swapped, partner.chain(), NOW), Err(RefusalCode::PathInvalid));
    let mut lists = Revocation::new();
    for list in
        [TestRevocationList::new().revoking(&[9]).signed_by(&issuing), TestRevocationList::new().signed_by(&root)]
    {
        lists.add(RevocationList::from_der(list.der()).unwrap());
    }
    let revoked = good.with_revocation(&lists).unwrap();
    assert_eq!(answer(&revoked, partner.chain(), NOW), Err(RefusalCode::CertificateRevoked));
    assert!(answer(&good, partner.chain(), NOW).is_ok());
}

/// Hierarchies that share names and keys, some of them out of date, and everything issued in them.
struct Wood {
    roots: Vec<TestIdentity>,
    above: Vec<TestIdentity>,
    leaves: Vec<TestIdentity>,
}

impl Wood {
    fn new(rng: &mut fastrand::Rng) -> Self {
        let moment = |rng: &mut fastrand::Rng| NOW.as_secs() - 50 + rng.u64(..100);
        let validity = |rng: &mut fastrand::Rng| match rng.u8(..3) {
            0 => (moment(rng), NOW.as_secs() + 1_000),
            1 => (1, moment(rng)),
            _ => (1, NOW.as_secs() + 1_000),
        };
        let dated = |rng: &mut fastrand::Rng, made: TestCertificate| {
            let (first, last) = validity(rng);
            made.with_validity(first, last)
        };
        let mut roots: Vec<TestIdentity> = Vec::new();
        for serial in 0..3 {
            let made = TestCertificate::new(["CN=r", "CN=s"][rng.usize(..2)]).as_ca().with_serial(&[serial]);
            let made = match roots.first().filter(|_| rng.bool()) {
                Some(root) => made.with_key_of(root),
                None => made,
            };
            roots.push(dated(rng, made).self_signed());
        }
        let mut above: Vec<TestIdentity> = Vec::new();
        for serial in 0..4 {
            let made = TestCertificate::new(["CN=a", "CN=b"][rng.usize(..2)]).as_ca().with_serial(&[serial]);
            let made = match above.first().filter(|_| rng.bool()) {
                Some(ca) => made.with_key_of(ca),
                None => made,
            };
            let issuer = above.get(rng.usize(..4)).unwrap_or(&roots[rng.usize(..3)]).clone();
            above.push(dated(rng, made).issued_by(&issuer));
        }
        let leaves = (0..4).map(|serial| {
            let made = client("CN=leaf").with_serial(&[serial]);
            let issuer = above[rng.usize(..4)].clone();
            dated(rng, made).issued_by(&issuer)
        });
        Self { leaves: leaves.collect(), roots, above }
    }

    fn lists(&self, anchors: &[&TestIdentity], rng: &mut fastrand::Rng) -> Revocation {
        let mut lists = Revocation::new();
        for ca in anchors.iter().copied().chain(&self.above) {
            if rng.u8(..3) > 0 {
                let first = NOW.as_secs() - 50 + rng.u64(..100);
                let list = TestRevocationList::new().with_dates(first, Some(first + rng.u64(..100)));
                let list = if rng.bool() { list.revoking(&[rng.u8(..4)]) } else { list };
                lists.add(RevocationList::from_der(list.signed_by(ca).der()).unwrap());
            }
        }
        lists
    }
}

#[test]
fn with_and_without_memory_the_answers_are_equal_on_random_woods() {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut admitted, mut refused) = (0, 0);
    for _ in 0..30 {
        let wood = Wood::new(&mut rng);
        let anchors: Vec<_> = wood.roots.iter().filter(|_| rng.u8(..4) > 0).collect();
        if anchors.is_empty() {
            continue;
        }
        let leaves: Vec<_> = wood.leaves.iter().collect();
        let lists = if rng.bool() { wood.lists(&anchors, &mut rng) } else { Revocation::new() };
        let builder = builder(bundle(&anchors), &leaves).revocation(lists);
        // A small memory, so that it forgets too.
        let remembering = builder.clone().remembered_paths(6).build().unwrap();
        let forgetful = builder.remembered_paths(0).build().unwrap();
        assert_eq!(remembering.digest(), forgetful.digest());
        for _ in 0..50 {
            let mut chain = vec![wood.leaves[rng.usize(..4)].chain()[0].clone()];
            let others = wood.above.iter().chain(&wood.roots).map(|ca| ca.chain()[0].clone());
            let mut others: Vec<_> = others.filter(|_| rng.u8(..5) > 0).collect();
            rng.shuffle(&mut others);
            chain.extend(others);
            let now = at(NOW.as_secs() - 60 + rng.u64(..120));
            let answers = [&remembering, &forgetful].map(|policy| answer(policy, &chain, now));
            assert_eq!(answers[0], answers[1]);
            if answers[0].is_ok() { admitted += 1 } else { refused += 1 }
        }
    }
    assert!(admitted > 100 && refused > 100, "{admitted} {refused}");
}

#[test]
fn a_caller_remembers_nobody_beyond_the_second_in_which_another_intermediate_may_stand_in_the_path() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_serial(&[2]).issued_by(&root);
    let begins = |serial| {
        let twin = TestCertificate::new("CN=issuing").as_ca().with_key_of(&issuing).with_serial(&[serial]);
        twin.with_validity(NOW.as_secs() + 100, NOW.as_secs() + 100_000).issued_by(&root)
    };
    // Of two paths the one by the smaller fingerprint is taken.
    let smaller = |twin: &TestIdentity| twin.certificate().fingerprint() < issuing.certificate().fingerprint();
    let later = (3..=200).map(begins).find(smaller).unwrap();
    let partner = client("CN=p").issued_by(&issuing);
    let rule = |ca: &TestIdentity, user: &str| {
        let path = CaPath::from(root.certificate().fingerprint()).through(ca.certificate().fingerprint());
        CertUserMapping::new(Selector::under(path, NameTest::every_certificate()), user.parse().unwrap())
    };
    let policy = builder(bundle(&[&root]), &[]).mappings([rule(&issuing, "u"), rule(&later, "v")]).build().unwrap();
    let policy = Arc::new(PolicyHandle::new(policy));
    let gateway = policy.current().hosts().next().unwrap().id().clone();
    let chain = [&partner, &later, &issuing].map(|one| one.certificate().der());
    let caller = Caller::new(policy, Evidence::after_handshake(gateway, chain));
    for second in [0, 99, 100, 200] {
        let kept = caller.admit(Authority::NotHttp, at(NOW.as_secs() + second)).unwrap();
        let anew = caller.decide(at(NOW.as_secs() + second)).into_result().unwrap();
        assert_eq!(kept.user(), anew.user(), "after {second} s");
    }
}

/// ring verifies no signatures of P-521, and the digest says nothing of providers.
#[test]
fn what_a_caller_remembers_ends_with_the_provider_that_verified_it() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_new_key(NewKey::EcP521).with_serial(&[2]);
    let partner = client("CN=p").issued_by(&issuing.issued_by(&root));
    let builder = builder(bundle(&[&root]), &[&partner]);
    let build = |provider: CryptoProvider| builder.clone().build_with_provider(&provider).unwrap();
    let (all, fewer) = (build(aws_lc_rs::default_provider()), build(ring::default_provider()));
    assert_eq!(all.digest(), fewer.digest());
    let policy = Arc::new(PolicyHandle::new(all));
    let evidence = Evidence::after_handshake("gw".parse().unwrap(), partner.chain_without_root());
    let caller = Caller::new(Arc::clone(&policy), evidence);
    let callers = Callers::with_limit(1);
    let _registered = callers.register(caller.clone(), (), NOW).unwrap();
    assert!(caller.admit(Authority::NotHttp, NOW).is_ok());
    policy.replace(fewer);
    let refused = caller.admit(Authority::NotHttp, NOW).map(drop).map_err(|refused| refused.code());
    assert_eq!(refused, Err(RefusalCode::PathInvalid));
    assert!(matches!(callers.review(NOW)[..], [Change::Ended { .. }]));
}
