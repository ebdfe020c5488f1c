//! A handshake that is not finished gives no caller.

use certmap::Caller;
use certmap::tls::NoCaller;

fn misuse(no: NoCaller) -> Caller {
    no.into()
}

fn main() {}
