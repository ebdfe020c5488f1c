//! What stops working when, by user.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use rustls::pki_types::UnixTime;

use crate::cert::{Certificate, DistinguishedName, Fingerprint, SpkiFingerprint, show};
use crate::map;
use crate::policy::{ClientAuth, Host, HostId, HostState, Parts, Policy};
use crate::text::OneLine;
use crate::trust::{Entry, EntryKind, TrustBundle};
use crate::user::UserName;

/// What stops working from `now` on until the horizon, the first end first.
///
/// A user with two certificates ends with the one that ends later, on each host. An anchor ends everybody whose rules are
/// under it, and so does its revocation list, when it is not replaced. Who is refused already, or disabled, has no end.
/// What an intermediate or a certificate below an anchor says is not known here, and may end earlier.
///
/// ```
/// use std::time::Duration;
/// use certmap::PolicyBuilder;
/// use certmap::review::forecast;
/// # use certmap::testing::{NOW as now, TestCertificate};
/// let day = 86_400;
/// # let made = |name, days| TestCertificate::new(name).with_validity(0, now.as_secs() + days * day).self_signed();
/// # let (old, renewed, other) = (made("CN=erp", 10), made("CN=erp2", 90), made("CN=crm", 20));
/// let policy = PolicyBuilder::new()
///     .partner("erp".parse()?, old.certificate().clone(), [])
///     .partner("erp".parse()?, renewed.certificate().clone(), [])
///     .partner("crm".parse()?, other.certificate().clone(), [])
///     .build()?;
/// let endings = forecast(&policy, now, Duration::from_secs(30 * day));
/// assert_eq!(endings.len(), 1);
/// assert!(endings[0].to_string().starts_with("2026-12-21T12:00:00Z: user `crm` ends on host `default` with pin sha256:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn forecast(policy: &Policy, now: UnixTime, horizon: Duration) -> Vec<Ending> {
    let parts = policy.parts();
    let until = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().saturating_add(horizon.as_secs())));
    let mut last: BTreeMap<(Whose, HostId), End> = BTreeMap::new();
    for host in parts.hosts.iter().map(HostState::host).filter(|host| host.client_auth() != ClientAuth::None) {
        let trust = Trust::of(host.bundle(), &parts);
        for rule in parts.rules.rules() {
            let Some(end) = trust.end(rule) else { continue };
            for whose in Whose::of(rule).filter(|whose| !whose.is_disabled(&parts)) {
                let latest = last.entry((whose, host.id().clone())).or_insert_with(|| end.clone());
                if latest.at < end.at {
                    *latest = end.clone();
                }
            }
        }
        for (issuer, end) in unknown_issuers(host, &parts) {
            last.insert((Whose::Below(issuer), host.id().clone()), end);
        }
    }
    let mut endings: BTreeMap<(UnixTime, Whose, EndingCause), Vec<HostId>> = BTreeMap::new();
    for ((whose, host), End { at, cause }) in last {
        if let Some(cause) = cause.filter(|_| now <= at && at <= until) {
            endings.entry((at, whose, cause)).or_default().push(host);
        }
    }
    endings.into_iter().map(|((at, whose, cause), hosts)| Ending { at, whose, cause, hosts }).collect()
}

/// As [`forecast`], of our own certificates on hosts: that of the server, and those above it which it presents. Of several on
/// one host the one that ends first ends all.
///
/// ```
/// use std::time::Duration;
/// use certmap::review::{Turn, forecast_own};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let last = now.as_secs() + 20 * 86_400;
/// # let server = TestCertificate::new("CN=gw").with_validity(0, last).self_signed().certificate().clone();
/// let gateway = "gateway".parse()?;
/// let endings = forecast_own([(&gateway, &server)], now, Duration::from_secs(30 * 86_400));
/// assert_eq!(endings[0].turn(), Turn::Us);
/// assert!(endings[0].to_string().starts_with("2026-12-21T12:00:00Z: everybody ends on host `gateway` with our certificate"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn forecast_own<'a>(
    certificates: impl IntoIterator<Item = (&'a HostId, &'a Certificate)>,
    now: UnixTime,
    horizon: Duration,
) -> Vec<Ending> {
    let until = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().saturating_add(horizon.as_secs())));
    let mut first: BTreeMap<&HostId, (UnixTime, Fingerprint)> = BTreeMap::new();
    for (host, certificate) in certificates {
        let end = (certificate.validity().not_after(), certificate.fingerprint());
        let earliest = first.entry(host).or_insert(end);
        *earliest = (*earliest).min(end);
    }
    let mut hosts: BTreeMap<(UnixTime, Fingerprint), Vec<HostId>> = BTreeMap::new();
    for (host, end) in first.into_iter().filter(|(_, (at, _))| now <= *at && *at <= until) {
        hosts.entry(end).or_default().push(host.clone());
    }
    let ending = |((at, own), hosts)| Ending { at, whose: Whose::Everybody, cause: EndingCause::Own(own), hosts };
    hosts.into_iter().map(ending).collect()
}

/// Somebody who will not be admitted any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    at: UnixTime,
    whose: Whose,
    cause: EndingCause,
    hosts: Vec<HostId>,
}

/// Who ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Whose {
    /// Everybody below a CA that is no anchor itself.
    Below(DistinguishedName),
    /// Everybody, because our own certificate ends.
    Everybody,
    /// Everybody whose name a rule takes from the certificate; the rule's name, or its selector if it has none.
    RuleUsers(String),
    /// One user.
    User(UserName),
}

/// What ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EndingCause {
    /// The validity of an anchor.
    Anchor(Fingerprint),
    /// The newest revocation list of an issuer, with the grace.
    List(DistinguishedName),
    /// The validity of one of our own certificates.
    Own(Fingerprint),
    /// The validity of a pinned certificate.
    Pin(Fingerprint),
}

/// Whose turn it is to act, so that it does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Turn {
    /// The partner's, who has the key of the certificate that ends.
    Partner,
    /// Ours.
    Us,
}

impl Turn {
    /// The word for it: `partner`, `us`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Us => "us",
        }
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Ending {
    /// Whose turn it is to act.
    #[must_use]
    pub fn turn(&self) -> Turn {
        match self.cause {
            EndingCause::Anchor(_) | EndingCause::List(_) | EndingCause::Own(_) => Turn::Us,
            EndingCause::Pin(_) => Turn::Partner,
        }
    }

    /// What is to be done, in words.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        match self.cause {
            EndingCause::Anchor(_) => "we add the next certificate of the CA beside this one",
            EndingCause::List(_) => "we fetch the next list of the CA",
            EndingCause::Own(_) => "we renew it, and give it to the partners who pinned it before we use it",
            EndingCause::Pin(_) => "the partner sends its next certificate, and we stage it beside this one",
        }
    }

    /// The last second in which it works.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// Who ends.
    #[must_use]
    pub fn whose(&self) -> &Whose {
        &self.whose
    }

    /// What ends: of several certificates the one that lasts longest.
    #[must_use]
    pub fn cause(&self) -> &EndingCause {
        &self.cause
    }

    /// The hosts on which it ends, sorted; never empty.
    #[must_use]
    pub fn hosts(&self) -> &[HostId] {
        &self.hosts
    }
}

/// The last second of one way in.
#[derive(Clone)]
struct End {
    at: UnixTime,
    /// `None` if it does not end.
    cause: Option<EndingCause>,
}

impl End {
    const NEVER: Self = Self { at: UnixTime::since_unix_epoch(Duration::MAX), cause: None };

    fn with(cause: EndingCause, at: UnixTime) -> Self {
        Self { at, cause: Some(cause) }
    }

    fn later(self, other: Self) -> Self {
        if other.at > self.at { other } else { self }
    }
}

/// The entries of one bundle that let somebody in, with their ends.
struct Trust {
    pins: BTreeMap<Fingerprint, End>,
    /// By key, of the certificate that lasts longest.
    keys: BTreeMap<SpkiFingerprint, End>,
    /// Keys that no date ends.
    endless: BTreeSet<SpkiFingerprint>,
    anchors: BTreeMap<Fingerprint, End>,
}

impl Trust {
    fn of(bundle: &TrustBundle, parts: &Parts<'_>) -> Self {
        let (pins, keys) = (BTreeMap::new(), BTreeMap::new());
        let mut trust = Self { pins, keys, endless: BTreeSet::new(), anchors: BTreeMap::new() };
        let denied = |certificate: &Certificate| parts.denials.iter().any(|denial| denial.hits(certificate));
        for entry in bundle.entries().filter(|entry| !denied(entry.certificate())) {
            trust.add(entry, parts);
        }
        trust
    }

    fn add(&mut self, entry: &Entry, parts: &Parts<'_>) {
        let certificate = entry.certificate();
        let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
        let pin = || End::with(EndingCause::Pin(fingerprint), certificate.validity().not_after());
        match entry.kind() {
            EntryKind::Anchor => {
                self.anchors.insert(fingerprint, anchor(certificate, parts));
            }
            EntryKind::KeyPin => {
                self.pins.insert(fingerprint, pin());
                self.endless.insert(key);
            }
            EntryKind::Pin => {
                self.pins.insert(fingerprint, pin());
                let later = self.keys.remove(&key).map_or_else(pin, |known| known.later(pin()));
                self.keys.insert(key, later);
            }
        }
    }

    /// The last second in which this rule admits anybody; `None` if it admits nobody.
    fn end(&self, rule: map::Rule<'_>) -> Option<End> {
        if let Some(path) = rule.selector.ca() {
            return self.anchors.get(&path.anchor()).cloned();
        }
        let exact = rule.selector.as_certificate().and_then(|fingerprint| self.pins.get(&fingerprint));
        let key = rule.selector.as_key();
        if key.is_some_and(|key| self.endless.contains(&key)) {
            return Some(End::NEVER);
        }
        let pinned = exact.or_else(|| self.keys.get(&key?));
        // What is not pinned is below an anchor; which one is not known.
        pinned.cloned().or_else(|| self.anchors.values().cloned().reduce(End::later))
    }
}

fn anchor(certificate: &Certificate, parts: &Parts<'_>) -> End {
    let own = End::with(EndingCause::Anchor(certificate.fingerprint()), certificate.validity().not_after());
    match parts.lists_until(certificate) {
        Some(at) if at < own.at => End::with(EndingCause::List(certificate.subject()), at),
        Some(_) | None => own,
    }
}

/// The lists of CAs that are no anchors: of intermediates, if there are anchors above them.
fn unknown_issuers(host: &Host, parts: &Parts<'_>) -> BTreeMap<DistinguishedName, End> {
    let anchors = host.bundle().entries().filter(|entry| entry.kind() == EntryKind::Anchor);
    let anchors: BTreeSet<_> = anchors.map(|entry| entry.certificate().subject()).collect();
    let mut ends: BTreeMap<DistinguishedName, End> = BTreeMap::new();
    let lists = parts.revocation.lists().filter(|list| !anchors.is_empty() && !anchors.contains(&list.issuer()));
    for list in lists {
        let at = list.next_update().as_secs().saturating_add(parts.revocation.grace().as_secs());
        let end = End::with(EndingCause::List(list.issuer()), UnixTime::since_unix_epoch(Duration::from_secs(at)));
        let latest = ends.entry(list.issuer()).or_insert_with(|| end.clone());
        *latest = latest.clone().later(end);
    }
    ends
}

impl Whose {
    /// Everybody whom a rule names.
    fn of(rule: map::Rule<'_>) -> impl Iterator<Item = Self> {
        let named: Vec<_> = rule.source.named().cloned().map(Self::User).collect();
        let unnamed = named.is_empty().then(|| {
            let name = rule.names.first().map(ToString::to_string);
            Self::RuleUsers(name.unwrap_or_else(|| rule.selector.to_string()))
        });
        named.into_iter().chain(unnamed)
    }

    fn is_disabled(&self, parts: &Parts<'_>) -> bool {
        match self {
            Self::Below(_) | Self::Everybody | Self::RuleUsers(_) => false,
            Self::User(user) => parts.disabled.contains(user),
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(issuer) => write!(f, "everybody below `{}`", OneLine(&issuer.to_string())),
            Self::Everybody => f.write_str("everybody"),
            Self::RuleUsers(rule) => write!(f, "everybody of rule `{}`", OneLine(rule)),
            Self::User(user) => write!(f, "user `{user}`"),
        }
    }
}

impl fmt::Display for EndingCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor(anchor) => write!(f, "anchor {anchor}"),
            Self::List(issuer) => write!(f, "the revocation list of `{}`", OneLine(&issuer.to_string())),
            Self::Own(own) => write!(f, "our certificate {own}"),
            Self::Pin(pin) => write!(f, "pin {pin}"),
        }
    }
}

impl fmt::Display for Ending {
    /// `2026-12-21T12:00:00Z: user `crm` ends on host `gw` with pin sha256:…`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, whose, cause, hosts } = self;
        let hosts: Vec<_> = hosts.iter().map(|host| format!("`{host}`")).collect();
        let word = if hosts.len() == 1 { "host" } else { "hosts" };
        write!(f, "{}: {whose} ends on {word} {} with {cause}", show(*at), hosts.join(", "))
    }
}
