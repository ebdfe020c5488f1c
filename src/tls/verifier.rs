//! The client certificate verifier behind an endpoint's configuration.

use core::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};

use super::selected::Presented;
use crate::cert::Certificate;
use crate::decision::Evidence;
use crate::policy::{ClientAuth, HostId, PolicyHandle, UntrustedClients};
use crate::signature;
use crate::trace::NoTrace;

/// Refuses in the handshake what [`Policy::decide`](crate::Policy::decide) would refuse for trust, on the policy in
/// force at that moment.
pub(super) struct Verifier {
    pub(super) policy: Arc<PolicyHandle>,
    pub(super) host: HostId,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) hints: Vec<DistinguishedName>,
    /// Where to remember what was presented, if the configuration is for one connection.
    pub(super) presented: Option<Presented>,
}

impl Verifier {
    /// What the policy in force says of the host: whether it asks for a certificate, and whether it refuses in the
    /// handshake. A host that is not there any more asks and refuses.
    fn mode(&self) -> (ClientAuth, UntrustedClients) {
        let current = self.policy.current();
        current.host(&self.host).map(|host| (host.client_auth(), host.untrusted())).unwrap_or_default()
    }

    /// The certificate whose key must have signed. A pin was read before; it is found by all of its bytes.
    fn signer(&self, certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
        let current = self.policy.current();
        let host = current.host_table().get(&self.host);
        let known = host.and_then(|host| host.trust().index().pinned(certificate));
        known.map_or_else(|| read(certificate), |known| Ok(known.clone()))
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        self.mode().0 != ClientAuth::None
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mode() == (ClientAuth::Require, UntrustedClients::RefuseInHandshake)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = core::iter::once(end_entity).chain(intermediates);
        let evidence = Evidence::after_handshake(self.host.clone(), chain);
        if let Some(presented) = &self.presented {
            presented.remember(evidence.chain());
        }
        if self.mode().1 == UntrustedClients::LetDecide {
            // Every decision refuses what nothing vouches for; the handshake only proves the key.
            return Ok(ClientCertVerified::assertion());
        }
        let policy = self.policy.current();
        match policy.judge(&evidence, now, &mut NoTrace) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(refusal) => {
                let error = OtherError(Arc::new(policy.refuse(refusal, &evidence, now)));
                // `Other` gives the peer the alert `certificate_unknown` whatever the reason is.
                Err(Error::InvalidCertificate(CertificateError::Other(error)))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = self.signer(certificate)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        signature::verify_tls12(message, &certificate.public_key(), signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = self.signer(certificate)?;
        let algorithms = &self.provider.signature_verification_algorithms;
        signature::verify_tls13(message, &certificate.public_key(), signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate whose key must have signed: always the one that was presented first.
pub(super) fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({}, {:?})", self.host, self.policy)
    }
}
