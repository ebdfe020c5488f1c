//! Files as people have them: every odd PEM, DER, PKCS#7, keys under a password, and files that are something else.

use certmap::identity::{Format, Import, ImportError, ImportNote, Imported};
use certmap::limits::{IDENTITY_FILE_CERTIFICATES, IMPORT_ITERATIONS, IMPORTED_CERTIFICATES, PEM_BYTES};
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{Certificate, Identity};

use crate::common::data;
use crate::import_writer::{sequence, tlv, with_unknown_lengths_to};
use crate::tool::{OPENSSL, Workshop, found};

pub fn said(error: &ImportError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[track_caller]
fn refused(result: Result<Imported, ImportError>) -> String {
    said(&result.err().unwrap())
}

fn key_pem(identity: &TestIdentity) -> String {
    identity.identity().private_key_pem().unwrap().to_string()
}

fn chain() -> [TestIdentity; 3] {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let middle = TestCertificate::new("CN=middle").as_ca().issued_by(&root);
    let end = TestCertificate::new("CN=end").issued_by(&middle);
    [end, middle, root]
}

#[test]
fn what_editors_mail_and_configuration_do_to_a_file_changes_nothing() {
    let made = TestCertificate::new("CN=x").self_signed();
    let (certificate, key) = (made.certificate().to_pem(), key_pem(&made));
    let file = certificate.clone() + &key;
    let utf8 = [b"\xef\xbb\xbf", file.as_bytes()].concat();
    let latin = [b"Schl\xfcssel:\n", file.as_bytes()].concat();
    for odd in [
        file.clone().into_bytes(),
        utf8,
        latin,
        file.replace('\n', "\r\n").into_bytes(),
        file.replace('\n', "\r").into_bytes(),
        file.replace('\n', "\n    ").into_bytes(),
        file.replace('\n', "\n\n").into_bytes(),
        file.replace('\n', "\\n").into_bytes(),
        file.replace('\n', " ").into_bytes(),
        file.replace("-----\n-----", "----------").into_bytes(),
        format!("Bag Attributes\n    localKeyID: 01\nsubject=CN = x\n{certificate}Bag Attributes\n{key}bye")
            .into_bytes(),
        (key.clone() + &certificate).into_bytes(),
        certificate.repeat(12).into_bytes().into_iter().chain(key.clone().into_bytes()).collect(),
    ] {
        let imported = Import::new()
            .read(&odd)
            .unwrap_or_else(|error| panic!("{}: {}", said(&error), String::from_utf8_lossy(&odd)));
        assert_eq!(imported.identity().certificate(), made.certificate());
        assert_eq!((imported.format(), imported.notes()), (Format::Pem, &[][..]));
        assert_eq!(Identity::from_pem(&odd).unwrap().chain(), imported.identity().chain());
    }
}

#[test]
fn two_files_of_any_form_are_one_identity() {
    let made = TestCertificate::new("CN=x").self_signed();
    let base64 = |pem: &str| pem.lines().filter(|line| !line.starts_with("--")).collect::<String>();
    let (certificate, key) = (made.certificate().to_pem(), key_pem(&made));
    let (certificate_der, key_der) = (made.certificate().der().to_vec(), made.key().secret_der().to_vec());
    let certificates = [
        certificate.clone().into_bytes(),
        certificate_der,
        base64(&certificate).into_bytes(),
        (certificate + &key).into_bytes(),
    ];
    let keys = [key.clone().into_bytes(), key_der, base64(&key).into_bytes()];
    for file in &certificates {
        for key in &keys {
            let imported = Import::new().read_files(file, key);
            assert_eq!(imported.unwrap().identity().certificate(), made.certificate());
        }
    }
    // The same key in both files is one, another one is not.
    let other = key_pem(&TestCertificate::new("CN=x").self_signed());
    let imported = Import::new().read_files(&certificates[3], other.as_bytes());
    assert_eq!(refused(imported), "2 private keys where one was expected: give a file for each");
    for (file, form) in [("ec-sec1.pem", "EC"), ("rsa-pkcs1.pem", "RSA")] {
        let identity = Identity::from_pem(&data(file)).unwrap();
        let key = identity.private_key_pem().unwrap();
        assert!(key.contains(&format!("BEGIN {form} PRIVATE KEY")));
        let bare = base64(&key);
        let again = Import::new().read_files(&identity.certificate().der(), bare.as_bytes()).unwrap();
        assert_eq!(again.identity().private_key_pem().unwrap(), key, "told by its shape");
    }
}

#[test]
fn a_chain_in_any_order_is_put_in_order_and_strangers_are_handed_out() {
    let made = chain();
    let [end, middle, root] = &made;
    let stranger = TestCertificate::new("CN=stranger").self_signed();
    // Of the same name, with another key: it did not issue anything here.
    let namesake = TestCertificate::new("CN=middle").as_ca().issued_by(root);
    let key = key_pem(end);
    let read = |certificates: &[&TestIdentity]| {
        let text: String = certificates.iter().map(|one| one.certificate().to_pem()).collect();
        Import::new().read((text + &key).as_bytes()).unwrap()
    };
    let ordered = [end, middle, root].map(|one| one.certificate().clone());
    let missing = |issuer: &TestIdentity| ImportNote::IssuerMissing(Box::new(issuer.certificate().subject()));
    for (certificates, notes, length) in [
        (vec![end, middle, root], vec![], 3),
        (vec![root, middle, end], vec![ImportNote::Reordered], 3),
        (vec![end, root, middle], vec![ImportNote::Reordered], 3),
        (vec![middle, end], vec![ImportNote::Reordered, missing(root)], 2),
        (vec![end, middle], vec![missing(root)], 2),
        (vec![end], vec![missing(middle)], 1),
        (vec![end, root], vec![missing(middle), ImportNote::LeftOut { certificates: 1 }], 1),
        (vec![end, &stranger, middle, root], vec![ImportNote::LeftOut { certificates: 1 }], 3),
        (vec![&namesake, end, middle, root], vec![ImportNote::LeftOut { certificates: 1 }], 3),
    ] {
        let imported = read(&certificates);
        assert_eq!(imported.notes(), notes, "{certificates:?}");
        let chain: Vec<Certificate> =
            imported.identity().chain().iter().map(|der| Certificate::from_der(der).unwrap()).collect();
        assert_eq!(chain, ordered[..length]);
        assert_eq!(imported.others().len() + chain.len(), certificates.len());
    }
    let renewed = TestCertificate::new("CN=end").with_key_of(end).issued_by(middle);
    let imported = read(&[end, &renewed, middle, root]);
    assert_eq!(
        imported.notes(),
        [ImportNote::KeyHasSeveralCertificates { certificates: 2 }, ImportNote::LeftOut { certificates: 1 }]
    );
    assert_eq!(imported.identity().certificate(), end.certificate());
    assert_eq!(imported.others(), [renewed.certificate().clone()]);
    assert_eq!(
        imported.notes().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["2 certificates have this private key, the first one was taken", "1 certificate is not of the chain"]
    );
    let other = TestCertificate::new("CN=other").self_signed();
    let text = end.certificate().to_pem() + &middle.certificate().to_pem() + &key_pem(&other);
    assert_eq!(
        refused(Import::new().read(text.as_bytes())),
        "private key does not match the certificate `CN=end`: give the key that was made with this certificate"
    );
}

fn pkcs7(certificates: &[&Certificate]) -> Vec<u8> {
    let set: Vec<u8> = certificates.iter().flat_map(|one| one.der().to_vec()).collect();
    let data = tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]);
    let signed = sequence(&[&[2, 1, 1], &[0x31, 0], &sequence(&[&data]), &tlv(0xa0, &set), &[0x31, 0]]);
    sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]), &tlv(0xa0, &signed)])
}

#[test]
fn a_pkcs7_chain_is_read_from_der_ber_and_pem() {
    let made = chain();
    let [end, middle, root] = &made;
    let der = pkcs7(&[root.certificate(), end.certificate(), middle.certificate()]);
    let key = key_pem(end);
    for file in [der.clone(), with_unknown_lengths_to(&der, 4)] {
        let imported = Import::new().read_files(&file, key.as_bytes()).unwrap();
        assert_eq!(imported.identity().chain().len(), 3);
        assert_eq!(imported.notes(), [ImportNote::Reordered]);
        let certificates = Import::new().certificates(&file).unwrap();
        assert_eq!(certificates, [root, end, middle].map(|one| one.certificate().clone()));
    }
    let empty = pkcs7(&[]);
    assert_eq!(Import::new().certificates(&empty), Err(ImportError::NoCertificate));
    for cut in 1..der.len() {
        assert!(Import::new().certificates(&der[..cut]).is_err(), "{cut}");
    }
    let data = sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3]), &tlv(0xa0, &[0x30, 0])]);
    assert_eq!(
        said(&Import::new().certificates(&data).unwrap_err()),
        "this is a CMS message that is no list of certificates: ask for the certificates alone, `openssl crl2pkcs7 -nocrl -certfile certificates.pem`"
    );
}

#[test]
fn certificates_are_read_alone_and_never_with_a_key() {
    let made = chain();
    let pem: String = made.iter().map(|one| one.certificate().to_pem()).collect();
    assert_eq!(
        Import::new().certificates(pem.as_bytes()).unwrap(),
        made.each_ref().map(|one| one.certificate().clone())
    );
    assert_eq!(Import::new().certificates(&made[0].certificate().der()).unwrap(), [made[0].certificate().clone()]);
    let with_key = pem.clone() + &key_pem(&made[0]);
    assert_eq!(
        said(&Import::new().certificates(with_key.as_bytes()).unwrap_err()),
        "there is a private key in the file: whoever gives away certificates keeps the key, so give them alone"
    );
    assert_eq!(Import::new().certificates(&data("encrypted-pkcs8.pem")), Err(ImportError::PrivateKey));
    let broken = pem.clone() + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let error = Import::new().certificates(broken.as_bytes()).unwrap_err();
    assert!(
        said(&error).starts_with("certificate 4 of the file cannot be read: this is no X.509 certificate"),
        "{error}"
    );
}

#[test]
fn a_file_of_another_kind_is_told_with_the_command_that_helps() {
    let made = TestCertificate::new("CN=x").self_signed();
    let armoured = |label: &str| format!("-----BEGIN {label}-----\nMIIB\n-----END {label}-----\n").into_bytes();
    let signed = |parts: &[&[u8]]| sequence(&[&sequence(parts), &sequence(&[]), &tlv(0x03, &[0])]);
    let key = sequence(&[&sequence(&[]), &tlv(0x03, &[0; 70])]);
    let (name, long) = (sequence(&[&[0x31, 0]]), sequence(&[&[0x04, 60], &[0; 60]]));
    let request = signed(&[&[2, 1, 0], &name, &key, &[0xa0, 0]]);
    let list =
        signed(&[&[2, 1, 1], &sequence(&[&[6, 1, 42]]), &name, &tlv(0x17, b"260101000000Z"), &long, &long, &long]);
    let jks = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0; 40]].concat();
    for (file, expected) in [
        (
            jks,
            "this is a Java keystore (JKS): convert it, `keytool -importkeystore -srckeystore FILE -srcstoretype JKS -destkeystore new.p12 -deststoretype PKCS12`",
        ),
        (
            vec![0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2],
            "this is a Java keystore (JCEKS): convert it, `keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore new.p12 -deststoretype PKCS12`",
        ),
        (
            b"PuTTY-User-Key-File-3: ssh-rsa\r\n".to_vec(),
            "this is a private key of PuTTY's: convert it, `puttygen FILE -O private-openssh -o key` and `ssh-keygen -p -m PKCS8 -f key`",
        ),
        (
            armoured("OPENSSH PRIVATE KEY"),
            "this is a private key in OpenSSH's own form: copy it and convert the copy, `ssh-keygen -p -m PKCS8 -f COPY`",
        ),
        (
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@host\n".to_vec(),
            "this is an SSH public key: ask for an X.509 certificate, SSH keys are not used in TLS",
        ),
        (
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 2\n\nmQ\n".to_vec(),
            "this is a PGP file: ask for an X.509 certificate, PGP keys are not used in TLS",
        ),
        (
            armoured("CERTIFICATE REQUEST"),
            "this is a certificate request, not a certificate: send it to the CA, and import its answer together with the private key",
        ),
        (
            request,
            "this is a certificate request, not a certificate: send it to the CA, and import its answer together with the private key",
        ),
        (armoured("X509 CRL"), "this is a revocation list: give it to the revocation of a bundle"),
        (list, "this is a revocation list: give it to the revocation of a bundle"),
        (
            armoured("PUBLIC KEY"),
            "this is a public key without a certificate: give the certificate, which has the public key in it",
        ),
        (
            key.clone(),
            "this is a public key without a certificate: give the certificate, which has the public key in it",
        ),
        (
            armoured("TRUSTED CERTIFICATE"),
            "this is a certificate with OpenSSL's notes about trust: write it anew without them, `openssl x509 -in FILE -out plain.pem`",
        ),
        (
            data("dsa.pem").into_iter().chain(armoured("DSA PRIVATE KEY")).collect(),
            "this is a DSA key: make a new key for RSA or ECDSA, nobody verifies signatures of this one",
        ),
        (
            b"<!DOCTYPE html>\n<html><body>Login</body></html>".to_vec(),
            "this is HTML or XML: open it in a browser to see what it says, and fetch the file again",
        ),
        (
            b"\xef\xbb\xbf<?xml version=\"1.0\"?>".to_vec(),
            "this is HTML or XML: open it in a browser to see what it says, and fetch the file again",
        ),
        (b"PK\x03\x04....".to_vec(), "this is a ZIP archive: unpack it, `unzip FILE`"),
        (b" \r\n".to_vec(), "the file cannot be read: the file is empty"),
        (Vec::new(), "the file cannot be read: the file is empty"),
        (b"\xff\xfe-\0-\0-\0".to_vec(), "the file cannot be read: the file is UTF-16 text: save it as UTF-8 or ASCII"),
        (
            b"-\0-\0-\0-\0-\0B\0E\0".to_vec(),
            "the file cannot be read: the file is UTF-16 text: save it as UTF-8 or ASCII",
        ),
        (
            vec![0x30, 0x82, 1, 0],
            "the file is DER, but holds neither a certificate nor a private key nor a container of these",
        ),
        (vec![b'A'; PEM_BYTES + 1], "the file cannot be read: 8388609 bytes are too many, at most 8388608 are read"),
        (
            made.certificate().der().to_vec(),
            "there is no private key: add the `PRIVATE KEY` section that belongs to the certificate",
        ),
        (made.key().secret_der().to_vec(), "there is no certificate: give the one that belongs to the private key"),
    ] {
        assert_eq!(refused(Import::new().read(&file)), expected);
    }
}

#[test]
fn text_around_sections_does_not_matter_however_it_begins() {
    let one = [TestCertificate::new("CN=x").self_signed().certificate().clone()];
    for before in ["<!-- from the portal -->\n", "<?xml version=\"1.0\"?>\n", "ssh-rsa is no TLS\n", "PK\u{3}\u{4}\n"] {
        let file = [before, &one[0].to_pem()].concat();
        assert_eq!(certmap::Certificate::all_from_pem(file.as_bytes()).unwrap(), one, "{before}");
        assert_eq!(Import::new().certificates(file.as_bytes()).unwrap(), one, "{before}");
    }
}

#[test]
fn keys_under_a_password_are_read_as_openssl_writes_them() {
    const PASSWORD: &str = "Sesam, öffne dich 1!";
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let made = TestCertificate::new("CN=x").self_signed();
    let certificate = made.certificate().to_pem();
    workshop.write("key.pem", key_pem(&made));
    workshop.write("password", PASSWORD);
    let import = Import::new().with_password(PASSWORD);
    for how in [
        "",
        "-iter 1",
        "-v2 aes128",
        "-v2 aes192",
        "-v2 des3",
        "-v2 aes256 -v2prf hmacWithSHA1",
        "-v2 aes256 -v2prf hmacWithSHA224",
        "-v2 aes256 -v2prf hmacWithSHA384",
        "-v2 aes256 -v2prf hmacWithSHA512",
        "-scrypt",
        "-v1 PBE-SHA1-3DES",
        "-v1 PBE-SHA1-2DES",
    ] {
        for form in ["PEM", "DER"] {
            workshop.openssl(&format!(
                "pkcs8 -topk8 -in key.pem -outform {form} -out encrypted -passout file:password {how}"
            ));
            let key = workshop.read("encrypted");
            let imported = import
                .read_files(certificate.as_bytes(), &key)
                .unwrap_or_else(|error| panic!("{how}: {}", said(&error)));
            assert_eq!(imported.identity().private_key_pem().unwrap().as_str(), key_pem(&made), "{how}");
            let wrong = Import::new().with_password("wrong").read_files(certificate.as_bytes(), &key);
            assert_eq!(refused(wrong), "the password of the PKCS#8 file is wrong, or the file was changed", "{how}");
        }
    }
    for (how, expected) in [
        ("-v1 PBE-MD5-DES -provider legacy -provider default", "the encryption 1.2.840.113549.1.5.3"),
        ("-v2 camellia256 -v2prf hmacWithSHA256", "the cipher 1.2.392.200011.61.1.1.1.4"),
    ] {
        workshop.openssl(&format!("pkcs8 -topk8 -in key.pem -out encrypted -passout file:password {how}"));
        let error = refused(import.read_files(certificate.as_bytes(), &workshop.read("encrypted")));
        assert_eq!(
            error,
            format!(
                "the PKCS#8 file uses {expected}, which is not read: write it anew, `openssl pkcs12 -in FILE -nodes -legacy -out plain.pem`, or `openssl pkey -in FILE -out plain.pem` for a key alone"
            )
        );
    }
}

/// An encrypted key whose parameters are these.
fn encrypted(kdf: &[u8], parameters: &[&[u8]]) -> Vec<u8> {
    let kdf = sequence(&[&tlv(0x06, kdf), &sequence(parameters)]);
    let cipher = sequence(&[&tlv(0x06, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]), &tlv(0x04, &[0; 16])]);
    let pbes2 = tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13]);
    sequence(&[&sequence(&[&pbes2, &sequence(&[&kdf, &cipher])]), &tlv(0x04, &[0; 160])])
}

#[test]
fn what_a_file_claims_costs_no_more_than_is_said() {
    const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
    const SCRYPT: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 0x0b];
    let number = |number: u64| tlv(0x02, &[&[0], &number.to_be_bytes()[..]].concat());
    let import = Import::new().with_password("x");
    let read = |file: Vec<u8>| refused(import.read(&file));
    let too_many = |iterations: u64| {
        format!(
            "the password is to be hashed {iterations} times, at most 1000000 are done: if the file is from whom you trust, allow them with `Import::with_max_iterations`"
        )
    };
    let salt = tlv(0x04, &[1; 8]);
    for iterations in [u64::from(IMPORT_ITERATIONS) + 1, u64::from(u32::MAX) + 7, u64::MAX] {
        assert_eq!(read(encrypted(PBKDF2, &[&salt, &number(iterations)])), too_many(iterations));
    }
    let wrong = "the password of the PKCS#8 file is wrong, or the file was changed";
    let damaged = |part: &str| format!("the PKCS#8 file is damaged ({part}): fetch or export it again");
    let few = encrypted(PBKDF2, &[&salt, &number(11)]);
    assert_eq!(read(few.clone()), wrong);
    let fewer = refused(import.with_max_iterations(10).read(&few));
    assert!(fewer.contains("hashed 11 times, at most 10 are done"), "{fewer}");
    assert_eq!(read(encrypted(PBKDF2, &[&salt, &number(0)])), damaged("iteration count"));
    assert_eq!(read(encrypted(PBKDF2, &[&tlv(0x04, &[1; 256]), &number(2)])), wrong);
    assert_eq!(read(encrypted(PBKDF2, &[&tlv(0x04, &[1; 257]), &number(2)])), damaged("parameters of PBKDF2"));
    assert_eq!(read(encrypted(PBKDF2, &[&salt, &number(2), &number(32)])), wrong);
    for length in [0, 31, u64::MAX] {
        assert_eq!(read(encrypted(PBKDF2, &[&salt, &number(2), &number(length)])), damaged("parameters of PBKDF2"));
    }
    let scrypt = |n, r, p| read(encrypted(SCRYPT, &[&salt, &number(n), &number(r), &number(p)]));
    let memory = "bytes of memory for scrypt beyond the limit of 67108864: split the file";
    assert_eq!(scrypt(16, 8, 1), wrong);
    assert_eq!(scrypt(1 << 16, 8, 1), wrong);
    assert_eq!(scrypt(1 << 17, 8, 1), memory);
    assert_eq!(scrypt(16, u64::MAX, 1), memory);
    assert_eq!(scrypt(16, 8, 1 << 32), memory);
    for (n, r, p) in [(0, 8, 1), (1, 8, 1), (15, 8, 1), (16, 0, 1), (16, 8, 0)] {
        assert_eq!(scrypt(n, r, p), damaged("parameters of scrypt"));
    }
    let one = TestCertificate::new("CN=x").self_signed();
    let pem = one.certificate().to_pem();
    let many: String = (0..=IDENTITY_FILE_CERTIFICATES).map(|_| pem.as_str()).collect();
    assert_eq!(
        refused(Import::new().read((many + &key_pem(&one)).as_bytes())),
        "certificates beside a private key beyond the limit of 256: split the file"
    );
    let most = pem.repeat(IMPORTED_CERTIFICATES);
    assert_eq!(Import::new().certificates(most.as_bytes()).unwrap().len(), IMPORTED_CERTIFICATES);
    assert_eq!(
        said(&Import::new().certificates((most + &pem).as_bytes()).unwrap_err()),
        "certificates beyond the limit of 2048: split the file"
    );
    assert_eq!(
        refused(Import::new().read(key_pem(&one).repeat(65).as_bytes())),
        "private keys beyond the limit of 64: split the file"
    );
}

#[test]
fn a_password_shows_nowhere() {
    let import = Import::new().with_password("hunter2").danger_accept_no_mac();
    assert_eq!(
        format!("{import:?}"),
        "Import { password: Some(\"…\"), max_iterations: None, accept_no_mac: true, .. }"
    );
    let error = import.read(&data("encrypted-pkcs8.pem")).unwrap_err();
    assert_eq!(error, ImportError::WrongPassword { format: Format::Pkcs8 });
    assert!(!format!("{error:?}{error}").contains("hunter2"));
    let imported = Import::new().with_password("x").read(&data("encrypted-pkcs8.pem")).unwrap();
    let key = imported.identity().private_key_pem().unwrap();
    let shown = format!("{imported:?}");
    assert!(
        key.lines().filter(|line| !line.starts_with("--")).all(|line| !shown.contains(&line[..line.len().min(12)]))
    );
}

#[test]
fn headers_make_no_encrypted_key_of_a_certificate() {
    let made = TestCertificate::new("CN=x").self_signed();
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let certificate = made.certificate().to_pem().replace(begin, &format!("{begin}Comment: of the partner\n\n"));
    let imported = Import::new().read((certificate + &key_pem(&made)).as_bytes()).unwrap();
    assert_eq!(imported.identity().certificate(), made.certificate());
}

#[test]
fn a_pkcs7_file_ends_at_its_limit() {
    let tlv = |tag: u8, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84], &length[..], content].concat()
    };
    let file = |certificates: usize| {
        let data = tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]);
        let set = tlv(0xa0, &[0x30, 0].repeat(certificates));
        let message = tlv(0x30, &[tlv(2, &[1]), tlv(0x31, &[]), tlv(0x30, &data), set, tlv(0x31, &[])].concat());
        let kind = tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]);
        tlv(0x30, &[kind, tlv(0xa0, &message)].concat())
    };
    let error = Import::new().certificates(&file(IMPORTED_CERTIFICATES + 1)).unwrap_err();
    assert_eq!(error, ImportError::TooMany { what: "certificates", limit: IMPORTED_CERTIFICATES });
    assert!(!matches!(Import::new().certificates(&file(2)).unwrap_err(), ImportError::TooMany { .. }));
}
