//! Policy documents: what is read, what is not, and every problem with its place.

use certmap::document::{Document, NoReferences, Reference};
use certmap::testing::{TestCertificate, TestIdentity, TestRevocationList};

use crate::common::erp;

pub type Content = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

#[track_caller]
pub fn read(text: &str) -> Document {
    toml::from_str(text).unwrap()
}

/// What people are told of text that is no document, without the excerpt.
#[track_caller]
fn unread(text: &str) -> String {
    toml::from_str::<Document>(text).unwrap_err().message().to_owned()
}

/// Code, place and message of every problem.
#[track_caller]
pub fn problems(document: &Document) -> Vec<String> {
    let error = document.build(&NoReferences).unwrap_err();
    error.problems().iter().map(|problem| format!("{}: {problem}", problem.code())).collect()
}

/// A host with a pinned partner, `acme`, as the beginning of a document.
pub fn beginning(partner: &TestIdentity) -> String {
    format!("version = 1\n{}", body(partner))
}

pub fn body(partner: &TestIdentity) -> String {
    let pem = partner.certificate().to_pem();
    format!(
        r#"
        hosts = [{{ id = "gw", bundle = "partners" }}]
        bundles = [{{ name = "partners" }}]
        certificates = [{{ bundle = "partners", kind = "pin", alias = "acme", certificate = """{pem}""" }}]
        "#
    )
}

pub fn partner() -> TestIdentity {
    TestCertificate::new("CN=acme").self_signed()
}

#[test]
fn the_example_of_the_manual_is_a_policy() {
    let manual = include_str!("../../src/manual/policy-file.md");
    let text = manual.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let ca = TestCertificate::new("CN=corp CA,O=Corp").as_ca().self_signed();
    let list = TestRevocationList::new().signed_by(&ca).pem();
    let files = |reference: Reference<'_>| -> Content {
        match reference.text() {
            "corp-ca.pem" => Ok(ca.certificate().to_pem().into_bytes()),
            "corp-ca.crl" => Ok(list.clone().into_bytes()),
            other => Err(format!("no such file: {other}").into()),
        }
    };
    let document = read(text);
    let policy = document.build(&files).unwrap();
    assert_eq!((policy.hosts().len(), policy.mapping_count()), (2, 3));
    let acme = erp().certificate().fingerprint();
    let (corp, bundle) = (ca.certificate().fingerprint(), "bundle partners");
    let lines: Vec<String> = policy.canonical_form().lines().map(str::to_owned).collect();
    for line in [
        "host gateway main require refuse-in-handshake hints none bundle partners".to_owned(),
        "host portal main request let-decide hints anchors bundle partners default".to_owned(),
        format!("{bundle} purpose if-stated pins ignored"),
        "path-length partners 1".to_owned(),
        format!("pin partners {acme} acme"),
        format!("anchor partners {corp} corp"),
        format!("map {acme} - SAPERPUSER"),
        format!(r#"map-under - "billing" : under {corp} dns "billing.corp.example""#),
        format!(
            r#"map-under fleet "iot/" + dns without-suffix ".devices.example" : under {corp} all(attribute OU "devices", dns)"#
        ),
        "role-at-least certificate enforce iflmap/ESBMessaging.send user SAPERPUSER".to_owned(),
        "role-at-least key warn telemetry/report rule fleet".to_owned(),
        "disabled iot/lost-device".to_owned(),
        "deny serial 0a20 of CN=corp CA,O=Corp".to_owned(),
    ] {
        assert!(lines.contains(&line), "{line}\n{lines:#?}");
    }
    // Without the files each reference is a problem, and nothing that follows from it is one.
    assert_eq!(
        problems(&document),
        [
            "unresolved-reference: certificates[1].reference: `corp-ca.pem` cannot be resolved: this program follows no references, write what it stands for into the document",
            "unresolved-reference: revocation-lists[0].reference: `corp-ca.crl` cannot be resolved: this program follows no references, write what it stands for into the document",
        ]
    );
}

#[test]
fn what_is_no_document_is_not_read() {
    for (text, expected) in [
        ("", "`version = 1` is missing"),
        ("version = 2", "version 2 is not known: this program reads version 1"),
        ("version = \"1\"", "invalid type: string \"1\", expected u64"),
        ("version = 1\nhsots = []", "unknown key `hsots`: is `hosts` meant?"),
        (
            "version = 1\nlisteners = []",
            "unknown key `listeners`: the keys are `version`, `danger-stale-lists-seconds`, `hosts`, `bundles`, `certificates`, `mappings`, `users`, `assignments`, `denials`, `revocation-lists`",
        ),
        ("version = 1\nmappings = [{ mach = \"\" }]", "unknown key `mach`: is `match` meant?"),
        ("version = 1\nusers = [{ Disabled = true }]", "unknown key `Disabled`: is `disabled` meant?"),
        ("version = 1\nusers = [{ disabled = \"yes\" }]", "invalid type: string \"yes\", expected a boolean"),
        ("version = 1\nhosts = \"gw\"", "invalid type: string \"gw\", expected a list of at most 200000 items"),
        (
            "version = 1\nusers = [\"gw\"]",
            "invalid type: string \"gw\", expected a table with keys of `name`, `disabled`, `note`",
        ),
        ("version = 1\nusers = [{ name = 1 }]", "invalid type: integer `1`, expected a text of at most 32768 bytes"),
        ("version = 1\nbundles = [{ limit = -1 }]", "invalid value: integer `-1`, expected u32"),
        ("version = 1\nversion = 1", "duplicate key"),
    ] {
        assert_eq!(unread(text), expected, "{text}");
    }
    let twice = serde_json::from_str::<Document>(r#"{"version":1,"version":1}"#).unwrap_err().to_string();
    assert_eq!(twice, "duplicate field `version` at line 1 column 22");
    let unknown = serde_json::from_str::<Document>(r#"{"version":1,"users":[{"nam":"x"}]}"#).unwrap_err().to_string();
    assert_eq!(unknown, "unknown key `nam`: is `name` meant? at line 1 column 28");
}

#[test]
fn what_is_too_large_is_not_read() {
    let long = "x".repeat(32 * 1024 + 1);
    assert_eq!(
        unread(&format!("version = 1\nusers = [{{ name = \"{long}\" }}]")),
        "a text of 32769 bytes is too long, at most 32768 are read"
    );
    let long = "x".repeat(64 * 1024 + 1);
    assert_eq!(
        unread(&format!("version = 1\ncertificates = [{{ certificate = \"{long}\" }}]")),
        "a text of 65537 bytes is too long, at most 65536 are read"
    );
    let many = format!(r#"{{"version":1,"users":[{}{{}}]}}"#, "{},".repeat(200_000));
    let error = serde_json::from_str::<Document>(&many).unwrap_err().to_string();
    assert!(error.starts_with("more than 200000 items are too many at line 1"), "{error}");
    let most = format!(r#"{{"version":1,"users":[{}{{}}]}}"#, "{},".repeat(199_999));
    let document: Document = serde_json::from_str(&most).unwrap();
    assert_eq!(document.build(&NoReferences).unwrap_err().problems().len(), 200_001);
    // A key that nobody knows is not shown whole.
    let key = "k".repeat(100_000);
    assert!(unread(&format!("version = 1\n{key} = 1")).len() < 400);
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_cure() {
    let partner = partner();
    let pem = partner.certificate().to_pem();
    let text = format!(
        r#"
        version = 1
        hosts = [
            {{ id = "gw", bundle = "partner", client-auth = "requires" }},
            {{ bundle = "partners", server-names = ["a b"] }},
            {{ id = "g/w" }},
        ]
        bundles = [{{ name = "partners", purpose = "x" }}, {{ name = "partners" }}, {{}}]
        certificates = [
            {{ bundle = "partners", kind = "pin", alias = "acme", certificate = """{pem}""" }},
            {{ bundle = "partners", kind = "pin", certificate = """{pem}""" }},
            {{ bundle = "partners", kind = "anchor", certificate = """{pem}""" }},
            {{ bundle = "nobody", kind = "pin", certificate = "hello", server-names = ["*"] }},
            {{ kind = "Pin" }},
            {{ bundle = "nobody", kind = "pin", certificate = """{pem}""", reference = "x" }},
        ]
        mappings = [
            {{ match = "@acne", user = "a" }},
            {{ match = "under @acme", user = "a", user-from = "dns" }},
            {{ user = " a", name = "" }},
            {{ match = "key @acme" }},
        ]
        users = [{{ name = "a" }}, {{ name = "a" }}, {{}}]
        assignments = [
            {{ role = "send", user = "a", at-least = "keys" }},
            {{ role = "a/b", user = "a", rule = "r" }},
            {{ enforcement = "ENFORCE" }},
        ]
        denials = [
            {{ key = "sha256:00" }},
            {{ serial = "0x", issuer = "CN" }},
            {{ issuer = "CN=a" }},
            {{ serial = "01" }},
            {{ serial = "01", key = "spki-sha256:" }},
            {{}},
        ]
        revocation-lists = [{{ list = "{{}}" }}, {{}}]
        "#
    );
    assert_eq!(
        problems(&read(&text)).join("\n"),
        include_str!("../data/document-problems.txt")
            .trim_end()
            .replace("FINGERPRINT", &partner.certificate().fingerprint().to_string())
    );
}

#[test]
fn problems_of_the_policy_are_told_where_they_stand() {
    let (one, two) = (partner(), TestCertificate::new("CN=two").self_signed());
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let (first, second, third) = (one.certificate().to_pem(), two.certificate().to_pem(), ca.certificate().to_pem());
    let text = format!(
        r#"
        version = 1
        hosts = [
            {{ id = "a", bundle = "partners", server-names = ["x.example"], default = true }},
            {{ id = "b", bundle = "partners" }},
            {{ id = "c", bundle = "empty", server-names = ["x.example"] }},
            {{ id = "d", bundle = "partners", server-names = [] }},
        ]
        bundles = [{{ name = "partners", limit = 2 }}, {{ name = "empty" }}]
        certificates = [
            {{ bundle = "partners", kind = "pin", alias = "one", certificate = """{first}""" }},
            {{ bundle = "partners", kind = "anchor", alias = "ca", certificate = """{third}""" }},
        ]
        mappings = [
            {{ match = "@one", user = "a" }},
            {{ match = "@one", user = "b" }},
            {{ match = "key @one", user = "iot/c", name = "r" }},
            {{ match = "under @ca dns", user-from = '"iot/" + dns' }},
            {{ match = "under @ca email", user-from = '"iot/x" + email' }},
            {{ match = "under @one dns", user = "b", name = "r", exception = true }},
            {{ match = "key @ca", user-from = '"x" + dns' }},
        ]
        assignments = [{{ role = "a/b", rule = "R" }}]
        "#
    );
    let (f, c) = (one.certificate().fingerprint(), ca.certificate().fingerprint());
    let ck = ca.certificate().spki_fingerprint();
    let expected = [
        "duplicate-default: hosts[0].default: hosts `a` and `b` are both the default host of listener `main`: give one of them server names, and do not make it the default (see also hosts[1].default)".to_owned(),
        "duplicate-server-name: hosts[0].server-names: hosts `a` and `c` of listener `main` both answer for `x.example`: take it from one of them (see also hosts[2].server-names)".to_owned(),
        "no-server-names: hosts[3].server-names: host `d` was given an empty list of server names: name them, or leave the list out to make it the default host".to_owned(),
        "empty-bundle: hosts[2].bundle: host `c` asks for a client certificate, but its bundle `empty` is empty: add a certificate to it (see also bundles[1])".to_owned(),
        format!("conflicting-rules: mappings[0].match: `{f}` is mapped to user `a` and to `b`: remove one of the two rules (see also mappings[1].match)"),
        format!("no-exception: mappings[5].exception: `under {f} dns` is declared an exception over name rules, but only an exact certificate can be one: remove the declaration, or write the certificate's fingerprint"),
        format!("template-without-ca: mappings[6].user-from: `{ck}` names no CA, so the user cannot be taken from the certificate (`\"x\" + dns`): write the user, or a selector with `under`"),
        "rule-name-twice: mappings[2].name: rule name `r` stands for rules with user `iot/c` and `b`: give each a name of its own (see also mappings[5].name)".to_owned(),
        format!("overlapping-reservations: mappings[3].user-from: rules `under {c} dns` and `under {c} email` could name the same user, by `\"iot/\" + dns` and by `\"iot/x\" + email`: give each its own beginning or end, or one rule name if they are one fleet with one user source (see also mappings[4].user-from)"),
        format!("reserved-user: mappings[2].user: user `iot/c` is reserved for rule `under {c} dns`: give the user another name, or the rule another beginning or end (see also mappings[3].user-from)"),
        format!("unknown-anchor: mappings[5].match: `under {f} dns` is written under {f}, which is no anchor of any host's bundle: it is there as a pin; add it as an anchor if it is a CA"),
        "unknown-rule: assignments[0].rule: role `a/b` is given to rule `R`, but no rule has that name: is `r` meant?".to_owned(),
        format!("ambiguous-certificate: mappings[0].match: certificate {f} is user `a` by `{f}` and user `iot/c` by `r`: remove one of the two rules (see also mappings[1].match, mappings[2].match)"),
    ];
    assert_eq!(problems(&read(&text)), expected);
    // The third certificate has no room, and that its host is left without an anchor follows.
    let full = text.replace(
        "kind = \"anchor\", alias = \"ca\"",
        &format!("kind = \"key-pin\", certificate = \"\"\"{second}\"\"\" }},\n {{ bundle = \"partners\", kind = \"anchor\", alias = \"ca\""),
    );
    let told = problems(&read(&full));
    assert_eq!(
        told[0],
        "trust: certificates[2].certificate: bundle `partners` is full: its limit is 2 certificates (`TrustBundle::with_limit` chooses another)"
    );
    assert!(!told.iter().any(|problem| problem.starts_with("unknown-anchor")), "{told:#?}");
}

#[test]
fn a_private_key_is_told_and_neither_shown_nor_written() {
    let partner = partner();
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIsecret\n-----END EC PRIVATE KEY-----\n";
    let told = "a private key stands here: take it out, keep it where only its owner reads it, and treat it as disclosed if others could read this file";
    for (text, place) in [
        (format!("{}\nusers = [{{ name = \"a\", note = \"\"\"{key}\"\"\" }}]", beginning(&partner)), "users[0].note"),
        (
            beginning(&partner).replace("-----BEGIN CERT", &format!("{key}-----BEGIN CERT")),
            "certificates[0].certificate",
        ),
        (beginning(&partner).replace("id = \"gw\"", &format!("id = '''{key}'''")), "hosts[0].id"),
    ] {
        let document = read(&text);
        assert_eq!(problems(&document)[0], format!("private-key: {place}: {told}"));
        let shown = format!("{document:?}{:?}", document.build(&NoReferences));
        assert!(!shown.contains("secret"));
        assert_eq!(
            toml::to_string(&document).unwrap_err().to_string(),
            "a private key stood in the document, which cannot be written"
        );
    }
    let text = beginning(&partner);
    let reference = text
        .replace(&format!("certificate = \"\"\"{}\"\"\"", partner.certificate().to_pem()), "reference = \"acme.pem\"");
    let document = read(&reference);
    let both = format!("{key}{}", partner.certificate().to_pem());
    let error = document.build(&move |_: Reference<'_>| -> Content { Ok(both.clone().into_bytes()) }).unwrap_err();
    assert_eq!(error.to_string(), format!("the document has a problem: certificates[0].reference: {told}"));
}

#[test]
fn damaged_certificates_are_told_as_the_reader_tells_them() {
    let partner = partner();
    let pem = partner.certificate().to_pem();
    let two = format!("{pem}{pem}");
    for (written, expected) in [
        (
            pem.replace("-----END CERTIFICATE-----\n", ""),
            "the file cannot be read: section 1 (`CERTIFICATE`, line 1) has no `-----END CERTIFICATE-----`: the file is cut off",
        ),
        (two, "2 certificates where one was expected: give the partner's own certificate alone, without its chain"),
        (String::new(), "the file cannot be read: the file is empty"),
    ] {
        let document = read(&beginning(&partner).replace(&pem, &written));
        assert_eq!(
            problems(&document),
            [format!("invalid-certificate: certificates[0].certificate: {expected}")],
            "nothing that follows from it is told"
        );
    }
    // Rules that name what cannot be read are silent; rules that name nothing are not.
    let damaged = beginning(&partner).replace(&pem, "MIIB");
    let text =
        format!("{damaged}\nmappings = [{{ match = \"@acme\", user = \"a\" }}, {{ match = \"@\", user = \"a\" }}]");
    let told = problems(&read(&text));
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(
        told[1],
        "invalid-selector: mappings[1].match: `@` at column 1 stands for no certificate: no certificate has this alias"
    );
}

#[test]
fn an_alias_stands_for_certificate_key_and_ca() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let sub = TestCertificate::new("CN=sub").as_ca().issued_by(&root);
    let partner = partner();
    let (first, second, third) =
        (partner.certificate().to_pem(), root.certificate().to_pem(), sub.certificate().to_pem());
    let text = format!(
        r#"
        version = 1
        hosts = [{{ id = "a", bundle = "one" }}, {{ id = "b", bundle = "two", listener = "two" }}]
        bundles = [{{ name = "one" }}, {{ name = "two" }}]
        certificates = [
            {{ bundle = "one", kind = "pin", alias = "acme", certificate = """{first}""" }},
            {{ bundle = "two", kind = "pin", alias = "acme", certificate = """{third}""" }},
            {{ bundle = "one", kind = "anchor", alias = "root", certificate = """{second}""" }},
            {{ bundle = "two", kind = "anchor", alias = "root", certificate = """{second}""" }},
            {{ bundle = "one", kind = "pin", alias = "sub", certificate = """{third}""" }},
        ]
        mappings = [
            {{ match = "@one/acme", user = "a" }},
            {{ match = "key @one/acme", user = "a" }},
            {{ match = 'under @root through @sub issued-by @sub dns "@root"', user = "a" }},
        ]
        "#
    );
    let bad = text.replace("@one/acme", "@acme");
    // `@root` is in quotes, so it is a value, and one that no name can be.
    let text = text.replace("dns \"@root\"", "attribute CN \"@root\"");
    let policy = read(&text).build(&NoReferences).unwrap();
    let (p, r, s) = (partner.certificate(), root.certificate(), sub.certificate());
    let expected = [
        p.fingerprint().to_string(),
        p.spki_fingerprint().to_string(),
        format!(
            "under {} through {} issued-by {} attribute CN \"@root\"",
            r.fingerprint(),
            s.fingerprint(),
            s.spki_fingerprint()
        ),
    ];
    let selectors: Vec<_> = policy.mappings().iter().map(|rule| rule.selector().to_string()).collect();
    assert_eq!(selectors, expected);
    let told = problems(&read(&bad));
    assert_eq!(
        told[0],
        "invalid-selector: mappings[0].match: `@acme` at column 1 stands for no certificate: several bundles have one, write `@`, the bundle, `/` and the alias"
    );
    assert_eq!(told[1].split(" stands").next(), Some("invalid-selector: mappings[1].match: `@acme` at column 5"));
    // Outside of a document a name is nothing.
    assert_eq!(
        "@acme".parse::<certmap::Selector>().unwrap_err().to_string(),
        "`@acme` at column 1 stands for no certificate: names are known in a policy document only, write the fingerprint"
    );
}

#[test]
fn a_role_that_nobody_has_is_found_at_load() {
    let text = r#"
        version = 1
        assignments = [
            { role = "iflmap/ESBMessaging.send", user = "a" },
            { role = "iflmap/ESBmessaging.read", rule = "r" },
            { role = "no role", user = "a" },
        ]
    "#;
    let ask = ["iflmap/ESBMessaging.send", "iflmap/ESBMessaging.read", "admin/all"];
    let findings = read(text).expect_roles(ask.map(|role| role.parse().unwrap()));
    let told: Vec<_> = findings.iter().map(|one| format!("{}: {one}: {}", one.code(), one.cure())).collect();
    assert_eq!(
        told,
        [
            "role-near: assignments[1].role: nobody has the role `iflmap/ESBMessaging.read` that the program asks for, but `iflmap/ESBmessaging.read` is given here: write `iflmap/ESBMessaging.read` there if it is meant",
            "role-not-granted: nobody has the role `admin/all` that the program asks for: assign `admin/all` to a user or a rule, or have the program ask for another",
        ]
    );
}
