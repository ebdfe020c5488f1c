//! Certificates of every shape that is known to trouble some implementation: pinned, and issued by a CA that is an anchor.
//!
//! A pin is named byte by byte, so nothing in it matters but its key and its validity; below an anchor everything does.
//! What cannot be read in one way only is neither.

use std::error::Error as _;
use std::sync::Arc;

use certmap::rustls::pki_types::{CertificateDer, alg_id};
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity, TestName};
use certmap::trust::{TrustError, Untrusted};
use certmap::{
    CertUserMapping, Certificate, Host, NewKey, Policy, PolicyBuilder, Refusal, RefusalCode, Selector, TrustBundle,
};

use crate::anchors::{bundle, client, decide_at};
use crate::common::{Backend, Gateway, everywhere, user};
use crate::naive::{Attack, pins};
use crate::parts::{Parts, algorithm, extension, sequence, tlv};

/// One shape and what becomes of it.
struct Shape {
    name: &'static str,
    /// Key, and what a well-behaved writer can write.
    made: TestCertificate,
    /// What only a misbehaved one does.
    edit: fn(&mut Parts),
    /// Signed by the CA with the RSA key.
    rsa_ca: bool,
    /// The key in it is nobody's, so nobody can call with it.
    keyless: bool,
    pin: &'static str,
    anchor: &'static str,
}

const ADMITTED: &str = "admitted";

fn shape(name: &'static str, made: TestCertificate, pin: &'static str, anchor: &'static str) -> Shape {
    Shape { name, made, edit: |_| (), rsa_ca: false, keyless: false, pin, anchor }
}

fn edited(name: &'static str, edit: fn(&mut Parts), pin: &'static str, anchor: &'static str) -> Shape {
    Shape { edit, ..shape(name, partner(), pin, anchor) }
}

/// A shape that differs in its public key alone, given as the content of its algorithm identifier and its bits.
fn keyed(name: &'static str, edit: fn(&mut Parts), pin: &'static str, anchor: &'static str) -> Shape {
    Shape { keyless: true, ..edited(name, edit, pin, anchor) }
}

fn partner() -> TestCertificate {
    TestCertificate::new("C=DE,O=Partner,CN=partner")
}

fn with_key(parts: &mut Parts, of: &[u8], bits: &[u8]) {
    parts.public_key = sequence(&[&algorithm(of), &tlv(3, &[&[0], bits].concat())]);
}

fn rsa(parts: &mut Parts, octets: usize) {
    let modulus = [&[0, 0x80][..], &vec![0x5a; octets - 2], &[1]].concat();
    let key = sequence(&[&tlv(2, &modulus), &[2, 3, 1, 0, 1]]);
    with_key(parts, &alg_id::RSA_ENCRYPTION, &key);
}

fn ec(parts: &mut Parts, curve: &[u8], octets: usize) {
    let id = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1][..], &tlv(6, curve)].concat();
    with_key(parts, &id, &[&[4][..], &vec![0x5a; octets]].concat());
}

fn dated(parts: &mut Parts, tag: u8, not_before: &str, not_after: (u8, &str)) {
    parts.validity = sequence(&[&tlv(tag, not_before.as_bytes()), &tlv(not_after.0, not_after.1.as_bytes())]);
}

fn named(parts: &mut Parts, tag: u8, value: &[u8]) {
    let attribute = sequence(&[&[6, 3, 0x55, 4, 3], &tlv(tag, value)]);
    parts.subject = sequence(&[&tlv(0x31, &attribute)]);
}

const UTC: u8 = 0x17;
const GENERALIZED: u8 = 0x18;
const CA_TRUE: &[u8] = &[0x30, 3, 1, 1, 0xff];
const SHA1_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 5, 5, 0];
const MD5_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 4, 5, 0];

/// Versions and purposes.
fn structure() -> Vec<Shape> {
    use KeyUsageBit as Bit;
    let ca = "path-invalid EndEntityIsCa";
    let odd = "path-invalid Unprocessable";
    vec![
        shape("CA:FALSE and clientAuth", partner().with_ca_false().with_purpose(2), ADMITTED, ADMITTED),
        shape(
            "CA:TRUE, as `openssl req -x509` writes",
            partner().with_ca_true().with_key_identifier(&[1; 20]),
            ADMITTED,
            ca,
        ),
        shape(
            "CA:TRUE with path length 0 and keyCertSign",
            partner().with_basic_constraints(true, Some(0), true).with_key_usage(&[Bit::KeyCertSign]),
            ADMITTED,
            ca,
        ),
        shape("version 1, P-256", partner().with_version(1), ADMITTED, odd),
        shape("version 1, RSA", partner().with_version(1).with_new_key(NewKey::Rsa2048), ADMITTED, odd),
        edited(
            "version 2 with an issuer's unique id",
            |parts| (parts.version, parts.unique_ids) = (vec![0xa0, 3, 2, 1, 1], vec![0x81, 2, 0, 7]),
            ADMITTED,
            odd,
        ),
        edited(
            "version 3 with unique ids",
            |parts| parts.unique_ids = vec![0x81, 2, 0, 7, 0x82, 2, 0, 8],
            ADMITTED,
            odd,
        ),
        shape("version 3 without extensions", partner(), ADMITTED, ADMITTED),
        edited(
            "version 3 with an empty sequence of extensions",
            |parts| parts.extensions = vec![0xa3, 2, 0x30, 0],
            ADMITTED,
            ADMITTED,
        ),
    ]
}

/// Extensions of every kind and size.
fn extensions() -> Vec<Shape> {
    use KeyUsageBit as Bit;
    let ca = "path-invalid EndEntityIsCa";
    let odd = "path-invalid Unprocessable";
    let purpose = "wrong-purpose Purpose";
    let many = |count: u16| {
        (0..count).fold(partner(), |made, number| {
            let [high, low] = number.to_be_bytes();
            made.with_extension(&format!("1.2.3.{high}.{low}"), false, &[5, 0])
        })
    };
    vec![
        shape("no extended key usage", partner().with_ca_false(), ADMITTED, ADMITTED),
        shape("serverAuth alone", partner().with_purpose(1), ADMITTED, purpose),
        shape("anyExtendedKeyUsage alone", partner().with_any_purpose(), ADMITTED, purpose),
        shape("empty extended key usage", partner().with_purposes(&[]), ADMITTED, purpose),
        shape("unknown critical extension", partner().with_extension("1.2.3.4", true, &[5, 0]), ADMITTED, odd),
        edited(
            "critical certificate policies",
            |parts| parts.extend(&extension(32, true, &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3])),
            ADMITTED,
            odd,
        ),
        shape("unknown extension", partner().with_extension("1.2.3.4", false, &[5, 0]), ADMITTED, ADMITTED),
        shape("900 unknown extensions", many(900), ADMITTED, ADMITTED),
        edited(
            "extension of 20 KB",
            |parts| parts.extend(&extension(99, false, &vec![0; 20_000])),
            "unread TooLarge; certificate-too-large",
            "certificate-too-large",
        ),
        edited(
            "extension of 70 KB",
            |parts| parts.extend(&extension(99, false, &vec![0; 70_000])),
            "unread TooLarge; certificate-too-large",
            "certificate-too-large",
        ),
        edited(
            "basic constraints twice",
            |parts| {
                parts.extend(&extension(19, true, CA_TRUE));
                parts.extend(&extension(19, true, CA_TRUE));
            },
            "unread DuplicateExtension; untrusted Unreadable",
            "untrusted Unreadable",
        ),
        shape("key usage keyCertSign alone", partner().with_key_usage(&[Bit::KeyCertSign]), ADMITTED, ca),
        shape(
            "key usage keyEncipherment alone",
            partner().with_key_usage(&[Bit::KeyEncipherment]),
            ADMITTED,
            "path-invalid KeyUsage",
        ),
        shape(
            "name constraints of its own that exclude its own name",
            partner().with_alternative_names(&[TestName::Dns("a.example")]).with_name_constraints(
                &[],
                &[TestName::Dns("a.example")],
                true,
            ),
            ADMITTED,
            "path-invalid NameConstraint",
        ),
        shape(
            "alternative name that is no DNS name",
            partner().with_alternative_names(&[TestName::Dns("no name!")]),
            ADMITTED,
            ADMITTED,
        ),
    ]
}

/// Signatures and keys.
fn keys() -> Vec<Shape> {
    let unfit = "unfit; untrusted Unknown";
    let weak = "path-invalid WeakKey";
    let odd = "path-invalid Unprocessable";
    let made = |name, certificate| shape(name, certificate, ADMITTED, ADMITTED);
    vec![
        edited(
            "two names for the algorithm of the signature",
            |parts| parts.outer_algorithm = Some(algorithm(alg_id::ECDSA_SHA384)),
            ADMITTED,
            odd,
        ),
        edited("signed with SHA-1", |parts| parts.algorithm = algorithm(SHA1_RSA), ADMITTED, "path-invalid Algorithm"),
        edited("signed with MD5", |parts| parts.algorithm = algorithm(MD5_RSA), ADMITTED, "path-invalid Algorithm"),
        Shape {
            rsa_ca: true,
            ..edited(
                "signed with RSA-PSS",
                |parts| parts.algorithm = algorithm(alg_id::RSA_PSS_SHA256),
                ADMITTED,
                ADMITTED,
            )
        },
        keyed("RSA 1024", |parts| rsa(parts, 128), unfit, weak),
        made("RSA 2048", partner().with_new_key(NewKey::Rsa2048)),
        made("RSA 3072", partner().with_new_key(NewKey::Rsa3072)),
        made("RSA 4096", partner().with_new_key(NewKey::Rsa4096)),
        keyed("RSA 8192", |parts| rsa(parts, 1024), ADMITTED, ADMITTED),
        keyed("RSA 8200", |parts| rsa(parts, 1025), unfit, weak),
        keyed(
            "RSASSA-PSS key",
            |parts| with_key(parts, &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 10], &[0x30, 6, 2, 1, 5, 2, 1, 3]),
            unfit,
            weak,
        ),
        made("P-384", partner().with_new_key(NewKey::EcP384)),
        made("P-521", partner().with_new_key(NewKey::EcP521)),
        made("Ed25519", partner().with_new_key(NewKey::Ed25519)),
        keyed("Ed448", |parts| with_key(parts, &[6, 3, 0x2b, 0x65, 0x71], &[0x5a; 57]), unfit, weak),
        keyed("secp256k1", |parts| ec(parts, &[0x2b, 0x81, 4, 0, 10], 64), unfit, weak),
        keyed("brainpoolP256r1", |parts| ec(parts, &[0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7], 64), unfit, weak),
    ]
}

/// Numbers, names, dates.
fn values() -> Vec<Shape> {
    let odd = "path-invalid Unprocessable";
    let made = |name, certificate| shape(name, certificate, ADMITTED, ADMITTED);
    let (now, day) = (NOW.as_secs(), 86_400);
    vec![
        made("serial number of 21 octets", partner().with_serial(&[0x7f; 21])),
        made("serial number of 40 octets", partner().with_serial(&[0x7f; 40])),
        made("negative serial number", partner().with_serial(&[0x80])),
        made("serial number zero", partner().with_serial(&[0])),
        made("serial number with useless zeros", partner().with_serial(&[0, 0, 7])),
        edited(
            "empty serial number",
            |parts| parts.serial = vec![2, 0],
            "unread Malformed; untrusted Unreadable",
            "untrusted Unreadable",
        ),
        made("empty subject", TestCertificate::new("")),
        edited("common name of 64 characters", |parts| named(parts, 12, &[b'a'; 64]), ADMITTED, ADMITTED),
        edited("common name as BMPString", |parts| named(parts, 30, &[0, b'a']), ADMITTED, ADMITTED),
        edited("common name as TeletexString", |parts| named(parts, 20, b"a"), ADMITTED, ADMITTED),
        edited("NUL in the common name", |parts| named(parts, 12, b"admin\0x"), ADMITTED, ADMITTED),
        shape(
            "expired",
            partner().with_validity(now - 2 * day, now - 1),
            "certificate-expired",
            "certificate-expired Expired",
        ),
        shape(
            "not yet valid",
            partner().with_validity(now + 1, now + day),
            "certificate-not-yet-valid",
            "certificate-not-yet-valid NotYetValid",
        ),
        shape(
            "ends before it begins",
            partner().with_validity(now + day, now - day),
            "certificate-expired",
            "certificate-expired Expired",
        ),
        edited(
            "valid to the end of 9999",
            |parts| dated(parts, UTC, "250101000000Z", (GENERALIZED, "99991231235959Z")),
            ADMITTED,
            ADMITTED,
        ),
        edited("valid from 1950", |parts| dated(parts, UTC, "500101000000Z", (UTC, "491231235959Z")), ADMITTED, odd),
        edited(
            "UTCTime without seconds",
            |parts| dated(parts, UTC, "2501010000Z", (UTC, "2912312359Z")),
            ADMITTED,
            odd,
        ),
        edited(
            "UTCTime with an offset",
            |parts| dated(parts, UTC, "250101000000+0100", (UTC, "291231235959+0100")),
            ADMITTED,
            odd,
        ),
        edited(
            "GeneralizedTime with a fraction",
            |parts| dated(parts, GENERALIZED, "20250101000000.5Z", (GENERALIZED, "20291231235959.5Z")),
            ADMITTED,
            odd,
        ),
        edited(
            "GeneralizedTime before 2050",
            |parts| dated(parts, GENERALIZED, "20250101000000Z", (GENERALIZED, "20291231235959Z")),
            ADMITTED,
            ADMITTED,
        ),
    ]
}

/// Two CAs, the second with an RSA key.
fn cas() -> [TestIdentity; 2] {
    let ca = |name: &str| TestCertificate::new(name).as_ca();
    [ca("CN=ca").self_signed(), ca("CN=RSA ca").with_new_key(NewKey::Rsa2048).self_signed()]
}

/// A policy under which whoever is trusted is mapped.
fn policy(
    trust: TrustBundle,
    certificate: Option<&Certificate>,
    backend: Backend,
) -> Result<Policy, certmap::PolicyError> {
    let rule = certificate.map(|own| CertUserMapping::new(Selector::key(own.spki_fingerprint()), user("u")));
    let host = Host::new("gw".parse().unwrap(), trust);
    PolicyBuilder::for_host(host).mappings(rule).build_with_provider(&backend.provider())
}

/// The first word of a debug form: the variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}

fn told(refusal: Option<&Refusal>) -> String {
    let Some(refusal) = refusal else { return ADMITTED.to_owned() };
    let of_path = refusal.path_failure().map(variant);
    let cause = of_path.or_else(|| refusal.untrusted().map(variant));
    cause.map_or(refusal.code().to_string(), |cause| format!("{} {cause}", refusal.code()))
}

/// What becomes of a presented certificate under a policy, decided and in handshakes, which must agree.
fn outcome(shape: &Shape, der: &[u8], trust: &TrustBundle, own: &TestIdentity) -> String {
    let chain = [CertificateDer::from(der.to_vec())];
    let read = Certificate::from_der(der).ok();
    let decided = decide_at(&policy(trust.clone(), read.as_ref(), Backend::AwsLcRs).unwrap(), &chain, NOW);
    let code = decided.refusal().map(|refusal| refusal.code().to_string());
    for (backend, version) in everywhere().filter(|_| !shape.keyless) {
        let Ok(key) = backend.provider().key_provider.load_private_key(own.key()) else { continue };
        let Ok(policy) = policy(trust.clone(), read.as_ref(), backend) else { continue };
        let gateway = Gateway::new(policy, backend);
        let somebody = TestCertificate::new("CN=somebody").self_signed().identity_on(&backend.provider());
        let mut client = gateway.client(somebody, backend, version);
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain.to_vec(), key)));
        let ends = gateway.call(client);
        let refused = ends.server_error.as_ref().map(|error| gateway.endpoint.only().unwrap().refused(error, NOW));
        // TLS itself carries no message beyond 64 KiB.
        if matches!(refused, Some(None)) && der.len() > 0xffff {
            continue;
        }
        assert_eq!(gateway.refusal(&ends), code, "{} {backend:?} {version:?}", shape.name);
    }
    told(decided.refusal())
}

/// The pin column: can it be pinned, and what becomes of it then; what cannot is presented to a gateway that knows others.
fn pinned(shape: &Shape, own: &TestIdentity, signer: &TestIdentity) -> String {
    let mut parts = Parts::of(own);
    (shape.edit)(&mut parts);
    let der = parts.signed_by(signer);
    let mut trust = TrustBundle::new("partners".parse().unwrap());
    let added = match Certificate::from_der(&der) {
        Err(cause) => format!("unread {}; ", variant(&cause)),
        Ok(certificate) => match trust.add_pin(certificate) {
            Ok(_) => String::new(),
            Err(cause @ TrustError::UnfitKey { .. }) => {
                assert!(cause.source().is_some());
                "unfit; ".to_owned()
            }
            Err(cause) => panic!("{}: {cause}", shape.name),
        },
    };
    if trust.is_empty() {
        trust.add_pin(TestCertificate::new("CN=other").self_signed().certificate().clone()).unwrap();
    }
    added + &outcome(shape, &der, &trust, own)
}

/// The anchor column: the same certificate, issued by an anchor.
fn issued(shape: &Shape, own: &TestIdentity, signer: &TestIdentity, anchors: &TrustBundle) -> String {
    let mut parts = Parts::of(own);
    parts.issuer = Parts::of(signer).subject;
    (shape.edit)(&mut parts);
    outcome(shape, &parts.signed_by(signer), anchors, own)
}

#[test]
fn every_known_shape_is_a_pin_if_it_can_be_read_and_a_client_of_a_ca_if_it_is_in_order() {
    let cas = cas();
    let anchors = bundle(&[&cas[0], &cas[1]]);
    let mut wrong = Vec::new();
    for shape in [structure(), extensions(), keys(), values()].into_iter().flatten() {
        let signer = &cas[usize::from(shape.rsa_ca)];
        let own = shape.made.clone().self_signed();
        let found = (pinned(&shape, &own, signer), issued(&shape, &own, signer, &anchors));
        if found != (shape.pin.to_owned(), shape.anchor.to_owned()) {
            wrong.push(format!("{}: {found:?}", shape.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_byte_after_the_certificate_makes_it_unreadable_wherever_it_stands() {
    let [ca, _] = cas();
    let own = partner().issued_by(&ca);
    let mut der = own.certificate().der().to_vec();
    der.push(0);
    assert_eq!(variant(&Certificate::from_der(&der).unwrap_err()), "TrailingData");
    // Within the certificate, behind its signature.
    let [0x30, 0x82, high, low, ..] = der[..] else { panic!("a length of two octets") };
    let mut within = der.clone();
    within[2..4].copy_from_slice(&(u16::from_be_bytes([high, low]) + 1).to_be_bytes());
    assert_eq!(variant(&Certificate::from_der(&within).unwrap_err()), "TrailingData");
    let mut both = bundle(&[&ca]);
    both.add_pin(own.certificate().clone()).unwrap();
    let shape = shape("trailing byte", partner(), "", "");
    assert_eq!(outcome(&shape, &der, &both, &own), "untrusted Unreadable");
    assert!(matches!(
        decide_at(&policy(both, None, Backend::AwsLcRs).unwrap(), &[der], NOW).refusal().unwrap().untrusted(),
        Some(Untrusted::Unreadable(_))
    ));
}

/// The certificate of a partner that may be in the place of a CA, and is pinned.
fn may_it_issue(made: TestCertificate) -> Attack {
    let partner = made.self_signed();
    let admin = client("CN=admin").issued_by(&partner);
    Attack::on(&pins(&[&partner]), &admin.chain()[..1])
}

#[test]
fn s1_a_pinned_certificate_issues_nobody() {
    may_it_issue(TestCertificate::new("CN=partner").with_ca_false()).refused(RefusalCode::Untrusted).naively("admin");
}

#[test]
fn s2_another_certificate_of_the_pinned_name_and_key_is_another_certificate() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let other = TestCertificate::new("CN=partner").with_serial(&[2]).with_key_of(&partner).self_signed();
    Attack::on(&pins(&[&partner]), other.chain()).refused(RefusalCode::Untrusted).naively("partner");
}

#[test]
fn s3_the_pinned_name_on_another_key_is_refused() {
    let (partner, other) =
        (TestCertificate::new("CN=partner").self_signed(), TestCertificate::new("CN=partner").self_signed());
    Attack::on(&pins(&[&partner]), other.chain()).refused(RefusalCode::Untrusted).naively_refused();
}

#[test]
fn s4_a_ca_vouches_for_clients_of_version_3_only() {
    let [ca, _] = cas();
    let issued = |version: u8| client("CN=partner").with_version(version).issued_by(&ca);
    let attack = |version| Attack::on(&bundle(&[&ca]), issued(version).chain());
    attack(3).admitted().naively("partner");
    attack(1).refused(RefusalCode::PathInvalid).naively_refused();
}

#[test]
fn s5_a_pinned_certificate_of_version_1_issues_nobody() {
    may_it_issue(TestCertificate::new("CN=partner").with_version(1)).refused(RefusalCode::Untrusted).naively("admin");
}

#[test]
fn s6_an_expired_pin_issues_nobody() {
    let expired = TestCertificate::new("CN=partner").with_validity(1, NOW.as_secs() - 1);
    may_it_issue(expired).refused(RefusalCode::Untrusted).naively("admin");
}

#[test]
fn a_certificate_of_a_ca_is_no_anchor_and_its_pin_does_not_vouch_for_its_ca() {
    let [ca, _] = cas();
    let (partner, sibling) = (client("CN=partner").issued_by(&ca), client("CN=sibling").issued_by(&ca));
    let mut trust = TrustBundle::new("partners".parse().unwrap());
    assert!(trust.add_anchor(partner.certificate().clone()).is_err());
    trust.add_pin(partner.certificate().clone()).unwrap();
    Attack::on(&trust, partner.chain()).admitted().naively_refused();
    Attack::on(&trust, sibling.chain()).refused(RefusalCode::Untrusted).naively_refused();
}
