//! (private) The proof that a certificate was judged and believed.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

use super::PinPlace;
use super::index::Pin;
use crate::cert::Certificate;
use crate::strength::Strength;
use crate::voucher::Voucher;

/// A certificate that the judgement believed, and what it believed it for. Made in this module's parent only.
#[derive(Debug)]
pub(crate) struct VerifiedCertificate<'a>(pub(super) Basis<'a>);

/// For what a certificate was believed.
#[derive(Debug)]
pub(super) enum Basis<'a> {
    /// Its key, which is pinned.
    Key(Certificate),
    Path(Arc<ValidPath>),
    Pin(&'a Pin),
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

impl VerifiedCertificate<'_> {
    pub(crate) fn under_anchors(path: Arc<ValidPath>) -> Self {
        Self(Basis::Path(path))
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        match &self.0 {
            Basis::Key(certificate) => certificate,
            Basis::Path(path) => &path.certificate,
            Basis::Pin(pin) => pin.certificate(),
        }
    }

    /// How strongly it is believed. An anchor does not weaken a rule that names the exact certificate.
    pub(crate) fn strength(&self) -> Strength {
        match self.0 {
            Basis::Key(_) => Strength::Key,
            Basis::Path(_) | Basis::Pin(_) => Strength::Certificate,
        }
    }

    /// The last second in which the same judgement holds.
    pub(crate) fn valid_until(&self) -> UnixTime {
        match &self.0 {
            Basis::Key(certificate) => certificate.validity().not_after(),
            Basis::Path(path) => path.valid_until,
            Basis::Pin(pin) => pin.validity().not_after(),
        }
    }

    /// Which pin it is; `None` if it was not believed as one, or for its key.
    pub(crate) fn pin(&self) -> Option<PinPlace> {
        match self.0 {
            Basis::Pin(pin) => Some(pin.place()),
            Basis::Key(_) | Basis::Path(_) => None,
        }
    }

    /// The certificate and who vouches for it; `None` if it was believed as a pin.
    pub(crate) fn path(&self) -> Option<&ValidPath> {
        match &self.0 {
            Basis::Path(path) => Some(path),
            Basis::Key(_) | Basis::Pin(_) => None,
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
