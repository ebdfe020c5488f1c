//! (private) A certificate on a path and its place there, and the failures that are its own.

use rustls::pki_types::UnixTime;

use super::path_failure::{PathFailure, PathMember, PathPlace};
use crate::cert::{Certificate, Standing};

#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) place: PathPlace,
    pub(super) certificate: &'a Certificate,
}

impl<'a> Member<'a> {
    pub(super) fn end_entity(certificate: &'a Certificate) -> Self {
        Self { place: PathPlace::EndEntity, certificate }
    }

    pub(super) fn intermediate(certificate: &'a Certificate) -> Self {
        Self { place: PathPlace::Intermediate, certificate }
    }

    pub(super) fn anchor(certificate: &'a Certificate) -> Self {
        Self { place: PathPlace::Anchor, certificate }
    }

    /// As it is told.
    pub(super) fn named(&self) -> PathMember {
        let Self { place, certificate } = *self;
        PathMember { place, subject: certificate.subject(), fingerprint: certificate.fingerprint() }
    }

    /// The failure of a certificate that is not valid now.
    pub(super) fn outside_validity(&self, now: UnixTime) -> Option<PathFailure> {
        let validity = self.certificate.validity();
        match validity.standing(now) {
            Standing::Early => Some(PathFailure::NotYetValid { member: self.named(), validity }),
            Standing::Late => Some(PathFailure::Expired { member: self.named(), validity }),
            Standing::Within => None,
        }
    }

    /// The failure of a certificate that is not for clients.
    pub(super) fn wrong_purpose(&self) -> PathFailure {
        PathFailure::Purpose { member: self.named(), has: purposes(self.certificate) }
    }
}

/// The purposes that a certificate states, for people.
pub(super) fn purposes(certificate: &Certificate) -> Option<Vec<String>> {
    let purposes = certificate.extended_key_usage()?;
    Some(purposes.iter().map(|purpose| purpose_name(&purpose.to_string()).to_owned()).collect())
}

/// The purposes of RFC 5280, section 4.2.1.12 by name, others by number.
fn purpose_name(oid: &str) -> &str {
    match oid {
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        other => other,
    }
}
