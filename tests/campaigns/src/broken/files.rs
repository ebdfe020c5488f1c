//! Files with a private key, and policy documents. Every seed of the first kind has the password `secret` and hashes it once.

use certmap::document::{Document, DocumentError, NoReferences};
use certmap::identity::{Format, Import, Imported};
use certmap::testing::{NOW, TestCertificate, TestRevocationList};
use certmap::trust::{Denial, Revocation};
use certmap::{CertUserMapping, Evidence, Host, Identity, Policy, PolicyBuilder, Role, RoleAssignment, TrustBundle};

use super::{Damage, Peak, Tally, damages, variant};

const PKCS12: [(&str, &[u8]); 5] = [
    ("modern.p12", include_bytes!("../../../../fuzz/seeds/pkcs12/modern")),
    ("aes128.p12", include_bytes!("../../../../fuzz/seeds/pkcs12/aes128")),
    ("3des.p12", include_bytes!("../../../../fuzz/seeds/pkcs12/3des")),
    ("rc2.p12", include_bytes!("../../../../fuzz/seeds/pkcs12/rc2")),
    ("modern-ber.p12", include_bytes!("../../../../fuzz/seeds/pkcs12/modern-ber")),
];
const PSE: [(&str, &[u8]); 2] = [
    ("2.pse", include_bytes!("../../../../fuzz/seeds/pse/2-pin")),
    ("4.pse", include_bytes!("../../../../fuzz/seeds/pse/4-pin")),
];
/// So often a password is hashed at most: what that costs is the file's choice, bounded by `limits::IMPORT_ITERATIONS`.
const ITERATIONS: u32 = 300;

/// Those of PKCS#12.
#[must_use]
pub fn pkcs12(every: usize, peak: Peak) -> Tally {
    keys("PKCS#12", &PKCS12, every, peak)
}

/// Those of SAP's.
#[must_use]
pub fn pse(every: usize, peak: Peak) -> Tally {
    keys("PSE", &PSE, every, peak)
}

fn import() -> Import<'static> {
    Import::new().with_password("secret").with_max_iterations(ITERATIONS)
}

/// A damaged PKCS#12 file is refused, or is the identity that it was: its MAC is over all that counts. A PSE has no MAC; what is
/// read of it is an identity in which key and certificate belong together, and the key is the one that it was.
fn keys(family: &'static str, files: &[(&str, &[u8])], every: usize, peak: Peak) -> Tally {
    let mut tally = Tally::of(family);
    for (name, file) in files {
        let was = import().read(file).expect("a good file");
        for damage in damages(file.len(), every) {
            let damaged = damage.of(file);
            tally.take(&format!("{name}, {damage}"), file.len(), peak, &|| match import().read(&damaged) {
                Err(error) => Ok(variant(&error)),
                Ok(_) if matches!(damage, Damage::Cut(_)) => Err("it was cut and is read".to_owned()),
                Ok(read) => same(&was, &read),
            });
        }
    }
    tally
}

fn same(was: &Imported, read: &Imported) -> Result<String, String> {
    let key = |identity: &Identity| identity.private_key_der().map(|der| der.to_vec());
    let (before, after) = (was.identity(), read.identity());
    if key(before) != key(after) {
        return Err("it has another key".to_owned());
    }
    if before.chain() == after.chain() {
        return Ok("read, as it was".to_owned());
    }
    if read.format() == Format::Pse && before.certificate().spki_fingerprint() == after.certificate().spki_fingerprint()
    {
        return Ok("read, with another certificate of the same key (a PSE has no MAC)".to_owned());
    }
    Err("it has another certificate".to_owned())
}

/// A partner with a pin, written by hand.
const SMALL: &str = "version = 1\n\n# Who may send.\n[[hosts]]\nid = \"gw\"\nbundle = \"partners\"\n\n[[bundles]]\nname = \"partners\"\n\n\
    [[mappings]]\nmatch = \"@acme\"\nuser = \"SAPERPUSER\"\n\n[[assignments]]\nrole = \"iflmap/ESBMessaging.send\"\nuser = \"SAPERPUSER\"\n\n\
    [[certificates]]\nbundle = \"partners\"\nkind = \"pin\"\nalias = \"acme\"\ncertificate = \"\"\"\n";

/// Five documents, TOML and JSON.
fn written() -> Vec<(&'static str, String)> {
    let partner = TestCertificate::new("CN=acme").with_version(1).self_signed();
    let toml = |policy: &Policy| toml::to_string(&Document::from(policy)).expect("a document");
    let json = |policy: &Policy| serde_json::to_string_pretty(&Document::from(policy)).expect("a document");
    let landscape = landscape();
    vec![
        ("small.toml", format!("{SMALL}{}\"\"\"\n", partner.certificate().to_pem())),
        ("landscape.toml", toml(&landscape)),
        ("landscape.json", json(&landscape)),
        ("hosts.toml", toml(&several_hosts())),
        ("hosts.json", json(&several_hosts())),
    ]
}

/// Pins and an anchor, rules of many kinds, roles, denials, a list.
fn landscape() -> Policy {
    let ca = TestCertificate::new("CN=ca,O=Own").as_ca().self_signed();
    let pin = TestCertificate::new("CN=erp").self_signed();
    let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
    bundle.add_pin(pin.certificate().clone()).expect("a pin");
    bundle.add_anchor(ca.certificate().clone()).expect("an anchor");
    let under = format!("under {}", ca.certificate().fingerprint());
    let from = |selector: String, source: &str| {
        CertUserMapping::from_source(selector.parse().expect("a selector"), source.parse().expect("a source"))
    };
    let exactly = pin.certificate().fingerprint().to_string().parse().expect("a selector");
    let rules = [
        CertUserMapping::new(exactly, "SAPERPUSER".parse().expect("a user")).with_name("erp".parse().expect("a name")),
        from(format!("{under} dns"), "\"iot/\" + dns"),
        from(format!("{under} all(attribute CN \"gw\", not dns)"), "\"gw/\" + attribute OU"),
    ];
    let send = Role::from_static("iflmap/ESBMessaging.send");
    let list = TestRevocationList::new().revoking(&[9]).signed_by(&ca);
    let mut revocation = Revocation::new();
    revocation.add_pem(list.pem().as_bytes()).expect("a list");
    let denial = Denial::key(TestCertificate::new("CN=stolen").self_signed().certificate().spki_fingerprint());
    PolicyBuilder::for_host(Host::new("gw".parse().expect("an id"), bundle))
        .mappings(rules)
        .assignment(RoleAssignment::to_rule("erp".parse().expect("a name"), send))
        .disabled_user("mallory".parse().expect("a user"))
        .denials([denial])
        .revocation(revocation)
        .build()
        .unwrap_or_else(|error| panic!("{:?}", error.problems()))
}

/// Three hosts with bundles of their own.
fn several_hosts() -> Policy {
    let host = |name: &str| {
        let pin = TestCertificate::new(&format!("CN={name}")).self_signed();
        let mut bundle = TrustBundle::new(name.parse().expect("a name"));
        bundle.add_pin(pin.certificate().clone()).expect("a pin");
        let names = [format!("{name}.example").parse().expect("a name")];
        let host = Host::new(name.parse().expect("an id"), bundle).with_server_names(names);
        let selector = pin.certificate().spki_fingerprint().to_string().parse().expect("a selector");
        (host, CertUserMapping::new(selector, name.parse().expect("a user")))
    };
    let (first, rule) = host("api");
    let start = PolicyBuilder::for_host(first).mapping(rule);
    let builder =
        ["b2b", "iot"].map(host).into_iter().fold(start, |builder, (host, rule)| builder.host(host).mapping(rule));
    builder.build().unwrap_or_else(|error| panic!("{:?}", error.problems()))
}

/// A damaged document is none, has problems that are told, or is a policy: then of whom it knows, but never of a stranger.
///
/// # Panics
/// Never: what is written here are documents.
#[must_use]
pub fn documents(every: usize, peak: Peak) -> Tally {
    let stranger = TestCertificate::new("CN=erp").self_signed();
    let mut tally = Tally::of("policy documents");
    for (name, text) in written() {
        for damage in damages(text.len(), every) {
            let damaged = damage.of(text.as_bytes());
            tally.take(&format!("{name}, {damage}"), text.len(), peak, &|| {
                let Ok(damaged) = str::from_utf8(&damaged) else { return Ok("no text".to_owned()) };
                let read = if name.ends_with("json") {
                    serde_json::from_str(damaged).map_err(|error| error.to_string())
                } else {
                    toml::from_str(damaged).map_err(|error| error.message().to_owned())
                };
                let document: Document = match read {
                    Ok(document) => document,
                    Err(error) if error.is_empty() || error.len() > 1024 => return Err(format!("it says: {error}")),
                    Err(_) => return Ok("no document".to_owned()),
                };
                match document.build(&NoReferences) {
                    Ok(policy) => admits_no_stranger(&policy, &stranger.certificate().der()),
                    Err(error) => told(&error),
                }
            });
        }
    }
    tally
}

fn told(error: &DocumentError) -> Result<String, String> {
    let first = error.problems().first().ok_or("it has no problem")?;
    match error.problems().iter().map(ToString::to_string).find(|told| told.contains('\n')) {
        Some(told) => Err(format!("it tells in two lines: {told}")),
        None => Ok(format!("problem: {}", first.code())),
    }
}

fn admits_no_stranger(policy: &Policy, stranger: &[u8]) -> Result<String, String> {
    for host in policy.hosts() {
        let decision = policy.decide(&Evidence::after_handshake(host.id().clone(), [stranger]), NOW);
        if decision.principal().is_some() {
            return Err(decision.to_string());
        }
    }
    Ok("a policy".to_owned())
}
