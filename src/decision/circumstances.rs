//! (private) Under what a decision was made, admitted or refused: the part of its record that does not depend on the answer.

use rustls::pki_types::UnixTime;

use super::record::RecordKey;
use super::{AuditRecord, Evidence, RecordOutcome};
use crate::cert::{Certificate, Fingerprint};
use crate::policy::{Policy, PolicyDigest};

#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    pub(super) evidence: Evidence,
    pub(super) policy: PolicyDigest,
    pub(super) at: UnixTime,
}

impl Circumstances {
    pub(super) fn new(policy: &Policy, evidence: &Evidence, at: UnixTime) -> Self {
        Self { evidence: evidence.clone(), policy: policy.digest(), at }
    }

    pub(super) fn certificate(&self) -> Option<Fingerprint> {
        self.evidence.chain().first().map(|der| Fingerprint::of(der))
    }

    pub(super) fn record(&self, outcome: RecordOutcome) -> AuditRecord {
        let Self { evidence, policy, at } = self;
        let presented = evidence.chain().first().and_then(|der| Certificate::from_der(der).ok());
        AuditRecord::new(*at, outcome, evidence.host().as_str(), evidence.resumed())
            .with(RecordKey::Policy, Some(policy))
            .with(RecordKey::Certificate, self.certificate())
            .with(RecordKey::Subject, presented.as_ref().map(Certificate::subject))
            .with(RecordKey::Issuer, presented.as_ref().map(Certificate::issuer))
    }
}
