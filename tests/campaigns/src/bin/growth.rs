//! How many times as many instructions does twice as large an input take? At most 2.2, or somebody can make it expensive; no more
//! at all where it is the policy that is larger, and what is asked of it is not.
//!
//! `cargo run --release -p certmap-campaigns --bin growth`. Needs valgrind: it runs itself under callgrind, which counts what
//! happens in one function. A part of a case's name behind `--` runs those cases only; `short` runs the smallest doubling of each
//! question to a policy, in less than a minute.

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use certmap_campaigns::broken::growth::{CASES, Work};

/// How the names of questions to a policy begin.
const QUESTIONS: [&str; 3] = ["decide: ", "explain: ", "lint: "];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [one, case, size] = arguments.as_slice()
        && one == "one"
    {
        let (case, size) = (case.parse::<usize>().expect("a number"), size.parse().expect("a number"));
        let work = (CASES[case].make)(size);
        // What is made at first use is not counted.
        work();
        only_this_is_counted(&work);
        return ExitCode::SUCCESS;
    }
    let wanted = arguments.first().map_or("", String::as_str);
    let short = wanted == "short";
    let is_wanted = |name: &str| {
        if short { QUESTIONS.iter().any(|question| name.starts_with(question)) } else { name.contains(wanted) }
    };
    let doublings = if short { 1 } else { usize::MAX };
    let (mut worst, mut pairs, mut over) = ((0, String::new()), 0, 0);
    for (number, case) in CASES.iter().enumerate().filter(|(_, case)| is_wanted(case.name)) {
        for size in case.sizes.iter().take(doublings) {
            let (small, large) = (count(number, *size), count(number, 2 * size));
            let ratio = large * 1_000 / small;
            pairs += 1;
            over += usize::from(ratio > case.most);
            let told = format!("{}, {size} to {}", case.name, 2 * size);
            println!(
                "{:>7} {small:>12} {large:>12}  {told}{}",
                times(ratio),
                if ratio > case.most { "  FINDING" } else { "" }
            );
            if ratio > worst.0 {
                worst = (ratio, told);
            }
        }
    }
    println!("{pairs} doublings, {over} over what each may take; worst {} ({})", times(worst.0), worst.1);
    // Nothing measured is nothing shown.
    if over == 0 && pairs > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn times(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

#[inline(never)]
fn only_this_is_counted(work: &Work) {
    black_box(work)();
}

/// Instructions of one question.
fn count(case: usize, size: usize) -> u64 {
    let own = env::current_exe().expect("the path of this program");
    let mut valgrind = Command::new("valgrind");
    // The allocator keeps what is freed at hand, or its tidying up, now and then, is counted among the rest.
    valgrind.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=60000");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    valgrind.arg("--toggle-collect=*only_this_is_counted*").arg(own);
    let ended = valgrind.args(["one", &case.to_string(), &size.to_string()]).output().expect("valgrind");
    let said = String::from_utf8_lossy(&ended.stderr);
    let counted = said.lines().find_map(|line| line.split_once("Collected : "));
    let counted = counted.and_then(|(_, number)| number.trim().parse().ok());
    counted.filter(|number| ended.status.success() && *number > 0).unwrap_or_else(|| panic!("{said}"))
}
