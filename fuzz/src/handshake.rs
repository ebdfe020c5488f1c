//! Bytes into a server with our verifier, from somebody who does not have the key.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use certmap::policy::ClientAuth;
use certmap::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use certmap::rustls::client::{ClientConnection, ResolvesClientCert};
use certmap::rustls::crypto::{CryptoProvider, ring};
use certmap::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use certmap::rustls::server::{Acceptor, ServerConnection};
use certmap::rustls::sign::CertifiedKey;
use certmap::rustls::version::{TLS12, TLS13};
use certmap::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::tls::{NoCaller, Resumption};
use certmap::{CertUserMapping, Endpoint, Host, Outcome, PolicyBuilder, PolicyHandle, Selected, TrustBundle};

use crate::{chain, one_line};

/// Requires a certificate, and asks for one.
const NAMES: [&str; 2] = ["gw.example", "ask.example"];

struct World {
    endpoint: Endpoint,
    provider: Arc<CryptoProvider>,
    /// Two who are users, by their names.
    partners: [(&'static str, TestIdentity); 2],
    attacker: TestIdentity,
    /// Everything that can be presented by number.
    known: Vec<Vec<u8>>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let provider = Arc::new(ring::default_provider());
        let pin = TestCertificate::new("CN=pin").self_signed();
        let root = TestCertificate::new("CN=root").as_ca().self_signed();
        let below = TestCertificate::new("CN=below").with_purpose(2).issued_by(&root);
        let attacker = TestCertificate::new("CN=attacker").self_signed();
        let minted = TestCertificate::new("CN=below").with_purpose(2).issued_by(&pin);
        let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
        bundle.add_pin(pin.certificate().clone()).expect("a pin");
        let anchor = bundle.add_anchor(root.certificate().clone()).expect("an anchor");
        let host = |id: &str, name: &str, mode| {
            let host = Host::new(id.parse().expect("an id"), bundle.clone()).with_client_auth(mode);
            host.with_server_names([name.parse().expect("a name")])
        };
        let rules = [
            (pin.certificate().fingerprint().to_string(), "pin"),
            (format!("under {anchor} subject \"CN=below\""), "below"),
        ];
        let rules = rules.map(|(selector, user)| {
            CertUserMapping::new(selector.parse().expect("a selector"), user.parse().expect("a user"))
        });
        let policy = PolicyBuilder::for_host(host("gw", NAMES[0], ClientAuth::Require))
            .host(host("ask", NAMES[1], ClientAuth::Request))
            .mappings(rules)
            .build()
            .expect("a policy");
        let listener = policy.hosts().next().expect("a host").listener().clone();
        let server = TestCertificate::new("CN=server").self_signed();
        let identities = ["gw", "ask"].map(|id| (id.parse().expect("an id"), server.identity_on(&provider)));
        let resumption = Resumption::scoped(Duration::from_secs(3600)).expect("a lifetime");
        let endpoint = Endpoint::new_with_provider(PolicyHandle::new(policy), listener, identities, provider.clone())
            .and_then(|endpoint| endpoint.with_resumption(resumption))
            .expect("an endpoint")
            .with_time_provider(TestClock::at(NOW));
        let known = [&pin, &root, &below, &attacker, &minted].map(|one| one.certificate().der().to_vec()).into();
        World { endpoint, provider, partners: [("pin", pin), ("below", below)], attacker, known }
    })
}

/// The server's end, from its first byte.
struct Server {
    acceptor: Option<Acceptor>,
    connection: Option<(Selected, ServerConnection)>,
    failed: bool,
}

/// What came of a connection.
#[derive(Debug, PartialEq)]
enum End {
    Unfinished,
    Anonymous,
    Refused,
    Admitted { user: String, resumed: bool },
}

impl Server {
    fn new() -> Self {
        Self { acceptor: Some(Acceptor::default()), connection: None, failed: false }
    }

    /// Takes bytes, as a program does that selects by the first message; what the server answers.
    fn feed(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        while !self.failed {
            if let Some(acceptor) = &mut self.acceptor {
                if !bytes.is_empty() && acceptor.read_tls(&mut bytes).is_err() {
                    self.failed = true;
                    break;
                }
                match acceptor.accept() {
                    Ok(None) if bytes.is_empty() => break,
                    Ok(None) => continue,
                    Ok(Some(accepted)) => {
                        self.acceptor = None;
                        match world().endpoint.select(&accepted.client_hello()) {
                            Ok(selected) => match accepted.into_connection(selected.config()) {
                                Ok(connection) => self.connection = Some((selected, connection)),
                                Err(_) => self.failed = true,
                            },
                            Err(unknown) => {
                                // It refuses everybody.
                                let refused = accepted.into_connection(unknown.config());
                                assert!(
                                    refused.is_err() || refused.is_ok_and(|connection| connection.is_handshaking())
                                );
                                self.failed = true;
                            }
                        }
                    }
                    Err(_) => self.failed = true,
                }
                continue;
            }
            let Some((selected, connection)) = &mut self.connection else { break };
            if !bytes.is_empty() && connection.read_tls(&mut bytes).is_err() {
                self.failed = true;
            }
            if let Err(error) = connection.process_new_packets() {
                self.failed = true;
                if let Some(refused) = selected.refused(&error, NOW) {
                    one_line(&refused.record().to_string());
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Some((_, connection)) = &mut self.connection {
            while connection.wants_write() && connection.write_tls(&mut answer).is_ok() {}
        }
        // INVARIANT of the crate: nobody is anybody before the handshake is finished.
        self.end();
        answer
    }

    #[track_caller]
    fn end(&self) -> End {
        let Some((selected, connection)) = &self.connection else { return End::Unfinished };
        match selected.caller(connection) {
            Ok(caller) => {
                assert!(!connection.is_handshaking());
                let decision = caller.decide(NOW);
                one_line(&decision.record().to_string());
                match decision.outcome() {
                    // A connection that broke later has been of somebody, who did finish.
                    Outcome::Admitted(principal) => {
                        End::Admitted { user: principal.user().to_string(), resumed: decision.evidence().resumed() }
                    }
                    Outcome::Anonymous => End::Anonymous,
                    Outcome::Refused(_) => End::Refused,
                }
            }
            Err(NoCaller::HandshakeUnfinished) => {
                assert!(connection.is_handshaking());
                End::Unfinished
            }
            Err(error) => panic!("a connection of the host that was chosen for it: {error}"),
        }
    }
}

/// A client that believes every server and presents this chain with this key, whether they belong together or not.
fn client(chain: Vec<CertificateDer<'static>>, key: &TestIdentity, version: u8) -> ClientConfig {
    let world = world();
    let versions: [&'static SupportedProtocolVersion; 1] = [if version.is_multiple_of(2) { &TLS13 } else { &TLS12 }];
    let builder = ClientConfig::builder_with_provider(Arc::clone(&world.provider)).with_protocol_versions(&versions);
    let builder = builder.expect("ring speaks both").dangerous().with_custom_certificate_verifier(Arc::new(Credulous));
    if chain.is_empty() {
        return builder.with_no_client_auth();
    }
    let key = world.provider.key_provider.load_private_key(key.key()).expect("a key");
    builder.with_client_cert_resolver(Arc::new(Presents(Arc::new(CertifiedKey::new(chain, key)))))
}

#[derive(Debug)]
struct Presents(Arc<CertifiedKey>);

impl ResolvesClientCert for Presents {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        world().provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A byte of what a client sends that is changed under way: in which flight, where, and how.
#[derive(Clone, Copy)]
struct Edit {
    flight: u8,
    place: u16,
    change: u8,
}

/// As many edits as the first byte says, at most seven; and the rest.
fn edits(input: &[u8]) -> (Vec<Edit>, &[u8]) {
    let Some((count, mut rest)) = input.split_first() else { return (Vec::new(), input) };
    let mut edits = Vec::new();
    for _ in 0..count % 8 {
        let [flight, high, low, change, after @ ..] = rest else { break };
        edits.push(Edit { flight: flight % 3, place: u16::from_be_bytes([*high, *low]), change: *change });
        rest = after;
    }
    (edits.into_iter().filter(|edit| edit.change != 0).collect(), rest)
}

/// Lets the client call, and changes what it sends; then come bytes of somebody else. True if nothing was changed.
fn call(server: &mut Server, client: &mut ClientConnection, edits: &[Edit], then: &[u8]) -> bool {
    let mut untouched = then.is_empty();
    for flight in 0..8 {
        let mut sent = Vec::new();
        while client.wants_write() && client.write_tls(&mut sent).is_ok() {}
        if sent.is_empty() {
            break;
        }
        for edit in edits.iter().filter(|edit| edit.flight == flight) {
            let place = usize::from(edit.place) % sent.len();
            sent[place] ^= edit.change;
            untouched = false;
        }
        let answer = server.feed(&sent);
        let mut rest = &answer[..];
        while !rest.is_empty() && client.read_tls(&mut rest).is_ok() {
            if client.process_new_packets().is_err() {
                break;
            }
        }
    }
    server.feed(then);
    untouched
}

fn connection(config: ClientConfig, name: u8) -> ClientConnection {
    let name = ServerName::try_from(NAMES[usize::from(name) % 2]).expect("a name");
    ClientConnection::new(Arc::new(config), name).expect("a configuration for clients")
}

/// The first byte says who calls, the second which TLS, and the third which host:
///
/// - nobody: the bytes themselves, in pieces of the size that the second byte says;
/// - the attacker, with any chain and a key of its own: nobody, whatever it presents and whatever is changed under way;
/// - a partner, whose messages are changed under way: itself, or nobody; and itself if nothing was changed;
/// - somebody who has recorded the first message of a partner that resumes: nobody, whatever follows.
pub(crate) fn law(input: &[u8]) {
    let [who, version, name, rest @ ..] = input else { return };
    let world = world();
    let mut server = Server::new();
    match who % 4 {
        0 => {
            for piece in rest.chunks(usize::from(*version).max(1) * 16) {
                server.feed(piece);
            }
            assert_eq!(server.end(), End::Unfinished);
        }
        1 => {
            let (edits, rest) = edits(rest);
            let (presented, _) = chain::chain(rest, &world.known);
            let presented: Vec<_> = presented.into_iter().map(CertificateDer::from).collect();
            let shows_nothing = presented.is_empty();
            let mut client = connection(client(presented, &world.attacker, *version), *name);
            call(&mut server, &mut client, &edits, &[]);
            match server.end() {
                End::Admitted { user, .. } => panic!("the attacker is {user}"),
                End::Anonymous => assert!(shows_nothing && name % 2 == 1),
                End::Refused | End::Unfinished => {}
            }
        }
        2 => {
            let (edits, rest) = edits(rest);
            let (user, partner) = &world.partners[usize::from(*name >> 1) % 2];
            let config = client(partner.chain_without_root().to_vec(), partner, *version);
            let mut client = connection(config, *name);
            let untouched = call(&mut server, &mut client, &edits, rest);
            match server.end() {
                End::Admitted { user: admitted, resumed } => assert_eq!((admitted.as_str(), resumed), (*user, false)),
                End::Unfinished => assert!(!untouched, "a partner that was not admitted"),
                other => panic!("a partner became {other:?}"),
            }
        }
        _ => {
            let (edits, rest) = edits(rest);
            let (user, partner) = &world.partners[usize::from(*name >> 1) % 2];
            let config = Arc::new(client(partner.chain_without_root().to_vec(), partner, *version));
            let begin = || {
                let name = ServerName::try_from(NAMES[usize::from(*name) % 2]).expect("a name");
                ClientConnection::new(Arc::clone(&config), name).expect("a configuration for clients")
            };
            let mut first = Server::new();
            call(&mut first, &mut begin(), &[], &[]);
            assert_eq!(first.end(), End::Admitted { user: (*user).to_owned(), resumed: false });
            let mut hello = Vec::new();
            begin().write_tls(&mut hello).expect("memory takes every byte");
            for edit in &edits {
                let place = usize::from(edit.place) % hello.len();
                hello[place] ^= edit.change;
            }
            server.feed(&hello);
            server.feed(rest);
            assert_eq!(server.end(), End::Unfinished);
        }
    }
}

pub(crate) fn work(input: &[u8]) {
    let mut server = Server::new();
    black_box(server.feed(input));
}

/// What a client of this version says first.
pub(crate) fn first_message(version: u8) -> Vec<u8> {
    let mut hello = Vec::new();
    connection(client(Vec::new(), &world().attacker, version), 0)
        .write_tls(&mut hello)
        .expect("memory takes every byte");
    hello
}
