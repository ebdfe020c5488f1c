//! (private) Where the values of a certificate stand: each place in its order, without value where no rule may match it.

use std::collections::{BTreeMap, BTreeSet};

use super::field::Value;
use super::name_test::{NameTest, Node};
use super::{Field, Rule};
use crate::cert::{Attribute, AttributeValue, Certificate, GeneralName, RelativeDistinguishedName, explicit_value};

/// The fields that rules look at: of a certificate nothing else need be read.
#[derive(Debug, Default)]
pub(super) struct LookedAt(BTreeSet<Field>);

impl LookedAt {
    /// What this rule looks at, in its tests and for the user's name.
    pub(super) fn add(&mut self, rule: &Rule<'_>) {
        rule.as_under().into_iter().for_each(|under| self.add_test(&under.test));
        rule.source.fields().for_each(|field| self.add_field(field));
    }

    fn add_test(&mut self, test: &NameTest) {
        match &test.0 {
            Node::All { tests, none } => tests.iter().chain(none).for_each(|test| self.add_test(test)),
            Node::Any { tests } => tests.iter().for_each(|test| self.add_test(test)),
            Node::Every => {}
            Node::Value(test) => self.add_field(&test.field),
        }
    }

    fn add_field(&mut self, field: &Field) {
        self.0.insert(field.clone());
    }

    fn has_extensions(&self) -> bool {
        self.0.iter().any(|field| matches!(field, Field::CertificatePolicy | Field::Extension(_)))
    }
}

/// Reads the places of a certificate, in its order.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    /// All if `None`.
    fields_looked_at: Option<&'a LookedAt>,
    pub(super) fields: BTreeMap<Field, Vec<Place>>,
    pub(super) unreadable: usize,
    pub(super) control_character: bool,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) value: Option<Value>,
    pub(super) multi_valued: bool,
    /// Its RDN has another attribute of this type.
    pub(super) beside_another: bool,
}

impl Place {
    fn of(value: Option<Value>) -> Self {
        Self { value, multi_valued: false, beside_another: false }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(fields_looked_at: Option<&'a LookedAt>) -> Self {
        Self { fields_looked_at, fields: BTreeMap::new(), unreadable: 0, control_character: false }
    }

    fn looks_at(&self, field: &Field) -> bool {
        self.fields_looked_at.is_none_or(|LookedAt(fields)| fields.contains(field))
    }

    /// Every place of the certificate, in its order.
    pub(super) fn read(&mut self, certificate: &Certificate) {
        self.place(Field::Serial, Ok(Value::Serial(certificate.serial().clone())));
        let subject = certificate.subject();
        for rdn in subject.rdns() {
            rdn.attributes().iter().for_each(|attribute| self.attribute(attribute, rdn));
        }
        if self.looks_at(&Field::Subject) {
            self.place(Field::Subject, Value::name(subject));
        }
        certificate.subject_alternative_names().iter().for_each(|name| self.alternative(name));
        if self.fields_looked_at.is_none_or(LookedAt::has_extensions) {
            self.extensions(certificate);
        }
    }

    fn place(&mut self, field: Field, value: Result<Value, &'static str>) {
        self.push(field, Place::of(value.ok()));
    }

    fn push(&mut self, field: Field, place: Place) {
        if !self.looks_at(&field) {
            return;
        }
        // What may be of this kind and stood before it.
        let before = if field.is_other_name() { self.unreadable } else { 0 };
        let new = || (0..before).map(|_| Place::of(None)).collect();
        self.fields.entry(field).or_insert_with(new).push(place);
    }

    fn unreadable(&mut self) {
        self.unreadable += 1;
        for (_, places) in self.fields.iter_mut().filter(|(field, _)| field.is_other_name()) {
            places.push(Place::of(None));
        }
    }

    fn attribute(&mut self, attribute: &Attribute, rdn: &RelativeDistinguishedName) {
        if let AttributeValue::Text(text) = attribute.value() {
            self.look_for_control_characters(text);
        }
        let field = Field::Attribute(attribute.kind().clone());
        if !self.looks_at(&field) {
            return;
        }
        let beside_another = rdn.attributes().iter().filter(|other| other.kind() == attribute.kind()).count() > 1;
        let value = match attribute.value() {
            AttributeValue::Text(text) => Value::text(&field, text).ok(),
            AttributeValue::Opaque(_) => None,
        };
        self.push(field, Place { value, multi_valued: rdn.attributes().len() > 1, beside_another });
    }

    fn text(&mut self, field: Field, text: &str) {
        self.look_for_control_characters(text);
        if self.looks_at(&field) {
            let value = Value::text(&field, text);
            self.place(field, value);
        }
    }

    fn look_for_control_characters(&mut self, text: &str) {
        self.control_character |= text.contains(char::is_control);
    }

    fn extensions(&mut self, certificate: &Certificate) {
        let (policies, extensions) = certificate.policies_and_extensions();
        match policies {
            Ok(policies) => {
                for policy in policies {
                    self.place(Field::CertificatePolicy, Ok(Value::Oid(policy)));
                }
            }
            Err(_) => self.place(Field::CertificatePolicy, Err("malformed")),
        }
        for (kind, der) in extensions {
            let field = Field::Extension(kind);
            let value = AttributeValue::from_der(&der).ok_or("malformed");
            let value = value.and_then(|value| Value::decoded(&field, &value));
            self.place(field, value);
        }
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
                0 => self.unreadable(),
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
}
