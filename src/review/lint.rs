//! Looking over a policy for what is probably not meant: the hosts, and everything else by its own file.

use core::time::Duration;
use std::collections::BTreeMap;

use rustls::pki_types::UnixTime;

use super::{Finding, FindingCode, Place};
use crate::limits::{HINT_BYTES, HINT_ENTRIES};
use crate::policy::{ClientAuth, Host, HostState, Parts, Policy, UntrustedClients};
use crate::trust::{BundleName, Entry, EntryKind, TrustBundle};

/// Everything that is odd about a policy at this time, sorted by code and place.
///
/// `horizon` says how far ahead ends are told. A policy with findings was built all the same, and each can be meant so.
///
/// ```
/// use std::time::Duration;
/// use certmap::PolicyBuilder;
/// use certmap::review::{FindingCode, lint};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let partner = TestCertificate::new("CN=erp").self_signed();
/// let builder = PolicyBuilder::new().partner("erp".parse()?, partner.certificate().clone(), ["app/send".parse()?]);
/// let month = Duration::from_secs(30 * 86_400);
/// assert_eq!(lint(&builder.clone().build()?, now, month), []);
///
/// let policy = builder.disabled_user("epr".parse()?).build()?;
/// let [finding] = &lint(&policy, now, month)[..] else { panic!("one is odd") };
/// assert_eq!(finding.code(), FindingCode::DisabledUserUnnamed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn lint(policy: &Policy, now: UnixTime, horizon: Duration) -> Vec<Finding> {
    let parts = policy.parts();
    let bundles = parts.hosts.iter().map(|state| (state.host().bundle().name(), state.host().bundle())).collect();
    let until = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().saturating_add(horizon.as_secs())));
    let mut lint = Lint { parts, bundles, now, until, findings: Vec::new() };
    lint.hosts();
    lint.entries();
    lint.lists();
    lint.denials();
    lint.rules();
    lint.users();
    lint.roles();
    let mut findings = lint.findings;
    findings.sort_by_cached_key(|finding| (finding.code(), finding.place().to_string(), finding.sentence().to_owned()));
    findings.dedup();
    findings
}

/// A policy that is looked over, and what was found.
pub(super) struct Lint<'a> {
    pub(super) parts: Parts<'a>,
    /// Each once, however many hosts have it.
    pub(super) bundles: BTreeMap<&'a BundleName, &'a TrustBundle>,
    pub(super) now: UnixTime,
    /// The last second of the horizon.
    pub(super) until: UnixTime,
    findings: Vec<Finding>,
}

impl<'a> Lint<'a> {
    pub(super) fn find(
        &mut self,
        code: FindingCode,
        place: Place,
        sentence: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.findings.push(Finding::new(code, place, sentence, cure));
    }

    /// Every entry of every bundle.
    pub(super) fn all_entries(&self) -> impl Iterator<Item = (&'a TrustBundle, &'a Entry)> + use<'a> {
        let bundles: Vec<_> = self.bundles.values().copied().collect();
        bundles.into_iter().flat_map(|bundle| bundle.entries().map(move |entry| (bundle, entry)))
    }

    pub(super) fn has_anchors(&self) -> bool {
        self.all_entries().any(|(_, entry)| entry.kind() == EntryKind::Anchor)
    }

    fn hosts(&mut self) {
        let hosts: Vec<&'a HostState> = self.parts.hosts.iter().collect();
        for state in hosts {
            let host = state.host();
            let place = || Place::Host(host.id().clone());
            match host.client_auth() {
                ClientAuth::None => self.find(
                    FindingCode::HostAsksNothing,
                    place(),
                    "it asks for no certificate, so everybody is anonymous",
                    "have it request or require one",
                ),
                ClientAuth::Request | ClientAuth::Require => {}
            }
            if host.untrusted() == UntrustedClients::LetDecide && host.client_auth() != ClientAuth::None {
                self.find(
                    FindingCode::HostLetsDecide,
                    place(),
                    "handshakes succeed with certificates that nothing vouches for, and only decisions refuse them",
                    "have it refuse in the handshake unless every request is decided about",
                );
            }
            self.hints(host, state.hints());
            for name in host.server_names().iter().map(ToString::to_string).filter(|name| name.starts_with("*.")) {
                self.find(
                    FindingCode::WildcardServerName,
                    place(),
                    format!("it answers for every name in `{name}` that no other host has"),
                    "name its names",
                );
            }
        }
    }

    fn hints(&mut self, host: &Host, hints: &[Box<[u8]>]) {
        // As they stand in the message: each with a length of two octets before it.
        let bytes: usize = hints.iter().map(|hint| hint.len() + 2).sum();
        if nearly_full(hints.len(), HINT_ENTRIES) || nearly_full(bytes, HINT_BYTES) {
            self.find(
                FindingCode::HintsNearlyFull,
                Place::Host(host.id().clone()),
                format!(
                    "it hints {} names of {bytes} bytes, and at most {HINT_ENTRIES} of {HINT_BYTES} are possible",
                    hints.len()
                ),
                "hint none, or make its bundle smaller",
            );
        }
    }
}

/// True from nine tenths on.
pub(super) fn nearly_full(used: usize, limit: usize) -> bool {
    used.saturating_mul(10) >= limit.saturating_mul(9)
}
