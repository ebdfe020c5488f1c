//! Clients that a CA vouches for: what makes a path valid, and what of it we check ourselves.

use std::time::Duration;

use certmap::cert::SerialNumber;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity, TestName};
use certmap::trust::{ClientPurpose, Denial, Entry, PathFailure, PathPlace};
use certmap::{
    CertUserMapping, Decision, Evidence, Host, NewKey, Policy, PolicyBuilder, Refusal, RefusalCode, Selector,
    TrustBundle,
};

use crate::common::{Backend, Gateway, everywhere, user};

/// An anchor and an intermediate below it.
pub fn hierarchy() -> (TestIdentity, TestIdentity) {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().with_serial(&[2]).issued_by(&root);
    (root, issuing)
}

/// A certificate as CAs issue it to clients.
pub fn client(name: &str) -> TestCertificate {
    TestCertificate::new(name)
        .with_ca_false()
        .with_key_usage(&[KeyUsageBit::DigitalSignature])
        .with_purpose(2)
        .with_serial(&[9])
}

pub fn bundle(anchors: &[&TestIdentity]) -> TrustBundle {
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    for anchor in anchors {
        bundle.add_anchor(anchor.certificate().clone()).unwrap();
    }
    bundle
}

/// A policy that maps these certificates to `u`, by their keys.
pub fn builder(bundle: TrustBundle, clients: &[&TestIdentity]) -> PolicyBuilder {
    let rule = |client: &&TestIdentity| {
        CertUserMapping::new(Selector::key(client.certificate().spki_fingerprint()), user("u"))
    };
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle)).mappings(clients.iter().map(rule))
}

pub fn policy(anchors: &[&TestIdentity], clients: &[&TestIdentity]) -> Policy {
    builder(bundle(anchors), clients).build().unwrap()
}

pub fn decide_at(policy: &Policy, chain: &[impl AsRef<[u8]>], now: UnixTime) -> Decision {
    policy.decide(&Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), chain), now)
}

#[track_caller]
pub fn refusal(policy: &Policy, chain: &[impl AsRef<[u8]>]) -> Refusal {
    let decision = decide_at(policy, chain, NOW);
    decision.refusal().cloned().unwrap_or_else(|| panic!("admitted: {decision}"))
}

/// Why the path of a client below this anchor is not valid; everything that can be mapped is.
#[track_caller]
pub fn failure(anchors: &[&TestIdentity], client: &TestIdentity) -> PathFailure {
    let refusal = refusal(&policy(anchors, &[client]), client.chain_without_root());
    refusal.path_failure().cloned().unwrap_or_else(|| panic!("{refusal:?}"))
}

pub fn admitted(policy: &Policy, chain: &[impl AsRef<[u8]>]) -> bool {
    decide_at(policy, chain, NOW).principal().is_some()
}

#[test]
fn a_client_below_an_anchor_is_admitted_on_both_ends_of_everything() {
    let (root, issuing) = hierarchy();
    for kind in [NewKey::EcP256, NewKey::EcP384, NewKey::Ed25519, NewKey::Rsa2048] {
        let partner = client("CN=partner").with_new_key(kind).issued_by(&issuing);
        for (backend, version) in everywhere() {
            let built = builder(bundle(&[&root]), &[&partner]).build_with_provider(&backend.provider()).unwrap();
            let gateway = Gateway::new(built, backend);
            let ends = gateway.call(gateway.client(partner.identity_on(&backend.provider()), backend, version));
            assert_eq!(gateway.refusal(&ends), None, "{kind:?} {backend:?} {version:?}");
            let stranger = client("CN=partner").signed_with_wrong_key(&issuing, &partner);
            let ends = gateway.call(gateway.client(stranger.identity_on(&backend.provider()), backend, version));
            assert_eq!(gateway.refusal(&ends).as_deref(), Some("path-invalid"), "{kind:?} {backend:?} {version:?}");
        }
    }
}

#[test]
fn intermediates_may_stand_in_any_order_among_useless_extras() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let upper = TestCertificate::new("CN=upper").as_ca().issued_by(&root);
    let lower = TestCertificate::new("CN=lower").as_ca().issued_by(&upper);
    let partner = client("CN=partner").issued_by(&lower);
    let other = client("CN=other").issued_by(&TestCertificate::new("CN=elsewhere").as_ca().self_signed());
    let policy = policy(&[&root], &[&partner]);
    let [own, lower, upper, root] = partner.chain() else { panic!() };
    let (extra, junk) = (&other.chain()[0], certmap::rustls::pki_types::CertificateDer::from(vec![0x30, 0]));
    for chain in [
        vec![own, lower, upper],
        vec![own, upper, lower],
        vec![own, root, upper, lower],
        vec![own, extra, upper, &junk, lower, own, upper],
    ] {
        assert!(admitted(&policy, &chain), "{}", chain.len());
    }
    // What comes first is who it is, whatever follows.
    assert!(!admitted(&policy, &[lower, own, upper]));
    assert!(!admitted(&policy, &[extra, own, lower, upper]));
    let missing = refusal(&policy, &[own, lower]);
    assert_eq!(missing.code(), RefusalCode::Untrusted);
    assert_eq!(
        missing.path_failure().unwrap().to_string(),
        "the chain is incomplete: `CN=upper` was not presented, and no anchor has this name"
    );
    assert_eq!(refusal(&policy, &[own; 9]).code(), RefusalCode::ChainTooLong);
}

#[test]
fn what_webpki_leaves_out_is_checked() {
    let (root, issuing) = hierarchy();
    let below = |ca: TestCertificate| client("CN=partner").issued_by(&ca.issued_by(&root));
    let ca = || TestCertificate::new("CN=issuing").with_basic_constraints(true, None, true);
    let issuer = failure(&[&root], &below(ca().with_key_usage(&[KeyUsageBit::DigitalSignature, KeyUsageBit::CrlSign])));
    assert!(matches!(issuer, PathFailure::Issuer { .. }), "{issuer}");
    assert!(issuer.to_string().ends_with("may not issue certificates: its key usage does not include keyCertSign"));

    let partner = |usage: &[KeyUsageBit]| TestCertificate::new("CN=p").with_key_usage(usage).issued_by(&issuing);
    assert_eq!(failure(&[&root], &partner(&[KeyUsageBit::KeyEncipherment])), PathFailure::KeyUsage);
    assert_eq!(
        failure(&[&root], &partner(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign])),
        PathFailure::EndEntityIsCa
    );
    let constrained = client("CN=p").with_name_constraints(&[TestName::Dns("a.example")], &[], true);
    assert!(matches!(failure(&[&root], &constrained.issued_by(&issuing)), PathFailure::NameConstraint { .. }));

    // The root's own words: its length of path, its purposes, its dates.
    let shallow = TestCertificate::new("CN=root").with_basic_constraints(true, Some(0), true).self_signed();
    assert_eq!(
        failure(&[&shallow], &client("CN=p").issued_by(&TestCertificate::new("CN=i").as_ca().issued_by(&shallow))),
        PathFailure::PathLength
    );
    let direct = client("CN=p").issued_by(&shallow);
    assert!(admitted(&policy(&[&shallow], &[&direct]), direct.chain()));
    let for_servers = TestCertificate::new("CN=root").as_ca().with_purpose(1).self_signed();
    let wrong = failure(&[&for_servers], &client("CN=p").issued_by(&for_servers));
    assert!(matches!(&wrong, PathFailure::Purpose { member, .. } if member.place == PathPlace::Anchor), "{wrong}");
    let expired = TestCertificate::new("CN=root").as_ca().with_validity(1, NOW.as_secs() - 1).self_signed();
    let late = failure(&[&expired], &client("CN=p").issued_by(&expired));
    assert!(matches!(&late, PathFailure::Expired { member, .. } if member.place == PathPlace::Anchor), "{late}");
}

#[test]
fn every_broken_path_has_its_own_reason() {
    let (root, issuing) = hierarchy();
    let code = |client: &TestIdentity| refusal(&policy(&[&root], &[client]), client.chain_without_root()).code();
    let stranger = TestCertificate::new("CN=stranger").as_ca().self_signed();
    let (past, future) = (NOW.as_secs() - 1, NOW.as_secs() + 1);
    assert_eq!(code(&client("CN=p").with_validity(1, past).issued_by(&issuing)), RefusalCode::CertificateExpired);
    assert_eq!(
        code(&client("CN=p").with_validity(future, future).issued_by(&issuing)),
        RefusalCode::CertificateNotYetValid
    );
    let old = TestCertificate::new("CN=old").as_ca().with_validity(1, past).issued_by(&root);
    let PathFailure::Expired { member, .. } = failure(&[&root], &client("CN=p").issued_by(&old)) else { panic!() };
    assert_eq!((member.place, member.subject.to_string().as_str()), (PathPlace::Intermediate, "CN=old"));
    assert_eq!(code(&client("CN=p").issued_by(&stranger)), RefusalCode::Untrusted);
    assert_eq!(
        code(&TestCertificate::new("CN=p").with_purposes(&[1, 4]).issued_by(&issuing)),
        RefusalCode::WrongPurpose
    );
    assert_eq!(code(&TestCertificate::new("CN=p").with_any_purpose().issued_by(&issuing)), RefusalCode::WrongPurpose);
    assert_eq!(code(&TestCertificate::new("CN=p").with_purposes(&[]).issued_by(&issuing)), RefusalCode::WrongPurpose);
    let for_mail = TestCertificate::new("CN=mail").as_ca().with_purpose(4).issued_by(&root);
    assert_eq!(code(&client("CN=p").issued_by(&for_mail)), RefusalCode::WrongPurpose);
    for broken in [
        TestCertificate::new("CN=ca").as_ca().issued_by(&issuing),
        TestCertificate::new("CN=v1").with_version(1).issued_by(&issuing),
        client("CN=p").with_extension("1.2.3.4", true, &[5, 0]).issued_by(&issuing),
        client("CN=p").issued_by(&client("CN=no ca").issued_by(&root)),
        client("CN=p").issued_by(&TestCertificate::new("CN=no basic constraints").issued_by(&root)),
    ] {
        assert_eq!(code(&broken), RefusalCode::PathInvalid, "{}", broken.certificate().subject());
    }
    let wrong = client("CN=p").with_issuer_name("CN=root").issued_by(&issuing);
    let refused = refusal(&policy(&[&root], &[&wrong]), &wrong.chain()[..1]);
    assert_eq!(
        refused.path_failure().unwrap().to_string(),
        "a signature on the way to the anchor `CN=root` was not made by the key of the issuer that it names"
    );
    let to_stranger = refusal(&policy(&[&root], &[]), client("CN=p").issued_by(&stranger).chain());
    assert_eq!(to_stranger.path_failure().unwrap().to_string(), "the chain ends in `CN=stranger`, which is no anchor");
}

#[test]
fn a_bundle_can_limit_the_length_of_every_path() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().issued_by(&root);
    let renewed = TestCertificate::new("CN=issuing").as_ca().issued_by(&issuing);
    let lower = TestCertificate::new("CN=lower").as_ca().issued_by(&issuing);
    let [direct, one, same, two] = [&root, &issuing, &renewed, &lower].map(|ca| client("CN=p").issued_by(ca));
    let up_to = |most: u32| {
        let bundle = bundle(&[&root]).with_path_length(most);
        let policy = builder(bundle, &[&direct, &one, &same, &two]).build().unwrap();
        [&direct, &one, &same, &two].map(|client| admitted(&policy, client.chain_without_root()))
    };
    assert_eq!(up_to(0), [true, false, false, false]);
    // RFC 5280 §4.2.1.9: a self-issued intermediate does not count.
    assert_eq!(up_to(1), [true, true, true, false]);
    assert_eq!(up_to(2), [true; 4]);
}

#[test]
fn a_purpose_can_be_required_of_clients_below_anchors_and_of_pins() {
    let (root, issuing) = hierarchy();
    let without = TestCertificate::new("CN=p").issued_by(&issuing);
    let with = client("CN=q").issued_by(&issuing);
    let policy = builder(bundle(&[&root]).with_purpose(ClientPurpose::Required), &[&without, &with]).build().unwrap();
    assert_eq!(refusal(&policy, without.chain()).code(), RefusalCode::WrongPurpose);
    assert!(admitted(&policy, with.chain()));

    let (plain, server) =
        (TestCertificate::new("CN=a").self_signed(), TestCertificate::new("CN=b").with_purpose(1).self_signed());
    let pins = |purpose: Option<ClientPurpose>| {
        let mut bundle = TrustBundle::new("b".parse().unwrap());
        bundle.add_pin(plain.certificate().clone()).unwrap();
        bundle.add_pin(server.certificate().clone()).unwrap();
        let bundle = purpose.map_or(bundle.clone(), |purpose| bundle.with_pin_purpose(purpose));
        let policy = builder(bundle, &[&plain, &server]).build().unwrap();
        [admitted(&policy, plain.chain()), admitted(&policy, server.chain())]
    };
    assert_eq!(pins(None), [true, true]);
    assert_eq!(pins(Some(ClientPurpose::IfStated)), [true, false]);
    assert_eq!(pins(Some(ClientPurpose::Required)), [false, false]);
}

#[test]
fn anchors_are_looked_at_when_they_are_added() {
    let text = |certificate: TestCertificate| {
        let error = Entry::anchor(certificate.self_signed().certificate().clone()).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let ca = |name: &str| TestCertificate::new(name);
    let odd = "Entry::danger_odd_anchor";
    assert!(text(ca("CN=a").with_version(1)).starts_with("it is of X.509 version 1"));
    assert!(text(ca("CN=a")).starts_with("it is no CA certificate"));
    assert!(text(ca("CN=a").with_ca_false()).starts_with("it is no CA certificate"));
    assert!(text(ca("CN=a").with_basic_constraints(true, None, false)).contains(odd));
    assert!(text(ca("").as_ca()).starts_with("its subject is empty"));
    assert_eq!(
        text(ca("CN=a").with_ca_true().with_key_usage(&[KeyUsageBit::CrlSign])),
        "its key usage does not include keyCertSign"
    );
    assert_eq!(
        text(ca("CN=a").as_ca().with_extension("1.2.3", true, &[5, 0])),
        "its critical extension 1.2.3 is not processed by path validation"
    );
}

#[test]
fn an_odd_anchor_has_to_be_asked_for_by_its_dangerous_name() {
    let take = |made: TestCertificate| {
        let root = made.self_signed();
        let entry = Entry::danger_odd_anchor(root.certificate().clone()).ok()?;
        let mut bundle = TrustBundle::new("b".parse().unwrap());
        bundle.add(entry.clone()).unwrap();
        let partner = client("CN=p").issued_by(&root);
        let policy = builder(bundle, &[&partner]).build().unwrap();
        Some((entry.oddity().is_some(), admitted(&policy, partner.chain())))
    };
    assert_eq!(take(TestCertificate::new("CN=a").as_ca()), Some((false, true)));
    assert_eq!(take(TestCertificate::new("CN=a").with_version(1)), Some((true, true)));
    assert_eq!(take(TestCertificate::new("CN=a")), Some((true, true)));
    assert_eq!(take(TestCertificate::new("CN=a").with_basic_constraints(true, None, false)), Some((true, true)));
    assert_eq!(take(TestCertificate::new("CN=a").with_ca_false()), None);
    assert_eq!(take(TestCertificate::new("CN=a").with_ca_true().with_key_usage(&[KeyUsageBit::CrlSign])), None);
    assert_eq!(take(TestCertificate::new("").as_ca()), None);
}

#[test]
fn anchors_of_one_name_with_many_keys_are_an_error_and_with_few_all_count() {
    let roots: Vec<_> = (0..5).map(|_| TestCertificate::new("CN=root").as_ca().self_signed()).collect();
    let mut full = bundle(&roots[..4].iter().collect::<Vec<_>>());
    let error = full.add_anchor(roots[4].certificate().clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4 anchors are named `CN=root` and have different keys already: remove those that the CA does not use any more"
    );
    for root in &roots[..4] {
        let partner = client("CN=p").issued_by(root);
        assert!(admitted(&builder(full.clone(), &[&partner]).build().unwrap(), &partner.chain()[..1]));
    }
    // A CA that renewed its certificate on one key is one of them, and room is made by removing.
    let renewed = TestCertificate::new("CN=root").as_ca().with_key_of(&roots[0]).with_serial(&[7]).self_signed();
    full.add_anchor(renewed.certificate().clone()).unwrap();
    full.remove(&roots[1].certificate().fingerprint()).unwrap();
    full.add_anchor(roots[4].certificate().clone()).unwrap();
}

#[test]
fn work_is_bounded_and_too_much_of_it_is_a_refusal() {
    // Seven CAs of one name that all seem to have issued each other, and the one that did is missing.
    let ring: Vec<_> = (0..7).map(|_| TestCertificate::new("CN=ring").as_ca().self_signed()).collect();
    let partner = client("CN=p").issued_by(&ring[0]);
    let anchors: Vec<_> = (0..4).map(|_| TestCertificate::new("CN=ring").as_ca().self_signed()).collect();
    let policy = policy(&anchors.iter().collect::<Vec<_>>(), &[&partner]);
    let mut chain = vec![partner.chain()[0].clone()];
    chain.extend(ring.iter().map(|ca| ca.chain()[0].clone()));
    let refused = refusal(&policy, &chain);
    assert!(matches!(refused.path_failure(), Some(PathFailure::TooMuchWork { .. })), "{refused:?}");
}

#[test]
fn a_key_that_the_provider_does_not_verify_is_found_when_the_policy_is_built() {
    let root = TestCertificate::new("CN=root").as_ca().with_new_key(NewKey::EcP521).self_signed();
    let pin = TestCertificate::new("CN=p").with_new_key(NewKey::EcP521).self_signed();
    let mut bundle = bundle(&[&root]);
    bundle.add_pin(pin.certificate().clone()).unwrap();
    let builder = builder(bundle, &[]);
    assert!(builder.clone().build_with_provider(&Backend::AwsLcRs.provider()).is_ok());
    let error = builder.build_with_provider(&Backend::Ring.provider()).unwrap_err();
    assert_eq!(
        error.problems().iter().map(certmap::policy::Problem::code).collect::<Vec<_>>(),
        ["unverifiable-key"; 2]
    );
    assert!(error.problems()[0].to_string().contains("of type EC P-521, which the crypto provider does not verify"));
}

#[test]
fn a_pin_issues_nothing_and_what_a_ca_signs_becomes_no_pin() {
    let (root, issuing) = hierarchy();
    let pinned = client("CN=pinned").issued_by(&issuing);
    let mut both = bundle(&[&root]);
    both.add_pin(pinned.certificate().clone()).unwrap();
    assert!(both.add_anchor(pinned.certificate().clone()).is_err());
    assert!(both.add_pin(root.certificate().clone()).is_err(), "one certificate is a pin or an anchor");
    let minted = client("CN=admin").issued_by(&pinned);
    let policy = builder(both, &[&pinned, &minted]).build().unwrap();
    assert!(admitted(&policy, pinned.chain()));
    assert!(!admitted(&policy, minted.chain()));
    // The same name and key in another certificate of the CA is another certificate: it has its path, not the pin's.
    let twin = client("CN=pinned").with_key_of(&pinned).with_validity(1, 2).issued_by(&issuing);
    assert_eq!(refusal(&policy, twin.chain()).code(), RefusalCode::CertificateExpired);
}

#[test]
fn a_pinned_key_admits_every_certificate_on_it_and_is_listed_as_such() {
    let first = TestCertificate::new("CN=partner").self_signed();
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_key_pin(first.certificate().clone()).unwrap();
    assert!(bundle.entries().next().unwrap().to_string().starts_with("key-pin - subject=\"CN=partner\""));
    let renewed = TestCertificate::new("CN=renamed").with_version(1).with_key_of(&first).self_signed();
    let expired = TestCertificate::new("CN=partner").with_key_of(&first).with_validity(1, 2).self_signed();
    let other = TestCertificate::new("CN=partner").self_signed();
    let minted = client("CN=admin").issued_by(&first);
    let policy = builder(bundle, &[&first, &other, &minted]).build().unwrap();
    for good in [&first, &renewed] {
        let decision = decide_at(&policy, good.chain(), NOW);
        assert_eq!(decision.principal().unwrap().strength(), certmap::Strength::Key);
    }
    assert_eq!(refusal(&policy, expired.chain()).code(), RefusalCode::CertificateExpired);
    assert_eq!(refusal(&policy, other.chain()).code(), RefusalCode::Untrusted);
    assert_eq!(refusal(&policy, minted.chain()).code(), RefusalCode::Untrusted);
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(builder_of_key(&first), backend);
        let ends = gateway.call(gateway.client(renewed.identity_on(&backend.provider()), backend, version));
        assert_eq!(gateway.refusal(&ends), None, "{backend:?} {version:?}");
    }
}

fn builder_of_key(partner: &TestIdentity) -> Policy {
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_key_pin(partner.certificate().clone()).unwrap();
    builder(bundle, &[partner]).build().unwrap()
}

#[test]
fn a_denial_beats_everything_in_whatever_order() {
    let (root, issuing) = hierarchy();
    let partner = client("CN=partner").issued_by(&issuing);
    let certificate = partner.certificate();
    let mut pinned = bundle(&[&root]);
    pinned.add_pin(certificate.clone()).unwrap();
    let mut by_key = bundle(&[&root]);
    by_key.add_key_pin(certificate.clone()).unwrap();
    let serial: SerialNumber = "09".parse().unwrap();
    let denials = [
        Denial::key(certificate.spki_fingerprint()),
        Denial::serial("CN=issuing".parse().unwrap(), serial.clone()),
        Denial::key(issuing.certificate().spki_fingerprint()),
        Denial::serial("CN=ROOT\\ ".parse().unwrap(), "02".parse().unwrap()),
        Denial::key(root.certificate().spki_fingerprint()),
    ];
    for trust in [bundle(&[&root]), pinned, by_key] {
        let before = |builder: PolicyBuilder| builder.build().unwrap();
        assert!(admitted(&before(builder(trust.clone(), &[&partner])), partner.chain()));
        for (place, denial) in denials.iter().enumerate() {
            let policy = before(builder(trust.clone(), &[&partner]).denial(denial.clone()));
            // A denied CA vouches for nobody, but a pin needs no CA.
            let is_pin = trust.entries().len() == 2;
            let expected = if place >= 2 && is_pin { None } else { Some(RefusalCode::Denied) };
            let decision = decide_at(&policy, partner.chain(), NOW);
            assert_eq!(decision.refusal().map(Refusal::code), expected, "{denial}");
        }
        let disabled = before(builder(trust.clone(), &[&partner]).disabled_user(user("u")));
        assert_eq!(refusal(&disabled, partner.chain()).code(), RefusalCode::UserDisabled);
        let stranger = before(
            builder(trust, &[&partner])
                .denial(Denial::serial("CN=other".parse().unwrap(), serial.clone()))
                .disabled_user(user("v")),
        );
        assert!(admitted(&stranger, partner.chain()));
    }
}

#[test]
fn the_answer_holds_as_long_as_the_shortest_validity_on_the_path() {
    let root = TestCertificate::new("CN=root").as_ca().with_validity(1, NOW.as_secs() + 100).self_signed();
    let partner = client("CN=partner").with_validity(1, NOW.as_secs() + 500).issued_by(&root);
    let policy = policy(&[&root], &[&partner]);
    let at = |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs() + seconds));
    let principal = decide_at(&policy, partner.chain(), NOW).into_result().unwrap();
    assert_eq!(principal.valid_until(), at(100));
    assert!(decide_at(&policy, partner.chain(), at(100)).principal().is_some());
    let late = decide_at(&policy, partner.chain(), at(101));
    assert_eq!(late.refusal().unwrap().code(), RefusalCode::CertificateExpired);
}
