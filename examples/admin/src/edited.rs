//! What an edit did: its changes, where they are written, and what is odd because of them.

use std::collections::BTreeSet;

use certmap::document::{Changes, Document, FileName, References};
use certmap::review::{self, Finding};
use certmap::rustls::pki_types::UnixTime;
use serde_json::json;

use crate::answer::{Answer, form};
use crate::lint;

/// So many notes are told to people: the first role of a policy leaves all its other users without one.
const NOTES: usize = 20;

/// An edit that was planned, or written.
pub(crate) struct Edited {
    pub(crate) changes: Changes,
    /// The files that it changes.
    pub(crate) files: Vec<FileName>,
    /// What is odd after it and was not before.
    pub(crate) notes: Vec<Finding>,
    /// Where it begins a policy; `None` if there was one.
    pub(crate) new_policy: Option<String>,
}

impl Edited {
    pub(crate) fn into_answer(self) -> Answer {
        let Self { changes, files, notes, new_policy } = self;
        let files: Vec<_> = files.iter().map(FileName::as_str).collect();
        let written = if files.is_empty() { String::new() } else { format!("\nwritten to {}", files.join(", ")) };
        let begun = new_policy.as_ref().map(|policy| format!("\nnew policy: {policy}")).unwrap_or_default();
        let json =
            json!({ "changes": form(&changes), "files": files, "new-policy": new_policy, "notes": form(&notes) });
        let mut lines: Vec<_> = notes.iter().take(NOTES).map(ToString::to_string).collect();
        if notes.len() > NOTES {
            lines.push(format!("{} more, list them: `admin lint`", notes.len() - NOTES));
        }
        Answer::new(format!("{changes}{written}{begun}"), json).with_notes(lines)
    }
}

/// What is odd about a document and was not before, by its text. Nothing if one of the two is no policy: nobody can say.
pub(crate) fn newly_odd(before: &Document, after: &Document, references: &dyn References) -> Vec<Finding> {
    let now = UnixTime::now();
    let findings = |document: &Document| {
        let policy = document.build(references).ok()?;
        Some(review::lint(&policy, now, lint::horizon(lint::DAYS)))
    };
    let (Some(before), Some(mut after)) = (findings(before), findings(after)) else { return Vec::new() };
    let known: BTreeSet<_> = before.iter().map(ToString::to_string).collect();
    after.retain(|finding| !known.contains(&finding.to_string()));
    after
}
