//! Writes what no tool at hand writes: BER as old Java and Windows have it, and SAP's PSE files.
//!
//! The PSE's key derivation and cipher are openssl's, so that nothing is read only because it was written by the same code.

use crate::tool::Workshop;

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let digits: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut written = vec![tag];
    if length < 0x80 {
        written.push(u8::try_from(length).unwrap());
    } else {
        written.push(0x80 | u8::try_from(digits.len()).unwrap());
        written.extend(digits);
    }
    written.extend_from_slice(content);
    written
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Tag, content and what follows of DER.
pub fn split(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, header) = match der[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        long => {
            let digits = usize::from(long & 0x7f);
            (der[2..2 + digits].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + digits)
        }
    };
    (der[0], &der[header..header + length], &der[header + length..])
}

/// The elements of which something is made, whole.
pub fn parts(content: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let (_, _, after) = split(rest);
        parts.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    parts
}

/// The same with lengths that are not told, and strings in parts of 100 bytes.
pub fn with_unknown_lengths(der: &[u8]) -> Vec<u8> {
    with_unknown_lengths_to(der, usize::MAX)
}

/// As [`with_unknown_lengths`], so deep: certificates stay DER.
pub fn with_unknown_lengths_to(der: &[u8], depth: usize) -> Vec<u8> {
    if depth == 0 {
        return der.to_vec();
    }
    let (tag, content, _) = split(der);
    let in_parts = |tag: u8, parts: Vec<u8>| [vec![tag, 0x80], parts, vec![0, 0]].concat();
    match tag {
        0x04 | 0x80 if content.len() > 40 => {
            in_parts(tag | 0x20, content.chunks(100).flat_map(|chunk| tlv(0x04, chunk)).collect())
        }
        tag if tag & 0x20 != 0 => in_parts(
            tag,
            parts(content).into_iter().flat_map(|part| with_unknown_lengths_to(part, depth - 1)).collect(),
        ),
        _ => der.to_vec(),
    }
}

/// What to put into a PSE.
#[derive(Clone)]
pub struct Pse<'a> {
    pub version: u8,
    pub pin: Option<&'a str>,
    pub iterations: u32,
    pub objects: Vec<Vec<u8>>,
}

const TIME: &[u8] = b"20260101000000Z";
/// `pbeWithSHAAnd3-KeyTripleDES-CBC`.
pub const PSE_CIPHER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SALT: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];

/// One object: a name, and a number under 1.3.36.2.
pub fn object(name: &str, number: &[u8], value: &[u8]) -> Vec<u8> {
    let oid = [&[0x2b, 36, 2], number].concat();
    sequence(&[&tlv(0x13, name.as_bytes()), &tlv(0x18, TIME), &tlv(0x06, &oid), value])
}

/// `SKnew` of a PKCS#1 key: its two primes.
pub fn private_key(pkcs1: &[u8]) -> Vec<u8> {
    let (_, content, _) = split(pkcs1);
    let numbers = parts(content);
    key_object(RSA, &sequence(&[numbers[4], numbers[5]]))
}

pub fn key_object(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[&tlv(0x06, algorithm), &[5, 0]]);
    object("SKnew", &[3, 4], &sequence(&[&algorithm, &tlv(0x03, &[&[0], key].concat())]))
}

impl Pse<'_> {
    pub fn content(&self) -> Vec<u8> {
        let algorithm = sequence(&[&tlv(0x06, RSA), &[5, 0]]);
        sequence(&[&algorithm, &tlv(0x18, TIME), &tlv(0x02, &[1]), &tlv(0x31, &self.objects.concat())])
    }

    pub fn write(&self, workshop: &Workshop) -> Vec<u8> {
        self.write_with(workshop, PSE_CIPHER, self.iterations)
    }

    /// With another cipher's number, or a number of iterations that was not made.
    pub fn write_with(&self, workshop: &Workshop, cipher: &[u8], claimed: u32) -> Vec<u8> {
        let content = self.content();
        let iterations = tlv(0x02, &[&[0], &claimed.to_be_bytes()[..]].concat());
        let algorithm = sequence(&[&tlv(0x06, cipher), &sequence(&[&tlv(0x04, SALT), &iterations])]);
        let version = tlv(0x02, &[self.version]);
        match (self.version, self.pin) {
            (2, None) => sequence(&[&version, &content]),
            (2, Some(pin)) => {
                let encrypted = |plain: &[u8]| tlv(0x04, &self.encrypted(workshop, pin, plain));
                let body = [encrypted(pin.as_bytes()), algorithm, encrypted(&content)].concat();
                sequence(&[&version, &tlv(0xa0, &body)])
            }
            (_, pin) => {
                let check = sha1(workshop, &content);
                let data = pin.map_or(content.clone(), |pin| self.encrypted(workshop, pin, &content));
                let flag = tlv(0x02, &[u8::from(pin.is_some())]);
                let body = [flag, algorithm, tlv(0x04, &data), tlv(0x04, &check)].concat();
                sequence(&[&version, &tlv(0xa3, &body)])
            }
        }
    }

    fn encrypted(&self, workshop: &Workshop, pin: &str, plain: &[u8]) -> Vec<u8> {
        let pin: Vec<u8> = pin.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
        let derived = |id: u8, bytes: u8| {
            let salt_and_rest =
                format!("-kdfopt hexsalt:{} -kdfopt iter:{} -kdfopt id:{id}", hex(SALT), self.iterations);
            let derived = workshop.openssl(&format!(
                "kdf -keylen {bytes} -kdfopt digest:SHA1 -kdfopt hexpass:{} {salt_and_rest} PKCS12KDF",
                hex(&pin)
            ));
            derived.trim().replace(':', "")
        };
        workshop.write("plain", plain);
        workshop.openssl(&format!(
            "enc -des-ede3-cbc -K {} -iv {} -in plain -out encrypted",
            derived(1, 24),
            derived(2, 8)
        ));
        workshop.read("encrypted")
    }
}

fn sha1(workshop: &Workshop, of: &[u8]) -> Vec<u8> {
    workshop.write("plain", of);
    workshop.openssl("dgst -sha1 -binary -out hash plain");
    workshop.read("hash")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
