//! A TLS handshake between two rustls connections in memory.

use std::sync::Arc;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, ConnectionCommon, Error, ServerConfig, ServerConnection, SideData};

/// Both ends after a handshake that went as far as it could.
#[derive(Debug)]
#[non_exhaustive]
pub struct Handshake {
    /// The client's end.
    pub client: ClientConnection,
    /// The server's end.
    pub server: ServerConnection,
    /// What stopped the client; a refusal by the server among it.
    pub client_error: Option<Error>,
    /// What stopped the server.
    pub server_error: Option<Error>,
}

/// Lets a client call a server by this name, until neither has more to say.
///
/// # Panics
/// If `name` is no server name, or one of the configurations cannot begin a connection.
#[must_use]
pub fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>, name: &str) -> Handshake {
    let name = ServerName::try_from(name.to_owned()).expect("a server name");
    let mut ends = Handshake {
        client: ClientConnection::new(client, name).expect("a configuration for clients"),
        server: ServerConnection::new(server).expect("a configuration for servers"),
        client_error: None,
        server_error: None,
    };
    ends.run();
    ends
}

impl Handshake {
    /// Carries what is waiting from end to end, until neither has more to say.
    pub fn run(&mut self) {
        loop {
            let sent = carry(&mut self.client, &mut self.server, &mut self.server_error);
            let answered = carry(&mut self.server, &mut self.client, &mut self.client_error);
            if !sent && !answered {
                return;
            }
        }
    }
}

/// True if there was something to carry.
fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    error: &mut Option<Error>,
) -> bool {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory takes every byte");
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() && error.is_none() {
        to.read_tls(&mut rest).expect("memory gives every byte");
        if let Err(cause) = to.process_new_packets() {
            *error = Some(cause);
        }
    }
    !bytes.is_empty()
}

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub struct TestClock(UnixTime);

impl TestClock {
    /// A clock that always shows this time.
    #[must_use]
    pub fn at(time: UnixTime) -> Arc<Self> {
        Arc::new(Self(time))
    }
}

impl TimeProvider for TestClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}
