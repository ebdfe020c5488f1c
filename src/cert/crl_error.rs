//! Why a revocation list is not taken, each reason with what to ask the CA for.

use rustls::pki_types::UnixTime;

use crate::cert::{InvalidDistinguishedName, InvalidPem, ObjectIdentifier, SerialNumber, show};
use crate::limits::REVOCATION_LIST_BYTES;

/// Bytes that are no revocation list which this crate takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRevocationList {
    /// A critical extension of the list or of an entry that is not processed (RFC 5280, section 5.2).
    #[error("critical extension {extension} of {} is not processed: ask the CA for a list without it", place(.entry.as_ref()))]
    CriticalExtension {
        /// The entry; `None` for the list.
        entry: Option<SerialNumber>,
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// The number is in an extension that is critical, which RFC 5280, section 5.2.3 forbids.
    #[error("its number (cRLNumber) is critical, which RFC 5280 forbids: ask the CA for one that is not")]
    CriticalNumber,
    /// It was made after the time at which the next one is due.
    #[error(
        "it was made at {}, after its next update at {}: ask the CA for a list with the right dates",
        show(*.this_update),
        show(*.next_update)
    )]
    Dates {
        /// When it was made.
        this_update: UnixTime,
        /// When the next one was due.
        next_update: UnixTime,
    },
    /// It tells only what changed since another list (RFC 5280, section 5.2.4).
    #[error("it is a delta list (deltaCRLIndicator), which only amends another: give the complete list of this CA")]
    Delta,
    /// The same extension twice, which RFC 5280, section 4.2 forbids because readers would differ.
    #[error("extension {extension} of {} stands there twice", place(.entry.as_ref()))]
    DuplicateExtension {
        /// The entry; `None` for the list.
        entry: Option<SerialNumber>,
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// It revokes certificates of other issuers (RFC 5280, sections 5.2.5 and 5.3.3).
    #[error("it is an indirect list, of certificates of other CAs too: give the list that each CA signs for its own")]
    Indirect,
    /// The bytes are PEM where DER was expected.
    #[error("this is PEM, not DER: read it with `RevocationList::from_pem`")]
    IsPem,
    /// The issuer's name cannot be read.
    #[error("the issuer's name cannot be read")]
    Issuer(#[source] InvalidDistinguishedName),
    /// The bytes are no revocation list.
    #[error("this is no revocation list: expected {expected} at offset {offset}")]
    Malformed {
        /// What has to stand there.
        expected: &'static str,
        /// Where in the DER.
        offset: usize,
    },
    /// An extension that matters for what is revoked cannot be read.
    #[error("extension {extension} of {} cannot be read", place(.entry.as_ref()))]
    MalformedExtension {
        /// The entry; `None` for the list.
        entry: Option<SerialNumber>,
        /// The extension.
        extension: ObjectIdentifier,
    },
    /// It does not say when the next one is due (RFC 5280, section 5.1.2.5).
    #[error("it does not say when the next one is due (nextUpdate), so it would never be stale: ask the CA to say it")]
    NoNextUpdate,
    /// It has no number (RFC 5280, section 5.2.3).
    #[error("it has no number (cRLNumber), so an older one could take its place: with openssl, set `crlnumber`")]
    NoNumber,
    /// A section of the file is something else.
    #[error("section {ordinal} is a `{label}`, not a revocation list")]
    NotARevocationList {
        /// Which section, counted from 1.
        ordinal: usize,
        /// What it says it is.
        label: String,
    },
    /// It covers only some of its issuer's certificates, or some reasons (RFC 5280, section 5.2.5).
    #[error(
        "it may cover only a part of the CA's certificates (issuingDistributionPoint): give the list that covers all"
    )]
    Partitioned,
    /// The file is no PEM, DER or base64.
    #[error("the file cannot be read")]
    Pem(#[source] InvalidPem),
    /// One of several lists in a file cannot be read.
    #[error("section {ordinal} cannot be read")]
    Section {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Why.
        #[source]
        cause: Box<InvalidRevocationList>,
    },
    /// Several lists where one was asked for.
    #[error("{count} revocation lists where one was expected")]
    Several {
        /// How many.
        count: usize,
    },
    /// What was signed names another algorithm than stands beside the signature (RFC 5280, section 5.1.1.2).
    #[error("the signed part and the signature name different algorithms")]
    SignatureAlgorithms,
    /// Larger than [`REVOCATION_LIST_BYTES`].
    #[error("a revocation list of {bytes} bytes is too large, at most {REVOCATION_LIST_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Bytes follow the list.
    #[error("{bytes} bytes follow the revocation list")]
    TrailingData {
        /// How many.
        bytes: usize,
    },
    /// It is of version 1.
    #[error(
        "it is of version 1, which cannot carry a number: with openssl, set `crl_extensions` and `crlnumber` in the section of the CA"
    )]
    Version1,
}

fn place(entry: Option<&SerialNumber>) -> String {
    entry.map_or_else(|| "the list".to_owned(), |serial| format!("the entry for serial number {serial}"))
}
