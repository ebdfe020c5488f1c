//! (private) What the extensions of a certificate say, as far as trust and names depend on it.

use core::ops::Range;
use std::collections::HashSet;

use x509_parser::asn1_rs::Oid;
use x509_parser::extensions::{KeyUsage, ParsedExtension, SubjectAlternativeName, X509Extension};
use x509_parser::prelude::FromDer as _;

use super::name_constraints::NameConstraints;
use super::{GeneralName, InvalidCertificate, ObjectIdentifier, range_in};
use crate::limits::NAMES_PER_CERTIFICATE;

#[derive(Debug, Default)]
pub(crate) struct Extensions {
    basic_constraints: Option<BasicConstraints>,
    key_usage: Option<KeyUsage>,
    /// `None` without an extended key usage extension, else whether it has `id-kp-clientAuth`.
    client_auth: Option<bool>,
    /// The first critical extension that path validation does not process.
    unknown_critical: Option<ObjectIdentifier>,
    /// Where in the certificate the value of the subject alternative name extension is.
    alternative_names: Option<Range<usize>>,
    /// Where the value of the extended key usage extension is.
    extended_key_usage: Option<Range<usize>>,
    name_constraints: Option<NameConstraints>,
}

/// A basic constraints extension (RFC 5280, section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    pub(crate) critical: bool,
    pub(crate) ca: bool,
    /// How many intermediates may stand below it.
    pub(crate) path_len: Option<u32>,
}

/// What path validation processes (RFC 5280, section 4.2), by the last octet of `id-ce` 2.5.29.x: subject key
/// identifier, key usage, subject alternative name, basic constraints, name constraints, CRL distribution points,
/// authority key identifier, extended key usage.
const PROCESSED: [u8; 8] = [14, 15, 17, 19, 30, 31, 35, 37];

/// True if path validation processes the extension of this number, given by its content octets.
pub(super) fn is_processed(oid: &[u8]) -> bool {
    matches!(oid, [0x55, 0x1d, last] if PROCESSED.contains(last))
}

/// Nearly every certificate has fewer extensions.
const FEW: usize = 16;

impl Extensions {
    /// `der` is the certificate in which the extensions stand.
    pub(super) fn from_parsed(der: &[u8], parsed: &[X509Extension<'_>]) -> Result<Self, InvalidCertificate> {
        let mut found = Self::default();
        // A few are compared one by one, which costs less than to hash them.
        let few = parsed.len() <= FEW;
        let mut seen = HashSet::new();
        for (at, extension) in parsed.iter().enumerate() {
            let octets = extension.oid.as_bytes();
            let oid = || {
                ObjectIdentifier::from_der_content(octets)
                    .map_err(|cause| InvalidCertificate::Malformed { reason: cause.to_string() })
            };
            let twice = if few {
                parsed.iter().take(at).any(|before| before.oid.as_bytes() == octets)
            } else {
                !seen.insert(octets)
            };
            if twice {
                return Err(InvalidCertificate::DuplicateExtension { extension: oid()? });
            }
            let processed = is_processed(octets);
            if extension.critical && !processed && found.unknown_critical.is_none() {
                found.unknown_critical = Some(oid()?);
            }
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) => {
                    let (critical, ca, path_len) =
                        (extension.critical, constraints.ca, constraints.path_len_constraint);
                    found.basic_constraints = Some(BasicConstraints { critical, ca, path_len });
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    found.client_auth = Some(usage.client_auth);
                    found.extended_key_usage = Some(range_in(der, extension.value));
                }
                ParsedExtension::KeyUsage(usage) => found.key_usage = Some(*usage),
                ParsedExtension::NameConstraints(_) => {
                    found.name_constraints = Some(NameConstraints::read(extension.value));
                }
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
        let Some(value) = value(der, self.alternative_names.as_ref()) else { return Vec::new() };
        let (_, names) = SubjectAlternativeName::from_der(value).expect(PARSED_BEFORE);
        names.general_names.iter().map(GeneralName::from_parsed).collect()
    }

    pub(super) fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// `None` without basic constraints, which is not the same as those that say it is no CA.
    pub(crate) fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.basic_constraints
    }

    /// Whether key usage has `digitalSignature`; `None` without key usage.
    pub(crate) fn digital_signature(&self) -> Option<bool> {
        self.key_usage.as_ref().map(KeyUsage::digital_signature)
    }

    /// Whether key usage has `keyCertSign`; `None` without key usage.
    pub(crate) fn key_cert_sign(&self) -> Option<bool> {
        self.key_usage.as_ref().map(KeyUsage::key_cert_sign)
    }

    /// Whether key usage has `cRLSign`; `None` without key usage.
    pub(crate) fn crl_sign(&self) -> Option<bool> {
        self.key_usage.as_ref().map(KeyUsage::crl_sign)
    }

    /// Whether extended key usage has `id-kp-clientAuth`; `None` without extended key usage. `anyExtendedKeyUsage` does
    /// not count: whoever wrote it did not say that this is for clients.
    pub(crate) fn allows_client_auth(&self) -> Option<bool> {
        self.client_auth
    }

    /// The purposes in the order of the certificate `der`, without those that no [`ObjectIdentifier`] can hold; may be
    /// empty. `None` without extended key usage.
    pub(crate) fn extended_key_usage(&self, der: &[u8]) -> Option<Vec<ObjectIdentifier>> {
        let value = value(der, self.extended_key_usage.as_ref())?;
        let (_, purposes) = Vec::<Oid<'_>>::from_der(value).expect(PARSED_BEFORE);
        let purposes = purposes.iter().filter_map(|oid| ObjectIdentifier::from_der_content(oid.as_bytes()).ok());
        Some(purposes.collect())
    }

    pub(crate) fn name_constraints(&self) -> Option<NameConstraints> {
        self.name_constraints
    }

    pub(crate) fn unknown_critical(&self) -> Option<&ObjectIdentifier> {
        self.unknown_critical.as_ref()
    }
}

const PARSED_BEFORE: &str = "the same bytes were parsed in `from_der`";

fn value<'a>(der: &'a [u8], range: Option<&Range<usize>>) -> Option<&'a [u8]> {
    range.map(|range| der.get(range.clone()).expect("the range was found in the same bytes in `from_der`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::Certificate;
    use crate::testing::{KeyUsageBit, TestCertificate, TestName};

    fn made(with: impl FnOnce(TestCertificate) -> TestCertificate) -> Certificate {
        with(TestCertificate::new("CN=a")).self_signed().certificate().clone()
    }

    #[test]
    fn without_extensions_nothing_is_said() {
        let certificate = made(|plain| plain);
        let extensions = certificate.extensions();
        assert_eq!(extensions.basic_constraints(), None);
        assert_eq!(
            (extensions.digital_signature(), extensions.key_cert_sign(), extensions.crl_sign()),
            (None, None, None)
        );
        assert_eq!((extensions.allows_client_auth(), extensions.extended_key_usage(&certificate.der())), (None, None));
        assert_eq!(extensions.name_constraints(), None);
        assert!(!certificate.is_ca() && extensions.key_cert_sign().is_none());
    }

    #[test]
    fn basic_constraints_are_told_as_they_stand() {
        for critical in [true, false] {
            for ca in [true, false] {
                for path_len in [None, Some(0), Some(200)] {
                    let certificate = made(|plain| plain.with_basic_constraints(ca, path_len, critical));
                    let expected = BasicConstraints { critical, ca, path_len: path_len.map(u32::from) };
                    assert_eq!(certificate.extensions().basic_constraints(), Some(expected));
                    assert_eq!(certificate.is_ca(), ca);
                }
            }
        }
    }

    #[test]
    fn each_usage_is_told_by_its_own_bit() {
        use KeyUsageBit::{CrlSign, DecipherOnly, DigitalSignature, EncipherOnly, KeyAgreement, KeyCertSign};
        for bit in [DigitalSignature, KeyAgreement, KeyCertSign, CrlSign, EncipherOnly, DecipherOnly] {
            let certificate = made(|plain| plain.with_key_usage(&[bit]));
            let extensions = certificate.extensions();
            assert_eq!(extensions.digital_signature(), Some(bit == DigitalSignature));
            assert_eq!(extensions.key_cert_sign(), Some(bit == KeyCertSign));
            assert_eq!(extensions.crl_sign(), Some(bit == CrlSign));
        }
        assert_eq!(made(|plain| plain.with_key_usage(&[])).extensions().digital_signature(), Some(false));
    }

    #[test]
    fn any_purpose_is_not_that_of_clients() {
        let told = |certificate: &Certificate| {
            let purposes = certificate.extensions().extended_key_usage(&certificate.der()).unwrap();
            let purposes: Vec<_> = purposes.iter().map(ToString::to_string).collect();
            (certificate.extensions().allows_client_auth(), purposes.join(" "))
        };
        let row = |allowed, purposes: &str| (Some(allowed), purposes.to_owned());
        assert_eq!(told(&made(|plain| plain.with_purposes(&[]))), row(false, ""));
        assert_eq!(told(&made(|plain| plain.with_purpose(1))), row(false, "1.3.6.1.5.5.7.3.1"));
        let both = made(|plain| plain.with_purposes(&[1, 2, 1]));
        assert_eq!(told(&both), row(true, "1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2 1.3.6.1.5.5.7.3.1"));
        assert_eq!(told(&made(TestCertificate::with_any_purpose)), row(false, "2.5.29.37.0"));
        // An arc of 133 bits, which a pin may have.
        let large = [&[0x30, 22, 6, 20, 0x2a][..], &[0xff; 18], &[0x7f]].concat();
        assert_eq!(told(&made(|plain| plain.with_extension("2.5.29.37", false, &large))), row(false, ""));
    }

    #[test]
    fn an_extension_twice_is_found_among_few_and_many() {
        for count in [2, FEW, FEW + 1, 40] {
            let (last, known) = (u8::try_from(count).unwrap(), u8::try_from(count / 2).unwrap());
            let numbered =
                |made: TestCertificate, number| made.with_extension(&format!("1.2.3.{number}"), false, &[5, 0]);
            let once = (1..=last).fold(TestCertificate::new("CN=a"), numbered).self_signed();
            let mut twice = once.certificate().der().to_vec();
            let at = twice.windows(5).position(|octets| octets == [6, 3, 0x2a, 3, last]).unwrap();
            twice[at + 4] = known;
            let extension = "1.2.3.".to_owned() + &known.to_string();
            let found = Certificate::from_der(&twice);
            assert_eq!(
                found.map(drop),
                Err(InvalidCertificate::DuplicateExtension { extension: extension.parse().unwrap() }),
            );
        }
    }

    #[test]
    fn name_constraints_are_read() {
        let certificate = made(|plain| plain.with_name_constraints(&[TestName::Dns("a")], &[], true));
        assert_eq!(certificate.extensions().name_constraints().and_then(NameConstraints::flaw), None);
        let certificate = made(|plain| plain.with_name_constraints(&[TestName::Dns(".a")], &[], true));
        assert!(certificate.extensions().name_constraints().and_then(NameConstraints::flaw).is_some());
        assert_eq!(certificate.extensions().unknown_critical(), None);
    }
}
