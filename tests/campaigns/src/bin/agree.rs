//! Does `decide` say what the plain model says, for every small policy, peer and time?
//!
//! `cargo run --release -p certmap-campaigns --bin agree`

use certmap_campaigns::{Compared, compare};

fn main() {
    let Compared { built, problems, decisions } = compare(1);
    println!("{built} policies built, {problems} with problems; {decisions} decisions compared, all agree");
}
