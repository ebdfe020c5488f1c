//! A certificate taken apart and put together again, signed: for shapes that nobody should make and some do.

use certmap::rustls::SignatureScheme;
use certmap::rustls::pki_types::alg_id;
use certmap::testing::TestIdentity;

use crate::common::Backend;

/// The parts of a certificate, each as complete DER.
#[derive(Clone)]
pub struct Parts {
    /// Empty for version 1.
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub validity: Vec<u8>,
    pub subject: Vec<u8>,
    pub public_key: Vec<u8>,
    pub unique_ids: Vec<u8>,
    /// With the tag around them; empty without.
    pub extensions: Vec<u8>,
    /// Beside the signature; `None` for the one that is signed.
    pub outer_algorithm: Option<Vec<u8>>,
}

/// An element of DER, its length in the shortest form.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let significant: Vec<_> = length.into_iter().skip_while(|octet| *octet == 0).collect();
    let length = match (content.len(), u8::try_from(significant.len()).unwrap()) {
        (short @ ..0x80, _) => vec![u8::try_from(short).unwrap()],
        (_, octets) => [&[0x80 | octets][..], &significant].concat(),
    };
    [&[tag][..], &length, content].concat()
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Tag and length, and content, of the element that begins here; and what follows it.
pub fn element(der: &[u8]) -> (usize, &[u8], &[u8]) {
    let (head, length) = match der[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let octets = usize::from(long & 0x7f);
            (2 + octets, der[2..2 + octets].iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
        }
    };
    let (whole, rest) = der.split_at(head + length);
    (head, whole, rest)
}

/// The elements inside this one, each whole.
pub fn inside(der: &[u8]) -> Vec<Vec<u8>> {
    let (head, whole, _) = element(der);
    let (mut rest, mut found) = (&whole[head..], Vec::new());
    while !rest.is_empty() {
        let (_, next, after) = element(rest);
        found.push(next.to_vec());
        rest = after;
    }
    found
}

/// The content of an algorithm identifier as one.
pub fn algorithm(content: impl AsRef<[u8]>) -> Vec<u8> {
    tlv(0x30, content.as_ref())
}

/// An extension of `id-ce` 2.5.29.x.
pub fn extension(last: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&[6, 3, 0x55, 0x1d, last], critical, &tlv(4, value)])
}

impl Parts {
    pub fn of(certificate: &TestIdentity) -> Self {
        let mut tbs = inside(&inside(&certificate.certificate().der())[0]).into_iter().peekable();
        let version = tbs.next_if(|first| first[0] == 0xa0).unwrap_or_default();
        let mut next = || tbs.next().unwrap_or_default();
        Self {
            version,
            serial: next(),
            algorithm: {
                next();
                algorithm(alg_id::ECDSA_SHA256)
            },
            issuer: next(),
            validity: next(),
            subject: next(),
            public_key: next(),
            unique_ids: Vec::new(),
            extensions: next(),
            outer_algorithm: None,
        }
    }

    /// One more extension, whatever is there already.
    pub fn extend(&mut self, extension: &[u8]) {
        let present =
            if self.extensions.is_empty() { Vec::new() } else { inside(&inside(&self.extensions)[0]).concat() };
        self.extensions = tlv(0xa3, &tlv(0x30, &[&present, extension].concat()));
    }

    /// What is signed.
    pub fn tbs(&self) -> Vec<u8> {
        let Self { version, serial, algorithm, issuer, validity, subject, public_key, unique_ids, extensions, .. } =
            self;
        let parts = [version, serial, algorithm, issuer, validity, subject, public_key, unique_ids, extensions];
        sequence(&parts.map(Vec::as_slice))
    }

    /// With this signature.
    pub fn with_signature(&self, signature: &[u8]) -> Vec<u8> {
        let outer = self.outer_algorithm.as_ref().unwrap_or(&self.algorithm);
        sequence(&[&self.tbs(), outer, &tlv(3, &[&[0], signature].concat())])
    }

    /// Signed with the key of `signer`, whatever the parts say: RSA-PSS with an RSA key, ECDSA with another.
    pub fn signed_by(&self, signer: &TestIdentity) -> Vec<u8> {
        let key = Backend::AwsLcRs.provider().key_provider.load_private_key(signer.key()).unwrap();
        let schemes = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];
        let signature = key.choose_scheme(&schemes).unwrap().sign(&self.tbs()).unwrap();
        self.with_signature(&signature)
    }
}

/// The certificate with its ECDSA signature written in the other way: for P-256, s and n - s verify alike.
pub fn other_signature(certificate: &[u8]) -> Vec<u8> {
    const ORDER: &[u8; 32] = b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    with_signature(certificate, |signature| {
        let [r, s] = <[Vec<u8>; 2]>::try_from(inside(signature)).unwrap();
        let s: Vec<_> = s[2..].iter().copied().skip_while(|octet| *octet == 0).collect();
        let padded = [&vec![0; 32 - s.len()][..], &s].concat();
        let (mut difference, mut borrow) = (vec![0; 32], 0);
        for at in (0..32).rev() {
            let value = i16::from(ORDER[at]) - i16::from(padded[at]) - borrow;
            borrow = i16::from(value < 0);
            difference[at] = u8::try_from(value.rem_euclid(256)).unwrap();
        }
        let start = difference.iter().position(|octet| *octet != 0).unwrap();
        let sign: &[u8] = if difference[start] & 0x80 == 0 { &[] } else { &[0] };
        sequence(&[&r, &tlv(2, &[sign, &difference[start..]].concat())])
    })
}

/// The certificate with what is written in the place of its signature.
pub fn with_signature(certificate: &[u8], write: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let [tbs, algorithm, signature] = <[Vec<u8>; 3]>::try_from(inside(certificate)).unwrap();
    let (head, _, _) = element(&signature);
    let written = write(&signature[head + 1..]);
    sequence(&[&tbs, &algorithm, &tlv(3, &[&[0], &written[..]].concat())])
}
