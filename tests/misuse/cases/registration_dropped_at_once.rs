//! A registered caller is kept; dropping it is an error under `deny(unused_must_use)`.

#![deny(unused_must_use)]

use certmap::Caller;
use certmap::live::{Callers, TooManyCallers};
use certmap::rustls::pki_types::UnixTime;

fn misuse(callers: &Callers<u32>, caller: Caller, now: UnixTime) -> Result<(), TooManyCallers> {
    callers.register(caller, 7, now)?;
    Ok(())
}

fn main() {}
