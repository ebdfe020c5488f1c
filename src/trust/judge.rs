//! The one judgement over a presented chain, asked by the handshake and by every decision.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};

use super::anchors::AnchorIndex;
use super::cache::{PathCache, PathKey};
use super::member::purposes;
use super::path::{PathRules, Search};
use super::path_failure::Purposes;
use super::verified::{Basis, ValidPath};
use super::{
    Algorithms, BundleName, ClientPurpose, Denial, DenyList, Entry, EntryKind, PathFailure, RevocationState,
    TrustBundle, VerifiedCertificate,
};
use crate::cert::{
    Certificate, DistinguishedName, Fingerprint, InvalidCertificate, SpkiFingerprint, Standing, Validity, show,
};
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

/// A trust bundle, indexed for judging, and the denials that go before it.
#[derive(Debug)]
pub(crate) struct TrustIndex {
    bundle: BundleName,
    pins: HashMap<Fingerprint, Pin>,
    /// Key pins, by the fingerprint of the certificate that the partner gave.
    key_pins: HashMap<SpkiFingerprint, Fingerprint>,
    anchors: AnchorIndex,
    purpose: ClientPurpose,
    pin_purpose: Option<ClientPurpose>,
    path_length: Option<u32>,
    deny: Arc<DenyList>,
    algorithms: Algorithms,
    /// To say what an unknown certificate has to do with a pin. Never to admit it.
    keys: HashMap<SpkiFingerprint, Fingerprint>,
    names: HashMap<DistinguishedName, Named>,
}

/// What the judgement needs of a certificate that is pinned, itself or by its key.
#[derive(Debug)]
struct Pin {
    spki_fingerprint: SpkiFingerprint,
    validity: Validity,
    /// Why it is refused whenever it is presented.
    barred: Option<Box<Distrust>>,
}

/// A pin as it is remembered under its name.
#[derive(Debug)]
struct Named {
    fingerprint: Fingerprint,
    is_ca: bool,
}

/// Why the judgement did not believe a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    ChainTooLong {
        certificates: usize,
    },
    Denied {
        fingerprint: Fingerprint,
        denial: Denial,
    },
    Expired {
        fingerprint: Fingerprint,
        validity: Validity,
    },
    NoCertificate,
    NotYetValid {
        fingerprint: Fingerprint,
        validity: Validity,
    },
    Path {
        fingerprint: Fingerprint,
        failure: Box<PathFailure>,
    },
    /// A pin that is not for clients, where the bundle asks that it is.
    PinPurpose {
        fingerprint: Fingerprint,
        stated: String,
    },
    TooLarge {
        bytes: usize,
    },
    Unknown {
        fingerprint: Fingerprint,
        cause: Untrusted,
    },
}

/// What is known about a certificate that is not trusted, to tell the operator what probably happened. None of it admits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untrusted {
    /// It claims to be issued by a pinned certificate, and pins issue nothing.
    IssuedByPin {
        /// The pin.
        pin: Fingerprint,
        /// The pin says that it is a CA: perhaps it was pinned in the place of this certificate.
        pin_is_ca: bool,
    },
    /// It carries a pinned certificate's key: probably the partner renewed its certificate.
    KeyOfPin {
        /// The pin.
        pin: Fingerprint,
    },
    /// It carries a pinned certificate's name on another key: the partner made a new key, or somebody poses as it.
    NameOfPin {
        /// The pin.
        pin: Fingerprint,
    },
    /// A pinned certificate follows it in the chain, and only the first certificate counts.
    PinInChain {
        /// The pin.
        pin: Fingerprint,
    },
    /// Nothing is known about it.
    Unknown,
    /// It cannot be read.
    Unreadable(InvalidCertificate),
}

impl TrustIndex {
    pub(crate) fn new(bundle: &TrustBundle, deny: Arc<DenyList>, algorithms: Algorithms) -> Self {
        let mut index = Self {
            bundle: bundle.name().clone(),
            pins: HashMap::with_capacity(bundle.len()),
            key_pins: HashMap::new(),
            anchors: AnchorIndex::new(bundle.entries()),
            purpose: bundle.purpose(),
            pin_purpose: bundle.pin_purpose(),
            path_length: bundle.path_length(),
            deny,
            algorithms,
            keys: HashMap::with_capacity(bundle.len()),
            names: HashMap::with_capacity(bundle.len()),
        };
        for entry in bundle.entries() {
            let certificate = entry.certificate();
            let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
            match entry.kind() {
                EntryKind::Anchor => continue,
                EntryKind::KeyPin => {
                    index.key_pins.insert(key, fingerprint);
                }
                EntryKind::Pin => {
                    let pin = Pin::new(&index, certificate);
                    index.pins.insert(fingerprint, pin);
                }
            }
            // Of several the one with the smallest fingerprint is told, whatever their order.
            index.keys.entry(key).and_modify(|known| *known = fingerprint.min(*known)).or_insert(fingerprint);
            let subject = certificate.subject();
            if !subject.is_empty() {
                let named = || Named { fingerprint, is_ca: certificate.is_ca() };
                let known = index.names.entry(subject).or_insert_with(named);
                if fingerprint < known.fingerprint {
                    *known = named();
                }
            }
        }
        index
    }

    pub(crate) fn anchors(&self) -> impl Iterator<Item = &Certificate> {
        self.anchors.certificates()
    }

    /// The anchors of the bundle that issued this certificate directly and vouch for it, for as much as can be told without
    /// the intermediates that only a peer presents: at the first moment in which it and all anchors of its issuer's name are
    /// valid, whatever is revoked.
    pub(crate) fn direct_path(&self, certificate: &Certificate) -> Option<ValidPath> {
        let issuers = self.anchors.named(certificate.issuer_der()).iter().flat_map(|group| &group.members);
        let moment = issuers.chain([certificate]).map(|one| one.validity().not_before()).max_by_key(UnixTime::as_secs);
        Search::new(self.path_rules(&RevocationState::default()), certificate, &[], moment?).run().ok()
    }

    fn path_rules<'a>(&'a self, revocation: &'a RevocationState) -> PathRules<'a> {
        PathRules {
            anchors: &self.anchors,
            algorithms: self.algorithms,
            revocation,
            deny: &self.deny,
            purpose: self.purpose,
            path_length: self.path_length,
        }
    }

    /// Entries whose key no signature can be verified with.
    pub(crate) fn unverifiable<'a>(&self, bundle: &'a TrustBundle) -> impl Iterator<Item = &'a Entry> {
        let algorithms = self.algorithms;
        bundle.entries().filter(move |entry| !algorithms.verify(entry.certificate().key_type()))
    }

    /// What keeps a pinned certificate out at any time: a denial, or a purpose that was asked for.
    fn bar(&self, certificate: &Certificate) -> Result<(), Distrust> {
        let fingerprint = certificate.fingerprint();
        self.deny(certificate)?;
        let stated = certificate.extensions().allows_client_auth();
        let fits = match self.pin_purpose {
            None => true,
            Some(ClientPurpose::IfStated) => stated != Some(false),
            Some(ClientPurpose::Required) => stated == Some(true),
        };
        if fits {
            return Ok(());
        }
        let stated = Purposes(purposes(certificate).as_ref()).to_string();
        Err(Distrust::PinPurpose { fingerprint, stated })
    }

    fn deny(&self, certificate: &Certificate) -> Result<(), Distrust> {
        let fingerprint = certificate.fingerprint();
        match self.deny.find(certificate) {
            Some(denial) => Err(Distrust::Denied { fingerprint, denial: denial.clone() }),
            None => Ok(()),
        }
    }

    /// What an unknown certificate has to do with what is pinned; a few probes, whatever was sent.
    fn explain(&self, certificate: &Certificate, others: &[CertificateDer<'_>]) -> Untrusted {
        if let Some(pin) = self.keys.get(&certificate.spki_fingerprint()) {
            return Untrusted::KeyOfPin { pin: *pin };
        }
        let (issuer, subject) = (certificate.issuer(), certificate.subject());
        if let Some(pin) = self.names.get(&issuer).filter(|_| issuer != subject) {
            return Untrusted::IssuedByPin { pin: pin.fingerprint, pin_is_ca: pin.is_ca };
        }
        if let Some(pin) = self.names.get(&subject) {
            return Untrusted::NameOfPin { pin: pin.fingerprint };
        }
        let pinned = others.iter().map(|other| Fingerprint::of(other)).find(|other| self.pins.contains_key(other));
        pinned.map_or(Untrusted::Unknown, |pin| Untrusted::PinInChain { pin })
    }
}

impl Pin {
    fn new(index: &TrustIndex, certificate: &Certificate) -> Self {
        Self {
            spki_fingerprint: certificate.spki_fingerprint(),
            validity: certificate.validity(),
            barred: index.bar(certificate).err().map(Box::new),
        }
    }

    /// Believes what was presented, unless it is barred or outside its validity.
    fn believe(
        &self,
        fingerprint: Fingerprint,
        basis: Basis,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate, Distrust> {
        let Self { spki_fingerprint, validity, ref barred } = *self;
        trace.step(Check::Barred, barred.is_none(), format_args!("{fingerprint}"));
        if let Some(cause) = barred {
            return Err((**cause).clone());
        }
        let standing = validity.standing(now);
        trace.step(Check::Validity, standing == Standing::Within, format_args!("{validity}, now {}", show(now)));
        match standing {
            Standing::Early => Err(Distrust::NotYetValid { fingerprint, validity }),
            Standing::Late => Err(Distrust::Expired { fingerprint, validity }),
            Standing::Within => {
                Ok(VerifiedCertificate { fingerprint, spki_fingerprint, valid_until: validity.not_after(), basis })
            }
        }
    }
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
    ) -> Result<VerifiedCertificate, Distrust> {
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
        let fingerprint = Fingerprint::of(presented);
        let pin = index.pins.get(&fingerprint);
        trace.step(Check::Pin, pin.is_some(), format_args!("{fingerprint} in bundle `{}`", index.bundle));
        let Some(pin) = pin else { return self.judge_unpinned(fingerprint, chain, now, trace) };
        pin.believe(fingerprint, Basis::Pin, now, trace)
    }

    fn judge_unpinned(
        &self,
        fingerprint: Fingerprint,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate, Distrust> {
        let index = &*self.index;
        let [presented, others @ ..] = chain else { return Err(Distrust::NoCertificate) };
        let (key, remembered) = self.recall(fingerprint, others, now);
        let certificate = match &remembered {
            Some(path) => path.certificate().clone(),
            None => Certificate::from_der(presented)
                .map_err(|cause| Distrust::Unknown { fingerprint, cause: Untrusted::Unreadable(cause) })?,
        };
        let denied = index.deny(&certificate);
        trace.step(Check::Denied, denied.is_ok(), format_args!("{fingerprint}"));
        denied?;
        let key_pin = index.key_pins.get(&certificate.spki_fingerprint());
        trace.step(Check::KeyPin, key_pin.is_some(), format_args!("{}", certificate.spki_fingerprint()));
        if key_pin.is_some() {
            return Pin::new(index, &certificate).believe(fingerprint, Basis::KeyPin, now, trace);
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

    /// For a certificate that is believed as a pin: the anchors that vouch for it too, if any do.
    pub(crate) fn also_under_anchors(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Option<Arc<ValidPath>> {
        let [presented, others @ ..] = chain else { return None };
        if self.index.anchors.is_empty() {
            return None;
        }
        let (key, remembered) = self.recall(Fingerprint::of(presented), others, now);
        let found = remembered.or_else(|| {
            let certificate = Certificate::from_der(presented).ok()?;
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

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuedByPin { pin, pin_is_ca: _ } => {
                write!(f, "it claims to be issued by the pinned certificate {pin}, and a pin issues nothing")
            }
            Self::KeyOfPin { pin } => {
                write!(f, "it carries the key of the pinned certificate {pin}, but is another certificate")
            }
            Self::NameOfPin { pin } => write!(f, "it carries the name of the pinned certificate {pin}, on another key"),
            Self::PinInChain { pin } => {
                write!(f, "the pinned certificate {pin} follows it in the chain, but only the first one counts")
            }
            Self::Unknown => f.write_str("it is not in the bundle"),
            Self::Unreadable(cause) => write!(f, "it cannot be read: {cause}"),
        }
    }
}
