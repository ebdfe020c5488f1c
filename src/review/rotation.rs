//! A partner's change from one certificate to the next: whether both are the same user, and when the old one may go.

use core::fmt;
use core::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};

use crate::cert::{Certificate, show};
use crate::decision::{Decision, Evidence, Outcome, RefusalCode};
use crate::policy::{ClientAuth, Host, HostId, Policy};
use crate::role::Role;
use crate::text::OneLine;
use crate::user::UserName;

/// A change from an old certificate to a new one, both admitted for a time: *stage* (the policy admits both), *switch* (the
/// partner presents the new one), *finish* (the policy admits the new one only).
///
/// Not to be confused with the renewals that a [`ServiceKey`](crate::map::ServiceKey) follows by itself: here both are
/// named one by one, and the policy is edited twice. The edits are
/// `document::Editor::stage_rotation` and `finish_rotation`.
///
/// ```
/// use std::time::Duration;
/// use certmap::PolicyBuilder;
/// use certmap::review::{LastSeen, Rotation};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # use certmap::rustls::pki_types::UnixTime;
/// # let (old, new) = (TestCertificate::new("CN=acme").self_signed(), TestCertificate::new("CN=acme").self_signed());
/// # let (old, new) = (old.certificate().clone(), new.certificate().clone());
/// let day = Duration::from_secs(86_400);
/// let rotation = Rotation::new(old.clone(), new.clone(), 7 * day)?;
/// let staged = PolicyBuilder::new()
///     .partner("ACME".parse()?, old, [])
///     .partner("ACME".parse()?, new, [])
///     .build()?;
/// assert!(rotation.check(&staged, now).is_empty());
///
/// let seen = LastSeen::default().with_old(now);
/// assert_eq!(
///     rotation.safe_to_remove(seen, now).unwrap_err().to_string(),
///     "the new certificate was not seen yet: its holder has not switched",
/// );
/// let later = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + 8 * day);
/// assert!(rotation.safe_to_remove(seen.with_new(later), later).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    old: Certificate,
    new: Certificate,
    above_old: Vec<CertificateDer<'static>>,
    above_new: Vec<CertificateDer<'static>>,
    overlap: Duration,
}

/// On which key a rotation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationKey {
    /// The new certificate is on a key of its own.
    New,
    /// It is on the key of the old one: what was stolen once stays stolen.
    Same,
}

impl Rotation {
    /// From the old certificate to the new one, with the time for which the old one must not have been seen before it goes:
    /// longer than the longest pause between two calls.
    ///
    /// # Errors
    /// [`NoRotation`] if both are the same certificate.
    pub fn new(old: Certificate, new: Certificate, overlap: Duration) -> Result<Self, NoRotation> {
        if old == new {
            return Err(NoRotation);
        }
        Ok(Self { old, new, above_old: Vec::new(), above_new: Vec::new(), overlap })
    }

    /// With the certificates that are presented beside each, where an anchor vouches for them: intermediates.
    #[must_use]
    pub fn with_intermediates<'a>(
        self,
        old: impl IntoIterator<Item = &'a Certificate>,
        new: impl IntoIterator<Item = &'a Certificate>,
    ) -> Self {
        Self {
            above_old: old.into_iter().map(|one| one.der().into_owned()).collect(),
            above_new: new.into_iter().map(|one| one.der().into_owned()).collect(),
            ..self
        }
    }

    /// The certificate that goes.
    #[must_use]
    pub fn old(&self) -> &Certificate {
        &self.old
    }

    /// The certificate that comes.
    #[must_use]
    pub fn new_certificate(&self) -> &Certificate {
        &self.new
    }

    /// For how long the old one must not have been seen before it goes.
    #[must_use]
    pub fn overlap(&self) -> Duration {
        self.overlap
    }

    /// Whether the new certificate is on a new key.
    #[must_use]
    pub fn key(&self) -> RotationKey {
        if self.old.spki_fingerprint() == self.new.spki_fingerprint() { RotationKey::Same } else { RotationKey::New }
    }

    /// True if subject and issuer are the same, so that rules by name find both. What a policy makes of it is for
    /// [`check`](Self::check) to say.
    #[must_use]
    pub fn keeps_names(&self) -> bool {
        self.old.subject() == self.new.subject() && self.old.issuer() == self.new.issuer()
    }

    /// First and last second in which both are inside their validity; `None` if there is none.
    #[must_use]
    pub fn both_valid(&self) -> Option<(UnixTime, UnixTime)> {
        let (old, new) = (self.old.validity(), self.new.validity());
        let (from, until) = (old.not_before().max(new.not_before()), old.not_after().min(new.not_after()));
        (from <= until).then_some((from, until))
    }

    /// What is wrong with it on a policy that has both: asks, on each host that asks for certificates, who the holder of each
    /// is. Empty if both are the same user with the same roles wherever either is admitted.
    ///
    /// It asks for `now` or, where one of the two is not valid then, for the nearest time at which it is.
    #[must_use]
    pub fn check(&self, policy: &Policy, now: UnixTime) -> Vec<RotationProblem> {
        let mut problems = Vec::new();
        let at = if let Some((from, until)) = self.both_valid() {
            now.clamp(from, until)
        } else {
            let (ends, begins) = (self.old.validity().not_after(), self.new.validity().not_before());
            problems.push(RotationProblem::Gap { ends, begins });
            now
        };
        let mut somewhere = false;
        for host in policy.hosts().filter(|host| host.client_auth() != ClientAuth::None) {
            let (old, new) = self.answers(policy, host, at);
            somewhere |= matches!(old.outcome(), Outcome::Admitted(_));
            problems.extend(compare(host.id(), &old, &new));
        }
        if !somewhere {
            problems.push(RotationProblem::Nowhere);
        }
        problems
    }

    /// Whose the new certificate is already, on a policy that has only the old one: asked before it is staged, because
    /// whoever sends a certificate need not be its holder. Empty if it is nobody, or the user of the old one.
    #[must_use]
    pub fn claims(&self, policy: &Policy, now: UnixTime) -> Vec<RotationProblem> {
        let mut problems = Vec::new();
        for host in policy.hosts().filter(|host| host.client_auth() != ClientAuth::None) {
            let (old, new) = self.answers(policy, host, now);
            let user = |decision: &Decision| decision.principal().map(|principal| principal.user().clone());
            if let Some(new) = user(&new).filter(|new| user(&old).as_ref() != Some(new)) {
                problems.push(RotationProblem::Claimed { host: host.id().clone(), new });
            }
        }
        problems
    }

    /// Who the holder of each is on this host, then or at the nearest time at which the certificate is valid.
    fn answers(&self, policy: &Policy, host: &Host, at: UnixTime) -> (Decision, Decision) {
        let answer = |certificate: &Certificate, above: &[CertificateDer<'static>]| {
            let (from, until) = (certificate.validity().not_before(), certificate.validity().not_after());
            // A period that ends before it begins contains nothing, and has no nearest time.
            let at = if from <= until { at.clamp(from, until) } else { at };
            decide(policy, host, certificate, above, at)
        };
        (answer(&self.old, &self.above_old), answer(&self.new, &self.above_new))
    }

    /// True once nobody is shut out when the old certificate goes: it has ended, or the new one is in use and the old one was
    /// not seen for the [overlap](Self::overlap).
    ///
    /// # Errors
    /// [`KeepOld`] says what to wait for.
    pub fn safe_to_remove(&self, seen: LastSeen, now: UnixTime) -> Result<(), KeepOld> {
        if now > self.old.validity().not_after() {
            return Ok(());
        }
        if !self.new.validity().contains(now) {
            return Err(KeepOld::NewNotValid);
        }
        let Some(new) = seen.new else { return Err(KeepOld::NewNeverSeen) };
        let times = [seen.old, seen.new, seen.since].into_iter().flatten();
        if let Some(at) = times.filter(|at| *at > now).max() {
            return Err(KeepOld::NotYet { at });
        }
        if new < self.new.validity().not_before() {
            return Err(KeepOld::NewSeenTooEarly { at: new, begins: self.new.validity().not_before() });
        }
        if let Some(old) = seen.old.filter(|old| new < *old) {
            return Err(KeepOld::OldSeenLast { new, old });
        }
        let quiet_after = |time: UnixTime| Duration::from_secs(time.as_secs().saturating_add(self.overlap.as_secs()));
        let quiet_after = |time| UnixTime::since_unix_epoch(quiet_after(time));
        match (seen.old, seen.since) {
            (Some(last), _) if now <= quiet_after(last) => Err(KeepOld::OldSeen { last, until: quiet_after(last) }),
            (Some(_), _) => Ok(()),
            (None, Some(since)) if now > quiet_after(since) => Ok(()),
            (None, since) => Err(KeepOld::RecordsTooShort { until: since.map(quiet_after) }),
        }
    }
}

fn decide(
    policy: &Policy,
    host: &Host,
    certificate: &Certificate,
    above: &[CertificateDer<'static>],
    at: UnixTime,
) -> Decision {
    let chain = core::iter::once(certificate.der()).chain(above.iter().cloned());
    policy.decide(&Evidence::after_handshake(host.id().clone(), chain), at)
}

fn compare(host: &HostId, old: &Decision, new: &Decision) -> Vec<RotationProblem> {
    let host = host.clone();
    match (old.outcome(), new.outcome()) {
        (Outcome::Admitted(old), Outcome::Admitted(new)) => {
            let mut problems = Vec::new();
            if old.user() != new.user() {
                let (old, new) = (old.user().clone(), new.user().clone());
                problems.push(RotationProblem::OtherUser { host: host.clone(), old, new });
            }
            let beyond = |these: &[Role], those: &[Role]| -> Vec<Role> {
                these.iter().filter(|role| !those.contains(role)).cloned().collect()
            };
            let (lost, gained) = (beyond(old.roles(), new.roles()), beyond(new.roles(), old.roles()));
            if !(lost.is_empty() && gained.is_empty()) {
                problems.push(RotationProblem::OtherRoles { host, lost, gained });
            }
            problems
        }
        (Outcome::Admitted(_), other) => {
            let (code, detail) = match other {
                Outcome::Refused(refusal) => (Some(refusal.code()), refusal.detail()),
                Outcome::Admitted(_) | Outcome::Anonymous => (None, "it is anonymous".to_owned()),
            };
            vec![RotationProblem::NewRefused { host, code, detail }]
        }
        (_, Outcome::Admitted(new)) => vec![RotationProblem::OldRefused { host, new: new.user().clone() }],
        _ => Vec::new(),
    }
}

/// Both certificates of a rotation are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("old and new certificate are the same one: give the one that the partner sent anew")]
#[non_exhaustive]
pub struct NoRotation;

/// Why two certificates are not the same user, or not at the same time. Prints on one line, with a cure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationProblem {
    /// The new one is somebody else's already.
    Claimed {
        /// On this host.
        host: HostId,
        /// Whose.
        new: UserName,
    },
    /// The old one ends before the new one begins.
    Gap {
        /// The last second of the old one.
        ends: UnixTime,
        /// The first second of the new one.
        begins: UnixTime,
    },
    /// The new one is refused where the old one is admitted.
    NewRefused {
        /// On this host.
        host: HostId,
        /// The code of the refusal; `None` if it is anonymous there.
        code: Option<RefusalCode>,
        /// Why, for operators.
        detail: String,
    },
    /// The old one is admitted on no host: there is nothing to rotate.
    Nowhere,
    /// The new one is admitted where the old one is not.
    OldRefused {
        /// On this host.
        host: HostId,
        /// As this user.
        new: UserName,
    },
    /// The new one has other roles.
    OtherRoles {
        /// On this host.
        host: HostId,
        /// Roles that only the old one has.
        lost: Vec<Role>,
        /// Roles that only the new one has.
        gained: Vec<Role>,
    },
    /// The new one is another user.
    OtherUser {
        /// On this host.
        host: HostId,
        /// Who the old one is.
        old: UserName,
        /// Who the new one is.
        new: UserName,
    },
}

impl RotationProblem {
    /// A stable code, for programs: `other-user`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Gap { .. } => "gap",
            Self::NewRefused { .. } => "new-refused",
            Self::Nowhere => "nowhere",
            Self::OldRefused { .. } => "old-refused",
            Self::OtherRoles { .. } => "other-roles",
            Self::OtherUser { .. } => "other-user",
        }
    }
}

impl fmt::Display for RotationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claimed { host, new } => write!(
                f,
                "on host `{host}` the new certificate is `{new}` already: ask the partner for the certificate that it made itself"
            ),
            Self::Gap { ends, begins } => write!(
                f,
                "the old certificate ends {} and the new one begins {}: between them nobody is admitted; have the new one begin earlier",
                show(*ends),
                show(*begins)
            ),
            Self::NewRefused { host, code, detail } => {
                let code = code.map_or_else(|| "anonymous".to_owned(), |code| code.to_string());
                let detail = OneLine(detail);
                write!(f, "on host `{host}` the new certificate is not admitted ({code}: {detail}): stage the rotation")
            }
            Self::Nowhere => f.write_str("the old certificate is admitted on no host: there is nothing to rotate"),
            Self::OldRefused { host, new } => {
                write!(f, "on host `{host}` the new certificate is admitted as `{new}` and the old one is not")
            }
            Self::OtherRoles { host, lost, gained } => {
                let words = |roles: &[Role]| match roles {
                    [] => "none".to_owned(),
                    roles => roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", "),
                };
                let (lost, gained) = (words(lost), words(gained));
                write!(f, "on host `{host}` the new certificate has other roles: lost {lost}, gained {gained}")
            }
            Self::OtherUser { host, old, new } => write!(
                f,
                "on host `{host}` the old certificate is `{old}` and the new one is `{new}`: map both to the same user"
            ),
        }
    }
}

/// When the certificates of a rotation were last presented and admitted, as the records of a gateway tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSeen {
    old: Option<UnixTime>,
    new: Option<UnixTime>,
    since: Option<UnixTime>,
}

impl LastSeen {
    /// The records begin then, and have no gap: that the old one is not in them says something only if they are long enough.
    #[must_use]
    pub fn with_records_since(self, since: UnixTime) -> Self {
        Self { since: Some(since), ..self }
    }

    /// The old one was last seen then.
    #[must_use]
    pub fn with_old(self, at: UnixTime) -> Self {
        Self { old: Some(at), ..self }
    }

    /// The new one was last seen then.
    #[must_use]
    pub fn with_new(self, at: UnixTime) -> Self {
        Self { new: Some(at), ..self }
    }
}

/// Why the old certificate has to stay for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepOld {
    /// The new one was never seen.
    #[error("the new certificate was not seen yet: its holder has not switched")]
    NewNeverSeen,
    /// The new one is not valid now.
    #[error("the new certificate is outside its validity now: nobody could use it in the place of the old one")]
    NewNotValid,
    /// The new one cannot have been seen then: it is not valid before its beginning, so one of the times is wrong, or the two
    /// certificates are given the wrong way round.
    #[error("the new certificate cannot have been seen {}: it begins {}; are the two given the wrong way round?", show(*.at), show(*.begins))]
    NewSeenTooEarly {
        /// When it is said to have been seen.
        at: UnixTime,
        /// Its first second.
        begins: UnixTime,
    },
    /// A time that has not come yet.
    #[error("nothing was seen {} yet: that time has not come", show(*.at))]
    NotYet {
        /// The time.
        at: UnixTime,
    },
    /// The old one was seen after the new one: its holder went back to it.
    #[error("the old certificate was seen {}, after the new one ({}): its holder went back to it", show(*.old), show(*.new))]
    OldSeenLast {
        /// When the new one was seen last.
        new: UnixTime,
        /// When the old one was seen last.
        old: UnixTime,
    },
    /// The old one was seen not long ago.
    #[error("the old certificate was seen {}: wait until after {}", show(*.last), show(*.until))]
    OldSeen {
        /// When.
        last: UnixTime,
        /// The last second in which it has to stay, if it is not seen again.
        until: UnixTime,
    },
    /// The old one is not in the records, but they are not long enough to say that nobody uses it.
    #[error("the old certificate is not in the records, and {}", too_short(*.until))]
    RecordsTooShort {
        /// The last second of the overlap after their beginning, if that is known.
        until: Option<UnixTime>,
    },
}

fn too_short(until: Option<UnixTime>) -> String {
    match until {
        Some(until) => format!("they are too short to say that nobody uses it: wait until after {}", show(until)),
        None => "it is not said since when they are kept: say it, or when it was seen last".to_owned(),
    }
}
