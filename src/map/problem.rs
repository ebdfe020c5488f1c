//! Rules that contradict each other, or that cannot mean what they say.

use super::{CaPath, RuleName, Selector, UserSource};
use crate::limits::{RULE_BYTES, RULES_PER_VALUE};
use crate::user::UserName;

/// One thing that is wrong with the rules of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// Two rules with the same selector name different users.
    ///
    /// Two templates may have the same selector if no certificate fits both: they leave out different beginnings or ends of
    /// one value, or list different users.
    #[error("`{selector}` is mapped to user `{}` and to `{}`: {}", .users[0].describe(), .users[1].describe(), conflict_cure(.users))]
    Conflict {
        /// The selector.
        selector: Selector,
        /// The users.
        users: [UserSource; 2],
    },
    /// Too many rules look for the same value.
    #[error(
        "{rules} rules {ca} look for `{value}`, at most {RULES_PER_VALUE} can: have each of them look for something of its own, or take the user's name from the certificate"
    )]
    Crowded {
        /// The CA.
        ca: CaPath,
        /// What they look for.
        value: String,
        /// How many they are.
        rules: usize,
    },
    /// A rule is declared an exception, but it does not name one exact certificate.
    #[error(
        "`{selector}` is declared an exception over name rules, but only an exact certificate can be one: remove the declaration, or write the certificate's fingerprint"
    )]
    NoException {
        /// The selector.
        selector: Selector,
    },
    /// Two reservations overlap, so that one CA could name users of the other.
    #[error(
        "rules `{rule}` and `{other}` could name the same user, by `{}` and by `{}`: give each its own beginning or end, or one rule name if they are one fleet with one user source",
        .sources[0], .sources[1]
    )]
    OverlappingReservations {
        /// The selector of one.
        rule: Selector,
        /// The selector of the other.
        other: Selector,
        /// Where their users come from.
        sources: [UserSource; 2],
    },
    /// A user that is written in one rule lies in the reservation of another, whose CA could name it too.
    #[error(
        "user `{user}` is reserved for rule `{reserved_for}`: give the user another name, or the rule another beginning or end"
    )]
    ReservedUser {
        /// The user.
        user: UserName,
        /// The selector of the rule whose users look like this one.
        reserved_for: Selector,
    },
    /// One name stands for rules with different users.
    #[error("rule name `{name}` stands for rules with user `{}` and `{}`: give each a name of its own", .users[0].describe(), .users[1].describe())]
    RuleNameTwice {
        /// The name.
        name: RuleName,
        /// Where the users come from.
        users: [UserSource; 2],
    },
    /// The path to an anchor would have to go through the anchor.
    #[error("`{selector}` asks for a path through its own anchor, which is no intermediate: leave that `through` out")]
    ThroughAnchor {
        /// The selector.
        selector: Selector,
    },
    /// The text of a rule is longer than what is read back.
    #[error(
        "the text of a rule for user `{user}` has {bytes} bytes, at most {RULE_BYTES} are read back: write several rules of one name, or shorter values"
    )]
    TooLong {
        /// The selector.
        selector: Selector,
        /// Where its users come from, or the beginning of that.
        user: String,
        /// How long it is.
        bytes: usize,
    },
    /// A user's name would be taken from a certificate that no stated CA vouches for.
    #[error(
        "`{selector}` names no CA, so the user cannot be taken from the certificate (`{source_text}`): write the user, or a selector with `under`"
    )]
    TemplateWithoutCa {
        /// The selector.
        selector: Selector,
        /// The template.
        source_text: String,
    },
}

fn conflict_cure(users: &[UserSource; 2]) -> &'static str {
    if users.iter().any(|source| source.constant().is_some()) {
        "remove one of the two rules"
    } else {
        "remove one of the two rules, or have each leave out a beginning or end that the other's values do not have"
    }
}

impl RuleProblem {
    /// A stable code, for programs: `conflicting-rules`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflicting-rules",
            Self::Crowded { .. } => "crowded-value",
            Self::NoException { .. } => "no-exception",
            Self::OverlappingReservations { .. } => "overlapping-reservations",
            Self::ReservedUser { .. } => "reserved-user",
            Self::RuleNameTwice { .. } => "rule-name-twice",
            Self::ThroughAnchor { .. } => "through-anchor",
            Self::TooLong { .. } => "rule-too-long",
            Self::TemplateWithoutCa { .. } => "template-without-ca",
        }
    }
}
