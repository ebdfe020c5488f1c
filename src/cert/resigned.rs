//! (private) The other way to write the same ECDSA signature, and so the same certificate with another fingerprint.
//!
//! Where (r, s) is a signature, (r, n − s) is one too, and whoever holds the certificate can write it without any key
//! (FIPS 186-5, section 6.4; n is the order of the curve). Nothing else of a signed certificate can be written otherwise:
//! what verifies signatures reads them in their shortest form only.

use der::asn1::{BitStringRef, UintRef};
use der::{Decode as _, Encode as _, Reader as _, SliceReader};

use super::encode::{sequence, signed};
use super::{Certificate, Fingerprint};

/// The orders of P-256, P-384 and P-521 (SEC 2, section 2).
const ORDERS: [&[u8]; 3] = [
    &hex::<32>("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    &hex::<48>("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
    &hex::<66>(
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
];

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler only, which would say so")]
const fn hex<const N: usize>(digits: &str) -> [u8; N] {
    const fn value(digit: u8) -> u8 {
        if digit < b'a' { digit - b'0' } else { digit - b'a' + 10 }
    }
    let digits = digits.as_bytes();
    assert!(digits.len() == 2 * N, "two digits for each byte");
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = value(digits[2 * at]) << 4 | value(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

impl Certificate {
    /// The fingerprint that this certificate would have with its signature written in the other way; `None` if the
    /// signature is no ECDSA signature.
    pub(crate) fn resigned_fingerprint(&self) -> Option<Fingerprint> {
        let other = || resigned(self.bytes()).ok().flatten().map(|der| Fingerprint::of(&der));
        *self.0.resigned.get_or_init(other)
    }
}

/// The certificate with the other form of its signature, if that is an ECDSA signature.
///
/// The curve stands in another certificate. But r, which stays, has as many octets as the order: of a signature on the next larger curve
/// it has so few once in 2^128.
fn resigned(certificate: &[u8]) -> der::Result<Option<Vec<u8>>> {
    let (tbs, algorithm, signature) = SliceReader::new(certificate)?.sequence(|reader| {
        Ok::<_, der::Error>((reader.tlv_bytes()?, reader.tlv_bytes()?, BitStringRef::decode(reader)?))
    })?;
    let Some(signature) = signature.as_bytes() else { return Ok(None) };
    let (r, s) = SliceReader::new(signature)?
        .sequence(|reader| Ok::<_, der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)))?;
    let order = ORDERS.iter().find(|order| r.as_bytes().len() <= order.len());
    let Some(other) = order.and_then(|order| difference(order, s.as_bytes())) else { return Ok(None) };
    let signature = sequence(&[r.to_der()?, UintRef::new(&other)?.to_der()?]);
    Ok(Some(signed(tbs.to_vec(), algorithm, &signature)))
}

/// `order − s`, big-endian; `None` unless 0 < s < order.
fn difference(order: &[u8], s: &[u8]) -> Option<Vec<u8>> {
    let padding = order.len().checked_sub(s.len())?;
    let s: Vec<u8> = core::iter::repeat_n(0, padding).chain(s.iter().copied()).collect();
    if s.as_slice() >= order || s.iter().all(|byte| *byte == 0) {
        return None;
    }
    let mut borrowed = false;
    let digits = order.iter().zip(&s).rev().map(|(minuend, subtrahend)| {
        let (digit, first) = minuend.overflowing_sub(*subtrahend);
        let (digit, second) = digit.overflowing_sub(u8::from(borrowed));
        borrowed = first || second;
        digit
    });
    let mut difference: Vec<u8> = digits.collect();
    difference.reverse();
    Some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::NewKey;
    use crate::testing::TestCertificate;

    #[test]
    fn twice_the_other_way_is_the_first_way_and_the_signed_part_stays() {
        for kind in [NewKey::EcP256, NewKey::EcP384, NewKey::EcP521] {
            let made = TestCertificate::new("CN=a").with_new_key(kind).self_signed();
            let certificate = made.certificate();
            let other = resigned(&certificate.der()).unwrap().unwrap();
            assert_ne!(other, certificate.der().to_vec());
            assert_eq!(certificate.resigned_fingerprint(), Some(Fingerprint::of(&other)));
            assert_eq!(resigned(&other).unwrap().as_deref(), Some(certificate.bytes()));
            assert_eq!(Certificate::from_der(&other).unwrap().subject(), certificate.subject());
        }
    }

    #[test]
    fn other_signatures_have_one_form() {
        for kind in [NewKey::Rsa2048, NewKey::Ed25519] {
            let made = TestCertificate::new("CN=a").with_new_key(kind).self_signed();
            assert_eq!(made.certificate().resigned_fingerprint(), None);
        }
    }

    #[test]
    fn differences_are_those_of_numbers() {
        assert_eq!(difference(&[1, 0, 0], &[1]), Some(vec![0, 255, 255]));
        assert_eq!(difference(&[9], &[9]), None);
        assert_eq!(difference(&[9], &[0]), None);
        assert_eq!(difference(&[9], &[1, 0]), None);
    }
}
