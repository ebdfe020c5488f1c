//! One text for every way to write a policy down, and its SHA-256.

use core::fmt::{self, Write};
use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use super::hosts::{HostState, HostTable};
use crate::cert::{Hashing, fingerprint};
use crate::map::{MappingTable, Rule, RuleName};
use crate::role::Holder;
use crate::strength::Strength;
use crate::trust::{BundleName, ClientPurpose, DenyList, Entry, RevocationState, TrustBundle};

fingerprint! {
    /// The SHA-256 of a policy's [canonical form](super::Policy::canonical_form): which policy decided.
    ///
    /// Written `sha256:` and 64 lower-case hexadecimal digits.
    PolicyDigest, "sha256:"
}

impl PolicyDigest {
    /// `beginning` is everything but the revocation lists: they come last, because they change most often.
    pub(super) fn of(beginning: &Hashing, revocation: &RevocationState) -> Self {
        Self(beginning.continued(revocation_lines(revocation).as_bytes()))
    }
}

/// Writes the canonical form up to the revocation lists to a text or to what hashes it; neither fails.
pub(super) fn write_beginning<W: Write>(mut to: W, hosts: &HostTable, deny: &DenyList, rules: &Rules) -> W {
    write_rules(hosts, deny, rules, &mut to).expect("writing to memory does not fail");
    to
}

/// A bundle, as far as decisions depend on it, and the short names of its entries.
pub(super) fn bundle_lines(bundle: &TrustBundle) -> Vec<String> {
    let name = bundle.name();
    let of_pins = bundle.pin_purpose().map_or("ignored", ClientPurpose::as_str);
    let line = |entry: &Entry| {
        let alias = entry.alias().map_or("-", |alias| alias.as_str());
        format!("{} {name} {} {alias}\n", entry.kind(), entry.certificate().fingerprint())
    };
    let mut lines: Vec<_> = bundle.entries().map(line).collect();
    lines.sort_unstable();
    lines.extend(bundle.path_length().map(|length| format!("path-length {name} {length}\n")));
    lines.insert(0, format!("bundle {name} purpose {} pins {of_pins}\n", bundle.purpose().as_str()));
    lines
}

/// The rest of the canonical form.
pub(super) fn revocation_lines(revocation: &RevocationState) -> String {
    let mut lists: Vec<_> = revocation.lists().map(|list| format!("crl {}\n", list.fingerprint())).collect();
    lists.sort_unstable();
    lists.dedup();
    let grace = revocation.grace().as_secs();
    lists.extend((grace > 0).then(|| format!("crl-grace {grace}\n")));
    lists.concat()
}

/// One fact a line. No field can hold a line break, and only the last one of a line can hold a blank, so different
/// policies have different texts.
fn write_rules(hosts: &HostTable, deny: &DenyList, rules: &Rules, out: &mut impl Write) -> fmt::Result {
    let Rules { table, roles, disabled } = rules;
    writeln!(out, "certmap policy 3")?;
    let mut bundles: BTreeMap<&BundleName, &TrustBundle> = BTreeMap::new();
    for host in hosts.iter().map(HostState::host) {
        let (id, listener, bundle) = (host.id(), host.listener(), host.bundle());
        let (auth, untrusted, hints) = (host.client_auth().as_str(), host.untrusted().as_str(), host.hints().as_str());
        let default = if host.is_default() { " default" } else { "" };
        writeln!(out, "host {id} {listener} {auth} {untrusted} hints {hints} bundle {}{default}", bundle.name())?;
        let names: BTreeSet<_> = host.server_names().iter().map(ToString::to_string).collect();
        names.iter().try_for_each(|name| writeln!(out, "name {id} {name}"))?;
        bundles.insert(bundle.name(), bundle);
    }
    bundles.values().try_for_each(|bundle| bundle_lines(bundle).iter().try_for_each(|line| out.write_str(line)))?;

    let mut denials: Vec<_> = deny.denials().map(|denial| format!("deny {denial}")).collect();
    denials.extend(disabled.iter().map(|user| format!("disabled {user}")));
    denials.sort_unstable();
    denials.iter().try_for_each(|line| writeln!(out, "{line}"))?;

    write_mappings(table, out)?;

    for (holder, role, least, enforcement) in roles.assignments() {
        match (holder, least) {
            (Holder::Rule(name), Strength::Name) => writeln!(out, "role-of-rule {role} {name}")?,
            (Holder::User(name), Strength::Name) => writeln!(out, "role {role} {name}")?,
            (holder, least) => writeln!(out, "role-at-least {least} {enforcement} {role} {holder}")?,
        }
    }
    Ok(())
}

/// How many rules are fetched at once: more than memory fetches at the same time.
const AT_ONCE: usize = 64;

/// A line for each name of a rule, all of them sorted; the lines of rules for exactly one certificate or key have the order
/// of their selectors, and there may be a million of them. A selector under a CA has blanks, and ends the line then; what
/// stands before it ends with the first ` : ` outside of quotes.
fn write_mappings(table: &MappingTable, out: &mut impl Write) -> fmt::Result {
    let mut rules = table.exact_rules_in_order();
    let mut line = String::new();
    loop {
        // Some at once are fetched from where they are, which is anywhere.
        let some: Vec<_> = rules.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        for rule in some {
            let (selector, kind) = (rule.selector, if rule.exception { "exception" } else { "map" });
            let Some(user) = rule.source.constant() else { continue };
            for name in names(&rule) {
                line.clear();
                writeln!(line, "{kind} {selector} {name} {user}")?;
                out.write_str(&line)?;
            }
        }
    }
    let line = |rule: Rule<'_>| {
        let line = |name| format!("map-under {name} {} : {}", rule.source, rule.selector);
        names(&rule).map(line).collect::<Vec<_>>()
    };
    let mut lines: Vec<String> = table.rules_under_anchors().flat_map(line).collect();
    lines.sort_unstable();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The names of a rule, sorted, or what stands for none.
fn names<'a>(rule: &Rule<'a>) -> impl Iterator<Item = &'a str> {
    let none = rule.names.is_empty().then_some("-");
    rule.names.iter().map(RuleName::as_str).chain(none)
}
