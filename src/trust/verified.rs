//! (private) The proof that a certificate was judged and believed.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

use super::PinPlace;
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::strength::Strength;
use crate::voucher::Voucher;

/// A certificate that the judgement believed, and what it believed it for. Made in this module's parent only.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedCertificate {
    pub(super) fingerprint: Fingerprint,
    pub(super) spki_fingerprint: SpkiFingerprint,
    pub(super) valid_until: UnixTime,
    pub(super) basis: Basis,
}

/// For what a certificate was believed.
#[derive(Clone, Debug)]
pub(super) enum Basis {
    KeyPin,
    Path(Arc<ValidPath>),
    Pin(PinPlace),
}

/// A certificate that at least one anchor vouches for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ValidPath {
    pub(super) certificate: Certificate,
    /// Every anchor that vouches, sorted by fingerprint; never empty.
    pub(super) vouchers: Vec<Voucher>,
    /// The last second in which a search surely finds the same: nothing that it looked at begins or ends before.
    pub(super) valid_until: UnixTime,
}

impl VerifiedCertificate {
    pub(crate) fn under_anchors(path: Arc<ValidPath>) -> Self {
        Self {
            fingerprint: path.certificate.fingerprint(),
            spki_fingerprint: path.certificate.spki_fingerprint(),
            valid_until: path.valid_until,
            basis: Basis::Path(path),
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn spki_fingerprint(&self) -> SpkiFingerprint {
        self.spki_fingerprint
    }

    /// How strongly it is believed. An anchor does not weaken a rule that names the exact certificate.
    pub(crate) fn strength(&self) -> Strength {
        match self.basis {
            Basis::KeyPin => Strength::Key,
            Basis::Path(_) | Basis::Pin(_) => Strength::Certificate,
        }
    }

    /// The last second in which the same judgement holds.
    pub(crate) fn valid_until(&self) -> UnixTime {
        self.valid_until
    }

    /// Which pin it is; `None` if it was not believed as one, or for its key.
    pub(crate) fn pin(&self) -> Option<PinPlace> {
        match self.basis {
            Basis::Pin(place) => Some(place),
            Basis::KeyPin | Basis::Path(_) => None,
        }
    }

    /// The certificate and who vouches for it; `None` if it was believed as a pin.
    pub(crate) fn path(&self) -> Option<&ValidPath> {
        match &self.basis {
            Basis::Path(path) => Some(path),
            Basis::KeyPin | Basis::Pin(_) => None,
        }
    }
}

impl ValidPath {
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn vouchers(&self) -> &[Voucher] {
        &self.vouchers
    }
}

impl fmt::Display for ValidPath {
    /// For traces: who vouches, as selectors would have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        self.vouchers.iter().try_for_each(|voucher| {
            write!(f, "{separator}{voucher}")?;
            separator = ", ";
            Ok(())
        })
    }
}
