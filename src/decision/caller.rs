//! One connection's evidence, kept for its life, and decided again whenever that could change the answer.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

use super::refusal::Reason;
use super::{Decision, Evidence, Outcome, Principal, Refusal, Refused};
use crate::policy::{Authority, Edition, Policy, PolicyHandle};
use crate::sync::{PoisonError, RwLock};

/// The peer of one connection: its evidence and the policy that is in force.
///
/// Lives as long as the connection (in the extensions of its requests, for instance). It holds no decision that could
/// outlive its reasons: a changed policy, the end of a certificate's validity and a clock set back are seen at the next
/// question. So is a policy that gives the server name which the connection asked for to another host, if the evidence knows
/// the name ([`Evidence::with_server_name`]), whether requests have an [`Authority`] or not.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

struct Inner {
    policy: Arc<PolicyHandle>,
    evidence: Evidence,
    last: RwLock<Option<Admission>>,
}

/// An admission that holds while nothing changes. Keeps no policy alive.
struct Admission {
    policy: Edition,
    from: UnixTime,
    principal: Principal,
}

/// Whoever makes a request: a user, or nobody in particular.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever matches must see both; a new one must break their build")]
pub enum Peer {
    /// It presented no certificate, and the host does not require one.
    Anonymous,
    /// It is this user.
    User(Principal),
}

impl Caller {
    /// The peer that this evidence speaks of, under the policy in force now and later.
    ///
    /// Gateways on rustls call [`Selected::caller`](crate::tls::Selected::caller), which cannot be called too early.
    #[must_use]
    pub fn new(policy: Arc<PolicyHandle>, evidence: Evidence) -> Self {
        Self(Arc::new(Inner { policy, evidence, last: RwLock::new(None) }))
    }

    /// Decides, on the policy in force.
    pub fn decide(&self, now: UnixTime) -> Decision {
        self.0.policy.decide(&self.0.evidence, now)
    }

    /// Admits the peer as a user for one request, or says why not; made to be asked for every request, and cheap while
    /// nothing has changed since the last time.
    ///
    /// # Errors
    /// What [`decide`](Self::decide) refuses (401), a peer that is anonymous (401), and a request for another host than the
    /// connection was made to (421).
    pub fn admit(&self, authority: Authority<'_>, now: UnixTime) -> Result<Principal, Refused> {
        self.standing(authority, now)?.or_else(Decision::into_result)
    }

    /// As [`admit`](Self::admit), for requests that the anonymous may make too.
    ///
    /// # Errors
    /// As [`admit`](Self::admit), but for the anonymous.
    pub fn identify(&self, authority: Authority<'_>, now: UnixTime) -> Result<Peer, Refused> {
        match self.standing(authority, now)? {
            Ok(principal) => Ok(Peer::User(principal)),
            Err(decision) if matches!(decision.outcome(), Outcome::Anonymous) => Ok(Peer::Anonymous),
            Err(decision) => decision.into_result().map(Peer::User),
        }
    }

    /// The user, or the decision that admits none; remembered or decided now.
    fn standing(&self, authority: Authority<'_>, now: UnixTime) -> Result<Result<Principal, Decision>, Refused> {
        let policy = self.policy_for(authority, now)?;
        if let Some(principal) = self.remembered(policy.edition(), now) {
            return Ok(Ok(principal));
        }
        let decision = policy.decide(&self.0.evidence, now);
        let Some(principal) = decision.principal() else { return Ok(Err(decision)) };
        self.remember(policy.edition(), now, principal);
        Ok(Ok(principal.clone()))
    }

    /// The policy in force, if the request is for the host that the connection was made to.
    fn policy_for(&self, authority: Authority<'_>, now: UnixTime) -> Result<impl Deref<Target = Arc<Policy>>, Refused> {
        let policy = self.0.policy.load();
        let hosts = policy.host_table();
        match hosts.get(self.0.evidence.host()) {
            Some(host) if !hosts.answers(host, authority) => {
                let refusal = Refusal::new(Reason::misdirected(host.host().id(), authority));
                Err(policy.refuse(refusal, &self.0.evidence, now))
            }
            // A host that is not there any more is for the decision to refuse.
            Some(_) | None => Ok(policy),
        }
    }

    fn remembered(&self, policy: Edition, now: UnixTime) -> Option<Principal> {
        let last = self.0.last.read().unwrap_or_else(PoisonError::into_inner);
        let admission = last.as_ref()?;
        let holds = admission.policy == policy && admission.from <= now && now <= admission.principal.valid_until();
        holds.then(|| admission.principal.clone())
    }

    fn remember(&self, policy: Edition, from: UnixTime, principal: &Principal) {
        let admission = Admission { policy, from, principal: principal.clone() };
        *self.0.last.write().unwrap_or_else(PoisonError::into_inner) = Some(admission);
    }

    pub(crate) fn policy_in_force(&self) -> Edition {
        self.0.policy.load().edition()
    }

    /// As [`decide`](Self::decide), and by which policy.
    pub(crate) fn decide_by(&self, now: UnixTime) -> (Edition, Decision) {
        let policy = self.0.policy.load();
        (policy.edition(), policy.decide(&self.0.evidence, now))
    }

    /// What the connection proved.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.0.evidence
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?})", self.0.evidence)
    }
}
