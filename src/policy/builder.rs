//! Putting a policy together, and finding all that is wrong with it.

use core::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use super::answer::PinAnswers;
use super::roles::RoleTable;
use super::{ClientAuth, Host, HostTable, NearAnchor, Policy, PolicyDigest, PolicyError, Problem, Rules};
use crate::cert::{Certificate, Fingerprint, Hashing};
use crate::limits::REMEMBERED_PATHS;
use crate::map::{CertUserMapping, Lookup, MappingTable, RuleName, Selector};
use crate::provider;
use crate::role::{Holder, Role, RoleAssignment};
use crate::trace::NoTrace;
use crate::trust::{
    Algorithms, Denial, DenyList, Entry, EntryKind, Revocation, RevocationState, TrustBundle, TrustError, TrustIndex,
    TrustState,
};
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
/// assert_eq!(policy.hosts().next().map(|host| host.bundle().len()), Some(1));
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
    /// INVARIANT: not empty. The first one is the one for partners.
    hosts: Vec<Host>,
    mappings: Vec<CertUserMapping>,
    assignments: Vec<RoleAssignment>,
    revocation: Revocation,
    denials: Vec<Denial>,
    disabled: BTreeSet<UserName>,
    remembered: usize,
    partners: Vec<(UserName, Certificate)>,
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
        Self {
            hosts: vec![host],
            mappings: Vec::new(),
            assignments: Vec::new(),
            revocation: Revocation::new(),
            denials: Vec::new(),
            disabled: BTreeSet::new(),
            remembered: REMEMBERED_PATHS,
            partners: Vec::new(),
        }
    }

    /// Adds another host. Rules, roles and denials are for all hosts; whom each trusts says its own bundle.
    pub fn host(mut self, host: Host) -> Self {
        self.hosts.push(host);
        self
    }

    /// A partner in one line: pins its certificate to the bundle of the first host (and of every other host that has the
    /// same bundle), maps it to `user`, and gives `user` the roles.
    ///
    /// Called again with a renewed certificate it adds that one to the same user.
    pub fn partner(mut self, user: UserName, certificate: Certificate, roles: impl IntoIterator<Item = Role>) -> Self {
        let fingerprint = certificate.fingerprint();
        self.assignments.extend(roles.into_iter().map(|role| RoleAssignment::new(user.clone(), role)));
        self.partners.push((user.clone(), certificate));
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

    /// Gives the revocation lists of the CAs; they replace those given before.
    pub fn revocation(self, revocation: Revocation) -> Self {
        Self { revocation, ..self }
    }

    /// Refuses a certificate whatever vouches for it, pins and exceptions included.
    pub fn denial(mut self, denial: Denial) -> Self {
        self.denials.push(denial);
        self
    }

    /// Refuses certificates whatever vouches for them.
    pub fn denials(mut self, denials: impl IntoIterator<Item = Denial>) -> Self {
        self.denials.extend(denials);
        self
    }

    /// Refuses a user, by whatever certificate and rule it comes.
    pub fn disabled_user(mut self, user: UserName) -> Self {
        self.disabled.insert(user);
        self
    }

    /// Says how many valid paths to the anchors of a bundle are remembered between decisions, and for how many certificates
    /// what the rules said; 0 remembers nothing. Without further words [`REMEMBERED_PATHS`]. It changes no decision.
    pub fn remembered_paths(self, paths: usize) -> Self {
        Self { remembered: paths, ..self }
    }

    /// Checks everything together.
    ///
    /// # Errors
    /// [`PolicyError`] with every [`Problem`] that can be told. What follows from another one may show only when that is mended:
    /// what hosts share by which of two has an id, and which certificates rules contradict each other about.
    pub fn build(self) -> Result<Policy, PolicyError> {
        match provider::default() {
            Ok(provider) => self.build_with_provider(&provider),
            Err(cause) => Err(PolicyError::of([Problem::NoProvider(cause)].into_iter())),
        }
    }

    /// As [`build`](Self::build), with the crypto provider that verifies signatures of certificates.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_with_provider(self, provider: &CryptoProvider) -> Result<Policy, PolicyError> {
        let Self { mut hosts, mappings, assignments, revocation, denials, disabled, remembered, partners } = self;
        let mut problems = pin(&partners, &mut hosts);
        // A bundle that is empty because a partner could not be pinned has that problem, not this one too.
        let unpinned = !problems.is_empty();
        problems.extend(super::hosts::problems(&hosts));
        let empty = |host: &&Host| host.bundle().is_empty() && host.client_auth() != ClientAuth::None && !unpinned;
        problems.extend(
            hosts
                .iter()
                .filter(empty)
                .map(|host| Problem::EmptyBundle { host: host.id().clone(), bundle: host.bundle().name().clone() }),
        );

        let algorithms = Algorithms::new(&provider.signature_verification_algorithms);
        let deny = Arc::new(DenyList::new(denials));
        let mut indexes = BTreeMap::new();
        for host in &hosts {
            let bundle = host.bundle();
            let index = || Arc::new(TrustIndex::new(bundle, Arc::clone(&deny), algorithms));
            let index = indexes.entry(bundle.name().clone()).or_insert_with(index);
            problems.extend(index.unverifiable(bundle).map(|entry| Problem::UnverifiableKey {
                host: host.id().clone(),
                bundle: bundle.name().clone(),
                certificate: entry.certificate().fingerprint(),
                key: entry.certificate().key_type().clone(),
            }));
        }
        let anchors = indexes.values().flat_map(|index| index.anchors());
        let revocation = RevocationState::new(&revocation, anchors, algorithms).unwrap_or_else(|errors| {
            problems.extend(errors.into_iter().map(Problem::Revocation));
            RevocationState::default()
        });

        let (table, rule_problems) = MappingTable::new(&mappings);
        problems.extend(rule_problems.into_iter().map(Problem::Rules));
        problems.extend(mappings.iter().filter_map(|mapping| unknown_anchor(&hosts, mapping.selector())));
        let names: BTreeSet<&RuleName> = mappings.iter().filter_map(CertUserMapping::name).collect();
        // Made only if there is one to guess at: a rule that is the same but for the case.
        let folded = LazyCell::new(|| {
            let folded = names.iter().rev().map(|name| (name.as_str().to_ascii_lowercase(), *name));
            folded.collect::<BTreeMap<_, _>>()
        });
        let near = |rule: &RuleName| folded.get(&rule.as_str().to_ascii_lowercase()).map(|name| RuleName::clone(name));
        problems.extend(assignments.iter().filter_map(|assignment| unknown_rule(&names, near, assignment)));
        let bundled = hosts.iter().map(Host::bundle).filter_map(|bundle| Some((bundle, indexes.get(bundle.name())?)));
        let ambiguous = bundled.flat_map(|(bundle, index)| {
            bundle.entries().filter_map(|entry| ambiguous(&table, index, entry.certificate()))
        });
        problems.extend(ambiguous.collect::<BTreeMap<_, _>>().into_values());
        PolicyError::check(problems)?;

        let rules = Rules { table: table.remembering(remembered), roles: RoleTable::new(&assignments), disabled };
        let revocation = Arc::new(revocation);
        let trust = indexes.into_iter().map(|(name, index)| {
            let answers = Arc::new(PinAnswers::new(&index, &rules));
            (name, (Arc::new(TrustState::new(index, Arc::clone(&revocation), remembered)), answers))
        });
        let hosts = HostTable::new(&hosts, &trust.collect());
        let beginning = super::digest::write_beginning(Hashing::new(), &hosts, &deny, &rules);
        Ok(Policy {
            digest: PolicyDigest::of(&beginning, &revocation),
            hosts,
            deny,
            revocation,
            algorithms,
            rules: Arc::new(rules),
            beginning,
        })
    }
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Pins the partners to the bundle of the first host, wherever else it is.
fn pin(partners: &[(UserName, Certificate)], hosts: &mut [Host]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let first = hosts.first().map(|host| host.bundle().name().clone());
    for (user, certificate) in partners {
        for host in hosts.iter_mut().filter(|host| Some(host.bundle().name()) == first.as_ref()) {
            match host.bundle_mut().add_pin(certificate.clone()) {
                Ok(_) | Err(TrustError::Duplicate { kind: EntryKind::Pin, .. }) => {}
                Err(cause) => problems.push(Problem::Partner { user: user.clone(), cause }),
            }
        }
    }
    problems
}

/// Two rules that name different users for a certificate of a bundle.
///
/// Exact rules can always be told; rules over names where an anchor of the bundle issued the certificate itself, because what
/// stands between the two is known to the peer only. A decision about a pin asks names only where no exact rule is; but
/// that a rule over names says otherwise is a contradiction, unless the exact rule is declared an exception.
fn ambiguous(table: &MappingTable, index: &TrustIndex, certificate: &Certificate) -> Option<(Fingerprint, Problem)> {
    let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
    let path = if table.has_rules_under_anchors() { index.direct_path(certificate) } else { None };
    let lookup = match path {
        Some(path) => table.under(certificate, path.vouchers(), &mut NoTrace),
        None => table.exact(fingerprint, key, &mut NoTrace),
    };
    let Lookup::Ambiguous([one, other]) = lookup else { return None };
    let rules = [one.rule.to_string(), other.rule.to_string()];
    let users = [one.user, other.user];
    Some((fingerprint, Problem::AmbiguousCertificate { certificate: fingerprint, users, rules }))
}

/// A rule under a CA that no host's bundle has as an anchor.
fn unknown_anchor(hosts: &[Host], selector: &Selector) -> Option<Problem> {
    let anchor = selector.ca()?.anchor();
    let kinds: Vec<_> = hosts.iter().filter_map(|host| host.bundle().find(&anchor).map(Entry::kind)).collect();
    if kinds.contains(&EntryKind::Anchor) {
        return None;
    }
    let near = if kinds.is_empty() {
        let entries = hosts.iter().flat_map(|host| host.bundle().entries());
        let anchors = entries.filter(|entry| entry.kind() == EntryKind::Anchor);
        let mut near = anchors.map(|entry| entry.certificate().fingerprint()).filter(|other| nearly(&anchor, other));
        near.next().map(NearAnchor::Anchor)
    } else {
        Some(NearAnchor::Pin)
    };
    Some(Problem::UnknownAnchor { selector: selector.clone(), anchor, near })
}

/// True if a few octets differ: a typing error, since no two certificates have fingerprints that alike.
fn nearly(one: &Fingerprint, other: &Fingerprint) -> bool {
    one.as_bytes().iter().zip(other.as_bytes()).filter(|(one, other)| one != other).count() <= 4
}

/// A role for whom a rule names, if there is no such rule.
fn unknown_rule(
    names: &BTreeSet<&RuleName>,
    near: impl Fn(&RuleName) -> Option<RuleName>,
    assignment: &RoleAssignment,
) -> Option<Problem> {
    let Holder::Rule(rule) = assignment.holder() else { return None };
    if names.contains(rule) {
        return None;
    }
    Some(Problem::UnknownRule { role: assignment.role().clone(), rule: rule.clone(), near: near(rule) })
}
