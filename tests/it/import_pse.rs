//! PSE files of SAP's, from a writer of our own: versions 2 and 4, PIN, damage, and what is not read.

use certmap::Identity;
use certmap::cert::InvalidPem;
use certmap::identity::{ForeignFile, Format, Import, ImportError, ImportNote};

use crate::common::data;
use crate::import::said;
use crate::import_writer::{PSE_CIPHER, Pse, key_object, object, private_key, sequence, tlv};
use crate::tool::{OPENSSL, Workshop, found};

const PIN: &str = "1234 äß";

fn identity() -> Identity {
    Identity::from_pem(&data("rsa-pkcs1.pem")).unwrap()
}

/// Key and certificate, the other way round too: the order of objects says nothing.
fn objects(identity: &Identity) -> Vec<Vec<u8>> {
    vec![private_key(&pkcs1(identity)), object("Cert", &[1, 3], &identity.certificate().der())]
}

/// The committed key is PKCS#1.
fn pkcs1(identity: &Identity) -> Vec<u8> {
    use certmap::rustls::pki_types::PrivateKeyDer;
    use certmap::rustls::pki_types::pem::PemObject as _;

    let pem = identity.private_key_pem().unwrap();
    let PrivateKeyDer::Pkcs1(key) = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap() else {
        panic!("it is PKCS#1")
    };
    key.secret_pkcs1_der().to_vec()
}

fn written(version: u8, pin: Option<&str>, workshop: &Workshop) -> Vec<u8> {
    Pse { version, pin, iterations: 10_000, objects: objects(&identity()) }.write(workshop)
}

#[test]
fn both_versions_are_read_with_a_pin_and_plain() {
    if !found(&[OPENSSL]) {
        return;
    }
    let identity = identity();
    for version in [2, 4] {
        for pin in [Some(PIN), None] {
            let workshop = Workshop::new();
            let file = written(version, pin, &workshop);
            let import = Import::new().with_password(PIN);
            let imported = import.read(&file).unwrap_or_else(|error| panic!("{version} {pin:?}: {}", said(&error)));
            assert_eq!(imported.identity().certificate(), identity.certificate());
            assert_eq!((imported.format(), imported.notes()), (Format::Pse, &[][..]));
            workshop.write("key.pem", imported.identity().private_key_pem().unwrap().as_bytes());
            assert_eq!(workshop.openssl("rsa -in key.pem -check -noout").trim(), "RSA key ok");
            if pin.is_some() {
                let wrong = Import::new().with_password("1234").read(&file).unwrap_err();
                assert_eq!(wrong.to_string(), "the password of the PSE file is wrong, or the file was changed");
                let none = Import::new().read(&file).unwrap_err();
                assert_eq!(none.to_string(), "the PSE file is under a password: give it with `Import::with_password`");
            } else {
                assert!(Import::new().read(&file).is_ok());
            }
        }
    }
}

#[test]
fn a_list_of_certificates_is_told_and_a_chain_is_read() {
    let identity = identity();
    let plain = |objects| Pse { version: 2, pin: None, iterations: 1, objects }.write(&Workshop::new());
    let mut more = objects(&identity);
    more.push(object("CertList", &[0], &tlv(0x31, &identity.certificate().der())));
    more.push(object("PKList", &[6, 1], &tlv(0x31, &[])));
    more.push(object("PKRoot", &[5, 1], &sequence(&[])));
    let imported = Import::new().read(&plain(more.clone())).unwrap();
    assert_eq!(imported.notes(), [ImportNote::CertificateListNotRead]);
    assert_eq!(imported.identity().chain().len(), 1, "the same one twice");
    assert_eq!(
        imported.notes()[0].to_string(),
        "the PSE has a list of trusted certificates that is not read: export them one by one"
    );
    assert_eq!(Import::new().certificates(&plain(more.clone())), Err(ImportError::PrivateKey));
    // One that only verifies.
    let verifies = plain(more.split_off(1));
    assert_eq!(Import::new().read(&verifies).unwrap_err(), ImportError::NoKey);
    assert_eq!(
        Import::new().certificates(&verifies).unwrap_err().to_string(),
        "the PSE file uses a list of trusted certificates, which is not read: export them from STRUST one by one, or with `sapgenpse maintain_pk -l -x PIN -p FILE`"
    );
    let own = plain(vec![object("SignCert", &[1, 1], &identity.certificate().der())]);
    assert_eq!(Import::new().certificates(&own).unwrap(), [identity.certificate().clone()]);
}

#[test]
fn what_is_not_read_is_told() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let identity = identity();
    let certificate = object("Cert", &[1, 3], &identity.certificate().der());
    let cure =
        "convert it with SAP's own tool, `sapgenpse export_p12 -p FILE new.p12`, and import that (feature `pkcs12`)";
    let said = |file: &[u8]| said(&Import::new().with_password(PIN).read(file).unwrap_err());
    let not_read = |what: &str| format!("the PSE file uses {what}, which is not read: {cure}");
    let protected = Pse { version: 4, pin: Some(PIN), iterations: 2, objects: objects(&identity) };
    let pbes2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
    assert_eq!(said(&protected.write_with(&workshop, &pbes2, 2)), not_read("the encryption 1.2.840.113549.1.5.13"));
    let body = tlv(0xa3, &[tlv(2, &[1]), sequence(&[]), tlv(4, &[]), tlv(4, &[])].concat());
    assert_eq!(said(&sequence(&[&tlv(2, &[1, 0]), &body])), not_read("a key bound to one machine (LPS)"));
    let plain = |objects| Pse { version: 4, pin: None, iterations: 1, objects }.write(&workshop);
    let dsa = key_object(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], &sequence(&[]));
    assert_eq!(said(&plain(vec![dsa, certificate.clone()])), not_read("a private key of the type 1.2.840.10040.4.1"));
    let old = object("SKold", &[3, 1], &sequence(&[]));
    assert_eq!(said(&plain(vec![old, certificate])), not_read("an old form of private key"));
    let other =
        object("Cert", &[1, 3], &Identity::from_pem(&data("openssl-req-x509.pem")).unwrap().certificate().der());
    assert!(
        said(&plain(vec![objects(&identity).remove(0), other]))
            .starts_with("private key does not match the certificate `")
    );
    assert_eq!(
        said(&plain(vec![objects(&identity).remove(0)])),
        "there is no certificate: give the one that belongs to the private key"
    );
    let hashed = "hashed 4294967295 times, at most 1000000 are done";
    assert!(said(&protected.write_with(&workshop, PSE_CIPHER, u32::MAX)).contains(hashed));
    for (p, q) in
        [(&[0][..], &[7][..]), (&[4], &[7]), (&[7], &[7]), (&[1], &[1]), (&[0xff; 600], &[0xff; 600]), (&[], &[])]
    {
        let numbers = sequence(&[&tlv(2, p), &tlv(2, q)]);
        let key = key_object(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &numbers);
        let error = said(&plain(vec![key, objects(&identity).remove(1)]));
        let mismatch = error.starts_with("private key does not match");
        assert!(mismatch || error == "the PSE file is damaged (private key): fetch or export it again", "{error}");
    }
}

#[test]
fn no_damage_does_more_than_refuse() {
    if !found(&[OPENSSL]) {
        return;
    }
    let identity = identity();
    for version in [2, 4] {
        let workshop = Workshop::new();
        let file = Pse { version, pin: Some(PIN), iterations: 1, objects: objects(&identity) }.write(&workshop);
        let import = Import::new().with_password(PIN);
        assert!(import.read(&file).is_ok());
        for cut in 0..file.len() {
            assert!(import.read(&file[..cut]).is_err(), "{cut}");
        }
        let mut survived = 0;
        let mut tried = 0;
        // What survives of version 2 costs a whole RSA key, so not every byte is tried.
        for at in (0..file.len()).step_by(if version == 2 { 5 } else { 1 }) {
            tried += 1;
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            if let Ok(imported) = import.read(&damaged) {
                let fits = imported.identity().certificate().spki_fingerprint();
                assert_eq!(fits, identity.certificate().spki_fingerprint());
                survived += 1;
            }
        }
        // Version 2 has no check of its content: a damaged certificate is seen by partners only.
        let unseen = if version == 2 { tried / 2 } else { 4 };
        assert!(survived < unseen, "version {version}: {survived}");
    }
    // The same for what is not encrypted, where damage goes deeper: a sample of bits in every byte.
    let file = Pse { version: 2, pin: None, iterations: 1, objects: objects(&identity) }.write(&Workshop::new());
    for at in (0..file.len()).step_by(3) {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at / 3 % 8);
        if let Err(error) = Import::new().read(&damaged) {
            assert!(!matches!(error, ImportError::Pem(InvalidPem::Empty)), "{error}");
        }
    }
}

#[test]
fn other_files_of_sap_are_not_taken_for_a_pse() {
    // Numbers as `cred_v2` has them: a list of entries with texts.
    let credentials = sequence(&[&sequence(&[&tlv(0x0c, b"CN=x"), &tlv(0x0c, b"/sec/SAPSSLC.pse")])]);
    let long = [credentials.clone(), vec![0; 200]].concat();
    for file in [credentials, sequence(&[&tlv(0x04, &long)])] {
        let error = Import::new().with_password(PIN).read(&file).unwrap_err();
        assert!(matches!(error, ImportError::Unknown | ImportError::Pem(InvalidPem::Nothing)), "{error}");
    }
    assert_eq!(ForeignFile::Pse.to_string(), "a PSE of SAP's, which this build does not read");
}

/// For whoever has a PSE of SAP's own tools: `CERTMAP_PSE=file CERTMAP_PSE_PIN=pin cargo test a_pse_of_saps_own`.
#[test]
fn a_pse_of_saps_own_tools_is_read() {
    let Some(path) = std::env::var_os("CERTMAP_PSE") else { return };
    let pin = std::env::var("CERTMAP_PSE_PIN").unwrap_or_default();
    let imported = Import::new().with_password(&pin).read(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(imported.format(), Format::Pse);
    let workshop = Workshop::new();
    workshop.write("key.pem", imported.identity().private_key_pem().unwrap().as_bytes());
    workshop.write("own.pem", imported.identity().certificate().to_pem());
    assert_eq!(workshop.openssl("pkey -in key.pem -pubout"), workshop.openssl("x509 -in own.pem -noout -pubkey"));
}
