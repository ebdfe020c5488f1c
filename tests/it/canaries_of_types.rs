//! Every public type that can be shown is shown where keys, passwords and hostile text are about, or has no room for any. What
//! is watched for, and how, is in `canaries`; the values are in `canaries_of_values` and `canaries_of_answers`.

use std::any::type_name;
use std::collections::BTreeSet;
use std::mem::needs_drop;

use crate::canaries::Watch;
use crate::canaries_of_values::World;
use crate::common::data;
use crate::{canaries_of_answers, canaries_of_values};

/// The name of a type that borrows nothing.
fn plain<T: 'static>() -> &'static str {
    type_name::<T>()
}

/// The types that have no room for a secret or for what others wrote: they have nothing on the heap and borrow nothing.
macro_rules! roomless {
    ($($kind:ty),+ $(,)?) => {
        $(const _: () = assert!(!needs_drop::<$kind>(), stringify!($kind));)+

        fn roomless() -> Vec<&'static str> {
            vec![$(plain::<$kind>()),+]
        }
    };
}

roomless! {
    // One word of a list.
    certmap::Enforcement,
    certmap::NewKey,
    certmap::RefusalCode,
    certmap::Strength,
    certmap::cert::Effect,
    certmap::cert::Peer,
    certmap::cert::RemarkCode,
    certmap::cert::RevocationReason,
    certmap::cert::Usage,
    certmap::decision::RecordOutcome,
    certmap::document::AddedAs,
    certmap::identity::ForeignFile,
    certmap::identity::Format,
    certmap::map::NotRenewed,
    certmap::map::Quantifier,
    certmap::policy::ClientAuth,
    certmap::policy::Hints,
    certmap::policy::UntrustedClients,
    certmap::review::Effect,
    certmap::review::FindingCode,
    certmap::review::HintFit,
    certmap::review::Presence,
    certmap::review::RotationKey,
    certmap::review::Turn,
    certmap::testing::KeyUsageBit,
    certmap::tls::End,
    certmap::tls::ExtendedMasterSecret,
    certmap::tls::NoCaller,
    certmap::tls::TroubleKind,
    certmap::trust::ClientPurpose,
    certmap::trust::EntryKind,
    certmap::trust::PathPlace,
    // Two such words.
    certmap::cert::Reaction,
    certmap::review::Terms,
    // Nothing at all.
    certmap::NoCryptoProvider,
    certmap::document::NoReferences,
    certmap::review::NoRotation,
    // Numbers and times.
    certmap::cert::Revoked,
    certmap::cert::Validity,
    certmap::live::TooManyCallers,
    certmap::policy::Guard,
    certmap::policy::Tripped,
    certmap::review::KeepOld,
    certmap::review::LastSeen,
    certmap::testing::TestClock,
    certmap::tls::InvalidLifetime,
    // Digests of what is public.
    certmap::Fingerprint,
    certmap::PolicyDigest,
    certmap::SpkiFingerprint,
    certmap::policy::Overtaken,
}

/// The types of which the list of the public API says that they have this trait.
fn public(of: &str) -> BTreeSet<String> {
    let api = String::from_utf8(data("public-api.txt")).unwrap();
    let of = format!(" core::{of} for ");
    let found = api.lines().filter(|line| line.starts_with("impl")).filter_map(|line| line.split_once(&of));
    found.map(|(_, path)| path.split('<').next().unwrap().to_owned()).collect()
}

/// The public path of the type that the compiler calls so: the last word is the same, and where two types have that word,
/// so is the module. `None` for types of others.
fn path<'a>(name: &str, public: &'a BTreeSet<String>) -> Option<&'a str> {
    let name = name.trim_start_matches('&').strip_prefix("certmap::")?.split('<').next()?;
    let module = name.split("::").next()?;
    let same: Vec<_> = public.iter().filter(|path| path.rsplit("::").next() == name.rsplit("::").next()).collect();
    match &same[..] {
        [] => None,
        [path] => Some(path),
        several => {
            let of_module = format!("certmap::{module}::");
            let mut one = several.iter().filter(|path| path.starts_with(&of_module));
            let found = one.next().unwrap_or_else(|| panic!("{name} is none of {several:?}"));
            assert!(one.next().is_none(), "{name} is several of {several:?}");
            Some(found)
        }
    }
}

fn paths(names: impl IntoIterator<Item = &'static str>, public: &BTreeSet<String>) -> BTreeSet<&str> {
    names.into_iter().filter_map(|name| path(name, public)).collect()
}

/// Compares the types that were shown by this trait with those that can be.
#[track_caller]
fn complete(of: &str, shown: &BTreeSet<&'static str>) {
    let public = public(of);
    let shown = paths(shown.iter().copied(), &public);
    let listed = paths(roomless(), &public);
    let twice: Vec<_> = shown.intersection(&listed).collect();
    assert!(twice.is_empty(), "shown, so there is no need to list: {twice:#?}");
    let seen = |path: &&String| shown.contains(path.as_str()) || listed.contains(path.as_str());
    let missing: Vec<_> = public.iter().filter(|path| !seen(path)).collect();
    assert!(missing.is_empty(), "{of}, neither shown nor without room: {missing:#?}");
}

#[test]
fn types_of_one_name_are_told_apart() {
    let public = public("fmt::Debug");
    assert!(public.len() > 200, "{}", public.len());
    for (name, expected) in [
        (type_name::<certmap::cert::Effect>(), Some("certmap::cert::Effect")),
        (type_name::<certmap::review::Effect>(), Some("certmap::review::Effect")),
        (type_name::<&certmap::live::Change<u8>>(), Some("certmap::live::Change")),
        (type_name::<certmap::document::Change>(), Some("certmap::document::Change")),
        (type_name::<certmap::decision::Peer>(), Some("certmap::decision::Peer")),
        (type_name::<certmap::decision::AccessLine>(), Some("certmap::AccessLine")),
        (type_name::<certmap::Import<'_>>(), Some("certmap::Import")),
        (type_name::<certmap::rustls::Error>(), None),
        (type_name::<Option<certmap::Role>>(), None),
    ] {
        assert_eq!(path(name, &public), expected, "{name}");
    }
}

#[test]
fn whatever_can_be_shown_tells_of_no_key_and_obeys_no_stranger() {
    let mut watch = Watch::new();
    let world = World::new(&mut watch);
    canaries_of_values::show(&mut watch, &world);
    canaries_of_answers::show(&mut watch, &world);
    complete("fmt::Debug", &watch.debugged);
    complete("fmt::Display", &watch.displayed);
    complete("error::Error", &watch.errors);
}
