//! Object identifiers: which kind of attribute, name, extension or key something is.
//!
//! Kept as DER content octets, so that one of any length and with large arcs compares without loss: an arc that does not
//! fit is an error, never another identifier. Knows no names of identifiers. X.660, X.690 section 8.19.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::limits::OBJECT_IDENTIFIER_BYTES;

/// An object identifier, written in dotted decimal: `2.5.4.3`.
///
/// Arcs are at most 128 bits wide. The order is that of the encoded octets, good for sorting and for nothing else.
///
/// ```
/// use certmap::cert::ObjectIdentifier;
/// let common_name: ObjectIdentifier = "2.5.4.3".parse()?;
/// assert_eq!(common_name.as_der_content(), [0x55, 0x04, 0x03]);
/// assert_eq!(common_name.to_string(), "2.5.4.3");
/// // 2^64 + 3 is not 3.
/// assert_ne!("2.5.4.18446744073709551619".parse(), Ok(common_name));
/// # Ok::<(), certmap::cert::InvalidObjectIdentifier>(())
/// ```
#[derive(Clone)]
pub struct ObjectIdentifier {
    /// INVARIANT: one or more arcs, each terminated, without padding, and of at most 128 bits.
    content: Content,
}

/// Nearly every identifier is short, and a certificate has dozens of them.
#[derive(Clone)]
enum Content {
    Short { octets: [u8; SHORT], length: u8 },
    Long(Box<[u8]>),
}

const SHORT: usize = 22;

impl Content {
    fn new(content: &[u8]) -> Self {
        let mut octets = [0; SHORT];
        match (octets.get_mut(..content.len()), u8::try_from(content.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(content);
                Self::Short { octets, length }
            }
            _ => Self::Long(content.into()),
        }
    }
}

impl ObjectIdentifier {
    /// From the content octets of a DER OBJECT IDENTIFIER, without tag and length.
    ///
    /// # Errors
    /// [`InvalidObjectIdentifier`] if there are none or too many octets, or if an arc is unterminated, padded or too
    /// large.
    pub(crate) fn from_der_content(content: &[u8]) -> Result<Self, InvalidObjectIdentifier> {
        Self::check_der_content(content).map(|()| Self { content: Content::new(content) })
    }

    /// Says whether [`from_der_content`](Self::from_der_content) reads it, and keeps nothing of it.
    pub(crate) fn check_der_content(content: &[u8]) -> Result<(), InvalidObjectIdentifier> {
        if content.is_empty() {
            return Err(InvalidObjectIdentifier::Expected { expected: "an arc", offset: 0 });
        }
        if content.len() > OBJECT_IDENTIFIER_BYTES {
            return Err(InvalidObjectIdentifier::TooLong);
        }
        let mut start = 0;
        let mut arc = 0u128;
        for (offset, octet) in content.iter().enumerate() {
            if offset == start && *octet == 0x80 {
                return Err(InvalidObjectIdentifier::Expected { expected: "an arc without padding", offset });
            }
            if arc.leading_zeros() < 7 {
                return Err(InvalidObjectIdentifier::LargeArc { offset: start });
            }
            arc = (arc << 7) | u128::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                start = offset + 1;
                arc = 0;
            }
        }
        if start != content.len() {
            return Err(InvalidObjectIdentifier::Expected { expected: "the rest of an arc", offset: content.len() });
        }
        Ok(())
    }

    /// The content octets of the DER, without tag and length.
    #[must_use]
    pub fn as_der_content(&self) -> &[u8] {
        match &self.content {
            Content::Short { octets, length } => octets.get(..usize::from(*length)).unwrap_or_default(),
            Content::Long(content) => content,
        }
    }

    /// True if these are its content octets: how it is compared with a constant.
    pub(crate) fn is(&self, content: &[u8]) -> bool {
        *self.as_der_content() == *content
    }
}

impl PartialEq for ObjectIdentifier {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.as_der_content())
    }
}

impl Eq for ObjectIdentifier {}

impl PartialOrd for ObjectIdentifier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ObjectIdentifier {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_der_content().cmp(other.as_der_content())
    }
}

impl Hash for ObjectIdentifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_der_content().hash(state);
    }
}

impl FromStr for ObjectIdentifier {
    type Err = InvalidObjectIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut content = Vec::with_capacity(OBJECT_IDENTIFIER_BYTES);
        let mut root = None;
        let mut arcs = 0usize;
        let mut offset = 0;
        for digits in text.split('.') {
            let arc = arc(digits, offset)?;
            match (arcs, root) {
                (0, _) if arc > 2 => {
                    return Err(InvalidObjectIdentifier::Expected { expected: "a first arc of 0, 1 or 2", offset });
                }
                (0, _) => root = Some(arc),
                (1, Some(0 | 1)) if arc > 39 => {
                    return Err(InvalidObjectIdentifier::Expected { expected: "a second arc of at most 39", offset });
                }
                // X.690 §8.19.4: the first two arcs are encoded as one number.
                (1, Some(root)) => {
                    let both = arc.checked_add(root * 40).ok_or(InvalidObjectIdentifier::LargeArc { offset })?;
                    push_arc(&mut content, both);
                }
                _ => push_arc(&mut content, arc),
            }
            if content.len() > OBJECT_IDENTIFIER_BYTES {
                return Err(InvalidObjectIdentifier::TooLong);
            }
            arcs += 1;
            offset += digits.len() + 1;
        }
        if arcs < 2 {
            return Err(InvalidObjectIdentifier::Expected { expected: "a second arc", offset: text.len() });
        }
        Ok(Self { content: Content::new(&content) })
    }
}

/// The number that the digits at `offset` write.
fn arc(digits: &str, offset: usize) -> Result<u128, InvalidObjectIdentifier> {
    // `u128::from_str` would read a sign and leading zeros.
    let padded = digits.len() > 1 && digits.starts_with('0');
    if digits.is_empty() || padded || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        let expected = "a decimal number without leading zeros";
        return Err(InvalidObjectIdentifier::Expected { expected, offset });
    }
    digits.parse().map_err(|_| InvalidObjectIdentifier::LargeArc { offset })
}

/// Appends base 128, most significant group first, the high bit set on all but the last.
fn push_arc(content: &mut Vec<u8>, arc: u128) {
    let groups = (128 - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let [low, ..] = (arc >> (group * 7)).to_le_bytes();
        content.push(if group == 0 { low & 0x7f } else { low | 0x80 });
    }
}

impl fmt::Display for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc = 0u128;
        let mut first = true;
        for octet in self.as_der_content() {
            arc = (arc << 7) | u128::from(octet & 0x7f);
            if octet & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(f, "{root}.{}", arc - root * 40)?;
            } else {
                write!(f, ".{arc}")?;
            }
            first = false;
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text or octets that are no object identifier; offsets count bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidObjectIdentifier {
    /// Something else than what has to stand there.
    #[error("expected {expected} at offset {offset}")]
    Expected {
        /// What has to stand there.
        expected: &'static str,
        /// Where.
        offset: usize,
    },
    /// A number that does not fit 128 bits (the first two arcs are encoded as one number).
    #[error("the arc at offset {offset} is larger than 128 bits")]
    LargeArc {
        /// Where it begins.
        offset: usize,
    },
    /// More octets than [`OBJECT_IDENTIFIER_BYTES`].
    #[error("an object identifier of more than {OBJECT_IDENTIFIER_BYTES} octets is too long")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn der_err(content: &[u8]) -> String {
        ObjectIdentifier::from_der_content(content).expect_err("no object identifier").to_string()
    }

    #[track_caller]
    fn same(text: &str, content: &[u8]) {
        let oid = ObjectIdentifier::from_der_content(content).expect("an object identifier");
        assert!(oid.is(content));
        assert_eq!(oid.to_string(), text);
        assert_eq!(format!("{oid:?}"), text);
        assert_eq!(text.parse(), Ok(oid));
    }

    #[test]
    fn octets_and_text_are_inverse() {
        same("0.0", &[0]);
        same("0.39", &[39]);
        same("1.0", &[40]);
        same("1.39", &[79]);
        same("2.0", &[80]);
        same("2.40", &[120]);
        same("2.48.1", &[0x81, 0x00, 0x01]);
        same("2.999.3", &[0x88, 0x37, 0x03]);
        same("2.5.4.3", &[0x55, 0x04, 0x03]);
        same("1.2.840.113549.1.9.1", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]);
        let largest = [&[0x83][..], &[0xff; 17], &[0x7f]].concat();
        same("2.340282366920938463463374607431768211375", &largest);
        same("1.2.340282366920938463463374607431768211455", &[&[0x2a][..], &largest].concat());
        same(&format!("1.2{}", ".1".repeat(63)), &[&[0x2a][..], &[1; 63]].concat());
    }

    #[test]
    fn every_octet_refusal_says_what_is_wrong() {
        assert_eq!(der_err(&[]), "expected an arc at offset 0");
        assert_eq!(der_err(&[0x55, 0x80, 0x03]), "expected an arc without padding at offset 1");
        assert_eq!(der_err(&[0x55, 0x84]), "expected the rest of an arc at offset 2");
        assert_eq!(
            der_err(&[&[0x2a, 0x84][..], &[0x80; 17], &[0]].concat()),
            "the arc at offset 1 is larger than 128 bits"
        );
        assert_eq!(der_err(&[1; 65]), "an object identifier of more than 64 octets is too long");
    }
}
