//! Refusals: answers with a stable code, facts and a cure.

use core::fmt;
use std::sync::Arc;

use super::AuditRecord;
use super::evidence::Asked;
use super::record::RecordKey;
use crate::cert::{Fingerprint, show};
use crate::code::codes;
use crate::limits::{CERTIFICATE_BYTES, CHAIN_LENGTH, TESTS_PER_DECISION};
use crate::map::{Matched, RuleId, Selector, Unnamed};
use crate::policy::{Authority, HostId};
use crate::text::OneLine;
use crate::trust::{BundleName, Distrust, PathFailure, Untrusted};
use crate::user::UserName;

/// Why a peer is nobody: an answer, not an accident. Cheap to clone.
///
/// The peer is told the [`code`](Self::code) at most. Its [`Display`](fmt::Display) names no facts, because somebody will
/// put it into the body of an answer; [`detail`](Self::detail) and [`cure`](Self::cure) are for operators.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal(Arc<Reason>);

/// The facts of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Ambiguous {
        certificate: Fingerprint,
        rules: [Matched; 2],
    },
    Distrust {
        bundle: BundleName,
        cause: Distrust,
    },
    KeyNotProven {
        cause: String,
    },
    Misdirected {
        host: HostId,
        authority: String,
    },
    /// The connection asked for what is not the host's any more.
    Moved {
        host: HostId,
        asked: Asked,
    },
    /// As [`Distrust::NoCertificate`], where the host requires none and the request wants a user.
    NoCertificate,
    NotMapped {
        certificate: Fingerprint,
    },
    TooManyTests {
        certificate: Fingerprint,
    },
    UnknownHost {
        host: HostId,
    },
    UserDisabled {
        user: UserName,
    },
    UserName {
        certificate: Fingerprint,
        rule: Unnamed,
    },
}

const NO_CERTIFICATE: &str = "no certificate was presented";
const NO_CERTIFICATE_CURE: &str = "have the partner configure its client certificate for this connection (in SOAMANAGER: X.509 SSL client certificate)";

impl Reason {
    /// Characters of a request's authority that are kept for the operator; of a longer one `~` and its bytes tell.
    const AUTHORITY_SHOWN: usize = 64;

    pub(crate) fn misdirected(host: &HostId, authority: Authority<'_>) -> Self {
        let authority = match authority {
            Authority::Host(text) => match text.char_indices().nth(Self::AUTHORITY_SHOWN) {
                Some((end, _)) => format!("{}~{}", text.split_at(end).0, text.len()),
                None => text.to_owned(),
            },
            Authority::NotHttp => String::new(),
        };
        Self::Misdirected { host: host.clone(), authority }
    }
}

codes! {
    /// The stable code of a [`Refusal`], for counters and for the peer.
    RefusalCode {
        /// Two rules name different users for the certificate.
        Ambiguous = "ambiguous",
        /// The certificate's validity has ended.
        CertificateExpired = "certificate-expired",
        /// The certificate's validity has not begun.
        CertificateNotYetValid = "certificate-not-yet-valid",
        /// A CA took back the certificate, or one of those that vouch for it.
        CertificateRevoked = "certificate-revoked",
        /// The certificate is larger than this crate reads.
        CertificateTooLarge = "certificate-too-large",
        /// The peer presented more certificates than this crate reads.
        ChainTooLong = "chain-too-long",
        /// The certificate is denied, whatever vouches for it.
        Denied = "denied",
        /// The peer did not prove in the handshake that it has the certificate's key.
        KeyNotProven = "key-not-proven",
        /// The request is for another host than the connection was made to.
        Misdirected = "misdirected",
        /// The peer presented no certificate.
        NoCertificate = "no-certificate",
        /// The certificate is trusted, but no rule says whose it is.
        NotMapped = "not-mapped",
        /// An anchor has the issuer's name, but the path to it is not valid.
        PathInvalid = "path-invalid",
        /// Whether the certificate is revoked cannot be told.
        RevocationUnknown = "revocation-unknown",
        /// The certificate's names lead to more rules than a decision looks at.
        TooManyRules = "too-many-rules",
        /// The policy in force does not have the host that the connection was made to.
        UnknownHost = "unknown-host",
        /// Nothing vouches for the certificate.
        Untrusted = "untrusted",
        /// The user is known and disabled.
        UserDisabled = "user-disabled",
        /// A rule takes the user's name from the certificate, and what stands there is no user name.
        UserName = "user-name",
        /// The certificate, or one of those that vouch for it, is for other purposes than client authentication.
        WrongPurpose = "wrong-purpose",
    }
}

impl RefusalCode {
    /// The HTTP status to answer with: 421 if the request came to the wrong place, else 401.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::Misdirected | Self::UnknownHost => 421,
            Self::Ambiguous
            | Self::CertificateExpired
            | Self::CertificateNotYetValid
            | Self::CertificateRevoked
            | Self::CertificateTooLarge
            | Self::ChainTooLong
            | Self::Denied
            | Self::KeyNotProven
            | Self::NoCertificate
            | Self::NotMapped
            | Self::PathInvalid
            | Self::RevocationUnknown
            | Self::TooManyRules
            | Self::Untrusted
            | Self::UserDisabled
            | Self::UserName
            | Self::WrongPurpose => 401,
        }
    }
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self(Arc::new(reason))
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> RefusalCode {
        match &*self.0 {
            Reason::Ambiguous { .. } => RefusalCode::Ambiguous,
            Reason::Distrust { cause, .. } => match cause {
                Distrust::ChainTooLong { .. } => RefusalCode::ChainTooLong,
                Distrust::Denied { .. } => RefusalCode::Denied,
                Distrust::Expired { .. } => RefusalCode::CertificateExpired,
                Distrust::NoCertificate => RefusalCode::NoCertificate,
                Distrust::NotYetValid { .. } => RefusalCode::CertificateNotYetValid,
                Distrust::Path { failure, .. } => path_code(failure),
                Distrust::PinPurpose { .. } => RefusalCode::WrongPurpose,
                Distrust::TooLarge { .. } => RefusalCode::CertificateTooLarge,
                Distrust::Unknown { .. } => RefusalCode::Untrusted,
            },
            Reason::KeyNotProven { .. } => RefusalCode::KeyNotProven,
            Reason::Misdirected { .. } | Reason::Moved { .. } => RefusalCode::Misdirected,
            Reason::NoCertificate => RefusalCode::NoCertificate,
            Reason::NotMapped { .. } => RefusalCode::NotMapped,
            Reason::TooManyTests { .. } => RefusalCode::TooManyRules,
            Reason::UnknownHost { .. } => RefusalCode::UnknownHost,
            Reason::UserDisabled { .. } => RefusalCode::UserDisabled,
            Reason::UserName { .. } => RefusalCode::UserName,
        }
    }

    /// The HTTP status to answer with; see [`RefusalCode::http_status`].
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.code().http_status()
    }

    /// What is known about an untrusted certificate; `None` for every other refusal.
    #[must_use]
    pub fn untrusted(&self) -> Option<&Untrusted> {
        match &*self.0 {
            Reason::Distrust { cause: Distrust::Unknown { cause, .. }, .. } => Some(cause),
            _ => None,
        }
    }

    /// Why no anchor vouches for the certificate; `None` for every other refusal.
    #[must_use]
    pub fn path_failure(&self) -> Option<&PathFailure> {
        match &*self.0 {
            Reason::Distrust { cause: Distrust::Path { failure, .. }, .. } => Some(failure),
            _ => None,
        }
    }

    /// Adds the answer to a record.
    pub(super) fn sign(&self, record: AuditRecord) -> AuditRecord {
        record
            .with(RecordKey::Code, Some(self.code()))
            .with(RecordKey::Detail, Some(self.detail()))
            .with(RecordKey::Cure, Some(self.cure()))
    }

    /// What happened, with the facts, for operators. Contains what the peer chose; print it escaped, as
    /// [`AuditRecord`](super::AuditRecord) does.
    #[must_use]
    pub fn detail(&self) -> String {
        match &*self.0 {
            Reason::Ambiguous { certificate, rules: [one, other] } => format!(
                "certificate {certificate} is user `{}` by `{}` and user `{}` by `{}`",
                one.user, one.rule, other.user, other.rule
            ),
            Reason::Distrust { cause, bundle } => match cause {
                Distrust::ChainTooLong { certificates } => {
                    format!("{certificates} certificates were presented, at most {CHAIN_LENGTH} are read")
                }
                Distrust::Denied { fingerprint, denial } => {
                    format!("certificate {fingerprint} is denied: {denial}")
                }
                Distrust::Expired { fingerprint, validity } => {
                    format!("the validity of certificate {fingerprint} ended at {}", show(validity.not_after()))
                }
                Distrust::NoCertificate => NO_CERTIFICATE.to_owned(),
                Distrust::NotYetValid { fingerprint, validity } => {
                    format!("the validity of certificate {fingerprint} begins at {}", show(validity.not_before()))
                }
                Distrust::Path { fingerprint, failure } => {
                    format!("no anchor in bundle `{bundle}` vouches for certificate {fingerprint}: {failure}")
                }
                Distrust::PinPurpose { fingerprint, stated } => format!(
                    "certificate {fingerprint} is pinned in bundle `{bundle}`, which asks pins to be for client authentication: {stated}"
                ),
                Distrust::TooLarge { bytes } => {
                    format!("the certificate has {bytes} bytes, at most {CERTIFICATE_BYTES} are read")
                }
                Distrust::Unknown { fingerprint, cause } => {
                    format!("nothing in bundle `{bundle}` vouches for certificate {fingerprint}: {cause}")
                }
            },
            Reason::KeyNotProven { cause } => {
                format!("the peer did not prove that it has the key of the certificate it presented: {cause}")
            }
            Reason::Misdirected { host, authority } if authority.is_empty() => {
                format!("the request names no host, and host `{host}` answers only for its own names")
            }
            Reason::Misdirected { host, authority } => {
                format!("the request is for `{}`, which host `{host}` does not answer for", OneLine(authority))
            }
            Reason::Moved { host, asked: Asked { listener, name } } => {
                let name = name.as_deref().map_or("no name".to_owned(), |name| format!("`{}`", OneLine(name)));
                format!(
                    "the connection asked for {name} on listener `{listener}`, which is not for host `{host}` by the policy in force"
                )
            }
            Reason::NoCertificate => NO_CERTIFICATE.to_owned(),
            Reason::NotMapped { certificate } => format!("no rule says whose certificate {certificate} is"),
            Reason::TooManyTests { certificate } => format!(
                "the names in certificate {certificate} lead to rules with more than {TESTS_PER_DECISION} tests, which is more than a decision looks at"
            ),
            Reason::UnknownHost { host } => {
                format!("the connection was made to host `{host}`, which the policy in force does not have")
            }
            Reason::UserDisabled { user } => format!("user `{user}` is disabled"),
            Reason::UserName { certificate, rule } => format!(
                "rule `{}` takes `{}` from certificate {certificate}, which is no user name: {}",
                rule.rule,
                OneLine(rule.cause.taken()),
                rule.cause
            ),
        }
    }

    /// What to do about it, in one sentence, for operators.
    #[must_use]
    pub fn cure(&self) -> String {
        match &*self.0 {
            Reason::Ambiguous { certificate, rules: [one, other] } => {
                let (one, other) = (&one.rule, &other.rule);
                format!("remove the rule `{one}` or the rule `{other}`{}", exception(*certificate, [one, other]))
            }
            Reason::Distrust { cause, bundle } => match cause {
                Distrust::ChainTooLong { .. } => "have the partner present only its own certificate and its issuers".to_owned(),
                Distrust::Denied { denial, .. } => format!("refuse it, or lift the denial `{denial}`"),
                Distrust::Expired { .. } => {
                    "have the partner renew its certificate, add the new one beside this one, then remove this one".to_owned()
                }
                Distrust::NoCertificate => NO_CERTIFICATE_CURE.to_owned(),
                Distrust::NotYetValid { .. } => "check the clocks of both sides, or wait until the validity begins".to_owned(),
                Distrust::Path { failure, .. } => failure.cure(),
                Distrust::PinPurpose { .. } => format!(
                    "have the partner make a certificate with clientAuth in its extended key usage, or let bundle `{bundle}` ask no purpose of its pins"
                ),
                Distrust::TooLarge { .. } => "have the partner make a smaller certificate".to_owned(),
                Distrust::Unknown { fingerprint, cause } => unknown_cure(bundle, *fingerprint, cause),
            },
            Reason::KeyNotProven { .. } => {
                "have the partner check that its certificate and private key belong together; if it does not know of this connection, somebody poses as it".to_owned()
            }
            Reason::Misdirected { .. } => "have the client open a connection of its own for that host".to_owned(),
            Reason::Moved { .. } => "have the client open another connection".to_owned(),
            Reason::NoCertificate => NO_CERTIFICATE_CURE.to_owned(),
            Reason::NotMapped { certificate } => {
                format!("map `{}` to a user", Selector::certificate(*certificate))
            }
            Reason::TooManyTests { certificate } => format!(
                "have the CA write fewer names into the certificate, or map `{}` to a user, as an exception over name rules",
                Selector::certificate(*certificate)
            ),
            Reason::UnknownHost { host } => {
                format!("add host `{host}` to the policy, or have the client open another connection")
            }
            Reason::UserDisabled { user } => format!("leave it so, or enable the user `{user}` again"),
            Reason::UserName { certificate, .. } => format!(
                "have the CA write a plain name into the certificate, or map `{}` to a user, as an exception over name rules",
                Selector::certificate(*certificate)
            ),
        }
    }
}

/// What an exception over name rules could do about two rules that disagree: nothing where neither is one.
fn exception(certificate: Fingerprint, rules: [&RuleId; 2]) -> String {
    if rules.iter().all(|rule| rule.selector().ca().is_none()) {
        String::new()
    } else if rules.iter().any(|rule| rule.selector().as_certificate().is_some()) {
        ", or declare the one for exactly this certificate an exception over name rules".to_owned()
    } else {
        format!(", or map `{}` to a user, as an exception over name rules", Selector::certificate(certificate))
    }
}

fn path_code(failure: &PathFailure) -> RefusalCode {
    match failure {
        PathFailure::ChainIncomplete { .. } | PathFailure::UnknownIssuer { .. } => RefusalCode::Untrusted,
        PathFailure::Denied { .. } => RefusalCode::Denied,
        PathFailure::Expired { .. } => RefusalCode::CertificateExpired,
        PathFailure::NotYetValid { .. } => RefusalCode::CertificateNotYetValid,
        PathFailure::Purpose { .. } => RefusalCode::WrongPurpose,
        PathFailure::RevocationUnknown { .. } => RefusalCode::RevocationUnknown,
        PathFailure::Revoked { .. } => RefusalCode::CertificateRevoked,
        PathFailure::Algorithm { .. }
        | PathFailure::BadSignature { .. }
        | PathFailure::EndEntityIsCa
        | PathFailure::Issuer { .. }
        | PathFailure::KeyUsage
        | PathFailure::NameConstraint { .. }
        | PathFailure::PathLength
        | PathFailure::TooMuchWork { .. }
        | PathFailure::Unprocessable { .. }
        | PathFailure::WeakKey(_) => RefusalCode::PathInvalid,
    }
}

fn unknown_cure(bundle: &BundleName, fingerprint: Fingerprint, cause: &Untrusted) -> String {
    match cause {
        Untrusted::IssuedByPin { pin, pin_is_ca: true } => format!(
            "if this is a partner and its CA `{pin}` was pinned by mistake, pin this certificate, `{fingerprint}`, and take the CA out of bundle `{bundle}`; if it is not, refuse it"
        ),
        Untrusted::IssuedByPin { pin_is_ca: false, .. } => {
            "refuse it unless the partner explains it: a pin admits one certificate and issues none".to_owned()
        }
        Untrusted::KeyOfPin { pin, older: true } | Untrusted::NameOfPin { pin, older: true } => {
            format!(
                "do not add it: if it is the partner's, it is the one before `{pin}`, which the partner has to present"
            )
        }
        Untrusted::KeyOfPin { .. } => {
            format!(
                "if the partner renewed its certificate, add `{fingerprint}` to bundle `{bundle}` as a pin and map it to the same user"
            )
        }
        Untrusted::NameOfPin { .. } => {
            format!(
                "ask the partner whether it made a new key; only then add `{fingerprint}` to bundle `{bundle}` as a pin and map it"
            )
        }
        Untrusted::PinInChain { .. } => {
            "have the partner present the pinned certificate itself, as the first of its chain".to_owned()
        }
        Untrusted::Unknown => {
            format!("if this is a partner, add `{fingerprint}` to bundle `{bundle}` as a pin and map it to a user")
        }
        Untrusted::Unreadable(_) => "have the partner make a proper certificate".to_owned(),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.code())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({}: {})", self.code(), OneLine(&self.detail()))
    }
}
