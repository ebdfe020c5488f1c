//! Giving a role beside what gives it already: whoever asks for more is told that it does nothing.

use certmap::document::{Document, EditError, NoReferences};
use certmap::review::{FindingCode, lint};
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{
    CertUserMapping, Enforcement, Host, Policy, PolicyBuilder, Role, RoleAssignment, Selector, Strength, TrustBundle,
};

use crate::anchors::{bundle, client, decide_at};
use crate::common::{SEND, user};
use crate::fleets::{exact, rule};

/// Clients that are one user by rules of every strength, weak to strong.
struct Fleet {
    trust: TrustBundle,
    rules: Vec<CertUserMapping>,
    clients: [TestIdentity; 4],
}

impl Fleet {
    fn new() -> Self {
        let root = TestCertificate::new("CN=root").as_ca().self_signed();
        let [name, serial] = [("CN=name", 8), ("CN=serial", 7)].map(|(name, n)| client(name).with_serial(&[n]));
        let clients = [
            name.issued_by(&root),
            serial.issued_by(&root),
            TestCertificate::new("CN=key").self_signed(),
            TestCertificate::new("CN=certificate").self_signed(),
        ];
        let [_, _, key, certificate] = &clients;
        let mut trust = bundle(&[&root]);
        for pin in [key, certificate] {
            trust.add_pin(pin.certificate().clone()).unwrap();
        }
        let by_key = CertUserMapping::new(Selector::key(key.certificate().spki_fingerprint()), user("u"));
        let under = [("attribute CN \"name\"", "\"u\""), ("serial 07", "\"u\"")];
        let mut rules = under.map(|(test, source)| rule(&root, test, source)).to_vec();
        rules.extend([by_key, exact(certificate, "u")]);
        Self { trust, rules, clients }
    }

    fn policy(&self, assignments: &[&RoleAssignment]) -> Policy {
        let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), self.trust.clone()));
        let assignments = assignments.iter().map(|one| (*one).clone());
        builder.mappings(self.rules.clone()).assignments(assignments).build().unwrap()
    }

    /// The roles of each client.
    fn roles(&self, policy: &Policy) -> Vec<Vec<Role>> {
        let roles = |client: &TestIdentity| {
            let decision = decide_at(policy, client.chain_without_root(), NOW);
            decision.principal().unwrap_or_else(|| panic!("{decision}")).roles().to_vec()
        };
        self.clients.iter().map(roles).collect()
    }
}

fn give(least: Strength, how: Enforcement) -> RoleAssignment {
    RoleAssignment::new(user("u"), SEND).at_least(least).with_enforcement(how)
}

fn assign(policy: &Policy, added: &RoleAssignment) -> Result<(), EditError> {
    Document::from(policy).edit(&NoReferences).assign(added).map(|_| ())
}

#[test]
fn who_asks_for_more_than_is_given_already_is_told_that_it_does_nothing() {
    let fleet = Fleet::new();
    let all = || {
        let with = |least: &'static Strength| Enforcement::ALL.iter().map(|how| give(*least, *how));
        Strength::ALL.iter().flat_map(with)
    };
    for present in all() {
        let policy = fleet.policy(&[&present]);
        let roles = fleet.roles(&policy);
        for added in all().filter(|added| *added != present) {
            let does_nothing = fleet.roles(&fleet.policy(&[&present, &added])) == roles;
            let told = assign(&policy, &added);
            let beside = format!("{added:?} beside {present:?}: {told:?}");
            assert!(does_nothing || told.is_ok(), "{beside}");
            // Without a condition it takes that of the present one away, and who only looks tells of others than before.
            let asks = added.least() > Strength::Name && added.enforcement() == Enforcement::Enforce;
            assert!(!(does_nothing && asks) || told.is_err(), "{beside}");
        }
    }
}

#[test]
fn a_role_that_is_only_observed_is_told_as_given_to_everybody() {
    let fleet = Fleet::new();
    let policy = fleet.policy(&[&give(Strength::Certificate, Enforcement::Observe)]);
    for least in [Strength::Key, Strength::Certificate] {
        assert_eq!(
            assign(&policy, &give(least, Enforcement::Enforce)).unwrap_err().to_string(),
            "user u has the role `iflmap/ESBMessaging.send` from strength `name` on already, and that would still count: take it away first"
        );
    }
    for (least, how) in [
        (Strength::Name, Enforcement::Enforce),
        (Strength::Key, Enforcement::Observe),
        (Strength::Key, Enforcement::Warn),
    ] {
        assert_eq!(assign(&policy, &give(least, how)), Ok(()), "{least} {how}");
    }
    // The lint says of both that something is to be done.
    let both = [give(Strength::Certificate, Enforcement::Observe), give(Strength::Key, Enforcement::Enforce)];
    let found = lint(&fleet.policy(&[&both[0], &both[1]]), NOW, std::time::Duration::ZERO);
    assert!(found.iter().any(|finding| finding.code() == FindingCode::RoleNotEnforced));
    assert!(found.iter().all(|finding| finding.code() != FindingCode::RoleOutOfReach));
}
