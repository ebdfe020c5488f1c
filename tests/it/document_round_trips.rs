//! Policy to document to text and back: nothing that decides is lost, and the text is always the same.

use std::time::Duration;

use certmap::document::{Document, NoReferences};
use certmap::policy::{ClientAuth, Hints, UntrustedClients};
use certmap::testing::{TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::{ClientPurpose, Denial, Entry, Revocation};
use certmap::{
    BundleName, CertUserMapping, Enforcement, Host, Policy, PolicyBuilder, Role, RoleAssignment, Selector, Strength,
    TrustBundle,
};

use crate::common::user;
use crate::documents::read;

struct Pool {
    pins: Vec<TestIdentity>,
    cas: Vec<TestIdentity>,
    odd: Vec<TestIdentity>,
}

impl Pool {
    fn new() -> Self {
        let pin = |n: u8| TestCertificate::new(&format!("CN=pin \\\"{n}\\, ü,O=b")).with_serial(&[n]).self_signed();
        let ca = |n: u8| TestCertificate::new(&format!("CN=ca {n}")).as_ca().self_signed();
        Self {
            pins: (0..6).map(pin).collect(),
            cas: (0..3).map(ca).collect(),
            odd: vec![TestCertificate::new("CN=old root").with_version(1).self_signed()],
        }
    }

    fn bundle(&self, name: &str, random: &mut fastrand::Rng) -> TrustBundle {
        let name: BundleName = name.parse().unwrap();
        let mut bundle = if random.bool() { TrustBundle::new(name) } else { TrustBundle::with_limit(name, 20) };
        if random.bool() {
            bundle = bundle.with_purpose(ClientPurpose::Required);
        }
        if random.bool() {
            bundle =
                bundle.with_pin_purpose(random.choice([ClientPurpose::IfStated, ClientPurpose::Required]).unwrap());
        }
        if random.bool() {
            bundle = bundle.with_path_length(random.u32(0..3));
        }
        let entries = [
            self.pins.iter().map(|one| Entry::pin(one.certificate().clone()).unwrap()).collect::<Vec<_>>(),
            self.cas.iter().map(|one| Entry::anchor(one.certificate().clone()).unwrap()).collect(),
            self.odd.iter().map(|one| Entry::danger_odd_anchor(one.certificate().clone()).unwrap()).collect(),
        ];
        let mut number = 0;
        for mut entry in entries.into_iter().flatten() {
            if entry.kind() == certmap::trust::EntryKind::Pin && random.u8(0..4) == 0 {
                entry = Entry::key_pin(entry.certificate().clone()).unwrap();
            }
            if entry.kind() != certmap::trust::EntryKind::Anchor && random.u8(0..4) == 0 {
                entry = entry.with_server_names(["::1", "a.example"].map(|name| name.try_into().unwrap()));
            }
            number += 1;
            if random.bool() {
                entry = entry.with_alias(format!("c{number}").parse().unwrap());
            }
            if random.u8(0..5) > 0 {
                bundle.add(entry).unwrap();
            }
        }
        bundle
    }

    fn selector(&self, random: &mut fastrand::Rng) -> Selector {
        let ca = random.choice(&self.cas).unwrap().certificate();
        let pin = random.choice(&self.pins).unwrap().certificate();
        let (ca_name, ca_key) = (ca.fingerprint(), ca.spki_fingerprint());
        let text = match random.u8(0..7) {
            0 => pin.fingerprint().to_string(),
            1 => pin.spki_fingerprint().to_string(),
            2 => format!("under {ca_name} through {} dns", pin.fingerprint()),
            3 => format!("under {ca_name} issued-by {ca_key} serial {:02x}", random.u8(1..)),
            4 => format!(r#"under {ca_name} attribute CN "under {ca_name} \"@c1\" {}""#, random.u8(..)),
            5 => format!(r#"under {ca_name} all(any(uri, upn), not email, dns "d{}.example")"#, random.u8(..)),
            _ => format!("under {ca_name} every-certificate"),
        };
        text.parse().unwrap()
    }

    fn policy(&self, random: &mut fastrand::Rng) -> Option<Policy> {
        let bundles = ["partners", "other"].map(|name| self.bundle(name, random));
        let mut builder: Option<PolicyBuilder> = None;
        for id in ["a", "b", "c"].into_iter().take(random.usize(1..4)) {
            let mut host = Host::new(id.parse().unwrap(), random.choice(&bundles).unwrap().clone())
                .with_client_auth(random.choice([ClientAuth::None, ClientAuth::Request, ClientAuth::Require]).unwrap())
                .with_hints(random.choice([Hints::All, Hints::Anchors, Hints::None]).unwrap())
                .with_listener(random.choice(["main", "second"]).unwrap().parse().unwrap());
            if random.bool() {
                host = host.with_untrusted(UntrustedClients::LetDecide);
            }
            if random.u8(0..4) > 0 {
                host = host.with_server_names(
                    ["*.example", "::1"]
                        .map(|name| format!("{id}{name}").replace("a*", "*").replace(&format!("{id}:"), ":"))
                        .iter()
                        .filter_map(|name| name.parse().ok()),
                );
                if random.u8(0..3) == 0 {
                    host = host.as_default();
                }
            }
            builder = Some(match builder {
                None => PolicyBuilder::for_host(host),
                Some(builder) => builder.host(host),
            });
        }
        let mut builder = builder.unwrap();
        for _ in 0..random.usize(0..8) {
            let selector = self.selector(random);
            let mapping = if selector.ca().is_some() && random.bool() {
                let source = random.choice([r#""iot/" + dns"#, r#"upn in-lower-case among ("x", "y\"")"#]).unwrap();
                CertUserMapping::from_source(selector, source.parse().unwrap())
            } else if selector.strength() == Strength::Certificate && random.bool() {
                CertUserMapping::new(selector, user("SAP ERP")).as_exception_over_name_rules()
            } else {
                CertUserMapping::new(selector, user(random.choice(["SAP ERP", "b"]).unwrap()))
            };
            let name = random.choice(["one", "two", "three"]).unwrap().parse().unwrap();
            builder = builder.mapping(if random.bool() { mapping.with_name(name) } else { mapping });
        }
        for _ in 0..random.usize(0..6) {
            let role: Role = random.choice(["a/b", "a/c"]).unwrap().parse().unwrap();
            let assignment = if random.bool() {
                RoleAssignment::new(user("SAP ERP"), role)
            } else {
                RoleAssignment::to_rule("one".parse().unwrap(), role)
            };
            let least = *random.choice(Strength::ALL).unwrap();
            let enforcement = *random.choice(Enforcement::ALL).unwrap();
            builder = builder.assignment(assignment.at_least(least).with_enforcement(enforcement));
        }
        for pin in &self.pins {
            if random.u8(0..4) > 0 {
                continue;
            }
            let certificate = pin.certificate();
            builder = builder.denial(if random.bool() {
                Denial::key(certificate.spki_fingerprint())
            } else {
                Denial::serial(certificate.issuer(), certificate.serial().clone())
            });
            builder = builder.disabled_user(user("ü \"x\" \\"));
        }
        if random.bool() {
            let mut revocation =
                Revocation::new().danger_accept_stale_lists(Duration::from_secs(random.u64(0..2) * 60));
            for ca in &self.cas {
                let list = TestRevocationList::new().signed_by(ca).pem();
                revocation.add_pem(list.as_bytes()).unwrap();
            }
            builder = builder.revocation(revocation);
        }
        builder.build().ok()
    }
}

#[test]
fn a_policy_written_down_and_read_again_decides_alike() {
    let pool = Pool::new();
    let mut random = fastrand::Rng::with_seed(42);
    let mut done = 0;
    let mut named = 0;
    for _ in 0..250 {
        let Some(policy) = pool.policy(&mut random) else { continue };
        done += 1;
        let document = Document::from(&policy);
        let text = toml::to_string(&document).unwrap();
        named += usize::from(text.contains("@c"));
        let json = serde_json::to_string(&document).unwrap();
        for again in [
            read(&text),
            serde_json::from_str(&json).unwrap(),
            toml::from_str(&toml::to_string_pretty(&document).unwrap()).unwrap(),
        ] {
            assert_eq!(again, document);
            assert_eq!(toml::to_string(&again).unwrap(), text);
            let built = again.build(&NoReferences).unwrap();
            assert_eq!(built.canonical_form(), policy.canonical_form(), "{text}");
            assert_eq!(built.digest(), policy.digest());
            assert_eq!(Document::from(&built), document);
        }
    }
    assert!(done > 30 && named > 15, "{done} policies, {named} with names");
}

#[test]
fn the_text_is_one_whatever_the_order() {
    let one = read("version = 1\nusers = [{ name = \"b\" }, { name = \"a\", note = \"x\" }]");
    let two = read("users = [{ note = \"x\", name = \"a\" }, { name = \"b\" }]\nversion = 1");
    assert_eq!(one, two);
    let text = toml::to_string(&one).unwrap();
    assert_eq!(text, toml::to_string(&two).unwrap());
    assert_eq!(text, "version = 1\n\n[[users]]\nname = \"a\"\nnote = \"x\"\n\n[[users]]\nname = \"b\"\n");
    assert_eq!(toml::to_string(&Document::new()).unwrap(), "version = 1\n");
    assert_eq!(format!("{one:?}"), "Document(0 hosts, 0 certificates, 0 mappings)");
}

#[test]
fn what_a_policy_was_built_from_can_be_read_back() {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let key = Denial::key(two.certificate().spki_fingerprint());
    let serial = Denial::serial("CN=a".parse().unwrap(), "01".parse().unwrap());
    let rule = CertUserMapping::new(Selector::certificate(one.certificate().fingerprint()), user("erp"));
    let list = TestRevocationList::new().signed_by(&one);
    let mut revocation = Revocation::new().danger_accept_stale_lists(Duration::from_secs(9));
    revocation.add_pem(list.pem().as_bytes()).unwrap();
    revocation.add_pem(list.pem().as_bytes()).unwrap();
    let given: Role = "a/b".parse().unwrap();
    let policy = PolicyBuilder::new()
        .partner(user("erp"), one.certificate().clone(), [given.clone()])
        .mapping(rule.clone().with_name("z".parse().unwrap()))
        .mapping(rule.clone().with_name("y".parse().unwrap()))
        .assignment(RoleAssignment::new(user("erp"), given.clone()).at_least(Strength::Key))
        .denials([serial.clone(), key.clone()])
        .disabled_user(user("b"))
        .disabled_user(user("a"))
        .revocation(revocation)
        .build()
        .unwrap();
    let named = ["y", "z"].map(|name| rule.clone().with_name(name.parse().unwrap()));
    assert_eq!(policy.mappings(), named);
    assert_eq!(policy.assignments(), [RoleAssignment::new(user("erp"), given)]);
    assert_eq!(policy.denials(), [&serial, &key]);
    assert_eq!(policy.disabled_users().collect::<Vec<_>>(), [&user("a"), &user("b")]);
    assert_eq!(policy.revocation().lists().count(), 1);
    assert_eq!(policy.revocation().grace(), Duration::from_secs(9));
    assert_eq!(key.denied_key(), Some(&two.certificate().spki_fingerprint()));
    assert_eq!(serial.denied_serial().map(|(issuer, _)| issuer.to_string()).as_deref(), Some("CN=a"));
}
