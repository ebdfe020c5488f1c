//! What we write is read by others: keys in every form, encrypted ones among them, chains, and nothing left behind.

use std::io::{BufRead as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use certmap::identity::{EncryptKeyError, Import};
use certmap::limits::{KEY_ITERATIONS, KEY_ITERATIONS_MAX, KEY_ITERATIONS_MIN};
use certmap::testing::{NOW, TestCertificate};
use certmap::{Identity, IdentityRequest, NewKey};

use crate::common::data;
use crate::tool::{CERTTOOL, JAVA, JAVAC, KEYTOOL, OPENSSL, Running, Workshop, at_hand, found};

const PASSWORD: &str = "Sesam, öffne dich 1!";
const KINDS: [NewKey; 5] = [NewKey::EcP256, NewKey::EcP384, NewKey::EcP521, NewKey::Ed25519, NewKey::Rsa2048];

/// Every form in which a key comes to us.
fn identities() -> Vec<(String, Identity)> {
    let files = ["ec-sec1.pem", "rsa-pkcs1.pem", "openssl-req-x509.pem"];
    let read = files.map(|file| (file.to_owned(), Identity::from_pem(&data(file)).unwrap()));
    let made = KINDS.map(|kind| {
        let made = TestCertificate::new("CN=made").with_new_key(kind).self_signed();
        (format!("{kind:?}"), made.identity())
    });
    read.into_iter().chain(made).collect()
}

/// The public key of a certificate file, as openssl writes it.
fn public(workshop: &Workshop) -> String {
    workshop.openssl("x509 -in own.pem -noout -pubkey")
}

#[test]
fn openssl_reads_every_form_of_key_and_chain_that_we_write() {
    if !found(&[OPENSSL]) {
        return;
    }
    for (name, identity) in identities() {
        let workshop = Workshop::new();
        workshop.write("own.pem", identity.chain_pem());
        workshop.write("own.der", identity.certificate().der());
        workshop.write("key.pem", identity.private_key_pem().unwrap().as_bytes());
        workshop.write("key.der", &*identity.private_key_der().unwrap());
        workshop.write("encrypted.pem", identity.encrypted_key_pem(PASSWORD, KEY_ITERATIONS_MIN).unwrap());
        workshop.write("encrypted.der", identity.encrypted_key_der(PASSWORD, KEY_ITERATIONS_MIN).unwrap());
        workshop.write("password", PASSWORD);
        let expected = public(&workshop);
        assert_eq!(workshop.openssl("x509 -inform DER -in own.der -noout -pubkey"), expected, "{name}");
        for form in [
            "-in key.pem",
            "-inform DER -in key.der",
            "-in encrypted.pem -passin file:password",
            "-inform DER -in encrypted.der -passin file:password",
        ] {
            assert_eq!(workshop.openssl(&format!("pkey {form} -pubout")), expected, "{name}: {form}");
        }
        let wrong = Running::start(
            OPENSSL,
            workshop.path(),
            ["pkey", "-in", "encrypted.pem", "-passin", "pass:wrong", "-noout"],
        );
        assert!(!wrong.finish().success, "{name}");
        let parsed = workshop.openssl("asn1parse -in encrypted.pem");
        for word in
            ["PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", &format!("INTEGER           :{KEY_ITERATIONS_MIN:X}")]
        {
            assert!(parsed.contains(word), "{name}: {word} in {parsed}");
        }
    }
}

#[test]
fn certtool_reads_what_we_write() {
    if !at_hand(&[CERTTOOL]) {
        return;
    }
    for (name, identity) in identities() {
        let workshop = Workshop::new();
        workshop.write("own.pem", identity.chain_pem());
        workshop.write("encrypted.pem", identity.encrypted_key_pem("plain", KEY_ITERATIONS_MIN).unwrap());
        workshop.write("key.der", &*identity.private_key_der().unwrap());
        let run = |arguments: &str| {
            let output = Running::start(CERTTOOL, workshop.path(), arguments.split_whitespace()).finish();
            assert!(output.success, "{name}: certtool {arguments}: {output:?}");
            output.stdout
        };
        assert!(run("--certificate-info --infile own.pem").contains("Subject: "), "{name}");
        let id = |text: &str| text.lines().find(|line| line.contains("sha256:")).map(|line| line.trim().to_owned());
        let plain = id(&run("--pubkey-info --inder --load-privkey key.der"));
        assert!(plain.is_some(), "{name}");
        assert_eq!(id(&run("--pubkey-info --load-privkey encrypted.pem --password plain")), plain, "{name}");
    }
}

/// Reads each key named, and puts it beside its certificate.
const PROGRAM: &str = r#"
    import java.nio.file.*; import java.security.*; import java.security.spec.*; import java.security.cert.*;
    import javax.crypto.*; import javax.crypto.spec.*;
    class Read {
        public static void main(String[] files) throws Exception {
            for (String name : files) {
                var info = new EncryptedPrivateKeyInfo(Files.readAllBytes(Path.of(name + ".der")));
                var algorithm = info.getAlgParameters().toString();
                var secret = SecretKeyFactory.getInstance(algorithm)
                    .generateSecret(new PBEKeySpec(Files.readString(Path.of("password")).toCharArray()));
                var cipher = Cipher.getInstance(algorithm);
                cipher.init(Cipher.DECRYPT_MODE, secret, info.getAlgParameters());
                var spec = info.getKeySpec(cipher);
                var certificate = CertificateFactory.getInstance("X.509")
                    .generateCertificate(Files.newInputStream(Path.of(name + ".pem")));
                KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm()).generatePrivate(spec);
                System.out.println(name + " " + algorithm);
            }
        }
    }"#;

#[test]
fn java_reads_our_encrypted_keys_and_keytool_a_store_made_of_them() {
    if !at_hand(&[JAVA, JAVAC, KEYTOOL, OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    workshop.write("Read.java", PROGRAM);
    // `PBEKeySpec` takes ASCII only, on every Java.
    workshop.write("password", "plain");
    let identities = identities();
    let mut arguments = vec!["Read.java".to_owned()];
    for (at, (_, identity)) in identities.iter().enumerate() {
        workshop.write(&format!("{at}.pem"), identity.chain_pem());
        workshop.write(&format!("{at}.der"), identity.encrypted_key_der("plain", KEY_ITERATIONS_MIN).unwrap());
        arguments.push(at.to_string());
    }
    let output = Running::start(JAVA, workshop.path(), &arguments).finish();
    assert!(output.success, "{output:?}");
    let read: Vec<_> = output.stdout.lines().map(str::to_owned).collect();
    let expected: Vec<_> = (0..identities.len()).map(|at| format!("{at} PBEWithHmacSHA256AndAES_256")).collect();
    assert_eq!(read, expected);
    let export = "pkcs12 -export -in 0.pem -inkey encrypted.pem -passin file:password -passout pass:storepass -name erp -out erp.p12";
    workshop.write("encrypted.pem", identities[0].1.encrypted_key_pem("plain", KEY_ITERATIONS_MIN).unwrap());
    workshop.openssl(export);
    let list = ["-list", "-keystore", "erp.p12", "-storepass", "storepass"];
    let output = Running::start(KEYTOOL, workshop.path(), list).finish();
    assert!(output.stdout.contains("erp, ") && output.stdout.contains("PrivateKeyEntry"), "{output:?}");
}

#[test]
fn what_cannot_protect_a_key_is_refused() {
    let identity = TestCertificate::new("CN=erp").self_signed().identity();
    let error = |password, iterations| identity.encrypted_key_pem(password, iterations).unwrap_err();
    assert_eq!(
        error("", KEY_ITERATIONS).to_string(),
        "an empty password protects nothing: give one, or write the key unencrypted and guard the file"
    );
    for iterations in [0, KEY_ITERATIONS_MIN - 1, KEY_ITERATIONS_MAX + 1] {
        assert_eq!(error("secret", iterations), EncryptKeyError::Iterations { iterations });
    }
    assert_eq!(
        error("secret", 1).to_string(),
        "1 iterations are not possible: say 10000 to 1000000, 600000 is a good number"
    );
    let twice = [(); 2].map(|()| identity.encrypted_key_der("secret", KEY_ITERATIONS_MIN).unwrap());
    assert_ne!(twice[0], twice[1], "salt and vector are random");
}

#[test]
fn no_key_is_shown_by_debug_or_errors() {
    let identity = TestCertificate::new("CN=erp").self_signed().identity();
    let key = identity.private_key_der().unwrap();
    let secret: Vec<u8> = key[36..68].to_vec();
    let hex = secret.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    let debug = format!("{secret:?}");
    let numbers = debug.trim_matches(['[', ']']);
    let handle = certmap::identity::IdentityHandle::new(identity.clone());
    let shown = [
        format!("{identity:?}"),
        format!("{handle:?}"),
        format!("{:?}", identity.certificate_request(&[])),
        format!("{:?}", identity.encrypted_key_pem("", 1)),
        format!("{:?}", identity.with_answer([&key[..]])),
        format!("{:?}", identity.with_answer([identity.private_key_pem().unwrap().as_bytes()])),
    ];
    for text in shown {
        assert!(!text.to_lowercase().contains(&hex) && !text.contains(numbers) && !text.contains("BEGIN"), "{text}");
    }
}

/// One looks at a time: whoever looks has a piece of all memory in hand, and another would find keys in it.
static LOOKING: Mutex<()> = Mutex::new(());

/// How often these bytes stand in the memory of this process that can be written. They come with every bit turned, so that
/// what is looked for is not found in itself. `None` where memory cannot be read like a file.
fn times_in_memory(turned: &[u8]) -> Option<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let mut memory = std::fs::File::open("/proc/self/mem").ok()?;
    let mut found = 0;
    let mut chunk = vec![0; 1 << 20];
    // Not read itself: it would be found in itself, over and over.
    let own = u64::try_from(chunk.as_ptr().addr()).ok()?;
    let own = own..own + chunk.len() as u64;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, until) = line.split_once(' ')?.0.split_once('-')?;
        let (mut at, until) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(until, 16).ok()?);
        while at < until {
            if own.contains(&at) {
                at = own.end;
                continue;
            }
            let end = if at < own.start { until.min(own.start) } else { until };
            let length = usize::try_from(end - at).ok()?.min(chunk.len());
            let window = &mut chunk[..length];
            if memory.seek(SeekFrom::Start(at)).is_err() || memory.read_exact(window).is_err() {
                break;
            }
            // Compared where it is, so that no copy of a key is made by looking for it.
            let (mut rest, first, others) = (&window[..], !turned[0], &turned[1..]);
            while let Ok(1..) = rest.skip_until(first) {
                let same = rest.iter().zip(others).take_while(|(octet, turned)| **octet == !**turned);
                found += usize::from(same.count() == others.len());
            }
            at += length as u64;
        }
    }
    chunk.fill(0);
    Some(found)
}

/// Octets of the private half, each turned, so that what is looked for is not found in the needle.
fn turned(identity: &Identity, kind: NewKey) -> Vec<u8> {
    let key = identity.private_key_der().unwrap();
    // An elliptic scalar begins behind 36 octets, and RSA's exponent and primes are in here.
    let (from, length) = if kind == NewKey::EcP256 { (36, 32) } else { (key.len() - 200, 64) };
    key[from..from + length].iter().map(|octet| !octet).collect()
}

#[test]
fn what_we_write_leaves_no_key_in_memory_after_it_is_dropped() {
    let _alone = LOOKING.lock().unwrap_or_else(PoisonError::into_inner);
    for kind in [NewKey::EcP256, NewKey::Rsa2048] {
        // A key that no other test has: they run at the same time, in the same memory.
        let request = IdentityRequest::new("CN=erp".parse().unwrap(), NOW, Duration::from_secs(86_400));
        let identity = Identity::generate(&request.with_key(kind)).unwrap();
        let turned = turned(&identity, kind);
        let Some(before) = times_in_memory(&turned) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: memory is no file here");
            return;
        };
        assert!(before > 0, "{kind:?}: the identity has it");
        let held = identity.private_key_der();
        assert!(times_in_memory(&turned) > Some(before), "{kind:?}: a copy is seen");
        drop(held);
        for _ in 0..2 {
            drop(identity.private_key_der());
            identity.encrypted_key_der("secret", KEY_ITERATIONS_MIN).unwrap();
            identity.encrypted_key_pem("secret", KEY_ITERATIONS_MIN).unwrap();
            identity.certificate_request(&[]).unwrap();
        }
        assert!(times_in_memory(&turned) <= Some(before), "{kind:?}: no more than before");
    }
}

#[test]
fn what_we_read_leaves_no_key_in_memory_after_it_is_dropped() {
    let _alone = LOOKING.lock().unwrap_or_else(PoisonError::into_inner);
    for kind in [NewKey::EcP256, NewKey::Rsa2048] {
        let request = IdentityRequest::new("CN=erp".parse().unwrap(), NOW, Duration::from_secs(86_400));
        let made = Identity::generate(&request.with_key(kind)).unwrap();
        let turned = turned(&made, kind);
        let chain = made.chain_pem();
        let encrypted = chain.clone() + &made.encrypted_key_pem("secret", KEY_ITERATIONS_MIN).unwrap();
        let Some(before) = times_in_memory(&turned) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: memory is no file here");
            return;
        };
        let held = Import::new().with_password("secret").read(encrypted.as_bytes()).unwrap();
        assert_eq!(held.identity().certificate(), made.certificate());
        assert!(times_in_memory(&turned) > Some(before), "{kind:?}: a copy is seen");
        drop(held);
        for _ in 0..2 {
            drop(Import::new().with_password("secret").read(encrypted.as_bytes()).unwrap());
            let key = made.private_key_der().unwrap();
            drop(Import::new().read_files(chain.as_bytes(), &key).unwrap());
            let key = made.private_key_pem().unwrap();
            drop(Import::new().read_files(chain.as_bytes(), key.as_bytes()).unwrap());
        }
        assert!(times_in_memory(&turned) <= Some(before), "{kind:?}: no more than before");
    }
}
