//! Does whatever a peer calls itself stay inside one line, and does the line say what was decided?
//!
//! `cargo run --release -p certmap-campaigns --bin records`

use certmap_campaigns::records::{Recorded, record};

fn main() {
    let Recorded { names, admitted, refused, longest } = record(1_000_000, 1);
    println!(
        "{names} hostile names, {admitted} admitted, {refused} refused; each record and access line one line of printable \
         ASCII, at most {longest} bytes, and read back as the same decision"
    );
}
