//! A principal is not read from anywhere.

fn read<T: for<'a> serde::Deserialize<'a>>() {}

fn misuse() {
    read::<certmap::Principal>();
}

fn main() {}
