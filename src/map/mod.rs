//! Which certificate is which user: the rules, and the table that finds the rules of a certificate.
//!
//! Consulted only for a certificate that trust has verified. Knows no trust and no roles. What another CA could have chosen
//! counts under the CA that vouches for it, and so does a user made from it.

mod contradiction;
mod display;
mod field;
mod grammar;
mod index;
mod invalid;
mod name_test;
mod names;
mod nearness;
mod overlap;
mod places;
mod problem;
mod renewal;
mod selector;
mod table;
mod user_source;

pub use field::Field;
pub use invalid::{InvalidNameTest, InvalidSelector, InvalidUserSource};
pub use name_test::{NameTest, Quantifier, ValueTest};
pub use problem::RuleProblem;
pub use renewal::{NotRenewed, ServiceKey};
pub use selector::{CaPath, Selector};
pub use user_source::{Part, Piece, UserSource};

#[cfg(feature = "serde")]
pub(crate) use grammar::Named;
pub(crate) use nearness::{Lack, Near, Nearest};
pub(crate) use table::{Lookup, MappingTable, Matched, Rule, RuleId, Unnamed};
pub(crate) use user_source::NoUserName;

use crate::label::label;
use crate::user::UserName;

label! {
    /// The name of a mapping rule, for records, messages and roles. Several rules may share it if they have one user or one
    /// template: a partner's two certificates, a fleet's old and new CA.
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
/// assert_eq!(rule.user().map(|user| user.as_str()), Some("billing"));
///
/// // Every device of one CA, each a user of its own: `iot/0001` for `0001.devices.example`.
/// let devices = format!("under {CERT} dns").parse()?;
/// let user = r#""iot/" + dns without-suffix ".devices.example""#.parse()?;
/// let fleet = CertUserMapping::from_source(devices, user).with_name("fleet".parse()?);
/// assert_eq!(fleet.user(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertUserMapping {
    selector: Selector,
    source: UserSource,
    name: Option<RuleName>,
    exception: bool,
}

impl CertUserMapping {
    /// Says that `selector` identifies `user`.
    #[must_use]
    pub fn new(selector: Selector, user: UserName) -> Self {
        Self::from_source(selector, user.into())
    }

    /// Says that `selector` identifies the user that `source` gives.
    #[must_use]
    pub fn from_source(selector: Selector, source: UserSource) -> Self {
        Self { selector, source, name: None, exception: false }
    }

    /// Gives the rule a name, for records, messages and roles.
    #[must_use]
    pub fn with_name(self, name: RuleName) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Declares that for this exact certificate no rule under a CA counts, whatever user it names. Without, such a
    /// contradiction refuses the certificate.
    #[must_use]
    pub fn as_exception_over_name_rules(self) -> Self {
        Self { exception: true, ..self }
    }

    /// What in a certificate identifies the user.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Where the user's name comes from.
    #[must_use]
    pub fn source(&self) -> &UserSource {
        &self.source
    }

    /// The user, if it is written in the rule.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        self.source.constant()
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&RuleName> {
        self.name.as_ref()
    }

    /// True if name rules do not count for its certificate.
    #[must_use]
    pub fn is_exception_over_name_rules(&self) -> bool {
        self.exception
    }
}

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod value_tests;
