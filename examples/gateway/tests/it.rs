//! The gateway as it is run: a process of its own, files made by `admin` and openssl, curl as the clients.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, process, thread};

use certmap::{AccessLine, AuditRecord};

/// Longer than anything here takes on a slow machine; reached only where something is broken.
const DEADLINE: Duration = Duration::from_secs(120);

/// A folder with keys, certificates and a policy; gone when the test is.
struct Desk(PathBuf);

impl Desk {
    /// Partners `acme`, who may send, and `beta`, who may not; `stranger`, whom nobody knows; hosts `gw` and `other`.
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("gateway-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let desk = Self(folder);
        for (who, names) in [("acme", ""), ("beta", ""), ("stranger", ""), ("gw", "DNS:gw.example,DNS:other.example")] {
            let (key, certificate) = (format!("{who}.key"), format!("{who}.crt"));
            let subject = format!("/CN={who}");
            let mut words = vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
            words.extend(["-days", "30", "-subj", &subject, "-keyout", &key, "-out", &certificate]);
            let names = format!("subjectAltName={names}");
            if names.len() > "subjectAltName=".len() {
                words.extend(["-addext", &names]);
            }
            desk.run("openssl", &words);
        }
        desk.write("gw.pem", &(desk.text("gw.crt") + &desk.text("gw.key")));
        for words in [
            "bundle add-ca partners acme.crt --alias acme --kind pin",
            "bundle add-ca partners beta.crt --alias beta --kind pin",
            "host set gw --ca-bundle partners:request --server-name gw.example --untrusted let-decide",
            "host set other --ca-bundle partners:require --server-name other.example",
            "map add @acme --user ACME",
            "map add @beta --user BETA",
            "role grant iflmap/ESBMessaging.send --user ACME",
        ] {
            desk.admin(words);
        }
        let routes = "\n[[routes]]\npath = \"/send\"\nrole = \"iflmap/ESBMessaging.send\"\n\n\
            [[routes]]\npath = \"/metrics\"\nanonymous = true\n";
        desk.write("policy.toml", &(desk.text("policy.toml") + routes));
        // The routes are the gateway's, and stay where they are when the policy is administered.
        desk.admin("role grant iflmap/Monitor --user BETA");
        assert!(desk.text("policy.toml").contains("\npath = \"/send\"\n"), "{}", desk.text("policy.toml"));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap_or_else(|cause| panic!("{name}: {cause}"));
    }

    /// Puts a file in another's place in one step.
    fn replace(&self, name: &str, text: &str) {
        self.write("new", text);
        fs::rename(self.path("new"), self.path(name)).expect("a file of the same folder");
    }

    fn run(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(program).args(words).current_dir(&self.0).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|cause| panic!("{program}: {cause}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn admin(&self, words: &str) {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../admin/Cargo.toml");
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut all = vec!["run", "--quiet", "--locked", "--manifest-path", manifest, "--"];
        all.extend(words.split_whitespace());
        self.run(&cargo, &all);
    }

    /// The gateway, from the moment on when it listens.
    fn gateway(&self) -> Gateway {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.args(["--policy", "policy.toml", "--identity", "gw=gw.pem", "--identity", "other=gw.pem"]);
        command.args(["--listen", "127.0.0.1:0", "--http-log", "http.log"]).current_dir(&self.0);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("built");
        let (sender, said) = channel();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let also = sender.clone();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let records = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&records);
        thread::spawn(move || {
            errors.lines().map_while(Result::ok).try_for_each(|line| match line.parse::<AuditRecord>() {
                Ok(record) => {
                    kept.lock().expect("no panic while it is filled").push(record);
                    Ok(())
                }
                Err(_) => also.send(line),
            })
        });
        let mut gateway = Gateway { child, said: Mutex::new(said), records, port: String::new() };
        let line = gateway.says("listening on ");
        let address = line.split_whitespace().nth(2).expect("an address");
        gateway.port = String::from(address.rsplit(':').next().expect("a port"));
        gateway
    }

    /// The answer of curl: status and body, `000` if there is none.
    fn curl(&self, port: &str, who: Option<&str>, url: &str, more: &[&str]) -> (String, String) {
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

struct Gateway {
    child: Child,
    said: Mutex<Receiver<String>>,
    records: Arc<Mutex<Vec<AuditRecord>>>,
    port: String,
}

impl Gateway {
    /// Waits for a line that begins so.
    fn says(&self, beginning: &str) -> String {
        let said = self.said.lock().expect("no panic while it waits");
        loop {
            let line = said.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("it does not say {beginning:?}"));
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), body.to_owned())
}

#[test]
fn curl_gets_what_the_policy_says_and_the_log_tells_it() {
    let desk = Desk::new("story");
    let mut gateway = desk.gateway();
    let port = gateway.port.clone();
    let curl = |who, url| desk.curl(&port, who, url, &[]);
    assert_eq!(curl(Some("acme"), "gw.example/send"), status("200", "admitted"));
    let whoami = r#"{"user":"ACME","strength":"certificate","roles":["iflmap/ESBMessaging.send"]}"#;
    assert_eq!(curl(Some("acme"), "gw.example/whoami"), status("200", whoami));
    assert_eq!(desk.curl(&port, Some("acme"), "gw.example/whoami", &["--http1.1"]), status("200", whoami));
    assert_eq!(curl(None, "gw.example/send"), status("401", r#"{"status":401,"code":"no-certificate"}"#));
    assert_eq!(curl(Some("stranger"), "gw.example/send"), status("401", r#"{"status":401,"code":"untrusted"}"#));
    assert_eq!(curl(Some("beta"), "gw.example/send"), status("403", r#"{"status":403,"code":"role-missing"}"#));
    let misdirected = desk.curl(&port, Some("acme"), "gw.example/send", &["--header", "Host: other.example"]);
    assert_eq!(misdirected, status("421", r#"{"status":421,"code":"misdirected"}"#));
    // Where a certificate is required there is no connection without.
    assert_eq!(curl(None, "other.example/send").0, "000");
    assert_eq!(curl(Some("acme"), "other.example/send").0, "200");
    let (_, metrics) = curl(None, "gw.example/metrics");
    for line in ["outcome=\"admitted\"} 3", "outcome=\"role-missing\"} 1", "outcome=\"no-certificate\"} 1"] {
        assert!(metrics.contains(&format!("certmap_decisions_total{{host=\"gw\",{line}\n")), "{line}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF"));
    for path in ["gw.example/a/%2e%2e/send", "gw.example//send"] {
        assert_eq!(
            desk.curl(&port, Some("beta"), path, &["--path-as-is"]),
            status("400", r#"{"status":400,"code":"path"}"#)
        );
    }

    let log = desk.text("http.log");
    let lines: Vec<AccessLine> = log.lines().map(|line| line.parse().expect("a line of ours")).collect();
    let of =
        |user: Option<&str>, status| lines.iter().filter(|line| line.user() == user && line.status() == status).count();
    assert_eq!([of(Some("ACME"), 200), of(Some("BETA"), 403), of(None, 401), of(None, 421)], [4, 1, 2, 1], "{log}");

    // Taken out of the policy, refused; and what cannot be read changes nothing.
    let before = desk.text("policy.toml");
    desk.replace("policy.toml", "verison = 1\n");
    gateway.says("not reloaded: policy.toml: ");
    assert_eq!(curl(Some("acme"), "gw.example/send").0, "200");
    desk.replace("policy.toml", &before);
    desk.admin("role revoke iflmap/ESBMessaging.send --user ACME");
    gateway.signal("-HUP");
    gateway.says("policy ");
    assert_eq!(curl(Some("acme"), "gw.example/send").0, "403");

    gateway.signal("-TERM");
    gateway.says("draining");
    assert!(gateway.child.wait().expect("it ends").success());
}

/// Requests of each of the two clients; `GATEWAY_LOAD` is how many.
fn requests() -> usize {
    env::var("GATEWAY_LOAD").ok().map_or(2_000, |text| text.parse().expect("a number"))
}

#[test]
fn no_request_is_lost_or_decided_by_two_policies_while_policies_are_swapped() {
    let desk = Desk::new("load");
    let gateway = desk.gateway();
    // Two policies that are both whole: in one `acme` may send, in the other only `beta` may.
    let one = desk.text("policy.toml");
    desk.admin("role revoke iflmap/ESBMessaging.send --user ACME");
    desk.admin("role grant iflmap/ESBMessaging.send --user BETA");
    let two = desk.text("policy.toml");
    let count = requests();
    let running = AtomicBool::new(true);
    let (answers, swaps) = thread::scope(|scope| {
        let clients = ["acme", "beta"].map(|who| {
            let (desk, port) = (&desk, &gateway.port);
            // One process sends many requests over connections that it keeps.
            scope.spawn(move || {
                let url = format!("https://gw.example:{port}/send?[1-{count}]");
                let resolve = format!("gw.example:{port}:127.0.0.1");
                let (certificate, key) = (format!("{who}.crt"), format!("{who}.key"));
                let words =
                    ["--silent", "--cacert", "gw.crt", "--resolve", &resolve, "--cert", &certificate, "--key", &key];
                let print = ["--output", "/dev/null", "--write-out", "%{http_code}\n", &url];
                desk.run("curl", &[&words[..], &print[..]].concat())
            })
        });
        let swapper = scope.spawn(|| {
            let mut swaps = 0_usize;
            while running.load(Ordering::Relaxed) || swaps < 20 {
                let (text, answer) = match swaps % 4 {
                    0 => ("no policy", "not reloaded: "),
                    1 => (&*two, "policy "),
                    2 => ("version = 1\nmappings = [{ match = \"@nobody\", user = \"X\" }]\n", "not reloaded: "),
                    _ => (&*one, "policy "),
                };
                desk.replace("policy.toml", text);
                gateway.signal("-HUP");
                gateway.says(answer);
                swaps += 1;
            }
            swaps
        });
        let answers = clients.map(|client| client.join().expect("no request failed"));
        running.store(false, Ordering::Relaxed);
        (answers, swapper.join().expect("every swap was answered"))
    });
    for answers in &answers {
        assert_eq!(answers.lines().count(), count);
        assert!(answers.lines().all(|status| status == "200" || status == "403"), "a request was lost");
    }
    let log = desk.text("http.log");
    assert_eq!(log.lines().count(), 2 * count, "a line a request");
    // Each policy refuses one of the two, always the same one.
    let records = gateway.records.lock().expect("no panic while it is filled").clone();
    let mut refused = BTreeMap::<String, BTreeSet<String>>::new();
    for record in &records {
        let policy = record.policy().expect("a digest").to_owned();
        refused.entry(policy).or_default().insert(record.user().expect("a user").to_owned());
    }
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused.values().all(|users| users.len() == 1), "{refused:?}");
    println!("{} requests, {swaps} swaps", 2 * count);
}
