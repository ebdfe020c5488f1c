//! A role is not a user.

use certmap::{Role, RoleAssignment, UserName};

fn misuse(user: UserName, role: Role) -> RoleAssignment {
    RoleAssignment::new(role, user)
}

fn main() {}
