//! (private) What two policies say differently about hosts, bundles and revocation lists.

use core::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::diff::{came_and_went, differing};
use super::{Change, Effect, Place};
use crate::cert::{Certificate, Fingerprint};
use crate::map::Lookup;
use crate::policy::{ClientAuth, Host, HostId, HostState, Parts};
use crate::trace::NoTrace;
use crate::trust::{BundleName, ClientPurpose, Entry, EntryKind, TrustBundle};
use crate::user::UserName;

/// What has one value, of one place.
struct Settings {
    place: Place,
    changes: Vec<Change>,
}

impl Settings {
    fn of(place: Place) -> Self {
        Self { place, changes: Vec::new() }
    }

    fn compare(&mut self, setting: &'static str, from: String, to: String, effect: Effect) {
        if from != to {
            let place = self.place.clone();
            self.changes.push(Change::Setting { place, setting, from, to, effect });
        }
    }
}

pub(super) fn hosts(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    let ids = |parts: &Parts<'_>| parts.hosts.iter().map(|state| state.host().id().clone()).collect::<BTreeSet<_>>();
    let (before, now) = (ids(old), ids(new));
    let presence = came_and_went(&before, &now)
        .into_iter()
        .map(|(host, presence)| Change::Host { host: HostId::clone(host), presence });
    let mut changes: Vec<_> = presence.collect();
    for id in before.intersection(&now) {
        let (Some(before), Some(now)) = (old.hosts.get(id), new.hosts.get(id)) else { continue };
        changes.extend(host(before.host(), now.host()));
    }
    changes
}

fn host(old: &Host, new: &Host) -> Vec<Change> {
    let mut settings = Settings::of(Place::Host(old.id().clone()));
    let asks = |auth: ClientAuth| match auth {
        ClientAuth::None => 0,
        ClientAuth::Request => 1,
        ClientAuth::Require => 2,
    };
    let effect = demanding(asks(new.client_auth()).cmp(&asks(old.client_auth())));
    let word = |auth: ClientAuth| auth.as_str().to_owned();
    settings.compare("client-auth", word(old.client_auth()), word(new.client_auth()), effect);
    let names = |host: &Host| {
        let names: BTreeSet<_> = host.server_names().iter().map(ToString::to_string).collect();
        if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(" ") }
    };
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    for (setting, from, to) in [
        ("bundle", old.bundle().name().to_string(), new.bundle().name().to_string()),
        ("untrusted", old.untrusted().as_str().to_owned(), new.untrusted().as_str().to_owned()),
        ("listener", old.listener().to_string(), new.listener().to_string()),
        ("server-names", names(old), names(new)),
        ("default", word(old.is_default()), word(new.is_default())),
        ("hints", old.hints().as_str().to_owned(), new.hints().as_str().to_owned()),
    ] {
        settings.compare(setting, from, to, Effect::Alters);
    }
    settings.changes
}

/// What asking for more, as much or less does.
fn demanding(now: Ordering) -> Effect {
    match now {
        Ordering::Less => Effect::Widens,
        Ordering::Equal => Effect::Alters,
        Ordering::Greater => Effect::Narrows,
    }
}

type Bundles<'a> = BTreeMap<&'a BundleName, &'a TrustBundle>;

fn by_name<'a>(parts: &Parts<'a>) -> Bundles<'a> {
    let bundles = parts.hosts.iter().map(HostState::host).map(Host::bundle);
    bundles.map(|bundle| (bundle.name(), bundle)).collect()
}

/// Entries and settings of bundles, and who the pinned certificates are.
pub(super) fn bundles(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    let (before, now) = (by_name(old), by_name(new));
    let names: BTreeSet<_> = before.keys().chain(now.keys()).copied().collect();
    let mut changes = Vec::new();
    for name in names {
        let (from, to) = (before.get(name).copied(), now.get(name).copied());
        changes.extend(entries(name, from, to));
        if let (Some(from), Some(to)) = (from, to) {
            changes.extend(settings(from, to));
        }
    }
    let (from, to) = (users(old, &before), users(new, &now));
    changes.extend(differing(&from, &to).map(|(certificate, from, to)| Change::Certificate {
        certificate: *certificate,
        from: from.cloned(),
        to: to.cloned(),
    }));
    changes
}

fn entries(name: &BundleName, old: Option<&TrustBundle>, new: Option<&TrustBundle>) -> Vec<Change> {
    type Known = (EntryKind, Certificate);
    let by_fingerprint = |bundle: Option<&TrustBundle>| -> BTreeMap<Fingerprint, Known> {
        let entries = bundle.into_iter().flat_map(TrustBundle::entries);
        entries.map(|entry| (entry.certificate().fingerprint(), (entry.kind(), entry.certificate().clone()))).collect()
    };
    let (before, now) = (by_fingerprint(old), by_fingerprint(new));
    let change = |(_, from, to): (_, Option<&Known>, Option<&Known>)| {
        let (_, certificate) = to.or(from)?;
        let kind = |one: Option<&Known>| one.map(|(kind, _)| *kind);
        let (bundle, certificate) = (name.clone(), certificate.clone());
        Some(Change::Entry { bundle, certificate, from: kind(from), to: kind(to) })
    };
    differing(&before, &now).filter_map(change).collect()
}

fn settings(old: &TrustBundle, new: &TrustBundle) -> Vec<Change> {
    let mut settings = Settings::of(Place::Bundle(old.name().clone()));
    let word = |purpose: Option<ClientPurpose>| purpose.map_or("ignored", ClientPurpose::as_str).to_owned();
    let asks = |purpose: Option<ClientPurpose>| match purpose {
        None => 0,
        Some(ClientPurpose::IfStated) => 1,
        Some(ClientPurpose::Required) => 2,
    };
    for (setting, from, to) in
        [("purpose", Some(old.purpose()), Some(new.purpose())), ("pin-purpose", old.pin_purpose(), new.pin_purpose())]
    {
        settings.compare(setting, word(from), word(to), demanding(asks(to).cmp(&asks(from))));
    }
    let length = |bundle: &TrustBundle| bundle.path_length().unwrap_or(u32::MAX);
    let word = |bundle: &TrustBundle| bundle.path_length().map_or("any".to_owned(), |length| length.to_string());
    // A longer path asks for less.
    let effect = demanding(length(old).cmp(&length(new)));
    settings.compare("path-length", word(old), word(new), effect);
    let mut changes = settings.changes;
    let alias = |entry: &Entry| entry.alias().map_or("-".to_owned(), ToString::to_string);
    for entry in new.entries() {
        let certificate = entry.certificate().fingerprint();
        let Some(before) = old.find(&certificate) else { continue };
        let mut settings = Settings::of(Place::Entry { bundle: old.name().clone(), certificate });
        settings.compare("alias", alias(before), alias(entry), Effect::Alters);
        changes.extend(settings.changes);
    }
    changes
}

/// Who each pinned certificate is, by the rules for exactly it.
fn users(parts: &Parts<'_>, bundles: &Bundles<'_>) -> BTreeMap<Fingerprint, UserName> {
    let entries = bundles.values().flat_map(|bundle| bundle.entries());
    let pinned = entries.filter(|entry| entry.kind() != EntryKind::Anchor).map(Entry::certificate);
    let user = |certificate: &Certificate| {
        let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
        match parts.rules.exact(fingerprint, key, &mut NoTrace) {
            Lookup::One(rule) => Some((fingerprint, rule.user)),
            Lookup::Ambiguous(_) | Lookup::None | Lookup::TooManyTests | Lookup::Unnamed(_) => None,
        }
    };
    pinned.filter_map(user).collect()
}

pub(super) fn lists(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    let lists = |parts: &Parts<'_>| -> BTreeMap<_, _> {
        parts.revocation.lists().map(|list| (list.fingerprint(), list.issuer())).collect()
    };
    let (before, now) = (lists(old), lists(new));
    let presence = came_and_went(before.keys().copied(), now.keys().copied()).into_iter();
    let change = |(list, presence)| {
        let issuer = now.get(&list).or_else(|| before.get(&list))?.clone();
        Some(Change::List { list, issuer, presence })
    };
    let mut changes: Vec<_> = presence.filter_map(change).collect();
    let mut settings = Settings::of(Place::Policy);
    let (from, to) = (old.revocation.grace(), new.revocation.grace());
    let word = |grace: core::time::Duration| format!("{} s", grace.as_secs());
    // A longer grace asks for less.
    settings.compare("crl-grace", word(from), word(to), demanding(from.cmp(&to)));
    changes.extend(settings.changes);
    changes
}
