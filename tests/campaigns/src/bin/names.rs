//! Is printing a name injective, and reading its text the inverse, on ten million random names?
//!
//! `cargo run --release -p certmap-campaigns --bin names`; a number behind `--` is how many names.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use certmap::cert::DistinguishedName;

#[path = "../../../it/random_names.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of the crate, who use more of it")]
mod random_names;

use random_names::random_der;

/// 128 bits that stand for a text or a name: enough that ten million of them do not meet by chance.
fn short(value: impl Hash) -> (u64, u64) {
    [1_u8, 2]
        .map(|salt| {
            let mut hasher = DefaultHasher::new();
            (salt, &value).hash(&mut hasher);
            hasher.finish()
        })
        .into()
}

fn main() {
    let wanted = std::env::args().nth(1).map_or(10_000_000, |number| number.parse::<u64>().expect("how many names"));
    let mut random = fastrand::Rng::with_seed(0x4514);
    let mut names_of = HashMap::new();
    let mut texts_of = HashMap::new();
    for _ in 0..wanted {
        let der = random_der(&mut random);
        let name = DistinguishedName::from_der(&der).expect("a name");
        let text = name.to_string();
        assert_eq!(text.parse().as_ref(), Ok(&name), "{text}");
        assert_eq!(DistinguishedName::from_der(&name.to_der()).as_ref(), Ok(&name), "{text}");
        let (short_text, short_name) = (short(&text), short(name.to_der()));
        assert_eq!(*names_of.entry(short_text).or_insert(short_name), short_name, "two names print as {text}");
        assert_eq!(*texts_of.entry(short_name).or_insert(short_text), short_text, "one name prints as {text} too");
    }
    println!("{wanted} names, {} different: as many texts, each read as its name", names_of.len());
}
