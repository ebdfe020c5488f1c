//! (private) What a certificate says, as values that rules may look at, and whether a test holds of it.
//!
//! What cannot be a value (opaque, malformed, hidden characters, wildcards) is kept as a place without value: it matches
//! nothing, and it is there.

use core::fmt;
use std::collections::BTreeSet;

use super::field::Value;
use super::name_test::{NameTest, Node, Quantifier, ValueTest};
use super::{Field, Part};
use crate::cert::{AttributeValue, Certificate, GeneralName, RelativeDistinguishedName, explicit_value};
use crate::strength::Strength;
use crate::trace::{Check, Trace};

/// Everything of one certificate that a rule can look at, in the order of the certificate within each field.
#[derive(Debug)]
pub(super) struct Names {
    places: Vec<Place>,
    control_character: bool,
}

/// One place where a value stands.
#[derive(Debug)]
struct Place {
    /// `None` for an `otherName` whose kind cannot be read: it could be any.
    field: Option<Field>,
    value: Option<Value>,
    multi_valued: bool,
}

/// How a value of the certificate can lead to a rule: the keys of the index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Probe {
    /// Every certificate does.
    Every,
    Folded(Field, Value),
    Is(Field, Value),
    /// The field has some value.
    Present(Field),
}

impl Names {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let mut names = Self { places: Vec::new(), control_character: false };
        names.place(Field::Serial, Ok(Value::Serial(certificate.serial().clone())));
        let subject = certificate.subject();
        for rdn in subject.rdns() {
            let multi_valued = rdn.attributes().len() > 1;
            for attribute in rdn.attributes() {
                let field = Field::Attribute(attribute.kind().clone());
                let value = names.attribute(&field, attribute.value());
                names.places.push(Place { field: Some(field), value, multi_valued });
            }
        }
        names.place(Field::Subject, Value::name(subject));
        certificate.subject_alternative_names().iter().for_each(|name| names.alternative(name));
        match certificate.certificate_policies() {
            Ok(policies) => {
                for policy in policies {
                    names.place(Field::CertificatePolicy, Ok(Value::Oid(policy)));
                }
            }
            Err(_) => names.place(Field::CertificatePolicy, Err("malformed")),
        }
        for (kind, der) in certificate.extension_values() {
            let field = Field::Extension(kind);
            let value = AttributeValue::from_der(&der).ok_or("malformed");
            let value = value.and_then(|value| Value::decoded(&field, &value));
            names.place(field, value);
        }
        names
    }

    fn place(&mut self, field: Field, value: Result<Value, &'static str>) {
        self.places.push(Place { field: Some(field), value: value.ok(), multi_valued: false });
    }

    fn attribute(&mut self, field: &Field, value: &AttributeValue) -> Option<Value> {
        match value {
            AttributeValue::Text(text) => {
                self.look_for_control_characters(text);
                Value::text(field, text).ok()
            }
            AttributeValue::Opaque(_) => None,
        }
    }

    fn text(&mut self, field: Field, text: &str) {
        self.look_for_control_characters(text);
        let value = Value::text(&field, text);
        self.place(field, value);
    }

    fn look_for_control_characters(&mut self, text: &str) {
        self.control_character |= text.contains(char::is_control);
    }

    fn alternative(&mut self, name: &GeneralName) {
        match name {
            GeneralName::Directory(name) => {
                for attribute in name.rdns().flat_map(RelativeDistinguishedName::attributes) {
                    if let AttributeValue::Text(text) = attribute.value() {
                        self.look_for_control_characters(text);
                    }
                }
                self.place(Field::Directory, Value::name(name.clone()));
            }
            GeneralName::Dns(text) => self.text(Field::Dns, text),
            GeneralName::Email(text) => self.text(Field::Email, text),
            GeneralName::Ip(address) => self.place(Field::Ip, Ok(Value::Ip(*address))),
            GeneralName::Malformed { tag, content: _ } => match tag {
                0 => self.places.push(Place { field: None, value: None, multi_valued: false }),
                1 => self.place(Field::Email, Err("malformed")),
                2 => self.place(Field::Dns, Err("malformed")),
                4 => self.place(Field::Directory, Err("malformed")),
                6 => self.place(Field::Uri, Err("malformed")),
                7 => self.place(Field::Ip, Err("malformed")),
                _ => {}
            },
            GeneralName::Other { kind, value } => {
                let field = Field::Other(kind.clone()).canonical();
                let value = explicit_value(value).ok_or("malformed");
                if let Ok(AttributeValue::Text(text)) = &value {
                    self.look_for_control_characters(text);
                }
                let value = value.and_then(|value| Value::decoded(&field, &value));
                self.place(field, value);
            }
            GeneralName::RegisteredId(_) => {}
            GeneralName::Uri(text) => self.text(Field::Uri, text),
        }
    }

    /// True if a name has a NUL or another control character. Somewhere a reader stops there, so none of the certificate's
    /// names counts.
    pub(super) fn has_control_character(&self) -> bool {
        self.control_character
    }

    /// Every way in which this certificate can lead to a rule.
    pub(super) fn probes(&self) -> impl Iterator<Item = Probe> {
        let of_value = |place: &Place| {
            let (field, value) = (place.field.clone()?, place.value.clone()?);
            let folded = value.folded(&field).map(|value| Probe::Folded(field.clone(), value));
            Some([Some(Probe::Present(field.clone())), Some(Probe::Is(field, value)), folded])
        };
        let probes = self.places.iter().filter_map(of_value).flatten().flatten();
        probes.chain([Probe::Every])
    }

    /// The places of a field, each with its value if that counts for the test.
    fn places<'a>(&'a self, field: &'a Field, multi_valued: bool) -> impl Iterator<Item = Option<&'a Value>> {
        let here = move |place: &&Place| match &place.field {
            Some(present) => present == field,
            None => field.is_other_name(),
        };
        let value = move |place: &'a Place| place.value.as_ref().filter(|_| multi_valued || !place.multi_valued);
        self.places.iter().filter(here).map(value)
    }

    /// The text that a part of a template takes, before anything is stripped.
    pub(super) fn part<'a>(&'a self, part: &'a Part) -> Option<&'a str> {
        let mut places = self.places(&part.field, part.multi_valued);
        let value = match part.nth {
            None => {
                let first = places.next()?;
                if places.next().is_some() {
                    return None;
                }
                first
            }
            Some(nth) => places.nth(usize::from(nth.get()) - 1)?,
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
        let mut places = names.places(&self.field, self.multi_valued);
        let is = |place: Option<&Value>| place.is_some_and(|value| self.is(value));
        match self.quantifier {
            Quantifier::All => places.next().is_some_and(is) && places.all(is),
            Quantifier::Any => places.any(is),
            Quantifier::ExactlyOne => places.next().is_some_and(is) && places.next().is_none(),
            Quantifier::Nth(nth) => places.nth(usize::from(nth.get()) - 1).is_some_and(is),
        }
    }

    /// True unless surely no value is what is looked for.
    fn may_hold(&self, names: &Names) -> bool {
        names.places(&self.field, true).any(|place| place.is_none_or(|value| self.is(value)))
    }

    pub(super) fn probe(&self) -> Probe {
        match &self.value {
            None => Probe::Present(self.field.clone()),
            Some(value) if self.ignoring_case => Probe::Folded(self.field.clone(), value.clone()),
            Some(value) => Probe::Is(self.field.clone(), value.clone()),
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
    pub(super) fn index(&self, rules_for: &impl Fn(&Probe) -> usize) -> Vec<Probe> {
        match &self.0 {
            Node::All { tests, none: _ } => {
                let cost = |probes: &Vec<Probe>| probes.iter().map(rules_for).max();
                let indexes = tests.iter().map(|test| test.index(rules_for));
                indexes.min_by_key(|probes| (cost(probes), probes.clone())).unwrap_or_default()
            }
            Node::Any { tests } => tests.iter().flat_map(|test| test.index(rules_for)).collect(),
            Node::Every => vec![Probe::Every],
            Node::Value(test) => vec![test.probe()],
        }
    }

    /// Every probe that the index could use.
    pub(super) fn probes(&self, add: &mut impl FnMut(Probe)) {
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
            let places: Vec<_> = names.places(field, true).collect();
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
