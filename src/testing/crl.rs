//! Certificate revocation lists, as they should be and as they should not.

use der::Tag;

use super::{NOW, TestIdentity};
use crate::cert::ObjectIdentifier;
use crate::cert::encode::{Extension, moment, sequence, tagged, tlv};
use crate::identity::IdentityError;
use crate::identity::generate::load;
use crate::identity::sign::signed;
use crate::{pem, provider};

/// A revocation list to be made for a test. Without further words: version 2, number 1, from an hour before [`NOW`] to a
/// week after it, revokes nothing.
///
/// ```
/// use certmap::testing::{TestCertificate, TestRevocationList};
/// let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
/// let list = TestRevocationList::new().revoking(&[0x0a, 0x20]).signed_by(&ca);
/// assert!(list.pem().starts_with("-----BEGIN X509 CRL-----\n"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TestRevocationList {
    version: u8,
    /// The DER of the name that is claimed; `None` for the signer's.
    issuer: Option<Vec<u8>>,
    this_update: u64,
    next_update: Option<u64>,
    entries: Vec<Entry>,
    extensions: Vec<Added>,
}

/// Object identifier, critical, value.
type Added = (ObjectIdentifier, bool, Vec<u8>);

#[derive(Clone, Debug)]
struct Entry {
    serial: Vec<u8>,
    date: u64,
    extensions: Vec<Added>,
}

/// A revocation list made for a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCrl(Vec<u8>);

/// `cRLNumber`.
const NUMBER: &str = "2.5.29.20";

impl TestRevocationList {
    /// The list that revokes nothing.
    #[expect(clippy::new_without_default, reason = "no list is the default one")]
    pub fn new() -> Self {
        Self {
            version: 2,
            issuer: None,
            this_update: NOW.as_secs() - 3_600,
            next_update: Some(NOW.as_secs() + 7 * 86_400),
            entries: Vec::new(),
            extensions: Vec::new(),
        }
        .with_number(&[1])
    }

    /// Revokes one more serial number, given by its content octets as they shall stand, from an hour before [`NOW`] on.
    pub fn revoking(mut self, serial: &[u8]) -> Self {
        self.entries.push(Entry { serial: serial.to_vec(), date: NOW.as_secs() - 3_600, extensions: Vec::new() });
        self
    }

    /// When it was made and when the next one will be, in seconds since 1970.
    pub fn with_dates(self, this_update: u64, next_update: Option<u64>) -> Self {
        Self { this_update, next_update, ..self }
    }

    /// The content octets of the number of the list, as they shall stand.
    pub fn with_number(self, octets: &[u8]) -> Self {
        self.without_number().with_extension(NUMBER, false, &tlv(Tag::Integer, octets))
    }

    /// Without number, which RFC 5280, section 5.2.3 forbids.
    pub fn without_number(mut self) -> Self {
        self.extensions.retain(|(oid, ..)| oid.to_string() != NUMBER);
        self
    }

    /// With the number 1 in an extension that is critical, which RFC 5280, section 5.2.3 forbids.
    pub fn with_critical_number(self) -> Self {
        self.without_number().with_extension(NUMBER, true, &tlv(Tag::Integer, &[1]))
    }

    /// With an extension of the list, given by its dotted object identifier and the DER of its value.
    ///
    /// # Panics
    /// If `oid` is no object identifier.
    pub fn with_extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        self.extensions.push(added(oid, critical, value));
        self
    }

    /// With an extension of the entry that was added last, as [`with_extension`](Self::with_extension).
    ///
    /// # Panics
    /// If there is no entry, or `oid` is no object identifier.
    pub fn with_entry_extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        let entry = self.entries.last_mut().expect("an entry, made by `revoking`");
        entry.extensions.push(added(oid, critical, value));
        self
    }

    /// With a reason for the entry that was added last, by its number (RFC 5280, section 5.3.1).
    ///
    /// # Panics
    /// If there is no entry.
    pub fn with_reason(self, code: u8) -> Self {
        self.with_entry_extension("2.5.29.21", false, &tlv(Tag::Enumerated, &[code]))
    }

    /// In version 1, which has no extensions: those of the list and of its entries are left out.
    pub fn with_version1(self) -> Self {
        Self { version: 1, ..self }
    }

    /// Claims this name, given as DER, as the issuer's, whoever signs.
    pub fn with_issuer_der(self, name: &[u8]) -> Self {
        Self { issuer: Some(name.to_vec()), ..self }
    }

    /// Makes it, signed by whoever this is, CA or not.
    ///
    /// # Panics
    /// If a date lies after the year 9999.
    #[must_use]
    pub fn signed_by(&self, issuer: &TestIdentity) -> TestCrl {
        self.signed_with_wrong_key(issuer, issuer)
    }

    /// As [`signed_by`](Self::signed_by), but with the key of `signer`: a forgery in the name of `issuer`.
    ///
    /// # Panics
    /// As [`signed_by`](Self::signed_by).
    #[must_use]
    pub fn signed_with_wrong_key(&self, issuer: &TestIdentity, signer: &TestIdentity) -> TestCrl {
        let provider = provider::default().expect("`testing` is compiled with a provider");
        let key = load(&signer.key.0, &provider).expect("a key of ours");
        let issuer = self.issuer.as_deref().unwrap_or(issuer.certificate.subject_der());
        let write = |algorithm: &[u8]| Ok::<_, IdentityError>(self.to_be_signed(issuer, algorithm));
        TestCrl(signed(key.as_ref(), write).expect("a key of ours signs"))
    }

    fn to_be_signed(&self, issuer: &[u8], algorithm: &[u8]) -> Vec<u8> {
        let date = |seconds| moment(seconds).expect("a date before the year 10000");
        let has_extensions = self.version > 1;
        let mut parts = Vec::new();
        if has_extensions {
            parts.push(tlv(Tag::Integer, &[self.version - 1]));
        }
        parts.extend([algorithm.to_vec(), issuer.to_vec(), date(self.this_update)]);
        parts.extend(self.next_update.map(date));
        let entry = |entry: &Entry| {
            let mut parts = vec![tlv(Tag::Integer, &entry.serial), date(entry.date)];
            if has_extensions && !entry.extensions.is_empty() {
                parts.push(extensions(&entry.extensions));
            }
            sequence(&parts)
        };
        // RFC 5280 §5.1.2.6: without entries the list of them is left out.
        if !self.entries.is_empty() {
            parts.push(sequence(&self.entries.iter().map(entry).collect::<Vec<_>>()));
        }
        if has_extensions && !self.extensions.is_empty() {
            parts.push(tagged(0, &extensions(&self.extensions)));
        }
        sequence(&parts)
    }
}

impl TestCrl {
    /// Its DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// It as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem::write("X509 CRL", &self.0)
    }
}

fn added(oid: &str, critical: bool, value: &[u8]) -> Added {
    (oid.parse().expect("an object identifier"), critical, value.to_vec())
}

fn extensions(added: &[Added]) -> Vec<u8> {
    let extension = |(oid, critical, value): &Added| {
        Extension { oid: oid.as_der_content().to_vec(), critical: *critical, value: value.clone() }.to_der()
    };
    sequence(&added.iter().map(extension).collect::<Vec<_>>())
}
