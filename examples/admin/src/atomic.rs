//! Writing a file so that whoever reads it, whenever the writer dies, finds the old content or the new one, whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;

/// New content of a file, on disk beside it and not yet in its place. Dropped, it is gone.
pub(crate) struct Pending {
    temporary: PathBuf,
    target: PathBuf,
}

impl Pending {
    /// Writes the content into a temporary file of the same folder, down to the disk; the target is as it was.
    pub(crate) fn write(target: &Path, content: &[u8]) -> io::Result<Self> {
        // A link to the file stays one.
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.new", process::id()));
        let temporary = target.with_file_name(hidden);
        // One that is there is of a process of the same number that died.
        if let Err(cause) = fs::remove_file(&temporary)
            && cause.kind() != io::ErrorKind::NotFound
        {
            return Err(cause);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        let pending = Self { temporary, target };
        if let Ok(present) = fs::metadata(&pending.target) {
            file.set_permissions(present.permissions())?;
        }
        file.write_all(content)?;
        file.sync_all()?;
        Ok(pending)
    }

    /// Puts it into the place of the target, in one step.
    pub(crate) fn commit(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        // The rename itself has to reach the disk, where a folder can be opened for that.
        match self.target.parent() {
            Some(folder) if cfg!(unix) => {
                File::open(if folder == Path::new("") { Path::new(".") } else { folder })?.sync_all()
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // After the rename there is none.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("admin-atomic-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("made above");
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_writer_that_dies_before_the_rename_leaves_the_old_content() {
        let folder = folder("crash");
        let target = folder.join("policy.toml");
        fs::write(&target, "old").expect("writable");
        // What dies drops nothing.
        std::mem::forget(Pending::write(&target, b"new").expect("writable"));
        assert_eq!(fs::read_to_string(&target).expect("there"), "old");
        assert_eq!(names(&folder).len(), 2, "the temporary file is left");
        // The next one is not disturbed by it, and takes it away if it has the same number.
        Pending::write(&target, b"newer").expect("writable").commit().expect("renamed");
        assert_eq!(fs::read_to_string(&target).expect("there"), "newer");
        assert_eq!(names(&folder), ["policy.toml"]);
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
