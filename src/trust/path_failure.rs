//! Why no anchor vouches for a certificate: the most useful cause, with what an operator can do about it.

use core::fmt;

use rustls::pki_types::UnixTime;

use super::Denial;
use crate::cert::{DistinguishedName, Fingerprint, UnfitKey, Validity, show};

/// Why no path leads from a presented certificate to an anchor: of all paths that were tried, the failure of the one that
/// came furthest.
///
/// The peer learns nothing of it but the alert of the handshake, or the refusal's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFailure {
    /// A certificate is signed by an algorithm that nobody should believe any more, or that the provider does not know.
    #[error("a certificate of the path is signed by an algorithm that is too weak or unknown: {reason}")]
    Algorithm {
        /// What path validation says.
        reason: String,
    },
    /// The issuer's name is right, and the key is another.
    #[error("a signature on the way to the anchor `{issuer}` was not made by the key of the issuer that it names")]
    BadSignature {
        /// The anchor's name.
        issuer: DistinguishedName,
    },
    /// The issuer was neither presented nor is it an anchor.
    #[error("the chain is incomplete: `{missing}` was not presented, and no anchor has this name")]
    ChainIncomplete {
        /// The name of the issuer that is missing.
        missing: DistinguishedName,
    },
    /// A certificate of the path is denied, whatever vouches for it.
    #[error("{member} is denied: {denial}")]
    Denied {
        /// Which one.
        member: PathMember,
        /// By what.
        denial: Denial,
    },
    /// A CA certificate was presented as the peer's own (RFC 5280, section 4.2.1.9).
    #[error("the certificate is that of a CA, or may sign certificates, and so is no end-entity certificate")]
    EndEntityIsCa,
    /// The validity of a certificate on the path has ended.
    #[error("the validity of {member} ended at {}", show(.validity.not_after()))]
    Expired {
        /// Whose.
        member: PathMember,
        /// Its validity.
        validity: Validity,
    },
    /// An issuer is no CA, or its key usage does not allow to sign certificates.
    #[error("{member} may not issue certificates: {reason}")]
    Issuer {
        /// Which one.
        member: PathMember,
        /// What it lacks.
        reason: &'static str,
    },
    /// The end entity's key usage does not allow what a TLS client does with its key (RFC 5280, section 4.2.1.3).
    #[error("the certificate's key usage does not include digitalSignature")]
    KeyUsage,
    /// A name lies outside the name constraints of an issuer, or the constraints are of a kind that is not processed.
    #[error("name constraints of an issuer are not met or not processed: {reason}")]
    NameConstraint {
        /// What path validation says.
        reason: String,
    },
    /// The validity of a certificate on the path has not begun.
    #[error("the validity of {member} begins at {}", show(.validity.not_before()))]
    NotYetValid {
        /// Whose.
        member: PathMember,
        /// Its validity.
        validity: Validity,
    },
    /// More CAs follow an issuer than it allows (RFC 5280, section 4.2.1.9).
    #[error("the path is longer than an issuer allows")]
    PathLength,
    /// The extended key usage is there and does not include client authentication, or is required and missing.
    #[error("{member} is for other purposes than client authentication: {}", Purposes(.has.as_ref()))]
    Purpose {
        /// Whose.
        member: PathMember,
        /// The purposes it has; `None` if it has no extended key usage.
        has: Option<Vec<String>>,
    },
    /// Whether a certificate is revoked cannot be told.
    #[error("whether {member} is revoked cannot be told: {cause}")]
    RevocationUnknown {
        /// Which one.
        member: PathMember,
        /// Why.
        cause: UnknownStatus,
    },
    /// A certificate on the path is revoked.
    #[error("{member} is revoked since {}, by the revocation list {list}", show(*.since))]
    Revoked {
        /// Which one.
        member: PathMember,
        /// The list that has it.
        list: Fingerprint,
        /// Since when.
        since: UnixTime,
    },
    /// Finding a path would take more work than a peer is owed.
    #[error("too much work: {reason}")]
    TooMuchWork {
        /// Which limit.
        reason: &'static str,
    },
    /// The chain was presented up to its root, and that is no anchor.
    #[error("the chain ends in `{issuer}`, which is no anchor")]
    UnknownIssuer {
        /// The name of the root.
        issuer: DistinguishedName,
    },
    /// A certificate of the path has something that path validation does not read or process.
    #[error("a certificate of the path cannot be processed: {reason}")]
    Unprocessable {
        /// What path validation says.
        reason: String,
    },
    /// The end entity's key is unfit.
    #[error("the certificate's key is unfit: {0}")]
    WeakKey(#[source] UnfitKey),
}

/// One certificate of a path, and its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathMember {
    /// Its place.
    pub place: PathPlace,
    /// Its subject.
    pub subject: DistinguishedName,
    /// The certificate.
    pub fingerprint: Fingerprint,
}

/// A place on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathPlace {
    /// At its end: an anchor of the bundle.
    Anchor,
    /// At its beginning: the peer's own certificate.
    EndEntity,
    /// Between the two.
    Intermediate,
}

/// Why the revocation status of a certificate is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownStatus {
    /// Lists are there for the anchor, and none for this issuer.
    #[error("there is no revocation list of `{issuer}`, and its anchor has one")]
    NoList {
        /// The issuer.
        issuer: DistinguishedName,
    },
    /// Lists bear the issuer's name, and none its signature.
    #[error("no revocation list that bears the name of `{issuer}` is signed by its key")]
    OtherSigner {
        /// The issuer.
        issuer: DistinguishedName,
    },
    /// The issuer may not sign lists.
    #[error("the key usage of `{issuer}` does not include cRLSign")]
    SignerMayNot {
        /// The issuer.
        issuer: DistinguishedName,
    },
    /// Every list of the issuer is out of date, or from the future.
    #[error("no revocation list of `{issuer}` is current: the newest is for {} to {}", show(*.this_update), show(*.next_update))]
    Stale {
        /// The issuer.
        issuer: DistinguishedName,
        /// When the newest was made.
        this_update: UnixTime,
        /// When its successor was promised.
        next_update: UnixTime,
    },
}

impl fmt::Display for PathMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, subject, fingerprint } = self;
        let place = match place {
            PathPlace::Anchor => "anchor",
            PathPlace::EndEntity => "certificate",
            PathPlace::Intermediate => "intermediate",
        };
        write!(f, "{place} `{subject}` ({fingerprint})")
    }
}

impl PathFailure {
    /// True if no anchor has to do with what was presented.
    pub(super) fn is_unknown_issuer(&self) -> bool {
        matches!(self, Self::ChainIncomplete { .. } | Self::UnknownIssuer { .. })
    }

    /// How far the path came that failed so: of several failures the furthest is told.
    pub(super) fn progress(&self) -> u8 {
        match self {
            Self::ChainIncomplete { .. } | Self::UnknownIssuer { .. } => 0,
            Self::Unprocessable { .. } => 1,
            Self::BadSignature { .. } => 2,
            Self::Algorithm { .. } => 3,
            Self::EndEntityIsCa => 4,
            Self::Issuer { .. } => 5,
            Self::PathLength => 6,
            Self::NameConstraint { .. } => 7,
            Self::Purpose { .. } => 8,
            Self::KeyUsage => 9,
            Self::WeakKey(_) => 10,
            Self::Expired { .. } | Self::NotYetValid { .. } => 11,
            Self::RevocationUnknown { .. } => 12,
            Self::Revoked { .. } => 13,
            Self::Denied { .. } => 14,
            Self::TooMuchWork { .. } => 15,
        }
    }

    /// What to do about it, in one sentence, for operators.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Algorithm { .. } => "have the CA issue the certificate again, signed with SHA-256 or better".to_owned(),
            Self::BadSignature { issuer } => format!(
                "if the CA `{issuer}` changed its key, add its new certificate as an anchor beside the old one; if it did not, somebody poses as it"
            ),
            Self::ChainIncomplete { missing } => format!(
                "if `{missing}` belongs to a CA that you trust, have the partner present its whole chain; else, if this is a partner, add its CA as an anchor or its certificate as a pin"
            ),
            Self::Denied { denial, .. } => format!("refuse it, or lift the denial `{denial}`"),
            Self::EndEntityIsCa => {
                "have the CA issue an end-entity certificate, or add this one as a pin if it is a partner's own".to_owned()
            }
            Self::Expired { member, .. } => match member.place {
                PathPlace::Anchor => "add the CA's new certificate as an anchor, then remove the old one".to_owned(),
                PathPlace::EndEntity => "have the partner renew its certificate".to_owned(),
                PathPlace::Intermediate => "have the partner present the CA's current intermediate".to_owned(),
            },
            Self::Issuer { member, .. } => match member.place {
                PathPlace::Anchor => "take this anchor out: it cannot vouch for anybody".to_owned(),
                PathPlace::EndEntity | PathPlace::Intermediate => {
                    "refuse it unless the CA explains it: only a CA certificate issues others".to_owned()
                }
            },
            Self::KeyUsage => {
                "have the CA issue a certificate with digitalSignature in its key usage, because a TLS client signs; or add this one as a pin".to_owned()
            }
            Self::NameConstraint { .. } | Self::PathLength => {
                "ask the CA: it issued what its own issuer does not allow".to_owned()
            }
            Self::NotYetValid { .. } => "check the clocks of both sides, or wait until the validity begins".to_owned(),
            Self::RevocationUnknown { cause, .. } => match cause {
                UnknownStatus::NoList { issuer } => format!("add the current revocation list of `{issuer}`"),
                UnknownStatus::OtherSigner { issuer } => format!(
                    "add the current revocation list of `{issuer}` that is signed by the key of this one: a CA that changed its key has one for each"
                ),
                UnknownStatus::SignerMayNot { issuer } => {
                    format!("take out the revocation list of `{issuer}`, or have its CA certificate renewed with cRLSign")
                }
                UnknownStatus::Stale { issuer, .. } => {
                    format!("fetch the current revocation list of `{issuer}`, and check the clock of this machine")
                }
            },
            Self::Purpose { member, .. } => match member.place {
                PathPlace::Anchor | PathPlace::Intermediate => {
                    "have the partner get a certificate of a CA that issues for client authentication, or add this one as a pin".to_owned()
                }
                PathPlace::EndEntity => {
                    "have the CA issue a certificate with clientAuth in its extended key usage, or add this one as a pin".to_owned()
                }
            },
            Self::Revoked { .. } => "refuse it; if the partner is still one, have it get a new certificate".to_owned(),
            Self::TooMuchWork { .. } => "have the partner present only its own certificate and its issuers".to_owned(),
            Self::UnknownIssuer { issuer } => format!(
                "if you trust the CA `{issuer}`, add its certificate as an anchor; if this is a partner's own certificate, add that as a pin"
            ),
            Self::Unprocessable { .. } => {
                "have the CA issue a certificate of version 3 without unknown critical extensions, or add this one as a pin".to_owned()
            }
            Self::WeakKey(_) => "have the partner make a new key".to_owned(),
        }
    }
}

/// A list of purposes for people.
pub(super) struct Purposes<'a>(pub(super) Option<&'a Vec<String>>);

impl fmt::Display for Purposes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("it has no extended key usage, and one is required"),
            Some(purposes) if purposes.is_empty() => f.write_str("its extended key usage is empty"),
            Some(purposes) => write!(f, "it is for {}", purposes.join(", ")),
        }
    }
}
