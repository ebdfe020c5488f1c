//! Is any decision wrong, lost or made of two policies, while the policy is replaced under many connections? Does memory
//! grow? How long after its removal is a partner refused?
//!
//! `cargo run --release -p certmap-campaigns --bin soak -- [handshakes [reloads [removals [seconds]]]]`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use certmap_campaigns::soak::{Plan, Seen, run};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let mut next = |otherwise| numbers.next().unwrap_or(otherwise);
    let plan =
        Plan { handshakes: next(1_000_000), reloads: next(10_000), removals: next(10_000), seconds: next(7_200) };
    let start = Instant::now();
    let seen = run(plan).expect("a network of this host");
    let is_steady = seen.is_steady();
    let Seen { right, admitted, resumed, refused_early, wrong, reloads, mut removals, memory } = seen;
    removals.sort_unstable();
    let at =
        |per_mille: usize| removals.get((removals.len().max(1) - 1) * per_mille / 1000).copied().unwrap_or_default();
    let slow = removals.iter().filter(|took| **took > Duration::from_millis(100)).count();
    wrong.iter().take(20).for_each(|wrong| println!("wrong: {wrong}"));
    println!("resident memory at the quarters, KiB: {memory:?}{}", if is_steady { "" } else { ": it grows" });
    println!(
        "{} removals: refused within {:?} (median), {:?} (99 %), {:?} (worst); {slow} later than 100 ms",
        removals.len(),
        at(500),
        at(990),
        at(1000)
    );
    println!(
        "{right} of {} connections right ({admitted} admitted, {resumed} resumed, {refused_early} refused in the handshake), \
         {} reloads, {} failed on purpose; {} wrong, lost or mixed; {} s",
        plan.handshakes,
        reloads[0],
        reloads[1],
        wrong.len(),
        start.elapsed().as_secs()
    );
    let all =
        right == plan.handshakes && reloads[0] + reloads[1] == plan.reloads && removals.len() as u64 == plan.removals;
    if all && wrong.is_empty() && slow == 0 && is_steady { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
