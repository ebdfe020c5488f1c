//! Users taken from names, roles by rule, and what a rule may ask for, below real anchors: from the chain to the principal.

use certmap::map::RuleName;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{
    AuditRecord, CertUserMapping, Enforcement, Host, Policy, PolicyBuilder, Principal, RefusalCode, Role,
    RoleAssignment, Selector, Strength, TrustBundle,
};

use crate::anchors::{bundle, client, decide_at, hierarchy, refusal};
use crate::common::{Gateway, SEND, everywhere, user};

const ADMIN: Role = Role::from_static("iflmap/Admin");

/// What follows the anchor in a selector, and where the user comes from.
pub fn rule(anchor: &TestIdentity, test: &str, source: &str) -> CertUserMapping {
    let selector = format!("under {} {test}", anchor.certificate().fingerprint());
    let selector: Selector = selector.parse().unwrap_or_else(|error| panic!("{selector}: {error:?}"));
    CertUserMapping::from_source(selector, source.parse().unwrap_or_else(|error| panic!("{source}: {error:?}")))
}

fn name(name: &str) -> RuleName {
    name.parse().unwrap()
}

pub fn exact(identity: &TestIdentity, name: &str) -> CertUserMapping {
    CertUserMapping::new(Selector::certificate(identity.certificate().fingerprint()), user(name))
}

fn builder(trust: TrustBundle, rules: impl IntoIterator<Item = CertUserMapping>) -> PolicyBuilder {
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust)).mappings(rules)
}

pub fn policy(trust: TrustBundle, rules: impl IntoIterator<Item = CertUserMapping>) -> Policy {
    builder(trust, rules).build().unwrap_or_else(|error| panic!("{:?}", error.problems()))
}

#[track_caller]
fn admitted(policy: &Policy, client: &TestIdentity) -> Principal {
    let decision = decide_at(policy, client.chain_without_root(), NOW);
    decision.principal().cloned().unwrap_or_else(|| panic!("{decision}"))
}

/// The user, or why there is none.
pub fn who(policy: &Policy, client: &TestIdentity) -> Result<String, RefusalCode> {
    let decision = decide_at(policy, client.chain_without_root(), NOW);
    match decision.refusal() {
        Some(refusal) => Err(refusal.code()),
        None => Ok(decision.principal().unwrap().user().to_string()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be a refusal")]
pub fn of(user: &str) -> Result<String, RefusalCode> {
    Ok(user.to_owned())
}

pub const NOBODY: Result<String, RefusalCode> = Err(RefusalCode::NotMapped);

pub fn dns(name: &str) -> TestCertificate {
    client("O=Devices").with_alternative_names(&[TestName::Dns(name)])
}

#[test]
fn a_fleet_has_users_of_its_own_and_needs_one_assignment() {
    let (root, issuing) = hierarchy();
    let source = r#""iot/" + dns without-suffix ".devices.example""#;
    let fleet = || rule(&root, "dns", source).with_name(name("fleet"));
    let build = || builder(bundle(&[&root]), [fleet()]).assignment(RoleAssignment::to_rule(name("fleet"), SEND));
    let policy = build().disabled_user(user("iot/0003")).disabled_user(user("iot/lost")).build().unwrap();
    let device = |host: &str| dns(host).issued_by(&issuing);

    let one = admitted(&policy, &device("0001.devices.example"));
    assert_eq!((one.user().as_str(), one.rule().as_str(), one.strength()), ("iot/0001", "fleet", Strength::Name));
    assert!(one.require(&SEND).is_ok() && one.require(&ADMIN).is_err());
    let record = one.record(NOW);
    assert_eq!((record.rule(), record.strength()), (Some("fleet"), Some("name")));
    assert_eq!(who(&policy, &device("PUMP-2.devices.example")), of("iot/pump-2"));
    assert_eq!(who(&policy, &device("0003.devices.example")), Err(RefusalCode::UserDisabled));
    // In capitals it is the same host.
    assert_eq!(who(&policy, &device("LOST.devices.example")), Err(RefusalCode::UserDisabled));
    assert_eq!(who(&policy, &device("0001.DEVICES.example")), of("iot/0001"));
    // A device that calls itself like a partner is still a device, and one of somebody else is none.
    assert_eq!(who(&policy, &device("billing.devices.example")), of("iot/billing"));
    for stranger in
        ["billing", "devices.example", ".devices.example", "0001.devices.example.evil", "0001.devices-example"]
    {
        assert_eq!(who(&policy, &device(stranger)), NOBODY, "{stranger}");
    }
    let two = [TestName::Dns("0001.devices.example"), TestName::Dns("0002.devices.example")];
    assert_eq!(who(&policy, &client("O=Devices").with_alternative_names(&two).issued_by(&issuing)), NOBODY);

    let device = device("0001.devices.example");
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(build().build_with_provider(&backend.provider()).unwrap(), backend);
        let ends = gateway.call(gateway.client(device.identity_on(&backend.provider()), backend, version));
        let decision = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap().decide(NOW);
        let principal = decision.into_result().unwrap();
        assert_eq!(principal.user(), &user("iot/0001"), "{backend:?} {version:?}");
        assert!(principal.require(&SEND).is_ok());
    }
}

#[test]
fn a_fleet_moves_to_a_new_ca_under_one_name() {
    let [old, new, other] =
        ["CN=old", "CN=new", "CN=other"].map(|name| TestCertificate::new(name).as_ca().self_signed());
    let fleet = |ca: &TestIdentity| rule(ca, "dns", "dns + \"@fleet\"").with_name(name("fleet"));
    let trust = || bundle(&[&old, &new, &other]);
    let both = builder(trust(), [fleet(&old), fleet(&new)]);
    let policy = both.assignment(RoleAssignment::to_rule(name("fleet"), SEND)).build().unwrap();
    for ca in [&old, &new] {
        let device = admitted(&policy, &dns("a.example").issued_by(ca));
        assert_eq!((device.user().as_str(), device.roles()), ("a.example@fleet", &[SEND][..]));
    }
    assert_eq!(who(&policy, &dns("a.example").issued_by(&other)), NOBODY);
    // Without the name they are two CAs that could make each other's users.
    let strangers = builder(trust(), [fleet(&old), rule(&other, "dns", "dns + \"@fleet\"")]).build().unwrap_err();
    assert_eq!(strangers.problems()[0].code(), "overlapping-reservations");
}

#[test]
fn a_list_admits_whom_it_lists() {
    let (root, issuing) = hierarchy();
    let listed = rule(&root, "attribute CN", r#"attribute CN among ("alice", "SAP ERP")"#);
    let others = rule(&root, "attribute CN", r#"attribute CN + "@corp""#);
    let policy = policy(bundle(&[&root]), [listed]);
    let named = |cn: &str| client(cn).issued_by(&issuing);
    assert_eq!(who(&policy, &named("CN=alice")), of("alice"));
    assert_eq!(who(&policy, &named("CN=SAP ERP")), of("SAP ERP"));
    for stranger in ["CN=Alice", "CN=alic", "CN=alice2", "CN=billing", "CN=alice,CN=alice", "CN=alice+O=x", "O=alice"] {
        assert_eq!(who(&policy, &named(stranger)), NOBODY, "{stranger}");
    }
    // One selector, two sources: which of the two is meant?
    let twice = builder(bundle(&[&root]), [rule(&root, "attribute CN", r#"attribute CN among ("alice")"#), others]);
    assert_eq!(twice.build().unwrap_err().problems()[0].code(), "conflicting-rules");
}

#[test]
fn what_is_no_user_name_is_refused_and_told() {
    let (root, issuing) = hierarchy();
    let policy =
        policy(bundle(&[&root]), [rule(&root, "attribute CN", r#"attribute CN + "@corp""#).with_name(name("staff"))]);
    let named = |cn: &str| client(cn).issued_by(&issuing);
    assert_eq!(who(&policy, &named("CN=a.b")), of("a.b@corp"));
    let hostile = named("CN=root@corp");
    let refused = decide_at(&policy, hostile.chain_without_root(), NOW).into_result().unwrap_err();
    assert_eq!((refused.code(), refused.code().http_status()), (RefusalCode::UserName, 401));
    let fingerprint = hostile.certificate().fingerprint();
    let record = refused.record();
    assert_eq!(
        record.detail().unwrap(),
        format!(
            "rule `staff` takes `root@corp@corp` from certificate {fingerprint}, which is no user name: the value has the character '@', which separates the pieces of the name"
        )
    );
    assert_eq!(
        record.cure().unwrap(),
        format!(
            "have the CA write a plain name into the certificate, or map `{fingerprint}` to a user, as an exception over name rules"
        )
    );
    assert_eq!(record.to_string().parse::<AuditRecord>().unwrap(), record);
    for bad in ["CN=*", "CN=..", "CN=.", "CN=a%u", "CN=\\ a", &format!("CN={}", "a".repeat(146))] {
        assert_eq!(who(&policy, &named(bad)), Err(RefusalCode::UserName), "{bad}");
    }
    // What does as it is told is no exception: the user is written, and out of the reservation.
    let exception = exact(&hostile, "root-corp").as_exception_over_name_rules();
    let cured = builder(bundle(&[&root]), [rule(&root, "attribute CN", r#"attribute CN + "@corp""#), exception]);
    assert_eq!(who(&cured.build().unwrap(), &hostile), of("root-corp"));
}

#[test]
fn a_role_may_ask_for_more_than_a_name() {
    let (root, issuing) = hierarchy();
    let device = dns("a.example").issued_by(&issuing);
    let with = |assignments: &[RoleAssignment], more: &[CertUserMapping]| {
        let rules = [rule(&root, "dns \"a.example\"", "\"ops\"").with_name(name("ops"))];
        let policy = builder(bundle(&[&root]), rules).mappings(more.iter().cloned());
        admitted(&policy.assignments(assignments.iter().cloned()).build().unwrap(), &device)
    };
    for strict in [RoleAssignment::to_rule(name("ops"), ADMIN), RoleAssignment::new(user("ops"), ADMIN)] {
        let strict = strict.at_least(Strength::Key);
        let short = with(std::slice::from_ref(&strict), &[]);
        let missing = short.require(&ADMIN).unwrap_err();
        assert_eq!(
            missing.detail(),
            "user `ops` has the role `iflmap/Admin` only from strength key on, and is known with strength name"
        );
        for (enforcement, warning) in
            [(Enforcement::Observe, None), (Enforcement::Warn, Some("`iflmap/Admin` asks for strength key"))]
        {
            let looked = with(&[strict.clone().with_enforcement(enforcement)], &[]);
            assert!(looked.require(&ADMIN).is_ok());
            assert_eq!((looked.shortfalls().len(), looked.record(NOW).warning()), (1, warning), "{enforcement}");
        }
        // The cure that is told: the same user by its certificate, beside the name.
        assert!(missing.cure().starts_with(&format!("map the certificate `{}`", device.certificate().fingerprint())));
        let sure = with(std::slice::from_ref(&strict), &[exact(&device, "ops")]);
        assert_eq!((sure.strength(), sure.require(&ADMIN).is_ok()), (Strength::Certificate, true));
    }
    // A user that comes from a template is never known by more than a name, whatever the selector asks for.
    let serial = rule(&issuing, "serial 09", r#""t/" + dns"#);
    let direct = dns("a.example").issued_by(&issuing);
    let by_serial = admitted(&policy(bundle(&[&issuing]), [serial]), &direct);
    assert_eq!((by_serial.user().as_str(), by_serial.strength()), ("t/a.example", Strength::Name));
}

#[test]
fn rules_that_name_two_users_refuse_and_an_exception_is_said() {
    let (root, issuing) = hierarchy();
    let device = client("CN=pump,OU=Ops").with_alternative_names(&[TestName::Dns("a.example")]).issued_by(&issuing);
    let fleet = || rule(&root, "dns", r#""iot/" + dns"#).with_name(name("fleet"));
    let ops = || rule(&root, "attribute OU \"Ops\"", "\"ops\"");
    for rules in [[fleet(), ops()], [ops(), fleet()]] {
        let refused = refusal(&policy(bundle(&[&root]), rules), device.chain_without_root());
        let (fingerprint, anchor) = (device.certificate().fingerprint(), root.certificate().fingerprint());
        assert_eq!(
            refused.detail(),
            format!(
                "certificate {fingerprint} is user `iot/a.example` by `fleet` and user `ops` by `under {anchor} attribute OU \"Ops\"`"
            )
        );
    }
    // The two do not contradict each other where one says that it is not for the other's.
    let apart = rule(&root, "all(attribute OU \"Ops\", not dns)", "\"ops\"");
    let policy_apart = policy(bundle(&[&root]), [fleet(), apart]);
    assert_eq!(who(&policy_apart, &device), of("iot/a.example"));
    assert_eq!(who(&policy_apart, &client("OU=Ops").issued_by(&issuing)), of("ops"));
    // Of one certificate, declared; its successor is one of the fleet again.
    let exception = exact(&device, "special").as_exception_over_name_rules();
    let excepted = policy(bundle(&[&root]), [fleet(), exception]);
    assert_eq!(who(&excepted, &device), of("special"));
    assert_eq!(admitted(&excepted, &device).strength(), Strength::Certificate);
    assert_eq!(who(&excepted, &dns("a.example").issued_by(&issuing)), of("iot/a.example"));
}

#[test]
fn a_serial_number_is_one_of_the_ca_that_is_stated() {
    let (root, issuing) = hierarchy();
    let sibling = TestCertificate::new("CN=sibling").as_ca().with_serial(&[3]).issued_by(&root);
    let key = issuing.certificate().spki_fingerprint();
    let stated = policy(bundle(&[&root]), [rule(&root, &format!("issued-by {key} serial 0a20"), "\"u\"")]);
    let numbered = |ca: &TestIdentity| client("CN=x").with_serial(&[0x0a, 0x20]).issued_by(ca);
    assert_eq!(admitted(&stated, &numbered(&issuing)).strength(), Strength::Serial);
    assert_eq!(who(&stated, &numbered(&sibling)), NOBODY);
    assert_eq!(who(&stated, &numbered(&root)), NOBODY);
    assert_eq!(who(&stated, &client("CN=x").with_serial(&[0, 0x8a, 0x20]).issued_by(&issuing)), NOBODY);
    let direct = policy(bundle(&[&root]), [rule(&root, "serial 0a20", "\"u\"")]);
    assert_eq!(who(&direct, &numbered(&root)), of("u"));
    assert_eq!(who(&direct, &numbered(&issuing)), NOBODY, "the root numbers its own");
}

#[test]
fn every_kind_of_name_counts_below_its_anchor() {
    let (root, issuing) = hierarchy();
    // The sequence of two policies, 1.2.3 and 2.23.140.1.2.2.
    let policies = [0x30, 0x10, 0x30, 4, 6, 2, 0x2a, 3, 0x30, 8, 6, 6, 0x67, 0x81, 0x0c, 1, 2, 2];
    let names = [
        TestName::Upn("alice@corp.example"),
        TestName::Other("1.2.3.4", &[0x0c, 1, b'x']),
        TestName::Email("bob@acme.example"),
        TestName::Uri("spiffe://acme.example/api"),
        TestName::Ip("192.0.2.1".parse().unwrap()),
        TestName::Directory("CN=a,O=b"),
        TestName::Dns("api.acme.example"),
    ];
    let rich = client("CN=x,O=Acme\\, Inc.")
        .with_alternative_names(&names)
        .with_extension("2.5.29.32", false, &policies)
        .with_extension("1.3.6.1.4.1.99999.1", false, &[0x0c, 3, b'r', b'o', b'w'])
        .with_extension("1.3.6.1.4.1.99999.2", false, &[2, 1, 5])
        .issued_by(&issuing);
    let plain = client("CN=y").issued_by(&issuing);
    for test in [
        "upn \"alice@corp.example\"",
        "other 1.2.3.4 \"x\"",
        "email \"bob@acme.example\"",
        "email ignoring-case \"bob@ACME.example\"",
        "uri \"spiffe://acme.example/api\"",
        "ip 192.0.2.1",
        "directory \"CN=a,O=b\"",
        "dns \"api.acme.example\"",
        "subject \"CN=x,O=Acme\\\\, Inc.\"",
        "attribute O \"Acme, Inc.\"",
        "policy any 2.23.140.1.2.2",
        "policy nth(1) 1.2.3",
        "extension 1.3.6.1.4.1.99999.1 \"row\"",
        "extension 1.3.6.1.4.1.99999.2 #020105",
        "all(policy any 1.2.3, upn, not attribute O \"Other\")",
        "any(dns \"other.example\", extension 1.3.6.1.4.1.99999.1 \"row\")",
    ] {
        let policy = policy(bundle(&[&root]), [rule(&root, test, "\"u\"")]);
        assert_eq!((who(&policy, &rich), who(&policy, &plain)), (of("u"), NOBODY), "{test}");
    }
    let by_upn = rule(&root, "upn", r#""ad/" + upn without-suffix "@corp.example""#);
    let policy_of_upns = || policy(bundle(&[&root]), [by_upn.clone()]);
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(policy_of_upns(), backend);
        let ends = gateway.call(gateway.client(rich.identity_on(&backend.provider()), backend, version));
        let decision = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap().decide(NOW);
        assert_eq!(decision.principal().unwrap().user(), &user("ad/alice"), "{backend:?} {version:?}");
        // The names of a certificate whose key the peer has not are nobody's.
        let posing = client("CN=x").with_alternative_names(&names).signed_with_wrong_key(&issuing, &plain);
        let ends = gateway.call(gateway.client(posing.identity_on(&backend.provider()), backend, version));
        assert_eq!(gateway.refusal(&ends).as_deref(), Some("path-invalid"), "{backend:?} {version:?}");
    }
}

#[test]
fn an_intermediate_of_the_path_can_be_asked_for() {
    let (root, issuing) = hierarchy();
    let below = TestCertificate::new("CN=below").as_ca().with_serial(&[4]).issued_by(&issuing);
    let sibling = TestCertificate::new("CN=issuing").as_ca().with_serial(&[3]).issued_by(&root);
    let through = format!("through {} every-certificate", issuing.certificate().fingerprint());
    let policy = policy(bundle(&[&root]), [rule(&root, &through, "\"u\"")]);
    assert_eq!(who(&policy, &client("CN=p").issued_by(&issuing)), of("u"));
    assert_eq!(who(&policy, &client("CN=p").issued_by(&below)), of("u"), "wherever on the path");
    assert_eq!(who(&policy, &client("CN=p").issued_by(&sibling)), NOBODY, "another CA of that name");
    assert_eq!(who(&policy, &client("CN=p").issued_by(&root)), NOBODY);
    // Presented beside the path, it is not on the path.
    let direct = client("CN=p").issued_by(&root);
    let chain = [&direct.chain()[0], &issuing.chain()[0]];
    assert_eq!(decide_at(&policy, &chain, NOW).refusal().unwrap().code(), RefusalCode::NotMapped);
}

#[test]
fn a_certificate_that_leads_to_more_rules_than_a_decision_looks_at_is_refused() {
    let (root, issuing) = hierarchy();
    let host = |number: usize| format!("h{number}.example");
    // Each rule asks for 31 names; with its user, that is 32 of 4096.
    let asks = |first: usize| {
        let names: Vec<_> = (first..first + 31).map(|number| format!("dns any \"{}\"", host(number))).collect();
        rule(&root, &format!("all({})", names.join(", ")), "\"u\"")
    };
    let policy = |more: Vec<CertUserMapping>| policy(bundle(&[&root]), (0..200).map(asks).chain(more));
    let with = |names: usize| {
        let names: Vec<_> = (0..names).map(host).collect();
        let names: Vec<_> = names.iter().map(|name| TestName::Dns(name)).collect();
        client("CN=greedy").with_alternative_names(&names).issued_by(&issuing)
    };
    assert_eq!(who(&policy(vec![]), &with(128)), of("u"));
    let greedy = with(200);
    let refused = refusal(&policy(vec![]), greedy.chain_without_root());
    let fingerprint = greedy.certificate().fingerprint();
    assert_eq!((refused.code(), refused.http_status()), (RefusalCode::TooManyRules, 401));
    assert_eq!(
        refused.detail(),
        format!(
            "the names in certificate {fingerprint} lead to rules with more than 4096 tests, which is more than a decision looks at"
        )
    );
    let cure = format!(
        "have the CA write fewer names into the certificate, or map `{fingerprint}` to a user, as an exception over name rules"
    );
    assert_eq!(refused.cure(), cure);
    let cured = policy(vec![exact(&greedy, "u").as_exception_over_name_rules()]);
    assert_eq!(who(&cured, &greedy), of("u"));
}

#[test]
fn two_fleets_of_one_ca_are_told_apart_by_what_their_names_end_in() {
    let (root, issuing) = hierarchy();
    let pumps = || rule(&root, "dns", r#""pump/" + dns without-suffix ".pumps.example""#).with_name(name("pumps"));
    let tills = || rule(&root, "dns", r#""till/" + dns without-suffix ".tills.example""#).with_name(name("tills"));
    let assigned = |rules: [CertUserMapping; 2]| {
        builder(bundle(&[&root]), rules).assignment(RoleAssignment::to_rule(name("tills"), SEND)).build().unwrap()
    };
    let policies = [assigned([pumps(), tills()]), assigned([tills(), pumps()])];
    assert_eq!(policies[0].digest(), policies[1].digest());
    for policy in &policies {
        let till = admitted(policy, &dns("7.tills.example").issued_by(&issuing));
        assert_eq!((till.user().as_str(), till.roles()), ("till/7", &[SEND][..]));
        let pump = admitted(policy, &dns("7.pumps.example").issued_by(&issuing));
        assert_eq!((pump.user().as_str(), pump.rule().as_str(), pump.roles()), ("pump/7", "pumps", &[][..]));
        for neither in ["7.example", "tills.example", "7.tills.example.evil"] {
            assert_eq!(who(policy, &dns(neither).issued_by(&issuing)), NOBODY, "{neither}");
        }
    }
    let list =
        |users: &str, rule_name: &str| rule(&root, "dns", &format!("dns among ({users})")).with_name(name(rule_name));
    let lists = policy(bundle(&[&root]), [list(r#""a", "b""#, "readers"), list(r#""c""#, "writers")]);
    assert_eq!(admitted(&lists, &dns("b").issued_by(&issuing)).rule(), "readers");
    assert_eq!(admitted(&lists, &dns("c").issued_by(&issuing)).rule(), "writers");
    // Ends that one name may have both of, other places, and lists could give one certificate two users.
    for (one, other) in [
        (r#""a/" + dns without-suffix ".example""#, r#""b/" + dns without-suffix ".pumps.example""#),
        (r#""a/" + dns without-prefix "x""#, r#""b/" + dns without-suffix ".example""#),
        (r#""a/" + dns nth(1) without-suffix ".a""#, r#""b/" + dns nth(2) without-suffix ".b""#),
        (r#""a/" + dns without-suffix ".a""#, r#""b/" + email without-suffix ".b""#),
        (r#"dns among ("a", "c")"#, r#"dns among ("b", "c")"#),
        (r#"attribute O among ("a")"#, r#"attribute O in-lower-case among ("b")"#),
        (r#""a/" + dns"#, r#""a/" + dns among ("a/x")"#),
        (r#""a/" + dns without-suffix ".a""#, r#""u""#),
    ] {
        let both = builder(bundle(&[&root]), [rule(&root, "dns", one), rule(&root, "dns", other)]);
        assert_eq!(both.build().unwrap_err().problems()[0].code(), "conflicting-rules", "{one} {other}");
    }
}
