//! What the tree is built of, as it is locked: the part of `deny.toml` that can be held to where cargo-deny is not installed.
//!
//! Licences stand in no lock file; they are looked at by `.ci/supply` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

/// What speaks TLS, computes or reads certificates: each is there, and once. A reason in `deny.toml` excuses none of them.
const ONCE: [&str; 12] = [
    "asn1-rs",
    "aws-lc-rs",
    "aws-lc-sys",
    "der",
    "der-parser",
    "pem",
    "pkcs8",
    "ring",
    "rustls",
    "rustls-pki-types",
    "rustls-webpki",
    "x509-parser",
];

/// One package of the lock file.
pub struct Locked {
    pub name: String,
    version: String,
    /// `None` for what is in the repository itself.
    source: Option<String>,
    dependencies: Vec<String>,
}

/// Packages of one name, as `deny.toml` writes them: `boring`, `syn@2`, `ring:<0.17.12`.
pub struct Spec {
    pub name: String,
    versions: Versions,
    /// Who may depend on it all the same.
    wrappers: BTreeSet<String>,
}

enum Versions {
    All,
    Before(Vec<u64>),
    Line(String),
}

impl Spec {
    fn of(entry: &Value) -> Self {
        let spec = entry["crate"].as_str().unwrap();
        let (name, versions) = spec.split_once(['@', ':']).map_or((spec, None), |(name, rest)| (name, Some(rest)));
        let versions = versions.map_or(Versions::All, |versions| match versions.strip_prefix('<') {
            Some(version) => Versions::Before(numbers(version)),
            None => Versions::Line(versions.to_owned()),
        });
        let wrappers = entry.get("wrappers").map(texts).unwrap_or_default().into_iter().collect();
        Self { name: name.to_owned(), versions, wrappers }
    }

    pub fn means(&self, package: &Locked) -> bool {
        let version = match &self.versions {
            Versions::All => true,
            Versions::Before(first) => numbers(&package.version) < *first,
            Versions::Line(line) => format!("{}.", package.version).starts_with(&format!("{line}.")),
        };
        version && self.name == package.name
    }
}

/// `0.23.45`, as numbers. What comes before a release is taken for it: none is locked.
fn numbers(version: &str) -> Vec<u64> {
    let release = version.split(['-', '+']).next().unwrap();
    release.split('.').map(|number| number.parse().unwrap_or_else(|_| panic!("{version}"))).collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn read(path: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap().parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every package of the workspace's trees, those of tests and programs included.
pub fn locked() -> Vec<Locked> {
    let locked = |package: &Value| Locked {
        name: package["name"].as_str().unwrap().to_owned(),
        version: package["version"].as_str().unwrap().to_owned(),
        source: package.get("source").map(|source| source.as_str().unwrap().to_owned()),
        // A version stands behind the name only where there are two.
        dependencies: package.get("dependencies").map(texts).unwrap_or_default(),
    };
    read("Cargo.lock")["package"].as_array().unwrap().iter().map(locked).collect()
}

/// What may be in no tree, by `deny.toml`.
pub fn denied() -> Vec<Spec> {
    specs("deny")
}

fn specs(list: &str) -> Vec<Spec> {
    read("deny.toml")["bans"][list].as_array().unwrap().iter().map(Spec::of).collect()
}

/// What `deny.toml` would find in this tree, sorted.
fn faults(locked: &[Locked]) -> Vec<String> {
    let mut found = Vec::new();
    for spec in denied() {
        for package in locked.iter().filter(|package| spec.means(package)) {
            let depends = |other: &&Locked| {
                other.dependencies.iter().any(|name| name.split(' ').next() == Some(package.name.as_str()))
            };
            let users: BTreeSet<_> = locked.iter().filter(depends).map(|other| other.name.clone()).collect();
            if spec.wrappers.is_empty() || !users.is_subset(&spec.wrappers) {
                found.push(format!("{} {} is denied", package.name, package.version));
            }
        }
    }
    let excused = specs("skip");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in locked.iter().filter(|package| !excused.iter().any(|spec| spec.means(package))) {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    found.extend(versions.iter().filter(|(_, all)| all.len() > 1).map(|(name, all)| format!("{name} {all:?}")));
    let registries: Vec<_> = texts(&read("deny.toml")["sources"]["allow-registry"]);
    let known = |source: &String| registries.iter().any(|registry| *source == format!("registry+{registry}"));
    let foreign = locked.iter().filter_map(|package| Some((package, package.source.as_ref()?)));
    found.extend(
        foreign
            .filter(|(_, source)| !known(source))
            .map(|(package, source)| format!("{} comes from {source}", package.name)),
    );
    found.sort();
    found
}

#[test]
fn the_tree_is_one_that_deny_toml_allows() {
    let locked = locked();
    assert!(locked.len() > 100 && denied().len() > 10, "{} packages", locked.len());
    assert_eq!(faults(&locked), [] as [&str; 0]);
    for spec in specs("skip") {
        assert!(locked.iter().any(|package| spec.means(package)), "`{}` needs no reason any more", spec.name);
    }
}

#[test]
fn what_reads_certificates_and_speaks_tls_is_there_once() {
    let locked = locked();
    for name in ONCE {
        assert_eq!(locked.iter().filter(|package| package.name == name).count(), 1, "{name}");
    }
}

#[test]
fn what_comes_from_nowhere_is_in_the_repository() {
    let manifest = read("Cargo.toml");
    let name = |manifest: &Table| manifest["package"]["name"].as_str().unwrap().to_owned();
    let members = texts(&manifest["workspace"]["members"]);
    let mut ours: BTreeSet<_> = members.iter().map(|member| name(&read(&format!("{member}/Cargo.toml")))).collect();
    ours.insert(name(&manifest));
    let locked = locked();
    let local: BTreeSet<_> =
        locked.iter().filter(|package| package.source.is_none()).map(|one| one.name.clone()).collect();
    assert_eq!(local, ours);
}

#[test]
fn another_tree_is_told() {
    let package = |name: &str, version: &str, source: Option<&str>, dependencies: &[&str]| Locked {
        name: name.to_owned(),
        version: version.to_owned(),
        source: source.map(str::to_owned),
        dependencies: dependencies.iter().map(ToString::to_string).collect(),
    };
    let index = Some("registry+https://github.com/rust-lang/crates.io-index");
    let mut locked = vec![
        package("der", "0.7.10", index, &[]),
        package("der", "0.8.3", index, &[]),
        package("openssl-sys", "0.9.100", index, &[]),
        package("ring", "0.17.9", index, &["untrusted 0.9.0"]),
        package("rustls", "0.23.45", index, &[]),
        package("rustls-native-certs", "0.8.1", index, &["schannel"]),
        package("schannel", "0.1.27", index, &[]),
        package("syn", "2.0.1", index, &[]),
        package("syn", "3.0.1", index, &[]),
        package("time", "0.3.100", Some("git+https://example.com/time"), &[]),
    ];
    let expected = [
        "der [\"0.7.10\", \"0.8.3\"]",
        "openssl-sys 0.9.100 is denied",
        "ring 0.17.9 is denied",
        "time comes from git+https://example.com/time",
    ];
    assert_eq!(faults(&locked), expected);
    locked.push(package("somebody", "1.0.0", index, &["schannel 0.1.27"]));
    assert_eq!(faults(&locked)[3], "schannel 0.1.27 is denied");
}
