//! The client's side: present an identity, believe the servers of a bundle.

use core::fmt;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::verifier::read;
use crate::cert::{Certificate, Fingerprint, Standing, Validity, show};
use crate::identity::Identity;
use crate::signature;
use crate::text::OneLine;
use crate::trust::{BundleName, EntryKind, TrustBundle};
use crate::{NoCryptoProvider, provider};

/// Builds the rustls configuration of an outgoing call: which identity to present, and which servers to believe. What
/// SOAMANAGER calls a logical port.
///
/// The identity is presented whatever it looks like, X.509 version 1 included. A server is believed if its chain leads
/// to an anchor of the bundle and its certificate is for the name that is called, or if its certificate is pinned in
/// the bundle for that name. There is no other trust: not the system's, not the web's.
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
    identity: Identity,
    servers: TrustBundle,
    provider: Option<Arc<CryptoProvider>>,
    alpn: Vec<Vec<u8>>,
}

impl ClientConfigBuilder {
    /// Presents `identity`, believes `servers`.
    pub fn new(identity: Identity, servers: TrustBundle) -> Self {
        Self { identity, servers, provider: None, alpn: Vec::new() }
    }

    /// Uses this crypto provider.
    pub fn with_provider(self, provider: Arc<CryptoProvider>) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// Sets the application protocols to ask for (RFC 7301), the preferred one first.
    pub fn with_alpn(self, protocols: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self { alpn: protocols.into_iter().map(Into::into).collect(), ..self }
    }

    /// The configuration, for TLS 1.2 and 1.3. It resumes sessions only with itself.
    ///
    /// # Errors
    /// [`ClientConfigError`] if no server is trusted, a pinned server has no name to answer for, or there is no provider.
    pub fn build(self) -> Result<ClientConfig, ClientConfigError> {
        let Self { identity, servers, provider, alpn } = self;
        let provider = provider.map_or_else(provider::default, Ok)?;
        let verifier = Verifier::new(identity.name(), &servers, Arc::clone(&provider))?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|cause| ClientConfigError::Unusable { reason: cause.to_string() })?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
        config.alpn_protocols = alpn;
        Ok(config)
    }
}

/// Believes the servers of one bundle.
struct Verifier {
    identity: String,
    bundle: BundleName,
    provider: Arc<CryptoProvider>,
    pins: HashMap<Fingerprint, Pin>,
    anchors: Vec<(Validity, TrustAnchor<'static>)>,
}

struct Pin {
    validity: Validity,
    names: Vec<ServerName<'static>>,
}

impl Verifier {
    fn new(identity: String, servers: &TrustBundle, provider: Arc<CryptoProvider>) -> Result<Self, ClientConfigError> {
        let bundle = servers.name().clone();
        if servers.is_empty() {
            return Err(ClientConfigError::NoServers { bundle });
        }
        let (mut pins, mut anchors) = (HashMap::new(), Vec::new());
        for entry in servers.entries() {
            let certificate = entry.certificate();
            let (fingerprint, validity) = (certificate.fingerprint(), certificate.validity());
            match entry.kind() {
                EntryKind::Anchor => {
                    let anchor = webpki::anchor_from_trusted_cert(certificate.der());
                    let anchor =
                        anchor.map_err(|cause| ClientConfigError::Anchor { fingerprint, reason: cause.to_string() })?;
                    anchors.push((validity, anchor.to_owned()));
                }
                EntryKind::Pin => {
                    let names = entry.server_names();
                    if names.is_empty() {
                        return Err(ClientConfigError::PinWithoutName { fingerprint });
                    }
                    pins.insert(fingerprint, Pin { validity, names });
                }
            }
        }
        Ok(Self { identity, bundle, provider, pins, anchors })
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), (ServerCause, String)> {
        if let Some(pin) = self.pins.get(&Fingerprint::of(end_entity)) {
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
            .map_err(|error| (ServerCause::of(&error), error.to_string()))
    }
}

impl ServerCause {
    fn of(error: &Error) -> Self {
        use CertificateError as C;
        match error {
            Error::InvalidCertificate(C::BadSignature) => Self::Key,
            Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Self::Name,
            Error::InvalidCertificate(
                C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
            ) => Self::Validity,
            _ => Self::Untrusted,
        }
    }
}

impl Pin {
    fn check(&self, name: &ServerName<'_>, now: UnixTime) -> Result<(), (ServerCause, String)> {
        let (first, last) = (self.validity.not_before(), self.validity.not_after());
        match self.validity.standing(now) {
            Standing::Early => return Err((ServerCause::Validity, format!("its validity begins at {}", show(first)))),
            Standing::Late => return Err((ServerCause::Validity, format!("its validity ended at {}", show(last)))),
            Standing::Within => {}
        }
        if self.names.iter().any(|own| own == name) {
            return Ok(());
        }
        let names: Vec<_> = self.names.iter().map(ServerName::to_str).collect();
        Err((ServerCause::Name, format!("it is pinned, but answers only for {}", names.join(", "))))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, server_name, now).map(|()| ServerCertVerified::assertion()).map_err(
            |(cause, reason)| {
                let distrust = ServerDistrust {
                    identity: self.identity.clone(),
                    bundle: self.bundle.clone(),
                    server_name: server_name.to_owned(),
                    fingerprint: Fingerprint::of(end_entity),
                    issuer: Certificate::from_der(end_entity)
                        .map_or_else(|_| String::new(), |read| read.issuer().to_string()),
                    cause,
                    reason,
                };
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
            },
        )
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
        let Self { identity, bundle, provider: _, pins, anchors } = self;
        write!(f, "Verifier({identity}, {bundle}, {} pins, {} anchors)", pins.len(), anchors.len())
    }
}

/// A client did not believe a server: what it was called by, what it presented, and why that was not enough.
///
/// Found inside rustls' error by [`Trouble`](super::Trouble).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server certificate is not trusted by identity `{}`", OneLine(.identity))]
pub struct ServerDistrust {
    pub(super) identity: String,
    pub(super) bundle: BundleName,
    pub(super) server_name: ServerName<'static>,
    pub(super) fingerprint: Fingerprint,
    pub(super) issuer: String,
    pub(super) cause: ServerCause,
    pub(super) reason: String,
}

/// What kind of distrust it is, for the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerCause {
    /// An anchor has the issuer's name, but another key signed.
    Key,
    Name,
    Untrusted,
    Validity,
}

/// A [`ClientConfig`] could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// An anchor cannot be read by the path validator.
    #[error("anchor {fingerprint} cannot be used: {reason}")]
    Anchor {
        /// The anchor.
        fingerprint: Fingerprint,
        /// What the path validator says.
        reason: String,
    },
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// No server is trusted.
    #[error("bundle `{bundle}` is empty, so no server would be trusted: add the server's root as an anchor")]
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
