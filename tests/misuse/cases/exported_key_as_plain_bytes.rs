//! An exported key is wiped when it goes, in DER too.

use certmap::Identity;

fn misuse(identity: &Identity) -> Option<Vec<u8>> {
    identity.private_key_der()
}

fn main() {}
