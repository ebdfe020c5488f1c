//! As what a certificate stands in its bundle.

use core::fmt;
use core::str::FromStr;

use crate::cert::Certificate;
use crate::trust::{Entry, TrustError};

/// As what a certificate is believed, as a document says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddedAs {
    /// A CA, which vouches for what it issued.
    Anchor,
    /// One public key, in whatever certificate.
    KeyPin,
    /// A CA that does not say all that a CA should ([`Entry::danger_odd_anchor`]).
    OddAnchor,
    /// One exact certificate.
    Pin,
}

impl AddedAs {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Anchor, Self::KeyPin, Self::OddAnchor, Self::Pin];

    /// The word for it: `anchor`, `key-pin`, `odd-anchor`, `pin`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::KeyPin => "key-pin",
            Self::OddAnchor => "odd-anchor",
            Self::Pin => "pin",
        }
    }

    /// An entry of this kind.
    ///
    /// # Errors
    /// [`TrustError`] if the certificate cannot be one.
    pub fn entry(self, certificate: Certificate) -> Result<Entry, TrustError> {
        match self {
            Self::Anchor => Entry::anchor(certificate),
            Self::KeyPin => Entry::key_pin(certificate),
            Self::OddAnchor => Entry::danger_odd_anchor(certificate),
            Self::Pin => Entry::pin(certificate),
        }
    }
}

impl FromStr for AddedAs {
    type Err = InvalidAddedAs;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(InvalidAddedAs)
    }
}

impl fmt::Display for AddedAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is no [`AddedAs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `pin`, `key-pin`, `anchor` or `odd-anchor`")]
#[non_exhaustive]
pub struct InvalidAddedAs;
