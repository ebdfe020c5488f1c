//! The one judgement over a presented chain, asked by the handshake and by every decision.

use core::fmt;
use std::collections::HashMap;

use rustls::pki_types::{CertificateDer, UnixTime};

use super::{BundleName, Entry, EntryKind, TrustBundle, VerifiedCertificate};
use crate::cert::{
    Certificate, DistinguishedName, Fingerprint, InvalidCertificate, SpkiFingerprint, Standing, Validity, show,
};
use crate::limits::{CERTIFICATE_BYTES, CHAIN_LENGTH};
use crate::strength::Strength;
use crate::trace::{Check, Trace};

/// A trust bundle, indexed for judging.
#[derive(Debug)]
pub(crate) struct TrustState {
    bundle: BundleName,
    pins: HashMap<Fingerprint, Pin>,
    /// To say what an unknown certificate has to do with a pin. Never to admit it.
    keys: HashMap<SpkiFingerprint, Fingerprint>,
    names: HashMap<DistinguishedName, Named>,
}

/// What the judgement needs of a pinned certificate.
#[derive(Debug)]
struct Pin {
    spki_fingerprint: SpkiFingerprint,
    validity: Validity,
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
    ChainTooLong { certificates: usize },
    Expired { fingerprint: Fingerprint, validity: Validity },
    NoCertificate,
    NotYetValid { fingerprint: Fingerprint, validity: Validity },
    TooLarge { bytes: usize },
    Unknown { fingerprint: Fingerprint, cause: Untrusted },
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

impl TrustState {
    pub(crate) fn new(bundle: &TrustBundle) -> Self {
        let mut state = Self {
            bundle: bundle.name().clone(),
            pins: HashMap::with_capacity(bundle.len()),
            keys: HashMap::with_capacity(bundle.len()),
            names: HashMap::with_capacity(bundle.len()),
        };
        for certificate in bundle.entries().filter(|entry| entry.kind() == EntryKind::Pin).map(Entry::certificate) {
            let fingerprint = certificate.fingerprint();
            let (spki_fingerprint, validity) = (certificate.spki_fingerprint(), certificate.validity());
            state.keys.insert(spki_fingerprint, fingerprint);
            let subject = certificate.subject();
            if !subject.is_empty() {
                state.names.insert(subject, Named { fingerprint, is_ca: certificate.is_ca() });
            }
            state.pins.insert(fingerprint, Pin { spki_fingerprint, validity });
        }
        state
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
        let pin = self.pins.get(&fingerprint);
        trace.step(Check::Pin, pin.is_some(), format_args!("{fingerprint} in bundle `{}`", self.bundle));
        let Some(pin) = pin else {
            return Err(Distrust::Unknown { fingerprint, cause: self.explain(chain) });
        };
        let validity = pin.validity;
        let standing = validity.standing(now);
        trace.step(Check::Validity, standing == Standing::Within, format_args!("{validity}, now {}", show(now)));
        match standing {
            Standing::Early => Err(Distrust::NotYetValid { fingerprint, validity }),
            Standing::Late => Err(Distrust::Expired { fingerprint, validity }),
            Standing::Within => Ok(VerifiedCertificate {
                fingerprint,
                spki_fingerprint: pin.spki_fingerprint,
                strength: Strength::Certificate,
                valid_until: validity.not_after(),
            }),
        }
    }

    /// What an unknown certificate has to do with what is pinned; one parse and a few probes, whatever was sent.
    fn explain(&self, chain: &[CertificateDer<'_>]) -> Untrusted {
        let [presented, others @ ..] = chain else { return Untrusted::Unknown };
        let certificate = match Certificate::from_der(presented) {
            Ok(certificate) => certificate,
            Err(cause) => return Untrusted::Unreadable(cause),
        };
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
