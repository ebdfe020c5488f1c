//! (private) Hashes that are all alike, for tests: whatever is right only because no two hashes are is wrong then.

use core::cell::Cell;
use core::hash::{BuildHasher, Hasher};

thread_local! {
    static ALIKE: Cell<bool> = const { Cell::new(false) };
}

/// What `make` makes, every hash in its tables the same. They keep that when it is done; others never have it.
pub(crate) fn alike<T>(make: impl FnOnce() -> T) -> T {
    /// A test that fails in `make` leaves nothing behind either.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ALIKE.set(self.0);
        }
    }
    let _before = Before(ALIKE.replace(true));
    make()
}

/// Hashes as `S` does, or all alike.
#[derive(Clone, Debug)]
pub(crate) struct State<S>(Option<S>);

impl<S: Default> Default for State<S> {
    fn default() -> Self {
        Self((!ALIKE.get()).then(S::default))
    }
}

impl<S: BuildHasher> BuildHasher for State<S> {
    type Hasher = Hash<S::Hasher>;

    fn build_hasher(&self) -> Self::Hasher {
        Hash(self.0.as_ref().map(S::build_hasher))
    }
}

#[derive(Debug)]
pub(crate) struct Hash<H>(Option<H>);

impl<H: Hasher> Hasher for Hash<H> {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.0 {
            hasher.write(bytes);
        }
    }

    fn finish(&self) -> u64 {
        self.0.as_ref().map_or(0, H::finish)
    }
}

#[test]
fn what_is_made_so_is_alike_and_nothing_else() {
    let differ = |state: &State<std::hash::RandomState>| state.hash_one("a") != state.hash_one("b");
    let made = alike(State::default);
    assert!(!differ(&made) && !differ(&made.clone()));
    assert!(differ(&State::default()), "on the same thread, and later");
    assert!(std::panic::catch_unwind(|| alike(|| panic!("on purpose"))).is_err());
    assert!(differ(&State::default()));
}
