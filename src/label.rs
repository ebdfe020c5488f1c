//! (private) One rule for the short names that operators choose: bundles, hosts, rules, aliases.
//!
//! They stand in logs, digests and file names, so they are plain: an ASCII letter or digit, then letters, digits and
//! `.`, `_`, `-`. Each kind is a type of its own, made by [`label!`], so that none is taken for another.

use crate::limits::LABEL_BYTES;

/// A label that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLabel {
    /// A character that a label cannot have at this place.
    #[error(
        "character {character:?} at offset {offset} cannot stand in a {kind}: use letters, digits, `.`, `_`, `-`, and begin with a letter or digit"
    )]
    Character {
        /// What was to be named.
        kind: &'static str,
        /// The character.
        character: char,
        /// Its byte offset.
        offset: usize,
    },
    /// The label is empty.
    #[error("a {kind} cannot be empty")]
    Empty {
        /// What was to be named.
        kind: &'static str,
    },
    /// The label is longer than [`LABEL_BYTES`].
    #[error("a {kind} has at most {LABEL_BYTES} bytes, this one has {bytes}")]
    TooLong {
        /// What was to be named.
        kind: &'static str,
        /// Its length.
        bytes: usize,
    },
}

pub(crate) fn check(kind: &'static str, text: &str) -> Result<(), InvalidLabel> {
    if text.is_empty() {
        return Err(InvalidLabel::Empty { kind });
    }
    if text.len() > LABEL_BYTES {
        return Err(InvalidLabel::TooLong { kind, bytes: text.len() });
    }
    let misplaced =
        |(offset, c): &(usize, char)| !(c.is_ascii_alphanumeric() || (*offset > 0 && matches!(c, '.' | '_' | '-')));
    match text.char_indices().find(misplaced) {
        Some((offset, character)) => Err(InvalidLabel::Character { kind, character, offset }),
        None => Ok(()),
    }
}

/// Defines one kind of label: cheap to clone, compared as written.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The label as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::label::InvalidLabel;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::label::check($kind, text)?;
                Ok(Self(text.into()))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

pub(crate) use label;
