//! The policy in force, replaceable while connections go on.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::Policy;

/// The policy in force: read for every decision, replaced as a whole.
///
/// A decision that has begun ends on the policy it began with; the next one sees the new policy.
///
/// ```
/// use std::sync::Arc;
/// use certmap::{PolicyBuilder, PolicyHandle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// let with_partner = PolicyBuilder::new().partner("erp".parse()?, certificate.clone(), []).build()?;
/// let handle = PolicyHandle::new(with_partner);
/// let next = PolicyBuilder::new().partner("sap".parse()?, certificate, []).build()?;
/// let previous = handle.replace(next);
/// assert_ne!(previous.digest(), handle.current().digest());
/// handle.replace(previous); // rollback
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PolicyHandle {
    current: RwLock<Arc<Policy>>,
}

impl PolicyHandle {
    /// Puts a policy in force.
    #[must_use]
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self { current: RwLock::new(policy.into()) }
    }

    /// The policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        // Poisoning cannot leave a half-written policy: what is written under the lock is one pointer.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another policy in force and returns the one that was, for rollback.
    pub fn replace(&self, next: impl Into<Arc<Policy>>) -> Arc<Policy> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        core::mem::replace(&mut *current, next.into())
    }
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyHandle({:?})", self.current())
    }
}
