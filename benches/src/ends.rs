//! Both ends of a handshake in memory, as a gateway on an acceptor sees it.

use std::sync::Arc;

use certmap::identity::NewKey;
use certmap::rustls::client::danger::HandshakeSignatureValid;
use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use certmap::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use certmap::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use certmap::rustls::server::{Acceptor, NoServerSessionStorage};
use certmap::rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    ServerConnection, SideData, SignatureScheme,
};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::{ClientConfigBuilder, Decision, Endpoint, PolicyHandle, TrustBundle};

use crate::{Partners, partner_v3, peers};

/// The name that the client asks for.
const SERVER: &str = "gateway.example";

/// One client, and three servers that let it in: each has its own reason.
#[derive(Debug)]
pub struct Ends {
    client: Arc<ClientConfig>,
    endpoint: Endpoint,
    accepting: Arc<ServerConfig>,
    stock: Arc<ServerConfig>,
}

/// Who verifies the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "of a program that only measures")]
pub enum Server {
    /// certmap, with the client and others pinned.
    Ours,
    /// Anything is let in; only the signature of the handshake is verified.
    Accepting,
    /// rustls' own verifier, with the client and the same others as roots.
    Stock,
}

impl Ends {
    /// Ends with so many partners, on P-256 keys everywhere. Nobody resumes a session.
    ///
    /// # Panics
    /// If there are no partners.
    #[must_use]
    pub fn new(partners: usize) -> Self {
        let client = partner_v3(NewKey::EcP256);
        let own = TestCertificate::new("CN=gateway").with_server_name(SERVER).with_ca_false().self_signed();
        let others = Partners::new(NewKey::EcP256);
        let policy = others.policy(partners, std::slice::from_ref(client.certificate()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let handle = Arc::new(PolicyHandle::new(policy));
        let listener = handle.current().hosts().next().expect("a host").listener().clone();
        let identities: Vec<_> =
            handle.current().hosts().map(|host| (host.id().clone(), own.identity_on(&provider))).collect();
        let endpoint = Endpoint::new_with_provider(handle, listener, identities, Arc::clone(&provider));
        let mut roots = others.first(partners - 1);
        roots.push(client.certificate().clone());
        let accepting = Arc::new(AcceptsAnything(Arc::clone(&provider)));
        Self {
            client: client_config(&client, &own, &provider),
            endpoint: endpoint.expect("an endpoint").with_time_provider(TestClock::at(NOW)),
            accepting: server_config(accepting, &own, &provider),
            stock: server_config(peers::stock(&roots), &own, &provider),
        }
    }

    /// A handshake from the first message to the last, and what follows from it: the decision, where certmap makes one.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn handshake(&self, with: Server) -> Option<Decision> {
        let (mut client, hello) = self.first_message();
        let (mut server, selected) = self.accept(with, &hello);
        while carry(&mut server, &mut client) | carry(&mut client, &mut server) {}
        assert!(!client.is_handshaking() && !server.is_handshaking());
        selected.map(|selected| selected.caller(&server).expect("a finished handshake").decide(NOW))
    }

    /// How many bytes the server sends before it hears of the client again.
    ///
    /// # Panics
    /// If there is no handshake.
    #[must_use]
    pub fn first_flight(&self, with: Server) -> usize {
        let (_, hello) = self.first_message();
        let (mut server, _) = self.accept(with, &hello);
        waiting(&mut server).len()
    }

    fn first_message(&self) -> (ClientConnection, Vec<u8>) {
        let name = ServerName::try_from(SERVER).expect("a server name");
        let mut client = ClientConnection::new(Arc::clone(&self.client), name).expect("a configuration");
        let hello = waiting(&mut client);
        (client, hello)
    }

    fn accept(&self, with: Server, hello: &[u8]) -> (ServerConnection, Option<certmap::tls::Selected>) {
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &*hello).expect("memory gives every byte");
        let accepted = acceptor.accept().expect("a good message").expect("the whole of it");
        let (config, selected) = match with {
            Server::Ours => {
                let selected = self.endpoint.select(&accepted.client_hello()).expect("a host of this name");
                (selected.config(), Some(selected))
            }
            Server::Accepting => (Arc::clone(&self.accepting), None),
            Server::Stock => (Arc::clone(&self.stock), None),
        };
        (accepted.into_connection(config).expect("a configuration"), selected)
    }
}

fn client_config(client: &TestIdentity, server: &TestIdentity, provider: &Arc<CryptoProvider>) -> Arc<ClientConfig> {
    let mut servers = TrustBundle::new("servers".parse().expect("a label"));
    servers.add_pin(server.certificate().clone()).expect("a pin");
    let builder = ClientConfigBuilder::new(client.identity_on(provider), servers).with_provider(Arc::clone(provider));
    let mut config = builder.with_time_provider(TestClock::at(NOW)).build().expect("a configuration");
    config.resumption = certmap::rustls::client::Resumption::disabled();
    Arc::new(config)
}

/// As certmap makes its configurations, so that the verifier is the only difference.
fn server_config(
    verifier: Arc<dyn ClientCertVerifier>,
    own: &TestIdentity,
    provider: &Arc<CryptoProvider>,
) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_details(Arc::clone(provider), TestClock::at(NOW));
    let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.2 and 1.3");
    let builder = builder.with_client_cert_verifier(verifier);
    let mut config = builder.with_single_cert(own.chain().to_vec(), own.key()).expect("certificate and key");
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

fn waiting<A: SideData>(from: &mut ConnectionCommon<A>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory takes every byte");
    }
    bytes
}

/// True if there was something to carry.
fn carry<A: SideData, B: SideData>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) -> bool {
    let bytes = waiting(from);
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("memory gives every byte");
        to.process_new_packets().expect("a good handshake");
    }
    !bytes.is_empty()
}

#[derive(Debug)]
struct AcceptsAnything(Arc<CryptoProvider>);

impl ClientCertVerifier for AcceptsAnything {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
