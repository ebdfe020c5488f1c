//! What the lint says about rules: which overlap, what they rest on, whom they can name.

use certmap::review::FindingCode;
use certmap::testing::{KeyUsageBit, TestCertificate, TestIdentity};
use certmap::trust::Entry;
use certmap::{Host, PolicyBuilder, RoleAssignment};

use crate::common::{SEND, user};
use crate::fleets::{exact, who};
use crate::lint::{below, below_ca, bundle, told};

#[test]
fn rules_that_need_not_meet_are_not_told() {
    let told = |rules: &[(&str, &str)]| {
        told(below(rules)).into_iter().filter(|(code, _)| *code == FindingCode::OverlappingRules).count()
    };
    let a = ("dns \"a.example\"", "\"a\"");
    assert_eq!(told(&[a, ("every-certificate", "\"b\"")]), 1);
    assert_eq!(told(&[a, ("dns any \"a.example\"", "\"b\"")]), 1);
    assert_eq!(told(&[a, ("any(dns \"a.example\", dns \"b.example\")", "\"b\"")]), 1);
    assert_eq!(told(&[a, ("dns ignoring-case \"A.example\"", "\"b\"")]), 1);
    assert_eq!(told(&[a, ("dns", "\"iot/\" + dns")]), 1);
    // One user, an exclusion, another field, or values that cannot be one.
    assert_eq!(told(&[a, ("every-certificate", "\"a\"")]), 0);
    assert_eq!(told(&[a, ("all(dns, not dns \"a.example\")", "\"b\"")]), 0);
    assert_eq!(told(&[a, ("uri \"u:a\"", "\"b\"")]), 0);
    assert_eq!(told(&[a, ("dns nth(2) \"a.example\"", "\"b\"")]), 0);
}

#[test]
fn a_rule_that_is_surely_part_of_another_is_told_and_no_other() {
    // Both under one CA, with different users: how often one is a part of the other.
    let told = |one: &str, other: &str| {
        let rules = below(&[(one, "\"a\""), (other, "\"b\"")]);
        told(rules).into_iter().filter(|(code, _)| *code == FindingCode::OverlappingRules).count()
    };
    let cas = ["11", "22"].map(|digits| "sha256:".to_owned() + &digits.repeat(32));
    let keys = ["11", "22"].map(|digits| "spki-sha256:".to_owned() + &digits.repeat(32));
    let (a, ab) = ("dns \"a.example\"", "any(dns \"a.example\", dns \"b.example\")");
    for (one, other, times) in [
        // One of several values, each of several, all of them.
        (a, "dns all \"a.example\"", 1),
        ("dns all \"a.example\"", "dns any \"a.example\"", 1),
        ("dns nth(1) \"a.example\"", "dns any \"a.example\"", 1),
        ("dns nth(1) \"a.example\"", "dns nth(1)", 1),
        ("dns nth(1) \"a.example\"", "dns nth(2)", 0),
        ("dns nth(1) \"a.example\"", "dns all \"a.example\"", 0),
        ("dns", "dns any", 1),
        // With case and without, alone and beside others.
        ("dns ignoring-case \"a.example\"", a, 1),
        ("dns ignoring-case \"b.example\"", a, 0),
        ("dns \"A.example\"", "dns ignoring-case \"a.example\"", 1),
        ("attribute CN \"a\"", "attribute CN in-multi-valued-rdns \"a\"", 1),
        ("attribute CN \"a\"", "attribute O \"a\"", 0),
        ("attribute CN \"a\"", "attribute CN \"b\"", 0),
        // Alternatives and conjunctions.
        (ab, "dns", 1),
        (ab, "all(dns, uri)", 0),
        (ab, "any(dns \"b.example\", dns \"c.example\")", 0),
        (ab, "any(dns, uri)", 1),
        (ab, "any(dns \"b.example\", dns \"a.example\", uri)", 1),
        (a, "any(all(dns \"a.example\", uri), upn)", 0),
        ("any(dns \"a.example\", uri)", "dns", 0),
        ("any(all(dns \"a.example\", uri), all(dns \"b.example\", uri))", "uri", 1),
        ("all(dns \"a.example\", uri, upn)", "all(dns, uri)", 1),
        (a, "all(dns, uri)", 0),
        ("all(dns \"a.example\", not uri)", a, 1),
        ("all(dns \"a.example\", not uri)", "all(dns, not uri)", 0),
    ] {
        assert_eq!(told(one, other), times, "{one}; {other}");
        assert_eq!(told(other, one), times, "{other}; {one}");
    }
    let through = |one: &str, test: &str| format!("through {one} {test}");
    let issued = |key: &str, test: &str| format!("issued-by {key} {test}");
    assert_eq!(told(&through(&cas[0], a), a), 1);
    assert_eq!(told(&through(&cas[0], a), &through(&cas[1], "dns")), 0);
    assert_eq!(told(&through(&cas[0], a), &through(&cas[0], "dns")), 1);
    assert_eq!(told(&issued(&keys[0], a), "dns"), 1);
    assert_eq!(told(&issued(&keys[0], a), &issued(&keys[1], "dns")), 0);
    // A serial number counts only where the issuer is known.
    let narrow = issued(&keys[0], "all(serial 1, dns \"a.example\")");
    let wider =
        [("serial 1", 0), ("any(serial 1, uri)", 0), ("all(serial 1, dns)", 0), ("dns", 1), ("every-certificate", 1)];
    for (wide, times) in wider {
        assert_eq!(told(&narrow, wide), times, "{wide}");
    }
    assert_eq!(told(&narrow, &issued(&keys[0], "serial 1")), 1);
    assert_eq!(told("all(serial 1, dns)", "serial 1"), 1);
}

#[test]
fn a_user_that_no_template_can_give_is_told() {
    let told = |source: &str, name: &str| {
        let builder = below(&[("dns", source)]).assignment(RoleAssignment::new(user(name), SEND));
        told(builder).into_iter().any(|(code, _)| code == FindingCode::RoleWithoutUser)
    };
    for (source, fits, other) in [("dns among (\"a\")", "a", "zz"), ("\"iot/\" + dns + \"@x\"", "iot/a@x", "iot/a@y")] {
        assert!(!told(source, fits) && told(source, other), "{source}");
    }
}

#[test]
fn what_a_rule_rests_on_is_told_of_that_rule_only() {
    use FindingCode::{CommonNameRule, EveryCertificate, IssuerNotStated};
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let stated = format!("through sha256:{} dns", "11".repeat(32));
    let (own, by_name) = ("\"u\"", "\"iot/\" + attribute CN");
    for (test, source, codes) in [
        (&*format!("{stated} \"a\""), own, &[][..]),
        // A value that was forgotten.
        (&stated, own, &[EveryCertificate]),
        (&stated.replace("dns", "any(dns \"a\", dns)"), own, &[EveryCertificate]),
        (&stated.replace("dns", "all(dns \"a\", email)"), own, &[]),
        ("dns \"a\"", own, &[IssuerNotStated]),
        (&stated, by_name, &[CommonNameRule]),
    ] {
        let found = told(below_ca(&root, bundle(), &[(test, source)])).into_iter().map(|(code, _)| code);
        let of_rules = |code: &FindingCode| [CommonNameRule, EveryCertificate, IssuerNotStated].contains(code);
        assert_eq!(found.filter(of_rules).collect::<Vec<_>>(), codes, "{test} {source}");
    }
}

#[test]
fn a_rule_for_an_anchor_is_told_where_that_is_refused_as_a_client() {
    let pinned = |identity: &TestIdentity| Entry::key_pin(identity.certificate().clone()).unwrap();
    let odd = TestCertificate::new("CN=odd").with_serial(&[3]);
    let signs = odd.clone().with_key_usage(&[KeyUsageBit::KeyCertSign]).self_signed();
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let renewed = TestCertificate::new("CN=ca").with_serial(&[4]).with_key_of(&ca).self_signed();
    for (anchor, more, is_refused) in [
        (&ca, None, true),
        (&signs, None, true),
        // Nothing in it says that it is a CA's.
        (&odd.self_signed(), None, false),
        // Whatever carries a pinned key is believed.
        (&ca, Some(pinned(&renewed)), false),
    ] {
        let mut trust = bundle();
        trust.add(Entry::danger_odd_anchor(anchor.certificate().clone()).unwrap()).unwrap();
        if let Some(more) = more {
            trust.add(more).unwrap();
        }
        let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust)).mapping(exact(anchor, "u"));
        let decided = who(&builder.clone().build().unwrap(), anchor);
        assert_eq!(decided.is_err(), is_refused, "{decided:?}");
        let found = told(builder).into_iter().any(|(code, _)| code == FindingCode::CaAsClient);
        assert_eq!(found, is_refused, "{decided:?}");
    }
}
