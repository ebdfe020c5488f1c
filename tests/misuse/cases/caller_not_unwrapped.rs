//! A connection may have no caller yet.

use certmap::rustls::ServerConnection;
use certmap::{Caller, Selected};

fn misuse(selected: &Selected, connection: &ServerConnection) -> Caller {
    selected.caller(connection)
}

fn main() {}
