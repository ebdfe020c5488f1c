//! (private) Answers that were found before and would be found again: a bounded memory.

use core::fmt;
use core::hash::Hash;
use std::sync::{PoisonError, RwLock};

use crate::table::StrangersTable;

/// A bounded memory of answers.
///
/// Two generations: what is asked for moves to the young one, and when that is full the old one is forgotten. So at most
/// `capacity` are held, and finding one costs one probe or two.
pub(crate) struct Memory<K, V> {
    /// Answers in one generation; 0: nothing is remembered.
    half: usize,
    generations: RwLock<[StrangersTable<K, V>; 2]>,
}

impl<K: Clone + Eq + Hash, V: Clone> Memory<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { half: capacity / 2, generations: RwLock::default() }
    }

    /// An empty one of the same size.
    pub(crate) fn emptied(&self) -> Self {
        Self { half: self.half, generations: RwLock::default() }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.half == 0
    }

    /// The answer to `key`, if it is remembered and `holds`.
    pub(crate) fn get<T>(&self, key: &K, holds: impl Fn(&V) -> Option<T>) -> Option<T> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &*generations;
        if let Some(answer) = young.get(key) {
            return holds(answer);
        }
        let answer = old.get(key)?;
        let held = holds(answer)?;
        let answer = answer.clone();
        drop(generations);
        self.remember(key.clone(), answer);
        Some(held)
    }

    pub(crate) fn remember(&self, key: K, answer: V) {
        if self.is_off() {
            return;
        }
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *generations;
        if young.len() >= self.half {
            // The old one's room is used again, else each generation would grow anew.
            core::mem::swap(young, old);
            young.clear();
        }
        young.insert(key, answer);
    }
}

/// Remembers nothing.
impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self { half: 0, generations: RwLock::default() }
    }
}

impl<K, V> fmt::Debug for Memory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory(2 generations of {})", self.half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let memory = Memory::new(4);
        let asked = |key: u8| memory.get(&key, |answer: &u8| Some(*answer));
        memory.remember(0, 100);
        for key in 1..20 {
            memory.remember(key, key);
            assert_eq!(asked(0), Some(100), "asked for each time");
            let held = memory.generations.read().unwrap();
            assert!(held.iter().map(StrangersTable::len).sum::<usize>() <= 4);
        }
        assert_eq!(asked(1), None);
    }

    #[test]
    fn an_answer_that_does_not_hold_is_none() {
        let memory = Memory::new(4);
        memory.remember(0, 1);
        assert_eq!(memory.get(&0, |_| None::<u8>), None);
        assert_eq!(memory.get(&0, |answer| Some(*answer)), Some(1));
    }

    #[test]
    fn without_room_nothing_is_remembered() {
        let memory = Memory::new(1);
        memory.remember(0, 1);
        assert_eq!(memory.get(&0, |answer| Some(*answer)), None);
    }
}
