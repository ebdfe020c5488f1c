//! Certificates and what stands in them: names, keys, dates, fingerprints; and the lists that take them back.
//!
//! Reads DER; judges nothing, trusts nothing, knows no users. RFC 5280, section 4.

mod crl;
mod date;
mod elements;
mod extension;
mod extensions;
mod fields;
mod fingerprint;
mod general_name;
mod key_type;
mod name;
mod name_constraints;
mod oid;
mod profile;
mod profile_facts;
mod profile_rules;
#[cfg(feature = "serde")]
mod profile_serde;
mod resigned;
mod serial;
mod validity;
mod values;

#[cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "ring")),
    expect(dead_code, reason = "certificates are made only where keys are")
)]
pub(crate) mod encode;

use core::fmt;
use core::ops::Range;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

pub use crl::{InvalidRevocationList, RevocationList, RevocationReason, Revoked};
pub use fingerprint::{Fingerprint, InvalidFingerprint, SpkiFingerprint};
pub use general_name::GeneralName;
pub use key_type::{KeyType, UnfitKey};
pub use name::{Attribute, AttributeValue, DistinguishedName, InvalidDistinguishedName, RelativeDistinguishedName};
pub use oid::{InvalidObjectIdentifier, ObjectIdentifier};
pub use profile::{Effect, Peer, Profile, Reaction, Remark, RemarkCode, Usage};
pub use serial::{InvalidSerialNumber, SerialNumber};
pub use validity::Validity;

pub use crate::pem::InvalidPem;

pub(crate) use extensions::Extensions;
pub(crate) use fingerprint::{Hashing, fingerprint, parse_sha256, write_hex};
pub(crate) use general_name::SMTP_UTF8_MAILBOX;
pub(crate) use name::{AlikeName, COMMON_NAME, EMAIL_ADDRESS};
pub(crate) use name_constraints::NameConstraints;
pub(crate) use profile_rules::{is_uncommon, old_signature};
pub(crate) use serial::minimal;
pub(crate) use validity::{Standing, seconds, show, unix};
pub(crate) use values::explicit_value;

use elements::Unexpected;
use fields::{Fields, Signed};

use crate::limits::{CERTIFICATE_BYTES, NAMES_PER_CERTIFICATE};
use crate::pem;

/// One X.509 certificate, of any version, with any extensions.
///
/// That it could be read says nothing about trust: it may be expired, forged, or its signature broken. Cheap to clone.
/// The DER is kept as it was; names are decoded when asked for.
///
/// ```
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let pem = certmap::Identity::from_pem(&pem)?.chain_pem();
/// let certificate = certmap::Certificate::from_pem(pem.as_bytes())?;
/// assert_eq!(certificate.version(), 1);
/// assert_eq!(certificate.subject().to_string(), "CN=ERP SSL client SSL Client (Standard),OU=SAP Web AS,OU=I0020123456,O=SAP Trust Community,C=DE");
/// assert_eq!(certificate.key_type().to_string(), "RSA 2048");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    /// Shared with the index of pins.
    der: Arc<[u8]>,
    /// Made when asked for.
    fingerprint: OnceLock<Fingerprint>,
    spki_fingerprint: OnceLock<SpkiFingerprint>,
    resigned: OnceLock<Option<Fingerprint>>,
    alike_subject: OnceLock<Box<AlikeName>>,
    alternative_names: OnceLock<Box<[GeneralName]>>,
    version: u8,
    serial: SerialNumber,
    validity: Validity,
    key_type: KeyType,
    extensions: Extensions,
    /// Where in `der` the parts are that are decoded on demand.
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
}

impl Certificate {
    /// Reads one certificate from its DER.
    ///
    /// # Errors
    /// [`InvalidCertificate`] if it is too large, is no certificate, has bytes after its end, or says a thing twice.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidCertificate> {
        if der.starts_with(b"-----BEGIN ") {
            return Err(InvalidCertificate::IsPem);
        }
        if der.len() > CERTIFICATE_BYTES {
            return Err(InvalidCertificate::TooLarge { bytes: der.len() });
        }
        let fields = Fields::read(der)?;
        // Decoded when asked for: most certificates are never asked.
        DistinguishedName::check_der(fields.issuer).map_err(InvalidCertificate::Issuer)?;
        DistinguishedName::check_der(fields.subject).map_err(InvalidCertificate::Subject)?;
        let malformed = |reason: &str| InvalidCertificate::Malformed { reason: reason.to_owned() };
        let serial =
            SerialNumber::from_der_content(fields.serial).ok_or_else(|| malformed("the serial number is empty"))?;
        let extensions = Extensions::read(der, &fields)?;
        let key_type = KeyType::read(fields.public_key).ok_or_else(|| malformed("the public key cannot be read"))?;
        Ok(Self(Arc::new(Inner {
            fingerprint: OnceLock::new(),
            spki_fingerprint: OnceLock::new(),
            resigned: OnceLock::new(),
            alike_subject: OnceLock::new(),
            alternative_names: OnceLock::new(),
            version: fields.version,
            serial,
            validity: fields.validity,
            key_type,
            extensions,
            issuer: range_in(der, fields.issuer),
            subject: range_in(der, fields.subject),
            spki: range_in(der, fields.public_key),
            der: Arc::from(der),
        })))
    }

    /// As [`from_der`](Self::from_der), of bytes whose fingerprint was made already: it is not made again.
    pub(crate) fn from_der_known(der: &[u8], fingerprint: Fingerprint) -> Result<Self, InvalidCertificate> {
        debug_assert_eq!(fingerprint, Fingerprint::of(der));
        let certificate = Self::from_der(der)?;
        let _ = certificate.0.fingerprint.set(fingerprint);
        Ok(certificate)
    }

    /// Reads one certificate from a file's content: PEM, DER, or base64.
    ///
    /// # Errors
    /// [`InvalidCertificate`], also if there are several certificates or something else than a certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidCertificate> {
        match <[Self; 1]>::try_from(Self::all_from_pem(pem)?) {
            Ok([one]) => Ok(one),
            Err(all) => Err(InvalidCertificate::Several { count: all.len() }),
        }
    }

    /// Reads every certificate of a file's content, in order; never empty.
    ///
    /// # Errors
    /// [`InvalidCertificate`] if one of them cannot be read or something else than a certificate is among them, a
    /// private key for instance: all or nothing.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, InvalidCertificate> {
        let sections = pem::read(pem).map_err(InvalidCertificate::Pem)?;
        sections.iter().map(Self::from_section).collect()
    }

    fn from_section(section: &pem::Section) -> Result<Self, InvalidCertificate> {
        match section.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "DER" => {
                Self::from_der(&section.der).map_err(|cause| match section.ordinal {
                    1 => cause,
                    ordinal => InvalidCertificate::Section { ordinal, cause: Box::new(cause) },
                })
            }
            label => Err(InvalidCertificate::NotACertificate { ordinal: section.ordinal, label: label.to_owned() }),
        }
    }

    /// The DER, exactly as it was read.
    #[must_use]
    pub fn der(&self) -> CertificateDer<'_> {
        CertificateDer::from(&*self.0.der)
    }

    /// The same bytes, for as long as the certificate.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.der
    }

    /// The same bytes, to be kept where they are compared.
    pub(crate) fn shared_der(&self) -> Arc<[u8]> {
        Arc::clone(&self.0.der)
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE", &self.0.der)
    }

    /// The SHA-256 of the DER: the name of this one certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        *self.0.fingerprint.get_or_init(|| Fingerprint::of(&self.0.der))
    }

    /// The SHA-256 of the public key.
    #[must_use]
    pub fn spki_fingerprint(&self) -> SpkiFingerprint {
        *self.0.spki_fingerprint.get_or_init(|| SpkiFingerprint::of(self.part(&self.0.spki)))
    }

    /// 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.0.version
    }

    /// The serial number that the issuer gave.
    #[must_use]
    pub fn serial(&self) -> &SerialNumber {
        &self.0.serial
    }

    /// The name of whoever signed it, as the certificate claims.
    #[must_use]
    pub fn issuer(&self) -> DistinguishedName {
        self.name(&self.0.issuer)
    }

    /// The name of its holder, as the certificate claims; may be empty.
    #[must_use]
    pub fn subject(&self) -> DistinguishedName {
        self.name(&self.0.subject)
    }

    /// What the subject has in common with names that are meant alike; kept, because a CA is asked for it again and again.
    pub(crate) fn alike_subject(&self) -> &AlikeName {
        self.0.alike_subject.get_or_init(|| Box::new(self.subject().alike()))
    }

    fn name(&self, range: &Range<usize>) -> DistinguishedName {
        DistinguishedName::from_der(self.part(range)).expect("the same bytes were checked in `from_der`")
    }

    /// True if it names itself as its issuer, octet by octet as path validation has it.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// True if its holder has no name, which is asked for every CA of a path.
    pub(crate) fn has_empty_subject(&self) -> bool {
        self.subject_der() == [0x30, 0]
    }

    /// The period in which it may be used.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.0.validity
    }

    /// Type and size of the public key.
    #[must_use]
    pub fn key_type(&self) -> &KeyType {
        &self.0.key_type
    }

    /// The subject alternative names in the order of the certificate; empty if there are none.
    #[must_use]
    pub fn subject_alternative_names(&self) -> Vec<GeneralName> {
        self.0.extensions.alternative_names(&self.0.der)
    }

    /// The same, kept: for certificates below an anchor, whose names trust looks at first and rules then.
    pub(crate) fn kept_alternative_names(&self) -> &[GeneralName] {
        self.0.alternative_names.get_or_init(|| self.subject_alternative_names().into())
    }

    /// True if it says of itself that it is a CA (`basicConstraints` with `cA` true; RFC 5280, section 4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.extensions.is_ca()
    }

    /// The DER of the issuer's name as it stands there: path validation compares names octet by octet.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        self.part(&self.0.issuer)
    }

    /// The DER of the subject as it stands there.
    pub(crate) fn subject_der(&self) -> &[u8] {
        self.part(&self.0.subject)
    }

    /// The algorithm of its signature, as its number; `None` if that is longer than numbers are.
    pub(crate) fn signature_algorithm(&self) -> Option<ObjectIdentifier> {
        ObjectIdentifier::from_der_content(self.fields().algorithm.oid).ok()
    }

    /// The purposes in the order of the certificate, without those that no [`ObjectIdentifier`] can hold; may be empty. `None`
    /// without extended key usage.
    pub(crate) fn extended_key_usage(&self) -> Option<Vec<ObjectIdentifier>> {
        self.0.extensions.extended_key_usage(&self.0.der)
    }

    /// What is signed, and how.
    pub(crate) fn signed(&self) -> Signed<'_> {
        self.fields().signed
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    pub(crate) fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.part(&self.0.spki))
    }

    /// Its parts, found again.
    fn fields(&self) -> Fields<'_> {
        Fields::read(&self.0.der).expect("the same bytes were read in `from_der`")
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).expect("the range was found in the same bytes in `from_der`")
    }
}

/// Where `part` lies in `whole`, of which it is a slice.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

impl PartialEq for Certificate {
    /// Equal certificates have equal DER.
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.subject(), self.fingerprint())
    }
}

impl From<Unexpected> for InvalidCertificate {
    fn from(Unexpected { expected, offset }: Unexpected) -> Self {
        Self::Malformed { reason: format!("expected {expected} at offset {offset}") }
    }
}

/// Bytes that are no certificate which this crate reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCertificate {
    /// The same extension twice, which RFC 5280, section 4.2 forbids because readers would differ.
    #[error("extension {extension} stands in the certificate twice")]
    DuplicateExtension {
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// The bytes are PEM where DER was expected.
    #[error("this is PEM, not DER: read it with `Certificate::from_pem`")]
    IsPem,
    /// The issuer's name cannot be read.
    #[error("the issuer's name cannot be read")]
    Issuer(#[source] InvalidDistinguishedName),
    /// The bytes are no certificate.
    #[error("this is no X.509 certificate: {reason}")]
    Malformed {
        /// What the parser stumbled over.
        reason: String,
    },
    /// An extension that matters for who may do what cannot be read.
    #[error("extension {extension} cannot be read")]
    MalformedExtension {
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// A section of the file is something else.
    #[error("section {ordinal} is a `{label}`, not a certificate")]
    NotACertificate {
        /// Which section, counted from 1.
        ordinal: usize,
        /// What it says it is.
        label: String,
    },
    /// The file is no PEM, DER or base64.
    #[error("the file cannot be read")]
    Pem(#[source] InvalidPem),
    /// One of several certificates in a file cannot be read.
    #[error("section {ordinal} cannot be read")]
    Section {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Why.
        #[source]
        cause: Box<InvalidCertificate>,
    },
    /// Several certificates where one was asked for.
    #[error("{count} certificates where one was expected: give the partner's own certificate alone, without its chain")]
    Several {
        /// How many.
        count: usize,
    },
    /// The subject's name cannot be read.
    #[error("the subject's name cannot be read")]
    Subject(#[source] InvalidDistinguishedName),
    /// Larger than [`CERTIFICATE_BYTES`].
    #[error("a certificate of {bytes} bytes is too large, at most {CERTIFICATE_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More subject alternative names than [`NAMES_PER_CERTIFICATE`].
    #[error("{names} subject alternative names are too many, at most {NAMES_PER_CERTIFICATE} are read")]
    TooManyNames {
        /// How many.
        names: usize,
    },
    /// Bytes follow the certificate, or the signature at its end.
    #[error("{bytes} bytes follow the certificate or its signature")]
    TrailingData {
        /// How many.
        bytes: usize,
    },
}
