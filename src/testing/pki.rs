//! Certificates of any version, with any serial number, any dates, any extensions.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::NOW;
use crate::cert::encode::{self, Extension, Tbs};
use crate::cert::{Certificate, DistinguishedName, ObjectIdentifier};
use crate::identity::generate::{load, new_key, public_key_of, sign};
use crate::identity::{Identity, NewKey};
use crate::provider;

const DAY: u64 = 86_400;

/// A certificate to be made for a test. Without further words: version 3, P-256, no extensions, valid from a day before
/// [`NOW`] for a year, serial number 1.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestCertificate {
    subject: DistinguishedName,
    version: u8,
    serial: Vec<u8>,
    validity: (u64, u64),
    key: TestKey,
    /// Object identifier, critical, value.
    extensions: Vec<(ObjectIdentifier, bool, Vec<u8>)>,
}

/// A private key that prints nothing of itself.
#[derive(Clone)]
struct TestKey(Arc<PrivateKeyDer<'static>>);

impl core::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TestKey")
    }
}

impl TestCertificate {
    /// For a subject in the text form of RFC 4514; may be empty.
    ///
    /// # Panics
    /// If the text is no distinguished name.
    pub fn new(subject: &str) -> Self {
        Self {
            subject: subject.parse().expect("a distinguished name"),
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

    /// Basic constraints with `cA` true, as `openssl req -x509` writes them.
    pub fn with_ca_true(self) -> Self {
        self.with_extension("2.5.29.19", true, &[0x30, 3, 1, 1, 0xff])
    }

    /// Basic constraints with `cA` false.
    pub fn with_ca_false(self) -> Self {
        self.with_extension("2.5.29.19", true, &[0x30, 0])
    }

    /// Extended key usage with this one purpose, the last arc of `1.3.6.1.5.5.7.3`: 1 server, 2 client.
    pub fn with_purpose(self, purpose: u8) -> Self {
        let oid = [0x2b, 6, 1, 5, 5, 7, 3, purpose];
        let value = encode::sequence(&[encode::tlv(der::Tag::ObjectIdentifier, &oid)]);
        self.with_extension("2.5.29.37", false, &value)
    }

    /// A subject alternative name, DNS or IP.
    ///
    /// # Panics
    /// If `name` is neither.
    pub fn with_server_name(self, name: &str) -> Self {
        let (tag, octets) = match ServerName::try_from(name).expect("a server name") {
            ServerName::IpAddress(address) => match std::net::IpAddr::from(address) {
                std::net::IpAddr::V4(v4) => (7, v4.octets().to_vec()),
                std::net::IpAddr::V6(v6) => (7, v6.octets().to_vec()),
            },
            _ => (2, name.as_bytes().to_vec()),
        };
        let tag = der::Tag::ContextSpecific { constructed: false, number: der::TagNumber(tag) };
        let value = encode::sequence(&[encode::tlv(tag, &octets)]);
        self.with_extension("2.5.29.17", false, &value)
    }

    /// Makes it, signed with its own key.
    ///
    /// # Panics
    /// If what was asked for is beyond what this crate reads: two extensions of one kind, a date after the year 9999, a
    /// version that does not exist.
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
        self.signed(&issuer.certificate.subject(), &issuer.key, &issuer.chain)
    }

    fn signed(self, issuer: &DistinguishedName, by: &TestKey, above: &[CertificateDer<'static>]) -> TestIdentity {
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
            issuer: &issuer.to_der(),
            validity: self.validity,
            subject: &self.subject.to_der(),
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

impl TestKey {
    fn new(kind: NewKey) -> Self {
        static RSA: [OnceLock<TestKey>; 3] = [const { OnceLock::new() }; 3];
        let make = || Self(Arc::new(new_key(kind).expect("this build makes such keys")));
        match kind {
            NewKey::EcP256 | NewKey::EcP384 | NewKey::EcP521 | NewKey::Ed25519 => make(),
            NewKey::Rsa2048 => RSA[0].get_or_init(make).clone(),
            NewKey::Rsa3072 => RSA[1].get_or_init(make).clone(),
            NewKey::Rsa4096 => RSA[2].get_or_init(make).clone(),
        }
    }
}

/// A certificate made for a test, its chain and its key.
#[derive(Clone, Debug)]
pub struct TestIdentity {
    certificate: Certificate,
    chain: Vec<CertificateDer<'static>>,
    key: TestKey,
}

impl TestIdentity {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificate and those above it.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.0.clone_key()
    }

    /// An identity of it, on the default provider.
    ///
    /// # Panics
    /// If it cannot be one: too weak a key, for instance.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity_on(&provider::default().expect("`testing` is compiled with a provider"))
    }

    /// An identity of it, on a provider.
    ///
    /// # Panics
    /// As [`identity`](Self::identity).
    #[must_use]
    pub fn identity_on(&self, provider: &CryptoProvider) -> Identity {
        Identity::new_with_provider(self.chain.clone(), self.key(), provider).expect("certificate and key are one pair")
    }
}
