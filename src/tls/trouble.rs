//! What went wrong with a connection, in words that say what to do.

use core::error::Error as StdError;
use core::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible, PeerMisbehaved};

use super::client::{ServerCause, ServerDistrust};
use super::verifier::RefusedInHandshake;
use crate::text::OneLine;

/// At which end the error happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// We called.
    Client,
    /// We were called.
    Server,
}

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TroubleKind {
    /// The server requires a client certificate, and the client presented none.
    CertificateRequired,
    /// The peer closed the connection in the middle of something.
    Closed,
    /// The client does not trust the server's certificate. SAP calls it `ICM_HTTP_SSL_PEER_CERT_UNTRUSTED`.
    ServerUntrusted,
    /// The server refused the client's certificate.
    ClientRefused,
    /// The peer did not prove that it has its certificate's key.
    KeyNotProven,
    /// The two ends have no TLS version, cipher suite or signature scheme in common.
    NothingInCommon,
    /// The peer does not speak TLS.
    NotTls,
    /// The server has no certificate for the name that was called.
    NoSuchName,
    /// Something else.
    Other,
}

impl TroubleKind {
    /// The stable code: `server-untrusted`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CertificateRequired => "certificate-required",
            Self::ClientRefused => "client-refused",
            Self::Closed => "closed",
            Self::KeyNotProven => "key-not-proven",
            Self::NoSuchName => "no-such-name",
            Self::NotTls => "not-tls",
            Self::NothingInCommon => "nothing-in-common",
            Self::Other => "other",
            Self::ServerUntrusted => "server-untrusted",
        }
    }
}

impl fmt::Display for TroubleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong with a connection: the kind, what happened, and a cure in one sentence. For operators of this end; the
/// peer was told by its alert.
///
/// A TLS 1.3 client finishes its handshake before the server has judged its certificate: it learns of its refusal at its
/// first read, so give the errors of reads to this, too.
///
/// ```
/// use certmap::tls::{End, Trouble, TroubleKind};
/// let error = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
/// let trouble = Trouble::new(End::Client, &error);
/// assert_eq!(trouble.kind(), TroubleKind::CertificateRequired);
/// assert_eq!(trouble.cure(), "configure the client's identity for this connection");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    kind: TroubleKind,
    detail: String,
    cure: String,
}

impl Trouble {
    /// Finds out what an error of rustls, or an I/O error that may wrap one, means at this end.
    #[must_use]
    pub fn new(end: End, error: &(dyn StdError + 'static)) -> Self {
        match rustls_error(error) {
            Some(error) => Self::of_rustls(end, error),
            None => Self::of_io(end, error),
        }
    }

    fn of_rustls(end: End, error: &Error) -> Self {
        if let Error::InvalidCertificate(CertificateError::Other(other)) = error {
            if let Some(distrust) = other.0.downcast_ref::<ServerDistrust>() {
                return Self::of_distrust(distrust);
            }
            if let Some(RefusedInHandshake(refused)) = other.0.downcast_ref() {
                let (detail, cure) = (refused.refusal().detail(), refused.refusal().cure());
                return Self { kind: TroubleKind::ClientRefused, detail, cure };
            }
        }
        let kind = kind_of(end, error);
        Self { kind, detail: error.to_string(), cure: cure_of(end, kind).to_owned() }
    }

    fn of_distrust(distrust: &ServerDistrust) -> Self {
        let ServerDistrust { identity, bundle, server_name, fingerprint, issuer, cause, reason } = distrust;
        let server = server_name.to_str();
        let detail = format!(
            "server certificate {fingerprint} of `{server}`, issued by `{issuer}`, is not trusted by identity `{identity}`: {reason}"
        );
        let cure = match cause {
            ServerCause::Key => format!(
                "bundle `{bundle}` of identity `{identity}` has a certificate of `{issuer}`, but with another key than signed: ask for the issuer's present certificate and add it"
            ),
            ServerCause::Name => {
                format!("call the server by a name that its certificate has, or have its operator add `{server}` to it")
            }
            ServerCause::Untrusted => format!(
                "if `{server}` is the right server, add the certificate of its issuer `{issuer}` to bundle `{bundle}` of identity `{identity}`"
            ),
            ServerCause::Validity => {
                format!("check this end's clock, and have the operator of `{server}` renew what is not valid")
            }
        };
        Self { kind: TroubleKind::ServerUntrusted, detail, cure }
    }

    fn of_io(end: End, error: &(dyn StdError + 'static)) -> Self {
        let closed = error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::UnexpectedEof
            )
        });
        let kind = if closed { TroubleKind::Closed } else { TroubleKind::Other };
        Self { kind, detail: error.to_string(), cure: cure_of(end, kind).to_owned() }
    }

    /// The kind, to act on.
    #[must_use]
    pub fn kind(&self) -> TroubleKind {
        self.kind
    }

    /// What happened. May contain what the peer chose.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What to do about it.
    #[must_use]
    pub fn cure(&self) -> &str {
        &self.cure
    }
}

impl fmt::Display for Trouble {
    /// One line of printable characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, detail, cure } = self;
        write!(f, "{kind}: {}; {}", OneLine(detail), OneLine(cure))
    }
}

fn kind_of(end: End, error: &Error) -> TroubleKind {
    match error {
        Error::AlertReceived(alert) => kind_of_alert(end, *alert),
        Error::NoCertificatesPresented => TroubleKind::CertificateRequired,
        Error::InvalidMessage(_) => TroubleKind::NotTls,
        error if is_signature_failure(error) => TroubleKind::KeyNotProven,
        Error::PeerIncompatible(_) => TroubleKind::NothingInCommon,
        Error::InvalidCertificate(_) => match end {
            End::Client => TroubleKind::ServerUntrusted,
            End::Server => TroubleKind::ClientRefused,
        },
        _ => TroubleKind::Other,
    }
}

fn kind_of_alert(end: End, alert: AlertDescription) -> TroubleKind {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => TroubleKind::CertificateRequired,
        AlertDescription::UnrecognisedName => TroubleKind::NoSuchName,
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => TroubleKind::NothingInCommon,
        AlertDescription::DecryptError => TroubleKind::KeyNotProven,
        AlertDescription::AccessDenied
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::UnsupportedCertificate => match end {
            End::Client => TroubleKind::ClientRefused,
            End::Server => TroubleKind::ServerUntrusted,
        },
        _ => TroubleKind::Other,
    }
}

fn cure_of(end: End, kind: TroubleKind) -> &'static str {
    match (kind, end) {
        (TroubleKind::CertificateRequired, _) => "configure the client's identity for this connection",
        (TroubleKind::ClientRefused, End::Client) => {
            "ask the server's operator to trust and map this identity's certificate, and check that it has not expired"
        }
        (TroubleKind::ClientRefused, End::Server) => {
            "add the client's certificate to the host's bundle if it is a partner"
        }
        (TroubleKind::Closed, _) => {
            "look at the other end's log; if it has none, a firewall or a timeout closed the connection"
        }
        (TroubleKind::KeyNotProven, _) => "check that the peer's certificate and private key belong together",
        (TroubleKind::NoSuchName, _) => "call the server by a name that it has a certificate for",
        (TroubleKind::NotTls, _) => "check host and port: what answers there does not speak TLS",
        (TroubleKind::NothingInCommon, _) => {
            "allow TLS 1.2 (with extended master secret) or TLS 1.3 with today's cipher suites on both ends"
        }
        (TroubleKind::Other, _) => "look at the detail, and at the other end's log",
        (TroubleKind::ServerUntrusted, End::Client) => {
            "add the certificate of the server's issuer to the identity's bundle"
        }
        (TroubleKind::ServerUntrusted, End::Server) => {
            "give the client's operator the root of this server's certificate, to add to the client's own list (in STRUST: the PSE's certificate list)"
        }
    }
}

/// The error of rustls inside an error, if there is one.
pub(super) fn rustls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    if let Some(error) = error.downcast_ref::<Error>() {
        return Some(error);
    }
    error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<Error>()
}

/// True if the peer's signature in the handshake was wrong, or of a kind that its key cannot make.
pub(super) fn is_signature_failure(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
        ) | Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)
            | Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon)
    )
}
