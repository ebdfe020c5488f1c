//! (private) Taking a PEM file apart into a chain and one private key.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::IdentityError;
use crate::pem;

pub(super) fn parts(file: &[u8]) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityError> {
    let mut chain = Vec::new();
    let mut key = None;
    let mut keys = 0;
    for section in pem::read(file).map_err(IdentityError::Pem)? {
        let pem::Section { label, mut der, ordinal, has_headers } = section;
        if has_headers || label == "ENCRYPTED PRIVATE KEY" {
            return Err(IdentityError::EncryptedKey { ordinal, label });
        }
        let found: PrivateKeyDer<'static> = match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                chain.push(CertificateDer::from(core::mem::take(&mut *der)));
                continue;
            }
            // What `openssl ecparam -genkey` writes before the key, which has its curve in itself.
            "EC PARAMETERS" => continue,
            "PRIVATE KEY" => PrivatePkcs8KeyDer::from(core::mem::take(&mut *der)).into(),
            "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(core::mem::take(&mut *der)).into(),
            "EC PRIVATE KEY" => PrivateSec1KeyDer::from(core::mem::take(&mut *der)).into(),
            _ => return Err(IdentityError::Section { ordinal, label }),
        };
        keys += 1;
        key = Some(found);
    }
    match key {
        Some(_) if keys > 1 => Err(IdentityError::SeveralKeys { count: keys }),
        Some(key) => Ok((chain, key)),
        None => Err(IdentityError::NoKey),
    }
}
