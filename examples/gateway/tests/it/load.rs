//! Many requests while policies are swapped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, thread};

use certmap::AccessLine;
use certmap::decision::RecordOutcome;

use crate::desk::Desk;
use crate::gateway::Gateway;

/// Requests of each of the two clients; `GATEWAY_LOAD` is how many.
fn requests() -> usize {
    env::var("GATEWAY_LOAD").ok().map_or(2_000, |text| text.parse().expect("a number"))
}

/// The status of each of so many requests, all made by one process that keeps its connection.
fn ask(desk: &Desk, gateway: &Gateway, who: &str, count: usize) -> String {
    let url = format!("https://gw.example:{}/send?[1-{count}]", gateway.port);
    let resolve = format!("gw.example:{}:127.0.0.1", gateway.port);
    let (certificate, key) = (format!("{who}.crt"), format!("{who}.key"));
    let words = ["--silent", "--cacert", "gw.crt", "--resolve", &resolve, "--cert", &certificate, "--key", &key];
    let print = ["--output", "/dev/null", "--write-out", "%{http_code}\n", &url];
    desk.run("curl", &[&words[..], &print[..]].concat())
}

#[test]
fn no_request_is_lost_or_decided_by_two_policies_while_policies_are_swapped() {
    let desk = Desk::new("load");
    let gateway = desk.gateway(&[]);
    // Two policies that are both whole: in one `acme` may send, in the other only `beta` may.
    let (one, two) = (desk.text("policy.toml"), desk.text("two.toml"));
    let count = requests();
    let running = AtomicBool::new(true);
    // Both clients at once, each half of its requests.
    let half = || {
        thread::scope(|scope| {
            let clients = ["acme", "beta"].map(|who| {
                let (desk, gateway) = (&desk, &gateway);
                scope.spawn(move || ask(desk, gateway, who, count / 2))
            });
            clients.map(|client| client.join().expect("no request failed"))
        })
    };
    let (answers, asked_by_swapper, swaps, memory) = thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let (mut swaps, mut asked) = (0_usize, 0_usize);
            while running.load(Ordering::Relaxed) || swaps < count / 50 {
                let (text, answer) = match swaps % 4 {
                    0 => ("no policy", "not reloaded: "),
                    1 => (&*two, "policy "),
                    2 => ("version = 1\nmappings = [{ match = \"@nobody\", user = \"X\" }]\n", "not reloaded: "),
                    _ => (&*one, "policy "),
                };
                desk.replace("policy.toml", text);
                gateway.signal("-HUP");
                gateway.says(answer);
                swaps += 1;
                // From the swap on it is the new policy that decides.
                if swaps % 2 == 0 {
                    let expected = if swaps % 4 == 0 { "200\n" } else { "403\n" };
                    assert_eq!(ask(&desk, &gateway, "acme", 1), expected, "after {swaps} swaps");
                    asked += 1;
                }
            }
            (swaps, asked)
        });
        let first = half();
        let warm = memory(&gateway);
        let second = half();
        let memory = (warm, memory(&gateway));
        running.store(false, Ordering::Relaxed);
        let (swaps, asked) = swapper.join().expect("every swap was answered");
        ([first, second].concat(), asked, swaps, memory)
    });
    for answers in &answers {
        assert_eq!(answers.lines().count(), count / 2);
        assert!(answers.lines().all(|status| status == "200" || status == "403"), "a request was lost");
    }
    let total = 2 * count + asked_by_swapper;
    let records = gateway.end();
    let log = desk.text("http.log");
    let lines: Vec<AccessLine> = log.lines().map(|line| line.parse().expect("a line of ours")).collect();
    assert_eq!((lines.len(), records.len()), (total, total), "a line and a record for each request");

    // Each policy admits one of the two and refuses the other, always the same one; and there are as many records as
    // there are answers like that.
    let mut decided = BTreeMap::<(&str, u16), BTreeSet<&str>>::new();
    let mut counted = BTreeMap::<(&str, u16), isize>::new();
    for record in &records {
        let (policy, user) = (record.policy().expect("a digest"), record.user().expect("a user"));
        let status = if record.outcome() == RecordOutcome::Admitted { 200 } else { 403 };
        decided.entry((policy, status)).or_default().insert(user);
        *counted.entry((user, status)).or_default() += 1;
    }
    assert_eq!(decided.len(), 4, "{decided:?}");
    assert!(decided.values().all(|users| users.len() == 1), "{decided:?}");
    for line in &lines {
        *counted.entry((line.user().expect("a user"), line.status())).or_default() -= 1;
    }
    assert!(counted.values().all(|left| *left == 0), "{counted:?}");

    let (warm, end) = memory;
    println!("{total} requests, {swaps} swaps, {warm} KiB after one half and {end} KiB after the other");
    assert!(end < warm + 20 * 1024, "{warm} KiB after one half and {end} KiB after the other");
}

#[test]
fn routes_are_swapped_together_with_the_policy() {
    let desk = Desk::new("together");
    // In both `acme` has the role that the route needs; with the policy of one and the routes of the other it has not.
    let one = desk.text("policy.toml");
    let two = one.replace("iflmap/ESBMessaging.send", "iflmap/Other");
    let gateway = desk.gateway(&[]);
    let running = AtomicBool::new(true);
    let answers = thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            for text in [&two, &one].into_iter().cycle().take_while(|_| running.load(Ordering::Relaxed)) {
                desk.replace("policy.toml", text);
                gateway.signal("-HUP");
                gateway.says("policy ");
            }
        });
        let answers = ask(&desk, &gateway, "acme", 500);
        running.store(false, Ordering::Relaxed);
        swapper.join().expect("every swap was answered");
        answers
    });
    assert!(answers.lines().all(|status| status == "200"), "{answers}");
    let records = gateway.end();
    let policies: BTreeSet<_> = records.iter().map(|record| record.policy()).collect();
    assert_eq!((records.len(), policies.len()), (500, 2));
}

#[cfg(target_os = "linux")]
fn memory(gateway: &Gateway) -> u64 {
    gateway.memory()
}

#[cfg(not(target_os = "linux"))]
fn memory(_: &Gateway) -> u64 {
    0
}
