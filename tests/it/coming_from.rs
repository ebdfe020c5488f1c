//! Every rule that `manual/coming-from.md` writes down is made here as it stands there, and does below real anchors what the
//! page says.

use std::collections::BTreeSet;

use certmap::map::{NotRenewed, ServiceKey};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Policy, RefusalCode, Selector, UserSource};

use crate::anchors::{bundle, client, hierarchy};
use crate::fleets::{NOBODY, dns, of, policy, who};

const MANUAL: &str = include_str!("../../src/manual/coming-from.md");

// The selectors and the user sources of the page.
const CERTIFICATE: &str = "sha256:CERTIFICATE";
const SUBJECT: &str = r#"under sha256:CA subject "CN=alice,O=Acme""#;
const CN: &str = "under sha256:CA attribute CN";
const EVERY: &str = "under sha256:CA every-certificate";
const THROUGH: &str = "under sha256:ANCHOR through sha256:CA every-certificate";
const EMAIL: &str = "under sha256:CA email";
const DNS: &str = "under sha256:CA dns";
const IP: &str = "under sha256:CA ip 192.0.2.1";
const SELECTORS: [&str; 8] = [CERTIFICATE, SUBJECT, CN, EVERY, THROUGH, EMAIL, DNS, IP];

const AT_ALIAS: &str = r#"attribute CN + "@alias""#;
const AMONG: &str = r#"attribute CN among ("alice", "bob")"#;
const NMS_EMAIL: &str = r#""nms/" + email"#;
const NMS_DNS: &str = r#""nms/" + dns"#;
const NMS_CN: &str = r#""nms/" + attribute CN"#;
const SOURCES: [&str; 5] = [AT_ALIAS, AMONG, NMS_EMAIL, NMS_DNS, NMS_CN];

/// A rule of the page, with fingerprints in the place of its words.
fn rule(selector: &str, words: &[(&str, &TestIdentity)], source: &str) -> CertUserMapping {
    let fill = |text: String, (word, identity): &(&str, &TestIdentity)| {
        text.replace(&format!("sha256:{word}"), &identity.certificate().fingerprint().to_string())
    };
    let selector = words.iter().fold(selector.to_owned(), fill);
    let source: UserSource = source.parse().unwrap_or_else(|error| panic!("{source}: {error}"));
    CertUserMapping::from_source(selector.parse().unwrap_or_else(|error| panic!("{selector}: {error}")), source)
}

fn under(ca: &TestIdentity, selector: &str, source: &str) -> Policy {
    policy(bundle(&[ca]), [rule(selector, &[("CA", ca)], source)])
}

#[test]
fn no_rule_of_the_page_is_missing_here() {
    let code: BTreeSet<&str> = MANUAL.split('`').skip(1).step_by(2).collect();
    let selectors = code.iter().filter(|text| text.contains("sha256:C") || text.contains("sha256:A"));
    let selectors: BTreeSet<&str> = selectors.copied().filter(|text| *text != "sha256:CA").collect();
    assert_eq!(selectors, BTreeSet::from(SELECTORS));
    let sources = code.iter().filter(|text| text.contains(" + ") || text.contains(" among "));
    let sources: BTreeSet<&str> = sources.copied().filter(|text| !text.starts_with("under")).collect();
    assert_eq!(sources, BTreeSet::from(SOURCES));
    assert!(!MANUAL.contains("sha256:…"), "a rule to be copied is whole");
    assert_eq!(code.iter().filter(|text| text.parse::<Selector>().is_ok()).count(), 0, "a fingerprint that is one");
}

#[test]
fn modes_of_neo() {
    let (root, issuing) = hierarchy();
    let (stranger, _) = hierarchy();
    let issue = |name: &str| client(name).issued_by(&issuing);
    let (alice, admin) = (issue("CN=alice,O=Acme"), issue("CN=admin,O=Acme"));
    let renewed = issue("CN=alice,O=Acme");
    let elsewhere = client("CN=alice,O=Acme").issued_by(&stranger);

    let mut pinned = bundle(&[]);
    pinned.add_pin(alice.certificate().clone()).unwrap();
    let whole = policy(pinned, [rule(CERTIFICATE, &[("CERTIFICATE", &alice)], "\"alias\"")]);
    assert_eq!((who(&whole, &alice), who(&whole, &renewed)), (of("alias"), Err(RefusalCode::Untrusted)));

    let subject = under(&root, SUBJECT, "\"alias\"");
    assert_eq!(
        (who(&subject, &alice), who(&subject, &renewed), who(&subject, &admin)),
        (of("alias"), of("alias"), NOBODY)
    );
    // The issuer is the CA itself, not its name: another CA that calls itself the same, beside it in the bundle.
    let both = policy(bundle(&[&root, &stranger]), [rule(SUBJECT, &[("CA", &root)], "\"alias\"")]);
    assert_eq!((who(&both, &alice), who(&both, &elsewhere)), (of("alias"), NOBODY));

    let at_issuer = under(&root, CN, AT_ALIAS);
    assert_eq!((who(&at_issuer, &alice), who(&at_issuer, &admin)), (of("alice@alias"), of("admin@alias")));
    assert_eq!(who(&at_issuer, &elsewhere), Err(RefusalCode::PathInvalid));

    let listed = under(&root, CN, AMONG);
    assert_eq!(
        (who(&listed, &alice), who(&listed, &issue("CN=bob")), who(&listed, &admin)),
        (of("alice"), of("bob"), NOBODY)
    );
}

#[test]
fn service_keys_of_cloud_foundry() {
    let (root, issuing) = hierarchy();
    let issued = |days: u64| {
        let first = NOW.as_secs() - days * 86_400;
        client("CN=alice,O=Acme").with_validity(first, NOW.as_secs() + 86_400).issued_by(&issuing)
    };
    let (old, new) = (issued(20), issued(10));

    let mut pins = bundle(&[]);
    pins.add_pin(old.certificate().clone()).unwrap();
    let pinned = policy(pins, [rule(CERTIFICATE, &[("CERTIFICATE", &old)], "\"key\"")]);
    assert_eq!((who(&pinned, &old), who(&pinned, &new)), (of("key"), Err(RefusalCode::Untrusted)));
    assert_eq!(ServiceKey::pinned(old.certificate()).present(new.certificate()), Err(NotRenewed::Pinned));

    // The policy admits both, for it remembers nothing; the state of the caller refuses the older one.
    let unpinned = under(&root, SUBJECT, "\"key\"");
    let mut state = ServiceKey::unpinned(old.certificate());
    let mut call = |client: &TestIdentity| {
        assert_eq!(who(&unpinned, client), of("key"));
        state.present(client.certificate()).map(|next| state = next)
    };
    assert_eq!([call(&old), call(&new), call(&new), call(&old)], [Ok(()), Ok(()), Ok(()), Err(NotRenewed::NotLater)]);
    assert!(ServiceKey::unpinned(old.certificate()).conflicts_with(&ServiceKey::pinned(new.certificate())));
}

#[test]
fn entries_of_rfc_7407() {
    let (root, issuing) = hierarchy();
    let manager = client("CN=manager")
        .with_alternative_names(&[
            TestName::Email("Joe@NMS.example"),
            TestName::Dns("NMS.example"),
            TestName::Ip("192.0.2.1".parse().unwrap()),
        ])
        .issued_by(&issuing);
    let direct = client("CN=manager").issued_by(&root);

    let fingerprint = policy(bundle(&[&root]), [rule(CERTIFICATE, &[("CERTIFICATE", &manager)], "\"joe\"")]);
    assert_eq!((who(&fingerprint, &manager), who(&fingerprint, &direct)), (of("joe"), NOBODY));
    let anchor = under(&root, EVERY, "\"joe\"");
    assert_eq!((who(&anchor, &manager), who(&anchor, &direct)), (of("joe"), of("joe")));
    let words = [("ANCHOR", &root), ("CA", &issuing)];
    let through = policy(bundle(&[&root]), [rule(THROUGH, &words, "\"joe\"")]);
    assert_eq!((who(&through, &manager), who(&through, &direct)), (of("joe"), NOBODY));
    for (selector, source, user) in [
        (EMAIL, NMS_EMAIL, of("nms/Joe@nms.example")),
        (DNS, NMS_DNS, of("nms/nms.example")),
        (CN, NMS_CN, of("nms/manager")),
        (IP, "\"joe\"", of("joe")),
    ] {
        assert_eq!(who(&under(&root, selector, source), &manager), user, "{selector}");
    }

    // There the first entry wins; here two that differ refuse, unless one is declared an exception.
    let entries = |first: CertUserMapping| policy(bundle(&[&root]), [first, rule(EVERY, &[("CA", &root)], "\"jane\"")]);
    let leaf = || rule(CERTIFICATE, &[("CERTIFICATE", &manager)], "\"joe\"");
    assert_eq!(who(&entries(leaf()), &manager), Err(RefusalCode::Ambiguous));
    assert_eq!(who(&entries(leaf().as_exception_over_name_rules()), &manager), of("joe"));
    assert_eq!(who(&entries(leaf().as_exception_over_name_rules()), &direct), of("jane"));
}

#[test]
fn words_of_other_systems_mean_a_place_or_a_number() {
    let (root, issuing) = hierarchy();
    let hosts = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| TestName::Dns(name)).collect();
        client("O=x").with_alternative_names(&names).issued_by(&issuing)
    };
    for (quantifier, matched) in [
        ("", [true, false, false, false]),
        ("all", [true, true, false, false]),
        ("any", [true, true, true, true]),
        ("nth(1)", [true, true, true, false]),
        ("nth(2)", [false, true, false, true]),
    ] {
        let policy = under(&root, &format!("under sha256:CA dns {quantifier} \"a\""), "\"u\"");
        for (names, matched) in [&["a"][..], &["a", "a"], &["a", "b"], &["b", "a"]].into_iter().zip(matched) {
            assert_eq!(who(&policy, &hosts(names)).is_ok(), matched, "{quantifier} {names:?}");
        }
    }
    assert_eq!(who(&under(&root, DNS, "\"u\""), &dns("a").issued_by(&issuing)), of("u"));
    assert_eq!(who(&under(&root, DNS, "\"u\""), &TestCertificate::new("CN=a").issued_by(&issuing)), NOBODY);
}
