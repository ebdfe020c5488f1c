//! (private) What is odd about bundles and denials.

use std::collections::{BTreeMap, BTreeSet};

use super::lint::{Lint, nearly_full};
use super::near::nearly;
use super::{FindingCode, Place};
use crate::cert::{AlikeName, Certificate, Fingerprint, RevocationList, Standing, is_uncommon, old_signature, show};
use crate::map::Lookup;
use crate::trace::NoTrace;
use crate::trust::{Denial, Entry, EntryKind, TrustBundle};

impl Lint<'_> {
    pub(super) fn entries(&mut self) {
        let bundles: Vec<&TrustBundle> = self.bundles.values().copied().collect();
        for bundle in bundles {
            if nearly_full(bundle.len(), bundle.limit()) {
                self.find(
                    FindingCode::BundleNearlyFull,
                    Place::Bundle(bundle.name().clone()),
                    format!("it has {} certificates, and room for {}", bundle.len(), bundle.limit()),
                    "take out expired ones, or make it with a higher limit",
                );
            }
        }
        let (used, entries) = (self.used_anchors(), self.all_entries());
        for (bundle, entry) in entries {
            let place = Place::Entry { bundle: bundle.name().clone(), certificate: entry.certificate().fingerprint() };
            match entry.kind() {
                EntryKind::Anchor => self.anchor(&place, entry, used.as_ref()),
                EntryKind::KeyPin => self.pin(&place, bundle, entry),
                EntryKind::Pin => {
                    self.signature(&place, entry.certificate());
                    self.pin(&place, bundle, entry);
                }
            }
            // A key pin is for certificates that are not known yet.
            if entry.kind() != EntryKind::KeyPin {
                self.validity(&place, entry);
            }
        }
    }

    fn validity(&mut self, place: &Place, entry: &Entry) {
        let validity = entry.certificate().validity();
        let (whose, renewed) = match entry.kind() {
            EntryKind::Anchor => ("the CA", "anchor"),
            EntryKind::KeyPin | EntryKind::Pin => ("the partner", "pin"),
        };
        let end = show(validity.not_after());
        match validity.standing(self.now) {
            Standing::Early => self.find(
                FindingCode::NotYetValid,
                place.clone(),
                format!("its validity begins at {}", show(validity.not_before())),
                "check the clock of this machine, or wait",
            ),
            Standing::Late => self.find(
                FindingCode::Expired,
                place.clone(),
                format!("its validity ended at {end}"),
                format!("ask {whose} for the renewed one, add it as {renewed}, and remove this one"),
            ),
            Standing::Within if validity.not_after() <= self.until => self.find(
                FindingCode::ExpiresSoon,
                place.clone(),
                format!("its validity ends at {end}"),
                format!("ask {whose} for the renewed one, and add it as {renewed} beside this one"),
            ),
            Standing::Within => {}
        }
    }

    fn anchor(&mut self, place: &Place, entry: &Entry, used: Option<&BTreeSet<Fingerprint>>) {
        if let Some(oddity) = entry.oddity() {
            self.find(
                FindingCode::OddAnchor,
                place.clone(),
                format!("it was added although {oddity}"),
                "take it out if it is no CA: its holder can make certificates for everybody",
            );
        }
        if used.is_some_and(|used| !used.contains(&entry.certificate().fingerprint())) {
            self.find(
                FindingCode::AnchorWithoutRule,
                place.clone(),
                "no rule can match what it vouches for",
                "write a rule under it, or take it out",
            );
        }
    }

    /// The anchors that rules name; `None` if some rule names a certificate or key that any of them could vouch for.
    fn used_anchors(&self) -> Option<BTreeSet<Fingerprint>> {
        let outside = self.outside_every_bundle().next().is_some();
        let named = self.parts.rules.rules().filter_map(|rule| Some(rule.selector.ca()?.anchor()));
        (!outside).then(|| named.collect())
    }

    fn pin(&mut self, place: &Place, bundle: &TrustBundle, entry: &Entry) {
        let certificate = entry.certificate();
        let key = certificate.key_type();
        if is_uncommon(key) {
            self.find(
                FindingCode::UncommonKey,
                place.clone(),
                format!("its key is of type {key}, which many servers and some builds of this program do not verify"),
                "have the partner make a key of type EC P-256 or RSA when it renews",
            );
        }
        let exact = self.parts.rules.exact(certificate.fingerprint(), certificate.spki_fingerprint(), &mut NoTrace);
        if matches!(exact, Lookup::None) && !self.may_be_named(bundle, certificate) {
            self.find(
                FindingCode::UnmappedCertificate,
                place.clone(),
                "it is trusted, and no rule says whose it is",
                "map it to a user, or take it out",
            );
        }
    }

    /// True if an anchor of the bundle has the name of its issuer, and a rule is under that.
    fn may_be_named(&self, bundle: &TrustBundle, certificate: &Certificate) -> bool {
        let named: BTreeSet<_> =
            self.parts.rules.rules().filter_map(|rule| Some(rule.selector.ca()?.anchor())).collect();
        let mut anchors = bundle.entries().filter(|entry| entry.kind() == EntryKind::Anchor).map(Entry::certificate);
        anchors.any(|anchor| named.contains(&anchor.fingerprint())) && !certificate.is_self_issued()
    }

    fn signature(&mut self, place: &Place, certificate: &Certificate) {
        if let Some(algorithm) = old_signature(certificate) {
            self.find(
                FindingCode::OldSignature,
                place.clone(),
                format!("it is signed by the old algorithm {algorithm}: a pin does not mind, most other programs do"),
                "have the partner make a certificate that is signed with SHA-256",
            );
        }
    }

    /// Whether a denial means a CA that is known. It can be for an intermediate, which comes with its clients.
    fn denied_issuers(&mut self) {
        let known = self.known_issuers();
        let mut unknown: BTreeMap<AlikeName, Vec<&Denial>> = BTreeMap::new();
        for denial in &self.parts.denials {
            let Some((issuer, _)) = denial.denied_serial() else { continue };
            let issuer = issuer.alike().flat();
            if !known.contains(&issuer) {
                unknown.entry(issuer).or_default().push(denial);
            }
        }
        if unknown.is_empty() {
            return;
        }
        let cas = self.names_of_cas();
        // There may be thousands of one issuer, which is looked for once.
        for denials in unknown.into_values() {
            let issuers = denials.iter().filter_map(|denial| Some(denial.denied_serial()?.0.to_string()));
            let spellings: BTreeSet<String> = issuers.collect();
            let Some(near) = cas.values().find(|ca| spellings.iter().any(|one| nearly(ca, one))) else { continue };
            for denial in denials {
                self.find(
                    FindingCode::NearMissIssuer,
                    Place::Denial(denial.clone()),
                    format!("no CA that is known has this name, but `{near}` is one"),
                    "correct the issuer, unless that is another CA",
                );
            }
        }
    }

    /// Every name that stands in an entry or a list: a denial of it is no typing error.
    fn known_issuers(&self) -> BTreeSet<AlikeName> {
        let entries = self.all_entries().map(|(_, entry)| entry.certificate());
        let names = entries.flat_map(|certificate| [certificate.subject(), certificate.issuer()]);
        let lists = self.parts.revocation.lists().map(RevocationList::issuer);
        names.chain(lists).map(|name| name.alike().flat()).collect()
    }

    /// The names of what is an anchor or says that it is a CA, and of whoever issued an entry or a list.
    fn names_of_cas(&self) -> BTreeMap<AlikeName, String> {
        let names = self.all_entries().flat_map(|(_, entry)| {
            let certificate = entry.certificate();
            let is_ca = entry.kind() == EntryKind::Anchor || certificate.is_ca();
            let issuer = (!certificate.is_self_issued()).then(|| certificate.issuer());
            is_ca.then(|| certificate.subject()).into_iter().chain(issuer)
        });
        let lists = self.parts.revocation.lists().map(RevocationList::issuer);
        let mut texts = BTreeMap::new();
        for name in names.chain(lists) {
            texts.entry(name.alike().flat()).or_insert_with(|| name.to_string());
        }
        texts
    }

    pub(super) fn denials(&mut self) {
        self.denied_issuers();
        // What an anchor has issued or a pinned key is carried by is not known.
        if self.has_anchors() {
            return;
        }
        let has_key_pins = self.all_entries().any(|(_, entry)| entry.kind() == EntryKind::KeyPin);
        for denial in self.parts.denials.clone() {
            let known = self.all_entries().any(|(_, entry)| denial.hits(entry.certificate()));
            if !known && (denial.denied_key().is_some() || !has_key_pins) {
                self.find(
                    FindingCode::DenialHitsNothing,
                    Place::Denial(denial.clone()),
                    "it hits no certificate of any bundle, and nobody else is admitted",
                    "lift it, or correct it",
                );
            }
        }
    }
}
