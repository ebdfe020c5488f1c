//! A certificate that was made, with its chain and its key.

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::cert::Certificate;
use crate::identity::generate::new_key;
use crate::identity::{Identity, NewKey};
use crate::provider;

/// A certificate made for a test, its chain and its key.
#[derive(Clone, Debug)]
pub struct TestIdentity {
    pub(super) certificate: Certificate,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: TestKey,
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

    /// The chain as most peers present it: without the self-signed certificate at its top, unless that is all there is.
    ///
    /// # Panics
    /// Never: what stands in the chain was read when it was made.
    #[must_use]
    pub fn chain_without_root(&self) -> &[CertificateDer<'static>] {
        match self.chain.as_slice() {
            [below @ .., top] if !below.is_empty() => {
                let top = Certificate::from_der(top).expect("what we write we read");
                if top.issuer_der() == top.subject_der() { below } else { &self.chain }
            }
            whole => whole,
        }
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

/// A private key that prints nothing of itself.
#[derive(Clone)]
pub(super) struct TestKey(pub(super) Arc<PrivateKeyDer<'static>>);

impl TestKey {
    pub(super) fn new(kind: NewKey) -> Self {
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

impl core::fmt::Debug for TestKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TestKey")
    }
}
