//! (private) Signing what we write (certificates, requests, lists) with whatever key there is, in memory or not.

use rustls::SignatureScheme;
use rustls::sign::SigningKey;

use super::IdentityError;
use crate::cert::encode;

/// What `write` makes of the `AlgorithmIdentifier`, signed by `key`.
pub(crate) fn signed(
    key: &dyn SigningKey,
    write: impl FnOnce(&[u8]) -> Result<Vec<u8>, IdentityError>,
) -> Result<Vec<u8>, IdentityError> {
    let reason = |text: &str| IdentityError::Key { reason: text.to_owned() };
    // One after the other, because asked for all at once a key chooses by its own order, and RSA keys then choose PSS.
    let chosen =
        ALGORITHMS.iter().find_map(|(scheme, algorithm)| Some((key.choose_scheme(&[*scheme])?, *algorithm, *scheme)));
    let (signer, algorithm, scheme) = chosen.ok_or_else(|| reason("it cannot sign certificates"))?;
    if signer.scheme() != scheme {
        return Err(reason("it signs by a scheme that was not asked for"));
    }
    let to_be_signed = write(algorithm)?;
    let signature = signer.sign(&to_be_signed).map_err(|cause| reason(&cause.to_string()))?;
    Ok(encode::signed(to_be_signed, algorithm, &signature))
}

/// `AlgorithmIdentifier` of each way to sign (RFC 4055, RFC 5758, RFC 8410), what everybody reads first. PSS is for keys
/// in hardware that do nothing else.
const ALGORITHMS: [(SignatureScheme, &[u8]); 8] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]),
    (SignatureScheme::ECDSA_NISTP384_SHA384, &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]),
    (SignatureScheme::ECDSA_NISTP521_SHA512, &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]),
    (SignatureScheme::ED25519, &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70]),
    (SignatureScheme::RSA_PKCS1_SHA256, &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b, 5, 0]),
    (SignatureScheme::RSA_PKCS1_SHA384, &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0c, 5, 0]),
    (SignatureScheme::RSA_PKCS1_SHA512, &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0d, 5, 0]),
    (SignatureScheme::RSA_PSS_SHA256, PSS_SHA256),
];

/// `id-RSASSA-PSS` with SHA-256 for the hash and the mask, and a salt of 32 octets.
const PSS_SHA256: &[u8] = &[
    0x30, 0x41, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a, // id-RSASSA-PSS
    0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, // hash
    0xa1, 0x1c, 0x30, 0x1a, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8, // mask: id-mgf1
    0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, // over SHA-256
    0xa2, 3, 2, 1, 0x20, // salt
];
