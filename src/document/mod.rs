//! The policy as written: what operators edit, in TOML, JSON or whatever else serde reads (feature `serde`).
//!
//! A client of the [`PolicyBuilder`](crate::PolicyBuilder) like any other: what is admitted is decided there. Reads no
//! files; holds no private keys. Every problem keeps the place where it can be mended. The keys are told in
//! [`manual::policy_file`](https://docs.rs/certmap/latest/certmap/manual/policy_file/).

mod changes;
mod edit;
mod edit_rotation;
mod edit_trust;
mod form;
mod kind;
mod names;
mod near;
mod place;
mod problem;
mod read;
mod reference;
mod roles;
mod trouble;
mod understood;
mod write;
mod written;

use core::fmt;
use std::collections::BTreeMap;

use rustls::crypto::CryptoProvider;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use changes::{Change, Changes};
pub use edit::{EditError, Editor};
pub use edit_trust::{HostSettings, ListedCertificate, Removal};
pub use kind::{AddedAs, InvalidAddedAs};
pub use place::{DocumentPath, FileName, InvalidFileName};
pub use problem::{DocumentError, DocumentFault, DocumentProblem};
pub use reference::{NoReferences, Reference, References};
pub use roles::RoleFinding;

use crate::policy::Policy;
use place::{Item, Number, Place};
use understood::Understood;
use written::{Assignment, Bundle, Certificate, Denial, File, Host, List, Mapping, RevocationList, User};

/// The version of documents that this crate reads and writes.
const VERSION: u64 = 1;

/// A policy as written: read, merged, edited, built, and written again.
///
/// Reading it refuses what is no document (unknown keys, wrong types, another version); what is written in it is
/// understood when it is built, and then every problem is told at once. It is written in one order, whatever the order
/// in which it was read or edited, and documents that are written alike are equal.
///
/// # Security
/// No error from here shows a private key that somebody wrote into the document as PEM. The parser of the format has errors of its
/// own, and may show the line at fault: of a `toml::de::Error`, show the `message` and the number of the line.
///
/// ```
/// use certmap::document::{Document, NoReferences};
/// # let pem = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let pem = certmap::Identity::from_pem(pem.as_bytes())?.certificate().to_pem();
/// let text = format!(r#"
///     version = 1
///     hosts = [{{ id = "gateway", bundle = "partners" }}]
///     bundles = [{{ name = "partners" }}]
///     mappings = [{{ match = "@acme", user = "SAPERPUSER" }}]
///     assignments = [{{ role = "iflmap/ESBMessaging.send", user = "SAPERPUSER" }}]
///
///     [[certificates]]
///     bundle = "partners"
///     kind = "pin"
///     alias = "acme"
///     certificate = """{pem}"""
/// "#);
/// let document: Document = toml::from_str(&text)?;
/// let policy = document.build(&NoReferences)?;
/// assert_eq!(Document::from(&policy).build(&NoReferences)?.digest(), policy.digest());
///
/// let document: Document = toml::from_str(&text.replace("@acme", "@acne"))?;
/// assert_eq!(
///     document.build(&NoReferences).unwrap_err().problems()[0].to_string(),
///     "mappings[0].match: `@acne` at column 1 stands for no certificate: no certificate has this alias, is `acme` meant?",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Document {
    /// One for each file that says it.
    stale_lists: Vec<Item<u64>>,
    hosts: Vec<Item<Host>>,
    bundles: Vec<Item<Bundle>>,
    certificates: Vec<Item<Certificate>>,
    mappings: Vec<Item<Mapping>>,
    users: Vec<Item<User>>,
    assignments: Vec<Item<Assignment>>,
    denials: Vec<Item<Denial>>,
    revocation_lists: Vec<Item<RevocationList>>,
}

/// Two parts of a document bear one file name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two parts are named `{file}`, so no problem would say which is meant: give each the name of its file")]
#[non_exhaustive]
pub struct DuplicateFile {
    /// The name.
    pub file: FileName,
}

impl Document {
    /// A document without hosts: it admits nobody, and is a start for editing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts several documents together, one per partner for instance. Everything in them keeps the name of its file, for
    /// problems; what two files define is such a problem when the document is built. Their order does not matter.
    ///
    /// # Errors
    /// [`DuplicateFile`] if two parts bear one name.
    pub fn merge(parts: impl IntoIterator<Item = (FileName, Self)>) -> Result<Self, DuplicateFile> {
        let mut by_name = BTreeMap::new();
        for (file, part) in parts {
            if by_name.contains_key(&file) {
                return Err(DuplicateFile { file });
            }
            by_name.insert(file, part);
        }
        let mut whole = Self::new();
        for (file, part) in by_name {
            let Self {
                stale_lists,
                hosts,
                bundles,
                certificates,
                mappings,
                users,
                assignments,
                denials,
                revocation_lists,
            } = part;
            adopt(&mut whole.stale_lists, stale_lists, &file);
            adopt(&mut whole.hosts, hosts, &file);
            adopt(&mut whole.bundles, bundles, &file);
            adopt(&mut whole.certificates, certificates, &file);
            adopt(&mut whole.mappings, mappings, &file);
            adopt(&mut whole.users, users, &file);
            adopt(&mut whole.assignments, assignments, &file);
            adopt(&mut whole.denials, denials, &file);
            adopt(&mut whole.revocation_lists, revocation_lists, &file);
        }
        Ok(whole)
    }

    /// The parts of which it was [merged](Self::merge), for writing each back to its file: what an edit changed is in the
    /// part where it stands, and what was added since is in the part `added`. A part of which nothing is left is not
    /// there.
    ///
    /// ```
    /// use certmap::document::{Document, FileName, NoReferences};
    /// let (base, acme): (FileName, FileName) = ("base.toml".parse()?, "acme.toml".parse()?);
    /// let part: Document = toml::from_str(r#"
    ///     version = 1
    ///     users = [{ name = "acme", note = "moves in May" }]
    /// "#)?;
    /// let mut whole = Document::merge([(base.clone(), Document::new()), (acme.clone(), part)])?;
    /// let mut edit = whole.edit(&NoReferences);
    /// edit.disable(&"acme".parse()?)?;
    /// edit.disable(&"smith".parse()?)?;
    /// let parts = whole.split(&base);
    /// assert!(toml::to_string(&parts[&acme])?.contains("moves in May"));
    /// assert!(toml::to_string(&parts[&base])?.contains("smith"));
    /// assert_eq!(Document::merge(parts)?, whole);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn split(&self, added: &FileName) -> BTreeMap<FileName, Self> {
        let Self { stale_lists, hosts, bundles, certificates, mappings, users, assignments, denials, revocation_lists } =
            self;
        let mut parts = BTreeMap::new();
        hand_out(stale_lists, added, &mut parts, |part| &mut part.stale_lists);
        hand_out(hosts, added, &mut parts, |part| &mut part.hosts);
        hand_out(bundles, added, &mut parts, |part| &mut part.bundles);
        hand_out(certificates, added, &mut parts, |part| &mut part.certificates);
        hand_out(mappings, added, &mut parts, |part| &mut part.mappings);
        hand_out(users, added, &mut parts, |part| &mut part.users);
        hand_out(assignments, added, &mut parts, |part| &mut part.assignments);
        hand_out(denials, added, &mut parts, |part| &mut part.denials);
        hand_out(revocation_lists, added, &mut parts, |part| &mut part.revocation_lists);
        parts
    }

    /// Builds the policy.
    ///
    /// # Errors
    /// [`DocumentError`] with every problem that there is: what cannot be understood, and what the policy would have.
    pub fn build(&self, references: &dyn References) -> Result<Policy, DocumentError> {
        Understood::of(self, references).build(self, None)
    }

    /// As [`build`](Self::build), with the crypto provider that verifies signatures of certificates.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_with_provider(
        &self,
        references: &dyn References,
        provider: &CryptoProvider,
    ) -> Result<Policy, DocumentError> {
        Understood::of(self, references).build(self, Some(provider))
    }

    fn to_file(&self) -> File {
        File {
            version: Some(VERSION),
            stale_lists: self.stale_lists.iter().map(|item| item.written).min(),
            hosts: sorted(&self.hosts),
            bundles: sorted(&self.bundles),
            certificates: sorted(&self.certificates),
            mappings: sorted(&self.mappings),
            users: sorted(&self.users),
            assignments: sorted(&self.assignments),
            denials: sorted(&self.denials),
            revocation_lists: sorted(&self.revocation_lists),
        }
    }

    fn of_file(file: File) -> Self {
        Self {
            stale_lists: numbered(file.stale_lists),
            hosts: numbered(file.hosts.0),
            bundles: numbered(file.bundles.0),
            certificates: numbered(file.certificates.0),
            mappings: numbered(file.mappings.0),
            users: numbered(file.users.0),
            assignments: numbered(file.assignments.0),
            denials: numbered(file.denials.0),
            revocation_lists: numbered(file.revocation_lists.0),
        }
    }
}

fn numbered<T>(items: impl IntoIterator<Item = T>) -> Vec<Item<T>> {
    let item = |(number, written)| Item { written, place: Place { file: None, number: Number::Read(number) } };
    items.into_iter().enumerate().map(item).collect()
}

/// What came from a file already stays from there.
fn adopt<T>(whole: &mut Vec<Item<T>>, part: Vec<Item<T>>, file: &FileName) {
    whole.extend(part.into_iter().map(|item| {
        let file = item.place.file.or_else(|| Some(file.clone()));
        Item { place: Place { file, number: item.place.number }, written: item.written }
    }));
}

/// Puts each item into the part of its file.
fn hand_out<T: Clone>(
    items: &[Item<T>],
    added: &FileName,
    parts: &mut BTreeMap<FileName, Document>,
    list: impl Fn(&mut Document) -> &mut Vec<Item<T>>,
) {
    for item in items {
        let file = item.place.file.as_ref().unwrap_or(added);
        list(parts.entry(file.clone()).or_default()).push(item.clone());
    }
}

fn sorted<T: Clone + Ord>(items: &[Item<T>]) -> List<T> {
    let mut written: Vec<_> = items.iter().map(|item| item.written.clone()).collect();
    written.sort_unstable();
    List(written)
}

impl PartialEq for Document {
    /// Equal documents are written alike; from which files they came does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.to_file() == other.to_file()
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hosts, certificates, mappings) = (self.hosts.len(), self.certificates.len(), self.mappings.len());
        write!(f, "Document({hosts} hosts, {certificates} certificates, {mappings} mappings)")
    }
}

impl Serialize for Document {
    /// In one order: equal documents give equal text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_file().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = File::deserialize(deserializer)?;
        match file.version {
            Some(VERSION) => Ok(Self::of_file(file)),
            Some(other) => Err(D::Error::custom(format_args!(
                "version {other} is not known: this program reads version {VERSION}"
            ))),
            None => Err(D::Error::custom(format_args!("`version = {VERSION}` is missing"))),
        }
    }
}
