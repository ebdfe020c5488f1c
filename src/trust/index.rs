//! (private) A trust bundle, indexed for judging: what costs a probe when it is asked, however large the bundle is.

use core::borrow::Borrow;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};

use super::anchors::AnchorIndex;
use super::chain::Chain;
use super::distrust::{Distrust, Untrusted};
use super::member::purposes;
use super::path::{PathRules, Search};
use super::path_failure::Purposes;
use super::verified::{Basis, ValidPath};
use super::{
    Algorithms, BundleName, ClientPurpose, DenyList, Entry, EntryKind, RevocationState, TrustBundle,
    VerifiedCertificate,
};
use crate::cert::{Certificate, DistinguishedName, Fingerprint, SpkiFingerprint, Standing, Validity, show};
use crate::table::{Set, Table};
use crate::trace::{Check, Told, Trace};

/// A trust bundle, indexed for judging, and the denials that go before it.
#[derive(Debug)]
pub(crate) struct TrustIndex {
    pub(super) bundle: BundleName,
    /// By all of their bytes, which is as sure as a fingerprint and quicker.
    pub(super) pins: Set<Pin>,
    /// Key pins, by the fingerprint of the certificate that the partner gave.
    pub(super) key_pins: Table<SpkiFingerprint, Fingerprint>,
    pub(super) anchors: AnchorIndex,
    purpose: ClientPurpose,
    pin_purpose: Option<ClientPurpose>,
    path_length: Option<u32>,
    deny: Arc<DenyList>,
    algorithms: Algorithms,
    /// To say what an unknown certificate has to do with a pin. Never to admit it.
    keys: Table<SpkiFingerprint, Namesake>,
    names: Table<DistinguishedName, Namesake>,
}

/// A certificate that is pinned; found by its DER, which is all that makes two of them equal. Small, because what a decision reads
/// of one among many is in no cache; the certificate, which is elsewhere in memory, is left alone.
#[derive(Debug)]
pub(super) struct Pin {
    der: Arc<[u8]>,
    validity: Validity,
    place: PinPlace,
    /// Why it is refused whenever it is presented.
    barred: Option<Box<Distrust>>,
    certificate: Certificate,
}

impl Borrow<[u8]> for Pin {
    fn borrow(&self) -> &[u8] {
        &self.der
    }
}

impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Pin {}

impl Hash for Pin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.der.hash(state);
    }
}

/// The number of a pin of a bundle, smaller than their [count](TrustIndex::pins): for what is known of it elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PinPlace(usize);

impl PinPlace {
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

/// A pin as it is remembered under its key and its name, for what is told of others that have them.
#[derive(Clone, Copy, Debug)]
struct Namesake {
    fingerprint: Fingerprint,
    is_ca: bool,
    begins: UnixTime,
}

impl Namesake {
    /// Of several the newest is told, whatever their order.
    fn or(self, known: &mut Self) {
        if (self.begins, known.fingerprint) > (known.begins, self.fingerprint) {
            *known = self;
        }
    }

    fn is_newer_than(&self, certificate: &Certificate) -> bool {
        certificate.validity().not_before() < self.begins
    }
}

impl TrustIndex {
    pub(crate) fn new(bundle: &TrustBundle, deny: Arc<DenyList>, algorithms: Algorithms) -> Self {
        let mut index = Self {
            bundle: bundle.name().clone(),
            pins: Set::default(),
            key_pins: Table::default(),
            anchors: AnchorIndex::new(bundle.entries()),
            purpose: bundle.purpose(),
            pin_purpose: bundle.pin_purpose(),
            path_length: bundle.path_length(),
            deny,
            algorithms,
            keys: Table::default(),
            names: Table::default(),
        };
        for entry in bundle.entries() {
            let certificate = entry.certificate();
            let (fingerprint, key) = (certificate.fingerprint(), certificate.spki_fingerprint());
            match entry.kind() {
                EntryKind::Anchor => continue,
                EntryKind::KeyPin => {
                    index.key_pins.insert(key, fingerprint);
                }
                EntryKind::Pin => {
                    let barred = index.bar(certificate).err().map(Box::new);
                    let place = PinPlace(index.pins.len());
                    let (der, certificate) = (certificate.shared_der(), certificate.clone());
                    let validity = certificate.validity();
                    index.pins.insert(Pin { der, validity, place, barred, certificate });
                }
            }
            let begins = certificate.validity().not_before();
            let namesake = Namesake { fingerprint, is_ca: certificate.is_ca(), begins };
            index.keys.entry(key).and_modify(|known| namesake.or(known)).or_insert(namesake);
            let subject = certificate.subject();
            if !subject.is_empty() {
                index.names.entry(subject).and_modify(|known| namesake.or(known)).or_insert(namesake);
            }
        }
        index
    }

    pub(crate) fn anchors(&self) -> impl Iterator<Item = &Certificate> {
        self.anchors.certificates()
    }

    /// The certificates that are pinned, themselves and not by their keys; in no order.
    pub(crate) fn pins(&self) -> impl ExactSizeIterator<Item = (PinPlace, &Certificate)> {
        self.pins.iter().map(|pin| (pin.place, &pin.certificate))
    }

    /// The certificate of these bytes, if it is pinned. Whether it is believed is another question.
    pub(crate) fn pinned(&self, der: &[u8]) -> Option<&Certificate> {
        self.pins.get(der).map(|pin| &pin.certificate)
    }

    /// Believes a certificate whose key is pinned, unless it is barred or outside its validity.
    pub(super) fn believe_key(
        &self,
        certificate: Certificate,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<VerifiedCertificate<'_>, Distrust> {
        let barred = self.bar(&certificate).err();
        believe(&certificate, certificate.validity(), barred.as_ref(), now, trace)?;
        Ok(VerifiedCertificate(Basis::Key(certificate)))
    }

    /// The anchors of the bundle that issued this certificate directly and vouch for it, for as much as can be told without
    /// the intermediates that only a peer presents: at the first moment in which it and all anchors of its issuer's name are
    /// valid, whatever is revoked.
    pub(crate) fn direct_path(&self, certificate: &Certificate) -> Option<ValidPath> {
        let issuers = self.anchors.named(certificate.issuer_der()).iter().flat_map(|group| &group.members);
        let moment = issuers.chain([certificate]).map(|one| one.validity().not_before()).max_by_key(UnixTime::as_secs);
        let chain = Chain { end_entity: certificate, others: Vec::new() };
        let found = Search::new(self.path_rules(&RevocationState::default()), chain, moment?).run();
        found.ok().map(|(path, _)| path)
    }

    pub(super) fn path_rules<'a>(&'a self, revocation: &'a RevocationState) -> PathRules<'a> {
        PathRules {
            anchors: &self.anchors,
            algorithms: self.algorithms,
            revocation,
            deny: &self.deny,
            purpose: self.purpose,
            path_length: self.path_length,
        }
    }

    /// Entries whose key no signature can be verified with.
    pub(crate) fn unverifiable<'a>(&self, bundle: &'a TrustBundle) -> impl Iterator<Item = &'a Entry> {
        let algorithms = self.algorithms;
        bundle.entries().filter(move |entry| !algorithms.verify(entry.certificate().key_type()))
    }

    /// What keeps a pinned certificate out at any time: a denial, or a purpose that was asked for.
    fn bar(&self, certificate: &Certificate) -> Result<(), Distrust> {
        let fingerprint = certificate.fingerprint();
        self.deny(certificate)?;
        let stated = certificate.extensions().allows_client_auth();
        let fits = match self.pin_purpose {
            None => true,
            Some(ClientPurpose::IfStated) => stated != Some(false),
            Some(ClientPurpose::Required) => stated == Some(true),
        };
        if fits {
            return Ok(());
        }
        let stated = Purposes(purposes(certificate).as_ref()).to_string();
        Err(Distrust::PinPurpose { fingerprint, stated })
    }

    pub(super) fn deny(&self, certificate: &Certificate) -> Result<(), Distrust> {
        let fingerprint = certificate.fingerprint();
        match self.deny.find(certificate) {
            Some(denial) => Err(Distrust::Denied { fingerprint, denial: denial.clone() }),
            None => Ok(()),
        }
    }

    /// What an unknown certificate has to do with what is pinned; a few probes, whatever was sent.
    pub(super) fn explain(&self, certificate: &Certificate, others: &[CertificateDer<'_>]) -> Untrusted {
        if let Some(pin) = self.keys.get(&certificate.spki_fingerprint()) {
            return Untrusted::KeyOfPin { pin: pin.fingerprint, older: pin.is_newer_than(certificate) };
        }
        let (issuer, subject) = (certificate.issuer(), certificate.subject());
        if let Some(pin) = self.names.get(&issuer).filter(|_| issuer != subject) {
            return Untrusted::IssuedByPin { pin: pin.fingerprint, pin_is_ca: pin.is_ca };
        }
        if let Some(pin) = self.names.get(&subject) {
            // Who is its own issuer by name, and did not sign itself, claims that the pin did.
            if issuer == subject && self.algorithms.self_signed(certificate) == Some(false) {
                return Untrusted::IssuedByPin { pin: pin.fingerprint, pin_is_ca: false };
            }
            return Untrusted::NameOfPin { pin: pin.fingerprint, older: pin.is_newer_than(certificate) };
        }
        let pinned = others.iter().find_map(|other| self.pins.get(&other[..]));
        pinned.map_or(Untrusted::Unknown, |pin| Untrusted::PinInChain { pin: pin.certificate.fingerprint() })
    }
}

impl Pin {
    pub(super) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn place(&self) -> PinPlace {
        self.place
    }

    pub(super) fn validity(&self) -> Validity {
        self.validity
    }

    pub(super) fn believe(&self, now: UnixTime, trace: &mut impl Trace) -> Result<VerifiedCertificate<'_>, Distrust> {
        believe(&self.certificate, self.validity, self.barred.as_deref(), now, trace)?;
        Ok(VerifiedCertificate(Basis::Pin(self)))
    }
}

/// Believes what was presented and is pinned, itself or by its key, unless it is barred or outside its validity.
fn believe(
    certificate: &Certificate,
    validity: Validity,
    barred: Option<&Distrust>,
    now: UnixTime,
    trace: &mut impl Trace,
) -> Result<(), Distrust> {
    trace.step(Check::Barred, barred.is_none(), format_args!("{}", Told(|| certificate.fingerprint())));
    if let Some(cause) = barred {
        return Err(cause.clone());
    }
    let standing = validity.standing(now);
    trace.step(Check::Validity, standing == Standing::Within, format_args!("{validity}, now {}", show(now)));
    match standing {
        Standing::Early => Err(Distrust::NotYetValid { fingerprint: certificate.fingerprint(), validity }),
        Standing::Late => Err(Distrust::Expired { fingerprint: certificate.fingerprint(), validity }),
        Standing::Within => Ok(()),
    }
}
