//! Below an anchor nobody is admitted by a certificate that two readers read differently.
//!
//! We read for the rules and webpki for the path; x509-parser is a third. Here every bit of a certificate is changed in turn, and the CA's
//! signature made anew over what came of it, so that nothing but the reading is left to refuse it. Whoever is admitted has a
//! certificate that x509-parser, webpki and we read alike: validity, alternative names, key usage, basic constraints, key,
//! subject, issuer, serial number. A pin is our own reading alone.

use std::io::{self, Write as _};
use std::time::Duration;

use certmap::cert::GeneralName;
use certmap::map::NameTest;
use certmap::rustls::SignatureScheme;
use certmap::rustls::crypto::aws_lc_rs;
use certmap::rustls::pki_types::{CertificateDer, DnsName, UnixTime};
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity, TestName};
use certmap::{
    CertUserMapping, Certificate, DistinguishedName, Host, Policy, PolicyBuilder, Selector, SpkiFingerprint,
    TrustBundle,
};
use fastrand::Rng;
use x509_parser::extensions::GeneralName as TheirName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::anchors::decide_at;
use crate::common::{tries, user};
use crate::names_openssl::{SEQUENCE, element};

/// Bits changed by chance, beside each alone.
const RANDOM: usize = 5_000;

/// The certificate of this content, signed anew by the CA; the algorithm is that of `original`.
fn resigned(to_be_signed: &[u8], original: &[u8], ca: &TestIdentity) -> Vec<u8> {
    let key = aws_lc_rs::sign::any_supported_type(&ca.key()).expect("a key of ours");
    let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).expect("a key on P-256");
    let signature = signer.sign(to_be_signed).expect("a key of ours signs");
    let (_, read) = X509Certificate::from_der(original).expect("a certificate of ours");
    let before = original.len() - element(3, &[&[0][..], read.signature_value.as_ref()].concat()).len();
    let content = before - (original.len() - contents(original).len());
    let algorithm = &contents(original)[read.tbs_certificate.as_ref().len()..content];
    element(SEQUENCE, &[to_be_signed, algorithm, &element(3, &[&[0][..], &signature].concat())].concat())
}

/// What stands in a sequence of 256 to 65,535 octets.
fn contents(der: &[u8]) -> &[u8] {
    assert_eq!(der[1], 0x82);
    &der[4..]
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap()
}

/// What webpki says to it below this anchor at this second.
fn valid_for_webpki(read: &webpki::EndEntityCert<'_>, ca: &TestIdentity, second: i64) -> bool {
    let Ok(second) = u64::try_from(second) else { return false };
    let anchor = CertificateDer::from(ca.certificate().der().to_vec());
    let anchor = webpki::anchor_from_trusted_cert(&anchor).unwrap();
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(second));
    let usage = webpki::KeyUsage::client_auth();
    read.verify_for_usage(algorithms, &[anchor], &[], time, usage, None, None).is_ok()
}

/// Where two readings differ, if they do.
fn disagreement(der: &[u8], ca: &TestIdentity) -> Option<&'static str> {
    let ours = Certificate::from_der(der).expect("it was admitted");
    let Ok((rest, theirs)) = X509Certificate::from_der(der) else { return Some("x509-parser does not read it") };
    let presented = CertificateDer::from(der.to_vec());
    let Ok(webpki) = webpki::EndEntityCert::try_from(&presented) else { return Some("webpki does not read it") };
    let differs = |found: bool, what| found.then_some(what);

    let (first, last) = (seconds(ours.validity().not_before()), seconds(ours.validity().not_after()));
    let dates = &theirs.validity;
    let at = |second| valid_for_webpki(&webpki, ca, second);
    let their_dates = (dates.not_before.timestamp(), dates.not_after.timestamp()) != (first, last);
    let webpki_dates = !at(first) || !at(last) || at(first - 1) || at(last + 1);

    let names = ours.subject_alternative_names();
    let dns: Vec<_> =
        names.iter().filter_map(|name| if let GeneralName::Dns(name) = name { Some(&**name) } else { None }).collect();
    let alternative =
        theirs.subject_alternative_name().map(|found| found.map(|names| names.value.general_names.clone()));
    let Ok(their_names) = alternative.map(Option::unwrap_or_default) else { return Some("alternative names, twice") };
    let their_dns: Vec<_> = their_names
        .iter()
        .filter_map(|name| if let TheirName::DNSName(name) = name { Some(*name) } else { None })
        .collect();
    let proper: Vec<_> = dns.iter().copied().filter(|name| DnsName::try_from(*name).is_ok()).collect();
    let webpki_dns: Vec<_> = webpki.valid_dns_names().filter(|name| !name.starts_with('*')).collect();

    let Ok(usage) = theirs.key_usage() else { return Some("key usage, twice") };
    let Ok(basic) = theirs.basic_constraints() else { return Some("basic constraints, twice") };
    let key = ours.spki_fingerprint();
    let subject = theirs.subject().as_raw();
    let issuer = theirs.issuer().as_raw();
    differs(!rest.is_empty(), "its end")
        .or(differs(their_dates, "validity, x509-parser"))
        .or(differs(webpki_dates, "validity, webpki"))
        .or(differs(names.len() != their_names.len() || dns != their_dns, "alternative names, x509-parser"))
        .or(differs(proper != webpki_dns, "DNS names, webpki"))
        .or(differs(
            usage.is_some_and(|usage| !usage.value.digital_signature() || usage.value.key_cert_sign()),
            "key usage",
        ))
        .or(differs(ours.is_ca() || basic.is_some_and(|basic| basic.value.ca), "basic constraints"))
        .or(differs(key != SpkiFingerprint::of(theirs.public_key().raw), "key, x509-parser"))
        .or(differs(key != SpkiFingerprint::of(&webpki.subject_public_key_info()), "key, webpki"))
        .or(differs(DistinguishedName::from_der(subject).as_ref() != Ok(&ours.subject()), "subject, x509-parser"))
        .or(differs(!subject.ends_with(webpki.subject()) || !issuer.ends_with(webpki.issuer()), "names, webpki"))
        .or(differs(theirs.raw_serial() != webpki.serial(), "serial number"))
}

fn under(ca: &TestIdentity) -> Policy {
    let mut bundle = TrustBundle::new("cas".parse().unwrap());
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    let selector = Selector::under(ca.certificate().fingerprint(), NameTest::every_certificate());
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle)).remembered_paths(0);
    builder.mapping(CertUserMapping::new(selector, user("u"))).build().unwrap()
}

/// True if it is admitted as a pin.
fn admitted_as_a_pin(der: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(der) else { return false };
    let mut bundle = TrustBundle::new("pins".parse().unwrap());
    if bundle.add_pin(certificate.clone()).is_err() {
        return false;
    }
    let rule = CertUserMapping::new(Selector::certificate(certificate.fingerprint()), user("u"));
    let policy = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle)).mapping(rule).build().unwrap();
    decide_at(&policy, &[der], NOW).principal().is_some()
}

#[test]
fn whoever_is_admitted_below_an_anchor_is_read_alike_by_all() {
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let client = TestCertificate::new("CN=client,OU=devices,O=Acme,C=DE")
        .with_serial(&[0x0a, 0x20])
        .with_ca_false()
        .with_key_usage(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyAgreement])
        .with_purpose(2)
        .with_alternative_names(&[
            TestName::Dns("a.example"),
            TestName::Email("a@b.example"),
            TestName::Uri("urn:a"),
            TestName::Dns("b.example"),
        ])
        .issued_by(&ca);
    let original = &client.certificate().der();
    let (_, read) = X509Certificate::from_der(original).unwrap();
    let plain = read.tbs_certificate.as_ref();
    let policy = under(&ca);
    assert!(decide_at(&policy, &[resigned(plain, original, &ca)], NOW).principal().is_some(), "unchanged");

    let mut random = Rng::with_seed(509);
    let step = plain.len() * 8 / tries(plain.len() * 8);
    let alone = (0..plain.len() * 8).step_by(step).map(|bit| vec![bit]);
    let mut changes: Vec<Vec<usize>> = alone.collect();
    for _ in 0..tries(RANDOM) {
        changes.push((0..random.usize(2..5)).map(|_| random.usize(..plain.len() * 8)).collect());
    }
    let (mut admitted, mut pins) = (0, 0);
    for bits in &changes {
        let mut turned = plain.to_vec();
        for bit in bits {
            turned[bit / 8] ^= 1 << (bit % 8);
        }
        let der = resigned(&turned, original, &ca);
        pins += usize::from(admitted_as_a_pin(&der));
        if decide_at(&policy, &[&der], NOW).principal().is_some() {
            admitted += 1;
            assert_eq!(
                disagreement(&der, &ca),
                None,
                "bits {bits:?}: {}",
                Certificate::from_der(&der).unwrap().to_pem()
            );
        }
    }
    let _ = writeln!(
        io::stderr(),
        "{} changed certificates, signed anew: {admitted} admitted below the anchor, all of them read alike; {pins} as pins",
        changes.len()
    );
    assert!(admitted > changes.len() / 20 && pins > admitted, "{admitted}, {pins}");
}
