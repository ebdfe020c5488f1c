//! One text for every way to write a policy down, and its SHA-256.

use core::fmt::{self, Write};

use super::Host;
use crate::cert::{Fingerprint, fingerprint};
use crate::map::MappingTable;
use crate::role::Role;
use crate::user::UserName;

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

type Roles = std::collections::HashMap<UserName, std::sync::Arc<[Role]>>;

pub(super) fn canonical_form(host: &Host, table: &MappingTable, roles: &Roles) -> String {
    let mut text = String::new();
    write_parts(host, table, roles, &mut text).expect("writing to a string does not fail");
    text
}

/// One fact a line. No field can hold a line break, and only the last one of a line can hold a blank, so different
/// policies have different texts.
fn write_parts(host: &Host, table: &MappingTable, roles: &Roles, out: &mut impl Write) -> fmt::Result {
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

    let mut mappings: Vec<_> = table.rules().collect();
    mappings.sort_unstable();
    for (selector, user, name) in mappings {
        writeln!(out, "map {selector} {} {user}", name.map_or("-", |name| name.as_str()))?;
    }

    let mut users: Vec<_> = roles.iter().collect();
    users.sort_unstable();
    for (user, roles) in users {
        roles.iter().try_for_each(|role| writeln!(out, "role {role} {user}"))?;
    }
    Ok(())
}
