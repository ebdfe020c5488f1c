//! Roles of applications, and who has them.

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

use crate::label::InvalidLabel;
use crate::limits::LABEL_BYTES;
use crate::map::RuleName;
use crate::strength::Strength;
use crate::user::{InvalidUserName, UserName};

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
///
/// Written `user SAPERPUSER` or `rule fleet`.
///
/// ```
/// use certmap::Holder;
/// assert_eq!("rule fleet".parse::<Holder>()?.to_string(), "rule fleet");
/// assert_eq!("user SAP ERP".parse::<Holder>()?, Holder::User("SAP ERP".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// Everybody whom a rule of this name matches: 300,000 devices need one assignment.
    Rule(RuleName),
    /// One user.
    User(UserName),
}

impl FromStr for Holder {
    type Err = InvalidHolder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            Some(("rule", name)) => name.parse().map(Self::Rule).map_err(InvalidHolder::Rule),
            Some(("user", name)) => name.parse().map(Self::User).map_err(InvalidHolder::User),
            _ => Err(InvalidHolder::Kind),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule {name}"),
            Self::User(name) => write!(f, "user {name}"),
        }
    }
}

/// Text that is no [`Holder`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHolder {
    /// Neither a user nor a rule.
    #[error("expected `user` or `rule`, a blank and a name")]
    Kind,
    /// The rule's name cannot be one.
    #[error("expected the name of a rule after `rule`")]
    Rule(#[source] InvalidLabel),
    /// The user's name cannot be one.
    #[error("expected a user after `user`")]
    User(#[source] InvalidUserName),
}

/// What becomes of a role if its holder is not known as strongly as the assignment asks: look first, then close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Enforcement {
    /// The role is given, and [`Principal::shortfalls`](crate::Principal::shortfalls) tells.
    Observe,
    /// The role is given, and every record of the principal warns too.
    Warn,
    /// The role is not given.
    #[default]
    Enforce,
}

impl Enforcement {
    /// Every one, from mild to strict.
    pub const ALL: &'static [Self] = &[Self::Observe, Self::Warn, Self::Enforce];

    /// The word for it: `observe`, `warn`, `enforce`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
            Self::Warn => "warn",
        }
    }
}

impl FromStr for Enforcement {
    type Err = InvalidEnforcement;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or(InvalidEnforcement)
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is no [`Enforcement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `observe`, `warn` or `enforce`")]
#[non_exhaustive]
pub struct InvalidEnforcement;

/// A role given to a holder, perhaps only to one who is known strongly enough.
///
/// ```
/// use certmap::{Enforcement, Role, RoleAssignment, Strength};
/// const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
/// let assignment = RoleAssignment::new("SAPERPUSER".parse()?, SEND);
/// assert_eq!(assignment.role().name(), "ESBMessaging.send");
/// assert_eq!(assignment.least(), Strength::Name);
///
/// // Only for those whose key or certificate is known; for a while, only look.
/// let strict = RoleAssignment::to_rule("fleet".parse()?, SEND).at_least(Strength::Key);
/// assert_eq!(strict.enforcement(), Enforcement::Enforce);
/// let trial = strict.with_enforcement(Enforcement::Warn);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleAssignment {
    holder: Holder,
    role: Role,
    least: Strength,
    enforcement: Enforcement,
}

impl RoleAssignment {
    /// Gives `role` to a user.
    #[must_use]
    pub fn new(user: UserName, role: Role) -> Self {
        Self::to(Holder::User(user), role)
    }

    /// Gives `role` to everybody whom a rule of this name matches.
    #[must_use]
    pub fn to_rule(name: RuleName, role: Role) -> Self {
        Self::to(Holder::Rule(name), role)
    }

    /// Gives `role` to a holder.
    #[must_use]
    pub fn to(holder: Holder, role: Role) -> Self {
        Self { holder, role, least: Strength::Name, enforcement: Enforcement::Enforce }
    }

    /// Gives it only if the holder is known at least so strongly. Another assignment of the same role may ask for less.
    #[must_use]
    pub fn at_least(self, least: Strength) -> Self {
        Self { least, ..self }
    }

    /// Says what happens if the strength does not suffice; without, the role is not given.
    #[must_use]
    pub fn with_enforcement(self, enforcement: Enforcement) -> Self {
        Self { enforcement, ..self }
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

    /// How strongly the holder must be known.
    #[must_use]
    pub fn least(&self) -> Strength {
        self.least
    }

    /// What happens if it is not.
    #[must_use]
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }
}

/// A role whose assignments all ask for more strength than there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shortfall {
    pub(crate) role: Role,
    pub(crate) least: Strength,
    pub(crate) enforcement: Enforcement,
}

impl Shortfall {
    /// The role.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The least strength that would suffice.
    #[must_use]
    pub fn least(&self) -> Strength {
        self.least
    }

    /// What was done about it: with [`Enforcement::Enforce`] the role was not given, else it was.
    #[must_use]
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }
}
