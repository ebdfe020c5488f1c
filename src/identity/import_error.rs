//! Why a file could not be imported, with what to do about it. Never what was in it.

use super::IdentityError;
use super::foreign::ForeignFile;
use super::import::Format;
use crate::cert::{InvalidCertificate, InvalidPem};
use crate::provider::NoCryptoProvider;

/// A file could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A certificate cannot be read.
    #[error("certificate {ordinal} of the file cannot be read")]
    Certificate {
        /// Which one, counted from 1.
        ordinal: usize,
        /// Why.
        #[source]
        cause: InvalidCertificate,
    },
    /// The file is not what its beginning says, or was cut off.
    #[error("the {format} file is damaged ({part}): fetch or export it again")]
    Damaged {
        /// What it seems to be.
        format: Format,
        /// Where.
        part: &'static str,
    },
    /// The private key is encrypted in a way that is not read at all, or not by this build.
    #[error(
        "section {ordinal} (`{label}`) is an encrypted private key of a kind that is not read{feature}: decrypt it first, `openssl pkey -in key.pem -out plain.pem`"
    )]
    EncryptedKey {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
        /// How a build could read it; empty if none does.
        feature: &'static str,
    },
    /// The file is something else.
    #[error("this is {file}: {}", file.cure())]
    Foreign {
        /// What it is.
        file: ForeignFile,
    },
    /// What is in the file makes no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no certificate.
    #[error("there is no certificate: give the one that belongs to the private key")]
    NoCertificate,
    /// There is no private key.
    #[error("there is no private key: add the `PRIVATE KEY` section that belongs to the certificate")]
    NoKey,
    /// Nothing says that the file is as it was written.
    #[error(
        "the PKCS#12 file has no MAC, so anybody can have changed it: export it with one, or allow it with `Import::danger_accept_no_mac`"
    )]
    NoMac,
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// The file is under a password, and none was given.
    #[error("the {format} file is under a password: give it with `Import::with_password`")]
    PasswordNeeded {
        /// What it is.
        format: Format,
    },
    /// The file is no PEM.
    #[error("the file cannot be read")]
    Pem(#[source] InvalidPem),
    /// There is a private key among certificates that were asked for alone.
    #[error("there is a private key in the file: whoever gives away certificates keeps the key, so give them alone")]
    PrivateKey,
    /// The file holds something that is neither a certificate nor a private key.
    #[error("section {ordinal} is a `{label}`, neither a certificate nor a private key")]
    Section {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
    },
    /// There are several private keys.
    #[error("{count} private keys where one was expected: give a file for each")]
    SeveralKeys {
        /// How many.
        count: usize,
    },
    /// There is more in the file than is read.
    #[error("{what} beyond the limit of {limit}: split the file")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// Opening the file would take too long.
    #[error(
        "the password is to be hashed {iterations} times, at most {limit} are done: if the file is from whom you trust, allow them with `Import::with_max_iterations`"
    )]
    TooManyIterations {
        /// How often; `u64::MAX` if that or more.
        iterations: u64,
        /// How often it may be.
        limit: u64,
    },
    /// The DER is of nothing that is known here.
    #[error("the file is DER, but holds neither a certificate nor a private key nor a container of these")]
    Unknown,
    /// The file uses something of its format that is not read.
    #[error("the {format} file uses {what}, which is not read: {cure}")]
    Unsupported {
        /// What it is.
        format: Format,
        /// What it uses.
        what: String,
        /// What to do.
        cure: &'static str,
    },
    /// The password is wrong.
    #[error("the password of the {format} file is wrong, or the file was changed")]
    WrongPassword {
        /// What it is.
        format: Format,
    },
}

/// What makes an old PKCS#12 file, or one under a strange cipher, a usual one.
#[cfg(feature = "encrypted-keys")]
pub(super) const REWRITE: &str = "write it anew, `openssl pkcs12 -in FILE -nodes -legacy -out plain.pem`, or `openssl pkey -in FILE -out plain.pem` for a key alone";
