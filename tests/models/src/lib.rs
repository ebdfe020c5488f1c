//! Every interleaving of three threads on what they share: the policy in force, the identity in force, the caller and the
//! registry of callers.
//!
//! `policy/handle.rs`, `identity/handle.rs`, `decision/caller.rs` and `live.rs` are the crate's own files, word for word; they
//! take their locks from `crate::sync`, which is loom's here. What they ask is replaced: a [`policy::Policy`] is a number
//! and a table, and to decide is to look it up, which is as pure as the decision itself. Run them:
//!
//! `cargo test -p certmap-models -- --nocapture`
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![allow(
    clippy::clone_on_copy,
    clippy::must_use_candidate,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "what stands here has the shape of what it stands for, and is smaller"
)]

pub mod decision;
pub mod identity;
pub mod policy;
pub mod role;
pub mod user;

#[path = "../../../src/live.rs"]
pub mod live;

/// What stands where the crate's own `sync` does.
mod sync {
    use std::sync::{Arc, LockResult};

    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;

    /// A lock for reading and writing made of one that knows no difference, because loom's own prints whenever it is
    /// read. Both run the same interleavings, for no guard is held while its lock is waited for again.
    #[derive(Debug)]
    pub(crate) struct RwLock<T>(Mutex<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn read(&self) -> LockResult<MutexGuard<'_, T>> {
            self.0.lock()
        }

        pub(crate) fn write(&self) -> LockResult<MutexGuard<'_, T>> {
            self.0.lock()
        }
    }

    /// A pointer that is read and replaced as a whole: what arc-swap promises, made of a lock. How it keeps its promise is its
    /// own affair; what is run here is what is built on it.
    #[derive(Debug)]
    pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

    impl<T> ArcSwap<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn load(&self) -> impl core::ops::Deref<Target = Arc<T>> + use<T> {
            Loaded(self.load_full())
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }

        pub(crate) fn swap(&self, next: Arc<T>) -> Arc<T> {
            core::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), next)
        }

        pub(crate) fn compare_and_swap(&self, expected: &Arc<T>, next: Arc<T>) -> Arc<T> {
            let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if Arc::ptr_eq(&current, expected) { core::mem::replace(&mut *current, next) } else { Arc::clone(&current) }
        }
    }

    struct Loaded<T>(Arc<T>);

    impl<T> core::ops::Deref for Loaded<T> {
        type Target = Arc<T>;

        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }
}

#[cfg(test)]
mod models;
