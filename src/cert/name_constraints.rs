//! (private) What path validation has to know of name constraints before it applies them. RFC 5280, section 4.2.1.10.

use der::Tag;

use super::elements::{Element, Elements, Unexpected, context, list};

/// Name constraints, as far as they are not left to path validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameConstraints {
    flaw: Option<&'static str>,
    email: bool,
}

const EMPTY: &str = "they permit and exclude nothing";
const LEADING_PERIOD: &str = "a DNS name begins with a period";
const UNREADABLE: &str = "they cannot be read";

impl NameConstraints {
    /// `der` is the value of the extension; `None` if it is no list.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let lists = list(der)?;
        let mut found = Self::default();
        found.flaw = found.add(lists).err();
        Some(found)
    }

    fn add(&mut self, mut lists: Elements<'_>) -> Result<(), &'static str> {
        let permitted = lists.optional(context(0, true)).map_err(unreadable)?;
        let excluded = lists.optional(context(1, true)).map_err(unreadable)?;
        lists.finish("the end of the constraints").map_err(unreadable)?;
        if permitted.is_none() && excluded.is_none() {
            return Err(EMPTY);
        }
        for list in [permitted, excluded].into_iter().flatten() {
            let mut subtrees = Elements::inside(list).map_err(unreadable)?;
            if subtrees.is_finished() {
                return Err(EMPTY);
            }
            while !subtrees.is_finished() {
                self.add_subtree(subtrees.next(Tag::Sequence, "a subtree").map_err(unreadable)?)?;
            }
        }
        Ok(())
    }

    fn add_subtree(&mut self, subtree: Element<'_>) -> Result<(), &'static str> {
        let mut parts = Elements::inside(subtree).map_err(unreadable)?;
        let base = parts.any("a name").map_err(unreadable)?;
        while !parts.is_finished() {
            parts.any("a distance").map_err(unreadable)?;
        }
        self.email |= base.tag == context(1, false);
        // Only e-mail addresses and URIs have a form with a period for "whatever is below".
        if base.tag == context(2, false) && base.content.starts_with(b".") {
            return Err(LEADING_PERIOD);
        }
        Ok(())
    }

    /// What is wrong with them, so that nobody can say what they permit.
    pub(crate) fn flaw(self) -> Option<&'static str> {
        self.flaw
    }

    /// True if they are about e-mail addresses (`rfc822Name`), or cannot be read.
    pub(crate) fn concern_email(self) -> bool {
        self.email || self.flaw.is_some()
    }
}

fn unreadable(_: Unexpected) -> &'static str {
    UNREADABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(der: &[u8]) -> (Option<&'static str>, bool) {
        let found = NameConstraints::read(der).expect("a list");
        (found.flaw(), found.concern_email())
    }

    #[test]
    fn constraints_of_either_kind_or_both_are_sound() {
        let dns = [0x30, 3, 0x82, 1, b'a'];
        let list = |tag: u8, subtree: &[u8]| [&[tag, u8::try_from(subtree.len()).unwrap()], subtree].concat();
        let whole = |lists: &[&[u8]]| list(0x30, &lists.concat());
        let (permitted, excluded) = (list(0xa0, &dns), list(0xa1, &dns));
        assert_eq!(read(&whole(&[&permitted])), (None, false));
        assert_eq!(read(&whole(&[&excluded])), (None, false));
        assert_eq!(read(&whole(&[&permitted, &excluded])), (None, false));
        let email = list(0xa1, &[0x30, 3, 0x81, 1, b'a']);
        assert_eq!(read(&whole(&[&permitted, &email])), (None, true));
        // An e-mail constraint may begin so: every mailbox of every host below.
        assert_eq!(read(&whole(&[&list(0xa0, &[0x30, 4, 0x81, 2, b'.', b'a'])])), (None, true));

        // A distance, which RFC 5280 does not use; webpki refuses it.
        assert_eq!(read(&whole(&[&list(0xa0, &[0x30, 6, 0x82, 1, b'a', 0x80, 1, 0])])), (None, false));

        assert_eq!(read(&whole(&[])), (Some(EMPTY), true));
        assert_eq!(read(&whole(&[&list(0xa0, &[]), &list(0xa1, &[])])), (Some(EMPTY), true));
        assert_eq!(read(&whole(&[&permitted, &list(0xa1, &[])])), (Some(EMPTY), true));
        for tag in [0xa0, 0xa1] {
            let period = list(tag, &[0x30, 4, 0x82, 2, b'.', b'a']);
            assert_eq!(read(&whole(&[&period])), (Some(LEADING_PERIOD), true));
        }
        for odd in [
            whole(&[&excluded, &permitted]),
            whole(&[&permitted, &permitted]),
            whole(&[&permitted, &excluded, &excluded]),
            whole(&[&list(0xa2, &dns)]),
            whole(&[&list(0xa0, &[0x30, 0])]),
            whole(&[&list(0xa0, &[0x82, 1, b'a'])]),
            whole(&[&list(0xa0, &[0x30, 9])]),
            whole(&[&list(0xa0, &[0x30, 5, 0x82, 1, b'a', 0x80, 1])]),
        ] {
            assert_eq!(read(&odd), (Some(UNREADABLE), true), "{odd:02x?}");
        }
        assert_eq!((NameConstraints::read(&permitted), NameConstraints::read(&[])), (None, None));
    }
}
