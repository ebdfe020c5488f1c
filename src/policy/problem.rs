//! What keeps a policy from being built: every problem at once, each with its cure.

use core::fmt;

use crate::NoCryptoProvider;
use crate::cert::{Fingerprint, KeyType};
use crate::limits::{HINT_BYTES, HINT_ENTRIES};
use crate::map::{RuleName, RuleProblem, Selector};
use crate::role::Role;
use crate::text::WithCauses;
use crate::trust::{BundleName, RevocationError, TrustError};
use crate::user::UserName;

use super::{HostId, HostName, ListenerName};

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
    #[error("certificate {certificate} is user `{}` by `{}` and user `{}` by `{}`: remove one of the two rules", .users[0], .rules[0], .users[1], .rules[1])]
    AmbiguousCertificate {
        /// The certificate.
        certificate: Fingerprint,
        /// The users.
        users: [UserName; 2],
        /// The rules, by name or selector, in the order of the users.
        rules: [String; 2],
    },
    /// Two bundles have one name and do not trust the same.
    #[error(
        "two bundles are named `{bundle}` and do not trust the same: give the hosts one bundle, or the bundles two names"
    )]
    DuplicateBundle {
        /// The name.
        bundle: BundleName,
    },
    /// Two hosts of one listener would be for everybody who asks for no name that it knows.
    #[error("hosts `{}` and `{}` are both the default host of listener `{listener}`: give one of them server names, and do not make it the default", .hosts[0], .hosts[1])]
    DuplicateDefault {
        /// The listener.
        listener: ListenerName,
        /// The hosts.
        hosts: [HostId; 2],
    },
    /// Two hosts have one id.
    #[error("two hosts have the id `{host}`: give one of them another")]
    DuplicateHost {
        /// The id.
        host: HostId,
    },
    /// Two hosts of one listener answer for one name.
    #[error("hosts `{}` and `{}` of listener `{listener}` both answer for `{name}`: take it from one of them", .hosts[0], .hosts[1])]
    DuplicateServerName {
        /// The listener.
        listener: ListenerName,
        /// The name.
        name: HostName,
        /// The hosts.
        hosts: [HostId; 2],
    },
    /// A host asks for a certificate and believes none.
    #[error("host `{host}` asks for a client certificate, but its bundle `{bundle}` is empty: add a certificate to it")]
    EmptyBundle {
        /// The host.
        host: HostId,
        /// Its bundle.
        bundle: BundleName,
    },
    /// A host was given server names, and they are none.
    #[error(
        "host `{host}` was given an empty list of server names: name them, or leave the list out to make it the default host"
    )]
    NoServerNames {
        /// The host.
        host: HostId,
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
    /// The rules contradict each other or cannot mean what they say.
    #[error(transparent)]
    Rules(RuleProblem),
    /// A host hints more names than clients read.
    #[error(
        "host `{host}` would hint {entries} names of {bytes} bytes, at most {HINT_ENTRIES} of {HINT_BYTES} bytes are possible: hint none, or make its bundle smaller"
    )]
    TooManyHints {
        /// The host.
        host: HostId,
        /// How many names.
        entries: usize,
        /// Their length as it stands in the message.
        bytes: usize,
    },
    /// A rule is written under a CA that no host trusts as one, so it matches nobody.
    #[error(
        "`{selector}` is written under {anchor}, which is no anchor of any host's bundle: {}", anchor_cure(.near.as_ref())
    )]
    UnknownAnchor {
        /// The rule's selector.
        selector: Selector,
        /// The CA it names.
        anchor: Fingerprint,
        /// What was probably meant.
        near: Option<NearAnchor>,
    },
    /// A role is given to whom a rule names, and no rule has that name.
    #[error("role `{role}` is given to rule `{rule}`, but no rule has that name: {}", rule_cure(.near.as_ref()))]
    UnknownRule {
        /// The role.
        role: Role,
        /// The name.
        rule: RuleName,
        /// A rule of nearly that name.
        near: Option<RuleName>,
    },
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

/// What of a bundle was probably meant by a CA that is no anchor of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NearAnchor {
    /// An anchor with nearly this fingerprint.
    Anchor(Fingerprint),
    /// The certificate is in the bundle, but as a pin.
    Pin,
}

fn anchor_cure(near: Option<&NearAnchor>) -> String {
    match near {
        Some(NearAnchor::Anchor(anchor)) => format!("is `{anchor}` meant?"),
        Some(NearAnchor::Pin) => "it is there as a pin; add it as an anchor if it is a CA".to_owned(),
        None => "add the CA to the bundle as an anchor, or correct the fingerprint".to_owned(),
    }
}

fn rule_cure(near: Option<&RuleName>) -> String {
    match near {
        Some(near) => format!("is `{near}` meant?"),
        None => "give the name to a rule, or the role to a user".to_owned(),
    }
}

impl Problem {
    /// A stable code, for programs: `conflicting-rules`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousCertificate { .. } => "ambiguous-certificate",
            Self::DuplicateBundle { .. } => "duplicate-bundle",
            Self::DuplicateDefault { .. } => "duplicate-default",
            Self::DuplicateHost { .. } => "duplicate-host",
            Self::DuplicateServerName { .. } => "duplicate-server-name",
            Self::EmptyBundle { .. } => "empty-bundle",
            Self::NoServerNames { .. } => "no-server-names",
            Self::NoProvider(_) => "no-provider",
            Self::Partner { .. } => "partner",
            Self::Revocation(_) => "revocation",
            Self::Rules(problem) => problem.code(),
            Self::TooManyHints { .. } => "too-many-hints",
            Self::UnknownAnchor { .. } => "unknown-anchor",
            Self::UnknownRule { .. } => "unknown-rule",
            Self::UnverifiableKey { .. } => "unverifiable-key",
        }
    }
}
