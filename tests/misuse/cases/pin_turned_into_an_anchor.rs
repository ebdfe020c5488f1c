//! What an entry is for stands when it is made.

use certmap::trust::{Entry, EntryKind};

fn misuse(pin: Entry) -> Entry {
    Entry { kind: EntryKind::Anchor, ..pin }
}

fn main() {}
