//! Certificates of any version, with any serial number, any dates, any names, any signer.

use rustls::pki_types::CertificateDer;

use super::identity::TestKey;
use super::{NOW, TestIdentity};
use crate::cert::encode::{Extension, Tbs};
use crate::cert::{Certificate, DistinguishedName, ObjectIdentifier};
use crate::identity::NewKey;
use crate::identity::generate::{load, public_key_of, sign};
use crate::provider;

const DAY: u64 = 86_400;

/// A certificate to be made for a test. Without further words: version 3, P-256, no extensions, valid from a day before
/// [`NOW`] for a year, serial number 1.
///
/// ```
/// use certmap::testing::TestCertificate;
/// let root = TestCertificate::new("CN=root").as_ca().self_signed();
/// let below = TestCertificate::new("CN=issuing").as_ca().issued_by(&root);
/// let partner = TestCertificate::new("CN=partner").with_purpose(2).issued_by(&below);
/// assert_eq!(partner.chain().len(), 3);
/// assert_eq!(partner.chain_without_root().len(), 2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TestCertificate {
    /// The DER of the name.
    subject: Vec<u8>,
    /// The DER of the name that is claimed; `None` for the signer's.
    issuer: Option<Vec<u8>>,
    version: u8,
    serial: Vec<u8>,
    validity: (u64, u64),
    key: TestKey,
    /// Object identifier, critical, value.
    extensions: Vec<(ObjectIdentifier, bool, Vec<u8>)>,
}

impl TestCertificate {
    /// For a subject in the text form of RFC 4514; may be empty.
    ///
    /// # Panics
    /// If the text is no distinguished name.
    pub fn new(subject: &str) -> Self {
        Self {
            subject: name(subject),
            issuer: None,
            version: 3,
            serial: vec![1],
            validity: (NOW.as_secs() - DAY, NOW.as_secs() + 364 * DAY),
            key: TestKey::new(NewKey::EcP256),
            extensions: Vec::new(),
        }
    }

    /// X.509 version 1, 2 or 3.
    pub fn with_version(self, version: u8) -> Self {
        Self { version, ..self }
    }

    /// The content octets of the serial number, as they shall stand.
    pub fn with_serial(self, octets: &[u8]) -> Self {
        Self { serial: octets.to_vec(), ..self }
    }

    /// First and last second of its validity, since 1970.
    pub fn with_validity(self, first: u64, last: u64) -> Self {
        Self { validity: (first, last), ..self }
    }

    /// With the subject as this DER, for encodings that the text form does not give.
    pub fn with_subject_der(self, name: &[u8]) -> Self {
        Self { subject: name.to_vec(), ..self }
    }

    /// Claims this name, in the text form of RFC 4514, as the issuer's, whoever signs.
    ///
    /// # Panics
    /// If the text is no distinguished name.
    pub fn with_issuer_name(self, issuer: &str) -> Self {
        Self { issuer: Some(name(issuer)), ..self }
    }

    /// As [`with_issuer_name`](Self::with_issuer_name), as this DER.
    pub fn with_issuer_der(self, name: &[u8]) -> Self {
        Self { issuer: Some(name.to_vec()), ..self }
    }

    /// On a new key of this kind. RSA keys are made once in a process and used again.
    pub fn with_new_key(self, kind: NewKey) -> Self {
        Self { key: TestKey::new(kind), ..self }
    }

    /// On the key of another certificate.
    pub fn with_key_of(self, other: &TestIdentity) -> Self {
        Self { key: other.key.clone(), ..self }
    }

    /// With an extension, given by its dotted object identifier and the DER of its value.
    ///
    /// # Panics
    /// If `oid` is no object identifier.
    pub fn with_extension(mut self, oid: &str, critical: bool, value: &[u8]) -> Self {
        self.extensions.push((oid.parse().expect("an object identifier"), critical, value.to_vec()));
        self
    }

    /// Makes it, signed with its own key.
    ///
    /// # Panics
    /// If what was asked for is beyond what this crate reads: two extensions of one kind, a date after the year 9999, a
    /// version that does not exist, a name that is none.
    #[must_use]
    pub fn self_signed(self) -> TestIdentity {
        let (issuer, key) = (self.subject.clone(), self.key.clone());
        self.signed(&issuer, &key, &[])
    }

    /// Makes it, signed by whoever this is, CA or not; its chain is `issuer`'s with it in front.
    ///
    /// # Panics
    /// As [`self_signed`](Self::self_signed).
    #[must_use]
    pub fn issued_by(self, issuer: &TestIdentity) -> TestIdentity {
        self.signed(issuer.certificate.subject_der(), &issuer.key, &issuer.chain)
    }

    /// As [`issued_by`](Self::issued_by), but signed with the key of `signer`: a forgery in the name of `issuer`.
    ///
    /// # Panics
    /// As [`self_signed`](Self::self_signed).
    #[must_use]
    pub fn signed_with_wrong_key(self, issuer: &TestIdentity, signer: &TestIdentity) -> TestIdentity {
        self.signed(issuer.certificate.subject_der(), &signer.key, &issuer.chain)
    }

    fn signed(self, issuer: &[u8], by: &TestKey, above: &[CertificateDer<'static>]) -> TestIdentity {
        let provider = provider::default().expect("`testing` is compiled with a provider");
        let public_key =
            load(&self.key.0, &provider).and_then(|key| public_key_of(key.as_ref())).expect("a key of ours");
        let extension = |(oid, critical, value): &(ObjectIdentifier, bool, Vec<u8>)| Extension {
            oid: oid.as_der_content().to_vec(),
            critical: *critical,
            value: value.clone(),
        };
        let extensions: Vec<_> = self.extensions.iter().map(extension).collect();
        let tbs = Tbs {
            version: self.version,
            serial: &self.serial,
            issuer: self.issuer.as_deref().unwrap_or(issuer),
            validity: self.validity,
            subject: &self.subject,
            public_key: &public_key,
            extensions: &extensions,
        };
        let signer = load(&by.0, &provider).expect("a key of ours");
        let der = sign(&tbs, signer.as_ref()).expect("a key of ours signs");
        let certificate = Certificate::from_der(&der).expect("what we write we read");
        let chain = core::iter::once(CertificateDer::from(der)).chain(above.iter().cloned()).collect();
        TestIdentity { certificate, chain, key: self.key }
    }
}

fn name(text: &str) -> Vec<u8> {
    text.parse::<DistinguishedName>().expect("a distinguished name").to_der()
}
