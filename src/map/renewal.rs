//! Service keys of Cloud Foundry: a stored certificate, pinned or followed through its renewals.
//!
//! Pure: the caller keeps the state, and whoever accepts a certificate stores what is returned.

use crate::cert::{Certificate, DistinguishedName, Fingerprint};

/// A certificate that was stored with a service key of SAP's Cloud Foundry environment, and the newest one accepted since.
///
/// Pinned, only that certificate is accepted. Unpinned, a certificate of the same subject and issuer that was issued later
/// is accepted too, and from then on the older one no more.
///
/// # Security
/// Subject and issuer are names: ask only about certificates that a trust anchor vouches for, and give every anchor service
/// keys of its own. An unpinned key is as strong as a name ([`Strength::Name`](crate::Strength::Name)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKey {
    pinned: bool,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    accepted: Fingerprint,
    /// Seconds since 1970: `notBefore` of the accepted certificate.
    issued: u64,
}

impl ServiceKey {
    /// A service key that is this certificate and no other.
    #[must_use]
    pub fn pinned(certificate: &Certificate) -> Self {
        Self { pinned: true, ..Self::unpinned(certificate) }
    }

    /// A service key that begins with this certificate and follows its renewals.
    #[must_use]
    pub fn unpinned(certificate: &Certificate) -> Self {
        Self {
            pinned: false,
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            accepted: certificate.fingerprint(),
            issued: certificate.validity().not_before().as_secs(),
        }
    }

    /// The service key after this certificate was presented: the next state, to be stored before the peer is admitted.
    ///
    /// # Errors
    /// [`NotRenewed`] if it is not this key's certificate.
    pub fn present(&self, certificate: &Certificate) -> Result<Self, NotRenewed> {
        let next = Self { pinned: self.pinned, ..Self::unpinned(certificate) };
        if next.accepted == self.accepted {
            Ok(next)
        } else if self.pinned {
            Err(NotRenewed::Pinned)
        } else if !self.same_names(&next) {
            Err(NotRenewed::OtherNames)
        } else if next.issued <= self.issued {
            // Of two certificates of one second nobody can say which is the older one.
            Err(NotRenewed::NotLater)
        } else {
            Ok(next)
        }
    }

    /// True if no certificate could tell the two apart: both have the same names, and at least one follows renewals. Such
    /// keys are refused when they are made, not when somebody calls.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        self.accepted == other.accepted || (!(self.pinned && other.pinned) && self.same_names(other))
    }

    /// The newest certificate that was accepted.
    #[must_use]
    pub fn accepted(&self) -> Fingerprint {
        self.accepted
    }

    fn same_names(&self, other: &Self) -> bool {
        self.subject == other.subject && self.issuer == other.issuer
    }
}

/// Why a certificate does not belong to a service key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRenewed {
    /// It was not issued later than the one accepted before.
    #[error("the certificate was not issued later than the one that was accepted before")]
    NotLater,
    /// Its subject or issuer is another one.
    #[error("the certificate has another subject or issuer")]
    OtherNames,
    /// The key is pinned to another certificate.
    #[error("the service key is pinned to another certificate")]
    Pinned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestCertificate;

    fn issued(subject: &str, at: u64) -> Certificate {
        TestCertificate::new(subject).with_validity(at, at + 1000).self_signed().certificate().clone()
    }

    #[test]
    fn a_renewed_certificate_is_accepted_and_the_older_one_no_more() {
        let (old, new, newer) = (issued("CN=a", 10), issued("CN=a", 20), issued("CN=a", 30));
        let key = ServiceKey::unpinned(&old);
        assert_eq!(key.present(&old), Ok(key.clone()));
        let renewed = key.present(&new).unwrap();
        assert_eq!(renewed.accepted(), new.fingerprint());
        assert_eq!(renewed.present(&new), Ok(renewed.clone()));
        assert_eq!(renewed.present(&old), Err(NotRenewed::NotLater));
        assert_eq!(renewed.present(&issued("CN=a", 20)), Err(NotRenewed::NotLater));
        assert_eq!(renewed.present(&issued("CN=b", 30)), Err(NotRenewed::OtherNames));
        let by_another = TestCertificate::new("CN=a").with_issuer_name("CN=b").with_validity(30, 1030).self_signed();
        assert_eq!(renewed.present(by_another.certificate()), Err(NotRenewed::OtherNames));
        let another_by_it = TestCertificate::new("CN=b").with_issuer_name("CN=a").with_validity(30, 1030).self_signed();
        assert_eq!(renewed.present(another_by_it.certificate()), Err(NotRenewed::OtherNames));
        assert!(renewed.present(&newer).is_ok());
    }

    #[test]
    fn a_pinned_key_follows_no_renewal() {
        let (old, new) = (issued("CN=a", 10), issued("CN=a", 20));
        let key = ServiceKey::pinned(&old);
        assert_eq!(key.present(&old), Ok(key.clone()));
        assert_eq!(key.present(&new), Err(NotRenewed::Pinned));
    }

    #[test]
    fn two_keys_of_the_same_names_conflict_unless_both_are_pinned() {
        let (one, two, other) = (issued("CN=a", 10), issued("CN=a", 20), issued("CN=b", 10));
        let (pinned, unpinned) = (ServiceKey::pinned, ServiceKey::unpinned);
        assert!(unpinned(&one).conflicts_with(&unpinned(&two)));
        assert!(pinned(&one).conflicts_with(&unpinned(&two)));
        assert!(unpinned(&one).conflicts_with(&pinned(&two)));
        assert!(!pinned(&one).conflicts_with(&pinned(&two)));
        assert!(pinned(&one).conflicts_with(&pinned(&one)), "one certificate once across all keys");
        assert!(!unpinned(&one).conflicts_with(&unpinned(&other)));
    }
}
