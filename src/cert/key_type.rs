//! What kind of public key a certificate carries, and whether it is good enough.

use core::fmt;

use der::Tag;

use super::ObjectIdentifier;
use super::elements::{Elements, list};
use super::serial::minimal;
use crate::limits::{RSA_BITS_MAX, RSA_BITS_MIN};

/// The type and size of a public key.
///
/// The [`Display`](fmt::Display) form is for people: `RSA 2048`, `EC P-256`, `Ed25519`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// Elliptic curve P-256 (secp256r1).
    EcP256,
    /// Elliptic curve P-384 (secp384r1).
    EcP384,
    /// Elliptic curve P-521 (secp521r1).
    EcP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Anything else, DSA, other curves, curves written as parameters and RSASSA-PSS keys among it, by the object
    /// identifier of the algorithm (of the curve, where one is named).
    Other(ObjectIdentifier),
    /// RSA with a modulus of so many bits.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
}

/// A key that cannot be used, whatever certificate it is in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitKey {
    /// An RSA key that is too large to verify without harm.
    #[error("RSA key of {bits} bits is too large, at most {RSA_BITS_MAX} are verified")]
    Large {
        /// Bits of the modulus.
        bits: usize,
    },
    /// No provider of rustls can verify signatures of this key.
    #[error(
        "keys of type {key} cannot be used: use RSA of at least {RSA_BITS_MIN} bits, EC P-256, EC P-384 or Ed25519"
    )]
    Unsupported {
        /// The type.
        key: KeyType,
    },
    /// An RSA key that is too small to be safe.
    #[error("RSA key of {bits} bits is too weak, at least {RSA_BITS_MIN} are needed: have a new key made")]
    Weak {
        /// Bits of the modulus.
        bits: usize,
    },
}

// Content octets of the object identifiers (RFC 3279, RFC 5480, RFC 8410).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

impl KeyType {
    /// Reads a `SubjectPublicKeyInfo` in DER, as the verifiers of signatures do; `None` if it cannot be read.
    pub(super) fn read(spki: &[u8]) -> Option<Self> {
        let mut parts = list(spki)?;
        let mut algorithm = Elements::inside(parts.next(Tag::Sequence, "an algorithm").ok()?).ok()?;
        let [0, key @ ..] = parts.next(Tag::BitString, "a key").ok()?.content else { return None };
        let kind = algorithm.next(Tag::ObjectIdentifier, "an object identifier").ok()?.content;
        let parameters = if algorithm.is_finished() { None } else { Some(algorithm.any("parameters").ok()?) };
        if !(parts.is_finished() && algorithm.is_finished()) {
            return None;
        }
        if kind == RSA {
            return Some(Self::Rsa { bits: bits(modulus(key)?) });
        }
        if kind == ED25519 {
            return (!small_order(key.try_into().ok()?)).then_some(Self::Ed25519);
        }
        // A curve may also be written as parameters; what is no object identifier names no curve.
        let curve = parameters.filter(|named| kind == EC && named.tag == Tag::ObjectIdentifier);
        let point = |octets| is_uncompressed(key, octets);
        match curve.map(|named| named.content) {
            Some(P256) => point(32).then_some(Self::EcP256),
            Some(P384) => point(48).then_some(Self::EcP384),
            Some(P521) => point(66).then_some(Self::EcP521),
            Some(other) => ObjectIdentifier::from_der_content(other).ok().map(Self::Other),
            None => ObjectIdentifier::from_der_content(kind).ok().map(Self::Other),
        }
    }

    /// Bits of the modulus or of the curve; `None` for [`Other`](Self::Other).
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        match self {
            Self::EcP256 | Self::Ed25519 => Some(256),
            Self::EcP384 => Some(384),
            Self::EcP521 => Some(521),
            Self::Other(_) => None,
            Self::Rsa { bits } => Some(*bits),
        }
    }

    /// Checks that the key is strong enough, not harmful, and of a type that can be verified.
    ///
    /// # Errors
    /// [`UnfitKey`] says which of the three it is not.
    pub fn check(&self) -> Result<(), UnfitKey> {
        match self {
            Self::Rsa { bits } if *bits < RSA_BITS_MIN => Err(UnfitKey::Weak { bits: *bits }),
            Self::Rsa { bits } if *bits > RSA_BITS_MAX => Err(UnfitKey::Large { bits: *bits }),
            Self::Other(_) => Err(UnfitKey::Unsupported { key: self.clone() }),
            Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::Ed25519 | Self::Rsa { .. } => Ok(()),
        }
    }
}

/// Content octets of the modulus of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn modulus(key: &[u8]) -> Option<&[u8]> {
    let mut parts = list(key)?;
    let mut number = || {
        let content = parts.next(Tag::Integer, "a number").ok()?.content;
        // X.690, section 8.3: of two's complement, and no octet more than it takes.
        (content.first()? & 0x80 == 0 && minimal(content) == content).then_some(content)
    };
    let (modulus, _exponent) = (number()?, number()?);
    parts.is_finished().then_some(modulus)
}

/// True if both coordinates of the point are written out, each in so many octets (SEC 1, section 2.3.3).
///
/// aws-lc verifies with a compressed point too, and ring does not. Then one key would have two fingerprints, and whoever
/// is denied by the one would come with the other. RFC 5480, section 2.2 has the compressed form be optional.
fn is_uncompressed(point: &[u8], octets: usize) -> bool {
    point.first() == Some(&4) && point.len() == 1 + 2 * octets
}

/// True for the encodings of the points of order 1, 2, 4 and 8, canonical or not, of either sign: for such a "key" anybody
/// can make signatures, and no provider refuses it (RFC 8032, section 8.9 leaves it open).
fn small_order(key: &[u8; 32]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    ];
    let mut y = *key;
    y[31] &= 0x7f;
    let [low, middle @ .., high] = y;
    ORDER_8.contains(&y)
        // 0 and 1; p - 1 and every y that is not reduced.
        || (low <= 1 && high == 0 && middle == [0; 30])
        || (low >= 0xec && high == 0x7f && middle == [0xff; 30])
}

/// Bits of an unsigned big-endian integer.
fn bits(integer: &[u8]) -> usize {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros).map_or(0, |first| (integer.len() - zeros) * 8 - first.leading_zeros() as usize)
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("EC P-256"),
            Self::EcP384 => f.write_str("EC P-384"),
            Self::EcP521 => f.write_str("EC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(oid) => write!(f, "{oid}"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ed25519(key: [u8; 32]) -> Option<KeyType> {
        let head = [0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];
        KeyType::read(&[&head[..], &key].concat())
    }

    #[test]
    fn a_key_for_which_anybody_can_sign_is_no_key() {
        let mut points = vec![[0u8; 32], [0; 32]];
        points[1][0] = 1;
        for low in 0xec..=0xff {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (low, 0x7f);
            points.push(point);
        }
        for hex in [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ] {
            let octet = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
            points.push(std::array::from_fn(octet));
        }
        for mut point in points {
            assert_eq!(ed25519(point), None, "{point:x?}");
            point[31] |= 0x80;
            assert_eq!(ed25519(point), None, "{point:x?}");
            point[15] ^= 1;
            assert_eq!(ed25519(point), Some(KeyType::Ed25519), "one bit beside it, {point:x?}");
        }
    }

    #[test]
    fn a_key_that_the_verifiers_of_signatures_would_not_read_is_no_key() {
        let mut good = vec![0x30, 0x59, 0x30, 19, 6, 7];
        good.extend_from_slice(EC);
        good.extend_from_slice(&[6, 8]);
        good.extend_from_slice(P256);
        good.extend_from_slice(&[3, 66, 0]);
        good.extend_from_slice(&[4; 65]);
        assert_eq!(KeyType::read(&good), Some(KeyType::EcP256));
        let mut trailing = good.clone();
        trailing.extend_from_slice(&[5, 0]);
        trailing[1] += 2;
        assert_eq!(KeyType::read(&trailing), None);
        let mut compressed = good.clone();
        compressed.truncate(good.len() - 32);
        (compressed[1], compressed[24], compressed[26]) = (0x59 - 32, 34, 2);
        assert_eq!(KeyType::read(&compressed), None);
        let mut hybrid = good.clone();
        hybrid[26] = 6;
        assert_eq!(KeyType::read(&hybrid), None);
        let long_form = [&[0x30, 0x81, 0x59], &good[2..]].concat();
        assert_eq!(KeyType::read(&long_form), None);
    }

    #[test]
    fn bits_are_counted_with_and_without_leading_zeros() {
        assert_eq!([bits(&[]), bits(&[0]), bits(&[1]), bits(&[0, 0x80, 0]), bits(&[0x7f, 0])], [0, 0, 1, 16, 15]);
    }
}
