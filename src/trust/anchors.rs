//! (private) Anchors: what path validation makes of one, and those of a bundle found by name, so that what a search costs
//! does not grow with their number.

use std::collections::HashMap;

use rustls::pki_types::TrustAnchor;

use super::{Entry, EntryKind};
use crate::cert::{Certificate, SpkiFingerprint};
use crate::limits::ANCHOR_KEYS_PER_NAME;
use crate::table::Table;

/// Name, key and name constraints of an anchor: all that webpki looks at.
pub(super) fn trust_anchor(certificate: &Certificate) -> Result<TrustAnchor<'static>, String> {
    let der = certificate.der();
    let anchor = webpki::anchor_from_trusted_cert(&der);
    anchor.map(|anchor| anchor.to_owned()).map_err(|error| format!("{error:?}"))
}

/// The public keys of the anchors of each name, so that there are not too many: a search verifies signatures for each.
#[derive(Clone, Default)]
pub(super) struct AnchorKeys(HashMap<Box<[u8]>, Vec<SpkiFingerprint>>);

impl AnchorKeys {
    /// False if it is an anchor with one key more than its name may have. Pins are passed over.
    #[must_use]
    pub(super) fn note(&mut self, entry: &Entry) -> bool {
        if entry.kind() != EntryKind::Anchor {
            return true;
        }
        let certificate = entry.certificate();
        let (key, keys) = (certificate.spki_fingerprint(), self.0.entry(certificate.subject_der().into()).or_default());
        if keys.contains(&key) {
            return true;
        }
        let fits = keys.len() < ANCHOR_KEYS_PER_NAME;
        if fits {
            keys.push(key);
        }
        fits
    }
}

/// Anchors by the bytes of their subject.
#[derive(Debug, Default)]
pub(super) struct AnchorIndex(Table<Box<[u8]>, Vec<AnchorGroup>>);

/// Anchors that are one to path validation: of one name, one key and the same name constraints. A CA that renewed its
/// certificate on one key has two members here.
#[derive(Debug)]
pub(super) struct AnchorGroup {
    pub(super) anchor: TrustAnchor<'static>,
    /// Sorted by fingerprint; never empty.
    pub(super) members: Vec<Certificate>,
}

impl AnchorIndex {
    /// Pins are no anchors, and are passed over.
    pub(super) fn new<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut index = Self::default();
        for entry in entries {
            let (certificate, Some(anchor)) = (entry.certificate(), entry.trust_anchor()) else { continue };
            let named = index.0.entry(certificate.subject_der().into()).or_default();
            match named.iter_mut().find(|group| group.anchor == *anchor) {
                Some(group) => group.members.push(certificate.clone()),
                None => named.push(AnchorGroup { anchor: anchor.clone(), members: vec![certificate.clone()] }),
            }
        }
        // The order in which anchors were added must not show in any answer.
        for groups in index.0.values_mut() {
            for group in groups.iter_mut() {
                group.members.sort_unstable_by_key(Certificate::fingerprint);
            }
            groups.sort_unstable_by_key(|group| group.members.first().map(Certificate::fingerprint));
        }
        index
    }

    pub(super) fn named(&self, subject: &[u8]) -> &[AnchorGroup] {
        self.0.get(subject).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.0.values().flatten().flat_map(|group| &group.members)
    }
}
