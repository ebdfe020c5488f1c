//! (private) Hash tables of what a policy says.
//!
//! What goes in is chosen by whoever writes the policy; a peer chooses only what is looked for. So a quick hash will do,
//! with a seed that nobody knows. Every table compares the whole key: a hash decides where to look, never who it is.
//! What peers put in themselves is in [`memory`](crate::memory), with the hash of std.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// Makes the hashes.
pub(crate) type Hasher = RandomState;
pub(crate) type Set<T> = HashSet<T, RandomState>;
pub(crate) type Table<K, V> = HashMap<K, V, RandomState>;
