use core::fmt;

use super::*;
use crate::PolicyBuilder;
use crate::map::{CertUserMapping, Selector};
use crate::testing::{NOW, TestCertificate};

/// A trace that writes every step down.
#[derive(Default)]
struct Steps(Vec<(Check, bool, String)>);

impl Trace for Steps {
    fn step(&mut self, check: Check, holds: bool, facts: fmt::Arguments<'_>) {
        self.0.push((check, holds, facts.to_string()));
    }
}

#[test]
fn a_trace_sees_every_check_and_changes_no_answer() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let certificate = partner.certificate().clone();
    let policy = PolicyBuilder::new().partner("erp".parse().unwrap(), certificate.clone(), []).build().unwrap();
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), [certificate.der()]);

    let mut steps = Steps::default();
    let traced = policy.decide_traced(&evidence, NOW, &mut steps);
    let checks: Vec<_> = steps.0.iter().map(|(check, holds, _)| (*check, *holds)).collect();
    assert_eq!(
        checks,
        [
            (Check::Host, true),
            (Check::Anonymous, false),
            (Check::Presented, true),
            (Check::Size, true),
            (Check::Pin, true),
            (Check::Barred, true),
            (Check::Validity, true),
            (Check::CertificateRule, true),
            (Check::KeyRule, false),
            (Check::OneUser, true),
            (Check::Enabled, true),
        ]
    );
    assert_eq!(steps.0[4].2, format!("{} in bundle `partners`", certificate.fingerprint()));
    assert_eq!(traced.to_string(), policy.decide(&evidence, NOW).to_string());

    let stranger = TestCertificate::new("CN=stranger").self_signed();
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), stranger.chain());
    let mut steps = Steps::default();
    assert!(policy.decide_traced(&evidence, NOW, &mut steps).refusal().is_some());
    assert_eq!(steps.0.last().map(|(check, holds, _)| (*check, *holds)), Some((Check::Path, false)));
}

#[test]
fn the_least_of_trust_and_selector_is_the_strength() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let certificate = partner.certificate();
    let mut bundle = crate::TrustBundle::new("b".parse().unwrap());
    bundle.add_pin(certificate.clone()).unwrap();
    let host = crate::Host::new("h".parse().unwrap(), bundle);
    let strength_by = |selectors: &[Selector]| {
        let rule = |selector: &Selector| CertUserMapping::new(selector.clone(), "erp".parse().unwrap());
        let policy = PolicyBuilder::for_host(host.clone()).mappings(selectors.iter().map(rule)).build().unwrap();
        let evidence = Evidence::after_handshake(host.id().clone(), partner.chain());
        policy.decide(&evidence, NOW).principal().map(Principal::strength)
    };
    let (exact, key) =
        (Selector::certificate(certificate.fingerprint()), Selector::key(certificate.spki_fingerprint()));
    assert_eq!(strength_by(std::slice::from_ref(&key)), Some(crate::Strength::Key));
    assert_eq!(strength_by(std::slice::from_ref(&exact)), Some(crate::Strength::Certificate));
    assert_eq!(strength_by(&[key, exact]), Some(crate::Strength::Certificate));
    assert_eq!(strength_by(&[]), None);
}

#[test]
fn a_certificate_that_gives_no_user_name_is_refused_with_what_it_gives() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let made = TestCertificate::new("CN=a/b").issued_by(&root);
    let mut bundle = crate::TrustBundle::new("b".parse().unwrap());
    let anchor = bundle.add_anchor(root.certificate().clone()).unwrap();
    let selector: Selector = format!("under {anchor} attribute CN").parse().unwrap();
    let rule = CertUserMapping::from_source(selector.clone(), "\"iot/\" + attribute CN".parse().unwrap());
    let host = crate::Host::new("h".parse().unwrap(), bundle);
    let policy = PolicyBuilder::for_host(host.clone()).mapping(rule).build().unwrap();
    let decision = policy.decide(&Evidence::after_handshake(host.id().clone(), made.chain()), NOW);
    let (refusal, fingerprint) = (decision.refusal().unwrap(), made.certificate().fingerprint());
    assert_eq!((refusal.code().as_str(), refusal.http_status()), ("user-name", 401));
    assert_eq!(
        refusal.detail(),
        format!(
            "rule `{selector}` takes `iot/a/b` from certificate {fingerprint}, which is no user name: the value has the character '/', which separates the pieces of the name"
        )
    );
    assert_eq!(
        refusal.cure(),
        format!(
            "have the CA write a plain name into the certificate, or map `{fingerprint}` to a user, as an exception over name rules"
        )
    );
}

#[test]
fn a_role_that_asks_for_more_strength_says_by_what_to_map() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let made = TestCertificate::new("CN=p").issued_by(&root);
    let mut bundle = crate::TrustBundle::new("b".parse().unwrap());
    let anchor = bundle.add_anchor(root.certificate().clone()).unwrap();
    let selector: Selector = format!("under {anchor} attribute CN \"p\"").parse().unwrap();
    let host = crate::Host::new("h".parse().unwrap(), bundle);
    let role = crate::Role::from_static("app/Send");
    for (least, by) in [
        (crate::Strength::Certificate, "its fingerprint"),
        (crate::Strength::Key, "its key or fingerprint"),
        (crate::Strength::Serial, "its serial number under its CA, its key or fingerprint"),
    ] {
        let mapping = CertUserMapping::new(selector.clone(), "u".parse().unwrap());
        let user: crate::UserName = "u".parse().unwrap();
        let assignment = crate::RoleAssignment::new(user, role.clone()).at_least(least);
        let builder = PolicyBuilder::for_host(host.clone()).mapping(mapping).assignments([assignment]);
        let evidence = Evidence::after_handshake(host.id().clone(), made.chain());
        let decision = builder.build().unwrap().decide(&evidence, NOW);
        let missing = decision.principal().unwrap().require(&role).unwrap_err();
        let fingerprint = made.certificate().fingerprint();
        assert_eq!(
            missing.cure(),
            format!("map the certificate `{fingerprint}` by {by}, or let the assignment ask for less")
        );
    }
}
