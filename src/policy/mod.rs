//! The policy: trust, rules and roles, checked together, immutable.
//!
//! Knows no connection and makes no decision. Its canonical form, and the digest of that, belong to no file format.

mod answer;
mod builder;
mod digest;
mod handle;
mod host;
mod host_name;
mod hosts;
mod parts;
mod problem;
mod roles;

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use answer::Answer;
pub use builder::PolicyBuilder;
pub use digest::PolicyDigest;
pub use handle::{Guard, Overtaken, PolicyHandle, Tripped};
pub use host::{ClientAuth, Hints, Host, HostId, ListenerName, UntrustedClients};
pub use host_name::{Authority, HostName, InvalidHostName};
pub(crate) use hosts::{HostState, HostTable};
pub use problem::{NearAnchor, PolicyError, Problem};

pub(crate) use parts::Parts;
use roles::RoleTable;
pub(crate) use roles::Standing;

use crate::cert::{Fingerprint, Hashing};
use crate::map::{self, CertUserMapping, MappingTable, Matched};
use crate::role::RoleAssignment;
use crate::strength::Strength;
use crate::trust::{Algorithms, Denial, DenyList, Revocation, RevocationState};
use crate::user::UserName;

/// Who is trusted, who they are and what they may do: everything a decision depends on, checked and immutable.
///
/// Made by a [`PolicyBuilder`], put in force by a [`PolicyHandle`]. A changed policy is a new policy.
pub struct Policy {
    hosts: HostTable,
    deny: Arc<DenyList>,
    revocation: Arc<RevocationState>,
    algorithms: Algorithms,
    rules: Arc<Rules>,
    /// The digest of the canonical form up to the revocation lists.
    beginning: Hashing,
    digest: PolicyDigest,
}

/// Who is who, and who may what.
#[derive(Debug, Default)]
struct Rules {
    table: MappingTable,
    roles: RoleTable,
    disabled: BTreeSet<UserName>,
}

/// What decides: two policies of one edition decide alike. The digest does not say whose signatures can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edition {
    digest: PolicyDigest,
    algorithms: Algorithms,
}

impl Policy {
    /// The hosts whose connections this policy decides, sorted by id; at least one.
    #[must_use]
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &Host> {
        self.hosts.iter().map(HostState::host)
    }

    /// The host of this id.
    #[must_use]
    pub fn host(&self, id: &HostId) -> Option<&Host> {
        self.hosts.get(id).map(HostState::host)
    }

    pub(crate) fn host_table(&self) -> &HostTable {
        &self.hosts
    }

    /// The digest of the [canonical form](Self::canonical_form); it stands in every record, and equal digests decide
    /// alike where the same crypto provider verifies signatures (ring verifies none of P-521).
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// What decides.
    pub(crate) fn edition(&self) -> Edition {
        Edition { digest: self.digest, algorithms: self.algorithms }
    }

    /// How many mapping rules it has.
    #[must_use]
    pub fn mapping_count(&self) -> usize {
        self.rules.table.len()
    }

    /// Its mapping rules, sorted by selector; a rule that was given several names is there once for each.
    #[must_use]
    pub fn mappings(&self) -> Vec<CertUserMapping> {
        let mut rules: Vec<_> = self.rules.table.rules().collect();
        rules.sort_unstable_by_key(|rule| rule.selector);
        rules.iter().flat_map(map::Rule::mappings).collect()
    }

    /// Who has which role, sorted; an assignment that another one makes needless is not there.
    #[must_use]
    pub fn assignments(&self) -> Vec<RoleAssignment> {
        let assignments = self.rules.roles.assignments().into_iter();
        assignments
            .map(|(holder, role, least, enforcement)| {
                RoleAssignment::to(holder.clone(), role.clone()).at_least(least).with_enforcement(enforcement)
            })
            .collect()
    }

    /// What is refused whatever vouches for it, in the order of its text.
    #[must_use]
    pub fn denials(&self) -> Vec<&Denial> {
        self.deny.denials().collect()
    }

    /// The users who are refused by whatever certificate they come, sorted.
    #[must_use]
    pub fn disabled_users(&self) -> impl ExactSizeIterator<Item = &UserName> {
        self.rules.disabled.iter()
    }

    /// The revocation lists and how they are taken; the lists in the order of their fingerprints, each once.
    #[must_use]
    pub fn revocation(&self) -> Revocation {
        let lists: BTreeMap<_, _> = self.revocation.lists().map(|list| (list.fingerprint(), list)).collect();
        let mut revocation = Revocation::new().danger_accept_stale_lists(self.revocation.grace());
        for list in lists.into_values() {
            revocation.add(list.clone());
        }
        revocation
    }

    /// The same policy with other revocation lists: everything else is shared, so this is quick however large it is.
    ///
    /// The lists of before are gone; give all of them that shall count.
    ///
    /// # Errors
    /// [`PolicyError`] with every list that an anchor should have signed and did not, or may not sign, or that nobody can
    /// verify.
    pub fn with_revocation(&self, revocation: &Revocation) -> Result<Self, PolicyError> {
        let anchors = self.hosts.iter().flat_map(|state| state.trust().index().anchors());
        let state = RevocationState::new(revocation, anchors, self.algorithms);
        let revocation = state.map_err(|errors| PolicyError::of(errors.into_iter().map(Problem::Revocation)))?;
        let digest = PolicyDigest::of(&self.beginning, &revocation);
        let revocation = Arc::new(revocation);
        Ok(Self {
            hosts: self.hosts.with_revocation(&revocation),
            deny: Arc::clone(&self.deny),
            revocation,
            algorithms: self.algorithms,
            digest,
            rules: Arc::clone(&self.rules),
            beginning: self.beginning.clone(),
        })
    }

    /// The policy as sorted lines of text, the same for every way to write it down. For people and for comparing, not a
    /// file format.
    #[must_use]
    pub fn canonical_form(&self) -> String {
        let beginning = digest::write_beginning(String::new(), &self.hosts, &self.deny, &self.rules);
        beginning + &digest::revocation_lines(&self.revocation)
    }

    /// Who it is that a rule matched, and what it may, believed so strongly; the user itself if it is disabled.
    pub(crate) fn answer(
        &self,
        matched: Matched,
        certificate: Fingerprint,
        believed: Strength,
    ) -> Result<Answer, UserName> {
        self.rules.answer(matched, certificate, believed)
    }

    pub(crate) fn table(&self) -> &MappingTable {
        &self.rules.table
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, deny: _, revocation: _, algorithms: _, rules, beginning: _, digest } = self;
        let (hosts, mappings, holders) = (hosts.iter().len(), rules.table.len(), rules.roles.len());
        write!(f, "Policy({hosts} hosts, {mappings} mappings, {holders} holders of roles, {digest})")
    }
}
