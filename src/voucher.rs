//! (private) Who vouches for a certificate: what trust found out and rules ask for.
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
}
