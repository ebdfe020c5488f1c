//! Who is refused whatever vouches for it: by public key, or by issuer and serial number.
//!
//! Not by fingerprint: whoever holds an ECDSA certificate can write its signature in another way, and the fingerprint
//! is another one.

use core::fmt;
use core::hash::{Hash, Hasher};
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cert::{AlikeName, Certificate, DistinguishedName, SerialNumber, SpkiFingerprint};
use crate::table::StrangersTable;

/// A certificate that is refused whatever vouches for it: a pin, an anchor, an exception.
///
/// A denied key is refused in every certificate, and no CA with that key vouches for anything any more; so it is with the
/// issuer and serial number of a CA certificate. A certificate that is pinned itself needs no CA, and stays admitted
/// whoever issued it: take its pin out.
///
/// ```
/// use certmap::trust::Denial;
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let stolen = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// let denial = Denial::key(stolen.spki_fingerprint());
/// assert!(denial.to_string().starts_with("spki-sha256:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Denial(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Key(SpkiFingerprint),
    Serial(DistinguishedName, SerialNumber),
}

impl Denial {
    /// Denies every certificate that carries this public key.
    #[must_use]
    pub fn key(key: SpkiFingerprint) -> Self {
        Self(Kind::Key(key))
    }

    /// Denies the certificate to which this issuer gave this serial number.
    ///
    /// The issuer may be spelled in another case, with other blanks and in another type of string than in the certificate (RFC 5280,
    /// section 7.1), and with its attributes in another order, as OpenSSL prints them; the number may be that of the same octets without
    /// a sign (`8a` for `-76`): what is not found would be admitted. A self-signed certificate names its own issuer, so its holder can
    /// leave this denial behind with a new certificate; deny its key.
    #[must_use]
    pub fn serial(issuer: DistinguishedName, serial: SerialNumber) -> Self {
        Self(Kind::Serial(issuer, serial))
    }

    /// The key, if it denies one.
    #[must_use]
    pub fn denied_key(&self) -> Option<&SpkiFingerprint> {
        match &self.0 {
            Kind::Key(key) => Some(key),
            Kind::Serial(..) => None,
        }
    }

    /// Issuer and serial number, if it denies a certificate by them.
    #[must_use]
    pub fn denied_serial(&self) -> Option<(&DistinguishedName, &SerialNumber)> {
        match &self.0 {
            Kind::Key(_) => None,
            Kind::Serial(issuer, serial) => Some((issuer, serial)),
        }
    }

    /// True if this certificate is denied by it.
    #[must_use]
    pub fn hits(&self, certificate: &Certificate) -> bool {
        match &self.0 {
            Kind::Key(key) => *key == certificate.spki_fingerprint(),
            Kind::Serial(issuer, serial) => {
                // First what costs little: each of many is compared with each of many.
                serial.unsigned() == certificate.serial().unsigned()
                    && issuer.alike().flat() == certificate.issuer().alike().flat()
            }
        }
    }

    fn whom(&self) -> (Option<&SpkiFingerprint>, Option<(AlikeName, Cow<'_, SerialNumber>)>) {
        match &self.0 {
            Kind::Key(key) => (Some(key), None),
            Kind::Serial(issuer, serial) => (None, Some((issuer.alike().flat(), serial.unsigned()))),
        }
    }
}

/// Equal denials hit the same certificates, however their issuers and numbers are spelled.
impl PartialEq for Denial {
    fn eq(&self, other: &Self) -> bool {
        self.whom() == other.whom()
    }
}

impl Eq for Denial {}

impl Hash for Denial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.whom().hash(state);
    }
}

impl fmt::Display for Denial {
    /// `spki-sha256:…`, or `serial 0a20 of CN=…`: one line, different for different denials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Key(key) => key.fmt(f),
            Kind::Serial(issuer, serial) => write!(f, "serial {serial} of {issuer}"),
        }
    }
}

/// Every denial of a policy. INVARIANT: what a certificate is looked up by is made when the policy is built; how many denials there
/// are, of one serial number too, costs whoever presents it nothing.
#[derive(Debug, Default)]
pub(crate) struct DenyList {
    /// In every spelling that was given, by text.
    all: BTreeMap<String, Denial>,
    keys: StrangersTable<SpkiFingerprint, Denial>,
    /// Of several spellings the first by text.
    serials: StrangersTable<SerialNumber, StrangersTable<AlikeName, Denial>>,
}

impl DenyList {
    pub(crate) fn new(denials: impl IntoIterator<Item = Denial>) -> Self {
        let all = denials.into_iter().map(|denial| (denial.to_string(), denial)).collect();
        let mut list = Self { all, ..Self::default() };
        for denial in list.all.values() {
            match denial.whom() {
                (Some(key), _) => drop(list.keys.insert(*key, denial.clone())),
                (None, Some((issuer, serial))) => {
                    let named = list.serials.entry(serial.into_owned()).or_default();
                    named.entry(issuer).or_insert_with(|| denial.clone());
                }
                (None, None) => {}
            }
        }
        list
    }

    /// In the order of their texts.
    pub(crate) fn denials(&self) -> impl Iterator<Item = &Denial> {
        self.all.values()
    }

    /// The denial that hits this certificate.
    pub(super) fn find(&self, certificate: &Certificate) -> Option<&Denial> {
        let by_key = if self.keys.is_empty() { None } else { self.keys.get(&certificate.spki_fingerprint()) };
        by_key
            .or_else(|| self.serials.get(&*certificate.serial().unsigned())?.get(&certificate.issuer().alike().flat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestCertificate;

    #[test]
    fn spellings_of_one_denial_are_equal_and_the_first_by_text_is_told() {
        let certificate = TestCertificate::new("CN=erp").with_serial(&[9]).self_signed();
        let denial = |issuer: &str, serial: &str| Denial::serial(issuer.parse().unwrap(), serial.parse().unwrap());
        let (small, capital) = (denial("CN=erp", "09"), denial("CN=ERP", "09"));
        let key = Denial::key(certificate.certificate().spki_fingerprint());
        assert_eq!(small, capital);
        assert_eq!(denial("CN=erp,O=Acme", "09"), denial("O=Acme,CN=ERP", "09"));
        assert_ne!(denial("CN=erp,O=Acme", "09"), denial("O=erp,CN=Acme", "09"));
        assert_ne!(small, denial("CN=erp", "0a"));
        assert_eq!(denial("CN=erp", "8a"), denial("CN=erp", "-76"));
        assert_ne!(denial("CN=erp", "76"), denial("CN=erp", "-76"));
        assert_ne!(small, denial("CN=crm", "09"));
        assert_ne!(small, key);
        let hash = |denial: &Denial| std::collections::HashSet::from([denial.clone()]).contains(&capital);
        assert_eq!([&small, &capital, &key].map(hash), [true, true, false]);
        for order in [[&small, &capital, &small], [&capital, &small, &capital]] {
            let list = DenyList::new(order.map(Clone::clone));
            assert_eq!(list.denials().count(), 2);
            assert_eq!(
                list.find(certificate.certificate()).map(ToString::to_string),
                Some("serial 09 of CN=ERP".into())
            );
        }
        // A CA that left out the octet that makes a number positive: `-76` to some, `8a` to others.
        let negative = TestCertificate::new("CN=erp").with_serial(&[0x8a]).self_signed();
        for serial in ["8a", "00:8a", "-76"] {
            let denial = denial("CN=erp", serial);
            let list = DenyList::new([denial.clone()]);
            assert!(
                denial.hits(negative.certificate()) && list.find(negative.certificate()) == Some(&denial),
                "{serial}"
            );
        }
        let both = DenyList::new([small, key.clone()]);
        assert_eq!((both.denials().count(), both.find(certificate.certificate())), (2, Some(&key)));
    }
}
