//! (private) Why the judgement does not believe a chain.

use core::fmt;

use super::{Denial, PathFailure};
use crate::cert::{Fingerprint, InvalidCertificate, Validity};

/// Why the judgement did not believe a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    ChainTooLong {
        certificates: usize,
    },
    Denied {
        fingerprint: Fingerprint,
        denial: Denial,
    },
    Expired {
        fingerprint: Fingerprint,
        validity: Validity,
    },
    NoCertificate,
    NotYetValid {
        fingerprint: Fingerprint,
        validity: Validity,
    },
    Path {
        fingerprint: Fingerprint,
        failure: Box<PathFailure>,
    },
    /// A pin that is not for clients, where the bundle asks that it is.
    PinPurpose {
        fingerprint: Fingerprint,
        stated: String,
    },
    TooLarge {
        bytes: usize,
    },
    Unknown {
        fingerprint: Fingerprint,
        cause: Untrusted,
    },
}

/// What is known about a certificate that is not trusted, to tell the operator what probably happened. None of it admits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untrusted {
    /// It claims to be issued by a pinned certificate, and pins issue nothing.
    IssuedByPin {
        /// The pin.
        pin: Fingerprint,
        /// The pin says that it is a CA, and has another name: perhaps it was pinned in the place of this certificate.
        pin_is_ca: bool,
    },
    /// It carries a pinned certificate's key: probably the partner renewed its certificate.
    KeyOfPin {
        /// The pin.
        pin: Fingerprint,
        /// It is older than the pin: probably the one that the partner renewed.
        older: bool,
    },
    /// It carries a pinned certificate's name on another key: the partner made a new key, or somebody poses as it.
    NameOfPin {
        /// The pin.
        pin: Fingerprint,
        /// It says that it is older than the pin: perhaps the one that the partner renewed.
        older: bool,
    },
    /// A pinned certificate follows it in the chain, and only the first certificate counts.
    PinInChain {
        /// The pin.
        pin: Fingerprint,
    },
    /// Nothing is known about it.
    Unknown,
    /// It cannot be read.
    Unreadable(InvalidCertificate),
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuedByPin { pin, pin_is_ca: _ } => {
                write!(f, "it claims to be issued by the pinned certificate {pin}, and a pin issues nothing")
            }
            Self::KeyOfPin { pin, older } => {
                let which = if *older { "an older" } else { "another" };
                write!(f, "it carries the key of the pinned certificate {pin}, but is {which} certificate")
            }
            Self::NameOfPin { pin, older } => {
                let which = if *older { " and is older" } else { "" };
                write!(f, "it carries the name of the pinned certificate {pin}, on another key{which}")
            }
            Self::PinInChain { pin } => {
                write!(f, "the pinned certificate {pin} follows it in the chain, but only the first one counts")
            }
            Self::Unknown => f.write_str("it is not in the bundle"),
            Self::Unreadable(cause) => write!(f, "it cannot be read: {cause}"),
        }
    }
}
