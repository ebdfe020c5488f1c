//! SHA-256 fingerprints of certificates and of public keys: two types, so that one is never taken for the other.

use core::fmt;

use sha2::{Digest as _, Sha256};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A SHA-256 that is not finished, and can be continued in more than one way.
#[derive(Clone)]
pub(crate) struct Hashing(Sha256);

impl Hashing {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(crate) fn continued(&self, rest: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(rest).finalize().into()
    }
}

/// Hashes what is written.
impl fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing")
    }
}

/// Text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}` and 64 hexadecimal digits (colons between pairs are fine), {found}")]
pub struct InvalidFingerprint {
    prefix: &'static str,
    found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Found {
    #[error("found the character {0:?} at offset {1}")]
    Character(char, usize),
    #[error("found {0} digits")]
    Digits(usize),
    #[error("found another beginning: write `sha256:` or `spki-sha256:` in front of the digits")]
    Prefix,
}

/// Reads `prefix` and 64 hexadecimal digits of either case, with or without colons between pairs.
pub(crate) fn parse_sha256(prefix: &'static str, text: &str) -> Result<[u8; 32], InvalidFingerprint> {
    let invalid = |found| InvalidFingerprint { prefix, found };
    let digits = text.strip_prefix(prefix).ok_or_else(|| invalid(Found::Prefix))?;
    let mut bytes = [0u8; 32];
    let mut count = 0usize;
    let mut previous = ':';
    for (offset, c) in digits.char_indices() {
        let misplaced = || invalid(Found::Character(c, prefix.len() + offset));
        // A colon only between two pairs: `ab:cd`, the form of `openssl x509 -fingerprint`.
        if c == ':' {
            if !count.is_multiple_of(2) || previous == ':' || offset + 1 == digits.len() {
                return Err(misplaced());
            }
            previous = c;
            continue;
        }
        previous = c;
        let digit = c.to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or_else(misplaced)?;
        if let Some(byte) = bytes.get_mut(count / 2) {
            *byte = (*byte << 4) | digit;
        }
        count += 1;
    }
    if count == 64 { Ok(bytes) } else { Err(invalid(Found::Digits(count))) }
}

pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
    // In pieces of the length of a fingerprint: a policy may have a million of them to write.
    bytes.chunks(32).try_for_each(|bytes| {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        let digits = digits.get(..2 * bytes.len()).unwrap_or_default();
        f.write_str(core::str::from_utf8(digits).map_err(|_| fmt::Error)?)
    })
}

macro_rules! fingerprint {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The 32 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::cert::InvalidFingerprint;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::cert::parse_sha256($prefix, text).map(Self)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($prefix)?;
                $crate::cert::write_hex(f, &self.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use fingerprint;

fingerprint! {
    /// The SHA-256 of one certificate's DER: names exactly that certificate.
    ///
    /// Written `sha256:` and 64 lower-case hexadecimal digits; upper case and colons are read too. Good for admitting
    /// one certificate; not for denying one, because whoever holds an ECDSA certificate can make another encoding of
    /// its signature with another fingerprint.
    ///
    /// ```
    /// use certmap::Fingerprint;
    /// let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// assert_eq!(Fingerprint::of(b"").to_string(), text);
    /// assert_eq!(text.parse::<Fingerprint>()?, Fingerprint::of(b""));
    /// assert!(text[..70].parse::<Fingerprint>().is_err());
    /// # Ok::<(), certmap::cert::InvalidFingerprint>(())
    /// ```
    Fingerprint, "sha256:"
}

fingerprint! {
    /// The SHA-256 of one public key (`SubjectPublicKeyInfo`, algorithm and parameters included): names every
    /// certificate that carries this key.
    ///
    /// Written `spki-sha256:` and 64 lower-case hexadecimal digits.
    SpkiFingerprint, "spki-sha256:"
}

impl Fingerprint {
    /// The fingerprint of a certificate, given its DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(sha256(der))
    }
}

impl SpkiFingerprint {
    /// The fingerprint of a public key, given the DER of its `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
    #[must_use]
    pub fn of(spki: &[u8]) -> Self {
        Self(sha256(spki))
    }
}
