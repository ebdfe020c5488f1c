//! To decide is to look up what the policy says.

#[path = "../../../src/decision/caller.rs"]
mod caller;

use rustls::pki_types::UnixTime;

pub use caller::{Caller, Peer};

use crate::policy::{HostId, Policy, PolicyDigest, PolicyHandle, Says};
use crate::role::Role;
use crate::user::UserName;

/// Nothing is proven, and nothing looked at.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Evidence;

impl Evidence {
    pub(crate) fn host(&self) -> &HostId {
        let Self = self;
        &HostId
    }
}

/// A user, with the policy that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    pub(crate) user: UserName,
    pub(crate) roles: [Role; 1],
    pub(crate) policy: PolicyDigest,
}

impl Principal {
    pub(crate) fn user(&self) -> &UserName {
        &self.user
    }

    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub(crate) fn valid_until(&self) -> UnixTime {
        let Self { .. } = self;
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(1000))
    }
}

/// Refused by the policy of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused(pub PolicyDigest);

/// What was decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Nobody in particular.
    Anonymous,
    /// A user.
    Admitted(Principal),
    /// Nobody.
    Refused,
}

/// What was decided, and on which policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision {
    outcome: Outcome,
    policy: PolicyDigest,
}

impl Decision {
    #[cfg(test)]
    pub(crate) fn policy(&self) -> PolicyDigest {
        self.policy
    }

    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        match &self.outcome {
            Outcome::Admitted(principal) => Some(principal),
            Outcome::Anonymous | Outcome::Refused => None,
        }
    }

    pub(crate) fn into_result(self) -> Result<Principal, Refused> {
        match self.outcome {
            Outcome::Admitted(principal) => Ok(principal),
            Outcome::Anonymous | Outcome::Refused => Err(Refused(self.policy)),
        }
    }
}

impl PolicyHandle {
    pub(crate) fn decide(&self, evidence: &Evidence, now: UnixTime) -> Decision {
        self.load().decide(evidence, now)
    }
}

impl Policy {
    pub(crate) fn decide(&self, _: &Evidence, _: UnixTime) -> Decision {
        let policy = self.digest();
        let outcome = match self.says {
            Says::Anonymous => Outcome::Anonymous,
            Says::Refused => Outcome::Refused,
            Says::User(user, role) => {
                Outcome::Admitted(Principal { user: UserName(user), roles: [Role(role)], policy })
            }
        };
        Decision { outcome, policy }
    }

    pub(crate) fn refuse(&self, _: Refusal, _: &Evidence, _: UnixTime) -> Refused {
        Refused(self.digest())
    }
}

/// A request for another host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal;

impl Refusal {
    pub(crate) fn new(refusal: Self) -> Self {
        refusal
    }
}

mod refusal {
    use crate::policy::{Authority, HostId};

    pub(super) struct Reason;

    impl Reason {
        pub(super) fn misdirected(_: &HostId, _: Authority<'_>) -> super::Refusal {
            super::Refusal
        }
    }
}
