//! Trust bundles: add, list, find, remove, export, and every way in which a certificate cannot be added.

use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::trust::{Entry, EntryKind, TrustError};
use certmap::{Certificate, TrustBundle};

use crate::common::{data, erp};

fn bundle() -> TrustBundle {
    TrustBundle::new("partners".parse().unwrap())
}

fn partner(number: u8) -> TestIdentity {
    TestCertificate::new(&format!("CN=partner {number}")).with_serial(&[number % 4]).self_signed()
}

/// The message with its causes.
#[track_caller]
fn text(error: &TrustError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn a_bundle_lists_what_was_added_in_order_and_finds_it() {
    let mut bundle = bundle();
    let partners: Vec<_> = (0..5).map(partner).collect();
    for partner in &partners {
        bundle.add_pin(partner.certificate().clone()).unwrap();
    }
    let subjects: Vec<_> = bundle.entries().map(|entry| entry.certificate().subject().to_string()).collect();
    assert_eq!(subjects, ["CN=partner 0", "CN=partner 1", "CN=partner 2", "CN=partner 3", "CN=partner 4"]);
    assert_eq!(bundle.find(&partners[3].certificate().fingerprint()).unwrap().certificate(), partners[3].certificate());
    assert_eq!((bundle.len(), bundle.limit(), bundle.is_empty()), (5, 150, false));
    assert_eq!(format!("{bundle:?}"), "TrustBundle(partners, 5 of 150)");
}

#[test]
fn an_entry_is_listed_on_one_line_that_its_subject_cannot_leave() {
    let made = TestCertificate::new("CN=a\\\" sha256:0\\0A,O=b").with_serial(&[10, 0x20]);
    let pin = Entry::pin(made.self_signed().certificate().clone()).unwrap();
    let fingerprint = pin.certificate().fingerprint();
    let name = "CN=a\\\" sha256:0\\0A,O=b";
    let rest = format!("subject=\"{name}\" issuer=\"{name}\" serial=0a20 not-after=2027-11-30T12:00:00Z {fingerprint}");
    assert_eq!(pin.to_string(), format!("pin - {rest}"));
    assert_eq!(pin.with_alias("erp".parse().unwrap()).to_string(), format!("pin erp {rest}"));
}

#[test]
fn removal_by_fingerprint_serial_and_expiry_leaves_the_others() {
    let mut bundle = bundle();
    let partners: Vec<_> = (0..6).map(partner).collect();
    for partner in &partners {
        bundle.add_pin(partner.certificate().clone()).unwrap();
    }
    let second = partners[1].certificate().fingerprint();
    assert_eq!(bundle.remove(&second).unwrap().certificate(), partners[1].certificate());
    assert!(bundle.remove(&second).is_none());
    assert!(bundle.find(&second).is_none());
    assert_eq!(bundle.remove_serial(&"00".parse().unwrap()).len(), 2, "partners 0 and 4");
    let old = TestCertificate::new("CN=old").with_validity(1, NOW.as_secs() - 1).self_signed();
    let last_second = TestCertificate::new("CN=last").with_validity(1, NOW.as_secs()).self_signed();
    bundle.add_pin(old.certificate().clone()).unwrap();
    bundle.add_pin(last_second.certificate().clone()).unwrap();
    let expired = bundle.remove_expired(NOW);
    assert_eq!(
        expired.iter().map(|entry| entry.certificate().clone()).collect::<Vec<_>>(),
        [old.certificate().clone()]
    );
    let left: Vec<_> = bundle.entries().map(|entry| entry.certificate().subject().to_string()).collect();
    assert_eq!(left, ["CN=partner 2", "CN=partner 3", "CN=partner 5", "CN=last"]);
    for entry in bundle.entries() {
        assert_eq!(bundle.find(&entry.certificate().fingerprint()).unwrap().certificate(), entry.certificate());
    }
    // What was removed can be added again.
    assert!(bundle.add_pin(partners[1].certificate().clone()).is_ok());
}

#[test]
fn export_as_pem_reads_back_to_the_same_certificates() {
    let mut bundle = bundle();
    bundle.add_pin(erp().certificate().clone()).unwrap();
    bundle.add_pin(partner(1).certificate().clone()).unwrap();
    let read = Certificate::all_from_pem(bundle.to_pem().as_bytes()).unwrap();
    let kept: Vec<_> = bundle.entries().map(|entry| entry.certificate().clone()).collect();
    assert_eq!(read, kept);
    let mut again = TrustBundle::new("again".parse().unwrap());
    assert_eq!(again.add_pins_pem(bundle.to_pem().as_bytes()).unwrap().len(), 2);
    assert_eq!(again.to_pem(), bundle.to_pem());
}

#[test]
fn a_file_is_added_whole_or_not_at_all() {
    let (one, two) = (partner(1), partner(2));
    let weak = String::from_utf8(data("v1-rsa1024.pem")).unwrap();
    let weak = &weak[..weak.find("-----BEGIN PRIVATE").unwrap()];
    let file = one.certificate().to_pem() + &two.certificate().to_pem() + weak;
    let mut bundle = bundle();
    assert!(matches!(bundle.add_pins_pem(file.as_bytes()), Err(TrustError::UnfitKey { .. })));
    assert_eq!(bundle.len(), 0);
    assert!(bundle.find(&one.certificate().fingerprint()).is_none());
    assert!(bundle.add_pins_pem(&file.as_bytes()[..file.len() - weak.len()]).is_ok());
}

#[test]
fn the_limit_is_150_and_the_next_one_is_an_error() {
    let key = partner(0);
    let certificate = |n: u8| TestCertificate::new("CN=many").with_key_of(&key).with_serial(&[0, n]).self_signed();
    let mut bundle = bundle();
    for n in 0..150 {
        bundle.add_pin(certificate(n).certificate().clone()).unwrap();
    }
    let error = bundle.add_pin(certificate(150).certificate().clone()).unwrap_err();
    assert_eq!(
        text(&error),
        "bundle `partners` is full: its limit is 150 certificates (`TrustBundle::with_limit` chooses another)"
    );
    assert_eq!(bundle.len(), 150);
}

#[test]
fn duplicates_are_errors_whatever_the_kind() {
    let ca = TestCertificate::new("CN=ca").with_ca_true().self_signed();
    let mut bundle = bundle();
    let fingerprint = bundle.add_pin(ca.certificate().clone()).unwrap();
    let error = bundle.add_anchor(ca.certificate().clone()).unwrap_err();
    assert_eq!(text(&error), format!("certificate {fingerprint} is in the bundle already, as pin"));
    let alias: certmap::trust::Alias = "corp".parse().unwrap();
    bundle.add(Entry::pin(partner(1).certificate().clone()).unwrap().with_alias(alias.clone())).unwrap();
    let second = Entry::pin(partner(2).certificate().clone()).unwrap().with_alias(alias.clone());
    assert_eq!(text(&bundle.add(second).unwrap_err()), "alias `corp` is in use by another entry of the bundle");
    assert_eq!(bundle.find_alias(&alias).unwrap().kind(), EntryKind::Pin);
}

#[test]
fn what_is_no_ca_in_good_shape_cannot_be_an_anchor() {
    let make = |certificate: TestCertificate| certificate.self_signed().certificate().clone();
    let ca = || TestCertificate::new("CN=ca").with_ca_true();
    let no_cert_sign: &[u8] = &[3, 2, 7, 0x80];
    let cert_sign: &[u8] = &[3, 2, 2, 4];
    for (certificate, why) in [
        (
            erp().certificate().clone(),
            "it is of X.509 version 1, and only version 3 can say that it is a CA: add it as a pin if it is a partner's own certificate",
        ),
        (
            make(TestCertificate::new("CN=x")),
            "it is no CA certificate (basic constraints without cA): add it as a pin if it is a partner's own certificate",
        ),
        (
            make(TestCertificate::new("CN=x").with_ca_false()),
            "it is no CA certificate (basic constraints without cA): add it as a pin if it is a partner's own certificate",
        ),
        (make(ca().with_extension("2.5.29.15", true, no_cert_sign)), "its key usage does not include keyCertSign"),
        (
            make(ca().with_extension("1.2.3", true, &[5, 0])),
            "its critical extension 1.2.3 is not processed by path validation",
        ),
    ] {
        let error = bundle().add_anchor(certificate.clone()).unwrap_err();
        assert_eq!(text(&error), format!("certificate {} cannot be an anchor: {why}", certificate.fingerprint()));
        // As a pin each of them is fine: nothing is concluded from it.
        assert!(bundle().add_pin(certificate).is_ok());
    }
    assert!(bundle().add_anchor(make(ca().with_extension("2.5.29.15", true, cert_sign))).is_ok());
    assert!(bundle().add_anchor(make(ca().with_extension("1.2.3", false, &[5, 0]))).is_ok());
}

#[test]
fn unreadable_files_say_what_they_are() {
    let error = |pem: &[u8]| text(&bundle().add_pins_pem(pem).unwrap_err());
    assert_eq!(error(b""), "the certificates cannot be read: the file cannot be read: the file is empty");
    assert_eq!(
        error(&data("openssl-req-x509.pem")),
        "the certificates cannot be read: section 2 is a `PRIVATE KEY`, not a certificate"
    );
    let mut der = partner(1).certificate().der().to_vec();
    der.push(0);
    assert_eq!(error(&der), "the certificates cannot be read: 1 bytes follow the certificate or its signature");
    der.truncate(100);
    assert!(error(&der).starts_with("the certificates cannot be read: this is no X.509 certificate: "));
}

#[test]
fn a_certificate_that_says_a_thing_twice_or_is_too_large_is_not_read() {
    let valid = TestCertificate::new("CN=x").with_ca_true();
    let once = valid.clone().self_signed();
    assert!(Certificate::from_der(&once.certificate().der()).is_ok());
    let twice = std::panic::catch_unwind(|| valid.with_ca_true().self_signed());
    let message = twice.unwrap_err();
    assert!(message.downcast_ref::<String>().unwrap().contains("DuplicateExtension"));
    let pem = Certificate::from_der(once.certificate().to_pem().as_bytes()).unwrap_err();
    assert_eq!(pem.to_string(), "this is PEM, not DER: read it with `Certificate::from_pem`");
    let large = Certificate::from_der(&vec![0x30; 16 * 1024 + 1]).unwrap_err();
    assert_eq!(large.to_string(), "a certificate of 16385 bytes is too large, at most 16384 are read");
}
