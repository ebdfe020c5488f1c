//! The text of names agrees with that of Python's `cryptography` on generated names, and where it does not, [`DIFFERENCES`]
//! says why; and what that reads in our text is the name or nothing.
//!
//! `cryptography` takes names from requests and certificates only, so each name is the subject of a request without signature,
//! which it reads and does not verify.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write as _};

use fastrand::Rng;

use crate::names_openssl::{Attribute, Name, SEQUENCE, element, oid};
use crate::random_names::{C, CN, DC, IA5, L, NUMERIC, O, OU, PRINTABLE, ST, STREET, UID, UTF8};
use crate::tool::{PYTHON, Running, Workshop, at_hand};

/// As many names as are compared; `CERTMAP_NAMES` asks for another number.
const NAMES: usize = 5_000;
/// How many names one process reads.
const BATCH: usize = 2_000;

/// For each line, a request and our text of its subject in hexadecimal: their text, and what they print of ours when they have
/// read it; `!` where they read nothing.
const SCRIPT: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
from cryptography import x509
def tried(make):
    try:
        return make().encode("utf8").hex() + "."
    except Exception:
        return "!"
for line in open("names.txt"):
    request, text = line.rstrip("\n").split(" ")
    subject = None
    def theirs():
        global subject
        subject = x509.load_der_x509_csr(bytes.fromhex(request)).subject
        return subject.rfc4514_string()
    def reread():
        return x509.Name.from_rfc4514_string(bytes.fromhex(text).decode("utf8")).rfc4514_string()
    print(tried(theirs), tried(reread), flush=True)
"#;

/// A certificate request for this name, signed by nobody.
fn request(name: &Name) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &oid("1.3.101.112"));
    let key = element(SEQUENCE, &[&algorithm[..], &element(3, &[0; 33])].concat());
    let asked = element(SEQUENCE, &[&element(2, &[0])[..], &name.der(), &key, &element(0xa0, &[])].concat());
    element(SEQUENCE, &[asked, algorithm, element(3, &[0; 65])].concat())
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"))
}

/// The text in one column of the script's output; `None` if nothing was read.
fn text(column: &str) -> Option<String> {
    let digits = column.strip_suffix('.')?;
    let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    Some(String::from_utf8((0..digits.len()).step_by(2).map(octet).collect()).expect("encoded there"))
}

/// What a class of names may be printed as, and read as.
struct Difference {
    class: &'static str,
    holds: fn(&Name) -> bool,
    why: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        class: "a keyword that they do not have",
        holds: |name| name.any(|attribute| !KEYWORDS.contains(&attribute.kind)),
        why: "RFC 4519 has SN, serialNumber, title, givenName; they write numbers. After a number RFC 4514, section 2.4 has \
              hexadecimal; they write text, and what they read of hexadecimal is the text of its octets.",
    },
    Difference {
        class: "characters that the string type does not have",
        holds: |name| name.any(is_loose),
        why: "CAs write them all the same; they do not read the certificate.",
    },
    Difference {
        class: "other types than text",
        holds: |name| name.any(|one| ![UTF8, PRINTABLE, IA5, NUMERIC].contains(&one.tag)),
        why: "RFC 4514, section 2.4 wants hexadecimal where the conversion to text is not known; they take T.61 for UTF-8, and \
              do not read what is no string.",
    },
    Difference {
        class: "characters that nobody sees",
        holds: |name| name.any(|one| one.tag == UTF8 && String::from_utf8_lossy(&one.content).contains(HIDDEN)),
        why: "we write their octets; RFC 4514, section 2.4 lets them stand.",
    },
    Difference {
        class: "several attributes in one RDN",
        holds: |name| name.0.iter().any(|rdn| rdn.len() > 1),
        why: "an RDN is a set; equal names print alike. They keep an order, and read no set that is not sorted.",
    },
    Difference {
        class: "an empty value",
        holds: |name| name.any(|one| one.content.is_empty()),
        why: "X.520 has a least length, which they ask for in text and not in a certificate.",
    },
    Difference {
        class: "a country of other than two letters",
        holds: |name| name.any(|one| one.kind == C && one.content.len() != 2),
        why: "X.520 has two, which they ask for in text and not in a certificate.",
    },
];

/// Types for which both write the same keyword.
const KEYWORDS: [&str; 9] = [CN, L, ST, O, OU, C, STREET, DC, UID];

const HIDDEN: [char; 12] = [
    '\0',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    '\u{200b}',
    '\u{202e}',
    '\u{2028}',
    '\u{feff}',
    '\u{e0041}',
];

/// X.680, section 41. Of a `NumericString` they read nothing at all.
fn is_loose(attribute: &Attribute) -> bool {
    let printable = |octet: &u8| octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(octet);
    match attribute.tag {
        PRINTABLE => !attribute.content.iter().all(printable),
        IA5 => !attribute.content.iter().all(|octet| (b' '..0x7f).contains(octet)),
        NUMERIC => true,
        _ => false,
    }
}

#[test]
fn texts_are_those_of_python_except_for_what_is_listed() {
    if !at_hand(&[PYTHON]) {
        return;
    }
    let asked = env::var("CERTMAP_NAMES").map_or(NAMES, |number| number.parse().expect("a number of names"));
    let workshop = Workshop::new();
    workshop.write("names.py", SCRIPT);
    let mut random = Rng::with_seed(4514);
    let (mut compared, mut equal, mut unread, mut reread_as_others) = (0, 0, 0, 0);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    while compared < asked {
        let names: Vec<Name> = (0..BATCH.min(asked - compared)).map(|_| Name::random(&mut random)).collect();
        let ours: Vec<_> = names.iter().map(|name| name.read().to_string()).collect();
        let lines = names.iter().zip(&ours);
        let lines =
            lines.map(|(name, ours)| format!("{} {}\n", hexadecimal(&request(name)), hexadecimal(ours.as_bytes())));
        workshop.write("names.txt", lines.collect::<String>());
        let output = Running::start(PYTHON, workshop.path(), ["names.py"]).finish();
        if output.stderr.contains("No module named") {
            let _ = writeln!(io::stderr(), "SKIPPED: python3 has no cryptography");
            return;
        }
        assert!(output.success, "{}", output.stderr);
        assert_eq!(output.stdout.lines().count(), names.len());
        for ((name, ours), line) in names.iter().zip(&ours).zip(output.stdout.lines()) {
            let (theirs, reread) = line.split_once(' ').expect("two columns");
            let (theirs, reread) = (text(theirs), text(reread));
            let read = name.read();
            let words: Vec<_> = DIFFERENCES.iter().filter(|one| (one.holds)(name)).map(|one| one.class).collect();
            let about = || format!("{ours} | {theirs:?} | {reread:?} | {words:?} | {name:?}");
            let same = theirs.as_ref() == Some(ours) && reread.as_ref() == Some(ours);
            assert!(same || !words.is_empty(), "{}", about());
            let text = !words.contains(&"other types than text");
            if let Some(theirs) = &theirs {
                assert!(theirs.parse().as_ref() == Ok(&read) || !text, "{}", about());
            }
            if let Some(reread) = &reread {
                let other = reread.parse().as_ref() != Ok(&read);
                assert!(!other || !text || words.contains(&"a keyword that they do not have"), "{}", about());
                reread_as_others += usize::from(other);
            }
            equal += usize::from(theirs.as_ref() == Some(ours));
            unread += usize::from(theirs.is_none());
            if let [word] = words[..] {
                *seen.entry(word).or_default() += usize::from(!same);
            }
        }
        compared += names.len();
    }
    for Difference { class, why, .. } in DIFFERENCES {
        assert!(seen.get(class).is_some_and(|names| *names > 0), "no name differs for {class}: {why}");
    }
    let _ = writeln!(
        io::stderr(),
        "{compared} names: {equal} texts are Python's, {unread} it does not read; {reread_as_others} of our texts it reads as \
         others. Differing for one reason alone: {seen:?}"
    );
}
