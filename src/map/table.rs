//! (private) The rules, indexed: finding the rule of a certificate takes one probe per kind of selector.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::selector::Kind;
use super::{CertUserMapping, RuleName, Selector};
use crate::cert::{Fingerprint, SpkiFingerprint};
use crate::strength::Strength;
use crate::trace::{Check, Trace};
use crate::user::UserName;

/// Rules without contradiction: no two of them have the same selector.
#[derive(Debug, Default)]
pub(crate) struct MappingTable {
    certificates: HashMap<Fingerprint, Rule>,
    keys: HashMap<SpkiFingerprint, Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    user: UserName,
    name: Option<RuleName>,
}

/// What the table says of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Two rules name different users.
    Ambiguous([Matched; 2]),
    None,
    One(Matched),
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) user: UserName,
    /// The name it was given, if any.
    pub(crate) name: Option<RuleName>,
    pub(crate) selector: Selector,
}

impl Matched {
    pub(crate) fn strength(&self) -> Strength {
        self.selector.strength()
    }
}

/// Two rules of one selector that do not name the same user.
pub(crate) struct Conflict {
    pub(crate) selector: Selector,
    pub(crate) users: [UserName; 2],
}

impl MappingTable {
    /// Adds a rule; the same selector and user again changes nothing.
    pub(crate) fn insert(&mut self, mapping: &CertUserMapping) -> Result<(), Conflict> {
        let rule = Rule { user: mapping.user().clone(), name: mapping.name().cloned() };
        let present = match &mapping.selector().0 {
            Kind::Certificate(fingerprint) => place(self.certificates.entry(*fingerprint), rule),
            Kind::Key(fingerprint) => place(self.keys.entry(*fingerprint), rule),
        };
        let users = |first: UserName| [first, mapping.user().clone()];
        present.map_err(|first| Conflict { selector: mapping.selector().clone(), users: users(first) })
    }

    /// The user of a certificate, by every rule that matches it.
    pub(crate) fn lookup(&self, certificate: Fingerprint, key: SpkiFingerprint, trace: &mut impl Trace) -> Lookup {
        let exact = self.certificates.get(&certificate);
        trace.step(Check::CertificateRule, exact.is_some(), format_args!("{certificate}"));
        let by_key = self.keys.get(&key);
        trace.step(Check::KeyRule, by_key.is_some(), format_args!("{key}"));
        let exact = exact.map(|rule| rule.matched(Selector::certificate(certificate)));
        let by_key = by_key.map(|rule| rule.matched(Selector::key(key)));
        match (exact, by_key) {
            (None, None) => Lookup::None,
            (Some(one), Some(other)) if one.user != other.user => Lookup::Ambiguous([one, other]),
            // Of two rules that agree the stronger one is reported.
            (Some(one), _) | (None, Some(one)) => Lookup::One(one),
        }
    }

    /// Every rule, as selector, user and name, in no order.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (Selector, &UserName, Option<&RuleName>)> {
        let certificates = self.certificates.iter().map(|(key, rule)| (Selector::certificate(*key), rule));
        let keys = self.keys.iter().map(|(key, rule)| (Selector::key(*key), rule));
        certificates.chain(keys).map(|(selector, rule)| (selector, &rule.user, rule.name.as_ref()))
    }

    pub(crate) fn len(&self) -> usize {
        self.certificates.len() + self.keys.len()
    }
}

impl Rule {
    fn matched(&self, selector: Selector) -> Matched {
        Matched { user: self.user.clone(), name: self.name.clone(), selector }
    }
}

fn place<K>(entry: Entry<'_, K, Rule>, rule: Rule) -> Result<(), UserName> {
    match entry {
        Entry::Vacant(vacant) => {
            vacant.insert(rule);
            Ok(())
        }
        Entry::Occupied(present) if present.get().user != rule.user => Err(present.get().user.clone()),
        Entry::Occupied(mut present) => {
            // Of two rules that say the same, the one with the first name is reported, whatever their order.
            let earlier = match (&rule.name, &present.get().name) {
                (Some(name), Some(other)) => name < other,
                (name, None) => name.is_some(),
                (None, Some(_)) => false,
            };
            if earlier {
                present.insert(rule);
            }
            Ok(())
        }
    }
}
