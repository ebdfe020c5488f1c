//! (private) Hash tables of what a policy says.
//!
//! What goes in is chosen by whoever writes the policy; a peer chooses only what is looked for. So a quick hash will do,
//! with a seed that nobody knows. What others chose, who are denied, revoked or [remembered](crate::memory), is in tables with
//! the hash of std. Every table compares the whole key: a hash decides where to look, never who it is.

use std::collections::{HashMap, HashSet};

/// Makes the hashes. Tests have others, with which all hashes can be alike.
#[cfg(not(test))]
pub(crate) type Hasher = foldhash::fast::RandomState;
#[cfg(test)]
pub(crate) type Hasher = colliding::State<foldhash::fast::RandomState>;
#[cfg(not(test))]
type StrangersHasher = std::hash::RandomState;
#[cfg(test)]
type StrangersHasher = colliding::State<std::hash::RandomState>;

pub(crate) type Set<T> = HashSet<T, Hasher>;
pub(crate) type Table<K, V> = HashMap<K, V, Hasher>;
/// For keys that others chose.
pub(crate) type StrangersTable<K, V> = HashMap<K, V, StrangersHasher>;

#[cfg(test)]
pub(crate) mod colliding;
