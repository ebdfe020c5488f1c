//! A user is a name.

/// A name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserName(pub &'static str);
