//! What in a certificate a rule can look at, and the values that stand there.
//!
//! Each kind of name is a field of its own and its values are only ever compared with values of the same field: a DNS rule
//! sees no URI of the same text. RFC 5280, sections 4.1.2 and 4.2.1.6.

use core::fmt;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::InvalidNameTest;
use super::display::{Quoted, word_of_bytes};
use crate::cert::{
    AlikeName, Attribute, AttributeValue, DistinguishedName, EMAIL_ADDRESS, ObjectIdentifier, SMTP_UTF8_MAILBOX,
    SerialNumber, minimal,
};
use crate::text::{alike, has_hidden, repeated};

/// `1.3.6.1.4.1.311.20.2.3`, the user principal name among the kinds of `otherName`.
const USER_PRINCIPAL_NAME: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03];

/// What in a certificate a test looks at. Whoever runs a CA chooses all of it, so it counts under a stated CA only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// One attribute of the subject, of this type. Attributes of other types do not matter to it. `SN` is the surname,
    /// `serialNumber` a text, and neither is the [`Serial`](Self::Serial).
    Attribute(ObjectIdentifier),
    /// A certificate policy (RFC 5280, section 4.2.1.4), as the CA stated it.
    CertificatePolicy,
    /// The alternative name `directoryName`.
    Directory,
    /// The alternative name `dNSName`.
    Dns,
    /// The alternative name `rfc822Name`.
    Email,
    /// The value of the extension with this number.
    Extension(ObjectIdentifier),
    /// The alternative name `iPAddress`.
    Ip,
    /// The alternative name `otherName`, of this kind.
    Other(ObjectIdentifier),
    /// The serial number, as hexadecimal. It counts for certificates of one issuer: of the anchor itself, or of whom
    /// [`CaPath::issued_by`](super::CaPath::issued_by) names.
    Serial,
    /// The whole subject, as the structure it is.
    Subject,
    /// The alternative name `otherName` of the kind `1.3.6.1.4.1.311.20.2.3`: the user principal name.
    Upn,
    /// The alternative name `uniformResourceIdentifier`.
    Uri,
}

/// `anyPolicy`, 2.5.29.32.0.
const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0];

impl Field {
    /// The one way to say it: the user principal name is no other `otherName`.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::Other(kind) if kind.is(USER_PRINCIPAL_NAME) => Self::Upn,
            other => other,
        }
    }

    /// True if its values are text that a user name can be taken from.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::Attribute(_)
            | Self::Dns
            | Self::Email
            | Self::Extension(_)
            | Self::Other(_)
            | Self::Upn
            | Self::Uri => true,
            Self::CertificatePolicy | Self::Directory | Self::Ip | Self::Serial | Self::Subject => false,
        }
    }

    /// True if no certificate has more than one value of it.
    pub(super) fn is_single(&self) -> bool {
        matches!(self, Self::Extension(_) | Self::Serial | Self::Subject)
    }

    /// True if its values are mail addresses, whose domains have no case.
    pub(super) fn is_mail(&self) -> bool {
        match self {
            Self::Attribute(kind) => kind.is(EMAIL_ADDRESS),
            Self::Other(kind) => kind.is(SMTP_UTF8_MAILBOX),
            field => *field == Self::Email,
        }
    }

    pub(super) fn is_other_name(&self) -> bool {
        matches!(self, Self::Other(_) | Self::Upn)
    }
}

impl fmt::Display for Field {
    /// As it stands in a selector: `dns`, `attribute CN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(kind) => write!(f, "attribute {}", kind.attribute_keyword()),
            Self::CertificatePolicy => f.write_str("policy"),
            Self::Directory => f.write_str("directory"),
            Self::Dns => f.write_str("dns"),
            Self::Email => f.write_str("email"),
            Self::Extension(kind) => write!(f, "extension {kind}"),
            Self::Ip => f.write_str("ip"),
            Self::Other(kind) => write!(f, "other {kind}"),
            Self::Serial => f.write_str("serial"),
            Self::Subject => f.write_str("subject"),
            Self::Upn => f.write_str("upn"),
            Self::Uri => f.write_str("uri"),
        }
    }
}

/// One value of a field. INVARIANT: made by the constructors below, so what no rule may match is no value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value {
    /// The DER of something that is no text.
    Bytes(Arc<[u8]>),
    Ip(IpAddr),
    Name(DistinguishedName),
    Oid(ObjectIdentifier),
    Serial(SerialNumber),
    Text(Arc<str>),
}

/// What values that somebody could read as one have in common. Never to match anything, only to leave out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alike {
    /// DER that may hold something else, or that programs read which is written otherwise: it could be every value of its field.
    Anything,
    Name(AlikeName),
    Value(Value),
}

impl Value {
    /// Text as it stands in a certificate or in a rule.
    pub(super) fn text(field: &Field, text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if has_hidden(text) {
            return Err("it has a control, bidirectional or invisible character");
        }
        match field {
            Field::Dns => dns(text)?,
            Field::Email => email(text)?,
            Field::Attribute(kind) if kind.is(EMAIL_ADDRESS) => email(text)?,
            Field::Other(kind) if kind.is(SMTP_UTF8_MAILBOX) => mailbox(text)?,
            Field::Uri => uri(text)?,
            Field::Attribute(_)
            | Field::CertificatePolicy
            | Field::Directory
            | Field::Extension(_)
            | Field::Ip
            | Field::Other(_)
            | Field::Serial
            | Field::Subject
            | Field::Upn => {}
        }
        Ok(Self::Text(text.into()))
    }

    /// A name all of whose values are text that can be shown.
    pub(super) fn name(name: DistinguishedName) -> Result<Self, &'static str> {
        if name.is_empty() {
            return Err("it is empty");
        }
        let plain = |attribute: &Attribute| match attribute.value() {
            AttributeValue::Text(text) => !has_hidden(text),
            AttributeValue::Opaque(_) => false,
        };
        if name.rdns().all(|rdn| rdn.attributes().iter().all(plain)) {
            Ok(Self::Name(name))
        } else {
            Err("it has a value that is no plain text")
        }
    }

    /// What stands in an extension or an `otherName`: text, or the DER of something that is not meant as text.
    pub(super) fn decoded(field: &Field, value: &AttributeValue) -> Result<Self, &'static str> {
        match value {
            AttributeValue::Text(text) => Self::text(field, text),
            AttributeValue::Opaque(der) => match der.first() {
                Some(tag) if !is_string(*tag) && *field != Field::Upn => Ok(Self::Bytes(der.as_slice().into())),
                _ => Err("it is a string of a type that programs read differently"),
            },
        }
    }

    /// What all values have in common that somebody could read as this one: letters without case, blanks without number,
    /// one address of those that mean the same host, a number without its sign (X.520, section 7.6; RFC 3986, section 6.2.2.1;
    /// RFC 4291, section 2.5.5).
    pub(super) fn alike(&self) -> Alike {
        Alike::Value(match self {
            Self::Bytes(der) if !has_one_form(der) => return Alike::Anything,
            Self::Ip(IpAddr::V6(address)) => Self::Ip(within(*address).map_or(IpAddr::V6(*address), IpAddr::V4)),
            Self::Name(name) => return Alike::Name(name.alike().flat()),
            Self::Text(text) => Self::Text(alike(text).into()),
            Self::Serial(serial) => Self::Serial(serial.unsigned().into_owned()),
            Self::Bytes(_) | Self::Ip(IpAddr::V4(_)) | Self::Oid(_) => self.clone(),
        })
    }

    /// `anyPolicy` stands for every certificate policy (RFC 5280, section 4.2.1.4).
    pub(super) fn is_any_policy(&self) -> bool {
        matches!(self, Self::Oid(policy) if policy.is(ANY_POLICY))
    }

    /// The value with its host in small letters; `None` for fields without hosts.
    pub(super) fn folded(&self, field: &Field) -> Option<Cow<'_, Self>> {
        let Self::Text(text) = self else { return None };
        Some(match fold_host(field, text)? {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(folded) => Cow::Owned(Self::Text(folded.into())),
        })
    }
}

/// A value of the field with ASCII letters in lower case where the field's standard has no case; `None` for fields without hosts.
pub(super) fn fold_host<'a>(field: &Field, text: &'a str) -> Option<Cow<'a, str>> {
    if *field == Field::Dns {
        Some(lower(text))
    } else if field.is_mail() {
        Some(fold_email(text))
    } else {
        None
    }
}

/// The IPv4 address that an address of IPv6 stands for, or that packets to it come to: mapped and compatible ones (RFC 4291, section
/// 2.5.5), those of translators (RFC 2765; RFC 6052; RFC 8215) and of 6to4 (RFC 3056).
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        _ => address.to_ipv4(),
    }
}

/// The domain in lower case; the part before the `@` is the domain's own affair (RFC 5321, section 2.4). Text without `@`
/// is such a part, once the domain was stripped.
pub(super) fn fold_email(text: &str) -> Cow<'_, str> {
    let Some((local, domain)) = text.rsplit_once('@') else { return Cow::Borrowed(text) };
    match lower(domain) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(domain) => Cow::Owned(format!("{local}@{domain}")),
    }
}

pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|c| c.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The string types of ASN.1 by tag number (X.680, section 8.6), primitive or constructed.
fn is_string(tag: u8) -> bool {
    tag & 0xc0 == 0 && matches!(tag & 0x1f, 12 | 18..=22 | 25..=30)
}

/// True for DER of a type that holds nothing else and that every program takes in this form or not at all: `BOOLEAN`, `INTEGER`, `NULL`,
/// `OBJECT IDENTIFIER`, `ENUMERATED` (X.690, sections 8 and 11).
fn has_one_form(der: &[u8]) -> bool {
    match der {
        [0x01, 1, 0 | 0xff] | [0x05, 0] => true,
        [0x02 | 0x0a, 1..=0x7f, number @ ..] => minimal(number) == number,
        [0x06, 1..=0x7f, kind @ ..] => ObjectIdentifier::check_der_content(kind).is_ok(),
        _ => false,
    }
}

/// What other readers could take for more than one host, for every host or for an address is no host name.
fn dns(text: &str) -> Result<(), &'static str> {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    let last = text.rsplit('.').next().unwrap_or_default();
    // The end of an address, as readers of C's numbers have it too.
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|c| c.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()));
    if !text.split('.').all(label) || is_number {
        return Err(
            "it is no DNS name of letters, digits, `-` and `_`, without wildcard, final dot and a number at its end",
        );
    }
    Ok(())
}

/// Plain mailboxes: quoted or with a comment, each can be written in many ways (RFC 5321, section 4.1.2).
fn email(text: &str) -> Result<(), &'static str> {
    if text.is_ascii() && mailbox(text).is_ok() {
        return Ok(());
    }
    Err("it is no e-mail address without quotes and comments, the domain a DNS name")
}

/// Mailboxes with letters beyond ASCII, as plain as the others; of domains there is one form, in ASCII (RFC 9598, section 3).
fn mailbox(text: &str) -> Result<(), &'static str> {
    let letter = |c: char| {
        if c.is_ascii() { c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) } else { !c.is_whitespace() }
    };
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() && local.chars().all(letter) && dns(domain).is_ok() => Ok(()),
        _ => Err("it is no e-mail address without quotes and comments, the domain a DNS name in ASCII"),
    }
}

/// URIs in plain form: without what stands for another spelling of the same (RFC 3986, section 6.2.2).
fn uri(text: &str) -> Result<(), &'static str> {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let of_scheme = |c: u8| c.is_ascii_alphanumeric() || b"+-.".contains(&c);
    let letter = |c: u8| c.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&c);
    if scheme.is_empty() || !scheme.bytes().all(of_scheme) || !rest.bytes().all(letter) {
        return Err("it is no URI: a scheme, a colon, letters of RFC 3986");
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let authority = path.strip_prefix("//").and_then(|after| after.split('/').next()).unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let name = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map_or(host, |(name, _)| name);
    if user == Some("")
        || name.ends_with('.')
        || host.ends_with(':')
        || text.ends_with(['?', '#'])
        || text.contains("?#")
    {
        return Err("it is no URI in plain form: an empty user, port, query or fragment, or a host with a final dot");
    }
    if [scheme, host].iter().any(|text| text.bytes().any(|c| c.is_ascii_uppercase())) {
        return Err("it is no URI in plain form: scheme and host have no capitals");
    }
    if text.split('%').skip(1).any(is_needless) || path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("it is no URI in plain form: a `%` that need not or cannot be, or `.` or `..` between slashes");
    }
    Ok(())
}

/// True if what follows a `%` does not stand for a character that has to be written so.
fn is_needless(encoded: &str) -> bool {
    let octet = encoded.get(..2).filter(|digits| digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'A'..=b'F')));
    let octet = octet.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    octet.is_none_or(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(der) => word_of_bytes(f, der),
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => Quoted(&name.to_string()).fmt(f),
            Self::Oid(oid) => oid.fmt(f),
            Self::Serial(serial) => serial.fmt(f),
            Self::Text(text) => Quoted(text).fmt(f),
        }
    }
}

impl Value {
    /// The value that a rule looks for, or why no certificate can be matched by it.
    pub(super) fn wanted(
        field: &Field,
        value: Result<Self, &'static str>,
        shown: &str,
    ) -> Result<Self, InvalidNameTest> {
        value.map_err(|reason| InvalidNameTest::Value {
            field: field.clone(),
            value: repeated(shown).to_owned(),
            reason,
        })
    }
}
