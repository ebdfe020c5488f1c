//! (private) What a certificate says, as values that rules may look at, and whether a test holds of it.
//!
//! What cannot be a value (opaque, malformed, hidden characters, wildcards) is kept as a place without value: it matches
//! nothing, and it is there. The values are grouped, because a test must not cost more for a certificate with many names.

use core::cell::OnceCell;
use core::fmt;
use core::num::NonZeroU16;
use core::ops::Range;
use std::borrow::Cow;
use std::collections::BTreeSet;

use super::field::{Alike, Value};
use super::index::{Probe, Ways};
use super::name_test::{NameTest, Node, Quantifier, ValueTest};
use super::places::{LookedAt, Place, Read, Reader};
use super::{Field, Part, UserSource};
use crate::cert::Certificate;
use crate::strength::Strength;
use crate::trace::{Check, Trace};

/// Everything of one certificate that a rule can look at.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Those of one field beside each other, in the order of the certificate.
    places: Vec<Seat>,
    /// Sorted by field, each once.
    fields: Vec<(Field, Group)>,
    /// Each `otherName` whose kind cannot be read: it could be of any kind that is not among the fields.
    unreadable: Group,
    /// What stands in a field that the certificate does not have.
    nothing: Group,
    control_character: bool,
}

/// One place of a field, without value where none counts.
#[derive(Debug)]
struct Seat {
    value: Option<Value>,
    multi_valued: bool,
}

/// The places of one field, and what is known of all of them.
#[derive(Debug, Default)]
struct Group {
    places: Range<usize>,
    /// True if two of the places are in one RDN, which has no order.
    unordered: bool,
    /// The values of many places, once they are asked for: without and with the attributes of multi-valued RDNs.
    many: [OnceCell<Box<Many>>; 2],
    /// The values as [`Value::alike`] has them, once they are asked for.
    alike: OnceCell<BTreeSet<Alike>>,
}

/// The values of many places, and those without case, sorted and without repetition.
#[derive(Debug)]
struct Many {
    values: Vec<Value>,
    folded: Vec<Value>,
    has_other: bool,
}

/// Places up to this number are looked at one by one.
const FEW: usize = 8;

/// The places of one field as a test sees them.
#[derive(Clone, Copy)]
struct View<'a> {
    places: &'a [Seat],
    group: &'a Group,
    /// What stands in a multi-valued RDN is a value too.
    multi_valued: bool,
}

impl<'a> View<'a> {
    fn all(self) -> impl ExactSizeIterator<Item = Option<&'a Value>> {
        self.places.iter().map(move |seat| seat.value.as_ref().filter(|_| self.multi_valued || !seat.multi_valued))
    }

    fn values(self) -> impl Iterator<Item = &'a Value> {
        self.all().flatten()
    }

    /// Of many places what is asked of all of them; `None` if there are few.
    fn many(self, field: &Field) -> Option<&'a Many> {
        let [narrow, wide] = &self.group.many;
        let many = if self.multi_valued { wide } else { narrow };
        (self.places.len() > FEW).then(|| &**many.get_or_init(|| Box::new(Many::of(self, field))))
    }

    /// True if some value is what the test looks for.
    fn any(self, test: &ValueTest) -> bool {
        match (&test.value, self.many(&test.field)) {
            (_, None) => self.values().any(|value| test.is(value)),
            (None, Some(many)) => !many.values.is_empty(),
            (Some(wanted), Some(many)) => many.compared(test).binary_search(wanted).is_ok(),
        }
    }

    /// True if some value could be read as this one.
    fn may_have(self, wanted: &Value) -> bool {
        let alike = self.group.alike.get_or_init(|| self.values().map(Value::alike).collect());
        let could_be = alike.contains(&Alike::Anything) || alike.contains(&wanted.alike());
        could_be || self.values().any(Value::is_any_policy)
    }

    /// True if nothing else stands there. Asked only where some value is what the test looks for.
    fn only(self, test: &ValueTest) -> bool {
        match self.many(&test.field) {
            None => self.all().all(|value| value.is_some_and(|value| test.is(value))),
            Some(many) => !many.has_other && (test.value.is_none() || many.compared(test).len() == 1),
        }
    }

    /// True if something stands there that is no value.
    fn has_other(self, field: &Field) -> bool {
        self.many(field).map_or_else(|| self.all().any(|value| value.is_none()), |many| many.has_other)
    }

    fn nth(self, place: NonZeroU16) -> Option<&'a Value> {
        if self.group.unordered {
            return None;
        }
        self.all().nth(usize::from(place.get()) - 1)?
    }
}

impl Many {
    fn of(view: View<'_>, field: &Field) -> Self {
        let mut values: Vec<_> = view.values().cloned().collect();
        let mut folded: Vec<_> = values.iter().filter_map(|value| value.folded(field)).map(Cow::into_owned).collect();
        for values in [&mut values, &mut folded] {
            values.sort_unstable();
            values.dedup();
        }
        Self { values, folded, has_other: view.all().any(|value| value.is_none()) }
    }

    /// The values that are compared.
    fn compared(&self, test: &ValueTest) -> &[Value] {
        if test.ignoring_case { &self.folded } else { &self.values }
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

    fn read(certificate: &Certificate, reader: Reader<'_>) -> Self {
        let Read { places: mut read, unreadable, control_character } = reader.read(certificate);
        // Keeps the order of the places of one field.
        read.sort_by(|one, other| one.field.cmp(&other.field));
        let mut names = Self { places: Vec::with_capacity(read.len()), control_character, ..Self::default() };
        let mut unread = unreadable.iter().peekable();
        for Place { field, at, value, multi_valued, beside_another } in read {
            if names.fields.last().is_none_or(|(last, _)| *last != field) {
                names.close(unread);
                unread = if field.is_other_name() { unreadable.iter() } else { [].iter() }.peekable();
                names.fields.push((field, Group { places: names.end(), ..Group::default() }));
            }
            while unread.next_if(|before| **before <= at).is_some() {
                names.places.push(Seat::EMPTY);
            }
            names.places.push(Seat { value, multi_valued });
            if let Some((_, group)) = names.fields.last_mut() {
                group.unordered |= beside_another;
            }
        }
        names.close(unread);
        let start = names.places.len();
        names.places.extend(unreadable.iter().map(|_| Seat::EMPTY));
        names.unreadable.places = start..names.places.len();
        names
    }

    /// Ends the field that was read last, with what may be of its kind and stands after it.
    fn close<'a>(&mut self, unread: impl Iterator<Item = &'a usize>) {
        let Some((_, group)) = self.fields.last_mut() else { return };
        self.places.extend(unread.map(|_| Seat::EMPTY));
        group.places.end = self.places.len();
    }

    /// Where the next place will be.
    fn end(&self) -> Range<usize> {
        self.places.len()..self.places.len()
    }

    /// True if a name has a NUL or another control character. Somewhere a reader stops there, so none of the certificate's
    /// names counts.
    pub(super) fn has_control_character(&self) -> bool {
        self.control_character
    }

    /// How many places there are.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// Every way of these in which this certificate can lead to a rule.
    pub(super) fn probes<'a>(&'a self, ways: Ways, add: &mut impl FnMut(&Probe<'a>)) {
        add(&Probe::Every);
        for (field, group) in &self.fields {
            let view = self.seen(group, true);
            if ways.present && view.values().next().is_some() {
                add(&Probe::Present(field));
            }
            for value in view.values() {
                add(&Probe::Is(field, value));
                if let Some(folded) = value.folded(field).filter(|_| ways.folded) {
                    add(&Probe::Folded(field, folded));
                }
            }
        }
    }

    /// The places of a field.
    fn view(&self, field: &Field, multi_valued: bool) -> View<'_> {
        let found = self.fields.binary_search_by(|(known, _)| known.cmp(field)).ok().and_then(|at| self.fields.get(at));
        let group = match found {
            Some((_, group)) => group,
            None if field.is_other_name() => &self.unreadable,
            None => &self.nothing,
        };
        self.seen(group, multi_valued)
    }

    fn seen<'a>(&'a self, group: &'a Group, multi_valued: bool) -> View<'a> {
        View { places: self.places.get(group.places.clone()).unwrap_or_default(), group, multi_valued }
    }

    /// The text that a part of a template takes, before anything is stripped.
    pub(super) fn part<'a>(&'a self, part: &Part) -> Option<&'a str> {
        let view = self.view(&part.field, part.multi_valued);
        let mut all = view.all();
        let value = match part.nth {
            None if all.len() == 1 => all.next().flatten(),
            None => None,
            Some(nth) => view.nth(nth),
        };
        match value? {
            Value::Text(text) => Some(text),
            Value::Bytes(_) | Value::Ip(_) | Value::Name(_) | Value::Oid(_) | Value::Serial(_) => None,
        }
    }
}

impl Seat {
    const EMPTY: Self = Self { value: None, multi_valued: false };
}

impl ValueTest {
    fn is(&self, value: &Value) -> bool {
        match &self.value {
            None => true,
            Some(wanted) if self.ignoring_case => value.folded(&self.field).as_deref() == Some(wanted),
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
        view.has_other(&self.field)
            || self.value.as_ref().map_or_else(|| view.any(self), |wanted| view.may_have(wanted))
    }

    /// True if it wants the only value of its field, and there are several places.
    pub(super) fn wants_one_of_several(&self, names: &Names) -> bool {
        self.quantifier == Quantifier::ExactlyOne && names.view(&self.field, true).places.len() > 1
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

/// What a certificate has where a user name is taken from.
pub(super) struct Taken<'a>(pub(super) &'a Names, pub(super) &'a UserSource);

/// Values shown of one field.
const MOST: usize = 8;

impl Found<'_> {
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
        write_values(f, names, fields)
    }
}

impl fmt::Display for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, source) = self;
        write_values(f, names, source.fields().collect())
    }
}

fn write_values(f: &mut fmt::Formatter<'_>, names: &Names, fields: BTreeSet<&Field>) -> fmt::Result {
    let mut separator = "";
    for field in fields {
        let places = names.view(field, true).all();
        let count = places.len();
        if count == 0 {
            write!(f, "{separator}no {field}")?;
            separator = ", ";
        }
        for place in places.take(MOST) {
            match place {
                Some(value) => write!(f, "{separator}{field} {value}")?,
                None => write!(f, "{separator}{field} with something that no rule matches")?,
            }
            separator = ", ";
        }
        if count > MOST {
            write!(f, " and {} more", count - MOST)?;
        }
    }
    Ok(())
}
