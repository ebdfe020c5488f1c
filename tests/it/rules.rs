//! Rules in a policy: roles by rule and by strength, exceptions, what keeps a policy from being built, its canonical form.

use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{
    CertUserMapping, Enforcement, Evidence, Fingerprint, Holder, Host, Policy, PolicyBuilder, Principal, Role,
    RoleAssignment, Selector, Strength, TrustBundle,
};

use crate::common::{SEND, user};

const ADMIN: Role = Role::from_static("iflmap/Admin");

fn host(pins: &[&TestIdentity]) -> Host {
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    for pin in pins {
        bundle.add_pin(pin.certificate().clone()).unwrap();
    }
    Host::new("gw".parse().unwrap(), bundle)
}

fn exact(identity: &TestIdentity) -> Selector {
    Selector::certificate(identity.certificate().fingerprint())
}

fn by_key(identity: &TestIdentity) -> Selector {
    Selector::key(identity.certificate().spki_fingerprint())
}

fn rule(selector: Selector, user_name: &str, name: &str) -> CertUserMapping {
    CertUserMapping::new(selector, user(user_name)).with_name(name.parse().unwrap())
}

fn to_rule(name: &str, role: Role) -> RoleAssignment {
    RoleAssignment::to_rule(name.parse().unwrap(), role)
}

#[track_caller]
fn admitted(policy: &Policy, identity: &TestIdentity) -> Principal {
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), identity.chain());
    policy.decide(&evidence, NOW).into_result().unwrap_or_else(|refused| panic!("{}", refused.record()))
}

fn partner() -> TestIdentity {
    TestCertificate::new("CN=partner").self_signed()
}

#[track_caller]
fn problems(builder: PolicyBuilder) -> Vec<String> {
    let error = builder.build().unwrap_err();
    error.problems().iter().map(|problem| format!("{}: {problem}", problem.code())).collect()
}

#[test]
fn a_role_of_a_rule_is_had_by_whom_a_rule_of_that_name_matches() {
    let (one, two) = (partner(), partner());
    let policy = PolicyBuilder::for_host(host(&[&one, &two]))
        .mappings([rule(exact(&one), "a", "fleet"), rule(exact(&two), "b", "others"), rule(by_key(&one), "a", "keys")])
        .assignments([to_rule("fleet", SEND), to_rule("keys", ADMIN)])
        .assignment(RoleAssignment::new(user("b"), Role::from_static("app/own")))
        .build()
        .unwrap();
    assert_eq!(admitted(&policy, &one).roles(), [ADMIN, SEND], "by both rules that matched");
    assert_eq!(admitted(&policy, &one).rule(), "fleet", "the stronger one is reported");
    assert_eq!(admitted(&policy, &two).roles(), [Role::from_static("app/own")]);
    let missing = admitted(&policy, &two).require(&SEND).unwrap_err();
    assert_eq!(
        (missing.needs(), missing.detail()),
        (None, "user `b` does not have the role `iflmap/ESBMessaging.send`".to_owned())
    );
}

#[test]
fn a_rule_user_or_role_of_others_changes_no_decision() {
    let (one, two) = (partner(), partner());
    let base = || {
        PolicyBuilder::for_host(host(&[&one, &two]))
            .mapping(rule(exact(&one), "a", "fleet"))
            .assignment(to_rule("fleet", SEND))
    };
    let others = base()
        .mappings([
            rule(exact(&two), "b", "others"),
            rule(Selector::key(certmap::SpkiFingerprint::of(b"nobody")), "c", "none"),
        ])
        .assignments([
            to_rule("others", ADMIN),
            RoleAssignment::new(user("b"), ADMIN),
            RoleAssignment::new(user("nobody"), SEND),
        ]);
    let facts = |builder: PolicyBuilder| {
        let principal = admitted(&builder.build().unwrap(), &one);
        (principal.user().clone(), principal.rule(), principal.roles().to_vec(), principal.strength())
    };
    assert_eq!(facts(base()), facts(others));
}

#[test]
fn a_rule_name_said_twice_for_one_certificate_loses_no_role() {
    let one = partner();
    for names in [["a", "b"], ["b", "a"]] {
        let policy = PolicyBuilder::for_host(host(&[&one]))
            .mappings(names.map(|name| rule(exact(&one), "u", name)))
            .assignments([to_rule("a", SEND), to_rule("b", ADMIN)])
            .build()
            .unwrap();
        assert_eq!(
            (admitted(&policy, &one).roles(), admitted(&policy, &one).rule().as_str()),
            (&[ADMIN, SEND][..], "a")
        );
    }
}

#[test]
fn a_role_may_ask_for_more_strength_than_there_is() {
    let one = partner();
    let policy = |selector: Selector, assignments: &[RoleAssignment]| {
        PolicyBuilder::for_host(host(&[&one]))
            .mapping(rule(selector, "u", "r"))
            .assignments(assignments.iter().cloned())
            .build()
            .unwrap()
    };
    let strict = RoleAssignment::new(user("u"), ADMIN).at_least(Strength::Certificate);
    let sure = admitted(&policy(exact(&one), std::slice::from_ref(&strict)), &one);
    assert!(sure.require(&ADMIN).is_ok() && sure.shortfalls().is_empty());

    let weak = policy(by_key(&one), std::slice::from_ref(&strict));
    let weak = admitted(&weak, &one);
    assert_eq!((weak.roles(), weak.shortfalls().len()), (&[][..], 1));
    let missing = weak.require(&ADMIN).unwrap_err();
    assert_eq!((missing.code(), missing.needs()), ("role-missing", Some(Strength::Certificate)));
    assert_eq!(
        missing.detail(),
        "user `u` has the role `iflmap/Admin` only from strength certificate on, and is known with strength key"
    );
    let fingerprint = one.certificate().fingerprint();
    assert_eq!(
        missing.cure(),
        format!("map the certificate `{fingerprint}` by its fingerprint, or let the assignment ask for less")
    );
    assert_eq!(weak.record(NOW).warning(), None, "nothing was given");

    for (enforcement, warning) in
        [(Enforcement::Observe, None), (Enforcement::Warn, Some("`iflmap/Admin` asks for strength certificate"))]
    {
        let trial = strict.clone().with_enforcement(enforcement);
        let principal = admitted(&policy(by_key(&one), &[trial]), &one);
        assert!(principal.require(&ADMIN).is_ok());
        let shortfalls: Vec<_> =
            principal.shortfalls().iter().map(|s| (s.role(), s.least(), s.enforcement())).collect();
        assert_eq!(shortfalls, [(&ADMIN, Strength::Certificate, enforcement)]);
        let record = principal.record(NOW);
        assert_eq!(record.warning(), warning);
        assert_eq!(record.to_string().parse::<certmap::AuditRecord>().unwrap(), record);
    }

    // Each assignment gives by itself: the mildest one decides, and one that asks for nothing leaves nothing short.
    let observed = to_rule("r", ADMIN).at_least(Strength::Certificate).with_enforcement(Enforcement::Observe);
    let both = admitted(&policy(by_key(&one), &[strict.clone(), observed]), &one);
    assert_eq!((both.roles(), both.shortfalls()[0].enforcement()), (&[ADMIN][..], Enforcement::Observe));
    for enough in [to_rule("r", ADMIN), to_rule("r", ADMIN).at_least(Strength::Key)] {
        let both = admitted(&policy(by_key(&one), &[strict.clone(), enough]), &one);
        assert_eq!((both.roles(), both.shortfalls()), (&[ADMIN][..], &[][..]));
    }
}

#[test]
fn every_problem_of_rules_is_told_with_its_cure() {
    let (pin, ca) = (partner(), TestCertificate::new("CN=ca").with_ca_true().self_signed());
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    let fingerprint = bundle.add_pin(pin.certificate().clone()).unwrap();
    let anchor = bundle.add_anchor(ca.certificate().clone()).unwrap();
    let builder = || PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle.clone()));
    let under = |ca: &str| -> Selector { format!("under {ca} dns \"a.example\"").parse().unwrap() };
    let rule_problems = |rules: &[CertUserMapping]| problems(builder().mappings(rules.iter().cloned()));
    assert!(builder().mapping(rule(under(&anchor.to_string()), "u", "r")).build().is_ok());

    let other_digit = |c: char| if c == '0' { '1' } else { '0' };
    let typed: String =
        anchor.to_string().char_indices().map(|(at, c)| if at == 30 { other_digit(c) } else { c }).collect();
    let stranger = Fingerprint::of(b"stranger").to_string();
    for (ca, cure) in [
        (&fingerprint.to_string(), "it is there as a pin; add it as an anchor if it is a CA".to_owned()),
        (&typed, format!("is `{anchor}` meant?")),
        (&stranger, "add the CA to the bundle as an anchor, or correct the fingerprint".to_owned()),
    ] {
        assert_eq!(
            rule_problems(&[rule(under(ca), "u", "r")]),
            [format!(
                "unknown-anchor: `under {ca} dns \"a.example\"` is written under {ca}, which is no anchor of any host's bundle: {cure}"
            )]
        );
    }

    let any = format!("under {anchor} dns");
    let template =
        |selector: &str, source: &str| CertUserMapping::from_source(selector.parse().unwrap(), source.parse().unwrap());
    let fleet = template(&any, "\"iot/\" + dns");
    let by_mail = template(&format!("under {anchor} email"), "\"iot/\" + email");
    let exact = exact(&pin);
    for (rules, expected) in [
        (
            [template(&any, "\"a\""), fleet.clone()],
            format!("conflicting-rules: `{any}` is mapped to user `a` and to `\"iot/\" + dns`: remove one of the two rules"),
        ),
        (
            [fleet.clone(), by_mail],
            format!("overlapping-reservations: rules `{any}` and `under {anchor} email` could name the same user, by `\"iot/\" + dns` and by `\"iot/\" + email`: give each its own beginning or end, or one rule name if they are one fleet with one user source"),
        ),
        (
            [fleet.clone(), CertUserMapping::new(exact.clone(), user("iot/x"))],
            format!("reserved-user: user `iot/x` is reserved for rule `{any}`: give the user another name, or the rule another beginning or end"),
        ),
        (
            [fleet.clone(), template(&exact.to_string(), "\"t/\" + dns")],
            format!("template-without-ca: `{exact}` names no CA, so the user cannot be taken from the certificate (`\"t/\" + dns`): write the user, or a selector with `under`"),
        ),
        (
            [template(&any, "\"pos/\" + dns"), fleet.clone()],
            format!("conflicting-rules: `{any}` is mapped to user `\"iot/\" + dns` and to `\"pos/\" + dns`: remove one of the two rules, or have each leave out a beginning or end that the other's values do not have"),
        ),
        (
            [fleet.clone(), rule(format!("under {anchor} through {anchor} dns").parse().unwrap(), "u", "r")],
            format!("through-anchor: `under {anchor} through {anchor} dns` asks for a path through its own anchor, which is no intermediate: leave that `through` out"),
        ),
        (
            [fleet.clone(), rule(by_key(&pin), "u", "r").as_exception_over_name_rules()],
            format!("no-exception: `{}` is declared an exception over name rules, but only an exact certificate can be one: remove the declaration, or write the certificate's fingerprint", by_key(&pin)),
        ),
        (
            [rule(exact.clone(), "u", "r"), fleet.clone().with_name("r".parse().unwrap())],
            "rule-name-twice: rule name `r` stands for rules with user `u` and `\"iot/\" + dns`: give each a name of its own".to_owned(),
        ),
    ] {
        assert_eq!(rule_problems(&rules), [expected]);
    }

    let pinned = || PolicyBuilder::for_host(host(&[&pin])).mapping(rule(exact.clone(), "u", "Fleet"));
    assert_eq!(
        problems(pinned().assignments([to_rule("fleet", SEND), to_rule("cars", SEND)])),
        [
            "unknown-rule: role `iflmap/ESBMessaging.send` is given to rule `fleet`, but no rule has that name: is `Fleet` meant?",
            "unknown-rule: role `iflmap/ESBMessaging.send` is given to rule `cars`, but no rule has that name: give the name to a rule, or the role to a user",
        ]
    );
}

#[test]
fn the_canonical_form_has_everything_about_rules_and_roles() {
    let one = partner();
    let build = |mapping: CertUserMapping, assignments: &[RoleAssignment]| {
        let builder = PolicyBuilder::for_host(host(&[&one])).mapping(mapping);
        builder.assignments(assignments.iter().cloned()).build().unwrap().canonical_form()
    };
    let plain = || rule(exact(&one), "u v", "r");
    let fingerprint = one.certificate().fingerprint();
    let with = |lines: &str| {
        format!(
            "certmap policy 3\nhost gw main require refuse-in-handshake hints none bundle partners default\nbundle partners purpose if-stated pins ignored\npin partners {fingerprint} -\n{lines}"
        )
    };
    let map = format!("map {fingerprint} r u v\n");
    assert_eq!(build(plain(), &[]), with(&map));
    assert_eq!(build(plain().as_exception_over_name_rules(), &[]), with(&format!("exception {fingerprint} r u v\n")));
    let for_user = |role| RoleAssignment::to(Holder::User(user("u v")), role);
    let roles = [
        for_user(SEND),
        for_user(ADMIN).at_least(Strength::Key).with_enforcement(Enforcement::Warn),
        to_rule("r", SEND),
        to_rule("r", ADMIN).at_least(Strength::Certificate),
        // Asks for nothing, so how it is enforced means nothing.
        for_user(SEND).with_enforcement(Enforcement::Observe),
    ];
    let lines = "role-at-least certificate enforce iflmap/Admin rule r\nrole-of-rule iflmap/ESBMessaging.send r\nrole-at-least key warn iflmap/Admin user u v\nrole iflmap/ESBMessaging.send u v\n";
    assert_eq!(build(plain(), &roles), with(&format!("{map}{lines}")));
    let reversed: Vec<_> = roles.iter().rev().cloned().collect();
    assert_eq!(build(plain(), &reversed), with(&format!("{map}{lines}")));
}

#[test]
fn mp_30_no_role_comes_from_a_certificate() {
    let one = TestCertificate::new("CN=system:admin,OU=iflmap/Admin,O=system:masters").self_signed();
    let policy = PolicyBuilder::for_host(host(&[&one])).mapping(rule(exact(&one), "u", "r")).build().unwrap();
    assert_eq!(admitted(&policy, &one).roles(), [] as [Role; 0]);
    assert!(admitted(&policy, &one).require(&ADMIN).is_err());
}
