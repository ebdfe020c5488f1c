//! (private) Whose revocation lists are whose: they bear a name, which several CAs can have in common.

use std::collections::BTreeMap;

use crate::cert::{AlikeName, Certificate, Fingerprint, RevocationList};
use crate::policy::Parts;

/// The revocation lists of a policy, by issuer in any spelling.
pub(super) struct Lists<'a>(BTreeMap<AlikeName, Vec<&'a RevocationList>>);

impl<'a> Lists<'a> {
    pub(super) fn of(parts: &Parts<'a>) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for list in parts.revocation.lists() {
            by_name.entry(list.issuer().alike()).or_default().push(list);
        }
        Self(by_name)
    }

    /// True if there are lists of the name of this anchor and it signed none of them: nobody below it is admitted, because a list
    /// is due.
    pub(super) fn are_all_of_others(&self, anchor: &Certificate, parts: &Parts<'_>) -> bool {
        self.0.contains_key(anchor.alike_subject()) && parts.newest_list(anchor).is_none()
    }

    /// The newest list of each CA, which is the one that counts: of each of these anchors, and of every name that none of them has.
    pub(super) fn newest(&self, anchors: &[&Certificate], parts: &Parts<'a>) -> Vec<&'a RevocationList> {
        let mut by_name: BTreeMap<&AlikeName, Vec<&Certificate>> = BTreeMap::new();
        for anchor in anchors {
            by_name.entry(anchor.alike_subject()).or_default().push(anchor);
        }
        let mut newest: BTreeMap<Fingerprint, &RevocationList> = BTreeMap::new();
        for (name, lists) in &self.0 {
            let found: Vec<_> = match by_name.get(name) {
                None => lists.iter().copied().max_by_key(|list| list.next_update()).into_iter().collect(),
                Some(anchors) => anchors.iter().filter_map(|anchor| Some(parts.newest_list(anchor)?.0)).collect(),
            };
            newest.extend(found.into_iter().map(|list| (list.fingerprint(), list)));
        }
        newest.into_values().collect()
    }
}
