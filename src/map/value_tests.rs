//! What counts as a value of which kind, and what does not. The prefix of a test's name is the kind of failure.

use super::tests::{DNS, EMAIL, IP, OTHER, UPN, URI, matches, other, rule, san, san_text, subject, tlv, under, who};
use super::*;
use crate::testing::TestCertificate;

#[test]
fn a_source_may_name_whom_it_gives_and_nobody_else() {
    for (source, users, others) in [
        ("\"SAPERPUSER\"", &["SAPERPUSER"][..], &["saperpuser", "u"][..]),
        ("\"iot/\" + dns", &["iot/a.example"], &["a.example", "iot/A.example", "iot/"]),
        ("dns among (\"a\", \"b\")", &["a", "b"], &["c"]),
    ] {
        let source: UserSource = source.parse().unwrap();
        assert!(users.iter().all(|user| source.may_name(&user.parse().unwrap())), "{source}");
        let named: Vec<_> =
            others.iter().filter(|user| user.parse().is_ok_and(|user| source.may_name(&user))).collect();
        assert!(named.is_empty(), "{source} {named:?}");
    }
}

#[test]
fn mp_12_only_the_diagonal_of_kinds_matches() {
    let texts = [
        ("dns", "admin.example.com"),
        ("email", "admin@example.com"),
        ("uri", "urn:admin.example.com"),
        ("upn", "admin@example.com"),
        ("other 1.2.3.4", "admin.example.com"),
        ("attribute CN", "admin.example.com"),
        ("extension 1.2.3.4", "admin.example.com"),
    ];
    for (rule_kind, text) in texts {
        let utf8 = tlv(0x0c, text.as_bytes());
        let certificates = [
            ("dns", san_text(DNS, text)),
            ("email", san_text(EMAIL, text)),
            ("uri", san_text(URI, text)),
            ("upn", san(&[other(UPN, &utf8)])),
            ("other 1.2.3.4", san(&[other(OTHER, &utf8)])),
            ("attribute CN", subject(&format!("CN={text}"))),
            ("extension 1.2.3.4", {
                let made = TestCertificate::new("O=x").with_extension("1.2.3.4", false, &utf8).self_signed();
                made.certificate().clone()
            }),
        ];
        for (kind, certificate) in certificates {
            let wanted = format!("{rule_kind} \"{text}\"");
            assert_eq!(matches(&wanted, &certificate), kind == rule_kind, "{wanted} on {kind}");
        }
    }
}

#[test]
fn mp_12_addresses_and_names_of_directories_are_kinds_too() {
    let name = "CN=a,O=x".parse::<crate::DistinguishedName>().unwrap();
    let directory = san(&[tlv(0xa4, &name.to_der())]);
    assert!(matches("directory \"CN=a,O=x\"", &directory));
    assert!(!matches("subject \"CN=a,O=x\"", &directory));
    assert!(!matches("attribute CN \"a\"", &directory));
    assert!(!matches("directory \"CN=a,O=x\"", &subject("CN=a,O=x")));
    let address = san(&[tlv(IP, &[192, 0, 2, 1])]);
    assert!(matches("ip 192.0.2.1", &address));
    assert!(!matches("ip ::ffff:192.0.2.1", &address));
    assert!(!matches("ip 192.0.2.1", &san_text(DNS, "192.0.2.1")));
    assert!(!matches("ip 192.0.2.1", &san(&[tlv(IP, &[192, 0, 2, 1, 0])])));
}

#[test]
fn mp_07_mp_34_mp_35_what_is_no_host_name_matches_no_host() {
    for text in [
        "a.example.com, DNS:b.example.com",
        "*.example.com",
        "a.example.com.",
        "192.0.2.1",
        "a.0x7f000001",
        "a.0X",
        "a..example.com",
        ".example.com",
        "",
        "a.example.com ",
        "bücher.example.com",
    ] {
        let certificate = san_text(DNS, text);
        for rule in
            ["dns", "dns any", "dns any \"a.example.com\"", "dns any \"b.example.com\"", "dns any \"example.com\""]
        {
            assert!(!matches(rule, &certificate), "{rule} {text}");
        }
        assert!(format!("dns \"{text}\"").parse::<NameTest>().is_err(), "{text}");
        // Beside a good name it is one name too many.
        let both = san(&[tlv(DNS, b"a.example.com"), tlv(DNS, text.as_bytes())]);
        assert!(!matches("dns \"a.example.com\"", &both));
        assert!(!matches("dns all \"a.example.com\"", &both));
        assert!(matches("dns any \"a.example.com\"", &both));
    }
    assert!(matches("dns \"a_b.example.com\"", &san_text(DNS, "a_b.example.com")));
}

#[test]
fn what_is_no_address_and_no_uri_matches_none() {
    let no_address =
        ["", "a", "@", "a@", "@b.example", "a@b@c.example", "a b@c.example", "\u{e4}@b.example", "a@b.example\u{7f}"];
    let no_uri = ["", "urn", ":a", "u_n:a", "urn:a b", "urn:\u{e4}", "\u{e4}:a"];
    let kinds = [("email", EMAIL, &no_address[..], "a@b.example"), ("uri", URI, &no_uri, "urn:a.b+c-d")];
    for (kind, tag, bad, good) in kinds {
        assert!(matches(&format!("{kind} \"{good}\""), &san_text(tag, good)));
        for text in bad {
            assert!(format!("{kind} \"{text}\"").parse::<NameTest>().is_err(), "{kind} {text}");
            let certificate = san_text(tag, text);
            assert!(![kind.to_owned(), format!("{kind} any")].iter().any(|rule| matches(rule, &certificate)), "{text}");
        }
    }
}

#[test]
fn mp_10_a_control_character_anywhere_makes_every_name_worthless() {
    let rules = ["attribute CN any \"admin\"", "dns any \"admin.example\"", "every-certificate", "email any \"a@b\""];
    let mut hostile = vec![subject("CN=admin,O=x\\00y"), subject("CN=admin\\00.evil"), subject("CN=admin,O=x\\0Ay")];
    let plain = [tlv(DNS, b"admin.example"), tlv(EMAIL, b"a@b")];
    let directory = "CN=admin\\00".parse::<crate::DistinguishedName>().unwrap();
    for name in [
        tlv(DNS, b"admin.example\0.evil"),
        tlv(EMAIL, b"a@b\0"),
        tlv(URI, b"urn:x\0"),
        tlv(0xa4, &directory.to_der()),
        other(UPN, &tlv(0x0c, b"admin\0.evil")),
        other(OTHER, &tlv(0x16, b"admin\n")),
    ] {
        let names = [&plain[..], &[name]].concat();
        let made = TestCertificate::new("CN=admin").with_extension("2.5.29.17", false, &tlv(0x30, &names.concat()));
        hostile.push(made.self_signed().certificate().clone());
    }
    for certificate in &hostile {
        for rule in rules {
            assert!(!matches(rule, certificate), "{rule} on {certificate:?}");
        }
    }
    assert!(matches("dns \"admin.example\"", &san(&plain)));
}

#[test]
fn mp_11_an_other_name_of_another_type_is_no_text() {
    let wanted = "other 1.2.3.4 any \"admin\"";
    assert!(matches(wanted, &san(&[other(OTHER, &tlv(0x0c, b"admin"))])));
    for tag in (1u8..=30).filter(|tag| ![0x0c, 0x12, 0x13, 0x16, 0x1a].contains(tag)) {
        for content in [&b"admin"[..], b"admin\0.evil", b"\0a\0d\0m\0i\0n", b"\0\0\0a\0\0\0d\0\0\0m\0\0\0i\0\0\0n"] {
            assert!(!matches(wanted, &san(&[other(OTHER, &tlv(tag, content))])), "{tag} {content:?}");
        }
    }
    // Something else than a string is compared as a whole, where a rule says so.
    let number = san(&[other(OTHER, &[2, 1, 5])]);
    assert!(matches("other 1.2.3.4 #020105", &number));
    assert!(!matches("other 1.2.3.4 #020106", &number));
    assert!("other 1.2.3.4 #1e020061".parse::<NameTest>().is_err(), "BMPString");
    assert!("other 1.2.3.4 #0c0161".parse::<NameTest>().is_err(), "a text");
    // An `otherName` that cannot be read could be of any kind.
    let broken = san(&[other(OTHER, &tlv(0x0c, b"admin")), tlv(0xa0, &[6, 1, 0x80])]);
    assert!(!matches("other 1.2.3.4 \"admin\"", &broken));
}

/// Many values are looked up and few are looked at; both mean what the words say.
#[test]
fn a_quantifier_means_the_same_for_few_values_and_for_many() {
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..300 {
        // `*` is no value, but there.
        let alphabet = if round % 3 == 0 { &["a", "A"][..] } else { &["a", "A", "b", "*"][..] };
        let values: Vec<&str> = (0..random.usize(..20)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
        let certificate = san(&values.iter().map(|value| tlv(DNS, value.as_bytes())).collect::<Vec<_>>());
        for (test, is) in [
            ("\"a\"", &(|value: &str| value == "a") as &dyn Fn(&str) -> bool),
            ("ignoring-case \"a\"", &|value| value.eq_ignore_ascii_case("a")),
            ("", &|value| value != "*"),
        ] {
            for (quantifier, holds) in [
                ("", values.len() == 1 && is(values[0])),
                ("any", values.iter().any(|value| is(value))),
                ("all", !values.is_empty() && values.iter().all(|value| is(value))),
                ("nth(2)", values.get(1).is_some_and(|value| is(value))),
                ("nth(12)", values.get(11).is_some_and(|value| is(value))),
            ] {
                let wanted = format!("dns {quantifier} {test}");
                assert_eq!(matches(&wanted, &certificate), holds, "{wanted} {values:?}");
                let excluded = format!("all(attribute O \"x\", not {wanted})");
                // Left out is what the value could be read as: in any case, and what is no value.
                let could_be = values.iter().any(|value| is(&value.to_ascii_lowercase()) || *value == "*");
                assert_eq!(matches(&excluded, &certificate), !could_be, "{excluded} {values:?}");
            }
        }
    }
}

#[test]
fn an_unreadable_value_is_a_value_of_its_kind() {
    let name = "CN=a".parse::<crate::DistinguishedName>().unwrap().to_der();
    for (tag, good, test) in [
        (EMAIL, &b"a@b"[..], "\"a@b\""),
        (DNS, b"a.example", "\"a.example\""),
        (0xa4, &name, "\"CN=a\""),
        (URI, b"urn:a", "\"urn:a\""),
        (IP, &[192, 0, 2, 1], "192.0.2.1"),
    ] {
        let kind = match tag {
            EMAIL => "email",
            DNS => "dns",
            URI => "uri",
            IP => "ip",
            _ => "directory",
        };
        let (good, broken) = (tlv(tag, good), tlv(tag, &[0xff]));
        assert!(matches(&format!("{kind} {test}"), &san(std::slice::from_ref(&good))), "{kind}");
        let both = san(&[good, broken]);
        assert!(matches(&format!("{kind} any {test}"), &both), "{kind}");
        for one in ["", "all "] {
            assert!(!matches(&format!("{kind} {one}{test}"), &both), "{kind} {one}");
        }
    }
}

/// An `otherName` whose kind cannot be read may be of any kind, wherever it stands.
#[test]
fn an_unreadable_other_name_is_a_value_of_every_kind() {
    let good = || other(OTHER, &tlv(0x0c, b"admin"));
    let broken = || tlv(0xa0, &[6, 1, 0x80]);
    for (names, second) in
        [(vec![broken(), good()], true), (vec![good(), broken()], false), (vec![broken(), broken(), good()], false)]
    {
        let certificate = san(&names);
        assert!(
            !matches("other 1.2.3.4 \"admin\"", &certificate) && !matches("other 1.2.3.4 all \"admin\"", &certificate)
        );
        assert!(matches("other 1.2.3.4 any \"admin\"", &certificate));
        assert_eq!(matches("other 1.2.3.4 nth(2) \"admin\"", &certificate), second);
        assert!(!matches("all(attribute O \"x\", not upn \"a@b\")", &certificate), "it could be this one");
        assert!(matches("all(attribute O \"x\", not dns \"a.example\")", &certificate));
    }
}

#[test]
fn mp_22_case_counts_unless_the_rule_says_otherwise_and_never_before_the_at() {
    let address = |text: &str| san_text(EMAIL, text);
    assert!(!matches("email \"Bob@acme.example\"", &address("Bob@ACME.example")));
    assert!(matches("email ignoring-case \"Bob@acme.example\"", &address("Bob@ACME.example")));
    assert!(!matches("email ignoring-case \"Bob@acme.example\"", &address("bob@acme.example")));
    assert!(matches("dns ignoring-case \"API.acme.example\"", &san_text(DNS, "api.ACME.example")));
    assert!(!matches("dns \"API.acme.example\"", &san_text(DNS, "api.acme.example")));
    for field in ["uri", "upn", "attribute CN"] {
        assert!(format!("{field} ignoring-case \"urn:a@b\"").parse::<NameTest>().is_err(), "{field}");
    }
    let taken = |source: &str| who(&[rule(under("ca", "email"), source)], &address("Bob@ACME.example"));
    for how in ["", " in-lower-case"] {
        assert_eq!(taken(&format!("\"t/\" + email{how}")), "t/Bob@acme.example");
        assert_eq!(taken(&format!("\"t/\" + email without-suffix \"@ACME.example\"{how}")), "t/Bob");
        assert_eq!(taken(&format!("\"t/\" + email without-prefix \"Bob@\"{how}")), "t/acme.example");
        let host = who(&[rule(under("ca", "dns"), &format!("\"t/\" + dns{how}"))], &san_text(DNS, "Api.ACME.example"));
        assert_eq!(host, "t/api.acme.example");
        // The domain that is left out has no case either.
        assert_eq!(taken(&format!("\"t/\" + email without-suffix \"@acme.example\"{how}")), "t/Bob");
        assert_eq!(taken(&format!("\"t/\" + email without-suffix \"bob@acme.example\"{how}")), "[none]");
    }
    let two = |source: &str| who(&[rule(under("ca", "email"), source)], &address("Bob@Home@ACME.example"));
    assert_eq!(two("\"t/\" + email without-prefix \"Bob@\" in-lower-case"), "[none]");
}

#[test]
fn mp_23_mp_25_mp_27_letters_that_look_alike_are_different() {
    let pairs = [
        ("mike", "mıke"),
        ("smith", "ſmith"),
        ("K", "\u{212a}"),
        ("a", "ａ"),
        ("\u{e9}", "e\u{301}"),
        ("Foo  Bar", "foo bar"),
    ];
    for (one, two) in pairs {
        assert!(matches(&format!("attribute CN \"{one}\""), &subject(&format!("CN={one}"))));
        assert!(!matches(&format!("attribute CN \"{one}\""), &subject(&format!("CN={two}"))), "{one} {two}");
        assert!(!matches(&format!("attribute CN \"{two}\""), &subject(&format!("CN={one}"))), "{two} {one}");
    }
    assert!(!matches("dns ignoring-case \"xn--bcher-kva.example\"", &san_text(DNS, "bücher.example")));
    assert!(matches("dns ignoring-case \"XN--BCHER-kva.example\"", &san_text(DNS, "xn--bcher-kva.example")));
    let folding = [rule(under("ca", "attribute CN"), "\"t/\" + attribute CN in-lower-case")];
    assert_eq!(who(&folding, &subject("CN=ÄPump\u{212a}")), "t/Äpump\u{212a}");
}

#[test]
fn mp_26_strings_that_programs_read_differently_match_nothing_and_are_there() {
    for opaque in ["#140561646d696e", "#1e0a00610064006d0069006e", "#1c0400000061", "#04057061737361", "#0c01ff"] {
        let certificate = subject(&format!("CN={opaque}"));
        for rule in ["attribute CN any \"admin\"", "attribute CN", "attribute CN any"] {
            assert!(!matches(rule, &certificate), "{rule} {opaque}");
        }
        assert!(!matches("attribute CN \"admin\"", &subject(&format!("CN=admin,CN={opaque}"))), "{opaque}");
        assert!(matches("attribute CN any \"admin\"", &subject(&format!("CN=admin,CN={opaque}"))), "{opaque}");
        assert!(format!("subject \"CN={opaque}\"").parse::<NameTest>().is_err(), "{opaque}");
    }
}
