//! Nobody is admitted by us alone: where we admit a chain and two others refuse it, [`ALONE`] says why.
//!
//! The others are `openssl verify`, Python's `cryptography` (its verifier of clients, as it comes: a profile of the Web's PKI) and
//! Go's `crypto/x509`. Python refuses whoever has no alternative name, so there the other two decide. They are asked about the generated chains, and about x509-limbo's where that is at hand (see [`limbo`]).
//! Whoever is missing is told; two of the three are enough. Neither Python nor Go looks at revocation lists.
//!
//! [`limbo`]: crate::limbo

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use certmap::Certificate;
use certmap::testing::NOW;
use fastrand::Rng;

use crate::common::tries;
use crate::limbo::{admitted_on_purpose, limbo_questions};
use crate::openssl_paths::{all_theirs, ours};
use crate::path_cases::cases;
use crate::tool::{GO, OPENSSL, PYTHON, Running, Workshop, at_hand};

/// Rounds of the generated chains.
const ROUNDS: usize = 50;

/// A chain that we admit. What we refuse is no matter of the others: and one of limbo's keeps `cryptography` 48.0 busy for minutes.
pub struct Question {
    /// Its class, or the name that limbo gave it.
    pub class: String,
    /// What is presented, own certificate first.
    pub presented: Vec<Vec<u8>>,
    /// Who is trusted.
    pub anchors: Vec<Vec<u8>>,
    /// When.
    pub seconds: u64,
}

/// Classes of chains that we admit and two of the others refuse, and the sentence that is on our side. Those of limbo that are
/// listed in `expectations.toml` have theirs there.
const ALONE: &[(&str, &str)] = &[
    (
        "crl::issuer-no-keyusage-extension",
        "RFC 5280, section 6.1.4 (n): if a key usage is present, it includes keyCertSign; limbo expects a success.",
    ),
    (
        "common name like a DNS name not permitted",
        "RFC 5280, section 4.2.1.10: restrictions apply only when a name of their form is present, and a common name is none.",
    ),
    (
        "last second",
        "RFC 5280, section 4.1.2.5: the validity is the period from notBefore through notAfter, inclusive.",
    ),
    (
        "list in its last second",
        "RFC 5280, section 6.3.3 (a): a list is out of date if the time is after its next update. Only openssl looks at lists.",
    ),
    ("list of the near future", "clocks differ, and 300 seconds are allowed for that. Only openssl looks at lists."),
    (
        "no key usage",
        "RFC 5280, section 6.1.4 (n): if a key usage is present, it includes keyCertSign; section 4.2.1.3 has CAs write one.",
    ),
    (
        "self-issued beyond the path length",
        "RFC 5280, section 4.2.1.9: self-issued certificates do not count; Go counts them.",
    ),
];

const IN_PYTHON: &str = r#"
import sys, datetime, warnings
warnings.simplefilter("ignore")
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
read = lambda digits: x509.load_der_x509_certificate(bytes.fromhex(digits))
for line in open("chains.txt"):
    seconds, anchors, others, own = line.rstrip("\n").split(" ")
    many = lambda all: [read(one) for one in all.split(",") if one]
    try:
        time = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).replace(tzinfo=None)
        verifier = PolicyBuilder().store(Store(many(anchors))).time(time).build_client_verifier()
        verifier.verify(read(own), many(others))
        print("admits")
    except AttributeError as error:
        sys.exit("No module named: too old a cryptography: " + str(error))
    except Exception as error:
        print("refuses " + type(error).__name__ + " " + str(error).replace("\n", " "))
"#;

const IN_GO: &str = r#"
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func pool(all string) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, one := range strings.Split(all, ",") {
		if certificate, err := read(one); err == nil {
			pool.AddCert(certificate)
		}
	}
	return pool
}

func read(digits string) (*x509.Certificate, error) {
	der, err := hex.DecodeString(digits)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func main() {
	file, _ := os.Open("chains.txt")
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), " ")
		seconds, _ := strconv.ParseInt(parts[0], 10, 64)
		own, err := read(parts[3])
		if err == nil {
			_, err = own.Verify(x509.VerifyOptions{
				Roots: pool(parts[1]), Intermediates: pool(parts[2]), CurrentTime: time.Unix(seconds, 0),
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			})
		}
		if err == nil {
			fmt.Println("admits")
		} else {
			fmt.Println("refuses " + strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}
"#;

fn hexadecimal(der: &[u8]) -> String {
    der.iter().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}

/// What each of the others says to each chain; nothing of one who is not at hand.
fn answers(questions: &[Question]) -> BTreeMap<&'static str, Vec<String>> {
    let workshop = Workshop::new();
    let line = |question: &Question| {
        let many = |all: &[Vec<u8>]| all.iter().map(|der| hexadecimal(der)).collect::<Vec<_>>().join(",");
        let (own, others) = (&question.presented[..1], &question.presented[1..]);
        format!("{} {} {} {}\n", question.seconds, many(&question.anchors), many(others), many(own))
    };
    workshop.write("chains.txt", questions.iter().map(line).collect::<String>());
    workshop.write("chains.py", IN_PYTHON);
    workshop.write("chains.go", IN_GO);
    let mut answers = BTreeMap::new();
    for (name, tool, arguments) in [("Python", PYTHON, &["chains.py"][..]), ("Go", GO, &["run", "chains.go"])] {
        if !at_hand(&[tool]) {
            continue;
        }
        let output = Running::start(tool, workshop.path(), arguments).finish();
        if output.stderr.contains("No module named") {
            let _ = writeln!(io::stderr(), "SKIPPED: python3 has no `cryptography` that verifies clients");
            continue;
        }
        assert!(output.success, "{name}: {}", output.stderr);
        let said: Vec<_> = output.stdout.lines().map(str::to_owned).collect();
        assert_eq!(said.len(), questions.len(), "{name}");
        answers.insert(name, said);
    }
    answers
}

fn compare(what: &str, questions: &[Question], answers: &BTreeMap<&str, Vec<String>>) {
    if answers.len() < 2 {
        let _ = writeln!(io::stderr(), "SKIPPED: {what}: fewer than two others are at hand");
        return;
    }
    let mut alone: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unlisted = String::new();
    let mut all_refuse = 0;
    for (at, question) in questions.iter().enumerate() {
        let refusing: Vec<_> = answers.iter().filter(|(_, said)| said[at] != "admits").collect();
        if refusing.len() < 2 {
            continue;
        }
        all_refuse += usize::from(refusing.len() == answers.len());
        *alone.entry(&question.class).or_default() += 1;
        if !ALONE.iter().any(|(class, _)| question.class == *class) && !admitted_on_purpose(&question.class) {
            let said: Vec<_> = refusing.iter().map(|(name, said)| format!("{name}: {}", said[at])).collect();
            let _ = writeln!(unlisted, "{}: {}", question.class, said.join("; "));
        }
    }
    let names: Vec<_> = answers.keys().collect();
    let cells: usize = alone.values().sum();
    let _ = writeln!(
        io::stderr(),
        "{what}, {names:?}: {} admitted by us, {cells} of them refused by two, {all_refuse} by all: {alone:?}",
        questions.len()
    );
    assert!(unlisted.is_empty(), "\n{unlisted}");
}

#[test]
fn nobody_is_admitted_by_us_alone_or_it_is_said_why() {
    assert!(ALONE.iter().all(|(_, why)| why.ends_with('.')));
    let cases = cases(tries(ROUNDS) / 5, &mut Rng::with_seed(17));
    let question = |case: &crate::path_cases::Case| Question {
        class: case.class.to_owned(),
        presented: case.presented.iter().map(|one| one.der().to_vec()).collect(),
        anchors: vec![Certificate::der(&case.anchor).to_vec()],
        seconds: NOW.as_secs(),
    };
    let made = cases.len();
    let cases: Vec<_> = cases.into_iter().filter(|case| ours(case).0).collect();
    let questions: Vec<_> = cases.iter().map(question).collect();
    let mut said = answers(&questions);
    if at_hand(&[OPENSSL]) {
        let openssl = all_theirs(&cases);
        let words =
            |(admits, words): (bool, String)| if admits { "admits".to_owned() } else { format!("refuses {words}") };
        said.insert("OpenSSL", openssl.into_iter().map(words).collect());
    }
    compare(&format!("{made} generated chains"), &questions, &said);

    match limbo_questions() {
        None => {
            let _ = writeln!(io::stderr(), "SKIPPED: no chains of x509-limbo");
        }
        Some(questions) => {
            let mut said = answers(&questions);
            if at_hand(&[OPENSSL]) {
                said.insert("OpenSSL", questions.iter().map(openssl).collect());
            }
            compare("x509-limbo's clients", &questions, &said);
        }
    }
}

/// What `openssl verify` says to one chain.
fn openssl(question: &Question) -> String {
    let workshop = Workshop::new();
    let pem = |ders: &[Vec<u8>]| ders.iter().map(|der| section(der)).collect::<String>();
    workshop.write("anchors.pem", pem(&question.anchors));
    workshop.write("others.pem", pem(&question.presented[1..]));
    workshop.write("own.pem", pem(&question.presented[..1]));
    let fixed = "verify -x509_strict -purpose sslclient -no-CApath -no-CAstore -CAfile anchors.pem -attime";
    let mut arguments: Vec<_> = fixed.split(' ').map(str::to_owned).collect();
    arguments.push(question.seconds.to_string());
    if question.presented.len() > 1 {
        arguments.extend(["-untrusted".to_owned(), "others.pem".to_owned()]);
    }
    arguments.push("own.pem".to_owned());
    let output = Running::start(OPENSSL, workshop.path(), arguments).finish();
    if output.success { "admits".to_owned() } else { format!("refuses {}", output.stderr.replace('\n', " ")) }
}

/// As PEM, whatever it is.
fn section(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in der.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| number << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
        let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[number >> shift & 63]));
        text.extend(digits.iter().take(three.len() + 1));
        text.extend(core::iter::repeat_n('=', 3 - three.len()));
    }
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
