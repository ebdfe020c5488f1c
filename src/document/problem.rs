//! What keeps a document from becoming a policy: every problem at once, each with its place and its cure.

use core::fmt;

use super::place::DocumentPath;
use crate::cert::{
    InvalidCertificate, InvalidDistinguishedName, InvalidFingerprint, InvalidRevocationList, InvalidSerialNumber,
};
use crate::label::InvalidLabel;
use crate::map::{InvalidSelector, InvalidUserSource, RuleProblem};
use crate::policy::{InvalidHostName, Problem};
use crate::role::InvalidRole;
use crate::text::{OneLine, WithCauses};
use crate::trust::{BundleName, TrustError};
use crate::user::InvalidUserName;

/// A document is no policy; it has at least one problem.
///
/// Prints how many, and the first; show [`problems`](Self::problems) to whoever has to mend them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// INVARIANT: not empty.
    problems: Vec<DocumentProblem>,
}

impl DocumentError {
    /// `Err` if there are problems.
    pub(super) fn check(problems: Vec<DocumentProblem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// INVARIANT: `problems` has at least one.
    pub(super) fn of(problems: Vec<DocumentProblem>) -> Self {
        Self { problems }
    }

    /// Every problem, never empty: first what cannot be understood, then what the policy would have.
    #[must_use]
    pub fn problems(&self) -> &[DocumentProblem] {
        &self.problems
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "the document has a problem: {one}"),
            [] => f.write_str("the document has no problem"),
            [first, ..] => write!(f, "the document has {} problems, the first: {first}", self.problems.len()),
        }
    }
}

impl core::error::Error for DocumentError {}

/// One thing that is wrong with a document, and where.
///
/// Prints the place, what is wrong, and what to do about it; where two places contradict each other, both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentProblem {
    pub(super) path: DocumentPath,
    pub(super) others: Vec<DocumentPath>,
    pub(super) fault: DocumentFault,
}

impl DocumentProblem {
    pub(super) fn new(path: DocumentPath, fault: impl Into<DocumentFault>) -> Self {
        Self { path, others: Vec::new(), fault: fault.into() }
    }

    /// Where it is: `partners/acme.toml: mappings[3].match`.
    #[must_use]
    pub fn path(&self) -> &DocumentPath {
        &self.path
    }

    /// The other places that have a part in it.
    #[must_use]
    pub fn others(&self) -> &[DocumentPath] {
        &self.others
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &DocumentFault {
        &self.fault
    }

    /// What it is about: two problems of one subject are the same one, though perhaps larger or smaller.
    pub(super) fn subject(&self) -> (&'static str, String) {
        let subject = match &self.fault {
            DocumentFault::Duplicate { what } => what.clone(),
            DocumentFault::Policy(problem) => match &**problem {
                Problem::AmbiguousCertificate { certificate, .. } => certificate.to_string(),
                Problem::DuplicateDefault { listener, .. } => listener.to_string(),
                Problem::DuplicateServerName { listener, name, .. } => format!("{listener} {name}"),
                Problem::TooManyHints { host, .. } => host.to_string(),
                Problem::Rules(RuleProblem::Conflict { selector, .. }) => selector.to_string(),
                Problem::Rules(RuleProblem::Crowded { ca, value, .. }) => format!("{ca} {value}"),
                Problem::Rules(RuleProblem::RuleNameTwice { name, .. }) => name.to_string(),
                other => other.to_string(),
            },
            other => format!("{}: {other}", self.path),
        };
        (self.code(), subject)
    }

    /// A stable code, for programs: `unknown-bundle`; that of the policy's [`Problem`] where it is one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }
}

impl fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.fault)?;
        for (at, other) in self.others.iter().enumerate() {
            write!(f, "{}{other}", if at == 0 { " (see also " } else { ", " })?;
        }
        if self.others.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// What is wrong at some place of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentFault {
    /// It is no certificate.
    #[error("{}", WithCauses(.0))]
    Certificate(InvalidCertificate),
    /// A thing is defined a second time.
    #[error("{what} is there a second time: remove one of the two")]
    Duplicate {
        /// What.
        what: String,
    },
    /// Two keys are given, and each says what the other could contradict.
    #[error("`{}` and `{}` are both given: remove one of them", .keys[0], .keys[1])]
    Exclusive {
        /// The keys.
        keys: [&'static str; 2],
    },
    /// It is no fingerprint of a key.
    #[error("{0}")]
    Fingerprint(InvalidFingerprint),
    /// It is no name of a host.
    #[error("{0}")]
    HostName(InvalidHostName),
    /// It is no distinguished name.
    #[error("{}", WithCauses(.0))]
    Issuer(InvalidDistinguishedName),
    /// It is no bundle name, host id, alias or rule name.
    #[error("{0}")]
    Label(InvalidLabel),
    /// A key is missing.
    #[error("{what} is missing: {cure}")]
    Missing {
        /// Which.
        what: &'static str,
        /// What to do about it.
        cure: &'static str,
    },
    /// The policy would have this problem.
    #[error("{0}")]
    Policy(Box<Problem>),
    /// A private key, or a part of one.
    #[error(
        "a private key stands here: take it out, keep it where only its owner reads it, and treat it as disclosed if others could read this file"
    )]
    PrivateKey,
    /// A reference that nobody could resolve.
    #[error("`{}` cannot be resolved: {}", OneLine(.reference), OneLine(.cause))]
    Reference {
        /// The reference.
        reference: String,
        /// What the program says.
        cause: String,
    },
    /// It is no revocation list.
    #[error("{}", WithCauses(.0))]
    RevocationList(InvalidRevocationList),
    /// It is no role.
    #[error("{0}")]
    Role(InvalidRole),
    /// It is no selector.
    #[error("{}", WithCauses(.0))]
    Selector(InvalidSelector),
    /// It is no serial number.
    #[error("{0}")]
    Serial(InvalidSerialNumber),
    /// It is no name of a server.
    #[error("expected a DNS name without wildcard, or an IP address")]
    ServerName,
    /// The certificate cannot be put into its bundle.
    #[error("{}", WithCauses(.0))]
    Trust(TrustError),
    /// No bundle has the name.
    #[error("no bundle is named `{bundle}`: {}", bundle_cure(.near.as_ref()))]
    UnknownBundle {
        /// The name.
        bundle: BundleName,
        /// A bundle of nearly that name.
        near: Option<BundleName>,
    },
    /// A word that stands for nothing here.
    #[error("`{}` is none of `{}`{}", OneLine(.found), .words.join("`, `"), word_cure(*.near))]
    UnknownWord {
        /// What stands there.
        found: String,
        /// What could stand there.
        words: Vec<&'static str>,
        /// What was probably meant.
        near: Option<&'static str>,
    },
    /// It is no user name.
    #[error("{0}")]
    User(InvalidUserName),
    /// It is no user source.
    #[error("{}", WithCauses(.0))]
    UserSource(InvalidUserSource),
}

fn bundle_cure(near: Option<&BundleName>) -> String {
    match near {
        Some(near) => format!("is `{near}` meant?"),
        None => "define it under `bundles`, or correct the name".to_owned(),
    }
}

fn word_cure(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(": is `{near}` meant?"))
}

impl DocumentFault {
    /// A stable code, for programs: `unknown-bundle`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "invalid-certificate",
            Self::Duplicate { .. } => "duplicate-definition",
            Self::Exclusive { .. } => "exclusive-keys",
            Self::Fingerprint(_) => "invalid-fingerprint",
            Self::HostName(_) => "invalid-host-name",
            Self::Issuer(_) => "invalid-issuer",
            Self::Label(_) => "invalid-label",
            Self::Missing { .. } => "missing-key",
            Self::Policy(problem) => problem.code(),
            Self::PrivateKey => "private-key",
            Self::Reference { .. } => "unresolved-reference",
            Self::RevocationList(_) => "invalid-revocation-list",
            Self::Role(_) => "invalid-role",
            Self::Selector(_) => "invalid-selector",
            Self::Serial(_) => "invalid-serial",
            Self::ServerName => "invalid-server-name",
            Self::Trust(_) => "trust",
            Self::UnknownBundle { .. } => "unknown-bundle",
            Self::UnknownWord { .. } => "unknown-word",
            Self::User(_) => "invalid-user",
            Self::UserSource(_) => "invalid-user-source",
        }
    }
}

/// The errors of values, each as the fault that it is.
macro_rules! faults {
    ($($error:ident => $fault:ident,)*) => {
        $(impl From<$error> for DocumentFault {
            fn from(error: $error) -> Self {
                Self::$fault(error)
            }
        })*
    };
}

faults! {
    InvalidDistinguishedName => Issuer,
    InvalidFingerprint => Fingerprint,
    InvalidHostName => HostName,
    InvalidLabel => Label,
    InvalidRole => Role,
    InvalidSelector => Selector,
    InvalidSerialNumber => Serial,
    InvalidUserName => User,
    InvalidUserSource => UserSource,
    TrustError => Trust,
}

impl From<InvalidCertificate> for DocumentFault {
    fn from(error: InvalidCertificate) -> Self {
        match error {
            InvalidCertificate::NotACertificate { label, .. } if is_private_key(&label) => Self::PrivateKey,
            other => Self::Certificate(other),
        }
    }
}

impl From<InvalidRevocationList> for DocumentFault {
    fn from(error: InvalidRevocationList) -> Self {
        match error {
            InvalidRevocationList::NotARevocationList { label, .. } if is_private_key(&label) => Self::PrivateKey,
            other => Self::RevocationList(other),
        }
    }
}

fn is_private_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}
