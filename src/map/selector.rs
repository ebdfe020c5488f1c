//! What in a certificate identifies its holder.

use std::sync::Arc;

use super::NameTest;
use crate::cert::{Fingerprint, SpkiFingerprint};
use crate::strength::Strength;

/// What in a certificate identifies its holder: the exact certificate, its public key, or what a stated CA wrote into it.
///
/// Everything that another CA could have chosen too can only be written under the CA that vouches for it.
///
/// The text form is read back as an equal selector and made for reading in a diff. Words are separated by blanks, texts
/// are in double quotes, in which `\"` and `\\` stand for a quote and a backslash:
///
/// ```text
/// selector   = certificate | key | "under" certificate *( "through" certificate ) [ "issued-by" key ] test
/// certificate, key = "sha256:" 64 digits, "spki-sha256:" 64 digits
/// test       = "every-certificate"
///            | "all" "(" test *( "," test ) *( "," "not" test ) ")"       ; `not` in any place
///            | "any" "(" test *( "," test ) ")"
///            | field [ "any" | "all" | "exactly-one" | "nth" "(" number ")" ]
///                    [ "in-multi-valued-rdns" ] [ "ignoring-case" ] [ value ]
/// field      = "attribute" ( keyword | oid ) | "directory" | "dns" | "email" | "extension" oid | "ip" | "other" oid
///            | "policy" | "serial" | "subject" | "upn" | "uri"
/// value      = text | oid (policy) | address (ip) | hexadecimal (serial) | "#" hexadecimal of DER (extension, other)
/// ```
///
/// What is easily read in another way:
///
/// - Without `any`, `all` or `nth` there must be **exactly one** value of the field. `dns "a.example"` is not for a certificate
///   that also has `b.example`; `dns any "a.example"` is.
/// - Without a value a field need only be there: `dns` is for every certificate with one DNS name, whichever.
/// - Values are compared whole, as written and with their case. There are no patterns; what the values of a fleet end in says
///   the template of the user ([`UserSource`](crate::UserSource)).
/// - A subject or directory name is the text of RFC 4514, in quotes, and begins with the last attribute: `"CN=a,O=Acme,C=DE"`,
///   as a record's `subject` and `openssl x509 -subject -nameopt RFC2253` print it. The other way round it is another name.
/// - `nth` counts in the order of the certificate. For attributes that is the reverse of the text: `nth(1)` is the last one.
/// - `serial` is the certificate's number, in hexadecimal; it counts only for certificates that the anchor itself issued or
///   whose issuer is stated. `attribute serialNumber` is a text in the subject, and `attribute SN` a surname.
/// - A name counts under the whole of its CA, all CAs below included. `issued-by` says which of them is meant.
///
/// ```
/// use certmap::map::{CaPath, ValueTest};
/// use certmap::{Fingerprint, Selector, SpkiFingerprint};
/// let exact = Selector::certificate(Fingerprint::of(b"the DER of a certificate"));
/// assert_eq!(exact.to_string().parse::<Selector>()?, exact);
///
/// let ca = CaPath::to(Fingerprint::of(b"the DER of a CA")).issued_by(SpkiFingerprint::of(b"the key of its sub-CA"));
/// let api = Selector::under(ca, ValueTest::dns("api.acme.example")?);
/// assert!(api.to_string().ends_with(r#" dns "api.acme.example""#));
/// assert_eq!(api.to_string().parse::<Selector>()?, api);
///
/// let error = "under dns \"api.acme.example\"".parse::<Selector>().unwrap_err();
/// assert_eq!(error.to_string(), "expected a CA (`@` and its name, or `sha256:` and 64 digits) after `under` at column 7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Certificate(Fingerprint),
    Key(SpkiFingerprint),
    Under(Arc<Under>),
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Under {
    pub(super) path: CaPath,
    pub(super) test: NameTest,
}

/// Who must vouch for a certificate: an anchor, and what the path to it must have.
///
/// An anchor vouches for all its children, and one of them may be sloppy: say which one is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaPath {
    pub(super) anchor: Fingerprint,
    /// Sorted, without repetition.
    pub(super) through: Vec<Fingerprint>,
    pub(super) issuer_key: Option<SpkiFingerprint>,
}

impl CaPath {
    /// Any path to this anchor, which must be one of the host's bundle.
    #[must_use]
    pub fn to(anchor: Fingerprint) -> Self {
        Self { anchor, through: Vec::new(), issuer_key: None }
    }

    /// The path has this intermediate, wherever. Its fingerprint is that of one certificate, so it is another one when the
    /// intermediate is renewed; the anchor itself is none. Of several paths to the anchor the one that was found counts.
    #[must_use]
    pub fn through(mut self, intermediate: Fingerprint) -> Self {
        if let Err(place) = self.through.binary_search(&intermediate) {
            self.through.insert(place, intermediate);
        }
        self
    }

    /// The certificate was signed with this key: by the anchor or an intermediate, whichever certificate carries it.
    #[must_use]
    pub fn issued_by(self, key: SpkiFingerprint) -> Self {
        Self { issuer_key: Some(key), ..self }
    }

    /// True if it asks for the anchor as an intermediate, which no path has.
    pub(super) fn goes_through_its_anchor(&self) -> bool {
        self.through.contains(&self.anchor)
    }

    /// The anchor.
    #[must_use]
    pub fn anchor(&self) -> Fingerprint {
        self.anchor
    }
}

impl From<Fingerprint> for CaPath {
    fn from(anchor: Fingerprint) -> Self {
        Self::to(anchor)
    }
}

impl Selector {
    /// A number in the order of exact selectors, for sorting many of them; where it is the same the selectors have to be
    /// compared. Those under a CA have the greatest. Uses 63 bits.
    pub(crate) fn rank(&self) -> u64 {
        let first = |octets: &[u8; 32]| octets.first_chunk().map_or(0, |first| u64::from_be_bytes(*first)) >> 2;
        match &self.0 {
            Kind::Certificate(certificate) => first(certificate.as_bytes()),
            Kind::Key(key) => 1 << 62 | first(key.as_bytes()),
            Kind::Under(_) => u64::MAX >> 1,
        }
    }

    /// Matches one exact certificate.
    #[must_use]
    pub fn certificate(fingerprint: Fingerprint) -> Self {
        Self(Kind::Certificate(fingerprint))
    }

    /// Matches every trusted certificate that carries this public key.
    #[must_use]
    pub fn key(fingerprint: SpkiFingerprint) -> Self {
        Self(Kind::Key(fingerprint))
    }

    /// Matches the certificates under a CA of which the test holds.
    ///
    /// # Security
    /// The CA decides who is matched. What it lets its customers write freely is no ground for a rule.
    #[must_use]
    pub fn under(ca: impl Into<CaPath>, test: impl Into<NameTest>) -> Self {
        Self(Kind::Under(Arc::new(Under { path: ca.into(), test: test.into() })))
    }

    /// The CA under which it is written, if it is.
    #[must_use]
    pub fn ca(&self) -> Option<&CaPath> {
        match &self.0 {
            Kind::Certificate(_) | Kind::Key(_) => None,
            Kind::Under(under) => Some(&under.path),
        }
    }

    /// The least that an adversary would have to obtain to be matched.
    #[must_use]
    pub fn strength(&self) -> Strength {
        match &self.0 {
            Kind::Certificate(_) => Strength::Certificate,
            Kind::Key(_) => Strength::Key,
            Kind::Under(under) => under.test.strength(),
        }
    }
}
