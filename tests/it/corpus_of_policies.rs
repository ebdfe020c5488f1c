//! Random policies over one set of certificates, for laws about what they decide.

use std::collections::{BTreeMap, BTreeSet};

use certmap::cert::RevocationList;
use certmap::policy::ClientAuth;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::trust::{ClientPurpose, Denial, Revocation};
use certmap::{CertUserMapping, Evidence, Host, Policy, PolicyBuilder, RoleAssignment, TrustBundle};
use fastrand::Rng;

use crate::anchors::client;
use crate::common::user;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const USERS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const ROLES: [&str; 3] = ["app/read", "app/write", "ops/admin"];
const TEMPLATE: &str = r#""fleet/" + dns without-suffix ".example""#;

/// Everything that policies can trust and peers can present.
pub struct World {
    /// Two roots and the twin of one, by name, and a CA below the first.
    roots: Vec<TestIdentity>,
    issuing: TestIdentity,
    pub peers: Vec<TestIdentity>,
    lists: Vec<RevocationList>,
}

impl World {
    pub fn new(rng: &mut Rng, peers: u16) -> Self {
        let root = |name: &str| TestCertificate::new(name).as_ca().self_signed();
        let roots = vec![root("CN=root"), root("CN=other"), root("CN=root")];
        let issuing = TestCertificate::new("CN=issuing").as_ca().with_serial(&[2]).issued_by(&roots[0]);
        let stranger = root("CN=stranger");
        let issuers = [&issuing, &issuing, &roots[0], &roots[1], &roots[2], &stranger];
        let mut made: Vec<TestIdentity> = Vec::new();
        for n in 0..peers {
            let mut name = client(&format!("CN={},O=x", rng.choice(NAMES).unwrap())).with_serial(&[1 + (n % 7) as u8]);
            let names: Vec<_> =
                (0..rng.usize(0..3)).map(|_| format!("{}.example", rng.choice(NAMES).unwrap())).collect();
            let names: Vec<_> = names.iter().map(|name| TestName::Dns(name)).collect();
            if !names.is_empty() {
                name = name.with_alternative_names(&names);
            }
            if rng.u8(0..20) == 0 {
                name = name.with_validity(0, NOW.as_secs() - 1);
            }
            if let Some(other) = rng.choice(&made).filter(|_| rng.u8(0..8) == 0) {
                name = name.with_key_of(other);
            }
            let issuer = issuers.get(rng.usize(0..=issuers.len()));
            made.push(issuer.map_or_else(|| name.clone().self_signed(), |issuer| name.clone().issued_by(issuer)));
        }
        let list = |ca: &TestIdentity, serial: u8| {
            let list = TestRevocationList::new().revoking(&[serial]).signed_by(ca);
            RevocationList::from_der(list.der()).unwrap()
        };
        let lists = vec![list(&roots[0], 3), list(&issuing, 4), list(&roots[1], 5)];
        Self { roots, issuing, peers: made, lists }
    }

    pub fn evidences(&self) -> Vec<Evidence> {
        let gw = || "gw".parse().unwrap();
        let of = |peer: &TestIdentity| Evidence::after_handshake(gw(), peer.chain_without_root());
        let odd = [Evidence::after_handshake(gw(), [] as [&[u8]; 0]), Evidence::after_handshake(gw(), [&b"junk"[..]])];
        self.peers.iter().map(of).chain(odd).collect()
    }
}

/// A policy to be built over a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    auth: ClientAuth,
    purpose: ClientPurpose,
    pin_purpose: Option<ClientPurpose>,
    path_length: Option<u32>,
    anchors: BTreeSet<usize>,
    pins: BTreeSet<usize>,
    key_pins: BTreeSet<usize>,
    /// Selector → source, name, exception.
    rules: BTreeMap<String, (String, Option<&'static str>, bool)>,
    roles: BTreeSet<(String, &'static str)>,
    denied: BTreeSet<usize>,
    disabled: BTreeSet<&'static str>,
    lists: BTreeSet<usize>,
}

impl Spec {
    pub fn random(rng: &mut Rng, world: &World) -> Self {
        let mut spec = Self {
            auth: ClientAuth::Require,
            purpose: ClientPurpose::IfStated,
            pin_purpose: None,
            path_length: None,
            anchors: [0].into(),
            pins: BTreeSet::new(),
            key_pins: BTreeSet::new(),
            rules: BTreeMap::new(),
            roles: BTreeSet::new(),
            denied: BTreeSet::new(),
            disabled: BTreeSet::new(),
            lists: BTreeSet::new(),
        };
        for _ in 0..rng.usize(20..90) {
            spec.mutate(rng, world);
        }
        spec
    }

    /// Changes one thing, perhaps so that it cannot be built.
    pub fn mutate(&mut self, rng: &mut Rng, world: &World) {
        let peer = rng.usize(0..world.peers.len());
        match rng.u8(0..40) {
            0 => self.auth = *rng.choice(&[ClientAuth::Request, ClientAuth::Require, ClientAuth::Require]).unwrap(),
            1 => self.purpose = *rng.choice(&[ClientPurpose::IfStated, ClientPurpose::Required]).unwrap(),
            2 => self.pin_purpose = *rng.choice(&[None, Some(ClientPurpose::IfStated)]).unwrap(),
            3 => self.path_length = *rng.choice(&[None, None, Some(0), Some(1)]).unwrap(),
            4 | 5 => toggle(&mut self.anchors, rng.usize(0..world.roots.len())),
            6..10 => {
                toggle(&mut self.pins, peer);
                // Nobody pins whom no rule knows.
                if rng.bool() {
                    let certificate = world.peers[peer].certificate();
                    let user = format!("\"{}\"", rng.choice(USERS).unwrap());
                    let selector = match rng.u8(0..4) {
                        0 => certificate.spki_fingerprint().to_string(),
                        _ => certificate.fingerprint().to_string(),
                    };
                    self.rules.insert(selector, (user, None, false));
                }
            }
            10 => toggle(&mut self.key_pins, peer),
            11 => toggle(&mut self.denied, peer),
            12 => toggle(&mut self.disabled, rng.choice(USERS).unwrap()),
            13 => toggle(&mut self.lists, rng.usize(0..world.lists.len())),
            14..19 => {
                let holder = if rng.u8(0..4) == 0 {
                    "rule fleet".to_owned()
                } else {
                    format!("user {}", rng.choice(USERS).unwrap())
                };
                toggle(&mut self.roles, (holder, rng.choice(ROLES).unwrap()));
            }
            _ => {
                let (selector, terms) = self.rule(rng, world, peer);
                let forget = rng.u8(0..5) == 0;
                if forget && let Some(other) = self.rules.keys().nth(rng.usize(0..self.rules.len().max(1))).cloned() {
                    self.rules.remove(&other);
                } else {
                    self.rules.insert(selector, terms);
                }
            }
        }
    }

    fn rule(&self, rng: &mut Rng, world: &World, peer: usize) -> (String, (String, Option<&'static str>, bool)) {
        let certificate = world.peers[peer].certificate();
        let source = format!("\"{}\"", rng.choice(USERS).unwrap());
        match rng.u8(0..6) {
            0 | 1 => (certificate.fingerprint().to_string(), (source, None, rng.u8(0..3) == 0)),
            2 => (certificate.spki_fingerprint().to_string(), (source, None, false)),
            _ => {
                let anchors: Vec<_> = self.anchors.iter().copied().collect();
                let anchor = rng.choice(&anchors).map_or(0, |anchor| *anchor);
                let anchor = world.roots[anchor].certificate().fingerprint();
                let issuing = world.issuing.certificate();
                let path = match rng.u8(0..6) {
                    0 => format!("under {anchor} through {}", issuing.fingerprint()),
                    1 => format!("under {anchor} issued-by {}", issuing.spki_fingerprint()),
                    _ => format!("under {anchor}"),
                };
                if rng.u8(0..12) == 0 {
                    return (format!("{path} dns"), (TEMPLATE.to_owned(), Some("fleet"), false));
                }
                (format!("{path} {}", test(rng)), (source, None, false))
            }
        }
    }

    /// In an order of its own each time.
    pub fn build(&self, rng: &mut Rng, world: &World) -> Option<Policy> {
        let mut bundle = TrustBundle::new("partners".parse().unwrap()).with_purpose(self.purpose);
        if let Some(purpose) = self.pin_purpose {
            bundle = bundle.with_pin_purpose(purpose);
        }
        if let Some(length) = self.path_length {
            bundle = bundle.with_path_length(length);
        }
        for anchor in shuffled(rng, &self.anchors) {
            bundle.add_anchor(world.roots[anchor].certificate().clone()).unwrap();
        }
        for pin in shuffled(rng, &self.pins) {
            bundle.add_pin(world.peers[pin].certificate().clone()).unwrap();
        }
        for pin in shuffled(rng, &self.key_pins) {
            bundle.add_key_pin(world.peers[pin].certificate().clone()).ok()?;
        }
        let host = Host::new("gw".parse().unwrap(), bundle).with_client_auth(self.auth);
        let rules: BTreeSet<_> = self.rules.iter().collect();
        let mapping = |(selector, (source, name, exception)): (&String, &(String, Option<&str>, bool))| {
            let rule = CertUserMapping::from_source(selector.parse().unwrap(), source.parse().unwrap());
            let rule = if *exception { rule.as_exception_over_name_rules() } else { rule };
            name.map_or(rule.clone(), |name| rule.with_name(name.parse().unwrap()))
        };
        let assignments = shuffled(rng, &self.roles).into_iter();
        let assignments =
            assignments.map(|(holder, role)| RoleAssignment::to(holder.parse().unwrap(), role.parse().unwrap()));
        let denials = self.denied.iter().map(|peer| Denial::key(world.peers[*peer].certificate().spki_fingerprint()));
        let mut revocation = Revocation::new();
        self.lists.iter().for_each(|list| revocation.add(world.lists[*list].clone()));
        let builder = PolicyBuilder::for_host(host)
            .mappings(shuffled(rng, &rules).into_iter().map(mapping))
            .assignments(assignments)
            .denials(denials)
            .revocation(revocation);
        self.disabled.iter().fold(builder, |builder, name| builder.disabled_user(user(name))).build().ok()
    }

    /// A random one that can be built.
    pub fn buildable(rng: &mut Rng, world: &World) -> (Self, Policy) {
        loop {
            let spec = Self::random(rng, world);
            if let Some(policy) = spec.build(rng, world) {
                return (spec, policy);
            }
        }
    }
}

fn test(rng: &mut Rng) -> String {
    let name = |rng: &mut Rng| rng.choice(NAMES).unwrap();
    let (one, other) = (name(rng), name(rng));
    match rng.u8(0..16) {
        0..5 => format!("dns \"{one}.example\""),
        5 => format!("dns any \"{one}.example\""),
        6 => format!("attribute CN \"{one}\""),
        7 => format!("serial {:02x}", rng.u8(1..8)),
        8 => format!("subject \"CN={one},O=x\""),
        9..12 => format!("all(attribute CN \"{one}\", dns \"{other}.example\")"),
        12 | 13 => format!("all(attribute CN \"{one}\", not dns \"{other}.example\")"),
        14 => format!("any(attribute CN \"{one}\", dns \"{other}.example\")"),
        _ => format!("all(attribute O \"x\", any(dns \"{one}.example\", attribute CN \"{other}\"))"),
    }
}

fn toggle<T: Ord>(set: &mut BTreeSet<T>, member: T) {
    if !set.remove(&member) {
        set.insert(member);
    }
}

fn shuffled<T: Clone>(rng: &mut Rng, set: &BTreeSet<T>) -> Vec<T> {
    let mut all: Vec<_> = set.iter().cloned().collect();
    rng.shuffle(&mut all);
    all
}
