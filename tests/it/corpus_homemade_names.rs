//! Home-made ways to find the user of a certificate, each a few lines that stood in a product: the name is read as text,
//! the first of several is taken, kinds are mixed. Each takes an attacker's certificate for `admin`; the rule for `admin`
//! does not. The list is `corpus.md`.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use certmap::cert::{AttributeValue, GeneralName};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{Certificate, DistinguishedName};

use crate::anchors::{bundle, client, decide_at};
use crate::fleets::{of, policy, rule, who};
use crate::naive::common_name;

fn root() -> TestIdentity {
    TestCertificate::new("CN=root").as_ca().self_signed()
}

/// A subject as many libraries print it: most significant last, nothing escaped.
fn printed(certificate: &Certificate) -> String {
    let der = certificate.der();
    let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
    let attributes = read.subject().iter_attributes().map(|one| {
        let kind = match one.attr_type().to_id_string().as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            _ => "?",
        };
        format!("{kind}={}", one.as_str().unwrap_or_default())
    });
    attributes.collect::<Vec<_>>().join(",")
}

/// `CN=(.*?)(?:,|$)`: the pattern that Spring Security had by default (CVE-2026-22747), and others have still
/// (CVE-2025-37731).
fn by_pattern(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("CN=")?;
    after.split(',').next()
}

/// `/CN=foo/O=bar`, OpenSSL's form of one line, which people compare.
fn one_line(name: &DistinguishedName) -> String {
    let mut line = String::new();
    for rdn in name.rdns() {
        for attribute in rdn.attributes() {
            let kind = if attribute.kind().to_string() == "2.5.4.3" { "CN" } else { "O" };
            if let AttributeValue::Text(value) = attribute.value() {
                line.extend(["/", kind, "=", value]);
            }
        }
    }
    line
}

/// The alternative names as one string, `DNS:a, DNS:b`, which is what Node gave to programs (CVE-2021-44532).
fn joined(certificate: &Certificate) -> String {
    let names = certificate.subject_alternative_names();
    let text = names.iter().map(|name| match name {
        GeneralName::Dns(text) => format!("DNS:{text}"),
        GeneralName::Email(text) => format!("email:{text}"),
        GeneralName::Uri(text) => format!("URI:{text}"),
        _ => String::new(),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// Every alternative name as a string, of whatever kind (CVE-2022-21656).
fn of_any_kind(certificate: &Certificate) -> Vec<String> {
    let names = certificate.subject_alternative_names();
    let text = names.into_iter().map(|name| match name {
        GeneralName::Dns(text) | GeneralName::Email(text) | GeneralName::Uri(text) => text,
        // Behind the tag around it and its own.
        GeneralName::Other { value, .. } => String::from_utf8_lossy(&value[4..]).into_owned(),
        other => other.to_string(),
    });
    text.collect()
}

/// `*` stands for anything, on either side.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => text.starts_with(before) && text.ends_with(after),
        None => pattern == text,
    }
}

/// Takes the holder of a common name for `admin`, in one of these ways.
type Reading = fn(&str) -> bool;

/// Row, what it does, the reading, and the common name that is not `admin`.
const COMMON_NAMES: [(&str, &str, Reading, &str); 11] = [
    ("MP-10", "up to the first NUL, as C does", |cn| cn.split('\0').next() == Some("admin"), "admin\\00.evil"),
    ("MP-13", "without the `$` of machines", |cn| cn.trim_end_matches('$') == "admin", "admin$"),
    ("MP-21", "somewhere in it", |cn| cn.contains("admin"), "not-admin.evil"),
    ("MP-19", "the first pattern that fits", |cn| glob("*admin", cn), "evil-admin"),
    ("MP-20", "the value as a pattern", |cn| glob(cn, "admin"), "*"),
    ("MP-20", "the value in a pattern", |cn| glob(&format!("users/{cn}"), "users/admin"), "adm*"),
    ("MP-23", "in upper case", |cn| cn.to_uppercase() == "ADMIN", "adm\u{131}n"),
    ("MP-23", "in lower case", |cn| cn.to_lowercase() == "admin", "ADMIN"),
    ("MP-25", "without `xn--`, as idna before 1.0", |cn| ascii_of(cn) == "admin", "xn--admin-"),
    ("MP-27", "blanks and case folded", |cn| cn.trim().eq_ignore_ascii_case("admin"), "\\ Admin"),
    ("MP-02", "trimmed", |cn| cn.trim_end_matches(['\\', ' ']) == "admin", "admin\\\\"),
];

/// RUSTSEC-2024-0421: a label of Punycode that encodes nothing is decoded to what it was.
fn ascii_of(label: &str) -> &str {
    label.strip_prefix("xn--").and_then(|rest| rest.strip_suffix('-')).unwrap_or(label)
}

#[test]
fn mp_02_to_mp_27_common_names_that_are_taken_for_another() {
    let root = root();
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    assert_eq!(who(&policy, &client("CN=admin").issued_by(&root)), of("admin"));
    for (row, way, reads, name) in COMMON_NAMES {
        let attacker = client(&format!("CN={name}")).issued_by(&root);
        assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY, "{row}");
        assert!(reads(&common_name(&attacker.certificate().der()).unwrap()), "{row}: {way}");
    }
}

#[test]
fn mp_01_mp_02_mp_06_names_that_are_printed_and_read_again() {
    let root = root();
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    for subject in ["O=x\\,CN\\=admin", "OU=CN\\=admin", "CN=admin\\,CN\\=bob"] {
        let attacker = client(subject).issued_by(&root);
        assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY, "{subject}");
        assert_eq!(by_pattern(&printed(attacker.certificate())), Some("admin"), "{subject}");
    }
    let [one, two] = ["O=bar,CN=foo", "CN=foo/O\\=bar"].map(|text| text.parse::<DistinguishedName>().unwrap());
    assert_ne!((&one, one.to_string()), (&two, two.to_string()));
    assert_eq!(one_line(&one), one_line(&two));
}

#[test]
fn mp_04_mp_17_names_that_are_compared_as_sets() {
    let name = |text: &str| text.parse::<DistinguishedName>().unwrap();
    let set = |text: &str| text.split(',').flat_map(|rdn| rdn.split('+')).map(str::to_owned).collect::<HashSet<_>>();
    for (one, other) in [
        ("CN=a,CN=a,OU=b", "CN=a,OU=b,OU=b"),
        ("CN=a,OU=b", "OU=b,CN=a"),
        ("CN=a+OU=b", "CN=a,OU=b"),
        ("O=Acme,CN=admin", "CN=admin,O=Acme"),
    ] {
        assert_ne!(name(one), name(other));
        assert_eq!(set(one), set(other));
    }
    let root = root();
    let policy = policy(bundle(&[&root]), [rule(&root, "subject \"CN=admin,O=Acme\"", "\"admin\"")]);
    assert_eq!(who(&policy, &client("CN=admin,O=Acme").issued_by(&root)), of("admin"));
    for other in ["O=Acme,CN=admin", "CN=admin+O=Acme", "CN=admin,O=Acme,O=Acme"] {
        assert_eq!(who(&policy, &client(other).issued_by(&root)), crate::fleets::NOBODY, "{other}");
    }
}

/// The rule, what the attacker's certificate has, and how it was read.
type Kinds<'a> = (&'a str, &'a str, TestName<'a>, fn(&Certificate) -> bool);

#[test]
fn mp_07_to_mp_35_alternative_names_that_are_taken_for_another() {
    let root = root();
    let upn = b"\x0c\x10admin@ad.example";
    let rows: [Kinds<'_>; 8] = [
        ("MP-07", "dns \"admin.example\"", TestName::Dns("evil.example, DNS:admin.example"), |one| {
            joined(one).split(", ").any(|name| name == "DNS:admin.example")
        }),
        ("MP-12", "dns \"admin.example\"", TestName::Email("admin.example"), |one| {
            of_any_kind(one).contains(&"admin.example".to_owned())
        }),
        ("MP-12", "uri \"spiffe://admin\"", TestName::Dns("spiffe://admin"), |one| {
            of_any_kind(one).contains(&"spiffe://admin".to_owned())
        }),
        ("MP-11", "upn \"admin@ad.example\"", TestName::Other("1.2.3.4", upn), |one| {
            of_any_kind(one).contains(&"admin@ad.example".to_owned())
        }),
        ("MP-22", "email \"Admin@ad.example\"", TestName::Email("admin@ad.example"), |one| {
            of_any_kind(one).iter().any(|mail| mail.to_lowercase() == "Admin@ad.example".to_lowercase())
        }),
        ("MP-34", "dns \"admin.example\"", TestName::Dns("*.example"), |one| {
            of_any_kind(one).iter().any(|name| glob(name, "admin.example"))
        }),
        ("MP-35", "ip 192.0.2.1", TestName::Dns("192.0.2.1"), |one| {
            of_any_kind(one).iter().any(|name| name.parse() == Ok(std::net::Ipv4Addr::new(192, 0, 2, 1)))
        }),
        ("MP-10", "dns \"admin.example\"", TestName::Raw(0x82, b"admin.example\0.evil.example"), |one| {
            of_any_kind(one).iter().any(|name| name.split('\0').next() == Some("admin.example"))
        }),
    ];
    for (row, test, name, reads) in rows {
        let policy = policy(bundle(&[&root]), [rule(&root, test, "\"admin\"")]);
        let attacker = client("O=Thief").with_alternative_names(&[name]).issued_by(&root);
        assert!(who(&policy, &attacker).is_err(), "{row}");
        assert!(reads(attacker.certificate()), "{row}");
    }
}

#[test]
fn mp_08_mp_09_a_name_that_is_put_into_something_else() {
    let root = root();
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    let named = |name: &str| {
        let attacker = client(&format!("CN={name}")).issued_by(&root);
        assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY);
        common_name(&attacker.certificate().der()).unwrap()
    };
    // Into the name of a file (open62541-SA-2026-0011), and into a query (CVE-2023-28857).
    assert_eq!(Path::new("/users").join(named("/etc/passwd")), Path::new("/etc/passwd"));
    assert_eq!(format!("(uid={})", named("*\\29\\28uid\\3Dadmin")), "(uid=*)(uid=admin)");
}

#[test]
fn mp_14_a_name_that_any_ca_may_have_signed() {
    let (root, other) = (root(), TestCertificate::new("CN=other").as_ca().self_signed());
    let mail = TestName::Email("admin@acme.example");
    let policy = policy(bundle(&[&root, &other]), [rule(&root, "email \"admin@acme.example\"", "\"admin\"")]);
    let attacker = client("O=Thief").with_alternative_names(&[mail]).issued_by(&other);
    assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY);
    // The address alone is what weak mappings look at (KB5014754).
    assert!(of_any_kind(attacker.certificate()).contains(&"admin@acme.example".to_owned()));
}

#[test]
fn mp_26_octets_that_are_taken_for_text_whatever_their_type() {
    let root = root();
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    let attacker = client("CN=#140561646d696e").issued_by(&root);
    assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY);
    let der = attacker.certificate().der();
    let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(String::from_utf8_lossy(read.subject().iter_common_name().next().unwrap().as_slice()), "admin");
}

#[test]
fn mp_29_a_fingerprint_that_is_compared_as_far_as_somebody_wrote_it() {
    let root = root();
    let pinned = client("CN=admin").issued_by(&root);
    let text = pinned.certificate().fingerprint().to_string();
    // Two digits are enough to show it: after some hundred certificates another one begins like the pinned one.
    let short = &text[.."sha256:".len() + 2];
    let begins = |number: u16| {
        let made = client("CN=evil").with_serial(&number.to_be_bytes()).with_key_of(&pinned).issued_by(&root);
        made.certificate().fingerprint().to_string().starts_with(short).then_some(made)
    };
    let attacker = (0x0100..0x7fff).find_map(begins).unwrap();
    assert!(short.parse::<certmap::Fingerprint>().is_err(), "no rule can say so little");
    let policy = policy(bundle(&[&root]), [crate::fleets::exact(&pinned, "admin")]);
    assert_eq!(who(&policy, &pinned), of("admin"));
    assert_eq!(who(&policy, &attacker), crate::fleets::NOBODY);
}

#[test]
fn mp_30_a_group_that_the_certificate_claims() {
    let root = root();
    let attacker = client("CN=thief,O=system:masters").issued_by(&root);
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"thief\"", "\"thief\"")]);
    let decision = decide_at(&policy, attacker.chain_without_root(), NOW);
    assert_eq!(decision.principal().unwrap().roles().len(), 0);
    // Every organization is a group there (the X.509 authenticator of Kubernetes).
    assert!(printed(attacker.certificate()).split(',').any(|part| part == "O=system:masters"));
}

#[test]
fn mp_31_the_first_rule_that_fits() {
    let root = root();
    let rules = [("dns any \"admin.example\"", "admin"), ("dns any \"thief.example\"", "thief")];
    let ours = policy(bundle(&[&root]), rules.map(|(test, user)| rule(&root, test, &format!("\"{user}\""))));
    let names = [TestName::Dns("thief.example"), TestName::Dns("admin.example")];
    let attacker = client("O=Thief").with_alternative_names(&names).issued_by(&root);
    assert_eq!(who(&ours, &attacker), Err(certmap::RefusalCode::Ambiguous));
    let has = |name: &str| of_any_kind(attacker.certificate()).contains(&name.to_owned());
    let first = rules.iter().find(|(test, _)| has(test.split('"').nth(1).unwrap()));
    assert_eq!(first.map(|(_, user)| *user), Some("admin"));
}

#[test]
fn mp_32_an_empty_name_in_a_list_that_ends_with_an_empty_line() {
    let root = root();
    let users: BTreeSet<&str> = "alice\nbob\n".split('\n').collect();
    for subject in ["", "O=Thief", "CN="] {
        let attacker = client(subject).issued_by(&root);
        let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN", r#"attribute CN among ("alice", "bob")"#)]);
        assert!(who(&policy, &attacker).is_err(), "{subject}");
        assert!(users.contains(&*common_name(&attacker.certificate().der()).unwrap_or_default()), "{subject}");
    }
    assert!("".parse::<certmap::UserName>().is_err());
}
