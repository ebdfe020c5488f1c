//! Who one is and what one may do have two answers: 401 and 403.

use certmap::{Principal, Refused, Role};

fn misuse(principal: &Principal, role: &Role) -> Result<(), Refused> {
    Ok(principal.require(role)?)
}

fn main() {}
