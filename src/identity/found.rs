//! What stands in a file, taken out of whatever it is wrapped in: certificates and private keys.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::foreign::{ForeignFile, Shape};
use super::import::{Format, ImportNote};
use super::import_error::ImportError;
use super::opener::Opener;
use super::pkcs7;
use crate::limits::{IMPORTED_CERTIFICATES, IMPORTED_KEYS};
use crate::pem;

/// The content of a file, or of two.
pub(super) struct Found {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<Zeroizing<PrivateKeyDer<'static>>>,
    pub(super) format: Format,
    pub(super) notes: Vec<ImportNote>,
}

impl Found {
    pub(super) fn new() -> Self {
        Self { certificates: Vec::new(), keys: Vec::new(), format: Format::Pem, notes: Vec::new() }
    }

    /// Everything that is in this file.
    pub(super) fn take(&mut self, file: &[u8], opener: &mut Opener<'_>) -> Result<(), ImportError> {
        let sections = pem::read(file).map_err(|error| match ForeignFile::of_file(file) {
            Some(file) => ImportError::Foreign { file },
            None => ImportError::Pem(error),
        })?;
        sections.into_iter().try_for_each(|section| self.section(section, opener))
    }

    fn section(&mut self, section: pem::Section, opener: &mut Opener<'_>) -> Result<(), ImportError> {
        let pem::Section { label, mut der, ordinal, has_headers } = section;
        if has_headers && label.ends_with("PRIVATE KEY") {
            return Err(ImportError::EncryptedKey { ordinal, label, feature: "" });
        }
        match label.as_str() {
            "DER" => {
                self.format = Format::Der;
                self.der(der, opener)
            }
            // Some programs put the label for a certificate around a whole chain (RFC 7468, section 5.1).
            "CERTIFICATE" | "X509 CERTIFICATE" if Shape::of(&der) == Shape::ContentInfo => self.der(der, opener),
            "CERTIFICATE" | "X509 CERTIFICATE" => self.certificate(core::mem::take(&mut *der)),
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" | "CERTIFICATE CHAIN" => self.signed_data(&der),
            // What `openssl ecparam -genkey` writes before the key, which has its curve in itself; and what servers want.
            "EC PARAMETERS" | "DH PARAMETERS" => Ok(()),
            "PRIVATE KEY" => self.key(PrivatePkcs8KeyDer::from(core::mem::take(&mut *der)).into()),
            "RSA PRIVATE KEY" => self.key(PrivatePkcs1KeyDer::from(core::mem::take(&mut *der)).into()),
            "EC PRIVATE KEY" => self.key(PrivateSec1KeyDer::from(core::mem::take(&mut *der)).into()),
            "ENCRYPTED PRIVATE KEY" => self.encrypted_key(&der, opener, ordinal, label),
            "PKCS12" => self.pkcs12(&der, opener),
            "PSE" => self.pse(&der, opener),
            _ => Err(match ForeignFile::of_label(&label) {
                Some(file) => ImportError::Foreign { file },
                None => ImportError::Section { ordinal, label },
            }),
        }
    }

    /// A file without a label.
    fn der(&mut self, mut der: Zeroizing<Vec<u8>>, opener: &mut Opener<'_>) -> Result<(), ImportError> {
        match Shape::of(&der) {
            Shape::Certificate => self.certificate(core::mem::take(&mut *der)),
            Shape::ContentInfo => self.signed_data(&der),
            Shape::EncryptedPkcs8 => self.encrypted_key(&der, opener, 1, "DER".to_owned()),
            Shape::Foreign(file) => Err(ImportError::Foreign { file }),
            Shape::Pkcs1 => self.key(PrivatePkcs1KeyDer::from(core::mem::take(&mut *der)).into()),
            Shape::Pkcs12 => self.pkcs12(&der, opener),
            Shape::Pkcs8 => self.key(PrivatePkcs8KeyDer::from(core::mem::take(&mut *der)).into()),
            Shape::Pse => self.pse(&der, opener),
            Shape::Sec1 => self.key(PrivateSec1KeyDer::from(core::mem::take(&mut *der)).into()),
            Shape::Unknown => Err(ImportError::Unknown),
        }
    }

    pub(super) fn certificate(&mut self, der: Vec<u8>) -> Result<(), ImportError> {
        if self.certificates.len() >= IMPORTED_CERTIFICATES {
            return Err(ImportError::TooMany { what: "certificates", limit: IMPORTED_CERTIFICATES });
        }
        self.certificates.push(CertificateDer::from(der));
        Ok(())
    }

    pub(super) fn key(&mut self, key: PrivateKeyDer<'static>) -> Result<(), ImportError> {
        let key = Zeroizing::new(key);
        if self.keys.len() >= IMPORTED_KEYS {
            return Err(ImportError::TooMany { what: "private keys", limit: IMPORTED_KEYS });
        }
        self.keys.push(key);
        Ok(())
    }

    fn signed_data(&mut self, der: &[u8]) -> Result<(), ImportError> {
        if self.format == Format::Der {
            self.format = Format::Pkcs7;
        }
        pkcs7::certificates(der)?.into_iter().try_for_each(|certificate| self.certificate(certificate))
    }

    #[cfg(feature = "encrypted-keys")]
    fn encrypted_key(&mut self, der: &[u8], opener: &mut Opener<'_>, _: usize, _: String) -> Result<(), ImportError> {
        if opener.certificates_only() {
            return Err(ImportError::PrivateKey);
        }
        let key = super::pbes::Passwords::of(opener, Format::Pkcs8)
            .and_then(|mut passwords| super::pbes::private_key(der, Format::Pkcs8, &mut passwords, opener))?;
        self.key(key)
    }

    #[cfg(not(feature = "encrypted-keys"))]
    fn encrypted_key(
        &mut self,
        _: &[u8],
        _: &mut Opener<'_>,
        ordinal: usize,
        label: String,
    ) -> Result<(), ImportError> {
        let _ = self;
        let feature = " by this build (there is the feature `encrypted-keys`)";
        Err(ImportError::EncryptedKey { ordinal, label, feature })
    }

    #[cfg(feature = "pkcs12")]
    fn pkcs12(&mut self, der: &[u8], opener: &mut Opener<'_>) -> Result<(), ImportError> {
        self.format = Format::Pkcs12;
        super::pkcs12::read(der, opener, self)
    }

    #[cfg(not(feature = "pkcs12"))]
    fn pkcs12(&mut self, _: &[u8], _: &mut Opener<'_>) -> Result<(), ImportError> {
        self.format = Format::Pkcs12;
        Err(ImportError::Foreign { file: ForeignFile::Pkcs12 })
    }

    #[cfg(feature = "pse")]
    fn pse(&mut self, der: &[u8], opener: &mut Opener<'_>) -> Result<(), ImportError> {
        self.format = Format::Pse;
        super::pse::read(der, opener, self)
    }

    #[cfg(not(feature = "pse"))]
    fn pse(&mut self, _: &[u8], _: &mut Opener<'_>) -> Result<(), ImportError> {
        self.format = Format::Pse;
        Err(ImportError::Foreign { file: ForeignFile::Pse })
    }
}
