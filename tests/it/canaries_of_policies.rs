//! Keys where a policy is written, and the secrets of live connections: no text that comes out of either tells of them. What
//! is watched for, and how, is in `canaries`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certmap::cert::{Effect, Peer, RemarkCode, Usage};
use certmap::decision::AuditRecord;
use certmap::document::{AddedAs, Document, NoReferences, Reference};
use certmap::identity::Import;
use certmap::live::Callers;
use certmap::policy::HostId;
use certmap::review::{diff, explain, forecast, forecast_own, lint, preflight, preflight_server};
use certmap::rustls::KeyLog;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::tls::Resumption;
use certmap::trust::{Denial, Revocation};
use certmap::{Authority, Holder, Identity, PolicyBuilder, Role, Selector, TrustBundle};
use serde::Serialize;
use serde_json::{Value, json};

use crate::canaries::Watch;
use crate::common::{Backend, Gateway, SEND, SERVER, Version, data, one_partner, tries, user};

impl Watch {
    #[track_caller]
    fn written(&mut self, value: &impl Serialize) {
        for text in [serde_json::to_string(value).map_err(|error| error.to_string()), toml_of(value)] {
            self.text(&text.unwrap_or_else(|error| error));
        }
    }

    /// What a program says of it that ends there.
    #[track_caller]
    fn panic<T>(&mut self, call: impl FnOnce() -> T) {
        let Err(said) = catch_unwind(AssertUnwindSafe(call)) else { return self.text("nothing") };
        let text = said.downcast_ref::<String>().cloned();
        let text = text.or_else(|| said.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        self.text(&text.expect("a panic says something"));
    }
}

fn toml_of(value: &impl Serialize) -> Result<String, String> {
    toml::to_string(value).map_err(|error| error.to_string())
}

/// Every key that a document may have, with something in it.
fn document(partner: &TestIdentity) -> Value {
    let (pem, fingerprint) = (partner.certificate().to_pem(), partner.certificate().fingerprint().to_string());
    json!({
        "version": 1,
        "danger-stale-lists-seconds": 60,
        "hosts": [{ "id": "gw", "listener": "tls", "server-names": ["gw.example"], "default": true, "bundle": "partners",
            "client-auth": "require", "untrusted": "let-decide", "hints": "none" }],
        "bundles": [{ "name": "partners", "limit": 10, "purpose": "if-stated", "pin-purpose": "if-stated", "path-length": 2 }],
        "certificates": [
            { "bundle": "partners", "kind": "pin", "alias": "acme", "certificate": pem, "server-names": ["a.example"] },
            { "bundle": "partners", "kind": "anchor", "reference": "ca.pem" },
        ],
        "mappings": [
            { "name": "acme", "match": fingerprint, "user": "SAPERPUSER", "exception": false },
            { "match": "@acme", "user-from": "\"iot/\" + dns" },
        ],
        "users": [{ "name": "mallory", "disabled": true, "note": "left" }],
        "assignments": [
            { "role": "iflmap/ESBMessaging.send", "user": "SAPERPUSER", "at-least": "key", "enforcement": "enforce" },
            { "role": "iflmap/ESBMessaging.send", "rule": "acme" },
        ],
        "denials": [{ "key": format!("spki-sha256:{:064}", 0), "note": "stolen" }, { "issuer": "CN=a", "serial": "0a" }],
        "revocation-lists": [{ "list": "", }, { "reference": "ca.crl" }],
    })
}

/// The place of each value, containers included, as RFC 6901 writes it.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{here}/{at}"), found));
        }
        Value::Object(items) => items.iter().for_each(|(key, item)| places(item, &format!("{here}/{key}"), found)),
        _ => {}
    }
}

/// The document with the secret in each place in turn: instead of what stood there, after it, and as one more key.
fn with_secret(document: &Value, secret: &str) -> Vec<Value> {
    let mut found = Vec::new();
    places(document, "", &mut found);
    let mut all = Vec::new();
    for place in &found {
        let at = |change: &dyn Fn(&mut Value)| {
            let mut changed = document.clone();
            change(changed.pointer_mut(place).unwrap());
            changed
        };
        all.push(at(&|value| *value = secret.into()));
        all.push(at(&|value| *value = json!([secret])));
        all.push(at(&|value| *value = json!({ secret: secret })));
        match document.pointer(place).unwrap() {
            Value::String(text) => all.push(at(&|value| *value = format!("{text}{secret}").into())),
            Value::Object(_) => all.push(at(&|value| value[secret] = secret.into())),
            _ => {}
        }
    }
    all
}

type Content = Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

/// Everything that can be asked of a document.
fn ask(watch: &mut Watch, text: &str, secret: &str) {
    let read: Document = match serde_json::from_str(text) {
        Ok(read) => read,
        Err(error) => return watch.error(&error),
    };
    watch.debug(&read);
    watch.written(&read);
    let resolved = |_: Reference<'_>| -> Content { Ok(secret.as_bytes().to_vec()) };
    let unresolved = |_: Reference<'_>| -> Content { Err("no file".into()) };
    for built in [read.build(&NoReferences), read.build(&resolved), read.build(&unresolved)] {
        match built {
            Ok(policy) => {
                watch.debug(&policy);
                watch.text(&policy.canonical_form());
            }
            Err(error) => {
                watch.error(&error);
                watch.written(&error.problems());
                for problem in error.problems() {
                    watch.debug(problem);
                    watch.text(&format!("{problem} {} {} {:?}", problem.code(), problem.path(), problem.others()));
                    watch.written(problem.path());
                    watch.error(problem.fault());
                }
            }
        }
    }
    for finding in read.expect_roles([SEND]) {
        watch.text(&format!("{finding} {finding:?} {}", finding.cure()));
        watch.written(&finding);
    }
    let file = "a.toml".parse().unwrap();
    for (name, part) in read.split(&file) {
        watch.debug(&(name, part));
    }
    watch.debug(&read.list_cas(None, &resolved));
    let mut edited = read.clone();
    let mut edit = edited.edit(&resolved);
    let partners = "partners".parse().unwrap();
    let note = Some(secret);
    let denial = Denial::serial("CN=b".parse().unwrap(), "0b".parse().unwrap());
    for made in [
        edit.deny(&denial, None),
        edit.allow(&denial),
        edit.deny(&denial, note),
        edit.disable(&user("eve")),
        edit.add_ca(&partners, secret.as_bytes(), Some(AddedAs::Pin), None),
        edit.add_ca(&partners, secret.as_bytes(), None, None),
        edit.revoke(&Holder::User(user("SAPERPUSER")), &SEND),
    ] {
        match made {
            Ok(changes) => {
                watch.text(&changes.to_string());
                watch.debug(&changes);
                watch.written(&changes);
            }
            Err(error) => watch.error(&error),
        }
    }
    watch.result(edit.selector(secret));
    watch.debug(&edit);
}

/// A key as people have them in files, one of them with its secret from the first letters on.
pub fn keys() -> Vec<(Watch, String)> {
    let made = TestCertificate::new("CN=own").self_signed().identity();
    let pkcs8 = made.private_key_pem().unwrap().to_string();
    let mut first = Watch::new();
    first.key(&made);
    let file = String::from_utf8(data("ec-sec1.pem")).unwrap();
    let begin = file.find("-----BEGIN EC PRIVATE KEY").unwrap();
    let sec1 = file[begin..].split_inclusive("-----END EC PRIVATE KEY-----").next().unwrap().to_owned();
    let mut second = Watch::new();
    // After the letters that say the length and the version of every key on this curve.
    second.letters("the key", &sec1.lines().nth(1).unwrap()[12..]);
    vec![(first, pkcs8), (second, sec1)]
}

#[test]
fn a_document_in_which_a_key_stands_tells_nothing_of_it() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let document = document(&partner);
    for (mut watch, key) in keys() {
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        for written in with_secret(&document, &key).into_iter().step_by(if tries(10) == 10 { 1 } else { 3 }) {
            ask(&mut watch, &written.to_string(), &key);
        }
        // Without the lines around it a key is a text like any other, and written back as it was; but no error tells of it.
        for place in ["/certificates/0/certificate", "/revocation-lists/0/list"] {
            let mut written = document.clone();
            *written.pointer_mut(place).unwrap() = body.as_str().into();
            let read: Document = serde_json::from_value(written).unwrap();
            watch.debug(&read);
            watch.error(&read.build(&NoReferences).unwrap_err());
        }
        assert!(watch.looked > 1_000, "{}", watch.looked);
    }
}

/// Takes down the secrets of a connection: what decrypts it, and what its tickets are made of.
#[derive(Debug, Default)]
pub struct Secrets(Mutex<Vec<Vec<u8>>>);

impl Secrets {
    /// Has them watched for, and says how many there are.
    pub fn watched(&self, watch: &mut Watch) -> usize {
        let secrets = self.0.lock().unwrap();
        secrets.iter().for_each(|secret| watch.secret("a secret of the connection", secret));
        secrets.len()
    }
}

impl KeyLog for Secrets {
    fn log(&self, _: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().push(secret.to_vec());
    }
}

#[test]
fn live_connections_tell_nothing_of_their_secrets() {
    for version in [Version::Tls12, Version::Tls13] {
        let partner = TestCertificate::new("CN=partner").self_signed();
        let mut gateway = Gateway::of(&partner);
        let resumption = Resumption::scoped(Duration::from_secs(60)).unwrap();
        gateway.endpoint = gateway.endpoint.with_resumption(resumption).unwrap();
        let log = Arc::new(Secrets::default());
        let mut client = gateway.client(partner.identity(), Backend::AwsLcRs, version);
        client.key_log = Arc::clone(&log) as Arc<dyn KeyLog>;
        let client = Arc::new(client);
        let selected = gateway.endpoint.only().unwrap();
        let call = || certmap::testing::handshake(Arc::clone(&client), selected.config(), SERVER);
        let connections = [call(), call()];

        let mut watch = Watch::new();
        watch.key(&partner.identity());
        watch.key(&gateway.certificate.identity());
        let secrets = log.watched(&mut watch);
        assert!(secrets >= 2, "{secrets}");

        let callers = Callers::with_limit(2);
        let mut registered = Vec::new();
        for ends in &connections {
            assert_eq!((&ends.client_error, &ends.server_error), (&None, &None));
            let caller = selected.caller(&ends.server).unwrap();
            watch.debug(&caller);
            watch.debug(&caller.admit(Authority::Host(SERVER), NOW).unwrap());
            watch.debug(&caller.identify(Authority::Host(SERVER), NOW).unwrap());
            let decision = caller.decide(NOW);
            watch.text(&format!("{decision} {decision:?} {decision:#?} {}", decision.record()));
            watch.written(&decision);
            watch.written(&decision.record());
            registered.push(callers.register(caller.clone(), "a connection", NOW).unwrap());
            watch.debug(&registered);
            watch.result(callers.register(caller.clone(), "one too many", NOW).map(drop));
        }
        // The second is resumed, so its secrets were kept meanwhile.
        assert!(selected.caller(&connections[1].server).unwrap().evidence().resumed());
        watch.debug(&(&callers, &gateway.endpoint, &selected, &gateway.policy));
        watch.debug(&selected.config().session_storage);
        watch.debug(&selected.config().ticketer);
        let stranger = TestCertificate::new("CN=stranger").self_signed();
        gateway.policy.replace(one_partner(&stranger));
        for change in callers.review(NOW) {
            watch.debug(&change);
        }
        for ends in &connections {
            let refused = selected.caller(&ends.server).unwrap().admit(Authority::NotHttp, NOW).unwrap_err();
            watch.error(&refused);
            let refusal = refused.refusal();
            watch.text(&format!("{} {} {} {refusal:?}", refusal.detail(), refusal.cure(), refusal.code()));
        }
        let early = certmap::testing::handshake(Arc::clone(&client), selected.config(), "other.example");
        watch.debug(&(&early.client_error, &early.server_error));
        let unfinished = certmap::rustls::ServerConnection::new(selected.config()).unwrap();
        watch.result(selected.caller(&unfinished));
        assert!(watch.looked > 30, "{}", watch.looked);
    }
}

/// The types of which the list of the public API says that they have a form for programs.
fn with_a_form() -> Vec<String> {
    let api = String::from_utf8(data("public-api.txt")).unwrap();
    let found = api.lines().filter_map(|line| line.strip_prefix("impl serde_core::ser::Serialize for certmap::"));
    let names = found.filter_map(|path| path.rsplit("::").next());
    let mut names: Vec<_> = names.map(|name| name.trim_end_matches("<'_>").to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What was written, by the names of the types.
struct Written<'a>(&'a mut Watch, Vec<String>);

impl Written<'_> {
    #[track_caller]
    fn all<T: Serialize>(&mut self, values: impl IntoIterator<Item = T>) {
        let before = self.0.looked;
        values.into_iter().for_each(|value| self.0.written(&value));
        let name = std::any::type_name::<T>().trim_start_matches('&');
        assert!(self.0.looked > before, "nothing of {name}");
        self.1.push(name.split('<').next().unwrap().rsplit("::").next().unwrap().to_owned());
    }
}

#[test]
fn no_form_for_programs_tells_of_a_key() {
    let own = TestCertificate::new("CN=own").with_server_name(SERVER).self_signed();
    let known = TestCertificate::new("CN=known").self_signed();
    let mut watch = Watch::new();
    watch.key(&own.identity());
    watch.key(&known.identity());
    // Whoever presents a key instead of a certificate, or beside one, is told of nowhere.
    let key = known.identity().private_key_der().unwrap().to_vec();
    let pem = known.identity().private_key_pem().unwrap();
    let gateway: HostId = "default".parse().unwrap();
    let chains = [
        known.chain().iter().map(|one| one.to_vec()).collect(),
        vec![key.clone()],
        vec![known.chain()[0].to_vec(), key.clone(), pem.as_bytes().to_vec()],
        vec![pem.as_bytes().to_vec()],
        vec![own.chain()[0].to_vec(), key],
    ];
    let policy = one_partner(&known);
    let renewed = TestCertificate::new("CN=known").self_signed();
    let other = PolicyBuilder::new().partner(user("OTHER"), renewed.certificate().clone(), [SEND]).build().unwrap();
    let evidences = chains.clone().map(|chain| certmap::Evidence::after_handshake(gateway.clone(), chain));
    let year = Duration::from_secs(400 * 86_400);

    let mut written = Written(&mut watch, Vec::new());
    for usage in [Usage::Client, Usage::Server] {
        let profile = own.certificate().profile(usage);
        written.all(profile.remarks().iter().flat_map(certmap::cert::Remark::reactions));
        written.all(profile.remarks());
        written.all([profile]);
    }
    written.all([Usage::Client]);
    written.all([Peer::ALL[0]]);
    written.all([Effect::Refuses]);
    written.all([RemarkCode::ALL[0]]);
    let decisions: Vec<_> = evidences.iter().map(|evidence| policy.decide(evidence, NOW)).collect();
    written.all(decisions.iter().map(certmap::Decision::record));
    written.all(&decisions);
    let explained: Vec<_> = evidences.iter().map(|evidence| explain(&other, evidence, NOW)).collect();
    written.all(explained.iter().flat_map(certmap::review::Explanation::steps));
    written.all(explained.iter().flat_map(certmap::review::Explanation::nearest));
    written.all(&explained);
    let difference = diff(&policy, &other);
    written.all(difference.changes());
    written.all(difference.users());
    written.all(difference.decisions(&evidences, NOW));
    written.all([&difference]);
    let findings = lint(&policy, NOW, year);
    written.all(findings.iter().map(certmap::review::Finding::place));
    written.all(&findings);
    written.all(forecast(&policy, NOW, year));
    written.all(forecast_own([(&gateway, own.certificate())], NOW, year));
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    servers.add_pin(own.certificate().clone()).unwrap();
    for chain in &chains {
        let flight = preflight(&policy, &gateway, chain, NOW);
        written.all([flight.hint_fit()]);
        written.all([flight]);
        written.all([preflight_server(&servers, &SERVER.try_into().unwrap(), chain, NOW).unwrap()]);
    }
    let mut document = Document::from(&policy);
    let made = document.edit(&NoReferences).disable(&user("eve")).unwrap();
    written.all(made.as_slice());
    written.all([made]);
    written.all(document.expect_roles([Role::from_static("a/b")]));
    written.all([&document]);
    let bad: Document = serde_json::from_value(json!({ "version": 1, "users": [{ "name": pem.as_str() }] })).unwrap();
    let error = bad.build(&NoReferences).unwrap_err();
    written.all(error.problems().iter().map(certmap::document::DocumentProblem::path));
    written.all(error.problems());

    let Written(_, mut names) = written;
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, with_a_form());
}

/// What a program says that takes a key or a password for something else, and ends there.
#[test]
fn what_a_program_says_when_it_ends_tells_nothing() {
    for (mut watch, key) in keys() {
        watch.panic(|| TestCertificate::new(&key));
        watch.panic(|| TestCertificate::new("CN=a").with_issuer_name(&key));
        watch.panic(|| TestCertificate::new("CN=a").with_server_name(&key));
        watch.panic(|| TestCertificate::new("CN=a").with_subject_der(key.as_bytes()).self_signed());
        watch.panic(|| TestCertificate::new("CN=a").with_extension(&key, false, &[]));
        watch.panic(|| TestCertificate::new("CN=a").with_alternative_names(&[TestName::Directory(&key)]));
        watch.panic(|| Role::from_static(String::leak(key.clone())));
        watch.panic(|| key.parse::<certmap::UserName>().unwrap());
        watch.panic(|| key.parse::<Role>().unwrap());
        watch.panic(|| key.parse::<Selector>().unwrap());
        watch.panic(|| key.parse::<certmap::map::UserSource>().unwrap());
        watch.panic(|| key.parse::<certmap::Fingerprint>().unwrap());
        watch.panic(|| key.parse::<certmap::cert::DistinguishedName>().unwrap());
        watch.panic(|| key.parse::<certmap::cert::SerialNumber>().unwrap());
        watch.panic(|| key.parse::<certmap::cert::ObjectIdentifier>().unwrap());
        watch.panic(|| key.parse::<certmap::policy::HostName>().unwrap());
        watch.panic(|| key.parse::<HostId>().unwrap());
        watch.panic(|| key.parse::<certmap::trust::Alias>().unwrap());
        watch.panic(|| key.parse::<certmap::map::RuleName>().unwrap());
        watch.panic(|| key.parse::<certmap::document::FileName>().unwrap());
        watch.panic(|| key.parse::<AuditRecord>().unwrap());
        watch.panic(|| certmap::Certificate::from_pem(key.as_bytes()).unwrap());
        watch.panic(|| certmap::cert::RevocationList::from_pem(key.as_bytes()).unwrap());
        watch.panic(|| Revocation::new().add_pem(key.as_bytes()).unwrap());
        watch.panic(|| Identity::from_pem(key.as_bytes()).unwrap());
        watch.panic(|| Import::new().read(key.as_bytes()).unwrap());
        watch.panic(|| serde_json::from_str::<Document>(&key).unwrap());
        watch.panic(|| toml::from_str::<Document>(&key).map_err(|error| error.message().to_owned()).unwrap());
        let partner = TestCertificate::new("CN=partner").self_signed();
        watch.panic(|| TrustBundle::new("a".parse().unwrap()).add_pins_pem(key.as_bytes()).unwrap());
        watch.panic(|| PolicyBuilder::new().partner(user("a"), partner.certificate().clone(), []).build().unwrap_err());
        watch.panic(|| format!("under {} {key}", partner.certificate().fingerprint()).parse::<Selector>().unwrap());
        assert!(watch.looked > 25, "{}", watch.looked);
    }
}
