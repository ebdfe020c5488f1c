//! What in a policy something is said about.

use core::fmt;

use crate::cert::Fingerprint;
use crate::map::Selector;
use crate::policy::HostId;
use crate::role::{Holder, Role};
use crate::text::OneLine;
use crate::trust::{BundleName, Denial};
use crate::user::UserName;

/// A place in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A role given to a holder.
    Assignment {
        /// Who has it.
        holder: Holder,
        /// The role.
        role: Role,
    },
    /// A trust bundle.
    Bundle(BundleName),
    /// A denial.
    Denial(Denial),
    /// A certificate in a bundle.
    Entry {
        /// The bundle.
        bundle: BundleName,
        /// The certificate.
        certificate: Fingerprint,
    },
    /// A host.
    Host(HostId),
    /// A revocation list.
    List(Fingerprint),
    /// The policy as a whole.
    Policy,
    /// A rule.
    Rule(Selector),
    /// A user.
    User(UserName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assignment { holder, role } => write!(f, "role `{role}` of {}", OneLine(&holder.to_string())),
            Self::Bundle(bundle) => write!(f, "bundle `{bundle}`"),
            Self::Denial(denial) => write!(f, "denial `{}`", OneLine(&denial.to_string())),
            Self::Entry { bundle, certificate } => write!(f, "certificate {certificate} in bundle `{bundle}`"),
            Self::Host(host) => write!(f, "host `{host}`"),
            Self::List(list) => write!(f, "revocation list {list}"),
            Self::Policy => f.write_str("policy"),
            Self::Rule(selector) => write!(f, "rule `{}`", OneLine(&selector.to_string())),
            Self::User(user) => write!(f, "user `{user}`"),
        }
    }
}
