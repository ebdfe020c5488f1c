//! The laws that are fuzzed: each target is one function that takes bytes and panics where a law is broken.
//!
//! A law says more than that nothing panics: what was read prints and reads back as the same, what differs never prints
//! alike, a second and plainer reading agrees, nobody is admitted who was not let in by construction. Keys are made anew in
//! each process, and inputs name certificates by number, so that an input means the same in every process.

#[path = "../../tests/it/alike.rs"]
mod alike;
mod certificate;
mod chain;
mod crl;
pub mod der;
mod document;
mod file;
mod general_names;
mod handshake;
mod model;
mod names;
mod pem;
mod texts;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use libfuzzer_sys;

use std::error::Error;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also of its seeds.
    pub name: &'static str,
    /// Panics where a law is broken.
    pub law: fn(&[u8]),
    /// What the input may cost a program that uses the crate: no law, only the work. `None` where whoever sends the input
    /// cannot make it 64 KiB, or where a password is hashed as often as the file asks.
    pub work: Option<fn(&[u8])>,
    /// What of that work a library does which the program chose, not we: its time does not count.
    pub foreign: Option<fn(&[u8])>,
}

impl Target {
    const fn new(name: &'static str, law: fn(&[u8]), work: Option<fn(&[u8])>) -> Self {
        Self { name, law, work, foreign: None }
    }
}

/// Every target.
pub const TARGETS: [Target; 13] = [
    Target::new("certificate", certificate::law, Some(certificate::work)),
    Target::new("chain", chain::law, Some(chain::work)),
    Target::new("crl", crl::law, Some(crl::work)),
    Target::new("dn_der", names::der_law, Some(names::der_work)),
    Target::new("dn_text", names::text_law, Some(names::text_work)),
    Target { foreign: Some(document::foreign), ..Target::new("document", document::law, Some(document::work)) },
    Target::new("general_names", general_names::law, Some(general_names::work)),
    Target::new("handshake", handshake::law, Some(handshake::work)),
    Target::new("model", model::law, None),
    Target::new("pem", pem::law, Some(pem::work)),
    Target::new("pkcs12", file::pkcs12_law, Some(file::pkcs12_work)),
    Target::new("pse", file::pse_law, Some(file::pse_work)),
    Target::new("texts", texts::law, Some(texts::work)),
];

/// The law of the target with this name.
///
/// # Panics
/// If there is no such target, or the law is broken.
pub fn check(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("the name of a target");
    (target.law)(input);
}

/// The program of one target: under cargo-fuzz its loop, otherwise it reads the files that are named.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::check(stringify!($name), input));

        #[cfg(not(fuzzing))]
        fn main() {
            for file in std::env::args_os().skip(1) {
                $crate::check(stringify!($name), &std::fs::read(&file).expect("a file to read"));
                println!("{} keeps the laws", file.display());
            }
        }
    };
}

/// Each message of an error is one line that harms no terminal and is not empty.
#[track_caller]
fn plain_error(error: &(dyn Error + 'static)) -> String {
    let mut whole = String::new();
    let mut next = Some(error);
    while let Some(one) = next {
        let message = one.to_string();
        assert!(!message.is_empty(), "an error without message: {one:?}");
        one_line(&message);
        whole.push_str(&message);
        whole.push('\n');
        next = one.source();
    }
    whole
}

/// Nothing in it ends the line, turns its direction or cannot be seen.
#[track_caller]
fn one_line(text: &str) {
    let harms = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!text.contains(harms), "{text:?}");
}

/// The first message of a client, of TLS 1.3 or 1.2, for a seed.
#[must_use]
pub fn first_message(version: u8) -> Vec<u8> {
    handshake::first_message(version)
}
