//! Is everything that is broken refused, told, or who it was, within bounded memory? Do hostile chains stay within the bound?
//!
//! `cargo run --release -p certmap-campaigns --bin broken`; a number behind `--` tries each so manieth damage only.

use std::process::ExitCode;

use certmap_campaigns::broken::{Family, Tally, chains, files, hostile};

fn peak(call: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(call).bytes_max
}

fn main() -> ExitCode {
    let every = std::env::args().nth(1).map_or(1, |number| number.parse().expect("a number"));
    // What panics is a finding, and told as one.
    std::panic::set_hook(Box::new(|_| {}));
    let families: [Family; 5] = [chains::decided, chains::read, files::pkcs12, files::pse, files::documents];
    let tallies = families.map(|family| {
        let tally = family(every, peak);
        print!("{tally}");
        tally
    });
    let rows = hostile::rows();
    for row in &rows {
        println!("{row}{}", if row.holds() { "" } else { " FINDING" });
    }

    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let bad = rows.iter().filter(|row| !row.holds()).count();
    let most = tallies.iter().map(|tally| tally.largest.0).max().unwrap_or_default();
    let longest = tallies.iter().map(|tally| tally.slowest.0).max().unwrap_or_default();
    println!(
        "{} damaged inputs, {} findings; at most {most} bytes of memory and {longest:?} for one, {} over 10 ms; {} hostile \
         chains, at most {} signatures, {bad} findings",
        sum(|tally| tally.tried),
        sum(|tally| tally.findings.len()),
        sum(|tally| tally.slow),
        rows.len(),
        rows.iter().map(|row| row.signatures).max().unwrap_or_default()
    );
    if sum(|tally| tally.findings.len()) + sum(|tally| tally.slow) + bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
