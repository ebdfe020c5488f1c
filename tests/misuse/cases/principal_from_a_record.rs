//! What a log says is no evidence.

use certmap::{AuditRecord, Principal};

fn misuse(record: AuditRecord) -> Principal {
    record.into()
}

fn main() {}
