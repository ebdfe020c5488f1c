//! What logs told that was not so, and what showed a key (LG). The list is `corpus.md`.

use std::path::Path;

use certmap::rustls::pki_types::PrivateKeyDer;
use certmap::testing::{NOW, TestCertificate};
use certmap::{AuditRecord, RefusalCode};

use crate::anchors::{bundle, client, decide_at};
use crate::fleets::{policy, rule};
use crate::layers::{code, sources};
use crate::naive::common_name;
use crate::supply::{denied, locked};

/// What a peer calls itself so that a log has a line more, or shows another: CWE-117, CVE-2025-58189.
const HOSTILE: [&str; 8] = [
    "x\\0AALLOW user\\3Dadmin",
    "x\\0D\\0Aoutcome\\3Dadmitted user\\3Dadmin",
    "x\\1B[2J\\1B[1\\3B1Hadmitted",
    "x\\E2\\80\\AEnimda",
    "x\\E2\\80\\A8ALLOW",
    "x\\00y",
    "x\\22 outcome\\3Dadmitted user\\3D\\22admin",
    "x outcome\\3Dadmitted user\\3Dadmin",
];

/// The line that people write first, and the fields that their tools find in it.
fn naive_line(name: &str) -> String {
    format!("outcome=refused user={name}")
}

/// True if a tool that reads lines of `key=value` finds an admission in it, or a terminal something else than text.
fn fooled(log: &str) -> bool {
    let admitted =
        log.lines().any(|line| line.starts_with("ALLOW") || line.split(' ').any(|f| f == "outcome=admitted"));
    admitted || log.chars().any(|c| !(' '..='~').contains(&c))
}

#[test]
fn lg_01_lg_02_a_name_that_writes_a_line_of_the_log() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let policy = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    for name in HOSTILE {
        let partner = client(&format!("CN={name}")).issued_by(&root);
        let decision = decide_at(&policy, partner.chain_without_root(), NOW);
        let record = decision.record();
        let line = record.to_string();
        assert!(line.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{line}");
        // One event, which is the one that was: what is in a value is no field.
        let read: AuditRecord = line.parse().unwrap();
        assert_eq!((&read, read.user(), read.code()), (&record, None, Some("not-mapped")), "{line}");
        assert_eq!(read.subject(), Some(partner.certificate().subject().to_string().as_str()));
        assert_eq!(decision.refusal().unwrap().code(), RefusalCode::NotMapped);
        assert!(fooled(&naive_line(&common_name(&partner.certificate().der()).unwrap())), "{name}");
    }
}

/// What holds a key in most programs.
#[derive(Debug)]
struct NaiveIdentity {
    #[expect(dead_code, reason = "it is shown")]
    key: Vec<u8>,
}

#[test]
fn lg_03_a_key_in_what_is_printed_for_those_who_look_for_errors() {
    let made = TestCertificate::new("CN=erp").self_signed();
    let PrivateKeyDer::Pkcs8(key) = made.key() else { panic!() };
    let key = key.secret_pkcs8_der();
    let shown = format!("{:?}", &key[36..68]);
    let numbers = shown.trim_matches(['[', ']']);
    assert!(format!("{:?}", NaiveIdentity { key: key.to_vec() }).contains(numbers));
    for text in [format!("{:?}", made.identity()), format!("{:#?}", made.identity())] {
        assert!(!text.contains(numbers) && !text.contains("BEGIN"), "{text}");
    }
}

#[test]
fn lg_04_no_rsa_that_tells_a_key_by_the_time_it_takes() {
    // RUSTSEC-2023-0071: the crate `rsa` is in no tree of this workspace, that of the tests and programs included.
    let denied = denied().into_iter().find(|spec| spec.name == "rsa").unwrap();
    let locked = locked();
    assert!(locked.iter().any(|package| package.name == "rustls"));
    assert!(!locked.iter().any(|package| denied.means(package)));
}

#[test]
fn lg_06_what_is_compared_with_a_secret_is_compared_by_the_library() {
    // The MAC of a PKCS#12 file is the only one: a password is hashed or deciphers, a fingerprint is no secret.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/identity");
    let pkcs12 = code(&folder.join("pkcs12.rs"));
    assert_eq!(pkcs12.matches(".verify_slice(").count(), 1);
    for compared in ["finalize() ==", "== mac", "mac ==", "into_bytes() =="] {
        assert!(!pkcs12.contains(compared), "{compared}");
    }
}

#[test]
fn lg_07_no_file_is_written_and_none_is_opened() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 100, "{}", files.len());
    for file in &files {
        let code = code(file);
        for outside in ["std::fs", "std::process", "std::env", "std::thread", "TcpStream", "TcpListener", "UdpSocket"] {
            assert!(!code.contains(outside), "{} has {outside}", file.display());
        }
    }
}
