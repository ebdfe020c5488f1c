//! Documents of several files: merged in any order, and what stands in other files still.

use certmap::Certificate;
use certmap::document::{Document, FileName, NoReferences, Reference};
use certmap::testing::TestCertificate;

use crate::documents::{Content, beginning, body, partner, problems, read};

#[test]
fn files_merge_in_any_order_and_keep_their_names() {
    let (one, two) = (partner(), TestCertificate::new("CN=two").self_signed());
    let file = |name: &str| name.parse::<FileName>().unwrap();
    let part = |alias: &str, user: &str, certificate: &Certificate| {
        let pem = certificate.to_pem();
        read(&format!(
            r#"
            version = 1
            certificates = [{{ bundle = "partners", kind = "pin", alias = "{alias}", certificate = """{pem}""" }}]
            mappings = [{{ match = "@{alias}", user = "{user}" }}]
            assignments = [{{ role = "iflmap/send", user = "{user}" }}]
            "#
        ))
    };
    let hosts = read(
        r#"
        version = 1
        hosts = [{ id = "gw", bundle = "partners" }]
        bundles = [{ name = "partners" }]
        "#,
    );
    let mut parts = vec![
        (file("main.toml"), hosts),
        (file("partners/acme.toml"), part("acme", "a", one.certificate())),
        (file("partners/two.toml"), part("two", "b", two.certificate())),
    ];
    let whole = Document::merge(parts.clone()).unwrap();
    let policy = whole.build(&NoReferences).unwrap();
    assert_eq!(policy.mapping_count(), 2);
    // The same in two files.
    parts.push((file("partners/copy.toml"), part("acme", "a", one.certificate())));
    parts.push((file("partners/other.toml"), part("acme", "b", two.certificate())));
    let fingerprint = one.certificate().fingerprint();
    let rest = "is there a second time: remove one of the two";
    let expected = [
        format!("duplicate-definition: partners/copy.toml: certificates[0].certificate: certificate {fingerprint} of bundle `partners` {rest} (see also partners/acme.toml: certificates[0].certificate)"),
        "trust: partners/other.toml: certificates[0].alias: alias `acme` is in use by another entry of the bundle (see also partners/acme.toml: certificates[0].alias)".to_owned(),
        format!("duplicate-definition: partners/copy.toml: assignments[0].role: this assignment {rest} (see also partners/acme.toml: assignments[0].role)"),
        format!("duplicate-definition: partners/two.toml: assignments[0].role: this assignment {rest} (see also partners/other.toml: assignments[0].role)"),
    ];
    let reference = Document::merge(parts.clone()).unwrap();
    let told = problems(&reference);
    assert_eq!(told, expected);
    let mut random = fastrand::Rng::with_seed(6);
    for _ in 0..10 {
        random.shuffle(&mut parts);
        let shuffled = Document::merge(parts.clone()).unwrap();
        assert_eq!(shuffled, reference);
        assert_eq!(toml::to_string(&shuffled).unwrap(), toml::to_string(&reference).unwrap());
        assert_eq!(problems(&shuffled), told);
    }
    let twice = [parts[0].clone(), parts[0].clone()];
    let name = &parts[0].0;
    assert_eq!(
        Document::merge(twice).unwrap_err().to_string(),
        format!("two parts are named `{name}`, so no problem would say which is meant: give each the name of its file")
    );
    for bad in ["", "a\nb", "a\u{202e}b"] {
        assert!(bad.parse::<FileName>().is_err());
    }
}

#[test]
fn what_two_files_say_differently_about_everything_is_a_problem() {
    let partner = partner();
    let first = read(&format!(
        "version = 1\ndanger-stale-lists-seconds = 60\nusers = [{{ name = \"a\" }}]\n{}",
        body(&partner)
    ));
    let second = read(
        r#"
        version = 1
        danger-stale-lists-seconds = 61
        hosts = [{ id = "gw", bundle = "partners" }]
        bundles = [{ name = "partners", limit = 9 }]
        users = [{ name = "a", disabled = true }]
        "#,
    );
    let merged = |first: &Document, second: &Document| {
        Document::merge([("a.toml".parse().unwrap(), first.clone()), ("b.toml".parse().unwrap(), second.clone())])
            .unwrap()
    };
    let rest = "is there a second time: remove one of the two";
    assert_eq!(
        problems(&merged(&first, &second)),
        [
            format!(
                "duplicate-definition: b.toml: danger-stale-lists-seconds: `danger-stale-lists-seconds` with another number {rest} (see also a.toml: danger-stale-lists-seconds)"
            ),
            format!(
                "duplicate-definition: b.toml: bundles[0].name: bundle `partners` {rest} (see also a.toml: bundles[0].name)"
            ),
            format!("duplicate-definition: b.toml: hosts[0].id: host `gw` {rest} (see also a.toml: hosts[0].id)"),
            format!("duplicate-definition: b.toml: users[0].name: user `a` {rest} (see also a.toml: users[0].name)"),
        ]
    );
}

#[test]
fn references_are_resolved_by_the_program_which_knows_the_file() {
    let partner = partner();
    let pem = partner.certificate().to_pem();
    let inline = format!("certificate = \"\"\"{pem}\"\"\"");
    let document = read(&beginning(&partner).replace(&inline, "reference = \"acme.pem\""));
    let merged = Document::merge([("partners/acme.toml".parse().unwrap(), document)]).unwrap();
    let files = |reference: Reference<'_>| -> Content {
        let file = reference.file().map(FileName::as_str);
        assert_eq!((file, reference.text()), (Some("partners/acme.toml"), "acme.pem"));
        Ok(pem.clone().into_bytes())
    };
    assert!(merged.build(&files).is_ok());
    let missing = |_: Reference<'_>| -> Content { Err("no\nsuch file".into()) };
    assert_eq!(
        merged.build(&missing).unwrap_err().problems()[0].to_string(),
        "partners/acme.toml: certificates[0].reference: `acme.pem` cannot be resolved: no\\u{a}such file"
    );
}
