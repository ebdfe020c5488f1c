//! Which certificate is which user: the rules, and the table that finds the rule of a certificate.
//!
//! Consulted only for a certificate that trust has verified. Knows no trust and no roles.

mod selector;
mod table;

pub use selector::{InvalidSelector, Selector};

pub(crate) use table::{Lookup, MappingTable, Matched};

use crate::label::label;
use crate::user::UserName;

label! {
    /// The name of a mapping rule, for records and messages.
    RuleName, "rule name"
}

/// One rule: a certificate that this selector matches belongs to this user.
///
/// A mapping says nothing about trust; it is consulted only for certificates that a bundle vouches for. Many rules may
/// name one user; no certificate has two users.
///
/// ```
/// # const CERT: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// use certmap::CertUserMapping;
/// let rule = CertUserMapping::new(CERT.parse()?, "billing".parse()?);
/// assert_eq!(rule.user().as_str(), "billing");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertUserMapping {
    selector: Selector,
    user: UserName,
    name: Option<RuleName>,
}

impl CertUserMapping {
    /// Says that `selector` identifies `user`.
    #[must_use]
    pub fn new(selector: Selector, user: UserName) -> Self {
        Self { selector, user, name: None }
    }

    /// Gives the rule a name, for records and messages.
    #[must_use]
    pub fn with_name(self, name: RuleName) -> Self {
        Self { name: Some(name), ..self }
    }

    /// What in a certificate identifies the user.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&RuleName> {
        self.name.as_ref()
    }
}
