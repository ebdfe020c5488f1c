//! Whoever is left out, denied, revoked or disabled does not come back spelled in another way.

use std::time::Duration;

use certmap::document::{Document, NoReferences};
use certmap::map::InvalidUserSource;
use certmap::review::{FindingCode, lint};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::trust::Denial;
use certmap::{Host, NewKey, Policy, PolicyBuilder, RefusalCode, UserSource};

use crate::anchors::{bundle, client, hierarchy};
use crate::common::user;
use crate::fleets::{of, policy, rule, who};
use crate::left_behind::left_out;

const MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

fn named(name: TestName<'_>) -> TestCertificate {
    client("CN=a,O=Acme").with_alternative_names(&[name])
}

fn mailbox(address: &str) -> TestCertificate {
    let value = [&[0x0c, u8::try_from(address.len()).unwrap()], address.as_bytes()].concat();
    named(TestName::Other(MAILBOX, &value))
}

fn builder(root: &TestIdentity, test: &str, source: &str) -> PolicyBuilder {
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[root]))).mappings([rule(root, test, source)])
}

/// What the lint says of a disabled user.
fn findings(policy: &Policy) -> Vec<(FindingCode, String)> {
    let all = lint(policy, NOW, Duration::from_secs(86_400)).into_iter();
    let users = [FindingCode::DisabledUserByCase, FindingCode::DisabledUserUnnamed];
    all.filter(|one| users.contains(&one.code())).map(|one| (one.code(), one.to_string())).collect()
}

#[test]
fn a_uri_has_one_form() {
    let test = "all(attribute O \"Acme\", not uri \"spiffe://acme.example/test\")";
    for uri in [
        "spiffe://acme.example./test",
        "spiffe://acme.example.:1/test",
        "spiffe://@acme.example/test",
        "spiffe://acme.example:/test",
        "spiffe://acme.example/test#",
        "spiffe://acme.example/test?",
        "spiffe://acme.example/test?#",
        "spiffe://acme.example/test?#a",
    ] {
        let both = client("CN=a,O=Acme").with_alternative_names(&[TestName::Dns("api.example"), TestName::Uri(uri)]);
        let test = test.replace("attribute O \"Acme\"", "dns \"api.example\"");
        left_out(&test, both);
    }
    // What only looks so is another URI.
    let (root, issuing) = hierarchy();
    let policy = policy(bundle(&[&root]), [rule(&root, test, "\"u\"")]);
    for uri in ["spiffe://u@acme.example:1/test.", "urn:a.", "https://[2001:db8::1]/", "spiffe://acme.example/?a?"] {
        let expected = if uri.ends_with("?a?") { Err(RefusalCode::NotMapped) } else { of("u") };
        assert_eq!(who(&policy, &named(TestName::Uri(uri)).issued_by(&issuing)), expected, "{uri}");
    }
}

#[test]
fn an_address_within_an_address_is_that_address() {
    for within in
        ["::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "64:ff9b:1:2:3:4:10.0.0.1", "2002:a00:1::"]
    {
        let names = [TestName::Dns("api.example"), TestName::Ip(within.parse().unwrap())];
        let both = client("CN=a,O=Acme").with_alternative_names(&names);
        left_out("all(dns \"api.example\", not ip 10.0.0.1)", both);
    }
    let (root, issuing) = hierarchy();
    let policy = policy(bundle(&[&root]), [rule(&root, "all(attribute O \"Acme\", not ip 10.0.0.1)", "\"u\"")]);
    for other in ["2001:db8::a00:1", "64:ff9b:2::10.0.0.1", "64:ff9b::10.0.0.2", "2002:a00:2::a00:1"] {
        let other = named(TestName::Ip(other.parse().unwrap()));
        assert_eq!(who(&policy, &other.issued_by(&issuing)), of("u"));
    }
}

#[test]
fn text_that_somebody_read_in_the_wrong_encoding_is_that_text() {
    for (wanted, written) in [("T\u{fc}st", "T\u{c3}\u{bc}st"), ("T\u{c3}\u{bc}st", "T\u{fc}st")] {
        let test = format!("all(attribute O \"Acme\", not attribute OU \"{wanted}\")");
        left_out(&test, client(&format!("CN=a,OU={written},O=Acme")));
    }
}

/// A CA that leaves out the octet which makes a number positive: `-76` to this crate and OpenSSL, `8a` to who shows octets.
#[test]
fn a_serial_number_counts_with_its_sign_and_without() {
    let (root, _) = hierarchy();
    for (octets, others) in [(&[0x8a][..], ["8a", "-76"]), (&[0, 0x8a], ["8a", "-76"])] {
        let holder = client("CN=a,O=Acme").with_serial(octets).issued_by(&root);
        let (issuer, serial) = (holder.certificate().issuer(), holder.certificate().serial().to_string());
        for other in others {
            let denial = Denial::serial(issuer.clone(), other.parse().unwrap());
            let denied = builder(&root, "attribute O \"Acme\"", "\"u\"").denial(denial).build().unwrap();
            assert_eq!(who(&denied, &holder), Err(RefusalCode::Denied), "{serial}, denied {other}");
            let test = format!("all(attribute O \"Acme\", not serial {other})");
            let excluded = builder(&root, &test, "\"u\"").build().unwrap();
            assert_eq!(who(&excluded, &holder), Err(RefusalCode::NotMapped), "{serial}, not {other}");
            // A rule is for the number as it is.
            let exact = builder(&root, &format!("serial {other}"), "\"u\"").build().unwrap();
            let expected = if serial == other { of("u") } else { Err(RefusalCode::NotMapped) };
            assert_eq!(who(&exact, &holder), expected, "{serial}, {other}");
        }
    }
}

#[test]
fn a_mailbox_beyond_ascii_has_one_form() {
    let test = format!("all(dns \"api.example\", not other {MAILBOX} \"\u{f6}@acme.example\")");
    for address in [
        "\"\u{f6}\"@acme.example",
        "\u{f6}(x)@acme.example",
        "\u{f6} @acme.example",
        "\u{f6}\u{3000}@acme.example",
        "\u{f6}@acme.example.",
        "\u{f6}@b\u{fc}cher.example",
        "\u{f6}@x@acme.example",
        "@acme.example",
        "\u{f6}",
    ] {
        let value = [&[0x0c, u8::try_from(address.len()).unwrap()], address.as_bytes()].concat();
        let names = [TestName::Dns("api.example"), TestName::Other(MAILBOX, &value)];
        left_out(&test, client("CN=a,O=Acme").with_alternative_names(&names));
    }
    let (root, issuing) = hierarchy();
    let policy = builder(&root, &format!("other {MAILBOX}"), &format!("\"m/\" + other {MAILBOX}")).build().unwrap();
    let at = |address| who(&policy, &mailbox(address).issued_by(&issuing));
    assert_eq!(at("\u{f6}.ox@XN--BCHER-KVA.example"), of("m/\u{f6}.ox@xn--bcher-kva.example"));
    assert_eq!(at("\u{f6}.ox@B\u{dc}CHER.example"), Err(RefusalCode::NotMapped));
}

#[test]
fn who_is_disabled_comes_back_in_no_case_or_the_lint_tells() {
    let (root, issuing) = hierarchy();
    let mail = |address| named(TestName::Email(address)).issued_by(&issuing);
    let build = |test: &str, source: &str, disabled: &str| {
        builder(&root, test, source).disabled_user(user(disabled)).build().unwrap()
    };
    let kept = build("email", "\"m/\" + email", "m/bob@acme.example");
    assert_eq!(who(&kept, &mail("bob@ACME.example")), Err(RefusalCode::UserDisabled));
    assert_eq!(who(&kept, &mail("Bob@acme.example")), of("m/Bob@acme.example"));
    assert_eq!(findings(&kept)[0].0, FindingCode::DisabledUserByCase);
    assert_eq!(findings(&build("email", "\"m/\" + email in-lower-case", "m/bob@acme.example")), findings(&kept));
    // Of a domain alone nothing is left that could have a case.
    let domain = build("email", "\"m/\" + email without-prefix \"bob@\"", "m/acme.example");
    assert_eq!(who(&domain, &mail("bob@ACME.example")), Err(RefusalCode::UserDisabled));
    assert_eq!(findings(&domain), []);
    // What the lint proposes is what the template makes.
    let capitals = build("email", "\"m/\" + email", "m/Bob@ACME.example");
    let told = &findings(&capitals)[0];
    assert_eq!(told.0, FindingCode::DisabledUserUnnamed);
    assert!(told.1.contains("but one can name `m/Bob@acme.example`"), "{}", told.1);
    // Letters beyond ASCII keep their case.
    let beyond = build("attribute CN", "\"t/\" + attribute CN in-lower-case", "t/j\u{f6}rg");
    assert_eq!(who(&beyond, &client("CN=J\u{f6}RG").issued_by(&issuing)), Err(RefusalCode::UserDisabled));
    assert_eq!(who(&beyond, &client("CN=J\u{d6}RG").issued_by(&issuing)), of("t/j\u{d6}rg"));
    let told = &findings(&beyond)[0];
    assert_eq!(told.0, FindingCode::DisabledUserByCase);
    assert!(told.1.ends_with("disable the user in every case that the CA writes"), "{}", told.1);
}

#[test]
fn a_host_is_stripped_of_its_end_in_any_case() {
    let (root, issuing) = hierarchy();
    for suffix in [".iot.example", ".IOT.Example"] {
        let source = format!("\"iot/\" + dns without-suffix \"{suffix}\"");
        let policy = builder(&root, "dns", &source).build().unwrap();
        for host in ["pump.iot.example", "PUMP.IOT.example"] {
            assert_eq!(who(&policy, &named(TestName::Dns(host)).issued_by(&issuing)), of("iot/pump"), "{host}");
        }
    }
    for (source, address, expected) in [
        ("email without-suffix \"@ACME.example\"", "Bob@acme.EXAMPLE", "Bob"),
        ("email without-suffix \".EXAMPLE\"", "Bob@acme.EXAMPLE", "Bob@acme"),
        ("email without-prefix \"Bob@ACME.\"", "Bob@acme.EXAMPLE", "example"),
        ("email without-prefix \"Bo\"", "Bob@ACME.example", "b@acme.example"),
    ] {
        let policy = builder(&root, "email", &format!("\"m/\" + {source}")).build().unwrap();
        let client = named(TestName::Email(address)).issued_by(&issuing);
        assert_eq!(who(&policy, &client), of(&format!("m/{expected}")), "{source}");
    }
    let policy = builder(&root, "email", "\"m/\" + email without-prefix \"bo\"").build().unwrap();
    let client = named(TestName::Email("Bob@acme.example")).issued_by(&issuing);
    assert_eq!(who(&policy, &client), Err(RefusalCode::NotMapped), "before the `@` there is a case");
}

#[test]
fn a_denial_is_taken_back_as_it_is_spelled() {
    let a = TestCertificate::new("CN=Acme CA").as_ca().self_signed();
    let b = TestCertificate::new("CN=ACME CA").as_ca().with_new_key(NewKey::EcP256).self_signed();
    let built = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&a, &b])))
        .mappings([&a, &b].map(|ca| rule(ca, "attribute O \"Acme\"", "\"u\"")));
    let mut document = Document::from(&built.build().unwrap());
    let holders = [&a, &b].map(|ca| client("CN=x,O=Acme").with_serial(&[9]).issued_by(ca));
    let denials = holders
        .each_ref()
        .map(|holder| Denial::serial(holder.certificate().issuer(), holder.certificate().serial().clone()));
    let said = |changes: certmap::document::Changes| changes.to_string();
    for denial in &denials {
        let changes = document.edit(&NoReferences).deny(denial, Some("stolen")).unwrap();
        assert_eq!(said(changes), format!("+ denial {denial}"));
    }
    let changes = document.edit(&NoReferences).allow(&denials[0]).unwrap();
    assert_eq!(said(changes), format!("- denial {}", denials[0]));
    // The other one stands, and hits both.
    let policy = document.build(&NoReferences).unwrap();
    assert_eq!(holders.each_ref().map(|holder| who(&policy, holder)), [(); 2].map(|()| Err(RefusalCode::Denied)));
    let error = document.edit(&NoReferences).allow(&denials[0]).unwrap_err();
    let expected = format!("the denial `{}`, spelled unlike `{}`, is not there: list what is", denials[0], denials[1]);
    assert_eq!(error.to_string(), expected);
    document.edit(&NoReferences).allow(&denials[1]).unwrap();
    let policy = document.build(&NoReferences).unwrap();
    assert_eq!(holders.map(|holder| who(&policy, &holder)), [of("u"), of("u")]);
}

#[test]
fn a_list_has_no_user_that_no_certificate_gives() {
    for (source, never) in [
        ("dns among (\"a.example\", \"B.example\")", Some("B.example")),
        ("\"iot/\" + dns among (\"a.example\")", Some("a.example")),
        ("email among (\"Bob@ACME.example\")", Some("Bob@ACME.example")),
        ("email without-prefix \"bob@\" among (\"Acme.example\")", Some("Acme.example")),
        ("attribute CN in-lower-case among (\"Bob\")", Some("Bob")),
        ("email among (\"Bob@acme.example\")", None),
        ("attribute CN among (\"Bob\")", None),
        ("attribute CN in-lower-case among (\"b\u{d6}b\")", None),
    ] {
        let read = source.parse::<UserSource>().err();
        let expected = never.map(|never| InvalidUserSource::NeverGiven { user: user(never) });
        assert_eq!(read, expected, "{source}");
    }
}
