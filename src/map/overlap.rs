//! (private) What can be told about rules without any certificate: which are a part of others, and on what they rest.

use std::collections::BTreeSet;

use super::index::Probe;
use super::name_test::Node;
use super::selector::{Kind, Under};
use super::table::Rule;
use super::user_source::Source;
use super::{Field, MappingTable, NameTest, Part, Piece, Quantifier, Selector, UserSource, ValueTest};
use crate::cert::{COMMON_NAME, Fingerprint, SpkiFingerprint};

impl MappingTable {
    /// Pairs of rules with different users of which the second matches whatever the first one matches, sorted.
    ///
    /// What it tells is so; two rules that may meet in some certificate, and need not, it does not tell.
    pub(crate) fn overlaps(&self) -> Vec<[&Selector; 2]> {
        let mut found = Vec::new();
        let rules: Vec<_> = self.rules_under_anchors().collect();
        for rule in &rules {
            let Some(Under { path, test }) = rule.as_under() else { continue };
            let mut probes = BTreeSet::from([Probe::Every]);
            test.leading(&mut probes);
            let leads: Vec<_> = probes.iter().map(|probe| self.index.lead(probe)).collect();
            let wider: BTreeSet<usize> =
                self.index.rules(&path.anchor, &leads).into_iter().flatten().copied().collect();
            let wider = wider.into_iter().filter_map(|at| rules.get(at));
            found.extend(wider.filter(|wider| rule.is_part_of(wider)).map(|wider| [rule.selector, wider.selector]));
        }
        found
    }
}

impl Rule<'_> {
    fn is_part_of(&self, wider: &Self) -> bool {
        let (Some(narrow), Some(wide)) = (self.as_under(), wider.as_under()) else { return false };
        let path = wide.path.through.iter().all(|ca| narrow.path.through.contains(ca))
            && (narrow.path.issuer_key == wide.path.issuer_key
                // A serial number counts only where the issuer is known.
                || (wide.path.issuer_key.is_none() && !wide.test.asks_for_serial()));
        let users = self.source != wider.source && !self.source.excludes(wider.source);
        self.selector != wider.selector && users && path && narrow.test.implies(&wide.test)
    }
}

impl NameTest {
    /// Probes that lead to every rule that matches whatever this does.
    fn leading<'a>(&'a self, probes: &mut BTreeSet<Probe<'a>>) {
        match &self.0 {
            Node::All { tests, none: _ } => tests.iter().for_each(|test| test.leading(probes)),
            // What matches whatever any of them matches, matches whatever the first one does.
            Node::Any { tests } => tests.iter().take(1).for_each(|test| test.leading(probes)),
            Node::Every => {}
            Node::Value(test) => {
                probes.insert(Probe::Present(&test.field));
                probes.insert(test.probe());
                let folded = test.value.as_ref().and_then(|value| value.folded(&test.field));
                probes.extend(folded.map(|value| Probe::Folded(&test.field, value)));
            }
        }
    }

    /// True if the other surely holds wherever this one does.
    fn implies(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Node::Every) => true,
            (Node::Any { tests }, _) => tests.iter().all(|test| test.implies(other)),
            (_, Node::All { tests, none }) => none.is_empty() && tests.iter().all(|test| self.implies(test)),
            (_, Node::Any { tests }) if tests.iter().any(|test| self.implies(test)) => true,
            (Node::All { tests, none: _ }, _) => tests.iter().any(|test| test.implies(other)),
            (Node::Value(one), Node::Value(other)) => one.implies(other),
            (Node::Every | Node::Value(_), _) => false,
        }
    }

    fn asks_for_serial(&self) -> bool {
        match &self.0 {
            Node::All { tests, none: _ } | Node::Any { tests } => tests.iter().any(Self::asks_for_serial),
            Node::Every => false,
            Node::Value(test) => test.field == Field::Serial,
        }
    }

    /// True if whatever value a certificate has does.
    fn takes_any_value(&self) -> bool {
        match &self.0 {
            Node::All { tests, none: _ } => tests.iter().all(Self::takes_any_value),
            Node::Any { tests } => tests.iter().any(Self::takes_any_value),
            Node::Every => true,
            Node::Value(test) => test.value.is_none(),
        }
    }

    /// True if nothing but the common name has to be right.
    fn rests_on_common_name(&self) -> bool {
        match &self.0 {
            Node::All { tests, none: _ } => tests.iter().all(Self::rests_on_common_name),
            Node::Any { tests } => tests.iter().any(Self::rests_on_common_name),
            Node::Every => false,
            Node::Value(test) => is_common_name(&test.field),
        }
    }
}

impl ValueTest {
    fn implies(&self, other: &Self) -> bool {
        let value = match (&self.value, &other.value) {
            (_, None) => true,
            (Some(one), Some(wanted)) if other.ignoring_case => one.folded(&other.field).as_deref() == Some(wanted),
            (Some(one), Some(wanted)) => !self.ignoring_case && one == wanted,
            (None, Some(_)) => false,
        };
        let quantifier = match other.quantifier {
            Quantifier::Any => true,
            Quantifier::All => matches!(self.quantifier, Quantifier::All | Quantifier::ExactlyOne),
            Quantifier::ExactlyOne | Quantifier::Nth(_) => self.quantifier == other.quantifier,
        };
        self.field == other.field && value && quantifier && (other.multi_valued || !self.multi_valued)
    }
}

fn is_common_name(field: &Field) -> bool {
    matches!(field, Field::Attribute(kind) if kind.is(COMMON_NAME))
}

impl Selector {
    /// The certificate, if it is for exactly one.
    pub(crate) fn as_certificate(&self) -> Option<Fingerprint> {
        match &self.0 {
            Kind::Certificate(fingerprint) => Some(*fingerprint),
            Kind::Key(_) | Kind::Under(_) => None,
        }
    }

    /// The key, if it is for exactly one.
    pub(crate) fn as_key(&self) -> Option<SpkiFingerprint> {
        match &self.0 {
            Kind::Key(fingerprint) => Some(*fingerprint),
            Kind::Certificate(_) | Kind::Under(_) => None,
        }
    }

    /// True if it matches every certificate under its CA.
    pub(crate) fn is_every_certificate(&self) -> bool {
        matches!(&self.0, Kind::Under(under) if under.test == NameTest::every_certificate())
    }

    /// True if whatever value a certificate below its CA has does.
    pub(crate) fn takes_any_value(&self) -> bool {
        matches!(&self.0, Kind::Under(under) if under.test.takes_any_value())
    }

    /// True if nothing but the common name has to be right under its CA.
    pub(crate) fn rests_on_common_name(&self) -> bool {
        matches!(&self.0, Kind::Under(under) if under.test.rests_on_common_name())
    }

    /// True if any CA below the anchor may have issued the certificate.
    pub(crate) fn takes_any_issuer(&self) -> bool {
        self.ca().is_some_and(|path| path.through.is_empty() && path.issuer_key.is_none())
    }
}

impl UserSource {
    /// True if a part of the user's name is the common name.
    pub(crate) fn takes_common_name(&self) -> bool {
        let common_name = |piece: &Piece| matches!(piece, Piece::Part(Part { field, .. }) if is_common_name(field));
        matches!(&self.0, Source::Template(template) if template.pieces.iter().any(common_name))
    }
}
