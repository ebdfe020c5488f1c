//! Does the crate say what a plain model says, about every small policy and every peer at every time?

pub mod families;
pub mod model;
pub mod pick;
pub mod plan;
pub mod problems;
mod signatures;
pub mod world;

use certmap::{Evidence, Policy};

use families::{FAMILIES, mixed};
use model::expected;
use pick::Pick;
use plan::{Answer, CERTS, HOSTS, PRESENTED, Plan, Selector, TIMES, Test};
use problems::{Problems, cannot_be_written, ever_holds, problems};
use world::{World, answer, at};

/// How much was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Policies that were built.
    pub built: u64,
    /// Policies that were not built: the crate found the problems in them that the model tells.
    pub problems: u64,
    /// Rules that cannot be written, because nobody would be matched.
    pub unwritable: u64,
    /// Decisions about which both said the same.
    pub decisions: u64,
}

impl Compared {
    /// What was compared twice.
    pub fn add(&mut self, other: Self) {
        self.built += other.built;
        self.problems += other.problems;
        self.unwritable += other.unwritable;
        self.decisions += other.decisions;
    }
}

/// How many questions are asked by chance under one policy.
const QUESTIONS: u64 = 100;

/// Whatever presents something to a host.
type Peers = Vec<(&'static str, &'static [&'static str], Evidence)>;

fn peers(world: &World) -> Peers {
    let all = HOSTS.iter().flat_map(|host| PRESENTED.iter().map(move |presented| (*host, *presented)));
    all.map(|(host, presented)| (host, presented, world.evidence(host, presented))).collect()
}

/// Asks both about every peer at every time, under every policy of each family and so many mixed ones.
///
/// # Panics
/// If they do not agree.
pub fn compare_all(random: u64, told: &dyn Fn(&'static str, Compared)) {
    let world = World::new();
    let peers = peers(&world);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for (name, family) in FAMILIES {
        let part = |thread: usize| {
            let mut compared = Compared::default();
            let mut pick = Pick::turn();
            for number in 0.. {
                let plan = family(&mut pick);
                if number % threads == thread {
                    compared.add(compare_one(&world, &peers, &plan));
                }
                if !pick.next_round() {
                    break;
                }
            }
            compared
        };
        told(name, in_parts(threads, &part));
    }
    let part = |thread: usize| {
        let seeds = (0..random).skip(thread).step_by(threads);
        compare_some(&world, &peers, mixed, seeds)
    };
    told("mixed", in_parts(threads, &part));
}

/// As [`compare_all`], with so many policies of each family by chance.
///
/// # Panics
/// If they do not agree.
#[must_use]
pub fn compare_by_chance(each: u64) -> Vec<(&'static str, Compared)> {
    let world = World::new();
    let peers = peers(&world);
    let families = FAMILIES.into_iter().chain([("mixed", mixed as fn(&mut Pick<'_>) -> Plan)]);
    families.map(|(name, family)| (name, compare_some(&world, &peers, family, 0..each))).collect()
}

fn compare_some(
    world: &World,
    peers: &Peers,
    family: fn(&mut Pick<'_>) -> Plan,
    seeds: impl Iterator<Item = u64>,
) -> Compared {
    let mut compared = Compared::default();
    for seed in seeds {
        let mut pick = Pick::Random(fastrand::Rng::with_seed(seed));
        let plan = family(&mut pick);
        compared.add(compare_one(world, peers, &plan));
        if let Some(Ok(policy)) = built(world, &plan) {
            for _ in 0..QUESTIONS {
                ask(world, &plan, &policy, &mut pick);
            }
            compared.decisions += QUESTIONS;
        }
    }
    compared
}

/// Asks both one question that is made of choices: any chain of up to four certificates, at any second; and the crate again.
///
/// # Panics
/// If they do not agree.
pub fn ask(world: &World, plan: &Plan, policy: &Policy, pick: &mut Pick<'_>) {
    let host = pick.one(&HOSTS);
    let presented: Vec<_> = (0..pick.of(5)).map(|_| CERTS[pick.of(CERTS.len())].name).collect();
    let second = i64::try_from((pick.of(256) << 8 | pick.of(256)) % 2200).expect("a small number") - 100;
    let evidence = world.evidence(host, &presented);
    let said = answer(&policy.decide(&evidence, at(second)));
    let model = expected(plan, host, &presented, second);
    let about = || format!("{presented:?} to {host} at {second}: {plan:?}");
    assert!(said.is_one_of(&model), "{said:?}, the model says {model:?}: {}", about());
    assert_eq!(answer(&policy.decide(&evidence, at(second))), said, "again: {}", about());
}

fn in_parts(threads: usize, part: &(dyn Fn(usize) -> Compared + Sync)) -> Compared {
    let mut compared = Compared::default();
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        for part in parts {
            compared.add(part.join().expect("both agree"));
        }
    });
    compared
}

fn compare_one(world: &World, peers: &Peers, plan: &Plan) -> Compared {
    let mut compared = Compared::default();
    let Some(built) = built(world, plan) else {
        compared.unwritable += 1;
        return compared;
    };
    let Ok(policy) = built else {
        compared.problems += 1;
        return compared;
    };
    compared.built += 1;
    for (host, presented, evidence) in peers {
        // What a host that is not there says is said once.
        if presented.is_empty() || *host == HOSTS[0] || plan.hosts.iter().any(|known| known.id == *host) {
            compared.decisions += compare_peer(plan, &policy, host, presented, evidence);
        }
    }
    compared
}

/// The policy, or its problems, as the model has them too; `None` if a rule cannot be written, as the model says.
///
/// # Panics
/// If they do not agree.
#[must_use]
pub fn built(world: &World, plan: &Plan) -> Option<Result<Policy, Vec<&'static str>>> {
    for rule in &plan.rules {
        let Selector::Under { test, .. } = &rule.selector else { continue };
        if !matches!(test, Test::All(..) | Test::Any(_)) {
            continue;
        }
        if world.can_be_written(test) {
            assert!(!cannot_be_written(test), "can be written: {}", world::words(test));
        } else {
            assert!(cannot_be_written(test) || !ever_holds(test), "cannot be written: {}", world::words(test));
            return None;
        }
    }
    let policy = world.policy(plan);
    let found = policy.as_ref().err().cloned().unwrap_or_default();
    let Problems { told, perhaps } = problems(plan);
    let known = found.iter().all(|code| told.contains(code) || perhaps.contains(code));
    let all = told.iter().all(|code| found.contains(code));
    assert!(known && all && found.is_empty() == told.is_empty(), "{found:?}, the model says {told:?}: {plan:?}");
    Some(policy)
}

/// Compares the answers at every time.
fn compare_peer(plan: &Plan, policy: &Policy, host: &str, presented: &[&str], evidence: &Evidence) -> u64 {
    let model: Vec<_> = TIMES.iter().map(|second| expected(plan, host, presented, *second)).collect();
    for (place, (second, model_says)) in TIMES.iter().zip(&model).enumerate() {
        let decision = policy.decide(evidence, at(*second));
        let said = answer(&decision);
        let about = || format!("{presented:?} to {host} at {second}: {plan:?}");
        assert!(said.is_one_of(model_says), "{said:?}, the model says {model_says:?}: {}", about());
        let Some(principal) = decision.principal() else { continue };
        // For as long as a caller may remember it, it is so.
        for (later, then) in TIMES.iter().zip(&model).skip(place) {
            assert!(at(*later) > principal.valid_until() || then == model_says, "not until {later}: {}", about());
        }
        for role in &world::ROLES {
            let Answer::Admitted { roles, short, .. } = &said else { continue };
            let asked = principal.require(&role.parse().expect("a role"));
            let needs = short.iter().find(|(short, ..)| short == role).map(|(_, least, _)| *least);
            match asked {
                Ok(()) => assert!(roles.contains(role), "{role}: {}", about()),
                Err(missing) => {
                    assert!(!roles.contains(role), "{role}: {}", about());
                    assert_eq!(missing.needs().map(world::strong), needs, "{role}: {}", about());
                }
            }
        }
    }
    TIMES.len() as u64
}

#[test]
fn the_decision_and_the_plain_model_agree() {
    for (name, compared) in compare_by_chance(20) {
        assert!(compared.built > 0 && compared.decisions > 100, "{name}: {compared:?}");
    }
}
