//! What the lint says about roles that ask for strength: whether anybody can be known so strongly.

use certmap::review::FindingCode;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{
    CertUserMapping, Enforcement, Host, Policy, PolicyBuilder, RoleAssignment, RuleName, Strength, TrustBundle,
};

use crate::anchors::{bundle, client, decide_at};
use crate::common::{SEND, user};
use crate::fleets::{exact, rule};
use crate::lint::told;

fn name(name: &str) -> RuleName {
    name.parse().unwrap()
}

fn builder(trust: TrustBundle, rules: impl IntoIterator<Item = CertUserMapping>) -> PolicyBuilder {
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), trust)).mappings(rules)
}

fn has_role(policy: &Policy, client: &TestIdentity) -> bool {
    let decision = decide_at(policy, client.chain_without_root(), NOW);
    decision.principal().unwrap_or_else(|| panic!("{decision}")).roles() == [SEND]
}

fn out_of_reach(builder: PolicyBuilder) -> Vec<String> {
    let found = told(builder).into_iter().filter(|(code, _)| *code == FindingCode::RoleOutOfReach);
    found.map(|(_, text)| text).collect()
}

#[test]
fn what_no_assignment_gives_is_not_said_of_a_role_that_another_one_gives() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let below = client("CN=x,O=Acme").issued_by(&root);
    let give = |least, how| RoleAssignment::new(user("u"), SEND).at_least(least).with_enforcement(how);
    let expected = "role-out-of-reach: role `iflmap/ESBMessaging.send` of user u: it asks for strength certificate, which no rule of its holder gives: nobody has the role by this assignment: ask for less, or map by key or certificate";
    for other in [RoleAssignment::to_rule(name("acme"), SEND), give(Strength::Key, Enforcement::Observe)] {
        let rules = [rule(&root, "attribute O \"Acme\"", "\"u\"").with_name(name("acme"))];
        let built = builder(bundle(&[&root]), rules);
        let built = built.assignments([give(Strength::Certificate, Enforcement::Enforce), other]);
        assert!(has_role(&built.clone().build().unwrap(), &below));
        assert_eq!(out_of_reach(built), [expected]);
    }
}

#[test]
fn a_user_of_a_template_is_never_known_by_more_than_a_name() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let below = client("CN=x,O=Acme").with_serial(&[7]).issued_by(&root);
    for (test, source, gives) in [
        ("serial 07", "\"u/\" + attribute CN", false),
        ("serial 07", "\"u/\" + attribute CN among (\"u/x\")", false),
        ("serial 07", "\"u/x\"", true),
    ] {
        for asked in [
            RoleAssignment::new(user("u/x"), SEND).at_least(Strength::Serial),
            RoleAssignment::to_rule(name("fleet"), SEND).at_least(Strength::Serial),
        ] {
            let rules = [rule(&root, test, source).with_name(name("fleet"))];
            let built = builder(bundle(&[&root]), rules).assignment(asked);
            assert_eq!(has_role(&built.clone().build().unwrap(), &below), gives, "{source}");
            assert_eq!(out_of_reach(built).is_empty(), gives, "{source}");
        }
    }
}

#[test]
fn who_is_matched_by_a_stronger_rule_too_has_the_roles_of_the_weaker_one() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let below = client("CN=x,O=Acme").issued_by(&root);
    for (source, known_as, gives) in [
        ("\"u/x\"", "u/x", true),
        ("\"u/\" + attribute CN among (\"u/x\")", "u/x", true),
        // Somebody else.
        ("\"u/\" + attribute CN", "crm", false),
    ] {
        let fleet = rule(&root, "attribute O \"Acme\"", source).with_name(name("fleet"));
        let built = builder(bundle(&[&root]), [fleet, exact(&below, known_as)])
            .assignment(RoleAssignment::to_rule(name("fleet"), SEND).at_least(Strength::Certificate));
        if gives {
            assert!(has_role(&built.clone().build().unwrap(), &below), "{source}");
        }
        assert_eq!(out_of_reach(built).is_empty(), gives, "{source} {known_as}");
    }
}
