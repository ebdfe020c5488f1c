//! What stands elsewhere: a document may refer to certificates and lists, and the program fetches them.

use core::error::Error;

use super::place::FileName;

/// What a document refers to, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    pub(super) file: Option<&'a FileName>,
    pub(super) text: &'a str,
}

impl<'a> Reference<'a> {
    /// The file in which the reference stands; `None` if the document was not merged of several.
    #[must_use]
    pub fn file(&self) -> Option<&'a FileName> {
        self.file
    }

    /// The reference as written: the path of a file, if the program takes it so.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }
}

/// Who fetches what a document refers to; a function can be one. This crate reads no files.
///
/// # Security
/// Whoever may write the document chooses the reference: `../../etc/passwd` is one.
pub trait References {
    /// The certificate or revocation lists behind the reference, as PEM or DER.
    ///
    /// # Errors
    /// Whatever keeps the program from fetching it; it stands in the problem.
    fn resolve(&self, reference: Reference<'_>) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>;
}

impl<F: Fn(Reference<'_>) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>> References for F {
    fn resolve(&self, reference: Reference<'_>) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self(reference)
    }
}

/// For documents in which everything is written: each reference is a problem.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stands for nothing")]
pub struct NoReferences;

impl References for NoReferences {
    fn resolve(&self, _: Reference<'_>) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Err("this program follows no references, write what it stands for into the document".into())
    }
}
