//! The gateway's process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use certmap::AuditRecord;

use crate::desk::Desk;

/// Longer than anything here takes on a slow machine; reached only where something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Gateway {
    child: Child,
    said: Mutex<Receiver<String>>,
    records: Arc<Mutex<Vec<AuditRecord>>>,
    pub(crate) port: String,
    /// The digest of the policy that it began with.
    pub(crate) policy: String,
}

impl Gateway {
    pub(crate) fn start(desk: &Desk, words: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.args(["--listen", "127.0.0.1:0"]).args(words).current_dir(desk.folder());
        if !words.contains(&"--http-log") {
            command.args(["--http-log", "http.log"]);
        }
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("built");
        let (sender, said) = channel();
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let records = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&records);
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                match line.parse::<AuditRecord>() {
                    Ok(record) => kept.lock().expect("no panic while it is filled").push(record),
                    Err(_) => drop(sender.send(line)),
                }
            }
        });
        let mut gateway = Self { child, said: Mutex::new(said), records, port: String::new(), policy: String::new() };
        let line = gateway.says("listening on ");
        let words: Vec<_> = line.split_whitespace().collect();
        let [.., address, _, _, policy] = words[..] else { panic!("{line}") };
        gateway.port = String::from(address.rsplit(':').next().expect("a port"));
        gateway.policy = String::from(policy);
        gateway
    }

    /// The next line for operators; `None` if there are no more.
    pub(crate) fn line(&self) -> Option<String> {
        let said = self.said.lock().expect("no panic while it waits");
        match said.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing"),
        }
    }

    /// Waits for a line that begins so.
    pub(crate) fn says(&self, beginning: &str) -> String {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("it has ended and did not say {beginning:?}"));
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }

    /// Ends it, and returns all its records.
    pub(crate) fn end(mut self) -> Vec<AuditRecord> {
        self.signal("-TERM");
        self.says("draining");
        self.ended();
        self.records.lock().expect("no panic while it is filled").clone()
    }

    /// Waits until it has ended as it should, and all that it said is read.
    pub(crate) fn ended(&mut self) {
        assert!(self.child.wait().expect("it ends").success());
        while self.line().is_some() {}
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Memory that it holds, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that it has held so far, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    #[cfg(target_os = "linux")]
    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("as Linux has it");
        line.split_whitespace().next().expect("a number").parse().expect("a number")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
