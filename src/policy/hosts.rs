//! (private) The hosts of a policy: found by id for a decision, by listener and server name for a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Answer, PinAnswers};
use super::host_name::{Names, host_of};
use super::{Authority, Hints, Host, HostId, HostName, ListenerName, Problem};
use crate::cert::{Certificate, Fingerprint};
use crate::limits::{HINT_BYTES, HINT_ENTRIES};
use crate::trust::{BundleName, EntryKind, PinPlace, RevocationState, TrustBundle, TrustState};

/// A host and what was made of it.
#[derive(Clone, Debug)]
pub(crate) struct HostState {
    host: Host,
    trust: Arc<TrustState>,
    answers: Arc<PinAnswers>,
    hints: Arc<[Box<[u8]>]>,
    scope: Fingerprint,
}

impl HostState {
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn trust(&self) -> &TrustState {
        &self.trust
    }

    /// Who a pin is, where rules for exactly that pin say so.
    pub(crate) fn answer_about(&self, pin: PinPlace) -> Option<&Arc<Answer>> {
        self.answers.get(pin)
    }

    /// The DER of the names that are hinted.
    pub(crate) fn hints(&self) -> &Arc<[Box<[u8]>]> {
        &self.hints
    }

    /// What a session may be resumed under: this host, its bundle, and whether it asks for a certificate. What decides
    /// about every connection anyhow (denial, revocation, rules, roles) is not in it.
    pub(crate) fn scope(&self) -> Fingerprint {
        self.scope
    }
}

/// Hosts without contradiction.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostTable {
    hosts: BTreeMap<HostId, HostState>,
    listeners: BTreeMap<ListenerName, Listener>,
}

/// The hosts behind one listener.
#[derive(Clone, Debug, Default)]
struct Listener {
    names: Names<HostId>,
    default: Option<HostId>,
    hosts: usize,
}

impl HostTable {
    /// `trust` has a state for every bundle, and the answers about its pins.
    pub(super) fn new(hosts: &[Host], trust: &BTreeMap<BundleName, (Arc<TrustState>, Arc<PinAnswers>)>) -> Self {
        let mut table = Self::default();
        for host in hosts {
            let listener = table.listeners.entry(host.listener().clone()).or_default();
            listener.hosts += 1;
            for name in host.server_names() {
                listener.names.insert(name, host.id().clone());
            }
            if host.is_default() {
                listener.default = Some(host.id().clone());
            }
            let Some((trust, answers)) = trust.get(host.bundle().name()).cloned() else { continue };
            let hints = hints(host).iter().map(|name| Box::from(*name)).collect();
            let state = HostState { host: host.clone(), trust, answers, hints, scope: scope(host) };
            table.hosts.insert(host.id().clone(), state);
        }
        table
    }

    /// The same hosts under other revocation lists.
    pub(super) fn with_revocation(&self, revocation: &Arc<RevocationState>) -> Self {
        let mut trust: BTreeMap<BundleName, Arc<TrustState>> = BTreeMap::new();
        let mut next = self.clone();
        for state in next.hosts.values_mut() {
            let renewed = || Arc::new(state.trust.with_revocation(Arc::clone(revocation)));
            state.trust = Arc::clone(trust.entry(state.host.bundle().name().clone()).or_insert_with(renewed));
        }
        next
    }

    pub(crate) fn get(&self, id: &HostId) -> Option<&HostState> {
        self.hosts.get(id)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &HostState> {
        self.hosts.values()
    }

    /// The host of a connection to this listener that asked for this name: the one that has the name, else the one that
    /// has a wildcard for it, else the default host.
    pub(crate) fn select(&self, listener: &ListenerName, name: Option<&str>) -> Option<&HostState> {
        let listener = self.listeners.get(listener)?;
        let named = name.and_then(|name| listener.names.get(name).ok().flatten());
        let id = named.or(listener.default.as_ref())?;
        self.hosts.get(id)
    }

    /// True if a request for `authority` may be answered on a connection of this host: if a connection that asked for it
    /// would have been made to this host.
    pub(crate) fn answers(&self, state: &HostState, authority: Authority<'_>) -> bool {
        let Authority::Host(text) = authority else { return true };
        let (host, Some(listener)) = (state.host(), self.listeners.get(state.host().listener())) else { return false };
        match host_of(text).and_then(|name| listener.names.get(name).ok()) {
            Some(named) => named.or(listener.default.as_ref()) == Some(host.id()),
            // What is no name is nobody's, unless there is nobody else whom it could be meant for.
            None => listener.hosts == 1 && host.server_names().is_empty(),
        }
    }
}

/// Everything that is wrong with these hosts beside each other.
pub(super) fn problems(hosts: &[Host]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ids: BTreeSet<&HostId> = BTreeSet::new();
    let mut names: BTreeMap<(&ListenerName, &HostName), &HostId> = BTreeMap::new();
    let mut defaults: BTreeMap<&ListenerName, &HostId> = BTreeMap::new();
    let mut bundles: BTreeMap<&BundleName, &TrustBundle> = BTreeMap::new();
    for host in hosts {
        let (id, listener) = (host.id(), host.listener());
        if !ids.insert(id) {
            problems.push(Problem::DuplicateHost { host: id.clone() });
            continue;
        }
        if host.has_no_name_where_some_were_meant() {
            problems.push(Problem::NoServerNames { host: id.clone() });
        }
        for name in host.server_names() {
            if let Some(other) = names.insert((listener, name), id).filter(|other| *other != id) {
                let hosts = [other.clone(), id.clone()];
                problems.push(Problem::DuplicateServerName { listener: listener.clone(), name: name.clone(), hosts });
            }
        }
        if host.is_default()
            && let Some(other) = defaults.insert(listener, id)
        {
            let hosts = [other.clone(), id.clone()];
            problems.push(Problem::DuplicateDefault { listener: listener.clone(), hosts });
        }
        let bundle = host.bundle();
        if bundles.insert(bundle.name(), bundle).is_some_and(|other| !other.trusts_the_same(bundle)) {
            problems.push(Problem::DuplicateBundle { bundle: bundle.name().clone() });
        }
        let hinted = hints(host);
        // As they stand in the message: each with a length of two octets before it.
        let bytes = hinted.iter().map(|name| name.len() + 2).sum();
        if hinted.len() > HINT_ENTRIES || bytes > HINT_BYTES {
            problems.push(Problem::TooManyHints { host: id.clone(), entries: hinted.len(), bytes });
        }
    }
    problems
}

/// The names that a host hints, each once.
fn hints(host: &Host) -> BTreeSet<&[u8]> {
    let of = |kind: EntryKind, name: fn(&Certificate) -> &[u8]| {
        host.bundle().entries().filter(move |entry| entry.kind() == kind).map(move |entry| name(entry.certificate()))
    };
    let anchors = || of(EntryKind::Anchor, Certificate::subject_der);
    match host.hints() {
        Hints::None => BTreeSet::new(),
        Hints::Anchors => anchors().collect(),
        Hints::All => {
            let pins =
                of(EntryKind::Pin, Certificate::issuer_der).chain(of(EntryKind::KeyPin, Certificate::issuer_der));
            anchors().chain(pins).collect()
        }
    }
}

/// See [`HostState::scope`].
fn scope(host: &Host) -> Fingerprint {
    let mut text =
        format!("certmap scope 1\n{}\n{}\n{}\n", host.id(), host.client_auth().as_str(), host.untrusted().as_str());
    text.extend(super::digest::bundle_lines(host.bundle()));
    Fingerprint::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{Algorithms, TrustIndex};

    fn table(hosts: &[Host]) -> HostTable {
        assert_eq!(problems(hosts), []);
        let index = |host: &Host| TrustIndex::new(host.bundle(), Arc::default(), Algorithms::default());
        let trust = |host: &Host| (Arc::new(TrustState::new(index(host), Arc::default(), 0)), Arc::default());
        let trust = hosts.iter().map(|host| (host.bundle().name().clone(), trust(host)));
        HostTable::new(hosts, &trust.collect())
    }

    fn host(id: &str) -> Host {
        Host::new(id.parse().unwrap(), TrustBundle::new("b".parse().unwrap()))
    }

    fn named(id: &str, names: &[&str]) -> Host {
        host(id).with_server_names(names.iter().map(|name| name.parse::<HostName>().unwrap()))
    }

    #[test]
    fn a_name_selects_its_host_and_no_other() {
        let table = table(&[
            named("gw", &["gw.example.com", "192.0.2.1"]),
            named("wild", &["*.example.com", "*.example.org"]),
            host("fallback"),
        ]);
        let main = "main".parse().unwrap();
        let selected = |name: Option<&str>| table.select(&main, name).map(|state| state.host().id().to_string());
        for (name, expected) in [
            ("gw.example.com", "gw"),
            ("GW.Example.COM", "gw"),
            ("gw.example.com.", "gw"),
            ("192.0.2.1", "gw"),
            ("a.example.com", "wild"),
            ("A.EXAMPLE.ORG.", "wild"),
            ("example.com", "fallback"),
            ("a.b.example.com", "fallback"),
            ("*.example.com", "fallback"),
            ("gw.example.com..", "fallback"),
            ("xn--gw.example.net", "fallback"),
            ("", "fallback"),
        ] {
            assert_eq!(selected(Some(name)).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(selected(None).as_deref(), Some("fallback"));
        assert!(table.select(&"other".parse().unwrap(), Some("gw.example.com")).is_none());
    }

    #[test]
    fn what_is_no_name_is_none_of_a_host() {
        for text in
            ["", ".", "a..", "a.example..", "*.example..", "a..example", ".a", "*.", "1.2.3", "1.2.3.4.", "a b", "a:1"]
        {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
        for (text, printed) in
            [("A.example.", "a.example"), ("*.Example.", "*.example"), ("1.2.3.4", "1.2.3.4"), ("::1", "::1")]
        {
            let name: HostName = text.parse().unwrap();
            assert_eq!((name.to_string().as_str(), name.to_string().parse()), (printed, Ok(name)));
        }
    }

    #[test]
    fn without_default_host_an_unknown_name_selects_none() {
        let table = table(&[named("gw", &["gw.example.com"]), named("two", &["two.example.com"])]);
        let main = "main".parse().unwrap();
        assert!(table.select(&main, None).is_none());
        assert!(table.select(&main, Some("three.example.com")).is_none());
    }

    #[test]
    fn authorities_are_compared_without_port_brackets_dot_and_case() {
        let table = table(&[named("gw", &["gw.example.com", "::1", "192.0.2.1"]), host("fallback")]);
        let answers = |id: &str, authority: &str| {
            let state = table.get(&id.parse().unwrap()).unwrap();
            table.answers(state, Authority::Host(authority))
        };
        for good in ["gw.example.com", "GW.Example.Com.", "gw.example.com:8443", "[::1]", "[0:0::1]:443", "192.0.2.1:1"]
        {
            assert!(answers("gw", good), "{good}");
            assert!(!answers("fallback", good), "{good}");
        }
        let bad = [
            "",
            "gw.example.com..",
            "gw.example.com@evil",
            "gw.example.com:8443:1",
            "gw.example.com:x",
            "[::1",
            "[::1]x",
            "[gw.example.com]",
            "::1",
            "gw.example.com, evil",
            " gw.example.com",
            "*",
        ];
        for bad in bad {
            assert!(!answers("gw", bad) && !answers("fallback", bad), "{bad}");
        }
        for other in ["example.com", "gw.example.com.evil", "192.0.2.10"] {
            assert!(!answers("gw", other) && answers("fallback", other), "{other}");
        }
        let alone = self::table(&[host("h")]);
        let state = alone.get(&"h".parse().unwrap()).unwrap();
        assert!(["anything", "", "not a name"].iter().all(|text| alone.answers(state, Authority::Host(text))));
        assert!(alone.answers(state, Authority::NotHttp));
    }
}
