//! Names are compared as structure, never as text.

use certmap::DistinguishedName;

fn misuse(name: &DistinguishedName) -> bool {
    *name == "CN=acme"
}

fn main() {}
