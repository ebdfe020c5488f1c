//! (private) The text form of names: RFC 4514, strict on output, a little wider on input.
//!
//! INVARIANT: printing is injective, and what is printed parses to the name it was printed from. So a value that is no
//! text, and any value under a type without keyword, is written as the hexadecimal of its DER (RFC 4514 section 2.4).

use core::fmt::{self, Write as _};
use core::str::FromStr;
use std::mem;

use super::{
    Attribute, AttributeValue, DistinguishedName, InvalidDistinguishedName, RelativeDistinguishedName, UTF8_STRING,
    limited, push_element,
};
use crate::cert::ObjectIdentifier;
use crate::limits::NAME_ATTRIBUTES;
use crate::text::is_hidden;

// Content octets of the types that `to_der` and others have to know.
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(super) const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
pub(super) const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19];
pub(crate) const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];
pub(super) const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];

/// Keywords, read in any case, and the content octets of their types; the first of a type is the one that is printed.
const KEYWORDS: [(&str, &[u8]); 21] = [
    ("CN", COMMON_NAME),
    ("SN", &[0x55, 0x04, 0x04]),
    ("serialNumber", SERIAL_NUMBER),
    ("C", COUNTRY),
    ("L", &[0x55, 0x04, 0x07]),
    ("ST", &[0x55, 0x04, 0x08]),
    ("S", &[0x55, 0x04, 0x08]),
    ("SP", &[0x55, 0x04, 0x08]),
    ("STREET", &[0x55, 0x04, 0x09]),
    ("O", &[0x55, 0x04, 0x0a]),
    ("OU", &[0x55, 0x04, 0x0b]),
    ("title", &[0x55, 0x04, 0x0c]),
    ("T", &[0x55, 0x04, 0x0c]),
    ("givenName", &[0x55, 0x04, 0x2a]),
    ("G", &[0x55, 0x04, 0x2a]),
    ("GN", &[0x55, 0x04, 0x2a]),
    ("DC", DOMAIN_COMPONENT),
    ("UID", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01]),
    ("emailAddress", EMAIL_ADDRESS),
    ("E", EMAIL_ADDRESS),
    ("EMAIL", EMAIL_ADDRESS),
];

impl ObjectIdentifier {
    /// The keyword of an attribute type, or its number: what stands before the `=` in a name.
    pub(crate) fn attribute_keyword(&self) -> String {
        let keyword = KEYWORDS.iter().find(|(_, kind)| self.is(kind)).map(|(keyword, _)| (*keyword).to_owned());
        keyword.unwrap_or_else(|| self.to_string())
    }

    /// The attribute type that a keyword (in any case) or a dotted number names.
    pub(crate) fn from_attribute_keyword(word: &str) -> Option<Self> {
        kind(word, 0).ok()
    }
}

/// Characters of an unknown keyword that an error repeats.
const KEYWORD_CHARACTERS: usize = 64;

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for rdn in self.rdns.iter().rev() {
            for attribute in &rdn.attributes {
                f.write_str(separator)?;
                write_attribute(f, attribute)?;
                separator = "+";
            }
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

fn write_attribute(f: &mut fmt::Formatter<'_>, attribute: &Attribute) -> fmt::Result {
    let keyword = KEYWORDS.iter().find(|(_, kind)| attribute.kind.is(kind)).map(|(keyword, _)| keyword);
    match keyword {
        Some(keyword) => write!(f, "{keyword}=")?,
        None => write!(f, "{}=", attribute.kind)?,
    }
    match (&attribute.value, keyword) {
        (AttributeValue::Text(text), Some(_)) => write_text(f, text),
        (AttributeValue::Text(text), None) => {
            let mut der = Vec::with_capacity(text.len() + 4);
            push_element(&mut der, UTF8_STRING, text.as_bytes());
            write_hexadecimal(f, &der)
        }
        (AttributeValue::Opaque(der), _) => write_hexadecimal(f, der),
    }
}

fn write_hexadecimal(f: &mut fmt::Formatter<'_>, der: &[u8]) -> fmt::Result {
    f.write_char('#')?;
    crate::cert::write_hex(f, der)
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (offset, c) in text.char_indices() {
        let first = offset == 0;
        let last = offset + c.len_utf8() == text.len();
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            ' ' if first || last => f.write_str("\\ ")?,
            '#' if first => f.write_str("\\#")?,
            c if is_hidden(c) => {
                let mut octets = [0; 4];
                c.encode_utf8(&mut octets).bytes().try_for_each(|octet| write!(f, "\\{octet:02X}"))?;
            }
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

impl FromStr for DistinguishedName {
    type Err = InvalidDistinguishedName;

    /// Reads RFC 4514 and the little more that [`DistinguishedName`] lists; the empty text is the empty name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        limited(text.len())?;
        let mut rdns = Vec::new();
        let mut attributes = Vec::new();
        let mut scanner = Scanner { text, offset: 0 };
        let mut count = 0usize;
        let mut before = None;
        while !text.is_empty() {
            count += 1;
            if count > NAME_ATTRIBUTES {
                return Err(InvalidDistinguishedName::TooManyAttributes);
            }
            attributes.push(scanner.attribute(before)?);
            let offset = scanner.offset;
            before = scanner.take(|c| matches!(c, ',' | '+')).map(|separator| Separator { separator, offset });
            match before {
                Some(Separator { separator: '+', .. }) => {}
                Some(_) => rdns.push(RelativeDistinguishedName::new(mem::take(&mut attributes))),
                None => {
                    rdns.push(RelativeDistinguishedName::new(attributes));
                    break;
                }
            }
        }
        // RFC 4514 §2.1: the text begins with the last RDN.
        rdns.reverse();
        Self::from_rdns(rdns)
    }
}

#[derive(Clone, Copy)]
struct Separator {
    separator: char,
    offset: usize,
}

/// Reads a name's text from left to right. INVARIANT: `offset` is at the border of a character.
struct Scanner<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn take(&mut self, wanted: impl FnOnce(char) -> bool) -> Option<char> {
        let next = self.rest().chars().next().filter(|c| wanted(*c))?;
        self.offset += next.len_utf8();
        Some(next)
    }

    fn skip_blanks(&mut self) {
        while self.take(|c| c == ' ').is_some() {}
    }

    /// The text up to the next of `ends`, without the blanks before that; moves on to what ended it.
    fn word(&mut self, ends: &[char]) -> &'a str {
        let rest = self.rest();
        let (word, _) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        self.offset += word.len();
        word.trim_end_matches(' ')
    }

    fn attribute(&mut self, before: Option<Separator>) -> Result<Attribute, InvalidDistinguishedName> {
        self.skip_blanks();
        let offset = self.offset;
        let word = self.word(&['=', ',', '+']);
        if word.is_empty() {
            return Err(match before {
                Some(Separator { separator, offset }) => {
                    InvalidDistinguishedName::MissingAttribute { offset, separator }
                }
                None => InvalidDistinguishedName::Syntax { expected: "an attribute", offset },
            });
        }
        let end = self.offset;
        if self.take(|c| c == '=').is_none() {
            let expected = "a `=` after the attribute type";
            return Err(InvalidDistinguishedName::Syntax { expected, offset: end });
        }
        let kind = kind(word, offset)?;
        self.skip_blanks();
        let value = if self.rest().starts_with('#') { self.hexadecimal()? } else { self.value()? };
        Ok(Attribute { kind, value })
    }

    /// `#` and the hexadecimal of a value's DER.
    fn hexadecimal(&mut self) -> Result<AttributeValue, InvalidDistinguishedName> {
        let offset = self.offset;
        let digits = self.word(&[',', '+']).strip_prefix('#').unwrap_or_default();
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        let der: Option<Vec<u8>> = pairs.iter().map(|[high, low]| octet(*high, *low)).collect();
        der.filter(|_| odd.is_empty()).and_then(|der| AttributeValue::from_der(&der)).ok_or(
            InvalidDistinguishedName::Syntax { expected: "`#` and the hexadecimal of one whole DER value", offset },
        )
    }

    fn value(&mut self) -> Result<AttributeValue, InvalidDistinguishedName> {
        let start = self.offset;
        let mut octets = Vec::new();
        // Blanks at the end belong to the separator unless they are escaped.
        let mut kept = 0;
        while let Some(c) = self.take(|c| !matches!(c, ',' | '+')) {
            let offset = self.offset - c.len_utf8();
            match c {
                '"' | ';' | '<' | '>' => return Err(InvalidDistinguishedName::Unescaped { character: c, offset }),
                '\0' => {
                    return Err(InvalidDistinguishedName::Syntax { expected: r"`\00` instead of a raw NUL", offset });
                }
                '\\' => octets.push(self.escaped()?),
                c => octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            if c != ' ' {
                kept = octets.len();
            }
        }
        octets.truncate(kept);
        String::from_utf8(octets).map(AttributeValue::Text).map_err(|_| InvalidDistinguishedName::Syntax {
            expected: "hexadecimal pairs that form UTF-8",
            offset: start,
        })
    }

    /// What follows a backslash: a special character, or an octet in hexadecimal.
    fn escaped(&mut self) -> Result<u8, InvalidDistinguishedName> {
        let (octet, length) = match *self.rest().as_bytes() {
            [c @ (b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'), ..] => (Some(c), 1),
            [high, low, ..] => (octet(high, low), 2),
            [] | [_] => (None, 0),
        };
        let expected = "a special character or two hexadecimal digits after the backslash";
        let octet = octet.ok_or(InvalidDistinguishedName::Syntax { expected, offset: self.offset })?;
        self.offset += length;
        Ok(octet)
    }
}

fn octet(high: u8, low: u8) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from((digit(high)? << 4) | digit(low)?).ok()
}

/// The attribute type that the word at `offset` names: a keyword, or a dotted number with or without `OID.`.
fn kind(word: &str, offset: usize) -> Result<ObjectIdentifier, InvalidDistinguishedName> {
    let prefix = word.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("OID.")).unwrap_or_default();
    if !prefix.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
        let dotted = word.get(prefix.len()..).unwrap_or_default();
        let offset = offset + prefix.len();
        return dotted.parse().map_err(|cause| InvalidDistinguishedName::Kind { offset, cause });
    }
    KEYWORDS
        .iter()
        .find(|(keyword, _)| word.eq_ignore_ascii_case(keyword))
        .and_then(|(_, content)| ObjectIdentifier::from_der_content(content).ok())
        .ok_or_else(|| {
            let keyword = word.chars().flat_map(char::escape_default).take(KEYWORD_CHARACTERS).collect();
            InvalidDistinguishedName::UnknownKeyword { keyword, offset }
        })
}
