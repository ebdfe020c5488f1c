//! What several subjects need: providers of one TLS version, both ends of a connection, short words for parsing.

use std::sync::Arc;

use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use certmap::rustls::{ClientConfig, ProtocolVersion};
use certmap::testing::{Handshake, NOW, TestCertificate, TestClock, TestIdentity, handshake};
use certmap::{
    ClientConfigBuilder, Endpoint, Identity, Policy, PolicyBuilder, PolicyHandle, Role, TrustBundle, UserName,
};

pub const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
pub const SERVER: &str = "gateway.example";

/// How often something random is tried: a tenth of it is enough for every day, all of it with `CERTMAP_LONG` set.
pub fn tries(all: usize) -> usize {
    if std::env::var_os("CERTMAP_LONG").is_some() { all } else { all / 10 }
}

/// A certificate and key made by OpenSSL.
pub fn data(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The committed identity of the shape that STRUST makes.
pub fn erp() -> Identity {
    Identity::from_pem(include_bytes!("../../examples/data/erp-v1-test-only.pem")).unwrap().with_name("ERP")
}

#[track_caller]
pub fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backend {
    AwsLcRs,
    Ring,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Version {
    Tls12,
    Tls13,
}

/// Every combination of provider and protocol version.
pub fn everywhere() -> impl Iterator<Item = (Backend, Version)> {
    [Backend::AwsLcRs, Backend::Ring]
        .into_iter()
        .flat_map(|backend| [Version::Tls12, Version::Tls13].map(|version| (backend, version)))
}

impl Backend {
    pub fn provider(self) -> Arc<CryptoProvider> {
        Arc::new(match self {
            Self::AwsLcRs => aws_lc_rs::default_provider(),
            Self::Ring => ring::default_provider(),
        })
    }

    /// A provider that can speak one protocol version only.
    pub fn speaking(self, version: Version) -> Arc<CryptoProvider> {
        let mut provider = (*self.provider()).clone();
        let wanted = version.protocol();
        provider.cipher_suites.retain(|suite| suite.version().version == wanted);
        Arc::new(provider)
    }
}

impl Version {
    pub fn protocol(self) -> ProtocolVersion {
        match self {
            Self::Tls12 => ProtocolVersion::TLSv1_2,
            Self::Tls13 => ProtocolVersion::TLSv1_3,
        }
    }
}

/// A gateway with its own certificate, at [`NOW`].
pub struct Gateway {
    pub policy: Arc<PolicyHandle>,
    pub endpoint: Endpoint,
    pub certificate: TestIdentity,
}

impl Gateway {
    pub fn new(policy: Policy, backend: Backend) -> Self {
        let certificate = TestCertificate::new("CN=gateway").with_server_name(SERVER).self_signed();
        let policy = Arc::new(PolicyHandle::new(policy));
        let provider = backend.provider();
        let identity = certificate.identity_on(&provider);
        let endpoint = Endpoint::single_with_provider(Arc::clone(&policy), identity, provider).unwrap();
        Self { policy, endpoint: endpoint.with_time_provider(TestClock::at(NOW)), certificate }
    }

    /// A gateway on the default provider that knows one partner.
    pub fn of(partner: &TestIdentity) -> Self {
        Self::new(one_partner(partner), Backend::AwsLcRs)
    }

    /// A client that trusts this gateway.
    pub fn client(&self, identity: Identity, backend: Backend, version: Version) -> ClientConfig {
        let mut servers = TrustBundle::new("servers".parse().unwrap());
        servers.add_pin(self.certificate.certificate().clone()).unwrap();
        let builder = ClientConfigBuilder::new(identity, servers).with_provider(backend.speaking(version));
        let mut config = builder.build().unwrap();
        config.time_provider = TestClock::at(NOW);
        config
    }

    pub fn call(&self, client: ClientConfig) -> Handshake {
        handshake(Arc::new(client), self.endpoint.only().unwrap().config(), SERVER)
    }

    /// The code by which the gateway refused: in the handshake or in the decision after it; `None` if it admitted.
    pub fn refusal(&self, ends: &Handshake) -> Option<String> {
        let selected = self.endpoint.only().unwrap();
        let refused = match &ends.server_error {
            Some(error) => Some(selected.refused(error, NOW).unwrap_or_else(|| panic!("not a refusal: {error}"))),
            None => selected.caller(&ends.server).unwrap().decide(NOW).into_result().err(),
        };
        refused.map(|refused| refused.code().to_string())
    }
}

/// The policy of one partner, `SAPERPUSER`, which may send.
pub fn one_partner(partner: &TestIdentity) -> Policy {
    PolicyBuilder::new().partner(user("SAPERPUSER"), partner.certificate().clone(), [SEND]).build().unwrap()
}
