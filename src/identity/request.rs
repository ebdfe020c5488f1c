//! A certificate from a CA for a key that we have: the request, and the CA's answer put on the key that asked.
//!
//! As STRUST does it, the identity is the pending request: it stays in use until the answer has come. RFC 2986, RFC 2985.

use core::fmt;
use std::net::IpAddr;

use der::{Tag, TagNumber};

use super::sign::signed;
use super::{Identity, IdentityError};
use crate::cert::encode::{self, Extension, id_ce};
use crate::cert::{DistinguishedName, GeneralName};
use crate::limits::NAMES_PER_CERTIFICATE;
use crate::pem;

/// A request for a certificate (PKCS#10, RFC 2986): subject, public key and alternative names, signed by the key. Nothing
/// in it is secret.
///
/// What the certificate shall be good for, and for how long, is not asked for: the CA knows.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
}

impl Identity {
    /// Asks for a certificate with the subject of the present one, on the same key, with these alternative names.
    ///
    /// Send it to the CA, and give its answer to [`with_answer`](Self::with_answer). The identity can be used meanwhile.
    ///
    /// # Errors
    /// [`RequestError`] if a name cannot be written, there are too many or none and no subject, or the key does not sign.
    ///
    /// ```
    /// use certmap::cert::GeneralName;
    /// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
    /// # let erp = certmap::Identity::from_pem(&pem)?;
    /// let request = erp.certificate_request(&[GeneralName::Dns("erp.example".to_owned())])?;
    /// assert!(request.to_pem().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn certificate_request(&self, names: &[GeneralName]) -> Result<CertificateRequest, RequestError> {
        self.request(self.certificate().subject_der(), names)
    }

    /// As [`certificate_request`](Self::certificate_request), with another subject.
    ///
    /// # Errors
    /// As [`certificate_request`](Self::certificate_request).
    pub fn certificate_request_for(
        &self,
        subject: &DistinguishedName,
        names: &[GeneralName],
    ) -> Result<CertificateRequest, RequestError> {
        self.request(&subject.to_der(), names)
    }

    fn request(&self, subject: &[u8], names: &[GeneralName]) -> Result<CertificateRequest, RequestError> {
        /// `extensionRequest`, RFC 2985, section 5.4.2.
        const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
        const EMPTY_NAME: &[u8] = &[0x30, 0];
        if names.len() > NAMES_PER_CERTIFICATE {
            return Err(RequestError::TooManyNames { names: names.len() });
        }
        let mut attributes = Vec::new();
        if names.is_empty() {
            if subject == EMPTY_NAME {
                return Err(RequestError::Nobody);
            }
        } else {
            let names = names.iter().map(name).collect::<Result<Vec<_>, _>>()?;
            // RFC 5280, section 4.2.1.6: critical where it is the only name.
            let alternative =
                Extension { oid: id_ce(17), critical: subject == EMPTY_NAME, value: encode::sequence(&names) };
            let extensions = encode::sequence(&[alternative.to_der()]);
            attributes = encode::sequence(&[
                encode::tlv(Tag::ObjectIdentifier, EXTENSION_REQUEST),
                encode::tlv(Tag::Set, &extensions),
            ]);
        }
        let info = encode::sequence(&[
            encode::tlv(Tag::Integer, &[0]),
            subject.to_vec(),
            self.certificate().public_key().as_ref().to_vec(),
            encode::tagged(0, &attributes),
        ]);
        let der = signed(self.0.certified_key.key.as_ref(), |_| Ok(info));
        Ok(CertificateRequest { der: der.map_err(|cause| RequestError::Key(Box::new(cause)))? })
    }
}

impl CertificateRequest {
    /// The request as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as PEM (RFC 7468, section 7).
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE REQUEST", &self.der)
    }
}

impl fmt::Debug for CertificateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateRequest({} bytes)", self.der.len())
    }
}

/// A `GeneralName`, RFC 5280, section 4.2.1.6.
fn name(name: &GeneralName) -> Result<Vec<u8>, RequestError> {
    let implicit = |number, content: &[u8]| {
        encode::tlv(Tag::ContextSpecific { constructed: false, number: TagNumber(number) }, content)
    };
    let text = |number, text: &str| match text {
        "" => Err(unfit(name, "it is empty")),
        text if text.is_ascii() => Ok(implicit(number, text.as_bytes())),
        _ => Err(unfit(
            name,
            "it is not ASCII: write a host in its `xn--` form, and an address as a user principal name",
        )),
    };
    match name {
        // X.680 §31.2.7: a CHOICE is tagged explicitly.
        GeneralName::Directory(directory) => Ok(encode::tagged(4, &directory.to_der())),
        GeneralName::Dns(host) => text(2, host),
        GeneralName::Email(address) => text(1, address),
        GeneralName::Ip(IpAddr::V4(address)) => Ok(implicit(7, &address.octets())),
        GeneralName::Ip(IpAddr::V6(address)) => Ok(implicit(7, &address.octets())),
        GeneralName::Malformed { .. } => Err(unfit(name, "it is malformed")),
        GeneralName::Other { kind, value } => {
            let kind = encode::tlv(Tag::ObjectIdentifier, kind.as_der_content());
            Ok(encode::tagged(0, &[kind, value.clone()].concat()))
        }
        GeneralName::RegisteredId(oid) => Ok(implicit(8, oid.as_der_content())),
        GeneralName::Uri(uri) => text(6, uri),
    }
}

fn unfit(name: &GeneralName, reason: &'static str) -> RequestError {
    RequestError::Name { name: Box::new(name.clone()), reason }
}

/// A [`CertificateRequest`] could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The key does not sign.
    #[error("the request cannot be signed")]
    Key(#[source] Box<IdentityError>),
    /// A name cannot be written.
    #[error("`{name}` cannot be asked for: {reason}")]
    Name {
        /// The name.
        name: Box<GeneralName>,
        /// Why.
        reason: &'static str,
    },
    /// There is neither a subject nor a name.
    #[error("the request says of nobody whose the certificate shall be: give a subject or an alternative name")]
    Nobody,
    /// There are too many names.
    #[error("{names} names are too many, at most {NAMES_PER_CERTIFICATE} are read in a certificate")]
    TooManyNames {
        /// How many.
        names: usize,
    },
}
