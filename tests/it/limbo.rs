//! The client cases of x509-limbo, through the public interface: what they expect, or in `expectations.toml` why not.
//!
//! The data stays outside of the repository. `CERTMAP_LIMBO_DIR` names the folder of `limbo-client.json` and
//! `limbo-client-transposed.json`; the second are the cases for servers with the purposes exchanged, so what it expects
//! is a measure and no standard. A case is a bundle of its trusted certificates as anchors, its revocation lists, and one
//! rule: whoever has the alternative name that the case expects is `u`, under whichever anchor; where it expects none, this
//! certificate is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use certmap::map::{Quantifier, ValueTest};
use certmap::rustls::pki_types::UnixTime;
use certmap::trust::{ClientPurpose, Revocation};
use certmap::{CertUserMapping, Evidence, Fingerprint, Host, PolicyBuilder, Selector, TrustBundle};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::common::user;
use crate::other_paths::Question;

const FOLDER: &str = "CERTMAP_LIMBO_DIR";
const FILES: [(&str, usize); 2] = [("limbo-client.json", 10), ("limbo-client-transposed.json", 184)];

/// The time of cases that do not say one: 2026-07-15T00:00:00Z, which fits them all.
const TIME: u64 = 1_784_073_600;

/// Where we decide otherwise than a case expects: how, and why that is right.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    /// What refuses; `None` for what is admitted.
    refuses: Option<String>,
    why: String,
}

/// What became of a case: admitted, or what refused it and the words for people.
type Outcome = Result<(), (String, String)>;

#[test]
fn client_cases_of_x509_limbo_are_decided_as_expected_or_as_listed() {
    let mut listed = differences();
    let Some(folder) = env::var_os(FOLDER) else {
        // Not `eprintln`, which the test harness swallows when a test passes.
        let _ = writeln!(io::stderr(), "SKIPPED: {FOLDER} is not set, so no case of x509-limbo was run");
        return;
    };
    let mut wrong = String::new();
    let mut count = [0; 4];
    for (file, cases) in FILES {
        let read = read(&Path::new(&folder).join(file));
        assert_eq!(read.len(), cases, "{file}");
        for case in &read {
            let id = text(case, "id");
            let expected = text(case, "expected_result") == "SUCCESS";
            let outcome = decide(case);
            count[usize::from(expected) * 2 + usize::from(outcome.is_ok())] += 1;
            let listed = listed.remove(id);
            let says = match &outcome {
                Ok(()) => "admitted".to_owned(),
                Err((code, detail)) => format!("refused, {code}: {detail}"),
            };
            let agrees = match &listed {
                None => outcome.is_ok() == expected,
                Some(listed) => outcome.is_ok() != expected && outcome.err().map(|(code, _)| code) == listed.refuses,
            };
            if !agrees {
                let expects = if expected { "SUCCESS" } else { "FAILURE" };
                let _ = writeln!(wrong, "{id} expects {expects}, listed {listed:?}: {says}");
            }
        }
    }
    for id in listed.keys() {
        let _ = writeln!(wrong, "{id} is listed, and there is no such case");
    }
    let [refused, admitted, refused_falsely, admitted_rightly] = count;
    let _ = writeln!(
        io::stderr(),
        "x509-limbo: SUCCESS {admitted_rightly} admitted, {refused_falsely} refused; FAILURE {refused} refused, {admitted} admitted"
    );
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// True if the list says why we admit this case although it expects a failure.
pub fn admitted_on_purpose(id: &str) -> bool {
    differences().get(id).is_some_and(|difference| difference.refuses.is_none())
}

/// Every case that we admit; `None` where the data are not at hand.
pub fn limbo_questions() -> Option<Vec<Question>> {
    let folder = env::var_os(FOLDER)?;
    let cases = FILES.iter().flat_map(|(file, _)| read(&Path::new(&folder).join(file)));
    let question = |case: &Value| Question {
        class: text(case, "id").to_owned(),
        presented: core::iter::once(text(case, "peer_certificate"))
            .chain(texts(case, "untrusted_intermediates"))
            .map(section)
            .collect(),
        anchors: texts(case, "trusted_certs").map(section).collect(),
        seconds: time_of(case),
    };
    Some(cases.filter(|case| decide(case).is_ok()).map(|case| question(&case)).collect())
}

fn read(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    let mut whole: Value = serde_json::from_slice(&bytes).unwrap();
    match whole["testcases"].take() {
        Value::Array(cases) => cases,
        _ => panic!("{}: no `testcases`", path.display()),
    }
}

#[track_caller]
fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no text `{key}`"))
}

/// The texts of a list that may be missing.
fn texts<'a>(case: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    case[key].as_array().into_iter().flatten().map(|text| text.as_str().expect("a text"))
}

fn decide(case: &Value) -> Outcome {
    let refused = |code: &str, error: &dyn std::error::Error| {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let detail: Vec<_> = causes.map(ToString::to_string).collect();
        Err((code.to_owned(), detail.join(": ")))
    };
    let mut bundle = TrustBundle::new("limbo".parse().unwrap());
    for anchor in texts(case, "trusted_certs") {
        if let Err(error) = bundle.add_anchors_pem(anchor.as_bytes()) {
            return refused("anchor", &error);
        }
    }
    // Two things that are ours to choose, and that some cases are about.
    if let Some(most) = case["max_chain_depth"].as_u64() {
        bundle = bundle.with_path_length(u32::try_from(most).unwrap());
    }
    if texts(case, "features").any(|feature| feature == "pedantic-webpki-eku") {
        bundle = bundle.with_purpose(ClientPurpose::Required);
    }
    let mut revocation = Revocation::new();
    for list in texts(case, "crls") {
        if let Err(error) = revocation.add_pem(list.as_bytes()) {
            return refused("list", &error);
        }
    }
    let peer = section(text(case, "peer_certificate"));
    let selectors = match name(&case["expected_peer_name"]) {
        Some(name) => {
            bundle.entries().map(|anchor| Selector::under(anchor.certificate().fingerprint(), name.clone())).collect()
        }
        None => vec![Selector::certificate(Fingerprint::of(&peer))],
    };
    let builder = PolicyBuilder::for_host(Host::new("limbo".parse().unwrap(), bundle))
        .mappings(selectors.into_iter().map(|selector| CertUserMapping::new(selector, user("u"))))
        .revocation(revocation);
    let policy = match builder.build() {
        Ok(policy) => policy,
        Err(error) => return refused("policy", &error.problems()[0]),
    };
    let mut chain = vec![peer];
    chain.extend(texts(case, "untrusted_intermediates").map(section));
    let now = UnixTime::since_unix_epoch(Duration::from_secs(time_of(case)));
    let decision = policy.decide(&Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), &chain), now);
    if let Some(refusal) = decision.refusal() {
        return Err((refusal.code().to_string(), refusal.detail()));
    }
    assert_eq!(decision.principal().unwrap().user().as_str(), "u");
    Ok(())
}

fn time_of(case: &Value) -> u64 {
    let time = case["validation_time"].as_str();
    time.map_or(TIME, |time| OffsetDateTime::parse(time, &Rfc3339).unwrap().unix_timestamp().try_into().unwrap())
}

/// The DER of the one section of a PEM text. The certificate in it may be anything.
fn section(pem: &str) -> Vec<u8> {
    use certmap::rustls::pki_types::{CertificateDer, pem::PemObject as _};
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

/// One of the alternative names is this one.
fn name(expected: &Value) -> Option<ValueTest> {
    let value = || text(expected, "value");
    let test = match expected["kind"].as_str()? {
        "DNS" => ValueTest::dns(value()).unwrap(),
        "IP" => ValueTest::ip(value().parse::<IpAddr>().unwrap()),
        "RFC822" => ValueTest::email(value()).unwrap(),
        other => panic!("unknown kind of name `{other}`"),
    };
    Some(test.with_quantifier(Quantifier::Any))
}

/// Reads the list: of TOML only tables with a quoted name, `admits = true` or `refuses = "…"`, and `why = "…"`.
fn differences() -> BTreeMap<String, Difference> {
    let mut all: BTreeMap<String, Difference> = BTreeMap::new();
    let mut id = String::new();
    for line in include_str!("expectations.toml").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("[\"").and_then(|rest| rest.strip_suffix("\"]")) {
            assert!(*id < *name, "`{name}` stands after `{id}`");
            name.clone_into(&mut id);
            all.insert(id.clone(), Difference::default());
            continue;
        }
        let difference = all.get_mut(&id).unwrap_or_else(|| panic!("`{line}` stands before the first table"));
        let quoted = |key: &str| {
            let value = line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?;
            (!value.contains(['"', '\\'])).then(|| value.to_owned())
        };
        if let Some(why) = quoted("why") {
            difference.why = why;
        } else if let Some(code) = quoted("refuses") {
            difference.refuses = Some(code);
        } else {
            assert_eq!(line, "admits = true", "in `{id}`");
        }
    }
    for (id, difference) in &all {
        let must_cite = difference.refuses.is_some() || difference.why.contains("RFC");
        assert!(difference.why.ends_with('.') && must_cite, "`{id}` says no sentence why");
    }
    all
}
