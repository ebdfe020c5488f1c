//! Whom we trust: bundles of pins and anchors, and the one judgement over a presented chain.
//!
//! Pins and anchors are two stores: a pin is one exact certificate and never vouches for another. Nothing but this
//! module makes a `VerifiedCertificate`. Knows no users and no roles. RFC 5280, section 6.

mod anchors;
mod cache;
mod chain;
mod deny;
mod distrust;
mod entry;
mod index;
mod judge;
mod member;
mod path;
mod path_failure;
mod revocation;
mod signatures;
mod verified;

use core::fmt;
use std::collections::HashMap;

use rustls::pki_types::UnixTime;

pub use deny::Denial;
pub use distrust::Untrusted;
pub use entry::{ClientPurpose, Entry, EntryKind, InvalidAnchor};
pub use path_failure::{PathFailure, PathMember, PathPlace, UnknownStatus};
pub use revocation::{Revocation, RevocationError};

pub(crate) use deny::DenyList;
pub(crate) use distrust::Distrust;
pub(crate) use index::{PinPlace, TrustIndex};
pub(crate) use judge::TrustState;
pub(crate) use revocation::RevocationState;
pub(crate) use signatures::Algorithms;
pub(crate) use verified::{ValidPath, VerifiedCertificate};

use anchors::AnchorKeys;

use crate::cert::{Certificate, DistinguishedName, Fingerprint, InvalidCertificate, SerialNumber, UnfitKey, Validity};
use crate::label::label;
use crate::limits::{ANCHOR_KEYS_PER_NAME, BUNDLE_ENTRIES};

label! {
    /// The name of a trust bundle.
    ///
    /// ```
    /// assert!("partners-2026".parse::<certmap::BundleName>().is_ok());
    /// assert!("a/b".parse::<certmap::BundleName>().is_err());
    /// ```
    BundleName, "bundle name"
}

label! {
    /// A short name for an entry of a bundle, for people.
    Alias, "alias"
}

/// A named, bounded set of trusted certificates: pins and anchors, side by side and never mixed.
///
/// For a server it holds whom it lets in, for a client which servers it believes. The limit is 150 entries, as SAP's
/// `add-ca` has it, or what [`with_limit`](Self::with_limit) says.
///
/// An empty bundle trusts nobody.
///
/// ```
/// use certmap::{Certificate, TrustBundle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// let mut partners = TrustBundle::new("partners".parse()?);
/// let fingerprint = partners.add_pin(certificate.clone())?;
/// assert!(partners.find(&fingerprint).is_some());
/// // The same certificate is no CA, so it cannot be an anchor.
/// assert!(TrustBundle::new("cas".parse()?).add_anchor(certificate).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TrustBundle {
    name: BundleName,
    limit: usize,
    /// In the order in which they were added.
    entries: Vec<Entry>,
    /// Where in `entries` each certificate is.
    index: HashMap<Fingerprint, usize>,
    anchor_keys: AnchorKeys,
    purpose: ClientPurpose,
    pin_purpose: Option<ClientPurpose>,
    path_length: Option<u32>,
}

impl TrustBundle {
    /// An empty bundle with room for 150 certificates.
    #[must_use]
    pub fn new(name: BundleName) -> Self {
        Self::with_limit(name, BUNDLE_ENTRIES)
    }

    /// An empty bundle with room for `limit` certificates.
    #[must_use]
    pub fn with_limit(name: BundleName, limit: usize) -> Self {
        Self {
            name,
            limit,
            entries: Vec::new(),
            index: HashMap::new(),
            anchor_keys: AnchorKeys::default(),
            purpose: ClientPurpose::default(),
            pin_purpose: None,
            path_length: None,
        }
    }

    /// Says what the extended key usage of clients below the anchors must be; without further words, where it is present
    /// it includes client authentication. Only servers ask.
    #[must_use]
    pub fn with_purpose(self, purpose: ClientPurpose) -> Self {
        Self { purpose, ..self }
    }

    /// Says what the extended key usage of pinned clients must be; without further words it does not matter, because
    /// nothing is concluded from a pin. Only servers ask.
    #[must_use]
    pub fn with_pin_purpose(self, purpose: ClientPurpose) -> Self {
        Self { pin_purpose: Some(purpose), ..self }
    }

    /// Says how many intermediates may stand between an anchor and a client, as if every anchor said so itself
    /// (`pathLenConstraint`; RFC 5280, section 4.2.1.9); without further words, what each anchor says. 0 believes only
    /// what anchors issued themselves. Only servers ask.
    #[must_use]
    pub fn with_path_length(self, most: u32) -> Self {
        Self { path_length: Some(most), ..self }
    }

    /// What the extended key usage of clients below the anchors must be.
    #[must_use]
    pub fn purpose(&self) -> ClientPurpose {
        self.purpose
    }

    /// What the extended key usage of pinned clients must be; `None` if it does not matter.
    #[must_use]
    pub fn pin_purpose(&self) -> Option<ClientPurpose> {
        self.pin_purpose
    }

    /// How many intermediates may stand between an anchor and a client, whatever the anchor says.
    #[must_use]
    pub fn path_length(&self) -> Option<u32> {
        self.path_length
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`TrustError::Duplicate`] if the certificate is there already, as whatever; [`TrustError::Full`] at the limit;
    /// [`TrustError::DuplicateAlias`] if another entry has its alias; [`TrustError::SameName`] if it is an anchor and
    /// [`ANCHOR_KEYS_PER_NAME`] others of its name have other keys.
    pub fn add(&mut self, entry: Entry) -> Result<Fingerprint, TrustError> {
        let fingerprint = entry.certificate().fingerprint();
        if let Some(present) = self.find(&fingerprint) {
            return Err(TrustError::Duplicate { fingerprint, kind: present.kind() });
        }
        if entry.kind() == EntryKind::Anchor && entry.own_server_names().is_some() {
            return Err(TrustError::NamesOnAnchor { fingerprint });
        }
        if let Some(alias) = entry.alias().filter(|alias| self.find_alias(alias).is_some()) {
            return Err(TrustError::DuplicateAlias { alias: alias.clone() });
        }
        if self.entries.len() >= self.limit {
            return Err(TrustError::Full { bundle: self.name.clone(), limit: self.limit });
        }
        if !self.anchor_keys.note(&entry) {
            return Err(TrustError::SameName { subject: entry.certificate().subject() });
        }
        self.index.insert(fingerprint, self.entries.len());
        self.entries.push(entry);
        Ok(fingerprint)
    }

    /// Adds one exact end-entity certificate: it will be believed, and no other for its sake.
    ///
    /// # Errors
    /// As [`add`](Self::add), and [`TrustError::UnfitKey`] if its key is too weak or of a type that cannot be verified.
    pub fn add_pin(&mut self, certificate: Certificate) -> Result<Fingerprint, TrustError> {
        self.add(Entry::pin(certificate)?)
    }

    /// Adds one public key, that of this certificate: every certificate that carries it will be believed within its
    /// validity, for partners who renew on one key.
    ///
    /// # Errors
    /// As [`add_pin`](Self::add_pin).
    pub fn add_key_pin(&mut self, certificate: Certificate) -> Result<Fingerprint, TrustError> {
        self.add(Entry::key_pin(certificate)?)
    }

    /// Adds a CA certificate: what it issued will be believed.
    ///
    /// # Errors
    /// As [`add_pin`](Self::add_pin), and [`TrustError::NotAnAnchor`] if it is no CA certificate in good shape.
    pub fn add_anchor(&mut self, certificate: Certificate) -> Result<Fingerprint, TrustError> {
        self.add(Entry::anchor(certificate)?)
    }

    /// Adds every certificate of a PEM or DER file as a pin: all of them or, if one cannot be added, none.
    ///
    /// # Errors
    /// As [`add_pin`](Self::add_pin), and [`TrustError::Unreadable`].
    pub fn add_pins_pem(&mut self, pem: &[u8]) -> Result<Vec<Fingerprint>, TrustError> {
        self.add_all(pem, Entry::pin)
    }

    /// Adds every certificate of a PEM or DER file as an anchor: all of them or, if one cannot be added, none.
    ///
    /// # Errors
    /// As [`add_anchor`](Self::add_anchor), and [`TrustError::Unreadable`].
    pub fn add_anchors_pem(&mut self, pem: &[u8]) -> Result<Vec<Fingerprint>, TrustError> {
        self.add_all(pem, Entry::anchor)
    }

    fn add_all(
        &mut self,
        pem: &[u8],
        entry: impl Fn(Certificate) -> Result<Entry, TrustError>,
    ) -> Result<Vec<Fingerprint>, TrustError> {
        let certificates = Certificate::all_from_pem(pem).map_err(TrustError::Unreadable)?;
        let mut next = self.clone();
        let added =
            certificates.into_iter().map(|certificate| next.add(entry(certificate)?)).collect::<Result<_, _>>()?;
        *self = next;
        Ok(added)
    }

    /// Takes out one certificate; `None` if it is not there.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Entry> {
        let removed = self.entries.remove(self.index.remove(fingerprint)?);
        self.reindex();
        Some(removed)
    }

    /// Takes out every certificate of this serial number; several CAs may have given the same.
    pub fn remove_serial(&mut self, serial: &SerialNumber) -> Vec<Entry> {
        self.remove_where(|entry| entry.certificate().serial() == serial)
    }

    /// Takes out every certificate whose validity ended before `now`.
    pub fn remove_expired(&mut self, now: UnixTime) -> Vec<Entry> {
        self.remove_where(|entry| entry.certificate().validity().standing(now) == crate::cert::Standing::Late)
    }

    fn remove_where(&mut self, condition: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (removed, kept) = core::mem::take(&mut self.entries).into_iter().partition(|entry| condition(entry));
        self.entries = kept;
        self.reindex();
        removed
    }

    fn reindex(&mut self) {
        let positions = self.entries.iter().enumerate();
        self.index = positions.map(|(at, entry)| (entry.certificate().fingerprint(), at)).collect();
        self.anchor_keys = AnchorKeys::default();
        // What was there before, and less of it, has room.
        for entry in &self.entries {
            let _ = self.anchor_keys.note(entry);
        }
    }

    /// The bundle's name.
    #[must_use]
    pub fn name(&self) -> &BundleName {
        &self.name
    }

    /// How many certificates it has room for.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many certificates it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if it trusts nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// True if both trust the same certificates in the same way, whatever else is different.
    pub(crate) fn trusts_the_same(&self, other: &Self) -> bool {
        let sorted = |bundle: &Self| -> Vec<_> {
            let mut entries: Vec<_> =
                bundle.entries.iter().map(|e| (e.certificate().fingerprint(), e.kind())).collect();
            entries.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
            entries
        };
        let options = |bundle: &Self| (bundle.purpose, bundle.pin_purpose, bundle.path_length);
        options(self) == options(other) && self.len() == other.len() && sorted(self) == sorted(other)
    }

    /// The entries, in the order in which they were added.
    #[must_use]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entry of one certificate.
    #[must_use]
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&Entry> {
        self.index.get(fingerprint).and_then(|at| self.entries.get(*at))
    }

    /// The entry of this alias.
    #[must_use]
    pub fn find_alias(&self, alias: &Alias) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.alias() == Some(alias))
    }

    /// All certificates as PEM, in order. What is a pin and what an anchor is not in it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.entries.iter().map(|entry| entry.certificate().to_pem()).collect()
    }
}

impl fmt::Debug for TrustBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, limit, entries, index: _, anchor_keys: _, purpose: _, pin_purpose: _, path_length: _ } = self;
        write!(f, "TrustBundle({name}, {} of {limit})", entries.len())
    }
}

/// A certificate could not be added to a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The certificate is in the bundle already.
    #[error("certificate {fingerprint} is in the bundle already, as {kind}")]
    Duplicate {
        /// The certificate.
        fingerprint: Fingerprint,
        /// As what it is there.
        kind: EntryKind,
    },
    /// Another entry has the alias.
    #[error("alias `{alias}` is in use by another entry of the bundle")]
    DuplicateAlias {
        /// The alias.
        alias: Alias,
    },
    /// The bundle has no room.
    #[error("bundle `{bundle}` is full: its limit is {limit} certificates (`TrustBundle::with_limit` chooses another)")]
    Full {
        /// The bundle.
        bundle: BundleName,
        /// Its limit.
        limit: usize,
    },
    /// Server names were given to an anchor, which answers for none.
    #[error(
        "certificate {fingerprint} is an anchor and was given server names: only a pin answers for names, the certificates below an anchor have their own"
    )]
    NamesOnAnchor {
        /// The certificate.
        fingerprint: Fingerprint,
    },
    /// The certificate is not fit to vouch for others.
    #[error("certificate {fingerprint} cannot be an anchor")]
    NotAnAnchor {
        /// The certificate.
        fingerprint: Fingerprint,
        /// Why not.
        #[source]
        cause: InvalidAnchor,
    },
    /// Anchors of one name have too many keys.
    #[error(
        "{ANCHOR_KEYS_PER_NAME} anchors are named `{subject}` and have different keys already: remove those that the CA does not use any more"
    )]
    SameName {
        /// The name.
        subject: DistinguishedName,
    },
    /// The key of the certificate is unfit.
    #[error("certificate {fingerprint} ({validity}) cannot be trusted")]
    UnfitKey {
        /// The certificate.
        fingerprint: Fingerprint,
        /// Its validity, to tell renewed certificates apart.
        validity: Validity,
        /// Why not.
        #[source]
        cause: UnfitKey,
    },
    /// A file of certificates cannot be read.
    #[error("the certificates cannot be read")]
    Unreadable(#[source] InvalidCertificate),
}
