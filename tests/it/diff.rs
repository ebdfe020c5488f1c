//! What a new policy changes: no difference, no other decision; another decision, a difference that names it.

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::policy::ClientAuth;
use certmap::review::{Change, Effect, Shadow, diff};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::{ClientPurpose, Denial, Revocation};
use certmap::{
    CertUserMapping, Evidence, Host, Policy, PolicyBuilder, PolicyHandle, Role, RoleAssignment, Selector, Strength,
    TrustBundle,
};
use fastrand::Rng;

use crate::anchors::{bundle, client, hierarchy};
use crate::common::{SEND, user};
use crate::corpus_of_policies::{Spec, World};

const ADMIN: Role = Role::from_static("iflmap/Admin");

#[test]
fn decisions_differ_only_where_the_difference_names_it() {
    let mut rng = Rng::with_seed(7);
    let world = World::new(&mut rng, 120);
    let evidences = world.evidences();
    let (mut differing, mut silent, mut pairs, mut rounds) = (0, 0, 0, 0);
    // Keys are new in each process, so it takes a different time until every kind was there.
    while rounds < 20 || rounds < 200 && !(differing > 50 && silent > 2) {
        rounds += 1;
        let (spec, old) = Spec::buildable(&mut rng, &world);
        // The same in another order.
        let again = spec.build(&mut rng, &world).unwrap();
        assert!(diff(&old, &again).is_empty(), "{}", diff(&old, &again));
        assert_eq!(diff(&old, &again).to_string(), "no difference\n");
        let (changed, new) = loop {
            let mut next = spec.clone();
            (0..rng.usize(1..4)).for_each(|_| next.mutate(&mut rng, &world));
            if let Some(policy) = next.build(&mut rng, &world) {
                break (next, policy);
            }
        };
        let difference = diff(&old, &new);
        assert_eq!(difference.is_empty(), old.canonical_form() == new.canonical_form(), "{spec:?}\n{changed:?}");
        let disagreements = difference.decisions(&evidences, NOW);
        for disagreement in &disagreements {
            let named = difference.concerning(disagreement.one().evidence(), NOW);
            assert!(!named.is_empty(), "{disagreement}\n{difference}");
            assert!(
                Shadow::new(PolicyHandle::new(rebuilt(&changed, &mut rng, &world)).current())
                    .disagreement(disagreement.one())
                    .is_some()
            );
        }
        differing += disagreements.len();
        silent += usize::from(disagreements.is_empty());
        pairs += evidences.len();
    }
    assert!(differing > 50 && silent > 2, "{differing} of {pairs} differ, {silent} policies change nothing");
}

fn rebuilt(spec: &Spec, rng: &mut Rng, world: &World) -> Policy {
    spec.build(rng, world).unwrap()
}

fn partner(builder: PolicyBuilder, name: &str, of: &TestIdentity, roles: &[Role]) -> PolicyBuilder {
    builder.partner(user(name), of.certificate().clone(), roles.iter().cloned())
}

#[track_caller]
fn told(old: PolicyBuilder, new: PolicyBuilder) -> String {
    let (old, new) = (old.build().unwrap(), new.build().unwrap());
    let (there, back) = (diff(&old, &new), diff(&new, &old));
    assert_eq!(there.changes().len(), back.changes().len(), "{there}\n{back}");
    there.to_string()
}

#[test]
fn each_change_is_told_whole_and_what_lets_in_more_comes_first() {
    let one = TestCertificate::new("CN=one").self_signed();
    let two = TestCertificate::new("CN=two").self_signed();
    let (first, second) = (one.certificate().fingerprint(), two.certificate().fingerprint());
    let denial = Denial::key(two.certificate().spki_fingerprint());
    let base = || partner(PolicyBuilder::new(), "erp", &one, &[SEND]);
    assert_eq!(
        told(base(), partner(base(), "crm", &two, &[ADMIN])),
        format!(
            "widens: certificate {second} in bundle `partners` (`CN=two`): new, pin
widens: certificate {second}: new, user `crm`
widens: rule `{second}`: new, user \"crm\"
widens: role `iflmap/Admin` of user crm: new, whatever the strength
user `crm` gains `iflmap/Admin`
"
        )
    );
    assert_eq!(
        told(base(), partner(PolicyBuilder::new(), "erp2", &one, &[SEND, ADMIN])),
        format!(
            "widens: role `iflmap/Admin` of user erp2: new, whatever the strength
widens: role `iflmap/ESBMessaging.send` of user erp2: new, whatever the strength
alters: certificate {first}: was user `erp`, is user `erp2`
alters: rule `{first}`: was user \"erp\", is user \"erp2\"
narrows: role `iflmap/ESBMessaging.send` of user erp: gone, was whatever the strength
user `erp` loses `iflmap/ESBMessaging.send`
user `erp2` gains `iflmap/Admin`, `iflmap/ESBMessaging.send`
"
        )
    );
    assert_eq!(
        told(base().denial(denial.clone()), base().disabled_user(user("erp"))),
        format!("widens: denial `{denial}` is lifted\nnarrows: user `erp` is disabled\n")
    );
    let strict = RoleAssignment::new(user("erp"), ADMIN).at_least(Strength::Key);
    assert_eq!(
        told(base().assignment(strict), base().assignment(RoleAssignment::new(user("erp"), ADMIN))),
        "alters: role `iflmap/Admin` of user erp: was from strength key on, enforce, is whatever the strength\n"
    );
}

#[test]
fn hosts_and_bundles_that_ask_for_less_are_told() {
    let (root, issuing) = hierarchy();
    let host = |id: &str, trust: TrustBundle| Host::new(id.parse().unwrap(), trust);
    let old = || {
        PolicyBuilder::for_host(host("gw", bundle(&[&root]).with_purpose(ClientPurpose::Required).with_path_length(0)))
    };
    let asking_less = host("gw", bundle(&[&root]).with_path_length(2)).with_client_auth(ClientAuth::Request);
    assert_eq!(
        told(old(), PolicyBuilder::for_host(asking_less)),
        "widens: host `gw`: client-auth was require, is request
widens: bundle `partners`: purpose was required, is if-stated
widens: bundle `partners`: path-length was 0, is 2
"
    );
    let named = host("gw", bundle(&[&root]).with_purpose(ClientPurpose::Required).with_path_length(0))
        .with_server_names(["gw.example".parse().unwrap()]);
    let other = host("other", bundle(&[&root]).with_purpose(ClientPurpose::Required).with_path_length(0));
    assert_eq!(
        told(old(), PolicyBuilder::for_host(named).host(other)),
        "widens: host `other` is new
alters: host `gw`: server-names was none, is gw.example
alters: host `gw`: default was yes, is no
"
    );
    // The same certificate, as a CA and as itself.
    let mut pinned = bundle(&[]);
    pinned.add_pin(root.certificate().clone()).unwrap();
    let (before, after) = (
        PolicyBuilder::for_host(host("gw", bundle(&[&root]))).build().unwrap(),
        PolicyBuilder::for_host(host("gw", pinned)).build().unwrap(),
    );
    let difference = diff(&before, &after);
    let fingerprint = root.certificate().fingerprint();
    assert_eq!(
        difference.to_string(),
        format!("alters: certificate {fingerprint} in bundle `partners` (`CN=root`): was anchor, is pin\n")
    );
    let [change @ Change::Entry { .. }] = difference.changes() else { panic!("{difference}") };
    assert_eq!(change.effect(), Effect::Alters);
    let peer = client("CN=p").issued_by(&issuing);
    let evidence = Evidence::after_handshake("gw".parse().unwrap(), peer.chain_without_root());
    assert_eq!(difference.concerning(&evidence, NOW), [change]);
    // A list concerns whom it is about, however it spells the issuer.
    let mut revocation = Revocation::new();
    let list = TestRevocationList::new().with_issuer_der(&"CN=ISSUING".parse::<DistinguishedName>().unwrap().to_der());
    revocation.add(RevocationList::from_der(list.signed_by(&issuing).der()).unwrap());
    let listed = before.with_revocation(&revocation).unwrap();
    let difference = diff(&before, &listed);
    let [change @ Change::List { .. }] = difference.changes() else { panic!("{difference}") };
    assert_eq!(difference.concerning(&evidence, NOW), [change]);
}

#[test]
fn decisions_are_compared_over_chains_and_by_a_shadow() {
    let one = TestCertificate::new("CN=one").self_signed();
    let two = TestCertificate::new("CN=two").self_signed();
    let both = |roles: &[Role]| partner(partner(PolicyBuilder::new(), "erp", &one, roles), "crm", &two, &[SEND]);
    let (old, new) = (both(&[SEND]).build().unwrap(), both(&[ADMIN]).disabled_user(user("crm")).build().unwrap());
    let evidence = |of: &TestIdentity| Evidence::after_handshake("default".parse().unwrap(), of.chain());
    let stranger = TestCertificate::new("CN=stranger").self_signed();
    let difference = diff(&old, &new);
    let told: Vec<_> = difference
        .decisions(&[evidence(&one), evidence(&two), evidence(&stranger)], NOW)
        .iter()
        .map(ToString::to_string)
        .collect();
    let (first, second) = (one.certificate().fingerprint(), two.certificate().fingerprint());
    assert_eq!(
        told,
        [
            format!("host `default`, certificate {first}: `erp` gains `iflmap/Admin` loses `iflmap/ESBMessaging.send`"),
            format!(
                "host `default`, certificate {second}: admitted as `crm`; the other policy: refused: user-disabled"
            ),
        ]
    );
    let shadow = Shadow::new(new);
    assert!(shadow.disagreement(&old.decide(&evidence(&stranger), NOW)).is_none());
    let disagreement = shadow.disagreement(&old.decide(&evidence(&one), NOW)).unwrap();
    assert_eq!((disagreement.gained(), disagreement.lost()), (vec![ADMIN], vec![SEND]));
}

#[test]
fn a_change_is_found_for_whoever_it_concerns_by_another_host_or_another_form() {
    let (root, issuing) = hierarchy();
    let partner = client("CN=p").issued_by(&issuing);
    let rule = |selector| CertUserMapping::new(selector, user("u"));
    let build = |rules: Vec<CertUserMapping>| {
        PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root]))).mappings(rules)
    };
    // Another host has the name that it asked for.
    let by_key = || vec![rule(Selector::key(partner.certificate().spki_fingerprint()))];
    let other = Host::new("other".parse().unwrap(), bundle(&[&root])).with_server_names(["b.example".parse().unwrap()]);
    let (old, new) = (build(by_key()).build().unwrap(), build(by_key()).host(other).build().unwrap());
    let evidence = Evidence::after_handshake("gw".parse().unwrap(), partner.chain_without_root())
        .with_server_name("main".parse().unwrap(), Some("b.example"));
    for (old, new) in [(&old, &new), (&new, &old)] {
        let difference = diff(old, new);
        assert_eq!(difference.decisions(std::slice::from_ref(&evidence), NOW).len(), 1);
        assert!(!difference.concerning(&evidence, NOW).is_empty());
    }
    // Its certificate has its signature in the other form.
    let mut chain: Vec<Vec<u8>> = partner.chain_without_root().iter().map(|der| der.to_vec()).collect();
    chain[0] = crate::left_behind::resigned(&chain[0]);
    let exact = rule(Selector::certificate(partner.certificate().fingerprint()));
    let (old, new) = (build(vec![exact]).build().unwrap(), build(Vec::new()).build().unwrap());
    let evidence = Evidence::after_handshake("gw".parse().unwrap(), &chain);
    let difference = diff(&old, &new);
    assert_eq!(difference.decisions(std::slice::from_ref(&evidence), NOW).len(), 1);
    assert_eq!(difference.concerning(&evidence, NOW).len(), 1);
}
