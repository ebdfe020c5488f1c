//! (private) A document understood: each item as the value that it means, as far as it means one.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use super::kind::AddedAs;
use super::names::Names;
use super::near::Guesses;
use super::place::{DocumentPath, Item, Place};
use super::read::Keys;
use super::reference::References;
use super::trouble::Places;
use super::{Document, DocumentError, DocumentFault, DocumentProblem, written};
use crate::cert::{Certificate, RevocationList};
use crate::map::{CertUserMapping, RuleName, UserSource};
use crate::policy::{
    ClientAuth, Hints, Host, HostId, HostName, ListenerName, Policy, PolicyBuilder, PolicyError, Problem,
    UntrustedClients,
};
use crate::role::{Enforcement, Holder, RoleAssignment};
use crate::strength::Strength;
use crate::trust::{Alias, BundleName, ClientPurpose, Denial, Revocation, TrustBundle, TrustError};
use crate::user::UserName;

/// Each list has one place for each item of the document's, `None` for what cannot be understood.
pub(super) struct Understood {
    pub(super) problems: Vec<DocumentProblem>,
    pub(super) bundles: BTreeMap<BundleName, (TrustBundle, Place)>,
    pub(super) certificates: Vec<Option<Known>>,
    pub(super) hosts: Vec<Option<Host>>,
    pub(super) mappings: Vec<Option<CertUserMapping>>,
    pub(super) users: Vec<Option<UserName>>,
    pub(super) assignments: Vec<Option<RoleAssignment>>,
    pub(super) denials: Vec<Option<Denial>>,
    pub(super) revocation_lists: Vec<Option<Vec<RevocationList>>>,
    guesses: Guesses,
}

/// A certificate that could be read.
pub(super) struct Known {
    pub(super) bundle: BundleName,
    pub(super) kind: AddedAs,
    pub(super) alias: Option<Alias>,
    pub(super) certificate: Certificate,
}

impl Understood {
    pub(super) fn of(document: &Document, references: &dyn References) -> Self {
        let mut understood = Self {
            problems: Vec::new(),
            bundles: BTreeMap::new(),
            certificates: Vec::new(),
            hosts: Vec::new(),
            mappings: Vec::new(),
            users: Vec::new(),
            assignments: Vec::new(),
            denials: Vec::new(),
            revocation_lists: Vec::new(),
            guesses: Guesses::new(),
        };
        let mut stale_lists = document.stale_lists.iter();
        if let Some(first) = stale_lists.next() {
            let others = stale_lists.filter(|item| item.written != first.written);
            understood.problems.extend(others.map(|item| DocumentProblem {
                path: stale_path(&item.place),
                others: vec![stale_path(&first.place)],
                fault: DocumentFault::Duplicate { what: "`danger-stale-lists-seconds` with another number".to_owned() },
            }));
        }
        understood.read_bundles(&document.bundles);
        understood.read_certificates(&document.certificates, references);
        understood.read_hosts(&document.hosts);
        understood.read_mappings(document);
        understood.read_users(&document.users);
        understood.read_assignments(&document.assignments);
        understood.read_denials(&document.denials);
        understood.read_revocation_lists(&document.revocation_lists, references);
        understood
    }

    fn read_bundles(&mut self, items: &[Item<written::Bundle>]) {
        for Item { written, place } in items {
            let mut keys = Keys { list: "bundles", place, problems: &mut self.problems };
            let name = keys.required("name", written.name.as_ref(), ("`name`", "give the bundle one"));
            let purposes = || [ClientPurpose::IfStated, ClientPurpose::Required].map(|one| (one.as_str(), one));
            let purpose = keys.word("purpose", written.purpose.as_ref(), purposes());
            let pin_purpose = keys.word("pin-purpose", written.pin_purpose.as_ref(), purposes());
            let Some(name): Option<BundleName> = name else { continue };
            if let Some((_, first)) = self.bundles.get(&name) {
                keys.duplicate("name", format_args!("bundle `{name}`"), first);
                continue;
            }
            let mut bundle = match written.limit.and_then(|limit| usize::try_from(limit).ok()) {
                Some(limit) => TrustBundle::with_limit(name.clone(), limit),
                None => TrustBundle::new(name.clone()),
            };
            bundle = bundle.with_purpose(purpose.unwrap_or_default());
            if let Some(purpose) = pin_purpose {
                bundle = bundle.with_pin_purpose(purpose);
            }
            if let Some(length) = written.path_length {
                bundle = bundle.with_path_length(length);
            }
            self.bundles.insert(name, (bundle, place.clone()));
        }
    }

    fn read_certificates(&mut self, items: &[Item<written::Certificate>], references: &dyn References) {
        let mut first: BTreeMap<_, &Place> = BTreeMap::new();
        let mut first_alias: BTreeMap<(BundleName, Alias), &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "certificates", place, problems: &mut self.problems };
            let cure = ("`bundle`", "say in which bundle it is");
            let bundle: Option<BundleName> = keys.required("bundle", written.bundle.as_ref(), cure);
            let kinds = AddedAs::ALL.iter().map(|kind| (kind.as_str(), *kind));
            let kind = keys.word("kind", written.kind.as_ref(), kinds);
            if written.kind.is_none() {
                keys.missing("`kind`", "say as what it is believed: `pin`, `key-pin`, `anchor` or `odd-anchor`");
            }
            let alias: Option<Alias> = keys.value("alias", written.alias.as_ref());
            let parse = |name: &str| ServerName::try_from(name.to_owned()).map_err(|_| DocumentFault::ServerName);
            let names = keys.values("server-names", written.server_names.as_ref(), parse);
            let read = |pem: &[u8]| Certificate::from_pem(pem).map_err(DocumentFault::from);
            let (inline, elsewhere) = (written.pem.as_ref(), written.reference.as_ref());
            let certificate = keys.content("certificate", inline, elsewhere, references, read);
            let (Some(bundle), Some(kind), Some(certificate)) = (bundle, kind, certificate) else {
                self.certificates.push(None);
                continue;
            };
            let key = if written.pem.is_some() { "certificate" } else { "reference" };
            let here = (bundle.clone(), certificate.fingerprint());
            match self.bundles.get_mut(&bundle) {
                None => {
                    let near = near_bundle(&bundle, &self.bundles, &self.guesses);
                    keys.problem("bundle", DocumentFault::UnknownBundle { bundle: bundle.clone(), near });
                }
                Some((trusted, _)) => {
                    let entry = kind.entry(certificate.clone()).map(|entry| match alias.clone() {
                        Some(alias) => entry.with_alias(alias),
                        None => entry,
                    });
                    let entry = entry.map(|entry| match names {
                        Some(names) => entry.with_server_names(names),
                        None => entry,
                    });
                    match entry.and_then(|entry| trusted.add(entry)) {
                        Ok(_) => {
                            first.insert(here, place);
                            first_alias.extend(alias.clone().map(|alias| ((bundle.clone(), alias), place)));
                        }
                        Err(error @ TrustError::DuplicateAlias { .. }) => {
                            let other = alias.clone().and_then(|alias| first_alias.get(&(bundle.clone(), alias)));
                            keys.problem_with("alias", error, other.map(|place| place.path("certificates", "alias")));
                        }
                        Err(TrustError::Duplicate { .. }) if first.contains_key(&here) => {
                            let what = format!("certificate {} of bundle `{bundle}`", here.1);
                            first.get(&here).into_iter().for_each(|first| keys.duplicate(key, &what, first));
                        }
                        Err(error) => keys.problem(key, error),
                    }
                }
            }
            self.certificates.push(Some(Known { bundle, kind, alias, certificate }));
        }
    }

    fn read_hosts(&mut self, items: &[Item<written::Host>]) {
        let mut shared: BTreeMap<BundleName, Arc<TrustBundle>> = BTreeMap::new();
        let mut first: BTreeMap<HostId, &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "hosts", place, problems: &mut self.problems };
            let id: Option<HostId> = keys.required("id", written.id.as_ref(), ("`id`", "give the host one"));
            let listener: Option<ListenerName> = keys.value("listener", written.listener.as_ref());
            let parse = |name: &str| name.parse::<HostName>().map_err(DocumentFault::from);
            let names = keys.values("server-names", written.server_names.as_ref(), parse);
            let cure = ("`bundle`", "say which bundle the host believes");
            let name: Option<BundleName> = keys.required("bundle", written.bundle.as_ref(), cure);
            let modes = [ClientAuth::None, ClientAuth::Request, ClientAuth::Require].map(|mode| (mode.as_str(), mode));
            let client_auth = keys.word("client-auth", written.client_auth.as_ref(), modes);
            let all = [UntrustedClients::LetDecide, UntrustedClients::RefuseInHandshake].map(|one| (one.as_str(), one));
            let untrusted = keys.word("untrusted", written.untrusted.as_ref(), all);
            let all = [Hints::All, Hints::Anchors, Hints::None].map(|hints| (hints.as_str(), hints));
            let hints = keys.word("hints", written.hints.as_ref(), all);
            let bundle = name.and_then(|name| {
                let Some((bundle, _)) = self.bundles.get(&name) else {
                    let near = near_bundle(&name, &self.bundles, &self.guesses);
                    keys.problem("bundle", DocumentFault::UnknownBundle { bundle: name, near });
                    return None;
                };
                Some(Arc::clone(shared.entry(name).or_insert_with(|| Arc::new(bundle.clone()))))
            });
            if let Some(id) = &id
                && let Some(first) = first.get(id)
            {
                keys.duplicate("id", format_args!("host `{id}`"), first);
                self.hosts.push(None);
                continue;
            }
            first.extend(id.clone().map(|id| (id, place)));
            let (Some(id), Some(bundle)) = (id, bundle) else {
                self.hosts.push(None);
                continue;
            };
            let mut host = Host::new(id, bundle)
                .with_client_auth(client_auth.unwrap_or_default())
                .with_untrusted(untrusted.unwrap_or_default())
                .with_hints(hints.unwrap_or_default());
            if let Some(listener) = listener {
                host = host.with_listener(listener);
            }
            if let Some(names) = names {
                host = host.with_server_names(names);
            }
            if written.default == Some(true) {
                host = host.as_default();
            }
            self.hosts.push(Some(host));
        }
    }

    fn read_mappings(&mut self, document: &Document) {
        let names = Names::of(document, &self.certificates);
        let mut first: BTreeMap<_, &Place> = BTreeMap::new();
        for Item { written, place } in &document.mappings {
            let mut keys = Keys { list: "mappings", place, problems: &mut self.problems };
            let name: Option<RuleName> = keys.value("name", written.name.as_ref());
            if written.selector.is_none() {
                keys.missing("`match`", "say what in a certificate identifies the user");
            }
            let text = keys.text("match", written.selector.as_ref());
            let selector = text.and_then(|text| match names.selector(text) {
                // The certificate has its own problem; that its name stands for nothing follows from it.
                Err(_) if names.stood_for_unread() => None,
                other => other.map_err(|cause| keys.problem("match", cause)).ok(),
            });
            let user: Option<UserName> = keys.value("user", written.user.as_ref());
            let template: Option<UserSource> = keys.value("user-from", written.user_from.as_ref());
            match (&written.user, &written.user_from) {
                (Some(_), Some(_)) => keys.problem("", DocumentFault::Exclusive { keys: ["user", "user-from"] }),
                (None, None) => keys.missing("`user` or `user-from`", "say which user it is"),
                _ => {}
            }
            let source = user.map(UserSource::from).or(template);
            let mapping = selector.zip(source).map(|(selector, source)| {
                let mut mapping = CertUserMapping::from_source(selector, source);
                if let Some(name) = name {
                    mapping = mapping.with_name(name);
                }
                if written.exception == Some(true) { mapping.as_exception_over_name_rules() } else { mapping }
            });
            if let Some(mapping) = &mapping {
                let key = (mapping.selector().clone(), mapping.source().clone(), mapping.name().cloned());
                if let Some(first) = first.get(&key) {
                    keys.duplicate("match", "this mapping", first);
                } else {
                    first.insert(key, place);
                }
            }
            self.mappings.push(mapping);
        }
    }

    fn read_users(&mut self, items: &[Item<written::User>]) {
        let mut first: BTreeMap<UserName, &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "users", place, problems: &mut self.problems };
            keys.text("note", written.note.as_ref());
            let user: Option<UserName> = keys.required("name", written.name.as_ref(), ("`name`", "say who it is"));
            if let Some(user) = &user {
                if let Some(first) = first.get(user) {
                    keys.duplicate("name", format_args!("user `{user}`"), first);
                } else {
                    first.insert(user.clone(), place);
                }
            }
            self.users.push(user);
        }
    }

    fn read_assignments(&mut self, items: &[Item<written::Assignment>]) {
        let mut first: BTreeMap<RoleAssignment, &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "assignments", place, problems: &mut self.problems };
            let role = keys.required("role", written.role.as_ref(), ("`role`", "say which"));
            let user = keys.value("user", written.user.as_ref()).map(Holder::User);
            let all_of = keys.value("rule", written.rule.as_ref()).map(Holder::Rule);
            match (&written.user, &written.rule) {
                (Some(_), Some(_)) => keys.problem("", DocumentFault::Exclusive { keys: ["user", "rule"] }),
                (None, None) => keys.missing("`user` or `rule`", "say who has the role"),
                _ => {}
            }
            let all = Strength::ALL.iter().map(|strength| (strength.as_str(), *strength));
            let least = keys.word("at-least", written.at_least.as_ref(), all);
            let all = Enforcement::ALL.iter().map(|one| (one.as_str(), *one));
            let enforcement = keys.word("enforcement", written.enforcement.as_ref(), all);
            let assignment = user.or(all_of).zip(role).map(|(holder, role)| {
                let assignment = RoleAssignment::to(holder, role).at_least(least.unwrap_or(Strength::Name));
                assignment.with_enforcement(enforcement.unwrap_or_default())
            });
            if let Some(assignment) = &assignment {
                if let Some(first) = first.get(assignment) {
                    keys.duplicate("role", "this assignment", first);
                } else {
                    first.insert(assignment.clone(), place);
                }
            }
            self.assignments.push(assignment);
        }
    }

    fn read_denials(&mut self, items: &[Item<written::Denial>]) {
        let mut first: BTreeMap<String, &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "denials", place, problems: &mut self.problems };
            keys.text("note", written.note.as_ref());
            let key = keys.value("key", written.key.as_ref()).map(Denial::key);
            let issuer = keys.value("issuer", written.issuer.as_ref());
            let serial = keys.value("serial", written.serial.as_ref());
            match (&written.key, &written.issuer, &written.serial) {
                (Some(_), Some(_), _) => keys.problem("", DocumentFault::Exclusive { keys: ["key", "issuer"] }),
                (Some(_), None, Some(_)) => keys.problem("", DocumentFault::Exclusive { keys: ["key", "serial"] }),
                (Some(_), None, None) | (None, Some(_), Some(_)) => {}
                (None, Some(_), None) => keys.missing("`serial`", "an issuer alone denies nobody"),
                (None, None, Some(_)) => keys.missing("`issuer`", "every CA numbers its own certificates"),
                (None, None, None) => keys.missing("`key`, or `issuer` and `serial`", "say who is denied"),
            }
            let denial = key.or_else(|| issuer.zip(serial).map(|(issuer, serial)| Denial::serial(issuer, serial)));
            if let Some(denial) = &denial {
                if let Some(first) = first.get(&denial.to_string()) {
                    keys.duplicate("", "this denial", first);
                } else {
                    first.insert(denial.to_string(), place);
                }
            }
            self.denials.push(denial);
        }
    }

    fn read_revocation_lists(&mut self, items: &[Item<written::RevocationList>], references: &dyn References) {
        let mut first: BTreeMap<_, &Place> = BTreeMap::new();
        for Item { written, place } in items {
            let mut keys = Keys { list: "revocation-lists", place, problems: &mut self.problems };
            let parse = |pem: &[u8]| RevocationList::all_from_pem(pem).map_err(DocumentFault::from);
            let (inline, elsewhere) = (written.list.as_ref(), written.reference.as_ref());
            let lists = keys.content("list", inline, elsewhere, references, parse);
            for list in lists.iter().flatten().map(RevocationList::fingerprint) {
                if let Some(first) = first.get(&list) {
                    keys.duplicate("", format_args!("revocation list {list}"), first);
                } else {
                    first.insert(list, place);
                }
            }
            self.revocation_lists.push(lists);
        }
    }

    /// Everything that is wrong with the document, also what only follows from something else.
    pub(super) fn all_problems(
        mut self,
        document: &Document,
        provider: Option<&CryptoProvider>,
    ) -> Vec<DocumentProblem> {
        if let Err(error) = self.policy(document, provider) {
            let places = Places::of(document, &self);
            let told = error.problems().iter().filter(|problem| !self.needs_a_host(problem));
            let found: Vec<_> = told.map(|problem| places.locate(problem)).collect();
            self.problems.extend(found);
        }
        self.problems
    }

    pub(super) fn build(
        mut self,
        document: &Document,
        provider: Option<&CryptoProvider>,
    ) -> Result<Policy, DocumentError> {
        match self.policy(document, provider) {
            Ok(policy) => DocumentError::check(self.problems).map(|()| policy),
            Err(error) => {
                let places = Places::of(document, &self);
                let follows = self.following();
                let told = error.problems().iter().filter(|problem| !self.needs_a_host(problem) && !follows(problem));
                let found: Vec<_> = told.map(|problem| places.locate(problem)).collect();
                // INVARIANT: what follows from another problem is left out only where that problem is there.
                self.problems.extend(found);
                Err(DocumentError::of(self.problems))
            }
        }
    }

    fn policy(&mut self, document: &Document, provider: Option<&CryptoProvider>) -> Result<Policy, PolicyError> {
        if document.hosts.is_empty() {
            let (what, cure) = ("a host", "add one, because nobody can connect to none");
            let path = DocumentPath::of(None, "hosts");
            self.problems.push(DocumentProblem::new(path, DocumentFault::Missing { what, cure }));
        }
        let builder = self.builder(document);
        match provider {
            Some(provider) => builder.build_with_provider(provider),
            None => builder.build(),
        }
    }

    fn builder(&self, document: &Document) -> PolicyBuilder {
        let mut hosts = self.hosts.iter().flatten().cloned();
        let mut builder = hosts.next().map_or_else(PolicyBuilder::new, PolicyBuilder::for_host);
        builder = hosts.fold(builder, PolicyBuilder::host);
        let grace = document.stale_lists.iter().map(|item| item.written).min();
        let mut revocation = Revocation::new();
        self.revocation_lists.iter().flatten().flatten().for_each(|list| revocation.add(list.clone()));
        revocation = revocation.danger_accept_stale_lists(Duration::from_secs(grace.unwrap_or_default()));
        let users = document.users.iter().zip(&self.users);
        let disabled =
            users.filter(|(item, _)| item.written.disabled == Some(true)).filter_map(|(_, user)| user.clone());
        builder = builder
            .mappings(self.mappings.iter().flatten().cloned())
            .assignments(self.assignments.iter().flatten().cloned())
            .denials(self.denials.iter().flatten().cloned())
            .revocation(revocation);
        disabled.fold(builder, PolicyBuilder::disabled_user)
    }

    /// True if the policy has this problem only because the document has no host that can be understood.
    fn needs_a_host(&self, problem: &Problem) -> bool {
        self.hosts.iter().all(Option::is_none)
            && matches!(problem, Problem::EmptyBundle { .. } | Problem::UnknownAnchor { .. })
    }

    /// Whether the policy has a problem only because something of the document was not understood. Looks through the document
    /// once, whatever the number of problems.
    fn following(&self) -> impl Fn(&Problem) -> bool + use<> {
        let trust = self.certificates.iter().any(Option::is_none)
            || self.hosts.iter().any(Option::is_none)
            || self.problems.iter().any(|problem| matches!(problem.fault, DocumentFault::Trust(_)));
        let rules = self.mappings.iter().any(Option::is_none);
        move |problem| match problem {
            Problem::EmptyBundle { .. } | Problem::UnknownAnchor { .. } => trust,
            Problem::UnknownRule { .. } => rules,
            _ => false,
        }
    }
}

/// Where `danger-stale-lists-seconds` stands.
fn stale_path(place: &Place) -> DocumentPath {
    DocumentPath::of(place.file.clone(), "danger-stale-lists-seconds")
}

fn near_bundle(
    name: &BundleName,
    bundles: &BTreeMap<BundleName, (TrustBundle, Place)>,
    guesses: &Guesses,
) -> Option<BundleName> {
    guesses.near(name.as_str(), bundles.keys().map(BundleName::as_str)).and_then(|near| near.parse().ok())
}
