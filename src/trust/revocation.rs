//! Which certificates their CAs have taken back: revocation lists, and whether they may be believed now.
//!
//! The order of lists never matters: a serial number that stands in any list which its issuer signed is revoked. A list
//! that is missing where one is due, or out of date, is no answer, and no answer refuses. RFC 5280, sections 5 and 6.3.

use core::fmt;
use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use rustls::pki_types::UnixTime;

use super::cache::Lull;
use super::member::Member;
use super::path_failure::{PathFailure, UnknownStatus};
use super::signatures::{Algorithms, Signatures};
use crate::cert::{
    AlikeName, Certificate, DistinguishedName, Fingerprint, InvalidRevocationList, RevocationList, SpkiFingerprint,
    seconds, unix,
};
use crate::limits::{REVOCATION_LISTS_PER_NAME, REVOCATION_SKEW};
use crate::table::StrangersTable;

/// The revocation lists of a policy, and how they are taken.
///
/// An anchor without any list is not checked: a CA may publish none. An anchor with a list makes lists due for everybody
/// below it: for the certificates that the anchor issued, and for those of each intermediate. A list is that of every CA
/// of its issuer's name until its signature shows whose it is, so it makes one due for all of them. Pins are not
/// concerned, because nobody but the operator takes them back.
///
/// ```
/// use certmap::trust::Revocation;
/// let mut revocation = Revocation::new();
/// assert!(revocation.add_pem(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").is_err());
/// assert_eq!(revocation.lists().count(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    lists: Vec<RevocationList>,
    grace: Duration,
}

impl Revocation {
    /// No lists: nothing is checked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a list. Whether its issuer signed it is checked when the policy is built.
    pub fn add(&mut self, list: RevocationList) {
        self.lists.push(list);
    }

    /// Adds every list of a PEM or DER file: all of them or, if one cannot be read, none.
    ///
    /// # Errors
    /// [`InvalidRevocationList`] says which and why.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), InvalidRevocationList> {
        self.lists.extend(RevocationList::all_from_pem(pem)?);
        Ok(())
    }

    /// Believes lists for so long after their successor was promised (`nextUpdate`).
    ///
    /// # Security
    /// Whoever can keep the new list from arriving keeps a revoked certificate alive for this time. No time is too long:
    /// [`Duration::MAX`] believes every list for ever, and then a certificate that is revoked after the last list that
    /// arrived is never refused. Say no more than an outage of the CA may last; the lint tells what is said.
    ///
    /// What a list has revoked stays revoked, however old the list is.
    #[must_use]
    pub fn danger_accept_stale_lists(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The lists, in the order in which they were added.
    pub fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.lists.iter()
    }

    /// For how long a list is believed beyond its `nextUpdate`.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }
}

/// A revocation list that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// Nobody can tell who signed it.
    #[error(
        "revocation list {list} of `{issuer}` is signed by an algorithm that is too weak or unknown, such as SHA-1: ask the CA for one signed with SHA-256 or better"
    )]
    Algorithm {
        /// The list.
        list: Fingerprint,
        /// Its issuer.
        issuer: DistinguishedName,
    },
    /// No anchor of the issuer's name signed it.
    #[error("revocation list {list} bears the name of the anchor `{issuer}`, but not its signature: fetch it again")]
    Signature {
        /// The list.
        list: Fingerprint,
        /// Its issuer.
        issuer: DistinguishedName,
    },
    /// More than [`REVOCATION_LISTS_PER_NAME`].
    #[error(
        "{lists} revocation lists of `{issuer}` are too many, at most {REVOCATION_LISTS_PER_NAME} are asked: leave out the oldest, such as {list}, unless they revoke what the newest does not"
    )]
    TooMany {
        /// The oldest.
        list: Fingerprint,
        /// How many there are.
        lists: usize,
        /// Their issuer, as the oldest spells it.
        issuer: DistinguishedName,
    },
    /// The anchor that signed it may not sign lists.
    #[error(
        "revocation list {list} is signed by the anchor `{issuer}`, whose key usage does not include cRLSign: have the CA's certificate renewed, or leave the list out"
    )]
    SignerMayNot {
        /// The list.
        list: Fingerprint,
        /// Its issuer.
        issuer: DistinguishedName,
    },
}

/// Revocation lists by issuer, each with what is known of its signature.
///
/// By what the names have in common that are alike, not octet by octet as path validation has it: a list that is not found revokes
/// nobody. The signature says whose list it is.
#[derive(Debug, Default)]
pub(crate) struct RevocationState {
    by_issuer: StrangersTable<AlikeName, Vec<Listed>>,
    grace: Duration,
}

struct Listed {
    list: RevocationList,
    /// Keys that were tried, and whether they signed the list: the anchors' at load, an intermediate's at first use.
    tried: Mutex<Vec<(SpkiFingerprint, bool)>>,
}

impl Listed {
    /// Keys that are remembered for one list, of those that signed it and of those that did not: whoever runs CAs of a name that
    /// is not theirs takes no room of the one that it belongs to. CAs of one name that a bundle vouches for are few.
    const TRIED: usize = 16;

    /// True if the list is signed by the key of `issuer`. False if no more lists may be asked: then there is no answer at all.
    fn is_signed_by(&self, issuer: &Certificate, signatures: &Signatures) -> bool {
        if !signatures.spend_list() {
            return false;
        }
        let key = issuer.spki_fingerprint();
        let known =
            |tried: &[(SpkiFingerprint, bool)]| tried.iter().find(|(other, _)| *other == key).map(|(_, ok)| *ok);
        if let Some(known) = known(&self.tried.lock().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let signed = signatures.verify_list(&self.list, issuer);
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.iter().filter(|(_, ok)| *ok == signed).count() < Self::TRIED && known(&tried).is_none() {
            tried.push((key, signed));
        }
        signed
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, tried: _ } = self;
        list.fmt(f)
    }
}

impl RevocationState {
    /// Checks that the lists can be verified, and the signatures of those whose issuer is an anchor.
    pub(crate) fn new<'a>(
        revocation: &Revocation,
        anchors: impl Iterator<Item = &'a Certificate>,
        algorithms: Algorithms,
    ) -> Result<Self, Vec<RevocationError>> {
        // Lists come from the operator, not from a peer: each may cost a verification for each key of its name.
        let signatures = &Signatures::unlimited(algorithms);
        let mut by_name: HashMap<&AlikeName, Vec<&Certificate>> = HashMap::new();
        if !revocation.lists.is_empty() {
            for anchor in anchors {
                by_name.entry(anchor.alike_subject()).or_default().push(anchor);
            }
        }
        let mut state = Self { by_issuer: StrangersTable::default(), grace: revocation.grace };
        let mut errors = Vec::new();
        let mut seen = HashSet::new();
        for list in revocation.lists().filter(|list| seen.insert(list.fingerprint())) {
            let listed = Listed { list: list.clone(), tried: Mutex::default() };
            let issuer = list.issuer().alike();
            let named = by_name.get(&issuer).map(Vec::as_slice).unwrap_or_default();
            let signers: Vec<_> = named.iter().filter(|anchor| listed.is_signed_by(anchor, signatures)).collect();
            if !signatures.know(list) {
                errors.push(RevocationError::Algorithm { list: list.fingerprint(), issuer: list.issuer() });
            } else if !named.is_empty() && signers.is_empty() {
                errors.push(RevocationError::Signature { list: list.fingerprint(), issuer: list.issuer() });
            } else if signers.iter().any(|anchor| anchor.extensions().crl_sign() == Some(false)) {
                errors.push(RevocationError::SignerMayNot { list: list.fingerprint(), issuer: list.issuer() });
            }
            state.by_issuer.entry(issuer).or_default().push(listed);
        }
        let listed = state.by_issuer.values().filter(|listed| listed.len() > REVOCATION_LISTS_PER_NAME);
        errors.extend(listed.filter_map(|listed| {
            let oldest = &listed.iter().min_by_key(|listed| listed.list.next_update())?.list;
            Some(RevocationError::TooMany { list: oldest.fingerprint(), lists: listed.len(), issuer: oldest.issuer() })
        }));
        if errors.is_empty() { Ok(state) } else { Err(errors) }
    }

    /// Every list, in no order.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.by_issuer.values().flatten().map(|listed| &listed.list)
    }

    pub(crate) fn grace(&self) -> Duration {
        self.grace
    }

    /// The lists that bear the name of none of these anchors and are signed by the key of one: each with that one, in no order. Each is
    /// hashed once for every key.
    pub(crate) fn under_other_names<'a>(
        &'a self,
        anchors: &[&'a Certificate],
        algorithms: Algorithms,
    ) -> Vec<(&'a RevocationList, &'a Certificate)> {
        let signatures = Signatures::unlimited(algorithms);
        let names: HashSet<_> = anchors.iter().map(|anchor| anchor.alike_subject()).collect();
        let mut keys = HashSet::new();
        let anchors: Vec<_> = anchors.iter().filter(|anchor| keys.insert(anchor.spki_fingerprint())).collect();
        let foreign =
            self.by_issuer.iter().filter(|(issuer, _)| !names.contains(issuer)).flat_map(|(_, listed)| listed);
        let signed = foreign.filter_map(|Listed { list, tried: _ }| {
            let signer = anchors.iter().find(|anchor| signatures.verify_list(list, anchor))?;
            Some((list, **signer))
        });
        signed.collect()
    }

    /// The newest list that this anchor signed, and the last second in which it is believed; after it nobody below the anchor is
    /// admitted.
    pub(crate) fn newest_of(
        &self,
        anchor: &Certificate,
        algorithms: Algorithms,
    ) -> Option<(&RevocationList, UnixTime)> {
        let signatures = &Signatures::unlimited(algorithms);
        let signed = self.named(anchor).iter().filter(|listed| listed.is_signed_by(anchor, signatures));
        let newest = signed.map(|listed| &listed.list).max_by_key(|list| list.next_update())?;
        Some((newest, unix(self.current_span(newest).1)))
    }

    /// The newest list of each CA, which is the one that counts: of each of these anchors, and of every name that none of them has. In no
    /// order, and one that two anchors signed twice.
    pub(crate) fn newest<'a>(
        &'a self,
        anchors: &[&Certificate],
        algorithms: Algorithms,
    ) -> impl Iterator<Item = &'a RevocationList> {
        let names: HashSet<_> = anchors.iter().map(|anchor| anchor.alike_subject()).collect();
        let others = self.by_issuer.iter().filter(move |(issuer, _)| !names.contains(issuer));
        let others =
            others.filter_map(|(_, lists)| lists.iter().map(|one| &one.list).max_by_key(|list| list.next_update()));
        anchors.iter().filter_map(move |anchor| Some(self.newest_of(anchor, algorithms)?.0)).chain(others)
    }

    /// Tells the lull of every second at which a list with this issuer's name begins or ends to be current.
    pub(super) fn changes(&self, issuer: &Certificate, lull: &mut Lull) {
        for Listed { list, .. } in self.named(issuer) {
            let (first, last) = self.current_span(list);
            lull.change_at(first);
            lull.change_at(last.saturating_add(1));
        }
    }

    fn named(&self, issuer: &Certificate) -> &[Listed] {
        if self.by_issuer.is_empty() {
            return &[];
        }
        self.by_issuer.get(issuer.alike_subject()).map(Vec::as_slice).unwrap_or_default()
    }

    /// True if any list bears this issuer's name, whoever signed it.
    pub(crate) fn has_list_named(&self, issuer: &Certificate) -> bool {
        !self.named(issuer).is_empty()
    }

    /// First and last second in which a list is current.
    fn current_span(&self, list: &RevocationList) -> (i64, i64) {
        let skew = i64::try_from(REVOCATION_SKEW.as_secs()).unwrap_or(i64::MAX);
        let grace = i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX);
        let (made, successor) = (seconds(list.this_update()), seconds(list.next_update()));
        (made.saturating_sub(skew), successor.saturating_add(grace))
    }

    /// Checks one certificate against the lists of its issuer. `due` says that there has to be one.
    pub(super) fn check(
        &self,
        member: &Member<'_>,
        issuer: &Certificate,
        due: bool,
        now: UnixTime,
        signatures: &Signatures,
    ) -> Result<(), PathFailure> {
        let unknown = |cause| PathFailure::RevocationUnknown { member: member.named(), cause };
        let named = self.named(issuer);
        let signed: Vec<_> = named.iter().filter(|listed| listed.is_signed_by(issuer, signatures)).collect();
        let Some(newest) = signed.iter().map(|listed| &listed.list).max_by_key(|list| list.next_update()) else {
            // A CA that changed its key signs lists with one of them, and forgeries are signed by somebody: either way
            // there should be an answer and there is none.
            return match (named.is_empty(), due) {
                (false, _) => Err(unknown(UnknownStatus::OtherSigner { issuer: issuer.subject() })),
                (true, true) => Err(unknown(UnknownStatus::NoList { issuer: issuer.subject() })),
                (true, false) => Ok(()),
            };
        };
        if issuer.extensions().crl_sign() == Some(false) {
            return Err(unknown(UnknownStatus::SignerMayNot { issuer: issuer.subject() }));
        }
        let serial = member.certificate.serial();
        let revoked = signed.iter().find_map(|listed| Some((&listed.list, listed.list.revoked(serial)?)));
        if let Some((list, entry)) = revoked {
            let (list, since) = (list.fingerprint(), entry.date);
            return Err(PathFailure::Revoked { member: member.named(), list, since });
        }
        let mut spans = signed.iter().map(|listed| self.current_span(&listed.list));
        if spans.any(|(first, last)| (first..=last).contains(&seconds(now))) {
            return Ok(());
        }
        let (this_update, next_update) = (newest.this_update(), newest.next_update());
        Err(unknown(UnknownStatus::Stale { issuer: issuer.subject(), this_update, next_update }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewKey;
    use crate::testing::{TestCertificate, TestRevocationList};

    #[test]
    fn a_key_that_signed_is_remembered_beside_many_that_did_not() {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let signatures = Signatures::unlimited(Algorithms::new(&provider.signature_verification_algorithms));
        let ca = || TestCertificate::new("CN=CA").as_ca().with_new_key(NewKey::EcP256).self_signed();
        let owner = ca();
        let list = RevocationList::from_der(TestRevocationList::new().signed_by(&owner).der()).unwrap();
        let listed = Listed { list, tried: Mutex::default() };
        for _ in 0..=Listed::TRIED {
            assert!(!listed.is_signed_by(ca().certificate(), &signatures));
        }
        assert!(listed.is_signed_by(owner.certificate(), &signatures));
        let tried = listed.tried.lock().unwrap();
        assert_eq!(tried.iter().filter(|(_, ok)| !ok).count(), Listed::TRIED);
        assert!(tried.contains(&(owner.certificate().spki_fingerprint(), true)));
    }
}
