//! What went wrong elsewhere with names, where a table of common names is taken in: one test for each row of `corpus.md`
//! of which *Naive admits* says yes. The other rows are tests of `map`.

use certmap::testing::TestIdentity;
use certmap::{Policy, RefusalCode};

use crate::anchors::{bundle, client, hierarchy, refusal};
use crate::fleets::{of, policy, rule, who};
use crate::naive::Attack;

/// `CN=admin` below the root is `admin`, who is let in by both builds.
fn admin_below(root: &TestIdentity, issuing: &TestIdentity) -> Policy {
    let policy = policy(bundle(&[root]), [rule(root, "attribute CN \"admin\"", "\"admin\"")]);
    assert_eq!(who(&policy, &client("CN=admin").issued_by(issuing)), of("admin"));
    policy
}

#[track_caller]
fn only_naively_admin(subject: &str) {
    let (root, issuing) = hierarchy();
    let policy = admin_below(&root, &issuing);
    let attacker = client(subject).issued_by(&issuing);
    assert_eq!(refusal(&policy, attacker.chain_without_root()).code(), RefusalCode::NotMapped, "{subject}");
    Attack::on(&bundle(&[&root]), attacker.chain_without_root()).naively("admin");
}

#[test]
fn mp_03_an_attribute_of_a_multi_valued_rdn_is_not_the_name() {
    only_naively_admin("CN=admin+O=Thief");
}

#[test]
fn mp_24_the_first_of_two_common_names_is_not_the_name() {
    // Encoded in the reverse order of the text: `admin` comes first.
    only_naively_admin("CN=thief,CN=admin");
    only_naively_admin("CN=admin,CN=admin");
}

#[test]
fn mp_15_mp_28_the_name_below_another_ca_of_the_bundle_is_another_name() {
    let (root, issuing) = hierarchy();
    let other = certmap::testing::TestCertificate::new("CN=other root").as_ca().self_signed();
    admin_below(&root, &issuing);
    let both = bundle(&[&root, &other]);
    let policy = policy(both.clone(), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    let attacker = client("CN=admin").issued_by(&other);
    assert_eq!(refusal(&policy, attacker.chain_without_root()).code(), RefusalCode::NotMapped);
    Attack::on(&both, attacker.chain_without_root()).naively("admin");
}
