//! (private) Why a client did not believe a server: found out after the fact, for the operator. Nothing of it admits.

use core::fmt;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};

use crate::cert::{Certificate, DistinguishedName, Fingerprint, Validity, show};
use crate::text::OneLine;
use crate::trust::{BundleName, Entry, EntryKind, TrustBundle};

/// What a server presented, to whom, and why that was not enough. Travels inside rustls' error.
#[derive(Debug)]
pub(super) struct ServerDistrust {
    /// `None` if nobody calls.
    pub(super) identity: Option<String>,
    pub(super) bundle: BundleName,
    pub(super) server_name: ServerName<'static>,
    pub(super) fingerprint: Fingerprint,
    pub(super) cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// The server's own certificate is in the bundle, but as an anchor.
    AnchorIsServer,
    /// An anchor has the issuer's name, but another key signed.
    AnchorKey {
        issuer: DistinguishedName,
    },
    /// An anchor has the issuer's name, but is not valid now.
    AnchorValidity {
        anchor: Fingerprint,
        validity: Validity,
    },
    /// The certificate is for other names.
    Name {
        reason: String,
    },
    Other {
        reason: String,
    },
    /// A pin has the issuer's name, and pins issue nothing.
    PinIsIssuer {
        pin: Fingerprint,
    },
    /// The server's certificate is issued by itself.
    SelfSigned,
    /// Nothing in the bundle has the name of an issuer.
    UnknownIssuer {
        issuer: DistinguishedName,
    },
    /// A certificate of the chain is not valid now.
    Validity {
        reason: String,
    },
}

impl Cause {
    /// What is behind this failure of path validation.
    pub(super) fn of(
        error: &Error,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        servers: &TrustBundle,
        now: UnixTime,
    ) -> Self {
        use CertificateError as C;
        let reason = error.to_string();
        let Error::InvalidCertificate(error) = error else { return Self::Other { reason } };
        if matches!(error, C::NotValidForName | C::NotValidForNameContext { .. }) {
            return Self::Name { reason };
        }
        let Ok(server) = Certificate::from_der(end_entity) else { return Self::Other { reason } };
        if servers.find(&server.fingerprint()).is_some() {
            return Self::AnchorIsServer;
        }
        // Cut where rustls would refuse anyway: whoever sent a thousand certificates is not owed an analysis.
        let above = intermediates.iter().take(crate::limits::CHAIN_LENGTH);
        let issuers: Vec<_> = core::iter::once(server.issuer())
            .chain(above.filter_map(|der| Certificate::from_der(der).ok()).map(|above| above.issuer()))
            .collect();
        let named = |kind: EntryKind| {
            let mut entries = servers.entries().filter(move |entry| entry.kind() == kind);
            entries.find(|entry| issuers.contains(&entry.certificate().subject())).map(Entry::certificate)
        };
        if let Some(anchor) = named(EntryKind::Anchor) {
            let (fingerprint, validity) = (anchor.fingerprint(), anchor.validity());
            if !validity.contains(now) {
                return Self::AnchorValidity { anchor: fingerprint, validity };
            }
            if matches!(error, C::BadSignature | C::UnknownIssuer) {
                return Self::AnchorKey { issuer: anchor.subject() };
            }
        }
        if matches!(error, C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. }) {
            return Self::Validity { reason };
        }
        if let Some(pin) = named(EntryKind::Pin) {
            return Self::PinIsIssuer { pin: pin.fingerprint() };
        }
        if server.issuer() == server.subject() {
            return Self::SelfSigned;
        }
        match (error, issuers.into_iter().next_back()) {
            (C::UnknownIssuer, Some(issuer)) => Self::UnknownIssuer { issuer },
            _ => Self::Other { reason },
        }
    }
}

impl ServerDistrust {
    pub(super) fn detail(&self) -> String {
        let Self { identity, bundle, server_name, fingerprint, cause } = self;
        let why = match cause {
            Cause::AnchorIsServer => {
                format!("it is in bundle `{bundle}` as an anchor, which vouches for others but not for itself")
            }
            Cause::AnchorKey { issuer } => {
                format!("bundle `{bundle}` has a certificate of its issuer `{issuer}`, but with another key")
            }
            Cause::AnchorValidity { anchor, validity } => {
                format!("its issuer is the anchor {anchor}, which is valid from {validity} only")
            }
            Cause::Name { reason } | Cause::Other { reason } | Cause::Validity { reason } => reason.clone(),
            Cause::PinIsIssuer { pin } => {
                format!("its issuer is in bundle `{bundle}` as the pin {pin}, and a pin issues nothing")
            }
            Cause::SelfSigned => format!("it is issued by itself, and is not in bundle `{bundle}`"),
            Cause::UnknownIssuer { issuer } => format!("its issuer `{issuer}` is not in bundle `{bundle}`"),
        };
        let server = server_name.to_str();
        let by = identity.as_ref().map(|identity| format!(" by identity `{identity}`")).unwrap_or_default();
        format!("server certificate {fingerprint} of `{server}` is not trusted{by}: {why}")
    }

    pub(super) fn cure(&self) -> String {
        let Self { identity, bundle, server_name, fingerprint, cause } = self;
        let server = server_name.to_str();
        let of = identity.as_ref().map(|identity| format!(" of identity `{identity}`")).unwrap_or_default();
        match cause {
            Cause::AnchorIsServer => {
                format!("take `{fingerprint}` out of bundle `{bundle}` and add it again as a pin")
            }
            Cause::AnchorKey { issuer } => {
                format!("ask `{issuer}` for its present certificate, and add it to bundle `{bundle}` as an anchor")
            }
            Cause::AnchorValidity { .. } => format!(
                "check this end's clock; else ask for the issuer's present certificate, and add it to bundle `{bundle}` as an anchor"
            ),
            Cause::Name { .. } => {
                format!("call the server by a name that its certificate has, or have its operator add `{server}` to it")
            }
            Cause::Other { .. } => {
                format!(
                    "have the operator of `{server}` look at the server's certificate, or pin it in bundle `{bundle}`"
                )
            }
            Cause::PinIsIssuer { pin } => {
                format!(
                    "if `{pin}` is the CA of `{server}`, take it out of bundle `{bundle}` and add it again as an anchor"
                )
            }
            Cause::SelfSigned => format!(
                "if `{server}` is the right server, add its certificate `{fingerprint}` to bundle `{bundle}`{of} as a pin"
            ),
            Cause::UnknownIssuer { issuer } => format!(
                "if `{server}` is the right server, add the certificate of `{issuer}` to bundle `{bundle}`{of} as an anchor"
            ),
            Cause::Validity { .. } => {
                format!("check this end's clock, and have the operator of `{server}` renew what is not valid")
            }
        }
    }
}

impl fmt::Display for ServerDistrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OneLine(&self.detail()).fmt(f)
    }
}

impl core::error::Error for ServerDistrust {}

/// Why a pinned server is not believed.
pub(super) fn outside(validity: Validity, now: UnixTime) -> Option<Cause> {
    use crate::cert::Standing;
    let reason = match validity.standing(now) {
        Standing::Early => format!("its validity begins at {}", show(validity.not_before())),
        Standing::Late => format!("its validity ended at {}", show(validity.not_after())),
        Standing::Within => return None,
    };
    Some(Cause::Validity { reason })
}
