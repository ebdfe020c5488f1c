//! Our own certificate chain and private key: the only place of the crate that holds a secret.

mod answer;
#[cfg_attr(
    not(all(feature = "pkcs12", feature = "pse")),
    allow(dead_code, reason = "builds that open fewer kinds of files")
)]
mod ber;
#[cfg(any(feature = "encrypted-keys", feature = "pse"))]
mod cipher;
mod foreign;
mod found;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
pub(crate) mod generate;
mod handle;
mod held;
mod import;
mod import_error;
#[cfg(any(feature = "pkcs12", feature = "pse"))]
mod kdf;
#[cfg_attr(
    not(all(feature = "pkcs12", feature = "pse")),
    allow(dead_code, reason = "builds that open fewer kinds of files")
)]
mod opener;
#[cfg(feature = "encrypted-keys")]
mod pbes;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod pkcs7;
#[cfg(feature = "pse")]
mod pse;
mod request;
#[cfg(feature = "pse")]
mod rsa_key;
pub(crate) mod sign;
mod write;

use core::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use zeroize::Zeroizing;

pub use answer::{AnswerError, Answered};
pub use foreign::ForeignFile;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
pub use generate::{IdentityRequest, NewKey};
pub use handle::IdentityHandle;
pub use import::{Format, Import, ImportNote, Imported};
pub use import_error::ImportError;
pub use request::{CertificateRequest, RequestError};
#[cfg(feature = "encrypted-keys")]
pub use write::EncryptKeyError;

use crate::cert::{Certificate, DistinguishedName, InvalidCertificate, UnfitKey};
use crate::limits::CHAIN_LENGTH;
use crate::{NoCryptoProvider, pem, provider, signature};

/// Our own certificate, its chain, and its private key: what STRUST calls an SSL client identity. Servers have one too.
///
/// The certificate may be of any version and shape, X.509 version 1 included; that it and the key belong together is
/// proven when the identity is made. Cheap to clone, and clones share the key.
///
/// # Security
/// The key never shows in [`Debug`](fmt::Debug), in errors or in records. The bytes it was read from are zeroized when
/// the last clone goes; what the PEM decoder and the crypto provider copy inside themselves is theirs.
///
/// ```
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// let erp = certmap::Identity::from_pem(&pem)?;
/// assert_eq!(erp.certificate().version(), 1);
/// assert!(!format!("{erp:?}").contains("PRIVATE"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    name: Option<String>,
    certificate: Certificate,
    certified_key: Arc<CertifiedKey>,
    /// The key as it was read or made, where there are bytes at all (a key in hardware has none).
    exportable: Option<Arc<Exportable>>,
}

/// A private key in bytes and the PEM label that says in which form.
struct Exportable {
    label: &'static str,
    der: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// From a certificate chain (own certificate first) and its private key.
    ///
    /// # Errors
    /// [`IdentityError`] if a certificate cannot be read, the key is unfit, or the two do not belong together.
    pub fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, IdentityError> {
        Self::new_with_provider(chain, key, &*provider::default()?)
    }

    /// As [`new`](Self::new), with the crypto provider that shall hold the key.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_with_provider(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        provider: &CryptoProvider,
    ) -> Result<Self, IdentityError> {
        // The provider is given a copy, and what it does with that is its own; the one that came here is wiped.
        let key = Zeroizing::new(key);
        let exportable = Exportable::of(&key);
        let loaded = provider.key_provider.load_private_key(key.clone_key());
        // The certificate is looked at first, because it says best what is wrong with a key: too weak, or too strange.
        let certificate = check_chain(&chain)?;
        let key = loaded.map_err(|cause| IdentityError::Key { reason: cause.to_string() })?;
        let schemes = provider.signature_verification_algorithms.supported_schemes();
        if belong(&certificate, key.as_ref(), &schemes, provider)? != Some(true) {
            return Err(mismatch(&certificate, &chain, key.as_ref(), provider));
        }
        Ok(Self(Arc::new(Inner {
            name: None,
            certificate,
            certified_key: Arc::new(CertifiedKey::new(chain, key)),
            exportable: Some(Arc::new(exportable)),
        })))
    }

    /// From the content of a file that holds the certificate, its chain if there is one, and the private key, in any order:
    /// PEM, or what else [`Import`] reads without a password. The short way: what [`Import`] would note is not told.
    ///
    /// # Errors
    /// [`ImportError`] as for [`Import::read`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, ImportError> {
        Import::new().read(pem).map(Imported::into_identity)
    }

    /// As [`from_pem`](Self::from_pem), with the crypto provider that shall hold the key.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with_provider(pem: &[u8], provider: &CryptoProvider) -> Result<Self, ImportError> {
        Import::new().with_provider(provider).read(pem).map(Imported::into_identity)
    }

    /// From the contents of two files, each PEM or DER: one with the certificate and its chain, one with the private key.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_files(certificates: &[u8], key: &[u8]) -> Result<Self, ImportError> {
        Import::new().read_files(certificates, key).map(Imported::into_identity)
    }

    /// As [`from_files`](Self::from_files), with the crypto provider that shall hold the key.
    ///
    /// # Errors
    /// As [`from_files`](Self::from_files).
    pub fn from_files_with_provider(
        certificates: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, ImportError> {
        Import::new().with_provider(provider).read_files(certificates, key).map(Imported::into_identity)
    }

    /// Gives the identity the name by which its owner knows it (`ERP`, the entry in STRUST), for use in messages. Without
    /// one it goes by its subject.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        let Inner { name: _, certificate, certified_key, exportable } = &*self.0;
        Self(Arc::new(Inner {
            name: Some(name.into()),
            certificate: certificate.clone(),
            certified_key: Arc::clone(certified_key),
            exportable: exportable.clone(),
        }))
    }

    /// The name given by [`with_name`](Self::with_name), else the certificate's subject.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name.clone().unwrap_or_else(|| self.0.certificate.subject().to_string())
    }

    /// Our own certificate: the one to give to partners.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The chain as it is presented, own certificate first, as DER.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.certified_key.cert
    }

    /// The chain as PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain().iter().map(|der| pem::write("CERTIFICATE", der)).collect()
    }

    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.certified_key)
    }
}

impl Exportable {
    fn of(key: &PrivateKeyDer<'static>) -> Self {
        let label = match key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            // The enum is rustls' and open; a form that it learns later is one of PKCS#8's successors.
            _ => "PRIVATE KEY",
        };
        Self { label, der: Zeroizing::new(key.secret_der().to_vec()) }
    }
}

fn check_chain(chain: &[CertificateDer<'static>]) -> Result<Certificate, IdentityError> {
    if chain.len() > CHAIN_LENGTH {
        return Err(IdentityError::ChainTooLong { certificates: chain.len() });
    }
    let mut parsed = Vec::with_capacity(chain.len());
    for (index, der) in chain.iter().enumerate() {
        let certificate = Certificate::from_der(der);
        parsed.push(certificate.map_err(|cause| IdentityError::Certificate { ordinal: index + 1, cause })?);
    }
    let own = parsed.into_iter().next().ok_or(IdentityError::NoCertificate)?;
    own.key_type().check()?;
    Ok(own)
}

/// Signs with the key and verifies with the certificate: whatever the key is and wherever it lives, this is what a peer
/// will do. `None` if it signs by none of these schemes.
fn belong(
    certificate: &Certificate,
    key: &dyn SigningKey,
    schemes: &[SignatureScheme],
    provider: &CryptoProvider,
) -> Result<Option<bool>, IdentityError> {
    const MESSAGE: &[u8] = b"certmap: does this private key belong to this certificate?";
    let Some(signer) = key.choose_scheme(schemes) else { return Ok(None) };
    if !schemes.contains(&signer.scheme()) {
        return Ok(Some(false));
    }
    let proof = signer.sign(MESSAGE).map_err(|cause| IdentityError::Key { reason: cause.to_string() })?;
    let algorithms = &provider.signature_verification_algorithms;
    Ok(Some(signature::verify(MESSAGE, &certificate.public_key(), signer.scheme(), &proof, algorithms).is_ok()))
}

/// Why the key does not belong to the first certificate of the chain.
fn mismatch(
    certificate: &Certificate,
    chain: &[CertificateDer<'static>],
    key: &dyn SigningKey,
    provider: &CryptoProvider,
) -> IdentityError {
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let fits = |other: &Certificate| belong(other, key, &schemes, provider) == Ok(Some(true));
    let position = chain.iter().position(|der| Certificate::from_der(der).is_ok_and(|other| fits(&other)));
    let subject = Box::new(certificate.subject());
    match position {
        Some(position) => IdentityError::NotFirst { subject, ordinal: position + 1 },
        None => IdentityError::KeyMismatch { subject },
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { name, certificate, certified_key: _, exportable: _ } = &*self.0;
        f.debug_struct("Identity").field("name", name).field("certificate", certificate).finish_non_exhaustive()
    }
}

/// An [`Identity`] could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A certificate of the chain cannot be read.
    #[error("certificate {ordinal} of the chain cannot be read")]
    Certificate {
        /// Which one, counted from 1.
        ordinal: usize,
        /// Why.
        #[source]
        cause: InvalidCertificate,
    },
    /// The chain is longer than any peer will read.
    #[error("a chain of {certificates} certificates is too long, at most {CHAIN_LENGTH} are presented")]
    ChainTooLong {
        /// How many.
        certificates: usize,
    },
    /// The provider cannot use the private key.
    #[error("the private key cannot be used: {reason}")]
    Key {
        /// The provider's words; they never contain the key.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error("private key does not match the certificate `{subject}`: give the key that was made with this certificate")]
    KeyMismatch {
        /// The certificate's subject.
        subject: Box<DistinguishedName>,
    },
    /// The key could not be made.
    #[error("a key of this kind cannot be made: {reason}")]
    KeyGeneration {
        /// Why.
        reason: String,
    },
    /// The lifetime asked for is none, too long, or ends after the year 9999.
    #[error("a lifetime of {days} days is not possible: ask for 1 second to 20 years, ending before the year 10000")]
    Lifetime {
        /// What was asked for, in days.
        days: u64,
    },
    /// The key belongs to another certificate of the chain than the first.
    #[error(
        "private key does not match the certificate `{subject}`, but certificate {ordinal} of the chain: put that one first"
    )]
    NotFirst {
        /// The subject of the first certificate.
        subject: Box<DistinguishedName>,
        /// Which one it belongs to, counted from 1.
        ordinal: usize,
    },
    /// There is no certificate.
    #[error("there is no certificate: give the identity's own certificate first")]
    NoCertificate,
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// The key offers a signature scheme that its certificate cannot be used with.
    #[error(
        "private key fits the certificate `{subject}`, but it also offers to sign by {scheme}, which does not: have what holds it offer only what the certificate's key can do"
    )]
    Scheme {
        /// The certificate's subject.
        subject: Box<DistinguishedName>,
        /// The scheme, in rustls' words.
        scheme: String,
    },
    /// The certificate's key is too weak, too large, or of a type that no peer verifies.
    #[error(transparent)]
    UnfitKey(#[from] UnfitKey),
}
