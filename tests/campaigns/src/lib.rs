//! What the campaigns share: a second opinion about small policies.
//!
//! [`World::expected`] says in lists and loops what the documentation promises. It uses nothing of the crate but its
//! names, so that a mistake would have to be made twice to go unseen. Each campaign is a program in `src/bin`: one
//! question, run long, and its figure last.

pub mod broken;
mod line;
pub mod records;
pub mod soak;

use certmap::policy::ClientAuth;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Evidence, Host, Policy, PolicyBuilder, PolicyError, RefusalCode, TrustBundle};
use std::time::Duration;

/// Who may be put into a bundle.
const TRUSTED: [&str; 4] = ["pin a", "pin b", "ca 1", "ca 2"];
/// The rules of which a policy has some: whose certificate, which of its properties, and the user.
const RULES: [(&str, Property, &str); 12] = [
    ("a", Property::Certificate, "U1"),
    ("a", Property::Key, "U1"),
    ("a", Property::Key, "U2"),
    ("b", Property::Certificate, "U2"),
    ("b", Property::Key, "U1"),
    ("1", Property::DnsName, "U1"),
    ("1", Property::Subject, "U2"),
    ("2", Property::DnsName, "U1"),
    ("2", Property::Subject, "U1"),
    ("2", Property::Certificate, "U2"),
    ("1", Property::Key, "U1"),
    ("2", Property::Key, "U1"),
];
/// Both below a CA have it.
const DNS_NAME: &str = "a.example";
/// What a peer may present; `none` is no certificate.
pub const PRESENTED: [&str; 6] = ["none", "a", "b", "1", "2", "stranger"];
/// The last second of every validity, counted from its first.
const LAST: i64 = 1000;
/// Seconds from the first of every validity.
pub const TIMES: [i64; 7] = [-1, 0, 1, LAST / 2, LAST - 1, LAST, LAST + 1];
/// Hosts that a peer may have connected to; the policy has the first.
pub const HOSTS: [&str; 2] = ["gw", "other"];
const USERS: [&str; 2] = ["U1", "U2"];
/// Whether it asks, as the policy says it.
pub const MODES: [ClientAuth; 3] = [ClientAuth::None, ClientAuth::Request, ClientAuth::Require];

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Certificate,
    Key,
    DnsName,
    Subject,
}

/// A small policy: which of each list are in it, one bit each.
#[derive(Clone, Copy, Debug)]
pub struct Small {
    /// Of pin a, pin b, CA 1 and CA 2.
    pub trusted: u32,
    /// Of the twelve rules.
    pub rules: u32,
    /// Of U1 and U2.
    pub disabled: u32,
    /// What the host asks for.
    pub mode: ClientAuth,
}

/// What becomes of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is this user.
    User(&'static str),
    /// It presented none, or was not asked.
    Anonymous,
    /// The policy has no such host.
    UnknownHost,
    /// It presented none where one is required.
    NoCertificate,
    /// Nothing vouches for its certificate.
    Untrusted,
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// No rule says who it is.
    NotMapped,
    /// Two rules say different users.
    Ambiguous,
    /// Its user is disabled.
    Disabled,
}

/// The certificates, made once.
#[derive(Debug)]
pub struct World {
    certificates: Vec<(&'static str, TestIdentity)>,
    authorities: Vec<(&'static str, TestIdentity)>,
}

impl World {
    /// Two partners with certificates of their own, two below a CA each, with one DNS name, and somebody whom nobody knows.
    #[must_use]
    pub fn new() -> Self {
        let first = NOW.as_secs();
        let named =
            |subject: &str| TestCertificate::new(subject).with_validity(first, first.saturating_add_signed(LAST));
        let authorities: Vec<_> =
            ["1", "2"].map(|name| (name, named(&format!("CN=ca {name}")).as_ca().self_signed())).into();
        let mut certificates: Vec<_> =
            ["a", "b", "stranger"].map(|name| (name, named(&format!("CN={name}")).self_signed())).into();
        for (name, authority) in &authorities {
            let client = named("CN=client").with_server_name(DNS_NAME).with_purpose(2).issued_by(authority);
            certificates.push((*name, client));
        }
        Self { certificates, authorities }
    }

    fn find<'a>(among: &'a [(&'static str, TestIdentity)], name: &str) -> &'a TestIdentity {
        let found = among.iter().find(|(known, _)| *known == name);
        &found.expect("a name of this world").1
    }

    /// The policy itself.
    ///
    /// # Errors
    /// [`PolicyError`] if these rules and this bundle are no policy.
    ///
    /// # Panics
    /// Never: what is written here is well formed.
    pub fn policy(&self, small: Small) -> Result<Policy, PolicyError> {
        let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
        for (bit, trusted) in TRUSTED.iter().enumerate().filter(|(bit, _)| has(small.trusted, *bit)) {
            let name = &trusted[trusted.len() - 1..];
            let added = if bit < 2 {
                bundle.add_pin(Self::find(&self.certificates, name).certificate().clone())
            } else {
                bundle.add_anchor(Self::find(&self.authorities, name).certificate().clone())
            };
            added.expect("a good certificate");
        }
        let host = Host::new("gw".parse().expect("an id"), bundle).with_client_auth(small.mode);
        let mut builder = PolicyBuilder::for_host(host);
        for (whose, property, user) in in_use(small) {
            let certificate = Self::find(&self.certificates, whose).certificate();
            let under = || Self::find(&self.authorities, whose).certificate().fingerprint();
            let selector = match property {
                Property::Certificate => certificate.fingerprint().to_string(),
                Property::Key => certificate.spki_fingerprint().to_string(),
                Property::DnsName => format!("under {} dns \"{DNS_NAME}\"", under()),
                Property::Subject => format!("under {} subject \"CN=client\"", under()),
            };
            let mapping = CertUserMapping::new(selector.parse().expect("a selector"), user.parse().expect("a user"));
            builder = builder.mapping(mapping);
        }
        for (_, user) in USERS.iter().enumerate().filter(|(bit, _)| has(small.disabled, *bit)) {
            builder = builder.disabled_user(user.parse().expect("a user"));
        }
        builder.build()
    }

    /// What a peer that presents this leaves.
    ///
    /// # Panics
    /// If `presented` is none of [`PRESENTED`].
    #[must_use]
    pub fn evidence(&self, host: &str, presented: &str) -> Evidence {
        let host = host.parse().expect("an id");
        if presented == "none" {
            return Evidence::after_handshake(host, [] as [&[u8]; 0]);
        }
        Evidence::after_handshake(host, Self::find(&self.certificates, presented).chain_without_root())
    }

    /// One of [`TIMES`] as a time.
    #[must_use]
    pub fn time(second: i64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs().saturating_add_signed(second)))
    }

    /// What the documentation promises.
    #[must_use]
    pub fn expected(small: Small, host: &str, presented: &str, second: i64) -> Answer {
        if host != HOSTS[0] {
            return Answer::UnknownHost;
        }
        match (small.mode, presented) {
            (ClientAuth::None, _) | (ClientAuth::Request, "none") => return Answer::Anonymous,
            (ClientAuth::Require, "none") => return Answer::NoCertificate,
            _ => {}
        }
        let voucher = TRUSTED.iter().enumerate().find(|(_, trusted)| trusted.ends_with(&format!(" {presented}")));
        let trusted = voucher.is_some_and(|(bit, _)| has(small.trusted, bit));
        match second {
            _ if !trusted => return Answer::Untrusted,
            ..0 => return Answer::NotYetValid,
            _ if second > LAST => return Answer::Expired,
            _ => {}
        }
        let mut users = Vec::new();
        for (whose, _, user) in in_use(small) {
            if whose == presented && !users.contains(&user) {
                users.push(user);
            }
        }
        match users[..] {
            [] => Answer::NotMapped,
            [user] if USERS.iter().enumerate().any(|(bit, known)| *known == user && has(small.disabled, bit)) => {
                Answer::Disabled
            }
            [user] => Answer::User(user),
            _ => Answer::Ambiguous,
        }
    }

    /// What the crate says.
    ///
    /// # Panics
    /// On a user or a refusal that this world has no word for.
    #[must_use]
    pub fn decided(policy: &Policy, evidence: &Evidence, second: i64) -> Answer {
        use certmap::decision::Outcome;
        let decision = policy.decide(evidence, Self::time(second));
        match decision.outcome() {
            Outcome::Admitted(principal) if principal.user().as_str() == "U1" => Answer::User("U1"),
            Outcome::Admitted(principal) => {
                assert_eq!(principal.user().as_str(), "U2");
                Answer::User("U2")
            }
            Outcome::Anonymous => Answer::Anonymous,
            Outcome::Refused(refusal) => of_code(refusal.code()),
        }
    }
}

fn of_code(code: RefusalCode) -> Answer {
    match code.as_str() {
        "unknown-host" => Answer::UnknownHost,
        "no-certificate" => Answer::NoCertificate,
        "not-mapped" => Answer::NotMapped,
        "ambiguous" => Answer::Ambiguous,
        "user-disabled" => Answer::Disabled,
        "certificate-expired" => Answer::Expired,
        "certificate-not-yet-valid" => Answer::NotYetValid,
        "untrusted" => Answer::Untrusted,
        other => panic!("no word for {other}"),
    }
}

fn has(set: u32, bit: usize) -> bool {
    set >> bit & 1 == 1
}

fn in_use(small: Small) -> impl Iterator<Item = (&'static str, Property, &'static str)> {
    RULES.into_iter().enumerate().filter(move |(bit, _)| has(small.rules, *bit)).map(|(_, rule)| rule)
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Policies that were built.
    pub built: u64,
    /// Policies that were not built: the crate found problems in them.
    pub problems: u64,
    /// Decisions about which both said the same.
    pub decisions: u64,
}

/// Asks both about every peer at every time, under one policy of each `every`.
///
/// # Panics
/// If they do not agree, or if `every` is 0.
#[must_use]
pub fn compare(every: usize) -> Compared {
    let world = World::new();
    let peers = HOSTS.iter().flat_map(|host| PRESENTED.map(|presented| (*host, presented)));
    let peers: Vec<_> = peers.map(|(host, presented)| (host, presented, world.evidence(host, presented))).collect();
    let mut compared = Compared::default();
    let sets = (0..1_u32 << 18).step_by(every);
    for (set, mode) in sets.flat_map(|set| MODES.map(|mode| (set, mode))) {
        let small = Small { trusted: set & 15, rules: set >> 4 & 4095, disabled: set >> 16, mode };
        let Ok(policy) = world.policy(small) else {
            compared.problems += 1;
            continue;
        };
        compared.built += 1;
        for (host, presented, evidence) in &peers {
            for second in TIMES {
                let (ours, model) =
                    (World::decided(&policy, evidence, second), World::expected(small, host, presented, second));
                assert_eq!(ours, model, "{small:?}, {presented} to {host} at {second}");
                compared.decisions += 1;
            }
        }
    }
    compared
}

#[test]
fn the_decision_and_the_plain_model_agree() {
    let compared = compare(211);
    assert!(compared.built > 100 && compared.decisions > 10_000, "{compared:?}");
}
