//! What stands in files: the policy, the routes, and the gateway's own identities, read as one generation.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use certmap::cert::Fingerprint;
use certmap::document::{Document, DocumentError, FileName, Reference};
use certmap::policy::HostId;
use certmap::{Identity, Policy};
use serde::Deserialize as _;

use crate::routes::Routes;

/// How often it is tried to read files that change meanwhile.
const ATTEMPTS: usize = 5;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Where the files are.
#[derive(Debug)]
pub(crate) struct Source {
    policy: PathBuf,
    identities: Vec<(HostId, PathBuf)>,
}

/// Everything that was read at one time.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) policy: Policy,
    pub(crate) routes: Routes,
    pub(crate) identities: Vec<(HostId, Identity)>,
    /// What is odd about it.
    pub(crate) warnings: Vec<String>,
}

/// Which files were read, and what they held: not the content, because one of them holds a key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    policy: Vec<PathBuf>,
    /// `None` for a file that cannot be read.
    files: RefCell<BTreeMap<PathBuf, Option<Fingerprint>>>,
}

impl Seen {
    fn read(&self, file: &Path) -> Result<Vec<u8>, Failure> {
        let content = fs::read(file);
        let held = content.as_ref().ok().map(|content| Fingerprint::of(content));
        self.files.borrow_mut().insert(file.to_owned(), held);
        content.map_err(|error| at(file, error))
    }
}

impl Source {
    pub(crate) fn new(policy: PathBuf, identities: Vec<(HostId, PathBuf)>) -> Self {
        Self { policy, identities }
    }

    /// Reads everything, or says all that is wrong. Files that changed meanwhile are read again: what is returned stood
    /// there at one time, all of it.
    pub(crate) fn read(&self) -> (Result<Generation, Failure>, Seen) {
        for _ in 0..ATTEMPTS {
            let (generation, seen) = match self.policy_files() {
                Ok(policy) => {
                    let seen = Seen { policy, ..Seen::default() };
                    (self.read_once(&seen), seen)
                }
                Err(error) => (Err(error), Seen::default()),
            };
            if self.still(&seen) {
                return (generation, seen);
            }
        }
        (Err("the files change while they are read".into()), Seen::default())
    }

    /// True if the files hold what they held.
    pub(crate) fn still(&self, seen: &Seen) -> bool {
        let now = |file: &PathBuf| fs::read(file).ok().map(|content| Fingerprint::of(&content));
        self.policy_files().unwrap_or_default() == seen.policy
            && seen.files.borrow().iter().all(|(file, held)| now(file) == *held)
    }

    fn read_once(&self, seen: &Seen) -> Result<Generation, Failure> {
        // All files are read before any is looked at.
        let mut texts = Vec::new();
        for file in &seen.policy {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            texts.push((name, String::from_utf8(seen.read(file)?).map_err(|error| at(file, error))?));
        }
        let identities = self.identities.iter().map(|(host, file)| {
            let identity = Identity::from_pem(&seen.read(file)?).map_err(|error| at(file, error))?;
            Ok::<_, Failure>((host.clone(), identity))
        });
        let identities = identities.collect::<Result<_, _>>()?;
        let mut routes = Routes::default();
        let mut parts = Vec::new();
        for (name, text) in texts {
            // Not the line at fault, as the parser shows it: a key may stand there.
            let told = |error: toml::de::Error| {
                let before = text.bytes().take(error.span().map_or(0, |span| span.start));
                format!("{name}: line {}: {}", before.filter(|byte| *byte == b'\n').count() + 1, error.message())
            };
            let mut table: toml::Table = toml::from_str(&text).map_err(told)?;
            if let Some(written) = table.remove("routes") {
                routes.add(written).map_err(|error| format!("{name}: routes: {error}"))?;
            }
            let document = Document::deserialize(table).map_err(|error| format!("{name}: {error}"))?;
            parts.push((name.parse::<FileName>()?, document));
        }
        // What a document refers to is a file beside it, and not elsewhere.
        let folder = seen.policy.first().and_then(|file| file.parent()).unwrap_or(Path::new("."));
        let beside = |reference: Reference<'_>| {
            let file = Path::new(reference.text());
            let plain = file.components().all(|part| matches!(part, Component::Normal(_)));
            if plain {
                seen.read(&folder.join(file))
            } else {
                Err("a reference is the name of a file beside the policy".into())
            }
        };
        let document = Document::merge(parts)?;
        let policy = document.build(&beside).map_err(|error| every_problem(&error))?;
        let findings = document.expect_roles(routes.roles()).into_iter();
        let warnings = findings.map(|finding| format!("{finding}; {}", finding.cure())).collect();
        Ok(Generation { policy, routes, identities, warnings })
    }

    /// The one file, or the TOML files of the folder in the order of their names; without links, so that they stay in one
    /// folder if a link to it is swapped meanwhile.
    fn policy_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let said = |error: io::Error| at(&self.policy, error);
        // A folder that is mounted into a container has a link `..data` to the generation in force.
        let generation = self.policy.join("..data");
        let place = if generation.exists() { generation } else { self.policy.clone() };
        let place = fs::canonicalize(place).map_err(said)?;
        if !place.is_dir() {
            return Ok(vec![place]);
        }
        let entries = fs::read_dir(&place).map_err(said)?.collect::<Result<Vec<_>, _>>().map_err(said)?;
        let is_toml = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "toml");
        let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).filter(is_toml).collect();
        files.sort();
        if files.is_empty() {
            return Err(at(&place, "there is no TOML file in it"));
        }
        Ok(files)
    }
}

fn at(file: &Path, error: impl std::fmt::Display) -> Failure {
    format!("{}: {error}", file.display()).into()
}

/// Every problem on a line of its own.
fn every_problem(error: &DocumentError) -> Failure {
    let lines: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    lines.join("\n").into()
}
