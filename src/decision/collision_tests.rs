//! A hash decides where to look, never who it is: where one hash is that of everything, each peer is who it is written down to be,
//! and everything else is decided as anywhere.

use super::*;
use crate::cert::RevocationList;
use crate::map::{CertUserMapping, Selector};
use crate::policy::Authority;
use crate::role::RoleAssignment;
use crate::table::colliding::alike;
use crate::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use crate::trust::{Denial, Revocation};
use crate::{Host, PolicyBuilder, TrustBundle};

/// Peers, each with what becomes of it at the first of two hosts: its user, or a code.
struct World {
    builder: PolicyBuilder,
    peers: Vec<(TestIdentity, String)>,
}

/// Of each kind of entry several, and as many that have something in common with them: a name, a key, a serial number.
fn world() -> World {
    let root = |name: &str| TestCertificate::new(&format!("CN=root {name}")).as_ca().self_signed();
    let roots = [("a", root("a")), ("b", root("b"))];
    let [mut first, mut second] = ["one", "two"].map(|name| TrustBundle::new(name.parse().unwrap()));
    let mut rules = Vec::new();
    let mut peers: Vec<(TestIdentity, String)> = Vec::new();
    let mut rule = |selector: Selector, user: &str| rules.push(CertUserMapping::new(selector, user.parse().unwrap()));
    let mut denials = vec![Denial::serial("CN=root c".parse().unwrap(), "30".parse().unwrap())];
    let mut revocation = Revocation::new();
    for (name, root) in &roots {
        let anchor = first.add_anchor(root.certificate().clone()).unwrap();
        let (denied, revoked) = if *name == "a" { (0x31, 0x33) } else { (0x32, 0x34) };
        for number in 0..6 {
            let (serial, host) = (0x30 + number, format!("h{number}.example"));
            let made = TestCertificate::new("CN=client").with_serial(&[serial]).with_ca_false().with_purpose(2);
            let user = format!("{name}{number}");
            rule(format!("under {anchor} dns \"{host}\"").parse().unwrap(), &user);
            let answer = match serial {
                _ if serial == denied => "denied".to_owned(),
                _ if serial == revoked => "certificate-revoked".to_owned(),
                _ => user,
            };
            peers.push((made.with_server_name(&host).issued_by(root), answer));
        }
        denials.push(Denial::serial(root.certificate().subject(), format!("{denied:02x}").parse().unwrap()));
        let list = TestRevocationList::new().revoking(&[revoked]).signed_by(root);
        revocation.add(RevocationList::from_der(list.der()).unwrap());
    }
    second.add_anchor(roots[1].1.certificate().clone()).unwrap();
    for number in 0..6 {
        let made = || TestCertificate::new(&format!("CN=pin {number}"));
        let (pin, key_pin) = (made().self_signed(), TestCertificate::new("CN=key pin").self_signed());
        let user = format!("pin{number}");
        first.add_pin(pin.certificate().clone()).unwrap();
        first.add_key_pin(key_pin.certificate().clone()).unwrap();
        rule(Selector::key(key_pin.certificate().spki_fingerprint()), &format!("key{number}"));
        peers.push((TestCertificate::new("CN=renewed").with_key_of(&key_pin).self_signed(), format!("key{number}")));
        for namesake in [made().self_signed(), made().issued_by(&pin)] {
            peers.push((namesake, "untrusted".to_owned()));
        }
        let on_its_key = if number == 1 { "denied" } else { "untrusted" };
        peers.push((made().with_key_of(&pin).self_signed(), on_its_key.to_owned()));
        let answer = match number {
            0 => "not-mapped".to_owned(),
            1 => {
                denials.push(Denial::key(pin.certificate().spki_fingerprint()));
                "denied".to_owned()
            }
            2 => {
                rule(Selector::key(pin.certificate().spki_fingerprint()), &user);
                user
            }
            _ => {
                second.add_pin(pin.certificate().clone()).unwrap();
                rule(Selector::certificate(pin.certificate().fingerprint()), &user);
                user
            }
        };
        peers.push((pin, answer));
    }
    let assigned = rules.iter().enumerate().flat_map(|(number, rule)| {
        let may = |more: usize| format!("app/r{}", 5 * number + more).parse().unwrap();
        let assigned = |more| RoleAssignment::new(rule.user().unwrap().clone(), may(more));
        (0..=number % 7).map(assigned).collect::<Vec<_>>()
    });
    let assigned: Vec<_> = assigned.collect();
    let host = |bundle: TrustBundle| {
        let names = [format!("{}.example", bundle.name()), format!("*.{}.example", bundle.name())];
        let host = Host::new(bundle.name().as_str().parse().unwrap(), bundle);
        host.with_server_names(names.map(|name| name.parse().unwrap()))
    };
    let builder = PolicyBuilder::for_host(host(first)).host(host(second)).mappings(rules).assignments(assigned);
    World { builder: builder.denials(denials).revocation(revocation), peers }
}

#[test]
fn who_somebody_is_depends_on_no_hash() {
    let World { builder, peers } = world();
    let build = |remembered| builder.clone().remembered_paths(remembered).build().unwrap();
    let any = build(0);
    for policy in [0, 8, 4_096].map(|remembered| alike(|| build(remembered))) {
        assert_eq!(policy.canonical_form(), any.canonical_form());
        // What is remembered is asked for again, by others than those who left it there.
        for (identity, answer) in peers.iter().chain(peers.iter().rev()) {
            for host in any.hosts().map(Host::id) {
                let evidence = Evidence::after_handshake(host.clone(), identity.chain_without_root());
                let (decision, expected) = (policy.decide(&evidence, NOW), any.decide(&evidence, NOW));
                assert_eq!(format!("{:?}", decision.outcome()), format!("{:?}", expected.outcome()));
                let user = decision.principal().map(|principal| principal.user().to_string());
                let told = user.or_else(|| Some(decision.refusal()?.code().to_string())).unwrap();
                assert!(host.as_str() != "one" || told == *answer, "{told} is not {answer}: {decision}");
            }
        }
    }
}

#[test]
fn what_host_is_meant_depends_on_no_hash() {
    let builder = world().builder;
    let (policy, any) = (alike(|| builder.clone().build().unwrap()), builder.build().unwrap());
    let listener = any.hosts().next().unwrap().listener();
    for (name, id) in [
        ("one.example", Some("one")),
        ("two.example", Some("two")),
        ("a.one.example", Some("one")),
        ("a.two.example", Some("two")),
        ("three.example", None),
        ("a.three.example", None),
    ] {
        for policy in [&policy, &any] {
            let hosts = policy.host_table();
            assert_eq!(hosts.select(listener, Some(name)).map(|state| state.host().id().as_str()), id);
            for state in hosts.iter() {
                assert_eq!(
                    hosts.answers(state, Authority::Host(name)),
                    Some(state.host().id().as_str()) == id,
                    "{name}"
                );
            }
        }
    }
}
