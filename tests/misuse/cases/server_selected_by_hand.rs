//! The host is selected by the endpoint.

use certmap::rustls::ServerConfig;
use certmap::{HostId, Selected};
use std::sync::Arc;

fn misuse(host: HostId, config: Arc<ServerConfig>) -> Selected {
    Selected { host, config }
}

fn main() {}
