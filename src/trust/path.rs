//! (private) Path validation: from a presented certificate to every anchor that vouches for it.
//!
//! webpki searches and verifies signatures, names and lengths, once per candidate anchor; what it leaves out is checked
//! in its callback: key usage, the anchor's own validity, purpose and length, denial and revocation. The callback can only
//! return webpki's error, so our reason is kept beside it. RFC 5280, section 6.

use core::cell::{Cell, RefCell};

use rustls::pki_types::{CertificateDer, DnsName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, VerifiedPath};

use super::anchors::{AnchorGroup, AnchorIndex};
use super::cache::Lull;
use super::chain::Chain;
use super::deny::DenyList;
use super::entry::ClientPurpose;
use super::member::Member;
use super::path_failure::{PathFailure, PathPlace};
use super::revocation::RevocationState;
use super::signatures::{Algorithms, Signatures};
use super::verified::ValidPath;
use crate::cert::{Certificate, EMAIL_ADDRESS, GeneralName, NameConstraints, SMTP_UTF8_MAILBOX, unix};
use crate::limits::PATH_STEPS_PER_DECISION;
use crate::voucher::Voucher;

/// What a search depends on besides what was presented.
#[derive(Clone, Copy)]
pub(super) struct PathRules<'a> {
    pub(super) anchors: &'a AnchorIndex,
    pub(super) algorithms: Algorithms,
    pub(super) revocation: &'a RevocationState,
    pub(super) deny: &'a DenyList,
    pub(super) purpose: ClientPurpose,
    pub(super) path_length: Option<u32>,
}

/// One search: what was presented, and the time.
pub(super) struct Search<'a> {
    rules: PathRules<'a>,
    chain: Chain<'a>,
    /// The anchors whose name an issuer of the presented certificates has, in no order that a peer chooses.
    candidates: Vec<&'a AnchorGroup>,
    now: UnixTime,
    signatures: Signatures,
    steps: Cell<usize>,
}

impl<'a> Search<'a> {
    pub(super) fn new(rules: PathRules<'a>, chain: Chain<'a>, now: UnixTime) -> Self {
        let mut issuers: Vec<_> = chain.certificates().map(Certificate::issuer_der).collect();
        issuers.sort_unstable();
        issuers.dedup();
        let candidates = issuers.into_iter().flat_map(|name| rules.anchors.named(name)).collect();
        let signatures = Signatures::of_a_decision(rules.algorithms);
        Self { rules, chain, candidates, now, signatures, steps: Cell::new(PATH_STEPS_PER_DECISION) }
    }

    /// Those of the presented certificates which the path goes through.
    pub(super) fn intermediates_of<'p>(&'p self, path: &'p ValidPath) -> impl Iterator<Item = &'p Certificate> {
        let vouching = |fingerprint| path.vouchers.iter().any(|voucher| voucher.intermediates.contains(&fingerprint));
        self.chain.others.iter().filter(move |other| vouching(other.fingerprint()))
    }

    /// Every anchor that vouches, and the seconds in which that is so; if none does, the failure that came furthest.
    pub(super) fn run(&self) -> Result<(ValidPath, Lull), PathFailure> {
        if self.candidates.is_empty() {
            return Err(self.chain.unknown_issuer());
        }
        let der = self.chain.end_entity.der();
        let end_entity = EndEntityCert::try_from(&der)
            .map_err(|error| self.chain.failure(&error, self.chain.end_entity.issuer(), self.now))?;
        let others: Vec<_> = self.chain.others.iter().map(|other| other.der()).collect();
        let counted = self.signatures.counted();
        let algorithms: Vec<_> = counted.iter().map(|one| one as &dyn SignatureVerificationAlgorithm).collect();
        let mut vouchers = Vec::new();
        let mut furthest: Option<PathFailure> = None;
        for group in &self.candidates {
            match self.under(group, &end_entity, &others, &algorithms) {
                Ok(more) => vouchers.extend(more),
                Err(failure) if furthest.as_ref().is_none_or(|known| known.progress() < failure.progress()) => {
                    furthest = Some(failure);
                }
                Err(_) => {}
            }
        }
        // Whoever made us stop early may have hidden an anchor that vouches too.
        if let Some(reason) = self.signatures.exhausted() {
            return Err(PathFailure::TooMuchWork { reason });
        }
        if self.steps.get() == 0 {
            return Err(PathFailure::TooMuchWork { reason: "more paths than a decision looks at" });
        }
        if vouchers.is_empty() {
            return Err(furthest.unwrap_or_else(|| self.chain.unknown_issuer()));
        }
        // Whatever ends may be of this path; whatever begins or ends may make another one of the same chain, by another anchor or
        // through another intermediate, about which a rule may name another user.
        let lull = self.lull();
        vouchers.sort_unstable_by_key(|voucher| voucher.anchor);
        Ok((ValidPath { certificate: self.chain.end_entity.clone(), vouchers, valid_until: unix(lull.last()) }, lull))
    }

    /// The seconds in which the same search has the same result: in which nothing it may look at begins or ends.
    fn lull(&self) -> Lull {
        let mut lull = Lull::around(self.now);
        let anchors = self.candidates.iter().flat_map(|group| &group.members);
        for certificate in self.chain.certificates().chain(anchors) {
            for second in certificate.validity().changes() {
                lull.change_at(second);
            }
            self.rules.revocation.changes(certificate, &mut lull);
        }
        lull
    }

    fn under(
        &self,
        group: &AnchorGroup,
        end_entity: &EndEntityCert<'_>,
        others: &[CertificateDer<'_>],
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<Vec<Voucher>, PathFailure> {
        let ours: RefCell<Option<Result<Vec<Voucher>, PathFailure>>> = RefCell::new(None);
        let check = |path: &VerifiedPath<'_>| {
            let outcome = self.check(path, group);
            let verdict = outcome.as_ref().map(|_| ()).map_err(|_| webpki::Error::CertDistrusted);
            let mut ours = ours.borrow_mut();
            let further = match (&outcome, &*ours) {
                (Err(failure), Some(Err(known))) => known.progress() < failure.progress(),
                _ => true,
            };
            if further {
                *ours = Some(outcome);
            }
            verdict
        };
        let anchors: &[TrustAnchor<'_>] = core::slice::from_ref(&group.anchor);
        let usage = CountedPurpose { steps: &self.steps };
        let found = end_entity.verify_for_usage(algorithms, anchors, others, self.now, usage, None, Some(&check));
        match (found, ours.take()) {
            // Only together are they an answer: webpki found a path, and it is the one that was checked last.
            (Ok(_), Some(Ok(vouchers))) => Ok(vouchers),
            (_, Some(Err(failure))) => Err(failure),
            (Err(error), _) => {
                let anchor = group.members.first().unwrap_or(self.chain.end_entity);
                Err(self.chain.failure(&error, anchor.subject(), self.now))
            }
            (Ok(_), None) => Err(PathFailure::Unprocessable { reason: "the path was not checked".to_owned() }),
        }
    }

    /// What webpki leaves out, for one path that it has verified.
    fn check(&self, path: &VerifiedPath<'_>, group: &AnchorGroup) -> Result<Vec<Voucher>, PathFailure> {
        let intermediates = self.intermediates(path)?;
        self.check_end_entity()?;
        for intermediate in &intermediates {
            check_issuer(&Member::intermediate(intermediate))?;
        }
        let below = core::iter::once(Member::end_entity(self.chain.end_entity));
        let above = intermediates.iter().copied().map(Member::intermediate);
        let members: Vec<_> = below.chain(above).collect();
        members.iter().try_for_each(|member| self.check_denied(member))?;
        let top = group.members.first().into_iter();
        check_constrained_email(&members, intermediates.iter().copied().chain(top))?;

        let mut anchors = Vec::with_capacity(1);
        let mut failure = None;
        for certificate in &group.members {
            match self.check_anchor(certificate, &intermediates) {
                Ok(()) => anchors.push(certificate),
                Err(cause) => failure = Some(cause),
            }
        }
        let Some(anchor) = anchors.first().copied() else {
            return Err(failure.unwrap_or_else(|| self.chain.unknown_issuer()));
        };

        let due = self.rules.revocation.has_list_named(anchor);
        let issuers = intermediates.iter().copied().chain([anchor]);
        for (member, issuer) in members.iter().zip(issuers) {
            self.rules.revocation.check(member, issuer, due, self.now, &self.signatures)?;
        }

        let issuer_key = intermediates.first().copied().unwrap_or(anchor).spki_fingerprint();
        let rewritten: Box<[_]> = intermediates.iter().filter_map(|ca| ca.resigned_fingerprint()).collect();
        let intermediates: Box<[_]> = intermediates.iter().map(|certificate| certificate.fingerprint()).collect();
        let voucher = |certificate: &&Certificate| Voucher {
            anchor: certificate.fingerprint(),
            issuer_key,
            intermediates: intermediates.clone(),
            rewritten: rewritten.clone(),
        };
        Ok(anchors.iter().map(voucher).collect())
    }

    /// The intermediates of a path as we read them, nearest to the certificate first. Two readers must agree.
    fn intermediates(&self, path: &VerifiedPath<'_>) -> Result<Vec<&Certificate>, PathFailure> {
        let disagree = || PathFailure::Unprocessable { reason: "two readers of it do not agree".to_owned() };
        let agree = |ours: &Certificate, theirs: &webpki::Cert<'_>| {
            ours.public_key().as_ref() == theirs.subject_public_key_info().as_ref()
                && ours.subject_der().ends_with(theirs.subject())
                && ours.issuer_der().ends_with(theirs.issuer())
        };
        if !agree(self.chain.end_entity, path.end_entity()) || !same_names(self.chain.end_entity, path.end_entity()) {
            return Err(disagree());
        }
        let read = |theirs: &webpki::Cert<'_>| {
            let der = theirs.der();
            let ours = self.chain.others.iter().find(|other| other.der().as_ref() == der.as_ref());
            ours.filter(|ours| agree(ours, theirs)).ok_or_else(disagree)
        };
        path.intermediate_certificates().map(read).collect()
    }

    fn check_end_entity(&self) -> Result<(), PathFailure> {
        let certificate = self.chain.end_entity;
        let extensions = certificate.extensions();
        certificate.key_type().check().map_err(PathFailure::WeakKey)?;
        // RFC 5280 §4.2.1.9: whoever may sign certificates is a CA.
        if certificate.is_ca() || extensions.key_cert_sign() == Some(true) {
            return Err(PathFailure::EndEntityIsCa);
        }
        if extensions.digital_signature() == Some(false) {
            return Err(PathFailure::KeyUsage);
        }
        if extensions.name_constraints().is_some() {
            // RFC 5280 §4.2.1.10: MUST be used only in a CA certificate.
            let reason = "the end-entity certificate has some itself".to_owned();
            return Err(PathFailure::NameConstraint { reason });
        }
        if self.rules.purpose == ClientPurpose::Required && extensions.allows_client_auth() != Some(true) {
            return Err(Member::end_entity(certificate).wrong_purpose());
        }
        Ok(())
    }

    fn check_denied(&self, member: &Member<'_>) -> Result<(), PathFailure> {
        match self.rules.deny.find(member.certificate) {
            Some(denial) => Err(PathFailure::Denied { member: member.named(), denial: denial.clone() }),
            None => Ok(()),
        }
    }

    fn check_anchor(&self, certificate: &Certificate, below: &[&Certificate]) -> Result<(), PathFailure> {
        let member = Member::anchor(certificate);
        self.check_denied(&member)?;
        member.outside_validity(self.now).map_or(Ok(()), Err)?;
        let extensions = certificate.extensions();
        if extensions.allows_client_auth() == Some(false) {
            return Err(member.wrong_purpose());
        }
        // RFC 5280 §4.2.1.9: self-issued intermediates do not count.
        let counted = below.iter().filter(|ca| !ca.is_self_issued()).count();
        let allowed =
            [extensions.basic_constraints().and_then(|constraints| constraints.path_len), self.rules.path_length];
        let too_long = |length: u32| usize::try_from(length).is_ok_and(|length| counted > length);
        if allowed.into_iter().flatten().any(too_long) {
            return Err(PathFailure::PathLength);
        }
        // RFC 5280 has no word for a root on its own list; whoever put it there had a reason.
        if certificate.is_self_issued() {
            self.rules.revocation.check(&member, certificate, false, self.now, &self.signatures)?;
        }
        Ok(())
    }
}

/// True if both readers find the same DNS names and URIs: webpki stops at the first name that it cannot read. Of wildcards,
/// which no rule matches, the two have different rules.
fn same_names(ours: &Certificate, theirs: &webpki::Cert<'_>) -> bool {
    let names = ours.kept_alternative_names();
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::Dns(name) if DnsName::try_from(name.as_str()).is_ok() => Some(name.as_str()),
        _ => None,
    });
    let uris = names.iter().filter_map(|name| match name {
        GeneralName::Uri(uri) => Some(uri.as_str()),
        _ => None,
    });
    dns.eq(theirs.valid_dns_names().filter(|name| !name.starts_with('*'))) && uris.eq(theirs.valid_uri_names())
}

fn check_issuer(member: &Member<'_>) -> Result<(), PathFailure> {
    let extensions = member.certificate.extensions();
    if let Some(flaw) = extensions.name_constraints().and_then(NameConstraints::flaw) {
        return Err(PathFailure::NameConstraint { reason: format!("of those of {}, {flaw}", member.named()) });
    }
    let reason = if extensions.key_cert_sign() == Some(false) {
        "its key usage does not include keyCertSign"
    } else if member.certificate.has_empty_subject() {
        "it has no subject"
    } else {
        return Ok(());
    };
    Err(PathFailure::Issuer { member: member.named(), reason })
}

/// Checks e-mail addresses in subjects and those of other letters than ASCII, which webpki does not look at: RFC 5280 §4.2.1.10
/// and RFC 9598 §6 have constraints on `rfc822Name` apply to them too. webpki refuses every alternative name of a kind that is constrained and that it does not process,
/// and so does this. `issuers` are those of `members`, in the same order.
fn check_constrained_email<'a>(
    members: &[Member<'_>],
    issuers: impl Iterator<Item = &'a Certificate>,
) -> Result<(), PathFailure> {
    for (place, issuer) in issuers.enumerate() {
        if !issuer.extensions().name_constraints().is_some_and(NameConstraints::concern_email) {
            continue;
        }
        let below = members.iter().take(place + 1);
        // RFC 5280 §6.1.3 (b): not the self-issued, unless it is the last of the path.
        let concerned = |member: &&Member<'_>| {
            let Member { place, certificate } = member;
            *place == PathPlace::EndEntity || !certificate.is_self_issued()
        };
        let found =
            below.filter(concerned).find_map(|member| Some((member, hidden_email_address(member.certificate)?)));
        if let Some((member, place)) = found {
            let reason = format!("the e-mail address in the {place} of {}", member.named());
            return Err(PathFailure::NameConstraint { reason });
        }
    }
    Ok(())
}

/// Where an e-mail address stands that is no `rfc822Name`: `emailAddress` of the subject (PKCS #9), or `SmtpUTF8Mailbox`.
fn hidden_email_address(certificate: &Certificate) -> Option<&'static str> {
    let subject = certificate.subject();
    let is_address = |name: &GeneralName| match name {
        GeneralName::Other { kind, .. } => kind.is(SMTP_UTF8_MAILBOX),
        // An `otherName` that cannot be read is of any kind.
        GeneralName::Malformed { tag, .. } => *tag == 0,
        _ => false,
    };
    if subject.rdns().any(|rdn| rdn.attributes().iter().any(|attribute| attribute.kind().is(EMAIL_ADDRESS))) {
        Some("subject")
    } else if certificate.kept_alternative_names().iter().any(is_address) {
        Some("alternative names")
    } else {
        None
    }
}

/// Client authentication where purposes are stated. webpki asks it once per step of its search, so here is where steps
/// are counted.
struct CountedPurpose<'a> {
    steps: &'a Cell<usize>,
}

impl ExtendedKeyUsageValidator for CountedPurpose<'_> {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let left = self.steps.get().saturating_sub(1);
        self.steps.set(left);
        if left == 0 {
            // Ends the search, where any other error would end one branch of it.
            return Err(webpki::Error::MaximumPathBuildCallsExceeded);
        }
        KeyUsage::client_auth().validate(purposes)
    }
}
