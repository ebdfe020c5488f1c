//! A policy in force is not changed, it is replaced.

use certmap::{PolicyHandle, UserName};

fn misuse(handle: &PolicyHandle, user: UserName) {
    handle.current().disabled_users().push(user);
}

fn main() {}
