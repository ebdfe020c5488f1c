//! The forms for programs: what the page in the manual shows is what is written, word for word.

use std::sync::LazyLock;
use std::time::Duration;

use certmap::cert::RevocationList;
use certmap::decision::AuditRecord;
use certmap::document::{AddedAs, Document, HostSettings, NoReferences, Removal};
use certmap::policy::ClientAuth;
use certmap::review::{Place, Shadow, diff, explain, forecast, forecast_own, lint};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::{Denial, Revocation};
use certmap::{
    CertUserMapping, Enforcement, Evidence, Host, PolicyBuilder, Role, RoleAssignment, Selector, Strength, TrustBundle,
};
use serde::Serialize;

use crate::anchors::bundle;
use crate::common::{SEND, user};

static PAGE: LazyLock<String> =
    LazyLock::new(|| std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/programs.md")).unwrap());
const ADMIN: Role = Role::from_static("iflmap/Admin");

/// The example under this heading of the page.
#[track_caller]
fn example(heading: &str) -> &'static str {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).expect(heading);
    let block = section.split_once("```json\n").expect("an example").1;
    block.split_once("\n```").expect("its end").0
}

/// Hashes are others in every run.
fn without_hashes(text: &str) -> String {
    let mut pieces = text.split("sha256:");
    let start = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(start, |shown, piece| {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let hash = &piece[..piece.len() - rest.len()];
        shown + "sha256:" + if hash.len() == 64 { "…" } else { hash } + rest
    })
}

#[track_caller]
fn shown(heading: &str, value: &impl Serialize) {
    assert_eq!(without_hashes(&serde_json::to_string_pretty(value).unwrap()), example(heading));
}

/// A line for each.
#[track_caller]
fn listed<T: Serialize>(heading: &str, values: impl IntoIterator<Item = T>) {
    let lines: Vec<_> =
        values.into_iter().map(|value| without_hashes(&serde_json::to_string(&value).unwrap())).collect();
    assert_eq!(lines.join("\n"), example(heading));
}

fn partner(name: &str) -> TestIdentity {
    TestCertificate::new(name).self_signed()
}

fn host(id: &str, trust: TrustBundle) -> Host {
    Host::new(id.parse().unwrap(), trust)
}

fn rule(selector: &Selector, name: &str) -> CertUserMapping {
    CertUserMapping::new(selector.clone(), user(name))
}

fn under(ca: &TestIdentity, rest: &str) -> Selector {
    format!("under {} {rest}", ca.certificate().fingerprint()).parse().unwrap()
}

fn evidence(of: &TestIdentity) -> Evidence {
    Evidence::after_handshake("gw".parse().unwrap(), of.chain())
}

#[test]
fn an_explanation_is_as_the_page_shows_it() {
    let (known, renewed) = (partner("CN=erp"), partner("CN=erp"));
    let policy = PolicyBuilder::new().partner(user("erp"), known.certificate().clone(), []).build().unwrap();
    let evidence = Evidence::after_handshake("default".parse().unwrap(), renewed.chain());
    let written = serde_json::to_string_pretty(&explain(&policy, &evidence, NOW)).unwrap();
    // A signature is sometimes shorter.
    let size = format!("{} bytes", renewed.certificate().der().len());
    assert_eq!(without_hashes(&written.replace(&size, "345 bytes")), example("An explanation"));
}

#[test]
fn a_decision_is_as_the_page_shows_it() {
    let one = partner("CN=one");
    let mut pins = bundle(&[]);
    pins.add_key_pin(one.certificate().clone()).unwrap();
    let strict =
        RoleAssignment::new(user("erp"), ADMIN).at_least(Strength::Certificate).with_enforcement(Enforcement::Warn);
    let builder = PolicyBuilder::for_host(host("gw", pins))
        .mapping(rule(&Selector::key(one.certificate().spki_fingerprint()), "erp"))
        .assignment(RoleAssignment::new(user("erp"), SEND))
        .assignment(strict);
    shown("A decision", &builder.build().unwrap().decide(&evidence(&one), NOW));
}

#[test]
fn every_change_is_as_the_page_shows_it() {
    let (one, two) = (partner("CN=one"), partner("CN=two"));
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let trust = |pins: &[&TestIdentity]| {
        let mut trust = bundle(&[&root]);
        for pin in pins {
            trust.add_pin(pin.certificate().clone()).unwrap();
        }
        trust
    };
    let exactly = |of: &TestIdentity| Selector::certificate(of.certificate().fingerprint());
    let old = PolicyBuilder::for_host(host("gw", trust(&[&one])))
        .mapping(rule(&exactly(&one), "erp"))
        .assignment(RoleAssignment::new(user("erp"), SEND))
        .build()
        .unwrap();
    let list = TestRevocationList::new().signed_by(&root);
    let mut revocation = Revocation::new();
    revocation.add(RevocationList::from_der(list.der()).unwrap());
    let named = rule(&exactly(&one), "erp2").with_name("acme".parse().unwrap());
    let new = PolicyBuilder::for_host(host("gw", trust(&[&one, &two])).with_client_auth(ClientAuth::Request))
        .host(host("other", trust(&[&one, &two])).with_listener("tls2".parse().unwrap()))
        .mapping(named)
        .assignment(RoleAssignment::to_rule("acme".parse().unwrap(), SEND).at_least(Strength::Key))
        .denial(Denial::key(two.certificate().spki_fingerprint()))
        .denial(Denial::serial("CN=root".parse().unwrap(), "0a20".parse().unwrap()))
        .disabled_user(user("crm"))
        .revocation(revocation)
        .build()
        .unwrap();
    let difference = diff(&old, &new);
    listed("Changes between two policies", difference.changes());
    listed("Users who gain or lose roles", difference.users());
    let whole = serde_json::to_value(&difference).unwrap();
    assert_eq!(whole["changes"], serde_json::to_value(difference.changes()).unwrap());
    assert_eq!(whole["users"], serde_json::to_value(difference.users()).unwrap());
    let shadow = Shadow::new(new);
    let disagreement = shadow.disagreement(&old.decide(&evidence(&one), NOW)).unwrap();
    let value = serde_json::to_value(&disagreement).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["gained", "lost", "one", "other", "text"]);
    assert_eq!(value["one"], serde_json::to_value(disagreement.one()).unwrap());
    assert_eq!(value["other"], serde_json::to_value(disagreement.other()).unwrap());
    assert_eq!((&value["gained"], &value["lost"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(value["text"], disagreement.to_string());
}

#[test]
fn findings_and_places_are_as_the_page_shows_them() {
    let one = partner("CN=one");
    let builder = PolicyBuilder::new().partner(user("erp"), one.certificate().clone(), []);
    let policy = builder.disabled_user(user("epr")).build().unwrap();
    listed("Findings", lint(&policy, NOW, Duration::ZERO));
    let fingerprint = one.certificate().fingerprint();
    listed(
        "Places",
        [
            Place::Assignment { holder: "rule acme".parse().unwrap(), role: SEND },
            Place::Bundle("partners".parse().unwrap()),
            Place::Denial(Denial::serial("CN=root".parse().unwrap(), "0a20".parse().unwrap())),
            Place::Entry { bundle: "partners".parse().unwrap(), certificate: fingerprint },
            Place::Host("gw".parse().unwrap()),
            Place::List(fingerprint),
            Place::Policy,
            Place::Rule(Selector::certificate(fingerprint)),
            Place::User(user("erp")),
        ],
    );
}

#[test]
fn endings_are_as_the_page_shows_them() {
    const DAY: u64 = 86_400;
    let lasting = |name: &str, days: u64| TestCertificate::new(name).with_validity(0, NOW.as_secs() + days * DAY);
    let root = lasting("CN=root", 20).as_ca().self_signed();
    let issuing = lasting("CN=issuing", 20).as_ca().with_serial(&[2]).issued_by(&root);
    let (pin, next) = (lasting("CN=pin", 10).self_signed(), lasting("CN=next", 40).self_signed());
    let mut trust = bundle(&[&root]);
    for one in [&pin, &next] {
        trust.add_pin(one.certificate().clone()).unwrap();
    }
    let list = TestRevocationList::new().signed_by(&issuing);
    let mut revocation = Revocation::new();
    revocation.add(RevocationList::from_der(list.der()).unwrap());
    let fleet = CertUserMapping::from_source(under(&root, "dns"), "\"iot/\" + dns".parse().unwrap());
    let policy = PolicyBuilder::for_host(host("gw", trust))
        .mapping(fleet.with_name("fleet".parse().unwrap()))
        .mappings([&pin, &next].map(|one| rule(&Selector::certificate(one.certificate().fingerprint()), "erp")))
        .revocation(revocation)
        .build()
        .unwrap();
    let (gateway, horizon) = ("gw".parse().unwrap(), Duration::from_secs(30 * DAY));
    let mut endings = forecast(&policy, NOW, horizon);
    endings.extend(forecast_own([(&gateway, pin.certificate())], NOW, horizon));
    listed("Endings", endings);
}

#[test]
fn problems_and_edits_of_documents_are_as_the_page_shows_them() {
    let text = "version = 1\nhosts = [{ id = \"gw\", bundle = \"b\" }]\nusers = [{ name = \"a b \" }]\n";
    let part: Document = toml::from_str(text).unwrap();
    let whole = Document::merge([("acme.toml".parse().unwrap(), part)]).unwrap();
    listed("Problems of a document", whole.build(&NoReferences).unwrap_err().problems());
    let given = "version = 1\nassignments = [{ role = \"iflmap/ESBmessaging.send\", user = \"A\" }]\n";
    let given: Document = toml::from_str(given).unwrap();
    listed("Roles that nobody has", given.expect_roles([SEND, ADMIN]));

    let one = partner("CN=one");
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    let (trust, gw) = ("b".parse().unwrap(), "gw".parse().unwrap());
    let exactly = Selector::certificate(one.certificate().fingerprint());
    let role = RoleAssignment::to_rule("acme".parse().unwrap(), SEND);
    let denial = Denial::serial("CN=root".parse().unwrap(), "0a20".parse().unwrap());
    let named = rule(&exactly, "erp").with_name("acme".parse().unwrap());
    let pem = one.certificate().to_pem();
    let settings = HostSettings::new().with_bundle("b".parse().unwrap(), ClientAuth::Request);
    let mut changes = Vec::new();
    let mut done = |made: certmap::document::Changes| changes.extend(made);
    done(edit.add_ca(&trust, pem.as_bytes(), Some(AddedAs::Pin), None).unwrap());
    done(edit.set_ssl_host(&gw, &settings).unwrap());
    // The last host and the bundle of a host cannot be taken out.
    done(edit.add_ca(&"b2".parse().unwrap(), pem.as_bytes(), Some(AddedAs::KeyPin), None).unwrap());
    let second = HostSettings::new().with_bundle("b2".parse().unwrap(), ClientAuth::Require);
    done(edit.set_ssl_host(&"second".parse().unwrap(), &second.with_listener("tls2".parse().unwrap())).unwrap());
    done(edit.map(&named).unwrap());
    done(edit.assign(&role).unwrap());
    done(edit.deny(&denial, None).unwrap());
    done(edit.disable(&user("erp")).unwrap());
    done(edit.enable(&user("erp")).unwrap());
    done(edit.allow(&denial).unwrap());
    done(edit.revoke(role.holder(), role.role()).unwrap());
    done(edit.unmap(&exactly).unwrap());
    done(edit.remove_ssl_host(&gw).unwrap());
    done(edit.remove_ca(&trust, Removal::Bundle).unwrap());
    listed("Edits of a document", changes);
}

#[test]
fn a_record_is_as_the_page_shows_it_and_one_line_whatever_a_peer_calls_itself() {
    let line = "certmap time=2026-11-23T22:46:00Z outcome=refused host=api.example.com resumed=false \
        peer=10.36.128.7:50123 code=not-mapped subject=\"CN=x\\u{a}ALLOW user=admin\"~900 policy=sha256:d15d";
    let record: AuditRecord = line.parse().unwrap();
    let written = serde_json::to_string(&record).unwrap();
    assert_eq!(written, example("A record"));
    assert_eq!(written.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!((value["subject"].as_str(), &value["elided"]["subject"]), (record.subject(), &900.into()));

    let hostile = TestCertificate::new("CN=a\\0A\\22\\E2\\80\\AEb").self_signed();
    let policy =
        PolicyBuilder::new().partner(user("erp"), partner("CN=one").certificate().clone(), []).build().unwrap();
    let evidence = Evidence::after_handshake("default".parse().unwrap(), hostile.chain());
    let explanation = explain(&policy, &evidence, NOW);
    for written in [serde_json::to_string(&explanation), serde_json::to_string(&explanation.decision().record())] {
        let written = written.unwrap();
        assert!(!written.bytes().any(|byte| byte.is_ascii_control()), "{written}");
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(value["subject"].as_str(), explanation.subject(), "{written}");
    }
}
