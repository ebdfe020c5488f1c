//! A partner changes its certificate: staged, checked, switched, finished; and what is wrong is said before it hurts.

use std::time::Duration;

use certmap::document::{AddedAs, Document, EditError, HostSettings, NoReferences};
use certmap::policy::ClientAuth;
use certmap::review::{KeepOld, LastSeen, Rotation, RotationKey, RotationProblem, Turn, forecast, forecast_own};
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::trust::Entry;
use certmap::{
    CertUserMapping, Certificate, Evidence, Host, PolicyBuilder, RoleAssignment, Selector, TrustBundle, UserSource,
};

use crate::common::{SEND, user};

const DAY: Duration = Duration::from_secs(86_400);

fn after(days: u32) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs()) + days * DAY)
}

fn two() -> (Certificate, Certificate) {
    let made = || TestCertificate::new("CN=acme").self_signed().certificate().clone();
    (made(), made())
}

fn rotation(old: &Certificate, new: &Certificate) -> Rotation {
    Rotation::new(old.clone(), new.clone(), 7 * DAY).unwrap()
}

/// A document of two hosts and bundles that pin `old`, which rules of `selector` call `ACME`, with a role of the rule.
fn document(old: &Certificate, kind: AddedAs, selector: &Selector) -> Document {
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    for (host, bundle) in [("one", "b1"), ("two", "b2")] {
        edit.add_ca(&bundle.parse().unwrap(), &old.der(), Some(kind), Some(&"acme".parse().unwrap())).unwrap();
        let settings = HostSettings::new()
            .with_bundle(bundle.parse().unwrap(), ClientAuth::Require)
            .with_server_names([format!("{host}.example").parse().unwrap()]);
        edit.set_ssl_host(&host.parse().unwrap(), &settings).unwrap();
    }
    let rule = CertUserMapping::new(selector.clone(), user("ACME")).with_name("acme".parse().unwrap());
    edit.map(&rule).unwrap();
    edit.assign(&RoleAssignment::to_rule("acme".parse().unwrap(), SEND)).unwrap();
    document
}

#[test]
fn staged_both_are_the_same_user_and_finished_only_the_new_one_is() {
    let other = TestCertificate::new("CN=acme").self_signed();
    let same_key = TestCertificate::new("CN=acme").with_serial(&[2]).with_key_of(&other).self_signed();
    let new_key = TestCertificate::new("CN=acme").self_signed();
    let old = other.certificate();
    for (kind, selector) in [
        (AddedAs::Pin, Selector::certificate(old.fingerprint())),
        (AddedAs::Pin, Selector::key(old.spki_fingerprint())),
        (AddedAs::KeyPin, Selector::key(old.spki_fingerprint())),
    ] {
        for new in [&same_key, &new_key] {
            let new = new.certificate();
            let place = format!("{kind} {selector} {}", new.serial());
            let rotation = rotation(old, new);
            let mut document = document(old, kind, &selector);
            let before = document.clone();
            let one_key = rotation.key() == RotationKey::Same;

            // A key that is pinned and named admits the new certificate by itself, and there is nothing to stage.
            let nothing = one_key && kind == AddedAs::KeyPin;
            let policy = document.build(&NoReferences).unwrap();
            assert_eq!(rotation.check(&policy, NOW).is_empty(), nothing, "{place}");
            let mut edit = document.edit(&NoReferences);
            if nothing {
                assert_eq!(edit.stage_rotation(old, new, None).unwrap_err().code(), "not-found", "{place}");
                continue;
            }
            let alias = "acme-next".parse().unwrap();
            let early = edit.finish_rotation(old, new).unwrap_err();
            assert!(matches!(early, EditError::NotStaged { .. }), "{place}: {early}");
            let changes = edit.stage_rotation(old, new, Some(&alias)).unwrap();
            let rules = usize::from(!(one_key && selector == Selector::key(old.spki_fingerprint())));
            assert_eq!(changes.as_slice().len(), 2 + rules, "{place}: {changes}");
            assert!(edit.stage_rotation(old, new, Some(&alias)).unwrap().is_empty(), "{place}: twice is once");
            let staged = document.build(&NoReferences).unwrap();
            assert_eq!(rotation.check(&staged, NOW), [], "{place}");

            let mut edit = document.edit(&NoReferences);
            edit.finish_rotation(old, new).unwrap();
            assert_eq!(edit.finish_rotation(old, new).unwrap_err().code(), "not-found", "{place}");
            let finished = document.build(&NoReferences).unwrap();
            for host in ["one", "two"] {
                let host: certmap::HostId = host.parse().unwrap();
                let ask = |certificate: &Certificate| {
                    let evidence = Evidence::after_handshake(host.clone(), [certificate.der()]);
                    finished.decide(&evidence, NOW)
                };
                assert_eq!(ask(new).principal().unwrap().roles(), [SEND], "{place}");
                assert!(ask(old).principal().is_none(), "{place}");
            }
            assert_ne!(document, before);
        }
    }
}

#[test]
fn what_is_of_nobody_or_of_somebody_else_is_not_staged() {
    let (old, new) = two();
    let mut document = document(&old, AddedAs::Pin, &Selector::certificate(old.fingerprint()));
    let mut edit = document.edit(&NoReferences);
    let (stranger, other) = two();
    assert_eq!(
        edit.stage_rotation(&stranger, &other, None).unwrap_err().to_string(),
        format!("a pin or a rule of certificate {} (`CN=acme`) is not there: list what is", stranger.fingerprint())
    );
    assert_eq!(
        edit.finish_rotation(&old, &new).unwrap_err().to_string(),
        format!(
            "certificate {} is not there in bundle `b1`, so its holder would be shut out: stage the rotation first",
            new.fingerprint()
        )
    );
    // The new one is another partner's already: nothing is changed.
    edit.map(&CertUserMapping::new(Selector::certificate(new.fingerprint()), user("CRM"))).unwrap();
    let before = edit.document().clone();
    let error = edit.stage_rotation(&old, &new, None).unwrap_err();
    assert_eq!((error.code(), edit.document()), ("new-problem", &before), "{error}");
}

#[test]
fn server_names_are_carried_over_and_exceptions_are_not() {
    let (old, new) = two();
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let text = format!(
        r#"
        version = 1
        hosts = [{{ id = "h", bundle = "b" }}]
        bundles = [{{ name = "b" }}]
        certificates = [
            {{ bundle = "b", kind = "pin", server-names = ["a.example"], certificate = """{}""" }},
            {{ bundle = "b", kind = "anchor", certificate = """{}""" }},
        ]
        mappings = [{{ match = "{}", user = "ACME", exception = true }}]
        "#,
        old.to_pem(),
        ca.certificate().to_pem(),
        old.fingerprint()
    );
    let mut document: Document = toml::from_str(&text).unwrap();
    document.edit(&NoReferences).stage_rotation(&old, &new, None).unwrap();
    let policy = document.build(&NoReferences).unwrap();
    let exceptions: Vec<_> =
        policy.mappings().into_iter().filter(CertUserMapping::is_exception_over_name_rules).collect();
    assert_eq!((policy.mappings().len(), exceptions.len()), (2, 1));
    assert_eq!(*exceptions[0].selector(), Selector::certificate(old.fingerprint()));
    let names = |entry: &Entry| entry.server_names().len();
    let host = policy.hosts().next().unwrap();
    let pins = host.bundle().entries().filter(|entry| [&old, &new].contains(&entry.certificate()));
    assert_eq!(pins.map(names).collect::<Vec<_>>(), [1, 1]);
}

/// Nor is a partner believed as a server whose name it wrote into its next certificate.
#[test]
fn a_new_certificate_answers_for_no_other_servers() {
    let made = |name: &str| TestCertificate::new("CN=acme").with_server_name(name).self_signed().certificate().clone();
    let (old, new) = (made("a.example"), made("bank.example"));
    let text = format!(
        r#"
        version = 1
        hosts = [{{ id = "h", bundle = "b" }}]
        bundles = [{{ name = "b" }}]
        certificates = [{{ bundle = "b", kind = "pin", certificate = """{}""" }}]
        mappings = [{{ match = "{}", user = "ACME" }}]
        "#,
        old.to_pem(),
        old.fingerprint()
    );
    let mut document: Document = toml::from_str(&text).unwrap();
    document.edit(&NoReferences).stage_rotation(&old, &new, None).unwrap();
    let policy = document.build(&NoReferences).unwrap();
    let entry = policy.hosts().next().unwrap().bundle().find(&new.fingerprint()).unwrap();
    let names: Vec<_> = entry.server_names().iter().map(|name| name.to_str().into_owned()).collect();
    assert_eq!(names, ["a.example"]);
}

/// A policy of one host on which these certificates are pinned, with these users.
fn pinned(partners: &[(&Certificate, &str)]) -> PolicyBuilder {
    partners.iter().fold(PolicyBuilder::new(), |builder, (certificate, name)| {
        builder.partner(user(name), (*certificate).clone(), [])
    })
}

#[track_caller]
fn problem(rotation: &Rotation, builder: PolicyBuilder) -> (&'static str, String) {
    let problems = rotation.check(&builder.build().unwrap(), NOW);
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    (problem.code(), problem.to_string())
}

#[test]
fn another_user_other_roles_and_a_refusal_are_told() {
    let (old, new) = two();
    let rotation = rotation(&old, &new);
    assert_eq!(
        problem(&rotation, pinned(&[(&old, "ACME"), (&new, "CRM")])),
        (
            "other-user",
            "on host `default` the old certificate is `ACME` and the new one is `CRM`: map both to the same user"
                .to_owned()
        )
    );
    let (code, text) = problem(&rotation, pinned(&[(&old, "ACME")]));
    assert_eq!(code, "new-refused");
    assert!(text.starts_with("on host `default` the new certificate is not admitted (untrusted: "), "{text}");
    assert!(text.ends_with("): stage the rotation"), "{text}");
    let policy = pinned(&[(&new, "ACME")]).build().unwrap();
    let told: Vec<_> = rotation.check(&policy, NOW).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "on host `default` the new certificate is admitted as `ACME` and the old one is not",
            "the old certificate is admitted on no host: there is nothing to rotate",
        ]
    );
}

#[test]
fn roles_of_a_strength_that_the_new_rule_has_not_are_lost() {
    let made = TestCertificate::new("CN=acme").self_signed();
    let renewed = TestCertificate::new("CN=acme").with_serial(&[2]).with_key_of(&made).self_signed();
    let (old, new) = (made.certificate(), renewed.certificate());
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_pin(old.clone()).unwrap();
    bundle.add_pin(new.clone()).unwrap();
    let assignment = RoleAssignment::new(user("ACME"), SEND).at_least(certmap::Strength::Certificate);
    let builder = PolicyBuilder::for_host(Host::new("h".parse().unwrap(), bundle))
        .mapping(CertUserMapping::new(Selector::certificate(old.fingerprint()), user("ACME")))
        .mapping(CertUserMapping::new(Selector::key(old.spki_fingerprint()), user("ACME")))
        .assignment(assignment);
    let (code, text) = problem(&rotation(old, new), builder);
    assert_eq!(code, "other-roles");
    assert_eq!(text, "on host `h` the new certificate has other roles: lost `iflmap/ESBMessaging.send`, gained none");
}

#[test]
fn below_an_anchor_a_rule_by_name_finds_both_and_a_user_from_the_name_may_not() {
    let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
    let below = TestCertificate::new("CN=issuing").as_ca().issued_by(&ca);
    let issued =
        |name: &str, serial| TestCertificate::new(name).with_serial(&[serial]).with_purpose(2).issued_by(&below);
    let (old, same, other) = (issued("CN=acme", 1), issued("CN=acme", 2), issued("CN=acme2", 3));
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    let anchor = ca.certificate().fingerprint();
    let selector = Selector::under(anchor, certmap::map::NameTest::every_certificate());
    let source: UserSource = r#""partner/" + attribute CN"#.parse().unwrap();
    let policy = PolicyBuilder::for_host(Host::new("h".parse().unwrap(), bundle))
        .mapping(CertUserMapping::from_source(selector, source))
        .build()
        .unwrap();
    let check = |new: &TestIdentity| {
        let rotation = Rotation::new(old.certificate().clone(), new.certificate().clone(), DAY).unwrap();
        let above = [below.certificate()];
        rotation.with_intermediates(above, above).check(&policy, NOW)
    };
    assert_eq!(check(&same), []);
    assert!(matches!(&check(&other)[..], [RotationProblem::OtherUser { .. }]));
}

#[test]
fn a_gap_between_the_two_is_told_and_both_are_compared_all_the_same() {
    let now = NOW.as_secs();
    let made = |from, until| TestCertificate::new("CN=acme").with_validity(from, until).self_signed();
    let (old, new, soon) = (made(now - 10, now + 10), made(now + 20, now + 90), made(now + 5, now + 90));
    let check = |new: &TestIdentity| {
        let rotation = rotation(old.certificate(), new.certificate());
        let builder = pinned(&[(old.certificate(), "ACME"), (new.certificate(), "ACME")]);
        (rotation.both_valid().is_some(), rotation.check(&builder.build().unwrap(), NOW))
    };
    assert_eq!(check(&soon), (true, Vec::new()), "asked for a time when both are valid");
    let (both, problems) = check(&new);
    assert!(!both);
    let [gap] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!(
        gap.to_string(),
        "the old certificate ends 2026-12-01T12:00:10Z and the new one begins 2026-12-01T12:00:20Z: between them nobody is \
         admitted; have the new one begin earlier"
    );
}

#[test]
fn where_nobody_is_admitted_there_is_nothing_to_rotate() {
    let (old, new) = two();
    let problems = rotation(&old, &new).check(&pinned(&[(&two().0, "X")]).build().unwrap(), NOW);
    assert_eq!(problems, [RotationProblem::Nowhere]);
    assert_eq!(
        Rotation::new(old.clone(), old.clone(), DAY).unwrap_err().to_string(),
        "old and new certificate are the same one: give the one that the partner sent anew"
    );
    assert!(rotation(&old, &new).keeps_names());
    let renamed = TestCertificate::new("CN=acme2").self_signed();
    assert!(!rotation(&old, renamed.certificate()).keeps_names());
}

#[test]
fn the_old_one_may_go_when_the_new_one_is_used_and_the_old_one_was_quiet() {
    let (old, new) = two();
    let rotation = rotation(&old, &new);
    let seen = LastSeen::default();
    let ask = |seen: LastSeen, days| rotation.safe_to_remove(seen, after(days));
    assert_eq!(ask(seen, 1), Err(KeepOld::NewNeverSeen));
    // That it is not in the records says something only if they are long enough.
    let never = seen.with_new(after(1));
    assert_eq!(ask(never, 30), Err(KeepOld::RecordsTooShort { until: None }));
    assert_eq!(ask(never.with_records_since(NOW), 7), Err(KeepOld::RecordsTooShort { until: Some(after(7)) }));
    assert_eq!(ask(never.with_records_since(NOW), 8), Ok(()));
    let both = seen.with_old(after(1)).with_new(after(2));
    assert_eq!(ask(both, 8), Err(KeepOld::OldSeen { last: after(1), until: after(8) }));
    assert_eq!(ask(both, 9), Ok(()));
    assert_eq!(
        ask(both, 3).unwrap_err().to_string(),
        "the old certificate was seen 2026-12-02T12:00:00Z: wait until after 2026-12-09T12:00:00Z"
    );
    // A clock that was set back keeps it.
    assert!(ask(seen.with_old(after(20)).with_new(after(20)), 3).is_err());
    // Both end after 364 days; one that has ended may go, whoever was seen.
    assert_eq!(ask(seen, 365), Ok(()));
    let now = NOW.as_secs();
    let future = TestCertificate::new("CN=acme").with_validity(now + 86_400, now + 864_000).self_signed();
    let early = Rotation::new(old, future.certificate().clone(), DAY).unwrap();
    assert_eq!(early.safe_to_remove(seen.with_new(NOW), NOW), Err(KeepOld::NewNotValid));
}

#[test]
fn times_that_cannot_be_are_not_believed() {
    let (old, new) = two();
    let rotation = rotation(&old, &new);
    let ask = |seen: LastSeen, days| rotation.safe_to_remove(seen, after(days));
    let seen = LastSeen::default().with_old(after(1)).with_new(after(2));
    assert_eq!(ask(seen, 20), Ok(()));
    assert_eq!(ask(seen.with_new(after(21)), 20), Err(KeepOld::NotYet { at: after(21) }));
    assert_eq!(ask(seen.with_records_since(after(22)), 20), Err(KeepOld::NotYet { at: after(22) }));
    // The holder went back.
    let back = seen.with_old(after(3));
    assert_eq!(ask(back, 20), Err(KeepOld::OldSeenLast { new: after(2), old: after(3) }));
    assert_eq!(ask(seen.with_old(after(2)), 20), Ok(()));
    let begins = new.validity().not_before();
    let before = UnixTime::since_unix_epoch(Duration::from_secs(begins.as_secs() - 1));
    let early = LastSeen::default().with_new(before).with_records_since(before);
    assert_eq!(ask(early, 20), Err(KeepOld::NewSeenTooEarly { at: before, begins }));
    let first = LastSeen::default().with_new(begins).with_records_since(before);
    assert_eq!(ask(first, 20), Ok(()));
}

/// Whoever sends a certificate need not be its holder.
#[test]
fn a_certificate_of_somebody_else_is_claimed_already() {
    let (root, _) = crate::anchors::hierarchy();
    let victim = crate::anchors::client("CN=victim,O=Acme").issued_by(&root);
    let (old, new) = two();
    let mut trust = crate::anchors::bundle(&[&root]);
    trust.add_pin(old.clone()).unwrap();
    let by_name = crate::fleets::rule(&root, "attribute CN \"victim\"", "\"victim\"");
    let exact = certmap::CertUserMapping::new(certmap::Selector::certificate(old.fingerprint()), "u".parse().unwrap());
    let policy = crate::fleets::policy(trust, [by_name, exact]);
    let claims = |new: &Certificate| rotation(&old, new).claims(&policy, NOW);
    assert_eq!(claims(&new), []);
    let [RotationProblem::Claimed { new: user, .. }] = &claims(victim.certificate())[..] else { panic!() };
    assert_eq!(user.as_str(), "victim");
}

#[test]
fn a_forecast_says_whose_turn_it_is() {
    let now = NOW.as_secs();
    let made = |name: &str, days: u64| TestCertificate::new(name).with_validity(0, now + days * 86_400);
    let (pin, ca) = (made("CN=acme", 10).self_signed(), made("CN=CA", 20).as_ca().self_signed());
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_pin(pin.certificate().clone()).unwrap();
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    let under = Selector::under(ca.certificate().fingerprint(), certmap::map::NameTest::every_certificate());
    let policy = PolicyBuilder::for_host(Host::new("h".parse().unwrap(), bundle))
        .mapping(CertUserMapping::new(Selector::certificate(pin.certificate().fingerprint()), user("ACME")))
        .mapping(CertUserMapping::new(under, user("ALL")))
        .build()
        .unwrap();
    let turns: Vec<_> = forecast(&policy, NOW, 30 * DAY).iter().map(|ending| (ending.turn(), ending.cure())).collect();
    assert_eq!(
        turns,
        [
            (Turn::Partner, "the partner sends its next certificate, and we stage it beside this one"),
            (Turn::Us, "we add the next certificate of the CA beside this one"),
        ]
    );
    // Of what a server presents the first end counts, and one certificate may serve several hosts.
    let (server, above) = (made("CN=gw", 25).self_signed(), made("CN=above", 15).self_signed());
    let (a, b, c) = ("a".parse().unwrap(), "b".parse().unwrap(), "c".parse().unwrap());
    let later = made("CN=later", 31).self_signed();
    let own = [(&a, &server), (&b, &server), (&b, &above), (&c, &later)].map(|(host, one)| (host, one.certificate()));
    let endings = forecast_own(own, NOW, 30 * DAY);
    let told: Vec<_> = endings.iter().map(|ending| (ending.at(), ending.hosts().to_vec(), ending.turn())).collect();
    assert_eq!(told, [(after(15), vec![b], Turn::Us), (after(25), vec![a], Turn::Us)]);
}
