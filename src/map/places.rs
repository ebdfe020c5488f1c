//! (private) Where the values of a certificate stand: each place in its order, without value where no rule may match it.

use super::field::Value;
use super::name_test::{NameTest, Node};
use super::{Field, Rule};
use crate::cert::{Attribute, AttributeValue, Certificate, GeneralName, RelativeDistinguishedName, explicit_value};
use crate::table::Set;
use crate::text::has_control;

/// The fields that rules look at: of a certificate nothing else need be read.
#[derive(Debug, Default)]
pub(super) struct LookedAt(Set<Field>);

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

/// Room for as many places as most certificates have.
const USUAL: usize = 16;

/// Reads the places of a certificate, in its order.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    /// All if `None`.
    fields_looked_at: Option<&'a LookedAt>,
    read: Read,
}

/// What stands in a certificate.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// In the order of the certificate.
    pub(super) places: Vec<Place>,
    /// For each `otherName` whose kind cannot be read, the number of the place that comes next.
    pub(super) unreadable: Vec<usize>,
    pub(super) control_character: bool,
}

/// One place of a field, without value where no rule may match what stands there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) field: Field,
    /// Its number in the certificate.
    pub(super) at: usize,
    pub(super) value: Option<Value>,
    pub(super) multi_valued: bool,
    /// Its RDN has another attribute of this type.
    pub(super) beside_another: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(fields_looked_at: Option<&'a LookedAt>) -> Self {
        Self { fields_looked_at, read: Read { places: Vec::with_capacity(USUAL), ..Read::default() } }
    }

    fn looks_at(&self, field: &Field) -> bool {
        self.fields_looked_at.is_none_or(|LookedAt(fields)| fields.contains(field))
    }

    /// Every place of the certificate, in its order.
    pub(super) fn read(mut self, certificate: &Certificate) -> Read {
        self.place(Field::Serial, |_| Ok(Value::Serial(certificate.serial().clone())));
        let subject = certificate.subject();
        for rdn in subject.rdns() {
            rdn.attributes().iter().for_each(|attribute| self.attribute(attribute, rdn));
        }
        self.place(Field::Subject, |_| Value::name(subject));
        certificate.kept_alternative_names().iter().for_each(|name| self.alternative(name));
        if self.fields_looked_at.is_none_or(LookedAt::has_extensions) {
            self.extensions(certificate);
        }
        self.read
    }

    /// A place of its own, if anybody looks at such.
    fn place(&mut self, field: Field, value: impl FnOnce(&Field) -> Result<Value, &'static str>) {
        if self.looks_at(&field) {
            let value = value(&field).ok();
            self.push(field, value, false, false);
        }
    }

    fn push(&mut self, field: Field, value: Option<Value>, multi_valued: bool, beside_another: bool) {
        let at = self.read.places.len();
        self.read.places.push(Place { field, at, value, multi_valued, beside_another });
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
        self.push(field, value, rdn.attributes().len() > 1, beside_another);
    }

    fn text(&mut self, field: Field, text: &str) {
        self.look_for_control_characters(text);
        self.place(field, |field| Value::text(field, text));
    }

    fn look_for_control_characters(&mut self, text: &str) {
        self.read.control_character |= has_control(text);
    }

    fn extensions(&mut self, certificate: &Certificate) {
        let (policies, extensions) = certificate.policies_and_extensions();
        match policies {
            Ok(policies) => {
                for policy in policies {
                    self.place(Field::CertificatePolicy, |_| Ok(Value::Oid(policy)));
                }
            }
            Err(_) => self.place(Field::CertificatePolicy, |_| Err("malformed")),
        }
        for (kind, der) in extensions {
            self.place(Field::Extension(kind), |field| {
                let value = AttributeValue::from_der(&der).ok_or("malformed")?;
                Value::decoded(field, &value)
            });
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
                self.place(Field::Directory, |_| Value::name(name.clone()));
            }
            GeneralName::Dns(text) => self.text(Field::Dns, text),
            GeneralName::Email(text) => self.text(Field::Email, text),
            GeneralName::Ip(address) => self.place(Field::Ip, |_| Ok(Value::Ip(*address))),
            GeneralName::Malformed { tag, content: _ } => {
                let field = match tag {
                    0 => return self.read.unreadable.push(self.read.places.len()),
                    1 => Field::Email,
                    2 => Field::Dns,
                    4 => Field::Directory,
                    6 => Field::Uri,
                    7 => Field::Ip,
                    _ => return,
                };
                self.place(field, |_| Err("malformed"));
            }
            GeneralName::Other { kind, value } => {
                let value = explicit_value(value).ok_or("malformed");
                if let Ok(AttributeValue::Text(text)) = &value {
                    self.look_for_control_characters(text);
                }
                self.place(Field::Other(kind.clone()).canonical(), |field| Value::decoded(field, &value?));
            }
            GeneralName::RegisteredId(_) => {}
            GeneralName::Uri(text) => self.text(Field::Uri, text),
        }
    }
}
