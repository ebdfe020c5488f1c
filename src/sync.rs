//! The locks of what is shared and replaced under way: those of std. The models in `tests/models` compile the files that
//! take them from here against locks that run every interleaving.

pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
