//! What is no selector, no test and no user source, and why.

use super::{Field, ValueTest};
use crate::cert::{InvalidDistinguishedName, InvalidFingerprint};
use crate::limits::{RULE_BYTES, SELECTOR_DEPTH, SELECTOR_TESTS};
use crate::user::{InvalidUserName, UserName};

/// A test that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNameTest {
    /// The field has a case, or there is no value to compare.
    #[error("`{field}` is not compared without case: only values of `dns`, and of mail addresses, are")]
    Case {
        /// The field.
        field: Field,
    },
    /// `all` or `any` of nothing.
    #[error("`all` and `any` need at least one test that is no `not`")]
    Empty,
    /// A `not` that leaves nothing.
    #[error("`not every-certificate` leaves no certificate")]
    ExcludesEverything,
    /// Only attributes stand in RDNs.
    #[error("`{field}` does not stand in an RDN: only attributes of the subject do")]
    MultiValued {
        /// The field.
        field: Field,
    },
    /// What an `all` looks for is what its `not` leaves out.
    #[error("`{}` holds only where `not {}` leaves the certificate out: remove one of them", .tests.0, .tests.1)]
    LeavesOut {
        /// The test, and what is under the `not`.
        tests: Box<(ValueTest, ValueTest)>,
    },
    /// Every certificate has the field.
    #[error("every certificate has a `{field}`: say which is meant")]
    NeedsValue {
        /// The field.
        field: Field,
    },
    /// `all` of two tests of which never both hold.
    #[error(
        "`{}` and `{}` never hold together, because each means the same place: write `any` behind `{}` for one value among several",
        .tests.0, .tests.1, .tests.0.field()
    )]
    Never {
        /// The tests.
        tests: Box<(ValueTest, ValueTest)>,
    },
    /// A `not` within a `not`.
    #[error("a `not` cannot stand within a `not`")]
    NestedNot,
    /// More than [`SELECTOR_DEPTH`].
    #[error("tests are nested more than {SELECTOR_DEPTH} deep: make several rules of it")]
    TooDeep,
    /// More than [`SELECTOR_TESTS`].
    #[error("{tests} tests are too many for one rule, at most {SELECTOR_TESTS} are possible: make several rules of it")]
    TooMany {
        /// How many.
        tests: usize,
    },
    /// A `not` of DER that can be written in more than one way, or stand within something else.
    #[error(
        "`not {field} {value}` is never sure: programs read the same in other DER too, so exclude every value by `not {field}`"
    )]
    Unsure {
        /// The field.
        field: Field,
        /// The value.
        value: String,
    },
    /// A value that no certificate is matched by.
    #[error("no certificate is matched by `{}` as `{field}`: {reason}", crate::text::OneLine(.value))]
    Value {
        /// The field.
        field: Field,
        /// The value.
        value: String,
        /// Why not.
        reason: &'static str,
    },
}

/// Text that is no [`Selector`](super::Selector) or no [`NameTest`](super::NameTest); columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSelector {
    /// A name stands for no certificate.
    #[error("`@{}` at column {column} stands for no certificate: {reason}", crate::text::OneLine(.name))]
    Alias {
        /// The name.
        name: String,
        /// Where.
        column: usize,
        /// Why not.
        reason: String,
    },
    /// Something else stands there.
    #[error("expected {expected} at column {column}")]
    Expected {
        /// What has to stand there.
        expected: &'static str,
        /// Where.
        column: usize,
    },
    /// A fingerprint stands there, but no good one.
    #[error("expected {expected} at column {column}")]
    Fingerprint {
        /// What has to stand there.
        expected: &'static str,
        /// Where.
        column: usize,
        /// What is wrong with it.
        #[source]
        cause: InvalidFingerprint,
    },
    /// A text that has to be a distinguished name, and is none.
    #[error("expected a distinguished name (RFC 4514) at column {column}")]
    Name {
        /// Where it begins.
        column: usize,
        /// What is wrong with it.
        #[source]
        cause: InvalidDistinguishedName,
    },
    /// A test that cannot be used.
    #[error("the test at column {column} cannot be used")]
    Test {
        /// Where it begins.
        column: usize,
        /// Why not.
        #[source]
        cause: InvalidNameTest,
    },
    /// More than [`RULE_BYTES`].
    #[error("a selector of {bytes} bytes is too long, at most {RULE_BYTES} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// What is no [`UserSource`](super::UserSource).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUserSource {
    /// Two values without text that separates them: two certificates could give one user.
    #[error(
        "two values stand side by side: put a text between them that has another character than letters, digits, `-`, `_` and `.`"
    )]
    AdjacentParts,
    /// A character that no user name has.
    #[error("the text has the character {character:?}, which user names cannot have")]
    Character {
        /// The character.
        character: char,
    },
    /// A text that adds nothing.
    #[error("an empty text reserves nothing: leave it out")]
    EmptyText,
    /// A listed user that no certificate gives.
    #[error(
        "no certificate gives `{user}`: it has not what the texts are, or capitals where the value has none, as hosts and domains"
    )]
    NeverGiven {
        /// The user.
        user: UserName,
    },
    /// The list of users is empty.
    #[error("nobody is listed after `among`, so nobody would be matched")]
    NobodyListed,
    /// No value of the certificate is taken.
    #[error("nothing is taken from the certificate: write one text, the user")]
    NoPart,
    /// The values of the field are no text.
    #[error("no user name can be taken from `{field}`: its values are no text")]
    NoText {
        /// The field.
        field: Field,
    },
    /// Nothing keeps the users apart from others.
    #[error("users from a certificate need a text of their own before or behind the value, or `among` and a list")]
    NotReserved,
    /// The text has something else than what has to stand there.
    #[error(transparent)]
    Syntax(InvalidSelector),
    /// A name that is none.
    #[error("the user at column {column} cannot be used")]
    User {
        /// Where it begins.
        column: usize,
        /// Why not.
        #[source]
        cause: InvalidUserName,
    },
}

impl From<InvalidSelector> for InvalidUserSource {
    fn from(cause: InvalidSelector) -> Self {
        Self::Syntax(cause)
    }
}
