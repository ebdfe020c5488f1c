//! A folder of its own for each test, and the program started in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, process};

use certmap::rustls::pki_types::UnixTime;
use certmap::{Identity, IdentityRequest};
use serde_json::Value;

/// What the program said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder, gone when the test is.
pub(crate) struct Desk(PathBuf);

impl Desk {
    pub(crate) fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("admin-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self(folder)
    }

    /// With one partner: `acme.crt` is user `ACME` on host `gateway`.
    pub(crate) fn with_partner(name: &str) -> Self {
        let desk = Self::new(name);
        desk.done("identity new CN=ERP,O=Acme --out acme.pem");
        desk.done("identity export acme.pem --out acme.crt");
        desk.done("bundle add-ca partners acme.crt --alias acme");
        desk.done("host set gateway --ca-bundle partners:require");
        desk.done("map add @acme --user ACME");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap_or_else(|cause| panic!("{name}: {cause}"));
    }

    /// The names of what is in the folder, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admin"));
        command.args(words).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    /// Starts it with these words, each without blanks.
    pub(crate) fn run(&self, line: &str) -> Said {
        self.run_words(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it said, having succeeded.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        let Said { code, out, err } = self.run(line);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{line}: {out}");
        out
    }

    /// The same for programs.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(&format!("{line} --json"))).expect("it is JSON")
    }

    /// What it said, having succeeded, and what it noted besides.
    #[track_caller]
    pub(crate) fn noted(&self, line: &str) -> Said {
        let said = self.run(line);
        assert_eq!(said.code, Some(0), "{line}: {}", said.err);
        assert!(
            !said.err.is_empty() && said.err.lines().all(|note| note.starts_with("note: ")),
            "{line}: {}",
            said.err
        );
        said
    }

    /// Why it refused, having changed nothing in the folder.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, line: &str) -> String {
        let before = contents(&self.0);
        let said = self.run(line);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{line}: {}", said.err);
        assert!(contents(&self.0) == before, "{line} changed something, although it says: {}", said.err);
        said.err
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = fs::read(&path).expect("readable");
            found.push((path, content));
        }
    }
    found.sort_unstable();
    found
}

/// The certificate of somebody whose validity ended yesterday, as PEM.
pub(crate) fn expired(subject: &str) -> String {
    let day = Duration::from_secs(86_400);
    let start = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() - 10 * day.as_secs()));
    let request = IdentityRequest::new(subject.parse().expect("a name"), start, 9 * day);
    Identity::generate(&request).expect("possible").certificate().to_pem()
}

/// Makes a certificate with openssl in this folder; false, said aloud, if openssl is not there, which CI may not be.
pub(crate) fn openssl(desk: &Desk, words: &[&str]) -> bool {
    let output = Command::new("openssl").args(words).current_dir(desk.folder()).stdin(Stdio::null()).output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(cause) => {
            assert!(
                env::var_os("CI").is_none_or(|value| value.is_empty()),
                "openssl not found ({cause}), and CI must have it"
            );
            // Not `eprintln`, which the test harness swallows when a test passes.
            let _ = writeln!(io::stderr(), "SKIPPED: openssl not found ({cause})");
            false
        }
    }
}
