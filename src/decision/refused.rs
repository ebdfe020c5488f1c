//! A decision that refused: the type that stands where a principal was wanted.

use core::fmt;

use rustls::pki_types::UnixTime;

use super::circumstances::Circumstances;
use super::{AuditRecord, Evidence, Reason, RecordOutcome, Refusal, RefusalCode};
use crate::policy::PolicyDigest;

/// A refused decision: the [`Refusal`], and all that belongs to its record.
///
/// An error, so that a handler can use `?`. Its [`Display`](fmt::Display) names no facts, because it may end up in the body
/// of an answer; the record is for the log.
#[derive(Clone, Debug)]
pub struct Refused {
    pub(super) refusal: Refusal,
    pub(super) circumstances: Circumstances,
}

impl Refused {
    /// For a peer that presented nothing where a principal is wanted.
    pub(super) fn without_certificate(circumstances: Circumstances) -> Self {
        Self { refusal: Refusal::new(Reason::NoCertificate), circumstances }
    }

    /// Why.
    #[must_use]
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The stable code: the most that the peer is told.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        self.refusal.code()
    }

    /// The HTTP status to answer with.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.refusal.http_status()
    }

    /// What was presented, and to which host: the certificate that the [cure](Refusal::cure) speaks of is in it.
    ///
    /// # Security
    /// After a refused handshake nobody has proven to have its key.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.circumstances.evidence
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

    /// The decision as one line for a log; the gateway adds the peer's address and its own connection id.
    #[must_use]
    pub fn record(&self) -> AuditRecord {
        self.refusal.sign(self.circumstances.record(RecordOutcome::Refused))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl core::error::Error for Refused {}
