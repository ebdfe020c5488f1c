//! One thing that two policies say differently.

use core::fmt;

use super::Place;
use crate::cert::{Certificate, DistinguishedName, Fingerprint};
use crate::map::{RuleName, Selector, UserSource};
use crate::policy::HostId;
use crate::role::{Enforcement, Holder, Role};
use crate::strength::Strength;
use crate::text::OneLine;
use crate::trust::{BundleName, Denial, EntryKind};
use crate::user::UserName;

/// One thing that the newer of two policies says otherwise than the older one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A role was given or taken, or is given under other terms.
    Assignment {
        /// Who has or had it.
        holder: Holder,
        /// The role.
        role: Role,
        /// Before; empty if the holder did not have it.
        from: Vec<Terms>,
        /// Now; empty if the holder does not have it.
        to: Vec<Terms>,
    },
    /// A certificate that is pinned before or now is another user.
    Certificate {
        /// The certificate.
        certificate: Fingerprint,
        /// Who it was, if it was pinned and anybody.
        from: Option<UserName>,
        /// Who it is, if it is pinned and anybody.
        to: Option<UserName>,
    },
    /// A denial.
    Denial {
        /// The denial.
        denial: Denial,
        /// Added or lifted.
        presence: Presence,
    },
    /// A disabled user.
    Disabled {
        /// The user.
        user: UserName,
        /// Disabled, or enabled again.
        presence: Presence,
    },
    /// A certificate in a bundle.
    Entry {
        /// The bundle.
        bundle: BundleName,
        /// The certificate.
        certificate: Certificate,
        /// As what it was there, if it was.
        from: Option<EntryKind>,
        /// As what it is there, if it is.
        to: Option<EntryKind>,
    },
    /// A host.
    Host {
        /// The host.
        host: HostId,
        /// Added or removed.
        presence: Presence,
    },
    /// A revocation list.
    List {
        /// The list.
        list: Fingerprint,
        /// Whose it is.
        issuer: DistinguishedName,
        /// Added or removed.
        presence: Presence,
    },
    /// A rule.
    Rule {
        /// What it looks for.
        selector: Selector,
        /// What it said, if it was there.
        from: Option<RuleTerms>,
        /// What it says, if it is there.
        to: Option<RuleTerms>,
    },
    /// Something that has one value.
    Setting {
        /// Of what.
        place: Place,
        /// Which: `client-auth`.
        setting: &'static str,
        /// Before.
        from: String,
        /// Now.
        to: String,
        /// What that does.
        effect: Effect,
    },
}

/// Whether something came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Presence {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// Whom a change lets in, seen alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// More than before.
    Widens,
    /// Somebody else, or nobody else.
    Alters,
    /// Fewer than before.
    Narrows,
}

/// How strongly a holder must be known for a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Terms {
    /// At least so strongly.
    pub least: Strength,
    /// What happens otherwise.
    pub enforcement: Enforcement,
}

/// What a rule says besides what it looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleTerms {
    /// Who is matched.
    pub source: UserSource,
    /// Its names, sorted.
    pub names: Vec<RuleName>,
    /// True if no rule under a CA counts for its certificate.
    pub exception: bool,
}

impl Effect {
    /// The word for it: `alters`, `narrows`, `widens`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alters => "alters",
            Self::Narrows => "narrows",
            Self::Widens => "widens",
        }
    }

    /// Of something that admits.
    fn of_admitting<T>(from: Option<T>, to: Option<T>) -> Self {
        match (from, to) {
            (None, Some(_)) => Self::Widens,
            (Some(_), None) => Self::Narrows,
            (None, None) | (Some(_), Some(_)) => Self::Alters,
        }
    }

    /// Of something that refuses.
    fn of_refusing(presence: Presence) -> Self {
        match presence {
            Presence::Added => Self::Narrows,
            Presence::Removed => Self::Widens,
        }
    }
}

impl Change {
    /// Whom it lets in, seen alone: a rule that is added can also make a certificate ambiguous.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Assignment { from, to, .. } => Effect::of_admitting(from.first(), to.first()),
            Self::Certificate { from, to, .. } => Effect::of_admitting(from.as_ref(), to.as_ref()),
            Self::Denial { presence, .. } | Self::Disabled { presence, .. } | Self::List { presence, .. } => {
                Effect::of_refusing(*presence)
            }
            // An anchor lets in whom it issues, a key whatever carries it, a pin one certificate.
            Self::Entry { from, to, .. } => match (from, to) {
                (Some(EntryKind::Pin), Some(EntryKind::KeyPin)) => Effect::Widens,
                (Some(EntryKind::KeyPin), Some(EntryKind::Pin)) => Effect::Narrows,
                (from, to) => Effect::of_admitting(from.as_ref(), to.as_ref()),
            },
            Self::Host { presence: Presence::Added, .. } => Effect::Widens,
            Self::Host { presence: Presence::Removed, .. } => Effect::Narrows,
            Self::Rule { from, to, .. } => Effect::of_admitting(from.as_ref(), to.as_ref()),
            Self::Setting { effect, .. } => *effect,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, enforcement } = self;
        match least {
            Strength::Name => f.write_str("whatever the strength"),
            Strength::Serial | Strength::Key | Strength::Certificate => {
                write!(f, "from strength {least} on, {enforcement}")
            }
        }
    }
}

impl fmt::Display for RuleTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, names, exception } = self;
        write!(f, "user {source}")?;
        names.iter().try_for_each(|name| write!(f, ", name `{name}`"))?;
        if *exception { f.write_str(", exception over name rules") } else { Ok(()) }
    }
}

impl fmt::Display for Change {
    /// What, before and now, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = |presence: Presence, added: &'static str, removed: &'static str| match presence {
            Presence::Added => added,
            Presence::Removed => removed,
        };
        match self {
            Self::Assignment { holder, role, from, to } => {
                let terms = |terms: &[Terms]| {
                    let terms: Vec<_> = terms.iter().map(ToString::to_string).collect();
                    if terms.is_empty() { None } else { Some(terms.join(" or ")) }
                };
                let place = Place::Assignment { holder: holder.clone(), role: role.clone() };
                write!(f, "{place}: {}", Turn(terms(from), terms(to)))
            }
            Self::Certificate { certificate, from, to } => {
                let user = |user: &Option<UserName>| user.as_ref().map(|user| format!("user `{user}`"));
                write!(f, "certificate {certificate}: {}", Turn(user(from), user(to)))
            }
            Self::Denial { denial, presence } => {
                write!(f, "{} is {}", Place::Denial(denial.clone()), came(*presence, "new", "lifted"))
            }
            Self::Disabled { user, presence } => {
                write!(f, "user `{user}` is {}", came(*presence, "disabled", "enabled again"))
            }
            Self::Entry { bundle, certificate, from, to } => {
                let subject = certificate.subject().to_string();
                let place = Place::Entry { bundle: bundle.clone(), certificate: certificate.fingerprint() };
                write!(f, "{place} (`{}`): {}", OneLine(&subject), Turn(from.as_ref(), to.as_ref()))
            }
            Self::Host { host, presence } => write!(f, "host `{host}` is {}", came(*presence, "new", "gone")),
            Self::List { list, issuer, presence } => {
                let issuer = issuer.to_string();
                write!(f, "revocation list {list} of `{}` is {}", OneLine(&issuer), came(*presence, "new", "gone"))
            }
            Self::Rule { selector, from, to } => {
                write!(f, "{}: {}", Place::Rule(selector.clone()), Turn(from.as_ref(), to.as_ref()))
            }
            Self::Setting { place, setting, from, to, effect: _ } => {
                write!(f, "{place}: {setting} was {}, is {}", OneLine(from), OneLine(to))
            }
        }
    }
}

/// What something was and is.
struct Turn<T>(Option<T>, Option<T>);

impl<T: fmt::Display> fmt::Display for Turn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, &self.1) {
            (None, Some(to)) => write!(f, "new, {to}"),
            (Some(from), None) => write!(f, "gone, was {from}"),
            (Some(from), Some(to)) => write!(f, "was {from}, is {to}"),
            (None, None) => f.write_str("the same"),
        }
    }
}
