//! (private) Taking files apart into a chain and one private key.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::IdentityError;
use crate::pem;

type Parts = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// One file with everything in it.
pub(super) fn parts(file: &[u8]) -> Result<Parts, IdentityError> {
    let mut found = Found::default();
    for section in pem::read(file).map_err(IdentityError::Pem)? {
        if section.label == "DER" {
            return Err(IdentityError::Der);
        }
        found.take(section)?;
    }
    found.parts()
}

/// One file with certificates, one with a key.
pub(super) fn parts_of_files(certificates: &[u8], key: &[u8]) -> Result<Parts, IdentityError> {
    let mut found = Found::default();
    for mut section in pem::read(certificates).map_err(IdentityError::Pem)? {
        if section.label == "DER" {
            "CERTIFICATE".clone_into(&mut section.label);
        }
        found.take(section)?;
    }
    for section in pem::read(key).map_err(IdentityError::Pem)? {
        if section.label == "DER" {
            let key = PrivateKeyDer::try_from(section.der.to_vec());
            found.keys.push(Zeroizing::new(key.map_err(|_| IdentityError::NoKey)?));
        } else {
            found.take(section)?;
        }
    }
    found.parts()
}

#[derive(Default)]
struct Found {
    chain: Vec<CertificateDer<'static>>,
    keys: Vec<Zeroizing<PrivateKeyDer<'static>>>,
}

impl Found {
    fn take(&mut self, section: pem::Section) -> Result<(), IdentityError> {
        let pem::Section { label, mut der, ordinal, has_headers } = section;
        if has_headers || label == "ENCRYPTED PRIVATE KEY" {
            return Err(IdentityError::EncryptedKey { ordinal, label });
        }
        let mut der = || core::mem::take(&mut *der);
        let key: PrivateKeyDer<'static> = match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                self.chain.push(CertificateDer::from(der()));
                return Ok(());
            }
            // What `openssl ecparam -genkey` writes before the key, which has its curve in itself.
            "EC PARAMETERS" => return Ok(()),
            "PRIVATE KEY" => PrivatePkcs8KeyDer::from(der()).into(),
            "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(der()).into(),
            "EC PRIVATE KEY" => PrivateSec1KeyDer::from(der()).into(),
            _ => return Err(IdentityError::Section { ordinal, label }),
        };
        self.keys.push(Zeroizing::new(key));
        Ok(())
    }

    fn parts(self) -> Result<Parts, IdentityError> {
        match self.keys.as_slice() {
            [] => Err(IdentityError::NoKey),
            [key] => Ok((self.chain, key.clone_key())),
            several => Err(IdentityError::SeveralKeys { count: several.len() }),
        }
    }
}
