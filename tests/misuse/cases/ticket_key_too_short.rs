//! A ticket key has 32 octets.

use certmap::tls::TicketKey;

fn misuse() -> TicketKey {
    TicketKey::new([7; 16])
}

fn main() {}
