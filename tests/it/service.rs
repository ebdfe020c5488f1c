//! Our server on real sockets, for clients that are other programs.
//!
//! Every wait has its limit: sockets have timeouts, and a server that no client comes to is woken.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::server::{Acceptor, ServerConfig, ServerSessionMemoryCache};
use certmap::rustls::{HandshakeKind, ProtocolVersion, Stream};
use certmap::testing::{TestCertificate, TestClock, TestIdentity};
use certmap::{
    AuditRecord, Authority, Certificate, Endpoint, Host, PolicyBuilder, PolicyHandle, Principal, Refused, TrustBundle,
};

use crate::common::{Backend, SERVER, user};
use crate::tool::{Output, PATIENCE, Running, Workshop};

/// What every admitted client is told, before the name of its user.
pub const ANSWER: &str = "certmap knows you as ";

/// A time at which a certificate is valid, whatever the clock of this machine says.
pub fn within(certificate: &Certificate) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(certificate.validity().not_before().as_secs() + 3600))
}

/// Our server, on a socket of its own for every client, and the files that clients need: `root.pem` to believe it by.
pub struct Service {
    endpoint: Endpoint,
    now: UnixTime,
    /// Instead of the endpoint's own configuration.
    config: Option<Arc<ServerConfig>>,
}

/// What our server saw of one client.
#[derive(Debug)]
pub struct Met {
    pub outcome: Result<Principal, Refused>,
    pub record: AuditRecord,
    /// How the handshake went, if it came to its end.
    pub handshake: Option<(ProtocolVersion, HandshakeKind)>,
}

impl Service {
    /// Its only partner is `SAPERPUSER`, with this certificate.
    pub fn of(partner: &Certificate, backend: Backend, workshop: &Workshop) -> Self {
        let server = Self::certificate(workshop);
        let bundle = TrustBundle::new("partners".parse().unwrap());
        let host = Host::new("gateway".parse().unwrap(), bundle).with_server_names([SERVER.parse().unwrap()]);
        let policy = PolicyBuilder::for_host(host).partner(user("SAPERPUSER"), partner.clone(), []).build().unwrap();
        let (policy, provider) = (Arc::new(PolicyHandle::new(policy)), backend.provider());
        let endpoint = Endpoint::single_with_provider(policy, server.identity_on(&provider), provider).unwrap();
        let now = within(partner);
        Self { endpoint: endpoint.with_time_provider(TestClock::at(now)), now, config: None }
    }

    /// An endpoint with all that a test says of it, at this time.
    pub fn on(endpoint: Endpoint, now: UnixTime) -> Self {
        Self { endpoint: endpoint.with_time_provider(TestClock::at(now)), now, config: None }
    }

    /// A certificate for [`SERVER`], and `root.pem`, by which clients believe it.
    pub fn certificate(workshop: &Workshop) -> TestIdentity {
        // The client has the clock of this machine, so the server's certificates are valid in all of this century.
        let valid = |made: TestCertificate| made.with_validity(946_684_800, 2_524_607_999);
        let root = valid(TestCertificate::new("CN=Root").with_ca_true()).self_signed();
        workshop.write("root.pem", root.certificate().to_pem());
        valid(TestCertificate::new("CN=gateway").with_server_name(SERVER)).issued_by(&root)
    }

    /// The same with a configuration that resumes sessions: what this crate must not do.
    pub fn resuming(&self) -> Self {
        let Self { endpoint, now, config: _ } = self;
        Self { endpoint: endpoint.clone(), now: *now, config: Some(resuming(&endpoint.only().unwrap().config())) }
    }

    /// Lets one client, started with the port to call, meet the server.
    #[track_caller]
    pub fn meet(&self, client: impl FnOnce(u16) -> Running) -> (Met, Output) {
        let listener = Arc::new(TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let address = listener.local_addr().unwrap();
        let (accepting, endpoint, now, config) =
            (Arc::clone(&listener), self.endpoint.clone(), self.now, self.config.clone());
        let server = thread::spawn(move || serve(&accepting, &endpoint, config, now));
        let output = client(address.port()).finish();
        // Wakes a server that still waits because the client never came.
        drop(TcpStream::connect(address));
        let met = server.join().unwrap();
        (met.unwrap_or_else(|error| panic!("the server: {error}; the client: {output:?}")), output)
    }
}

/// A configuration that resumes sessions, as rustls does by default, and is otherwise the same.
pub fn resuming(ours: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = ours.clone();
    config.session_storage = ServerSessionMemoryCache::new(32);
    config.send_tls13_tickets = 2;
    Arc::new(config)
}

/// Serves one HTTP request of one client.
fn serve(
    listener: &TcpListener,
    endpoint: &Endpoint,
    config: Option<Arc<ServerConfig>>,
    now: UnixTime,
) -> io::Result<Met> {
    let (mut tcp, _) = listener.accept()?;
    limit(&tcp)?;
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        if acceptor.read_tls(&mut tcp)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| io::Error::other(error))? {
            break accepted;
        }
    };
    let selected = endpoint.select(&accepted.client_hello()).map_err(io::Error::other)?;
    let config = config.unwrap_or_else(|| selected.config());
    let mut connection = accepted.into_connection(config).map_err(|(error, _)| io::Error::other(error))?;
    if let Err(error) = connection.complete_io(&mut tcp) {
        close(tcp);
        return match selected.refused(&error, now) {
            Some(refused) => Ok(Met { record: refused.record(), outcome: Err(refused), handshake: None }),
            None => Err(error),
        };
    }
    let caller = selected.caller(&connection).map_err(io::Error::other)?;
    let version = connection.protocol_version().expect("the handshake is finished");
    let kind = connection.handshake_kind().expect("the handshake is finished");

    let mut stream = Stream::new(&mut connection, &mut tcp);
    let host = read_host(&mut BufReader::new(&mut stream))?;
    let (status, body) = match caller.admit(Authority::Host(&host), now) {
        Ok(principal) => (200, format!("{ANSWER}{}", principal.user())),
        Err(refusal) => (refusal.http_status(), refusal.to_string()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} \r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    connection.send_close_notify();
    while connection.wants_write() {
        connection.write_tls(&mut tcp)?;
    }
    close(tcp);
    let decision = caller.decide(now);
    Ok(Met { record: decision.record(), outcome: decision.into_result(), handshake: Some((version, kind)) })
}

fn read_host(request: &mut impl BufRead) -> io::Result<String> {
    let mut host = String::new();
    for line in request.lines() {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("host") => value.clone_into(&mut host),
            None if line.is_empty() => break,
            Some(_) | None => {}
        }
    }
    Ok(host)
}

/// Lets no read and no write wait for ever.
pub fn limit(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))
}

/// Reads what is left, because a socket closed with unread bytes takes back what it has sent, an alert for instance.
pub fn close(mut tcp: TcpStream) {
    let _ = tcp.shutdown(Shutdown::Write).and_then(|()| io::copy(&mut tcp, &mut io::sink()));
}
