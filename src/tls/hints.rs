//! What servers hint about the CAs whose certificates they want, seen from the client.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
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
        if hinted.is_empty() || hinted.iter().any(|hint| ours.iter().any(|own| **own == **hint)) {
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
        let readable = key.cert.iter().filter_map(|der| Certificate::from_der(der).ok());
        let issuers = readable.map(|certificate| certificate.issuer_der().into()).collect();
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
