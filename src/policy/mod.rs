//! The policy: trust, rules and roles, checked together, immutable.
//!
//! Knows no connection and makes no decision. Its canonical form, and the digest of that, belong to no file format.

mod builder;
mod digest;
mod handle;
mod host;
mod problem;
mod roles;

use core::fmt;

pub use builder::PolicyBuilder;
pub use digest::PolicyDigest;
pub use handle::PolicyHandle;
pub use host::{Authority, Host, HostId};
pub use problem::{NearAnchor, PolicyError, Problem};

use roles::RoleTable;
pub(crate) use roles::Standing;

use crate::map::{MappingTable, Matched};
use crate::strength::Strength;
use crate::trust::TrustState;

/// Who is trusted, who they are and what they may do: everything a decision depends on, checked and immutable.
///
/// Made by a [`PolicyBuilder`], put in force by a [`PolicyHandle`]. A changed policy is a new policy.
pub struct Policy {
    host: Host,
    trust: TrustState,
    table: MappingTable,
    roles: RoleTable,
    digest: PolicyDigest,
}

impl Policy {
    /// The host whose connections this policy decides.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The digest of the [canonical form](Self::canonical_form); it stands in every record, and equal digests decide
    /// alike.
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// How many mapping rules it has.
    #[must_use]
    pub fn mapping_count(&self) -> usize {
        self.table.len()
    }

    /// The policy as sorted lines of text, the same for every way to write it down. For people and for comparing, not a
    /// file format.
    #[must_use]
    pub fn canonical_form(&self) -> String {
        digest::canonical_form(&self.host, &self.table, &self.roles)
    }

    /// The roles of whom a rule matched, known so strongly.
    pub(crate) fn standing(&self, matched: &Matched, strength: Strength) -> Standing {
        self.roles.standing(matched, strength)
    }

    pub(crate) fn trust(&self) -> &TrustState {
        &self.trust
    }

    pub(crate) fn table(&self) -> &MappingTable {
        &self.table
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, trust: _, table, roles, digest } = self;
        write!(f, "Policy({host:?}, {} mappings, {} holders of roles, {digest})", table.len(), roles.len())
    }
}
