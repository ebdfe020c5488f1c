//! An exported key is wiped when it goes.

use certmap::Identity;

fn misuse(identity: &Identity) -> Option<String> {
    identity.private_key_pem()
}

fn main() {}
