//! Does replacing the policy disturb those who decide, and do two threads decide twice as much as one?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use certmap::identity::NewKey;
use certmap::testing::NOW;
use certmap::{Evidence, Policy, PolicyHandle};
use certmap_bench::{Bound, Partners, Report, another_each_time, evidence, is_measuring};

const SLICE: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_millis(10);
const OTHERS: usize = 2_000;

/// What one thread did in one slice: nanoseconds of every decision, and how long the thread was on a processor.
struct Work {
    decisions: Vec<u64>,
    running: Duration,
}

impl Work {
    fn per_second_of_running(&self) -> f64 {
        count(self.decisions.len()) / self.running.as_secs_f64()
    }
}

fn main() {
    let report =
        Report::new("8. Two threads decide, and a third replaces the policy by another of 100,000 every 10 ms");
    let size = if is_measuring() { 100_000 } else { 1_000 };
    let partners = Partners::new(NewKey::Rsa2048);
    let own: Vec<_> = another_each_time(size, OTHERS).into_iter().map(|number| partners.certificate(number)).collect();
    let (one, other) = (Arc::new(partners.policy(size, &[])), Arc::new(partners.policy(size, &[])));
    let seen: Vec<_> = own.iter().map(|certificate| evidence(&one, certificate)).collect();
    assert!(seen.iter().all(|seen| one.decide(seen, NOW).principal().is_some()));
    let (mine, yours) = seen.split_at(seen.len() / 2);
    let handle = PolicyHandle::new(Arc::clone(&one));

    let (mut calm, mut swapped, mut wall, mut running) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if is_measuring() { 40 } else { 1 } {
        let alone = decide(&handle, mine);
        let both = together(&handle, [mine, yours]);
        wall.push(count(both.iter().map(|work| work.decisions.len()).sum::<usize>()) / count(alone.decisions.len()));
        running.push(both.iter().map(Work::per_second_of_running).sum::<f64>() / alone.per_second_of_running());
        calm.extend(both.into_iter().flat_map(|work| work.decisions));
        let both = while_swapping(&handle, &[&one, &other], || together(&handle, [mine, yours]));
        swapped.extend(both.into_iter().flat_map(|work| work.decisions));
    }
    for (name, decisions) in [("policy unchanged", &mut calm), ("replaced every 10 ms", &mut swapped)] {
        decisions.sort_unstable();
        let [median, p99, p999] = [0.5, 0.99, 0.999].map(|part| quantile(decisions, part));
        report.figure(name, &format!("median {median} ns, p99 {p99} ns, p99.9 {p999} ns"));
    }
    let [calm, swapped] = [&calm, &swapped].map(|decisions| count(quantile(decisions, 0.999)));
    report.ratio(8, "p99.9, replaced to unchanged", swapped / calm, Bound::AtMost(3.0));
    report.ratio(8, "two threads to one, decisions a second", middle(wall), Bound::AtLeast(1.8));
    report.ratio(8, "the same, a second on a processor", middle(running), Bound::AtLeast(1.8));
}

/// Decides about these for one slice.
fn decide(handle: &PolicyHandle, seen: &[Evidence]) -> Work {
    let (start, before) = (Instant::now(), time_on_a_processor());
    let mut decisions = Vec::with_capacity(200_000);
    let mut last = start;
    for seen in seen.iter().cycle() {
        drop(std::hint::black_box(handle.decide(seen, NOW)));
        let now = Instant::now();
        decisions.push(u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX));
        last = now;
        if now - start >= SLICE {
            break;
        }
    }
    Work { decisions, running: time_on_a_processor().saturating_sub(before) }
}

fn together(handle: &PolicyHandle, seen: [&[Evidence]; 2]) -> [Work; 2] {
    thread::scope(|scope| {
        let threads = seen.map(|seen| scope.spawn(|| decide(handle, seen)));
        threads.map(|thread| thread.join().expect("nothing panics there"))
    })
}

fn while_swapping<T>(handle: &PolicyHandle, policies: &[&Arc<Policy>], work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for policy in policies.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                thread::sleep(EVERY);
                handle.replace(Arc::clone(policy));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}

/// How long this thread has run so far, without the time it waited for a processor: the first field of what Linux says.
/// Elsewhere the time of day has to do.
fn time_on_a_processor() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let said = said.as_deref().and_then(|said| said.split(' ').next()?.parse().ok());
    let since_1970 = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    said.map_or_else(since_1970, Duration::from_nanos)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn quantile<T: Copy>(sorted: &[T], part: f64) -> T {
    sorted[((count(sorted.len()) * part) as usize).min(sorted.len() - 1)]
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn count(number: impl TryInto<u64>) -> f64 {
    number.try_into().unwrap_or(u64::MAX) as f64
}
