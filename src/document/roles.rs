//! Roles that a program asks for and nobody has: found when the policy is loaded, not when the first partner gets 403.

use core::fmt;
use std::collections::BTreeMap;

use super::near::near;
use super::place::{DocumentPath, Place};
use super::{Document, written::Text};
use crate::role::Role;

/// A role that the program asks for and that no assignment of the document gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleFinding {
    /// A role of nearly that name is given: probably one of the two is misspelt.
    Near {
        /// What the program asks for.
        role: Role,
        /// What the document gives.
        given: Role,
        /// Where.
        path: DocumentPath,
    },
    /// Nothing like it is given.
    NotGranted {
        /// What the program asks for.
        role: Role,
    },
}

impl RoleFinding {
    /// A stable code, for programs: `role-near`, `role-not-granted`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Near { .. } => "role-near",
            Self::NotGranted { .. } => "role-not-granted",
        }
    }

    /// What the program asks for.
    #[must_use]
    pub fn role(&self) -> &Role {
        match self {
            Self::Near { role, .. } | Self::NotGranted { role } => role,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::Near { role, .. } => format!("write `{role}` there if it is meant"),
            Self::NotGranted { role } => {
                format!("assign `{role}` to a user or a rule, or have the program ask for another")
            }
        }
    }
}

impl fmt::Display for RoleFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Near { role, given, path } => {
                write!(f, "{path}: nobody has the role `{role}` that the program asks for, but `{given}` is given here")
            }
            Self::NotGranted { role } => write!(f, "nobody has the role `{role}` that the program asks for"),
        }
    }
}

impl Document {
    /// The roles of these that the program asks for and nobody has, with what was probably meant; empty if all are given
    /// to somebody. A finding is no problem of the document: the policy can be built.
    ///
    /// ```
    /// use certmap::Role;
    /// const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
    /// let document: certmap::document::Document = toml::from_str(r#"
    ///     version = 1
    ///     assignments = [{ role = "iflmap/ESBmessaging.send", user = "SAPERPUSER" }]
    /// "#)?;
    /// let findings = document.expect_roles([SEND]);
    /// assert_eq!(
    ///     findings[0].to_string(),
    ///     "assignments[0].role: nobody has the role `iflmap/ESBMessaging.send` that the program asks for, but \
    ///     `iflmap/ESBmessaging.send` is given here",
    /// );
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    #[must_use]
    pub fn expect_roles(&self, roles: impl IntoIterator<Item = Role>) -> Vec<RoleFinding> {
        let mut given: BTreeMap<Role, &Place> = BTreeMap::new();
        for item in &self.assignments {
            if let Some(Text::Plain(text)) = &item.written.role
                && let Ok(role) = text.parse()
            {
                given.entry(role).or_insert(&item.place);
            }
        }
        let finding = |role: Role| match near(role.as_str(), given.keys().map(Role::as_str)) {
            _ if given.contains_key(&role) => None,
            None => Some(RoleFinding::NotGranted { role }),
            Some(text) => given.iter().find(|(given, _)| given.as_str() == text).map(|(given, place)| {
                RoleFinding::Near { role, given: given.clone(), path: place.path("assignments", "role") }
            }),
        };
        roles.into_iter().filter_map(finding).collect()
    }
}
