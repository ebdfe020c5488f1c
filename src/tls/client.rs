//! The client's side: present an identity, believe the servers of a bundle.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientConfig, ResolvesClientCert, Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::Trouble;
use super::client_configs::{ClientConfigs, LivePresenter};
use super::distrust::{self, Cause, ServerDistrust};
use super::hints::{Presenter, UnfitHints};
use super::verifier::read;
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint, Validity};
use crate::identity::IdentityHandle;
use crate::signature;
use crate::trust::{BundleName, EntryKind, TrustBundle};
use crate::{NoCryptoProvider, provider};

/// Builds the rustls configuration of an outgoing call: which identity to present, and which servers to believe. What
/// SOAMANAGER calls a logical port.
///
/// The identity is presented whatever it looks like, X.509 version 1 included. A server is believed if its chain leads
/// to an anchor of the bundle and its certificate is for the name that is called, or if its certificate is pinned in
/// the bundle for that name. There is no other trust: not the system's, not the web's.
///
/// Identities end and are renewed. Three ways lead from one to the next, by what the program around it can do:
///
/// | | a program that | resumes sessions |
/// |---|---|---|
/// | [`build`](Self::build) | builds anew what it has for the next identity | yes |
/// | [`build_per_identity`](Self::build_per_identity) | asks for the configuration before each connection | yes, of the identity in force |
/// | [`build_live`](Self::build_live) | takes one configuration for ever | never |
///
/// ```
/// use certmap::{ClientConfigBuilder, Identity, TrustBundle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// let erp = Identity::from_pem(&pem)?.with_name("ERP");
/// let mut servers = TrustBundle::new("servers".parse()?);
/// # servers.add(certmap::trust::Entry::pin(erp.certificate().clone())?.with_server_names(["localhost".try_into()?]))?;
/// // servers.add_anchors_pem(&std::fs::read("gateway-root.pem")?)?;
/// let config = ClientConfigBuilder::new(erp, servers).with_alpn(["http/1.1"]).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientConfigBuilder {
    identity: Arc<IdentityHandle>,
    servers: TrustBundle,
    provider: Option<Arc<CryptoProvider>>,
    alpn: Vec<Vec<u8>>,
    clock: Option<Arc<dyn TimeProvider>>,
    unfit_hints: UnfitHints,
    #[cfg(feature = "platform-verifier")]
    platform: bool,
}

impl ClientConfigBuilder {
    /// Presents `identity`, or what is in force in a handle, and believes `servers`.
    pub fn new(identity: impl Into<Arc<IdentityHandle>>, servers: TrustBundle) -> Self {
        Self {
            identity: identity.into(),
            servers,
            provider: None,
            alpn: Vec::new(),
            clock: None,
            unfit_hints: UnfitHints::default(),
            #[cfg(feature = "platform-verifier")]
            platform: false,
        }
    }

    /// Uses this crypto provider.
    pub fn with_provider(self, provider: Arc<CryptoProvider>) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// Sets the application protocols to ask for (RFC 7301), the preferred one first.
    pub fn with_alpn(self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { alpn: protocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the clock that handshakes read, instead of the system's.
    pub fn with_time_provider(self, clock: Arc<dyn TimeProvider>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Notes there what servers hint and the identity does not fit.
    pub fn with_unfit_hints(self, unfit_hints: UnfitHints) -> Self {
        Self { unfit_hints, ..self }
    }

    /// Believes the servers that the operating system believes, too (feature `platform-verifier`). The bundle may then be
    /// empty.
    ///
    /// # Security
    /// Every public CA, and whatever the machine's administrator added, can then vouch for every server that is called.
    #[cfg(feature = "platform-verifier")]
    pub fn with_platform_roots(self) -> Self {
        Self { platform: true, ..self }
    }

    /// The configuration, for TLS 1.2 and 1.3, that presents the identity which is in force now, for ever: it does not follow
    /// a handle that is given another one. For that there are [`build_per_identity`](Self::build_per_identity) and
    /// [`build_live`](Self::build_live).
    /// It resumes sessions only with itself: none crosses to another identity or to other trust, also if both are built
    /// from clones of one builder.
    ///
    /// # Errors
    /// [`ClientConfigError`] if no server is trusted, a pinned server has no name to answer for, or there is no provider.
    pub fn build(self) -> Result<ClientConfig, ClientConfigError> {
        let identity = self.identity.current();
        let presenter = Presenter::new(identity.certified_key(), self.unfit_hints.clone());
        Self { identity: identity.into(), ..self }.configuration(Arc::new(presenter))
    }

    /// A configuration for each identity that comes into force, which is asked for before each connection.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_per_identity(self) -> Result<ClientConfigs, ClientConfigError> {
        let (handle, unfit_hints) = (Arc::clone(&self.identity), self.unfit_hints.clone());
        let (number, identity) = handle.numbered();
        let presenter = Presenter::new(identity.certified_key(), unfit_hints.clone());
        let first = self.configuration(Arc::new(presenter))?;
        Ok(ClientConfigs::new(handle, unfit_hints, number, first))
    }

    /// One configuration that presents, at each handshake, the identity which is in force then: for stacks that take one
    /// for ever.
    ///
    /// # Security
    /// It does not resume sessions, because rustls would resume those of the identity before, as the user before: do not
    /// set `resumption` on it.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_live(self) -> Result<ClientConfig, ClientConfigError> {
        let presenter = LivePresenter::new(Arc::clone(&self.identity), self.unfit_hints.clone());
        let mut config = self.configuration(Arc::new(presenter))?;
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    fn configuration(self, presenter: Arc<dyn ResolvesClientCert>) -> Result<ClientConfig, ClientConfigError> {
        let provider = self.provider.clone().map_or_else(provider::default, Ok)?;
        let platform = self.platform_verifier(&provider)?;
        let Self { identity, servers, alpn, clock, .. } = self;
        let verifier = Verifier::new(Some(identity), servers, Arc::clone(&provider), platform)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|cause| ClientConfigError::Unusable { reason: cause.to_string() })?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(presenter);
        config.alpn_protocols = alpn;
        if let Some(clock) = clock {
            config.time_provider = clock;
        }
        Ok(config)
    }

    #[cfg(feature = "platform-verifier")]
    fn platform_verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Option<PlatformVerifier>, ClientConfigError> {
        if !self.platform {
            return Ok(None);
        }
        let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
        let verifier = verifier.map_err(|cause| ClientConfigError::Unusable { reason: cause.to_string() })?;
        Ok(Some(Arc::new(verifier)))
    }

    #[cfg(not(feature = "platform-verifier"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same signature with the feature")]
    fn platform_verifier(&self, _: &Arc<CryptoProvider>) -> Result<Option<PlatformVerifier>, ClientConfigError> {
        Ok(None)
    }
}

/// What a client that believes `servers` and no operating system says of a server, without a call: `None` if it believes it.
/// By the verifier that it would have.
pub(crate) fn distrust_of(
    servers: TrustBundle,
    provider: Arc<CryptoProvider>,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<Option<Trouble>, ClientConfigError> {
    let verifier = Verifier::new(None, servers, provider, None)?;
    let checked = verifier.check(end_entity, intermediates, name, now);
    Ok(checked.err().map(|cause| Trouble::of_server(&verifier.distrust(end_entity, name, cause))))
}

type PlatformVerifier = Arc<dyn ServerCertVerifier>;

/// Believes the servers of one bundle.
struct Verifier {
    /// Who calls, for messages; nobody does in a preflight.
    identity: Option<Arc<IdentityHandle>>,
    /// What `pins` and `anchors` were made of, to find out why a server was not believed.
    servers: TrustBundle,
    provider: Arc<CryptoProvider>,
    pins: HashMap<Fingerprint, Pin>,
    /// The names of each pinned public key.
    key_pins: HashMap<SpkiFingerprint, Vec<ServerName<'static>>>,
    anchors: Vec<(Validity, TrustAnchor<'static>)>,
    /// What the operating system says of servers, if it is asked.
    platform: Option<PlatformVerifier>,
}

struct Pin {
    validity: Validity,
    names: Vec<ServerName<'static>>,
}

impl Verifier {
    fn new(
        identity: Option<Arc<IdentityHandle>>,
        servers: TrustBundle,
        provider: Arc<CryptoProvider>,
        platform: Option<PlatformVerifier>,
    ) -> Result<Self, ClientConfigError> {
        if servers.is_empty() && platform.is_none() {
            return Err(ClientConfigError::NoServers { bundle: servers.name().clone() });
        }
        let (mut pins, mut key_pins, mut anchors) = (HashMap::new(), HashMap::<_, Vec<_>>::new(), Vec::new());
        for entry in servers.entries() {
            let certificate = entry.certificate();
            let (fingerprint, validity) = (certificate.fingerprint(), certificate.validity());
            if let Some(anchor) = entry.trust_anchor() {
                anchors.push((validity, anchor.clone()));
                continue;
            }
            let names = entry.server_names();
            if names.is_empty() {
                return Err(ClientConfigError::PinWithoutName { fingerprint });
            }
            if entry.kind() == EntryKind::KeyPin {
                key_pins.entry(certificate.spki_fingerprint()).or_default().extend(names);
            } else {
                pins.insert(fingerprint, Pin { validity, names });
            }
        }
        Ok(Self { identity, servers, provider, pins, key_pins, anchors, platform })
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Cause> {
        if let Some(pin) = self.pins.get(&Fingerprint::of(end_entity)) {
            return pin.check(name, now);
        }
        if let Some(pin) = self.key_pin(end_entity) {
            return pin.check(name, now);
        }
        // webpki does not look at the validity of an anchor, so only those are given to it that are valid now.
        let valid = self.anchors.iter().filter(|(validity, _)| validity.contains(now));
        let roots = RootCertStore { roots: valid.map(|(_, anchor)| anchor.clone()).collect() };
        let algorithms = self.provider.signature_verification_algorithms.all;
        ParsedCertificate::try_from(end_entity)
            .and_then(|parsed| {
                verify_server_cert_signed_by_trust_anchor(&parsed, &roots, intermediates, now, algorithms)?;
                verify_server_name(&parsed, name)
            })
            .map_err(|error| Cause::of(&error, end_entity, intermediates, &self.servers, now))
    }
}

impl Verifier {
    /// Why this server is not believed, by what `check` found out.
    fn distrust(&self, end_entity: &CertificateDer<'_>, name: &ServerName<'_>, cause: Cause) -> ServerDistrust {
        ServerDistrust {
            identity: self.identity.as_ref().map(|handle| handle.current().name()),
            bundle: self.servers.name().clone(),
            server_name: name.to_owned(),
            fingerprint: Fingerprint::of(end_entity),
            cause,
        }
    }

    /// A certificate on a pinned key is as good as a pinned one, within its own validity.
    fn key_pin(&self, end_entity: &CertificateDer<'_>) -> Option<Pin> {
        if self.key_pins.is_empty() {
            return None;
        }
        let certificate = Certificate::from_der(end_entity).ok()?;
        let names = self.key_pins.get(&certificate.spki_fingerprint())?;
        Some(Pin { validity: certificate.validity(), names: names.clone() })
    }
}

impl Pin {
    fn check(&self, name: &ServerName<'_>, now: UnixTime) -> Result<(), Cause> {
        if let Some(cause) = distrust::outside(self.validity, now) {
            return Err(cause);
        }
        if self.names.iter().any(|own| own == name) {
            return Ok(());
        }
        let names: Vec<_> = self.names.iter().map(ServerName::to_str).collect();
        Err(Cause::Name { reason: format!("it is pinned, but answers only for {}", names.join(", ")) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Err(cause) = self.check(end_entity, intermediates, server_name, now) else {
            return Ok(ServerCertVerified::assertion());
        };
        // A pin that is expired or for another name is not made good by anybody else.
        let pinned = self.pins.contains_key(&Fingerprint::of(end_entity)) || self.key_pin(end_entity).is_some();
        if let Some(platform) = self.platform.as_ref().filter(|_| !pinned)
            && let Ok(verified) =
                platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            return Ok(verified);
        }
        let distrust = self.distrust(end_entity, server_name, cause);
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        signature::verify_tls12(message, &read(certificate)?.public_key(), signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        signature::verify_tls13(message, &read(certificate)?.public_key(), signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, servers, provider: _, pins: _, key_pins: _, anchors: _, platform: _ } = self;
        write!(f, "Verifier({identity:?}, {servers:?})")
    }
}

/// A [`ClientConfig`] could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// No server is trusted.
    #[error(
        "bundle `{bundle}` is empty, so no server would be trusted: add the server's root as an anchor, or its own certificate as a pin"
    )]
    NoServers {
        /// The bundle.
        bundle: BundleName,
    },
    /// A pinned server certificate has no name in it, and none was given.
    #[error("pin {fingerprint} has no server name: say for which names it answers (`Entry::with_server_names`)")]
    PinWithoutName {
        /// The pin.
        fingerprint: Fingerprint,
    },
    /// The crypto provider cannot be used for TLS 1.2 and 1.3.
    #[error("the crypto provider cannot be used: {reason}")]
    Unusable {
        /// What rustls says.
        reason: String,
    },
}
