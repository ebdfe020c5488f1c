//! A folder with keys, certificates and policies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs, thread};

use crate::gateway::Gateway;

/// Gone when the test is.
pub(crate) struct Desk(PathBuf);

impl Desk {
    /// Partners `acme`, who may send, and `beta`, who may not; `stranger`, whom nobody knows; hosts `gw` and `other`. In
    /// `two.toml` only `beta` may send; in `less.toml` nobody knows `acme`. `gw2.pem` is a renewed certificate of both hosts.
    pub(crate) fn new(name: &str) -> Self {
        static FILES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            let desk = Self::empty("template");
            desk.furnish();
            desk.files()
        });
        let desk = Self::empty(name);
        for (name, text) in files {
            desk.write(name, text);
        }
        desk
    }

    fn empty(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("gateway-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self(folder)
    }

    fn furnish(&self) {
        let names = "DNS:gw.example,DNS:other.example";
        for (who, names) in [("acme", ""), ("beta", ""), ("stranger", ""), ("gw", names), ("gw2", names)] {
            let (key, certificate) = (format!("{who}.key"), format!("{who}.crt"));
            let subject = format!("/CN={who}");
            let mut words = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
            words.extend(["-days", "30", "-subj", &subject, "-keyout", &key, "-out", &certificate]);
            let extension = format!("subjectAltName={names}");
            if !names.is_empty() {
                words.extend(["-addext", &extension]);
            }
            self.run("openssl", &words);
            self.write(&format!("{who}.pem"), &(self.text(&certificate) + &self.text(&key)));
        }
        for words in [
            "bundle add-ca partners acme.crt --alias acme --kind pin",
            "bundle add-ca partners beta.crt --alias beta --kind pin",
            "host set gw --ca-bundle partners:request --server-name gw.example --untrusted let-decide",
            "host set other --ca-bundle partners:require --server-name other.example",
            "map add @acme --user ACME",
            "map add @beta --user BETA",
            "role grant iflmap/ESBMessaging.send --user ACME",
        ] {
            self.admin(words);
        }
        let routes = "\n[[routes]]\npath = \"/send\"\nrole = \"iflmap/ESBMessaging.send\"\n\n\
            [[routes]]\npath = \"/monitor\"\nrole = \"iflmap/Monitor\"\n\n\
            [[routes]]\npath = \"/slow\"\n\n\
            [[routes]]\npath = \"/metrics\"\nanonymous = true\n";
        self.write("policy.toml", &(self.text("policy.toml") + routes));
        // The routes are the gateway's, and stay where they are when the policy is administered.
        self.admin("role grant iflmap/Monitor --user BETA");
        let one = self.text("policy.toml");
        assert!(one.contains("\npath = \"/send\"\n"), "{one}");
        self.admin("role revoke iflmap/ESBMessaging.send --user ACME");
        self.admin("role grant iflmap/ESBMessaging.send --user BETA");
        self.write("two.toml", &self.text("policy.toml"));
        self.write("policy.toml", &one);
        self.admin("map remove @acme");
        self.write("less.toml", &self.text("policy.toml"));
        self.write("policy.toml", &one);
    }

    /// All files and what they hold.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(&self.0).expect("a folder").map(|entry| entry.expect("an entry"));
        let files = entries.filter(|entry| entry.file_type().expect("a type").is_file());
        let names = files.map(|entry| entry.file_name().into_string().expect("a name of ours"));
        names.map(|name| (name.clone(), self.text(&name))).collect()
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

    /// Puts a file in another's place in one step.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        self.write("new", text);
        fs::rename(self.path("new"), self.path(name)).expect("a file of the same folder");
    }

    pub(crate) fn run(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(program).args(words).current_dir(&self.0).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|cause| panic!("{program}: {cause}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    pub(crate) fn admin(&self, words: &str) {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../admin/Cargo.toml");
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut all = vec!["run", "--quiet", "--locked", "--manifest-path", manifest, "--"];
        all.extend(words.split_whitespace());
        self.run(&cargo, &all);
    }

    /// The gateway with `policy.toml` and `gw.pem`, from the moment on when it listens.
    pub(crate) fn gateway(&self, more: &[&str]) -> Gateway {
        let words = ["--policy", "policy.toml", "--identity", "gw=gw.pem", "--identity", "other=gw.pem"];
        Gateway::start(self, &[&words, more].concat())
    }

    /// The answer of curl: status and body, `000` if there is none.
    pub(crate) fn curl(&self, port: &str, who: Option<&str>, url: &str, more: &[&str]) -> (String, String) {
        let mut command = Command::new("curl");
        command.current_dir(&self.0).args(["--silent", "--cacert", "gw.crt", "--write-out", "\n%{http_code}"]);
        for name in ["gw.example", "other.example"] {
            command.args(["--resolve", &format!("{name}:{port}:127.0.0.1")]);
        }
        if let Some(who) = who {
            command.args(["--cert", &format!("{who}.crt"), "--key", &format!("{who}.key")]);
        }
        let (host, path) = url.split_once('/').expect("a path");
        let output = command.args(more).arg(format!("https://{host}:{port}/{path}")).output().expect("curl");
        let text = String::from_utf8(output.stdout).expect("text");
        let (body, status) = text.rsplit_once('\n').expect("a line with the status");
        (status.to_owned(), body.trim_end().to_owned())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// An answer as curl has it.
pub(crate) fn status(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), body.to_owned())
}
