//! No server without the policy that states how clients are asked.

use certmap::tls::{Endpoint, EndpointError};
use certmap::Identity;

fn misuse(identity: Identity) -> Result<Endpoint, EndpointError> {
    Endpoint::single(identity.clone(), identity)
}

fn main() {}
