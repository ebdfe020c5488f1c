//! Files as the tools of others write them: each is read, or refused for the reason that is expected.

use std::io::Write as _;

use certmap::Certificate;
use certmap::identity::{Format, Import, ImportError};
use certmap::testing::{TestCertificate, TestIdentity};

use crate::import::said;
use crate::tool::{CERTTOOL, JAVA, KEYTOOL, OPENSSL, PYTHON, Running, Tool, Workshop, at_hand, found};

const PASSWORD: &str = "secret-1";

struct Made {
    workshop: Workshop,
    end: TestIdentity,
    ca: TestIdentity,
}

impl Made {
    fn new() -> Self {
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let end = TestCertificate::new("CN=end").issued_by(&ca);
        let workshop = Workshop::new();
        workshop.write("key.pem", end.identity().private_key_pem().unwrap().as_bytes());
        workshop.write("end.pem", end.certificate().to_pem());
        workshop.write("ca.pem", ca.certificate().to_pem());
        workshop.write("both.pem", end.certificate().to_pem() + &ca.certificate().to_pem());
        Self { workshop, end, ca }
    }

    #[track_caller]
    fn run(&self, tool: Tool, arguments: &str) {
        let output = Running::start(tool, self.workshop.path(), arguments.split_whitespace()).finish();
        assert!(output.success, "{tool:?} {arguments}: {}{}", output.stdout, output.stderr);
    }

    /// As [`has`](Self::has), and under no other password.
    #[track_caller]
    fn reads(&self, file: &str, password: &str, how: &str) {
        self.has(file, password, how);
        let wrong = Import::new().with_password("wrong").read(&self.workshop.read(file)).unwrap_err();
        assert_eq!(wrong, ImportError::WrongPassword { format: Format::Pkcs12 }, "{how}");
    }

    /// The identity is in this file, with its chain.
    #[track_caller]
    fn has(&self, file: &str, password: &str, how: &str) {
        let file = self.workshop.read(file);
        let import = Import::new().with_password(password);
        let imported = import.read(&file).unwrap_or_else(|error| panic!("{how}: {}", said(&error)));
        assert_eq!(imported.format(), Format::Pkcs12, "{how}");
        assert_eq!(imported.identity().certificate(), self.end.certificate(), "{how}");
        assert_eq!(imported.identity().chain().len(), 2, "{how}");
        assert_eq!(imported.others(), [], "{how}");
    }
}

#[test]
fn what_openssl_writes_is_read() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    for how in [
        "",
        "-legacy",
        // As Windows does it, with the names of its key stores.
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -iter 2000 -keysig -LMK -CSP Microsoft",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-40 -macalg sha1 -iter 2000 -keyex -LMK -legacy",
        "-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-RC2-128 -legacy",
        "-keypbe AES-256-CBC -certpbe AES-128-CBC -macalg sha384",
        "-keypbe AES-192-CBC -certpbe NONE -macalg sha512",
        "-keypbe NONE -certpbe AES-256-CBC -macalg sha224",
        "-nomaciter",
        "-name friendly -caname authority",
        "-iter 20000",
    ] {
        made.workshop.openssl(&format!(
            "pkcs12 -export -inkey key.pem -in both.pem -out file.p12 -passout pass:{PASSWORD} {how}"
        ));
        made.reads("file.p12", PASSWORD, how);
    }
    made.workshop.openssl(&format!(
        "pkcs12 -export -inkey key.pem -in both.pem -out file.p12 -passout pass:{PASSWORD} -keypbe PBE-SHA1-RC4-128 -legacy"
    ));
    let error = Import::new().with_password(PASSWORD).read(&made.workshop.read("file.p12")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the PKCS#12 file uses the encryption 1.2.840.113549.1.12.1.1, which is not read"),
        "{error}"
    );
    // Back to PEM, with its attributes before each section; and as a file that is base64 of a PKCS#12.
    made.workshop
        .openssl(&format!("pkcs12 -export -inkey key.pem -in both.pem -out file.p12 -passout pass:{PASSWORD}"));
    made.workshop.openssl(&format!("pkcs12 -in file.p12 -passin pass:{PASSWORD} -nodes -out file.pem"));
    let imported = Import::new().read(&made.workshop.read("file.pem")).unwrap();
    assert_eq!((imported.identity().chain().len(), imported.notes()), (2, &[][..]));
    made.workshop.openssl("base64 -in file.p12 -out file.txt");
    made.reads("file.txt", PASSWORD, "base64");
    for form in ["PEM", "DER"] {
        made.workshop.openssl(&format!("crl2pkcs7 -nocrl -certfile both.pem -outform {form} -out file.p7b"));
        let certificates = Import::new().certificates(&made.workshop.read("file.p7b")).unwrap();
        assert_eq!(certificates, [made.end.certificate().clone(), made.ca.certificate().clone()]);
    }
    made.workshop.openssl("req -new -key key.pem -subj /CN=x -outform DER -out file.csr");
    let error = Import::new().read(&made.workshop.read("file.csr")).unwrap_err();
    assert!(error.to_string().starts_with("this is a certificate request"), "{error}");
    made.workshop.openssl("pkey -in key.pem -pubout -outform DER -out file.pub");
    let error = Import::new().read(&made.workshop.read("file.pub")).unwrap_err();
    assert!(error.to_string().starts_with("this is a public key"), "{error}");
    made.workshop.openssl("x509 -in end.pem -trustout -addtrust clientAuth -out trusted.pem");
    let error = Import::new().certificates(&made.workshop.read("trusted.pem")).unwrap_err();
    assert!(error.to_string().starts_with("this is a certificate with OpenSSL's notes about trust"), "{error}");
}

#[test]
fn what_gnutls_writes_is_read() {
    if !at_hand(&[CERTTOOL]) {
        return;
    }
    let made = Made::new();
    let export = "--to-p12 --load-privkey key.pem --load-certificate both.pem --p12-name x --outfile file.p12";
    // Hashed 600,000 times each, so no more than shows something: as text, and the one who writes no password as nothing.
    for (how, password) in [("--password secret-1", PASSWORD), ("--null-password --outder --pkcs-cipher rc2-40", "")] {
        made.run(CERTTOOL, &format!("{export} {how}"));
        made.has("file.p12", password, how);
    }
    made.run(CERTTOOL, "--p7-generate --load-certificate ca.pem --outfile file.p7b");
    let certificates = Import::new().certificates(&made.workshop.read("file.p7b"));
    // Older ones know no chain of certificates without a message that is signed.
    assert!(matches!(certificates.as_deref(), Ok([_, ..]) | Err(ImportError::NoCertificate)), "{certificates:?}");
    made.run(CERTTOOL, &format!("--to-p8 --load-privkey key.pem --password {PASSWORD} --outfile file.key"));
    let imported = Import::new().with_password(PASSWORD);
    let imported = imported.read_files(&made.workshop.read("both.pem"), &made.workshop.read("file.key")).unwrap();
    assert_eq!(imported.identity().certificate(), made.end.certificate());
}

#[test]
fn what_java_writes_is_read_or_told() {
    if !at_hand(&[KEYTOOL, JAVA]) || !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    made.workshop
        .openssl(&format!("pkcs12 -export -inkey key.pem -in both.pem -name x -out in.p12 -passout pass:{PASSWORD}"));
    let import = |how: &str, out: &str| {
        let from = format!("-srckeystore in.p12 -srcstoretype PKCS12 -srcstorepass {PASSWORD}");
        made.run(
            KEYTOOL,
            &format!("{how} -importkeystore -noprompt {from} -destkeystore {out} -deststorepass {PASSWORD}"),
        );
    };
    import("", "new.p12");
    made.reads("new.p12", PASSWORD, "Java's own choice");
    import("-J-Dkeystore.pkcs12.legacy", "old.p12");
    made.reads("old.p12", PASSWORD, "as Java 8");
    for (kind, words) in [("JKS", "this is a Java keystore (JKS): "), ("JCEKS", "this is a Java keystore (JCEKS): ")] {
        let from = format!("-srckeystore in.p12 -srcstorepass {PASSWORD} -deststoretype {kind}");
        made.run(
            KEYTOOL,
            &format!("-importkeystore -noprompt {from} -destkeystore old.{kind} -deststorepass {PASSWORD}"),
        );
        let error =
            Import::new().with_password(PASSWORD).read(&made.workshop.read(&format!("old.{kind}"))).unwrap_err();
        assert!(error.to_string().starts_with(words), "{error}");
    }
    made.run(
        KEYTOOL,
        &format!(
            "-importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storetype PKCS12 -storepass {PASSWORD}"
        ),
    );
    let store = made.workshop.read("trust.p12");
    let trusted = Import::new().with_password(PASSWORD).certificates(&store).unwrap();
    assert_eq!(trusted, [made.ca.certificate().clone()]);
    assert_eq!(Import::new().with_password(PASSWORD).read(&store).unwrap_err(), ImportError::NoKey);
    // An identity beside a trust store, and a secret that is nobody's business.
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    made.workshop.write("other.pem", other.certificate().to_pem());
    made.run(
        KEYTOOL,
        &format!("-importcert -noprompt -alias other -file other.pem -keystore new.p12 -storepass {PASSWORD}"),
    );
    made.run(
        KEYTOOL,
        &format!("-genseckey -alias secret -keyalg AES -keysize 128 -keystore new.p12 -storepass {PASSWORD}"),
    );
    let imported = Import::new().with_password(PASSWORD).read(&made.workshop.read("new.p12")).unwrap();
    assert_eq!(imported.identity().chain().len(), 2);
    assert_eq!(imported.others(), [other.certificate().clone()]);
}

#[test]
fn what_python_writes_is_read() {
    const SCRIPT: &str = r#"
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
key = s.load_pem_private_key(open("key.pem", "rb").read(), None)
end, ca = (x509.load_pem_x509_certificate(open(name, "rb").read()) for name in ("end.pem", "ca.pem"))
password = sys.argv[1].encode()
def write(name, protection):
    open(name, "wb").write(pkcs12.serialize_key_and_certificates(b"x", key, end, [ca], protection))
write("best.p12", s.BestAvailableEncryption(password))
old = s.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(3000)
write("old.p12", old.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(password))
write("none.p12", s.NoEncryption())
open("chain.p7b", "wb").write(pkcs7.serialize_certificates([ca, end], s.Encoding.DER))
open("chain.pem", "wb").write(pkcs7.serialize_certificates([ca, end], s.Encoding.PEM))
"#;
    if !at_hand(&[PYTHON]) {
        return;
    }
    let made = Made::new();
    made.workshop.write("make.py", SCRIPT);
    let output = Running::start(PYTHON, made.workshop.path(), ["make.py", PASSWORD]).finish();
    if output.stderr.contains("No module named") {
        let _ = writeln!(std::io::stderr(), "SKIPPED: python3 has no cryptography");
        return;
    }
    assert!(output.success, "{}", output.stderr);
    made.reads("best.p12", PASSWORD, "best");
    made.reads("old.p12", PASSWORD, "old");
    let none = Import::new().read(&made.workshop.read("none.p12"));
    match none {
        Ok(imported) => assert_eq!(imported.identity().certificate(), made.end.certificate()),
        Err(error) => assert_eq!(error, ImportError::NoMac),
    }
    for file in ["chain.p7b", "chain.pem"] {
        let mut certificates = Import::new().certificates(&made.workshop.read(file)).unwrap();
        certificates.sort_by_key(|one| one.subject().to_string());
        let expected: [Certificate; 2] = [made.ca.certificate().clone(), made.end.certificate().clone()];
        assert_eq!(certificates, expected, "{file}");
    }
}
