//! (private) The rules under each anchor, by what leads to them.
//!
//! A lead only says which rules to ask; whoever follows it asks the rule, and nothing is concluded from the lead itself.

use core::hash::BuildHasher;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::field::Value;
use super::{Field, Rule, RuleProblem};
use crate::cert::Fingerprint;
use crate::limits::RULES_PER_VALUE;
use crate::table::{Hasher, Table};

/// How a value of the certificate can lead to a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Probe<'a> {
    /// Every certificate does.
    Every,
    Folded(&'a Field, Cow<'a, Value>),
    Is(&'a Field, &'a Value),
    /// The field has some value.
    Present(&'a Field),
}

/// The hash of a probe. Of two probes with the same hash each leads to the rules of both, which
/// costs tests and admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lead(u64);

/// In which ways some rule is found, beside by a value as it stands: nobody need look for others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ways {
    pub(super) folded: bool,
    pub(super) present: bool,
}

/// The rules under each anchor, by what leads to them, as places in the order of all of them.
#[derive(Debug, Default)]
pub(super) struct Index {
    hash: Hasher,
    ways: Ways,
    anchors: Table<Fingerprint, Table<Lead, Vec<usize>>>,
}

impl Index {
    /// The index of these rules, and the values that lead to too many of them. A rule stands where the fewest others do.
    pub(super) fn new<'a>(rules: impl Iterator<Item = Rule<'a>> + Clone) -> (Self, Vec<RuleProblem>) {
        let under = rules.enumerate().filter_map(|(at, rule)| Some((at, rule.as_under()?)));
        let mut rules_for: Table<(Fingerprint, Probe<'_>), usize> = Table::default();
        for (_, under) in under.clone() {
            under.test.probes(&mut |probe| *rules_for.entry((under.path.anchor, probe)).or_default() += 1);
        }
        let mut places: BTreeMap<(Fingerprint, Probe<'_>), Vec<usize>> = BTreeMap::new();
        for (at, under) in under {
            let anchor = under.path.anchor;
            let count = |probe: &Probe<'a>| rules_for.get(&(anchor, probe.clone())).copied().unwrap_or_default();
            let probes: BTreeSet<Probe<'_>> = under.test.index(&count).into_iter().collect();
            for probe in probes {
                places.entry((anchor, probe)).or_default().push(at);
            }
        }
        let crowded = places.iter().filter(|(_, rules)| rules.len() > RULES_PER_VALUE);
        let problem = |((anchor, probe), rules): (&(Fingerprint, Probe<'_>), &Vec<usize>)| RuleProblem::Crowded {
            ca: (*anchor).into(),
            value: probe.to_string(),
            rules: rules.len(),
        };
        let problems = crowded.map(problem).collect();
        let mut index = Self::default();
        for ((anchor, probe), rules) in places {
            index.ways.folded |= matches!(probe, Probe::Folded(..));
            index.ways.present |= matches!(probe, Probe::Present(_));
            let lead = index.lead(&probe);
            index.anchors.entry(anchor).or_default().entry(lead).or_default().extend(rules);
        }
        (index, problems)
    }

    pub(super) fn lead(&self, probe: &Probe<'_>) -> Lead {
        Lead(self.hash.hash_one(probe))
    }

    pub(super) fn ways(&self) -> Ways {
        self.ways
    }

    /// True if there are rules under this anchor.
    pub(super) fn has(&self, anchor: &Fingerprint) -> bool {
        self.anchors.contains_key(anchor)
    }

    /// For each of these leads that leads somewhere under this anchor, the rules.
    pub(super) fn rules(&self, anchor: &Fingerprint, leads: &[Lead]) -> Vec<&[usize]> {
        let Some(index) = self.anchors.get(anchor) else { return Vec::new() };
        leads.iter().filter_map(|lead| index.get(lead)).map(Vec::as_slice).collect()
    }
}
