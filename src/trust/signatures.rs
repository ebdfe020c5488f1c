//! (private) Verifying signatures of certificates and lists, with a count: what a peer may cost is bounded.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::sync::atomic::{AtomicUsize, Ordering};

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use webpki::RawPublicKeyEntity;

use crate::cert::{Certificate, KeyType, RevocationList};
use crate::limits::{LISTS_PER_DECISION, SIGNATURES_PER_DECISION};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// The algorithms of a provider.
#[derive(Clone, Copy, Default)]
pub(crate) struct Algorithms(&'static [Algorithm]);

// To verify is to compute: no algorithm keeps what a panic could leave half done.
impl UnwindSafe for Algorithms {}
impl RefUnwindSafe for Algorithms {}

impl Algorithms {
    pub(crate) fn new(supported: &WebPkiSupportedAlgorithms) -> Self {
        Self(supported.all)
    }

    /// True if signatures of such a key can be verified at all.
    pub(crate) fn verify(self, key: &KeyType) -> bool {
        let wanted = match key {
            KeyType::EcP256 => alg_id::ECDSA_P256,
            KeyType::EcP384 => alg_id::ECDSA_P384,
            KeyType::EcP521 => alg_id::ECDSA_P521,
            KeyType::Ed25519 => alg_id::ED25519,
            KeyType::Rsa { .. } => alg_id::RSA_ENCRYPTION,
            KeyType::Other(_) => return false,
        };
        self.0.iter().any(|algorithm| algorithm.public_key_alg_id() == wanted)
    }
}

impl Algorithms {
    /// True if the certificate is signed by its own key, false if by another; `None` if nobody can tell, because the algorithm
    /// is too weak or unknown.
    pub(super) fn self_signed(self, certificate: &Certificate) -> Option<bool> {
        let (key, signed) = (certificate.public_key(), certificate.signed());
        let key = RawPublicKeyEntity::try_from(&key).ok()?;
        let mut known = self.0.iter().filter(|one| *one.signature_alg_id() == *signed.algorithm).peekable();
        known.peek()?;
        Some(known.any(|one| key.verify_signature(*one, signed.message, signed.signature).is_ok()))
    }
}

/// By where they stand: the same algorithms elsewhere are taken for others.
impl PartialEq for Algorithms {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl Eq for Algorithms {}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} algorithms", self.0.len())
    }
}

/// What one decision may verify: certificates by their signatures, and lists.
#[derive(Debug)]
pub(crate) struct Signatures {
    algorithms: Algorithms,
    certificates: Budget,
    lists: Budget,
}

/// A number, to be spent. Goes below zero, as a wrapped number, when more is asked for than there is.
#[derive(Debug)]
struct Budget(AtomicUsize);

/// Half of the numbers are those below zero.
const MOST: usize = usize::MAX / 2;

impl Budget {
    /// True if there was one left.
    fn spend(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed).wrapping_sub(1) <= MOST
    }

    fn is_exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MOST
    }
}

impl Signatures {
    /// For one decision about what a peer presented.
    pub(super) fn of_a_decision(algorithms: Algorithms) -> Self {
        let budget = |count| Budget(AtomicUsize::new(count));
        let (certificates, lists) = (budget(SIGNATURES_PER_DECISION), budget(LISTS_PER_DECISION));
        Self { algorithms, certificates, lists }
    }

    /// For what comes from the operator.
    pub(super) fn unlimited(algorithms: Algorithms) -> Self {
        let budget = || Budget(AtomicUsize::new(MOST));
        Self { algorithms, certificates: budget(), lists: budget() }
    }

    /// What more was asked for of than there was, if that is so: what was found out meanwhile is no answer.
    pub(super) fn exhausted(&self) -> Option<&'static str> {
        if self.certificates.is_exhausted() {
            return Some("more signatures than a decision verifies");
        }
        self.lists.is_exhausted().then_some("more revocation lists than a decision asks")
    }

    /// True if another list may be asked.
    pub(super) fn spend_list(&self) -> bool {
        self.lists.spend()
    }

    /// The algorithms, each verification counted.
    pub(super) fn counted(&self) -> Vec<Counted<'_>> {
        self.algorithms.0.iter().map(|algorithm| Counted { algorithm: *algorithm, signatures: self }).collect()
    }

    /// True if there is an algorithm of the list's signature, so that it can be verified at all.
    pub(super) fn know(&self, list: &RevocationList) -> bool {
        self.algorithms.0.iter().any(|algorithm| *algorithm.signature_alg_id() == *list.signature_algorithm())
    }

    /// True if the key of `issuer` signed the list.
    pub(super) fn verify_list(&self, list: &RevocationList, issuer: &Certificate) -> bool {
        let key = issuer.public_key();
        let Ok(key) = RawPublicKeyEntity::try_from(&key) else { return false };
        let mut fitting =
            self.algorithms.0.iter().filter(|algorithm| *algorithm.signature_alg_id() == *list.signature_algorithm());
        fitting.any(|algorithm| key.verify_signature(*algorithm, list.to_be_signed(), list.signature()).is_ok())
    }
}

/// An algorithm that verifies as long as there is something left to spend.
pub(super) struct Counted<'a> {
    algorithm: Algorithm,
    signatures: &'a Signatures,
}

impl SignatureVerificationAlgorithm for Counted<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if !self.signatures.certificates.spend() {
            return Err(InvalidSignature);
        }
        self.algorithm.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.algorithm.fips()
    }
}

impl fmt::Debug for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.algorithm.fmt(f)
    }
}
