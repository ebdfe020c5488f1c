//! A caller is whoever connects to us, not whom we connect to.

use certmap::rustls::ClientConnection;
use certmap::tls::NoCaller;
use certmap::{Caller, Selected};

fn misuse(selected: &Selected, connection: &ClientConnection) -> Result<Caller, NoCaller> {
    selected.caller(connection)
}

fn main() {}
