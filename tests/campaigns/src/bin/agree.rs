//! Does the crate say what the plain model says: which small policies can be built, and who every peer is at every time?
//!
//! `cargo run --release -p certmap-campaigns --bin agree`; a number behind `--`: so many policies of each family by chance.

use std::sync::Mutex;

use certmap_campaigns::agree::{Compared, compare_all, compare_by_chance};

fn main() {
    let began = std::time::Instant::now();
    let sum = Mutex::new(Compared::default());
    let told = |name: &'static str, compared: Compared| {
        println!("{name}: {compared:?}");
        sum.lock().expect("nobody panics with it").add(compared);
    };
    match std::env::args().nth(1) {
        None => compare_all(40_000, &told),
        Some(each) => {
            for (name, compared) in compare_by_chance(each.parse().expect("a number")) {
                told(name, compared);
            }
        }
    }
    let Compared { built, problems, unwritable, decisions } = sum.into_inner().expect("nobody panics with it");
    println!(
        "{built} policies built, {problems} with problems, {unwritable} that cannot be written; {decisions} decisions \
         compared, all agree; {} s",
        began.elapsed().as_secs()
    );
}
