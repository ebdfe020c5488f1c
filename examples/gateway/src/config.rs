//! What stands in files: the policy, the routes, and the gateway's own identities.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use certmap::document::{Document, DocumentError, FileName, Reference};
use certmap::policy::HostId;
use certmap::{Identity, Policy, Role};
use serde::Deserialize;

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
}

/// What the files held: another stamp is a reason to read them again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<(PathBuf, Option<Vec<u8>>)>);

/// Who may ask for which paths; the longest prefix counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes(Vec<Route>);

/// One route.
#[derive(Clone, Debug)]
struct Route {
    /// The beginning of the path, up to a `/` or the end.
    path: String,
    access: Access,
}

/// Who may ask for a path.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    Everybody,
    Role(Role),
    Users,
}

/// A route as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    /// The role that is needed; without it every user may.
    role: Option<String>,
    /// True if the anonymous may, too.
    #[serde(default)]
    anonymous: bool,
}

type Failure = Box<dyn Error + Send + Sync>;

impl Source {
    pub(crate) fn new(policy: PathBuf, identities: Vec<(HostId, PathBuf)>) -> Self {
        Self { policy, identities }
    }

    /// Reads everything, or says all that is wrong.
    pub(crate) fn read(&self) -> Result<Generation, Failure> {
        // All files are read before any is looked at, from one folder if a link to it is swapped meanwhile.
        let files = self.policy_files()?;
        let folder = files.first().and_then(|file| file.parent()).unwrap_or(Path::new(".")).to_owned();
        let mut texts = Vec::new();
        for file in &files {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            texts.push((name, fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?));
        }
        let mut routes = Routes::default();
        let mut parts = Vec::new();
        for (name, text) in texts {
            let mut table: toml::Table = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
            if let Some(written) = table.remove("routes") {
                routes.add(written).map_err(|error| format!("{name}: routes: {error}"))?;
            }
            let document = Document::deserialize(table).map_err(|error| format!("{name}: {error}"))?;
            parts.push((name.parse::<FileName>()?, document));
        }
        let references = |reference: Reference<'_>| beside(&folder, reference.text());
        let document = Document::merge(parts)?;
        let policy = document.build(&references).map_err(|error| every_problem(&error))?;
        for finding in document.expect_roles(routes.roles()) {
            eprintln!("warning: {finding}; {}", finding.cure());
        }
        let identities = self.identities.iter().map(|(host, file)| {
            let read = fs::read(file).map_err(Failure::from);
            let identity = read.and_then(|pem| Identity::from_pem(&pem).map_err(Failure::from));
            identity.map(|identity| (host.clone(), identity)).map_err(|error| format!("{}: {error}", file.display()))
        });
        Ok(Generation { policy, routes, identities: identities.collect::<Result<_, _>>()? })
    }

    /// What all the files hold now; a file that cannot be read is one that is not there.
    pub(crate) fn stamp(&self) -> Stamp {
        let policy = self.policy_files().unwrap_or_default();
        let identities = self.identities.iter().map(|(_, file)| file.clone());
        Stamp(policy.into_iter().chain(identities).map(|file| (file.clone(), fs::read(file).ok())).collect())
    }

    /// The one file, or the TOML files of the folder in the order of their names.
    fn policy_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let said = |error: std::io::Error| format!("{}: {error}", self.policy.display());
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
            return Err(format!("{}: there is no TOML file in it", place.display()).into());
        }
        Ok(files)
    }
}

/// A file that a document refers to: beside it, and not elsewhere.
fn beside(folder: &Path, reference: &str) -> Result<Vec<u8>, Failure> {
    let plain = Path::new(reference).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain {
        return Err("a reference is the name of a file beside the policy".into());
    }
    Ok(fs::read(folder.join(reference))?)
}

/// Every problem on a line of its own.
fn every_problem(error: &DocumentError) -> Failure {
    let lines: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
    lines.join("\n").into()
}

impl Routes {
    fn add(&mut self, written: toml::Value) -> Result<(), Failure> {
        for Written { path, role, anonymous } in Vec::<Written>::deserialize(written)? {
            let access = match (role, anonymous) {
                (None, true) => Access::Everybody,
                (None, false) => Access::Users,
                (Some(role), false) => Access::Role(role.parse()?),
                (Some(_), true) => return Err(format!("`{path}` needs a role, which the anonymous do not have").into()),
            };
            if self.0.iter().any(|route| route.path == path) {
                return Err(format!("`{path}` stands there twice").into());
            }
            self.0.push(Route { path, access });
        }
        Ok(())
    }

    fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().filter_map(|route| match &route.access {
            Access::Role(role) => Some(role.clone()),
            Access::Everybody | Access::Users => None,
        })
    }

    /// Who may ask for a path; where no route fits, every user. `None` for a path that is not plain: `/a/../b`, `/a//b` and
    /// `/a%2fb` mean one thing here and another to an upstream.
    pub(crate) fn access(&self, path: &str) -> Option<Access> {
        if path.contains("/.") || path.contains('%') || path.contains("//") || path.contains('\\') {
            return None;
        }
        let fits = |route: &&Route| {
            let rest = path.strip_prefix(route.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let route = self.0.iter().filter(fits).max_by_key(|route| route.path.len());
        Some(route.map_or(Access::Users, |route| route.access.clone()))
    }
}
