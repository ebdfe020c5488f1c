//! A file that nobody has sealed is danger, and says so.

use certmap::Import;

fn misuse(import: Import<'_>) -> Import<'_> {
    import.accept_no_mac()
}

fn main() {}
