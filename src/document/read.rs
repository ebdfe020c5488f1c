//! (private) Reading one item of a document: each key by its type, every failure a problem with its path.

use core::fmt::Display;
use core::str::FromStr;

use super::place::{DocumentPath, Place};
use super::reference::{Reference, References};
use super::written::{List, Text};
use super::{DocumentFault, DocumentProblem, near::near};
use crate::pem;
use crate::text::{has_private_key, repeated};

/// The keys of one item, and where problems go.
pub(super) struct Keys<'a> {
    pub(super) list: &'static str,
    pub(super) place: &'a Place,
    pub(super) problems: &'a mut Vec<DocumentProblem>,
}

impl Keys<'_> {
    pub(super) fn problem(&mut self, key: &'static str, fault: impl Into<DocumentFault>) {
        self.problem_with(key, fault, None);
    }

    /// A problem of this item that another place has a part in.
    pub(super) fn problem_with(
        &mut self,
        key: &'static str,
        fault: impl Into<DocumentFault>,
        other: Option<DocumentPath>,
    ) {
        let path = self.place.path(self.list, key);
        self.problems.push(DocumentProblem { path, others: other.into_iter().collect(), fault: fault.into() });
    }

    pub(super) fn duplicate(&mut self, key: &'static str, what: impl Display, first: &Place) {
        let fault = DocumentFault::Duplicate { what: what.to_string() };
        self.problem_with(key, fault, Some(first.path(self.list, key)));
    }

    pub(super) fn missing(&mut self, what: &'static str, cure: &'static str) {
        self.problem("", DocumentFault::Missing { what, cure });
    }

    /// The text, if there is one.
    pub(super) fn text<'t, const LIMIT: usize>(
        &mut self,
        key: &'static str,
        text: Option<&'t Text<LIMIT>>,
    ) -> Option<&'t str> {
        match text? {
            Text::Plain(text) => Some(text),
            Text::PrivateKey => {
                self.problem(key, DocumentFault::PrivateKey);
                None
            }
        }
    }

    pub(super) fn value<T: FromStr<Err: Into<DocumentFault>>>(
        &mut self,
        key: &'static str,
        text: Option<&Text>,
    ) -> Option<T> {
        let text = self.text(key, text)?;
        text.parse().map_err(|fault| self.problem(key, fault)).ok()
    }

    pub(super) fn required<T: FromStr<Err: Into<DocumentFault>>>(
        &mut self,
        key: &'static str,
        text: Option<&Text>,
        (what, cure): (&'static str, &'static str),
    ) -> Option<T> {
        if text.is_none() {
            self.missing(what, cure);
        }
        self.value(key, text)
    }

    /// What a word stands for.
    pub(super) fn word<T>(
        &mut self,
        key: &'static str,
        text: Option<&Text>,
        words: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Option<T> {
        let found = self.text(key, text)?;
        let mut known = Vec::new();
        for (word, value) in words {
            if word == found {
                return Some(value);
            }
            known.push(word);
        }
        let near = near(found, known.iter().copied());
        // A word is short; what is not is not shown whole.
        let found = found.chars().take(64).collect();
        self.problem(key, DocumentFault::UnknownWord { found, words: known, near });
        None
    }

    pub(super) fn values<T>(
        &mut self,
        key: &'static str,
        texts: Option<&List<Text>>,
        parse: impl Fn(&str) -> Result<T, DocumentFault>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        for text in &texts?.0 {
            let Some(text) = self.text(key, Some(text)) else { continue };
            match parse(text) {
                Ok(value) => values.push(value),
                Err(fault) => self.problem(key, fault),
            }
        }
        Some(values)
    }

    /// The content that is written under `key`, or that the reference stands for.
    pub(super) fn content<T, const LIMIT: usize>(
        &mut self,
        key: &'static str,
        written: Option<&Text<LIMIT>>,
        reference: Option<&Text>,
        references: &dyn References,
        parse: impl Fn(&[u8]) -> Result<T, DocumentFault>,
    ) -> Option<T> {
        match (written, reference) {
            (Some(_), None) => {
                let text = self.text(key, written)?;
                parse(text.as_bytes()).map_err(|fault| self.problem(key, fault)).ok()
            }
            (None, Some(_)) => {
                let text = self.text("reference", reference)?;
                let reference = Reference { file: self.place.file.as_ref(), text };
                match references.resolve(reference) {
                    Ok(content) if has_private_key(&content) => {
                        pem::wipe(content);
                        self.problem("reference", DocumentFault::PrivateKey);
                        None
                    }
                    Ok(content) => parse(&content).map_err(|fault| self.problem("reference", fault)).ok(),
                    Err(cause) => {
                        let (reference, cause) = (text.to_owned(), repeated(&cause.to_string()).to_owned());
                        self.problem("reference", DocumentFault::Reference { reference, cause });
                        None
                    }
                }
            }
            (Some(_), Some(_)) => {
                self.problem("", DocumentFault::Exclusive { keys: [key, "reference"] });
                None
            }
            (None, None) => {
                let what = if key == "list" { "`list` or `reference`" } else { "`certificate` or `reference`" };
                self.missing(what, "write its PEM here, or where the program finds it");
                None
            }
        }
    }
}
