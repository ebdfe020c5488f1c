//! (private) Verifying a signature with a public key alone.
//!
//! rustls' own helpers first parse the certificate with webpki, which refuses versions 1 and 2, unknown critical
//! extensions and more. A pinned certificate is what it is, so its key is taken and the certificate left aside. Knows
//! no certificates and no trust. RFC 5246, section 7.4.8; RFC 8446, section 4.4.3.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use webpki::RawPublicKeyEntity;

/// TLS 1.3: no PKCS#1, no SHA-1, and the curve is part of the scheme.
pub(crate) fn verify_tls13(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signature: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature_with_raw_key(message, key, signature, supported)
}

/// TLS 1.2: an ECDSA scheme names the hash only, so each curve that the provider has for it may fit the key.
pub(crate) fn verify_tls12(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signature: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if !signed_in_tls12(signature.scheme) {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    verify(message, key, signature.scheme, signature.signature(), supported)?;
    Ok(HandshakeSignatureValid::assertion())
}

/// Schemes whose code point has a meaning in TLS 1.2, as rustls' own check has it.
fn signed_in_tls12(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::ECDSA_NISTP256_SHA256
            | SignatureScheme::ECDSA_NISTP384_SHA384
            | SignatureScheme::ECDSA_NISTP521_SHA512
            | SignatureScheme::ED25519
    )
}

/// Verifies `signature` over `message` with any of the provider's algorithms for the scheme that fits the key.
pub(crate) fn verify(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    scheme: SignatureScheme,
    signature: &[u8],
    supported: &WebPkiSupportedAlgorithms,
) -> Result<(), Error> {
    let candidates = supported
        .mapping
        .iter()
        .find_map(|(known, candidates)| (*known == scheme).then_some(*candidates))
        // Not `NoSignatureSchemesInCommon`: rustls says that of clients that cannot verify what our own key signs.
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let key = RawPublicKeyEntity::try_from(key).map_err(|_| CertificateError::BadEncoding)?;
    let mut unfit = None;
    for algorithm in candidates {
        match key.verify_signature(*algorithm, message, signature) {
            Ok(()) => return Ok(()),
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(cause)) => unfit = Some(cause),
            Err(_) => return Err(CertificateError::BadSignature.into()),
        }
    }
    let unfit = unfit.map(|cause| CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: cause.signature_algorithm_id,
        public_key_algorithm_id: cause.public_key_algorithm_id,
    });
    Err(unfit.unwrap_or(CertificateError::BadSignature).into())
}

/// Verifies `signature` by the algorithm that a certificate names (the content of its `AlgorithmIdentifier`). `None` if the
/// provider has none of that name.
pub(crate) fn verify_by(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    algorithm: &[u8],
    signature: &[u8],
    supported: &WebPkiSupportedAlgorithms,
) -> Option<Result<(), Error>> {
    let mut named = supported.all.iter().filter(|one| *one.signature_alg_id() == *algorithm).peekable();
    named.peek()?;
    let Ok(key) = RawPublicKeyEntity::try_from(key) else { return Some(Err(CertificateError::BadEncoding.into())) };
    let verified = named.any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok());
    Some(if verified { Ok(()) } else { Err(CertificateError::BadSignature.into()) })
}
