//! Who is refused whatever vouches for it: by public key, or by issuer and serial number.
//!
//! Not by fingerprint: whoever holds an ECDSA certificate can write its signature in another way, and the fingerprint
//! is another one.

use core::fmt;
use std::collections::{HashMap, HashSet};

use crate::cert::{AlikeName, Certificate, DistinguishedName, SerialNumber, SpkiFingerprint};

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Denial(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// section 7.1): what is not found would be admitted. A self-signed certificate names its own issuer, so its holder can
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
    pub(crate) fn hits(&self, certificate: &Certificate) -> bool {
        match &self.0 {
            Kind::Key(key) => *key == certificate.spki_fingerprint(),
            Kind::Serial(issuer, serial) => {
                serial == certificate.serial() && issuer.alike() == certificate.issuer().alike()
            }
        }
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

/// Every denial of a policy.
#[derive(Debug, Default)]
pub(crate) struct DenyList {
    denials: HashSet<Denial>,
    /// Those by issuer and serial number. Of two that are alike either one is told.
    serials: HashMap<SerialNumber, HashMap<AlikeName, Denial>>,
}

impl DenyList {
    pub(crate) fn new(denials: impl IntoIterator<Item = Denial>) -> Self {
        let mut list = Self { denials: denials.into_iter().collect(), ..Self::default() };
        for denial in &list.denials {
            if let Some((issuer, serial)) = denial.denied_serial() {
                list.serials.entry(serial.clone()).or_default().insert(issuer.alike(), denial.clone());
            }
        }
        list
    }

    pub(crate) fn denials(&self) -> impl Iterator<Item = &Denial> {
        self.denials.iter()
    }

    /// The denial that hits this certificate.
    pub(super) fn find(&self, certificate: &Certificate) -> Option<&Denial> {
        if self.denials.is_empty() {
            return None;
        }
        let by_key = self.denials.get(&Denial::key(certificate.spki_fingerprint()));
        by_key.or_else(|| self.serials.get(certificate.serial())?.get(&certificate.issuer().alike()))
    }
}
