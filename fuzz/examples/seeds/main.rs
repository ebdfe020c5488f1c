//! Writes the seeds: `cargo run --release --manifest-path fuzz/Cargo.toml --example seeds`, from the root of the repository.
//!
//! Keys are new each time, so the seeds differ each time. Files under a password are written by openssl.

#[path = "../../../tests/it/import_writer.rs"]
#[allow(dead_code, reason = "the tests write more kinds")]
mod import_writer;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use certmap::Identity;
use certmap::cert::DistinguishedName;
use certmap::document::Document;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName, TestRevocationList};
use certmap::trust::{Denial, Revocation};
use certmap::{CertUserMapping, Host, PolicyBuilder, Role, RoleAssignment, TrustBundle};
use certmap_fuzz::der;
use import_writer::{Pse, object, private_key, with_unknown_lengths};
use tool::Workshop;

const NAMES: [&str; 12] = [
    "CN=a,O=b,C=DE",
    "CN=Lu\\C4\\8Di\\C4\\87, O=Acme\\, Inc., C=DE",
    "OU=Sales+CN=J.  Smith,DC=example,DC=net",
    "1.3.6.1.4.1.1466.0=#04024869",
    "CN=\\ a\\ ,OID.2.5.4.10=\\#b",
    "UID=jsmith,DC=example,DC=net",
    "emailAddress=a@b.example,serialNumber=1,SN=c",
    "CN=a\\00b\\0Ac",
    "CN=a+CN=a+O=b",
    "sp=c,E=d,GN=e,T=f,STREET=g,L=h,ST=i",
    "2.999.18446744073709551619=#0c0161",
    "",
];

fn main() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let written = Seeds(seeds);
    names(&written);
    certificates(&written);
    lists(&written);
    files(&written);
    texts(&written);
    documents(&written);
    questions(&written);
}

struct Seeds(PathBuf);

impl Seeds {
    fn put(&self, target: &str, name: impl std::fmt::Display, content: impl AsRef<[u8]>) {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        fs::write(folder.join(name.to_string()), content).expect("a seed");
    }
}

fn names(seeds: &Seeds) {
    for (number, text) in NAMES.iter().enumerate() {
        seeds.put("dn_text", number, text);
        let name: DistinguishedName = text.parse().expect("a name");
        seeds.put("dn_der", number, name.to_der());
        let other: DistinguishedName = NAMES[(number + 1) % NAMES.len()].parse().expect("a name");
        seeds.put("dn_der", format!("{number}-two"), [name.to_der(), other.to_der()].concat());
        seeds.put("dn_text", format!("{number}-two"), format!("{name}\n{other}"));
    }
    // Strings of other types, of each one attribute.
    for tag in [0x12, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e] {
        let attribute = der::sequence(&[&[6, 3, 0x55, 4, 3], &der::element(tag, b"\0a\0b")]);
        seeds.put("dn_der", format!("string-{tag:02x}"), der::sequence(&[&der::element(0x31, &attribute)]));
    }
}

/// Of each shape one.
fn shapes() -> Vec<(&'static str, TestIdentity)> {
    let root = TestCertificate::new("CN=root,O=a").as_ca().with_key_identifier(&[1, 2]).self_signed();
    let names = [TestName::Dns("a.example"), TestName::Email("a@b.example"), TestName::Uri("spiffe://a/b")];
    let client = || TestCertificate::new("CN=client").with_purpose(2);
    vec![
        ("v1", TestCertificate::new("CN=old").with_version(1).self_signed()),
        ("names", client().with_alternative_names(&names).issued_by(&root)),
        (
            "server",
            TestCertificate::new("CN=client").with_server_name("a.example").with_purposes(&[1, 2]).issued_by(&root),
        ),
        ("negative", client().with_serial(&[0xff, 0x01]).self_signed()),
        ("unknown", client().with_extension("1.2.3.4", true, &[5, 0]).self_signed()),
        ("policies", client().with_extension("2.5.29.32", false, &policies()).self_signed()),
        ("constrained", TestCertificate::new("CN=c").as_ca().with_name_constraints(&names, &[], true).self_signed()),
        ("path", TestCertificate::new("CN=p").with_basic_constraints(true, Some(0), true).issued_by(&root)),
        ("root", root),
    ]
}

fn policies() -> Vec<u8> {
    let policy = |id: &[u8]| der::sequence(&[&der::element(6, id)]);
    der::sequence(&[&policy(&[0x55, 0x1d, 0x20, 0]), &policy(&[0x2a, 3, 4])])
}

fn certificates(seeds: &Seeds) {
    for (name, identity) in shapes() {
        seeds.put("certificate", name, identity.certificate().der());
        seeds.put("pem", name, [b"\0\0", identity.certificate().to_pem().as_bytes()].concat());
    }
    for file in ["v1-rsa1024.pem", "openssl-req-x509.pem", "rsa-pkcs1.pem", "ec-explicit-parameters.pem", "dsa.pem"] {
        let file = data(file);
        let begin = file.windows(27).position(|part| part == b"-----BEGIN CERTIFICATE-----").expect("a certificate");
        if let Ok(certificate) = certmap::Certificate::from_pem(&file[begin..]) {
            seeds.put("certificate", certificate.key_type(), certificate.der());
        }
    }
    let key = TestCertificate::new("CN=x");
    let identity = key.self_signed().identity();
    let pem = [identity.chain_pem(), identity.private_key_pem().expect("a key").to_string()].concat();
    seeds.put("pem", "identity", [b"\0\x40", pem.as_bytes()].concat());
    seeds.put("pem", "one-line", [b"\0\x01", pem.replace('\n', "\\n").as_bytes()].concat());
    for file in ["encrypted-traditional.pem", "ec-sec1.pem"] {
        seeds.put("pem", file, [b"\0\x02", &data(file)[..]].concat());
    }
    let encrypted = identity.encrypted_key_der("secret", 10_000).expect("an encrypted key");
    seeds.put("pem", "encrypted", [b"\0\0", &encrypted[..]].concat());

    let element = |tag, content: &[u8]| der::element(tag, content);
    let other = [der::element(6, &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3]), element(0xa0, &element(12, b"a@b"))];
    let directory = "CN=a,O=b".parse::<DistinguishedName>().expect("a name").to_der();
    let all = [
        element(0x82, b"a.example"),
        element(0x81, b"a@b.example"),
        element(0x86, b"spiffe://a/b"),
        element(0x87, &[127, 0, 0, 1]),
        element(0x87, &[0; 16]),
        element(0x87, &[0; 5]),
        element(0x88, &[0x2a, 3, 4]),
        element(0xa4, &directory),
        element(0xa0, &other.concat()),
        element(0xa3, &[5, 0]),
        element(0xa5, &[5, 0]),
    ];
    seeds.put("general_names", "all", [&[1], &all.concat()[..]].concat());
    seeds.put("general_names", "whole", [&[0], &der::sequence(&[&all.concat()])[..]].concat());
    for (number, one) in all.iter().enumerate() {
        seeds.put("general_names", number, [&[1], &one[..]].concat());
        seeds.put("general_names", format!("{number}-dns"), [&[1], &all[0][..], &one[..]].concat());
    }
}

fn data(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(file)).expect("a file of the tests")
}

fn lists(seeds: &Seeds) {
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let empty = TestRevocationList::new();
    let some = || TestRevocationList::new().revoking(&[1]).with_reason(1).revoking(&[0, 0x80, 2]).revoking(&[0xff, 1]);
    let many = (0..40).fold(TestRevocationList::new(), |list, serial| list.revoking(&[serial + 1, 7]));
    let lists = [
        ("empty", empty.signed_by(&ca)),
        ("some", some().signed_by(&ca)),
        ("many", many.signed_by(&ca)),
        ("version1", some().with_version1().signed_by(&ca)),
        ("critical", some().with_critical_number().signed_by(&ca)),
        ("extension", some().with_extension("2.5.29.28", true, &der::sequence(&[])).signed_by(&ca)),
        ("entry", some().with_entry_extension("2.5.29.24", false, b"\x18\x0f20260101000000Z").signed_by(&ca)),
        ("number", some().with_number(&[0x7f; 20]).signed_by(&ca)),
    ];
    for (name, list) in lists {
        seeds.put("crl", name, list.der());
        seeds.put("pem", format!("crl-{name}"), [b"\0\0", list.pem().as_bytes()].concat());
    }
}

fn files(seeds: &Seeds) {
    let workshop = Workshop::new();
    let rsa = Identity::from_pem(&data("rsa-pkcs1.pem")).expect("an identity");
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let made = TestCertificate::new("CN=client").issued_by(&root);
    let pem =
        |identity: &Identity| [identity.chain_pem(), identity.private_key_pem().expect("a key").to_string()].concat();
    workshop.write("ec.pem", pem(&made.identity()).as_bytes());
    workshop.write("chain.pem", made.identity().chain_pem().as_bytes());
    let kinds = [
        ("plain", "-keypbe NONE -certpbe NONE"),
        ("modern", "-keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256"),
        ("aes128", "-keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512"),
        ("3des", "-legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"),
        ("rc2", "-legacy"),
        ("no-mac", "-nomac -keypbe AES-256-CBC -certpbe NONE"),
    ];
    for (name, options) in kinds {
        workshop.openssl(&format!(
            "pkcs12 -export -in ec.pem -certfile chain.pem -name a -passout pass:secret -iter 1 {options} -out file"
        ));
        let file = workshop.read("file");
        seeds.put("pkcs12", name, &file);
        if name != "rc2" {
            seeds.put("pkcs12", format!("{name}-ber"), with_unknown_lengths(&file));
        }
    }
    workshop.openssl("pkcs12 -export -nokeys -in chain.pem -passout pass:secret -iter 1 -out file");
    seeds.put("pkcs12", "certificates", workshop.read("file"));
    workshop.openssl("crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out file");
    seeds.put("pem", "pkcs7", [b"\0\0", &workshop.read("file")[..]].concat());
    workshop.openssl("pkcs8 -topk8 -in ec.pem -v2 aes-256-cbc -iter 1 -passout pass:secret -out key");
    let under_password = [made.identity().chain_pem().into_bytes(), workshop.read("key")].concat();
    seeds.put("pem", "pkcs8", [b"\0\0", &under_password[..]].concat());

    use certmap::rustls::pki_types::PrivateKeyDer;
    use certmap::rustls::pki_types::pem::PemObject as _;
    let key = rsa.private_key_pem().expect("a key");
    let Ok(PrivateKeyDer::Pkcs1(key)) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else { panic!("it is PKCS#1") };
    let objects = || vec![private_key(key.secret_pkcs1_der()), object("Cert", &[1, 3], rsa.certificate().der())];
    for version in [2, 4] {
        for (name, pin) in [("plain", None), ("pin", Some("secret"))] {
            let pse = Pse { version, pin, iterations: 1, objects: objects() };
            seeds.put("pse", format!("{version}-{name}"), pse.write(&workshop));
        }
    }
    let mut more = objects();
    more.push(object("CertList", &[0], &der::element(0x31, rsa.certificate().der())));
    seeds.put("pse", "list", Pse { version: 2, pin: None, iterations: 1, objects: more.clone() }.write(&workshop));
    more.remove(0);
    seeds.put("pse", "no-key", Pse { version: 4, pin: None, iterations: 1, objects: more }.write(&workshop));
}

fn texts(seeds: &Seeds) {
    let sha = format!("sha256:{}", "9f".repeat(32));
    let key = format!("spki-{sha}");
    let texts = [
        sha.clone(),
        key.clone(),
        format!("under {sha} dns \"a.example\""),
        format!("under {sha} through {sha} issued-by {key} serial 0a20"),
        format!("under {sha} all(any(uri, upn), not email any \"a\", dns nth(2) \"b\")"),
        format!("under {sha} attribute CN exactly-one in-multi-valued-rdns ignoring-case \"a\""),
        format!("under {sha} every-certificate"),
        format!("under {sha} subject \"CN=a,O=b\""),
        format!(
            "under {sha} all(policy any 1.2.3, ip \"127.0.0.1\", other 1.2.3 \"#0c0161\", extension 1.2.3 \"#0500\")"
        ),
        "\"iot/\" + dns nth(1) without-prefix \"a\" without-suffix \".devices.example\" in-lower-case".to_owned(),
        "attribute CN + \"@partner-ca\"".to_owned(),
        "attribute CN among (\"alice\", \"bob\")".to_owned(),
        "iflmap/ESBMessaging.send".to_owned(),
        "SAPERPUSER\nsaperpuser".to_owned(),
        "1.2.840.113549.1.9.1\n2.999.1".to_owned(),
        "-01:0a\n0a20200428121610".to_owned(),
        "*.gw.example\ngw.example".to_owned(),
        "certificate\nat-least key".to_owned(),
        "user billing\nrule acme".to_owned(),
        "certmap time=2026-11-23T22:46:00Z outcome=admitted host=api.example.com resumed=true peer=10.36.128.7:50123 \
         user=billing rule=acme strength=certificate certificate=sha256:9f86 issuer=\"CN=a,O=b\" subject=\"CN=a,O=b\" \
         policy=sha256:d15d connection=c-17 detail=\"two words\""
            .to_owned(),
        "10.36.128.7 - SAPERPUSER [24/Jul/2025:22:55:27 +0000] \"POST /sample/iflow HTTP/1.1\" 404 5".to_owned(),
    ];
    texts.iter().enumerate().for_each(|(number, text)| seeds.put("texts", number, text));
}

fn documents(seeds: &Seeds) {
    let pin = TestCertificate::new("CN=pin").with_version(1).self_signed();
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let list =
        TestRevocationList::new().revoking(&[9]).with_dates(NOW.as_secs(), Some(NOW.as_secs() + 9)).signed_by(&ca);
    let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
    bundle.add_pin(pin.certificate().clone()).expect("a pin");
    let under = bundle.add_anchor(ca.certificate().clone()).expect("an anchor");
    let rule = |selector: String, source: &str| {
        let selector = selector.parse().expect("a selector");
        CertUserMapping::from_source(selector, source.parse().expect("a source"))
    };
    let mut revocation = Revocation::new();
    revocation.add_pem(list.pem().as_bytes()).expect("a list");
    let policy = PolicyBuilder::for_host(Host::new("gw".parse().expect("an id"), bundle).as_default())
        .mapping(rule(pin.certificate().fingerprint().to_string(), "\"SAPERPUSER\""))
        .mapping(rule(format!("under {under} dns"), "\"iot/\" + dns"))
        .assignment(RoleAssignment::new(
            "SAPERPUSER".parse::<certmap::UserName>().expect("a user"),
            Role::from_static("iflmap/ESBMessaging.send"),
        ))
        .revocation(revocation)
        .denial(Denial::key(ca.certificate().spki_fingerprint()))
        .disabled_user("mallory".parse().expect("a user"))
        .build()
        .unwrap_or_else(|error| panic!("{:?}", error.problems()));
    let document = Document::from(&policy);
    seeds.put("document", "policy.toml", toml::to_string(&document).expect("a document"));
    seeds.put("document", "policy.json", serde_json::to_string(&document).expect("a document"));
    let short = [
        "version = 1\n",
        "version = 1\nhosts = [{ id = \"gw\", bundle = \"b\", client-auth = \"request\" }]\nbundles = [{ name = \"b\", limit = 3 }]\n",
        "version = 1\nusers = [{ name = \"a\", disabled = true, note = \"b\" }]\nmappings = [{ match = \"@a\", user = \"c\" }]\n",
        "version = 1\nassignments = [{ role = \"a/b\", user = \"c\" }, { role = \"a/b\", rule = \"d\", at-least = \"key\" }]\n",
        "version = 1\n[[certificates]]\nbundle = \"b\"\nkind = \"pin\"\nalias = \"a\"\ncertificate = \"file:a.pem\"\n",
        "version = 1\n[[denials]]\nkey = \"spki-sha256:00\"\n[[revocation-lists]]\nlist = \"\"\n",
        "{\"version\":1,\"hosts\":[]}",
    ];
    short.iter().enumerate().for_each(|(number, text)| seeds.put("document", number, text));
}

/// Numbers of certificates, hosts and seconds.
fn questions(seeds: &Seeds) {
    for host in 0..3 {
        for certificate in 0..24 {
            let chain: &[u8] = &[host, 0, 9, certificate, 4, 15, 23];
            seeds.put("chain", format!("{host}-{certificate}"), &chain[..if certificate % 3 == 0 { 4 } else { 7 }]);
        }
    }
    let below = |rest: &[u8]| [&[0, 0, 9], rest].concat();
    seeds.put("chain", "edited", below(&[0x90, 6, 0, 99, 1, 4]));
    seeds.put("chain", "cut", below(&[0xc0, 6, 0, 99, 4]));
    seeds.put("chain", "spliced", below(&[0xe0, 6, 16, 1, 44, 4]));
    let stranger = TestCertificate::new("CN=direct").with_purpose(2).self_signed();
    let der = stranger.certificate().der();
    let length = u16::try_from(der.len()).expect("a short certificate").to_be_bytes();
    seeds.put("chain", "bytes", below(&[&[0x80], &length[..], der, &[3]].concat()));

    // The first policies of each family, and some of everything; then chains of one and of three certificates, at two times.
    for family in 0..12_u8 {
        let choices: Vec<u8> = (0..60).map(|place: u8| place.wrapping_mul(7).wrapping_add(family)).collect();
        let questions = (0..16).flat_map(|who: u8| [0, 1, who, 1, who, 0, 3, who, who + 1, 2, 2, 80]);
        let input: Vec<u8> = [60, family].into_iter().chain(choices).chain(questions).collect();
        seeds.put("model", family, input);
    }

    for version in 0..2 {
        for name in 0..4 {
            let name = name as u8;
            seeds.put("handshake", format!("partner-{version}-{name}"), [2, version, name, 0]);
            seeds.put("handshake", format!("edited-{version}-{name}"), [2, version, name, 2, 0, 0, 60, 1, 1, 0, 80, 2]);
            seeds.put("handshake", format!("replayed-{version}-{name}"), [3, version, name, 0, 20, 3, 3, 0, 1, 1]);
            for certificate in 0..5 {
                let input = [1, version, name, 0, certificate, 1];
                seeds.put("handshake", format!("attacker-{version}-{name}-{certificate}"), input);
            }
        }
        let hello = certmap_fuzz::first_message(version);
        seeds.put("handshake", format!("hello-{version}"), [&[0, 255, 0], &hello[..]].concat());
        seeds.put(
            "handshake",
            format!("hello-{version}-more"),
            [&[0, 1, 0], &hello[..], &[20, 3, 3, 0, 1, 1]].concat(),
        );
    }
}
