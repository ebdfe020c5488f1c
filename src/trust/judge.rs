//! The one judgement over a presented chain, asked by the handshake and by every decision.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};

use super::cache::{PathCache, PathKey};
use super::chain::{Chain, Others};
use super::path::Search;
use super::verified::ValidPath;
use super::{Distrust, PathFailure, RevocationState, TrustIndex, Untrusted, VerifiedCertificate};
use crate::cert::{Certificate, Fingerprint};
use crate::limits::{CERTIFICATE_BYTES, CHAIN_LENGTH};
use crate::memory::Memory;
use crate::trace::{Check, Told, Trace};

/// Whom a host trusts: a bundle, what its CAs took back, and who is denied.
///
/// What changes hourly (revocation) is apart from what does not; the valid paths that are remembered belong to both.
#[derive(Debug)]
pub(crate) struct TrustState {
    index: Arc<TrustIndex>,
    revocation: Arc<RevocationState>,
    cache: PathCache,
    /// Intermediates of valid paths, by their fingerprints: a CA has few, and each is read once. What a certificate says depends on
    /// nothing but its bytes.
    intermediates: Memory<Fingerprint, Certificate>,
}

/// What a path is searched for among, and remembered under.
struct Asked<'a> {
    others: Others<'a>,
    /// `None` if nothing is remembered.
    key: Option<PathKey>,
}

/// How many intermediates are remembered.
const INTERMEDIATES: usize = 256;

impl TrustState {
    /// `remembered` is how many valid paths are remembered.
    pub(crate) fn new(index: impl Into<Arc<TrustIndex>>, revocation: Arc<RevocationState>, remembered: usize) -> Self {
        let intermediates = Memory::new(INTERMEDIATES.min(remembered));
        Self { index: index.into(), revocation, cache: PathCache::new(remembered), intermediates }
    }

    /// The same trust under other revocation lists. Remembers no path.
    pub(crate) fn with_revocation(&self, revocation: Arc<RevocationState>) -> Self {
        let (cache, intermediates) = (self.cache.emptied(), self.intermediates.emptied());
        Self { index: Arc::clone(&self.index), revocation, cache, intermediates }
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
        let parts = chain.split_first();
        trace.step(Check::Presented, parts.is_some(), format_args!("{} certificates", chain.len()));
        let Some((presented, others)) = parts else { return Err(Distrust::NoCertificate) };
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
            trace.step(
                Check::Pin,
                true,
                format_args!("{} in bundle `{}`", Told(|| pin.certificate().fingerprint()), index.bundle),
            );
            return pin.believe(now, trace);
        }
        let fingerprint = Fingerprint::of(presented);
        trace.step(Check::Pin, false, format_args!("{fingerprint}, which is none of bundle `{}`", index.bundle));
        self.judge_unpinned(fingerprint, presented, others, now, trace)
    }

    fn judge_unpinned(
        &self,
        fingerprint: Fingerprint,
        presented: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate<'_>, Distrust> {
        let index = &*self.index;
        let (asked, remembered) = self.recall(fingerprint, others, now);
        let certificate = match &remembered {
            Some(path) => path.certificate().clone(),
            None => Certificate::from_der_known(presented, fingerprint).map_err(|cause| {
                trace.step(Check::Certificate, false, format_args!("{cause}"));
                Distrust::Unknown { fingerprint, cause: Untrusted::Unreadable(cause) }
            })?,
        };
        let denied = index.deny(&certificate);
        match &denied {
            Err(Distrust::Denied { denial, .. }) => trace.step(Check::Denied, false, format_args!("`{denial}`")),
            _ => trace.step(Check::Denied, denied.is_ok(), format_args!("none for {fingerprint}")),
        }
        denied?;
        let keyed = !index.key_pins.is_empty() && index.key_pins.contains_key(&certificate.spki_fingerprint());
        trace.step(Check::KeyPin, keyed, format_args!("{}", Told(|| certificate.spki_fingerprint())));
        if keyed {
            return index.believe_key(certificate, now, trace);
        }
        let found = match remembered {
            Some(path) => Ok(path),
            None => self.search(asked, &certificate, now),
        };
        match &found {
            Ok(path) => trace.step(Check::Path, true, format_args!("{path}")),
            Err(failure) => trace.step(Check::Path, false, format_args!("{failure}")),
        }
        found.map(VerifiedCertificate::under_anchors).map_err(|failure| {
            // Where no anchor has to do with it, a pin may.
            let known = failure.is_unknown_issuer().then(|| index.explain(&certificate, others));
            match known {
                // Who made its certificate itself is no CA to be believed, but perhaps a partner to be pinned.
                Some(cause)
                    if cause != Untrusted::Unknown || index.anchors.is_empty() || certificate.is_self_issued() =>
                {
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
        let (asked, remembered) = self.recall(fingerprint, others, now);
        let found = remembered.or_else(|| {
            let certificate = Certificate::from_der_known(presented, fingerprint).ok()?;
            self.search(asked, &certificate, now).ok()
        });
        match &found {
            Some(path) => trace.step(Check::Path, true, format_args!("{path}")),
            None => trace.step(Check::Path, false, format_args!("no anchor vouches for the pinned certificate too")),
        }
        found
    }

    /// What a path for this is searched for among and remembered under, and the path if it is remembered.
    fn recall<'a>(
        &self,
        end_entity: Fingerprint,
        others: &'a [CertificateDer<'_>],
        now: UnixTime,
    ) -> (Asked<'a>, Option<Arc<ValidPath>>) {
        // Where there is no anchor there is no path, and what stands beside is worth no hash.
        let others = if self.index.anchors.is_empty() { &[] } else { others };
        let others = Others::new(end_entity, others);
        let key = (!self.cache.is_off()).then(|| PathKey::new(end_entity, &others));
        let remembered = key.as_ref().and_then(|key| self.cache.get(key, now));
        (Asked { others, key }, remembered)
    }

    fn search(
        &self,
        asked: Asked<'_>,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<Arc<ValidPath>, PathFailure> {
        let Asked { others, key } = asked;
        let read_before = |fingerprint: &Fingerprint| self.intermediates.get(fingerprint, |known| Some(known.clone()));
        let chain = Chain::new(certificate, &others, read_before);
        let search = Search::new(self.index.path_rules(&self.revocation), chain, now);
        let (path, lull) = search.run()?;
        // Nobody but an anchor gets a certificate into this memory.
        for intermediate in search.intermediates_of(&path) {
            let fingerprint = intermediate.fingerprint();
            if read_before(&fingerprint).is_none() {
                self.intermediates.remember(fingerprint, intermediate.clone());
            }
        }
        let path = Arc::new(path);
        if let Some(key) = key {
            self.cache.remember(key, lull, Arc::clone(&path));
        }
        Ok(path)
    }
}
