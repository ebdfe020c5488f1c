//! Subject alternative names: as they are read, and whom a CA can make with them.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};

use certmap::cert::{Certificate, GeneralName};
use certmap::limits::NAMES_PER_CERTIFICATE;
use certmap::rustls::crypto::ring;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Evidence, Policy, PolicyBuilder, PolicyHandle, TrustBundle};

use crate::{der, names, one_line, plain_error};

/// `id-ce-subjectAltName`.
const OID: &str = "2.5.29.17";

struct World {
    ca: TestIdentity,
    template: TestCertificate,
    /// The subject's public key.
    spki: Vec<u8>,
    policy: Arc<Policy>,
}

/// A CA whose certificates are users: `iot/` and the one DNS name.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
        let holder = TestCertificate::new("CN=device").self_signed();
        let template = TestCertificate::new("CN=device").with_key_of(&holder);
        let mut bundle = TrustBundle::new("devices".parse().expect("a name"));
        let fingerprint = bundle.add_anchor(ca.certificate().clone()).expect("an anchor");
        let selector = format!("under {fingerprint} dns").parse().expect("a selector");
        let users: certmap::UserSource = r#""iot/" + dns"#.parse().expect("a source");
        let policy = PolicyBuilder::for_host(certmap::Host::new("gw".parse().expect("an id"), bundle))
            .mapping(CertUserMapping::from_source(selector, users))
            .build_with_provider(&ring::default_provider())
            .expect("a policy");
        let holder = holder.certificate().der();
        let whole = der::all(der::only(&holder).expect("a certificate").content).expect("parts");
        let spki = der::all(whole[0].content).expect("fields")[6].whole.to_vec();
        World { ca, template, spki, policy: PolicyHandle::new(policy).current() }
    })
}

/// A certificate that nobody signed, with this as the value of its alternative names.
fn unsigned(value: &[u8], spki: &[u8]) -> Vec<u8> {
    const ALGORITHM: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let name = der::sequence(&[]);
    let time = |time: &[u8]| der::element(0x17, time);
    let validity = der::sequence(&[&time(b"260101000000Z"), &time(b"270101000000Z")]);
    let extension = der::sequence(&[&[6, 3, 0x55, 0x1d, 17], &der::element(4, value)]);
    let extensions = der::element(0xa3, &der::sequence(&[&extension]));
    let tbs: [&[u8]; 8] = [&[0xa0, 3, 2, 1, 2], &[2, 1, 1], ALGORITHM, &name, &validity, &name, spki, &extensions];
    der::sequence(&[&der::sequence(&tbs), ALGORITHM, &der::element(3, &[0, 0])])
}

/// An even first byte: the rest is the value of the extension. An odd one: the rest is what stands in its SEQUENCE.
fn value(input: &[u8]) -> Vec<u8> {
    match input {
        [] => Vec::new(),
        [form, rest @ ..] if form % 2 == 0 => rest.to_vec(),
        [_, rest @ ..] => der::element(0x30, rest),
    }
}

/// Each name that is read is the one that a plain reader finds there, of its kind, whole and in order. A certificate that a
/// CA signed with these names is the user `iot/` and the one DNS name if it has exactly one, and else nobody.
pub(crate) fn law(input: &[u8]) {
    let world = world();
    let value = value(input);
    let certificate = match Certificate::from_der(&unsigned(&value, &world.spki)) {
        Ok(certificate) => certificate,
        Err(error) => {
            plain_error(&error);
            return;
        }
    };
    let read = certificate.subject_alternative_names();
    assert!(read.len() <= NAMES_PER_CERTIFICATE);
    read.iter().for_each(|name| one_line(&name.to_string()));
    let elements = der::only(&value).and_then(|names| der::all(names.content));
    if let Some(elements) = &elements {
        assert_eq!(read.len(), elements.len());
        read.iter().zip(elements).for_each(|(name, element)| same(name, element));
    }
    decided(world, &value, elements.as_deref());
}

/// A name is what stands there.
#[track_caller]
fn same(name: &GeneralName, element: &der::Element<'_>) {
    let number = u32::from(element.tag & 0x1f);
    let (kind, content) = match name {
        GeneralName::Email(text) => (1, text.as_bytes().to_vec()),
        GeneralName::Dns(text) => (2, text.as_bytes().to_vec()),
        GeneralName::Uri(text) => (6, text.as_bytes().to_vec()),
        GeneralName::Ip(std::net::IpAddr::V4(address)) => (7, address.octets().to_vec()),
        GeneralName::Ip(std::net::IpAddr::V6(address)) => (7, address.octets().to_vec()),
        GeneralName::RegisteredId(id) => (8, id.as_der_content().to_vec()),
        GeneralName::Other { kind, value } => (0, [der::element(6, kind.as_der_content()), value.clone()].concat()),
        GeneralName::Directory(name) => {
            names::laws(name);
            assert_eq!(number, 4);
            let read = certmap::cert::DistinguishedName::from_der(element.content);
            assert_eq!(read.as_ref(), Ok(name));
            return;
        }
        GeneralName::Malformed { tag, content } => {
            assert_eq!(*tag, number, "{name:?} of {element:?}");
            // As far as it could be read.
            let part = element.content.windows(content.len().max(1)).any(|part| part == content);
            assert!(content.is_empty() || part, "{name:?} of {element:?}");
            return;
        }
        other => panic!("a kind without law: {other:?}"),
    };
    assert_eq!(number, kind, "{name:?} of {element:?}");
    if kind == 0 {
        // Its number may stand there with a length that is not DER.
        assert!(element.content.ends_with(&content[content.len() - 1..]), "{name:?} of {element:?}");
    } else {
        assert_eq!(element.content, content, "{name:?} of {element:?}");
    }
}

fn decided(world: &World, value: &[u8], elements: Option<&[der::Element<'_>]>) {
    let signed = world.template.clone().with_extension(OID, false, value).issued_by(&world.ca);
    let evidence = Evidence::after_handshake("gw".parse().expect("an id"), signed.chain_without_root());
    let decision = world.policy.decide(&evidence, NOW);
    let line = decision.record().to_string();
    one_line(&line);
    assert_eq!(world.policy.decide(&evidence, NOW).record().to_string(), line);
    let Some(elements) = elements else { return };
    let dns: Vec<_> = elements.iter().filter(|element| element.tag & 0x1f == 2).collect();
    let user = decision.principal().map(|principal| principal.user().as_str());
    if let Some(user) = user {
        let [one] = dns[..] else { panic!("{user} with {} DNS names", dns.len()) };
        // A host has no case.
        assert_eq!(user.as_bytes(), [b"iot/".to_vec(), one.content.to_ascii_lowercase()].concat());
    }
    // Hidden characters anywhere, or what may be a name of any kind, make nobody.
    let plain = |one: &der::Element<'_>| {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.@:/".contains(byte);
        matches!(one.tag, 0x81 | 0x82 | 0x86) && one.content.len() < 64 && one.content.iter().all(fits)
    };
    let label = |label: &[u8]| {
        let fits = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        !label.is_empty() && label.iter().all(fits)
    };
    let labels = |one: &der::Element<'_>| one.content.split(|byte| *byte == b'.').all(label);
    // Where a name ends in a number, also one as C writes it, readers do not agree whether it is a name.
    let number = |one: &der::Element<'_>| {
        let last = one.content.rsplit(|byte| *byte == b'.').next();
        last.is_some_and(|last| {
            let hexadecimal = last.strip_prefix(b"0x").is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            hexadecimal || last.iter().all(u8::is_ascii_digit)
        })
    };
    // What is not DER (a length longer than it need be) not every reader takes.
    let again: Vec<_> = elements.iter().map(|one| der::element(one.tag, one.content)).collect();
    if let [one] = dns[..]
        && value == der::element(0x30, &again.concat())
        && elements.iter().all(plain)
        && labels(one)
        && !number(one)
    {
        assert!(user.is_some(), "{line}");
    }
}

pub(crate) fn work(input: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(&unsigned(&value(input), &world().spki)) {
        black_box(certificate.subject_alternative_names());
    }
}
