//! (private) A presented chain as far as it can be read, and what it tells about a search that found no path.

use rustls::pki_types::UnixTime;

use super::member::Member;
use super::path_failure::PathFailure;
use crate::cert::{Certificate, DistinguishedName, Fingerprint};
use crate::limits::CERTIFICATE_BYTES;

/// What was presented beside the certificate that is judged: each once, without that certificate, sorted by fingerprint. The order
/// in which they were presented does not matter. What is larger than a certificate may be is none, and left out.
pub(super) struct Others<'a>(Vec<(Fingerprint, &'a [u8])>);

impl<'a> Others<'a> {
    pub(super) fn new(end_entity: Fingerprint, presented: &'a [impl AsRef<[u8]>]) -> Self {
        let fitting = presented.iter().map(AsRef::as_ref).filter(|der| der.len() <= CERTIFICATE_BYTES);
        let printed = fitting.map(|der| (Fingerprint::of(der), der));
        let mut others: Vec<_> = printed.filter(|(fingerprint, _)| *fingerprint != end_entity).collect();
        others.sort_unstable();
        others.dedup();
        Self(others)
    }

    pub(super) fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> {
        self.0.iter().map(|(fingerprint, _)| *fingerprint)
    }

    /// As far as they can be read; `known` may have read one before.
    fn read(&self, known: impl Fn(&Fingerprint) -> Option<Certificate>) -> Vec<Certificate> {
        let read = |(fingerprint, der): &(Fingerprint, &[u8])| {
            known(fingerprint).or_else(|| Certificate::from_der_known(der, *fingerprint).ok())
        };
        self.0.iter().filter_map(read).collect()
    }
}

/// The certificate that is judged, and the others that were presented with it.
pub(super) struct Chain<'a> {
    pub(super) end_entity: &'a Certificate,
    /// As in [`Others`], without what cannot be read.
    pub(super) others: Vec<Certificate>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(
        end_entity: &'a Certificate,
        others: &Others<'_>,
        known: impl Fn(&Fingerprint) -> Option<Certificate>,
    ) -> Self {
        Self { end_entity, others: others.read(known) }
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        core::iter::once(self.end_entity).chain(&self.others)
    }

    /// The first member of which this is true.
    fn find(&self, condition: impl Fn(&Certificate) -> bool) -> Option<Member<'_>> {
        let others = self.others.iter().map(Member::intermediate);
        core::iter::once(Member::end_entity(self.end_entity)).chain(others).find(|member| condition(member.certificate))
    }

    /// Where the chain ends, if no anchor has the name of any issuer.
    pub(super) fn unknown_issuer(&self) -> PathFailure {
        let mut top = self.end_entity;
        // A chain that goes in a circle ends after as many steps as there are certificates.
        for _ in &self.others {
            let issuer = |other: &&Certificate| other.subject_der() == top.issuer_der() && *other != top;
            match self.others.iter().find(issuer) {
                Some(above) => top = above,
                None => break,
            }
        }
        let issuer = top.issuer();
        if top.is_self_issued() {
            PathFailure::UnknownIssuer { issuer }
        } else {
            PathFailure::ChainIncomplete { missing: issuer }
        }
    }

    /// What is behind an error of webpki, which says neither which certificate it was nor who. `anchor` is the name of the
    /// candidate.
    pub(super) fn failure(&self, error: &webpki::Error, anchor: DistinguishedName, now: UnixTime) -> PathFailure {
        use webpki::Error as E;
        let unprocessable = || PathFailure::Unprocessable { reason: format!("{error:?}") };
        match error {
            E::CertExpired { .. } | E::CertNotValidYet { .. } | E::InvalidCertValidity => {
                let member = self.find(|certificate| !certificate.validity().contains(now));
                member.and_then(|member| member.outside_validity(now)).unwrap_or_else(unprocessable)
            }
            E::UnknownIssuer => self.unknown_issuer(),
            E::CaUsedAsEndEntity => PathFailure::EndEntityIsCa,
            E::EndEntityUsedAsCa => {
                let member = self.find(|certificate| !certificate.is_ca() && certificate != self.end_entity);
                let reason = "its basic constraints do not say that it is a CA";
                member.map_or_else(unprocessable, |member| PathFailure::Issuer { member: member.named(), reason })
            }
            E::PathLenConstraintViolated | E::MaximumPathDepthExceeded => PathFailure::PathLength,
            E::EmptyEkuExtension | E::RequiredEkuNotFoundContext(_) => {
                let member = self.find(|certificate| certificate.extensions().allows_client_auth() == Some(false));
                member.map_or_else(unprocessable, |member| member.wrong_purpose())
            }
            E::NameConstraintViolation
            | E::InvalidNetworkMaskConstraint
            | E::MalformedNameConstraint
            | E::UnsupportedNameType
            | E::MalformedDnsIdentifier => PathFailure::NameConstraint { reason: format!("{error:?}") },
            E::InvalidSignatureForPublicKey | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                PathFailure::BadSignature { issuer: anchor }
            }
            E::UnsupportedSignatureAlgorithmContext(_) => {
                PathFailure::Algorithm { reason: "SHA-1, MD5 or none that the provider knows".to_owned() }
            }
            E::MaximumSignatureChecksExceeded
            | E::MaximumPathBuildCallsExceeded
            | E::MaximumNameConstraintComparisonsExceeded => {
                PathFailure::TooMuchWork { reason: "more paths or names than a decision looks at" }
            }
            E::UnsupportedCertVersion => {
                PathFailure::Unprocessable { reason: "X.509 version 1 and 2 cannot say what they are for".to_owned() }
            }
            // The enum is webpki's and open.
            _ => unprocessable(),
        }
    }
}
