//! The roles of a principal are those of its decision.

use certmap::{Principal, Role};

fn misuse(principal: &mut Principal, role: Role) {
    principal.roles().push(role);
}

fn main() {}
