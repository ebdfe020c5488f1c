//! One text for every way to write a policy down, and its SHA-256.

use core::fmt::{self, Write};

use super::Host;
use super::roles::RoleTable;
use crate::cert::{Fingerprint, fingerprint};
use crate::map::{Entry, MappingTable};
use crate::role::Holder;
use crate::strength::Strength;

fingerprint! {
    /// The SHA-256 of a policy's [canonical form](super::Policy::canonical_form): which policy decided.
    ///
    /// Written `sha256:` and 64 lower-case hexadecimal digits.
    PolicyDigest, "sha256:"
}

impl PolicyDigest {
    pub(super) fn of(canonical_form: &str) -> Self {
        Self(*Fingerprint::of(canonical_form.as_bytes()).as_bytes())
    }
}

pub(super) fn canonical_form(host: &Host, table: &MappingTable, roles: &RoleTable) -> String {
    let mut text = String::new();
    write_parts(host, table, roles, &mut text).expect("writing to a string does not fail");
    text
}

/// One fact a line. No field can hold a line break, and only the last one of a line can hold a blank, so different
/// policies have different texts.
fn write_parts(host: &Host, table: &MappingTable, roles: &RoleTable, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "certmap policy 1")?;
    writeln!(out, "host {} require {}", host.id(), host.bundle().name())?;
    let mut names: Vec<_> = host.server_names().iter().map(|name| name.to_str()).collect();
    names.sort_unstable();
    names.iter().try_for_each(|name| writeln!(out, "name {}", name.to_ascii_lowercase()))?;

    let mut entries: Vec<_> = host.bundle().entries().collect();
    entries.sort_unstable_by_key(|entry| entry.certificate().fingerprint());
    for entry in entries {
        let alias = entry.alias().map_or("-", |alias| alias.as_str());
        writeln!(out, "{} {} {alias}", entry.kind(), entry.certificate().fingerprint())?;
    }

    let mut lines: Vec<String> = table.rules().flat_map(rule_lines).collect();
    lines.sort_unstable();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;

    for (holder, role, least, enforcement) in roles.assignments() {
        match (holder, least) {
            (Holder::Rule(name), Strength::Name) => writeln!(out, "role-of-rule {role} {name}")?,
            (Holder::User(name), Strength::Name) => writeln!(out, "role {role} {name}")?,
            (holder, least) => writeln!(out, "role-at-least {least} {enforcement} {role} {holder}")?,
        }
    }
    Ok(())
}

/// A line for each name of a rule. A selector under a CA has blanks, and ends the line then; what stands before it ends
/// with the first ` : ` outside of quotes.
fn rule_lines(rule: Entry<'_>) -> Vec<String> {
    let Entry { selector, source, names, exception } = rule;
    let line = |name: &str| match source.constant() {
        Some(user) if selector.ca().is_none() && exception => format!("exception {selector} {name} {user}"),
        Some(user) if selector.ca().is_none() => format!("map {selector} {name} {user}"),
        _ => format!("map-under {name} {source} : {selector}"),
    };
    if names.is_empty() { vec![line("-")] } else { names.iter().map(|name| line(name.as_str())).collect() }
}
