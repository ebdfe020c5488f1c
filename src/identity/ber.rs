//! BER, read within bounds: what PKCS#7, PKCS#12, PKCS#8 and PSE files are written in. X.690.
//!
//! Takes what old Java, Windows and NSS write and DER forbids (indefinite lengths, long lengths for short values, strings in
//! parts). Nothing is ever allocated by what a length claims; nesting is bounded by [`ENCODING_DEPTH`]. Errors say nothing of
//! the content, which may be a key.

use zeroize::Zeroizing;

use crate::limits::ENCODING_DEPTH;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
const CONSTRUCTED: u8 = 0x20;

/// A context-specific tag of something that has parts: `[number]`.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

type Result<T> = core::result::Result<T, Malformed>;

/// Reads one element after the other.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

/// One element: tag, content, and the two with their length as they stand there.
#[derive(Clone)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { rest: input, depth: 0 }
    }

    /// The one element that the input is.
    pub(super) fn only(input: &'a [u8], tag: u8) -> Result<Element<'a>> {
        let mut reader = Self::new(input);
        let element = reader.take(tag)?;
        reader.end()?;
        Ok(element)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// The tag of the next element; 0, which none has, at the end.
    pub(super) fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or_default()
    }

    pub(super) fn take(&mut self, tag: u8) -> Result<Element<'a>> {
        self.next().filter(|element| element.tag == tag).ok_or(Malformed)
    }

    /// The next element, if it has this tag.
    pub(super) fn take_if(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.peek() == tag { self.take(tag).map(Some) } else { Ok(None) }
    }

    /// The parts of the next element.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Self> {
        self.take(tag)?.parts()
    }

    /// The next element; `None` at the end, and if there is none that can be read.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let input = self.rest;
        let [tag, length, after @ ..] = input else { return None };
        // No format here has tags above 30, and 0 ends an element of indefinite length.
        if tag & 0x1f == 0x1f || *tag == 0 {
            return None;
        }
        let (content, rest) = match *length {
            short @ 0..=0x7f => after.split_at_checked(usize::from(short))?,
            0x80 if tag & CONSTRUCTED != 0 => {
                let length = indefinite(after, self.depth + 1)?;
                let (content, end) = after.split_at_checked(length)?;
                (content, end.get(2..)?)
            }
            long @ 0x81..=0x84 => {
                let (length, after) = after.split_at_checked(usize::from(long & 0x7f))?;
                let length = length.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
                after.split_at_checked(length)?
            }
            _ => return None,
        };
        self.rest = rest;
        let (whole, _) = input.split_at_checked(input.len() - rest.len())?;
        Some(Element { tag: *tag, content, whole, depth: self.depth })
    }
}

/// The length of content that is ended by two zero bytes.
fn indefinite(input: &[u8], depth: usize) -> Option<usize> {
    if depth > ENCODING_DEPTH {
        return None;
    }
    let mut reader = Reader { rest: input, depth };
    while !reader.rest.starts_with(&[0, 0]) {
        reader.next()?;
    }
    Some(input.len() - reader.rest.len())
}

impl<'a> Element<'a> {
    /// What it is made of.
    pub(super) fn parts(&self) -> Result<Reader<'a>> {
        let depth = self.depth + 1;
        if depth > ENCODING_DEPTH { Err(Malformed) } else { Ok(Reader { rest: self.content, depth }) }
    }

    /// The bytes of a string (or of something tagged like one), which may stand there in parts.
    pub(super) fn octets(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut joined = Zeroizing::new(Vec::with_capacity(self.content.len()));
        self.join(&mut joined)?;
        Ok(joined)
    }

    fn join(&self, joined: &mut Vec<u8>) -> Result<()> {
        if self.tag & CONSTRUCTED == 0 {
            joined.extend_from_slice(self.content);
            return Ok(());
        }
        let mut parts = self.parts()?;
        while !parts.is_empty() {
            let part = parts.next().filter(|part| part.tag & !CONSTRUCTED == OCTET_STRING).ok_or(Malformed)?;
            part.join(joined)?;
        }
        Ok(())
    }

    /// A number that is not negative; one that is too large for anybody is the largest there is.
    pub(super) fn number(&self) -> Result<u64> {
        let digits = match self.content {
            [] | [0x80..=0xff, ..] => return Err(Malformed),
            digits => digits.iter().skip_while(|digit| **digit == 0),
        };
        if digits.clone().count() > 8 {
            return Ok(u64::MAX);
        }
        Ok(digits.fold(0, |number, digit| number << 8 | u64::from(*digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_string_gives_the_same_bytes() {
        for written in [
            &[0x04, 3, 1, 2, 3][..],
            &[0x04, 0x81, 3, 1, 2, 3],
            &[0x04, 0x84, 0, 0, 0, 3, 1, 2, 3],
            &[0x24, 7, 0x04, 2, 1, 2, 0x04, 1, 3],
            &[0x24, 0x80, 0x04, 2, 1, 2, 0x24, 0x80, 0x04, 1, 3, 0, 0, 0, 0],
        ] {
            let element = Reader::only(written, written[0]).unwrap();
            assert_eq!(**element.octets().unwrap(), [1, 2, 3], "{written:x?}");
            assert_eq!(element.whole, written);
        }
    }

    #[test]
    fn what_is_cut_off_or_claims_too_much_is_malformed() {
        for written in [
            &[0x04][..],
            &[0x04, 3, 1, 2],
            &[0x04, 0x80, 0, 0],
            &[0x30, 0x80, 0x04, 1, 0],
            &[0x30, 0x80, 0x04, 1, 0, 0],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x04, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x1f, 1, 0],
            &[0, 0],
        ] {
            assert!(Reader::new(written).next().is_none(), "{written:x?}");
        }
    }

    #[test]
    fn nesting_ends_where_it_is_said() {
        let nested = |depth: usize| [[0x30, 0x80].repeat(depth), [0, 0].repeat(depth)].concat();
        assert!(Reader::new(&nested(ENCODING_DEPTH)).next().is_some());
        assert!(Reader::new(&nested(ENCODING_DEPTH + 1)).next().is_none());
        assert!(Reader::new(&nested(1_000_000)).next().is_none());
        let mut definite = vec![0x04, 0];
        for _ in 0..100 {
            let length = u16::try_from(definite.len()).unwrap().to_be_bytes();
            definite = [&[0x24, 0x82][..], &length, &definite].concat();
        }
        assert!(Reader::new(&definite).next().unwrap().octets().is_err());
    }

    #[test]
    fn numbers_are_not_negative_and_the_largest_are_one() {
        let number = |content: &[u8]| {
            let whole = [&[INTEGER, u8::try_from(content.len()).unwrap()], content].concat();
            Reader::only(&whole, INTEGER).unwrap().number()
        };
        assert_eq!(number(&[0x27, 0x10]), Ok(10_000));
        assert_eq!(number(&[0, 0xff]), Ok(255));
        assert_eq!(number(&[0x7f; 9]), Ok(u64::MAX));
        assert_eq!(number(&[0x80]), Err(Malformed));
        assert_eq!(number(&[]), Err(Malformed));
    }
}
