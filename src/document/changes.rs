//! What an edit changed, as data and as lines for people.

use core::fmt;

use super::kind::AddedAs;
use crate::cert::{DistinguishedName, Fingerprint};
use crate::map::{Selector, UserSource};
use crate::policy::HostId;
use crate::role::RoleAssignment;
use crate::trust::{BundleName, Denial};
use crate::user::UserName;

/// One thing that an edit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A role was given.
    Assigned(RoleAssignment),
    /// A bundle was made, because there was none of that name.
    BundleAdded(BundleName),
    /// A bundle was taken out.
    BundleRemoved(BundleName),
    /// A certificate was put into a bundle.
    CertificateAdded {
        /// The bundle.
        bundle: BundleName,
        /// As what.
        kind: AddedAs,
        /// The certificate.
        fingerprint: Fingerprint,
        /// Its subject.
        subject: DistinguishedName,
    },
    /// A certificate was taken out of a bundle.
    CertificateRemoved {
        /// The bundle.
        bundle: BundleName,
        /// As what it was there.
        kind: AddedAs,
        /// The certificate.
        fingerprint: Fingerprint,
        /// Its subject.
        subject: DistinguishedName,
    },
    /// A denial was added.
    Denied(Denial),
    /// A host was made.
    HostAdded(HostId),
    /// A key of a host has another value.
    HostChanged {
        /// The host.
        host: HostId,
        /// The key: `client-auth`.
        key: &'static str,
        /// What stood there; `None` if nothing did.
        from: Option<String>,
        /// What stands there now.
        to: Option<String>,
    },
    /// A host was taken out.
    HostRemoved(HostId),
    /// A rule was added.
    Mapped {
        /// What it matches.
        selector: Selector,
        /// Who that is.
        user: UserSource,
    },
    /// A role was taken away.
    Revoked(RoleAssignment),
    /// A denial was taken out.
    Undenied(Denial),
    /// A rule was taken out.
    Unmapped {
        /// What it matched.
        selector: Selector,
        /// Who that was.
        user: UserSource,
    },
    /// A user is refused from now on.
    UserDisabled(UserName),
    /// A user is refused no more.
    UserEnabled(UserName),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let give = |f: &mut fmt::Formatter<'_>, sign: char, assignment: &RoleAssignment| {
            let (role, holder) = (assignment.role(), assignment.holder());
            write!(f, "{sign} role {role} of {holder}")
        };
        match self {
            Self::Assigned(assignment) => give(f, '+', assignment),
            Self::BundleAdded(bundle) => write!(f, "+ bundle {bundle}"),
            Self::BundleRemoved(bundle) => write!(f, "- bundle {bundle}"),
            Self::CertificateAdded { bundle, kind, fingerprint, subject } => {
                write!(f, "+ {kind} {fingerprint} in {bundle}: {subject}")
            }
            Self::CertificateRemoved { bundle, kind, fingerprint, subject } => {
                write!(f, "- {kind} {fingerprint} in {bundle}: {subject}")
            }
            Self::Denied(denial) => write!(f, "+ denial {denial}"),
            Self::HostAdded(host) => write!(f, "+ host {host}"),
            Self::HostChanged { host, key, from, to } => {
                let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
                write!(f, "~ host {host}: {key} was {}, is {}", word(from), word(to))
            }
            Self::HostRemoved(host) => write!(f, "- host {host}"),
            Self::Mapped { selector, user } => write!(f, "+ mapping {selector} to {user}"),
            Self::Revoked(assignment) => give(f, '-', assignment),
            Self::Undenied(denial) => write!(f, "- denial {denial}"),
            Self::Unmapped { selector, user } => write!(f, "- mapping {selector} to {user}"),
            Self::UserDisabled(user) => write!(f, "~ user {user}: disabled"),
            Self::UserEnabled(user) => write!(f, "~ user {user}: enabled"),
        }
    }
}

/// Everything that one edit changed. Prints a line for each, or `no change`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(pub(super) Vec<Change>);

impl Changes {
    /// Each change, in the order in which it was made.
    #[must_use]
    pub fn as_slice(&self) -> &[Change] {
        &self.0
    }

    /// True if the document already was as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no change");
        }
        self.0.iter().enumerate().try_for_each(|(at, change)| {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}{change}")
        })
    }
}
