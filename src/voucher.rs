//! (private) Who vouches for a certificate: what trust found out and rules ask for.

use core::fmt;

use crate::cert::{Fingerprint, SpkiFingerprint};

/// One anchor that vouches for a certificate, and through whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Voucher {
    /// The anchor.
    pub(crate) anchor: Fingerprint,
    /// The public key that signed the certificate: the anchor's or that of the lowest intermediate.
    pub(crate) issuer_key: SpkiFingerprint,
    /// The intermediates of the path, nearest to the certificate first.
    pub(crate) intermediates: Box<[Fingerprint]>,
    /// The fingerprints that these would have with their signatures written in the other way, which anybody can write.
    pub(crate) rewritten: Box<[Fingerprint]>,
}

impl Voucher {
    /// True if this CA is one of the intermediates, however its signature is written.
    pub(crate) fn goes_through(&self, ca: &Fingerprint) -> bool {
        self.intermediates.contains(ca) || self.rewritten.contains(ca)
    }
}

impl fmt::Display for Voucher {
    /// As a selector would have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "under {}", self.anchor)?;
        self.intermediates.iter().try_for_each(|ca| write!(f, " through {ca}"))?;
        write!(f, " issued-by {}", self.issuer_key)
    }
}
