//! Who is meant by a rule or left out by one does not leave it behind: not by writing a certificate in another way, nor a
//! name in another spelling.

use std::net::IpAddr;

use certmap::limits::RULE_BYTES;
use certmap::map::NameTest;
use certmap::policy::Problem;
use certmap::rustls::pki_types::CertificateDer;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Evidence, Host, Policy, PolicyBuilder, RefusalCode, Selector};

use crate::anchors::{bundle, client, decide_at, hierarchy};
use crate::common::user;
use crate::fleets::{dns, exact, of, policy, rule, who};

/// The order of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match (high, low) {
        (0, 0..128) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header, content].concat()
}

/// The content of the element that begins here, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = match der[1] {
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    der[header..].split_at(length)
}

/// The same certificate with the signature (r, s) of its P-256 CA written as (r, n - s), for which nobody needs a key.
pub fn resigned(certificate: &[u8]) -> Vec<u8> {
    let (content, _) = element(certificate);
    let (_, rest) = element(content);
    let (_, bits) = element(rest);
    let (r, rest) = element(element(&element(bits).0[1..]).0);
    let mut s = [0u8; 32];
    let digits: Vec<u8> = element(rest).0.iter().copied().skip_while(|byte| *byte == 0).collect();
    s[32 - digits.len()..].copy_from_slice(&digits);
    let mut borrow = false;
    for at in (0..32).rev() {
        let (difference, first) = ORDER[at].overflowing_sub(s[at]);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        borrow = first || second;
        s[at] = difference;
    }
    let mut other: Vec<u8> = s.iter().copied().skip_while(|byte| *byte == 0).collect();
    if other[0] >= 0x80 {
        other.insert(0, 0);
    }
    let signature = tlv(0x30, &[tlv(2, r), tlv(2, &other)].concat());
    let signed = &content[..content.len() - bits.len()];
    tlv(0x30, &[signed, &tlv(3, &[&[0], &signature[..]].concat())].concat())
}

fn told(policy: &Policy, chain: &[CertificateDer<'_>]) -> Result<String, RefusalCode> {
    let decided = decide_at(policy, chain, NOW).into_result();
    decided.map(|principal| principal.user().to_string()).map_err(|refused| refused.code())
}

/// What is decided about the certificate as it was issued, and as its holder writes it.
fn both(policy: &Policy, holder: &TestIdentity) -> [Result<String, RefusalCode>; 2] {
    let chain = holder.chain_without_root();
    let mut written = chain.to_vec();
    written[0] = resigned(&chain[0]).into();
    assert_ne!(written[0], chain[0]);
    [told(policy, chain), told(policy, &written)]
}

#[test]
fn an_exact_rule_is_for_both_forms_of_a_signature() {
    let (root, issuing) = hierarchy();
    let contractor = client("CN=contractor,O=Acme").issued_by(&issuing);
    let staff = || rule(&root, "attribute O \"Acme\"", "\"acme\"");
    let limited = || exact(&contractor, "limited");
    let exception = policy(bundle(&[&root]), [staff(), limited().as_exception_over_name_rules()]);
    assert_eq!(both(&exception, &contractor), [of("limited"), of("limited")]);
    let none = policy(bundle(&[&root]), [staff(), limited()]);
    assert_eq!(both(&none, &contractor), [Err(RefusalCode::Ambiguous), Err(RefusalCode::Ambiguous)]);
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    let rules = [staff(), limited().as_exception_over_name_rules()];
    let disabled = builder.mappings(rules).disabled_user(user("limited")).build().unwrap();
    assert_eq!(both(&disabled, &contractor), [Err(RefusalCode::UserDisabled), Err(RefusalCode::UserDisabled)]);
}

#[test]
fn a_rule_through_a_ca_is_for_both_forms_of_its_signature() {
    let (root, issuing) = hierarchy();
    let contractor = client("CN=contractor,O=Acme").issued_by(&issuing);
    let through = format!("through {} every-certificate", issuing.certificate().fingerprint());
    let rules = || [rule(&root, "attribute O \"Acme\"", "\"acme\""), rule(&root, &through, "\"limited\"")];
    let [strong, weak] = rules();
    let chain = contractor.chain_without_root();
    let mut written = chain.to_vec();
    written[1] = resigned(&chain[1]).into();
    for (rules, said) in
        [(vec![weak], of("limited")), (vec![strong], of("acme")), (rules().into(), Err(RefusalCode::Ambiguous))]
    {
        let policy = policy(bundle(&[&root]), rules);
        let both = [chain[0].clone(), chain[1].clone(), written[1].clone()];
        for presented in [chain, &written, &both] {
            assert_eq!(told(&policy, presented), said);
        }
    }
}

#[test]
fn an_explanation_names_the_rule_for_the_other_form_too() {
    let (root, issuing) = hierarchy();
    let contractor = client("CN=contractor,O=Acme").issued_by(&issuing);
    let policy = policy(bundle(&[&root]), [exact(&contractor, "limited")]);
    let host = policy.hosts().next().unwrap().id().clone();
    let mut chain = contractor.chain_without_root().to_vec();
    chain[0] = resigned(&chain[0]).into();
    let explained = certmap::review::explain(&policy, &Evidence::after_handshake(host, chain), NOW);
    assert_eq!(explained.decision().principal().map(|principal| principal.user().as_str()), Some("limited"));
    assert_eq!((explained.matching().len(), explained.nearest().len()), (1, 0));
}

#[test]
fn of_two_forms_that_both_have_a_rule_each_is_whom_its_own_says() {
    let (root, issuing) = hierarchy();
    let contractor = client("CN=contractor,O=Acme").issued_by(&issuing);
    let mut other = contractor.chain_without_root().to_vec();
    other[0] = resigned(&other[0]).into();
    let other_form = Selector::certificate(certmap::Fingerprint::of(&other[0]));
    let rules = [exact(&contractor, "one"), CertUserMapping::new(other_form, user("two"))];
    let policy = policy(bundle(&[&root]), rules);
    let who = |chain: &[CertificateDer<'_>]| {
        let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), chain);
        policy.decide(&evidence, NOW).principal().map(|principal| principal.user().to_string())
    };
    assert_eq!(who(contractor.chain_without_root()).as_deref(), Some("one"));
    assert_eq!(who(&other).as_deref(), Some("two"));
}

#[test]
fn a_pin_that_a_name_rule_calls_somebody_else_is_a_contradiction_unless_it_is_an_exception() {
    let (root, _) = hierarchy();
    let partner = client("CN=partner,O=Acme").issued_by(&root);
    let build = |limited: CertUserMapping| {
        let mut trust = bundle(&[&root]);
        trust.add_pin(partner.certificate().clone()).unwrap();
        let rules = [rule(&root, "attribute O \"Acme\"", "\"acme\""), limited];
        PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust)).mappings(rules).build()
    };
    let error = build(exact(&partner, "limited")).unwrap_err();
    assert!(matches!(error.problems(), [Problem::AmbiguousCertificate { .. }]), "{error}");
    let policy = build(exact(&partner, "limited").as_exception_over_name_rules()).unwrap();
    assert_eq!(both(&policy, &partner), [of("limited"), of("limited")]);
}

#[track_caller]
pub fn left_out(test: &str, certificate: TestCertificate) {
    let (root, issuing) = hierarchy();
    let policy = policy(bundle(&[&root]), [rule(&root, test, "\"api\"")]);
    assert_eq!(who(&policy, &certificate.issued_by(&issuing)), Err(RefusalCode::NotMapped), "{test}");
    // The same without what is left out.
    let plain = client("CN=plain,O=Acme").with_alternative_names(&[TestName::Dns("api.example")]);
    assert_eq!(who(&policy, &plain.issued_by(&issuing)), of("api"), "{test}");
}

#[test]
fn what_is_left_out_does_not_come_in_another_spelling() {
    let names = |other| client("CN=a,O=Acme").with_alternative_names(&[TestName::Dns("api.example"), other]);
    left_out("all(dns any \"api.example\", not dns \"test.example\")", names(TestName::Dns("TEST.example")));
    left_out("all(dns \"api.example\", not email \"a@acme.example\")", names(TestName::Email("a@ACME.example")));
    left_out("all(dns \"api.example\", not uri \"spiffe://acme/test\")", names(TestName::Uri("SPIFFE://Acme/test")));
    for email in ["\"a\"@acme.example", "a@acme.example.", "a(x)@acme.example", "<a@acme.example>", "a@[192.0.2.1]"] {
        left_out("all(dns \"api.example\", not email \"a@acme.example\")", names(TestName::Email(email)));
        let quoted = format!(
            "CN=a,1.2.840.113549.1.9.1={},O=Acme",
            email.replace('"', "\\\"").replace('<', "\\<").replace('>', "\\>")
        );
        let mail = "all(attribute O \"Acme\", not attribute 1.2.840.113549.1.9.1 \"a@acme.example\")";
        left_out(mail, client(&quoted));
    }
    for uri in [
        "spiffe://acme/%74est",
        "spiffe://acme/x/../test",
        "spiffe://acme/./test",
        "spiffe:../test",
        "spiffe://acme/te%7",
        "spiffe://acme/te%zz",
        "spiffe://acme/x\\..\\test",
        "spiffe://acme/a|b",
    ] {
        left_out("all(dns \"api.example\", not uri \"spiffe://acme/test\")", names(TestName::Uri(uri)));
    }
    for ip in ["::ffff:10.0.0.1", "::10.0.0.1"] {
        let ip: IpAddr = ip.parse().unwrap();
        left_out("all(dns \"api.example\", not ip 10.0.0.1)", names(TestName::Ip(ip)));
        left_out(&format!("all(dns \"api.example\", not ip {ip})"), names(TestName::Ip("10.0.0.1".parse().unwrap())));
    }
    for unit in ["test", "Test\\ ", "TEST", "\\ Test"] {
        left_out("all(attribute O \"Acme\", not attribute OU \"Test\")", client(&format!("CN=a,OU={unit},O=Acme")));
    }
    // Letters that have no case of their own, or two of them.
    for (unit, other) in [
        ("Test", "Te\u{17f}t"),
        ("STRASSE", "stra\u{df}e"),
        ("\u{3bf}\u{3b4}\u{3bf}\u{3c3}", "\u{39f}\u{394}\u{39f}\u{3a3}"),
    ] {
        let test = format!("all(attribute O \"Acme\", not attribute OU \"{unit}\")");
        left_out(&test, client(&format!("CN=a,OU={other},O=Acme")));
    }
    let api = |subject| client(subject).with_alternative_names(&[TestName::Dns("api.example")]);
    left_out("all(dns \"api.example\", not subject \"CN=a,O=Acme\")", api("CN=a,O=acme"));
    for subject in ["CN=a\\ ,O=Acme", "CN=\\ a,O=Acme", "CN=a,O=\\20 ACME"] {
        left_out("all(dns \"api.example\", not subject \"CN=a,O=Acme\")", api(subject));
        let directory = names(TestName::Directory(subject));
        left_out("all(dns \"api.example\", not directory \"CN=a,O=Acme\")", directory);
    }
    // What is lost in print: where an RDN ends, and which comes first.
    for subject in ["CN=a+O=Acme", "O=Acme,CN=a"] {
        left_out("all(dns \"api.example\", not subject \"CN=a,O=Acme\")", api(subject));
    }
    // The order within an RDN is that of the letters, whatever their case; a type without keyword prints as DER.
    left_out("all(dns \"api.example\", not subject \"OU=A+OU=b\")", api("OU=a+OU=B"));
    left_out("all(dns \"api.example\", not subject \"2.5.4.97=#0c0141\")", api("2.5.4.97=#0c0161"));
    // `anyPolicy` is every policy.
    let any = [0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0];
    let any = client("CN=a,O=Acme").with_extension("2.5.29.32", false, &any);
    left_out("all(attribute O \"Acme\", not policy 1.2.3.4)", any);
}

#[test]
fn what_is_left_out_does_not_come_as_other_der() {
    let left = |kind: &str, wanted: &str, value: &[u8], out: bool| {
        let (root, issuing) = hierarchy();
        let test = format!("all(attribute O \"Acme\", not {kind} 1.2.3.4 {wanted})");
        let policy = policy(bundle(&[&root]), [rule(&root, &test, "\"u\"")]);
        let certificate = client("CN=a,O=Acme");
        let certificate = match kind {
            "extension" => certificate.with_extension("1.2.3.4", false, value),
            _ => certificate.with_alternative_names(&[TestName::Other("1.2.3.4", value)]),
        };
        let expected = if out { Err(RefusalCode::NotMapped) } else { of("u") };
        assert_eq!(who(&policy, &certificate.issued_by(&issuing)), expected, "{test} {value:02x?}");
    };
    for kind in ["extension", "other"] {
        // Itself, a number that is not minimal, and what may hold it.
        for value in [&[2, 1, 1][..], &[2, 2, 0, 1], &[4, 3, 2, 1, 1], &[0x30, 3, 2, 1, 1], &[0x82, 1, 1]] {
            left(kind, "#020101", value, true);
        }
        for value in [&[1, 1, 0xff][..], &[1, 1, 1]] {
            left(kind, "#0101ff", value, true);
        }
        for value in [&b"\x0c\x04test"[..], b"\x04\x04Test", b"\x2c\x06\x0c\x04Test"] {
            left(kind, "\"Test\"", value, true);
        }
        // What is written in one way only is another value if it is written otherwise.
        let other: [&[u8]; 8] = [
            &[2, 1, 2],
            &[2, 2, 0, 0x80],
            &[10, 1, 1],
            &[1, 1, 0],
            &[1, 1, 0xff],
            &[5, 0],
            &[6, 1, 0x2a],
            b"\x0c\x04Test",
        ];
        for value in other {
            left(kind, "#020101", value, false);
        }
        left(kind, "\"Test\"", &[2, 1, 1], false);
    }
    for (kind, wanted) in
        [("extension", "#3003020101"), ("other", "#040161"), ("extension", "#010101"), ("other", "#02020001")]
    {
        let text = format!("all(attribute O \"Acme\", not {kind} 1.2.3.4 {wanted})");
        let expected = format!("by `not {kind} 1.2.3.4`");
        let error = text.parse::<NameTest>().unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.ends_with(&expected), "{cause}");
    }
}

#[test]
fn who_is_disabled_does_not_come_in_another_case() {
    let (root, issuing) = hierarchy();
    let names = |name: TestName<'_>| client("CN=a").with_alternative_names(&[name]);
    let mail = |address: &str| client(&format!("1.2.840.113549.1.9.1={address},CN=a"));
    let mailbox = |address: &str| {
        let value = [&[0x0c, u8::try_from(address.len()).unwrap()], address.as_bytes()].concat();
        client("CN=a").with_alternative_names(&[TestName::Other("1.3.6.1.5.5.7.8.9", &value)])
    };
    let cases = [
        ("dns", "x/eve.example", names(TestName::Dns("EVE.Example"))),
        ("email", "x/eve@acme.example", names(TestName::Email("eve@ACME.example"))),
        ("attribute emailAddress", "x/eve@acme.example", mail("eve@ACME.example")),
        ("other 1.3.6.1.5.5.7.8.9", "x/eve@acme.example", mailbox("eve@ACME.example")),
    ];
    for (field, disabled, certificate) in cases {
        let rules = [rule(&root, field, &format!("\"x/\" + {field}"))];
        let build = |disabled: &str| {
            let host = Host::new("gw".parse().unwrap(), bundle(&[&root]));
            PolicyBuilder::for_host(host).mappings(rules.clone()).disabled_user(user(disabled)).build().unwrap()
        };
        let certificate = certificate.issued_by(&issuing);
        assert_eq!(who(&build(disabled), &certificate), Err(RefusalCode::UserDisabled), "{field}");
        assert_eq!(who(&build("x"), &certificate), of(disabled), "{field}");
    }
    // A URI in capitals is nobody.
    let source = "\"x/\" + uri without-prefix \"https://\" without-suffix \"/\"";
    let policy = policy(bundle(&[&root]), [rule(&root, "uri", source)]);
    let uri = |uri| who(&policy, &names(TestName::Uri(uri)).issued_by(&issuing));
    assert_eq!(uri("https://eve.example/"), of("x/eve.example"));
    for other in ["https://EVE.example/", "HTTPS://eve.example/", "https://eve.example%3a/"] {
        assert_eq!(uri(other), Err(RefusalCode::NotMapped), "{other}");
    }
}

#[test]
fn a_rule_that_means_nobody_is_not_read() {
    let (root, _) = hierarchy();
    for test in [
        "all(dns \"a.example\", not dns \"A.example\")",
        "all(dns \"a.example\", not dns)",
        "all(subject \"CN=a\", not subject \"CN=a\")",
        "all(subject \"CN=a\", not subject \"CN=A\\ \")",
        "all(subject \"CN=a,O=b\", not subject \"O=b+CN=a\")",
        "all(extension 1.2.3.4 #040161, not extension 1.2.3.4 \"a\")",
        "email \"\\\"a\\\"@acme.example\"",
        "uri \"https://A.example/\"",
        "uri \"HTTPS://a.example/\"",
        "all(dns \"a.example\", dns all \"b.example\")",
        "all(dns \"a.example\", dns any \"b.example\")",
        "all(dns \"a.example\", dns ignoring-case \"b.example\")",
        "all(dns \"a.example\", dns nth(2) \"b.example\")",
        "all(subject any \"CN=a\", subject any \"CN=b\")",
    ] {
        let text = format!("under {} {test}", root.certificate().fingerprint());
        assert!(text.parse::<Selector>().is_err(), "{test}");
    }
    for test in [
        "all(dns any \"a.example\", dns any \"b.example\")",
        "all(dns nth(1) \"a.example\", dns nth(2) \"b.example\")",
        "all(dns \"a.example\", dns ignoring-case \"A.example\")",
        "all(dns \"a.example\", not dns \"b.example\")",
        "all(extension 1.2.3.4 #020101, not extension 1.2.3.4 #020102)",
        "uri \"https://User@a.example/A?B%3AC=/../D\"",
        "uri \"urn:A:..:b\"",
        "attribute emailAddress ignoring-case \"Eve@ACME.example\"",
    ] {
        let text = format!("under {} {test}", root.certificate().fingerprint());
        assert!(text.parse::<Selector>().is_ok(), "{test}");
    }
}

#[test]
fn where_there_is_one_value_it_does_not_matter_which_is_meant() {
    let (root, _) = hierarchy();
    let rules = [rule(&root, "subject \"CN=a\"", "\"x\""), rule(&root, "subject any \"CN=a\"", "\"y\"")];
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    assert!(builder.mappings(rules).build().is_err(), "one selector, two users");
}

#[test]
fn of_two_attributes_in_one_rdn_none_is_the_first() {
    let (root, issuing) = hierarchy();
    let certificate = client("CN=admin+CN=z,O=Acme").issued_by(&issuing);
    let found = |which: &str| {
        let test = format!("attribute CN {which} in-multi-valued-rdns \"admin\"");
        who(&policy(bundle(&[&root]), [rule(&root, &test, "\"u\"")]), &certificate)
    };
    assert_eq!(found("any"), of("u"));
    assert_eq!((found("nth(1)"), found("nth(2)")), (Err(RefusalCode::NotMapped), Err(RefusalCode::NotMapped)));
}

#[test]
fn a_listed_user_is_not_made_of_other_pieces() {
    let (root, issuing) = hierarchy();
    let source = "attribute O + \"/\" + attribute OU among (\"acme/eu/billing\", \"acme/eu\")";
    let policy = policy(bundle(&[&root]), [rule(&root, "all(attribute O, attribute OU)", source)]);
    let of_subject = |subject: &str| who(&policy, &client(subject).issued_by(&issuing));
    assert_eq!(of_subject("OU=eu,O=acme"), of("acme/eu"));
    assert_eq!(of_subject("OU=billing,O=acme/eu"), Err(RefusalCode::UserName));
    assert_eq!(of_subject("OU=eu/billing,O=acme"), Err(RefusalCode::UserName));
    assert_eq!(of_subject("OU=us,O=acme"), Err(RefusalCode::NotMapped));
}

#[test]
fn problems_are_as_many_as_rules_at_most() {
    let (root, _) = hierarchy();
    let fleet = |number: usize| rule(&root, &format!("all(attribute O \"o{number}\", dns)"), "\"iot/\" + dns");
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    let error = builder.mappings((0..300).map(fleet)).build().unwrap_err();
    assert_eq!(error.problems().len(), 299);
}

#[test]
fn a_rule_whose_text_cannot_be_read_back_is_a_problem() {
    let (root, _) = hierarchy();
    let long = certmap::map::ValueTest::attribute("2.5.4.3".parse().unwrap(), &"x".repeat(40_000)).unwrap();
    let selector = Selector::under(root.certificate().fingerprint(), long);
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    let error = builder.mapping(CertUserMapping::new(selector, user("u"))).build().unwrap_err();
    assert_eq!(error.problems().iter().map(Problem::code).collect::<Vec<_>>(), ["rule-too-long"]);
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn a_rule_whose_text_can_just_be_read_back_is_none() {
    let (root, _) = hierarchy();
    let of = |length: usize| {
        let long = certmap::map::ValueTest::attribute("2.5.4.3".parse().unwrap(), &"x".repeat(length)).unwrap();
        Selector::under(root.certificate().fingerprint(), long)
    };
    let most = RULE_BYTES - of(1).to_string().len() + 1;
    let build = |length: usize| {
        let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
        builder.mapping(CertUserMapping::new(of(length), user("u"))).build()
    };
    assert_eq!(of(most).to_string().parse::<Selector>().unwrap(), of(most));
    assert!(build(most).is_ok());
    assert!(of(most + 1).to_string().parse::<Selector>().is_err());
    assert!(build(most + 1).is_err());
}

#[test]
fn partners_may_be_named_before_the_hosts_that_share_their_bundle() {
    let partner = TestCertificate::new("CN=p").self_signed();
    let host = |id: &str| Host::new(id.parse().unwrap(), certmap::TrustBundle::new("partners".parse().unwrap()));
    let other = || host("two").with_server_names(["b.example".parse().unwrap()]);
    let named = |builder: PolicyBuilder| builder.partner(user("p"), partner.certificate().clone(), []);
    let before = named(PolicyBuilder::for_host(host("one")).host(other())).build().unwrap();
    let after = named(PolicyBuilder::for_host(host("one"))).host(other()).build().unwrap();
    assert_eq!(before.digest(), after.digest());
}

#[test]
fn a_name_that_ends_in_a_blank_nobody_sees_is_no_user() {
    for blank in ['\u{2800}', '\u{1d159}', '\u{3164}'] {
        assert!(format!("billing{blank}").parse::<certmap::UserName>().is_err());
    }
    let (root, issuing) = hierarchy();
    let policy = policy(bundle(&[&root]), [rule(&root, "dns", "\"iot/\" + dns")]);
    assert_eq!(who(&policy, &dns("a.example").issued_by(&issuing)), of("iot/a.example"));
}
