//! Identities: from every form of file, made anew, and never shown.

use std::time::Duration;

use certmap::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use certmap::testing::{NOW, TestCertificate};
use certmap::{Identity, IdentityError, IdentityRequest, NewKey};

use crate::common::{Backend, data, erp};
use crate::tool::{OPENSSL, Workshop, found};

const DAY: Duration = Duration::from_secs(86_400);

#[track_caller]
fn error(pem: &[u8]) -> String {
    let error = Identity::from_pem(pem).unwrap_err();
    let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn every_key_form_is_read_and_exported_as_it_was() {
    for (file, label) in [
        ("ec-sec1.pem", "EC PRIVATE KEY"),
        ("rsa-pkcs1.pem", "RSA PRIVATE KEY"),
        ("openssl-req-x509.pem", "PRIVATE KEY"),
    ] {
        for backend in [Backend::AwsLcRs, Backend::Ring] {
            let identity = Identity::from_pem_with_provider(&data(file), &backend.provider()).unwrap();
            let exported = identity.private_key_pem().unwrap();
            assert!(exported.starts_with(&format!("-----BEGIN {label}-----\n")), "{file}");
            let original = String::from_utf8(data(file)).unwrap();
            assert!(original.contains(exported.as_str()), "{file}: byte for byte");
            assert!(original.contains(&identity.chain_pem()), "{file}");
        }
    }
}

#[test]
fn der_of_chain_and_key_is_read_too() {
    let made = TestCertificate::new("CN=x").with_version(1).self_signed();
    let key = made.key();
    let again = PrivateKeyDer::try_from(key.secret_der().to_vec()).unwrap();
    let identity = Identity::new(made.chain().to_vec(), again).unwrap();
    assert_eq!(identity.certificate(), made.certificate());
    assert_eq!(identity.chain(), made.chain());
}

#[test]
fn two_files_are_read_in_pem_der_or_one_of_each() {
    let made = TestCertificate::new("CN=x").with_version(1).self_signed();
    let identity = made.identity();
    let (certificate, key) = (identity.chain_pem(), identity.private_key_pem().unwrap());
    let (certificate_der, key_der) = (made.chain()[0].to_vec(), made.key().secret_der().to_vec());
    for (certificates, key) in [
        (certificate.as_bytes(), key.as_bytes()),
        (&certificate_der, key.as_bytes()),
        (certificate.as_bytes(), &key_der),
        (&certificate_der, &key_der),
    ] {
        let read = Identity::from_files(certificates, key).unwrap();
        assert_eq!(read.certificate(), made.certificate());
    }
    let swapped = Identity::from_files(key.as_bytes(), certificate.as_bytes()).unwrap();
    assert_eq!(swapped.certificate(), made.certificate(), "each section says what it is");
    let no_key = "there is no private key: add the `PRIVATE KEY` section that belongs to the certificate";
    assert_eq!(error(&certificate_der), no_key);
    assert_eq!(error(&key_der), "there is no certificate: give the one that belongs to the private key");
    assert_eq!(Identity::from_files(&certificate_der, &certificate_der).unwrap_err().to_string(), no_key);
}

#[test]
fn a_chain_is_kept_in_order() {
    let ca = TestCertificate::new("CN=ca").with_ca_true().self_signed();
    let end = TestCertificate::new("CN=end").issued_by(&ca);
    let identity = end.identity();
    assert_eq!(identity.chain().len(), 2);
    let read = Identity::from_pem((identity.chain_pem() + &identity.private_key_pem().unwrap()).as_bytes()).unwrap();
    assert_eq!(read.chain(), identity.chain());
    assert_eq!(read.certificate().subject().to_string(), "CN=end");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_the_cure() {
    let (one, two) = (TestCertificate::new("CN=one,O=a").self_signed(), TestCertificate::new("CN=two").self_signed());
    let [key_one, key_two] = [&one, &two].map(|made| made.identity().private_key_pem().unwrap().to_string());
    let pem = one.certificate().to_pem();
    assert_eq!(
        error((pem.clone() + &key_two).as_bytes()),
        "private key does not match the certificate `CN=one,O=a`: give the key that was made with this certificate"
    );
    assert_eq!(
        error(pem.as_bytes()),
        "there is no private key: add the `PRIVATE KEY` section that belongs to the certificate"
    );
    assert_eq!(error(key_one.as_bytes()), "there is no certificate: give the one that belongs to the private key");
    assert_eq!(
        error((pem.clone() + &key_one + &key_two).as_bytes()),
        "2 private keys where one was expected: give a file for each"
    );
    assert_eq!(
        error(&data("encrypted-pkcs8.pem")),
        "the PKCS#8 file is under a password: give it with `Import::with_password`"
    );
    assert_eq!(
        error(&data("encrypted-traditional.pem")),
        "section 2 (`RSA PRIVATE KEY`) is an encrypted private key of a kind that is not read: decrypt it first, `openssl pkey -in key.pem -out plain.pem`"
    );
    let attribute = "-----BEGIN ATTRIBUTE CERTIFICATE-----\nMIIB\n-----END ATTRIBUTE CERTIFICATE-----\n";
    assert_eq!(
        error(attribute.as_bytes()),
        "section 1 is a `ATTRIBUTE CERTIFICATE`, neither a certificate nor a private key"
    );
    assert_eq!(error(b"x"), "the file cannot be read: no PEM section, no DER and no base64 found");
    let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_owned() + &key_one;
    assert!(
        error(broken.as_bytes()).starts_with("certificate 1 of the file cannot be read: this is no X.509 certificate")
    );
    let long = (0..9).fold(TestCertificate::new("CN=0").with_ca_true().self_signed(), |issuer, number| {
        TestCertificate::new(&format!("CN={number}")).with_ca_true().with_key_of(&one).issued_by(&issuer)
    });
    let certificates = long.chain().iter().map(|der| certmap::Certificate::from_der(der).unwrap().to_pem());
    let long = certificates.collect::<String>() + &key_one;
    assert_eq!(error(long.as_bytes()), "a chain of 9 certificates is too long, at most 8 are presented");
}

#[test]
fn an_error_about_a_key_never_contains_the_key() {
    let identity = erp();
    let key = identity.private_key_pem().unwrap();
    let cert = identity.chain_pem();
    let body: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
    for cut in (0..key.len()).step_by(37) {
        for damaged in [format!("{cert}{}", &key[..cut]), format!("{cert}{}!{}", &key[..cut], &key[cut..])] {
            if let Err(error) = Identity::from_pem(damaged.as_bytes()) {
                let text = format!(
                    "{error} {error:?} {}",
                    std::error::Error::source(&error).map(|cause| format!("{cause} {cause:?}")).unwrap_or_default()
                );
                assert!(body.iter().all(|line| !text.contains(&line[..line.len().min(12)])), "{text}");
            }
        }
    }
}

#[test]
fn debug_elides_the_key() {
    let identity = erp();
    let text = format!("{identity:?} {identity:#?}");
    let key = identity.private_key_pem().unwrap();
    for line in key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!text.contains(&line[..line.len().min(12)]));
    }
    let debug = format!("{:?}", identity.clone());
    assert!(debug.starts_with("Identity { name: Some(\"ERP\"), certificate: Certificate(CN=ERP SSL client"), "{debug}");
}

#[test]
fn every_kind_of_new_identity_is_a_proper_client_certificate() {
    let kinds = [
        (NewKey::EcP256, "EC P-256"),
        (NewKey::EcP384, "EC P-384"),
        (NewKey::EcP521, "EC P-521"),
        (NewKey::Ed25519, "Ed25519"),
        (NewKey::Rsa2048, "RSA 2048"),
        (NewKey::Rsa3072, "RSA 3072"),
        (NewKey::Rsa4096, "RSA 4096"),
    ];
    let subject = "CN=ERP SSL client SSL Client (Standard),OU=SAP Web AS,OU=I0020123456,O=SAP Trust Community,C=DE";
    for (kind, name) in kinds {
        for backend in [Backend::AwsLcRs, Backend::Ring] {
            let request = IdentityRequest::new(subject.parse().unwrap(), NOW, DAY * 730).with_key(kind);
            let made = Identity::generate_with_provider(&request, &backend.provider());
            if (kind, backend) == (NewKey::EcP521, Backend::Ring) {
                assert!(matches!(made, Err(IdentityError::Key { .. })), "{made:?}");
                continue;
            }
            let identity = made.unwrap();
            let certificate = identity.certificate();
            assert_eq!(certificate.key_type().to_string(), name);
            assert_eq!((certificate.version(), certificate.is_ca()), (3, false));
            assert_eq!(certificate.subject().to_string(), subject);
            assert_eq!(certificate.issuer(), certificate.subject());
            assert_eq!(certificate.validity().not_before(), NOW);
            assert_eq!(certificate.validity().not_after().as_secs(), NOW.as_secs() + 730 * 86_400);
            // rustls' own, stricter reading of it.
            let key = PrivateKeyDer::try_from(pem_der(&identity.private_key_pem().unwrap())).unwrap();
            let stock =
                certmap::rustls::sign::CertifiedKey::from_der(identity.chain().to_vec(), key, &backend.provider());
            assert!(stock.unwrap().keys_match().is_ok());
        }
    }
}

fn pem_der(pem: &str) -> Vec<u8> {
    use certmap::rustls::pki_types::pem::PemObject as _;
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap().secret_der().to_vec()
}

#[test]
fn new_identities_differ_in_key_and_serial() {
    let request = IdentityRequest::new("CN=x".parse().unwrap(), NOW, DAY);
    let [one, two] = [(); 2].map(|()| Identity::generate(&request).unwrap());
    assert_ne!(one.certificate().serial(), two.certificate().serial());
    assert_ne!(one.certificate().spki_fingerprint(), two.certificate().spki_fingerprint());
    assert_eq!(one.certificate().serial().to_string().len(), 32);
}

#[test]
fn impossible_lifetimes_are_refused() {
    let lifetime = |days: u32, from: UnixTime| {
        let request = IdentityRequest::new("CN=x".parse().unwrap(), from, DAY * days);
        Identity::generate(&request).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(
        lifetime(0, NOW),
        Err("a lifetime of 0 days is not possible: ask for 1 second to 20 years, ending before the year 10000"
            .to_owned())
    );
    assert_eq!(
        lifetime(20 * 366 + 1, NOW),
        Err("a lifetime of 7321 days is not possible: ask for 1 second to 20 years, ending before the year 10000"
            .to_owned())
    );
    assert_eq!(lifetime(20 * 366, NOW), Ok(()));
    let year_9999 = UnixTime::since_unix_epoch(Duration::from_secs(253_402_300_799));
    assert_eq!(
        lifetime(1, year_9999),
        Err("a lifetime of 1 days is not possible: ask for 1 second to 20 years, ending before the year 10000"
            .to_owned())
    );
    let never = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    assert!(lifetime(1, never).is_err());
}

#[test]
fn dates_beyond_2049_are_written_in_the_form_that_has_four_digits_for_the_year() {
    // 2049-12-31T23:59:59Z is the last second of UTCTime (RFC 5280, section 4.1.2.5).
    let last = 2_524_607_999;
    for from in [last - 1, last, last + 1] {
        let from = UnixTime::since_unix_epoch(Duration::from_secs(from));
        let request = IdentityRequest::new("CN=x".parse().unwrap(), from, Duration::from_secs(1));
        let validity = Identity::generate(&request).unwrap().certificate().validity();
        assert_eq!((validity.not_before(), validity.not_after().as_secs()), (from, from.as_secs() + 1));
    }
}

#[test]
fn openssl_finds_a_new_identity_good_for_a_tls_client() {
    if !found(&[OPENSSL]) {
        return;
    }
    let subject = "CN=a\\, b+OU=c,OU=d,OU=e,C=DE";
    for kind in [NewKey::EcP256, NewKey::Rsa2048, NewKey::Ed25519] {
        let request = IdentityRequest::new(subject.parse().unwrap(), NOW, DAY).with_key(kind);
        let workshop = Workshop::new();
        workshop.write("cert.pem", Identity::generate(&request).unwrap().chain_pem());
        let at = NOW.as_secs();
        let verify = "-purpose sslclient -x509_strict -check_ss_sig -partial_chain -trusted cert.pem cert.pem";
        workshop.openssl(&format!("verify -attime {at} {verify}"));
        let text = workshop.openssl("x509 -in cert.pem -noout -text -nameopt RFC2253");
        for expected in [
            "Version: 3",
            "CA:FALSE",
            "Digital Signature",
            "TLS Web Client Authentication",
            "Subject Key Identifier",
            &format!("Subject: {subject}"),
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}

#[test]
fn a_certificate_that_is_not_the_first_is_not_the_identity() {
    let ca = TestCertificate::new("CN=ca").with_ca_true().self_signed();
    let end = TestCertificate::new("CN=end").issued_by(&ca);
    let swapped: Vec<CertificateDer<'static>> = end.chain().iter().rev().cloned().collect();
    let error = Identity::new(swapped, end.key()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "private key does not match the certificate `CN=ca`, but certificate 2 of the chain: put that one first"
    );
}
