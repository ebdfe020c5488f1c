//! The text of names agrees with openssl's `-nameopt RFC2253` on generated names, and where it does not, [`DIFFERENCES`]
//! says why.
//!
//! RFC 2253 is what RFC 4514 replaced, and the nearest that openssl has. To ask it for many names at once, each is the issuer
//! of one recipient of a CMS message (RFC 5652, section 6.2.1), which `openssl cms -print` prints with the function that
//! prints the subject for `openssl x509`; a test asks both.
//!
//! Nothing but what is listed may differ, and nothing that is listed may agree. A name whose texts differ is read from
//! openssl's text as the same name or not at all, except where the list says otherwise.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::{env, iter};

use certmap::cert::{AttributeValue, DistinguishedName, ObjectIdentifier};
use certmap::testing::TestCertificate;
use fastrand::Rng;

use crate::random_names::{
    BMP, C, CN, DC, EMAIL_ADDRESS, GIVEN_NAME, IA5, L, NUMERIC, O, OU, PRINTABLE, SERIAL_NUMBER, SN, ST, STREET,
    TELETEX, TITLE, UID, UNIVERSAL, UNKNOWN, UTF8,
};
use crate::tool::{OPENSSL, Running, Workshop, found};

/// As many names as are compared; `CERTMAP_NAMES` asks for another number. 100,000 take some seconds.
const NAMES: usize = 20_000;
/// How many names one process of openssl prints.
const BATCH: usize = 20_000;

/// What becomes of openssl's text of a name when we read it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reads {
    AsThatName,
    NotAsThatName,
}
use Reads::{AsThatName, NotAsThatName};

/// A class of names in which the texts differ, and the sentence that is on our side.
struct Difference {
    class: &'static str,
    holds: fn(&Name) -> bool,
    reads: Reads,
    why: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        class: "letters beyond ASCII",
        holds: |name| name.text_with(|c| VISIBLE.contains(&c)),
        reads: AsThatName,
        why: "RFC 4514, section 2.4 lets what needs no escape stand as it is; openssl writes the octets as hexadecimal pairs.",
    },
    Difference {
        class: "another keyword",
        holds: |name| name.any(|attribute| OTHER_KEYWORDS.contains(&attribute.kind)),
        reads: AsThatName,
        why: "RFC 4514, section 3 has STREET, and RFC 4519 givenName; openssl writes street and GN.",
    },
    Difference {
        class: "a keyword that only openssl has",
        holds: |name| name.any(|attribute| THEIR_KEYWORDS.contains(&attribute.kind)),
        reads: NotAsThatName,
        why: "RFC 4514, section 2.3: a type without registered keyword is written as its number, whoever reads it.",
    },
    Difference {
        class: "several attributes in one RDN",
        holds: Name::is_reordered,
        reads: AsThatName,
        why: "an RDN is a set; equal names print alike. openssl writes it backwards.",
    },
    Difference {
        class: "letters among hexadecimal digits",
        holds: |name| name.any(Attribute::has_hexadecimal_letter),
        reads: AsThatName,
        why: "RFC 4514, section 3: both cases are hexadecimal digits.",
    },
    Difference {
        class: "another string type under a number",
        holds: |name| name.any(|attribute| attribute.is_text() && !attribute.has_keyword() && attribute.tag != UTF8),
        reads: AsThatName,
        why: "which string type a text had is not kept, for CAs change it on renewal.",
    },
    Difference {
        class: "a string that programs read differently",
        holds: |name| {
            name.any(|attribute| attribute.has_keyword() && [TELETEX, BMP, UNIVERSAL].contains(&attribute.tag))
        },
        reads: NotAsThatName,
        why: "RFC 4514, section 2.4 wants hexadecimal where the conversion to text is not known; openssl takes T.61 for Latin-1.",
    },
    Difference {
        class: "octets that their string type does not have",
        holds: |name| {
            let ascii = |tag| [NUMERIC, PRINTABLE, IA5].contains(&tag);
            name.any(|one| one.has_keyword() && ascii(one.tag) && !one.content.is_ascii())
        },
        reads: NotAsThatName,
        why: "X.680, section 41: these strings are ASCII; openssl takes other octets for Latin-1.",
    },
    Difference {
        class: "a value that is one `#`",
        holds: |name| name.any(|attribute| attribute.is_text() && attribute.has_keyword() && attribute.content == b"#"),
        reads: NotAsThatName,
        why: "RFC 4514, section 2.4: a `#` at the beginning is escaped; openssl forgets it if it is the end too.",
    },
    Difference {
        class: "a number of more than 79 characters",
        holds: |name| name.any(|attribute| attribute.kind == LONG),
        reads: NotAsThatName,
        why: "openssl cuts the number, so that it is another one.",
    },
];

// Types for which both write the same keyword.
const KEYWORDS: [&str; 12] = [CN, SN, SERIAL_NUMBER, C, L, ST, O, OU, TITLE, DC, UID, EMAIL_ADDRESS];
const OTHER_KEYWORDS: [&str; 2] = [STREET, GIVEN_NAME];
/// Postal code, pseudonym, organization identifier.
const THEIR_KEYWORDS: [&str; 3] = ["2.5.4.17", "2.5.4.65", "2.5.4.97"];
const NUMBERS: [&str; 3] = [UNKNOWN, "1.2.3.4", "2.999.4711"];
const LONG: &str = "1.3.6.1.4.1.4294967295.4294967295.4294967295.4294967295.4294967295.4294967295.4294967295";

const BIT_STRING: u8 = 0x03;
pub const SEQUENCE: u8 = 0x30;
/// All that openssl reads in a name; see [`openssl_reads_no_other_type`].
const TAGS: [u8; 9] = [UTF8, PRINTABLE, IA5, NUMERIC, TELETEX, BMP, UNIVERSAL, BIT_STRING, SEQUENCE];

const PLAIN: [char; 20] =
    ['a', 'Z', '0', '9', ' ', ' ', '#', '=', ',', '+', ';', '"', '\\', '<', '>', '/', '*', '\'', '.', '@'];
/// Written as hexadecimal pairs by both.
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
const VISIBLE: [char; 8] = ['ä', 'ß', 'č', 'ı', 'ſ', '\u{301}', '漢', '😀'];

#[derive(Debug)]
pub struct Attribute {
    pub kind: &'static str,
    pub tag: u8,
    pub content: Vec<u8>,
}

/// A name: RDNs in encoded order, their attributes in any order.
#[derive(Debug)]
pub struct Name(pub Vec<Vec<Attribute>>);

impl Attribute {
    fn random(random: &mut Rng) -> Self {
        let kind = match random.u8(..40) {
            0 => random.choice(OTHER_KEYWORDS),
            1 => random.choice(THEIR_KEYWORDS),
            2..4 => random.choice(NUMBERS),
            4 if random.u8(..4) == 0 => Some(LONG),
            _ => random.choice(KEYWORDS),
        };
        let tag = match random.u8(..30) {
            0..16 => UTF8,
            16..22 => PRINTABLE,
            22..25 => IA5,
            _ => random.choice(TAGS).expect("there are some"),
        };
        let characters: Vec<char> = (0..random.usize(..9)).map(|_| character(random, tag)).collect();
        let content = match tag {
            BMP => characters.iter().flat_map(|c| u16::try_from(*c as u32).expect("chosen so").to_be_bytes()).collect(),
            UNIVERSAL => characters.iter().flat_map(|c| (*c as u32).to_be_bytes()).collect(),
            UTF8 => characters.iter().collect::<String>().into_bytes(),
            BIT_STRING => iter::once(0).chain(characters.iter().map(|c| *c as u8)).collect(),
            SEQUENCE => element(UTF8, characters.iter().collect::<String>().as_bytes()),
            _ => characters.iter().map(|c| u8::try_from(*c).expect("chosen so")).collect(),
        };
        Self { kind: kind.expect("there are some"), tag, content }
    }

    fn der(&self) -> Vec<u8> {
        element(SEQUENCE, &[oid(self.kind), element(self.tag, &self.content)].concat())
    }

    fn is_text(&self) -> bool {
        self.tag == UTF8 || ([NUMERIC, PRINTABLE, IA5].contains(&self.tag) && self.content.is_ascii())
    }

    /// True if both write it with a keyword.
    fn has_keyword(&self) -> bool {
        KEYWORDS.contains(&self.kind) || OTHER_KEYWORDS.contains(&self.kind)
    }

    fn has_hexadecimal_letter(&self) -> bool {
        let hexadecimal = !self.has_keyword() || [BIT_STRING, SEQUENCE].contains(&self.tag);
        let letter = |octet: &u8| octet >> 4 > 9 || octet & 0xf > 9;
        hexadecimal && element(self.tag, &self.content).iter().any(letter)
    }
}

impl Name {
    pub fn random(random: &mut Rng) -> Self {
        let attributes = |random: &mut Rng| if random.u8(..12) == 0 { random.usize(2..4) } else { 1 };
        let rdn = |random: &mut Rng| (0..attributes(random)).map(|_| Attribute::random(random)).collect();
        Self((0..random.usize(..4)).map(|_| rdn(random)).collect())
    }

    pub fn der(&self) -> Vec<u8> {
        let rdn = |rdn: &Vec<Attribute>| element(0x31, &rdn.iter().flat_map(Attribute::der).collect::<Vec<_>>());
        element(SEQUENCE, &self.0.iter().flat_map(rdn).collect::<Vec<_>>())
    }

    pub fn read(&self) -> DistinguishedName {
        DistinguishedName::from_der(&self.der()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn any(&self, holds: impl Fn(&Attribute) -> bool) -> bool {
        self.0.iter().flatten().any(holds)
    }

    /// True if a text that we write as text has such a character.
    fn text_with(&self, holds: impl Fn(char) -> bool) -> bool {
        let text = |one: &Attribute| String::from_utf8(one.content.clone()).is_ok_and(|text| text.contains(&holds));
        self.any(|one| one.is_text() && one.has_keyword() && text(one))
    }

    /// True if the order in which the attributes of an RDN are encoded is not the reverse of the one in which we keep them.
    fn is_reordered(&self) -> bool {
        let read = self.read();
        read.rdns().zip(&self.0).any(|(ours, theirs)| {
            let kept = ours.attributes().iter().map(|one| (one.kind().to_string(), one.value().clone()));
            let encoded = theirs.iter().rev().map(|one| (one.kind.to_owned(), value(one)));
            !kept.eq(encoded)
        })
    }
}

fn value(attribute: &Attribute) -> AttributeValue {
    match String::from_utf8(attribute.content.clone()) {
        Ok(text) if attribute.is_text() => AttributeValue::Text(text),
        _ => AttributeValue::Opaque(element(attribute.tag, &attribute.content)),
    }
}

fn character(random: &mut Rng, tag: u8) -> char {
    let c = match random.u8(..24) {
        0 => random.choice(HIDDEN),
        1 => random.choice(VISIBLE),
        _ => random.choice(PLAIN),
    };
    let c = c.expect("there are some");
    match tag {
        UTF8 | UNIVERSAL | SEQUENCE => c,
        BMP if u16::try_from(c as u32).is_ok() => c,
        TELETEX | BIT_STRING if u8::try_from(c).is_ok() => c,
        // Seldom, an octet that these strings do not have.
        NUMERIC | PRINTABLE | IA5 if c.is_ascii() || (c == 'ä' && random.bool()) => c,
        _ => 'x',
    }
}

pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let octets = content.len().to_be_bytes();
    let significant: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
    let length = if content.len() < 0x80 {
        vec![octets[octets.len() - 1]]
    } else {
        [&[0x80 | u8::try_from(significant.len()).expect("at most eight")], &significant[..]].concat()
    };
    [&[tag], &length[..], content].concat()
}

pub fn oid(dotted: &str) -> Vec<u8> {
    element(0x06, dotted.parse::<ObjectIdentifier>().expect("an object identifier").as_der_content())
}

/// A CMS `EnvelopedData` of nothing, for recipients that have certificates of these issuers.
fn message(names: &[Vec<u8>]) -> Vec<u8> {
    let recipient = |name: &Vec<u8>| {
        let issuer_and_serial = element(SEQUENCE, &[name, &element(2, &[1])[..]].concat());
        let rsa = element(SEQUENCE, &[oid("1.2.840.113549.1.1.1"), element(5, &[])].concat());
        element(SEQUENCE, &[element(2, &[0]), issuer_and_serial, rsa, element(4, &[])].concat())
    };
    let aes = element(SEQUENCE, &oid("2.16.840.1.101.3.4.1.42"));
    let nothing = element(SEQUENCE, &[oid("1.2.840.113549.1.7.1"), aes].concat());
    let recipients = element(0x31, &names.iter().flat_map(recipient).collect::<Vec<_>>());
    let enveloped = element(SEQUENCE, &[element(2, &[0]), recipients, nothing].concat());
    element(SEQUENCE, &[oid("1.2.840.113549.1.7.3"), element(0xa0, &enveloped)].concat())
}

/// What openssl calls these names; `None` if it does not read one of them.
fn printed(workshop: &Workshop, names: &[Vec<u8>]) -> Option<Vec<String>> {
    workshop.write("names.der", message(names));
    let arguments = "cms -cmsout -print -inform DER -in names.der -nameopt RFC2253".split(' ');
    let output = Running::start(OPENSSL, workshop.path(), arguments).finish();
    let issuer = |line: &str| line.trim_start().strip_prefix("issuer:").map(|name| name.trim_start().to_owned());
    output.success.then(|| output.stdout.lines().filter_map(issuer).collect())
}

#[test]
fn texts_are_those_of_openssl_except_for_what_is_listed() {
    if !found(&[OPENSSL]) {
        return;
    }
    let asked = env::var("CERTMAP_NAMES").map_or(NAMES, |number| number.parse().expect("a number of names"));
    let workshop = Workshop::new();
    let mut random = Rng::with_seed(4514);
    let (mut compared, mut equal, mut other_names) = (0, 0, 0);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    while compared < asked {
        let names: Vec<Name> = (0..BATCH.min(asked - compared)).map(|_| Name::random(&mut random)).collect();
        let ders: Vec<_> = names.iter().map(Name::der).collect();
        let theirs = printed(&workshop, &ders).expect("openssl reads all of them");
        assert_eq!(theirs.len(), names.len());
        for (name, theirs) in names.iter().zip(theirs) {
            let read = name.read();
            let ours = read.to_string();
            let classes: Vec<&Difference> = DIFFERENCES.iter().filter(|one| (one.holds)(name)).collect();
            let words: Vec<&str> = classes.iter().map(|one| one.class).collect();
            assert_eq!(ours == theirs, classes.is_empty(), "{ours} | {theirs} | {words:?} | {name:?}");
            let same = classes.iter().all(|one| one.reads == AsThatName);
            assert_eq!(theirs.parse().as_ref() == Ok(&read), same, "{ours} | {theirs} | {words:?} | {name:?}");
            assert_eq!(ours.parse().as_ref(), Ok(&read), "{ours}");
            equal += usize::from(ours == theirs);
            other_names += usize::from(!same);
            for word in words {
                *seen.entry(word).or_default() += 1;
            }
        }
        compared += names.len();
    }
    for Difference { class, why, .. } in DIFFERENCES {
        assert!(seen.contains_key(class) || asked < NAMES, "no name has {class}: {why}");
    }
    let _ = writeln!(
        io::stderr(),
        "{compared} names: {equal} texts are openssl's, {} more are read as the same name, {other_names} are not: {seen:?}",
        compared - equal - other_names
    );
}

#[test]
fn openssl_prints_recipients_as_it_prints_subjects() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let mut random = Rng::with_seed(2253);
    let names: Vec<_> = (0..12).map(|_| Name::random(&mut random).der()).collect();
    let printed = printed(&workshop, &names).expect("openssl reads all of them");
    for (name, printed) in names.iter().zip(printed) {
        let made = TestCertificate::new("").with_subject_der(name).self_signed();
        workshop.write("subject.der", made.certificate().der());
        let subject = workshop.openssl("x509 -inform DER -in subject.der -noout -subject -nameopt RFC2253");
        assert_eq!(subject.trim_end_matches('\n').trim_start_matches("subject="), printed);
    }
}

/// What is not compared, because openssl takes the whole certificate for broken.
#[test]
fn openssl_reads_no_other_type() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let with = |tag: u8, content: &[u8]| vec![Name(vec![vec![Attribute { kind: CN, tag, content: content.to_vec() }]])];
    let reads = |names: &[Name]| printed(&workshop, &names.iter().map(Name::der).collect::<Vec<_>>()).is_some();
    assert!(TAGS.iter().all(|tag| reads(&with(*tag, &[0, 0, 0, 0x61]))));
    // INTEGER, OCTET STRING, UTCTime, GeneralizedTime, VisibleString.
    for tag in [0x02, 0x04, 0x17, 0x18, 0x1a] {
        let names = with(tag, b"1");
        assert!(!reads(&names), "{tag}");
        let text = names[0].read().to_string();
        assert_eq!(text, if tag == 0x1a { "CN=1".to_owned() } else { format!("CN=#{tag:02x}0131") });
    }
}
