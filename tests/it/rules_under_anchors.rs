//! Rules over names, from the handshake to the user: what trust finds out is what rules ask for.

use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Host, Policy, PolicyBuilder, RefusalCode, Selector, Strength, TrustBundle};

use crate::anchors::{bundle, client, decide_at, hierarchy, refusal};
use crate::common::{Gateway, everywhere, user};

fn under(ca: &TestIdentity, rest: &str) -> Selector {
    format!("under {} {rest}", ca.certificate().fingerprint()).parse().unwrap()
}

/// The rule that everybody with the DNS name `a.example` below this CA is this user.
fn named_a(ca: &TestIdentity, name: &str) -> CertUserMapping {
    CertUserMapping::new(under(ca, "dns \"a.example\""), user(name))
}

fn builder(trust: TrustBundle, rules: impl IntoIterator<Item = CertUserMapping>) -> PolicyBuilder {
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust)).mappings(rules)
}

fn policy(trust: TrustBundle, rules: impl IntoIterator<Item = CertUserMapping>) -> Policy {
    builder(trust, rules).build().unwrap()
}

fn who(policy: &Policy, client: &TestIdentity) -> Option<(String, Strength)> {
    let decision = decide_at(policy, client.chain_without_root(), NOW);
    decision.principal().map(|principal| (principal.user().to_string(), principal.strength()))
}

fn named(name: &str) -> TestCertificate {
    client("CN=device").with_alternative_names(&[TestName::Dns(name)])
}

#[test]
fn a_name_means_its_holder_under_its_own_ca_only() {
    let (root, issuing) = hierarchy();
    let twin = TestCertificate::new("CN=root").as_ca().self_signed();
    let both = policy(bundle(&[&root, &twin]), [named_a(&root, "alpha"), named_a(&twin, "beta")]);
    let name = |name: &str| Some((name.to_owned(), Strength::Name));
    assert_eq!(who(&both, &named("a.example").issued_by(&issuing)), name("alpha"));
    assert_eq!(who(&both, &named("a.example").issued_by(&twin)), name("beta"));
    assert_eq!(who(&both, &named("b.example").issued_by(&issuing)), None);
    assert_eq!(refusal(&both, named("b.example").issued_by(&issuing).chain()).code(), RefusalCode::NotMapped);
    let partner = named("a.example").issued_by(&issuing);
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(policy(bundle(&[&root]), [named_a(&root, "alpha")]), backend);
        let ends = gateway.call(gateway.client(partner.identity_on(&backend.provider()), backend, version));
        let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
        assert_eq!(caller.decide(NOW).principal().unwrap().user(), &user("alpha"), "{backend:?} {version:?}");
    }
}

#[test]
fn the_ca_that_issued_directly_can_be_asked_for_by_its_key() {
    let (root, issuing) = hierarchy();
    let sloppy = TestCertificate::new("CN=issuing").as_ca().with_serial(&[3]).issued_by(&root);
    let key = issuing.certificate().spki_fingerprint();
    let selector = under(&root, &format!("issued-by {key} dns \"a.example\""));
    let policy = policy(bundle(&[&root]), [CertUserMapping::new(selector, user("alpha"))]);
    assert!(who(&policy, &named("a.example").issued_by(&issuing)).is_some());
    assert_eq!(who(&policy, &named("a.example").issued_by(&sloppy)), None);
    // Cross-signing does not matter: the key is the same, whoever else signed its certificate.
    let cross = TestCertificate::new("CN=issuing").as_ca().with_serial(&[4]).with_key_of(&issuing).issued_by(&root);
    assert!(who(&policy, &named("a.example").issued_by(&cross)).is_some());
}

#[test]
fn a_certificate_under_two_anchors_is_who_the_rules_under_both_say() {
    let (root, issuing) = hierarchy();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    // The issuing CA is cross-signed: both anchors vouch for what it issues.
    let cross = TestCertificate::new("CN=issuing").as_ca().with_key_of(&issuing).with_serial(&[5]).issued_by(&other);
    let partner = named("a.example").issued_by(&issuing);
    let chain = [&partner.chain()[0], &issuing.chain()[0], &cross.chain()[0]];
    let decide = |rules: Vec<CertUserMapping>| decide_at(&policy(bundle(&[&root, &other]), rules), &chain, NOW);
    assert!(decide(vec![named_a(&root, "alpha")]).principal().is_some());
    assert!(decide(vec![named_a(&root, "alpha"), named_a(&other, "alpha")]).principal().is_some());
    let contradiction = decide(vec![named_a(&root, "alpha"), named_a(&other, "beta")]);
    assert_eq!(contradiction.refusal().unwrap().code(), RefusalCode::Ambiguous);
}

#[test]
fn a_pinned_certificate_is_who_the_exact_rules_say_and_only_without_them_who_its_names_say() {
    let (root, issuing) = hierarchy();
    let partner = named("a.example").issued_by(&issuing);
    let exact = || CertUserMapping::new(Selector::certificate(partner.certificate().fingerprint()), user("exact"));
    let by_name = || named_a(&root, "name");
    for key in [false, true] {
        let pinned = || {
            let mut trust = bundle(&[&root]);
            let added = if key { TrustBundle::add_key_pin } else { TrustBundle::add_pin };
            added(&mut trust, partner.certificate().clone()).unwrap();
            trust
        };
        let strength = if key { Strength::Key } else { Strength::Certificate };
        assert_eq!(who(&policy(pinned(), [exact(), by_name()]), &partner), Some(("exact".to_owned(), strength)));
        let names = policy(pinned(), [by_name()]);
        assert_eq!(who(&names, &partner), Some(("name".to_owned(), Strength::Name)));
        // Without the path there are no names: a pin vouches for nothing that stands in a certificate.
        assert_eq!(refusal(&names, &partner.chain()[..1]).code(), RefusalCode::NotMapped);
    }
    // Not pinned, two rules that name two users contradict each other, unless one is declared an exception.
    let contradiction = policy(bundle(&[&root]), [exact(), by_name()]);
    assert_eq!(refusal(&contradiction, partner.chain()).code(), RefusalCode::Ambiguous);
    let exception = policy(bundle(&[&root]), [exact().as_exception_over_name_rules(), by_name()]);
    assert_eq!(who(&exception, &partner), Some(("exact".to_owned(), Strength::Certificate)));
}

#[test]
fn a_self_made_certificate_on_a_pinned_key_has_no_names() {
    let (root, _) = hierarchy();
    let partner = TestCertificate::new("CN=partner").self_signed();
    let mut trust = bundle(&[&root]);
    trust.add_key_pin(partner.certificate().clone()).unwrap();
    let posing = named("a.example").with_issuer_name("CN=root").with_key_of(&partner).self_signed();
    let policy = policy(trust, [named_a(&root, "alpha")]);
    assert_eq!(refusal(&policy, posing.chain()).code(), RefusalCode::NotMapped);
}

#[test]
fn a_denied_or_disabled_one_is_refused_whatever_rule_names_it() {
    let (root, issuing) = hierarchy();
    let partner = named("a.example").issued_by(&issuing);
    let disabled = builder(bundle(&[&root]), [named_a(&root, "alpha")]).disabled_user(user("alpha"));
    assert_eq!(refusal(&disabled.build().unwrap(), partner.chain()).code(), RefusalCode::UserDisabled);
    let exception = CertUserMapping::new(Selector::certificate(partner.certificate().fingerprint()), user("beta"))
        .as_exception_over_name_rules();
    let denial = certmap::trust::Denial::key(partner.certificate().spki_fingerprint());
    let denied = builder(bundle(&[&root]), [exception, named_a(&root, "alpha")]).denial(denial);
    assert_eq!(refusal(&denied.build().unwrap(), partner.chain()).code(), RefusalCode::Denied);
}

#[test]
fn names_of_a_bundled_certificate_that_contradict_each_other_are_told_at_build_where_they_can_be() {
    let (root, issuing) = hierarchy();
    let by_policy = || CertUserMapping::new(under(&root, "attribute CN \"device\""), user("beta"));
    let rules = || [named_a(&root, "alpha").with_name("hosts".parse().unwrap()), by_policy()];
    let pinned = |partner: &TestIdentity, anchors: &[&TestIdentity], key: bool| {
        let mut trust = bundle(anchors);
        let added = if key { TrustBundle::add_key_pin } else { TrustBundle::add_pin };
        added(&mut trust, partner.certificate().clone()).unwrap();
        trust
    };
    let codes = |builder: PolicyBuilder| match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(|problem| format!("{}: {problem}", problem.code())).collect(),
    };
    let direct = named("a.example").issued_by(&root);
    let fingerprint = direct.certificate().fingerprint();
    for key in [false, true] {
        assert_eq!(
            codes(builder(pinned(&direct, &[&root], key), rules())),
            [format!(
                "ambiguous-certificate: certificate {fingerprint} is user `alpha` by `hosts` and user `beta` by `{}`: remove one of the two rules",
                by_policy().selector()
            )]
        );
    }
    // An exact rule that is declared an exception is asked alone, and a bundle is asked by itself.
    let exact = CertUserMapping::new(Selector::certificate(fingerprint), user("exact"));
    let with = |exact| codes(builder(pinned(&direct, &[&root], false), rules()).mapping(exact));
    assert_eq!(with(exact.clone()).len(), 1);
    assert_eq!(with(exact.as_exception_over_name_rules()), [""; 0]);
    let elsewhere = Host::new("other".parse().unwrap(), {
        let mut trust = TrustBundle::new("others".parse().unwrap());
        trust.add_pin(direct.certificate().clone()).unwrap();
        trust
    });
    assert_eq!(
        codes(builder(bundle(&[&root]), rules()).host(elsewhere.with_server_names(["b.example".parse().unwrap()]))),
        [""; 0]
    );
    // In the name of the anchor, but not by its key; below an intermediate, which only the peer presents; an anchor itself.
    let twin = TestCertificate::new("CN=root").as_ca().self_signed();
    for other in [named("a.example").issued_by(&twin), named("a.example").issued_by(&issuing)] {
        assert_eq!(codes(builder(pinned(&other, &[&root], false), rules())), [""; 0]);
    }
    let below = named("a.example").issued_by(&issuing);
    let unseen = builder(pinned(&below, &[&root], false), rules()).build().unwrap();
    assert_eq!(
        refusal(&unseen, below.chain_without_root()).code(),
        RefusalCode::Ambiguous,
        "so it is told when it happens"
    );
}
