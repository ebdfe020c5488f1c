//! What the hosts of an endpoint have in common, and that rustls can work with it.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::server::ServerConfig;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use super::EndpointError;
use super::resumption::Resumption;

/// What all hosts of an endpoint have in common.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) versions: Arc<[&'static SupportedProtocolVersion]>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) clock: Arc<dyn TimeProvider>,
    pub(super) extended_master_secret: ExtendedMasterSecret,
    pub(super) resumption: Option<Resumption>,
}

/// Whether TLS 1.2 clients have to bind their session keys to the whole handshake (extended master secret, RFC 7627).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtendedMasterSecret {
    /// Where the client can. For old peers; without resumption, which is where it matters, nothing is lost.
    Prefer,
    /// Always; TLS 1.2 clients that cannot are refused.
    #[default]
    Require,
}

impl Settings {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Result<Self, EndpointError> {
        let settings = Self {
            provider,
            versions: rustls::ALL_VERSIONS.into(),
            alpn: Vec::new(),
            clock: Arc::new(DefaultTimeProvider),
            extended_master_secret: ExtendedMasterSecret::default(),
            resumption: None,
        };
        settings.check()?;
        Ok(settings)
    }

    pub(super) fn check(&self) -> Result<(), EndpointError> {
        if self.extended_master_secret == ExtendedMasterSecret::Prefer && self.resumption.is_some() {
            return Err(EndpointError::ResumptionNeedsEms);
        }
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let usable = builder.with_protocol_versions(&self.versions).map(|_| ());
        usable.map_err(|cause| EndpointError::Unusable { reason: cause.to_string() })
    }

    pub(super) fn builder(&self) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
        let builder = ServerConfig::builder_with_details(Arc::clone(&self.provider), Arc::clone(&self.clock));
        builder.with_protocol_versions(&self.versions).expect("checked by `check` whenever something changes")
    }
}
