//! The text form of selectors, tests, user sources, holders and strengths: round trip, and where something else was expected.

use std::error::Error as _;

use certmap::map::{InvalidUserSource, NameTest, Quantifier, ValueTest};
use certmap::{Fingerprint, Holder, Selector, SpkiFingerprint, UserSource};

fn ca() -> String {
    Fingerprint::of(b"ca").to_string()
}

/// The message and what is behind it.
fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[track_caller]
fn test_err(text: &str) -> String {
    with_cause(&text.parse::<NameTest>().unwrap_err())
}

#[track_caller]
fn source_err(text: &str) -> String {
    with_cause(&text.parse::<UserSource>().unwrap_err())
}

#[test]
fn what_is_printed_is_read_back_and_what_is_read_is_printed_so() {
    let key = SpkiFingerprint::of(b"key").to_string();
    for text in [
        ca(),
        key.clone(),
        format!("under {} dns", ca()),
        format!("under {} through {} issued-by {key} every-certificate", ca(), Fingerprint::of(b"sub")),
        format!("under {} all(attribute CN \"a\", dns any \"a.example\", not uri \"urn:x\")", ca()),
    ] {
        assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
    }
    for text in [
        "attribute CN",
        "attribute CN nth(2) in-multi-valued-rdns \"a \\\"b\\\" \\\\ c\"",
        "attribute 2.5.4.97 all \"x\"",
        "directory \"CN=a\\\\,b,O=c\"",
        "dns any ignoring-case \"api.acme.example\"",
        "email ignoring-case \"Bob@acme.example\"",
        "extension 1.2.3 \"text, (with) + signs\"",
        "extension 1.2.3 #020105",
        "ip 192.0.2.1",
        "ip 2001:db8::1",
        "other 1.2.3",
        "policy any 2.23.140.1.2.2",
        "serial -01",
        "serial 0a20",
        "subject \"CN=Lučić,O=Acme\\\\, Inc.\"",
        "upn \"alice@corp\"",
        "uri \"spiffe://acme/api\"",
        "any(all(dns \"a.example\", serial 01), email \"a@b\")",
    ] {
        assert_eq!(text.parse::<NameTest>().unwrap().to_string(), text);
    }
    for text in [
        "\"SAP ERP\"",
        "\"say \\\"x\\\"\"",
        "\"iot/\" + upn without-prefix \"a.\" without-suffix \".b\" in-lower-case",
        "attribute CN nth(2) in-multi-valued-rdns + \"@\" + attribute OU + \"@corp\"",
        "attribute CN among (\"alice\", \"bob\")",
        "\"u-\" + email among (\"u-a@b\")",
    ] {
        assert_eq!(text.parse::<UserSource>().unwrap().to_string(), text);
    }
    // A host is in small letters anyway.
    for (text, printed) in [
        ("\"iot/\" + dns in-lower-case", "\"iot/\" + dns"),
        ("\"iot/\" + dns without-suffix \".A.b\"", "\"iot/\" + dns without-suffix \".a.b\""),
        ("\"m/\" + email without-suffix \"A@B.c\"", "\"m/\" + email without-suffix \"A@b.c\""),
        ("\"m/\" + email in-lower-case", "\"m/\" + email"),
        ("\"m/\" + upn without-suffix \"@A\"", "\"m/\" + upn without-suffix \"@A\""),
    ] {
        assert_eq!(text.parse::<UserSource>().unwrap().to_string(), printed);
    }
    for text in ["user SAP ERP", "rule fleet"] {
        assert_eq!(text.parse::<Holder>().unwrap().to_string(), text);
    }
}

#[test]
fn other_spellings_are_read_and_printed_in_one() {
    for (text, printed) in [
        ("  all( uri \"urn:b\" ,dns \"a.example\" )", "all(dns \"a.example\", uri \"urn:b\")"),
        ("all(not dns \"b.example\", serial 1)", "all(serial 01, not dns \"b.example\")"),
        ("all(dns \"a.example\", dns \"a.example\")", "dns \"a.example\""),
        ("any(dns \"a.example\")", "dns \"a.example\""),
        ("all(serial 1, all(upn, not serial 3))", "all(serial 01, upn, not serial 03)"),
        ("dns exactly-one \"a.example\"", "dns \"a.example\""),
        // Where no certificate has several, which of them is meant says nothing; but a second one is never there.
        ("serial all 1", "serial 01"),
        ("subject nth(1) \"CN=a\"", "subject \"CN=a\""),
        ("extension 1.2.3 any #0500", "extension 1.2.3 #0500"),
        ("serial nth(2) 1", "serial nth(2) 01"),
        ("dns ignoring-case \"A.Example\"", "dns ignoring-case \"a.example\""),
        ("email ignoring-case \"A@B.Example\"", "email ignoring-case \"A@b.example\""),
        ("attribute 2.5.4.3 \"a\"", "attribute CN \"a\""),
        ("attribute cn \"a\"", "attribute CN \"a\""),
        ("other 1.3.6.1.4.1.311.20.2.3 \"a@b\"", "upn \"a@b\""),
        ("subject \"cn=a, o=b\"", "subject \"CN=a,O=b\""),
    ] {
        let test = text.parse::<NameTest>().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(test.to_string(), printed);
        assert_eq!(printed.parse(), Ok(test));
    }
}

#[test]
fn text_that_is_no_selector_is_refused_with_the_place() {
    let error = |text: &str| with_cause(&text.parse::<Selector>().unwrap_err());
    let selector = "expected `@` and the name of a certificate, `sha256:` and its fingerprint, `spki-sha256:` and that of a key, or `under` and a CA at column 1";
    assert_eq!(error(""), selector);
    assert_eq!(error("CN=admin"), selector);
    assert_eq!(error("dns \"a.example\""), selector);
    assert_eq!(error("SHA256:00"), selector);
    // As other tools print it.
    let bare = "expected `sha256:` before the fingerprint of a certificate at column 1";
    assert_eq!((error(&"c4".repeat(32)), error(&["C4"; 32].join(":"))), (bare.to_owned(), bare.to_owned()));
    // Longer, and as long, but none.
    assert_eq!((error(&"c4".repeat(33)), error(&"c4".repeat(31))), (selector.to_owned(), selector.to_owned()));
    assert_eq!(error(&format!("{}-c4", "c4".repeat(31))), selector);
    assert!(error("sha256:00").starts_with(&format!("{selector}: expected `sha256:` and 64")));
    let ca = ca();
    assert_eq!(
        error("under"),
        "expected a CA (`@` and its name, or `sha256:` and 64 digits) after `under` at column 6"
    );
    assert_eq!(
        error("  under dns"),
        "expected a CA (`@` and its name, or `sha256:` and 64 digits) after `under` at column 9"
    );
    let key = SpkiFingerprint::of(b"").to_string();
    assert_eq!(
        error(&format!("under {key} dns")),
        "expected a CA (`@` and its name, or `sha256:` and 64 digits) after `under` at column 7"
    );
    assert_eq!(
        error(&format!("under {ca} through x")),
        "expected a CA (`@` and its name, or `sha256:` and 64 digits) after `through` at column 87"
    );
    assert!(
        error(&format!("under {ca} issued-by {ca} dns"))
            .starts_with("expected a key (`spki-sha256:` and 64 digits) after `issued-by` at column 89")
    );
    assert!(error(&format!("under {ca}")).starts_with("expected a test such as `dns \"api.example\"`"));
    assert_eq!(error(&format!("{ca} dns")), "expected the end at column 73");
    assert_eq!(error(&format!("under {ca} dns \"a.example\" \"b.example\"")), "expected the end at column 95");
    assert_eq!(error(&" ".repeat(40_000)), "a selector of 40000 bytes is too long, at most 32768 are read");
}

#[test]
fn text_that_is_no_test_is_refused_with_the_place_and_the_reason() {
    assert_eq!(test_err("all"), "expected a `(` after `all` or `any` at column 4");
    assert_eq!(test_err("all(dns"), "expected a `,` or a `)` at column 8");
    assert_eq!(
        test_err("all(not dns)"),
        "the test at column 1 cannot be used: `all` and `any` need at least one test that is no `not`"
    );
    assert_eq!(
        test_err("all(uri, not all(dns, not ip))"),
        "the test at column 1 cannot be used: a `not` cannot stand within a `not`"
    );
    assert_eq!(
        test_err("all(uri, not every-certificate)"),
        "the test at column 1 cannot be used: `not every-certificate` leaves no certificate"
    );
    assert_eq!(test_err("attribute"), "expected an attribute type (`CN`, `2.5.4.3`) after `attribute` at column 10");
    assert_eq!(
        test_err("attribute XY \"a\""),
        "expected an attribute type (`CN`, `2.5.4.3`) after `attribute` at column 11"
    );
    assert_eq!(test_err("extension x"), "expected an object identifier after `extension` at column 11");
    assert_eq!(test_err("policy \"1.2.3\""), "expected a value without quotes, or the end of the test at column 8");
    assert_eq!(test_err("policy 1"), "expected an object identifier after `policy` at column 8");
    assert_eq!(test_err("dns a.example"), "expected a value in double quotes, or the end of the test at column 5");
    assert_eq!(test_err("dns \"a.example"), "expected a text that ends in a quote at column 5");
    assert_eq!(
        test_err("dns \"a\\n\""),
        "expected a text in which a backslash stands before `\"` or `\\` only at column 5"
    );
    assert_eq!(test_err("dns nth(0)"), "expected a place in brackets, counted from 1, after `nth` at column 9");
    assert_eq!(test_err("dns nth 1"), "expected a place in brackets, counted from 1, after `nth` at column 9");
    assert_eq!(test_err("dns nth(+1)"), "expected a place in brackets, counted from 1, after `nth` at column 9");
    assert_eq!(
        test_err("serial"),
        "the test at column 1 cannot be used: every certificate has a `serial`: say which is meant"
    );
    assert_eq!(test_err("serial xyz"), "expected a serial number in hexadecimal after `serial` at column 8");
    assert_eq!(test_err("ip 192.0.2.256"), "expected an IP address after `ip` at column 4");
    assert_eq!(
        test_err("subject \"CN\""),
        "expected a distinguished name (RFC 4514) at column 9: expected a `=` after the attribute type at offset 2"
    );
    assert_eq!(
        test_err("uri ignoring-case \"urn:a\""),
        "the test at column 1 cannot be used: `uri` is not compared without case: only values of `dns`, and of mail addresses, are"
    );
    assert_eq!(
        test_err("dns in-multi-valued-rdns"),
        "the test at column 1 cannot be used: `dns` does not stand in an RDN: only attributes of the subject do"
    );
    assert_eq!(
        test_err("uri \"ä\""),
        "the test at column 1 cannot be used: no certificate is matched by `ä` as `uri`: it is no URI: a scheme, a colon, letters of RFC 3986"
    );
    assert_eq!(
        test_err("dns \"*.example\""),
        "the test at column 1 cannot be used: no certificate is matched by `*.example` as `dns`: it is no DNS name of letters, digits, `-` and `_`, without wildcard, final dot and a number at its end"
    );
    assert_eq!(
        test_err("attribute CN \"a\u{202e}b\""),
        "the test at column 1 cannot be used: no certificate is matched by `a\\u{202e}b` as `attribute CN`: it has a control, bidirectional or invisible character"
    );
    assert_eq!(
        test_err("attribute CN \"\""),
        "the test at column 1 cannot be used: no certificate is matched by `` as `attribute CN`: it is empty"
    );
    assert_eq!(
        test_err("extension 1.2.3 #0201"),
        "the test at column 1 cannot be used: no certificate is matched by `DER` as `extension 1.2.3`: it is not one whole DER value"
    );
    let deep = |depth: usize| format!("{}uri{}", "all(dns, any(email, ".repeat(depth), "))".repeat(depth));
    assert!(deep(4).parse::<NameTest>().is_ok());
    assert!(
        test_err(&deep(5)).ends_with("tests are nested more than 8 deep: make several rules of it"),
        "{}",
        test_err(&deep(5))
    );
    assert!(test_err(&deep(1000)).ends_with("tests are nested more than 8 deep: make several rules of it"));
    let deep_not = format!("{}uri{}", "all(dns, not ".repeat(9), ")".repeat(9));
    assert!(test_err(&deep_not).ends_with("tests are nested more than 8 deep: make several rules of it"));
    assert_eq!(
        ValueTest::der(certmap::map::Field::Dns, &[5, 0]).unwrap_err().to_string(),
        "no certificate is matched by `DER` as `dns`: only extensions and other names are compared as DER"
    );
    let many = |count: usize| NameTest::any((0..count).map(|n| ValueTest::dns(&format!("h{n}.example")).unwrap()));
    assert!(many(32).is_ok());
    assert_eq!(
        many(33).unwrap_err().to_string(),
        "33 tests are too many for one rule, at most 32 are possible: make several rules of it"
    );
    // Whether they contradict each other is not looked for then: each would be compared with all others.
    let all = |count: usize| NameTest::all((0..count).map(|n| ValueTest::dns(&format!("h{n}.example")).unwrap()));
    assert!(matches!(all(32), Err(certmap::map::InvalidNameTest::Never { .. })));
    assert_eq!(all(33), Err(certmap::map::InvalidNameTest::TooMany { tests: 33 }));
    assert_eq!(
        NameTest::any([] as [NameTest; 0]).unwrap_err().to_string(),
        "`all` and `any` need at least one test that is no `not`"
    );
}

#[test]
fn what_is_built_has_the_form_and_the_limits_of_what_is_read() {
    let second =
        ValueTest::subject("CN=a".parse().unwrap()).unwrap().with_quantifier(Quantifier::Nth(2.try_into().unwrap()));
    assert_eq!(second.with_quantifier(Quantifier::All).to_string(), "subject \"CN=a\"");
    let deeper = |test: NameTest, n: u8| {
        let more: NameTest = ValueTest::dns(&format!("h{n}.example")).unwrap().with_quantifier(Quantifier::Any).into();
        if n.is_multiple_of(2) { NameTest::all([test, more]) } else { NameTest::any([test, more]) }
    };
    let uri: NameTest = ValueTest::uri("urn:a").unwrap().into();
    let deepest = (0..8).try_fold(uri, deeper).unwrap();
    assert_eq!(
        deeper(deepest, 8).unwrap_err().to_string(),
        "tests are nested more than 8 deep: make several rules of it"
    );
}

#[test]
fn words_in_the_wrong_place_and_tests_that_never_hold_are_told_so() {
    let not = "expected a test: `not` stands in an `all` only, beside what it narrows at column";
    assert_eq!(test_err("not dns \"a.example\""), format!("{not} 1"));
    assert_eq!(test_err("any(dns, not uri)"), format!("{not} 10"));
    let order = "expected a value, or the end of the test: which of several values is meant comes first, then `in-multi-valued-rdns`, then `ignoring-case` at column";
    for (text, column) in [
        ("dns ignoring-case any \"a.example\"", 19),
        ("attribute CN in-multi-valued-rdns any \"a\"", 35),
        ("dns any all \"a.example\"", 9),
        ("ip any nth(1) 192.0.2.1", 8),
        ("extension 1.2.3 any all #0500", 21),
        ("policy any all 1.2.3", 12),
        ("serial any all 1", 12),
    ] {
        assert_eq!(test_err(text), format!("{order} {column}"), "{text}");
    }
    assert_eq!(test_err("dns 'a.example'"), "expected a value in double quotes, or the end of the test at column 5");
    // Two hosts of one certificate: written as if there were one, it would match nobody, for ever.
    for (test, never) in [
        (
            "all(dns \"a.example\", dns \"b.example\")",
            "`dns \"a.example\"` and `dns \"b.example\"` never hold together, because each means the same place: write `any` behind `dns` for one value among several",
        ),
        (
            "all(uri, attribute CN nth(2) \"a\", all(attribute CN nth(2) \"b\", ip))",
            "`attribute CN nth(2) \"a\"` and `attribute CN nth(2) \"b\"` never hold together, because each means the same place: write `any` behind `attribute CN` for one value among several",
        ),
    ] {
        assert_eq!(test_err(test), format!("the test at column 1 cannot be used: {never}"));
    }
    // However many stand beside them.
    let mails = (0..30).map(|n| format!(", email any \"a@h{n}\"")).collect::<Vec<_>>().concat();
    let nots = (0..12).map(|n| format!(", not upn \"a@h{n}\"")).collect::<Vec<_>>().concat();
    for others in [mails, format!(", uri, email, ip{nots}")] {
        let text = test_err(&format!("all(dns \"a.example\", dns \"b.example\"{others})"));
        assert!(text.contains("never hold together"), "{text}");
    }
    for fine in [
        "all(dns any \"a.example\", dns any \"b.example\")",
        "all(dns nth(1) \"a.example\", dns nth(2) \"b.example\")",
        "all(dns, dns \"a.example\")",
        "any(dns \"a.example\", dns \"b.example\")",
        "all(dns \"A.example\", dns ignoring-case \"a.example\")",
    ] {
        assert!(fine.parse::<NameTest>().is_ok(), "{fine}");
    }
}

#[test]
fn text_that_is_no_user_source_is_refused_with_the_place_or_the_reason() {
    assert_eq!(
        source_err(""),
        "expected a text in double quotes or a field such as `dns` or `attribute CN` at column 1"
    );
    assert_eq!(
        source_err("billing"),
        "expected a text in double quotes or a field such as `dns` or `attribute CN` at column 1"
    );
    assert_eq!(
        source_err("\"iot/\" +"),
        "expected a text in double quotes or a field such as `dns` or `attribute CN` at column 9"
    );
    let after = "expected `+`, `among`, the end or, behind a field, in this order: `nth`, `in-multi-valued-rdns` (attributes only), `without-prefix`, `without-suffix`, `in-lower-case` at column";
    assert_eq!(source_err("\"iot/\" dns"), format!("{after} 8"));
    assert_eq!(source_err("\"iot/\" + dns in-lower-case without-suffix \".x\""), format!("{after} 28"));
    assert_eq!(source_err("\"iot/\" + dns in-multi-valued-rdns"), format!("{after} 14"), "a word without effect");
    assert_eq!(source_err("dns among (\"a\") + \"x\""), "expected the end at column 17");
    assert_eq!(source_err("\"iot/\" + dns \"x"), "expected a text that ends in a quote at column 14");
    assert_eq!(source_err("\"\""), "the user at column 1 cannot be used: user name is empty");
    assert_eq!(source_err("\" a\""), "the user at column 1 cannot be used: user name begins or ends with a blank");
    assert_eq!(source_err("\"a\" + \"b\""), "nothing is taken from the certificate: write one text, the user");
    assert_eq!(source_err("\"a\" among (\"a\")"), "nothing is taken from the certificate: write one text, the user");
    assert_eq!(source_err("dns + email + \"/\""), InvalidUserSource::AdjacentParts.to_string());
    assert_eq!(source_err("dns + \"-\" + email + \"/\""), InvalidUserSource::AdjacentParts.to_string());
    assert_eq!(source_err("dns"), InvalidUserSource::NotReserved.to_string());
    assert_eq!(source_err("\"\" + dns"), "an empty text reserves nothing: leave it out");
    assert_eq!(
        source_err("\"a\u{200b}\" + dns"),
        "the text has the character '\\u{200b}', which user names cannot have"
    );
    assert_eq!(source_err("\"ip/\" + ip"), "no user name can be taken from `ip`: its values are no text");
    assert_eq!(source_err("dns among"), "expected a `(` after `among` at column 10");
    assert_eq!(source_err("dns among ()"), "expected a user in quotes at column 12");
    assert_eq!(source_err("dns among (\"\")"), "the user at column 12 cannot be used: user name is empty");
    for (nothing, column) in [("", 26), (" \"\"", 27)] {
        assert_eq!(
            source_err(&format!("\"a/\" + dns without-suffix{nothing}")),
            format!("expected a text in quotes that is left out at column {column}")
        );
    }
    assert_eq!(
        UserSource::among([], []).unwrap_err().to_string(),
        "nobody is listed after `among`, so nobody would be matched"
    );
    assert_eq!(with_cause(&"fleet".parse::<Holder>().unwrap_err()), "expected `user` or `rule`, a blank and a name");
    assert_eq!(
        with_cause(&"rule -".parse::<Holder>().unwrap_err()).split(": ").next(),
        Some("expected the name of a rule after `rule`")
    );
}

#[test]
fn garbage_is_refused_or_reads_back() {
    const WORDS: [&str; 26] = [
        "all",
        "any",
        "not",
        "(",
        ")",
        ",",
        "+",
        "\"a.example\"",
        "\"",
        "dns",
        "email",
        "attribute",
        "CN",
        "nth",
        "2",
        "serial",
        "0a",
        "under",
        "every-certificate",
        "ignoring-case",
        "in-multi-valued-rdns",
        "#0201",
        "policy",
        "1.2.3",
        "\\",
        "ä",
    ];
    let mut random = fastrand::Rng::with_seed(41);
    let mut read = 0;
    for _ in 0..200_000 {
        let words: Vec<&str> = (0..random.usize(1..9)).map(|_| WORDS[random.usize(..WORDS.len())]).collect();
        let text = words.join(if random.bool() { " " } else { "" });
        if let Ok(test) = text.parse::<NameTest>() {
            assert_eq!(test.to_string().parse(), Ok(test), "{text}");
            read += 1;
        }
        if let Ok(source) = text.parse::<UserSource>() {
            assert_eq!(source.to_string().parse(), Ok(source), "{text}");
        }
        if let Err(error) = text.parse::<Selector>() {
            assert!(
                !error.to_string().contains('\n') && error.source().is_none_or(|cause| !cause.to_string().is_empty())
            );
        }
    }
    assert!(read > 1000, "{read}");
}

#[test]
fn mp_06_mp_29_no_part_of_a_fingerprint_and_no_other_hash_is_a_selector() {
    let digits = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for bad in [
        format!("sha256:{}", &digits[..63]),
        format!("sha256:{digits}0"),
        format!("sha256:{}", &digits[..40]),
        format!("sha1:{}", &digits[..40]),
        format!("md5:{}", &digits[..32]),
        digits.to_owned(),
        format!("sha256: {digits}"),
        format!("sha256:{}", digits.replace('9', "g")),
        format!("sha-256:{digits}"),
        "/CN=foo/O=bar".to_owned(),
        format!("under sha256:{digits} subject \"/CN=foo/O=bar\""),
    ] {
        assert!(bad.parse::<Selector>().is_err(), "{bad}");
    }
    let upper = format!("sha256:{}", digits.to_uppercase()).parse::<Selector>().unwrap();
    assert_eq!(upper.to_string(), format!("sha256:{digits}"));
}
