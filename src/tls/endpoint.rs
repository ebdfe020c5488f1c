//! The server's side: a listener, its hosts, and the configuration of each connection.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, NoServerSessionStorage, ServerConfig};
use rustls::time_provider::TimeProvider;

use super::resolver::{Identities, Nobody, Resolver};
use super::resumption::{Resumption, Scope};
use super::selected::{Chosen, Presented, Selected};
use super::settings::{ExtendedMasterSecret, Settings};
use super::verifier::Verifier;
use crate::identity::Identity;
use crate::policy::{HostId, ListenerName, PolicyHandle};
use crate::text::OneLine;
use crate::{NoCryptoProvider, provider};

/// A listener and its hosts: chooses the host of a connection by its first message, gives it the configuration, and leads
/// from a finished handshake to a [`Caller`](crate::Caller).
///
/// TLS 1.2 (with extended master secret, RFC 7627) and 1.3. Without further words sessions are never resumed; no early data
/// is ever read. The policy in force is read at every handshake, so a swapped policy needs no other endpoint.
///
/// ```
/// use certmap::{Endpoint, PolicyBuilder, PolicyHandle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let partner = certmap::Identity::from_pem(&pem)?;
/// # let (certificate, server_identity) = (partner.certificate().clone(), partner);
/// let policy = PolicyBuilder::new().partner("SAPERPUSER".parse()?, certificate, []).build()?;
/// let endpoint = Endpoint::single(PolicyHandle::new(policy), server_identity)?;
/// let config = endpoint.only()?.config();
/// assert_eq!(config.max_early_data_size, 0);
/// assert!(config.require_ems);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Endpoint {
    pub(super) policy: Arc<PolicyHandle>,
    pub(super) listener: ListenerName,
    identities: Arc<Identities>,
    settings: Settings,
}

impl Endpoint {
    /// An endpoint for the one host of the policy, with our own certificate and key.
    ///
    /// # Errors
    /// [`EndpointError`] if the policy has several hosts, if there is no crypto provider, or if that has no cipher suite
    /// for TLS 1.2 and 1.3.
    pub fn single(policy: impl Into<Arc<PolicyHandle>>, identity: Identity) -> Result<Self, EndpointError> {
        Self::single_with_provider(policy, identity, provider::default()?)
    }

    /// As [`single`](Self::single), with a crypto provider.
    ///
    /// # Errors
    /// As [`single`](Self::single).
    pub fn single_with_provider(
        policy: impl Into<Arc<PolicyHandle>>,
        identity: Identity,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, EndpointError> {
        let policy = policy.into();
        let current = policy.current();
        let mut hosts = current.hosts();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(EndpointError::SeveralHosts);
        };
        let (listener, identities) = (host.listener().clone(), [(host.id().clone(), identity)]);
        drop(hosts);
        Self::new_with_provider(policy, listener, identities, provider)
    }

    /// An endpoint for the hosts behind a listener, each with our own certificate and key for it.
    ///
    /// # Errors
    /// [`EndpointError`] if a host behind the listener has no identity or an identity has no host, if there is no crypto
    /// provider, or if that has no cipher suite for TLS 1.2 and 1.3.
    pub fn new(
        policy: impl Into<Arc<PolicyHandle>>,
        listener: ListenerName,
        identities: impl IntoIterator<Item = (HostId, Identity)>,
    ) -> Result<Self, EndpointError> {
        Self::new_with_provider(policy, listener, identities, provider::default()?)
    }

    /// As [`new`](Self::new), with a crypto provider.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_with_provider(
        policy: impl Into<Arc<PolicyHandle>>,
        listener: ListenerName,
        identities: impl IntoIterator<Item = (HostId, Identity)>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, EndpointError> {
        let policy = policy.into();
        let identities: BTreeMap<_, _> = identities.into_iter().collect();
        let current = policy.current();
        let of_listener = |id: &HostId| current.host(id).is_some_and(|host| *host.listener() == listener);
        if let Some(host) = identities.keys().find(|id| !of_listener(id)) {
            return Err(EndpointError::UnknownHost { host: host.clone(), listener });
        }
        let mut hosts = current.hosts().filter(|host| *host.listener() == listener);
        if let Some(host) = hosts.find(|host| !identities.contains_key(host.id())) {
            return Err(EndpointError::NoIdentity { host: host.id().clone() });
        }
        drop(hosts);
        let settings = Settings::new(provider)?;
        Ok(Self { policy, listener, identities: Arc::new(Identities::new(identities)), settings })
    }

    /// Sets the application protocols that are offered (RFC 7301), the preferred one first: `h2`, `http/1.1`.
    #[must_use]
    pub fn with_alpn(mut self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        self.settings.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the clock that handshakes and the lifetime of sessions go by, instead of the system's.
    #[must_use]
    pub fn with_time_provider(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Speaks these versions of TLS only.
    ///
    /// # Errors
    /// [`EndpointError::Unusable`] if the crypto provider has no cipher suite for them, or there are none.
    pub fn with_versions(mut self, versions: &[&'static SupportedProtocolVersion]) -> Result<Self, EndpointError> {
        self.settings.versions = versions.into();
        self.settings.check()?;
        Ok(self)
    }

    /// Says whether TLS 1.2 clients need extended master secret.
    ///
    /// # Errors
    /// [`EndpointError::ResumptionNeedsEms`] if it is not required and sessions are resumed.
    pub fn with_extended_master_secret(mut self, setting: ExtendedMasterSecret) -> Result<Self, EndpointError> {
        self.settings.extended_master_secret = setting;
        self.settings.check()?;
        Ok(self)
    }

    /// Resumes sessions, each only where and as long as it was made for.
    ///
    /// # Errors
    /// [`EndpointError::ResumptionNeedsEms`] if extended master secret is not required: without it a session of TLS 1.2 can
    /// be carried to another connection (RFC 7627, section 1).
    pub fn with_resumption(mut self, resumption: Resumption) -> Result<Self, EndpointError> {
        self.settings.resumption = Some(resumption);
        self.settings.check()?;
        Ok(self)
    }

    /// Renews our own certificate and key for a host; connections that exist, policy and sessions are not touched: who resumes
    /// one is decided anew, as always, and sees the new certificate at the next full handshake. Returns
    /// the identity of before. A host that a later policy adds gets its identity here too.
    #[expect(clippy::must_use_candidate, reason = "few ask for the identity of before")]
    pub fn replace_identity(&self, host: HostId, identity: Identity) -> Option<Identity> {
        self.identities.replace(host, identity)
    }

    /// The handle of the policy that this endpoint reads: replace it here, and the next handshake and decision see it.
    #[must_use]
    pub fn policy(&self) -> &Arc<PolicyHandle> {
        &self.policy
    }

    /// The listener whose hosts it serves.
    #[must_use]
    pub fn listener(&self) -> &ListenerName {
        &self.listener
    }

    /// Chooses host and configuration for a connection by its first message: the host that has the name which the client
    /// asks for, or the default host of the listener.
    ///
    /// # Errors
    /// [`UnknownHost`] if there is neither; continue with its configuration to refuse the client properly.
    pub fn select(&self, hello: &ClientHello<'_>) -> Result<Selected, UnknownHost> {
        let name = hello.server_name();
        let current = self.policy.current();
        match current.host_table().select(&self.listener, name) {
            Some(state) if self.identities.get(state.host().id()).is_some() => {
                let presented = Presented::default();
                let config = self.config(state.host().id(), Some(presented.clone()));
                Ok(Selected::new(
                    self.clone(),
                    state.host().id().clone(),
                    Chosen::ByName(name.map(str::to_owned)),
                    config,
                    presented,
                ))
            }
            _ => Err(UnknownHost {
                config: self.config_of_nobody(),
                listener: self.listener.clone(),
                asked: name.map(str::to_owned),
            }),
        }
    }

    /// A configuration of one host, for stacks that take one for ever and do not show the first message. It reads the
    /// policy in force at every handshake, and refuses clients that ask for the name of another host; only its hints are
    /// those of now.
    ///
    /// A client of TLS 1.2 whose connection is open already when the host begins to ask for certificates, and which presents
    /// one, fails with `access_denied`, because rustls has not kept what it would have had to sign; its next try does not.
    ///
    /// # Errors
    /// [`EndpointError::UnknownHost`] if the listener has no such host, [`EndpointError::NoIdentity`] if that has none.
    pub fn fixed(&self, host: HostId) -> Result<Selected, EndpointError> {
        let known = self.policy.current().host(&host).is_some_and(|known| *known.listener() == self.listener);
        if !known {
            return Err(EndpointError::UnknownHost { host, listener: self.listener.clone() });
        }
        if self.identities.get(&host).is_none() {
            return Err(EndpointError::NoIdentity { host });
        }
        let config = self.config(&host, None);
        Ok(Selected::new(self.clone(), host, Chosen::ForMany, config, Presented::default()))
    }

    /// As [`fixed`](Self::fixed), for the host of a listener that has just one.
    ///
    /// # Errors
    /// As [`fixed`](Self::fixed), and [`EndpointError::SeveralHosts`] if it has several.
    pub fn only(&self) -> Result<Selected, EndpointError> {
        let current = self.policy.current();
        let mut hosts = current.hosts().filter(|host| *host.listener() == self.listener);
        match (hosts.next(), hosts.next()) {
            (Some(host), None) => self.fixed(host.id().clone()),
            _ => Err(EndpointError::SeveralHosts),
        }
    }

    /// `presented` remembers what the peer of one connection presented; a configuration for many has none.
    fn config(&self, host: &HostId, presented: Option<Presented>) -> Arc<ServerConfig> {
        let current = self.policy.current();
        let hints = current.host_table().get(host).map(|state| Arc::clone(state.hints())).unwrap_or_default();
        let verifier = Verifier {
            policy: Arc::clone(&self.policy),
            host: host.clone(),
            provider: Arc::clone(&self.settings.provider),
            hints: hints.iter().map(|name| name.to_vec().into()).collect(),
            presented,
        };
        let resolver = Resolver {
            policy: Arc::clone(&self.policy),
            listener: self.listener.clone(),
            host: host.clone(),
            identities: Arc::clone(&self.identities),
        };
        let mut config = self
            .settings
            .builder()
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(resolver));
        // rustls asks no verifier on a resumed session. So without further words there are none: nothing is stored and no
        // ticket is given.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.require_ems = self.settings.extended_master_secret == ExtendedMasterSecret::Require;
        config.alpn_protocols.clone_from(&self.settings.alpn);
        if let Some(resumption) = &self.settings.resumption {
            let scope =
                Scope::new(Arc::clone(&self.policy), host.clone(), Arc::clone(&self.settings.clock), resumption);
            resumption.apply(&mut config, scope);
        }
        Arc::new(config)
    }

    /// A configuration that refuses everybody with the alert `access_denied`.
    fn config_of_nobody(&self) -> Arc<ServerConfig> {
        let mut config = self.settings.builder().with_no_client_auth().with_cert_resolver(Arc::new(Nobody));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, listener, identities: _, settings: _ } = self;
        write!(f, "Endpoint({listener}, {policy:?})")
    }
}

/// No host of the listener has the name that a client asks for, and there is no default host.
#[derive(Clone, thiserror::Error)]
#[error("the client asks for {}, listener `{listener}` has no host for that, and no default host", Asked(.asked.as_deref()))]
pub struct UnknownHost {
    config: Arc<ServerConfig>,
    listener: ListenerName,
    asked: Option<String>,
}

/// The name that a client asks for, as people read it.
struct Asked<'a>(Option<&'a str>);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "`{}`", OneLine(name)),
            None => f.write_str("no name (no server name indication)"),
        }
    }
}

impl UnknownHost {
    /// A configuration to continue the handshake with, so that the client is refused with the alert `access_denied`
    /// (RFC 8446, section 6.2).
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The server name that the client asked for (RFC 6066, section 3), unproven as all of its first message.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.asked.as_deref()
    }
}

impl fmt::Debug for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownHost({})", self.listener)
    }
}

/// An [`Endpoint`] could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// A host of the listener has no certificate and key of ours.
    #[error("host `{host}` has no identity: give the server certificate and key for it")]
    NoIdentity {
        /// The host.
        host: HostId,
    },
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// Sessions would be resumed that may have been made without extended master secret.
    #[error("sessions are resumed only with extended master secret: require it, or switch resumption off")]
    ResumptionNeedsEms,
    /// It is not clear which host is meant.
    #[error(
        "the policy or the listener has not just one host: say which one is meant (`Endpoint::new`, `Endpoint::fixed`)"
    )]
    SeveralHosts,
    /// The policy has no such host behind the listener.
    #[error("the policy has no host `{host}` behind listener `{listener}`")]
    UnknownHost {
        /// The host.
        host: HostId,
        /// The listener.
        listener: ListenerName,
    },
    /// The crypto provider cannot be used for these versions of TLS.
    #[error("the crypto provider cannot be used: {reason}")]
    Unusable {
        /// What rustls says.
        reason: String,
    },
}
