//! A folder that is a link to a generation of it: a change makes the next generation beside, and turns the link to it.
//!
//! Two files cannot be replaced in one step, but one link can. A reader that follows the link once and reads there, as the
//! gateway does, finds the policy before the change or after it, whole, whenever the writer dies. Folders that Kubernetes
//! mounts are laid out so, with a link `..data`. The generation before stays, for who is reading it and for turning back;
//! older ones go.
//!
//! Of two that write at a time at most one succeeds, as with single files: `link.new` is what each begins with, takes from
//! others, and renames at the end. INVARIANT: a generation is taken away only after the link that would be turned to it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::atomic::{begun, begun_for, folder_of, is_unique, remove_file, sync_folder};

/// The generation that a link leads to.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    link: PathBuf,
    /// What stands in the link.
    target: PathBuf,
    /// Where that is.
    folder: PathBuf,
}

/// A generation that no link leads to yet. Dropped, it is gone.
pub(crate) struct Next {
    generation: Generation,
    /// The new link, beside the old one.
    begun: PathBuf,
    turned: bool,
}

impl Generation {
    /// That of a policy which is such a folder.
    pub(crate) fn of(policy: &Path) -> Option<Self> {
        // `policies/` would be the folder behind the link.
        let link = policy.file_name().map(|name| folder_of(policy).join(name));
        [Some(policy.join("..data")), link].into_iter().flatten().find_map(Self::behind)
    }

    fn behind(link: PathBuf) -> Option<Self> {
        let target = fs::read_link(&link).ok().filter(|_| cfg!(unix))?;
        let folder = folder_of(&link).join(&target).canonicalize().ok()?;
        folder.is_dir().then_some(Self { link, target, folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// True if the link still leads to it.
    pub(crate) fn is_current(&self) -> bool {
        fs::read_link(&self.link).is_ok_and(|target| target == self.target)
    }

    /// Writes the next generation, down to the disk: this one, with these files. What others have begun is taken away.
    pub(crate) fn next(&self, files: &BTreeMap<&str, &str>) -> io::Result<Next> {
        let begun = begun(&self.link)?;
        let folder = begun.with_extension("");
        let target = PathBuf::from(folder.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        link(&target, &begun)?;
        let generation = Self { link: self.link.clone(), target, folder };
        let next = Next { generation, begun, turned: false };
        let folder = next.generation.folder();
        copy(&self.folder, folder)?;
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text)?;
            File::open(path)?.sync_all()?;
        }
        sync_folder(folder)?;
        sync_folder(folder_of(&self.link))?;
        next.take_others_away()?;
        Ok(next)
    }
}

impl Next {
    /// Turns the link to it, in one step. Fails if another writer took it away.
    pub(crate) fn commit(mut self) -> io::Result<Generation> {
        fs::rename(&self.begun, &self.generation.link)?;
        self.turned = true;
        sync_folder(folder_of(&self.generation.link))?;
        Ok(self.generation.clone())
    }

    /// Every link that was begun, then every generation that no link leads to any more.
    fn take_others_away(&self) -> io::Result<()> {
        let Generation { link, target, folder: _ } = &self.generation;
        let mut others = Vec::new();
        let mut links = Vec::new();
        for entry in fs::read_dir(folder_of(link))? {
            let path = entry?.path();
            if begun_for(&path).is_some_and(|name| link.file_name() == Some(OsStr::new(name))) {
                links.push(path);
            } else if is_generation_of(&path, link) {
                others.push(path);
            }
        }
        // The list is older than what follows: a generation that is begun from now on is not in it.
        for begun in links.iter().filter(|begun| begun.file_name() != self.begun.file_name()) {
            remove_file(begun)?;
        }
        let current = fs::read_link(link)?;
        let kept = [Some(target.as_os_str()), current.file_name()];
        for folder in others.iter().filter(|folder| !kept.contains(&folder.file_name())) {
            // Its writer may be writing there still; then the next one takes it away.
            let _ = fs::remove_dir_all(folder);
        }
        Ok(())
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        if !self.turned {
            let _ = fs::remove_file(&self.begun);
            let _ = fs::remove_dir_all(&self.generation.folder);
        }
    }
}

/// `.policies.0123456789abcdef` of `policies`: made here, so it may be taken away.
fn is_generation_of(path: &Path, link: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_prefix('.')?.rsplit_once('.'));
    name.is_some_and(|(name, unique)| link.file_name() == Some(OsStr::new(name)) && is_unique(unique))
}

/// Copies a folder with everything in it. Links would leave a part of the generation to somebody else.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, path, copied) = (entry.file_type()?, entry.path(), to.join(entry.file_name()));
        if begun_for(&path).is_some() {
            // What a dead writer left.
        } else if kind.is_dir() {
            copy(&path, &copied)?;
        } else if kind.is_file() {
            fs::copy(&path, &copied)?;
            File::open(copied)?.sync_all()?;
        } else {
            let message = format!("`{}` is neither a file nor a folder: put there what it leads to", path.display());
            return Err(io::Error::other(message));
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    sync_folder(to)
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::testing::{folder, names};

    /// `policies` leads to `first`, with `a.toml` in it.
    fn linked(name: &str) -> (PathBuf, PathBuf) {
        let folder = folder(name);
        fs::create_dir_all(folder.join("first/certificates")).expect("writable");
        fs::write(folder.join("first/a.toml"), "old").expect("writable");
        fs::write(folder.join("first/certificates/a.crt"), "certificate").expect("writable");
        link(Path::new("first"), &folder.join("policies")).expect("writable");
        let policies = folder.join("policies");
        (folder, policies)
    }

    fn files(text: &'static str) -> BTreeMap<&'static str, &'static str> {
        [("a.toml", text), ("b.toml", text)].into()
    }

    fn current(policies: &Path) -> Generation {
        Generation::of(policies).expect("a link to a folder")
    }

    fn text(policies: &Path) -> String {
        fs::read_to_string(policies.join("a.toml")).expect("there")
    }

    #[test]
    fn a_writer_that_dies_before_the_link_is_turned_leaves_the_old_generation() {
        let (folder, policies) = linked("generation-crash");
        // What dies drops nothing.
        std::mem::forget(current(&policies).next(&files("lost")).expect("writable"));
        assert_eq!((names(&folder).len(), text(&policies).as_str()), (4, "old"));
        // The next one takes away what was left, and not what is not its own.
        let second = current(&policies).next(&files("second")).expect("writable").commit().expect("turned");
        assert_eq!((names(&folder).len(), text(&policies).as_str()), (3, "second"));
        assert_eq!(names(second.folder()), ["a.toml", "b.toml", "certificates"]);
        assert_eq!(fs::read_to_string(folder.join("first/a.toml")).expect("there"), "old");
        // One generation is kept, and a link that is named with a `/` is the link.
        let slash = folder.join("policies/");
        current(&slash).next(&files("third")).expect("writable").commit().expect("turned");
        assert!(second.folder().exists() && !second.is_current());
        current(&slash).next(&files("fourth")).expect("writable").commit().expect("turned");
        assert_eq!((names(&folder).len(), text(&policies).as_str()), (4, "fourth"));
        assert!(!second.folder().exists());
        fs::remove_dir_all(folder).expect("made above");
    }

    #[test]
    fn of_two_that_write_at_a_time_the_first_fails() {
        let (folder, policies) = linked("generation-two");
        let first = current(&policies).next(&files("first")).expect("writable");
        let second = current(&policies).next(&files("second")).expect("writable");
        assert_eq!(first.commit().expect_err("it was taken away").kind(), io::ErrorKind::NotFound);
        second.commit().expect("turned");
        assert_eq!((names(&folder).len(), text(&policies).as_str()), (3, "second"));
        fs::remove_dir_all(folder).expect("made above");
    }

    #[test]
    fn a_generation_that_is_not_wanted_or_has_a_link_in_it_leaves_nothing_behind() {
        let (folder, policies) = linked("generation-failure");
        drop(current(&policies).next(&files("new")).expect("writable"));
        link(Path::new("a.toml"), &folder.join("first/c.toml")).expect("writable");
        assert!(current(&policies).next(&files("new")).is_err());
        assert_eq!((names(&folder), text(&policies)), (vec!["first".into(), "policies".into()], "old".to_owned()));
        assert!(Generation::of(&folder).is_none() && Generation::of(&folder.join("first")).is_none());
        fs::remove_dir_all(folder).expect("made above");
    }
}
