//! (private) What is odd about revocation lists.

use super::lint::Lint;
use super::{FindingCode, Place};
use crate::cert::{Certificate, Standing, show};
use crate::trust::{EntryKind, TrustBundle};

impl<'a> Lint<'a> {
    pub(super) fn lists(&mut self) {
        let grace = self.parts.revocation.grace();
        if !grace.is_zero() {
            self.find(
                FindingCode::StaleListGrace,
                Place::Policy,
                format!("revocation lists are believed for {} s after their end", grace.as_secs()),
                "fetch lists in time, and take the grace back",
            );
        }
        let anchors = self.all_entries().filter(|(_, entry)| entry.kind() == EntryKind::Anchor);
        let mut anchors: Vec<_> = anchors.map(|(bundle, anchor)| (bundle, anchor.certificate())).collect();
        let certificates = |of: &[(&'a TrustBundle, &'a Certificate)]| of.iter().map(|one| one.1).collect::<Vec<_>>();
        // Two CAs can have one key; more often one CA has two spellings.
        for (list, anchor) in self.parts.lists_under_other_names(&certificates(&anchors)) {
            let (issuer, anchor) = (list.issuer(), anchor.subject());
            self.find(
                FindingCode::ListOfOtherName,
                Place::List(list.fingerprint()),
                format!("it is of `{issuer}`, and signed by the key of the anchor `{anchor}`: of what that issued it revokes nothing"),
                format!("if that is one CA, ask for a list that bears the name of its certificate, and until then deny what it revokes by serial number of `{anchor}`"),
            );
        }
        let no_anchors = !self.has_anchors();
        // One whose validity has ended admits nobody anyway, and a CA that renewed its key signs with the new one.
        anchors.retain(|(_, anchor)| anchor.validity().standing(self.now) != Standing::Late);
        self.without_list(&anchors);
        for list in self.parts.newest_lists(&certificates(&anchors)).into_values() {
            let issuer = list.issuer();
            let place = || Place::List(list.fingerprint());
            let (made, end) = (list.this_update().as_secs(), list.next_update());
            let left = end.as_secs().saturating_sub(self.now.as_secs());
            let fetch = || format!("fetch the current list of `{issuer}`");
            if no_anchors {
                self.find(
                    FindingCode::ListConcernsNobody,
                    place(),
                    format!("it is of `{issuer}`, and there is no anchor at all: pins are not revoked"),
                    "take it out, or add the CA as an anchor",
                );
            } else if end < self.now {
                let sentence = format!("it was to be replaced until {}", show(end));
                self.find(FindingCode::ListStale, place(), sentence, fetch());
            } else if end <= self.until && left < end.as_secs().saturating_sub(made) / 4 {
                let sentence = format!("three quarters of its time are over, and it ends at {}", show(end));
                self.find(FindingCode::ListEndsSoon, place(), sentence, fetch());
            }
        }
    }

    fn without_list(&mut self, anchors: &[(&'a TrustBundle, &'a Certificate)]) {
        for (bundle, certificate) in anchors {
            if self.parts.lists_are_of_others(certificate) {
                self.find(
                    FindingCode::AnchorWithoutList,
                    Place::Entry { bundle: bundle.name().clone(), certificate: certificate.fingerprint() },
                    "there are revocation lists of its name, and its key signed none of them, so nobody below it is admitted",
                    "fetch the list that it signs itself, or take it out if the CA has a new key",
                );
            }
        }
    }
}
