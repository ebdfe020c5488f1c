//! (private) What a policy is made of, for whoever reviews it.

use std::collections::{BTreeMap, BTreeSet};

use rustls::pki_types::UnixTime;

use super::{HostTable, Policy};
use crate::cert::{Certificate, Fingerprint, RevocationList};
use crate::map::MappingTable;
use crate::role::{Enforcement, Holder, Role};
use crate::strength::Strength;
use crate::trust::{Denial, RevocationState};
use crate::user::UserName;

/// Everything that a decision depends on, as it was put in.
pub(crate) struct Parts<'a> {
    policy: &'a Policy,
    pub(crate) hosts: &'a HostTable,
    pub(crate) rules: &'a MappingTable,
    /// Holder, role, strength, enforcement.
    pub(crate) assignments: BTreeSet<(&'a Holder, &'a Role, Strength, Enforcement)>,
    pub(crate) denials: Vec<&'a Denial>,
    pub(crate) disabled: &'a BTreeSet<UserName>,
    pub(crate) revocation: &'a RevocationState,
}

impl Policy {
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            policy: self,
            hosts: &self.hosts,
            rules: &self.rules.table,
            assignments: self.rules.roles.assignments(),
            denials: self.denials(),
            disabled: &self.rules.disabled,
            revocation: &self.revocation,
        }
    }
}

impl<'a> Parts<'a> {
    /// The newest revocation list of this anchor, and the last second in which it is believed.
    pub(crate) fn newest_list(&self, anchor: &Certificate) -> Option<(&'a RevocationList, UnixTime)> {
        self.revocation.newest_of(anchor, self.policy.algorithms)
    }

    /// The newest revocation list of each of these anchors, and of every name that none of them has.
    pub(crate) fn newest_lists(&self, anchors: &[&Certificate]) -> BTreeMap<Fingerprint, &'a RevocationList> {
        let newest = self.revocation.newest(anchors, self.policy.algorithms);
        newest.map(|list| (list.fingerprint(), list)).collect()
    }

    /// True if there are lists of the name of this anchor and it signed none of them: nobody below it is admitted, because a list is
    /// due.
    pub(crate) fn lists_are_of_others(&self, anchor: &Certificate) -> bool {
        self.revocation.has_list_named(anchor) && self.newest_list(anchor).is_none()
    }

    /// Revocation lists that are signed by the key of one of these anchors and bear the name of none, and by which.
    pub(crate) fn lists_under_other_names(
        &self,
        anchors: &[&'a Certificate],
    ) -> Vec<(&'a RevocationList, &'a Certificate)> {
        self.revocation.under_other_names(anchors, self.policy.algorithms)
    }
}
