//! The models. Each says how many interleavings were run. Without `LOOM_MAX_PREEMPTIONS` none is left out.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread::{self, JoinHandle};
use rustls::pki_types::UnixTime;

use crate::decision::{Caller, Evidence};
use crate::identity::{Identity, IdentityHandle};
use crate::live::{Callers, Change};
use crate::policy::{Authority, Guard, Policy, PolicyDigest, PolicyHandle, Says};

const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(100));

/// Runs every interleaving, and says how many there were.
fn every_interleaving(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    loom::model::Builder::new().check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let count = count.load(Ordering::Relaxed);
    println!("{name}: {count} interleavings");
    assert!(count > 50, "{name}: {count}");
}

fn together<const N: usize>(threads: [Box<dyn FnOnce() + Send>; N]) {
    let running: Vec<JoinHandle<()>> = threads.map(thread::spawn).into();
    for one in running {
        one.join().unwrap();
    }
}

/// The user `u` with a role of its own under every policy.
fn user(number: u8) -> Policy {
    Policy::new(number, Says::User("u", ["zero", "one", "two"][usize::from(number)]))
}

fn refusing(number: u8) -> Policy {
    Policy::new(number, Says::Refused)
}

fn handle(policy: Policy) -> Arc<PolicyHandle> {
    Arc::new(PolicyHandle::new(policy))
}

fn number(handle: &PolicyHandle) -> u8 {
    handle.current().digest().0
}

#[test]
fn two_readers_see_replacements_in_order() {
    every_interleaving("replace, two readers", || {
        let policy = handle(user(0));
        let read = |policy: Arc<PolicyHandle>| {
            Box::new(move || {
                let seen = [(); 2].map(|()| number(&policy));
                assert!(seen.is_sorted(), "{seen:?}");
            })
        };
        let writer = Arc::clone(&policy);
        let replace = Box::new(move || {
            assert_eq!(writer.replace(user(1)).digest(), PolicyDigest(0));
            assert_eq!(writer.replace(user(2)).digest(), PolicyDigest(1));
            assert_eq!(number(&writer), 2);
        });
        together([replace, read(Arc::clone(&policy)), read(Arc::clone(&policy))]);
        assert_eq!(number(&policy), 2);
    });
}

#[test]
fn of_two_who_compare_and_replace_neither_undoes_the_other() {
    every_interleaving("compare_and_replace, two writers, one reader", || {
        let policy = handle(refusing(0));
        // Adds its own bit to what is in force, as an editor adds its own change.
        let add = |bit: u8| -> Box<dyn FnOnce() + Send> {
            let policy = Arc::clone(&policy);
            Box::new(move || {
                loop {
                    let from = policy.current().digest();
                    match policy.compare_and_replace(from, refusing(from.0 | bit)) {
                        Ok(replaced) => return assert_eq!(replaced.digest(), from),
                        Err(overtaken) => assert_ne!(overtaken.in_force, from),
                    }
                }
            })
        };
        let reader = Arc::clone(&policy);
        let read = Box::new(move || {
            let [first, second] = [(); 2].map(|()| number(&reader));
            assert_eq!(first & second, first, "a change was undone: {first:b}, then {second:b}");
        });
        together([add(1), add(2), read]);
        assert_eq!(number(&policy), 3, "both changes are there");
    });
}

#[test]
fn of_two_guarded_reloads_the_second_is_checked_against_the_first() {
    every_interleaving("try_replace, two writers, one reader", || {
        let policy = handle(refusing(0).with_rules(&[1]));
        let won = Arc::new(AtomicUsize::new(0));
        let reload = |number: u8| -> Box<dyn FnOnce() + Send> {
            let (policy, won) = (Arc::clone(&policy), Arc::clone(&won));
            Box::new(move || {
                // Each keeps rule 1, so that either may come first; after that, the other would lose a rule of it.
                let next = refusing(number).with_rules(&[1, 10 + number]);
                match policy.try_replace(next, Guard::lost_mappings(0)) {
                    Ok(replaced) => {
                        assert_eq!(replaced.digest(), PolicyDigest(0));
                        won.fetch_add(usize::from(number), Ordering::Relaxed);
                    }
                    Err(tripped) => assert_eq!((tripped.lost, tripped.of), (1, 2)),
                }
            })
        };
        let reader = Arc::clone(&policy);
        let read = Box::new(move || {
            let [first, second] = [(); 2].map(|()| number(&reader));
            assert!(first == 0 || first == second, "{first}, then {second}");
        });
        together([reload(1), reload(2), read]);
        assert_eq!(usize::from(number(&policy)), won.load(Ordering::Relaxed), "exactly one won, and is in force");
    });
}

#[test]
fn an_identity_and_its_number_go_together_and_none_is_lost() {
    every_interleaving("identity, two writers, one reader", || {
        let identity = Arc::new(IdentityHandle::new(Identity(0)));
        let returned = Arc::new(std::sync::Mutex::new(Vec::new()));
        let replace = |next: u64| -> Box<dyn FnOnce() + Send> {
            let (identity, returned) = (Arc::clone(&identity), Arc::clone(&returned));
            Box::new(move || {
                let before = identity.replace(Identity(next));
                returned.lock().unwrap().push(before);
            })
        };
        let reader = Arc::clone(&identity);
        let read = Box::new(move || {
            let [first, second] = [(); 2].map(|()| reader.numbered());
            assert!(first.0 <= second.0, "{first:?}, then {second:?}");
            assert_eq!(first.0 == second.0, first.1 == second.1, "{first:?}, then {second:?}");
            assert_eq!(first.0 == 0, first.1 == Identity(0), "{first:?}");
        });
        together([replace(1), replace(2), read]);
        let mut all = returned.lock().unwrap().clone();
        all.push(identity.current());
        all.sort();
        assert_eq!(all, [0, 1, 2].map(Identity));
        assert_eq!(identity.numbered().0, 2);
    });
}

/// The number of the policy by which the caller is admitted; `None` if it is refused.
fn admitted(caller: &Caller) -> Option<u8> {
    caller.admit(Authority::NotHttp, NOW).ok().map(|principal| principal.policy.0)
}

#[test]
fn what_a_caller_remembers_never_outlives_the_policy() {
    for ends in [false, true] {
        every_interleaving("caller, two requests, one replacement", move || {
            let policy = handle(user(0));
            let caller = Caller::new(Arc::clone(&policy), Evidence);
            let next = if ends { refusing(1) } else { user(1) };
            let after = if ends { None } else { Some(1) };
            let request = |caller: Caller| -> Box<dyn FnOnce() + Send> {
                Box::new(move || {
                    let answer = admitted(&caller);
                    assert!(answer == Some(0) || answer == after, "{answer:?}");
                })
            };
            let replacing = caller.clone();
            let replace = Box::new(move || {
                policy.replace(next);
                assert_eq!(admitted(&replacing), after, "what is taken out bites at the next request");
            });
            let decide = |caller: Caller| -> Box<dyn FnOnce() + Send> {
                Box::new(move || {
                    let decided = caller.decide(NOW);
                    let refused = decided.principal().is_none();
                    assert_eq!(refused, ends && decided.policy() == PolicyDigest(1));
                })
            };
            together([replace, request(caller.clone()), decide(caller.clone())]);
            assert_eq!(admitted(&caller), after);
        });
    }
}

/// A connection, and its role now; none if it ended.
type Word = (u8, Option<&'static str>);

/// What a gateway was told of its connections, in no order.
#[derive(Clone, Default)]
struct Told(Arc<std::sync::Mutex<Vec<Word>>>);

impl Told {
    fn hear(&self, changes: Vec<Change<u8>>) {
        self.0.lock().unwrap().extend(changes.into_iter().map(|change| match change {
            Change::Changed { handle, principal } => (handle, principal.map(|principal| principal.roles[0].0)),
            Change::Ended { handle, .. } => (handle, None),
        }));
    }

    /// How often this was told.
    fn count(&self, what: Word) -> usize {
        self.0.lock().unwrap().iter().filter(|told| **told == what).count()
    }

    fn all(&self) -> Vec<Word> {
        self.0.lock().unwrap().clone()
    }
}

/// Puts a policy in force and looks who has lost by it, as a gateway does.
fn reload(policy: &Arc<PolicyHandle>, next: Policy, callers: &Callers<u8>, told: &Told) -> Box<dyn FnOnce() + Send> {
    let (policy, callers, told) = (Arc::clone(policy), callers.clone(), told.clone());
    Box::new(move || {
        policy.replace(next);
        told.hear(callers.review(NOW));
    })
}

/// Takes the registry's lock, and no more.
fn look(callers: &Callers<u8>) -> Box<dyn FnOnce() + Send> {
    let callers = callers.clone();
    Box::new(move || assert!(callers.len() <= 2))
}

fn review(callers: &Callers<u8>, told: &Told) -> Box<dyn FnOnce() + Send> {
    let (callers, told) = (callers.clone(), told.clone());
    Box::new(move || told.hear(callers.review(NOW)))
}

#[test]
fn a_caller_that_is_registered_while_a_policy_is_replaced_is_told_once() {
    every_interleaving("registered during a replacement", || {
        let (policy, callers, told) = (handle(user(0)), Callers::with_limit(2), Told::default());
        let kept = Arc::new(std::sync::Mutex::new(None));
        let register = {
            let (policy, callers, kept) = (Arc::clone(&policy), callers.clone(), Arc::clone(&kept));
            Box::new(move || {
                let registered = callers.register(Caller::new(policy, Evidence), 7, NOW).unwrap();
                *kept.lock().unwrap() = Some(registered);
            })
        };
        together([register, reload(&policy, refusing(1), &callers, &told), review(&callers, &told)]);
        // Refused already when it was registered is told at the next review.
        told.hear(callers.review(NOW));
        assert_eq!(told.all(), [(7, None)]);
    });
}

#[test]
fn a_caller_that_is_registered_while_its_roles_change_stands_as_it_stands_now() {
    every_interleaving("registered while roles change", || {
        let (policy, callers, told) = (handle(user(0)), Callers::with_limit(2), Told::default());
        let kept = Arc::new(std::sync::Mutex::new(None));
        let register = {
            let (policy, callers, kept) = (Arc::clone(&policy), callers.clone(), Arc::clone(&kept));
            Box::new(move || {
                let caller = Caller::new(policy, Evidence);
                let registered = callers.register(caller, 7, NOW).unwrap();
                *kept.lock().unwrap() = Some(registered);
            })
        };
        together([register, reload(&policy, user(1), &callers, &told), review(&callers, &told)]);
        // Registered under the new policy, or told of it: nothing is left for somebody to look again.
        assert!(callers.review(NOW).is_empty(), "told too late; before: {:?}", told.all());
        assert!(told.count((7, Some("one"))) <= 1, "{:?}", told.all());
    });
}

#[test]
fn a_caller_that_leaves_during_a_review_leaves_nothing_behind() {
    every_interleaving("dropped during a review", || {
        let (policy, callers, told) = (handle(user(0)), Callers::with_limit(2), Told::default());
        let caller = |handle: u8| callers.register(Caller::new(Arc::clone(&policy), Evidence), handle, NOW).unwrap();
        let (leaving, _staying) = (caller(1), caller(2));
        let leave = Box::new(move || drop(leaving));
        together([leave, reload(&policy, refusing(1), &callers, &told), look(&callers)]);
        assert_eq!(callers.len(), 1);
        assert_eq!(told.count((2, None)), 1, "{:?}", told.all());
        assert!(told.count((1, None)) <= 1, "{:?}", told.all());
        assert!(callers.review(NOW).is_empty());
    });
}

/// A handle of a gateway that asks the registry when it goes.
#[derive(Clone)]
struct Asking(Callers<Option<Asking>>);

impl Drop for Asking {
    fn drop(&mut self) {
        assert!(self.0.len() <= 2);
    }
}

#[test]
fn a_handle_may_ask_the_registry_when_it_goes() {
    every_interleaving("a handle that asks when it is dropped", || {
        let (policy, callers) = (handle(user(0)), Callers::with_limit(2));
        let register = || {
            let handle = Some(Asking(callers.clone()));
            callers.register(Caller::new(Arc::clone(&policy), Evidence), handle, NOW).unwrap()
        };
        let (one, other) = (register(), register());
        let (replacing, reviewing) = (Arc::clone(&policy), callers.clone());
        let reload = Box::new(move || {
            replacing.replace(refusing(1));
            drop(reviewing.review(NOW));
        });
        together([Box::new(move || drop(one)), Box::new(move || drop(other)), reload]);
        assert!(callers.is_empty());
    });
}

#[test]
fn a_slower_review_of_an_older_policy_neither_undoes_nor_hides_a_newer_one() {
    every_interleaving("two reloads, each with its review", || {
        let (policy, callers, told) = (handle(user(0)), Callers::with_limit(2), Told::default());
        let _kept = callers.register(Caller::new(Arc::clone(&policy), Evidence), 7, NOW).unwrap();
        policy.replace(user(1));
        // One is still busy with policy 1 when policy 2 ends it all.
        together([review(&callers, &told), reload(&policy, refusing(2), &callers, &told), look(&callers)]);
        assert_eq!(told.count((7, None)), 1, "{:?}", told.all());
        assert!(told.count((7, Some("one"))) <= 1, "{:?}", told.all());
        assert!(callers.review(NOW).is_empty(), "told too late; before: {:?}", told.all());
    });
}

#[test]
fn a_rollback_that_overtakes_a_review_leaves_what_is_in_force() {
    every_interleaving("a reload and its rollback, each with its review", || {
        let (policy, callers, told) = (handle(user(0)), Callers::with_limit(2), Told::default());
        let _kept = callers.register(Caller::new(Arc::clone(&policy), Evidence), 7, NOW).unwrap();
        policy.replace(user(1));
        together([review(&callers, &told), reload(&policy, user(0), &callers, &told), look(&callers)]);
        // Told of 1 and of 0 after it, or of neither.
        let (one, zero) = (told.count((7, Some("one"))), told.count((7, Some("zero"))));
        assert!(one == zero && one <= 1, "{:?}", told.all());
        assert!(callers.review(NOW).is_empty(), "told too late; before: {:?}", told.all());
    });
}
