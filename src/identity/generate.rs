//! Making a new identity: a key and a self-signed certificate for it.

use core::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::sign::SigningKey;

use super::sign::signed;
use super::write::first_version;
use super::{Identity, IdentityError};
use crate::cert::encode::{self, Extension, Tbs, id_ce};
use crate::cert::{DistinguishedName, SpkiFingerprint};
use crate::limits::GENERATED_LIFETIME;
use crate::provider;

/// What kind of key to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewKey {
    /// Elliptic curve P-256: small, fast, read by every peer of this century.
    #[default]
    EcP256,
    /// Elliptic curve P-384.
    EcP384,
    /// Elliptic curve P-521: needs the feature `aws-lc-rs`; ring can neither hold such a key nor verify its signatures.
    EcP521,
    /// Ed25519: not read by SAP's library and by old OpenSSL.
    Ed25519,
    /// RSA 2048, as STRUST makes it. RSA keys need the feature `aws-lc-rs`.
    Rsa2048,
    /// RSA 3072.
    Rsa3072,
    /// RSA 4096.
    Rsa4096,
}

/// What [`Identity::generate`] shall make: whose identity, from when and for how long, on which kind of key.
#[derive(Clone, Debug)]
pub struct IdentityRequest {
    subject: DistinguishedName,
    not_before: UnixTime,
    lifetime: Duration,
    key: NewKey,
}

impl IdentityRequest {
    /// A request for an identity of this subject, usable from `not_before` on for `lifetime` (at most 20 years), on a
    /// P-256 key.
    #[must_use]
    pub fn new(subject: DistinguishedName, not_before: UnixTime, lifetime: Duration) -> Self {
        Self { subject, not_before, lifetime, key: NewKey::default() }
    }

    /// Asks for another kind of key.
    #[must_use]
    pub fn with_key(self, key: NewKey) -> Self {
        Self { key, ..self }
    }

    fn validity(&self) -> Result<(u64, u64), IdentityError> {
        let not_before = self.not_before.as_secs();
        let seconds = self.lifetime.as_secs();
        let possible = seconds > 0 && self.lifetime <= GENERATED_LIFETIME;
        let not_after = not_before.checked_add(seconds).filter(|_| possible);
        not_after.map(|last| (not_before, last)).ok_or(IdentityError::Lifetime { days: seconds / 86_400 })
    }
}

impl Identity {
    /// Makes a key and a self-signed client certificate for it: version 3, CA:FALSE, digital signature, client
    /// authentication, subject key identifier, random serial number, the subject and dates of the request.
    ///
    /// Save it with [`private_key_pem`](Self::private_key_pem) and [`chain_pem`](Self::chain_pem); nothing is written
    /// here.
    ///
    /// # Errors
    /// [`IdentityError::Lifetime`] if the dates are impossible, [`IdentityError::KeyGeneration`] if this build cannot
    /// make such a key (RSA without the feature `aws-lc-rs`).
    ///
    /// ```
    /// use std::time::Duration;
    /// use certmap::{Identity, IdentityRequest};
    /// use certmap::rustls::pki_types::UnixTime;
    ///
    /// let day = Duration::from_secs(86_400);
    /// let start = UnixTime::since_unix_epoch(day * 20_000);
    /// let erp = Identity::generate(&IdentityRequest::new("CN=ERP,OU=SAP,OU=Web AS".parse()?, start, day * 730))?;
    /// assert_eq!(erp.certificate().version(), 3);
    /// assert!(!erp.certificate().is_ca());
    /// assert_eq!(erp.certificate().subject().to_string(), "CN=ERP,OU=SAP,OU=Web AS");
    /// assert!(Identity::from_pem((erp.chain_pem() + &erp.private_key_pem().unwrap()).as_bytes()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn generate(request: &IdentityRequest) -> Result<Self, IdentityError> {
        Self::generate_with_provider(request, &*provider::default()?)
    }

    /// As [`generate`](Self::generate), with the crypto provider that shall hold the key.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_with_provider(request: &IdentityRequest, provider: &CryptoProvider) -> Result<Self, IdentityError> {
        let validity = request.validity()?;
        let key = new_key(request.key)?;
        let signing_key = load(&key, provider)?;
        let public_key = public_key_of(signing_key.as_ref())?;
        let name = request.subject.to_der();
        let tbs = Tbs {
            version: 3,
            serial: &random_serial(provider)?,
            issuer: &name,
            validity,
            subject: &name,
            public_key: &public_key,
            extensions: &client_extensions(&public_key),
        };
        let der = sign(&tbs, signing_key.as_ref())?;
        Self::new_with_provider(vec![CertificateDer::from(der)], key, provider)
    }
}

pub(crate) fn load(
    key: &PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<std::sync::Arc<dyn SigningKey>, IdentityError> {
    let loaded = provider.key_provider.load_private_key(key.clone_key());
    loaded.map_err(|cause| IdentityError::Key { reason: cause.to_string() })
}

pub(crate) fn public_key_of(key: &dyn SigningKey) -> Result<Vec<u8>, IdentityError> {
    let public_key = key.public_key().map(|spki| spki.as_ref().to_vec());
    public_key.ok_or_else(|| IdentityError::Key { reason: "the provider does not tell its public half".to_owned() })
}

pub(crate) fn new_key(kind: NewKey) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let pair = match kind {
        NewKey::EcP256 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        NewKey::EcP384 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        NewKey::EcP521 => return new_p521_key(),
        NewKey::Ed25519 => rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519),
        NewKey::Rsa2048 | NewKey::Rsa3072 | NewKey::Rsa4096 => return new_rsa_key(kind),
    };
    pkcs8(pair)
}

#[cfg(feature = "aws-lc-rs")]
fn new_p521_key() -> Result<PrivateKeyDer<'static>, IdentityError> {
    pkcs8(rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512))
}

#[cfg(not(feature = "aws-lc-rs"))]
fn new_p521_key() -> Result<PrivateKeyDer<'static>, IdentityError> {
    Err(IdentityError::KeyGeneration { reason: "ring makes no P-521 keys, enable the feature `aws-lc-rs`".to_owned() })
}

#[cfg(feature = "aws-lc-rs")]
fn new_rsa_key(kind: NewKey) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let size = match kind {
        NewKey::Rsa3072 => rcgen::RsaKeySize::_3072,
        NewKey::Rsa4096 => rcgen::RsaKeySize::_4096,
        NewKey::EcP256 | NewKey::EcP384 | NewKey::EcP521 | NewKey::Ed25519 | NewKey::Rsa2048 => {
            rcgen::RsaKeySize::_2048
        }
    };
    pkcs8(rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size))
}

#[cfg(not(feature = "aws-lc-rs"))]
fn new_rsa_key(_: NewKey) -> Result<PrivateKeyDer<'static>, IdentityError> {
    Err(IdentityError::KeyGeneration { reason: "ring makes no RSA keys, enable the feature `aws-lc-rs`".to_owned() })
}

fn pkcs8(pair: Result<rcgen::KeyPair, rcgen::Error>) -> Result<PrivateKeyDer<'static>, IdentityError> {
    use zeroize::{Zeroize as _, Zeroizing};

    let mut pair = pair.map_err(|cause| IdentityError::KeyGeneration { reason: cause.to_string() })?;
    let made = Zeroizing::new(pair.serialize_der());
    pair.zeroize();
    Ok(PrivatePkcs8KeyDer::from(first_version(&made).to_vec()).into())
}

/// 16 random octets: positive, and not shorter for being small.
fn random_serial(provider: &CryptoProvider) -> Result<[u8; 16], IdentityError> {
    let mut serial = [0u8; 16];
    let filled = provider.secure_random.fill(&mut serial);
    filled.map_err(|_| IdentityError::KeyGeneration { reason: "the provider has no random numbers".to_owned() })?;
    serial[0] = (serial[0] & 0x7f) | 0x40;
    Ok(serial)
}

fn client_extensions(public_key: &[u8]) -> [Extension; 4] {
    /// `id-kp-clientAuth`, RFC 5280, section 4.2.1.12.
    const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
    let extension = |number, critical, value| Extension { oid: id_ce(number), critical, value };
    [
        extension(19, true, encode::sequence(&[])),
        // One bit, `digitalSignature`, and seven unused ones.
        extension(15, true, encode::tlv(der::Tag::BitString, &[7, 0x80])),
        extension(37, false, encode::sequence(&[encode::tlv(der::Tag::ObjectIdentifier, CLIENT_AUTH)])),
        // RFC 7093, section 2, method 4: the hash of the whole SubjectPublicKeyInfo.
        extension(14, false, encode::octet_string(SpkiFingerprint::of(public_key).as_bytes())),
    ]
}

/// The certificate of `tbs`, signed by `key`.
pub(crate) fn sign(tbs: &Tbs<'_>, key: &dyn SigningKey) -> Result<Vec<u8>, IdentityError> {
    let (first, last) = tbs.validity;
    let too_late = IdentityError::Lifetime { days: last.saturating_sub(first) / 86_400 };
    signed(key, |algorithm| tbs.to_der(algorithm).ok_or(too_late))
}
