//! A name counts under the CA that vouches for it, and is no selector without one.

use certmap::Selector;
use certmap::map::NameTest;

fn misuse(test: NameTest) -> Selector {
    test.into()
}

fn main() {}
