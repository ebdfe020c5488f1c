//! (private) The DER elements of a name, one after the other. X.690, sections 8.1 and 10.1.

use der::{Decode as _, Length, Reader as _, SliceReader};

use super::{
    Encoded, EncodedValue, FITTING_LENGTH, InvalidDistinguishedName, LONG_TAG, OBJECT_IDENTIFIER, SEQUENCE, limited,
};

/// DER elements one after the other. Flat: an element is entered by reading its header and remembering its end, so depth
/// costs nothing.
pub(super) struct Elements<'a> {
    der: &'a [u8],
    offset: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn new(der: &'a [u8]) -> Result<Self, InvalidDistinguishedName> {
        limited(der.len())?;
        Ok(Self { der, offset: 0 })
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    fn octet(&mut self) -> Option<u8> {
        let octet = self.der.get(self.offset).copied()?;
        self.offset += 1;
        Some(octet)
    }

    /// Reads the header of an element with this tag inside what ends at `end`; where the element ends.
    pub(super) fn enter(
        &mut self,
        tag: u8,
        expected: &'static str,
        end: usize,
    ) -> Result<usize, InvalidDistinguishedName> {
        let offset = self.offset();
        if offset >= end || self.octet() != Some(tag) {
            return Err(InvalidDistinguishedName::Encoding { expected, offset });
        }
        self.length(end)
    }

    /// Reads a length; where the element ends.
    fn length(&mut self, end: usize) -> Result<usize, InvalidDistinguishedName> {
        let offset = self.offset();
        let length = match self.der.get(offset) {
            // X.690 §8.1.3.4: the short form, which nearly all have.
            Some(short @ ..0x80) => {
                self.offset += 1;
                Some(usize::from(*short))
            }
            _ => self.long_length(),
        };
        length
            .and_then(|length| self.offset().checked_add(length))
            .filter(|element_end| *element_end <= end)
            .ok_or(InvalidDistinguishedName::Encoding { expected: FITTING_LENGTH, offset })
    }

    fn long_length(&mut self) -> Option<usize> {
        let mut reader = SliceReader::new(self.der.get(self.offset..)?).ok()?;
        let length = usize::try_from(Length::decode(&mut reader).ok()?).ok()?;
        self.offset += usize::try_from(reader.position()).ok()?;
        Some(length)
    }

    /// The bytes up to `end`, which is not before the offset.
    pub(super) fn content(&mut self, end: usize) -> Result<&'a [u8], InvalidDistinguishedName> {
        let offset = self.offset();
        let content = self.der.get(offset..end);
        self.offset = end;
        content.ok_or(InvalidDistinguishedName::Encoding { expected: FITTING_LENGTH, offset })
    }

    pub(super) fn attribute(&mut self, end: usize) -> Result<Encoded<'a>, InvalidDistinguishedName> {
        let end = self.enter(SEQUENCE, "an attribute", end)?;
        let kind_end = self.enter(OBJECT_IDENTIFIER, "an OBJECT IDENTIFIER", end)?;
        let offset = self.offset();
        let kind = self.content(kind_end)?;
        let value = self.value(end)?;
        if self.offset() != end {
            let offset = self.offset();
            return Err(InvalidDistinguishedName::Encoding { expected: "the end of the attribute", offset });
        }
        Ok(Encoded { kind, offset, value })
    }

    /// Reads one element of any tag inside what ends at `end`.
    ///
    /// The `Tag` of the `der` crate knows no `UniversalString`; hence the tag is read here.
    pub(super) fn value(&mut self, end: usize) -> Result<EncodedValue<'a>, InvalidDistinguishedName> {
        let offset = self.offset();
        let no_value = || InvalidDistinguishedName::Encoding { expected: "a value", offset };
        if offset >= end {
            return Err(no_value());
        }
        let tag = self.octet().ok_or_else(no_value)?;
        if tag & LONG_TAG == LONG_TAG {
            let mut number = self.octet().ok_or_else(no_value)?;
            // X.690 §8.1.2.4.2: no padding, and the long form only for numbers that need it.
            if number == 0x80 || number < LONG_TAG {
                return Err(no_value());
            }
            while number & 0x80 != 0 {
                number = self.octet().ok_or_else(no_value)?;
            }
        } else if tag == 0 {
            // X.690 §8.1.5: the end of contents, which is no element.
            return Err(no_value());
        }
        let element_end = self.length(end)?;
        let content = self.content(element_end)?;
        let der = self.der.get(offset..element_end).ok_or_else(no_value)?;
        Ok(EncodedValue { tag, content, der })
    }
}
