//! Roles of applications, and who has them.

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

use crate::limits::LABEL_BYTES;
use crate::user::UserName;

/// A role of an application, written `application/name`: `iflmap/ESBMessaging.send`.
///
/// Compared as written: `ESBmessaging.send` is another role, and [`RoleMissing`](crate::RoleMissing) says so. Both parts
/// are made of ASCII letters, digits, `.`, `_` and `-`.
///
/// ```
/// use certmap::Role;
/// const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
/// assert_eq!(SEND.application(), "iflmap");
/// assert_eq!(SEND.name(), "ESBMessaging.send");
/// assert_eq!("iflmap/ESBMessaging.send".parse::<Role>()?, SEND);
/// # Ok::<(), certmap::InvalidRole>(())
/// ```
///
/// A malformed role in a constant does not compile:
///
/// ```compile_fail
/// const SEND: certmap::Role = certmap::Role::from_static("ESBMessaging.send");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Cow<'static, str>);

impl Role {
    /// A role known when the program is written.
    ///
    /// # Panics
    /// If the text is no role; in a constant, that is an error of the compiler.
    #[must_use]
    #[expect(clippy::panic, reason = "documented; in a constant it is an error of the compiler")]
    pub const fn from_static(text: &'static str) -> Self {
        match check(text.as_bytes()) {
            Ok(()) => Self(Cow::Borrowed(text)),
            Err(_) => panic!("a role is written `application/name`, of letters, digits, `.`, `_` and `-`"),
        }
    }

    /// The role as written, `application/name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The application whose role it is.
    #[must_use]
    pub fn application(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(application, _)| application)
    }

    /// The role's name within its application.
    #[must_use]
    pub fn name(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(_, name)| name)
    }
}

/// What is wrong, if anything.
#[expect(clippy::indexing_slicing, reason = "a constant function has no iterators; the loop stops at the length")]
const fn check(text: &[u8]) -> Result<(), InvalidRole> {
    let mut slash = None;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte == b'/' {
            if slash.is_some() {
                return Err(InvalidRole::Slashes);
            }
            slash = Some(at);
        } else if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || byte == b'-') {
            return Err(InvalidRole::Character { character: byte as char, offset: at });
        }
        at += 1;
    }
    match slash {
        None => Err(InvalidRole::Slashes),
        Some(slash) if slash == 0 || slash + 1 == text.len() => Err(InvalidRole::EmptyPart),
        Some(slash) if slash > LABEL_BYTES || text.len() - slash - 1 > LABEL_BYTES => Err(InvalidRole::TooLong),
        Some(_) => Ok(()),
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match check(text.as_bytes()) {
            Ok(()) => Ok(Self(Cow::Owned(text.to_owned()))),
            // The check is for octets, because it runs in the compiler too; people are told the character.
            Err(InvalidRole::Character { character, offset }) => {
                let character = text.chars().find(|c| !c.is_ascii() && !character.is_ascii()).unwrap_or(character);
                Err(InvalidRole::Character { character, offset })
            }
            Err(other) => Err(other),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Role({self})")
    }
}

/// Text that is no [`Role`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRole {
    /// A character that roles do not have.
    #[error(
        "the character {character:?} at offset {offset} cannot stand in a role: use letters, digits, `.`, `_`, `-`"
    )]
    Character {
        /// The character.
        character: char,
        /// Its byte offset.
        offset: usize,
    },
    /// Nothing before or after the slash.
    #[error("a role is written `application/name`, and one of the two is empty")]
    EmptyPart,
    /// No slash, or more than one.
    #[error("a role is written `application/name`, with one slash")]
    Slashes,
    /// A part is longer than [`LABEL_BYTES`].
    #[error("application and name of a role have at most {LABEL_BYTES} bytes each")]
    TooLong,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// One user.
    User(UserName),
}

/// A role given to a holder.
///
/// ```
/// use certmap::{Role, RoleAssignment};
/// let assignment = RoleAssignment::new("SAPERPUSER".parse()?, Role::from_static("iflmap/ESBMessaging.send"));
/// assert_eq!(assignment.role().name(), "ESBMessaging.send");
/// # Ok::<(), certmap::InvalidUserName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleAssignment {
    holder: Holder,
    role: Role,
}

impl RoleAssignment {
    /// Gives `role` to a user.
    #[must_use]
    pub fn new(user: UserName, role: Role) -> Self {
        Self { holder: Holder::User(user), role }
    }

    /// Who has it.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// What they have.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }
}
