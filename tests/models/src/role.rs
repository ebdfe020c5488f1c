//! A role is a name.

/// A name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role(pub &'static str);
