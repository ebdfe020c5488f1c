//! Building a policy: contradictions, all at once, and one canonical form.

use certmap::testing::{NOW, TestCertificate};
use certmap::{
    BundleName, CertUserMapping, Evidence, Host, Policy, PolicyBuilder, Role, RoleAssignment, Selector, TrustBundle,
};

use crate::common::{SEND, user};

fn host(limit: usize) -> Host {
    let name: BundleName = "partners".parse().unwrap();
    Host::new("default".parse().unwrap(), TrustBundle::with_limit(name, limit))
}

/// The code and message of every problem.
#[track_caller]
fn problems(builder: PolicyBuilder) -> Vec<String> {
    let error = builder.build().unwrap_err();
    error.problems().iter().map(|problem| format!("{}: {problem}", problem.code())).collect()
}

#[test]
fn every_problem_is_told_at_once_with_its_cure() {
    let one = TestCertificate::new("CN=one").self_signed();
    let ca = TestCertificate::new("CN=ca").with_ca_true().self_signed();
    let full = TestCertificate::new("CN=full").self_signed();
    let mut bundle = TrustBundle::with_limit("partners".parse().unwrap(), 2);
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle))
        .partner(user("a"), one.certificate().clone(), [])
        .partner(user("b"), one.certificate().clone(), [])
        .partner(user("c"), full.certificate().clone(), [])
        .mapping(CertUserMapping::new(Selector::key(one.certificate().spki_fingerprint()), user("d")));
    let (fingerprint, key) = (one.certificate().fingerprint(), one.certificate().spki_fingerprint());
    assert_eq!(
        problems(builder.clone()),
        [
            "partner: the certificate of partner `c` cannot be pinned: bundle `partners` is full: its limit is 2 certificates (`TrustBundle::with_limit` chooses another)"
                .to_owned(),
            format!("conflicting-rules: `{fingerprint}` is mapped to user `a` and to `b`: remove one of the two rules"),
            format!("ambiguous-certificate: certificate {fingerprint} is user `a` by `{fingerprint}` and user `d` by `{key}`: remove one of the two rules"),
        ]
    );
    let first = "the policy has 3 problems, the first: the certificate of partner `c` cannot be pinned: bundle `partners` is full: its limit is 2 certificates (`TrustBundle::with_limit` chooses another)";
    assert_eq!(builder.build().unwrap_err().to_string(), first);
    assert_eq!(
        problems(PolicyBuilder::new()),
        [
            "empty-bundle: host `default` asks for a client certificate, but its bundle `partners` is empty: add a certificate to it"
        ]
    );
}

#[test]
fn many_certificates_may_be_one_user_and_saying_a_thing_twice_changes_nothing() {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let partner = |builder: PolicyBuilder, partner: &certmap::testing::TestIdentity| {
        builder.partner(user("erp"), partner.certificate().clone(), [SEND])
    };
    let said_once = partner(partner(PolicyBuilder::new(), &one), &two).build().unwrap();
    let twice = partner(partner(partner(PolicyBuilder::new(), &one), &two), &one).build().unwrap();
    assert_eq!(said_once.canonical_form(), twice.canonical_form());
    for certificate in [&one, &two] {
        let evidence = Evidence::after_handshake(said_once.hosts().next().unwrap().id().clone(), certificate.chain());
        assert_eq!(said_once.decide(&evidence, NOW).principal().unwrap().user(), &user("erp"));
    }
}

#[test]
fn the_order_of_calls_changes_neither_digest_nor_decisions() {
    let partners: Vec<_> = (0u8..6).map(|n| TestCertificate::new(&format!("CN=p{n}")).self_signed()).collect();
    let build = |order: &[usize]| -> Policy {
        let mut builder = PolicyBuilder::new();
        for n in order {
            let name = user(&format!("user{}", n / 2));
            let selector = Selector::key(partners[*n].certificate().spki_fingerprint());
            builder = builder
                .assignment(RoleAssignment::new(name.clone(), format!("app/role{n}").parse::<Role>().unwrap()))
                .mapping(
                    CertUserMapping::new(selector.clone(), name.clone()).with_name(format!("rule{n}").parse().unwrap()),
                )
                .mapping(CertUserMapping::new(selector, name.clone()))
                .partner(name, partners[*n].certificate().clone(), [SEND]);
        }
        builder.build().unwrap()
    };
    let mut order: Vec<usize> = (0..partners.len()).collect();
    let reference = build(&order);
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20 {
        random.shuffle(&mut order);
        let shuffled = build(&order);
        assert_eq!(shuffled.canonical_form(), reference.canonical_form());
        assert_eq!(shuffled.digest(), reference.digest());
        for partner in &partners {
            let evidence = Evidence::after_handshake(reference.hosts().next().unwrap().id().clone(), partner.chain());
            let records = [&shuffled, &reference].map(|policy| policy.decide(&evidence, NOW).to_string());
            assert_eq!(records[0], records[1]);
        }
    }
}

#[test]
fn the_canonical_form_is_lines_that_a_person_can_compare() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let names = ["gw.example.com".parse().unwrap()];
    let policy = PolicyBuilder::for_host(host(3).with_server_names(names))
        .partner(user("SAP ERP"), partner.certificate().clone(), [SEND])
        .build()
        .unwrap();
    let fingerprint = partner.certificate().fingerprint();
    let expected = format!(
        "certmap policy 3\nhost default main require refuse-in-handshake hints none bundle partners\nname default gw.example.com\nbundle partners purpose if-stated pins ignored\npin partners {fingerprint} -\nmap {fingerprint} - SAP ERP\nrole iflmap/ESBMessaging.send SAP ERP\n"
    );
    assert_eq!(policy.canonical_form(), expected);
    let digest = certmap::Fingerprint::of(expected.as_bytes()).to_string();
    assert_eq!(policy.digest().to_string(), digest);
}

#[test]
fn everything_that_can_change_a_decision_changes_the_digest() {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let base = || PolicyBuilder::for_host(host(9)).partner(user("erp"), one.certificate().clone(), [SEND]);
    let key = Selector::key(one.certificate().spki_fingerprint());
    let mut list = certmap::trust::Revocation::new();
    list.add_pem(certmap::testing::TestRevocationList::new().signed_by(&one).pem().as_bytes()).unwrap();
    let names = || ["a.example".parse::<certmap::policy::HostName>().unwrap()];
    let policies = [
        base(),
        base().partner(user("erp"), two.certificate().clone(), []),
        base().partner(user("two"), two.certificate().clone(), []),
        base().mapping(CertUserMapping::new(key.clone(), user("erp"))),
        base().mapping(CertUserMapping::new(key, user("erp")).with_name("r".parse().unwrap())),
        base().assignment(RoleAssignment::new(user("erp"), Role::from_static("a/b"))),
        base().assignment(RoleAssignment::new(user("two"), SEND)),
        PolicyBuilder::for_host(host(9).with_server_names(names())).partner(
            user("erp"),
            one.certificate().clone(),
            [SEND],
        ),
        PolicyBuilder::for_host(host(9)).partner(user("erp2"), one.certificate().clone(), [SEND]),
        base().denial(certmap::trust::Denial::key(two.certificate().spki_fingerprint())),
        base().denial(certmap::trust::Denial::serial("CN=a".parse().unwrap(), "01".parse().unwrap())),
        base().disabled_user(user("two")),
        base()
            .revocation(certmap::trust::Revocation::new().danger_accept_stale_lists(std::time::Duration::from_secs(1))),
        base().revocation(list),
        PolicyBuilder::for_host(Host::new(
            "default".parse().unwrap(),
            TrustBundle::with_limit("partners".parse().unwrap(), 9).with_path_length(1),
        ))
        .partner(user("erp"), one.certificate().clone(), [SEND]),
    ];
    let count = policies.len();
    let digests: std::collections::HashSet<_> =
        policies.into_iter().map(|builder| builder.build().unwrap().digest().to_string()).collect();
    assert_eq!(digests.len(), count);
}

#[test]
fn an_unrelated_partner_changes_no_decision_about_another() {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let without = PolicyBuilder::new().partner(user("erp"), one.certificate().clone(), [SEND]);
    let with = without.clone().partner(user("two"), two.certificate().clone(), []).build().unwrap();
    let without = without.build().unwrap();
    let evidence = |partner: &certmap::testing::TestIdentity| {
        Evidence::after_handshake(with.hosts().next().unwrap().id().clone(), partner.chain())
    };
    for policy in [&with, &without] {
        let decision = policy.decide(&evidence(&one), NOW);
        let principal = decision.principal().unwrap();
        assert_eq!((principal.user(), principal.roles()), (&user("erp"), &[SEND][..]));
    }
    assert!(with.decide(&evidence(&two), NOW).principal().is_some());
    assert!(without.decide(&evidence(&two), NOW).principal().is_none());
}

/// A rule that were left out of it would be changed and the policy be taken for the same: callers would stay who they were.
#[test]
fn every_rule_stands_in_the_canonical_form_in_order_however_many_there_are() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    // Exceptions stand before the others.
    let is_exception = |number: u32| number.is_multiple_of(5) && number % 3 != 2;
    for count in [0u32, 1, 63, 64, 65, 128, 300] {
        let rule = |number: u32, name: &str| {
            // Certificates, and keys behind them.
            let selector = match number % 3 {
                2 => Selector::key(certmap::SpkiFingerprint::of(&number.to_be_bytes())),
                _ => Selector::certificate(certmap::Fingerprint::of(&number.to_be_bytes())),
            };
            let rule = CertUserMapping::new(selector, user(name));
            if is_exception(number) { rule.as_exception_over_name_rules() } else { rule }
        };
        let build = |changed: Option<u32>| {
            let name = |number| if changed == Some(number) { "b" } else { "a" };
            let rules = (0..count).map(|number| rule(number, name(number)));
            let builder = PolicyBuilder::for_host(host(1)).partner(user("p"), partner.certificate().clone(), []);
            builder.mappings(rules).build().unwrap()
        };
        let policy = build(None);
        let form = policy.canonical_form();
        let lines: Vec<&str> =
            form.lines().filter(|line| line.starts_with("map ") || line.starts_with("exception ")).collect();
        assert!(lines.is_sorted());
        let word = |number| if is_exception(number) { "exception" } else { "map" };
        let expected: std::collections::BTreeSet<String> =
            (0..count).map(|number| format!("{} {} - a", word(number), rule(number, "a").selector())).collect();
        let others: std::collections::BTreeSet<String> =
            lines.iter().filter(|line| line.ends_with(" a")).map(ToString::to_string).collect();
        assert_eq!((others, lines.len()), (expected, count as usize + 1));
        for changed in 0..count {
            assert_ne!(build(Some(changed)).digest(), policy.digest(), "{changed} of {count}");
        }
    }
}
