//! The identity in force, replaceable while connections go on.

use core::fmt;
use std::sync::Arc;

use super::Identity;
use crate::sync::{PoisonError, RwLock};

/// The identity in force, replaced as a whole. For clients; servers have
/// [`Endpoint::replace_identity`](crate::Endpoint::replace_identity).
///
/// What it is in force for is built by [`ClientConfigBuilder`](crate::ClientConfigBuilder), which takes one in the place of
/// an identity: `build_per_identity` and `build_live` follow it, `build` does not. One handle may serve many configurations. Connections that are open stay with the identity with which they
/// were opened: close those that should not.
///
/// ```
/// use certmap::identity::IdentityHandle;
/// # use certmap::testing::TestCertificate;
/// # let (old, new) = (TestCertificate::new("CN=erp").self_signed(), TestCertificate::new("CN=erp").self_signed());
/// # let (old, new) = (old.identity(), new.identity());
/// let handle = IdentityHandle::new(old);
/// let previous = handle.replace(new);
/// assert_ne!(previous.certificate(), handle.current().certificate());
/// handle.replace(previous); // rollback
/// ```
pub struct IdentityHandle {
    current: RwLock<(u64, Identity)>,
}

impl IdentityHandle {
    /// Puts an identity in force.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        Self { current: RwLock::new((0, identity)) }
    }

    /// The identity in force.
    #[must_use]
    pub fn current(&self) -> Identity {
        self.numbered().1
    }

    /// Puts another identity in force and returns the one that was, for rollback.
    pub fn replace(&self, next: Identity) -> Identity {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.0 = current.0.wrapping_add(1);
        core::mem::replace(&mut current.1, next)
    }

    /// The identity in force, and which one it is: the number changes with every replacement.
    pub(crate) fn numbered(&self) -> (u64, Identity) {
        // Poisoning cannot leave half an identity: nothing that can panic happens between the two assignments.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<Identity> for Arc<IdentityHandle> {
    fn from(identity: Identity) -> Self {
        Self::new(IdentityHandle::new(identity))
    }
}

impl fmt::Debug for IdentityHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityHandle({:?})", self.current())
    }
}
