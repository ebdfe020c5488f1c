//! (private) Which changes could matter to one peer.

use std::collections::BTreeSet;

use rustls::pki_types::UnixTime;

use super::{Change, Difference, Place};
use crate::cert::{Certificate, DistinguishedName, Fingerprint};
use crate::decision::{Decision, Evidence, RefusalCode};
use crate::map::Selector;
use crate::policy::HostId;
use crate::role::Holder;
use crate::trust::{BundleName, Entry, EntryKind};
use crate::user::UserName;

/// What a peer is, seen from a list of changes.
struct Peer {
    host: HostId,
    /// Those of its host, before and now.
    bundles: BTreeSet<BundleName>,
    /// What it presented, own certificate first, and the anchors with the name of an issuer.
    chain: Vec<Certificate>,
    /// The names of all issuers.
    issuers: Vec<DistinguishedName>,
    /// Who it was and is.
    users: Vec<UserName>,
    names: Vec<Holder>,
    /// Another host has, before or now, the name that it asked for.
    misdirected: bool,
}

impl Difference<'_> {
    /// The changes that could be why the decision about this peer is another one: if it is, there is at least one.
    ///
    /// A change among them need not be a cause.
    #[must_use]
    pub fn concerning(&self, evidence: &Evidence, now: UnixTime) -> Vec<&Change> {
        let peer = self.peer(evidence, now);
        self.changes().iter().filter(|change| peer.concerned_by(change)).collect()
    }

    fn peer(&self, evidence: &Evidence, now: UnixTime) -> Peer {
        let policies = [self.old, self.new];
        let hosts = || policies.iter().filter_map(|policy| policy.host(evidence.host()));
        let presented = evidence.chain().iter().filter_map(|der| Certificate::from_der(der).ok());
        let mut chain: Vec<_> = presented.collect();
        let issuers: Vec<_> = chain.iter().map(Certificate::issuer).collect();
        let anchors =
            hosts().flat_map(|host| host.bundle().entries()).filter(|entry| entry.kind() == EntryKind::Anchor);
        let named = anchors.map(Entry::certificate).filter(|anchor| issuers.contains(&anchor.subject()));
        chain.extend(named.cloned().collect::<Vec<_>>());
        let decisions = policies.map(|policy| policy.decide(evidence, now));
        let users = decisions.iter().filter_map(|decision| Some(decision.principal()?.user().clone()));
        Peer {
            host: evidence.host().clone(),
            bundles: hosts().map(|host| host.bundle().name().clone()).collect(),
            users: users.collect(),
            misdirected: decisions
                .iter()
                .filter_map(Decision::refusal)
                .any(|one| one.code() == RefusalCode::Misdirected),
            names: self.rule_names(&chain),
            issuers,
            chain,
        }
    }

    /// The names of the rules of both policies that could match.
    fn rule_names(&self, chain: &[Certificate]) -> Vec<Holder> {
        let rules = [self.old, self.new].into_iter().flat_map(|policy| policy.table().rules());
        let matching = rules.filter(|rule| could_match(rule.selector, chain));
        matching.flat_map(|rule| rule.names.iter().cloned()).map(Holder::Rule).collect()
    }
}

/// True if the rule names the certificate or one of its anchors.
fn could_match(selector: &Selector, chain: &[Certificate]) -> bool {
    let Some(own) = chain.first() else { return false };
    if let Some(ca) = selector.ca() {
        return chain.iter().any(|certificate| certificate.fingerprint() == ca.anchor());
    }
    let exact = forms(own).map(Selector::certificate);
    exact.chain([Selector::key(own.spki_fingerprint())]).any(|one| one == *selector)
}

/// The fingerprints that its signature can give a certificate.
fn forms(certificate: &Certificate) -> impl Iterator<Item = Fingerprint> {
    core::iter::once(certificate.fingerprint()).chain(certificate.resigned_fingerprint())
}

impl Peer {
    fn concerned_by(&self, change: &Change) -> bool {
        match change {
            Change::Assignment { holder, .. } => match holder {
                Holder::Rule(_) => self.names.contains(holder),
                Holder::User(user) => self.users.contains(user),
            },
            Change::Certificate { certificate, .. } => self.is(certificate),
            Change::Denial { denial, .. } => self.chain.iter().any(|certificate| denial.hits(certificate)),
            Change::Disabled { user, .. } => self.users.contains(user),
            Change::Entry { bundle, certificate, .. } => self.bundles.contains(bundle) && self.knows(certificate),
            Change::Host { host, .. } => self.is_on(host),
            Change::List { issuer, .. } => self.issuers.iter().any(|known| known.alike() == issuer.alike()),
            Change::Rule { selector, .. } => could_match(selector, &self.chain),
            Change::Setting { place, .. } => match place {
                Place::Bundle(bundle) => self.bundles.contains(bundle),
                Place::Host(host) => self.is_on(host),
                Place::Policy => !self.chain.is_empty(),
                Place::Assignment { .. }
                | Place::Denial(_)
                | Place::Entry { .. }
                | Place::List(_)
                | Place::Rule(_)
                | Place::User(_) => false,
            },
        }
    }

    fn is_on(&self, host: &HostId) -> bool {
        self.host == *host || self.misdirected
    }

    fn is(&self, fingerprint: &Fingerprint) -> bool {
        self.chain.first().is_some_and(|own| forms(own).any(|form| form == *fingerprint))
    }

    /// True if the entry is the peer's certificate or key, one that it presented, or has the name of an issuer.
    fn knows(&self, entry: &Certificate) -> bool {
        let own = self.chain.first();
        self.chain.contains(entry)
            || self.issuers.contains(&entry.subject())
            || own.is_some_and(|own| own.spki_fingerprint() == entry.spki_fingerprint())
    }
}
