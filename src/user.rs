//! User names: opaque, but harmless to whoever prints them.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use crate::limits::USER_NAME_CHARACTERS;
use crate::text::is_hidden;

/// The name of the user that a certificate stands for.
///
/// Opaque and case-sensitive: no account of that name need exist anywhere. What it cannot be is text that harms a log,
/// a header or an access list: it has no control, bidirectional or invisible character, no line break, no blank at
/// either end, and 1 to 150 characters ([`USER_NAME_CHARACTERS`]). Such text is refused, never cleaned up.
///
/// ```
/// use certmap::UserName;
/// assert_eq!("SAPERPUSER".parse::<UserName>()?.as_str(), "SAPERPUSER");
/// assert_eq!(
///     "admin\n".parse::<UserName>().unwrap_err().to_string(),
///     "user name has the character '\\n' at offset 5, which could harm a log, a header or an access list",
/// );
/// # Ok::<(), certmap::InvalidUserName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for UserName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl core::borrow::Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidUserName::Empty);
        }
        let characters = text.chars().count();
        if characters > USER_NAME_CHARACTERS {
            return Err(InvalidUserName::TooLong { characters });
        }
        if let Some((offset, character)) = text.char_indices().find(|(_, c)| is_hidden(*c)) {
            return Err(InvalidUserName::Character { character, offset });
        }
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            return Err(InvalidUserName::OuterBlank);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", self.0)
    }
}

/// Text that cannot be a [`UserName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserName {
    /// A control, bidirectional or invisible character.
    #[error(
        "user name has the character {character:?} at offset {offset}, which could harm a log, a header or an access list"
    )]
    Character {
        /// The character.
        character: char,
        /// Its byte offset.
        offset: usize,
    },
    /// No text at all.
    #[error("user name is empty")]
    Empty,
    /// A blank at the beginning or the end.
    #[error("user name begins or ends with a blank")]
    OuterBlank,
    /// More than [`USER_NAME_CHARACTERS`].
    #[error("user name has {characters} characters, at most {USER_NAME_CHARACTERS} are possible")]
    TooLong {
        /// Its length.
        characters: usize,
    },
}
