//! What kind of public key a certificate carries, and whether it is good enough.

use core::fmt;

use x509_parser::asn1_rs::{Any, Oid, Tag};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::ObjectIdentifier;
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
    /// `None` if the key cannot be read.
    pub(super) fn from_parsed(spki: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let algorithm = spki.algorithm.oid().as_bytes();
        if algorithm == RSA {
            let PublicKey::RSA(key) = spki.parsed().ok()? else { return None };
            return Some(Self::Rsa { bits: bits(key.modulus) });
        }
        if algorithm == ED25519 {
            return Some(Self::Ed25519);
        }
        // A curve may also be written as parameters; what is no object identifier names no curve.
        let named = |any: &&Any<'_>| any.tag() == Tag::Oid;
        let parameters = spki.algorithm.parameters().filter(|_| algorithm == EC);
        let curve = parameters.filter(named).and_then(|any| any.as_oid().ok());
        match curve.as_ref().map(Oid::as_bytes) {
            Some(P256) => Some(Self::EcP256),
            Some(P384) => Some(Self::EcP384),
            Some(P521) => Some(Self::EcP521),
            Some(other) => ObjectIdentifier::from_der_content(other).ok().map(Self::Other),
            None => ObjectIdentifier::from_der_content(algorithm).ok().map(Self::Other),
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

/// Bits of an unsigned big-endian integer. (x509-parser counts bytes, and misses a modulus without leading zero.)
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
