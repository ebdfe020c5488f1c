//! (private) What is odd about rules.

use std::collections::BTreeSet;

use super::lint::Lint;
use super::{FindingCode, Place};
use crate::cert::Certificate;
use crate::map::{self, Selector};
use crate::trust::{Entry, EntryKind, TrustBundle};

impl<'a> Lint<'a> {
    pub(super) fn rules(&mut self) {
        if self.parts.rules.len() == 0 {
            self.find(
                FindingCode::EmptyMappingTable,
                Place::Policy,
                "it has no rule, so it admits nobody as a user",
                "map certificates to users",
            );
        }
        if self.has_anchors() {
            self.ca_as_client();
        } else {
            self.outside();
        }
        let rules: Vec<map::Rule<'a>> = self.parts.rules.rules().collect();
        for rule in rules {
            self.name_rule(rule);
        }
        let rules = self.parts.rules;
        for [narrow, wide] in rules.overlaps() {
            self.find(
                FindingCode::OverlappingRules,
                Place::Rule(narrow.clone()),
                format!("whatever it matches is another user by `{wide}`, and so refused"),
                "remove one of the two, or exclude with `not` what the other one is for",
            );
        }
    }

    /// The rules for one exact certificate or key that no bundle has as a pin.
    pub(super) fn outside_every_bundle(&self) -> impl Iterator<Item = &'a Selector> + use<'a> {
        let pins = self.all_entries().map(|(_, entry)| entry).filter(|entry| entry.kind() != EntryKind::Anchor);
        let named = |entry: &Entry| {
            let certificate = entry.certificate();
            [Selector::certificate(certificate.fingerprint()), Selector::key(certificate.spki_fingerprint())]
        };
        let pinned: BTreeSet<Selector> = pins.flat_map(named).collect();
        let selectors = self.parts.rules.rules().map(|rule| rule.selector).filter(|selector| selector.ca().is_none());
        selectors.filter(|selector| !pinned.contains(selector)).collect::<Vec<_>>().into_iter()
    }

    fn outside(&mut self) {
        for selector in self.outside_every_bundle() {
            self.find(
                FindingCode::OutsideEveryBundle,
                Place::Rule(selector.clone()),
                "no bundle has what it names, and there is no anchor that could vouch for it",
                "add the certificate to a bundle, or remove the rule",
            );
        }
    }

    /// Rules for an anchor's own certificate, where what it issues was meant. One that does not say that it is a CA's can be a
    /// client's, and so can whatever carries a pinned key.
    fn ca_as_client(&mut self) {
        let entries = || self.all_entries().map(|(_, entry)| entry);
        let of_kind = |kind| entries().filter(move |entry| entry.kind() == kind).map(Entry::certificate);
        let keys: BTreeSet<_> = of_kind(EntryKind::KeyPin).map(Certificate::spki_fingerprint).collect();
        let says_ca = |one: &&Certificate| one.is_ca() || one.extensions().key_cert_sign() == Some(true);
        let refused = of_kind(EntryKind::Anchor).filter(says_ca).filter(|one| !keys.contains(&one.spki_fingerprint()));
        let anchors: BTreeSet<_> = refused.map(|one| Selector::certificate(one.fingerprint())).collect();
        for selector in self.outside_every_bundle().filter(|selector| anchors.contains(selector)) {
            self.find(
                FindingCode::CaAsClient,
                Place::Rule(selector.clone()),
                "it names the certificate of an anchor, which is refused as a client's",
                "write `under` and a test for what that CA issues, or add the certificate as a pin if it is a partner's own",
            );
        }
    }

    fn name_rule(&mut self, rule: map::Rule<'_>) {
        let map::Rule { selector, source, names: _, exception: _ } = rule;
        let Some(path) = selector.ca() else { return };
        let place = || Place::Rule(selector.clone());
        if let Some(user) = source.constant().filter(|_| selector.takes_any_value()) {
            let which = if selector.is_every_certificate() { "" } else { " that has such a name, whatever it says," };
            self.find(
                FindingCode::EveryCertificate,
                place(),
                format!("whoever gets a certificate below this CA{which} is user `{user}`"),
                "leave it if one partner runs this CA for itself; else say which certificates are meant",
            );
        }
        if selector.rests_on_common_name() || source.takes_common_name() {
            self.find(
                FindingCode::CommonNameRule,
                place(),
                "it rests on the common name, which CAs let their customers write more freely than alternative names",
                "look for an alternative name, or for more of the subject",
            );
        }
        let anchor = path.anchor();
        let open = |bundle: &&TrustBundle| may_have_intermediates(bundle, bundle.find(&anchor));
        if selector.takes_any_issuer() && self.bundles.values().any(open) {
            self.find(
                FindingCode::IssuerNotStated,
                place(),
                "any CA below this anchor can issue what it matches, the most careless one too",
                "say which one with `issued-by` or `through`, or limit the path length of the bundle to 0",
            );
        }
    }
}

fn may_have_intermediates(bundle: &TrustBundle, anchor: Option<&Entry>) -> bool {
    let Some(anchor) = anchor.filter(|entry| entry.kind() == EntryKind::Anchor) else { return false };
    let own = anchor.certificate().extensions().basic_constraints().and_then(|constraints| constraints.path_len);
    ![own, bundle.path_length()].contains(&Some(0))
}
