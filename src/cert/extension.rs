//! (private) One extension of a certificate, a list or an entry of it, without a look at what it says. RFC 5280, sections 4.2, 5.2
//! and 5.3.

use std::collections::HashSet;

use der::Tag;

use super::ObjectIdentifier;
use super::elements::{Elements, Unexpected};

#[derive(Clone, Copy, Debug)]
pub(super) struct Extension<'a> {
    /// Content octets of its number.
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    /// Content octets of the OCTET STRING.
    pub(super) value: &'a [u8],
    /// Where it begins.
    pub(super) offset: usize,
    /// One of this number stands before it, which RFC 5280, section 4.2 forbids.
    pub(super) again: bool,
}

/// The extensions of a list of them, one after the other.
pub(super) struct ExtensionList<'a> {
    /// `None` if there are none.
    list: Option<Elements<'a>>,
    seen: Seen<'a>,
}

impl<'a> ExtensionList<'a> {
    pub(super) fn of(list: Option<Elements<'a>>) -> Self {
        Self { list, seen: Seen::default() }
    }
}

impl<'a> Iterator for ExtensionList<'a> {
    type Item = Result<Extension<'a>, Unexpected>;

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.list.as_mut().filter(|list| !list.is_finished())?;
        let extension = Extension::read(list).map(|read| Extension { again: !self.seen.insert(read.oid), ..read });
        if extension.is_err() {
            self.list = None;
        }
        Some(extension)
    }
}

impl<'a> Extension<'a> {
    /// Its number, if that is one.
    pub(super) fn number(&self) -> Result<ObjectIdentifier, Unexpected> {
        let unexpected = Unexpected { expected: "an object identifier", offset: self.offset };
        ObjectIdentifier::from_der_content(self.oid).map_err(|_| unexpected)
    }

    fn read(list: &mut Elements<'a>) -> Result<Self, Unexpected> {
        let offset = list.offset();
        let mut parts = Elements::inside(list.next(Tag::Sequence, "an extension")?)?;
        let oid = parts.next(Tag::ObjectIdentifier, "an object identifier")?.content;
        let critical = parts.flag()?;
        let value = parts.next(Tag::OctetString, "the value of an extension")?.content;
        parts.finish("the end of the extension")?;
        Ok(Self { oid, critical, value, offset, again: false })
    }
}

/// Nearly everything has fewer extensions, and to compare a few costs less than to hash them.
const FEW: usize = 16;

#[derive(Default)]
struct Seen<'a> {
    few: [&'a [u8]; FEW],
    /// How many of the few there are.
    count: usize,
    many: HashSet<&'a [u8]>,
}

impl<'a> Seen<'a> {
    /// True if it was not there.
    fn insert(&mut self, oid: &'a [u8]) -> bool {
        if self.few.iter().take(self.count).any(|seen| *seen == oid) {
            return false;
        }
        let Some(place) = self.few.get_mut(self.count) else { return self.many.insert(oid) };
        *place = oid;
        self.count += 1;
        true
    }
}
