//! (private) The document as text has it: every key that there is, bounded, and nothing of it understood yet.
//!
//! INVARIANT: no text here is a private key; what looks like one is wiped while it is read, and only remembered. Nor is one
//! in an error: serde's own readers show whatever text stands where something else is expected. So all of them are here, and a
//! format of text is not told what is expected, because it would show the text itself.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

use super::near::near;
use crate::limits::{DOCUMENT_CERTIFICATE_BYTES, DOCUMENT_ITEMS, DOCUMENT_TEXT_BYTES, REVOCATION_LIST_FILE_BYTES};
use crate::pem;
use crate::text::{OneLine, has_private_key};

/// How much of a text that is none of what is expected is shown.
const SHOWN: usize = 64;

/// Text of so many bytes at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Text<const LIMIT: usize = DOCUMENT_TEXT_BYTES> {
    Plain(Box<str>),
    /// A private key stood there.
    PrivateKey,
}

pub(super) type CertificateText = Text<DOCUMENT_CERTIFICATE_BYTES>;
pub(super) type ListText = Text<REVOCATION_LIST_FILE_BYTES>;

impl<const LIMIT: usize> From<&str> for Text<LIMIT> {
    fn from(text: &str) -> Self {
        if has_private_key(text.as_bytes()) { Self::PrivateKey } else { Self::Plain(text.into()) }
    }
}

impl<const LIMIT: usize> Serialize for Text<LIMIT> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::PrivateKey => Err(S::Error::custom("a private key stood in the document, which cannot be written")),
        }
    }
}

impl<'de, const LIMIT: usize> Deserialize<'de> for Text<LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<const LIMIT: usize>;

        impl<const LIMIT: usize> Visitor<'_> for Read<LIMIT> {
            type Value = Text<LIMIT>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text of at most {LIMIT} bytes")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<LIMIT>, E> {
                if text.len() > LIMIT {
                    return Err(E::custom(format_args!(
                        "a text of {} bytes is too long, at most {LIMIT} are read",
                        text.len()
                    )));
                }
                Ok(text.into())
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Text<LIMIT>, E> {
                let read = self.visit_str(&text);
                if matches!(read, Ok(Text::PrivateKey)) {
                    pem::wipe(text.into_bytes());
                }
                read
            }
        }

        deserializer.deserialize_string(Read)
    }
}

/// A list of at most [`DOCUMENT_ITEMS`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {DOCUMENT_ITEMS} items")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                Err(text_instead(text, &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
                // What the input says of its length is not believed.
                let mut read = Vec::new();
                while let Some(item) = items.next_element()? {
                    if read.len() == DOCUMENT_ITEMS {
                        return Err(A::Error::custom(format_args!("more than {DOCUMENT_ITEMS} items are too many")));
                    }
                    read.push(item);
                }
                Ok(List(read))
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Read(PhantomData))
        } else {
            deserializer.deserialize_seq(Read(PhantomData))
        }
    }
}

/// A text stands where something else is expected.
fn text_instead<E: Error>(text: &str, expected: &dyn Expected) -> E {
    let unexpected = match text {
        key if has_private_key(key.as_bytes()) => Unexpected::Other("a private key"),
        long if long.len() > SHOWN => Unexpected::Other("a long text"),
        short => Unexpected::Str(short),
    };
    E::invalid_type(unexpected, expected)
}

/// A number, or yes and no.
struct Scalar<T>(T);

macro_rules! scalar {
    ($type:ident, $expected:literal, $read:ident: $($visit:ident $from:ident $unexpected:ident),+) => {
        impl<'de> Deserialize<'de> for Scalar<$type> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Read;

                impl Visitor<'_> for Read {
                    type Value = Scalar<$type>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                        Err(text_instead(text, &self))
                    }

                    $(fn $visit<E: Error>(self, value: $from) -> Result<Self::Value, E> {
                        let fits = $type::try_from(value).map(Scalar);
                        fits.map_err(|_| E::invalid_value(Unexpected::$unexpected(value), &self))
                    })+
                }

                if deserializer.is_human_readable() {
                    deserializer.deserialize_any(Read)
                } else {
                    deserializer.$read(Read)
                }
            }
        }

        impl Field for Option<$type> {
            fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
                Ok(map.next_value::<Option<Scalar<$type>>>()?.map(|Scalar(value)| value))
            }
        }
    };
}

scalar!(bool, "a boolean", deserialize_bool: visit_bool bool Bool);
scalar!(u32, "u32", deserialize_u32: visit_u64 u64 Unsigned, visit_i64 i64 Signed);
scalar!(u64, "u64", deserialize_u64: visit_u64 u64 Unsigned, visit_i64 i64 Signed);

/// What may stand under a key.
trait Field: Sized {
    fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error>;
}

impl<const LIMIT: usize> Field for Option<Text<LIMIT>> {
    fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

impl<T: for<'any> Deserialize<'any>> Field for List<T> {
    fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

impl Field for Option<List<Text>> {
    fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

/// What may be left out.
pub(super) trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for List<T> {
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// One of these keys.
struct Key(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<&'static str, E> {
        if let Some(key) = self.0.iter().find(|key| **key == text) {
            return Ok(key);
        }
        if has_private_key(text.as_bytes()) {
            return Err(E::custom("a private key stands where the name of a key should: take it out"));
        }
        let shown: String = text.chars().take(SHOWN).collect();
        let shown = OneLine(&shown);
        match near(text, self.0.iter().copied()) {
            Some(near) => Err(E::custom(format_args!("unknown key `{shown}`: is `{near}` meant?"))),
            None => Err(E::custom(format_args!("unknown key `{shown}`: the keys are `{}`", self.0.join("`, `")))),
        }
    }
}

/// Defines a table of the document. Every key may be left out here, so that all that is missing is told at once.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($key:literal $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub(super) struct $name {
            $(#[serde(rename = $key, skip_serializing_if = "Absent::is_absent")] pub(super) $field: $type,)*
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const KEYS: &[&str] = &[$($key),*];
                struct Read;

                impl<'de> Visitor<'de> for Read {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "a table with keys of `{}`", KEYS.join("`, `"))
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        Err(text_instead(text, &self))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut table = $name::default();
                        let mut seen = Vec::new();
                        while let Some(key) = map.next_key_seed(Key(KEYS))? {
                            if seen.contains(&key) {
                                return Err(A::Error::duplicate_field(key));
                            }
                            seen.push(key);
                            match key {
                                $($key => table.$field = Field::next(&mut map)?,)*
                                other => return Err(A::Error::unknown_field(other, KEYS)),
                            }
                        }
                        Ok(table)
                    }
                }

                if deserializer.is_human_readable() {
                    deserializer.deserialize_any(Read)
                } else {
                    deserializer.deserialize_map(Read)
                }
            }
        }
    };
}

table! {
    /// The whole document.
    File {
        "version" version: Option<u64>,
        "danger-stale-lists-seconds" stale_lists: Option<u64>,
        "hosts" hosts: List<Host>,
        "bundles" bundles: List<Bundle>,
        "certificates" certificates: List<Certificate>,
        "mappings" mappings: List<Mapping>,
        "users" users: List<User>,
        "assignments" assignments: List<Assignment>,
        "denials" denials: List<Denial>,
        "revocation-lists" revocation_lists: List<RevocationList>,
    }
}

table! {
    Host {
        "id" id: Option<Text>,
        "listener" listener: Option<Text>,
        "server-names" server_names: Option<List<Text>>,
        "default" default: Option<bool>,
        "bundle" bundle: Option<Text>,
        "client-auth" client_auth: Option<Text>,
        "untrusted" untrusted: Option<Text>,
        "hints" hints: Option<Text>,
    }
}

table! {
    Bundle {
        "name" name: Option<Text>,
        "limit" limit: Option<u32>,
        "purpose" purpose: Option<Text>,
        "pin-purpose" pin_purpose: Option<Text>,
        "path-length" path_length: Option<u32>,
    }
}

table! {
    Certificate {
        "bundle" bundle: Option<Text>,
        "kind" kind: Option<Text>,
        "alias" alias: Option<Text>,
        "reference" reference: Option<Text>,
        "certificate" pem: Option<CertificateText>,
        "server-names" server_names: Option<List<Text>>,
    }
}

table! {
    Mapping {
        "name" name: Option<Text>,
        "match" selector: Option<Text>,
        "user" user: Option<Text>,
        "user-from" user_from: Option<Text>,
        "exception" exception: Option<bool>,
    }
}

table! {
    User {
        "name" name: Option<Text>,
        "disabled" disabled: Option<bool>,
        "note" note: Option<Text>,
    }
}

table! {
    Assignment {
        "role" role: Option<Text>,
        "user" user: Option<Text>,
        "rule" rule: Option<Text>,
        "at-least" at_least: Option<Text>,
        "enforcement" enforcement: Option<Text>,
    }
}

table! {
    Denial {
        "key" key: Option<Text>,
        "issuer" issuer: Option<Text>,
        "serial" serial: Option<Text>,
        "note" note: Option<Text>,
    }
}

table! {
    RevocationList {
        "reference" reference: Option<Text>,
        "list" list: Option<ListText>,
    }
}
