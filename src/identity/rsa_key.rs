//! An RSA private key from its two primes: the numbers that PKCS#1 wants beside them. RFC 8017, section 3.2.

use crypto_bigint::{BoxedUint, ConcatenatingMul as _, NonZero, Odd};
use rustls::pki_types::PrivatePkcs1KeyDer;
use zeroize::Zeroizing;

use super::ber::{INTEGER, Malformed, SEQUENCE};
use crate::limits::RSA_BITS_MAX;

/// Two odd numbers, the first the larger one, and their product.
pub(super) struct Primes {
    p: Zeroizing<BoxedUint>,
    q: Zeroizing<BoxedUint>,
    modulus: BoxedUint,
}

impl Primes {
    /// From the content of two INTEGERs. That they are prime is not looked at: a key of others signs nothing that verifies.
    pub(super) fn new(one: &[u8], other: &[u8]) -> Result<Self, Malformed> {
        let (one, other) = (unsigned(one)?, unsigned(other)?);
        let width = one.len().max(other.len()).next_multiple_of(8);
        if width > RSA_BITS_MAX / 16 {
            return Err(Malformed);
        }
        let (p, q) = if *bytes(one, width) < *bytes(other, width) { (other, one) } else { (one, other) };
        let (p, q) = (number(p, width)?, number(q, width)?);
        Ok(Self { modulus: p.concatenating_mul(&*q), p, q })
    }

    pub(super) fn have_modulus(&self, content: &[u8]) -> bool {
        let modulus = self.modulus.to_be_bytes();
        unsigned(content).is_ok_and(|content| modulus.iter().skip_while(|byte| **byte == 0).eq(content))
    }

    /// The key with this public exponent.
    pub(super) fn key(&self, exponent: &[u8]) -> Result<PrivatePkcs1KeyDer<'static>, Malformed> {
        let exponent = unsigned(exponent)?;
        // Larger ones are legal, and no provider takes them.
        if exponent.len() > 8 {
            return Err(Malformed);
        }
        let width = self.p.to_be_bytes().len();
        let less_one = |number: &BoxedUint| Zeroizing::new(number.wrapping_sub(BoxedUint::one()));
        let (p_less, q_less) = (less_one(&self.p), less_one(&self.q));
        let d = inverse(exponent, &Zeroizing::new(p_less.concatenating_mul(&*q_less)), 2 * width)?;
        let dp = inverse(exponent, &p_less, width)?;
        let dq = inverse(exponent, &q_less, width)?;
        let p = Option::from(Odd::new((*self.p).clone())).map(Zeroizing::new).ok_or(Malformed)?;
        let q_inverse = Option::<BoxedUint>::from(self.q.invert_odd_mod(&p)).map(Zeroizing::new).ok_or(Malformed)?;
        let e = number(exponent, 8)?;
        // Nine numbers of at most the modulus' length and a zero byte, with their lengths; nothing is moved as it grows.
        let mut body = Zeroizing::new(Vec::with_capacity(9 * (2 * width + 8)));
        body.extend([INTEGER, 1, 0]);
        for number in [&self.modulus, &e, &d, &self.p, &self.q, &dp, &dq, &q_inverse] {
            let digits = Zeroizing::new(number.to_be_bytes());
            let digits = unsigned(&digits)?;
            let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
            header(INTEGER, sign.len() + digits.len(), &mut body);
            body.extend_from_slice(sign);
            body.extend_from_slice(digits);
        }
        let mut key = Vec::with_capacity(body.len() + 8);
        header(SEQUENCE, body.len(), &mut key);
        key.extend_from_slice(&body);
        Ok(PrivatePkcs1KeyDer::from(key))
    }
}

/// `exponent` to the power of -1.
fn inverse(exponent: &[u8], modulus: &BoxedUint, width: usize) -> Result<Zeroizing<BoxedUint>, Malformed> {
    let modulus = Option::from(NonZero::new(modulus.clone())).map(Zeroizing::new).ok_or(Malformed)?;
    let inverse = number(exponent, width)?.invert_mod(&modulus);
    Option::<BoxedUint>::from(inverse).map(Zeroizing::new).ok_or(Malformed)
}

/// Without leading zeros; a number that is neither negative nor none.
fn unsigned(content: &[u8]) -> Result<&[u8], Malformed> {
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    content.get(zeros..).filter(|digits| !digits.is_empty()).ok_or(Malformed)
}

/// Filled up from the left.
fn bytes(digits: &[u8], width: usize) -> Zeroizing<Vec<u8>> {
    let mut filled = Zeroizing::new(vec![0; width]);
    filled.iter_mut().rev().zip(digits.iter().rev()).for_each(|(to, from)| *to = *from);
    filled
}

fn number(digits: &[u8], width: usize) -> Result<Zeroizing<BoxedUint>, Malformed> {
    let bits = u32::try_from(8 * width).map_err(|_| Malformed)?;
    BoxedUint::from_be_slice(&bytes(digits, width), bits).map(Zeroizing::new).map_err(|_| Malformed)
}

/// Tag and length in DER.
fn header(tag: u8, length: usize, to: &mut Vec<u8>) {
    to.push(tag);
    // No key is as long as 64 KiB.
    let [.., high, low] = length.to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => to.push(low),
        (0, _) => to.extend([0x81, low]),
        _ => to.extend([0x82, high, low]),
    }
}
