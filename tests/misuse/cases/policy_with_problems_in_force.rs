//! Only a policy that was built is put in force.

use certmap::{PolicyBuilder, PolicyHandle};

fn misuse(builder: PolicyBuilder) -> PolicyHandle {
    PolicyHandle::new(builder.build())
}

fn main() {}
