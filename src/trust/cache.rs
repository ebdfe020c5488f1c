//! (private) Validated paths, remembered: the handshake and the decision ask for the same one, and clients come back.
//!
//! A remembered answer is that of a search made again: the key is everything the peer presented, as a set, and it holds
//! only while nothing that the search looked at begins or ends. It lives and dies with one trust state.

use std::sync::Arc;

use rustls::pki_types::UnixTime;

use super::chain::Others;
use super::verified::ValidPath;
use crate::cert::{Fingerprint, seconds};
use crate::memory::Memory;

/// What a path is remembered under: the end entity, and the set of the others that were presented.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PathKey {
    end_entity: Fingerprint,
    /// As in [`Others`].
    others: Box<[Fingerprint]>,
}

impl PathKey {
    pub(super) fn new(end_entity: Fingerprint, others: &Others<'_>) -> Self {
        Self { end_entity, others: others.fingerprints().collect() }
    }
}

/// The seconds around a moment in which nothing begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lull {
    now: i64,
    first: i64,
    last: i64,
}

impl Lull {
    pub(super) fn around(now: UnixTime) -> Self {
        Self { now: seconds(now), first: i64::MIN, last: i64::MAX }
    }

    /// Something is different from this second on.
    pub(super) fn change_at(&mut self, second: i64) {
        if second <= self.now {
            self.first = self.first.max(second);
        } else {
            self.last = self.last.min(second - 1);
        }
    }

    pub(super) fn last(&self) -> i64 {
        self.last
    }

    fn contains(&self, now: UnixTime) -> bool {
        (self.first..=self.last).contains(&seconds(now))
    }
}

/// A bounded memory of valid paths.
#[derive(Debug)]
pub(super) struct PathCache(Memory<PathKey, (Lull, Arc<ValidPath>)>);

impl PathCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Memory::new(capacity))
    }

    /// An empty one of the same size.
    pub(super) fn emptied(&self) -> Self {
        Self(self.0.emptied())
    }

    pub(super) fn is_off(&self) -> bool {
        self.0.is_off()
    }

    pub(super) fn get(&self, key: &PathKey, now: UnixTime) -> Option<Arc<ValidPath>> {
        self.0.get(key, |(lull, path)| lull.contains(now).then(|| Arc::clone(path)))
    }

    pub(super) fn remember(&self, key: PathKey, lull: Lull, path: Arc<ValidPath>) {
        self.0.remember(key, (lull, path));
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_lull_ends_where_something_begins_or_ends() {
        let mut lull = Lull::around(at(100));
        for second in [50, 90, 100, 151, 200] {
            lull.change_at(second);
        }
        let holds = [99, 100, 150, 151].map(|second| lull.contains(at(second)));
        assert_eq!(holds, [false, true, true, false]);
    }

    #[test]
    fn what_was_presented_is_a_set_beside_the_end_entity() {
        let print = |byte: u8| Fingerprint::of(&[byte]);
        let set = |own: u8, others: &[u8]| {
            let others: Vec<_> = others.iter().map(|byte| [*byte]).collect();
            PathKey::new(print(own), &Others::new(print(own), &others))
        };
        assert!(set(1, &[2, 3]) == set(1, &[3, 2, 3, 1]));
        assert!(set(1, &[2]) != set(2, &[1]));
        assert!(set(1, &[2]) != set(1, &[2, 3]));
    }
}
