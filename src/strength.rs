//! What an adversary would have to obtain to be taken for the user.

use core::fmt;
use core::str::FromStr;

/// How strongly a decision ties the peer to its user: what an adversary would have to obtain to be taken for it.
///
/// A decision has the least strength of its parts: of the trust in the certificate, of the selector that matched, and
/// of the source of the user name. Ordered from weak to strong.
///
/// | trust | selector | user | strength |
/// |---|---|---|---|
/// | pin or anchor | exact certificate | constant | [`Certificate`](Self::Certificate) |
/// | pinned key | exact certificate | constant | [`Key`](Self::Key) |
/// | pin, pinned key or anchor | public key | constant | [`Key`](Self::Key) |
/// | anchor | serial number under its CA | constant | [`Serial`](Self::Serial) |
/// | anchor | any other name, policy or extension under its CA | constant | [`Name`](Self::Name) |
/// | anchor | anything under a CA | template | [`Name`](Self::Name) |
///
/// An anchor takes nothing away from an exact certificate or key: the rule does not depend on what the CA issues next. Of
/// an `all` the strongest part counts, of an `any` the one that matched, a `not` adds nothing. A rule under a CA that
/// matches a certificate which is pinned too is as strong as the rule.
///
/// ```
/// use certmap::Strength;
/// assert!(Strength::Name < Strength::Serial && Strength::Serial < Strength::Key && Strength::Key < Strength::Certificate);
/// assert_eq!(Strength::Key.to_string(), "key");
/// assert_eq!("key".parse(), Ok(Strength::Key));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// Any certificate of the CA with that name in it: a mistake in its registration, or a name that was given to somebody
    /// else meanwhile.
    Name,
    /// The certificate that the CA numbered so: its private key, or the CA.
    Serial,
    /// The private key of a certificate that carries a known public key, renewed ones included.
    Key,
    /// The private key of one exact certificate, named by its fingerprint.
    Certificate,
}

impl Strength {
    /// Every strength, from weak to strong.
    pub const ALL: &'static [Self] = &[Self::Name, Self::Serial, Self::Key, Self::Certificate];

    /// The word used in records: `name`, `serial`, `key`, `certificate`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::Name => "name",
            Self::Serial => "serial",
        }
    }
}

impl FromStr for Strength {
    type Err = InvalidStrength;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|strength| strength.as_str() == text).ok_or(InvalidStrength)
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is no [`Strength`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a strength: `name`, `serial`, `key` or `certificate`")]
#[non_exhaustive]
pub struct InvalidStrength;
