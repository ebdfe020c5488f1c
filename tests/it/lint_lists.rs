//! What the lint says about revocation lists: whose they are, and which of them counts.

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::review::FindingCode::{self, AnchorWithoutList, ListEndsSoon, ListStale};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::Revocation;
use certmap::{Host, NewKey, PolicyBuilder, RefusalCode, TrustBundle};

use crate::anchors::{bundle as anchors, client};
use crate::fleets::{of, rule, who};
use crate::lint::{below_ca, bundle, told};

const DAY: u64 = 86_400;

/// A CA of this name with a key of its own.
fn ca(name: &str) -> TestIdentity {
    TestCertificate::new(name).as_ca().with_new_key(NewKey::EcP256).self_signed()
}

/// A list that was made and is to be replaced so many days before or after now.
fn list(by: &TestIdentity, made: i64, until: i64) -> RevocationList {
    let at = |days: i64| NOW.as_secs().saturating_add_signed(days * DAY.cast_signed());
    let list = TestRevocationList::new().with_dates(at(made), Some(at(until)));
    RevocationList::from_der(list.signed_by(by).der()).unwrap()
}

fn with(builder: PolicyBuilder, lists: &[&RevocationList]) -> PolicyBuilder {
    let mut revocation = Revocation::new();
    for list in lists {
        revocation.add((*list).clone());
    }
    builder.revocation(revocation)
}

/// One host for each of these, with rules for two users below two CAs.
fn hosts(bundles: Vec<(&str, TrustBundle)>, [u, v]: [&TestIdentity; 2]) -> PolicyBuilder {
    let host = |(id, bundle): (&str, TrustBundle)| {
        Host::new(id.parse().unwrap(), bundle).with_server_names([format!("{id}.example").parse().unwrap()])
    };
    let mut hosts = bundles.into_iter().map(host);
    let builder = PolicyBuilder::for_host(hosts.next().unwrap());
    let rules = [(u, "\"u\""), (v, "\"v\"")].map(|(ca, user)| rule(ca, "attribute O \"Acme\"", user));
    hosts.fold(builder, PolicyBuilder::host).mappings(rules)
}

fn of_lists(builder: PolicyBuilder) -> Vec<(FindingCode, String)> {
    let is_of_lists = |code: &FindingCode| [AnchorWithoutList, ListEndsSoon, ListStale].contains(code);
    told(builder).into_iter().filter(|(code, _)| is_of_lists(code)).collect()
}

#[test]
fn the_newest_list_is_that_of_every_spelling_of_the_issuer() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let mut revocation = Revocation::new();
    for (issuer, until) in [("CN=ROOT", NOW.as_secs() - 1), ("CN=root", NOW.as_secs() + 90 * DAY)] {
        let issuer = issuer.parse::<DistinguishedName>().unwrap().to_der();
        let list = TestRevocationList::new().with_dates(NOW.as_secs() - DAY, Some(until)).with_issuer_der(&issuer);
        revocation.add(RevocationList::from_der(list.signed_by(&root).der()).unwrap());
    }
    let builder = below_ca(&root, bundle(), &[("dns \"a.example\"", "\"erp\"")]).revocation(revocation);
    assert!(told(builder).iter().all(|(code, _)| *code != FindingCode::ListStale));
}

#[test]
fn each_of_two_cas_of_alike_names_has_its_newest_list() {
    let cas @ [a, b] = [&ca("CN=Acme CA"), &ca("CN=ACME CA")];
    let build = |lists: &[&RevocationList]| with(hosts(vec![("gw", anchors(&cas))], cas), lists);
    let fresh = list(b, -1, 365);
    for (made, until, code, sentence) in [
        (-28, 2, ListEndsSoon, "three quarters of its time are over, and it ends at 2026-12-03T12:00:00Z"),
        (-40, -1, ListStale, "it was to be replaced until 2026-11-30T12:00:00Z"),
    ] {
        let ends = list(a, made, until);
        let text = format!("{code}: revocation list sha256:…: {sentence}: fetch the current list of `CN=Acme CA`");
        for lists in [[&ends, &fresh], [&fresh, &ends]] {
            assert_eq!(of_lists(build(&lists)), [(code, text.clone())]);
        }
        // What the CA replaced already is not told, nor is what the other one did.
        let (next, other) = (list(a, -1, 300), list(b, made, until));
        assert_eq!(of_lists(build(&[&ends, &next, &other, &fresh])), []);
        // Both are told where both end in one second.
        assert_eq!(of_lists(build(&[&ends, &other])).len(), 2);
    }
}

#[test]
fn a_ca_that_changed_its_key_has_a_newest_list_of_each() {
    let cas @ [old, new] = [&ca("CN=Acme CA"), &ca("CN=Acme CA")];
    let builder = || hosts(vec![("gw", anchors(&cas))], cas);
    let found = of_lists(with(builder(), &[&list(old, -40, -1), &list(new, -1, 365)]));
    assert_eq!(found.into_iter().map(|(code, _)| code).collect::<Vec<_>>(), [ListStale]);
    let found = of_lists(with(builder(), &[&list(new, -1, 365)]));
    assert_eq!(found.into_iter().map(|(code, _)| code).collect::<Vec<_>>(), [AnchorWithoutList]);
}

#[test]
fn an_anchor_whose_name_only_lists_of_another_have_is_told_and_admits_nobody() {
    let cas @ [a, b] = [&ca("CN=Acme CA"), &ca("CN=ACME CA")];
    let lists = [&list(b, -1, 365)];
    let apart = |first: &TestIdentity, second: &TestIdentity| {
        let mut other = TrustBundle::new("others".parse().unwrap());
        other.add_anchor(second.certificate().clone()).unwrap();
        hosts(vec![("one", anchors(&[first])), ("two", other)], cas)
    };
    for builder in [apart(a, b), apart(b, a), hosts(vec![("gw", anchors(&cas))], cas)] {
        let found = of_lists(with(builder.clone(), &lists));
        assert_eq!(found.into_iter().map(|(code, _)| code).collect::<Vec<_>>(), [AnchorWithoutList]);
        assert_eq!(of_lists(with(builder, &[lists[0], &list(a, -1, 300)])), []);
    }
    let policy = with(apart(a, b), &lists).build().unwrap();
    assert_eq!(who(&policy, &client("CN=x,O=Acme").issued_by(a)), Err(RefusalCode::RevocationUnknown));
    let policy = with(apart(b, a), &lists).build().unwrap();
    assert_eq!(who(&policy, &client("CN=x,O=Acme").issued_by(b)), of("v"));
    // Whose validity has ended admits nobody anyway.
    let made = TestCertificate::new("CN=Acme CA").as_ca().with_new_key(NewKey::EcP256);
    let gone = made.with_validity(NOW.as_secs() - 9 * DAY, NOW.as_secs() - 1).self_signed();
    let renewed = |lists: &[&RevocationList]| with(hosts(vec![("gw", anchors(&[&gone, b]))], [&gone, b]), lists);
    assert_eq!(of_lists(renewed(&lists)), []);
    assert_eq!(of_lists(renewed(&[lists[0], &list(&gone, -8, -1)])), []);
}
