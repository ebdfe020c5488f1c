//! One trusted certificate, and the checks that it passed to become an entry.

use core::fmt;

use rustls::pki_types::{DnsName, ServerName};

use super::{Alias, TrustError};
use crate::cert::{Certificate, GeneralName, ObjectIdentifier, show};

/// As what a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A trust anchor: a CA that vouches for the certificates it issues (RFC 5280, section 6).
    Anchor,
    /// One exact end-entity certificate, of any version and with any extensions. It vouches for nobody.
    Pin,
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anchor => "anchor",
            Self::Pin => "pin",
        })
    }
}

/// A certificate in a [`TrustBundle`](super::TrustBundle): a pin or an anchor, checked to be fit for it.
#[derive(Clone, Debug)]
pub struct Entry {
    certificate: Certificate,
    kind: EntryKind,
    alias: Option<Alias>,
    server_names: Option<Vec<ServerName<'static>>>,
}

impl Entry {
    /// A pin: the peer that presents exactly this certificate, within its validity, and has its key, is believed.
    ///
    /// Version, extensions and the certificate's own signature do not matter, because nothing is concluded from them.
    ///
    /// # Errors
    /// [`TrustError::UnfitKey`] if the key is too weak or of a type that cannot be verified.
    pub fn pin(certificate: Certificate) -> Result<Self, TrustError> {
        Self::checked(certificate, EntryKind::Pin)
    }

    /// An anchor: the certificates that this CA issues are believed.
    ///
    /// It is version 3, says `cA` in its basic constraints, may sign certificates if it has a key usage, and has no
    /// critical extension that path validation does not process. Its validity is checked when it is used.
    ///
    /// # Errors
    /// [`TrustError::NotAnAnchor`] and [`TrustError::UnfitKey`].
    pub fn anchor(certificate: Certificate) -> Result<Self, TrustError> {
        let extensions = certificate.extensions();
        let cause = if certificate.version() != 3 {
            Some(InvalidAnchor::Version { version: certificate.version() })
        } else if !certificate.is_ca() {
            Some(InvalidAnchor::NotACa)
        } else if !extensions.may_sign_certificates() {
            Some(InvalidAnchor::KeyUsage)
        } else {
            extensions.unknown_critical().map(|oid| InvalidAnchor::CriticalExtension { extension: oid.clone() })
        };
        match cause {
            Some(cause) => Err(TrustError::NotAnAnchor { fingerprint: certificate.fingerprint(), cause }),
            None => Self::checked(certificate, EntryKind::Anchor),
        }
    }

    fn checked(certificate: Certificate, kind: EntryKind) -> Result<Self, TrustError> {
        match certificate.key_type().check() {
            Ok(()) => Ok(Self { certificate, kind, alias: None, server_names: None }),
            Err(cause) => Err(TrustError::UnfitKey {
                fingerprint: certificate.fingerprint(),
                validity: certificate.validity(),
                cause,
            }),
        }
    }

    /// Gives the entry a short name for people.
    #[must_use]
    pub fn with_alias(self, alias: Alias) -> Self {
        Self { alias: Some(alias), ..self }
    }

    /// Says for which server names this pin answers, instead of those in the certificate. Only clients ask.
    ///
    /// A pinned server certificate without any name in it (every version 1 certificate) needs this, because one pinned
    /// server must not pose as another.
    #[must_use]
    pub fn with_server_names(self, names: impl IntoIterator<Item = ServerName<'static>>) -> Self {
        Self { server_names: Some(names.into_iter().collect()), ..self }
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Pin or anchor.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Its short name.
    #[must_use]
    pub fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// For which servers this entry answers, as a pin: what [`with_server_names`](Self::with_server_names) said, else
    /// the DNS names (without wildcards) and IP addresses in the certificate. Never the common name (RFC 9525,
    /// section 2).
    #[must_use]
    pub fn server_names(&self) -> Vec<ServerName<'static>> {
        if let Some(names) = &self.server_names {
            return names.clone();
        }
        let names = self.certificate.subject_alternative_names();
        names.into_iter().filter_map(server_name).collect()
    }
}

impl fmt::Display for Entry {
    /// One line of a list: kind, alias, subject, issuer, serial number, last second of validity, fingerprint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, kind, alias, server_names: _ } = self;
        let (subject, issuer, serial) = (certificate.subject(), certificate.issuer(), certificate.serial());
        let (until, fingerprint) = (show(certificate.validity().not_after()), certificate.fingerprint());
        let alias = alias.as_ref().map_or("-", Alias::as_str);
        write!(
            f,
            "{kind} {alias} subject=\"{subject}\" issuer=\"{issuer}\" serial={serial} not-after={until} {fingerprint}"
        )
    }
}

fn server_name(name: GeneralName) -> Option<ServerName<'static>> {
    match name {
        // Not `ServerName::try_from`, which would take a DNS name that looks like an address for an address.
        GeneralName::Dns(text) => DnsName::try_from(text).ok().map(ServerName::DnsName),
        GeneralName::Ip(address) => Some(ServerName::IpAddress(address.into())),
        _ => None,
    }
}

/// Why a certificate cannot vouch for others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnchor {
    /// It has a critical extension that path validation does not process (RFC 5280, section 4.2).
    #[error("its critical extension {extension} is not processed by path validation")]
    CriticalExtension {
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// Its key usage does not allow to sign certificates.
    #[error("its key usage does not include keyCertSign")]
    KeyUsage,
    /// It does not say that it is a CA.
    #[error(
        "it is no CA certificate (basic constraints without cA): add it as a pin if it is a partner's own certificate"
    )]
    NotACa,
    /// It is older than version 3, so it cannot say what it may do.
    #[error(
        "it is of X.509 version {version}, and only version 3 can say that it is a CA: add it as a pin if it is a partner's own certificate"
    )]
    Version {
        /// Its version.
        version: u8,
    },
}
