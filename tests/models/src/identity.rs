//! Identities are numbers.

#[path = "../../../src/identity/handle.rs"]
mod handle;

pub use handle::IdentityHandle;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Identity(pub u64);
