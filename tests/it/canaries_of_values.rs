//! A value of every public type that has room for a secret or for what others wrote, made where both are about, and shown: those
//! that are read, written and built. Which types these have to be is in `canaries_of_types`.

use std::cell::RefCell;
use std::error::Error;
use std::str::FromStr;

use certmap::cert::{
    InvalidCertificate, InvalidRevocationList, KeyType, RevocationList, SerialNumber, UnfitKey, Usage,
};
use certmap::document::{AddedAs, Document, FileName, HostSettings, NoReferences, Reference, Removal};
use certmap::map::{
    CaPath, Field, InvalidNameTest, InvalidSelector, InvalidUserSource, NameTest, Part, Piece, ServiceKey, ValueTest,
};
use certmap::policy::{ClientAuth, Hints, Problem};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::trust::{Denial, Entry, PathFailure, Revocation, TrustError, UnknownStatus};
use certmap::{
    AccessLine, AuditRecord, Authority, CertUserMapping, Certificate, DistinguishedName, Enforcement, Evidence, Holder,
    Host, Policy, PolicyBuilder, PolicyHandle, Role, RoleAssignment, Selector, Strength, TrustBundle, UserSource,
};
use serde_json::json;

use crate::anchors::{bundle, client, failure};
use crate::canaries::Watch;
use crate::canaries_of_policies::keys;
use crate::common::{SEND, SERVER, user};
use crate::fleets::{exact, rule};

/// What a terminal obeys, raw: it clears the screen.
pub const RAW: &str = "x\u{1b}[2Jy";
/// The same in the text form of a name.
pub const NAME: &str = "x\\1B[2Jy";

/// Who has a key here, and keys as people paste them where something else belongs.
pub struct World {
    pub own: TestIdentity,
    pub partner: TestIdentity,
    pub root: TestIdentity,
    /// Issued by the root.
    pub device: TestIdentity,
    /// The same with what no rule by name looks at.
    odd: TestIdentity,
    /// Keys as text.
    pub pasted: Vec<String>,
}

impl World {
    /// The watch learns of every key, and of what no terminal may be sent.
    pub fn new(watch: &mut Watch) -> Self {
        let named = [
            TestName::Directory("CN=a"),
            TestName::Dns("a.example"),
            TestName::Email("a@devices.example"),
            TestName::Uri("urn:x\u{1b}[2J"),
            TestName::Upn(RAW),
            TestName::Raw(0x81, RAW.as_bytes()),
        ];
        let root = TestCertificate::new(&format!("CN=root {NAME}")).as_ca().self_signed();
        let device = client("CN=device").with_server_name("0001.devices.example").issued_by(&root);
        let odd = client(&format!("CN=odd {NAME}")).with_server_name("0002.devices.example").issued_by(&root);
        let partner = TestCertificate::new(&format!("CN=partner {NAME},O=Acme"));
        let partner = partner.with_alternative_names(&named).self_signed();
        let own = TestCertificate::new(&format!("CN=own {NAME}")).with_server_name(SERVER).self_signed();
        for identity in [&root, &device, &odd, &partner, &own] {
            watch.key(&identity.identity());
        }
        watch.canary("what a terminal obeys", RAW.to_lowercase());
        let mut pasted = vec![partner.identity().private_key_pem().unwrap().to_string()];
        for (known, key) in keys() {
            watch.learn(known);
            // On one line too, as shells and editors join them.
            pasted.extend([key.replace('\n', " "), key]);
        }
        Self { own, partner, root, device, odd, pasted }
    }

    pub fn trust(&self) -> TrustBundle {
        let mut bundle = bundle(&[&self.root]);
        let entry = Entry::pin(self.partner.certificate().clone()).unwrap();
        bundle.add(entry.with_alias("acme".parse().unwrap())).unwrap();
        bundle
    }

    /// A host that knows the partner by its certificate and the devices by their names.
    pub fn builder(&self) -> PolicyBuilder {
        let fleet = rule(&self.root, "dns", "\"iot/\" + dns").with_name("fleet".parse().unwrap());
        let strong =
            RoleAssignment::to_rule("fleet".parse().unwrap(), "a/strong".parse().unwrap()).at_least(Strength::Key);
        let mut revocation = Revocation::new();
        revocation.add(self.list());
        PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), self.trust()).with_hints(Hints::All))
            .mappings([exact(&self.partner, "ACME").with_name("acme".parse().unwrap()), fleet])
            .assignment(RoleAssignment::to_rule("fleet".parse().unwrap(), SEND))
            .assignments([strong.with_enforcement(Enforcement::Warn), RoleAssignment::new(user("ACME"), SEND)])
            .disabled_user(user("eve"))
            .denial(Denial::serial(self.root.certificate().subject(), "0a".parse().unwrap()))
            .revocation(revocation)
    }

    pub fn policy(&self) -> Policy {
        self.builder().build().unwrap()
    }

    fn list(&self) -> RevocationList {
        let list = TestRevocationList::new().revoking(&[7]).with_reason(1).signed_by(&self.root);
        RevocationList::from_pem(list.pem().as_bytes()).unwrap()
    }

    /// What may be presented: what is known and what is not, and keys in the place of certificates.
    pub fn chains(&self) -> Vec<Vec<Vec<u8>>> {
        let key = self.partner.identity().private_key_der().unwrap().to_vec();
        let [partner, device, odd, own] =
            [&self.partner, &self.device, &self.odd, &self.own].map(|of| of.certificate().der().to_vec());
        let pem = self.pasted[0].clone().into_bytes();
        vec![
            vec![],
            vec![partner.clone()],
            vec![device],
            vec![odd],
            vec![own, key.clone()],
            vec![key, partner],
            vec![pem],
        ]
    }

    pub fn evidences(&self) -> Vec<Evidence> {
        let after = |chain| Evidence::after_handshake("gw".parse().unwrap(), chain);
        self.chains().into_iter().map(after).collect()
    }
}

/// Shows what is read, written and built.
pub fn show(watch: &mut Watch, world: &World) {
    certificates(watch, world);
    texts(watch, world);
    rules(watch, world);
    trust(watch, world);
    policies(watch, world);
    documents(watch, world);
}

fn certificates(watch: &mut Watch, world: &World) {
    for identity in [&world.own, &world.partner, &world.root, &world.device, &world.odd] {
        watch.debug(identity);
        let certificate = identity.certificate();
        watch.debug(certificate);
        watch.display(certificate.serial());
        watch.display(certificate.key_type());
        let subject = certificate.subject();
        watch.display(&subject);
        for rdn in subject.rdns() {
            watch.debug(rdn);
            for attribute in rdn.attributes() {
                watch.debug(attribute);
                watch.debug(attribute.value());
                watch.display(attribute.kind());
            }
        }
        certificate.subject_alternative_names().iter().for_each(|name| watch.display(name));
        let profile = certificate.profile(Usage::Client);
        watch.display(&profile);
        profile.remarks().iter().for_each(|remark| watch.display(remark));
    }
    watch.debug(&world.list());
    watch.debug(&TestName::Directory(RAW));
    let made = TestCertificate::new(&format!("CN={NAME}")).with_key_of(&world.partner);
    watch.debug(&made.with_extension("1.2.3", false, RAW.as_bytes()));
    let list = TestRevocationList::new().with_extension("1.2.3", false, RAW.as_bytes());
    watch.debug(&list);
    watch.debug(&list.signed_by(&world.root));
}

/// What people are told of each of these where something else belongs. What can be read is shown as it was written.
#[track_caller]
fn parsed<T: FromStr<Err: Error + 'static>>(watch: &mut Watch, texts: &[String]) {
    texts.iter().filter_map(|text| text.parse::<T>().err()).for_each(|error| watch.error(&error));
}

fn texts(watch: &mut Watch, world: &World) {
    let in_each = |place: &str| world.pasted.iter().map(|key| place.replace("{}", key)).collect::<Vec<_>>();
    let keys = in_each("{}");
    parsed::<Enforcement>(watch, &keys);
    parsed::<Strength>(watch, &keys);
    parsed::<AddedAs>(watch, &keys);
    parsed::<FileName>(watch, &keys);
    parsed::<Role>(watch, &[keys.clone(), in_each("a/{}")].concat());
    parsed::<certmap::UserName>(watch, &keys);
    parsed::<Holder>(watch, &[keys.clone(), in_each("user:{}"), in_each("rule:{}"), in_each("user {}")].concat());
    parsed::<certmap::HostId>(watch, &keys);
    parsed::<certmap::policy::HostName>(watch, &keys);
    parsed::<certmap::Fingerprint>(watch, &[keys.clone(), in_each("sha256:{}")].concat());
    parsed::<certmap::SpkiFingerprint>(watch, &[keys.clone(), in_each("spki-sha256:{}")].concat());
    parsed::<certmap::PolicyDigest>(watch, &keys);
    parsed::<SerialNumber>(watch, &keys);
    parsed::<certmap::cert::ObjectIdentifier>(watch, &[keys.clone(), in_each("1.2.{}")].concat());
    let names = [keys.clone(), in_each("CN=a,{}"), in_each("CN=#{}"), in_each("{}=a")].concat();
    parsed::<DistinguishedName>(watch, &names);
    let root = world.root.certificate().fingerprint();
    let selectors = [
        "@{}",
        "sha256:{}",
        "under {}",
        &format!("under {root} attribute {{}}"),
        &format!("under {root} dns \"{{}}\""),
    ];
    let selectors: Vec<_> = selectors.into_iter().flat_map(in_each).chain(keys.clone()).collect();
    parsed::<Selector>(watch, &selectors);
    parsed::<NameTest>(watch, &[keys.clone(), in_each("attribute {} \"a\""), in_each("uri \"{}\"")].concat());
    parsed::<UserSource>(watch, &[keys.clone(), in_each("dns + \"{}\""), in_each("dns among (\"{}\")")].concat());
    let records = ["time={}", "outcome={}", "{}=a", "time=2025-07-24T22:55:27Z outcome=admitted {}"];
    parsed::<AuditRecord>(watch, &records.into_iter().flat_map(in_each).chain(keys.clone()).collect::<Vec<_>>());
    let lines = [
        "192.0.2.1 {} a",
        "192.0.2.1 - {} a",
        "192.0.2.1 - a [{}]",
        "192.0.2.1 - a [24/Jul/2025:22:55:27 +0000] {}",
        "192.0.2.1 - a [24/Jul/2025:22:55:27 +0000] \"GET / HTTP/1.1\" {}",
        "192.0.2.1 - a [24/Jul/2025:22:55:27 +0000] \"GET / HTTP/1.1\" 200 {}",
    ];
    parsed::<AccessLine>(watch, &lines.into_iter().flat_map(in_each).chain(keys.clone()).collect::<Vec<_>>());
    // What others call things.
    for label in ["acme", "a.example"] {
        watch.display(&label.parse::<certmap::HostId>().unwrap());
        watch.display(&label.parse::<certmap::policy::HostName>().unwrap());
        watch.display(&label.parse::<certmap::policy::ListenerName>().unwrap());
        watch.display(&label.parse::<certmap::trust::Alias>().unwrap());
        watch.display(&label.parse::<certmap::BundleName>().unwrap());
        watch.display(&label.parse::<certmap::RuleName>().unwrap());
        watch.display(&label.parse::<FileName>().unwrap());
        watch.display(&user(label));
    }
    watch.display(&SEND);
    let line = AccessLine::new("192.0.2.1".parse().unwrap(), NOW, &format!("GET /{RAW} HTTP/1.1"), 200, 5);
    watch.display(&line.with_user(RAW));
}

fn rules(watch: &mut Watch, world: &World) {
    let [partner, root] = [&world.partner, &world.root].map(TestIdentity::certificate);
    watch.display(&CaPath::to(root.fingerprint()).issued_by(root.spki_fingerprint()));
    for key in world.pasted.iter().map(String::as_str).chain([RAW]) {
        for test in [ValueTest::dns(key), ValueTest::email(key), ValueTest::uri(key)] {
            match test {
                Ok(test) => watch.display(&test),
                Err(error) => watch.error(&error),
            }
        }
        watch.result(ValueTest::der(Field::Other("1.2.3".parse().unwrap()), key.as_bytes()).map(|_| ()));
        watch.result(UserSource::reserved([Piece::Text(key.to_owned())]));
    }
    let test = ValueTest::upn("a@devices.example").unwrap();
    watch.display(&test);
    watch.display(test.field());
    watch.display(&NameTest::from(test.clone()));
    watch.display(&Selector::under(root.fingerprint(), test));
    for mapping in world.policy().mappings() {
        watch.debug(&mapping);
        watch.display(mapping.selector());
    }
    let part = Part::of(Field::Dns).unwrap().without_suffix(".example");
    watch.display(&part);
    watch.display(&Piece::Part(part));
    watch.display(&"\"iot/\" + dns".parse::<UserSource>().unwrap());
    watch.debug(&ServiceKey::pinned(partner));
    let no_test = NameTest::any(std::iter::empty::<ValueTest>()).unwrap_err();
    watch.error::<InvalidNameTest>(&no_test);
    watch.error::<InvalidSelector>(&"@acme".parse::<Selector>().unwrap_err());
    watch.error::<InvalidUserSource>(&"dns".parse::<UserSource>().unwrap_err());
}

fn trust(watch: &mut Watch, world: &World) {
    let mut bundle = world.trust();
    bundle.entries().for_each(|entry| watch.display(entry));
    let partner = world.partner.certificate();
    watch.error(&bundle.add_pin(partner.clone()).unwrap_err());
    let error = Entry::anchor(partner.clone()).unwrap_err();
    watch.error(&error);
    let TrustError::NotAnAnchor { cause, .. } = error else { panic!("{error}") };
    watch.error(&cause);
    for key in &world.pasted {
        watch.result(bundle.add_anchors_pem(key.as_bytes()));
        watch.result(Certificate::from_pem(key.as_bytes()));
        watch.result(RevocationList::from_pem(key.as_bytes()));
        watch.result(Revocation::new().add_pem(key.as_bytes()));
        let cut = &key.as_bytes()[..key.len() - 20];
        match (Certificate::from_pem(cut), RevocationList::from_pem(cut)) {
            (Err(InvalidCertificate::Pem(one)), Err(InvalidRevocationList::Pem(other))) => {
                watch.error(&one);
                watch.error(&other);
            }
            cut => panic!("{cut:?}"),
        }
    }
    watch.debug(&bundle);
    watch.display(&Denial::serial(partner.issuer(), partner.serial().clone()));
    watch.debug(&world.policy().revocation());
    watch.error(&UnfitKey::Unsupported { key: KeyType::Other("1.2.3".parse().unwrap()) });
    let late = client(&format!("CN={NAME}")).with_validity(1, 2).issued_by(&world.root);
    let failure = failure(&[&world.root], &late);
    watch.error(&failure);
    let PathFailure::Expired { member, .. } = failure else { panic!("{failure}") };
    watch.display(&member);
    let cause = UnknownStatus::NoList { issuer: world.root.certificate().subject() };
    watch.error(&cause);
    watch.error(&PathFailure::RevocationUnknown { member, cause });
}

fn policies(watch: &mut Watch, world: &World) {
    let policy = world.policy();
    policy.hosts().for_each(|host| watch.debug(host));
    policy.assignments().iter().for_each(|given| {
        watch.debug(given);
        watch.display(given.holder());
    });
    watch.debug(&world.builder());
    watch.debug(&policy);
    watch.debug(&PolicyHandle::new(policy));
    watch.debug(&Authority::Host(RAW));
    let mut forged = Revocation::new();
    let list = TestRevocationList::new().signed_with_wrong_key(&world.root, &world.own);
    forged.add(RevocationList::from_pem(list.pem().as_bytes()).unwrap());
    let conflict = CertUserMapping::new(Selector::certificate(world.partner.certificate().fingerprint()), user("b"));
    let under_pin = rule(&world.partner, "every-certificate", "\"c\"");
    for wrong in [
        world.builder().revocation(forged),
        world.builder().mapping(conflict),
        world.builder().mapping(under_pin),
        world.builder().partner(user("root"), world.partner.certificate().clone(), []),
    ] {
        let error = wrong.build().unwrap_err();
        watch.error(&error);
        for problem in error.problems() {
            watch.error(problem);
            match problem {
                Problem::Revocation(cause) => watch.error(cause),
                Problem::Rules(cause) => watch.error(cause),
                Problem::UnknownAnchor { near, .. } => watch.debug(near.as_ref().expect("a pin")),
                _ => {}
            }
        }
    }
}

type Content = Result<Vec<u8>, Box<dyn Error + Send + Sync>>;

fn documents(watch: &mut Watch, world: &World) {
    let mut document = Document::from(&world.policy());
    watch.debug(&document);
    for finding in document.expect_roles([SEND, Role::from_static("a/b")]) {
        watch.display(&finding);
    }
    for listed in document.list_cas(None, &NoReferences) {
        watch.display(&listed);
    }
    let file: FileName = "a.toml".parse().unwrap();
    watch.error(&Document::merge([(file.clone(), document.clone()), (file, document.clone())]).unwrap_err());
    let fingerprint = world.partner.certificate().fingerprint();
    watch.debug(&Removal::Fingerprint(&fingerprint));
    let settings = HostSettings::new().with_bundle("b".parse().unwrap(), ClientAuth::Request);
    watch.debug(&settings);
    let own = world.own.certificate().to_pem();
    for key in &world.pasted {
        let mut edit = document.edit(&NoReferences);
        watch.debug(&edit);
        let denial = Denial::key(world.own.certificate().spki_fingerprint());
        for made in [
            edit.deny(&denial, Some(key)),
            edit.deny(&denial, Some(RAW)),
            edit.allow(&denial),
            edit.add_ca(&"partners".parse().unwrap(), key.as_bytes(), Some(AddedAs::Pin), None),
            edit.add_ca(&"other".parse().unwrap(), own.as_bytes(), Some(AddedAs::Pin), None),
            edit.set_ssl_host(&"gw".parse().unwrap(), &settings),
        ] {
            match made {
                Ok(changes) => {
                    watch.display(&changes);
                    changes.as_slice().iter().for_each(|change| watch.display(change));
                }
                Err(error) => watch.error(&error),
            }
        }
        watch.result(edit.selector(key));
        let bad = json!({
            "version": 1,
            "bundles": [{ "name": "b" }],
            "certificates": [{ "bundle": "b", "kind": "pin", "reference": RAW }],
            "users": [{ "name": key, "note": RAW }],
            "mappings": [{ "match": format!("@{key}"), "user": RAW }, { "match": RAW, "user-from": RAW }],
        });
        let bad: Document = serde_json::from_value(bad).unwrap();
        let shared = RefCell::new(&mut *watch);
        let resolve = |reference: Reference<'_>| -> Content {
            shared.borrow_mut().debug(&reference);
            Err(format!("`{}` is {key}", reference.text()).into())
        };
        let error = bad.build(&resolve).unwrap_err();
        watch.error(&error);
        for problem in error.problems() {
            watch.display(problem);
            watch.display(problem.path());
            watch.error(problem.fault());
        }
    }
}
