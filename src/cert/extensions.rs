//! (private) What the extensions of a certificate say, as far as trust and names depend on it.

use core::ops::Range;
use der::{Decode as _, Tag};

use super::elements::{bit_string, list, one};
use super::extension::Extension;
use super::fields::Fields;
use super::name_constraints::NameConstraints;
use super::{GeneralName, InvalidCertificate, ObjectIdentifier, general_name, range_in};
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

impl BasicConstraints {
    fn read(extension: &Extension<'_>) -> Option<Self> {
        let mut parts = list(extension.value)?;
        let ca = parts.flag().ok()?;
        let path_len = match parts.optional(Tag::Integer).ok()? {
            Some(length) => Some(u32::from_der(length.whole).ok()?),
            None => None,
        };
        parts.is_finished().then_some(Self { critical: extension.critical, ca, path_len })
    }
}

/// A key usage extension (RFC 5280, section 4.2.1.3), as far as anybody here asks: the bits of its first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyUsage(u8);

impl KeyUsage {
    fn read(value: &[u8]) -> Option<Self> {
        let octets = bit_string(one(value, Tag::BitString)?)?;
        Some(Self(octets.first().copied().unwrap_or(0)))
    }

    pub(super) fn digital_signature(self) -> bool {
        self.0 & 0x80 != 0
    }

    pub(super) fn key_encipherment(self) -> bool {
        self.0 & 0x20 != 0
    }

    pub(super) fn key_agreement(self) -> bool {
        self.0 & 0x08 != 0
    }

    pub(super) fn key_cert_sign(self) -> bool {
        self.0 & 0x04 != 0
    }

    pub(super) fn crl_sign(self) -> bool {
        self.0 & 0x02 != 0
    }
}

// Content octets of the object identifiers `id-ce` 2.5.29.x that path validation processes (RFC 5280, section 4.2).
pub(super) const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 14];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(super) const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
const DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub(super) const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 35];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];

/// True if path validation processes the extension of this number, given by its content octets.
pub(super) fn is_processed(oid: &[u8]) -> bool {
    matches!(
        oid,
        SUBJECT_KEY
            | KEY_USAGE
            | ALTERNATIVE_NAMES
            | BASIC_CONSTRAINTS
            | NAME_CONSTRAINTS
            | DISTRIBUTION_POINTS
            | AUTHORITY_KEY
            | EXTENDED_KEY_USAGE
    )
}

/// Content octets of `id-kp-clientAuth`.
pub(super) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

impl Extensions {
    /// `der` is the certificate of these fields.
    pub(super) fn read(der: &[u8], fields: &Fields<'_>) -> Result<Self, InvalidCertificate> {
        let mut found = Self::default();
        for extension in fields.extensions() {
            let extension = extension?;
            if extension.again {
                return Err(InvalidCertificate::DuplicateExtension { extension: extension.number()? });
            }
            if extension.critical && found.unknown_critical.is_none() && !is_processed(extension.oid) {
                found.unknown_critical = Some(extension.number()?);
            }
            if !found.add(der, &extension)? {
                return Err(InvalidCertificate::MalformedExtension { extension: extension.number()? });
            }
        }
        Ok(found)
    }

    /// False if it cannot be read. What nothing here depends on may hold anything: a pinned certificate is what it is.
    fn add(&mut self, der: &[u8], extension: &Extension<'_>) -> Result<bool, InvalidCertificate> {
        let value = extension.value;
        let read = match extension.oid {
            SUBJECT_KEY => one(value, Tag::OctetString).is_some(),
            AUTHORITY_KEY | DISTRIBUTION_POINTS => list(value).is_some(),
            BASIC_CONSTRAINTS => {
                self.basic_constraints = BasicConstraints::read(extension);
                self.basic_constraints.is_some()
            }
            KEY_USAGE => {
                self.key_usage = KeyUsage::read(value);
                self.key_usage.is_some()
            }
            NAME_CONSTRAINTS => {
                self.name_constraints = NameConstraints::read(value);
                self.name_constraints.is_some()
            }
            ALTERNATIVE_NAMES => {
                self.alternative_names = Some(range_in(der, value));
                match general_name::count(value) {
                    Some(names) if names > NAMES_PER_CERTIFICATE => {
                        return Err(InvalidCertificate::TooManyNames { names });
                    }
                    count => count.is_some(),
                }
            }
            EXTENDED_KEY_USAGE => {
                self.extended_key_usage = Some(range_in(der, value));
                let mut allowed = false;
                let read = each_purpose(value, |purpose| allowed |= purpose == CLIENT_AUTH);
                self.client_auth = Some(allowed);
                read.is_some()
            }
            _ => true,
        };
        Ok(read)
    }

    pub(super) fn alternative_names(&self, der: &[u8]) -> Vec<GeneralName> {
        let value = value(der, self.alternative_names.as_ref());
        value.map_or_else(Vec::new, |value| general_name::read(value).expect(READ_BEFORE))
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
        self.key_usage.map(KeyUsage::digital_signature)
    }

    /// Whether key usage has `keyCertSign`; `None` without key usage.
    pub(crate) fn key_cert_sign(&self) -> Option<bool> {
        self.key_usage.map(KeyUsage::key_cert_sign)
    }

    /// Whether key usage has `cRLSign`; `None` without key usage.
    pub(crate) fn crl_sign(&self) -> Option<bool> {
        self.key_usage.map(KeyUsage::crl_sign)
    }

    /// Whether extended key usage has `id-kp-clientAuth`; `None` without extended key usage. `anyExtendedKeyUsage` does
    /// not count: whoever wrote it did not say that this is for clients.
    pub(crate) fn allows_client_auth(&self) -> Option<bool> {
        self.client_auth
    }

    pub(super) fn extended_key_usage(&self, der: &[u8]) -> Option<Vec<ObjectIdentifier>> {
        let value = value(der, self.extended_key_usage.as_ref())?;
        let mut purposes = Vec::new();
        each_purpose(value, |oid| purposes.extend(ObjectIdentifier::from_der_content(oid))).expect(READ_BEFORE);
        Some(purposes)
    }

    pub(super) fn key_usage(&self) -> Option<KeyUsage> {
        self.key_usage
    }

    pub(crate) fn name_constraints(&self) -> Option<NameConstraints> {
        self.name_constraints
    }

    pub(crate) fn unknown_critical(&self) -> Option<&ObjectIdentifier> {
        self.unknown_critical.as_ref()
    }
}

const READ_BEFORE: &str = "the same bytes were read in `from_der`";

/// Shows the content octets of each purpose in this value of an extended key usage extension; `None` if there is something else.
fn each_purpose<'a>(value: &'a [u8], mut show: impl FnMut(&'a [u8])) -> Option<()> {
    let mut purposes = list(value)?;
    while !purposes.is_finished() {
        show(purposes.next(Tag::ObjectIdentifier, "a purpose").ok()?.content);
    }
    Some(())
}

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
        for count in [2, 16, 17, 40] {
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
