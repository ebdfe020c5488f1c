//! Writing keys: PEM, DER, and encrypted by a password.

use zeroize::Zeroizing;

use super::{Exportable, Identity};
use crate::cert::{KeyType, encode};
use crate::pem;

#[cfg(feature = "encrypted-keys")]
pub use self::encrypted::EncryptKeyError;

impl Identity {
    /// The private key as PEM, in the form in which it was read or made; `None` if it is not in memory.
    ///
    /// # Security
    /// This is the secret itself, not encrypted. Write it where only its owner can read it.
    #[must_use]
    pub fn private_key_pem(&self) -> Option<Zeroizing<String>> {
        let key = self.0.exportable.as_ref()?;
        Some(Zeroizing::new(pem::write(key.label, &key.der)))
    }

    /// The private key as DER, in the form that every program reads, whatever form it was read from: PKCS#8 (RFC 5208,
    /// section 5). `None` if it is not in memory.
    ///
    /// # Security
    /// As of [`private_key_pem`](Self::private_key_pem).
    ///
    /// ```
    /// use certmap::Identity;
    /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
    /// # let erp = Identity::from_pem(&pem)?;
    /// let key = erp.private_key_der().ok_or("a key in memory")?;
    /// assert!(Identity::from_files(&erp.certificate().der(), &key).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn private_key_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Exportable { label, der } = &**self.0.exportable.as_ref()?;
        if *label == "PRIVATE KEY" {
            return Some(first_version(der));
        }
        // Both older forms leave the algorithm to the label or to what is around them; here the certificate tells it.
        let algorithm: &[u8] = match self.certificate().key_type() {
            KeyType::EcP256 => {
                &[0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]
            }
            KeyType::EcP384 => &[0x30, 16, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22],
            KeyType::EcP521 => &[0x30, 16, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23],
            KeyType::Rsa { .. } => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0],
            // Neither has an older form, nor can an identity be on the latter.
            KeyType::Ed25519 | KeyType::Other(_) => return None,
        };
        Some(key_info(algorithm, der))
    }
}

/// `PrivateKeyInfo` of version 1, in buffers that are wiped.
fn key_info(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(encode::octet_string(key));
    let mut content = Zeroizing::new(Vec::with_capacity(3 + algorithm.len() + key.len()));
    content.extend_from_slice(&[2, 1, 0]);
    content.extend_from_slice(algorithm);
    content.extend_from_slice(&key);
    Zeroizing::new(encode::tlv(der::Tag::Sequence, &content))
}

/// What providers make of Ed25519 keys is version 2, with the public key behind the private one (RFC 5958), which OpenSSL
/// and Java do not read.
pub(super) fn first_version(pkcs8: &[u8]) -> Zeroizing<Vec<u8>> {
    use der::{Decode as _, Encode as _, Reader as _};

    let read = |pkcs8: &[u8]| -> Result<Option<Zeroizing<Vec<u8>>>, der::Error> {
        let mut reader = der::SliceReader::new(der::AnyRef::from_der(pkcs8)?.value())?;
        let version: u8 = reader.decode()?;
        let algorithm = der::AnyRef::decode(&mut reader)?.to_der()?;
        let key: &der::asn1::OctetStringRef = reader.decode()?;
        Ok((version == 1).then(|| key_info(&algorithm, key.as_bytes())))
    };
    // What cannot be read here was read by the provider, and is given back as it came.
    read(pkcs8).ok().flatten().unwrap_or_else(|| Zeroizing::new(pkcs8.to_vec()))
}

#[cfg(feature = "encrypted-keys")]
mod encrypted {
    use der::Encode as _;
    use pkcs8::pkcs5::pbes2::Parameters;
    use rustls::crypto::CryptoProvider;
    use zeroize::Zeroizing;

    use super::Identity;
    use crate::cert::encode;
    use crate::identity::cipher::leaving_nothing;
    use crate::limits::{KEY_ITERATIONS, KEY_ITERATIONS_MAX, KEY_ITERATIONS_MIN};
    use crate::{NoCryptoProvider, pem, provider};

    impl Identity {
        /// The private key as PEM, encrypted by a password: PKCS#8 (RFC 5208, section 6) by PBES2 (RFC 8018) with
        /// PBKDF2-HMAC-SHA256, so many iterations, and AES-256-CBC. OpenSSL since 1.0 and Java since 19 read it. Salt and
        /// vector are random. Feature `encrypted-keys`.
        ///
        /// [`KEY_ITERATIONS`] iterations are a good number; each attempt to guess the
        /// password costs as much, and so does each reading. The password is taken as UTF-8.
        ///
        /// # Errors
        /// [`EncryptKeyError`] if the key is not in memory, the password is empty, the number of iterations is too small or
        /// too large, or there is no crypto provider or no random number.
        ///
        /// ```
        /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
        /// # let erp = certmap::Identity::from_pem(&pem)?;
        /// # let password = "test";
        /// # let iterations = certmap::limits::KEY_ITERATIONS_MIN; // quicker
        /// // let iterations = certmap::limits::KEY_ITERATIONS;
        /// let text = erp.encrypted_key_pem(password, iterations)?;
        /// assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn encrypted_key_pem(&self, password: &str, iterations: u32) -> Result<String, EncryptKeyError> {
            Ok(pem::write("ENCRYPTED PRIVATE KEY", &self.encrypted_key_der(password, iterations)?))
        }

        /// As [`encrypted_key_pem`](Self::encrypted_key_pem), as DER.
        ///
        /// # Errors
        /// As [`encrypted_key_pem`](Self::encrypted_key_pem).
        pub fn encrypted_key_der(&self, password: &str, iterations: u32) -> Result<Vec<u8>, EncryptKeyError> {
            self.encrypted_key_der_with_provider(password, iterations, &*provider::default()?)
        }

        /// As [`encrypted_key_der`](Self::encrypted_key_der), with the crypto provider whose random numbers are used.
        ///
        /// # Errors
        /// As [`encrypted_key_pem`](Self::encrypted_key_pem).
        pub fn encrypted_key_der_with_provider(
            &self,
            password: &str,
            iterations: u32,
            provider: &CryptoProvider,
        ) -> Result<Vec<u8>, EncryptKeyError> {
            let key = self.private_key_der().ok_or(EncryptKeyError::NotInMemory)?;
            if password.is_empty() {
                return Err(EncryptKeyError::EmptyPassword);
            }
            if !(KEY_ITERATIONS_MIN..=KEY_ITERATIONS_MAX).contains(&iterations) {
                return Err(EncryptKeyError::Iterations { iterations });
            }
            let (mut salt, mut vector) = ([0; 16], [0; BLOCK]);
            let filled = provider.secure_random.fill(&mut salt).and_then(|()| provider.secure_random.fill(&mut vector));
            filled.map_err(|_| EncryptKeyError::NoRandom)?;
            let unusable = |reason: String| EncryptKeyError::Unusable { reason };
            let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(iterations, &salt, vector);
            let parameters = parameters.map_err(|cause| unusable(cause.to_string()))?;
            // Encrypted where it stands, so that no other copy is left behind.
            let mut buffer = Zeroizing::new(Vec::with_capacity(key.len() + BLOCK));
            buffer.extend_from_slice(&key);
            buffer.resize(key.len() + BLOCK, 0);
            let encrypted = leaving_nothing(|| parameters.encrypt_in_place(password, &mut buffer, key.len()));
            let encrypted = encode::octet_string(encrypted.map_err(|cause| unusable(cause.to_string()))?);
            let scheme = pkcs8::pkcs5::EncryptionScheme::from(parameters).to_der();
            Ok(encode::sequence(&[scheme.map_err(|cause| unusable(cause.to_string()))?, encrypted]))
        }
    }

    /// Octets of a block of AES.
    const BLOCK: usize = 16;

    /// A private key could not be encrypted.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    #[non_exhaustive]
    pub enum EncryptKeyError {
        /// The password is empty.
        #[error("an empty password protects nothing: give one, or write the key unencrypted and guard the file")]
        EmptyPassword,
        /// Too few iterations protect nothing, too many nobody waits for.
        #[error(
            "{iterations} iterations are not possible: say {KEY_ITERATIONS_MIN} to {KEY_ITERATIONS_MAX}, {KEY_ITERATIONS} is a good number"
        )]
        Iterations {
            /// What was asked for.
            iterations: u32,
        },
        /// There is no crypto provider.
        #[error(transparent)]
        NoProvider(#[from] NoCryptoProvider),
        /// The provider has no random numbers.
        #[error("the crypto provider has no random numbers")]
        NoRandom,
        /// The key is not in memory.
        #[error("the private key is not in memory: export it with the tools of what holds it, if that allows it")]
        NotInMemory,
        /// The encryption failed.
        #[error("the private key cannot be encrypted: {reason}")]
        Unusable {
            /// Why; the key is not in it.
            reason: String,
        },
    }
}
