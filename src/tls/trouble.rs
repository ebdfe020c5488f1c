//! What went wrong with a connection, in words that say what to do.

use core::error::Error as StdError;
use core::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerMisbehaved};

use super::UnfitHints;
use super::distrust::ServerDistrust;
use crate::decision::Refused;
use crate::text::{OneLine, WithCauses, repeated};

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
/// use certmap::rustls::{AlertDescription, Error};
/// let error = Error::AlertReceived(AlertDescription::CertificateRequired);
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
    /// Finds out what an error of a connection means at this end: an error of rustls, or any error that has one in its
    /// chain, as I/O and HTTP stacks wrap it.
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
                return Self::of_server(distrust);
            }
            if let Some(refused) = other.0.downcast_ref::<Refused>() {
                let (detail, cure) = (refused.refusal().detail(), refused.refusal().cure());
                return Self { kind: TroubleKind::ClientRefused, detail, cure };
            }
        }
        Self::told(end, kind_of(end, error), &error.to_string())
    }

    pub(super) fn of_server(distrust: &ServerDistrust) -> Self {
        Self { kind: TroubleKind::ServerUntrusted, detail: distrust.detail(), cure: distrust.cure() }
    }

    fn of_io(end: End, error: &(dyn StdError + 'static)) -> Self {
        let closed = io_error(error).is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::UnexpectedEof
            )
        });
        let kind = if closed { TroubleKind::Closed } else { TroubleKind::Other };
        Self::told(end, kind, &WithCauses(error).to_string())
    }

    /// In the words of others, who may quote what they could not use.
    fn told(end: End, kind: TroubleKind, detail: &str) -> Self {
        Self { kind, detail: repeated(detail).to_owned(), cure: cure_of(end, kind).to_owned() }
    }

    /// Adds what servers hinted and our identity does not fit, if the client was refused or presented nothing that the
    /// server wanted: then that is probably why.
    #[must_use]
    pub fn with_unfit_hints(self, hints: &UnfitHints) -> Self {
        let refused = matches!(self.kind, TroubleKind::CertificateRequired | TroubleKind::ClientRefused);
        let latest = hints.latest();
        let Some(names) = latest.last().filter(|_| refused) else { return self };
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let detail = format!("{}; the server hinted the issuers {}", self.detail, names.join(", "));
        let cure = "present a certificate of one of the issuers that the server hints, or have its operator add the issuer of this one to its hints";
        Self { detail, cure: cure.to_owned(), ..self }
    }

    /// The kind, to act on.
    #[must_use]
    pub fn kind(&self) -> TroubleKind {
        self.kind
    }

    /// What happened. May contain what the peer chose, but no private key in PEM.
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
        (TroubleKind::KeyNotProven, _) => "check at both ends that certificate and private key belong together",
        (TroubleKind::NoSuchName, _) => "call the server by a name that it has a certificate for",
        (TroubleKind::NotTls, End::Client) => "check host and port: what answers there does not speak TLS",
        (TroubleKind::NotTls, End::Server) => "have whoever called use TLS: `https`, not `http`",
        (TroubleKind::NothingInCommon, _) => {
            "allow TLS 1.2 (with extended master secret) or TLS 1.3 with today's cipher suites on both ends; a TLS 1.2 server says the same to a client that presents no certificate"
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

/// The error of rustls in a chain of errors, if there is one. HTTP stacks wrap it several times.
pub(super) fn rustls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The I/O error in a chain of errors, if there is one.
fn io_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and what is behind it. The `source` of an I/O error is that of the error inside it, which is what is wanted.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    /// Longer than any real one, and an end for one that goes in a circle.
    const DEPTH: usize = 16;
    core::iter::successors(Some(error), |error| behind(*error)).take(DEPTH)
}

fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    }
}

/// True if the peer's signature in the handshake was wrong, or of a kind that its key cannot make.
pub(super) fn is_signature_failure(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::BadSignature | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
        ) | Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)
    )
}
