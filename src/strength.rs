//! What an adversary would have to obtain to be taken for the user.

use core::fmt;

/// How strongly a decision ties the peer to its user: what an adversary would have to obtain to be taken for it.
///
/// A decision has the least strength of its parts: of the trust in the certificate, of the selector that matched, and
/// of the source of the user name. Ordered from weak to strong.
///
/// | trust | selector | user | strength |
/// |---|---|---|---|
/// | pin | exact certificate | constant | [`Certificate`](Self::Certificate) |
/// | pin | public key | constant | [`Key`](Self::Key) |
///
/// ```
/// use certmap::Strength;
/// assert!(Strength::Key < Strength::Certificate);
/// assert_eq!(Strength::Key.to_string(), "key");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// The private key of a certificate that carries a known public key, renewed ones included.
    Key,
    /// The private key of one exact certificate, named by its fingerprint.
    Certificate,
}

impl Strength {
    /// The word used in records: `key`, `certificate`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
