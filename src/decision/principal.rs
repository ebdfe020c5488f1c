//! An authenticated user, and whether it may.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

use super::record::RecordKey;
use super::{AuditRecord, Evidence, RecordOutcome};
use crate::cert::Fingerprint;
use crate::policy::{Answer, HostId, Policy, PolicyDigest};
use crate::role::{Enforcement, Role, Shortfall};
use crate::strength::Strength;
use crate::text::within_edits;
use crate::user::UserName;

/// An authenticated user, as one decision found it. Nothing else makes one.
///
/// That there is a principal says who it is. What it may do is asked with [`require`](Self::require).
#[derive(Clone)]
pub struct Principal {
    answer: Arc<Answer>,
    evidence: Evidence,
    policy: PolicyDigest,
    valid_until: UnixTime,
}

impl Principal {
    pub(super) fn new(answer: &Arc<Answer>, policy: &Policy, valid_until: UnixTime, evidence: &Evidence) -> Self {
        Self { answer: Arc::clone(answer), evidence: evidence.clone(), policy: policy.digest(), valid_until }
    }

    /// Who it is.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.answer.user
    }

    /// Checks that the user has a role.
    ///
    /// # Errors
    /// [`RoleMissing`], to be answered with 403: the peer is known, and may not.
    pub fn require(&self, role: &Role) -> Result<(), RoleMissing> {
        if self.answer.standing.roles.contain(role) {
            return Ok(());
        }
        let near_miss = near_miss(self.roles(), role);
        Err(RoleMissing(Box::new(Missing { principal: self.clone(), role: role.clone(), near_miss })))
    }

    /// One line for a log: who was admitted, by which certificate, rule and policy.
    #[must_use]
    pub fn record(&self, now: UnixTime) -> AuditRecord {
        self.record_as(RecordOutcome::Admitted, now)
    }

    fn record_as(&self, outcome: RecordOutcome, now: UnixTime) -> AuditRecord {
        let record = AuditRecord::new(now, outcome, self.host().as_str(), self.evidence.resumed())
            .with(RecordKey::Policy, Some(self.policy))
            .with(RecordKey::Certificate, Some(self.certificate()));
        self.sign(record)
    }

    /// Adds the answer to a record.
    pub(super) fn sign(&self, record: AuditRecord) -> AuditRecord {
        record
            .with(RecordKey::User, Some(self.user()))
            .with(RecordKey::Rule, Some(self.rule()))
            .with(RecordKey::Strength, Some(self.strength()))
            .with(RecordKey::Warning, self.warning())
    }

    /// What the record warns of: roles that were given although the strength does not suffice.
    fn warning(&self) -> Option<String> {
        let warned = self.shortfalls().iter().filter(|shortfall| shortfall.enforcement() == Enforcement::Warn);
        let warned: Vec<_> =
            warned.map(|shortfall| format!("`{}` asks for strength {}", shortfall.role(), shortfall.least())).collect();
        if warned.is_empty() { None } else { Some(warned.join(", ")) }
    }

    /// Every role of the user, sorted.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        self.answer.standing.roles.sorted()
    }

    /// The roles whose assignments ask for more strength than there is, sorted. Those to be observed or warned of are among
    /// [`roles`](Self::roles), so that an operator can count whom a stricter policy would hit; the others are not.
    #[must_use]
    pub fn shortfalls(&self) -> &[Shortfall] {
        self.answer.standing.shortfalls.as_deref().unwrap_or_default()
    }

    /// What an adversary would have to obtain to be taken for this user.
    #[must_use]
    pub fn strength(&self) -> Strength {
        self.answer.strength
    }

    /// The rule that matched: its name, or its selector if it has none.
    #[must_use]
    pub fn rule(&self) -> String {
        self.answer.rule.to_string()
    }

    /// The certificate that the user presented.
    #[must_use]
    pub fn certificate(&self) -> Fingerprint {
        self.answer.certificate
    }

    /// The host that the user connected to.
    #[must_use]
    pub fn host(&self) -> &HostId {
        self.evidence.host()
    }

    /// The policy that decided.
    #[must_use]
    pub fn policy(&self) -> PolicyDigest {
        self.policy
    }

    /// The last second for which this answer surely holds: until then nothing that the decision looked at begins or ends, the
    /// validity of the certificate among it.
    #[must_use]
    pub fn valid_until(&self) -> UnixTime {
        self.valid_until
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Principal({}, by {}, {} roles)", self.user(), self.rule(), self.roles().len())
    }
}

/// A known user does not have the role that was asked for. Answered with 403, never 401: no other certificate is needed,
/// but a role.
///
/// Its [`Display`](fmt::Display) names no facts, because it may end up in the body of an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("role missing")]
pub struct RoleMissing(Box<Missing>);

#[derive(Clone, Debug)]
struct Missing {
    principal: Principal,
    role: Role,
    near_miss: Option<Role>,
}

impl RoleMissing {
    /// The stable code: `role-missing`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "role-missing"
    }

    /// 403.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        403
    }

    /// Who asked.
    #[must_use]
    pub fn user(&self) -> &UserName {
        self.0.principal.user()
    }

    /// The role that was asked for.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.0.role
    }

    /// A role that the user has and that looks like the one asked for: probably one of the two is a typing error.
    #[must_use]
    pub fn near_miss(&self) -> Option<&Role> {
        self.0.near_miss.as_ref()
    }

    /// The strength from which on the user has the role, if it is only not known strongly enough.
    #[must_use]
    pub fn needs(&self) -> Option<Strength> {
        let mut shortfalls = self.0.principal.shortfalls().iter();
        shortfalls.find(|shortfall| shortfall.role() == self.role()).map(Shortfall::least)
    }

    /// What was missing, for operators.
    #[must_use]
    pub fn detail(&self) -> String {
        if let Some(needs) = self.needs() {
            return format!(
                "user `{}` has the role `{}` only from strength {needs} on, and is known with strength {}",
                self.user(),
                self.role(),
                self.0.principal.strength()
            );
        }
        format!("user `{}` does not have the role `{}`", self.user(), self.role())
    }

    /// What to do about it, for operators.
    #[must_use]
    pub fn cure(&self) -> String {
        if let Some(needs) = self.needs() {
            return format!(
                "map the certificate `{}` by {}, or let the assignment ask for less",
                self.0.principal.certificate(),
                match needs {
                    Strength::Certificate => "its fingerprint",
                    Strength::Key => "its key or fingerprint",
                    Strength::Name | Strength::Serial => "its serial number under its CA, its key or fingerprint",
                }
            );
        }
        match self.near_miss() {
            Some(near) if near.application() != self.role().application() && near.name() == self.role().name() => {
                format!(
                    "the user has `{near}`, the same role of another application: assign `{}` to `{}` if it may do this",
                    self.role(),
                    self.user()
                )
            }
            Some(near) => {
                format!("the user has `{near}`: if that is meant, correct one of the two names to match the other")
            }
            None => format!("assign `{}` to `{}` if it may do this", self.role(), self.user()),
        }
    }

    /// One line for a log, as of a refused decision, but with the user: it is known, and may not.
    #[must_use]
    pub fn record(&self, now: UnixTime) -> AuditRecord {
        self.0
            .principal
            .record_as(RecordOutcome::Refused, now)
            .with(RecordKey::Code, Some(self.code()))
            .with(RecordKey::Detail, Some(self.detail()))
            .with(RecordKey::Cure, Some(self.cure()))
    }
}

/// The first role that differs from the wanted one by case, by its application, or by at most two edits of its name.
fn near_miss(roles: &[Role], wanted: &Role) -> Option<Role> {
    let by_case = |role: &&Role| role.as_str().eq_ignore_ascii_case(wanted.as_str());
    let elsewhere = |role: &&Role| role.name() == wanted.name();
    let by_edits =
        |role: &&Role| role.application() == wanted.application() && within_two_edits(role.name(), wanted.name());
    let mut found = roles.iter().find(by_case);
    found = found.or_else(|| roles.iter().find(elsewhere));
    found.or_else(|| roles.iter().find(by_edits)).cloned()
}

/// True if at most two insertions, deletions or replacements of an octet turn one into the other. Role names are ASCII;
/// in names of three octets or less nearly everything is two edits away from everything.
fn within_two_edits(one: &str, other: &str) -> bool {
    one.len().min(other.len()) > 3 && within_edits(one.as_bytes(), other.as_bytes(), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(has: &str, wanted: &str) -> Option<String> {
        near_miss(&[has.parse().unwrap()], &wanted.parse().unwrap()).map(|role| role.to_string())
    }

    #[test]
    fn a_typing_error_is_recognised_and_another_role_is_not() {
        let wanted = "iflmap/ESBMessaging.send";
        for has in [
            "iflmap/ESBmessaging.send",
            "iflmap2/ESBMessaging.send",
            "iflmap/ESBMesaging.send",
            "iflmap/ESBMessaging.sned",
            "iflmap/ESBMessaging.sendx",
            "IFLMAP/esbmessaging.SEND",
        ] {
            assert_eq!(near(has, wanted).as_deref(), Some(has));
        }
        for has in ["iflmap/ESBMessaging.receive", "iflmap/Admin", "other/ESBmessaging.sent"] {
            assert_eq!(near(has, wanted), None);
        }
        // Of three octets nearly everything is two edits away.
        assert_eq!(near("a/xyz", "a/abz"), None);
    }
}
