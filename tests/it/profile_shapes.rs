//! Certificates for profiles: one that is in order, and one for each thing that a peer may mind, below one root.

use std::sync::OnceLock;

use certmap::NewKey;
use certmap::rustls::pki_types::alg_id;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity, TestName};

use crate::parts::{Parts, algorithm, extension, sequence, tlv};

pub const HOST: &str = "gw.example";
pub const DAY: u64 = 86_400;
const KEY_ID: [u8; 20] = [9; 20];

/// What a certificate is made from; as it begins, every peer takes it for a client or a server.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a certificate has or not")]
pub struct Recipe {
    pub name: &'static str,
    pub subject: &'static str,
    pub subject_der: Option<Vec<u8>>,
    pub version: u8,
    pub serial: Vec<u8>,
    pub key: NewKey,
    pub validity: (u64, u64),
    /// Whether it is a CA, path length, critical.
    pub constraints: Option<(bool, Option<u8>, bool)>,
    pub usage: Option<Vec<KeyUsageBit>>,
    pub purposes: Option<Vec<u8>>,
    pub any_purpose: bool,
    pub names: Vec<TestName<'static>>,
    pub names_critical: bool,
    pub authority: bool,
    pub subject_key: bool,
    /// Issued by itself instead of the root.
    pub self_signed: bool,
    /// What only a misbehaved writer does.
    pub edit: fn(&mut Parts),
}

impl Recipe {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            subject: "CN=gw.example,O=Partner",
            subject_der: None,
            version: 3,
            serial: vec![0x4d, 1],
            key: NewKey::EcP256,
            validity: (NOW.as_secs() - DAY, NOW.as_secs() + 90 * DAY),
            constraints: Some((false, None, true)),
            usage: Some(vec![KeyUsageBit::DigitalSignature]),
            purposes: Some(vec![1, 2]),
            any_purpose: false,
            names: vec![TestName::Dns(HOST)],
            names_critical: false,
            authority: true,
            subject_key: false,
            self_signed: false,
            edit: |_| (),
        }
    }

    pub fn make(&self) -> Vec<u8> {
        let root = root();
        let mut made = TestCertificate::new(self.subject)
            .with_version(self.version)
            .with_serial(&self.serial)
            .with_new_key(self.key)
            .with_validity(self.validity.0, self.validity.1);
        if let Some(name) = &self.subject_der {
            made = made.with_subject_der(name);
        }
        if self.version == 3 {
            made = self.extended(made);
        }
        let own = if self.self_signed { made.self_signed() } else { made.issued_by(root) };
        let mut parts = Parts::of(&own);
        (self.edit)(&mut parts);
        parts.signed_by(if self.self_signed { &own } else { root })
    }

    /// True if every peer is asked what the profile speaks of: the certificate, and not its issuer, the time or the name
    /// that is called.
    pub fn is_measured(&self) -> bool {
        !["address only", "a second", "self-signed"].contains(&self.name)
    }

    fn extended(&self, mut made: TestCertificate) -> TestCertificate {
        if let Some((ca, path_len, critical)) = self.constraints {
            made = made.with_basic_constraints(ca, path_len, critical);
        }
        if let Some(bits) = &self.usage {
            made = made.with_key_usage(bits);
        }
        if let Some(purposes) = &self.purposes {
            made = made.with_purposes(purposes);
        }
        if self.any_purpose {
            made = made.with_any_purpose();
        }
        if !self.names.is_empty() {
            made = if self.names_critical {
                // `gw.example`
                let name = tlv(0x82, HOST.as_bytes());
                made.with_extension("2.5.29.17", true, &sequence(&[&name]))
            } else {
                made.with_alternative_names(&self.names)
            };
        }
        if self.subject_key {
            made = made.with_key_identifier(&[7; 20]);
        }
        if self.authority {
            made = made.with_extension("2.5.29.35", false, &sequence(&[&tlv(0x80, &KEY_ID)]));
        }
        made
    }
}

pub fn root() -> &'static TestIdentity {
    static ROOT: OnceLock<TestIdentity> = OnceLock::new();
    ROOT.get_or_init(|| {
        TestCertificate::new("CN=root")
            .as_ca()
            .with_validity(NOW.as_secs() - 3650 * DAY, NOW.as_secs() + 3650 * DAY)
            .with_key_identifier(&KEY_ID)
            .self_signed()
    })
}

fn with_key(parts: &mut Parts, of: &[u8], bits: &[u8]) {
    parts.public_key = sequence(&[&algorithm(of), &tlv(3, &[&[0], bits].concat())]);
}

/// A key of RSA that is nobody's.
fn rsa(parts: &mut Parts, bits: usize) {
    let top = 1u8 << ((bits - 1) % 8);
    let sign: &[u8] = if top == 0x80 { &[0] } else { &[] };
    let modulus = [sign, &[top][..], &vec![0x5a; bits.div_ceil(8) - 2], &[1]].concat();
    let key = sequence(&[&tlv(2, &modulus), &[2, 3, 1, 0, 1]]);
    with_key(parts, &alg_id::RSA_ENCRYPTION, &key);
}

fn dated(parts: &mut Parts, tag: u8, not_before: &str, not_after: (u8, &str)) {
    parts.validity = sequence(&[&tlv(tag, not_before.as_bytes()), &tlv(not_after.0, not_after.1.as_bytes())]);
}

/// A name of one common name of this string type.
fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
    let attribute = sequence(&[&[6, 3, 0x55, 4, 3], &tlv(tag, value)]);
    sequence(&[&tlv(0x31, &attribute)])
}

/// Every shape, the one that is in order first.
pub fn recipes() -> Vec<Recipe> {
    use KeyUsageBit as Bit;
    let new = Recipe::new;
    let edited = |name, edit| Recipe { edit, ..new(name) };
    let now = NOW.as_secs();
    vec![
        new("sound"),
        Recipe { purposes: Some(vec![2]), ..new("client only") },
        Recipe { purposes: Some(vec![1]), ..new("server only") },
        Recipe { purposes: Some(vec![4]), ..new("mail only") },
        Recipe { purposes: Some(vec![]), ..new("no purpose") },
        Recipe { purposes: None, any_purpose: true, ..new("any purpose") },
        Recipe { purposes: None, ..new("no extended key usage") },
        Recipe { version: 1, ..new("version 1") },
        edited("version 2", |parts| (parts.version, parts.extensions) = (vec![0xa0, 3, 2, 1, 1], vec![])),
        edited("unique id", |parts| parts.unique_ids = vec![0x81, 2, 0, 7]),
        Recipe { constraints: Some((true, None, true)), ..new("CA") },
        Recipe { constraints: Some((true, None, true)), subject_key: true, ..new("CA with key identifier") },
        Recipe { constraints: Some((true, Some(0), true)), subject_key: true, ..new("CA with path length") },
        Recipe { constraints: Some((true, None, false)), ..new("CA not critical") },
        Recipe { constraints: Some((true, None, true)), usage: None, ..new("CA without key usage") },
        Recipe {
            constraints: Some((true, Some(0), true)),
            usage: Some(vec![Bit::DigitalSignature, Bit::KeyCertSign]),
            subject_key: true,
            ..new("CA in full")
        },
        Recipe { constraints: Some((false, Some(0), true)), ..new("path length, no CA") },
        Recipe { constraints: Some((false, None, false)), ..new("no CA, not critical") },
        Recipe { constraints: None, ..new("no basic constraints") },
        Recipe { usage: Some(vec![Bit::DigitalSignature, Bit::KeyCertSign]), ..new("keyCertSign") },
        Recipe { usage: Some(vec![Bit::DigitalSignature, Bit::CrlSign]), ..new("cRLSign") },
        Recipe { usage: Some(vec![Bit::KeyEncipherment]), ..new("keyEncipherment") },
        Recipe { usage: Some(vec![Bit::KeyAgreement]), ..new("keyAgreement") },
        Recipe { usage: Some(vec![Bit::NonRepudiation]), ..new("nonRepudiation") },
        Recipe { usage: Some(vec![]), ..new("empty key usage") },
        Recipe { usage: None, ..new("no key usage") },
        edited("RSA 1023", |parts| rsa(parts, 1023)),
        edited("RSA 1024", |parts| rsa(parts, 1024)),
        edited("RSA 1962", |parts| rsa(parts, 1962)),
        edited("RSA 1963", |parts| rsa(parts, 1963)),
        edited("RSA 2047", |parts| rsa(parts, 2047)),
        edited("RSA 2048", |parts| rsa(parts, 2048)),
        edited("RSA 8192", |parts| rsa(parts, 8192)),
        edited("RSA 8193", |parts| rsa(parts, 8193)),
        edited("RSA 16384", |parts| rsa(parts, 16_384)),
        edited("RSA 16385", |parts| rsa(parts, 16_385)),
        Recipe { key: NewKey::Ed25519, ..new("Ed25519") },
        Recipe { key: NewKey::EcP384, ..new("P-384") },
        Recipe { key: NewKey::EcP521, ..new("P-521") },
        edited("Ed448", |parts| with_key(parts, &[6, 3, 0x2b, 0x65, 0x71], &[0x5a; 57])),
        Recipe { validity: (now, now + 200 * DAY - 1), ..new("200 days") },
        Recipe { validity: (now, now + 200 * DAY), ..new("200 days and a second") },
        Recipe { validity: (now, now + 825 * DAY), ..new("825 days and a second") },
        Recipe { validity: (now - 1, now - 1), ..new("a second") },
        Recipe { validity: (now + 1, now - 1), ..new("never") },
        Recipe { serial: vec![0], ..new("serial 0") },
        Recipe { serial: vec![0x80], ..new("serial negative") },
        Recipe { serial: vec![0, 0x80], ..new("serial 128") },
        Recipe { serial: vec![0x7f; 20], ..new("serial 20") },
        Recipe { serial: vec![0x7f; 21], ..new("serial 21") },
        Recipe { serial: vec![0x7f; 40], ..new("serial 40") },
        Recipe { serial: vec![0, 0, 7], ..new("serial padded") },
        Recipe { subject: "", ..new("no subject") },
        Recipe { subject: "", names_critical: true, ..new("no subject, critical names") },
        Recipe { subject: "", names: vec![], ..new("no subject, no names") },
        Recipe { subject: "O=Partner", ..new("no common name") },
        Recipe { names: vec![], ..new("no names") },
        Recipe { names: vec![TestName::Email("a@gw.example")], ..new("mail name only") },
        Recipe { names: vec![TestName::Ip("192.0.2.1".parse().unwrap())], ..new("address only") },
        Recipe { subject_der: Some(common_name(20, b"gw.example")), ..new("Teletex") },
        Recipe { subject_der: Some(common_name(30, &b"gw.example".map(|c| [0, c]).concat())), ..new("BMP") },
        Recipe { subject_der: Some(common_name(19, b"gw_example@*")), ..new("Printable with others") },
        Recipe { subject_der: Some(common_name(12, &[b'a'; 65])), ..new("common name of 65") },
        Recipe { subject_der: Some(common_name(12, b"a\0b")), ..new("NUL") },
        edited("unknown critical", |parts| {
            parts.extend(&sequence(&[&[6, 3, 0x2a, 3, 4], &[1, 1, 0xff], &[4, 2, 5, 0]]));
        }),
        edited("unknown, not critical", |parts| parts.extend(&sequence(&[&[6, 3, 0x2a, 3, 4], &[4, 2, 5, 0]]))),
        edited("critical policies", |parts| parts.extend(&extension(32, true, &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3]))),
        edited("name constraints", |parts| {
            let subtrees = tlv(0xa0, &sequence(&[&tlv(0x82, HOST.as_bytes())]));
            parts.extend(&extension(30, true, &sequence(&[&subtrees])));
        }),
        Recipe { authority: false, ..new("no authority key identifier") },
        Recipe { authority: false, self_signed: true, ..new("self-signed") },
        edited("two algorithms", |parts| parts.outer_algorithm = Some(algorithm(alg_id::ECDSA_SHA384))),
        edited("from 1969", |parts| dated(parts, 0x17, "690101000000Z", (0x17, "270101000000Z"))),
        edited("from 1970", |parts| dated(parts, 0x17, "700101000000Z", (0x17, "270101000000Z"))),
        edited("from 1969, in four digits", |parts| dated(parts, 0x18, "19690101000000Z", (0x17, "270101000000Z"))),
        edited("from 1960", |parts| dated(parts, 0x17, "600101000000Z", (0x17, "270101000000Z"))),
        edited("no seconds", |parts| dated(parts, 0x17, "2601010000Z", (0x17, "2701010000Z"))),
        edited("offset", |parts| dated(parts, 0x17, "260101000000+0100", (0x17, "270101000000+0100"))),
        edited("fraction", |parts| dated(parts, 0x18, "20260101000000.5Z", (0x18, "20270101000000.5Z"))),
        edited("generalized before 2050", |parts| dated(parts, 0x18, "20260101000000Z", (0x18, "20270101000000Z"))),
        edited("to 9999", |parts| dated(parts, 0x17, "260101000000Z", (0x18, "99991231235959Z"))),
    ]
}

/// `ecdsa-with-SHA1` (RFC 3279, section 2.2.3).
const ECDSA_SHA1: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

pub fn sound() -> TestIdentity {
    let usage = TestCertificate::new("CN=gw.example").with_ca_false().with_purposes(&[1, 2]);
    let authority = sequence(&[&tlv(0x80, &KEY_ID)]);
    usage.with_server_name(HOST).with_extension("2.5.29.35", false, &authority).issued_by(root())
}

/// The parts with this way to sign, by whoever knows it.
pub fn sha1(mut parts: Parts, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    parts.algorithm = algorithm(ECDSA_SHA1);
    parts.with_signature(&sign(&parts.tbs()))
}
