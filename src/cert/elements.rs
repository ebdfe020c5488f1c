//! (private) DER elements one after the other, and what was expected where something else stands. X.690, sections 8.1 and 10.

use der::{AnyRef, Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

/// Something else stands here than what has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unexpected {
    pub(super) expected: &'static str,
    /// Where in the whole.
    pub(super) offset: usize,
}

type Result<T> = core::result::Result<T, Unexpected>;

/// DER elements one after the other.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    bytes: &'a [u8],
    /// Where in the whole `bytes` begin.
    start: usize,
    reader: SliceReader<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    /// With tag and length.
    pub(super) whole: &'a [u8],
    pub(super) content: &'a [u8],
    /// Where in the whole the content begins.
    pub(super) start: usize,
}

impl Element<'_> {
    /// For an element that does not hold what is expected of it.
    pub(super) fn is_no(&self, expected: &'static str) -> Unexpected {
        Unexpected { expected, offset: self.start + self.content.len() - self.whole.len() }
    }
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8], start: usize) -> Result<Self> {
        let reader = SliceReader::new(bytes).map_err(|_| Unexpected { expected: "fewer bytes", offset: start })?;
        Ok(Self { bytes, start, reader })
    }

    pub(super) fn inside(element: Element<'a>) -> Result<Self> {
        Self::new(element.content, element.start)
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.position()).unwrap_or(self.bytes.len())
    }

    /// Where in the whole the next element is.
    pub(super) fn offset(&self) -> usize {
        self.start + self.position()
    }

    /// Bytes behind it.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.position()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    pub(super) fn finish(self, expected: &'static str) -> Result<()> {
        if self.is_finished() { Ok(()) } else { Err(Unexpected { expected, offset: self.offset() }) }
    }

    pub(super) fn peek(&self) -> Option<Tag> {
        Tag::peek(&self.reader).ok()
    }

    pub(super) fn any(&mut self, expected: &'static str) -> Result<Element<'a>> {
        let from = self.position();
        let unexpected = Unexpected { expected, offset: self.start + from };
        let any = AnyRef::decode(&mut self.reader).map_err(|_| unexpected)?;
        let to = self.position();
        let whole = self.bytes.get(from..to).ok_or(unexpected)?;
        let content = any.value();
        Ok(Element { tag: any.tag(), whole, content, start: self.start + to - content.len() })
    }

    pub(super) fn next(&mut self, tag: Tag, expected: &'static str) -> Result<Element<'a>> {
        let element = self.any(expected)?;
        if element.tag == tag { Ok(element) } else { Err(element.is_no(expected)) }
    }

    /// A BOOLEAN that is false where it is not written. DER has a default not be written, which not everybody knows.
    pub(super) fn flag(&mut self) -> Result<bool> {
        let Some(flag) = self.optional(Tag::Boolean)? else { return Ok(false) };
        match flag.content {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(flag.is_no("a boolean")),
        }
    }

    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) { self.next(tag, "a DER length that fits").map(Some) } else { Ok(None) }
    }
}

/// The one element that these bytes are.
pub(super) fn whole(der: &[u8]) -> Option<Element<'_>> {
    let mut elements = Elements::new(der, 0).ok()?;
    let element = elements.any("an element").ok()?;
    elements.is_finished().then_some(element)
}

/// The content of the one element that these bytes are.
pub(super) fn one(der: &[u8], tag: Tag) -> Option<&[u8]> {
    whole(der).filter(|element| element.tag == tag).map(|element| element.content)
}

/// The one list that these bytes are.
pub(super) fn list(der: &[u8]) -> Option<Elements<'_>> {
    Elements::inside(whole(der).filter(|element| element.tag == Tag::Sequence)?).ok()
}

/// The octets of a bit string, given by its content. Bits that are not used are zero (X.690, sections 8.6.2 and 11.2.1).
pub(super) fn bit_string(content: &[u8]) -> Option<&[u8]> {
    let (unused, octets) = content.split_first()?;
    let unused_bits = match unused {
        0 => return Some(octets),
        1..=7 => (1u8 << unused) - 1,
        _ => return None,
    };
    (octets.last()? & unused_bits == 0).then_some(octets)
}

/// The one element inside an explicit tag.
pub(super) fn inner<'a>(explicit: Element<'a>, tag: Tag, expected: &'static str) -> Result<Element<'a>> {
    let mut inside = Elements::inside(explicit)?;
    let element = inside.next(tag, expected)?;
    inside.finish("the end of an explicit tag")?;
    Ok(element)
}

pub(super) fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}
