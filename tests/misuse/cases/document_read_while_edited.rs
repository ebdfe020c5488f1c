//! While a document is edited nobody else reads it.

use certmap::document::{Document, Editor, References};

fn misuse(document: &mut Document, references: &dyn References) {
    let editor: Editor<'_> = document.edit(references);
    let copy = document.clone();
    drop((editor, copy));
}

fn main() {}
