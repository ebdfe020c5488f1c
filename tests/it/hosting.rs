//! Hosts behind a listener, a clock that a test sets, and both ends of a connection that begins as a gateway's does: the
//! first message is read, the host chosen by it, the handshake continued with that host's configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use certmap::cert::RevocationList;
use certmap::policy::ClientAuth;
use certmap::rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, ResolvesClientCert, Tls12ClientSessionValue,
};
use certmap::rustls::client::{Resumption as ClientResumption, Tls13ClientSessionValue};
use certmap::rustls::crypto::CryptoProvider;
use certmap::rustls::pki_types::{ServerName, UnixTime};
use certmap::rustls::server::{Accepted, Acceptor};
use certmap::rustls::sign::CertifiedKey;
use certmap::rustls::time_provider::TimeProvider;
use certmap::rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, Error, HandshakeKind, NamedGroup, ServerConnection, SideData,
    SignatureScheme,
};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity, TestRevocationList, handshake};
use certmap::tls::{Resumption, Selected, TicketKey, TicketKeys};
use certmap::trust::{Denial, Entry, Revocation};
use certmap::{
    Authority, CertUserMapping, ClientConfigBuilder, Endpoint, Host, HostId, Policy, PolicyBuilder, PolicyHandle,
    RoleAssignment, Selector, TrustBundle,
};

use crate::common::{Backend, SEND, SERVER, Version, everywhere, user};

/// Every name that the server's certificate has, as its clients see it.
pub const NAMES: [&str; 8] =
    [SERVER, "a.example", "b.example", "x.wild.example", "y.wild.example", "nobody.example", "192.0.2.1", "192.0.2.2"];

pub const DAY: u64 = 86_400;

/// A clock that a test sets.
#[derive(Debug)]
pub struct Clock(AtomicU64);

impl Clock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(NOW.as_secs())))
    }

    /// So many seconds after [`NOW`].
    pub fn set(&self, seconds: u64) {
        self.0.store(NOW.as_secs() + seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now())
    }
}

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    Store,
    Tickets,
}

/// Every combination of provider, protocol version and memory, with words for it.
pub fn every_memory() -> impl Iterator<Item = (Backend, Version, Memory, String)> {
    everywhere().flat_map(|(backend, version)| {
        [Memory::Store, Memory::Tickets]
            .map(|memory| (backend, version, memory, format!("{backend:?} {version:?} {memory:?}")))
    })
}

/// Keys made of one octet.
pub fn keys(octet: u8, backend: Backend) -> TicketKeys {
    TicketKeys::new_with_provider(TicketKey::new([octet; 32]), backend.provider()).unwrap()
}

/// Scoped resumption for so many seconds; clones share what is stored.
pub fn scoped(memory: Memory, seconds: u64, backend: Backend) -> Resumption {
    let resumption = Resumption::scoped(Duration::from_secs(seconds)).unwrap();
    match memory {
        Memory::Store => resumption,
        Memory::Tickets => resumption.with_tickets(keys(7, backend)),
    }
}

/// A CA, another one, and a partner below the first.
pub struct World {
    pub ca: TestIdentity,
    pub other_ca: TestIdentity,
    pub partner: TestIdentity,
}

/// What happens to a partner between two connections of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    Nothing,
    OtherCa,
    Revoked,
    Denied,
    NotMapped,
    RoleRemoved,
    UserDisabled,
}

impl World {
    /// The partner's certificate is valid for two days.
    pub fn new() -> Self {
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let partner = TestCertificate::new("CN=partner")
            .with_serial(&[7])
            .with_purpose(2)
            .with_validity(NOW.as_secs() - DAY, NOW.as_secs() + 2 * DAY)
            .issued_by(&ca);
        Self { other_ca: TestCertificate::new("CN=other CA").as_ca().self_signed(), ca, partner }
    }

    /// A policy for this host, which calls the partner `PARTNER` and lets it send.
    pub fn builder(&self, host: Host) -> PolicyBuilder {
        let selector = Selector::certificate(self.partner.certificate().fingerprint());
        PolicyBuilder::for_host(host)
            .mapping(CertUserMapping::new(selector, user("PARTNER")))
            .assignment(RoleAssignment::new(user("PARTNER"), SEND))
    }

    /// The policy of one host, `gw`, after a change.
    pub fn policy(&self, change: Change) -> Policy {
        self.policy_in(change, ClientAuth::Require)
    }

    pub fn policy_in(&self, change: Change, auth: ClientAuth) -> Policy {
        let ca = if change == Change::OtherCa { &self.other_ca } else { &self.ca };
        let host = believing("gw", ca).with_client_auth(auth);
        let somebody = CertUserMapping::new(Selector::certificate(self.ca.certificate().fingerprint()), user("CA"));
        let builder = match change {
            Change::NotMapped => PolicyBuilder::for_host(host).mapping(somebody),
            Change::RoleRemoved => {
                let selector = Selector::certificate(self.partner.certificate().fingerprint());
                PolicyBuilder::for_host(host).mapping(CertUserMapping::new(selector, user("PARTNER")))
            }
            Change::Nothing | Change::OtherCa | Change::Revoked | Change::Denied | Change::UserDisabled => {
                self.builder(host)
            }
        };
        let certificate = self.partner.certificate();
        match change {
            Change::Revoked => {
                let mut revocation = Revocation::new();
                let list = TestRevocationList::new().revoking(&[7]).signed_by(&self.ca);
                revocation.add(RevocationList::from_der(list.der()).unwrap());
                builder.revocation(revocation)
            }
            Change::Denied => builder.denials([Denial::serial(certificate.issuer(), certificate.serial().clone())]),
            Change::UserDisabled => builder.disabled_user(user("PARTNER")),
            Change::Nothing | Change::OtherCa | Change::NotMapped | Change::RoleRemoved => builder,
        }
        .build()
        .unwrap()
    }
}

/// A host without names that believes this CA.
pub fn believing(id: &str, ca: &TestIdentity) -> Host {
    let mut bundle = TrustBundle::new(format!("of-{id}").parse().unwrap());
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    Host::new(id.parse().unwrap(), bundle)
}

/// A gateway: its endpoint, the policy that it reads, its clock and its certificate.
pub struct Site {
    pub policy: Arc<PolicyHandle>,
    pub endpoint: Endpoint,
    pub clock: Arc<Clock>,
    pub certificate: TestIdentity,
}

impl Site {
    /// For the hosts of `policy` behind the listener `main`, all with one certificate.
    pub fn new(policy: impl Into<Arc<Policy>>, backend: Backend) -> Self {
        Self::with(policy.into(), backend, TestCertificate::new("CN=gateway").self_signed(), Clock::new())
    }

    /// Another gateway with the same certificate and clock.
    pub fn beside(&self, policy: Policy, backend: Backend) -> Self {
        Self::with(policy.into(), backend, self.certificate.clone(), Arc::clone(&self.clock))
    }

    fn with(policy: Arc<Policy>, backend: Backend, certificate: TestIdentity, clock: Arc<Clock>) -> Self {
        let hosts: Vec<HostId> = policy.hosts().map(|host| host.id().clone()).collect();
        let (policy, provider) = (Arc::new(PolicyHandle::new(policy)), backend.provider());
        let identities: Vec<_> = hosts.into_iter().map(|host| (host, certificate.identity_on(&provider))).collect();
        let listener = "main".parse().unwrap();
        let endpoint = Endpoint::new_with_provider(Arc::clone(&policy), listener, identities, provider).unwrap();
        let time: Arc<dyn TimeProvider> = Arc::<Clock>::clone(&clock);
        Self { policy, endpoint: endpoint.with_time_provider(time), clock, certificate }
    }

    pub fn resuming(self, resumption: Resumption) -> Self {
        Self { endpoint: self.endpoint.with_resumption(resumption).unwrap(), ..self }
    }

    /// A client that believes this site under all [`NAMES`], and presents this, or nothing.
    pub fn client(&self, identity: Option<&TestIdentity>, backend: Backend, version: Version) -> Arc<ClientConfig> {
        Arc::new(self.plain_client(identity, backend, version))
    }

    pub fn plain_client(&self, identity: Option<&TestIdentity>, backend: Backend, version: Version) -> ClientConfig {
        self.client_on(identity, backend.speaking(version))
    }

    pub fn client_on(&self, identity: Option<&TestIdentity>, provider: Arc<CryptoProvider>) -> ClientConfig {
        let mut servers = TrustBundle::new("servers".parse().unwrap());
        let names = NAMES.map(|name| ServerName::try_from(name).unwrap());
        servers.add(Entry::pin(self.certificate.certificate().clone()).unwrap().with_server_names(names)).unwrap();
        let own = identity.unwrap_or(&self.certificate).identity_on(&provider);
        let builder = ClientConfigBuilder::new(own, servers).with_provider(provider);
        let mut config = builder.with_time_provider(TestClock::at(NOW)).build().unwrap();
        if identity.is_none() {
            config.client_auth_cert_resolver = Arc::new(Nothing);
        }
        config
    }

    /// Calls by this name; the host is chosen by the first message.
    pub fn call(&self, client: &Arc<ClientConfig>, name: &str) -> Ends {
        call(&self.endpoint, client, name)
    }

    /// The outcome of a call by [`SERVER`], at the site's time.
    pub fn meet(&self, client: &Arc<ClientConfig>) -> Met {
        self.call(client, SERVER).met(self.clock.now())
    }
}

/// How a handshake went, and who was admitted after it, or by which code it or the decision refused.
#[derive(Debug, PartialEq)]
pub struct Met {
    /// `None` if the handshake failed.
    pub kind: Option<HandshakeKind>,
    pub answer: Result<String, String>,
    pub may_send: bool,
}

impl Met {
    pub fn admitted(kind: HandshakeKind, user: &str) -> Self {
        Self { kind: Some(kind), answer: Ok(user.to_owned()), may_send: true }
    }

    pub fn refused(kind: Option<HandshakeKind>, code: &str) -> Self {
        Self { kind, answer: Err(code.to_owned()), may_send: false }
    }
}

/// Both ends of a call.
pub struct Ends {
    pub client: ClientConnection,
    /// `None` if the first message was refused.
    pub server: Option<ServerConnection>,
    pub selected: Option<Selected>,
    pub client_error: Option<Error>,
    pub server_error: Option<Error>,
}

impl Ends {
    #[track_caller]
    pub fn selected(&self) -> &Selected {
        self.selected.as_ref().expect("a host was chosen")
    }

    #[track_caller]
    pub fn server(&self) -> &ServerConnection {
        self.server.as_ref().unwrap_or_else(|| panic!("refused: {:?}", self.server_error))
    }

    #[track_caller]
    pub fn met(&self, now: UnixTime) -> Met {
        let selected = self.selected();
        if let Some(error) = &self.server_error {
            let refused = selected.refused(error, now).unwrap_or_else(|| panic!("not a refusal: {error}"));
            return Met::refused(None, refused.code().as_str());
        }
        assert_eq!(self.client_error, None);
        let server = self.server();
        let (kind, caller) = (server.handshake_kind(), selected.caller(server).unwrap());
        assert_eq!(caller.evidence().resumed(), kind == Some(HandshakeKind::Resumed));
        match caller.admit(Authority::NotHttp, now) {
            Ok(principal) => {
                let may_send = principal.require(&SEND).is_ok();
                Met { kind, answer: Ok(principal.user().to_string()), may_send }
            }
            Err(refused) => Met::refused(kind, refused.code().as_str()),
        }
    }

    pub fn run(&mut self) {
        let Some(server) = &mut self.server else { return };
        loop {
            let answered = carry(server, &mut self.client, &mut self.client_error);
            let sent = carry(&mut self.client, server, &mut self.server_error);
            if !sent && !answered {
                return;
            }
        }
    }
}

pub fn call(endpoint: &Endpoint, client: &Arc<ClientConfig>, name: &str) -> Ends {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let hello = written_by(&mut client);
    answer(endpoint, client, &hello)
}

/// What an endpoint makes of a first message, and the rest of the handshake with the client that sent it.
pub fn answer(endpoint: &Endpoint, client: ClientConnection, hello: &[u8]) -> Ends {
    let mut ends = Ends { client, server: None, selected: None, client_error: None, server_error: None };
    let refused = match accept(hello) {
        Err(refused) => Err(refused),
        Ok(accepted) => {
            let selected = endpoint.select(&accepted.client_hello());
            let config = match &selected {
                Ok(selected) => selected.config(),
                Err(unknown) => unknown.config(),
            };
            ends.selected = selected.ok();
            accepted.into_connection(config).map_err(|(error, mut alert)| {
                let mut bytes = Vec::new();
                alert.write_all(&mut bytes).unwrap();
                (error, bytes)
            })
        }
    };
    match refused {
        Ok(server) => {
            ends.server = Some(server);
            ends.run();
        }
        Err((error, alert)) => {
            ends.server_error = Some(error);
            ends.client_error = read_by(&mut ends.client, &alert).err();
        }
    }
    ends
}

/// The first message, read; or why it cannot be, and the alert.
pub fn accept(hello: &[u8]) -> Result<Accepted, (Error, Vec<u8>)> {
    let mut acceptor = Acceptor::default();
    let mut rest = hello;
    loop {
        acceptor.read_tls(&mut rest).unwrap();
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(accepted),
            Ok(None) => assert!(!rest.is_empty(), "the first message is not whole"),
            Err((error, mut alert)) => {
                let mut bytes = Vec::new();
                alert.write_all(&mut bytes).unwrap();
                return Err((error, bytes));
            }
        }
    }
}

/// A handshake with a configuration that serves many.
pub fn call_fixed(selected: &Selected, client: &Arc<ClientConfig>, name: &str) -> Ends {
    let ends = handshake(Arc::clone(client), selected.config(), name);
    Ends {
        client: ends.client,
        server: Some(ends.server),
        selected: Some(selected.clone()),
        client_error: ends.client_error,
        server_error: ends.server_error,
    }
}

/// A connection with a configuration that serves many, and whose first message has not come yet.
pub fn waiting(selected: &Selected, client: &Arc<ClientConfig>, name: &str) -> Ends {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    Ends {
        client: ClientConnection::new(Arc::clone(client), name).unwrap(),
        server: Some(ServerConnection::new(selected.config()).unwrap()),
        selected: Some(selected.clone()),
        client_error: None,
        server_error: None,
    }
}

/// Everything that a connection has to send.
pub fn written_by<S: SideData>(connection: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).unwrap();
    }
    bytes
}

pub fn read_by<S: SideData>(connection: &mut ConnectionCommon<S>, bytes: &[u8]) -> Result<(), Error> {
    let mut rest = bytes;
    while !rest.is_empty() {
        connection.read_tls(&mut rest).unwrap();
        connection.process_new_packets()?;
    }
    Ok(())
}

/// True if there was something to carry.
pub fn carry<A: SideData, B: SideData>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    error: &mut Option<Error>,
) -> bool {
    let bytes = written_by(from);
    if error.is_none() {
        *error = read_by(to, &bytes).err();
    }
    !bytes.is_empty()
}

/// A client without certificate.
#[derive(Debug)]
pub struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A client's memory that offers every session to every server: what an attacker's does.
#[derive(Debug)]
pub struct Promiscuous(ClientSessionMemoryCache);

impl Promiscuous {
    pub fn resumption() -> ClientResumption {
        ClientResumption::store(Arc::new(Self(ClientSessionMemoryCache::new(32))))
    }

    fn everybody() -> ServerName<'static> {
        ServerName::try_from("everybody.example").unwrap()
    }
}

impl ClientSessionStore for Promiscuous {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    /// So that it is asked to retry again.
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(Self::everybody(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&Self::everybody())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&Self::everybody());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(Self::everybody(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&Self::everybody())
    }
}
