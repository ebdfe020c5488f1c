//! Who is it, how sure are we, with which roles, and if not, why: the decision.
//!
//! Pure: the same evidence, policy and time give the same answer. Nothing but this module makes a [`Principal`].

mod access;
mod caller;
mod circumstances;
mod evidence;
mod field;
#[cfg(feature = "serde")]
mod form;
mod principal;
mod record;
mod refusal;
mod refused;

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

pub use access::{AccessLine, InvalidAccessLine};
pub use caller::{Caller, Peer};
pub use evidence::Evidence;
pub use principal::{Principal, RoleMissing};
pub use record::{AuditRecord, InvalidAuditRecord, RecordOutcome};
pub use refusal::{Refusal, RefusalCode};
pub use refused::Refused;

use circumstances::Circumstances;
pub(crate) use refusal::Reason;

use crate::cert::Fingerprint;
use crate::map::Lookup;
use crate::policy::{ClientAuth, HostId, HostState, Policy, PolicyDigest, PolicyHandle};
use crate::trace::{Check, NoTrace, Trace};
use crate::trust::{ValidPath, VerifiedCertificate};

/// The answer about one connection at one time, under one policy.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decision {
    outcome: Outcome,
    circumstances: Circumstances,
}

/// Admitted as somebody, anonymous, or refused for a reason.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever matches must see each outcome; a new one must break their build")]
pub enum Outcome {
    /// The peer is this principal. What it may do is another question: [`Principal::require`].
    Admitted(Principal),
    /// The peer presented no certificate, and the host does not require one. It is no user.
    Anonymous,
    /// The peer is nobody.
    Refused(Refusal),
}

impl Policy {
    /// Decides who the peer of a finished handshake is.
    ///
    /// Trust, rules and roles come from this policy, all of them. Never remembers and never refuses to decide again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use certmap::{Evidence, PolicyBuilder};
    /// use certmap::rustls::pki_types::UnixTime;
    /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
    /// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
    /// let policy = PolicyBuilder::new().partner("SAPERPUSER".parse()?, certificate.clone(), []).build()?;
    /// let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_435_200));
    ///
    /// let host = policy.hosts().next().map(|host| host.id().clone()).ok_or("a policy has a host")?;
    /// let evidence = Evidence::after_handshake(host.clone(), [certificate.der()]);
    /// let principal = policy.decide(&evidence, now).into_result()?;
    /// assert_eq!(principal.user().as_str(), "SAPERPUSER");
    ///
    /// let nothing = Evidence::after_handshake(host, [] as [&[u8]; 0]);
    /// let refused = policy.decide(&nothing, now).into_result().unwrap_err();
    /// assert_eq!((refused.code().as_str(), refused.http_status()), ("no-certificate", 401));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide(&self, evidence: &Evidence, now: UnixTime) -> Decision {
        self.decide_traced(evidence, now, &mut NoTrace)
    }

    /// The one way a decision is made; an explanation is this with a trace that listens, and asks the rules anew.
    pub(crate) fn decide_traced(&self, evidence: &Evidence, now: UnixTime, trace: &mut impl Trace) -> Decision {
        let outcome = self.outcome(evidence, now, trace).unwrap_or_else(Outcome::Refused);
        Decision { outcome, circumstances: Circumstances::new(self, evidence, now) }
    }

    fn outcome(&self, evidence: &Evidence, now: UnixTime, trace: &mut impl Trace) -> Result<Outcome, Refusal> {
        let host = self.host_of(evidence, trace)?;
        let anonymous = match host.host().client_auth() {
            ClientAuth::None => true,
            ClientAuth::Request => evidence.chain().is_empty(),
            ClientAuth::Require => false,
        };
        trace.step(Check::Anonymous, anonymous, format_args!("{}", host.host().client_auth().as_str()));
        if anonymous {
            return Ok(Outcome::Anonymous);
        }
        let verified = judge(host, evidence, now, trace)?;
        self.map(host, verified, evidence, now, trace).map(Outcome::Admitted)
    }

    /// Trust alone: what the handshake asks too, so that both always agree.
    pub(crate) fn judge(
        &self,
        evidence: &Evidence,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate<'_>, Refusal> {
        judge(self.host_of(evidence, trace)?, evidence, now, trace)
    }

    fn host_of(&self, evidence: &Evidence, trace: &mut impl Trace) -> Result<&HostState, Refusal> {
        let (id, hosts) = (evidence.host(), self.host_table());
        let (host, moved) = (hosts.get(id), evidence.moved(hosts));
        trace.step(Check::Host, host.is_some() && moved.is_none(), format_args!("`{id}`"));
        match (host, moved) {
            (None, _) => Err(Refusal::new(Reason::UnknownHost { host: id.clone() })),
            (Some(_), Some(asked)) => Err(Refusal::new(Reason::Moved { host: id.clone(), asked: asked.clone() })),
            (Some(host), None) => Ok(host),
        }
    }

    fn map<T: Trace>(
        &self,
        host: &HostState,
        verified: VerifiedCertificate<'_>,
        evidence: &Evidence,
        now: UnixTime,
        trace: &mut T,
    ) -> Result<Principal, Refusal> {
        // What the rules say of a pin was found out before; who wants to hear why, hears it from the rules.
        let known = verified.pin().and_then(|pin| host.answer_about(pin)).filter(|_| !T::LISTENS);
        if let Some(answer) = known {
            return Ok(Principal::new(answer, self, verified.valid_until(), evidence));
        }
        let (lookup, verified) = self.lookup(host, verified, evidence, now, trace);
        let certificate = verified.certificate().fingerprint();
        let one = matches!(lookup, Lookup::One(_));
        trace.step(Check::OneUser, one, format_args!("{lookup}"));
        match lookup {
            Lookup::Ambiguous(rules) => Err(Refusal::new(Reason::Ambiguous { certificate, rules })),
            Lookup::None => Err(Refusal::new(Reason::NotMapped { certificate })),
            Lookup::One(rule) => {
                let answer = self.answer(rule, certificate, verified.strength());
                let user = answer.as_ref().map_or_else(|disabled| disabled, |answer| &answer.user);
                trace.step(Check::Enabled, answer.is_ok(), format_args!("`{user}`"));
                let answer = answer.map_err(|user| Refusal::new(Reason::UserDisabled { user }))?;
                Ok(Principal::new(&Arc::new(answer), self, verified.valid_until(), evidence))
            }
            Lookup::TooManyTests => Err(Refusal::new(Reason::TooManyTests { certificate })),
            Lookup::Unnamed(rule) => Err(Refusal::new(Reason::UserName { certificate, rule })),
        }
    }

    /// Where trust meets rules.
    ///
    /// A certificate that is pinned, itself or by its key, is who the rules for exactly it say; names are asked only if
    /// there are none and anchors vouch for it too, and then it is believed for their sake. One that only anchors vouch for
    /// is who every rule that matches says.
    fn lookup<'a>(
        &self,
        host: &HostState,
        verified: VerifiedCertificate<'a>,
        evidence: &Evidence,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> (Lookup, VerifiedCertificate<'a>) {
        let by_names = |path: &ValidPath, trace: &mut _| self.table().under(path.certificate(), path.vouchers(), trace);
        if let Some(path) = verified.path() {
            return (by_names(path, trace), verified);
        }
        let certificate = verified.certificate();
        let exact = self.table().exact(certificate.fingerprint(), certificate.spki_fingerprint(), trace);
        if !matches!(exact, Lookup::None) {
            return (exact, verified);
        }
        match host.trust().also_under_anchors(evidence.chain(), certificate.fingerprint(), now, trace) {
            Some(path) => (by_names(&path, trace), VerifiedCertificate::under_anchors(path)),
            None => (exact, verified),
        }
    }

    pub(crate) fn refuse(&self, refusal: Refusal, evidence: &Evidence, now: UnixTime) -> Refused {
        Refused { refusal, circumstances: Circumstances::new(self, evidence, now) }
    }
}

impl PolicyHandle {
    /// Decides who the peer of a finished handshake is, as [`Policy::decide`] of the policy in force. Made to be asked by many
    /// threads at once.
    ///
    /// ```
    /// use certmap::{Evidence, PolicyBuilder, PolicyHandle};
    /// # use certmap::rustls::pki_types::UnixTime;
    /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
    /// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
    /// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_435_200));
    /// let with_partner = PolicyBuilder::new().partner("erp".parse()?, certificate.clone(), []);
    /// let handle = PolicyHandle::new(with_partner.clone().build()?);
    /// let evidence = Evidence::after_handshake("default".parse()?, [certificate.der()]);
    /// assert!(handle.decide(&evidence, now).principal().is_some());
    /// handle.replace(with_partner.disabled_user("erp".parse()?).build()?);
    /// assert!(handle.decide(&evidence, now).refusal().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide(&self, evidence: &Evidence, now: UnixTime) -> Decision {
        self.load().decide(evidence, now)
    }
}

#[expect(
    clippy::inline_always,
    reason = "else what was judged goes through memory once more, and what is known of a pin is read behind that only: among many pins a decision takes half as long again"
)]
#[inline(always)]
fn judge<'a>(
    host: &'a HostState,
    evidence: &Evidence,
    now: UnixTime,
    trace: &mut impl Trace,
) -> Result<VerifiedCertificate<'a>, Refusal> {
    let verified = host.trust().judge(evidence.chain(), now, trace);
    verified.map_err(|cause| Refusal::new(Reason::Distrust { bundle: host.host().bundle().name().clone(), cause }))
}

impl Decision {
    /// Admitted or refused.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The principal, or the refusal with all that belongs to its record: for `?`.
    ///
    /// # Errors
    /// [`Refused`] if it was; so is an anonymous peer where a principal is wanted, as one without certificate.
    pub fn into_result(self) -> Result<Principal, Refused> {
        match self.outcome {
            Outcome::Admitted(principal) => Ok(principal),
            Outcome::Anonymous => Err(Refused::without_certificate(self.circumstances)),
            Outcome::Refused(refusal) => Err(Refused { refusal, circumstances: self.circumstances }),
        }
    }

    /// The principal, if admitted.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        match &self.outcome {
            Outcome::Admitted(principal) => Some(principal),
            Outcome::Anonymous | Outcome::Refused(_) => None,
        }
    }

    /// The refusal, if refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.outcome {
            Outcome::Admitted(_) | Outcome::Anonymous => None,
            Outcome::Refused(refusal) => Some(refusal),
        }
    }

    /// What was decided about.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.circumstances.evidence
    }

    /// The host that the peer connected to.
    #[must_use]
    pub fn host(&self) -> &HostId {
        self.circumstances.evidence.host()
    }

    /// The policy that decided.
    #[must_use]
    pub fn policy(&self) -> PolicyDigest {
        self.circumstances.policy
    }

    /// The time for which it was decided.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.circumstances.at
    }

    /// The fingerprint of the certificate that the peer presented, believed or not.
    #[must_use]
    pub fn certificate(&self) -> Option<Fingerprint> {
        self.circumstances.certificate()
    }

    /// The decision as one line for a log; the gateway adds the peer's address and its own connection id.
    #[must_use]
    pub fn record(&self) -> AuditRecord {
        match &self.outcome {
            Outcome::Admitted(principal) => principal.sign(self.circumstances.record(RecordOutcome::Admitted)),
            Outcome::Anonymous => self.circumstances.record(RecordOutcome::Anonymous),
            Outcome::Refused(refusal) => refusal.sign(self.circumstances.record(RecordOutcome::Refused)),
        }
    }
}

impl fmt::Display for Decision {
    /// The line of [`record`](Self::record).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record().fmt(f)
    }
}

#[cfg(test)]
mod collision_tests;
#[cfg(test)]
mod tests;
