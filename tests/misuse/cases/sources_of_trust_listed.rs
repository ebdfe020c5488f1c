//! More kinds of entries may come; a match has an arm for them.

use certmap::trust::EntryKind;

fn misuse(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Anchor => true,
        EntryKind::KeyPin | EntryKind::Pin => false,
    }
}

fn main() {}
