//! The server's side: one configuration, and the road from a finished handshake to a caller.

use core::error::Error as StdError;
use core::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::server::{ClientHello, NoServerSessionStorage, ServerConfig, ServerConnection};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, HandshakeKind};

use super::trouble;
use super::verifier::Verifier;
use crate::decision::{Caller, Evidence, Reason, Refusal, Refused};
use crate::identity::Identity;
use crate::policy::{HostId, PolicyHandle};
use crate::{NoCryptoProvider, provider};

/// A listener that requires a client certificate: gives connections their configuration, and finished connections their
/// [`Caller`].
///
/// TLS 1.2 (with extended master secret, RFC 7627) and 1.3. Sessions are never resumed and no early data is read, so
/// every connection proves its key. No hints about acceptable CAs are sent.
///
/// ```
/// use certmap::{Endpoint, PolicyBuilder, PolicyHandle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let partner = certmap::Identity::from_pem(&pem)?;
/// # let (certificate, server_identity) = (partner.certificate().clone(), partner);
/// let policy = PolicyBuilder::new().partner("SAPERPUSER".parse()?, certificate, []).build()?;
/// let endpoint = Endpoint::single(PolicyHandle::new(policy), server_identity)?;
/// assert_eq!(endpoint.config().max_early_data_size, 0);
/// assert!(endpoint.config().require_ems);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Endpoint {
    policy: Arc<PolicyHandle>,
    host: HostId,
    config: Arc<ServerConfig>,
}

impl Endpoint {
    /// An endpoint for the one host of the policy, with our own certificate and key.
    ///
    /// To renew our own certificate make another endpoint on the same handle, and accept with that.
    ///
    /// # Errors
    /// [`EndpointError`] if there is no crypto provider, or it has no cipher suite for TLS 1.2 and 1.3.
    pub fn single(policy: impl Into<Arc<PolicyHandle>>, identity: Identity) -> Result<Self, EndpointError> {
        Self::single_with_provider(policy, identity, provider::default()?)
    }

    /// As [`single`](Self::single), with a crypto provider.
    ///
    /// # Errors
    /// As [`single`](Self::single).
    #[allow(clippy::needless_pass_by_value, reason = "the endpoint becomes an owner of the identity")]
    pub fn single_with_provider(
        policy: impl Into<Arc<PolicyHandle>>,
        identity: Identity,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, EndpointError> {
        let policy = policy.into();
        let host = policy.current().host().id().clone();
        let verifier = Verifier { policy: Arc::clone(&policy), host: host.clone(), provider: Arc::clone(&provider) };
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|cause| EndpointError::Unusable { reason: cause.to_string() })?;
        let mut config = builder
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
        // rustls asks no verifier on a resumed session, so there are none: nothing is stored and no ticket is given.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.require_ems = true;
        Ok(Self { policy, host, config: Arc::new(config) })
    }

    /// Sets the application protocols that are offered (RFC 7301), the preferred one first: `h2`, `http/1.1`.
    #[must_use]
    pub fn with_alpn(mut self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the clock that handshakes read, instead of the system's.
    #[must_use]
    pub fn with_time_provider(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        Arc::make_mut(&mut self.config).time_provider = clock;
        self
    }

    /// The handle of the policy that this endpoint reads: replace it here, and the next handshake and decision see it.
    #[must_use]
    pub fn policy(&self) -> &Arc<PolicyHandle> {
        &self.policy
    }

    /// The configuration for stacks that take one for ever; it reads the policy in force at every handshake.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Chooses host and configuration for a connection by its first message. There is one host, so it is this one.
    #[must_use]
    pub fn select(&self, _hello: &ClientHello<'_>) -> Selected {
        self.selected()
    }

    /// The same for stacks that took [`config`](Self::config) and do not show the first message.
    #[must_use]
    pub fn selected(&self) -> Selected {
        Selected { endpoint: self.clone() }
    }
}

/// The host and configuration that were chosen for a connection.
///
/// With tokio-rustls, where `serve` hands the caller to every request of the connection, in its extensions for instance:
///
/// ```text
/// let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
/// let selected = endpoint.select(&start.client_hello());
/// match start.into_stream(selected.config()).into_fallible().await {
///     Ok(tls) => serve(selected.caller(tls.get_ref().1)?, tls).await,
///     Err((error, mut tcp)) => {
///         match selected.refused(&error, UnixTime::now()) {
///             Some(refused) => log(refused.record().with_peer(peer)),
///             None => log(Trouble::new(End::Server, &error)),
///         }
///         // Else a reset may overtake the alert that tells the peer; with a limit in time and bytes.
///         tcp.shutdown().await?;
///         timeout(SECOND, copy(&mut tcp.take(LIMIT), &mut sink())).await.ok();
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Selected {
    endpoint: Endpoint,
}

impl Selected {
    /// The configuration to continue the handshake with.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.endpoint.config()
    }

    /// The peer of a finished handshake.
    ///
    /// # Errors
    /// [`HandshakeUnfinished`] while the handshake goes on. Certificates may be visible by then and prove nothing.
    ///
    /// # Security
    /// The connection must have been made with [`config`](Self::config).
    pub fn caller(&self, connection: &ServerConnection) -> Result<Caller, HandshakeUnfinished> {
        // INVARIANT: the only road from a connection to evidence. On a resumed session rustls fills in the old
        // certificates as soon as it has read the first message, before the peer has proven anything.
        if connection.is_handshaking() {
            return Err(HandshakeUnfinished);
        }
        let chain = connection.peer_certificates().unwrap_or_default();
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let evidence = Evidence::after_handshake(self.endpoint.host.clone(), chain).with_resumed(resumed);
        Ok(Caller::new(Arc::clone(&self.endpoint.policy), evidence))
    }

    /// The refused decision behind a failed handshake, if the peer was refused in it: the same answer and the same record as
    /// after a handshake. `None` if it failed for another reason ([`Trouble`](super::Trouble) says for which).
    ///
    /// Takes the error of rustls, or the I/O error that wraps it. If the peer's signature was wrong
    /// ([`KeyNotProven`](crate::RefusalCode::KeyNotProven)) or it presented nothing, the record names no certificate.
    ///
    /// The peer learns its alert only if it is sent: write what rustls still has to write, then shut down writing and read
    /// to the end before closing, because a reset can overtake the alert.
    #[must_use]
    pub fn refused(&self, error: &(dyn StdError + 'static), now: UnixTime) -> Option<Refused> {
        let error = trouble::rustls_error(error)?;
        if let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error
            && let Some(refused) = other.0.downcast_ref::<Refused>()
        {
            return Some(refused.clone());
        }
        let policy = self.endpoint.policy.current();
        let evidence = Evidence::after_handshake(self.endpoint.host.clone(), [] as [&[u8]; 0]);
        match error {
            rustls::Error::NoCertificatesPresented => policy.decide(&evidence, now).into_result().err(),
            error if trouble::is_signature_failure(error) => {
                let refusal = Refusal::new(Reason::KeyNotProven { cause: error.to_string() });
                Some(policy.refuse(refusal, &evidence, now))
            }
            _ => None,
        }
    }

    /// The id of the chosen host.
    #[must_use]
    pub fn host(&self) -> &HostId {
        &self.endpoint.host
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, host, config: _ } = self;
        write!(f, "Endpoint({host}, {policy:?})")
    }
}

impl fmt::Debug for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selected({})", self.endpoint.host)
    }
}

/// The handshake is not finished, so nobody has proven anything yet: ask again when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the handshake is not finished, so the peer has proven nothing yet")]
#[non_exhaustive]
pub struct HandshakeUnfinished;

/// An [`Endpoint`] could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// The crypto provider cannot be used for TLS 1.2 and 1.3.
    #[error("the crypto provider cannot be used: {reason}")]
    Unusable {
        /// What rustls says.
        reason: String,
    },
}
