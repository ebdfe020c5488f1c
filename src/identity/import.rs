//! Reading what people have: an identity, or the certificates of a partner, from whatever file they are in.

use core::fmt;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use super::foreign::Shape;
use super::import_error::ImportError;

use super::answer::{in_order, is_self_issued, signed};
use super::found::Found;
use super::opener::Opener;
use super::{Identity, IdentityError, belong, pkcs7};
use crate::cert::{Certificate, DistinguishedName};
use crate::limits::IDENTITY_FILE_CERTIFICATES;
use crate::provider;

/// How to read a file that holds an identity, or the certificates of a partner, whatever its form.
///
/// Read are PEM with everything that editors, mail programs and configuration tools do to it, DER, and bare base64; keys as
/// PKCS#8, PKCS#1 and SEC1, and PKCS#8 under a password (feature `encrypted-keys`); PKCS#12 (feature `pkcs12`) as OpenSSL,
/// Java, Windows, `GnuTLS` and others write it, under old ciphers too; PKCS#7 chains; SAP's PSE of version 2 and 4 with an
/// RSA key (feature `pse`). What a file is, is seen from the file. The certificates may stand in any order: the own one is
/// that to which the key belongs.
///
/// A file of another kind is an error that says what it is and which command converts it. Not read are SAP's `cred_v2`
/// files, keys under OpenSSL's old PEM encryption, and what those formats have besides certificates and private keys.
///
/// Nothing that a file claims costs more than [`limits`](crate::limits) say: nesting, number of certificates and keys,
/// iterations of the password's hash, memory.
///
/// # Security
/// What was decrypted is wiped when it was used, and so are the keys derived from the password; the password itself is
/// the caller's. No error has content of the file in it.
///
/// ```
/// use certmap::identity::{Import, ImportNote};
/// # use certmap::testing::TestCertificate;
/// # let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
/// # let erp = TestCertificate::new("CN=erp").issued_by(&ca).identity();
/// # let key = erp.private_key_pem().ok_or("no key")?;
/// # let file = [ca.certificate().to_pem(), key.to_string(), erp.certificate().to_pem()].concat();
/// // let file = std::fs::read("erp.pem")?;
/// let imported = Import::new().with_password("secret, if it has one").read(file.as_bytes())?;
/// assert_eq!(imported.identity().certificate().subject().to_string(), "CN=erp");
/// assert_eq!(imported.notes(), [ImportNote::Reordered]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct Import<'a> {
    password: Option<&'a str>,
    max_iterations: Option<u32>,
    accept_no_mac: bool,
    provider: Option<&'a CryptoProvider>,
}

/// An identity as it was in a file.
#[derive(Clone, Debug)]
#[must_use]
pub struct Imported {
    identity: Identity,
    format: Format,
    notes: Vec<ImportNote>,
    others: Vec<Certificate>,
}

/// What a file was, seen from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// DER of one certificate or key.
    Der,
    /// Sections of text, whatever is in them.
    Pem,
    /// A `.p12` or `.pfx` file.
    Pkcs12,
    /// A `.p7b` or `.p7c` file.
    Pkcs7,
    /// A private key under a password.
    Pkcs8,
    /// A `.pse` file of SAP's.
    Pse,
}

/// What was seen in a file, is no error, and may not be what its owner thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportNote {
    /// A PSE has a list of certificates that its owner trusts; it is not read. Export them from STRUST one by one.
    CertificateListNotRead,
    /// The chain does not end in a root, and this issuer's certificate is not in the file.
    IssuerMissing(Box<DistinguishedName>),
    /// The key belongs to several certificates; the first one was taken, these are among the others.
    KeyHasSeveralCertificates {
        /// How many.
        certificates: usize,
    },
    /// Certificates that do not belong to the chain; they are given as the others.
    LeftOut {
        /// How many.
        certificates: usize,
    },
    /// The PKCS#12 file has no MAC, which was allowed.
    NoMac,
    /// The certificates stood in another order than the chain has.
    Reordered,
}

impl<'a> Import<'a> {
    /// A file without password, or with an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The password of the file, or the PIN of a PSE. What has none is read without.
    pub fn with_password(self, password: &'a str) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Allows more iterations of the password's hash, or fewer, than [`IMPORT_ITERATIONS`](crate::limits::IMPORT_ITERATIONS).
    /// One part of the file may cost so many, all together four times as many.
    pub fn with_max_iterations(self, iterations: u32) -> Self {
        Self { max_iterations: Some(iterations), ..self }
    }

    /// Reads PKCS#12 files that have no MAC, too.
    ///
    /// # Security
    /// Anybody who could write to such a file can have exchanged its certificates; those that are encrypted as well.
    pub fn danger_accept_no_mac(self) -> Self {
        Self { accept_no_mac: true, ..self }
    }

    /// The crypto provider that shall hold the key.
    pub fn with_provider(self, provider: &'a CryptoProvider) -> Self {
        Self { provider: Some(provider), ..self }
    }

    /// The identity in this file: certificate, chain and private key.
    ///
    /// # Errors
    /// [`ImportError`] if the file is another kind of file, damaged, beyond a limit, or the password is wrong; if it has no
    /// or several private keys, or no certificate for its key.
    pub fn read(&self, file: &[u8]) -> Result<Imported, ImportError> {
        let mut found = Found::new();
        found.take(file, &mut self.opener())?;
        self.imported(found)
    }

    /// The identity in these two files, one with the certificate and its chain, one with the private key; each may be in
    /// any form, and the password opens both.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_files(&self, certificates: &[u8], key: &[u8]) -> Result<Imported, ImportError> {
        let mut found = Found::new();
        let mut opener = self.opener();
        found.take(key, &mut opener)?;
        let format = found.format;
        // The own certificate may be in the file of the key, too: that of the certificates goes first.
        let beside_key = core::mem::take(&mut found.certificates);
        found.take(certificates, &mut opener)?;
        found.certificates.extend(beside_key);
        found.format = format;
        self.imported(found)
    }

    /// The certificates in this file, in its order, never none: PEM, DER, PKCS#7, or a PKCS#12 trust store. What a partner
    /// sends for a bundle.
    ///
    /// # Errors
    /// [`ImportError`] as for [`read`](Self::read), and if there is a private key in the file: all or nothing.
    pub fn certificates(&self, file: &[u8]) -> Result<Vec<Certificate>, ImportError> {
        let mut found = Found::new();
        found.take(file, &mut self.opener().for_certificates())?;
        if !found.keys.is_empty() {
            return Err(ImportError::PrivateKey);
        }
        let certificates = parsed(&found.certificates)?;
        if certificates.is_empty() { Err(ImportError::NoCertificate) } else { Ok(certificates) }
    }

    fn opener(&self) -> Opener<'a> {
        Opener::new(self.password, self.max_iterations, self.accept_no_mac)
    }

    fn imported(&self, found: Found) -> Result<Imported, ImportError> {
        let default;
        let provider = if let Some(provider) = self.provider {
            provider
        } else {
            default = provider::default()?;
            &*default
        };
        let Found { certificates, mut keys, format, mut notes } = found;
        // The same one in two files is one.
        let once = keys.iter().skip(1).all(|other| keys.first() == Some(other));
        if once {
            keys.truncate(1);
        }
        let key = match keys.as_slice() {
            [] => return Err(ImportError::NoKey),
            [key] => key,
            several => return Err(ImportError::SeveralKeys { count: several.len() }),
        };
        if certificates.len() > IDENTITY_FILE_CERTIFICATES {
            let what = "certificates beside a private key";
            return Err(ImportError::TooMany { what, limit: IDENTITY_FILE_CERTIFICATES });
        }
        let mut certificates = parsed(&certificates)?;
        let written = certificates.len();
        let mut seen = Vec::with_capacity(written);
        certificates.retain(|certificate| {
            let fingerprint = certificate.fingerprint();
            let is_new = !seen.contains(&fingerprint);
            seen.push(fingerprint);
            is_new
        });
        let (chain, others) = chain(certificates, key, provider, &mut notes)?;
        if let Some(last) = chain.last().filter(|last| !is_self_issued(last)) {
            notes.push(ImportNote::IssuerMissing(Box::new(last.issuer())));
        }
        if !others.is_empty() {
            notes.push(ImportNote::LeftOut { certificates: others.len() });
        }
        let chain = chain.iter().map(|certificate| certificate.der().into_owned()).collect();
        let identity = Identity::new_with_provider(chain, key.clone_key(), provider)?;
        Ok(Imported { identity, format, notes, others })
    }
}

impl Imported {
    /// The identity.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// As [`identity`](Self::identity), to keep.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        self.identity
    }

    /// What the file was; of two files that with the key.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What its owner may want to know.
    #[must_use]
    pub fn notes(&self) -> &[ImportNote] {
        &self.notes
    }

    /// Certificates in the file that are not of the chain: a trust store, which may become a bundle, or leftovers.
    #[must_use]
    pub fn others(&self) -> &[Certificate] {
        &self.others
    }
}

/// True if this is PKCS#7 or CMS.
pub(super) fn is_signed_data(der: &[u8]) -> bool {
    Shape::of(der) == Shape::ContentInfo
}

/// The certificates of a PKCS#7 file, each as DER.
pub(super) fn signed_certificates(der: &[u8]) -> Result<Vec<Vec<u8>>, ImportError> {
    pkcs7::certificates(der)
}

fn parsed(certificates: &[CertificateDer<'static>]) -> Result<Vec<Certificate>, ImportError> {
    let read = |(index, der): (usize, &CertificateDer<'static>)| {
        Certificate::from_der(der).map_err(|cause| ImportError::Certificate { ordinal: index + 1, cause })
    };
    certificates.iter().enumerate().map(read).collect()
}

/// The chain of the certificate to which this key belongs, and what is left.
fn chain(
    mut certificates: Vec<Certificate>,
    key: &Zeroizing<PrivateKeyDer<'static>>,
    provider: &CryptoProvider,
    notes: &mut Vec<ImportNote>,
) -> Result<(Vec<Certificate>, Vec<Certificate>), ImportError> {
    let Some(first) = certificates.first().cloned() else { return Err(ImportError::NoCertificate) };
    let loaded = provider.key_provider.load_private_key(key.clone_key());
    let loaded = loaded.map_err(|cause| {
        // The certificate says best what is wrong with a key: too weak, or too strange.
        let unfit = first.key_type().check().err().map(IdentityError::from);
        unfit.unwrap_or_else(|| IdentityError::Key { reason: cause.to_string() })
    })?;
    let fitting: Vec<usize> = positions(&certificates, loaded.as_ref(), provider);
    let Some(own) = fitting.first().copied() else {
        first.key_type().check().map_err(IdentityError::from)?;
        return Err(IdentityError::KeyMismatch { subject: Box::new(first.subject()) }.into());
    };
    if fitting.len() > 1 {
        notes.push(ImportNote::KeyHasSeveralCertificates { certificates: fitting.len() });
    }
    let algorithms = &provider.signature_verification_algorithms;
    if own == 0 && is_chain(&certificates, algorithms) {
        // As somebody wrote it, cross-certificates included.
        return Ok((certificates, Vec::new()));
    }
    let written = certificates.clone();
    let own = certificates.remove(own);
    let (chain, _) = in_order(own, certificates, algorithms);
    let (of_chain, others): (Vec<_>, Vec<_>) = written.into_iter().partition(|one| chain.contains(one));
    if of_chain != chain {
        notes.push(ImportNote::Reordered);
    }
    Ok((chain, others))
}

/// The certificates to which this key belongs.
fn positions(certificates: &[Certificate], key: &dyn SigningKey, provider: &CryptoProvider) -> Vec<usize> {
    let all = || certificates.iter().enumerate();
    // Found by what the key says of itself, and proven by a signature when the identity is made.
    if let Some(public_key) = key.public_key() {
        let same = all().filter(|(_, one)| one.public_key().as_ref() == public_key.as_ref());
        let same: Vec<usize> = same.map(|(position, _)| position).collect();
        if !same.is_empty() {
            return same;
        }
    }
    // It says nothing, or the certificate names the same key by another algorithm (RSA for PSS only).
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let fits = |one: &Certificate| belong(one, key, &schemes, provider) == Ok(Some(true));
    all().filter(|(_, one)| fits(one)).map(|(position, _)| position).collect()
}

/// True if each of them issued the one before it.
fn is_chain(certificates: &[Certificate], algorithms: &WebPkiSupportedAlgorithms) -> bool {
    certificates.windows(2).all(|pair| match pair {
        [one, issuer] => {
            !is_self_issued(one) && one.issuer() == issuer.subject() && signed(one, issuer, algorithms).is_some()
        }
        _ => true,
    })
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Der => "DER",
            Self::Pem => "PEM",
            Self::Pkcs12 => "PKCS#12",
            Self::Pkcs7 => "PKCS#7",
            Self::Pkcs8 => "PKCS#8",
            Self::Pse => "PSE",
        })
    }
}

impl fmt::Display for ImportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CertificateListNotRead => {
                f.write_str("the PSE has a list of trusted certificates that is not read: export them one by one")
            }
            Self::IssuerMissing(issuer) => write!(f, "the chain ends before the certificate of `{issuer}`"),
            Self::KeyHasSeveralCertificates { certificates } => {
                write!(f, "{certificates} certificates have this private key, the first one was taken")
            }
            Self::LeftOut { certificates: 1 } => f.write_str("1 certificate is not of the chain"),
            Self::LeftOut { certificates } => write!(f, "{certificates} certificates are not of the chain"),
            Self::NoMac => f.write_str("the PKCS#12 file has no MAC, so it may have been changed"),
            Self::Reordered => f.write_str("the certificates were put in the order of the chain"),
        }
    }
}

impl fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { password, max_iterations, accept_no_mac, provider: _ } = self;
        f.debug_struct("Import")
            .field("password", &password.map(|_| "…"))
            .field("max_iterations", max_iterations)
            .field("accept_no_mac", accept_no_mac)
            .finish_non_exhaustive()
    }
}
