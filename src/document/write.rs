//! (private) Writing values down as items of a document: what a policy has, and what edits add.

use std::collections::BTreeMap;

use super::place::{Item, Number, Place};
use super::written::{self, List, Text};
use super::{Document, numbered};
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::map::{CertUserMapping, Selector};
use crate::policy::{ClientAuth, Hints, Host, Policy, UntrustedClients};
use crate::role::{Enforcement, Holder, RoleAssignment};
use crate::strength::Strength;
use crate::trust::{Alias, BundleName, ClientPurpose, Denial, Entry, EntryKind, TrustBundle};

/// Certificates that have a name of their own, and their keys.
pub(super) type Aliases<'a> = BTreeMap<Fingerprint, (&'a str, SpkiFingerprint)>;

impl From<&Policy> for Document {
    /// The document of this policy; built again, it gives a policy of the same digest. What makes no decision (notes,
    /// bundles that no host has, how many paths are remembered) is not in it.
    fn from(policy: &Policy) -> Self {
        // Hosts whose bundles have one name trust the same; the policy's digest has the names of the last one's entries.
        let bundles: BTreeMap<_, _> = policy.hosts().map(|host| (host.bundle().name(), host.bundle())).collect();
        let entries = || bundles.values().flat_map(|bundle| bundle.entries().map(|entry| (bundle.name(), entry)));
        let mut aliases: BTreeMap<&str, Vec<&Certificate>> = BTreeMap::new();
        for (alias, entry) in entries().filter_map(|(_, entry)| Some((entry.alias()?, entry))) {
            aliases.entry(alias.as_str()).or_default().push(entry.certificate());
        }
        let unique = aliases.into_iter().filter_map(|(alias, certificates)| {
            let first = certificates.first()?;
            let same = certificates.iter().all(|other| other == first);
            same.then(|| (first.fingerprint(), (alias, first.spki_fingerprint())))
        });
        let aliases = unique.collect();
        let revocation = policy.revocation();
        let grace = revocation.grace().as_secs();
        let lists = revocation
            .lists()
            .map(|list| written::RevocationList { list: Some((&*list.to_pem()).into()), reference: None });
        let disabled = policy.disabled_users().map(|user| written::User {
            name: Some(text(user)),
            disabled: Some(true),
            note: None,
        });
        Self {
            stale_lists: numbered((grace > 0).then_some(grace)),
            hosts: numbered(policy.hosts().map(host)),
            bundles: numbered(bundles.values().map(|bundle| self::bundle(bundle))),
            certificates: numbered(entries().map(|(bundle, entry)| certificate(bundle, entry))),
            mappings: numbered(policy.mappings().iter().map(|rule| mapping(rule, &aliases))),
            users: numbered(disabled),
            assignments: numbered(policy.assignments().iter().map(assignment)),
            denials: numbered(policy.denials().into_iter().map(|one| denial(one, None))),
            revocation_lists: numbered(lists),
        }
    }
}

pub(super) fn text<const LIMIT: usize>(value: &(impl ToString + ?Sized)) -> Text<LIMIT> {
    value.to_string().as_str().into()
}

/// `None` for what is so without words.
fn unless_default<T: PartialEq + Default + Copy>(value: T, word: impl Fn(T) -> &'static str) -> Option<Text> {
    (value != T::default()).then(|| text(word(value)))
}

fn host(host: &Host) -> written::Host {
    let names = host.server_names();
    let listener = host.listener().as_str();
    written::Host {
        id: Some(text(host.id())),
        listener: (listener != "main").then(|| text(listener)),
        server_names: (!names.is_empty()).then(|| List(names.iter().map(text).collect())),
        default: (host.is_default() && !names.is_empty()).then_some(true),
        bundle: Some(text(host.bundle().name())),
        client_auth: unless_default(host.client_auth(), ClientAuth::as_str),
        untrusted: unless_default(host.untrusted(), UntrustedClients::as_str),
        hints: unless_default(host.hints(), Hints::as_str),
    }
}

fn bundle(bundle: &TrustBundle) -> written::Bundle {
    let usual = bundle.limit() == crate::limits::BUNDLE_ENTRIES;
    written::Bundle {
        name: Some(text(bundle.name())),
        // A limit that no document can have is no limit; the largest one serves.
        limit: (!usual).then(|| u32::try_from(bundle.limit()).unwrap_or(u32::MAX)),
        purpose: unless_default(bundle.purpose(), ClientPurpose::as_str),
        pin_purpose: bundle.pin_purpose().map(ClientPurpose::as_str).map(text),
        path_length: bundle.path_length(),
    }
}

fn certificate(bundle: &BundleName, entry: &Entry) -> written::Certificate {
    let kind = match entry.kind() {
        EntryKind::Anchor if entry.oddity().is_some() => "odd-anchor",
        EntryKind::Anchor => "anchor",
        EntryKind::KeyPin => "key-pin",
        EntryKind::Pin => "pin",
    };
    let names = entry.own_server_names();
    written::Certificate {
        server_names: names.map(|names| List(names.iter().map(|name| text(&name.to_str())).collect())),
        ..new_certificate(bundle, kind, entry.alias(), entry.certificate())
    }
}

pub(super) fn new_certificate(
    bundle: &BundleName,
    kind: &str,
    alias: Option<&Alias>,
    certificate: &Certificate,
) -> written::Certificate {
    written::Certificate {
        bundle: Some(text(bundle)),
        kind: Some(text(kind)),
        alias: alias.map(text),
        reference: None,
        pem: Some(text(&certificate.to_pem())),
        server_names: None,
    }
}

pub(super) fn mapping(mapping: &CertUserMapping, aliases: &Aliases<'_>) -> written::Mapping {
    written::Mapping {
        name: mapping.name().map(text),
        selector: Some(text(&named(mapping.selector(), aliases))),
        user: mapping.user().map(text),
        user_from: mapping.user().is_none().then(|| text(mapping.source())),
        exception: mapping.is_exception_over_name_rules().then_some(true),
    }
}

/// The selector's text, with names for the certificates that have one.
fn named(selector: &Selector, aliases: &Aliases<'_>) -> String {
    let written = selector.to_string();
    let mut named = String::with_capacity(written.len());
    let mut rest = written.as_str();
    // Fingerprints stand before the test, and nothing in quotes does.
    while let Some((word, after)) = rest.split_once(' ') {
        if !matches!(word, "under" | "through" | "issued-by") && !word.contains("sha256:") {
            break;
        }
        named.push_str(&name_of(word, aliases));
        named.push(' ');
        rest = after;
    }
    match (named.is_empty(), rest.starts_with("spki-sha256:")) {
        (true, true) => {
            let name = name_of(rest, aliases);
            if name.starts_with('@') { format!("key {name}") } else { name }
        }
        (true, false) => name_of(rest, aliases),
        (false, _) => named + rest,
    }
}

fn name_of(word: &str, aliases: &Aliases<'_>) -> String {
    let named = if word.starts_with("spki-") {
        // One key may be in several certificates: the first name of the alphabet serves.
        let of_key = |(_, key): &&(&str, SpkiFingerprint)| word.parse().ok() == Some(*key);
        aliases.values().filter(of_key).map(|(alias, _)| *alias).min()
    } else {
        word.parse().ok().and_then(|fingerprint: Fingerprint| aliases.get(&fingerprint)).map(|(alias, _)| *alias)
    };
    named.map_or_else(|| word.to_owned(), |alias| format!("@{alias}"))
}

pub(super) fn assignment(assignment: &RoleAssignment) -> written::Assignment {
    let (user, rule) = match assignment.holder() {
        Holder::Rule(rule) => (None, Some(text(rule))),
        Holder::User(user) => (Some(text(user)), None),
    };
    written::Assignment {
        role: Some(text(assignment.role())),
        user,
        rule,
        at_least: (assignment.least() != Strength::Name).then(|| text(&assignment.least())),
        enforcement: unless_default(assignment.enforcement(), Enforcement::as_str),
    }
}

pub(super) fn denial(denial: &Denial, note: Option<&str>) -> written::Denial {
    let serial = denial.denied_serial();
    written::Denial {
        key: denial.denied_key().map(text),
        issuer: serial.map(|(issuer, _)| text(issuer)),
        serial: serial.map(|(_, serial)| text(serial)),
        note: note.map(Into::into),
    }
}

/// An item that was in no file yet.
pub(super) fn added<T>(written: T) -> Item<T> {
    Item { written, place: Place { file: None, number: Number::Added } }
}
