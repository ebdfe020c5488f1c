//! What in a certificate identifies its holder.

use core::fmt;
use core::str::FromStr;

use crate::cert::{Fingerprint, InvalidFingerprint, SpkiFingerprint};
use crate::strength::Strength;

/// What in a certificate identifies its holder: the exact certificate, or its public key.
///
/// Written as the fingerprint it looks for: `sha256:…` for one certificate, `spki-sha256:…` for every certificate that
/// carries the key (renewed on the same key, for instance).
///
/// ```
/// use certmap::{Fingerprint, Selector};
/// let selector = Selector::certificate(Fingerprint::of(b"the DER of a certificate"));
/// assert_eq!(selector.to_string().parse::<Selector>()?, selector);
/// # Ok::<(), certmap::map::InvalidSelector>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Certificate(Fingerprint),
    Key(SpkiFingerprint),
}

impl Selector {
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

    /// What an adversary would have to obtain to be matched.
    #[must_use]
    pub fn strength(&self) -> Strength {
        match self.0 {
            Kind::Certificate(_) => Strength::Certificate,
            Kind::Key(_) => Strength::Key,
        }
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = if text.starts_with("spki-sha256:") {
            text.parse().map(Kind::Key)
        } else if text.starts_with("sha256:") {
            text.parse().map(Kind::Certificate)
        } else {
            return Err(InvalidSelector(None));
        };
        kind.map(Self).map_err(|cause| InvalidSelector(Some(cause)))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Certificate(fingerprint) => fingerprint.fmt(f),
            Kind::Key(fingerprint) => fingerprint.fmt(f),
        }
    }
}

/// Text that is no [`Selector`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a selector: `sha256:` and the fingerprint of one certificate, or `spki-sha256:` and that of a public key"
)]
pub struct InvalidSelector(#[source] Option<InvalidFingerprint>);
