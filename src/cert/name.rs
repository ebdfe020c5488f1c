//! Distinguished names as structure: a sequence of RDNs, each a multiset of attributes; to and from DER.
//!
//! The DER is taken apart in `name_elements.rs`. The text form is in `name_text.rs`; nothing compares names by it. Knows nothing
//! of what a name is used for, and picks no attribute: which of two common names counts is not for here to say.
//! X.501 section 9, RFC 5280 section 4.1.2.4.

#[path = "name_alike.rs"]
mod alike;
#[path = "name_elements.rs"]
mod elements;
#[path = "name_text.rs"]
mod text;

pub(crate) use alike::AlikeName;
use elements::Elements;
pub(crate) use text::{COMMON_NAME, EMAIL_ADDRESS};

use super::{InvalidObjectIdentifier, ObjectIdentifier};
use crate::limits::{NAME_ATTRIBUTES, NAME_BYTES};

/// A distinguished name: who a certificate was issued to, or by whom.
///
/// Compared, hashed and ordered as the structure it is: the order of RDNs counts, the order inside an RDN does not, a
/// duplicate counts twice. Values are compared by decoded text, because CAs re-encode a `PrintableString` as
/// `UTF8String` on renewal; case, blanks and Unicode forms are left as they are.
///
/// The text form is that of RFC 4514, last RDN first. Printing and parsing are inverse, so two names print alike only
/// if they are equal. On input blanks around `,`, `+` and `=`, keywords in any case, the keywords of other tools (`SP`,
/// `E`, `GN` …) and `OID.` before numbers are read too. Neither the form `/C=DE/CN=a` nor values in quotes are: they
/// write different names alike.
///
/// ```
/// use certmap::cert::DistinguishedName;
/// let name: DistinguishedName = "cn=Lu\\C4\\8Di\\C4\\87, O=Acme\\, Inc., C=DE".parse()?;
/// assert_eq!(name.to_string(), "CN=Lučić,O=Acme\\, Inc.,C=DE");
/// assert_eq!(DistinguishedName::from_der(&name.to_der()), Ok(name));
///
/// let name = |text: &str| text.parse::<DistinguishedName>();
/// assert_eq!(name("CN=a+O=b")?, name("O=b+CN=a")?);
/// assert_ne!(name("CN=a+O=b")?, name("CN=a,O=b")?);
/// assert_ne!(name("CN=a,O=b")?, name("O=b,CN=a")?);
/// # Ok::<(), certmap::cert::InvalidDistinguishedName>(())
/// ```
///
/// # Security
/// A name holds what the CA let its customer write. Text may contain NUL, control characters and characters that turn
/// the direction of writing; printing escapes them, [`AttributeValue::Text`] does not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistinguishedName {
    /// In encoded order. INVARIANT: within every limit, and so are its DER and its text.
    rdns: Vec<RelativeDistinguishedName>,
}

/// A relative distinguished name: one step of a name, nearly always one attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativeDistinguishedName {
    /// INVARIANT: not empty, and sorted, so that equal multisets are equal.
    attributes: Vec<Attribute>,
}

/// One attribute of a name: a type and a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute {
    kind: ObjectIdentifier,
    value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a value is text or it is not")]
pub enum AttributeValue {
    /// The text of a `UTF8String`, `PrintableString`, `IA5String`, `NumericString` or `VisibleString`, which of them
    /// is not kept. A `PrintableString` may hold any ASCII, `*` and `@` for instance, because CAs issue such.
    Text(String),
    /// The whole DER of anything else, header included: `TeletexString`, `BMPString`, and what is malformed. Never
    /// equal to a text, since programs differ on which text it is.
    Opaque(Vec<u8>),
}

impl DistinguishedName {
    /// Reads a `Name` from its DER.
    ///
    /// The attributes of an RDN may stand in any order, which DER forbids and CAs do.
    ///
    /// # Errors
    /// [`InvalidDistinguishedName`] if the bytes are not exactly one name, an RDN is empty, a length is not DER, or a
    /// limit is passed: [`NAME_BYTES`] by the DER or by the text form, [`NAME_ATTRIBUTES`] by the attributes.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidDistinguishedName> {
        let mut rdns: Vec<RelativeDistinguishedName> = Vec::new();
        read(der, |attribute, first| {
            let attribute = attribute.decoded()?;
            match rdns.last_mut().filter(|_| !first) {
                Some(rdn) => rdn.attributes.push(attribute),
                None => rdns.push(RelativeDistinguishedName { attributes: vec![attribute] }),
            }
            Ok(())
        })?;
        for rdn in &mut rdns {
            rdn.attributes.sort_unstable();
        }
        let name = Self { rdns };
        // An octet of DER prints as four characters at most: an arc of three digits and a dot. Only monsters are printed.
        if der.len() > NAME_BYTES / 4 {
            limited(name.to_string().len())?;
        }
        Ok(name)
    }

    /// Says whether [`from_der`](Self::from_der) reads it, and keeps nothing of it.
    pub(super) fn check_der(der: &[u8]) -> Result<(), InvalidDistinguishedName> {
        if der.len() > NAME_BYTES / 4 {
            return Self::from_der(der).map(drop);
        }
        read(der, |attribute, _| attribute.check_kind())
    }

    /// For the text form: `rdns` in encoded order.
    fn from_rdns(rdns: Vec<RelativeDistinguishedName>) -> Result<Self, InvalidDistinguishedName> {
        let name = Self { rdns };
        limited(name.to_der().len())?;
        limited(name.to_string().len())?;
        Ok(name)
    }

    /// The DER of the name, which reads back as an equal name.
    ///
    /// Not always the DER it was read from: text becomes a `UTF8String`, except where RFC 5280, appendix A.1 asks for
    /// another type and the text fits it (`PrintableString` for C and serialNumber, `IA5String` for emailAddress and
    /// DC), and the attributes of an RDN are brought into order.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for rdn in &self.rdns {
            let mut attributes: Vec<Vec<u8>> = rdn.attributes.iter().map(Attribute::to_der).collect();
            // X.690 §11.6: the elements of a SET OF stand in the order of their encodings.
            attributes.sort_unstable();
            push_element(&mut content, SET, &attributes.concat());
        }
        let mut der = Vec::with_capacity(content.len() + 4);
        push_element(&mut der, SEQUENCE, &content);
        der
    }

    /// True for the name without RDNs, which certificates have whose subject is in the alternative names only.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The RDNs in encoded order, from the most general to the most specific: the reverse of the text form.
    pub fn rdns(&self) -> impl Iterator<Item = &RelativeDistinguishedName> {
        self.rdns.iter()
    }
}

impl RelativeDistinguishedName {
    fn new(mut attributes: Vec<Attribute>) -> Self {
        attributes.sort_unstable();
        Self { attributes }
    }

    /// The attributes, at least one, sorted; duplicates are kept.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }
}

impl Attribute {
    /// The type.
    #[must_use]
    pub fn kind(&self) -> &ObjectIdentifier {
        &self.kind
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &AttributeValue {
        &self.value
    }

    fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::new();
        push_element(&mut content, OBJECT_IDENTIFIER, self.kind.as_der_content());
        match &self.value {
            AttributeValue::Text(text) => push_element(&mut content, self.text_tag(text), text.as_bytes()),
            AttributeValue::Opaque(der) => content.extend_from_slice(der),
        }
        let mut der = Vec::new();
        push_element(&mut der, SEQUENCE, &content);
        der
    }

    /// The tag of the string type that RFC 5280, appendix A.1 wants for this text.
    fn text_tag(&self, text: &str) -> u8 {
        let printable = |c: u8| c.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&c);
        match self.kind.as_der_content() {
            text::COUNTRY | text::SERIAL_NUMBER if text.bytes().all(printable) => PRINTABLE_STRING,
            text::DOMAIN_COMPONENT | text::EMAIL_ADDRESS if text.is_ascii() => IA5_STRING,
            _ => UTF8_STRING,
        }
    }
}

impl AttributeValue {
    /// Reads one complete element and nothing after it; `None` if the bytes are something else.
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        let mut input = Elements::new(der).ok()?;
        let value = input.value(der.len()).ok()?;
        (input.offset() == der.len()).then(|| value.decoded())
    }

    /// `der` is the element that has this tag and this content.
    fn from_element(tag: u8, content: &[u8], der: &[u8]) -> Self {
        let text = match tag {
            UTF8_STRING => str::from_utf8(content).ok(),
            NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING if content.is_ascii() => {
                str::from_utf8(content).ok()
            }
            _ => None,
        };
        text.map_or_else(|| Self::Opaque(der.to_vec()), |text| Self::Text(text.to_owned()))
    }
}

// Identifier octets (X.680 section 8).
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// The low five bits that say that the tag number follows in octets of its own (X.690 section 8.1.2.4).
const LONG_TAG: u8 = 0x1f;

const FITTING_LENGTH: &str = "a DER length that fits what is around it";

fn push_element(der: &mut Vec<u8>, tag: u8, content: &[u8]) {
    der.push(tag);
    // X.690 §10.1: the short form below 128, else as few octets as the length needs.
    let octets = content.len().to_be_bytes();
    let significant = octets.iter().skip_while(|octet| **octet == 0);
    if content.len() >= 0x80 {
        // At most 8 of them on any machine.
        der.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or_default());
        der.extend(significant);
    } else {
        der.extend(octets.last());
    }
    der.extend_from_slice(content);
}

fn limited(bytes: usize) -> Result<(), InvalidDistinguishedName> {
    if bytes > NAME_BYTES { Err(InvalidDistinguishedName::TooLong { bytes }) } else { Ok(()) }
}

/// Reads a `Name`: each attribute, and whether it is the first one of its RDN.
fn read<'a>(
    der: &'a [u8],
    mut take: impl FnMut(Encoded<'a>, bool) -> Result<(), InvalidDistinguishedName>,
) -> Result<(), InvalidDistinguishedName> {
    let mut input = Elements::new(der)?;
    let end = input.enter(SEQUENCE, "a SEQUENCE", der.len())?;
    if end != der.len() {
        return Err(InvalidDistinguishedName::Encoding { expected: "the end of the name", offset: end });
    }
    let mut count = 0usize;
    while input.offset() < end {
        let rdn_end = input.enter(SET, "a SET", end)?;
        let mut first = true;
        while input.offset() < rdn_end || first {
            count += 1;
            if count > NAME_ATTRIBUTES {
                return Err(InvalidDistinguishedName::TooManyAttributes);
            }
            take(input.attribute(rdn_end)?, first)?;
            first = false;
        }
    }
    Ok(())
}

/// An attribute as it stands in the DER.
struct Encoded<'a> {
    /// The content octets of the type, and where they begin.
    kind: &'a [u8],
    offset: usize,
    value: EncodedValue<'a>,
}

impl Encoded<'_> {
    fn check_kind(&self) -> Result<(), InvalidDistinguishedName> {
        let kind = ObjectIdentifier::check_der_content(self.kind);
        kind.map_err(|cause| InvalidDistinguishedName::Kind { offset: self.offset, cause })
    }

    fn decoded(self) -> Result<Attribute, InvalidDistinguishedName> {
        let Self { kind, offset, value } = self;
        let kind = ObjectIdentifier::from_der_content(kind)
            .map_err(|cause| InvalidDistinguishedName::Kind { offset, cause })?;
        Ok(Attribute { kind, value: value.decoded() })
    }
}

/// The value of an attribute as it stands in the DER: tag, content, and the whole element.
struct EncodedValue<'a> {
    tag: u8,
    content: &'a [u8],
    der: &'a [u8],
}

impl EncodedValue<'_> {
    fn decoded(self) -> AttributeValue {
        AttributeValue::from_element(self.tag, self.content, self.der)
    }
}

/// DER or text that is no distinguished name, or a name beyond a limit; offsets count bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDistinguishedName {
    /// The DER has something else than what has to stand there.
    #[error("expected {expected} at offset {offset} of the DER")]
    Encoding {
        /// What has to stand there.
        expected: &'static str,
        /// Where.
        offset: usize,
    },
    /// The type of an attribute is no object identifier.
    #[error("the attribute type at offset {offset} is no object identifier")]
    Kind {
        /// Where its first arc begins.
        offset: usize,
        /// Why.
        #[source]
        cause: InvalidObjectIdentifier,
    },
    /// Nothing follows a separator.
    #[error("expected an attribute after the `{separator}` at offset {offset}")]
    MissingAttribute {
        /// Where the separator is.
        offset: usize,
        /// `,` or `+`.
        separator: char,
    },
    /// The text has something else than what has to stand there.
    #[error("expected {expected} at offset {offset}")]
    Syntax {
        /// What has to stand there.
        expected: &'static str,
        /// Where.
        offset: usize,
    },
    /// The DER or the text form is larger than [`NAME_BYTES`].
    #[error("a name of {bytes} bytes is too long, at most {NAME_BYTES} are read")]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// More attributes than [`NAME_ATTRIBUTES`].
    #[error("a name of more than {NAME_ATTRIBUTES} attributes is too long")]
    TooManyAttributes,
    /// A character that RFC 4514 wants escaped.
    #[error("expected a backslash before the `{character}` at offset {offset}")]
    Unescaped {
        /// One of `"`, `;`, `<`, `>`.
        character: char,
        /// Where.
        offset: usize,
    },
    /// A keyword that names no attribute type; the number of the type is always understood.
    #[error("unknown attribute keyword `{keyword}` at offset {offset}: a name is written as in `CN=erp,O=Acme`")]
    UnknownKeyword {
        /// The keyword in printable ASCII, at most 64 characters of it.
        keyword: String,
        /// Where.
        offset: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_is_what_can_be_read() {
        let name = "CN=Lučić+UID=7,OU=#040141,O=Acme,1.2.840.113549.1.9.8=#1303313233,C=DE";
        let der = name.parse::<DistinguishedName>().unwrap().to_der();
        let mut readable = 0;
        for at in 0..der.len() {
            for octet in 0..=u8::MAX {
                let mut other = der.clone();
                other[at] = octet;
                let read = DistinguishedName::from_der(&other).map(drop);
                assert_eq!(DistinguishedName::check_der(&other), read, "{octet} at {at}");
                readable += usize::from(read.is_ok());
            }
            assert_eq!(DistinguishedName::check_der(&der[..at]), DistinguishedName::from_der(&der[..at]).map(drop));
        }
        assert!(readable > der.len() && readable < der.len() * 255, "{readable}");
        // Three characters are printed for each of these octets, which is too much for one of the two names.
        for (octets, reads) in [(5_460, true), (5_461, false)] {
            let value = AttributeValue::Text("\u{1}".repeat(octets));
            let kind = ObjectIdentifier::from_attribute_keyword("CN").unwrap();
            let rdns = vec![RelativeDistinguishedName::new(vec![Attribute { kind, value }])];
            let name = DistinguishedName { rdns };
            assert_eq!(DistinguishedName::check_der(&name.to_der()).is_ok(), reads, "{octets}");
        }
    }
}
