//! As much DER as it takes to make certificates that nobody should make.

use certmap::rustls::SignatureScheme;
use certmap::rustls::crypto::aws_lc_rs;
use certmap::testing::TestIdentity;

/// An element, its length in the shortest form.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    match u32::try_from(content.len()).expect("short").to_be_bytes() {
        [0, 0, 0, short @ ..0x80] => written.push(short),
        [0, 0, 0, one] => written.extend([0x81, one]),
        [0, 0, high, low] => written.extend([0x82, high, low]),
        [_, first, second, third] => written.extend([0x83, first, second, third]),
    }
    written.extend_from_slice(content);
    written
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// The length of the head of the first element, and the element; `None` if it is cut.
pub(super) fn element(der: &[u8]) -> Option<(usize, &[u8])> {
    let (head, length) = match *der.get(1)? {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let octets = usize::from(long & 0x7f);
            let digits = der.get(2..2 + octets)?;
            (2 + octets, digits.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet)))
        }
    };
    Some((head, der.get(..head.checked_add(length)?)?))
}

/// The elements inside the first one, each whole.
pub(super) fn inside(der: &[u8]) -> Option<Vec<&[u8]>> {
    let (head, whole) = element(der)?;
    let mut rest = &whole[head..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (_, next) = element(rest)?;
        found.push(next);
        rest = &rest[next.len()..];
    }
    Some(found)
}

/// The same certificate with another public key, or one more extension, signed by this key on P-256.
pub(super) fn signed_anew(
    certificate: &TestIdentity,
    key: Option<&[u8]>,
    extension: &[u8],
    by: &TestIdentity,
) -> Vec<u8> {
    let der = certificate.certificate().der().to_vec();
    let parts = inside(&der).expect("what we wrote");
    let mut fields: Vec<_> = inside(parts[0]).expect("what we wrote").into_iter().map(<[u8]>::to_vec).collect();
    // Version, serial number, algorithm, issuer, validity, subject, public key, extensions.
    if let Some(key) = key {
        fields[6] = key.to_vec();
    }
    let present = fields.pop().expect("extensions");
    let present = inside(inside(&present).expect("a list")[0]).expect("extensions").concat();
    fields.push(tlv(0xa3, &tlv(0x30, &[&present, extension].concat())));
    let tbs = tlv(0x30, &fields.concat());
    let key = aws_lc_rs::default_provider().key_provider.load_private_key(by.key()).expect("a key of ours");
    let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).expect("a key on P-256");
    let signature = signer.sign(&tbs).expect("a signature");
    sequence(&[&tbs, parts[1], &tlv(3, &[&[0], &signature[..]].concat())])
}
