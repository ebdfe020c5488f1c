//! Keys that are not in our memory: hardware, a key service, another process.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};

use super::{Identity, IdentityError, Inner, belong, check_chain, mismatch};
use crate::provider;

impl Identity {
    /// From a certificate chain (own certificate first) and something that signs with its private key, wherever that is:
    /// a smart card, a hardware security module, a key service.
    ///
    /// That it is the right key is proven by signatures, one by each scheme that it offers and this build can verify,
    /// because a peer may choose any of them. It need not tell its public half. The key cannot be exported.
    ///
    /// # Errors
    /// [`IdentityError`] as for [`new`](Self::new); [`IdentityError::Key`] if it does not sign, or by no scheme that this
    /// build can verify; [`IdentityError::Scheme`] if it signs by some of its schemes for this certificate, but not by all.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use certmap::Identity;
    /// use certmap::rustls::{SignatureAlgorithm, SignatureScheme, sign::{Signer, SigningKey}};
    ///
    /// /// A key that signs and tells nothing else.
    /// #[derive(Debug)]
    /// struct Module(Arc<dyn SigningKey>);
    /// impl SigningKey for Module {
    ///     fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
    ///         self.0.choose_scheme(offered)
    ///     }
    ///     fn algorithm(&self) -> SignatureAlgorithm {
    ///         self.0.algorithm()
    ///     }
    /// }
    /// # use certmap::testing::TestCertificate;
    /// # let (made, other) = (TestCertificate::new("CN=erp").self_signed(), TestCertificate::new("CN=b").self_signed());
    /// # let (chain, key) = (made.chain().to_vec(), made.key());
    /// # let key = certmap::rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)?;
    /// let erp = Identity::from_signing_key(chain, Arc::new(Module(key.clone())))?;
    /// assert!(erp.private_key_pem().is_none());
    /// assert!(Identity::from_signing_key(other.chain().to_vec(), Arc::new(Module(key))).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_signing_key(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
    ) -> Result<Self, IdentityError> {
        Self::from_signing_key_with_provider(chain, key, &*provider::default()?)
    }

    /// As [`from_signing_key`](Self::from_signing_key), with the crypto provider that verifies the signatures.
    ///
    /// # Errors
    /// As [`from_signing_key`](Self::from_signing_key).
    pub fn from_signing_key_with_provider(
        chain: Vec<CertificateDer<'static>>,
        key: Arc<dyn SigningKey>,
        provider: &CryptoProvider,
    ) -> Result<Self, IdentityError> {
        let certificate = check_chain(&chain)?;
        let supported = provider.signature_verification_algorithms.supported_schemes();
        let mut fitting = false;
        let mut unfit = None;
        for scheme in supported {
            match belong(&certificate, key.as_ref(), &[scheme], provider)? {
                None => {}
                Some(true) => fitting = true,
                Some(false) => unfit = unfit.or(Some(scheme)),
            }
        }
        match (fitting, unfit) {
            (true, None) => {}
            (true, Some(scheme)) => {
                let subject = Box::new(certificate.subject());
                return Err(IdentityError::Scheme { subject, scheme: format!("{scheme:?}") });
            }
            (false, Some(_)) => return Err(mismatch(&certificate, &chain, key.as_ref(), provider)),
            (false, None) => {
                let reason = "it offers no signature scheme that can be verified here".to_owned();
                return Err(IdentityError::Key { reason });
            }
        }
        let certified_key = Arc::new(CertifiedKey::new(chain, key));
        Ok(Self(Arc::new(Inner { name: None, certificate, certified_key, exportable: None })))
    }
}
