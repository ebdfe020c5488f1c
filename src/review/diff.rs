//! What a new policy changes, fit for a code review.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use rustls::pki_types::UnixTime;

use super::change::{Presence, RuleTerms, Terms};
use super::{Change, Disagreement, Effect, trust_diff};
use crate::decision::Evidence;
use crate::map::{Rule, Selector, UserSource};
use crate::policy::{Parts, Policy};
use crate::role::{Holder, Role};
use crate::user::UserName;

/// What the newer of two policies says otherwise than the older one.
///
/// No difference means equal decisions, as long as one crypto provider verifies for both.
///
/// ```
/// use certmap::PolicyBuilder;
/// use certmap::review::{Effect, diff};
/// # use certmap::testing::TestCertificate;
/// # let partner = TestCertificate::new("CN=erp").self_signed();
/// let builder = PolicyBuilder::new().partner("erp".parse()?, partner.certificate().clone(), []);
/// let (old, new) = (builder.clone().build()?, builder.disabled_user("erp".parse()?).build()?);
/// assert!(diff(&old, &old).is_empty());
/// let difference = diff(&old, &new);
/// assert_eq!(difference.changes()[0].effect(), Effect::Narrows);
/// assert_eq!(difference.to_string(), "narrows: user `erp` is disabled\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn diff<'a>(old: &'a Policy, new: &'a Policy) -> Difference<'a> {
    let (before, now) = (old.parts(), new.parts());
    let mut changes = trust_diff::hosts(&before, &now);
    changes.extend(trust_diff::bundles(&before, &now));
    changes.extend(trust_diff::lists(&before, &now));
    changes.extend(denials(&before, &now));
    changes.extend(rules(&before, &now));
    changes.extend(assignments(&before, &now));
    // What lets in more is read first; within that, the order of above.
    changes.sort_by_key(Change::effect);
    Difference { old, new, changes, users: users(&before, &now) }
}

/// The changes between two policies.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    pub(super) old: &'a Policy,
    pub(super) new: &'a Policy,
    changes: Vec<Change>,
    users: Vec<UserChange>,
}

/// Which roles a user gains and loses, by itself or by its rules, known as strongly as can be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserChange {
    /// The user.
    pub user: UserName,
    /// The roles that it has now and had not.
    pub gained: Vec<Role>,
    /// The roles that it had and has not.
    pub lost: Vec<Role>,
}

impl Difference<'_> {
    /// True if both policies say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Every change: those that let in more first, then those that let in others, then those that let in fewer.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The users that a rule of either policy names and that gain or lose a role, sorted.
    #[must_use]
    pub fn users(&self) -> &[UserChange] {
        &self.users
    }

    /// Where the decisions about these peers differ at this time.
    #[must_use]
    pub fn decisions(&self, evidences: &[Evidence], now: UnixTime) -> Vec<Disagreement> {
        let decide = |evidence| (self.old.decide(evidence, now), self.new.decide(evidence, now));
        evidences.iter().map(decide).filter_map(|(old, new)| Disagreement::between(old, new)).collect()
    }
}

fn denials(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    // No order of denials is known, so they are told in that of their text.
    let texts = |parts: &Parts<'_>| -> BTreeMap<String, _> {
        parts.denials.iter().map(|denial| (denial.to_string(), (*denial).clone())).collect()
    };
    let (before, now) = (texts(old), texts(new));
    let denials = came_and_went(before.keys(), now.keys()).into_iter().filter_map(|(text, presence)| {
        let denial = now.get(text).or_else(|| before.get(text))?.clone();
        Some(Change::Denial { denial, presence })
    });
    let mut changes: Vec<_> = denials.collect();
    let users = came_and_went(old.disabled, new.disabled).into_iter();
    changes.extend(users.map(|(user, presence)| Change::Disabled { user: UserName::clone(user), presence }));
    changes
}

/// What is in one of the two only, sorted.
pub(super) fn came_and_went<T: Ord + Copy>(
    old: impl IntoIterator<Item = T>,
    new: impl IntoIterator<Item = T>,
) -> Vec<(T, Presence)> {
    let (old, new): (BTreeSet<T>, BTreeSet<T>) = (old.into_iter().collect(), new.into_iter().collect());
    let presence = |one: T| (one, if new.contains(&one) { Presence::Added } else { Presence::Removed });
    old.symmetric_difference(&new).copied().map(presence).collect()
}

fn rules(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    // Templates that exclude each other may share a selector.
    let terms = |parts: &Parts<'_>| {
        let mut all: BTreeMap<Selector, BTreeMap<UserSource, RuleTerms>> = BTreeMap::new();
        for Rule { selector, source, names, exception } in parts.rules.rules() {
            let terms = RuleTerms { source: source.clone(), names: names.to_vec(), exception };
            all.entry(selector.clone()).or_default().insert(source.clone(), terms);
        }
        all
    };
    let (before, now) = (terms(old), terms(new));
    let none = BTreeMap::new();
    let mut changes = Vec::new();
    for (selector, from, to) in differing(&before, &now) {
        let (from, to) = (from.unwrap_or(&none), to.unwrap_or(&none));
        let change = |from: Option<&RuleTerms>, to: Option<&RuleTerms>| Change::Rule {
            selector: selector.clone(),
            from: from.cloned(),
            to: to.cloned(),
        };
        match (from.len(), to.len()) {
            (1, 1) => changes.push(change(from.values().next(), to.values().next())),
            _ => changes.extend(differing(from, to).map(|(_, from, to)| change(from, to))),
        }
    }
    changes
}

/// The keys with different values, with what they have on both sides.
pub(super) fn differing<'m, K: Ord, V: PartialEq>(
    old: &'m BTreeMap<K, V>,
    new: &'m BTreeMap<K, V>,
) -> impl Iterator<Item = (&'m K, Option<&'m V>, Option<&'m V>)> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    keys.into_iter().map(|key| (key, old.get(key), new.get(key))).filter(|(_, from, to)| from != to)
}

fn assignments(old: &Parts<'_>, new: &Parts<'_>) -> Vec<Change> {
    let terms = |parts: &Parts<'_>| {
        let mut all: BTreeMap<(Holder, Role), Vec<Terms>> = BTreeMap::new();
        for (holder, role, least, enforcement) in &parts.assignments {
            let terms = Terms { least: *least, enforcement: *enforcement };
            all.entry(((*holder).clone(), (*role).clone())).or_default().push(terms);
        }
        all
    };
    let (before, now) = (terms(old), terms(new));
    let or_none = |terms: Option<&Vec<Terms>>| terms.cloned().unwrap_or_default();
    let change = |((holder, role), from, to): (&(Holder, Role), _, _)| Change::Assignment {
        holder: holder.clone(),
        role: role.clone(),
        from: or_none(from),
        to: or_none(to),
    };
    differing(&before, &now).map(change).collect()
}

fn users(old: &Parts<'_>, new: &Parts<'_>) -> Vec<UserChange> {
    let (before, now) = (roles_by_user(old), roles_by_user(new));
    let none = BTreeSet::new();
    let change = |(user, from, to): (&UserName, Option<&BTreeSet<Role>>, Option<&BTreeSet<Role>>)| {
        let (from, to) = (from.unwrap_or(&none), to.unwrap_or(&none));
        let (gained, lost) = (to.difference(from).cloned().collect(), from.difference(to).cloned().collect());
        UserChange { user: user.clone(), gained, lost }
    };
    let changed = differing(&before, &now).map(change);
    changed.filter(|change| !(change.gained.is_empty() && change.lost.is_empty())).collect()
}

/// The roles of each user that a rule names: its own, and those of the rules.
fn roles_by_user(parts: &Parts<'_>) -> BTreeMap<UserName, BTreeSet<Role>> {
    let mut held: BTreeMap<&Holder, BTreeSet<&Role>> = BTreeMap::new();
    for (holder, role, _, _) in &parts.assignments {
        held.entry(holder).or_default().insert(role);
    }
    let of = |holder: &Holder| held.get(holder).into_iter().flatten().map(|role| Role::clone(role)).collect::<Vec<_>>();
    let mut users: BTreeMap<UserName, BTreeSet<Role>> = BTreeMap::new();
    for rule in parts.rules.rules() {
        let by_rule: Vec<_> = rule.names.iter().flat_map(|name| of(&Holder::Rule(name.clone()))).collect();
        for user in rule.source.named() {
            let roles = users.entry(user.clone()).or_default();
            roles.extend(by_rule.iter().cloned());
            roles.extend(of(&Holder::User(user.clone())));
        }
    }
    // Who is named by a template only, and has roles of its own.
    let templates: Vec<_> =
        parts.rules.rules().filter(|rule| rule.source.constant().is_none()).map(|rule| rule.source).collect();
    for holder in held.keys() {
        let Holder::User(user) = holder else { continue };
        if !users.contains_key(user) && templates.iter().any(|source| source.may_name(user)) {
            users.entry(user.clone()).or_default().extend(of(holder));
        }
    }
    users
}

impl fmt::Display for Difference<'_> {
    /// A line for each change, then one for each user that gains or loses roles.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no difference\n");
        }
        self.changes.iter().try_for_each(|change| writeln!(f, "{}: {change}", change.effect()))?;
        self.users.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, gained, lost } = self;
        write!(f, "user `{user}`")?;
        let mut separator = " ";
        for (word, roles) in [("gains", gained), ("loses", lost)] {
            let roles: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
            if !roles.is_empty() {
                write!(f, "{separator}{word} {}", roles.join(", "))?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

impl UserChange {
    /// Whom it lets do what.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match (self.gained.is_empty(), self.lost.is_empty()) {
            (false, true) => Effect::Widens,
            (true, false) => Effect::Narrows,
            (true, true) | (false, false) => Effect::Alters,
        }
    }
}
