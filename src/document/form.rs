//! (private) Problems, findings and edits of documents in the form for programs. How a document itself is written is
//! another matter.

use serde::{Serialize, Serializer};

use super::place::{DocumentPath, FileName, Number};
use super::{AddedAs, Change, Changes, DocumentProblem, RoleFinding};
use crate::cert::{DistinguishedName, Fingerprint};
use crate::form::{AsText, AssignmentForm, DenialForm};
use crate::map::{Selector, UserSource};
use crate::policy::HostId;
use crate::role::Role;
use crate::trust::BundleName;
use crate::user::UserName;

#[derive(Serialize)]
struct PathForm<'a> {
    file: Option<AsText<&'a FileName>>,
    list: &'static str,
    /// Where it stands in the list of its file, from 0; nothing for the list, and for what was added since.
    item: Option<usize>,
    key: Option<&'static str>,
    text: AsText<&'a DocumentPath>,
}

impl Serialize for DocumentPath {
    /// The form for programs.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { file, list, number, key } = self;
        let item = match number {
            Some(Number::Read(number)) => Some(*number),
            Some(Number::Added) | None => None,
        };
        let key = Some(*key).filter(|key| !key.is_empty());
        let form = PathForm { file: file.as_ref().map(AsText), list, item, key, text: AsText(self) };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ProblemForm<'a> {
    code: &'static str,
    place: &'a DocumentPath,
    others: &'a [DocumentPath],
    message: String,
}

impl Serialize for DocumentProblem {
    /// The form for programs; `message` is what is wrong and its cure, without the places.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (place, others, message) = (self.path(), self.others(), self.fault().to_string());
        ProblemForm { code: self.code(), place, others, message }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct RoleFindingForm<'a> {
    code: &'static str,
    role: AsText<&'a Role>,
    given: Option<AsText<&'a Role>>,
    place: Option<&'a DocumentPath>,
    sentence: String,
    cure: String,
}

impl Serialize for RoleFinding {
    /// The form for programs.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (given, place) = match self {
            Self::Near { role: _, given, path } => (Some(AsText(given)), Some(path)),
            Self::NotGranted { role: _ } => (None, None),
        };
        let (sentence, cure) = (self.to_string(), self.cure());
        let form = RoleFindingForm { code: self.code(), role: AsText(self.role()), given, place, sentence, cure };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct ChangeForm<'a> {
    #[serde(flatten)]
    facts: ChangeFacts<'a>,
    text: AsText<&'a Change>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum ChangeFacts<'a> {
    Assigned(AssignmentForm<'a>),
    BundleAdded { bundle: AsText<&'a BundleName> },
    BundleRemoved { bundle: AsText<&'a BundleName> },
    CertificateAdded(CertificateForm<'a>),
    CertificateRemoved(CertificateForm<'a>),
    Denied(DenialForm<'a>),
    HostAdded { host: AsText<&'a HostId> },
    HostChanged { host: AsText<&'a HostId>, key: &'static str, from: Option<&'a str>, to: Option<&'a str> },
    HostRemoved { host: AsText<&'a HostId> },
    Mapped { selector: AsText<&'a Selector>, source: AsText<&'a UserSource> },
    Revoked(AssignmentForm<'a>),
    Undenied(DenialForm<'a>),
    Unmapped { selector: AsText<&'a Selector>, source: AsText<&'a UserSource> },
    UserDisabled { user: AsText<&'a UserName> },
    UserEnabled { user: AsText<&'a UserName> },
}

#[derive(Serialize)]
struct CertificateForm<'a> {
    bundle: AsText<&'a BundleName>,
    /// As what it stands there.
    entry: AsText<AddedAs>,
    certificate: AsText<&'a Fingerprint>,
    subject: AsText<&'a DistinguishedName>,
}

impl<'a> From<&'a Change> for ChangeFacts<'a> {
    fn from(change: &'a Change) -> Self {
        let certificate = |bundle, kind, fingerprint, subject| CertificateForm {
            bundle: AsText(bundle),
            entry: AsText(kind),
            certificate: AsText(fingerprint),
            subject: AsText(subject),
        };
        match change {
            Change::Assigned(assignment) => Self::Assigned(assignment.into()),
            Change::BundleAdded(bundle) => Self::BundleAdded { bundle: AsText(bundle) },
            Change::BundleRemoved(bundle) => Self::BundleRemoved { bundle: AsText(bundle) },
            Change::CertificateAdded { bundle, kind, fingerprint, subject } => {
                Self::CertificateAdded(certificate(bundle, *kind, fingerprint, subject))
            }
            Change::CertificateRemoved { bundle, kind, fingerprint, subject } => {
                Self::CertificateRemoved(certificate(bundle, *kind, fingerprint, subject))
            }
            Change::Denied(denial) => Self::Denied(denial.into()),
            Change::HostAdded(host) => Self::HostAdded { host: AsText(host) },
            Change::HostChanged { host, key, from, to } => {
                Self::HostChanged { host: AsText(host), key, from: from.as_deref(), to: to.as_deref() }
            }
            Change::HostRemoved(host) => Self::HostRemoved { host: AsText(host) },
            Change::Mapped { selector, user } => Self::Mapped { selector: AsText(selector), source: AsText(user) },
            Change::Revoked(assignment) => Self::Revoked(assignment.into()),
            Change::Undenied(denial) => Self::Undenied(denial.into()),
            Change::Unmapped { selector, user } => Self::Unmapped { selector: AsText(selector), source: AsText(user) },
            Change::UserDisabled(user) => Self::UserDisabled { user: AsText(user) },
            Change::UserEnabled(user) => Self::UserEnabled { user: AsText(user) },
        }
    }
}

impl Serialize for Change {
    /// The form for programs.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ChangeForm { facts: self.into(), text: AsText(self) }.serialize(serializer)
    }
}

impl Serialize for Changes {
    /// A list of the changes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}
