//! The policy in force, replaceable while connections go on.

use core::fmt;
use core::ops::Deref;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Policy, PolicyDigest};
use crate::sync::ArcSwap;

/// The policy in force: read for every decision, replaced as a whole.
///
/// A decision that has begun ends on the policy it began with; the next one sees the new policy. Whoever asks never waits, for
/// those who ask at the same time or for one who replaces.
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
    current: ArcSwap<Policy>,
}

impl PolicyHandle {
    /// Puts a policy in force.
    #[must_use]
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self { current: ArcSwap::new(policy.into()) }
    }

    /// The policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        self.current.load_full()
    }

    /// The policy in force, for one question: it is not counted, so threads that ask at once have nothing in common to write.
    pub(crate) fn load(&self) -> impl Deref<Target = Arc<Policy>> {
        self.current.load()
    }

    /// Puts another policy in force and returns the one that was, for rollback.
    pub fn replace(&self, next: impl Into<Arc<Policy>>) -> Arc<Policy> {
        self.current.swap(next.into())
    }

    /// As [`replace`](Self::replace), unless another policy is in force than the one that the next was made from: so that
    /// of two who reload at once neither undoes what the other did.
    ///
    /// # Errors
    /// [`Overtaken`] if another policy is in force; nothing has changed.
    pub fn compare_and_replace(
        &self,
        expected: PolicyDigest,
        next: impl Into<Arc<Policy>>,
    ) -> Result<Arc<Policy>, Overtaken> {
        let next = next.into();
        loop {
            let in_force = self.current();
            if in_force.digest() != expected {
                return Err(Overtaken { in_force: in_force.digest() });
            }
            // What came meanwhile may be the same policy once more.
            if Arc::ptr_eq(&self.current.compare_and_swap(&in_force, Arc::clone(&next)), &in_force) {
                return Ok(in_force);
            }
        }
    }

    /// As [`replace`](Self::replace), unless the next policy loses more than the guard allows: so that a reload of half a
    /// file does not shut everybody out.
    ///
    /// # Errors
    /// [`Tripped`] says what would be lost; nothing has changed.
    pub fn try_replace(&self, next: impl Into<Arc<Policy>>, guard: Guard) -> Result<Arc<Policy>, Tripped> {
        let next = next.into();
        loop {
            let in_force = self.current();
            guard.check(&in_force, &next)?;
            // What was checked is replaced, or the check is made again.
            if let Ok(replaced) = self.compare_and_replace(in_force.digest(), Arc::clone(&next)) {
                return Ok(replaced);
            }
        }
    }
}

/// How much of what is in force a reload may lose.
///
/// ```
/// use certmap::policy::Guard;
/// let careful = Guard::lost_mappings(10); // per cent
/// # let _ = careful;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    percent: u8,
}

impl Guard {
    /// Allows to lose at most so many per cent of the mapping rules, counted by their selectors: a rule that names another
    /// user now is not lost.
    #[must_use]
    pub fn lost_mappings(percent: u8) -> Self {
        Self { percent }
    }

    fn check(self, in_force: &Policy, next: &Policy) -> Result<(), Tripped> {
        let all = in_force.mapping_count();
        let kept: HashSet<_> = next.table().rules().map(|rule| rule.selector).collect();
        let lost = in_force.table().rules().filter(|rule| !kept.contains(rule.selector)).count();
        if lost * 100 > all * usize::from(self.percent) {
            return Err(Tripped { lost, of: all, percent: self.percent });
        }
        Ok(())
    }
}

/// Another policy was put in force meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policy {in_force} was put in force meanwhile: make the next one from that, and try again")]
#[non_exhaustive]
pub struct Overtaken {
    /// The policy in force.
    pub in_force: PolicyDigest,
}

/// A reload would have lost more than its guard allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the next policy loses {lost} of {of} mapping rules, and at most {percent} per cent were to be lost: look whether it was read whole; if it is meant, replace without guard"
)]
#[non_exhaustive]
pub struct Tripped {
    /// Rules that the next policy does not have.
    pub lost: usize,
    /// Rules of the policy in force.
    pub of: usize,
    /// What was allowed.
    pub percent: u8,
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyHandle({:?})", self.current())
    }
}
