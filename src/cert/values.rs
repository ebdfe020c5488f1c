//! What else a certificate says, read again from its DER when somebody asks: extensions by number, certificate policies,
//! and the values inside `otherName`.
//!
//! Few certificates are ever asked, so nothing of it is kept. RFC 5280, section 4.2.

use der::Tag;

use super::elements::{Elements, context, list, one};
use super::{AttributeValue, Certificate, InvalidCertificate, ObjectIdentifier};

/// `id-ce-certificatePolicies`, 2.5.29.32.
pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];

impl Certificate {
    /// The value of an extension: the content of its `extnValue`, as DER; `None` if the certificate does not have it.
    #[must_use]
    pub fn extension(&self, kind: &ObjectIdentifier) -> Option<Vec<u8>> {
        self.extension_values().into_iter().find_map(|(oid, value)| (oid == *kind).then_some(value))
    }

    /// The certificate policies in the order of the certificate; empty if there are none (RFC 5280, section 4.2.1.4).
    ///
    /// That a policy is stated says what the CA wrote. Policies are not processed along the path.
    ///
    /// # Errors
    /// [`InvalidCertificate::MalformedExtension`] if the extension cannot be read.
    pub fn certificate_policies(&self) -> Result<Vec<ObjectIdentifier>, InvalidCertificate> {
        self.policies_and_extensions().0
    }

    /// Every extension in the order of the certificate. One whose number cannot be read is left out: no rule can name it.
    pub(crate) fn extension_values(&self) -> Extensions {
        self.policies_and_extensions().1
    }

    /// [`certificate_policies`](Self::certificate_policies) and [`extension_values`](Self::extension_values), read together.
    pub(crate) fn policies_and_extensions(&self) -> (Policies, Extensions) {
        let mut policies = Ok(Vec::new());
        let mut values = Vec::new();
        for extension in self.fields().extensions().flatten() {
            let Ok(number) = extension.number() else { continue };
            if extension.oid == CERTIFICATE_POLICIES {
                let malformed = || InvalidCertificate::MalformedExtension { extension: number.clone() };
                policies = read_policies(extension.value).ok_or_else(malformed);
            }
            values.push((number, extension.value.to_vec()));
        }
        (policies, values)
    }
}

type Policies = Result<Vec<ObjectIdentifier>, InvalidCertificate>;
type Extensions = Vec<(ObjectIdentifier, Vec<u8>)>;

fn read_policies(value: &[u8]) -> Option<Vec<ObjectIdentifier>> {
    let mut policies = list(value)?;
    let mut found = Vec::new();
    while !policies.is_finished() {
        let mut parts = Elements::inside(policies.next(Tag::Sequence, "a policy").ok()?).ok()?;
        let number = parts.next(Tag::ObjectIdentifier, "an object identifier").ok()?;
        parts.optional(Tag::Sequence).ok()?;
        parts.finish("the end of the policy").ok()?;
        found.push(ObjectIdentifier::from_der_content(number.content).ok()?);
    }
    Some(found)
}

/// The one value inside the explicit tag `[0]` of an `otherName`; `None` if there is something else.
pub(crate) fn explicit_value(der: &[u8]) -> Option<AttributeValue> {
    AttributeValue::from_der(one(der, context(0, true))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestCertificate;

    #[track_caller]
    fn oid(text: &str) -> ObjectIdentifier {
        text.parse().unwrap()
    }

    #[test]
    fn extensions_are_found_by_number() {
        let made = TestCertificate::new("CN=a").with_extension("1.2.3.4", false, &[0x0c, 1, b'x']).self_signed();
        assert_eq!(made.certificate().extension(&oid("1.2.3.4")), Some(vec![0x0c, 1, b'x']));
        assert_eq!(made.certificate().extension(&oid("1.2.3.40")), None);
        assert_eq!(made.certificate().extension(&oid("1.2.3")), None);
        assert_eq!(TestCertificate::new("CN=a").with_version(1).self_signed().certificate().extension_values(), []);
    }

    #[test]
    fn policies_are_read_or_the_extension_is_malformed() {
        let policies = |value: &[u8]| {
            let made = TestCertificate::new("CN=a").with_extension("2.5.29.32", false, value).self_signed();
            made.certificate().certificate_policies().map_err(|error| error.to_string())
        };
        assert_eq!(policies(&[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3]), Ok(vec![oid("1.2.3")]));
        assert_eq!(policies(&[0x0c, 1, b'x']), Err("extension 2.5.29.32 cannot be read".to_owned()));
        assert_eq!(TestCertificate::new("CN=a").self_signed().certificate().certificate_policies(), Ok(Vec::new()));
    }

    #[test]
    fn an_other_name_holds_exactly_one_value() {
        let text = |text: &str| Some(AttributeValue::Text(text.to_owned()));
        assert_eq!(explicit_value(&[0xa0, 3, 0x0c, 1, b'x']), text("x"));
        for wrong in
            [&[][..], &[0xa0, 0], &[0xa0], &[0x0c, 1, b'x'], &[0xa0, 3, 0x0c, 1, b'x', 0], &[0xa0, 4, 0x0c, 1, b'x', 0]]
        {
            assert_eq!(explicit_value(wrong), None, "{wrong:?}");
        }
    }
}
