//! (private) What names have in common that are meant alike. RFC 5280, section 7.1.

use super::{AttributeValue, DistinguishedName, Elements};
use crate::cert::ObjectIdentifier;
use crate::text::alike;

/// A name without what does not count when names are compared: the case of letters, the number of blanks, the type of string.
/// Never to believe a name: to find whatever could be of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AlikeName(Vec<Vec<(ObjectIdentifier, Value)>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Text(String),
    /// What is no string, as DER.
    Other(Vec<u8>),
}

impl DistinguishedName {
    pub(crate) fn alike(&self) -> AlikeName {
        let rdns = self.rdns.iter().map(|rdn| {
            let attributes =
                rdn.attributes.iter().map(|attribute| (attribute.kind.clone(), Value::of(&attribute.value)));
            let mut attributes: Vec<_> = attributes.collect();
            attributes.sort_unstable();
            attributes
        });
        AlikeName(rdns.collect())
    }
}

impl AlikeName {
    /// Without what programs lose that print names: which RDN an attribute stands in, and in which order they are.
    pub(crate) fn flat(self) -> Self {
        let mut attributes = self.0.concat();
        attributes.sort_unstable();
        Self(vec![attributes])
    }
}

impl Value {
    fn of(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::Text(text) => Self::Text(alike(text)),
            AttributeValue::Opaque(der) => {
                decoded(der).map_or_else(|| Self::Other(der.clone()), |text| Self::Text(alike(&text)))
            }
        }
    }
}

/// Of the types of string about which programs differ (X.680, section 41), and of those that hold what they may not; `None` for
/// others.
fn decoded(der: &[u8]) -> Option<String> {
    let value = Elements::new(der).ok()?.value(der.len()).ok()?;
    match value.tag {
        // TeletexString and GeneralString, which everybody writes as Latin-1 or UTF-8, and so whoever writes more than ASCII into the
        // types for it.
        0x0c | 0x12..=0x14 | 0x16 | 0x1a | 0x1b => Some(value.content.iter().copied().map(char::from).collect()),
        // UniversalString.
        0x1c => {
            let (characters, []) = value.content.as_chunks() else { return None };
            characters.iter().map(|octets| char::from_u32(u32::from_be_bytes(*octets))).collect()
        }
        // BMPString.
        0x1e => {
            let (units, []) = value.content.as_chunks() else { return None };
            char::decode_utf16(units.iter().map(|octets| u16::from_be_bytes(*octets))).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn name(text: &str) -> AlikeName {
        text.parse::<DistinguishedName>().unwrap().alike()
    }

    #[test]
    fn names_that_are_meant_alike_are_alike() {
        let plain = name("CN=Acme Root,O=Stra\u{df}e");
        for other in [
            "CN=ACME  root ,O=STRASSE",
            // Teletex, BMP, Universal.
            "CN=#140941636d6520526f6f74,O=#140653747261df65",
            "CN=#1e1200410063006d006500200052006f006f0074,O=stra\u{17f}\u{17f}e",
            "CN=Acme Root,O=#1c1800000053000000740000007200000061000000df00000065",
        ] {
            assert_eq!(name(other), plain, "{other}");
        }
        assert_eq!(name("CN=#1c0400000041+O=b"), name("O=B+CN=a"));
        // UTF-8 as Teletex, Latin-1 where ASCII or UTF-8 has to be, a soft hyphen.
        for other in [
            "CN=#1403c3bc62",
            "CN=#1b02fc62",
            "CN=#1302fc62",
            "CN=#0c02fc62",
            "CN=#1602dc42",
            "CN=\u{fc}\u{ad}B",
            "CN=\u{c3}\u{bc}B",
        ] {
            assert_eq!(name(other), name("CN=\u{fc}b"), "{other}");
        }
    }

    #[test]
    fn names_that_are_not_are_not() {
        for (one, other) in [
            ("CN=a,O=b", "O=b,CN=a"),
            ("CN=ab", "CN=a b"),
            ("CN=a", "CN=a,CN=a"),
            ("CN=a", "OU=a"),
            // Octets that are left over.
            ("CN=A", "CN=#1e03004100"),
            ("CN=A", "CN=#1c050000004100"),
            // No string.
            ("CN=#020141", "CN=A"),
        ] {
            assert_ne!(name(one), name(other), "{one} and {other}");
        }
    }
}
