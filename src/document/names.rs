//! (private) The names that rules may use: the aliases of a document's certificates.

use core::cell::Cell;
use std::collections::BTreeMap;

use super::near::Guesses;
use super::place::Item;
use super::understood::Known;
use super::{Document, written};
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::map::{InvalidSelector, Named, Selector};

/// The aliases of a document's certificates.
pub(super) struct Names<'a> {
    /// The entries of each alias; `None` where the certificate cannot be read.
    entries: BTreeMap<&'a str, Vec<(&'a str, Option<&'a Certificate>)>>,
    /// True if a name stood for a certificate that cannot be read.
    unread: Cell<bool>,
    guesses: Guesses,
}

impl<'a> Names<'a> {
    pub(super) fn of(document: &'a Document, certificates: &'a [Option<Known>]) -> Self {
        let mut entries: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (Item { written, .. }, known) in document.certificates.iter().zip(certificates) {
            if let (Some(written::Text::Plain(alias)), Some(written::Text::Plain(bundle))) =
                (&written.alias, &written.bundle)
            {
                let certificate = known.as_ref().map(|known| &known.certificate);
                entries.entry(&**alias).or_default().push((&**bundle, certificate));
            }
        }
        Self { entries, unread: Cell::new(false), guesses: Guesses::new() }
    }

    pub(super) fn selector(&self, text: &str) -> Result<Selector, InvalidSelector> {
        self.unread.set(false);
        Selector::with_names(text, &|name| self.find(name))
    }

    /// True if the last selector failed only because a certificate cannot be read.
    pub(super) fn stood_for_unread(&self) -> bool {
        self.unread.get()
    }

    /// `alias`, or `bundle/alias` where entries of several bundles have it.
    fn find(&self, name: &str) -> Named {
        let (bundle, alias) = name.split_once('/').map_or((None, name), |(bundle, alias)| (Some(bundle), alias));
        let named = self.entries.get(alias).map(Vec::as_slice).unwrap_or_default();
        let mut fitting = named.iter().filter(|(of, _)| bundle.is_none_or(|bundle| bundle == *of));
        let Some((bundle_of_first, first)) = fitting.next() else {
            let near = self.guesses.near(alias, self.entries.keys().copied());
            let near = near.map_or_else(String::new, |near| format!(", is `{near}` meant?"));
            return Err(format!("no certificate has this alias{near}"));
        };
        let others: Vec<_> = fitting.filter(|(_, other)| *other != *first).collect();
        // Two in one bundle are a problem of their own, as one that cannot be read is.
        let (Some(certificate), false) = (first, others.iter().any(|(other, _)| other == bundle_of_first)) else {
            self.unread.set(true);
            return Err("it cannot be read".to_owned());
        };
        if !others.is_empty() {
            return Err("several bundles have one, write `@`, the bundle, `/` and the alias".to_owned());
        }
        Ok((certificate.fingerprint(), certificate.spki_fingerprint()))
    }

    /// The name of this certificate, if it has one that no other has.
    pub(super) fn unique(&self) -> BTreeMap<Fingerprint, (&'a str, SpkiFingerprint)> {
        let unique = |(alias, entries): (&&'a str, &Vec<(&'a str, Option<&'a Certificate>)>)| {
            let (_, first) = entries.first()?;
            let certificate = (*first)?;
            let same = entries.iter().all(|(_, other)| *other == Some(certificate));
            same.then(|| (certificate.fingerprint(), (*alias, certificate.spki_fingerprint())))
        };
        self.entries.iter().filter_map(unique).collect()
    }
}
