//! Writing a file so that whoever reads it, whenever the writer dies, finds the old content or the new one, whole.
//!
//! Of two that write into one folder at a time at most one succeeds: each takes away what others have begun, then looks
//! whether what it read is still there, and only then puts its own into place. What a dead writer left goes the same way.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// New content of a file, on disk beside it and not yet in its place. Dropped, it is gone.
pub(crate) struct Pending {
    temporary: PathBuf,
    target: PathBuf,
}

impl Pending {
    /// Writes the content into a temporary file of the same folder, down to the disk; the target is as it was. What
    /// others have begun there is taken away.
    pub(crate) fn write(target: &Path, content: &[u8]) -> io::Result<Self> {
        // A link to the file stays one.
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let temporary = begun(&target)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let pending = Self { temporary, target };
        if let Ok(present) = fs::metadata(&pending.target) {
            file.set_permissions(present.permissions())?;
        }
        file.write_all(content)?;
        file.sync_all()?;
        pending.take_others_away()?;
        Ok(pending)
    }

    /// Puts it into the place of the target, in one step. Fails if another writer took it away.
    pub(crate) fn commit(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        sync_folder(folder_of(&self.target))
    }

    /// Everything that was begun for a file of this kind: they are parts of one policy.
    fn take_others_away(&self) -> io::Result<()> {
        for entry in fs::read_dir(folder_of(&self.target))? {
            let path = entry?.path();
            let is_other = path.file_name() != self.temporary.file_name();
            if is_other && begun_for(&path).is_some_and(|name| Path::new(name).extension() == self.target.extension()) {
                remove_file(&path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // After the rename there is none.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// A name beside the target that no other writer has, on this machine or another one: `.policy.toml.0123456789abcdef.new`.
pub(crate) fn begun(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", unique()));
    Ok(target.with_file_name(hidden))
}

/// For which file something of that name was begun.
pub(crate) fn begun_for(path: &Path) -> Option<&str> {
    let (name, unique) = path.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".new")?.rsplit_once('.')?;
    is_unique(unique).then_some(name)
}

/// Sixteen digits that nobody else has.
pub(crate) fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(0))
}

pub(crate) fn is_unique(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// What was renamed or made in a folder reaches the disk, where a folder can be opened for that.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Removes a file that somebody else may remove, too.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|cause| if cause.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(cause) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, names};

    #[test]
    fn a_writer_that_dies_before_the_rename_leaves_the_old_content() {
        let folder = folder("crash");
        let target = folder.join("policy.toml");
        fs::write(&target, "old").expect("writable");
        fs::write(folder.join(".policy.toml.new"), "somebody else's").expect("writable");
        // What dies drops nothing.
        std::mem::forget(Pending::write(&target, b"new").expect("writable"));
        assert_eq!(fs::read_to_string(&target).expect("there"), "old");
        assert_eq!(names(&folder).len(), 3, "the temporary file is left");
        // The next one is not disturbed by it, and takes it away.
        Pending::write(&target, b"newer").expect("writable").commit().expect("renamed");
        assert_eq!(fs::read_to_string(&target).expect("there"), "newer");
        assert_eq!(names(&folder), [".policy.toml.new", "policy.toml"]);
        fs::remove_dir_all(folder).expect("made above");
    }

    #[test]
    fn of_two_that_write_parts_of_one_policy_at_a_time_the_first_fails() {
        let folder = folder("two-writers");
        let first = Pending::write(&folder.join("a.toml"), b"a").expect("writable");
        let other = Pending::write(&folder.join("c.json"), b"c").expect("writable");
        let second = Pending::write(&folder.join("b.toml"), b"b").expect("writable");
        assert_eq!(first.commit().expect_err("it was taken away").kind(), io::ErrorKind::NotFound);
        second.commit().expect("renamed");
        other.commit().expect("another kind of file is another policy");
        assert_eq!(names(&folder), ["b.toml", "c.json"]);
        fs::remove_dir_all(folder).expect("made above");
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let folder = folder("failure");
        let target = folder.join("policy.toml");
        // No file can be put into the place of a folder.
        fs::create_dir(&target).expect("writable");
        let pending = Pending::write(&target, b"new").expect("writable");
        assert!(pending.commit().is_err());
        assert_eq!(names(&folder), ["policy.toml"]);
        fs::remove_dir_all(folder).expect("made above");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = folder("links");
        let (target, link) = (folder.join("real.toml"), folder.join("policy.toml"));
        fs::write(&target, "old").expect("writable");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("ours");
        symlink(&target, &link).expect("writable");
        Pending::write(&link, b"new").expect("writable").commit().expect("renamed");
        assert_eq!(fs::read_to_string(&target).expect("there"), "new");
        assert_eq!(fs::metadata(&target).expect("there").permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        fs::remove_dir_all(folder).expect("made above");
    }
}
