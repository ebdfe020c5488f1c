//! The one judgement over a presented chain, asked by the handshake and by every decision.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};

use super::cache::{PathCache, PathKey};
use super::index::Printed;
use super::path::Search;
use super::verified::ValidPath;
use super::{Distrust, PathFailure, RevocationState, TrustIndex, Untrusted, VerifiedCertificate};
use crate::cert::{Certificate, Fingerprint};
use crate::limits::{CERTIFICATE_BYTES, CHAIN_LENGTH};
use crate::trace::{Check, Trace};

/// Whom a host trusts: a bundle, what its CAs took back, and who is denied.
///
/// What changes hourly (revocation) is apart from what does not; the valid paths that are remembered belong to both.
#[derive(Debug)]
pub(crate) struct TrustState {
    index: Arc<TrustIndex>,
    revocation: Arc<RevocationState>,
    cache: PathCache,
}

impl TrustState {
    /// `remembered` is how many valid paths are remembered.
    pub(crate) fn new(index: impl Into<Arc<TrustIndex>>, revocation: Arc<RevocationState>, remembered: usize) -> Self {
        Self { index: index.into(), revocation, cache: PathCache::new(remembered) }
    }

    /// The same trust under other revocation lists. Remembers no path.
    pub(crate) fn with_revocation(&self, revocation: Arc<RevocationState>) -> Self {
        Self { index: Arc::clone(&self.index), revocation, cache: self.cache.emptied() }
    }

    pub(crate) fn index(&self) -> &TrustIndex {
        &self.index
    }

    /// Judges a chain as it was presented, own certificate of the peer first.
    ///
    /// Only the first certificate is ever believed, and whoever presents it must prove elsewhere that it has the key.
    pub(crate) fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate<'_>, Distrust> {
        let index = &*self.index;
        let presented = chain.first();
        trace.step(Check::Presented, presented.is_some(), format_args!("{} certificates", chain.len()));
        let Some(presented) = presented else { return Err(Distrust::NoCertificate) };
        let bytes = presented.len();
        let fits = chain.len() <= CHAIN_LENGTH && bytes <= CERTIFICATE_BYTES;
        trace.step(Check::Size, fits, format_args!("{} certificates, the first of {bytes} bytes", chain.len()));
        if chain.len() > CHAIN_LENGTH {
            return Err(Distrust::ChainTooLong { certificates: chain.len() });
        }
        if bytes > CERTIFICATE_BYTES {
            return Err(Distrust::TooLarge { bytes });
        }
        if let Some(pin) = index.pins.get(&presented[..]) {
            trace.step(Check::Pin, true, format_args!("{} in bundle `{}`", Printed(pin.certificate()), index.bundle));
            return pin.believe(now, trace);
        }
        let fingerprint = Fingerprint::of(presented);
        trace.step(Check::Pin, false, format_args!("{fingerprint} in bundle `{}`", index.bundle));
        self.judge_unpinned(fingerprint, chain, now, trace)
    }

    fn judge_unpinned(
        &self,
        fingerprint: Fingerprint,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate<'_>, Distrust> {
        let index = &*self.index;
        let [presented, others @ ..] = chain else { return Err(Distrust::NoCertificate) };
        let (key, remembered) = self.recall(fingerprint, others, now);
        let certificate = match &remembered {
            Some(path) => path.certificate().clone(),
            None => Certificate::from_der_known(presented, fingerprint)
                .map_err(|cause| Distrust::Unknown { fingerprint, cause: Untrusted::Unreadable(cause) })?,
        };
        let denied = index.deny(&certificate);
        trace.step(Check::Denied, denied.is_ok(), format_args!("{fingerprint}"));
        denied?;
        let key_pin = index.key_pins.get(&certificate.spki_fingerprint());
        trace.step(Check::KeyPin, key_pin.is_some(), format_args!("{}", certificate.spki_fingerprint()));
        if key_pin.is_some() {
            return index.believe_key(certificate, now, trace);
        }
        let found = match remembered {
            Some(path) => Ok(path),
            None => self.search(&certificate, others, key, now),
        };
        match &found {
            Ok(path) => trace.step(Check::Path, true, format_args!("{path}")),
            Err(failure) => trace.step(Check::Path, false, format_args!("{failure}")),
        }
        found.map(VerifiedCertificate::under_anchors).map_err(|failure| {
            // Where no anchor has to do with it, a pin may.
            let known = failure.is_unknown_issuer().then(|| index.explain(&certificate, others));
            match known {
                Some(cause) if cause != Untrusted::Unknown || index.anchors.is_empty() => {
                    Distrust::Unknown { fingerprint, cause }
                }
                _ => Distrust::Path { fingerprint, failure: Box::new(failure) },
            }
        })
    }

    /// For a certificate that is believed as a pin, the first of the chain and of this fingerprint: the anchors that vouch for it
    /// too, if any do.
    pub(crate) fn also_under_anchors(
        &self,
        chain: &[CertificateDer<'_>],
        fingerprint: Fingerprint,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Option<Arc<ValidPath>> {
        let [presented, others @ ..] = chain else { return None };
        if self.index.anchors.is_empty() {
            return None;
        }
        let (key, remembered) = self.recall(fingerprint, others, now);
        let found = remembered.or_else(|| {
            let certificate = Certificate::from_der_known(presented, fingerprint).ok()?;
            self.search(&certificate, others, key, now).ok()
        });
        match &found {
            Some(path) => trace.step(Check::Path, true, format_args!("{path}")),
            None => trace.step(Check::Path, false, format_args!("no anchor vouches for the pinned certificate too")),
        }
        found
    }

    /// What a path for this is remembered under, if it may be, and the path if it is.
    fn recall(
        &self,
        end_entity: Fingerprint,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> (Option<PathKey>, Option<Arc<ValidPath>>) {
        // Certificates that are larger than they may be are nobody's path and worth no hash.
        let fit = others.iter().all(|other| other.len() <= CERTIFICATE_BYTES);
        if self.cache.is_off() || self.index.anchors.is_empty() || !fit {
            return (None, None);
        }
        let key = PathKey::new(end_entity, others);
        let remembered = self.cache.get(&key, now);
        (Some(key), remembered)
    }

    fn search(
        &self,
        certificate: &Certificate,
        others: &[CertificateDer<'_>],
        key: Option<PathKey>,
        now: UnixTime,
    ) -> Result<Arc<ValidPath>, PathFailure> {
        let search = Search::new(self.index.path_rules(&self.revocation), certificate, others, now);
        let path = Arc::new(search.run()?);
        if let Some(key) = key {
            self.cache.remember(key, search.lull(), Arc::clone(&path));
        }
        Ok(path)
    }
}
