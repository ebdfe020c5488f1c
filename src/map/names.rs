//! (private) What a certificate says, as values that rules may look at, and whether a test holds of it.
//!
//! What cannot be a value (opaque, malformed, hidden characters, wildcards) is kept as a place without value: it matches
//! nothing, and it is there. The values are grouped, because a test must not cost more for a certificate with many names.

use core::cell::OnceCell;
use core::fmt;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::field::Value;
use super::index::Probe;
use super::name_test::{NameTest, Node, Quantifier, ValueTest};
use super::places::{LookedAt, Place, Reader};
use super::{Field, Part};
use crate::cert::Certificate;
use crate::strength::Strength;
use crate::trace::{Check, Trace};

/// Everything of one certificate that a rule can look at.
#[derive(Debug, Default)]
pub(super) struct Names {
    fields: BTreeMap<Field, Places>,
    /// Each `otherName` whose kind cannot be read: it could be of any kind that is not among the fields.
    unreadable: View,
    /// What stands in a field that the certificate does not have.
    nothing: View,
    control_character: bool,
}

/// Where the values of one field stand.
#[derive(Debug)]
struct Places {
    view: View,
    /// The same with the attributes of multi-valued RDNs, if there are any.
    multi_valued: Option<View>,
}

/// The places of one field in the order of the certificate, without value where none counts.
#[derive(Debug, Default)]
struct View {
    places: Vec<Option<Value>>,
    /// If there are many: their values, and those without case, sorted and without repetition.
    values: Vec<Value>,
    folded: Vec<Value>,
    /// The values as [`Value::alike`] has them, once they are asked for.
    alike: OnceCell<BTreeSet<Value>>,
    /// True if two of the places are in one RDN, which has no order.
    unordered: bool,
    has_value: bool,
    has_other: bool,
}

/// Places up to this number are looked at one by one.
const FEW: usize = 8;

impl View {
    fn new(field: &Field, places: Vec<Option<Value>>) -> Self {
        let has_value = places.iter().any(Option::is_some);
        let has_other = places.iter().any(Option::is_none);
        let (mut values, mut folded) = (Vec::new(), Vec::new());
        if places.len() > FEW {
            values.extend(places.iter().flatten().cloned());
            folded.extend(values.iter().filter_map(|value| value.folded(field)));
            for values in [&mut values, &mut folded] {
                values.sort_unstable();
                values.dedup();
            }
        }
        Self { places, values, folded, has_value, has_other, ..Self::default() }
    }

    /// The values that are compared, if there are many.
    fn many(&self, test: &ValueTest) -> &[Value] {
        if test.ignoring_case { &self.folded } else { &self.values }
    }

    /// True if some value is what the test looks for.
    fn any(&self, test: &ValueTest) -> bool {
        match &test.value {
            None => self.has_value,
            Some(_) if self.places.len() <= FEW => self.places.iter().flatten().any(|value| test.is(value)),
            Some(wanted) => self.many(test).binary_search(wanted).is_ok(),
        }
    }

    /// True if some value could be read as this one.
    fn may_have(&self, wanted: &Value) -> bool {
        let alike = self.alike.get_or_init(|| self.places.iter().flatten().map(Value::alike).collect());
        alike.contains(&wanted.alike()) || self.places.iter().flatten().any(Value::is_any_policy)
    }

    /// True if nothing else stands there. Asked only where some value is what the test looks for.
    fn only(&self, test: &ValueTest) -> bool {
        let one = match &test.value {
            None => true,
            Some(_) if self.places.len() <= FEW => self.places.iter().flatten().all(|value| test.is(value)),
            Some(_) => self.many(test).len() == 1,
        };
        one && !self.has_other
    }

    fn nth(&self, place: core::num::NonZeroU16) -> Option<&Value> {
        if self.unordered {
            return None;
        }
        self.places.get(usize::from(place.get()) - 1)?.as_ref()
    }
}

impl Places {
    fn new(field: &Field, places: Vec<Place>) -> Self {
        let shared = places.iter().any(|place| place.multi_valued);
        let unordered = places.iter().any(|place| place.beside_another);
        let wider = || View::new(field, places.iter().map(|place| place.value.clone()).collect());
        let multi_valued = shared.then(|| View { unordered, ..wider() });
        let value = |place: Place| place.value.filter(|_| !place.multi_valued);
        Self { view: View::new(field, places.into_iter().map(value).collect()), multi_valued }
    }

    /// Every value that stands there, in whatever RDN.
    fn widest(&self) -> &View {
        self.multi_valued.as_ref().unwrap_or(&self.view)
    }
}

impl Names {
    /// Everything.
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self::read(certificate, Reader::new(None))
    }

    /// What stands in these fields, and whether any name has a control character.
    pub(super) fn looked_at(certificate: &Certificate, fields: &LookedAt) -> Self {
        Self::read(certificate, Reader::new(Some(fields)))
    }

    fn read(certificate: &Certificate, mut reader: Reader<'_>) -> Self {
        reader.read(certificate);
        let places = |(field, places)| {
            let places = Places::new(&field, places);
            (field, places)
        };
        Self {
            fields: reader.fields.into_iter().map(places).collect(),
            unreadable: View {
                has_other: reader.unreadable > 0,
                places: vec![None; reader.unreadable],
                ..View::default()
            },
            nothing: View::default(),
            control_character: reader.control_character,
        }
    }

    /// True if a name has a NUL or another control character. Somewhere a reader stops there, so none of the certificate's
    /// names counts.
    pub(super) fn has_control_character(&self) -> bool {
        self.control_character
    }

    /// Every way in which this certificate can lead to a rule.
    pub(super) fn probes<'a>(&'a self, add: &mut impl FnMut(&Probe<'a>)) {
        add(&Probe::Every);
        for (field, places) in &self.fields {
            let view = places.widest();
            if view.has_value {
                add(&Probe::Present(field));
            }
            for value in view.places.iter().flatten() {
                add(&Probe::Is(field, value));
                if let Some(folded) = value.folded(field) {
                    add(&Probe::Folded(field, Cow::Owned(folded)));
                }
            }
        }
    }

    /// The places of a field.
    fn view(&self, field: &Field, multi_valued: bool) -> &View {
        match self.fields.get(field) {
            Some(places) if multi_valued => places.widest(),
            Some(places) => &places.view,
            None if field.is_other_name() => &self.unreadable,
            None => &self.nothing,
        }
    }

    /// The text that a part of a template takes, before anything is stripped.
    pub(super) fn part<'a>(&'a self, part: &Part) -> Option<&'a str> {
        let view = self.view(&part.field, part.multi_valued);
        let value = match (part.nth, view.places.as_slice()) {
            (None, [only]) => only.as_ref(),
            (None, _) => None,
            (Some(nth), _) => view.nth(nth),
        };
        match value? {
            Value::Text(text) => Some(text),
            Value::Bytes(_) | Value::Ip(_) | Value::Name(_) | Value::Oid(_) | Value::Serial(_) => None,
        }
    }
}

impl ValueTest {
    fn is(&self, value: &Value) -> bool {
        match &self.value {
            None => true,
            Some(wanted) if self.ignoring_case => value.folded(&self.field).as_ref() == Some(wanted),
            Some(wanted) => value == wanted,
        }
    }

    pub(super) fn holds(&self, names: &Names) -> bool {
        let view = names.view(&self.field, self.multi_valued);
        match self.quantifier {
            Quantifier::All => view.any(self) && view.only(self),
            Quantifier::Any => view.any(self),
            Quantifier::ExactlyOne => view.places.len() == 1 && view.any(self),
            Quantifier::Nth(nth) => view.nth(nth).is_some_and(|value| self.is(value)),
        }
    }

    /// True unless surely no value is what is looked for, in any way in which somebody reads it.
    fn may_hold(&self, names: &Names) -> bool {
        let view = names.view(&self.field, true);
        view.has_other || self.value.as_ref().map_or(view.has_value, |wanted| view.may_have(wanted))
    }

    pub(super) fn probe(&self) -> Probe<'_> {
        match &self.value {
            None => Probe::Present(&self.field),
            Some(value) if self.ignoring_case => Probe::Folded(&self.field, Cow::Borrowed(value)),
            Some(value) => Probe::Is(&self.field, value),
        }
    }
}

impl NameTest {
    /// How strongly the certificate is matched, if it is. `one_issuer`: its serial number can mean one certificate only.
    pub(super) fn matched(&self, names: &Names, one_issuer: bool, trace: &mut impl Trace) -> Option<Strength> {
        match &self.0 {
            Node::All { tests, none } => {
                let mut strength = Strength::Name;
                for test in tests {
                    strength = strength.max(test.matched(names, one_issuer, trace)?);
                }
                match none.iter().find(|test| test.may_match(names)) {
                    Some(excluded) => {
                        let expected = format_args!("no {excluded}");
                        trace.compare(Check::NotExcluded, false, expected, format_args!("{}", Found(names, excluded)));
                        None
                    }
                    None => Some(strength),
                }
            }
            // Every alternative is asked: the strongest one that holds is what the adversary would have needed.
            Node::Any { tests } => tests.iter().filter_map(|test| test.matched(names, one_issuer, trace)).max(),
            Node::Every => Some(Strength::Name),
            Node::Value(test) => {
                let holds = test.holds(names) && (one_issuer || test.field != Field::Serial);
                trace.compare(Check::NameTest, holds, format_args!("{self}"), format_args!("{}", Found(names, self)));
                holds.then(|| test.strength())
            }
        }
    }

    /// For what is under a `not`: true unless it surely does not hold.
    pub(super) fn may_match(&self, names: &Names) -> bool {
        match &self.0 {
            Node::All { tests, none: _ } => tests.iter().all(|test| test.may_match(names)),
            Node::Any { tests } => tests.iter().any(|test| test.may_match(names)),
            Node::Every => true,
            Node::Value(test) => test.may_hold(names),
        }
    }

    /// One probe for each alternative: of the members of an `all` the one that the fewest rules look for.
    pub(super) fn index<'a>(&'a self, rules_for: &impl Fn(&Probe<'a>) -> usize) -> Vec<Probe<'a>> {
        match &self.0 {
            Node::All { tests, none: _ } => {
                let cost = |probes: &Vec<Probe<'a>>| probes.iter().map(rules_for).max();
                let indexes = tests.iter().map(|test| test.index(rules_for));
                indexes.min_by_key(|probes| (cost(probes), probes.clone())).unwrap_or_default()
            }
            Node::Any { tests } => tests.iter().flat_map(|test| test.index(rules_for)).collect(),
            Node::Every => vec![Probe::Every],
            Node::Value(test) => vec![test.probe()],
        }
    }

    /// Every probe that the index could use.
    pub(super) fn probes<'a>(&'a self, add: &mut impl FnMut(Probe<'a>)) {
        match &self.0 {
            Node::All { tests, none: _ } | Node::Any { tests } => tests.iter().for_each(|test| test.probes(add)),
            Node::Every => add(Probe::Every),
            Node::Value(test) => add(test.probe()),
        }
    }
}

/// What a certificate has where a test looks: `dns "a.example", dns "b.example"`.
pub(super) struct Found<'a>(pub(super) &'a Names, pub(super) &'a NameTest);

impl Found<'_> {
    /// Values shown of one field.
    const MOST: usize = 8;

    fn fields<'a>(test: &'a NameTest, fields: &mut BTreeSet<&'a Field>) {
        match &test.0 {
            Node::All { tests, none: _ } | Node::Any { tests } => {
                for test in tests {
                    Self::fields(test, fields);
                }
            }
            Node::Every => {}
            Node::Value(test) => {
                fields.insert(&test.field);
            }
        }
    }
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, test) = self;
        let mut fields = BTreeSet::new();
        Self::fields(test, &mut fields);
        let mut separator = "";
        for field in fields {
            let places = &names.view(field, true).places;
            if places.is_empty() {
                write!(f, "{separator}no {field}")?;
                separator = ", ";
            }
            for place in places.iter().take(Self::MOST) {
                match place {
                    Some(value) => write!(f, "{separator}{field} {value}")?,
                    None => write!(f, "{separator}{field} with something that no rule matches")?,
                }
                separator = ", ";
            }
            if places.len() > Self::MOST {
                write!(f, " and {} more", places.len() - Self::MOST)?;
            }
        }
        if separator.is_empty() { f.write_str("every certificate") } else { Ok(()) }
    }
}
