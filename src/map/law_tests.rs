//! Laws that hold for every table and certificate, and what templates and other systems' rules come to.

use std::collections::BTreeSet;

use super::index::Probe;
use super::names::Names;
use super::selector::Kind;
use super::*;
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::table::colliding::alike;
use crate::testing::{TestCertificate, TestIdentity};
use crate::trace::{Check, NoTrace, Trace};
use crate::voucher::Voucher;

fn voucher(anchor: Fingerprint, intermediates: &[Fingerprint]) -> Voucher {
    let issuer = intermediates.first().copied().unwrap_or(anchor);
    Voucher {
        anchor,
        issuer_key: SpkiFingerprint::of(issuer.as_bytes()),
        intermediates: intermediates.into(),
        rewritten: [].into(),
    }
}

fn ca(number: usize) -> Fingerprint {
    Fingerprint::of(format!("ca {number}").as_bytes())
}

#[track_caller]
fn rule(selector: &str, source: &str) -> CertUserMapping {
    let selector = selector.parse().unwrap_or_else(|error| panic!("{selector}: {error:?}"));
    CertUserMapping::from_source(selector, source.parse().unwrap_or_else(|error| panic!("{source}: {error:?}")))
}

/// The user, or why there is none.
fn who(rules: &[CertUserMapping], certificate: &Certificate, vouchers: &[Voucher]) -> Result<String, &'static str> {
    let (table, problems) = MappingTable::new(rules);
    assert_eq!(problems, []);
    match table.under(certificate, vouchers, &mut NoTrace) {
        Lookup::Ambiguous(_) => Err("ambiguous"),
        Lookup::None => Err("none"),
        Lookup::One(matched) => Ok(matched.user.to_string()),
        Lookup::TooManyTests => Err("too many tests"),
        Lookup::Unnamed(_) => Err("unnamed"),
    }
}

fn codes(rules: &[CertUserMapping]) -> Vec<&'static str> {
    MappingTable::new(rules).1.iter().map(RuleProblem::code).collect()
}

const NAMES: [&str; 3] = ["a", "b", "ab"];

fn random_value(random: &mut fastrand::Rng) -> &'static str {
    NAMES[random.usize(..NAMES.len())]
}

fn random_test(random: &mut fastrand::Rng, depth: usize) -> NameTest {
    let several = |random: &mut fastrand::Rng| -> Vec<NameTest> {
        (0..random.usize(1..4)).map(|_| random_test(random, depth + 1)).collect()
    };
    match random.usize(..if depth < 2 { 9 } else { 6 }) {
        0 => format!("dns any \"{}.example\"", random_value(random)).parse().unwrap(),
        1 => format!("dns \"{}.example\"", random_value(random)).parse().unwrap(),
        2 => format!("attribute CN \"{}\"", random_value(random)).parse().unwrap(),
        3 => format!("attribute O all \"{}\"", random_value(random)).parse().unwrap(),
        4 => format!("serial {:02x}", random.u8(1..4)).parse().unwrap(),
        5 => format!("dns nth({}) \"{}.example\"", random.u8(1..3), random_value(random)).parse().unwrap(),
        // What can never hold is no test.
        6 => NameTest::all(several(random)).unwrap_or_else(|_| NameTest::every_certificate()),
        7 => NameTest::any(several(random)).unwrap(),
        _ => {
            let excluded = format!("attribute CN \"{}\"", random_value(random)).parse::<NameTest>().unwrap();
            let test = random_test(random, depth + 1);
            test.clone().and_not(excluded).unwrap_or(test)
        }
    }
}

fn random_certificates(random: &mut fastrand::Rng) -> Vec<TestIdentity> {
    let certificate = |_| {
        let subject = format!("CN={},O={}", random_value(random), random_value(random));
        let names: Vec<u8> = (0..random.usize(..3))
            .flat_map(|_| {
                let name = format!("{}.example", random_value(random));
                [&[0x82, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat()
            })
            .collect();
        let value = [&[0x30, u8::try_from(names.len()).unwrap()], &names[..]].concat();
        let made = TestCertificate::new(&subject).with_serial(&[random.u8(1..4)]);
        if names.is_empty() { made } else { made.with_extension("2.5.29.17", false, &value) }.self_signed()
    };
    (0..24).map(certificate).collect()
}

fn random_rules(random: &mut fastrand::Rng, certificates: &[TestIdentity]) -> Vec<CertUserMapping> {
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for _ in 0..random.usize(1..12) {
        let certificate = certificates[random.usize(..certificates.len())].certificate();
        let selector = match random.usize(..6) {
            0 => Selector::certificate(certificate.fingerprint()),
            1 => Selector::key(certificate.spki_fingerprint()),
            _ => Selector::under(ca(random.usize(..2)), random_test(random, 0)),
        };
        if seen.insert(selector.clone()) {
            let user = format!("user{}", random.u8(..3)).parse().unwrap();
            rules.push(CertUserMapping::new(selector, user));
        }
    }
    rules
}

/// The users of all rules that match: the definition, without table and index.
fn users(rules: &[CertUserMapping], certificate: &Certificate, vouchers: &[Voucher]) -> BTreeSet<String> {
    let names = Names::of(certificate);
    let matches = |rule: &&CertUserMapping| match &rule.selector().0 {
        Kind::Certificate(fingerprint) => *fingerprint == certificate.fingerprint(),
        Kind::Key(key) => *key == certificate.spki_fingerprint(),
        Kind::Under(under) => {
            vouchers.iter().any(|voucher| voucher.anchor == under.path.anchor)
                && under.test.matched(&names, true, &mut NoTrace).is_some()
        }
    };
    rules.iter().filter(matches).filter_map(CertUserMapping::user).map(ToString::to_string).collect()
}

#[test]
fn every_table_says_what_its_rules_say_one_by_one_in_any_order() {
    let mut random = fastrand::Rng::with_seed(31);
    let certificates = random_certificates(&mut random);
    let (mut admitted, mut ambiguous) = (0, 0);
    for _ in 0..100 {
        let mut rules = random_rules(&mut random, &certificates);
        for identity in &certificates {
            let certificate = identity.certificate();
            let vouchers: Vec<_> = (0..2).filter(|_| random.bool()).map(|number| voucher(ca(number), &[])).collect();
            let answer = who(&rules, certificate, &vouchers);
            let users = users(&rules, certificate, &vouchers);
            // Who is not matched by exactly one user is refused.
            let expected = match users.len() {
                0 => Err("none"),
                1 => Ok(users.first().unwrap().clone()),
                _ => Err("ambiguous"),
            };
            assert_eq!(answer, expected, "{rules:#?}\n{certificate:?}");
            admitted += usize::from(answer.is_ok());
            ambiguous += usize::from(users.len() > 1);
            random.shuffle(&mut rules);
            assert_eq!(who(&rules, certificate, &vouchers), answer);
            // Removing a rule admits nobody but whom the remaining ones name without contradiction.
            let removed = rules.pop();
            let without = who(&rules, certificate, &vouchers);
            if let Ok(user) = &without {
                assert!(answer.as_ref() == Ok(user) || answer == Err("ambiguous"), "{rules:#?}");
            }
            rules.extend(removed);
            // Adding a rule that does not match changes nothing.
            let unrelated =
                [&rules[..], &[rule(&format!("under {} dns \"unrelated.example\"", ca(0)), "\"x\"")]].concat();
            assert_eq!(who(&unrelated, certificate, &vouchers), answer);
        }
    }
    assert!(admitted > 150 && ambiguous > 30, "{admitted} {ambiguous}");
}

/// A lead says which rules to ask. Here there is one lead, and every certificate leads to every rule.
#[test]
fn nothing_is_concluded_from_what_leads_to_a_rule() {
    let mut random = fastrand::Rng::with_seed(35);
    let certificates = random_certificates(&mut random);
    let (mut admitted, mut refused) = (0, 0);
    for _ in 0..100 {
        let rules = random_rules(&mut random, &certificates);
        let (table, problems) = MappingTable::new(&rules);
        let (one_lead, same_problems) = alike(|| MappingTable::new(&rules));
        assert_eq!((&problems, &same_problems), (&vec![], &vec![]));
        for number in 0..2 {
            let lead = one_lead.index.lead(&Probe::Every);
            let found: BTreeSet<_> = one_lead.index.rules(&ca(number), &[lead]).concat().into_iter().collect();
            let under =
                rules.iter().filter(|rule| rule.selector().ca().is_some_and(|path| path.anchor == ca(number))).count();
            assert_eq!(found.len(), under, "all of them have one lead");
        }
        for identity in &certificates {
            let certificate = identity.certificate();
            let vouchers = [voucher(ca(0), &[]), voucher(ca(1), &[])];
            for vouchers in [&[][..], &vouchers[..1], &vouchers[1..], &vouchers] {
                let found = one_lead.under(certificate, vouchers, &mut NoTrace);
                assert_eq!(found, table.under(certificate, vouchers, &mut NoTrace), "{rules:#?}");
                let users = users(&rules, certificate, vouchers);
                match &found {
                    Lookup::One(one) => assert_eq!(users, BTreeSet::from([one.user.to_string()])),
                    other => assert_eq!(*other == Lookup::None, users.is_empty()),
                }
                admitted += usize::from(users.len() == 1);
                refused += usize::from(users.is_empty());
            }
            let (own, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
            assert_eq!(one_lead.exact(own, key, &mut NoTrace), table.exact(own, key, &mut NoTrace));
        }
    }
    assert!(admitted > 1_000 && refused > 1_000, "{admitted} {refused}");
}

#[test]
fn the_same_rule_is_reported_in_any_order() {
    let mut random = fastrand::Rng::with_seed(32);
    let certificates = random_certificates(&mut random);
    for _ in 0..100 {
        let mut rules = random_rules(&mut random, &certificates);
        for identity in &certificates {
            let vouchers = [voucher(ca(0), &[]), voucher(ca(1), &[])];
            let mut ask = || {
                random.shuffle(&mut rules);
                let table = MappingTable::new(&rules).0;
                table.under(identity.certificate(), &vouchers, &mut NoTrace)
            };
            assert_eq!(ask(), ask());
        }
    }
}

#[test]
fn what_is_remembered_is_what_would_be_found_again() {
    let mut random = fastrand::Rng::with_seed(34);
    let certificates = random_certificates(&mut random);
    let intermediates = [ca(2), ca(3)];
    let mut different = 0;
    for _ in 0..40 {
        let mut rules = random_rules(&mut random, &certificates);
        let through = format!("under {} through {} every-certificate", ca(0), ca(2));
        rules.push(rule(&through, &format!("\"user{}\"", random.u8(..3))));
        let fresh = MappingTable::new(&rules).0;
        // So small that it forgets, too.
        let remembering = MappingTable::new(&rules).0.remembering([6, 4096][random.usize(..2)]);
        for _ in 0..400 {
            let certificate = certificates[random.usize(..6)].certificate();
            let asked: Vec<usize> = (0..2).filter(|_| random.bool()).collect();
            let vouchers = asked.into_iter().map(|n| voucher(ca(n), &intermediates[..random.usize(..3)]));
            let vouchers: Vec<_> = vouchers.collect();
            let found = fresh.under(certificate, &vouchers, &mut NoTrace);
            assert_eq!(remembering.under(certificate, &vouchers, &mut NoTrace), found, "{rules:#?}\n{vouchers:?}");
            different += usize::from(found != fresh.under(certificate, &[voucher(ca(0), &[])], &mut NoTrace));
        }
    }
    assert!(different > 1_000, "the same certificate is different users under different CAs: {different}");
}

#[test]
fn no_rule_matches_by_a_prefix_and_two_anchors_never_mix() {
    let mut random = fastrand::Rng::with_seed(33);
    for _ in 0..200 {
        let text: String = (0..random.usize(2..12)).map(|_| random.char('a'..='f')).collect();
        let cut = random.usize(1..text.len());
        let made = TestCertificate::new(&format!("CN={text}")).self_signed();
        let matched = |wanted: &str, anchor: usize| {
            let rules = [rule(&format!("under {} attribute CN \"{wanted}\"", ca(0)), "\"u\"")];
            who(&rules, made.certificate(), &[voucher(ca(anchor), &[])]).is_ok()
        };
        assert!(matched(&text, 0));
        assert!(!matched(&text, 1), "whatever its name");
        assert!(!matched(&text[..cut], 0) && !matched(&text[cut..], 0) && !matched(&format!("{text}a"), 0));
    }
}

#[test]
fn a_crowded_value_is_a_problem_unless_something_else_tells_the_rules_apart() {
    let many = |text: &dyn Fn(usize) -> String| -> Vec<CertUserMapping> {
        (0..100).map(|n| rule(&format!("under {} {}", ca(0), text(n)), &format!("\"u{n}\""))).collect()
    };
    let apart = many(&|n| format!("all(attribute O \"x\", dns \"h{n}.example\")"));
    assert_eq!(codes(&apart), [] as [&str; 0]);
    let crowded = many(&|n| format!("all(attribute O \"x\", not dns \"h{n}.example\")"));
    assert_eq!(codes(&crowded), ["crowded-value"]);
    let message = format!(
        "100 rules under {} look for `attribute O \"x\"`, at most 32 can: have each of them look for something of its own, or take the user's name from the certificate",
        ca(0)
    );
    assert_eq!(MappingTable::new(&crowded).1[0].to_string(), message);
    for value in ["every-certificate", "dns", "dns \"h.example\"", "dns ignoring-case \"h.example\""] {
        let crowded = many(&|n| format!("through {} {value}", ca(n + 1)));
        let problems = MappingTable::new(&crowded).1;
        let values: Vec<_> = problems
            .iter()
            .map(|problem| match problem {
                RuleProblem::Crowded { value, .. } => value.as_str(),
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(values, [value]);
    }
}

#[test]
fn a_decision_looks_at_the_same_rules_whatever_their_number() {
    let made = TestCertificate::new("CN=a,O=x").with_server_name("h7.example").self_signed();
    let vouchers = [voucher(ca(0), &[])];
    let steps = |size: usize| {
        let rules: Vec<_> = (0..size)
            .map(|n| {
                let text = match n % 3 {
                    0 => format!("all(attribute O \"x\", dns \"h{n}.example\")"),
                    1 => format!("any(dns \"h{n}.example\", email \"u{n}@x.example\")"),
                    _ => format!("uri \"urn:{n}\""),
                };
                rule(&format!("under {} {text}", ca(0)), &format!("\"u{n}\""))
            })
            .collect();
        let (table, problems) = MappingTable::new(&rules);
        assert_eq!((problems.len(), table.len()), (0, size));
        let mut steps = Steps::default();
        assert!(matches!(table.under(made.certificate(), &vouchers, &mut steps), Lookup::One(_)));
        steps.0
    };
    assert_eq!(steps(10), steps(10_000));
}

#[test]
fn users_from_certificates_stay_inside_their_reservation() {
    let (under, other) = (format!("under {} dns", ca(0)), format!("under {} dns", ca(1)));
    let exact = Selector::certificate(ca(9)).to_string();
    let fleet = rule(&under, "\"iot/\" + dns + \"@x\"");
    let with = |selector: &str, source: &str| codes(&[fleet.clone(), rule(selector, source)]);
    for (source, expected) in [
        ("\"iot/pump@x\"", &["reserved-user"][..]),
        ("\"iot/@x\"", &["reserved-user"]),
        ("\"iot/pump\"", &[]),
        ("\"billing\"", &[]),
    ] {
        assert_eq!(with(&exact, source), expected, "{source}");
    }
    for (source, expected) in [
        ("\"iot/\" + dns", &["overlapping-reservations"][..]),
        ("\"iot/a/\" + dns", &["overlapping-reservations"]),
        ("\"i\" + dns", &["overlapping-reservations"]),
        ("dns + \"@x\"", &["overlapping-reservations"]),
        ("\"pos/\" + dns + \"@x\"", &[]),
        ("\"iot/\" + dns + \"@y\"", &[]),
        ("dns among (\"iot/pump@x\", \"b\")", &["reserved-user"]),
        ("dns among (\"a\", \"b\")", &[]),
        ("\"iot/\" + dns + \"@x\"", &["overlapping-reservations"]),
    ] {
        assert_eq!(with(&other, source), expected, "{source}");
    }
    // The old and the new CA of one fleet.
    let named = |selector: &str| rule(selector, "\"iot/\" + dns").with_name("fleet".parse().unwrap());
    assert_eq!(codes(&[named(&under), named(&other)]), [] as [&str; 0]);
    let stranger = rule(&other, "\"iot/\" + uri").with_name("fleet".parse().unwrap());
    assert_eq!(codes(&[named(&under), stranger]), ["rule-name-twice", "overlapping-reservations"]);
    assert_eq!(codes(&[rule(&exact, "\"iot/\" + dns")]), ["template-without-ca"]);
}

#[test]
fn what_a_template_makes_is_a_user_name_or_a_refusal() {
    let long = "a".repeat(200);
    let cases = [
        ("CN=pump-1", "attribute CN + \"@corp.example\"", Ok("pump-1@corp.example")),
        ("CN=a.b_c", "attribute CN + \"@corp.example\"", Ok("a.b_c@corp.example")),
        ("CN=x@corp.example", "attribute CN + \"@corp.example\"", Err("unnamed")),
        ("CN=\\ x", "attribute CN + \"@corp\"", Err("unnamed")),
        (&format!("CN={long}"), "attribute CN + \"@corp\"", Err("unnamed")),
        ("CN=a\\E2\\80\\AEb", "attribute CN + \"@corp\"", Err("none")),
        ("CN=dev-7.iot", "\"d/\" + attribute CN without-prefix \"dev-\" without-suffix \".iot\"", Ok("d/7")),
        ("CN=dev-.iot", "\"d/\" + attribute CN without-prefix \"dev-\" without-suffix \".iot\"", Err("none")),
        ("CN=7.iot", "\"d/\" + attribute CN without-prefix \"dev-\"", Err("none")),
        ("CN=A,O=B", "\"d/\" + attribute O in-lower-case + \":\" + attribute CN", Ok("d/b:A")),
        ("CN=A:B,O=B", "\"d/\" + attribute O + \":\" + attribute CN", Err("unnamed")),
        ("CN=A,CN=B", "\"d/\" + attribute CN", Err("none")),
        ("CN=A,CN=B", "\"d/\" + attribute CN nth(2)", Ok("d/A")),
        ("CN=A+O=B", "\"d/\" + attribute CN", Err("none")),
        ("CN=A+O=B", "\"d/\" + attribute CN in-multi-valued-rdns", Ok("d/A")),
        ("CN=alice", "attribute CN among (\"alice\", \"bob\")", Ok("alice")),
        ("CN=Alice", "attribute CN among (\"alice\", \"bob\")", Err("none")),
        ("CN=billing", "attribute CN among (\"alice\", \"bob\")", Err("none")),
    ];
    for (subject, source, expected) in cases {
        let made = TestCertificate::new(subject).self_signed();
        let rules = [rule(&format!("under {} every-certificate", ca(0)), source)];
        let answer = who(&rules, made.certificate(), &[voucher(ca(0), &[])]);
        assert_eq!(answer.as_deref().map_err(|word| *word), expected, "{subject} {source}");
    }
}

#[test]
fn no_other_rule_makes_up_for_a_user_that_is_none() {
    let made = TestCertificate::new("CN=a/b,O=x").self_signed();
    let vouchers = [voucher(ca(0), &[])];
    let good = rule(&format!("under {} attribute O \"x\"", ca(0)), "\"u\"");
    let bad = rule(&format!("under {} attribute CN", ca(0)), "\"t/\" + attribute CN");
    let exact = rule(&made.certificate().fingerprint().to_string(), "\"u\"");
    assert_eq!(who(std::slice::from_ref(&good), made.certificate(), &vouchers), Ok("u".to_owned()));
    for rules in [[good.clone(), bad.clone()], [bad.clone(), good], [bad, exact]] {
        assert_eq!(who(&rules, made.certificate(), &vouchers), Err("unnamed"));
    }
}

/// Otherwise a rule that gives no user would hide at the build that two others contradict each other.
#[test]
fn a_contradiction_is_told_whatever_else_is_wrong() {
    let made = TestCertificate::new("CN=a/b,O=x").self_signed();
    let vouchers = [voucher(ca(0), &[])];
    let good = rule(&format!("under {} attribute O \"x\"", ca(0)), "\"u\"");
    let bad = rule(&format!("under {} attribute CN", ca(0)), "\"t/\" + attribute CN");
    let exact = rule(&made.certificate().fingerprint().to_string(), "\"v\"");
    assert_eq!(who(&[good, bad, exact], made.certificate(), &vouchers), Err("ambiguous"));
}

/// `mapping_mode`, as the manual translates it.
#[test]
fn the_modes_of_neo() {
    let (trusted, stranger) = (voucher(ca(0), &[]), voucher(ca(1), &[]));
    let made = TestCertificate::new("CN=alice,O=Acme").self_signed();
    let renewed = TestCertificate::new("CN=alice,O=Acme").self_signed();
    let admin = TestCertificate::new("CN=admin,O=Acme").self_signed();
    let ask = |rules: &[CertUserMapping], made: &TestIdentity, voucher: &Voucher| {
        who(rules, made.certificate(), std::slice::from_ref(voucher))
    };
    let whole = [rule(&made.certificate().fingerprint().to_string(), "\"alias\"")];
    assert_eq!(ask(&whole, &made, &trusted), Ok("alias".to_owned()));
    assert_eq!(ask(&whole, &renewed, &trusted), Err("none"));

    let both = [rule(&format!("under {} subject \"CN=alice,O=Acme\"", ca(0)), "\"alias\"")];
    assert_eq!(ask(&both, &renewed, &trusted), Ok("alias".to_owned()));
    assert_eq!(ask(&both, &made, &stranger), Err("none"), "the issuer is the CA, not its name");
    assert_eq!(ask(&both, &admin, &trusted), Err("none"));

    let at_issuer = [rule(&format!("under {} attribute CN", ca(0)), "attribute CN + \"@partner-ca\"")];
    assert_eq!(ask(&at_issuer, &made, &trusted), Ok("alice@partner-ca".to_owned()));
    assert_eq!(ask(&at_issuer, &admin, &trusted), Ok("admin@partner-ca".to_owned()), "never `admin`");
    assert_eq!(ask(&at_issuer, &made, &stranger), Err("none"));

    let listed = [rule(&format!("under {} attribute CN", ca(0)), "attribute CN among (\"alice\", \"bob\")")];
    assert_eq!(ask(&listed, &made, &trusted), Ok("alice".to_owned()));
    assert_eq!(ask(&listed, &admin, &trusted), Err("none"));
    assert_eq!(ask(&listed, &made, &stranger), Err("none"));
}

/// RFC 7407, as the manual translates it.
#[test]
fn certificates_to_names_as_rfc_7407_has_them() {
    let made = TestCertificate::new("CN=manager").with_server_name("NMS.example").self_signed();
    let certificate = made.certificate();
    let direct = [voucher(ca(0), &[])];
    let through = [voucher(ca(0), &[ca(7)])];
    let leaf = [rule(&certificate.fingerprint().to_string(), "\"joe\"")];
    assert_eq!(who(&leaf, certificate, &direct), Ok("joe".to_owned()));
    let of_ca = [rule(&format!("under {} through {} every-certificate", ca(0), ca(7)), "\"joe\"")];
    assert_eq!(who(&of_ca, certificate, &through), Ok("joe".to_owned()));
    assert_eq!(who(&of_ca, certificate, &direct), Err("none"));
    let dns = [rule(&format!("under {} dns", ca(0)), "\"nms/\" + dns")];
    assert_eq!(who(&dns, certificate, &direct), Ok("nms/nms.example".to_owned()));
    // Its order would let the first entry win; here two entries that differ refuse.
    let other = rule(&format!("under {} attribute CN \"manager\"", ca(0)), "\"jane\"");
    assert_eq!(who(&[leaf[0].clone(), other.clone()], certificate, &direct), Err("ambiguous"));
    let first = leaf[0].clone().as_exception_over_name_rules();
    assert_eq!(who(&[first, other], certificate, &direct), Ok("joe".to_owned()));
}

#[derive(Default)]
struct Steps(Vec<(Check, bool)>);

impl Trace for Steps {
    fn step(&mut self, check: Check, holds: bool, _: core::fmt::Arguments<'_>) {
        self.0.push((check, holds));
    }
}

#[test]
fn a_trace_sees_what_the_rules_check() {
    let made = TestCertificate::new("CN=a,O=x").self_signed();
    let text = format!(
        "under {} issued-by {} all(attribute CN \"a\", not attribute O \"x\")",
        ca(0),
        SpkiFingerprint::of(b"k")
    );
    let table = MappingTable::new(&[rule(&text, "\"u\"")]).0;
    let steps = |issuer_key: &[u8]| {
        let mut steps = Steps::default();
        let voucher = Voucher {
            anchor: ca(0),
            issuer_key: SpkiFingerprint::of(issuer_key),
            intermediates: [].into(),
            rewritten: [].into(),
        };
        assert_eq!(table.under(made.certificate(), &[voucher], &mut steps), Lookup::None);
        steps.0
    };
    let start =
        [(Check::CertificateRule, false), (Check::KeyRule, false), (Check::PlainNames, true), (Check::NameRule, true)];
    assert_eq!(steps(b"other"), [&start[..], &[(Check::CaPath, false)]].concat());
    let end = [(Check::CaPath, true), (Check::NameTest, true), (Check::NotExcluded, false)];
    assert_eq!(steps(b"k"), [&start[..], &end].concat());
}
