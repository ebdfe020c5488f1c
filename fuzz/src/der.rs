//! A plain reader and writer of DER, so that nothing is right only because the same code read it twice.

/// One element: its first identifier octet, its content, and all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its first identifier octet.
    pub tag: u8,
    /// Its content.
    pub content: &'a [u8],
    /// Its header and its content.
    pub whole: &'a [u8],
}

/// The element at the beginning, and what follows it: `None` if there is none with a tag of one octet and a told length.
#[must_use]
pub fn first(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let [tag, length, ..] = *der else { return None };
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, header) = match length {
        0..=0x7f => (usize::from(length), 2),
        0x81..=0x84 => {
            let digits = usize::from(length & 0x7f);
            (der.get(2..2 + digits)?.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), 2 + digits)
        }
        _ => return None,
    };
    let content = der.get(header..header.checked_add(length)?)?;
    let (whole, rest) = der.split_at(header + length);
    Some((Element { tag, content, whole }, rest))
}

/// The elements of which something is made.
#[must_use]
pub fn all(mut der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    while !der.is_empty() {
        let (element, rest) = first(der)?;
        elements.push(element);
        der = rest;
    }
    Some(elements)
}

/// The one element that this is.
#[must_use]
pub fn only(der: &[u8]) -> Option<Element<'_>> {
    first(der).filter(|(_, rest)| rest.is_empty()).map(|(element, _)| element)
}

/// An element with this content.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        length @ 0..=0x7f => der.push(length as u8),
        length @ 0x80..=0xff => der.extend([0x81, length as u8]),
        length @ 0x100..=0xffff => der.extend([0x82, (length >> 8) as u8, length as u8]),
        length => der.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
    der.extend_from_slice(content);
    der
}

/// A SEQUENCE of these.
#[must_use]
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}
