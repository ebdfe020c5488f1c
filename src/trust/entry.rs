//! One trusted certificate, and the checks that it passed to become an entry.

use core::fmt;

use std::sync::Arc;

use rustls::pki_types::{DnsName, ServerName, TrustAnchor};

use super::{Alias, TrustError};
use crate::cert::{Certificate, GeneralName, NameConstraints, ObjectIdentifier, show};

/// As what a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A trust anchor: a CA that vouches for the certificates it issues (RFC 5280, section 6).
    Anchor,
    /// One public key: every certificate that carries it, whoever made that. It vouches for nobody.
    KeyPin,
    /// One exact end-entity certificate, of any version and with any extensions. It vouches for nobody.
    Pin,
}

/// What is asked of a client certificate's extended key usage (RFC 5280, section 4.2.1.12).
///
/// `anyExtendedKeyUsage` is not client authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientPurpose {
    /// Where it is present, it includes client authentication.
    #[default]
    IfStated,
    /// It is present and includes client authentication.
    Required,
}

impl ClientPurpose {
    /// The word used in the canonical form of a policy: `if-stated`, `required`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IfStated => "if-stated",
            Self::Required => "required",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anchor => "anchor",
            Self::KeyPin => "key-pin",
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
    /// What path validation makes of it, if it is an anchor.
    trust_anchor: Option<Arc<TrustAnchor<'static>>>,
    oddity: Option<InvalidAnchor>,
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

    /// A key pin: the peer that presents any certificate with the public key of this one, within that certificate's
    /// validity, and has the key, is believed. For partners who renew on one key.
    ///
    /// `certificate` is the one that the partner gave; it stands in lists. Names and dates of the certificates that the
    /// partner makes later are its own invention, so rules over names never see them.
    ///
    /// # Errors
    /// As [`pin`](Self::pin).
    pub fn key_pin(certificate: Certificate) -> Result<Self, TrustError> {
        Self::checked(certificate, EntryKind::KeyPin)
    }

    /// An anchor: the certificates that this CA issues are believed.
    ///
    /// It is version 3, has a subject, says in critical basic constraints that it is a CA, may sign certificates if it
    /// has a key usage, and has no critical extension that path validation does not process (RFC 5280, section 4.2.1.9
    /// and 6.1). Its validity, its purpose and the length of path that it allows are checked when it is used.
    ///
    /// # Errors
    /// [`TrustError::NotAnAnchor`] and [`TrustError::UnfitKey`].
    pub fn anchor(certificate: Certificate) -> Result<Self, TrustError> {
        match oddity(&certificate) {
            Some(cause) => Err(TrustError::NotAnAnchor { fingerprint: certificate.fingerprint(), cause }),
            None => Self::as_anchor(certificate, None),
        }
    }

    /// An anchor that does not say what an anchor should: of version 1, without basic constraints or with such that are
    /// not critical, with a critical extension that is not processed, with name constraints that RFC 5280 does not know. Old
    /// private roots are like that.
    ///
    /// What it does say counts all the same: a certificate whose basic constraints or key usage deny that it is a CA is
    /// refused here too. [`oddity`](Self::oddity) tells what was overlooked.
    ///
    /// # Security
    /// Nothing in such a certificate says that its holder is a CA. If it is a partner's own, the partner can from now on
    /// make certificates for everybody: pin it instead.
    ///
    /// # Errors
    /// As [`anchor`](Self::anchor), for fewer causes.
    pub fn danger_odd_anchor(certificate: Certificate) -> Result<Self, TrustError> {
        let refused = |cause| Err(TrustError::NotAnAnchor { fingerprint: certificate.fingerprint(), cause });
        let extensions = certificate.extensions();
        match oddity(&certificate) {
            Some(cause @ (InvalidAnchor::KeyUsage | InvalidAnchor::NoSubject)) => refused(cause),
            Some(InvalidAnchor::NotACa) if extensions.basic_constraints().is_some() => refused(InvalidAnchor::NotACa),
            oddity => Self::as_anchor(certificate, oddity),
        }
    }

    fn as_anchor(certificate: Certificate, oddity: Option<InvalidAnchor>) -> Result<Self, TrustError> {
        let anchor = super::anchors::trust_anchor(&certificate).map_err(|reason| TrustError::NotAnAnchor {
            fingerprint: certificate.fingerprint(),
            cause: InvalidAnchor::Unprocessable { reason },
        })?;
        let entry = Self::checked(certificate, EntryKind::Anchor)?;
        Ok(Self { trust_anchor: Some(Arc::new(anchor)), oddity, ..entry })
    }

    fn checked(certificate: Certificate, kind: EntryKind) -> Result<Self, TrustError> {
        match certificate.key_type().check() {
            Ok(()) => Ok(Self { certificate, kind, alias: None, server_names: None, trust_anchor: None, oddity: None }),
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
    /// Only a pin can have them; an anchor with names cannot be added to a bundle.
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

    /// What [`danger_odd_anchor`](Self::danger_odd_anchor) overlooked.
    #[must_use]
    pub fn oddity(&self) -> Option<&InvalidAnchor> {
        self.oddity.as_ref()
    }

    pub(crate) fn trust_anchor(&self) -> Option<&TrustAnchor<'static>> {
        self.trust_anchor.as_deref()
    }

    /// Its short name.
    #[must_use]
    pub fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// What [`with_server_names`](Self::with_server_names) said; `None` if those in the certificate count.
    #[must_use]
    pub fn own_server_names(&self) -> Option<&[ServerName<'static>]> {
        self.server_names.as_deref()
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
        let Self { certificate, kind, alias, server_names: _, trust_anchor: _, oddity: _ } = self;
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

/// The first thing that an anchor should say and this certificate does not.
fn oddity(certificate: &Certificate) -> Option<InvalidAnchor> {
    let extensions = certificate.extensions();
    if certificate.version() != 3 {
        Some(InvalidAnchor::Version { version: certificate.version() })
    } else if !certificate.is_ca() {
        Some(InvalidAnchor::NotACa)
    } else if extensions.key_cert_sign() == Some(false) {
        Some(InvalidAnchor::KeyUsage)
    } else if certificate.subject().is_empty() {
        Some(InvalidAnchor::NoSubject)
    } else if !extensions.basic_constraints().is_some_and(|constraints| constraints.critical) {
        Some(InvalidAnchor::ConstraintsNotCritical)
    } else if let Some(reason) = extensions.name_constraints().and_then(NameConstraints::flaw) {
        Some(InvalidAnchor::NameConstraints { reason })
    } else {
        extensions.unknown_critical().map(|oid| InvalidAnchor::CriticalExtension { extension: oid.clone() })
    }
}

/// Why a certificate cannot vouch for others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAnchor {
    /// Its basic constraints are not critical.
    #[error(
        "its basic constraints are not critical, as RFC 5280 demands: if it is an old root that you trust nevertheless, `Entry::danger_odd_anchor` takes it"
    )]
    ConstraintsNotCritical,
    /// It has a critical extension that path validation does not process (RFC 5280, section 4.2).
    #[error("its critical extension {extension} is not processed by path validation")]
    CriticalExtension {
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// Its key usage does not allow to sign certificates.
    #[error("its key usage does not include keyCertSign")]
    KeyUsage,
    /// Its name constraints say nothing, or not what they may say (RFC 5280, section 4.2.1.10).
    #[error("its name constraints are not as RFC 5280 has them: {reason}")]
    NameConstraints {
        /// What is wrong.
        reason: &'static str,
    },
    /// It has no subject, so no certificate can name it as issuer.
    #[error("its subject is empty, so no certificate can name it as its issuer")]
    NoSubject,
    /// It does not say that it is a CA.
    #[error(
        "it is no CA certificate (basic constraints without cA): add it as a pin if it is a partner's own certificate"
    )]
    NotACa,
    /// Path validation does not read it.
    #[error("path validation does not read it: {reason}")]
    Unprocessable {
        /// What path validation says.
        reason: String,
    },
    /// It is older than version 3, so it cannot say what it may do.
    #[error(
        "it is of X.509 version {version}, and only version 3 can say that it is a CA: add it as a pin if it is a partner's own certificate"
    )]
    Version {
        /// Its version.
        version: u8,
    },
}
