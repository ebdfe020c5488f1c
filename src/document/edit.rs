//! Editing a document for administration: each edit says what it changed, or why it was refused.
//!
//! INVARIANT: an edit that is refused changes nothing, and none adds a problem that was not there.

use core::fmt;
use std::collections::BTreeMap;

use rustls::crypto::CryptoProvider;

use super::changes::{Change, Changes};
use super::names::Names;
use super::place::Item;
use super::reference::References;
use super::understood::Understood;
use super::write::{self, added};
use super::{Document, DocumentProblem, written};
use crate::cert::{DistinguishedName, Fingerprint, InvalidCertificate};
use crate::map::{CertUserMapping, InvalidSelector, Selector};
use crate::role::{Enforcement, Holder, Role, RoleAssignment};
use crate::strength::Strength;
use crate::text::WithCauses;
use crate::trust::Denial;
use crate::user::UserName;

/// An edit that was refused; the document is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A role that is given already would be given under stricter conditions beside it.
    #[error(
        "{holder} has the role `{role}` from strength `{least}` on already, and that would still count: take it away first"
    )]
    AlreadyGiven {
        /// Who has it.
        holder: Holder,
        /// The role.
        role: Role,
        /// The strength from which on it is given now; [`Strength::Name`] if another one is only observed or warned about.
        least: Strength,
    },
    /// What should be added cannot be read.
    #[error("{}", WithCauses(.0))]
    Certificate(InvalidCertificate),
    /// What should be taken out or changed is not there.
    #[error("{what} is not there: list what is")]
    NotFound {
        /// What.
        what: String,
    },
    /// The old certificate of a rotation should go before the new one stands beside it.
    #[error(
        "certificate {certificate} is not there {lacking}, so its holder would be shut out: stage the rotation first"
    )]
    NotStaged {
        /// The new certificate.
        certificate: Fingerprint,
        /// Where it is not, or as whom.
        lacking: String,
    },
    /// A certificate says that it is a CA's, as that of many a partner does.
    #[error(
        "certificate {fingerprint} (`{subject}`) says that it is a CA: say `pin` if it is a partner's own, `anchor` if everything that it issues shall be believed"
    )]
    PinOrAnchor {
        /// The certificate.
        fingerprint: Fingerprint,
        /// Its subject.
        subject: DistinguishedName,
    },
    /// The document would have problems that it has not.
    #[error("the document would have a new problem: {}", Problems(.problems))]
    Problems {
        /// Which; not empty.
        problems: Vec<DocumentProblem>,
    },
    /// It is no selector.
    #[error("{}", WithCauses(.0))]
    Selector(InvalidSelector),
}

/// True if the first assignment gives the role to whomever the second would give it, and as silently; or if the second should close
/// what the first leaves open. Each gives by itself.
fn gives_all_of(present: &RoleAssignment, added: &RoleAssignment) -> bool {
    let milder = present.least() <= added.least() && present.enforcement() <= added.enforcement();
    let closes = added.least() > Strength::Name && added.enforcement() == Enforcement::Enforce;
    let stays_open = closes && given_from(present) == Strength::Name;
    present.holder() == added.holder()
        && present.role() == added.role()
        && (present.least() == Strength::Name || milder || stays_open)
}

/// The strength from which on it gives the role: what is only looked for is no condition.
fn given_from(assignment: &RoleAssignment) -> Strength {
    match assignment.enforcement() {
        Enforcement::Enforce => assignment.least(),
        Enforcement::Observe | Enforcement::Warn => Strength::Name,
    }
}

struct Problems<'a>(&'a [DocumentProblem]);

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        self.0.iter().try_for_each(|problem| {
            write!(f, "{separator}{problem}")?;
            separator = "; ";
            Ok(())
        })
    }
}

impl EditError {
    /// A stable code, for programs: `pin-or-anchor`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyGiven { .. } => "already-given",
            Self::Certificate(_) => "invalid-certificate",
            Self::NotFound { .. } => "not-found",
            Self::NotStaged { .. } => "not-staged",
            Self::PinOrAnchor { .. } => "pin-or-anchor",
            Self::Problems { .. } => "new-problem",
            Self::Selector(_) => "invalid-selector",
        }
    }
}

/// Edits a [`Document`], one change at a time; made by [`Document::edit`].
pub struct Editor<'a> {
    pub(super) document: &'a mut Document,
    pub(super) references: &'a dyn References,
    provider: Option<&'a CryptoProvider>,
    /// Of the document as it is now.
    problems: Option<Vec<DocumentProblem>>,
}

impl fmt::Debug for Editor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Editor({:?})", self.document)
    }
}

impl Document {
    /// Begins to edit. Problems that are there do not matter; each edit is refused if it would add one.
    ///
    /// ```
    /// use certmap::document::{AddedAs, Document, HostSettings, NoReferences};
    /// use certmap::policy::ClientAuth;
    /// use certmap::{CertUserMapping, RoleAssignment};
    /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
    /// # let pem = certmap::Identity::from_pem(&pem)?.certificate().to_pem();
    /// let mut document = Document::new();
    /// let mut edit = document.edit(&NoReferences);
    /// let bundle = "partners".parse()?;
    /// edit.add_ca(&bundle, pem.as_bytes(), Some(AddedAs::Pin), Some(&"acme".parse()?))?;
    /// edit.set_ssl_host(&"gateway".parse()?, &HostSettings::new().with_bundle(bundle, ClientAuth::Require))?;
    /// let acme = edit.selector("@acme")?;
    /// let changes = edit.map(&CertUserMapping::new(acme.clone(), "SAPERPUSER".parse()?))?;
    /// assert_eq!(changes.to_string(), format!("+ mapping {acme} to \"SAPERPUSER\""));
    /// edit.assign(&RoleAssignment::new("SAPERPUSER".parse()?, "iflmap/ESBMessaging.send".parse()?))?;
    /// assert_eq!(document.build(&NoReferences)?.mapping_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn edit<'a>(&'a mut self, references: &'a dyn References) -> Editor<'a> {
        Editor { document: self, references, provider: None, problems: None }
    }
}

impl<'a> Editor<'a> {
    /// Has signatures of revocation lists verified by this crypto provider.
    #[must_use]
    pub fn with_provider(self, provider: &'a CryptoProvider) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// The document as it is now.
    #[must_use]
    pub fn document(&self) -> &Document {
        self.document
    }

    pub(super) fn understood(&self) -> Understood {
        Understood::of(self.document, self.references)
    }

    /// Puts `next` in the place of the document, if it has no problem that the document has not.
    pub(super) fn accept(&mut self, next: Document, changes: Vec<Change>) -> Result<Changes, EditError> {
        if changes.is_empty() {
            return Ok(Changes::default());
        }
        let problems =
            |document: &Document| Understood::of(document, self.references).all_problems(document, self.provider);
        let present = self.problems.take().unwrap_or_else(|| problems(self.document));
        let future = problems(&next);
        // Counted, because what is wrong twice is worse than once; by subject, because a problem that shrinks is not new.
        let mut known: BTreeMap<_, usize> = BTreeMap::new();
        for problem in &present {
            *known.entry(problem.subject()).or_default() += 1;
        }
        let mut is_new = |problem: &&DocumentProblem| match known.get_mut(&problem.subject()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        let new: Vec<_> = future.iter().filter(|problem| is_new(problem)).cloned().collect();
        if !new.is_empty() {
            self.problems = Some(present);
            return Err(EditError::Problems { problems: new });
        }
        self.problems = Some(future);
        *self.document = next;
        Ok(Changes(changes))
    }

    /// The selector of this text, in which `@` and an alias may stand for a certificate of the document.
    ///
    /// # Errors
    /// [`EditError::Selector`] if it is none, or a name stands for no certificate.
    pub fn selector(&self, text: &str) -> Result<Selector, EditError> {
        let understood = self.understood();
        Names::of(self.document, &understood.certificates).selector(text).map_err(EditError::Selector)
    }

    /// Adds a rule. One that is there already is no change; another user for the same selector is a problem, because
    /// replacing a user is a removal too: [`unmap`](Self::unmap) first.
    ///
    /// # Errors
    /// [`EditError::Problems`].
    pub fn map(&mut self, mapping: &CertUserMapping) -> Result<Changes, EditError> {
        let understood = self.understood();
        if understood.mappings.iter().flatten().any(|present| present == mapping) {
            return Ok(Changes::default());
        }
        let aliases = Names::of(self.document, &understood.certificates).unique();
        let mut next = self.document.clone();
        next.mappings.push(added(write::mapping(mapping, &aliases)));
        let (selector, user) = (mapping.selector().clone(), mapping.source().clone());
        self.accept(next, vec![Change::Mapped { selector, user }])
    }

    /// Takes out every rule with this selector.
    ///
    /// # Errors
    /// [`EditError::NotFound`], and [`EditError::Problems`] if a role is given to a name that no other rule has.
    pub fn unmap(&mut self, selector: &Selector) -> Result<Changes, EditError> {
        let understood = self.understood();
        let mut next = self.document.clone();
        let removed = take(&mut next.mappings, &understood.mappings, |mapping| mapping.selector() == selector);
        if removed.is_empty() {
            return Err(EditError::NotFound { what: format!("a mapping of `{selector}`") });
        }
        let change = |mapping: &&CertUserMapping| Change::Unmapped {
            selector: mapping.selector().clone(),
            user: mapping.source().clone(),
        };
        let changes = removed.iter().map(change).collect();
        self.accept(next, changes)
    }

    /// Gives a role. An equal assignment that is there already is no change.
    ///
    /// # Errors
    /// [`EditError::Problems`] if it is for a rule and no rule has the name, [`EditError::AlreadyGiven`] if the role is given to the
    /// holder under conditions that are no stricter, or that are not enforced as these are: each assignment gives by itself, so this
    /// one would give nobody anything and take nothing from anybody.
    pub fn assign(&mut self, assignment: &RoleAssignment) -> Result<Changes, EditError> {
        let understood = self.understood();
        let present = || understood.assignments.iter().flatten();
        if present().any(|present| present == assignment) {
            return Ok(Changes::default());
        }
        if let Some(present) = present().find(|present| gives_all_of(present, assignment)) {
            let (holder, role) = (present.holder().clone(), present.role().clone());
            return Err(EditError::AlreadyGiven { holder, role, least: given_from(present) });
        }
        let mut next = self.document.clone();
        next.assignments.push(added(write::assignment(assignment)));
        self.accept(next, vec![Change::Assigned(assignment.clone())])
    }

    /// Takes a role away from a holder, whatever strength its assignments ask for.
    ///
    /// # Errors
    /// [`EditError::NotFound`].
    pub fn revoke(&mut self, holder: &Holder, role: &Role) -> Result<Changes, EditError> {
        let understood = self.understood();
        let mut next = self.document.clone();
        let is_meant = |one: &RoleAssignment| one.holder() == holder && one.role() == role;
        let removed = take(&mut next.assignments, &understood.assignments, is_meant);
        if removed.is_empty() {
            return Err(EditError::NotFound { what: format!("the role `{role}` of {holder}") });
        }
        self.accept(next, removed.into_iter().map(|assignment| Change::Revoked(assignment.clone())).collect())
    }

    /// Denies a certificate, whatever vouches for it. A denial that is there already, spelled as it is, is no change and keeps its note.
    ///
    /// # Errors
    /// [`EditError::Problems`] if the note is a private key.
    pub fn deny(&mut self, denial: &Denial, note: Option<&str>) -> Result<Changes, EditError> {
        let text = denial.to_string();
        if self.understood().denials.iter().flatten().any(|present| present.to_string() == text) {
            return Ok(Changes::default());
        }
        let mut next = self.document.clone();
        next.denials.push(added(write::denial(denial, note)));
        self.accept(next, vec![Change::Denied(denial.clone())])
    }

    /// Takes back a denial, spelled as it is. One of the same certificates in another spelling stays, and refuses them still: it may be
    /// meant for those of another CA.
    ///
    /// # Errors
    /// [`EditError::NotFound`], which names another spelling if there is one.
    pub fn allow(&mut self, denial: &Denial) -> Result<Changes, EditError> {
        let understood = self.understood();
        let mut next = self.document.clone();
        let text = denial.to_string();
        if take(&mut next.denials, &understood.denials, |present| present.to_string() == text).is_empty() {
            let alike = understood.denials.iter().flatten().find(|present| *present == denial);
            let alike = alike.map(|present| format!(", spelled unlike `{present}`,")).unwrap_or_default();
            return Err(EditError::NotFound { what: format!("the denial `{denial}`{alike}") });
        }
        self.accept(next, vec![Change::Undenied(denial.clone())])
    }

    /// Refuses a user, by whatever certificate and rule it comes.
    ///
    /// # Errors
    /// [`EditError::Problems`], though none is known that this could add.
    pub fn disable(&mut self, user: &UserName) -> Result<Changes, EditError> {
        let mut next = self.document.clone();
        let listed = next.users.iter_mut().find(|item| is_user(item, user));
        match listed {
            Some(item) if item.written.disabled == Some(true) => return Ok(Changes::default()),
            Some(item) => item.written.disabled = Some(true),
            None => {
                next.users.push(added(written::User {
                    name: Some(write::text(user)),
                    disabled: Some(true),
                    note: None,
                }));
            }
        }
        self.accept(next, vec![Change::UserDisabled(user.clone())])
    }

    /// Refuses a user no more. What is written of the user stays, unless it was an edit that wrote it.
    ///
    /// # Errors
    /// As [`disable`](Self::disable).
    pub fn enable(&mut self, user: &UserName) -> Result<Changes, EditError> {
        let mut next = self.document.clone();
        let disabled = |item: &Item<written::User>| is_user(item, user) && item.written.disabled == Some(true);
        if !next.users.iter().any(disabled) {
            return Ok(Changes::default());
        }
        next.users.retain(|item| !(disabled(item) && item.is_added() && item.written.note.is_none()));
        next.users.iter_mut().filter(|item| disabled(item)).for_each(|item| item.written.disabled = None);
        self.accept(next, vec![Change::UserEnabled(user.clone())])
    }
}

fn is_user(item: &Item<written::User>, user: &UserName) -> bool {
    matches!(&item.written.name, Some(written::Text::Plain(name)) if **name == *user.as_str())
}

/// Takes out the items whose values are meant, and gives these.
pub(super) fn take<'v, W, T>(
    items: &mut Vec<Item<W>>,
    values: &'v [Option<T>],
    is_meant: impl Fn(&T) -> bool,
) -> Vec<&'v T> {
    let meant: Vec<Option<&T>> = values.iter().map(|value| value.as_ref().filter(|value| is_meant(value))).collect();
    let mut each = meant.iter();
    items.retain(|_| each.next().is_none_or(Option::is_none));
    meant.into_iter().flatten().collect()
}
