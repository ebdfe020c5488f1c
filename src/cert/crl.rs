//! Certificate revocation lists: which certificates their CA has taken back. RFC 5280, section 5.
//!
//! Reads; verifies no signature, and knows no time. A list that does not speak for every certificate of its issuer (a
//! delta, an indirect list, a part) is refused here, so that nobody takes its silence for an answer.

#[path = "crl_error.rs"]
mod error;
#[path = "crl_read.rs"]
mod read;

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use rustls::pki_types::{CertificateRevocationListDer, UnixTime};

pub use error::InvalidRevocationList;

use super::{DistinguishedName, Fingerprint, SerialNumber};
use crate::limits::REVOCATION_LIST_FILE_BYTES;
use crate::pem;

/// One certificate revocation list: complete, of its issuer's own certificates, numbered and dated.
///
/// That it could be read says nothing about trust: its signature may be broken, it may be stale or a forgery. Cheap to
/// clone. Besides the DER it keeps four bytes for each entry, so a list of a million entries is no burden.
///
/// ```
/// # use certmap::testing::{TestCertificate, TestRevocationList};
/// # let ca = TestCertificate::new("CN=CA,O=Acme").as_ca().self_signed();
/// # let pem = TestRevocationList::new().with_number(&[7]).revoking(&[0x0a, 0x20]).with_reason(1).signed_by(&ca).pem();
/// use certmap::cert::{RevocationList, RevocationReason};
/// let list = RevocationList::from_pem(pem.as_bytes())?;
/// assert_eq!((list.issuer().to_string(), list.number().to_string()), ("CN=CA,O=Acme".to_owned(), "07".to_owned()));
/// let revoked = list.revoked(&"0a:20".parse()?).ok_or("not revoked")?;
/// assert_eq!(revoked.reason, Some(RevocationReason::KeyCompromise));
/// assert_eq!(list.revoked(&"0a:21".parse()?), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
/// Only a list whose signature was verified with the key of its issuer says anything, and only until
/// [`next_update`](Self::next_update).
#[derive(Clone)]
pub struct RevocationList(Arc<Inner>);

struct Inner {
    der: CertificateRevocationListDer<'static>,
    fingerprint: Fingerprint,
    this_update: UnixTime,
    next_update: UnixTime,
    number: SerialNumber,
    /// Where in `der` the entries are, in the order of their serial numbers (as minimal content octets), equal ones in
    /// the order of the list.
    entries: Box<[u32]>,
    /// Where in `der` the parts are.
    issuer: Range<usize>,
    to_be_signed: Range<usize>,
    algorithm: Range<usize>,
    signature: Range<usize>,
}

impl RevocationList {
    /// Reads one list from its DER.
    ///
    /// # Errors
    /// [`InvalidRevocationList`] if it is too large, is no revocation list, has bytes after its end, says a thing twice,
    /// or is one that nobody could rely on: of version 1, without number or next update, with critical extensions that
    /// are not processed, or covering less or other than all certificates of its issuer.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidRevocationList> {
        read::read(der).map(|inner| Self(Arc::new(inner)))
    }

    /// Reads one list from a file's content: PEM, DER, or base64.
    ///
    /// # Errors
    /// [`InvalidRevocationList`], also if there are several lists or something else than a list.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidRevocationList> {
        match <[Self; 1]>::try_from(Self::all_from_pem(pem)?) {
            Ok([one]) => Ok(one),
            Err(all) => Err(InvalidRevocationList::Several { count: all.len() }),
        }
    }

    /// Reads every list of a file's content, in order; never empty.
    ///
    /// # Errors
    /// [`InvalidRevocationList`] if one of them cannot be read or something else than a list is among them: all or
    /// nothing.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, InvalidRevocationList> {
        let sections = pem::read_at_most(REVOCATION_LIST_FILE_BYTES, pem).map_err(InvalidRevocationList::Pem)?;
        sections.iter().map(Self::from_section).collect()
    }

    fn from_section(section: &pem::Section) -> Result<Self, InvalidRevocationList> {
        match section.label.as_str() {
            "X509 CRL" | "DER" => Self::from_der(&section.der).map_err(|cause| match section.ordinal {
                1 => cause,
                ordinal => InvalidRevocationList::Section { ordinal, cause: Box::new(cause) },
            }),
            label => {
                Err(InvalidRevocationList::NotARevocationList { ordinal: section.ordinal, label: label.to_owned() })
            }
        }
    }

    /// The DER, exactly as it was read.
    #[must_use]
    pub fn der(&self) -> &CertificateRevocationListDer<'static> {
        &self.0.der
    }

    /// The list as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("X509 CRL", &self.0.der)
    }

    /// The SHA-256 of the DER: the name of this one list.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// The name of whoever signed it, as the list claims.
    ///
    /// # Panics
    /// Never: the name was read when the list was.
    #[must_use]
    pub fn issuer(&self) -> DistinguishedName {
        DistinguishedName::from_der(self.issuer_der()).expect("the same bytes were decoded in `from_der`")
    }

    /// When it was made; a date before 1970 reads as 1970.
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.0.this_update
    }

    /// When the next one is due at the latest: the last second in which this one counts.
    #[must_use]
    pub fn next_update(&self) -> UnixTime {
        self.0.next_update
    }

    /// Its number, by which a list is newer or older than another of the same issuer; not negative.
    #[must_use]
    pub fn number(&self) -> &SerialNumber {
        &self.0.number
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// True if it revokes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// What it says of the certificate with this serial number; `None` if it does not revoke it.
    ///
    /// Of two entries for one certificate the first counts. An entry with the reason
    /// [`RemoveFromCrl`](RevocationReason::RemoveFromCrl) revokes like any other: only in a delta list it would not.
    #[must_use]
    pub fn revoked(&self, serial: &SerialNumber) -> Option<Revoked> {
        let wanted = serial.to_der_content();
        let (der, entries) = (&self.0.der, &self.0.entries);
        let first = entries.partition_point(|at| read::serial_at(der, *at) < &wanted[..]);
        let at = entries.get(first).filter(|at| read::serial_at(der, **at) == &wanted[..])?;
        Some(read::revoked_at(der, *at))
    }

    /// The DER of the issuer's name as it stands there.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        self.part(&self.0.issuer)
    }

    /// What was signed: the whole `TBSCertList`.
    pub(crate) fn to_be_signed(&self) -> &[u8] {
        self.part(&self.0.to_be_signed)
    }

    /// How it was signed: the content of the `AlgorithmIdentifier`, without tag and length.
    pub(crate) fn signature_algorithm(&self) -> &[u8] {
        self.part(&self.0.algorithm)
    }

    /// The octets of the signature.
    pub(crate) fn signature(&self) -> &[u8] {
        self.part(&self.0.signature)
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).expect("the range was found in the same bytes in `from_der`")
    }
}

impl PartialEq for RevocationList {
    /// Equal lists have equal DER.
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for RevocationList {}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, number, len) = (self.issuer(), self.number(), self.len());
        write!(f, "RevocationList({issuer}, number {number}, {len} entries, {})", self.fingerprint())
    }
}

/// What a list says of a certificate that it revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revoked {
    /// Since when; a date before 1970 reads as 1970. It may lie in the future, and the certificate is revoked all the
    /// same.
    pub date: UnixTime,
    /// Why, if the CA says it.
    pub reason: Option<RevocationReason>,
}

/// Why a certificate was revoked (RFC 5280, section 5.3.1); for people, every reason revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// `aACompromise`: the key of an attribute authority is in other hands.
    AaCompromise,
    /// `affiliationChanged`: its holder's name or place changed.
    AffiliationChanged,
    /// `cACompromise`: the key of a CA is in other hands.
    CaCompromise,
    /// `certificateHold`: on hold; it may come back.
    CertificateHold,
    /// `cessationOfOperation`: it is needed no more.
    CessationOfOperation,
    /// `keyCompromise`: its key is in other hands.
    KeyCompromise,
    /// A number that RFC 5280 gives no meaning.
    Other(u8),
    /// `privilegeWithdrawn`: its holder may no longer what it could.
    PrivilegeWithdrawn,
    /// `removeFromCRL`, which has a meaning in delta lists only.
    RemoveFromCrl,
    /// `superseded`: another certificate took its place.
    Superseded,
    /// `unspecified`.
    Unspecified,
}

impl RevocationReason {
    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            8 => Self::RemoveFromCrl,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for RevocationReason {
    /// The name in RFC 5280.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AaCompromise => "aACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CertificateHold => "certificateHold",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::Other(code) => return write!(f, "reason {code}"),
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        })
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;
    use crate::testing::{TestCertificate, TestRevocationList};

    #[test]
    fn the_parts_are_what_a_verification_of_the_signature_needs() {
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let list = TestRevocationList::new().revoking(&[5]).signed_by(&ca);
        let list = RevocationList::from_der(list.der()).unwrap();
        assert_eq!(list.issuer_der(), ca.certificate().subject_der());
        let public_key = ca.certificate().public_key();
        // The uncompressed point of P-256 ends the structure.
        let point = public_key.last_chunk::<65>().unwrap();
        let provider = default_provider();
        let mut verifiers = provider.signature_verification_algorithms.all.iter();
        let verified = verifiers.any(|verifier| {
            verifier.signature_alg_id().as_ref() == list.signature_algorithm()
                && verifier.verify_signature(point, list.to_be_signed(), list.signature()).is_ok()
        });
        assert!(verified);
    }
}
