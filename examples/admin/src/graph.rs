//! `admin graph`: a policy as a picture, from what the library tells of it.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::{CertUserMapping, Certificate, Holder, Policy, Selector, Strength};
use clap::Args;
use serde_json::json;

use crate::Common;
use crate::answer::{Answer, Failure, one_line};
use crate::store::Store;

#[derive(Args)]
#[command(after_help = "Certificate to user to role, and host to bundle to certificate. Yellow ends soon, red is not \
valid now, grey is denied or disabled.

Example:
  admin graph --days 60 --policy partners/")]
pub(crate) struct Command {
    /// What ends within so many days is yellow
    #[arg(long, default_value_t = 30)]
    days: u32,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let policy = Store::open(common)?.policy()?;
        let now = UnixTime::now();
        let soon = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + u64::from(self.days) * 86_400));
        let graph = Graph::of(&policy, now, soon);
        Ok(Answer::new(graph.mermaid(), graph.json()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Host,
    Bundle,
    Certificate,
    /// What no single certificate of a bundle stands for.
    Rule,
    User,
    Role,
}

impl Kind {
    /// The word for it, and its shape.
    fn look(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Host => ("host", "([", "])"),
            Self::Bundle => ("bundle", "[(", ")]"),
            Self::Certificate => ("certificate", "[", "]"),
            Self::Rule => ("rule", "[/", "/]"),
            Self::User => ("user", "(", ")"),
            Self::Role => ("role", "{{", "}}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    EndsSoon,
    NotValid,
    Denied,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::EndsSoon => "ending",
            Self::NotValid => "invalid",
            Self::Denied => "denied",
        }
    }
}

struct Node {
    kind: Kind,
    label: String,
    state: State,
}

#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    known: BTreeMap<(Kind, String), usize>,
    /// From, to, and what is said of it.
    edges: BTreeMap<(usize, usize), String>,
}

impl Graph {
    fn of(policy: &Policy, now: UnixTime, soon: UnixTime) -> Self {
        let mut graph = Self::default();
        let mut certificates = BTreeMap::new();
        for host in policy.hosts() {
            let names: Vec<_> = host.server_names().iter().map(ToString::to_string).collect();
            let label = format!("{} {}", host.id(), names.join(" "));
            let from = graph.node(Kind::Host, host.id(), &label.trim(), State::Good);
            let bundle = host.bundle();
            let to = graph.node(Kind::Bundle, bundle.name(), bundle.name(), State::Good);
            graph.edge(from, to, &host.client_auth().as_str());
            for entry in bundle.entries() {
                let certificate = entry.certificate();
                let subject = certificate.subject().to_string();
                let label = entry.alias().map_or(subject.clone(), |alias| format!("@{alias} {subject}"));
                let state = state(policy, certificate, now, soon);
                let node = graph.node(Kind::Certificate, &certificate.fingerprint(), &label, state);
                graph.edge(to, node, &entry.kind());
                certificates.insert(node, certificate.clone());
            }
        }
        let mappings = policy.mappings();
        let users: Vec<_> = mappings.iter().map(|mapping| graph.mapping(policy, mapping, &certificates)).collect();
        for assignment in policy.assignments() {
            let role = graph.node(Kind::Role, assignment.role(), assignment.role(), State::Good);
            let least = assignment.least();
            let least = if least == Strength::Name { String::new() } else { format!("at least {least}") };
            match assignment.holder() {
                Holder::User(user) => {
                    let user = graph.user(policy, user.as_str());
                    graph.edge(user, role, &least);
                }
                Holder::Rule(name) => {
                    let named = mappings.iter().zip(&users).filter(|(mapping, _)| mapping.name() == Some(name));
                    named.for_each(|(_, user)| graph.edge(*user, role, &format!("rule {name} {least}").trim()));
                }
                // The library may learn of others; they are not drawn until this program does.
                _ => {}
            }
        }
        graph
    }

    /// Draws a rule; the node of its user.
    fn mapping(
        &mut self,
        policy: &Policy,
        mapping: &CertUserMapping,
        certificates: &BTreeMap<usize, Certificate>,
    ) -> usize {
        let selector = mapping.selector();
        let stands = |certificate: &Certificate| {
            *selector == Selector::certificate(certificate.fingerprint())
                || *selector == Selector::key(certificate.spki_fingerprint())
        };
        let mut from: Vec<_> = certificates.iter().filter(|(_, one)| stands(one)).map(|(node, _)| *node).collect();
        if from.is_empty() {
            let rule = self.node(Kind::Rule, selector, &short(&selector.to_string()), State::Good);
            let anchor = selector.ca().map(certmap::map::CaPath::anchor);
            let anchors = certificates.iter().filter(|(_, one)| Some(one.fingerprint()) == anchor);
            anchors.for_each(|(node, _)| self.edge(*node, rule, &""));
            from.push(rule);
        }
        let user = match mapping.user() {
            Some(user) => self.user(policy, user.as_str()),
            None => self.node(Kind::User, mapping.source(), mapping.source(), State::Good),
        };
        let name = mapping.name().map(ToString::to_string).unwrap_or_default();
        for node in from {
            self.edge(node, user, &name);
        }
        user
    }

    fn user(&mut self, policy: &Policy, user: &str) -> usize {
        let disabled = policy.disabled_users().any(|disabled| disabled.as_str() == user);
        self.node(Kind::User, &user, &user, if disabled { State::Denied } else { State::Good })
    }

    fn node(&mut self, kind: Kind, key: &dyn Display, label: &dyn Display, state: State) -> usize {
        let next = self.nodes.len();
        let node = *self.known.entry((kind, key.to_string())).or_insert(next);
        if node == next {
            self.nodes.push(Node { kind, label: label.to_string(), state });
        }
        node
    }

    fn edge(&mut self, from: usize, to: usize, label: &dyn Display) {
        self.edges.entry((from, to)).or_insert_with(|| label.to_string());
    }

    fn mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (id, Node { kind, label, state }) in self.nodes.iter().enumerate() {
            let (_, open, close) = kind.look();
            let class = if *state == State::Good { String::new() } else { format!(":::{}", state.word()) };
            let _ = writeln!(text, "  n{id}{open}\"{}\"{close}{class}", escaped(label));
        }
        for ((from, to), label) in &self.edges {
            let label = if label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(label)) };
            let _ = writeln!(text, "  n{from} -->{label} n{to}");
        }
        text += "  classDef ending fill:#fde68a,stroke:#b45309\n";
        text += "  classDef invalid fill:#fca5a5,stroke:#b91c1c\n";
        text += "  classDef denied fill:#d1d5db,stroke:#374151,stroke-dasharray:4\n";
        text
    }

    fn json(&self) -> serde_json::Value {
        let node = |(id, node): (usize, &Node)| {
            let Node { kind, label, state } = node;
            json!({ "id": id, "kind": kind.look().0, "label": label, "state": state.word() })
        };
        let nodes: Vec<_> = self.nodes.iter().enumerate().map(node).collect();
        let edge = |((from, to), label): (&(usize, usize), &String)| json!({ "from": from, "to": to, "label": label });
        let edges: Vec<_> = self.edges.iter().map(edge).collect();
        json!({ "nodes": nodes, "edges": edges })
    }
}

fn state(policy: &Policy, certificate: &Certificate, now: UnixTime, soon: UnixTime) -> State {
    if policy.denials().into_iter().any(|denial| denial.hits(certificate)) {
        State::Denied
    } else if !certificate.validity().contains(now) {
        State::NotValid
    } else if !certificate.validity().contains(soon) {
        State::EndsSoon
    } else {
        State::Good
    }
}

/// Fingerprints by their beginning.
fn short(text: &str) -> String {
    let word = |word: &str| match word.split_once("sha256:") {
        Some((kind, hex)) if hex.len() == 64 => format!("{kind}sha256:{}…", hex.chars().take(8).collect::<String>()),
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Whatever a peer wrote into its certificate, it stays a label.
fn escaped(label: &str) -> String {
    let character = |c: char| match c {
        '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' => format!("#{};", u32::from(c)),
        _ => c.to_string(),
    };
    one_line(label).chars().map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_ends_itself() {
        assert_eq!(escaped("a\"] --> b;\n<b>"), "a#34;] --#62; b#59;#92;n#60;b#62;");
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(short(&format!("under sha256:{hex} any")), "under sha256:01234567… any");
    }
}
