//! What is shared and replaced under way: the locks of std, and a pointer that is read without one. The models in `tests/models`
//! compile the files that take them from here against locks that run every interleaving.

pub(crate) use arc_swap::ArcSwap;
pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
