//! The CA's answer to a request: put in order, and put on the key that asked.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::{Identity, Inner, import};
use crate::cert::{Certificate, DistinguishedName, Fingerprint, InvalidCertificate, InvalidPem, SpkiFingerprint};
use crate::limits::CHAIN_LENGTH;
use crate::{NoCryptoProvider, pem, provider, signature};

/// An identity as a CA's answer makes it: the key that asked, under the certificate that came.
///
/// Whether the certificate is what was asked for is left to whoever looks: CAs change subjects, names and dates.
#[derive(Clone, Debug)]
#[must_use]
pub struct Answered {
    identity: Identity,
    missing: Option<DistinguishedName>,
    unused: Vec<Certificate>,
}

impl Identity {
    /// Puts the certificates of a CA's answer on the key of this identity. The answer is one file or several, each PEM or
    /// DER, in any order: the certificate alone, or with those above it, in the answer or in files of their own.
    ///
    /// The name is kept, the old chain is not. This identity stays as it is, to be used until the new one takes its place.
    /// A chain without its root, or without anything above the certificate, is no error here, because many peers have
    /// that themselves; [`Answered::complete`] asks for more. No time is asked for, so no validity is looked at.
    ///
    /// # Errors
    /// [`AnswerError::OtherKey`] if the answer is for the key of somebody else, as STRUST says by TRUST037; and if it cannot
    /// be read, is not an answer, or holds several certificates for this key.
    ///
    /// ```
    /// # use certmap::testing::TestCertificate;
    /// # let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
    /// # let pending = TestCertificate::new("CN=erp").self_signed();
    /// # let issued = TestCertificate::new("CN=erp").with_key_of(&pending).issued_by(&ca);
    /// # let (erp, answer) = (pending.identity(), issued.certificate().to_pem());
    /// // let answer = std::fs::read("erp-answer.pem")?;
    /// let answered = erp.with_answer([answer.as_bytes()])?;
    /// assert_eq!(answered.missing_issuer().map(ToString::to_string).as_deref(), Some("CN=CA"));
    /// let renewed = answered.into_identity();
    /// assert_eq!(renewed.certificate().spki_fingerprint(), erp.certificate().spki_fingerprint());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_answer<'a>(&self, files: impl IntoIterator<Item = &'a [u8]>) -> Result<Answered, AnswerError> {
        self.with_answer_and_provider(files, &*provider::default()?)
    }

    /// As [`with_answer`](Self::with_answer), with the crypto provider that verifies who issued whom.
    ///
    /// # Errors
    /// As [`with_answer`](Self::with_answer).
    pub fn with_answer_and_provider<'a>(
        &self,
        files: impl IntoIterator<Item = &'a [u8]>,
        provider: &CryptoProvider,
    ) -> Result<Answered, AnswerError> {
        let mut certificates: Vec<Certificate> = Vec::new();
        for file in files {
            for certificate in read(file)? {
                if !certificates.contains(&certificate) {
                    certificates.push(certificate);
                }
                if certificates.len() > CERTIFICATES {
                    return Err(AnswerError::TooMany { certificates: certificates.len() });
                }
            }
        }
        let own = self.own(&certificates)?.clone();
        let others = certificates.into_iter().filter(|certificate| *certificate != own);
        let (chain, unused) = in_order(own.clone(), others.collect(), &provider.signature_verification_algorithms);
        if chain.len() > CHAIN_LENGTH {
            return Err(AnswerError::TooLong { certificates: chain.len() });
        }
        let missing = chain.last().filter(|last| !is_self_issued(last)).map(Certificate::issuer);
        let Inner { name, certificate: _, certified_key, exportable } = &*self.0;
        let ders: Vec<CertificateDer<'static>> =
            chain.iter().map(|certificate| certificate.der().into_owned()).collect();
        let identity = Self(Arc::new(Inner {
            name: name.clone(),
            certificate: own,
            // INVARIANT: its public key is that of the certificate before, to which the key was proven to belong.
            certified_key: Arc::new(CertifiedKey::new(ders, Arc::clone(&certified_key.key))),
            exportable: exportable.clone(),
        }));
        Ok(Answered { identity, missing, unused })
    }

    /// The certificate of an answer that is for our key.
    fn own<'a>(&self, certificates: &'a [Certificate]) -> Result<&'a Certificate, AnswerError> {
        let ours = self.certificate().spki_fingerprint();
        let (mut own, mut asked) = (Vec::new(), false);
        for certificate in certificates.iter().filter(|certificate| certificate.spki_fingerprint() == ours) {
            // What was sent to the CA may come back with what the CA made of it.
            if certificate == self.certificate() && is_self_issued(certificate) {
                asked = true;
            } else {
                own.push(certificate);
            }
        }
        match own.as_slice() {
            [one] => Ok(one),
            [] if asked => Err(AnswerError::OnlyAsked),
            [] => {
                let Some(first) = certificates.iter().find(|one| !one.is_ca()).or(certificates.first()) else {
                    return Err(AnswerError::Empty);
                };
                Err(AnswerError::OtherKey {
                    ours,
                    subject: Box::new(self.certificate().subject()),
                    theirs: first.spki_fingerprint(),
                    answered: Box::new(first.subject()),
                })
            }
            several => Err(AnswerError::Several {
                fingerprints: several.iter().map(|certificate| certificate.fingerprint()).collect(),
            }),
        }
    }
}

impl Answered {
    /// The identity, as far as the answer goes.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// As [`identity`](Self::identity), to keep.
    #[must_use]
    pub fn into_identity(self) -> Identity {
        self.identity
    }

    /// The CA whose certificate is missing at the end of the chain, so that it does not end in a root. What STRUST says by
    /// TRUST057.
    #[must_use]
    pub fn missing_issuer(&self) -> Option<&DistinguishedName> {
        self.missing.as_ref()
    }

    /// What was in the answer and is not part of the chain.
    #[must_use]
    pub fn unused(&self) -> &[Certificate] {
        &self.unused
    }

    /// The identity, if its chain ends in a root.
    ///
    /// # Errors
    /// [`AnswerError::Incomplete`] names the CA whose certificate is missing.
    pub fn complete(self) -> Result<Identity, AnswerError> {
        match self.missing {
            None => Ok(self.identity),
            Some(issuer) => Err(AnswerError::Incomplete { issuer: Box::new(issuer) }),
        }
    }
}

/// Certificates in one answer: a chain as long as peers read, and as many that do not belong to it.
const CERTIFICATES: usize = 4 * CHAIN_LENGTH;

/// The certificates of one file.
fn read(file: &[u8]) -> Result<Vec<Certificate>, AnswerError> {
    let mut found = Vec::new();
    for section in pem::read(file).map_err(AnswerError::Pem)? {
        let pem::Section { label, der, ordinal, .. } = section;
        match label.as_str() {
            "DER" | "CERTIFICATE" | "X509 CERTIFICATE" if !import::is_signed_data(&der) => {
                let certificate = Certificate::from_der(&der);
                found.push(certificate.map_err(|cause| AnswerError::Certificate { ordinal, cause })?);
            }
            "DER" | "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => found.extend(signed_data(&der)?),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => return Err(AnswerError::OnlyAsked),
            _ => return Err(AnswerError::Section { ordinal, label }),
        }
    }
    Ok(found)
}

/// The certificates of a degenerate `SignedData` (PKCS#7, RFC 2315, section 9.1): a `.p7b` or `.p7c` file.
fn signed_data(der: &[u8]) -> Result<Vec<Certificate>, AnswerError> {
    let ders = import::signed_certificates(der).map_err(|_| AnswerError::SignedData)?;
    let read = |(index, der): (usize, Vec<u8>)| {
        Certificate::from_der(&der).map_err(|cause| AnswerError::Certificate { ordinal: index + 1, cause })
    };
    ders.into_iter().enumerate().map(read).collect()
}

/// The chain from this certificate on, as far as these go, and what is left of them.
pub(super) fn in_order(
    own: Certificate,
    mut others: Vec<Certificate>,
    algorithms: &WebPkiSupportedAlgorithms,
) -> (Vec<Certificate>, Vec<Certificate>) {
    let mut chain = vec![own];
    // One more than may be presented, so that it is seen that there are too many.
    while let Some(last) = chain.last().filter(|last| !is_self_issued(last) && chain.len() <= CHAIN_LENGTH) {
        let named = others.iter().enumerate().filter(|(_, other)| other.subject() == last.issuer());
        let fitting = named.filter_map(|(at, other)| Some((signed(last, other, algorithms)?, other, at)));
        // Of two that fit the newer one lasts longer: CAs renew on their key.
        let best = fitting.max_by_key(|(proof, other, _)| (*proof, other.validity().not_before())).map(|(.., at)| at);
        let Some(at) = best else { break };
        chain.push(others.swap_remove(at));
    }
    (chain, others)
}

/// That an issuer of the right name signed a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// Nothing here verifies such signatures.
    Unknown,
    Verified,
}

/// `None` if it did not: CAs that renew on another key keep their name.
pub(super) fn signed(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Option<Proof> {
    use der::{Decode as _, Reader as _};

    let read = |der| -> Result<_, der::Error> {
        let mut reader = der::SliceReader::new(der::AnyRef::from_der(der)?.value())?;
        let to_be_signed = reader.tlv_bytes()?;
        let algorithm: der::AnyRef<'_> = reader.decode()?;
        let signature: der::asn1::BitStringRef<'_> = reader.decode()?;
        Ok((to_be_signed, algorithm.value(), signature.raw_bytes()))
    };
    let (to_be_signed, algorithm, signature) = read(certificate.bytes()).ok()?;
    match signature::verify_by(to_be_signed, &issuer.public_key(), algorithm, signature, algorithms) {
        None => Some(Proof::Unknown),
        Some(Ok(())) => Some(Proof::Verified),
        Some(Err(_)) => None,
    }
}

pub(super) fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.subject() == certificate.issuer()
}

/// A CA's answer could not be put on the key of an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A certificate of the answer cannot be read.
    #[error("section {ordinal} of the answer is a certificate that cannot be read")]
    Certificate {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Why.
        #[source]
        cause: InvalidCertificate,
    },
    /// There is no certificate in it.
    #[error("there is no certificate in the answer: give the file that the CA sent")]
    Empty,
    /// The chain does not end in a root.
    #[error("the certificate of `{issuer}` is missing in the answer: ask the CA for it, and give it as another file")]
    Incomplete {
        /// Whose certificate is missing.
        issuer: Box<DistinguishedName>,
    },
    /// There is no crypto provider.
    #[error(transparent)]
    NoProvider(#[from] NoCryptoProvider),
    /// What was asked, not what was answered: the identity's own self-signed certificate, or a request.
    #[error("this is what was sent to the CA, not its answer: give the file that came back")]
    OnlyAsked,
    /// The answer is for another key.
    #[error(
        "the answer is for another key: it certifies `{answered}` on {theirs}, and this identity is `{subject}` on {ours}; give the identity that made the request"
    )]
    OtherKey {
        /// The key of this identity.
        ours: SpkiFingerprint,
        /// The subject of this identity's certificate.
        subject: Box<DistinguishedName>,
        /// The key in the answer.
        theirs: SpkiFingerprint,
        /// The subject of the certificate in the answer.
        answered: Box<DistinguishedName>,
    },
    /// The file is no PEM and no DER.
    #[error("the answer cannot be read")]
    Pem(#[source] InvalidPem),
    /// The file holds something that is no certificate.
    #[error("section {ordinal} of the answer is a `{label}`, and answers consist of certificates")]
    Section {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
    },
    /// Several certificates are for this key.
    #[error("several certificates of the answer are for this key: keep one of {}", list(.fingerprints))]
    Several {
        /// Which.
        fingerprints: Vec<Fingerprint>,
    },
    /// The answer is PKCS#7.
    #[error("the answer is PKCS#7, but has no certificates that can be read: ask for the certificate as PEM")]
    SignedData,
    /// The chain is longer than any peer will read.
    #[error("a chain of {certificates} certificates is too long, at most {CHAIN_LENGTH} are presented")]
    TooLong {
        /// How many.
        certificates: usize,
    },
    /// There are more certificates in it than in any chain.
    #[error("{certificates} certificates are too many for an answer, at most {CERTIFICATES} are read")]
    TooMany {
        /// How many.
        certificates: usize,
    },
}

fn list(fingerprints: &[Fingerprint]) -> String {
    fingerprints.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
