//! A provider that verifies each signature once: the same few certificates are asked about millions of times.

use std::cell::RefCell;
use std::collections::HashMap;

use certmap::rustls::SignatureScheme;
use certmap::rustls::crypto::aws_lc_rs::default_provider;
use certmap::rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use certmap::rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

#[derive(Debug)]
struct Once;

static ONCE: &[&dyn SignatureVerificationAlgorithm] = &[&Once];
static MAPPING: &[(SignatureScheme, &[&dyn SignatureVerificationAlgorithm])] =
    &[(SignatureScheme::ECDSA_NISTP256_SHA256, ONCE)];

thread_local! {
    static KNOWN: RefCell<HashMap<Vec<u8>, bool>> = RefCell::default();
}

impl SignatureVerificationAlgorithm for Once {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let mut question = Vec::with_capacity(key.len() + message.len() + signature.len() + 24);
        for part in [key, message, signature] {
            question.extend(part.len().to_be_bytes());
            question.extend(part);
        }
        let verify = || {
            let algorithms = default_provider().signature_verification_algorithms.all;
            let mut fitting = algorithms.iter().filter(|algorithm| {
                algorithm.public_key_alg_id() == self.public_key_alg_id()
                    && algorithm.signature_alg_id() == self.signature_alg_id()
            });
            fitting.any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok())
        };
        let good = KNOWN.with_borrow_mut(|known| *known.entry(question).or_insert_with(verify));
        if good { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

/// Verifies what the certificates here are signed with: ECDSA on P-256 with SHA-256.
#[must_use]
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms { all: ONCE, mapping: MAPPING },
        ..default_provider()
    }
}
