//! (private) Who has which roles: by user, by rule, and how strongly each must be known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::map::Matched;
use crate::role::{Enforcement, Holder, Role, RoleAssignment, Shortfall};
use crate::strength::Strength;
use crate::table::{Set, Table};

/// Every assignment, by holder.
#[derive(Debug, Default)]
pub(crate) struct RoleTable(Table<Holder, Held>);

/// What one holder has.
#[derive(Debug, Default)]
struct Held {
    /// Whatever the strength.
    plain: Arc<Roles>,
    /// Only from some strength on, sorted. None of them is in `plain`.
    demanding: Box<[Demand]>,
}

type Demand = (Role, Strength, Enforcement);

/// Roles, each once.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    sorted: Box<[Role]>,
    /// The same ones, if they are [many](FEW_ROLES) and one holder's alone: every request looks for one.
    many: Option<Box<Set<Role>>>,
}

/// So many roles are looked through faster than one is found by its hash.
const FEW_ROLES: usize = 4;

/// The roles of one principal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) roles: Arc<Roles>,
    /// For which roles the strength does not suffice, given or not, if there are any; sorted by role.
    pub(crate) shortfalls: Option<Arc<[Shortfall]>>,
}

impl RoleTable {
    pub(super) fn new(assignments: &[RoleAssignment]) -> Self {
        let mut by_holder: BTreeMap<&Holder, BTreeSet<Demand>> = BTreeMap::new();
        for assignment in assignments {
            // Every strength is at least a name: then nothing is asked for, and how it is enforced means nothing.
            let enforcement = match assignment.least() {
                Strength::Name => Enforcement::Enforce,
                Strength::Serial | Strength::Key | Strength::Certificate => assignment.enforcement(),
            };
            let demand = (assignment.role().clone(), assignment.least(), enforcement);
            by_holder.entry(assignment.holder()).or_default().insert(demand);
        }
        let held = |demands: BTreeSet<Demand>| {
            let (plain, demanding): (Vec<_>, Vec<_>) =
                demands.into_iter().partition(|(_, least, _)| *least == Strength::Name);
            let plain = Roles::indexed(plain.into_iter().map(|(role, _, _)| role).collect());
            let demanding = demanding.into_iter().filter(|(role, _, _)| !plain.contain(role)).collect();
            Held { plain: Arc::new(plain), demanding }
        };
        Self(by_holder.into_iter().map(|(holder, demands)| (holder.clone(), held(demands))).collect())
    }

    /// The roles of whom these rules matched, known so strongly.
    pub(crate) fn standing(&self, matched: &Matched, strength: Strength) -> Standing {
        let by_rule = matched.rule_names().filter_map(|name| self.0.get(&Holder::Rule(name.clone())));
        let user = self.0.get(&Holder::User(matched.user.clone()));
        let mut held = user.into_iter().chain(by_rule);
        let Some(first) = held.next() else { return Standing::default() };
        let others: Vec<_> = held.collect();
        if others.is_empty() && first.demanding.is_empty() {
            return Standing { roles: Arc::clone(&first.plain), shortfalls: None };
        }
        let all = || [first].into_iter().chain(others.iter().copied());
        let mut roles: BTreeSet<&Role> = all().flat_map(|held| held.plain.sorted()).collect();
        let (enough, short): (Vec<_>, Vec<_>) =
            all().flat_map(|held| held.demanding.iter()).partition(|(_, least, _)| *least <= strength);
        roles.extend(enough.into_iter().map(|(role, _, _)| role));
        let mut shortfalls: BTreeMap<&Role, Shortfall> = BTreeMap::new();
        for (role, least, enforcement) in short.into_iter().filter(|(role, _, _)| !roles.contains(role)) {
            let new = || Shortfall { role: role.clone(), least: *least, enforcement: *enforcement };
            let shortfall = shortfalls.entry(role).or_insert_with(new);
            // Each assignment gives by itself: the mildest of them decides.
            shortfall.enforcement = shortfall.enforcement.min(*enforcement);
            shortfall.least = shortfall.least.min(*least);
        }
        let given = shortfalls.values().filter(|shortfall| shortfall.enforcement != Enforcement::Enforce);
        roles.extend(given.map(|shortfall| &shortfall.role));
        let roles = Roles { sorted: roles.into_iter().cloned().collect(), many: None };
        Standing {
            roles: Arc::new(roles),
            shortfalls: (!shortfalls.is_empty()).then(|| shortfalls.into_values().collect()),
        }
    }

    /// Every assignment, sorted: holder, role, strength, enforcement.
    pub(super) fn assignments(&self) -> BTreeSet<(&Holder, &Role, Strength, Enforcement)> {
        let mut all = BTreeSet::new();
        for (holder, held) in &self.0 {
            all.extend(held.all().map(|(role, least, enforcement)| (holder, role, least, enforcement)));
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Roles {
    fn indexed(each: BTreeSet<Role>) -> Self {
        let many = (each.len() > FEW_ROLES).then(|| Box::new(each.iter().cloned().collect()));
        Self { sorted: each.into_iter().collect(), many }
    }

    pub(crate) fn sorted(&self) -> &[Role] {
        &self.sorted
    }

    /// True if this is one of them.
    pub(crate) fn contain(&self, role: &Role) -> bool {
        self.many.as_ref().map_or_else(|| self.sorted.binary_search(role).is_ok(), |many| many.contains(role))
    }
}

impl Held {
    fn all(&self) -> impl Iterator<Item = (&Role, Strength, Enforcement)> {
        let plain = self.plain.sorted().iter().map(|role| (role, Strength::Name, Enforcement::Enforce));
        plain.chain(self.demanding.iter().map(|(role, least, enforcement)| (role, *least, *enforcement)))
    }
}
