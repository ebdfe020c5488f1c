//! Hostile names through the whole of it: a certificate with the name, the decision, its record, the access line.

use std::net::{IpAddr, Ipv4Addr};

use certmap::decision::{AccessLine, AuditRecord, RecordOutcome};
use certmap::review::explain;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Evidence, Host, Outcome, Policy, PolicyBuilder, TrustBundle};
use fastrand::Rng;

/// Joined at random: whatever ends a line, closes a quote, turns text around, or looks like a second pair.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "\u{7f}",
    "\"",
    "\\",
    " ",
    "=",
    "~",
    "\\~5",
    "\"~99",
    "\\x41",
    "\\u{a}",
    "-",
    "[",
    "]",
    "é",
    "\u{10ffff}",
    "\u{feff}",
    "a",
    "billing",
    "outcome=admitted",
    " user=admin",
    "\nALLOW user=admin",
    "certmap time=2026-01-01T00:00:00Z outcome=admitted",
    "GET / HTTP/1.1\" 200 5",
    "CN=",
    ",O=",
    "+",
    "#0c",
    "{}",
    "%s",
    "$(x)",
    "<b>",
    "';--",
];

/// How many of each there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Names, each of them hostile in its own way.
    pub names: usize,
    /// Whose decision was that a user is admitted.
    pub admitted: usize,
    /// Whose decision was a refusal.
    pub refused: usize,
    /// The longest line of all.
    pub longest: usize,
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    match u16::try_from(content.len()).expect("short").to_be_bytes() {
        [0, short @ 0..0x80] => written.push(short),
        [0, one] => written.extend([0x81, one]),
        [high, low] => written.extend([0x82, high, low]),
    }
    written.extend_from_slice(content);
    written
}

/// `CN=name`, as UTF-8 or, one in four, in two octets for each character if that can be.
fn subject(name: &str, wide: bool) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let value = if wide && units.len() == name.chars().count() {
        tlv(0x1e, &units.into_iter().flat_map(u16::to_be_bytes).collect::<Vec<_>>())
    } else {
        tlv(0x0c, name.as_bytes())
    };
    let attribute = tlv(0x30, &[&[0x06, 3, 0x55, 4, 3], &value[..]].concat());
    tlv(0x30, &tlv(0x31, &attribute))
}

fn name(random: &mut Rng, round: usize) -> String {
    let pieces = if round.is_multiple_of(1_000) { 400 } else { 1 + random.usize(..7) };
    let joined: String = (0..pieces).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
    // Some are nearly users, so that both answers come up.
    if random.usize(..3) == 0 { joined.replace(|c: char| !c.is_ascii_alphanumeric(), "x") } else { joined }
}

fn policy(root: &TestIdentity) -> Policy {
    let mut clients = TrustBundle::new("clients".parse().expect("a name"));
    clients.add_anchor(root.certificate().clone()).expect("an anchor");
    let selector = format!("under {} every-certificate", root.certificate().fingerprint());
    let source = "\"iot/\" + attribute CN".parse().expect("a source");
    let rule = CertUserMapping::from_source(selector.parse().expect("a selector"), source);
    let host = Host::new("gateway".parse().expect("a name"), clients);
    PolicyBuilder::for_host(host).mapping(rule).build().expect("no problem")
}

fn one_line(line: &str) {
    assert!(line.len() <= AuditRecord::MAX_LENGTH, "{line}");
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
}

/// Each name in a certificate of its own, decided, recorded and read back.
///
/// # Panics
/// If a line is more than one, is not printable ASCII, is too long, or says something else when it is read.
#[must_use]
pub fn record(names: usize, seed: u64) -> Recorded {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let policy = policy(&root);
    let client = TestCertificate::new("CN=client").with_ca_false().with_key_usage(&[KeyUsageBit::DigitalSignature]);
    let client = client.with_purpose(2);
    let remote = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut random = Rng::with_seed(seed);
    let mut recorded = Recorded { names, ..Recorded::default() };
    for round in 0..names {
        let name = name(&mut random, round);
        let holder = client.clone().with_subject_der(&subject(&name, random.usize(..4) == 0)).issued_by(&root);
        let evidence = Evidence::after_handshake("gateway".parse().expect("a name"), holder.chain_without_root());
        let decision = policy.decide(&evidence, NOW);
        let record = decision.record().with_connection(name.as_str());
        let line = record.to_string();
        one_line(&line);
        recorded.longest = recorded.longest.max(line.len());

        let read: AuditRecord = line.parse().expect("a line that was written");
        assert_eq!(read, record, "{line}");
        let (outcome, code, user) = match decision.outcome() {
            Outcome::Admitted(principal) => {
                recorded.admitted += 1;
                (RecordOutcome::Admitted, None, Some(principal.user().as_str()))
            }
            Outcome::Anonymous => (RecordOutcome::Anonymous, None, None),
            Outcome::Refused(refusal) => {
                recorded.refused += 1;
                (RecordOutcome::Refused, Some(refusal.code().as_str()), None)
            }
        };
        assert_eq!((read.outcome(), read.code()), (outcome, code), "{line}");
        if read.elided("user").is_none() {
            assert_eq!(read.user(), user, "{line}");
        }

        let access = AccessLine::new(remote, NOW, &name, 403, 0).with_user(name.as_str());
        let line = access.to_string();
        one_line(&line);
        recorded.longest = recorded.longest.max(line.len());
        assert_eq!(line.parse(), Ok(access), "{line}");

        // An explanation has a line for each step: the name adds none, and nothing that is not seen.
        if round.is_multiple_of(100) {
            let told = explain(&policy, &evidence, NOW).to_string();
            let hidden = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2028}\u{feff}\u{85}".contains(c);
            assert!(!told.contains(hidden), "{told:?}");
            assert!(told.lines().all(|line| !line.starts_with("ALLOW")), "{told}");
        }
    }
    recorded
}

#[test]
fn no_name_leaves_its_line() {
    let recorded = record(300, 2);
    assert!(recorded.admitted > 50 && recorded.refused > 50 && recorded.longest > 500, "{recorded:?}");
}
