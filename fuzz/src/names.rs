//! Distinguished names, from text and from DER.

use std::hint::black_box;

use certmap::cert::{AttributeValue, DistinguishedName, InvalidDistinguishedName};
use certmap::limits::{NAME_ATTRIBUTES, NAME_BYTES};

use crate::{der, one_line, plain_error};

/// Printing and parsing are inverse, encoding and decoding too, all forms are within the limits and the text is one line.
#[track_caller]
pub(crate) fn laws(name: &DistinguishedName) {
    let (text, der) = (name.to_string(), name.to_der());
    one_line(&text);
    assert!(text.len() <= NAME_BYTES, "{} bytes of text", text.len());
    assert!(name.rdns().map(|rdn| rdn.attributes().len()).sum::<usize>() <= NAME_ATTRIBUTES);
    let again: Result<DistinguishedName, _> = text.parse();
    assert_eq!(again.as_ref(), Ok(name), "`{text}` reads back as another name");
    assert_eq!(again.map(|again| again.to_string()), Ok(text.clone()));
    let from_der = DistinguishedName::from_der(&der);
    assert_eq!(from_der.as_ref(), Ok(name), "the DER of `{text}` reads back as another name");
    assert_eq!(from_der.map(|again| again.to_der()), Ok(der));
    assert_eq!(name.is_empty(), text.is_empty());
}

/// Two names look alike in neither form unless they are equal, and equal ones do in both.
#[track_caller]
fn differ(one: &DistinguishedName, other: &DistinguishedName) {
    let equal = one == other;
    assert_eq!(one.to_string() == other.to_string(), equal, "`{one}` and `{other}` as text");
    assert_eq!(one.to_der() == other.to_der(), equal, "`{one}` and `{other}` as DER");
    assert_eq!(one.cmp(other).is_eq(), equal);
}

/// One name in each line: each keeps the laws, and no two of them look alike unless they are equal.
pub(crate) fn text_law(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let mut names = Vec::new();
    for line in text.split('\n').take(4) {
        match line.parse::<DistinguishedName>() {
            Ok(name) => {
                laws(&name);
                names.push(name);
            }
            Err(error) => refused(&error, line.len()),
        }
    }
    for (place, one) in names.iter().enumerate() {
        names[..place].iter().for_each(|other| differ(one, other));
    }
}

/// An offset points into what was read.
#[track_caller]
fn refused(error: &InvalidDistinguishedName, length: usize) {
    plain_error(error);
    use InvalidDistinguishedName as Invalid;
    let offset = match error {
        Invalid::Encoding { offset, .. } | Invalid::Kind { offset, .. } | Invalid::Syntax { offset, .. } => *offset,
        Invalid::MissingAttribute { offset, .. } | Invalid::Unescaped { offset, .. } => *offset,
        Invalid::UnknownKeyword { offset, .. } => *offset,
        Invalid::TooLong { bytes } => {
            assert!(*bytes > NAME_BYTES);
            0
        }
        _ => 0,
    };
    assert!(offset <= length, "{error} of {length} bytes");
}

/// A name as lists: sorted attributes in each RDN, in encoded order.
type Plain = Vec<Vec<(Vec<u8>, AttributeValue)>>;

/// As the DER says it, read plainly; `None` for tags and lengths that the plain reader does not know.
fn plain(der: &[u8]) -> Option<Plain> {
    let mut rdns = Vec::new();
    for rdn in der::all(der::only(der)?.content)? {
        let mut attributes = Vec::new();
        for attribute in der::all(rdn.content)? {
            let [kind, value] = *der::all(attribute.content)? else { return None };
            let text = match value.tag {
                0x0c => str::from_utf8(value.content).ok(),
                0x12 | 0x13 | 0x16 | 0x1a => str::from_utf8(value.content).ok().filter(|text| text.is_ascii()),
                _ => None,
            };
            let opaque = || AttributeValue::Opaque(value.whole.to_vec());
            let value = text.map_or_else(opaque, |text| AttributeValue::Text(text.to_owned()));
            attributes.push((kind.content.to_vec(), value));
        }
        attributes.sort_unstable();
        rdns.push(attributes);
    }
    Some(rdns)
}

/// The same of a name that was read.
fn structure(name: &DistinguishedName) -> Plain {
    let rdn = |rdn: &certmap::cert::RelativeDistinguishedName| {
        let attributes = rdn.attributes().iter();
        let mut attributes: Vec<_> = attributes
            .map(|attribute| (attribute.kind().as_der_content().to_vec(), attribute.value().clone()))
            .collect();
        attributes.sort_unstable();
        attributes
    };
    name.rdns().map(rdn).collect()
}

/// One or two names, one after the other: what is read is what a plain reader reads, and two of them look alike only if they
/// are equal. No part of a name is a name, and neither is more than one.
pub(crate) fn der_law(input: &[u8]) {
    let (one, rest) = der::first(input).map_or((input, &[][..]), |(element, rest)| (element.whole, rest));
    let read = |der: &[u8]| match DistinguishedName::from_der(der) {
        Ok(name) => {
            laws(&name);
            if let Some(plain) = plain(der) {
                assert_eq!(structure(&name), plain, "`{name}`");
            }
            assert!(DistinguishedName::from_der(&der[..der.len() - 1]).is_err(), "`{name}`, cut");
            assert!(DistinguishedName::from_der(&[der, &[0]].concat()).is_err(), "`{name}`, with more");
            Some(name)
        }
        Err(error) => {
            refused(&error, der.len());
            None
        }
    };
    let one = read(one);
    if !rest.is_empty()
        && let (Some(one), Some(other)) = (one, read(rest))
    {
        differ(&one, &other);
    }
}

pub(crate) fn text_work(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input) {
        let _ = black_box(text.parse::<DistinguishedName>());
    }
}

pub(crate) fn der_work(input: &[u8]) {
    let _ = black_box(DistinguishedName::from_der(input));
}
