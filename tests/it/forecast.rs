//! What stops working when, by user.

use std::time::Duration;

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::policy::ClientAuth;
use certmap::review::{Ending, EndingCause, Successor, Turn, Whose, forecast};
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::trust::{Denial, Revocation};
use certmap::{CertUserMapping, Evidence, Host, NewKey, Policy, PolicyBuilder, Selector, TrustBundle};

use crate::anchors::{bundle, client};
use crate::common::user;

const DAY: u64 = 86_400;
const YEAR: Duration = Duration::from_secs(366 * DAY);

fn in_days(days: u64) -> u64 {
    NOW.as_secs() + days * DAY
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn lasting(name: &str, days: u64) -> TestCertificate {
    TestCertificate::new(name).with_validity(NOW.as_secs() - DAY, in_days(days))
}

fn told(policy: &Policy) -> Vec<String> {
    forecast(policy, NOW, YEAR).iter().map(ToString::to_string).collect()
}

fn partner(builder: PolicyBuilder, name: &str, of: &TestIdentity) -> PolicyBuilder {
    builder.partner(user(name), of.certificate().clone(), [])
}

#[test]
fn each_end_of_a_user_is_told_and_what_it_has_to_present_by_then() {
    let (old, new) = (lasting("CN=old", 10).self_signed(), lasting("CN=new", 40).self_signed());
    let (other, gone) = (lasting("CN=other", 20).self_signed(), lasting("CN=gone", 0).self_signed());
    let builder = [("erp", &old), ("erp", &new), ("crm", &other), ("gone", &gone)]
        .into_iter()
        .fold(PolicyBuilder::new(), |builder, (name, of)| partner(builder, name, of));
    let policy = builder.clone().build().unwrap();
    let [old_print, other_print, new_print] = [&old, &other, &new].map(|of| of.certificate().fingerprint());
    let gone_print = gone.certificate().fingerprint();
    assert_eq!(
        told(&policy),
        [
            format!("2026-12-01T12:00:00Z: user `gone` ends on host `default` with pin {gone_print}"),
            format!(
                "2026-12-11T12:00:00Z: user `erp` ends on host `default` with pin {old_print}, unless it presents pin {new_print} by then"
            ),
            format!("2026-12-21T12:00:00Z: user `crm` ends on host `default` with pin {other_print}"),
            format!("2027-01-10T12:00:00Z: user `erp` ends on host `default` with pin {new_print}"),
        ]
    );
    let later = at(in_days(1));
    let users = |endings: Vec<Ending>| endings.iter().map(|ending| ending.whose().to_string()).collect::<Vec<_>>();
    assert_eq!(users(forecast(&policy, later, YEAR)), ["user `erp`", "user `crm`", "user `erp`"]);
    let soon = forecast(&policy, NOW, Duration::from_secs(20 * DAY));
    assert_eq!(users(soon), ["user `gone`", "user `erp`", "user `crm`"]);
    assert_eq!(users(forecast(&policy, at(in_days(11)), YEAR)), ["user `crm`", "user `erp`"]);
    // Who is disabled or denied has ended already.
    let denial = Denial::key(new.certificate().spki_fingerprint());
    let fewer = builder.disabled_user(user("crm")).denial(denial).build().unwrap();
    assert_eq!(
        told(&fewer)[1..],
        [format!("2026-12-11T12:00:00Z: user `erp` ends on host `default` with pin {old_print}")]
    );
}

#[test]
fn an_anchor_and_its_list_end_everybody_below() {
    let root = lasting("CN=root", 90).as_ca().self_signed();
    let anchor = root.certificate().fingerprint();
    let rules = || {
        let under = |rest: &str| -> Selector { format!("under {anchor} {rest}").parse().unwrap() };
        let fleet = CertUserMapping::from_source(under("dns"), "\"iot/\" + dns".parse().unwrap());
        [
            CertUserMapping::new(under("dns \"a.example\""), user("billing")),
            fleet.with_name("fleet".parse().unwrap()),
            CertUserMapping::from_source(
                under("attribute CN"),
                "attribute CN among (\"alice\", \"bob\")".parse().unwrap(),
            ),
        ]
    };
    let builder = || PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root]))).mappings(rules());
    let whose = ["everybody of rule `fleet`", "user `alice`", "user `billing`", "user `bob`"];
    let expected =
        |date: &str, cause: &str| whose.map(|whose| format!("{date}: {whose} ends on host `gw` with {cause}"));
    assert_eq!(told(&builder().build().unwrap()), expected("2027-03-01T12:00:00Z", &format!("anchor {anchor}")));

    let list = |number: u8, until: u64| {
        let list = TestRevocationList::new().with_number(&[number]).with_dates(NOW.as_secs() - 60, Some(until));
        // In any spelling.
        let issuer = if number == 1 { "CN=ROOT" } else { "CN=root" };
        let list = list.with_issuer_der(&issuer.parse::<DistinguishedName>().unwrap().to_der());
        RevocationList::from_der(list.signed_by(&root).der()).unwrap()
    };
    let mut revocation = Revocation::new();
    revocation.add(list(1, in_days(3)));
    revocation.add(list(2, in_days(7)));
    let with_lists = builder().revocation(revocation.clone()).build().unwrap();
    let of_list = "the revocation list of `CN=root`";
    assert_eq!(told(&with_lists), expected("2026-12-08T12:00:00Z", of_list));
    // A grace makes it later, and the list of a CA below ends whoever is below that.
    let issuing = lasting("CN=issuing", 60).as_ca().issued_by(&root);
    let below = TestRevocationList::new().with_dates(NOW.as_secs() - 60, Some(in_days(5))).signed_by(&issuing);
    revocation.add(RevocationList::from_der(below.der()).unwrap());
    let graceful = revocation.danger_accept_stale_lists(Duration::from_secs(DAY));
    let mut all = vec![
        "2026-12-07T12:00:00Z: everybody below `CN=issuing` ends on host `gw` with the revocation list of `CN=issuing`"
            .to_owned(),
    ];
    all.extend(expected("2026-12-09T12:00:00Z", of_list));
    assert_eq!(told(&builder().revocation(graceful).build().unwrap()), all);
}

#[test]
fn what_is_told_is_the_last_second_in_which_a_decision_admits() {
    let root = lasting("CN=root", 90).as_ca().self_signed();
    let pinned = lasting("CN=pinned", 30).self_signed();
    let issued = client("CN=issued")
        .with_validity(NOW.as_secs() - DAY, in_days(300))
        .with_alternative_names(&[TestName::Dns("a.example")])
        .issued_by(&root);
    let mut trust = bundle(&[&root]);
    trust.add_pin(pinned.certificate().clone()).unwrap();
    let selector = format!("under {} dns \"a.example\"", root.certificate().fingerprint());
    let list = TestRevocationList::new().with_dates(NOW.as_secs() - 60, Some(in_days(50))).signed_by(&root);
    let mut revocation = Revocation::new();
    revocation.add(RevocationList::from_der(list.der()).unwrap());
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust))
        .mapping(CertUserMapping::new(selector.parse().unwrap(), user("issued")))
        .mapping(CertUserMapping::new(Selector::certificate(pinned.certificate().fingerprint()), user("pinned")));
    for policy in [builder.clone().build().unwrap(), builder.revocation(revocation).build().unwrap()] {
        let endings = forecast(&policy, NOW, YEAR);
        assert_eq!(endings.len(), 2);
        for ending in endings {
            let Whose::User(user) = ending.whose() else { panic!("{ending}") };
            let peer = if user.as_str() == "pinned" { &pinned } else { &issued };
            let evidence = Evidence::after_handshake("gw".parse().unwrap(), peer.chain_without_root());
            let admits = |now: UnixTime| policy.decide(&evidence, now).principal().is_some();
            assert!(admits(NOW) && admits(ending.at()), "{ending}");
            assert!(!admits(at(ending.at().as_secs() + 1)), "{ending}");
        }
    }
}

#[test]
fn a_key_pin_has_no_end_and_hosts_with_one_end_are_told_together() {
    let (one, two) = (lasting("CN=one", 10).self_signed(), lasting("CN=two", 20).self_signed());
    let key = |of: &TestIdentity, name: &str| {
        CertUserMapping::new(Selector::key(of.certificate().spki_fingerprint()), user(name))
    };
    let mut trust = TrustBundle::new("partners".parse().unwrap());
    trust.add_key_pin(one.certificate().clone()).unwrap();
    trust.add_pin(two.certificate().clone()).unwrap();
    let host = |id: &str, auth: ClientAuth| {
        let name = format!("{id}.example").parse().unwrap();
        Host::new(id.parse().unwrap(), trust.clone()).with_client_auth(auth).with_server_names([name])
    };
    let policy = PolicyBuilder::for_host(host("a", ClientAuth::Require))
        .host(host("b", ClientAuth::Request))
        .host(host("c", ClientAuth::None))
        .mappings([key(&one, "endless"), key(&two, "ends")])
        .build()
        .unwrap();
    let endings = forecast(&policy, NOW, Duration::MAX);
    let [ending] = &endings[..] else { panic!("{endings:?}") };
    let print = two.certificate().fingerprint();
    assert_eq!(ending.cause(), &EndingCause::Pin(print));
    assert_eq!(ending.hosts().iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b"]);
    let expected = format!("2026-12-21T12:00:00Z: user `ends` ends on hosts `a`, `b` with pin {print}");
    assert_eq!(ending.to_string(), expected);
}

#[test]
fn a_successor_is_whatever_admits_the_same_user_longer_on_that_host() {
    let root = lasting("CN=root", 90).as_ca().self_signed();
    let (old, new, keyed) = (
        lasting("CN=old", 10).self_signed(),
        lasting("CN=new", 40).self_signed(),
        lasting("CN=keyed", 5).self_signed(),
    );
    let renewed = lasting("CN=old", 60).with_key_of(&old).self_signed();
    let print = |of: &TestIdentity| of.certificate().fingerprint();
    let pinned = |of: &TestIdentity, name: &str| CertUserMapping::new(Selector::certificate(print(of)), user(name));
    let key = |of: &TestIdentity, name: &str| {
        CertUserMapping::new(Selector::key(of.certificate().spki_fingerprint()), user(name))
    };
    let host = |id: &str, pins: &[&TestIdentity], anchors: &[&TestIdentity], keys: &[&TestIdentity]| {
        let mut trust = bundle(anchors);
        for pin in pins {
            trust.add_pin(pin.certificate().clone()).unwrap();
        }
        for key in keys {
            trust.add_key_pin(key.certificate().clone()).unwrap();
        }
        Host::new(id.parse().unwrap(), trust).with_server_names([format!("{id}.example").parse().unwrap()])
    };
    let under = format!("under {} dns \"a.example\"", print(&root)).parse().unwrap();
    let cases: [(Host, Vec<CertUserMapping>, Option<Successor>); 5] = [
        (
            host("a", &[&old], &[&root], &[]),
            vec![pinned(&old, "erp"), CertUserMapping::new(under, user("erp"))],
            Some(Successor::Anchor(print(&root))),
        ),
        (
            host("b", &[&old], &[], &[&keyed]),
            vec![pinned(&old, "erp"), key(&keyed, "erp")],
            Some(Successor::Key(keyed.certificate().spki_fingerprint())),
        ),
        (host("c", &[&old, &renewed], &[], &[]), vec![key(&old, "erp")], Some(Successor::Pin(print(&renewed)))),
        // Somebody else's certificate is nobody's successor.
        (host("d", &[&old, &new], &[], &[]), vec![pinned(&old, "erp"), pinned(&new, "crm")], None),
        // Neither is one that admits the user on another host.
        (host("e", &[&old], &[], &[]), vec![pinned(&old, "erp"), pinned(&new, "erp")], None),
    ];
    let mut other_trust = TrustBundle::new("elsewhere".parse().unwrap());
    other_trust.add_pin(new.certificate().clone()).unwrap();
    let elsewhere = Host::new("other".parse().unwrap(), other_trust);
    let elsewhere = elsewhere.with_server_names(["other.example".parse().unwrap()]);
    for (host, rules, successor) in cases {
        let id = host.id().clone();
        let policy = PolicyBuilder::for_host(host).host(elsewhere.clone()).mappings(rules).build().unwrap();
        let endings = forecast(&policy, NOW, Duration::from_secs(20 * DAY));
        let [ending] = &endings[..] else { panic!("{id}: {endings:?}") };
        assert_eq!((ending.cause(), ending.hosts()), (&EndingCause::Pin(print(&old)), &[id.clone()][..]));
        assert_eq!(ending.successor(), successor.as_ref(), "host {id}");
        assert_eq!(ending.turn(), Turn::Partner);
    }
}

#[test]
fn below_an_anchor_of_whose_name_only_another_has_lists_nobody_is_left_to_end() {
    let [a, b] =
        ["CN=Acme CA", "CN=ACME CA"].map(|name| lasting(name, 90).as_ca().with_new_key(NewKey::EcP256).self_signed());
    let list = |by: &TestIdentity, days: u64| {
        let list = TestRevocationList::new().with_dates(NOW.as_secs() - 60, Some(in_days(days)));
        RevocationList::from_der(list.signed_by(by).der()).unwrap()
    };
    let issued = client("CN=exact").issued_by(&a);
    let hosts = |id: &str, ca: &TestIdentity| {
        let mut trust = TrustBundle::new(id.parse().unwrap());
        trust.add_anchor(ca.certificate().clone()).unwrap();
        Host::new(id.parse().unwrap(), trust).with_server_names([format!("{id}.example").parse().unwrap()])
    };
    let rules = [(&a, "u"), (&b, "v")].map(|(ca, name)| {
        let selector = format!("under {} dns \"a.example\"", ca.certificate().fingerprint());
        CertUserMapping::new(selector.parse().unwrap(), user(name))
    });
    let exact = CertUserMapping::new(Selector::certificate(issued.certificate().fingerprint()), user("exact"));
    let builder = || {
        let [one, two] = [("one", &a), ("two", &b)].map(|(id, ca)| hosts(id, ca));
        PolicyBuilder::for_host(one).host(two).mappings(rules.clone()).mapping(exact.clone())
    };
    let with = |lists: &[RevocationList]| {
        let mut revocation = Revocation::new();
        for list in lists {
            revocation.add(list.clone());
        }
        told(&builder().revocation(revocation).build().unwrap())
    };
    let end = |date: &str, name: &str, host: &str, cause: &str| {
        format!("{date}T12:00:00Z: user `{name}` ends on host `{host}` with {cause}")
    };
    // What is not pinned could be of the other CA.
    let b_ends = ["exact", "v"].map(|name| end("2026-12-08", name, "two", "the revocation list of `CN=ACME CA`"));
    assert_eq!(with(&[list(&b, 7)]), b_ends);
    let a_ends = ["exact", "u"].map(|name| end("2026-12-04", name, "one", "the revocation list of `CN=Acme CA`"));
    assert_eq!(with(&[list(&b, 7), list(&a, 3)]), [a_ends, b_ends].concat());
}
