//! Subject alternative names, each kind a variant of its own, so that none is taken for another.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::{Tag, TagNumber};

use super::elements::{Elements, list};
use super::{DistinguishedName, ObjectIdentifier};
use crate::text::OneLine;

/// `1.3.6.1.5.5.7.8.9`, `SmtpUTF8Mailbox` among the kinds of `otherName` (RFC 9598, section 3).
pub(crate) const SMTP_UTF8_MAILBOX: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09];

/// One subject alternative name, as the certificate says it (RFC 5280, section 4.2.1.6).
///
/// Nothing is normalised or checked beyond its encoding: a DNS name may be nonsense. What is malformed for its kind is
/// [`Malformed`](Self::Malformed) and equal to no name of that kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeneralName {
    /// `directoryName`.
    Directory(DistinguishedName),
    /// `dNSName`.
    Dns(String),
    /// `rfc822Name`.
    Email(String),
    /// `iPAddress`.
    Ip(IpAddr),
    /// A name that is malformed for its kind, or of a kind that nobody uses (`x400Address`, `ediPartyName`) or knows.
    Malformed {
        /// The number of the context tag; RFC 5280 knows 0 to 8.
        tag: u32,
        /// The content octets.
        content: Vec<u8>,
    },
    /// `otherName`: a value of a kind that an object identifier names.
    Other {
        /// The kind.
        kind: ObjectIdentifier,
        /// The DER of the value, its explicit tag included.
        value: Vec<u8>,
    },
    /// `registeredID`.
    RegisteredId(ObjectIdentifier),
    /// `uniformResourceIdentifier`.
    Uri(String),
}

impl GeneralName {
    fn read(number: u32, content: &[u8]) -> Self {
        let read = match number {
            0 => other(content),
            1 => ia5(content).map(Self::Email),
            2 => ia5(content).map(Self::Dns),
            4 => DistinguishedName::from_der(content).ok().map(Self::Directory),
            6 => ia5(content).map(Self::Uri),
            7 => ip(content).map(Self::Ip),
            8 => ObjectIdentifier::from_der_content(content).ok().map(Self::RegisteredId),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Malformed { tag: number, content: content.to_vec() })
    }
}

/// The names in this value of an extension; `None` if there is something else.
pub(super) fn read(value: &[u8]) -> Option<Vec<GeneralName>> {
    let mut names = Vec::new();
    each(value, |number, content| names.push(GeneralName::read(number, content)))?;
    Some(names)
}

/// How many names there are in this value of an extension; `None` if there is something else.
pub(super) fn count(value: &[u8]) -> Option<usize> {
    let mut count = 0;
    each(value, |_, _| count += 1)?;
    Some(count)
}

/// Shows the number of the tag of each name, and its content octets.
fn each<'a>(value: &'a [u8], mut show: impl FnMut(u32, &'a [u8])) -> Option<()> {
    let mut names = list(value)?;
    while !names.is_finished() {
        let name = names.any("a name").ok()?;
        let Tag::ContextSpecific { constructed, number: TagNumber(number) } = name.tag else { return None };
        let right = match number {
            0 | 3 | 4 | 5 => constructed,
            1 | 2 | 6..=8 => !constructed,
            // Of a kind that is not known here.
            _ => true,
        };
        right.then(|| show(number, name.content))?;
    }
    Some(())
}

/// The kind, then the value in an explicit tag, which is not looked at here.
fn other(content: &[u8]) -> Option<GeneralName> {
    let mut parts = Elements::new(content, 0).ok()?;
    let kind = parts.next(Tag::ObjectIdentifier, "the kind of the name").ok()?.content;
    let value = content.get(parts.offset()..)?.to_vec();
    Some(GeneralName::Other { kind: ObjectIdentifier::from_der_content(kind).ok()?, value })
}

/// IA5 is ASCII (X.680, section 41).
fn ia5(content: &[u8]) -> Option<String> {
    content.is_ascii().then(|| str::from_utf8(content).ok().map(str::to_owned)).flatten()
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::V4(Ipv4Addr::from(v4)));
    }
    <[u8; 16]>::try_from(octets).ok().map(|v6| IpAddr::V6(Ipv6Addr::from(v6)))
}

impl fmt::Display for GeneralName {
    /// For people and logs: the kind, a colon, the value with every character escaped that could harm a terminal. Not a
    /// form to compare or to parse.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(name) => write!(f, "DirName:{name}"),
            Self::Dns(text) => write!(f, "DNS:{}", OneLine(text)),
            Self::Email(text) => write!(f, "email:{}", OneLine(text)),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::Malformed { tag, content } => write!(f, "malformed:[{tag}] of {} bytes", content.len()),
            Self::Other { kind, value } => write!(f, "othername:{kind} of {} bytes", value.len()),
            Self::RegisteredId(oid) => write!(f, "RID:{oid}"),
            Self::Uri(text) => write!(f, "URI:{}", OneLine(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_form_of_another_kind_is_none() {
        for (number, constructed) in
            [(0, true), (1, false), (2, false), (3, true), (4, true), (5, true), (6, false), (7, false), (8, false)]
        {
            let value = |constructed: bool| [0x30, 2, 0x80 | u8::from(constructed) << 5 | number, 0];
            assert_eq!((count(&value(constructed)), count(&value(!constructed))), (Some(1), None), "{number}");
        }
        // Of a kind that is not known, and no name.
        assert_eq!((count(&[0x30, 2, 0x89, 0]), count(&[0x30, 2, 0xa9, 0])), (Some(1), Some(1)));
        assert_eq!((count(&[0x30, 2, 0x0c, 0]), count(&[0x30, 2, 0x42, 0])), (None, None));
    }
}
