//! (private) From a problem of the policy back to the place in the document where it can be mended.

use std::collections::BTreeMap;

use super::place::{DocumentPath, Item, Place};
use super::understood::Understood;
use super::{Document, DocumentFault, DocumentProblem};
use crate::cert::{Fingerprint, SpkiFingerprint};
use crate::map::{RuleName, RuleProblem, Selector};
use crate::policy::{HostId, Problem};
use crate::role::{Holder, Role};
use crate::trust::{BundleName, RevocationError};
use crate::user::UserName;

/// Where everything stands that a problem may name.
pub(super) struct Places<'a> {
    hosts: BTreeMap<&'a HostId, &'a Place>,
    bundles: BTreeMap<&'a BundleName, &'a Place>,
    certificates: BTreeMap<Fingerprint, (SpkiFingerprint, Vec<&'a Place>)>,
    selectors: BTreeMap<&'a Selector, Vec<&'a Place>>,
    rule_names: BTreeMap<&'a RuleName, Vec<&'a Place>>,
    users: BTreeMap<&'a UserName, Vec<&'a Place>>,
    roles_of_rules: BTreeMap<(&'a RuleName, &'a Role), Vec<&'a Place>>,
    lists: BTreeMap<Fingerprint, &'a Place>,
}

type Lists<'a, K> = BTreeMap<K, Vec<&'a Place>>;

impl<'a> Places<'a> {
    pub(super) fn of(document: &'a Document, understood: &'a Understood) -> Self {
        let hosts = known(&document.hosts, &understood.hosts).map(|(host, place)| (host.id(), place));
        let mut certificates: BTreeMap<_, (_, Vec<_>)> = BTreeMap::new();
        for (known, place) in known(&document.certificates, &understood.certificates) {
            let (name, key) = (known.certificate.fingerprint(), known.certificate.spki_fingerprint());
            certificates.entry(name).or_insert_with(|| (key, Vec::new())).1.push(place);
        }
        let (mut selectors, mut rule_names, mut users) = (Lists::new(), Lists::new(), Lists::new());
        for (mapping, place) in known(&document.mappings, &understood.mappings) {
            selectors.entry(mapping.selector()).or_default().push(place);
            mapping.name().into_iter().for_each(|name| rule_names.entry(name).or_default().push(place));
            mapping.user().into_iter().for_each(|user| users.entry(user).or_default().push(place));
        }
        let mut roles_of_rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (assignment, place) in known(&document.assignments, &understood.assignments) {
            if let Holder::Rule(rule) = assignment.holder() {
                roles_of_rules.entry((rule, assignment.role())).or_default().push(place);
            }
        }
        let lists = known(&document.revocation_lists, &understood.revocation_lists);
        let lists = lists.flat_map(|(lists, place)| lists.iter().map(move |list| (list.fingerprint(), place)));
        Self {
            hosts: hosts.collect(),
            bundles: understood.bundles.iter().map(|(name, (_, place))| (name, place)).collect(),
            certificates,
            selectors,
            rule_names,
            users,
            roles_of_rules,
            lists: lists.collect(),
        }
    }

    pub(super) fn locate(&self, problem: &Problem) -> DocumentProblem {
        let mut paths = self.paths(problem).into_iter();
        let path = paths.next().unwrap_or_else(|| DocumentPath::of(None, "document"));
        DocumentProblem { path, others: paths.collect(), fault: DocumentFault::Policy(Box::new(problem.clone())) }
    }

    fn paths(&self, problem: &Problem) -> Vec<DocumentPath> {
        match problem {
            Problem::AmbiguousCertificate { certificate, .. } => {
                let key = self.certificates.get(certificate).map(|(key, _)| Selector::key(*key));
                let selectors = key.into_iter().chain([Selector::certificate(*certificate)]);
                let mut paths: Vec<_> = selectors.flat_map(|selector| self.selector(&selector, "match")).collect();
                paths.sort_unstable();
                paths
            }
            Problem::DuplicateBundle { bundle } => self.bundle(bundle, "name"),
            Problem::DuplicateDefault { hosts, .. } => self.hosts(hosts, "default"),
            Problem::DuplicateHost { host } => self.hosts([host], "id"),
            Problem::DuplicateServerName { hosts, .. } => self.hosts(hosts, "server-names"),
            Problem::EmptyBundle { host, bundle } => {
                let mut paths = self.hosts([host], "bundle");
                paths.extend(self.bundle(bundle, ""));
                paths
            }
            Problem::NoServerNames { host } => self.hosts([host], "server-names"),
            Problem::NoProvider(_) | Problem::Partner { .. } => Vec::new(),
            Problem::Revocation(
                RevocationError::Algorithm { list, .. }
                | RevocationError::Signature { list, .. }
                | RevocationError::SignerMayNot { list, .. }
                | RevocationError::TooMany { list, .. },
            ) => self.lists.get(list).map(|place| place.path("revocation-lists", "")).into_iter().collect(),
            Problem::Rules(problem) => self.rules(problem),
            Problem::TooManyHints { host, .. } => self.hosts([host], "hints"),
            Problem::UnknownAnchor { selector, .. } => self.selector(selector, "match"),
            Problem::UnknownRule { role, rule, .. } => {
                let places = self.roles_of_rules.get(&(rule, role)).map(Vec::as_slice).unwrap_or_default();
                places.iter().map(|place| place.path("assignments", "rule")).collect()
            }
            Problem::UnverifiableKey { certificate, .. } => {
                let places = self.certificates.get(certificate).map(|(_, places)| places.as_slice());
                let paths = places.unwrap_or_default().iter().map(|place| place.path("certificates", ""));
                paths.collect()
            }
        }
    }

    fn rules(&self, problem: &RuleProblem) -> Vec<DocumentPath> {
        match problem {
            RuleProblem::Conflict { selector, .. } | RuleProblem::ThroughAnchor { selector, .. } => {
                self.selector(selector, "match")
            }
            // As many rules as to fill a page: the list is the place.
            RuleProblem::Crowded { .. } => vec![DocumentPath::of(None, "mappings")],
            RuleProblem::NoException { selector } => self.selector(selector, "exception"),
            RuleProblem::OverlappingReservations { rule, other, sources: _ } => {
                let mut paths = self.selector(rule, "user-from");
                paths.extend(self.selector(other, "user-from"));
                paths.sort_unstable();
                paths.dedup();
                paths
            }
            RuleProblem::ReservedUser { user, reserved_for } => {
                let places = self.users.get(user).map(Vec::as_slice).unwrap_or_default();
                let mut paths: Vec<_> = places.iter().map(|place| place.path("mappings", "user")).collect();
                paths.extend(self.selector(reserved_for, "user-from"));
                paths
            }
            RuleProblem::RuleNameTwice { name, .. } => {
                let places = self.rule_names.get(name).map(Vec::as_slice).unwrap_or_default();
                places.iter().map(|place| place.path("mappings", "name")).collect()
            }
            RuleProblem::TooLong { selector, .. } => self.selector(selector, "match"),
            RuleProblem::TemplateWithoutCa { selector, .. } => self.selector(selector, "user-from"),
        }
    }

    fn hosts<'h>(&self, ids: impl IntoIterator<Item = &'h HostId>, key: &'static str) -> Vec<DocumentPath> {
        ids.into_iter().filter_map(|id| Some(self.hosts.get(id)?.path("hosts", key))).collect()
    }

    fn bundle(&self, name: &BundleName, key: &'static str) -> Vec<DocumentPath> {
        self.bundles.get(name).map(|place| place.path("bundles", key)).into_iter().collect()
    }

    fn selector(&self, selector: &Selector, key: &'static str) -> Vec<DocumentPath> {
        let places = self.selectors.get(selector).map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|place| place.path("mappings", key)).collect()
    }
}

/// The items that were understood, and where they stand.
fn known<'a, W, T>(items: &'a [Item<W>], values: &'a [Option<T>]) -> impl Iterator<Item = (&'a T, &'a Place)> {
    items.iter().zip(values).filter_map(|(item, value)| Some((value.as_ref()?, &item.place)))
}
