//! What servers hint about the CAs whose certificates they want, seen from the client.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use crate::cert::{Certificate, DistinguishedName};
use crate::limits::{UNFIT_HINT_NAMES, UNFIT_HINTS};

/// The last hints of servers that our identity did not fit: none of the names that the server gave is that of an issuer in
/// our chain.
///
/// The certificate is presented all the same, because a server may know it without hinting it. If it is refused, here
/// stands what the server would rather have seen. Bounded by [`UNFIT_HINTS`] and [`UNFIT_HINT_NAMES`]; cheap to clone, and
/// clones are one.
///
/// ```
/// use certmap::tls::UnfitHints;
/// let seen = UnfitHints::default(); // for `ClientConfigBuilder::with_unfit_hints`
/// assert!(seen.latest().is_empty());
/// ```
#[derive(Clone, Default)]
pub struct UnfitHints(Arc<Mutex<VecDeque<Vec<DistinguishedName>>>>);

impl UnfitHints {
    /// The names of each server that hinted others than ours, the latest last. Names that cannot be read are left out.
    #[must_use]
    pub fn latest(&self) -> Vec<Vec<DistinguishedName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// True if the identity fits; else what was hinted is remembered.
    fn note(&self, ours: &[Box<[u8]>], hinted: &[&[u8]]) {
        if fits(ours, hinted) {
            return;
        }
        let names = hinted.iter().take(UNFIT_HINT_NAMES).filter_map(|hint| DistinguishedName::from_der(hint).ok());
        let names: Vec<_> = names.collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.back() == Some(&names) {
            return;
        }
        if seen.len() >= UNFIT_HINTS {
            seen.pop_front();
        }
        seen.push_back(names);
    }
}

impl fmt::Debug for UnfitHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.latest()).finish()
    }
}

/// The DER of the issuers of a chain, as far as it can be read.
pub(crate) fn issuers(chain: &[CertificateDer<'_>]) -> Vec<Box<[u8]>> {
    let readable = chain.iter().filter_map(|der| Certificate::from_der(der).ok());
    readable.map(|certificate| certificate.issuer_der().into()).collect()
}

/// True if a client that obeys hints presents a chain of these issuers: if one of them is hinted, octet by octet, or nothing
/// is.
pub(crate) fn fits(issuers: &[Box<[u8]>], hinted: &[impl AsRef<[u8]>]) -> bool {
    hinted.is_empty() || hinted.iter().any(|hint| issuers.iter().any(|own| **own == *hint.as_ref()))
}

/// Presents one identity to every server, and notes hints that it does not fit.
#[derive(Debug)]
pub(super) struct Presenter {
    key: Arc<CertifiedKey>,
    /// The issuers of the certificates in our chain.
    issuers: Vec<Box<[u8]>>,
    unfit: UnfitHints,
}

impl Presenter {
    pub(super) fn new(key: Arc<CertifiedKey>, unfit: UnfitHints) -> Self {
        let issuers = issuers(&key.cert);
        Self { key, issuers, unfit }
    }
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.unfit.note(&self.issuers, hints);
        // A certificate whose key cannot sign as the server wants is of no use to it.
        self.key.key.choose_scheme(schemes).map(|_| Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
