//! Whether a certificate is asked for is one of three words.

use certmap::Host;

fn misuse(host: Host) -> Host {
    host.with_client_auth(true)
}

fn main() {}
