//! The proof that a certificate was judged and believed.

use rustls::pki_types::UnixTime;

use crate::cert::{Fingerprint, SpkiFingerprint};
use crate::strength::Strength;

/// A certificate that the judgement believed, and what it believed it for. Made in this module's parent only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VerifiedCertificate {
    pub(super) fingerprint: Fingerprint,
    pub(super) spki_fingerprint: SpkiFingerprint,
    pub(super) strength: Strength,
    pub(super) valid_until: UnixTime,
}

impl VerifiedCertificate {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn spki_fingerprint(&self) -> SpkiFingerprint {
        self.spki_fingerprint
    }

    /// How strongly it is believed.
    pub(crate) fn strength(&self) -> Strength {
        self.strength
    }

    /// The last second in which the same judgement holds.
    pub(crate) fn valid_until(&self) -> UnixTime {
        self.valid_until
    }
}
