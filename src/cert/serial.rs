//! Serial numbers: integers of any size and sign, as certificates have them.

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

use super::fingerprint::write_hex;
use crate::limits::CERTIFICATE_BYTES;

/// A certificate's serial number, compared as the integer it is (RFC 5280, section 4.1.2.2).
///
/// Written in hexadecimal as `openssl x509 -serial` and STRUST do (`0a20200428121610`, `-01`), in lower case; upper case
/// and colons between pairs are read too. Alone it names no certificate: every CA numbers its own.
/// The order is good for sorting and for nothing else.
///
/// ```
/// use certmap::cert::SerialNumber;
/// let serial: SerialNumber = "00:0A:20".parse()?;
/// assert_eq!(serial.to_string(), "0a20");
/// # Ok::<(), certmap::cert::InvalidSerialNumber>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber {
    negative: bool,
    /// Big-endian, without leading zeros; empty for zero.
    magnitude: Box<[u8]>,
}

impl SerialNumber {
    /// From the content octets of a DER INTEGER (two's complement, big-endian); `None` without any, because every integer
    /// has at least one (X.690, section 8.3.1).
    pub(crate) fn from_der_content(content: &[u8]) -> Option<Self> {
        if content.first()? & 0x80 == 0 {
            return Some(Self::new(false, content));
        }
        let mut bytes = content.to_vec();
        negate(&mut bytes);
        Some(Self::new(true, &bytes))
    }

    /// The content octets of its DER INTEGER.
    pub(crate) fn to_der_content(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.magnitude.len() + 1);
        bytes.push(0);
        bytes.extend_from_slice(&self.magnitude);
        if self.negative {
            negate(&mut bytes);
        }
        minimal(&bytes).to_vec()
    }

    /// The number that the octets are without a sign: of `-76`, which has the octet `8a`, `8a`. Some CAs leave out the octet that
    /// makes a number positive, and some programs show the octets.
    pub(crate) fn unsigned(&self) -> Cow<'_, Self> {
        if self.negative { Cow::Owned(Self::new(false, &self.to_der_content())) } else { Cow::Borrowed(self) }
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Octets of its magnitude, without leading zeros.
    pub(crate) fn magnitude_bytes(&self) -> usize {
        self.magnitude.len()
    }

    fn new(negative: bool, magnitude: &[u8]) -> Self {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let magnitude: Box<[u8]> = magnitude.get(zeros..).unwrap_or_default().into();
        Self { negative: negative && !magnitude.is_empty(), magnitude }
    }
}

/// The same integer without octets that only repeat its sign: what DER asks for and not every CA writes.
pub(crate) fn minimal(mut content: &[u8]) -> &[u8] {
    while let [sign @ (0 | 0xff), rest @ ..] = content {
        if rest.first().is_none_or(|next| (next ^ sign) & 0x80 != 0) {
            break;
        }
        content = rest;
    }
    content
}

/// Two's complement, in place.
fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
        *byte = value;
        carry = overflow;
    }
}

impl FromStr for SerialNumber {
    type Err = InvalidSerialNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        if digits.len() > 3 * CERTIFICATE_BYTES {
            return Err(InvalidSerialNumber { character: None });
        }
        let mut nibbles = Vec::with_capacity(digits.len() + 1);
        for c in digits.chars().filter(|c| *c != ':') {
            let digit = c.to_digit(16).and_then(|d| u8::try_from(d).ok());
            nibbles.push(digit.ok_or(InvalidSerialNumber { character: Some(c) })?);
        }
        if nibbles.is_empty() {
            return Err(InvalidSerialNumber { character: None });
        }
        if !nibbles.len().is_multiple_of(2) {
            nibbles.insert(0, 0);
        }
        let bytes: Vec<u8> = nibbles.as_chunks::<2>().0.iter().map(|[high, low]| (high << 4) | low).collect();
        Ok(Self::new(negative, &bytes))
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        if self.magnitude.is_empty() {
            return f.write_str("00");
        }
        write_hex(f, &self.magnitude)
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// Text that is no serial number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a serial number in hexadecimal{}", .character.map_or(String::new(), |c| format!(", found {c:?}")))]
pub struct InvalidSerialNumber {
    character: Option<char>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &[u8]) -> String {
        SerialNumber::from_der_content(content).unwrap().to_string()
    }

    #[test]
    fn serials_are_compared_as_integers_of_either_sign() {
        assert_eq!(text(&[0]), "00");
        assert_eq!(SerialNumber::from_der_content(&[]), None);
        assert_eq!(text(&[0x00, 0xff]), "ff");
        assert_eq!(text(&[0xff]), "-01");
        assert_eq!(text(&[0x80]), "-80");
        assert_eq!(text(&[0xff, 0x00]), "-0100");
        assert_ne!(SerialNumber::from_der_content(&[0xff]), SerialNumber::from_der_content(&[0, 0xff]));
    }

    #[test]
    fn der_of_a_serial_has_no_octet_too_many() {
        let again = |content: &[u8]| SerialNumber::from_der_content(content).unwrap().to_der_content();
        for (content, expected) in [
            (&[0, 0][..], &[0][..]),
            (&[0, 0, 0x80], &[0, 0x80]),
            (&[0, 0x7f], &[0x7f]),
            (&[0xff, 0xff, 0x7f], &[0xff, 0x7f]),
            (&[0xff, 0x80], &[0x80]),
        ] {
            assert_eq!(again(content), expected);
            assert_eq!(minimal(content), expected);
        }
        assert_eq!(minimal(&[]), &[0; 0]);
    }

    #[test]
    fn text_round_trips() {
        for content in [&[0u8][..], &[1], &[0x7f, 1], &[0xff], &[0x80, 0], &[0x0a, 0x20, 0x20]] {
            let serial = SerialNumber::from_der_content(content).unwrap();
            assert_eq!(serial.to_der_content(), content);
            assert_eq!(serial.to_string().parse(), Ok(serial));
        }
        assert_eq!("".parse::<SerialNumber>().unwrap_err().to_string(), "expected a serial number in hexadecimal");
        assert_eq!(
            "0g".parse::<SerialNumber>().unwrap_err().to_string(),
            "expected a serial number in hexadecimal, found 'g'"
        );
    }
}
