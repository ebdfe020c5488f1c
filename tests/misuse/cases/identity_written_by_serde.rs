//! An identity is not written by whatever writes the rest.

fn write<T: serde::Serialize>(_: &T) {}

fn misuse(identity: &certmap::Identity) {
    write(identity);
}

fn main() {}
