//! The programs of others: found or missed aloud, with a limit to every wait, and ended whatever happens.
//!
//! Also certificates as others make them. A test that needs a program asks [`found`] first.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, fs, thread};

use certmap::Certificate;

use crate::common::erp;

/// How long anything may keep a test waiting, unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A program of somebody else, and by which words of its version it is the one that is meant.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    program: &'static str,
    version: &'static str,
    words: &'static str,
}

pub const CURL: Tool = Tool { program: "curl", version: "--version", words: "OpenSSL/" };
/// Not `LibreSSL`, which macOS has under the same name.
pub const OPENSSL: Tool = Tool { program: "openssl", version: "version", words: "OpenSSL " };

/// That of `GnuTLS`.
pub const CERTTOOL: Tool = Tool { program: "certtool", version: "--version", words: "certtool " };
/// With a library that writes PKCS#12 in ways of its own: ask for `cryptography` before use.
pub const PYTHON: Tool = Tool { program: "python3", version: "--version", words: "Python 3" };
/// Java's, for its key stores.
pub const KEYTOOL: Tool = Tool { program: "keytool", version: "--help", words: "" };

/// Go's, which has a TLS of its own.
pub const GO: Tool = Tool { program: "go", version: "version", words: "go version" };
/// Java's, which has a TLS of its own: runs a source file, if [`JAVAC`] is there.
pub const JAVA: Tool = Tool { program: "java", version: "--version", words: "" };
pub const JAVAC: Tool = Tool { program: "javac", version: "--version", words: "javac " };

/// True if the tools are there. Where one is missing it says so; they are large, and CI may do without.
pub fn at_hand(tools: &[Tool]) -> bool {
    let missing = tools.iter().find_map(Tool::missing);
    if let Some(missing) = &missing {
        let _ = writeln!(io::stderr(), "SKIPPED: {missing}");
    }
    missing.is_none()
}

/// True if the tools are there. Where one is missing it says so, and in CI, where none may be missing, panics.
pub fn found(tools: &[Tool]) -> bool {
    let Some(missing) = tools.iter().find_map(Tool::missing) else { return true };
    assert!(env::var_os("CI").is_none_or(|value| value.is_empty()), "{missing}, and CI must have it");
    // Not `eprintln`, which the test harness swallows when a test passes.
    let _ = writeln!(io::stderr(), "SKIPPED: {missing}");
    false
}

impl Tool {
    fn missing(&self) -> Option<String> {
        let Self { program, version, words } = self;
        match Command::new(program).arg(version).stdin(Stdio::null()).output() {
            Err(cause) => Some(format!("{program} not found ({cause})")),
            Ok(output) => {
                let says = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
                (!says.contains(words))
                    .then(|| format!("{program} not found: `{words}` is not in its version `{says}`"))
            }
        }
    }
}

/// A program that runs: its output line by line as it comes, its input open. Killed and reaped when it is dropped.
pub struct Running {
    line: String,
    child: Child,
    stdin: ChildStdin,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// What a program wrote until it ended, and whether it calls that a success.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub success: bool,
}

impl Running {
    /// Starts a tool in a directory, so that arguments can name the files there.
    pub fn start<A: AsRef<OsStr>>(tool: Tool, directory: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(tool.program);
        command.args(arguments).current_dir(directory);
        let line = format!("{command:?}");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|cause| panic!("{line}: {cause}"));
        let stdin = child.stdin.take().expect("piped above");
        let stdout = lines(child.stdout.take().expect("piped above"));
        let stderr = lines(child.stderr.take().expect("piped above"));
        Self { line, child, stdin, stdout, stderr }
    }

    /// Types this at the program, whose input stays open. One that has ended already does not mind.
    pub fn type_in(&mut self, text: &str) {
        let _ = self.stdin.write_all(text.as_bytes()).and_then(|()| self.stdin.flush());
    }

    /// Waits for a line of its output that begins so, and returns the rest of that line.
    pub fn wait_for(&self, beginning: &str) -> String {
        let mut before = String::new();
        loop {
            match self.stdout.recv_timeout(PATIENCE) {
                Ok(line) => match line.strip_prefix(beginning) {
                    Some(rest) => return rest.trim().to_owned(),
                    None => before += &line,
                },
                Err(RecvTimeoutError::Timeout) => panic!("{}: no `{beginning}`: {before}", self.line),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{}: ended before `{beginning}`: {before}{}", self.line, self.rest_of(&self.stderr))
                }
            }
        }
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        let (stdout, stderr) = (self.rest_of(&self.stdout), self.rest_of(&self.stderr));
        // Both its outputs are closed, so it is about to end.
        let status = self.child.wait().expect("a child can be waited for");
        Output { stdout, stderr, success: status.success() }
    }

    fn rest_of(&self, lines: &Receiver<String>) -> String {
        let mut text = String::new();
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => text += &line,
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => panic!("{}: does not end: {text}", self.line),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// A new directory for the files of one test, removed with all that is in it.
#[derive(Debug)]
pub struct Workshop(PathBuf);

impl Workshop {
    pub fn new() -> Self {
        loop {
            let path = env::temp_dir().join(format!("certmap-{}-{:016x}", std::process::id(), fastrand::u64(..)));
            match fs::create_dir(&path) {
                Ok(()) => return Self(path),
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => panic!("{}: {cause}", path.display()),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), content).unwrap();
    }

    #[track_caller]
    pub fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap_or_else(|cause| panic!("{file}: {cause}"))
    }

    pub fn has(&self, file: &str) -> bool {
        self.0.join(file).exists()
    }

    /// Runs the openssl command to its end, which must be a good one, and returns its output; arguments are separated by
    /// spaces.
    #[track_caller]
    pub fn openssl(&self, arguments: &str) -> String {
        let output = Running::start(OPENSSL, &self.0, arguments.split_whitespace()).finish();
        assert!(output.success, "openssl {arguments}: {}{}", output.stdout, output.stderr);
        output.stdout
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A self-signed certificate, as partners have them.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// The committed one: version 1, RSA 2048, as STRUST makes it.
    Strust,
    /// What `openssl req -x509` makes unless told otherwise: version 3, CA:TRUE. With these words for its key.
    CaTrue(&'static str),
    /// What `openssl x509 -req` makes unless told otherwise: version 1. With these words for its key and its signature.
    Version1(&'static str, &'static str),
}

pub const RSA: &str = "rsa:2048";
pub const EC: &str = "ec -pkeyopt ec_paramgen_curve:P-256";
pub const SHAPES: [Shape; 5] = [
    Shape::Strust,
    Shape::CaTrue(RSA),
    Shape::CaTrue(EC),
    Shape::Version1(EC, "-sha256"),
    Shape::Version1(RSA, "-sha1"),
];

impl Shape {
    /// Makes one: `NAME.pem` and `NAME.key`.
    #[track_caller]
    pub fn make(self, workshop: &Workshop, name: &str) -> Certificate {
        let subject = format!("-subj /O=Partner/CN={name}");
        let (version, is_ca) = match self {
            Self::Strust => {
                workshop.write(&format!("{name}.pem"), erp().chain_pem());
                workshop.write(&format!("{name}.key"), erp().private_key_pem().unwrap().as_bytes());
                (1, false)
            }
            Self::CaTrue(key) => {
                let files = format!("-nodes -keyout {name}.key -out {name}.pem");
                workshop.openssl(&format!("req -x509 -newkey {key} {files} {subject} -days 30"));
                (3, true)
            }
            Self::Version1(key, digest) => {
                let out = format!("-out {name}.pem {digest} -days 30");
                workshop
                    .openssl(&format!("req -new -newkey {key} -nodes -keyout {name}.key -out {name}.csr {subject}"));
                workshop.openssl(&format!("x509 -req -in {name}.csr -signkey {name}.key {out}"));
                if certificate(workshop, name).version() != 1 {
                    // Since OpenSSL 3.2 version 1 has to be asked for, and only `req` can be asked.
                    workshop.write("plain.cnf", "[req]\ndistinguished_name=name\n[name]\n");
                    let made = "req -x509 -x509v1 -config plain.cnf";
                    workshop.openssl(&format!("{made} -key {name}.key {out} {subject}"));
                }
                (1, false)
            }
        };
        let made = certificate(workshop, name);
        assert_eq!((made.version(), made.is_ca()), (version, is_ca), "{self:?}");
        made
    }
}

#[track_caller]
pub fn certificate(workshop: &Workshop, name: &str) -> Certificate {
    Certificate::all_from_pem(&workshop.read(&format!("{name}.pem"))).unwrap().remove(0)
}
