//! (private) What is wrong with rules, each alone and all together; crowding is found where they are indexed.

use core::ops::Bound;
use std::collections::{BTreeMap, HashMap};

use super::selector::Kind;
use super::table::{MappingTable, Rule};
use super::user_source::Reservation;
use super::{CaPath, CertUserMapping, RuleName, RuleProblem, UserSource};
use crate::limits::{RULE_BYTES, RULES_PER_VALUE};
use crate::user::UserName;

impl MappingTable {
    /// Rules of one selector under a CA whose users are not surely those of different certificates. One for each rule is
    /// enough, and beyond so many at one value they have another problem.
    pub(super) fn conflicts(&self) -> Vec<RuleProblem> {
        let rules: Vec<_> = self.rules_under_anchors().collect();
        let conflict = |(at, rule): (usize, &Rule<'_>)| {
            let before = rules.get(at.saturating_sub(RULES_PER_VALUE)..at).unwrap_or_default();
            let same = before.iter().filter(|other| other.selector == rule.selector);
            let other = same.into_iter().find(|other| !rule.source.excludes(other.source))?;
            Some(RuleProblem::Conflict {
                selector: rule.selector.clone(),
                users: [other.source.clone(), rule.source.clone()],
            })
        };
        rules.iter().enumerate().filter_map(conflict).collect()
    }

    /// Every reservation against every other one and every user that is written down; for each rule the first one it meets.
    pub(super) fn reservations(&self) -> Vec<RuleProblem> {
        let reserved = self.rules_under_anchors().filter_map(|rule| Some((rule, rule.source.reservation()?)));
        let reserved: Vec<(Rule<'_>, Reservation)> = reserved.collect();
        let mut problems = Vec::new();
        if reserved.is_empty() {
            return problems;
        }
        let mut rest = reserved.as_slice();
        while let [(rule, reservation), others @ ..] = rest {
            let one_fleet = |other: &Rule<'_>| {
                rule.source == other.source && rule.names.iter().any(|name| other.names.contains(name))
            };
            let meeting = others.iter().find(|(other, with)| !one_fleet(other) && reservation.meets(with));
            problems.extend(meeting.map(|(other, _)| RuleProblem::OverlappingReservations {
                rule: rule.selector.clone(),
                other: other.selector.clone(),
                sources: [rule.source.clone(), other.source.clone()],
            }));
            rest = others;
        }
        let written = self.rules().flat_map(|rule| rule.source.named()).map(|user| (user.as_str(), user));
        let written: BTreeMap<&str, &UserName> = written.collect();
        for (rule, reservation) in &reserved {
            let from = (Bound::Included(reservation.prefix.as_str()), Bound::Unbounded);
            let near = written.range::<str, _>(from).take_while(|(user, _)| user.starts_with(&reservation.prefix));
            problems.extend(near.filter(|(_, user)| reservation.holds(user)).map(|(_, user)| {
                RuleProblem::ReservedUser { user: (*user).clone(), reserved_for: rule.selector.clone() }
            }));
        }
        problems
    }
}

/// What is wrong with a rule whatever the others are.
pub(super) fn alone(mapping: &CertUserMapping) -> Option<RuleProblem> {
    let selector = || mapping.selector.clone();
    if mapping.selector.ca().is_some_and(CaPath::goes_through_its_anchor) {
        Some(RuleProblem::ThroughAnchor { selector: selector() })
    } else if mapping.exception && !matches!(mapping.selector.0, Kind::Certificate(_)) {
        Some(RuleProblem::NoException { selector: selector() })
    } else if mapping.selector.ca().is_none() && mapping.source.constant().is_none() {
        Some(RuleProblem::TemplateWithoutCa { selector: selector(), source_text: mapping.source.to_string() })
    } else {
        too_long(mapping)
    }
}

/// Rules under a CA and templates are made of what may be longer than what is read back.
fn too_long(mapping: &CertUserMapping) -> Option<RuleProblem> {
    let texts = [
        mapping.selector.ca().map(|_| mapping.selector.to_string()),
        mapping.source.constant().is_none().then(|| mapping.source.to_string()),
    ];
    let bytes = texts.into_iter().flatten().map(|text| text.len()).find(|bytes| *bytes > RULE_BYTES)?;
    let user = mapping.source.describe().chars().take(80).collect();
    Some(RuleProblem::TooLong { selector: mapping.selector.clone(), user, bytes })
}

pub(super) fn one_source_for_each_name(mappings: &[CertUserMapping]) -> Vec<RuleProblem> {
    let mut sources: HashMap<&RuleName, &UserSource> = HashMap::new();
    let mut problems = Vec::new();
    for (name, source) in mappings.iter().filter_map(|mapping| Some((mapping.name.as_ref()?, &mapping.source))) {
        let first = sources.entry(name).or_insert(source);
        if *first != source {
            let users = [(*first).clone(), source.clone()];
            problems.push(RuleProblem::RuleNameTwice { name: name.clone(), users });
        }
    }
    problems
}
