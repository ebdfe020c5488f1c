//! (private) What the extensions of a certificate say, as far as trust and names depend on it.

use core::ops::Range;
use std::collections::HashSet;

use x509_parser::extensions::{ParsedExtension, SubjectAlternativeName, X509Extension};
use x509_parser::prelude::FromDer as _;

use super::{GeneralName, InvalidCertificate, ObjectIdentifier, range_in};
use crate::limits::NAMES_PER_CERTIFICATE;

#[derive(Debug, Default)]
pub(crate) struct Extensions {
    ca: bool,
    /// `None` without a key usage extension, else whether it has `keyCertSign`.
    key_cert_sign: Option<bool>,
    /// The first critical extension that path validation does not process.
    unknown_critical: Option<ObjectIdentifier>,
    /// Where in the certificate the value of the subject alternative name extension is.
    alternative_names: Option<Range<usize>>,
}

/// What path validation processes (RFC 5280, section 4.2), by the last octet of `id-ce` 2.5.29.x: subject key
/// identifier, key usage, subject alternative name, basic constraints, name constraints, CRL distribution points,
/// authority key identifier, extended key usage.
const PROCESSED: [u8; 8] = [14, 15, 17, 19, 30, 31, 35, 37];

impl Extensions {
    /// `der` is the certificate in which the extensions stand.
    pub(super) fn from_parsed(der: &[u8], parsed: &[X509Extension<'_>]) -> Result<Self, InvalidCertificate> {
        let mut found = Self::default();
        let mut seen = HashSet::with_capacity(parsed.len());
        for extension in parsed {
            let octets = extension.oid.as_bytes();
            let oid = || {
                ObjectIdentifier::from_der_content(octets)
                    .map_err(|cause| InvalidCertificate::Malformed { reason: cause.to_string() })
            };
            if !seen.insert(octets) {
                return Err(InvalidCertificate::DuplicateExtension { extension: oid()? });
            }
            let processed = matches!(octets, [0x55, 0x1d, last] if PROCESSED.contains(last));
            if extension.critical && !processed && found.unknown_critical.is_none() {
                found.unknown_critical = Some(oid()?);
            }
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) => found.ca = constraints.ca,
                ParsedExtension::KeyUsage(usage) => found.key_cert_sign = Some(usage.key_cert_sign()),
                ParsedExtension::SubjectAlternativeName(names) => {
                    let count = names.general_names.len();
                    if count > NAMES_PER_CERTIFICATE {
                        return Err(InvalidCertificate::TooManyNames { names: count });
                    }
                    found.alternative_names = Some(range_in(der, extension.value));
                }
                ParsedExtension::ParseError { .. } if processed => {
                    return Err(InvalidCertificate::MalformedExtension { extension: oid()? });
                }
                // What nothing here depends on may hold anything: a pinned certificate is what it is.
                _ => {}
            }
        }
        Ok(found)
    }

    pub(super) fn alternative_names(&self, der: &[u8]) -> Vec<GeneralName> {
        let Some(range) = self.alternative_names.clone() else { return Vec::new() };
        let value = der.get(range).expect("the range was found in the same bytes in `from_der`");
        let (_, names) = SubjectAlternativeName::from_der(value).expect("the same bytes were parsed in `from_der`");
        names.general_names.iter().map(GeneralName::from_parsed).collect()
    }

    pub(super) fn is_ca(&self) -> bool {
        self.ca
    }

    /// False if a key usage extension is there and does not allow to sign certificates.
    pub(crate) fn may_sign_certificates(&self) -> bool {
        self.key_cert_sign.unwrap_or(true)
    }

    pub(crate) fn unknown_critical(&self) -> Option<&ObjectIdentifier> {
        self.unknown_critical.as_ref()
    }
}
