//! A role that is written into a program is checked when the program is built.

use certmap::Role;

const SEND: Role = Role::from_static("send");

fn main() {}
