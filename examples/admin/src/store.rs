//! The policy on disk: one file or a folder of them, read as one document, each change written to the file it is in.
//!
//! A change of one file is one rename. One of several files needs a folder that is a link to a generation: in a plain
//! folder whoever reads between two renames, or after a writer died there, would find half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use certmap::Policy;
use certmap::document::{Changes, Document, Editor, FileName};
use serde::Deserialize as _;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::Common;
use crate::answer::{Answer, Failure, Trouble, one_line};
use crate::atomic::{Pending, folder_of};
use crate::edited::{Edited, newly_odd};
use crate::files::Beside;
use crate::generation::Generation;

/// The policy as it was read.
pub(crate) struct Store {
    document: Document,
    /// As it was named.
    policy: PathBuf,
    /// `None` for a file and for a plain folder.
    generation: Option<Generation>,
    /// The text of each file, to see whether somebody else changed it.
    texts: BTreeMap<FileName, String>,
    /// The routes in each file. They are a gateway's, and are written back as they were.
    routes: BTreeMap<FileName, String>,
    beside: Beside,
    /// Where new things are written.
    added: FileName,
}

/// What an edit would change.
pub(crate) struct Plan {
    document: Document,
    edited: Edited,
}

impl Plan {
    pub(crate) fn edited(self) -> Edited {
        self.edited
    }
}

impl Store {
    /// Reads a policy that is there.
    pub(crate) fn open(common: &Common) -> Result<Self, Failure> {
        Self::read(&common.policy, &common.file)
    }

    pub(crate) fn read(policy: &Path, added: &str) -> Result<Self, Failure> {
        let store = Self::read_or_begin(policy, added)?;
        if store.is_new() {
            let cure = "name it with `--policy`, or begin one, `admin bundle add-ca --help`";
            return Err(Failure::unreadable("file", format!("there is no policy at `{}`: {cure}", policy.display())));
        }
        Ok(store)
    }

    /// Reads a policy; where there is none, begins one that admits nobody. Only for what a policy begins with: whatever else is
    /// asked of a policy that is not there, its name was mistyped.
    pub(crate) fn begin(common: &Common) -> Result<Self, Failure> {
        Self::read_or_begin(&common.policy, &common.file)
    }

    fn read_or_begin(policy: &Path, added: &str) -> Result<Self, Failure> {
        // Everything is read from one generation, wherever the link is turned to meanwhile.
        let generation = Generation::of(policy);
        let (folder, added) = if policy.is_dir() {
            if !is_part(added) || Path::new(added).file_name() != Some(added.as_ref()) {
                return Err(Failure::usage(format!("`--file {added}` is no name of a *.toml file in the folder")));
            }
            (generation.as_ref().map_or(policy, Generation::folder), added)
        } else {
            let name = policy.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| Failure::usage("`--policy` needs the name of a file, in UTF-8"))?;
            (folder_of(policy), name)
        };
        let (beside, added) = (Beside(folder.to_owned()), file_name(added)?);
        let texts = texts(policy, folder)?;
        let (mut routes, mut documents, mut troubles) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (name, text) in &texts {
            match parse(name.as_str(), text) {
                Ok((document, its_routes)) => {
                    documents.push((name.clone(), document));
                    routes.insert(name.clone(), its_routes);
                }
                Err(trouble) => troubles.push(trouble),
            }
        }
        if !troubles.is_empty() {
            return Err(Failure::unreadable("no-document", "the policy cannot be read").with(troubles));
        }
        let document =
            Document::merge(documents).map_err(|error| Failure::refused("duplicate-file", error.to_string()))?;
        Ok(Self { document, policy: policy.to_owned(), generation, texts, routes, beside, added })
    }

    /// True if nothing was there: no file, or none in the folder.
    fn is_new(&self) -> bool {
        self.texts.is_empty()
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) fn references(&self) -> &Beside {
        &self.beside
    }

    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        self.document.build(&self.beside).map_err(|error| {
            let troubles: Vec<_> = error.problems().iter().map(Trouble::from).collect();
            let count = match troubles.len() {
                1 => "a problem".to_owned(),
                count => format!("{count} problems"),
            };
            Failure::refused("problems", format!("the policy has {count}")).with(troubles)
        })
    }

    /// A list of the document as written, each item with its file.
    pub(crate) fn written(&self, list: &str) -> Result<Vec<Value>, Failure> {
        let mut rows = Vec::new();
        for (file, part) in self.document.split(&self.added) {
            let part =
                serde_json::to_value(part).map_err(|error| Failure::refused("private-key", error.to_string()))?;
            for mut row in part[list].as_array().cloned().unwrap_or_default() {
                row["file"] = file.as_str().into();
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Edits a copy.
    pub(crate) fn plan(&self, edit: impl FnOnce(&mut Editor<'_>) -> Result<Changes, Failure>) -> Result<Plan, Failure> {
        let mut document = self.document.clone();
        let changes = edit(&mut document.edit(&self.beside))?;
        let (before, after) = (self.document.split(&self.added), document.split(&self.added));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let files = names.into_iter().filter(|name| before.get(name) != after.get(name)).cloned().collect();
        let notes = if changes.is_empty() { Vec::new() } else { newly_odd(&self.document, &document, &self.beside) };
        let new_policy = self.is_new().then(|| self.policy.display().to_string());
        Ok(Plan { document, edited: Edited { changes, files, notes, new_policy } })
    }

    /// True if it can be written in one step.
    pub(crate) fn is_one_step(&self, plan: &Plan) -> bool {
        plan.edited.files.len() < 2 || self.generation.is_some()
    }

    /// Writes what was planned, in one step or not at all.
    pub(crate) fn write(&mut self, plan: Plan) -> Result<Edited, Failure> {
        if !self.is_one_step(&plan) {
            return Err(self.several_files(&plan.edited.files));
        }
        let Plan { document, edited } = plan;
        let mut parts = document.split(&self.added);
        let mut written = BTreeMap::new();
        for file in &edited.files {
            let routes = self.routes.get(file).map(String::as_str).unwrap_or_default();
            written.insert(file.clone(), print(file.as_str(), &parts.remove(file).unwrap_or_default())? + routes);
        }
        if let Some((file, text)) = written.first_key_value() {
            if let Some(generation) = &self.generation {
                let failed = |cause: io::Error| overtaken_or(&self.policy, &cause);
                let all = written.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
                let next = generation.next(&all).map_err(failed)?;
                self.check_unchanged()?;
                let next = next.commit().map_err(failed)?;
                self.beside = Beside(next.folder().to_owned());
                self.generation = Some(next);
            } else {
                let path = self.beside.0.join(file.as_str());
                let pending = Pending::write(&path, text.as_bytes()).map_err(|cause| unwritable(&path, &cause))?;
                self.check_unchanged()?;
                pending.commit().map_err(|cause| overtaken_or(&path, &cause))?;
            }
        }
        self.texts.extend(written);
        self.document = document;
        Ok(edited)
    }

    fn several_files(&self, files: &[FileName]) -> Failure {
        let files: Vec<_> = files.iter().map(|file| format!("`{file}`")).collect();
        let linked = match (self.policy.file_name(), self.policy.parent()) {
            (Some(name), Some(folder)) if cfg!(unix) => {
                let (name, path) = (name.to_string_lossy(), folder.join(name));
                let path = path.display();
                format!(", or make the folder a link (`mv {path} {path}.1; ln -s {name}.1 {path}`), and it is one step")
            }
            _ => String::new(),
        };
        Failure::refused(
            "several-files",
            format!(
                "this would change {}, and whoever reads them meanwhile would see half of it; nothing was changed: \
                do it in steps that change one file each{linked}",
                files.join(" and ")
            ),
        )
    }

    pub(crate) fn edit(
        &mut self,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<Changes, Failure>,
    ) -> Result<Answer, Failure> {
        let plan = self.plan(edit)?;
        Ok(self.write(plan)?.into_answer())
    }

    /// Refuses if somebody else wrote since this was read. Comes after what others had begun was taken away: of two that
    /// get here, the second one sees what the first one wrote.
    fn check_unchanged(&self) -> Result<(), Failure> {
        let is_current = self.generation.as_ref().is_none_or(Generation::is_current);
        if is_current && texts(&self.policy, &self.beside.0)? == self.texts { Ok(()) } else { Err(overtaken()) }
    }
}

/// The text of each file.
fn texts(policy: &Path, folder: &Path) -> Result<BTreeMap<FileName, String>, Failure> {
    let names = match policy.file_name().and_then(|name| name.to_str()) {
        _ if policy.is_dir() => parts(folder)?,
        Some(name) if policy.exists() => vec![name.to_owned()],
        _ => Vec::new(),
    };
    let mut texts = BTreeMap::new();
    for name in names {
        let path = folder.join(&name);
        texts.insert(file_name(&name)?, fs::read_to_string(&path).map_err(|cause| unreadable(&path, &cause))?);
    }
    Ok(texts)
}

/// Hidden files are no parts: what a dead writer left is one.
fn is_part(name: &str) -> bool {
    !name.starts_with('.') && Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

fn parts(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|cause| unreadable(folder, &cause))? {
        let name = entry.map_err(|cause| unreadable(folder, &cause))?.file_name();
        // A name that is no text must not be left out in silence.
        match name.to_str() {
            Some(name) if is_part(name) => names.push(name.to_owned()),
            None if name.to_string_lossy().ends_with(".toml") => {
                return Err(Failure::usage(format!(
                    "the name of the file `{}` is no UTF-8: rename it",
                    one_line(&name.to_string_lossy())
                )));
            }
            _ => {}
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn is_json(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "json")
}

/// The document and, in TOML, the text of the routes beside it. Errors name the line, never what stands in it: it may be
/// a key.
fn parse(name: &str, text: &str) -> Result<(Document, String), Trouble> {
    let parsed = if is_json(name) {
        let parsed = serde_json::from_str(text).map_err(|error| (error.line(), error.to_string()));
        parsed.map(|document| (document, String::new()))
    } else {
        parse_toml(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            (text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1, error.message().to_owned())
        })
    };
    parsed.map_err(|(line, message)| {
        let key = "what stands here is no document, and looks like a private key: take it out".to_owned();
        let message = if message.contains("PRIVATE KEY") { key } else { message };
        Trouble::new("no-document", Some(name), &format!("{name}: line {line}"), &message)
    })
}

fn parse_toml(text: &str) -> Result<(Document, String), toml::de::Error> {
    let mut table = DeTable::parse(text)?;
    // What is not a list of tables is no list of routes, and the document says that it does not know it.
    let is_list = |routes: &DeValue<'_>| {
        routes.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(|route| route.get_ref().is_table()))
    };
    let is_list = table.get_ref().get("routes").is_some_and(|routes| is_list(routes.get_ref()));
    let mut routes = String::new();
    if is_list && table.get_mut().remove("routes").is_some() {
        let mut all: toml::Table = toml::from_str(text)?;
        all.retain(|key, _| key == "routes");
        routes = format!("\n{all}");
    }
    Ok((Document::deserialize(toml::Deserializer::from(table))?, routes))
}

fn print(name: &str, document: &Document) -> Result<String, Failure> {
    let text = if is_json(name) {
        serde_json::to_string_pretty(document).map_err(|error| error.to_string()).map(|text| text + "\n")
    } else {
        toml::to_string_pretty(document).map_err(|error| error.to_string())
    };
    text.map_err(|error| Failure::refused("unwritable-document", error))
}

fn file_name(name: &str) -> Result<FileName, Failure> {
    name.parse().map_err(|error| Failure::usage(format!("`{}`: {error}", name.escape_debug())))
}

fn unreadable(path: &Path, cause: &io::Error) -> Failure {
    Failure::unreadable("file", format!("`{}` cannot be read: {cause}", path.display()))
}

fn overtaken() -> Failure {
    Failure::refused("overtaken", "the policy was changed by somebody else meanwhile; nothing was changed: try again")
}

/// What was ready and is not there any more was taken away by another writer.
fn overtaken_or(path: &Path, cause: &io::Error) -> Failure {
    if cause.kind() == io::ErrorKind::NotFound { overtaken() } else { unwritable(path, cause) }
}

fn unwritable(path: &Path, cause: &io::Error) -> Failure {
    Failure::unreadable("file", format!("`{}` cannot be written: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disable(store: &mut Store, user: &str) -> Result<(), Failure> {
        let user = user.parse().expect("a user");
        store.edit(|edit| Ok(edit.disable(&user)?)).map(drop)
    }

    #[test]
    fn whoever_was_overtaken_changes_nothing() {
        let folder = crate::testing::folder("store");
        let path = folder.join("policy.toml");
        fs::write(&path, "version = 1\n").expect("writable");
        let mut one = Store::read(&path, "policy.toml").expect("readable");
        let mut other = Store::read(&path, "policy.toml").expect("readable");
        disable(&mut one, "one").expect("written");
        let written = fs::read_to_string(&path).expect("there");
        let overtaken = disable(&mut other, "other").expect_err("it did not see what the other one wrote");
        assert_eq!(
            overtaken.to_string(),
            "error: the policy was changed by somebody else meanwhile; nothing was changed: try again"
        );
        assert_eq!(fs::read_to_string(&path).expect("there"), written);
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 1);
        // What it wrote itself does not overtake it.
        disable(&mut one, "two").expect("written");
        // A file that came does, as one that changed.
        let mut one = Store::read(&folder, "policy.toml").expect("readable");
        fs::write(folder.join("b.toml"), "version = 1\n").expect("writable");
        disable(&mut one, "three").expect_err("it did not see the other file");
        fs::remove_dir_all(folder).expect("made above");
    }

    #[cfg(unix)]
    #[test]
    fn whoever_read_another_generation_changes_nothing() {
        let folder = crate::testing::folder("store-generation");
        let policies = folder.join("policies");
        fs::create_dir(folder.join("first")).expect("writable");
        fs::write(folder.join("first/policy.toml"), "version = 1\n").expect("writable");
        std::os::unix::fs::symlink("first", &policies).expect("writable");
        let mut one = Store::read(&policies, "policy.toml").expect("readable");
        let mut other = Store::read(&policies, "policy.toml").expect("readable");
        disable(&mut one, "one").expect("written");
        let overtaken = disable(&mut other, "other").expect_err("the link was turned meanwhile");
        assert!(overtaken.to_string().contains("changed by somebody else"), "{overtaken}");
        let written = fs::read_to_string(policies.join("policy.toml")).expect("there");
        assert!(written.contains("one") && !written.contains("other"), "{written}");
        disable(&mut one, "two").expect("written");
        // In force, and the one before: `first` is not ours.
        assert_eq!(crate::testing::names(&folder).len(), 4);
        fs::remove_dir_all(folder).expect("made above");
    }
}
