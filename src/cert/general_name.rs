//! Subject alternative names, each kind a variant of its own, so that none is taken for another.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::extensions::GeneralName as Parsed;

use super::{DistinguishedName, ObjectIdentifier};
use crate::text::OneLine;

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
    /// A name that is malformed for its kind, or of a kind that nobody uses (`x400Address`, `ediPartyName`).
    Malformed {
        /// The context tag of the kind (0 to 8).
        tag: u32,
        /// The content octets, as far as they could be read.
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
    pub(super) fn from_parsed(name: &Parsed<'_>) -> Self {
        match name {
            Parsed::OtherName(oid, value) => match ObjectIdentifier::from_der_content(oid.as_bytes()) {
                Ok(kind) => Self::Other { kind, value: value.to_vec() },
                Err(_) => malformed(0, value),
            },
            Parsed::RFC822Name(text) => Self::Email((*text).to_owned()),
            Parsed::DNSName(text) => Self::Dns((*text).to_owned()),
            Parsed::X400Address(any) => malformed(3, any.data),
            Parsed::DirectoryName(name) => {
                DistinguishedName::from_der(name.as_raw()).map_or_else(|_| malformed(4, name.as_raw()), Self::Directory)
            }
            Parsed::EDIPartyName(any) => malformed(5, any.data),
            Parsed::URI(text) => Self::Uri((*text).to_owned()),
            Parsed::IPAddress(octets) => ip(octets).map_or_else(|| malformed(7, octets), Self::Ip),
            Parsed::RegisteredID(oid) => ObjectIdentifier::from_der_content(oid.as_bytes())
                .map_or_else(|_| malformed(8, oid.as_bytes()), Self::RegisteredId),
            Parsed::Invalid(tag, content) => malformed(tag.0, content),
        }
    }
}

fn malformed(tag: u32, content: &[u8]) -> GeneralName {
    GeneralName::Malformed { tag, content: content.to_vec() }
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
