//! General names as they stand in alternative names and name constraints.

use std::net::IpAddr;

use der::{Tag, TagNumber};

use crate::cert::encode::{tagged, tlv};
use crate::cert::{DistinguishedName, ObjectIdentifier};

/// A general name to be written (RFC 5280, section 4.2.1.6), well formed or not: nothing is checked that can be written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TestName<'a> {
    /// `directoryName`, in the text form of RFC 4514.
    Directory(&'a str),
    /// `dNSName`.
    Dns(&'a str),
    /// `rfc822Name`.
    Email(&'a str),
    /// `iPAddress` of one machine.
    Ip(IpAddr),
    /// `iPAddress` of a network, as name constraints have it: any address inside, and how many bits are fixed.
    Network(IpAddr, u8),
    /// `otherName`: dotted object identifier, DER of the value.
    Other(&'a str, &'a [u8]),
    /// Whatever shall stand there: identifier octet (`0x82` for a `dNSName`), content octets.
    Raw(u8, &'a [u8]),
    /// `registeredID`, dotted.
    RegisteredId(&'a str),
    /// Microsoft's user principal name, an `otherName` with a `UTF8String`.
    Upn(&'a str),
    /// `uniformResourceIdentifier`.
    Uri(&'a str),
}

impl TestName<'_> {
    /// # Panics
    /// If a directory name or an object identifier cannot be read.
    pub(super) fn to_der(self) -> Vec<u8> {
        match self {
            Self::Directory(text) => {
                // X.680 §31.2.7: a CHOICE is tagged explicitly.
                tagged(4, &text.parse::<DistinguishedName>().expect("a distinguished name").to_der())
            }
            Self::Dns(text) => implicit(2, text.as_bytes()),
            Self::Email(text) => implicit(1, text.as_bytes()),
            Self::Ip(address) => implicit(7, &octets(address)),
            Self::Network(address, bits) => {
                let mut both = octets(address);
                both.extend(mask(both.len(), bits));
                implicit(7, &both)
            }
            Self::Other(kind, value) => other(kind, value),
            Self::Raw(tag, content) => {
                let mut der = tlv(Tag::OctetString, content);
                der.splice(..1, [tag]);
                der
            }
            Self::RegisteredId(oid) => implicit(8, identifier(oid).as_der_content()),
            Self::Upn(text) => other("1.3.6.1.4.1.311.20.2.3", &tlv(Tag::Utf8String, text.as_bytes())),
            Self::Uri(text) => implicit(6, text.as_bytes()),
        }
    }
}

fn implicit(number: u32, content: &[u8]) -> Vec<u8> {
    tlv(Tag::ContextSpecific { constructed: false, number: TagNumber(number) }, content)
}

fn other(kind: &str, value: &[u8]) -> Vec<u8> {
    let kind = tlv(Tag::ObjectIdentifier, identifier(kind).as_der_content());
    tagged(0, &[kind, tagged(0, value)].concat())
}

fn identifier(dotted: &str) -> ObjectIdentifier {
    dotted.parse().expect("an object identifier")
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn mask(octets: usize, bits: u8) -> impl Iterator<Item = u8> {
    let fixed = |bits: usize| !0xffu8.checked_shr(u32::try_from(bits).unwrap_or(8)).unwrap_or(0);
    (0..octets).map(move |at| fixed(usize::from(bits).saturating_sub(8 * at)))
}
