//! A server configuration is that of one host, whose mode it has.

use certmap::Endpoint;
use certmap::rustls::ServerConfig;
use std::sync::Arc;

fn misuse(endpoint: &Endpoint) -> Arc<ServerConfig> {
    endpoint.config()
}

fn main() {}
