//! Where something stands in a document, so that whoever has to mend it finds it.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use crate::limits::DOCUMENT_TEXT_BYTES;
use crate::text::is_hidden;

/// The name of a file that a document was read from, for messages; nothing is opened by it.
///
/// ```
/// let file: certmap::document::FileName = "partners/acme.toml".parse()?;
/// assert_eq!(file.as_str(), "partners/acme.toml");
/// assert!("a\nb".parse::<certmap::document::FileName>().is_err());
/// # Ok::<(), certmap::document::InvalidFileName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(Arc<str>);

impl FileName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = InvalidFileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > DOCUMENT_TEXT_BYTES || text.chars().any(is_hidden) {
            return Err(InvalidFileName);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileName({self})")
    }
}

/// Text that is no [`FileName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file name is not empty, has at most {DOCUMENT_TEXT_BYTES} bytes, and no control or invisible character")]
#[non_exhaustive]
pub struct InvalidFileName;

/// Where an item stood when its document was read. An item that was added since has no number and comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: Option<FileName>,
    pub(super) number: Number,
}

/// Counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Number {
    Read(usize),
    Added,
}

/// An item of a list of the document, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Item<T> {
    pub(super) written: T,
    pub(super) place: Place,
}

impl<T> Item<T> {
    /// True if it was in no file yet.
    pub(super) fn is_added(&self) -> bool {
        self.place.number == Number::Added
    }
}

impl Place {
    /// The path of a key of this item, or of the item itself if the key is empty.
    pub(super) fn path(&self, list: &'static str, key: &'static str) -> DocumentPath {
        DocumentPath { file: self.file.clone(), list, number: Some(self.number), key }
    }
}

/// The place of a problem: `partners/acme.toml: mappings[3].match`.
///
/// Items are counted from 0 in the order of the file; one that was added since the file was read is `mappings[+]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentPath {
    pub(super) file: Option<FileName>,
    pub(super) list: &'static str,
    pub(super) number: Option<Number>,
    pub(super) key: &'static str,
}

impl DocumentPath {
    /// A list as a whole, or a key of the document.
    pub(super) fn of(file: Option<FileName>, list: &'static str) -> Self {
        Self { file, list, number: None, key: "" }
    }

    /// The file; `None` if the document was not merged of several.
    #[must_use]
    pub fn file(&self) -> Option<&FileName> {
        self.file.as_ref()
    }
}

impl fmt::Display for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, list, number, key } = self;
        if let Some(file) = file {
            write!(f, "{file}: ")?;
        }
        f.write_str(list)?;
        match number {
            Some(Number::Read(number)) => write!(f, "[{number}]")?,
            Some(Number::Added) => f.write_str("[+]")?,
            None => {}
        }
        if key.is_empty() { Ok(()) } else { write!(f, ".{key}") }
    }
}
