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
/// An anchor ends everybody whose rules are under it, and so does its revocation list, when it is not replaced. Of a user with
/// two certificates each end is told: which of them the partner presents is not known here, so the earlier end names the
/// [successor](Ending::successor) that the partner has to present by then. Who is refused already, or disabled, has no end. What an
/// intermediate or a certificate below an anchor says is not known here either, and may end earlier.
///
/// ```
/// use std::time::Duration;
/// use certmap::PolicyBuilder;
/// use certmap::review::{Successor, forecast};
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
/// let [erp, crm] = &endings[..] else { panic!("`erp` changes over by its first end, and the second is beyond 30 days") };
/// assert!(crm.to_string().starts_with("2026-12-21T12:00:00Z: user `crm` ends on host `default` with pin sha256:"));
/// assert_eq!(crm.successor(), None);
/// assert_eq!(erp.successor(), Some(&Successor::Pin(renewed.certificate().fingerprint())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn forecast(policy: &Policy, now: UnixTime, horizon: Duration) -> Vec<Ending> {
    let parts = policy.parts();
    let until = end_of(now, horizon);
    let mut ways: BTreeMap<(Whose, HostId), BTreeSet<End>> = BTreeMap::new();
    for host in parts.hosts.iter().map(HostState::host).filter(|host| host.client_auth() != ClientAuth::None) {
        let trust = Trust::of(host.bundle(), &parts);
        for rule in parts.rules.rules() {
            let ends = trust.ends(rule);
            for whose in Whose::of(rule).filter(|whose| !ends.is_empty() && !whose.is_disabled(&parts)) {
                ways.entry((whose, host.id().clone())).or_default().extend(ends.iter().cloned());
            }
        }
        for (issuer, end) in unknown_issuers(host, &parts) {
            ways.insert((Whose::Below(issuer), host.id().clone()), BTreeSet::from([end]));
        }
    }
    let mut endings: BTreeMap<(UnixTime, Whose, EndingCause, Option<Successor>), Vec<HostId>> = BTreeMap::new();
    for ((whose, host), ends) in ways {
        let Some(last) = ends.iter().reduce(End::later) else { continue };
        let told = ends.iter().filter(|end| now <= end.at && end.at <= until);
        for end in told {
            let successor = (end.at < last.at).then(|| last.way.clone()).flatten();
            let Some(cause) = end.cause.clone() else { continue };
            endings.entry((end.at, whose.clone(), cause, successor)).or_default().push(host.clone());
        }
    }
    let ending = |((at, whose, cause, successor), hosts)| Ending { at, whose, cause, successor, hosts };
    endings.into_iter().map(ending).collect()
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
    let until = end_of(now, horizon);
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
    let ending = |((at, own), hosts)| {
        let (whose, cause) = (Whose::Everybody, EndingCause::Own(own));
        Ending { at, whose, cause, successor: None, hosts }
    };
    hosts.into_iter().map(ending).collect()
}

/// Somebody who will not be admitted any more, or only with something else than now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    at: UnixTime,
    whose: Whose,
    cause: EndingCause,
    successor: Option<Successor>,
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

/// What admits the same user when something of it ends: of several the one that lasts longest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Successor {
    /// A certificate below this anchor.
    Anchor(Fingerprint),
    /// Any certificate of this pinned key.
    Key(SpkiFingerprint),
    /// This pinned certificate.
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
        match (&self.cause, &self.successor) {
            (EndingCause::Anchor(_), None) | (EndingCause::List(_) | EndingCause::Own(_), _) => Turn::Us,
            (EndingCause::Anchor(_), Some(_)) | (EndingCause::Pin(_), _) => Turn::Partner,
        }
    }

    /// What is to be done, in words.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        match (&self.cause, &self.successor) {
            (EndingCause::Anchor(_), None) => "we add the next certificate of the CA beside this one",
            (EndingCause::Anchor(_), Some(_)) => {
                "whoever is below it gets a certificate of the other one by then; none if both are of one CA and key"
            }
            (EndingCause::List(_), _) => "we fetch the next list of the CA",
            (EndingCause::Own(_), _) => "we renew it, and give it to the partners who pinned it before we use it",
            (EndingCause::Pin(_), None) => "the partner sends its next certificate, and we stage it beside this one",
            (EndingCause::Pin(_), Some(_)) => {
                "the partner uses the other one by then: the records say which one it presents"
            }
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

    /// What ends.
    #[must_use]
    pub fn cause(&self) -> &EndingCause {
        &self.cause
    }

    /// What the same user is admitted with afterwards, if it presents that by then; `None` if nothing is left.
    #[must_use]
    pub fn successor(&self) -> Option<&Successor> {
        self.successor.as_ref()
    }

    /// The hosts on which it ends, sorted; never empty.
    #[must_use]
    pub fn hosts(&self) -> &[HostId] {
        &self.hosts
    }
}

/// The last second of one way in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    at: UnixTime,
    /// `None` if it does not end.
    cause: Option<EndingCause>,
    /// `None` if it is not known.
    way: Option<Successor>,
}

impl End {
    fn never(key: SpkiFingerprint) -> Self {
        Self { at: UnixTime::since_unix_epoch(Duration::MAX), cause: None, way: Some(Successor::Key(key)) }
    }

    fn pin(certificate: &Certificate) -> Self {
        let fingerprint = certificate.fingerprint();
        let (cause, way) = (EndingCause::Pin(fingerprint), Successor::Pin(fingerprint));
        Self { at: certificate.validity().not_after(), cause: Some(cause), way: Some(way) }
    }

    fn anchor(certificate: &Certificate, parts: &Parts<'_>) -> Self {
        let (own, fingerprint) = (certificate.validity().not_after(), certificate.fingerprint());
        let (at, cause) = match parts.newest_list(certificate) {
            Some((_, until)) if until < own => (until, EndingCause::List(certificate.subject())),
            Some(_) | None => (own, EndingCause::Anchor(fingerprint)),
        };
        Self { at, cause: Some(cause), way: Some(Successor::Anchor(fingerprint)) }
    }

    fn list(issuer: DistinguishedName, at: UnixTime) -> Self {
        Self { at, cause: Some(EndingCause::List(issuer)), way: None }
    }

    fn later<'a>(&'a self, other: &'a Self) -> &'a Self {
        if other.at > self.at { other } else { self }
    }
}

/// The entries of one bundle that let somebody in, with their ends.
#[derive(Default)]
struct Trust {
    pins: BTreeMap<Fingerprint, End>,
    /// By key, of every certificate that is pinned itself.
    keys: BTreeMap<SpkiFingerprint, Vec<End>>,
    /// Keys that no date ends.
    endless: BTreeSet<SpkiFingerprint>,
    anchors: BTreeMap<Fingerprint, End>,
}

impl Trust {
    fn of(bundle: &TrustBundle, parts: &Parts<'_>) -> Self {
        let mut trust = Self::default();
        let denied = |certificate: &Certificate| parts.denials.iter().any(|denial| denial.hits(certificate));
        let admits_nobody =
            |entry: &Entry| entry.kind() == EntryKind::Anchor && parts.lists_are_of_others(entry.certificate());
        for entry in bundle.entries().filter(|entry| !denied(entry.certificate()) && !admits_nobody(entry)) {
            trust.add(entry, parts);
        }
        trust
    }

    fn add(&mut self, entry: &Entry, parts: &Parts<'_>) {
        let certificate = entry.certificate();
        let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
        match entry.kind() {
            EntryKind::Anchor => {
                self.anchors.insert(fingerprint, End::anchor(certificate, parts));
            }
            EntryKind::KeyPin => {
                self.pins.insert(fingerprint, End::pin(certificate));
                self.endless.insert(key);
            }
            EntryKind::Pin => {
                self.pins.insert(fingerprint, End::pin(certificate));
                self.keys.entry(key).or_default().push(End::pin(certificate));
            }
        }
    }

    /// The last seconds of the ways in which this rule admits anybody; empty if it admits nobody.
    fn ends(&self, rule: map::Rule<'_>) -> Vec<End> {
        if let Some(path) = rule.selector.ca() {
            return self.anchors.get(&path.anchor()).cloned().into_iter().collect();
        }
        let key = rule.selector.as_key();
        if let Some(key) = key.filter(|key| self.endless.contains(key)) {
            return vec![End::never(key)];
        }
        if let Some(pin) = rule.selector.as_certificate().and_then(|fingerprint| self.pins.get(&fingerprint)) {
            return vec![pin.clone()];
        }
        if let Some(pins) = key.and_then(|key| self.keys.get(&key)) {
            return pins.clone();
        }
        // What is not pinned is below an anchor; which one is not known.
        self.anchors.values().reduce(End::later).cloned().into_iter().collect()
    }
}

fn end_of(now: UnixTime, horizon: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().saturating_add(horizon.as_secs())))
}

/// The lists of CAs that are no anchors: of intermediates, if there are anchors above them.
fn unknown_issuers(host: &Host, parts: &Parts<'_>) -> BTreeMap<DistinguishedName, End> {
    let anchors = host.bundle().entries().filter(|entry| entry.kind() == EntryKind::Anchor);
    let anchors: BTreeSet<_> = anchors.map(|entry| entry.certificate().alike_subject()).collect();
    let mut ends: BTreeMap<DistinguishedName, End> = BTreeMap::new();
    let lists =
        parts.revocation.lists().filter(|list| !anchors.is_empty() && !anchors.contains(&list.issuer().alike()));
    for list in lists {
        let at = list.next_update().as_secs().saturating_add(parts.revocation.grace().as_secs());
        let end = End::list(list.issuer(), UnixTime::since_unix_epoch(Duration::from_secs(at)));
        let latest = ends.entry(list.issuer()).or_insert_with(|| end.clone());
        *latest = latest.later(&end).clone();
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

impl fmt::Display for Successor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor(anchor) => write!(f, "a certificate below anchor {anchor}"),
            Self::Key(key) => write!(f, "a certificate of key {key}"),
            Self::Pin(pin) => write!(f, "pin {pin}"),
        }
    }
}

impl fmt::Display for Ending {
    /// `2026-12-21T12:00:00Z: user `crm` ends on host `gw` with pin sha256:…, unless it presents pin sha256:… by then`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, whose, cause, successor, hosts } = self;
        let hosts: Vec<_> = hosts.iter().map(|host| format!("`{host}`")).collect();
        let word = if hosts.len() == 1 { "host" } else { "hosts" };
        write!(f, "{}: {whose} ends on {word} {} with {cause}", show(*at), hosts.join(", "))?;
        successor.as_ref().map_or(Ok(()), |successor| write!(f, ", unless it presents {successor} by then"))
    }
}
