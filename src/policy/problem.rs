//! What keeps a policy from being built: every problem at once, each with its cure.

use core::fmt;

use crate::NoCryptoProvider;
use crate::cert::{Fingerprint, KeyType};
use crate::map::Selector;
use crate::text::WithCauses;
use crate::trust::{BundleName, RevocationError, TrustError};
use crate::user::UserName;

use super::HostId;

/// A policy could not be built; it has at least one problem.
///
/// Prints how many, and the first, with its causes; show [`problems`](Self::problems) to whoever has to mend them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    problems: Vec<Problem>,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "the policy has a problem: {one}"),
            [] => f.write_str("the policy has no problem"),
            [first, ..] => write!(f, "the policy has {} problems, the first: {first}", self.problems.len()),
        }
    }
}

impl core::error::Error for PolicyError {}

impl PolicyError {
    /// INVARIANT: `problems` has at least one.
    pub(super) fn of(problems: impl Iterator<Item = Problem>) -> Self {
        Self { problems: problems.collect() }
    }

    /// `Err` if there are problems.
    pub(super) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// Every problem, in the order in which they were found; never empty.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Two rules name different users for a certificate that is in the bundle.
    #[error("certificate {certificate} is user `{}` by one rule and `{}` by another: remove one of the two rules", .users[0], .users[1])]
    AmbiguousCertificate {
        /// The certificate.
        certificate: Fingerprint,
        /// The users.
        users: [UserName; 2],
    },
    /// Two rules with the same selector name different users.
    #[error("`{selector}` is mapped to user `{}` and to `{}`: remove one of the two rules", .users[0], .users[1])]
    ConflictingRules {
        /// The selector.
        selector: Selector,
        /// The users.
        users: [UserName; 2],
    },
    /// A host requires a certificate and believes none.
    #[error("host `{host}` requires a client certificate, but its bundle `{bundle}` is empty: add a certificate to it")]
    EmptyBundle {
        /// The host.
        host: HostId,
        /// Its bundle.
        bundle: BundleName,
    },
    /// There is no crypto provider to verify signatures with.
    #[error(transparent)]
    NoProvider(NoCryptoProvider),
    /// A partner's certificate cannot be put into the bundle.
    #[error("the certificate of partner `{user}` cannot be pinned: {}", WithCauses(.cause))]
    Partner {
        /// The user that the partner should be.
        user: UserName,
        /// Why not.
        cause: TrustError,
    },
    /// A revocation list cannot be used.
    #[error(transparent)]
    Revocation(RevocationError),
    /// The crypto provider cannot verify signatures of a key that is trusted.
    #[error(
        "the key of certificate {certificate} in bundle `{bundle}` of host `{host}` is of type {key}, which the crypto provider does not verify: use another provider, or have a certificate with another key made"
    )]
    UnverifiableKey {
        /// The host.
        host: HostId,
        /// Its bundle.
        bundle: BundleName,
        /// The certificate.
        certificate: Fingerprint,
        /// The type of its key.
        key: KeyType,
    },
}

impl Problem {
    /// A stable code, for programs: `conflicting-rules`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousCertificate { .. } => "ambiguous-certificate",
            Self::ConflictingRules { .. } => "conflicting-rules",
            Self::EmptyBundle { .. } => "empty-bundle",
            Self::NoProvider(_) => "no-provider",
            Self::Partner { .. } => "partner",
            Self::Revocation(_) => "revocation",
            Self::UnverifiableKey { .. } => "unverifiable-key",
        }
    }
}
