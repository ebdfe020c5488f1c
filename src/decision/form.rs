//! (private) Decisions and records in the form for programs (feature `serde`).

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{AuditRecord, Decision, Outcome, Principal, RecordOutcome, Refusal, RefusalCode};
use crate::cert::{Fingerprint, show};
use crate::form::{AsText, texts};
use crate::policy::{HostId, PolicyDigest};
use crate::role::{Enforcement, Role, Shortfall};
use crate::strength::Strength;
use crate::user::UserName;

#[derive(Serialize)]
struct DecisionForm<'a> {
    outcome: AsText<&'static str>,
    at: String,
    host: AsText<&'a HostId>,
    resumed: bool,
    certificate: Option<AsText<Fingerprint>>,
    policy: AsText<PolicyDigest>,
    principal: Option<PrincipalForm<'a>>,
    refusal: Option<RefusalForm>,
}

#[derive(Serialize)]
struct PrincipalForm<'a> {
    user: AsText<&'a UserName>,
    rule: String,
    strength: AsText<Strength>,
    roles: Vec<AsText<&'a Role>>,
    shortfalls: Vec<ShortfallForm<'a>>,
    valid_until: String,
}

#[derive(Serialize)]
struct ShortfallForm<'a> {
    role: AsText<&'a Role>,
    at_least: AsText<Strength>,
    enforcement: AsText<Enforcement>,
}

#[derive(Serialize)]
struct RefusalForm {
    code: AsText<RefusalCode>,
    detail: String,
    cure: String,
}

impl<'a> From<&'a Principal> for PrincipalForm<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self {
            user: AsText(principal.user()),
            rule: principal.rule(),
            strength: AsText(principal.strength()),
            roles: texts(principal.roles()),
            shortfalls: principal.shortfalls().iter().map(ShortfallForm::from).collect(),
            valid_until: show(principal.valid_until()).to_string(),
        }
    }
}

impl<'a> From<&'a Shortfall> for ShortfallForm<'a> {
    fn from(shortfall: &'a Shortfall) -> Self {
        Self {
            role: AsText(shortfall.role()),
            at_least: AsText(shortfall.least()),
            enforcement: AsText(shortfall.enforcement()),
        }
    }
}

impl From<&Refusal> for RefusalForm {
    fn from(refusal: &Refusal) -> Self {
        Self { code: AsText(refusal.code()), detail: refusal.detail(), cure: refusal.cure() }
    }
}

impl Serialize for Decision {
    /// The form for programs (feature `serde`); values that a peer chose are in it as they are.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = match self.outcome() {
            Outcome::Admitted(_) => RecordOutcome::Admitted,
            Outcome::Anonymous => RecordOutcome::Anonymous,
            Outcome::Refused(_) => RecordOutcome::Refused,
        };
        let form = DecisionForm {
            outcome: AsText(outcome.as_str()),
            at: show(self.at()).to_string(),
            host: AsText(self.host()),
            resumed: self.evidence().resumed(),
            certificate: self.certificate().map(AsText),
            policy: AsText(self.policy()),
            principal: self.principal().map(PrincipalForm::from),
            refusal: self.refusal().map(RefusalForm::from),
        };
        form.serialize(serializer)
    }
}

impl Serialize for AuditRecord {
    /// The pairs of the line under the same keys, in the same order and no more of each value than the line has; `elided`
    /// has the bytes of those that were cut.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.written_time())?;
        map.serialize_entry("outcome", self.outcome().as_str())?;
        map.serialize_entry("host", self.host())?;
        map.serialize_entry("resumed", &self.resumed())?;
        if let Some(peer) = self.peer() {
            map.serialize_entry("peer", &AsText(peer))?;
        }
        for (key, shown) in self.texts() {
            map.serialize_entry(key, shown.as_str())?;
        }
        let cut: BTreeMap<_, _> = self.all().filter_map(|(key, shown)| Some((key, shown.total()?))).collect();
        if !cut.is_empty() {
            map.serialize_entry("elided", &cut)?;
        }
        map.end()
    }
}
