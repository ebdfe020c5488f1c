//! A ticket key does not give its octets away.

use certmap::tls::TicketKey;

fn misuse(key: TicketKey) -> [u8; 32] {
    key.secret
}

fn main() {}
