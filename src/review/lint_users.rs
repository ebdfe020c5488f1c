//! (private) What is odd about users and roles.

use std::collections::{BTreeMap, BTreeSet};

use super::lint::Lint;
use super::near::nearly;
use super::{FindingCode, Place};
use crate::map::{MappingTable, RuleName, UserSource};
use crate::role::{Enforcement, Holder, Role};
use crate::strength::Strength;
use crate::user::UserName;

impl<'a> Lint<'a> {
    pub(super) fn users(&mut self) {
        let named: BTreeSet<&'a UserName> = self.parts.rules.rules().flat_map(|rule| rule.source.named()).collect();
        self.without_role(&named);
        let holders: BTreeSet<&'a UserName> = self.parts.assignments.iter().filter_map(|one| user_of(one.0)).collect();
        for user in holders.into_iter().filter(|user| !self.can_be_named(&named, user)).collect::<Vec<_>>() {
            match named.iter().find(|named| nearly(named.as_str(), user.as_str())) {
                Some(near) => self.find(
                    FindingCode::NearMissUser,
                    Place::User(user.clone()),
                    format!("it has roles and no rule names it, but one names `{near}`"),
                    "correct one of the two names to match the other",
                ),
                None => self.find(
                    FindingCode::RoleWithoutUser,
                    Place::User(user.clone()),
                    "it has roles, and no rule can name it",
                    "map a certificate to it, or take its roles away",
                ),
            }
        }
        self.near_by_case(&named);
        let templates: Vec<_> = self.templates().collect();
        for user in self.parts.disabled.iter().collect::<Vec<&'a UserName>>() {
            self.disabled(&named, &templates, user);
        }
    }

    fn disabled(&mut self, named: &BTreeSet<&'a UserName>, templates: &[&UserSource], user: &UserName) {
        if let Some(source) = templates.iter().find(|source| source.may_name_by_case(user)) {
            let sentence = format!("it is disabled, and `{source}` makes another user of it in another case");
            self.find(
                FindingCode::DisabledUserByCase,
                Place::User(user.clone()),
                sentence,
                "write `in-lower-case` behind the field, unless its values have a case; before an `@` and beyond ASCII it does nothing: \
                 disable the user in every case that the CA writes",
            );
        }
        if self.can_be_named(named, user) {
            return;
        }
        let folded = templates.iter().find_map(|source| source.folded(user));
        let small = || user.as_str().to_ascii_lowercase().parse().ok().filter(|small| self.can_be_named(named, small));
        let small = folded.or_else(small);
        let near = named.iter().find(|named| nearly(named.as_str(), user.as_str()));
        let near = match (small, near) {
            (Some(small), _) => format!(", but one can name `{small}`"),
            (None, Some(near)) => format!(", but one names `{near}`"),
            (None, None) => String::new(),
        };
        self.find(
            FindingCode::DisabledUserUnnamed,
            Place::User(user.clone()),
            format!("it is disabled, and no rule can name it{near}"),
            "correct the name, or leave it out",
        );
    }

    /// True if a rule names the user, or takes names of that form from certificates.
    fn can_be_named(&self, named: &BTreeSet<&UserName>, user: &UserName) -> bool {
        named.contains(user) || self.templates().any(|source| source.may_name(user))
    }

    fn templates(&self) -> impl Iterator<Item = &'a UserSource> + use<'a> {
        self.parts.rules.rules().map(|rule| rule.source).filter(|source| source.constant().is_none())
    }

    fn without_role(&mut self, named: &BTreeSet<&'a UserName>) {
        // A policy without any role leaves to the program what users may.
        if self.parts.assignments.is_empty() {
            return;
        }
        let holders: BTreeSet<&Holder> = self.parts.assignments.iter().map(|one| one.0).collect();
        let rules = self.parts.rules.rules();
        let by_rule = rules.filter(|rule| rule.names.iter().any(|name| holders.contains(&Holder::Rule(name.clone()))));
        let by_rule: BTreeSet<&UserName> = by_rule.flat_map(|rule| rule.source.named()).collect();
        let roleless =
            |user: &&&UserName| !by_rule.contains(**user) && !holders.contains(&Holder::User(UserName::clone(user)));
        for user in named.iter().filter(roleless).copied().collect::<Vec<_>>() {
            self.find(
                FindingCode::UserWithoutRole,
                Place::User(user.clone()),
                "it has no role, by itself or by its rules",
                "give it one, or leave it if it needs none",
            );
        }
    }

    fn near_by_case(&mut self, named: &BTreeSet<&'a UserName>) {
        let mut by_case: BTreeMap<String, &UserName> = BTreeMap::new();
        for user in named {
            let Some(other) = by_case.insert(user.as_str().to_lowercase(), user) else { continue };
            self.find(
                FindingCode::NearMissUser,
                Place::User(UserName::clone(user)),
                format!("another rule names `{other}`, which differs by case only and is another user"),
                "correct one of the two names if they are one user",
            );
        }
    }

    /// Roles that ask for more than any rule of their holder gives.
    fn out_of_reach(&mut self) {
        let asks = |(_, _, least, enforcement): &&(_, _, Strength, Enforcement)| {
            *least > Strength::Name && *enforcement == Enforcement::Enforce
        };
        let demands: Vec<_> = self.parts.assignments.iter().filter(asks).copied().collect();
        if demands.is_empty() {
            return;
        }
        let reach = Reach::of(self.parts.rules);
        let mut known: BTreeMap<&Holder, Option<Strength>> = BTreeMap::new();
        for (holder, role, least, _) in demands {
            let most = *known.entry(holder).or_insert_with(|| reach.most(holder));
            if most.is_some_and(|most| most < least) {
                self.find(
                    FindingCode::RoleOutOfReach,
                    Place::Assignment { holder: holder.clone(), role: role.clone() },
                    format!("it asks for strength {least}, which no rule of its holder gives: nobody has the role by this assignment"),
                    "ask for less, or map by key or certificate",
                );
            }
        }
    }

    pub(super) fn roles(&mut self) {
        let assignments = self.parts.assignments.clone();
        for (holder, role, least, enforcement) in &assignments {
            match enforcement {
                Enforcement::Enforce => {}
                Enforcement::Observe | Enforcement::Warn if *least == Strength::Name => {}
                Enforcement::Observe | Enforcement::Warn => self.find(
                    FindingCode::RoleNotEnforced,
                    Place::Assignment { holder: (*holder).clone(), role: (*role).clone() },
                    format!("it asks for strength {least}, and is given without it ({enforcement})"),
                    "enforce it when nobody falls short any more",
                ),
            }
        }
        self.out_of_reach();
        let mut held: BTreeMap<&Role, (usize, &Holder)> = BTreeMap::new();
        for (holder, role, _, _) in &assignments {
            held.entry(role).or_insert((0, holder)).0 += 1;
        }
        let roles: Vec<_> = held.into_iter().collect();
        let mut rest = roles.as_slice();
        while let [(role, (count, holder)), others @ ..] = rest {
            for (other, (other_count, other_holder)) in others.iter().filter(|(other, _)| near_roles(role, other)) {
                // The rarer one is probably the error.
                let rarer = other_count < count;
                let (place, near) = if rarer { ((other, other_holder), role) } else { ((role, holder), other) };
                let place = Place::Assignment { holder: (*place.1).clone(), role: Role::clone(place.0) };
                self.find(
                    FindingCode::NearMissRole,
                    place,
                    format!("others have `{near}`, which is another role"),
                    "correct one of the two names if they are one role",
                );
            }
            rest = others;
        }
    }
}

/// How strongly holders of roles can be known at most.
struct Reach<'a> {
    /// The users that rules name.
    users: BTreeMap<&'a UserName, Strength>,
    templates: Vec<&'a UserSource>,
    /// Where the rules of a name have their users from.
    rules: BTreeMap<&'a RuleName, Vec<&'a UserSource>>,
}

impl<'a> Reach<'a> {
    fn of(table: &'a MappingTable) -> Self {
        let mut reach = Self { users: BTreeMap::new(), templates: Vec::new(), rules: BTreeMap::new() };
        for rule in table.rules() {
            // Of an `any` under a CA the part that matches counts.
            let selector = if rule.selector.ca().is_some() { Strength::Serial } else { rule.selector.strength() };
            let most = selector.min(rule.source.strength());
            for user in rule.source.named() {
                let known = reach.users.entry(user).or_insert(most);
                *known = most.max(*known);
            }
            if rule.source.constant().is_none() {
                reach.templates.push(rule.source);
            }
            for name in rule.names {
                reach.rules.entry(name).or_default().push(rule.source);
            }
        }
        reach
    }

    /// `None` if no rule is about the holder.
    fn most(&self, holder: &Holder) -> Option<Strength> {
        match holder {
            Holder::Rule(name) => self.rules.get(name)?.iter().map(|source| self.most_from(source)).max(),
            Holder::User(user) => {
                let taken =
                    || self.templates.iter().find(|source| source.may_name(user)).map(|source| source.strength());
                self.users.get(user).copied().or_else(taken)
            }
        }
    }

    /// Of whoever has its user from here. Another rule that matches too, and more strongly, may name a user that is written down; none
    /// names one that a template has for itself.
    fn most_from(&self, source: &UserSource) -> Strength {
        source.named().filter_map(|user| self.users.get(user)).max().copied().unwrap_or_else(|| source.strength())
    }
}

/// Roles of one name in two applications are two roles.
fn near_roles(one: &Role, other: &Role) -> bool {
    let names = nearly(one.name(), other.name());
    let applications = nearly(one.application(), other.application());
    (one.application() == other.application() && names)
        || (one.name() == other.name() && applications)
        || one.as_str().eq_ignore_ascii_case(other.as_str())
}

fn user_of(holder: &Holder) -> Option<&UserName> {
    match holder {
        Holder::Rule(_) => None,
        Holder::User(user) => Some(user),
    }
}
