//! Putting a policy together, and finding all that is wrong with it.

use std::collections::BTreeSet;

use super::roles::RoleTable;
use super::{Host, NearAnchor, Policy, PolicyDigest, PolicyError, Problem};
use crate::cert::{Certificate, Fingerprint};
use crate::map::{CertUserMapping, Lookup, MappingTable, RuleName, Selector};
use crate::role::{Holder, Role, RoleAssignment};
use crate::trace::NoTrace;
use crate::trust::{Entry, EntryKind, TrustBundle, TrustError, TrustState};
use crate::user::UserName;

/// Collects trust, rules and roles, and builds a [`Policy`] if they do not contradict each other.
///
/// The order of calls never matters for who is admitted.
///
/// ```
/// use certmap::{PolicyBuilder, Role};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
///
/// let policy = PolicyBuilder::new().partner("SAPERPUSER".parse()?, certificate.clone(), [SEND]).build()?;
/// assert_eq!(policy.host().bundle().len(), 1);
///
/// // One certificate, two users: no order decides, the build does not succeed.
/// let contradiction = PolicyBuilder::new()
///     .partner("SAPERPUSER".parse()?, certificate.clone(), [SEND])
///     .partner("OTHERUSER".parse()?, certificate, []);
/// assert_eq!(contradiction.build().unwrap_err().problems()[0].code(), "conflicting-rules");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder {
    host: Host,
    mappings: Vec<CertUserMapping>,
    assignments: Vec<RoleAssignment>,
    problems: Vec<Problem>,
}

impl PolicyBuilder {
    /// A policy for one host, `default`, whose bundle, `partners`, has room for 150 certificates and is empty.
    #[expect(clippy::missing_panics_doc, reason = "the two labels are good ones")]
    pub fn new() -> Self {
        let bundle = TrustBundle::new("partners".parse().expect("a good label"));
        Self::for_host(Host::new("default".parse().expect("a good label"), bundle))
    }

    /// A policy for this host and whom its bundle vouches for.
    pub fn for_host(host: Host) -> Self {
        Self { host, mappings: Vec::new(), assignments: Vec::new(), problems: Vec::new() }
    }

    /// A partner in one line: pins its certificate to the host's bundle, maps it to `user`, and gives `user` the roles.
    ///
    /// Called again with a renewed certificate it adds that one to the same user.
    pub fn partner(mut self, user: UserName, certificate: Certificate, roles: impl IntoIterator<Item = Role>) -> Self {
        let fingerprint = certificate.fingerprint();
        match self.host.bundle_mut().add_pin(certificate) {
            Ok(_) | Err(TrustError::Duplicate { kind: EntryKind::Pin, .. }) => {}
            Err(cause) => self.problems.push(Problem::Partner { user: user.clone(), cause }),
        }
        let roles = roles.into_iter().map(|role| RoleAssignment::new(user.clone(), role));
        self.assignments.extend(roles);
        self.mapping(CertUserMapping::new(Selector::certificate(fingerprint), user))
    }

    /// Adds a rule. What it matches must also be in the host's bundle to be admitted.
    pub fn mapping(mut self, mapping: CertUserMapping) -> Self {
        self.mappings.push(mapping);
        self
    }

    /// Adds rules.
    pub fn mappings(mut self, mappings: impl IntoIterator<Item = CertUserMapping>) -> Self {
        self.mappings.extend(mappings);
        self
    }

    /// Gives a role to a holder.
    pub fn assignment(mut self, assignment: RoleAssignment) -> Self {
        self.assignments.push(assignment);
        self
    }

    /// Gives roles to holders.
    pub fn assignments(mut self, assignments: impl IntoIterator<Item = RoleAssignment>) -> Self {
        self.assignments.extend(assignments);
        self
    }

    /// Checks everything together.
    ///
    /// # Errors
    /// [`PolicyError`] with every [`Problem`] that there is.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let Self { host, mappings, assignments, mut problems } = self;
        // A bundle that is empty because a partner could not be pinned has that problem, not this one too.
        if host.bundle().is_empty() && problems.is_empty() {
            problems.push(Problem::EmptyBundle { host: host.id().clone(), bundle: host.bundle().name().clone() });
        }
        let anchors = host.bundle().entries().filter(|entry| entry.kind() == EntryKind::Anchor);
        problems.extend(anchors.map(|entry| Problem::AnchorForClients {
            host: host.id().clone(),
            bundle: host.bundle().name().clone(),
            certificate: entry.certificate().fingerprint(),
        }));

        let (table, rule_problems) = MappingTable::new(&mappings);
        problems.extend(rule_problems.into_iter().map(Problem::Rules));
        problems.extend(mappings.iter().filter_map(|mapping| unknown_anchor(&host, mapping.selector())));
        let names: BTreeSet<&RuleName> = mappings.iter().filter_map(CertUserMapping::name).collect();
        problems.extend(assignments.iter().filter_map(|assignment| unknown_rule(&names, assignment)));
        for entry in host.bundle().entries() {
            let certificate = entry.certificate();
            let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
            // Pins only, so exact rules only: no anchor vouches for a certificate yet.
            if let Lookup::Ambiguous(rules) = table.exact(fingerprint, key, &mut NoTrace) {
                let users = rules.map(|rule| rule.user);
                problems.push(Problem::AmbiguousCertificate { certificate: fingerprint, users });
            }
        }
        PolicyError::check(problems)?;

        let roles = RoleTable::new(&assignments);
        Ok(Policy {
            digest: PolicyDigest::of(&super::digest::canonical_form(&host, &table, &roles)),
            trust: TrustState::new(host.bundle()),
            host,
            table,
            roles,
        })
    }
}

/// A rule under a CA that the host's bundle does not have as an anchor.
fn unknown_anchor(host: &Host, selector: &Selector) -> Option<Problem> {
    let anchor = selector.ca()?.anchor();
    let bundle = host.bundle();
    let near = match bundle.find(&anchor).map(Entry::kind) {
        Some(EntryKind::Anchor) => return None,
        Some(EntryKind::Pin) => Some(NearAnchor::Pin),
        None => {
            let anchors = bundle.entries().filter(|entry| entry.kind() == EntryKind::Anchor);
            let mut near =
                anchors.map(|entry| entry.certificate().fingerprint()).filter(|other| nearly(&anchor, other));
            near.next().map(NearAnchor::Anchor)
        }
    };
    let (host, bundle) = (host.id().clone(), bundle.name().clone());
    Some(Problem::UnknownAnchor { selector: selector.clone(), anchor, host, bundle, near })
}

/// True if a few octets differ: a typing error, since no two certificates have fingerprints that alike.
fn nearly(one: &Fingerprint, other: &Fingerprint) -> bool {
    one.as_bytes().iter().zip(other.as_bytes()).filter(|(one, other)| one != other).count() <= 4
}

/// A role for whom a rule names, if there is no such rule.
fn unknown_rule(names: &BTreeSet<&RuleName>, assignment: &RoleAssignment) -> Option<Problem> {
    let Holder::Rule(rule) = assignment.holder() else { return None };
    if names.contains(rule) {
        return None;
    }
    let near = names.iter().find(|name| name.as_str().eq_ignore_ascii_case(rule.as_str()));
    let near = near.map(|name| RuleName::clone(name));
    Some(Problem::UnknownRule { role: assignment.role().clone(), rule: rule.clone(), near })
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self::new()
    }
}
