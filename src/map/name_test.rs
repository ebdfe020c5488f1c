//! Tests of what stands in a certificate, and their combinations.
//!
//! INVARIANT: a `not` only ever narrows something positive, so every alternative of a test can be looked up by what it
//! wants to find. Values are exact; what is no value (see `field`) matches nothing.

use core::num::NonZeroU16;
use std::borrow::Cow;
use std::net::IpAddr;

use super::field::{Alike, Value};
use super::{Field, InvalidNameTest};
use crate::cert::{AttributeValue, DistinguishedName, ObjectIdentifier, SerialNumber};
use crate::limits::{SELECTOR_DEPTH, SELECTOR_TESTS};
use crate::strength::Strength;

/// Which of several values of a field a test means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quantifier {
    /// There is at least one, and all of them are what is looked for.
    All,
    /// One of them is what is looked for, whatever the others are.
    Any,
    /// There is one, and it is what is looked for. What cannot be a value counts as one too.
    #[default]
    ExactlyOne,
    /// The one at this place, counted from 1 in the order of the certificate, is what is looked for. The text of a subject has
    /// the reverse order.
    Nth(NonZeroU16),
}

/// A test of one field: that it has a value, or which.
///
/// Values are compared exactly, as text, structure or number. Text with control, bidirectional or invisible characters,
/// wildcard DNS names, what is malformed for its kind, and `TeletexString`, `BMPString` and `UniversalString` match
/// nothing, but they are there: [`Quantifier::ExactlyOne`] and [`Quantifier::All`] fail because of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueTest {
    pub(super) field: Field,
    pub(super) quantifier: Quantifier,
    /// Attributes of multi-valued RDNs count.
    pub(super) multi_valued: bool,
    pub(super) ignoring_case: bool,
    /// Folded if the case is ignored. `None` asks for any value.
    pub(super) value: Option<Value>,
}

impl ValueTest {
    fn new(field: Field, value: Option<Value>) -> Self {
        let field = field.canonical();
        Self { field, quantifier: Quantifier::ExactlyOne, multi_valued: false, ignoring_case: false, value }
    }

    /// The field has a value, whichever: for rules that take the user's name from it.
    ///
    /// # Errors
    /// [`InvalidNameTest::NeedsValue`] for subject and serial number, which every certificate has.
    pub fn present(field: Field) -> Result<Self, InvalidNameTest> {
        match field {
            Field::Serial | Field::Subject => Err(InvalidNameTest::NeedsValue { field }),
            field => Ok(Self::new(field, None)),
        }
    }

    fn text(field: Field, text: &str) -> Result<Self, InvalidNameTest> {
        let field = field.canonical();
        let value = Value::wanted(&field, Value::text(&field, text), text)?;
        Ok(Self::new(field, Some(value)))
    }

    /// An attribute of the subject has this text.
    ///
    /// # Errors
    /// [`InvalidNameTest::Value`] if no certificate could be matched by it.
    pub fn attribute(kind: ObjectIdentifier, text: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Attribute(kind), text)
    }

    /// A certificate policy is this one.
    #[must_use]
    pub fn certificate_policy(policy: ObjectIdentifier) -> Self {
        Self::new(Field::CertificatePolicy, Some(Value::Oid(policy)))
    }

    /// The alternative name `directoryName` is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn directory(name: DistinguishedName) -> Result<Self, InvalidNameTest> {
        Self::name(Field::Directory, name)
    }

    /// The alternative name `dNSName` is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute); a wildcard is an error too.
    pub fn dns(name: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Dns, name)
    }

    /// The alternative name `rfc822Name` is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute); an address with anything quoted is an error too, since it can be written in many ways.
    pub fn email(address: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Email, address)
    }

    /// The extension's value is a string of this text.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn extension(kind: ObjectIdentifier, text: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Extension(kind), text)
    }

    /// The value of an extension or of an `otherName` is this DER, which is no string: an integer, a sequence.
    ///
    /// # Errors
    /// [`InvalidNameTest::Value`] if it is a string or not one whole DER value, or the field is another one.
    pub fn der(field: Field, der: &[u8]) -> Result<Self, InvalidNameTest> {
        let field = field.canonical();
        let value = match AttributeValue::from_der(der) {
            _ if !matches!(field, Field::Extension(_) | Field::Other(_)) => {
                Err("only extensions and other names are compared as DER")
            }
            None => Err("it is not one whole DER value"),
            Some(AttributeValue::Text(_)) => Err("it is a string: write its text"),
            Some(value) => Value::decoded(&field, &value),
        };
        let value = Value::wanted(&field, value, "DER")?;
        Ok(Self::new(field, Some(value)))
    }

    /// The alternative name `iPAddress` is this.
    #[must_use]
    pub fn ip(address: IpAddr) -> Self {
        Self::new(Field::Ip, Some(Value::Ip(address)))
    }

    /// The alternative name `otherName` of this kind is a string of this text.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn other(kind: ObjectIdentifier, text: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Other(kind), text)
    }

    /// The serial number is this. It counts only for certificates that the anchor itself issued, or whose issuer's key is
    /// stated with [`CaPath::issued_by`](super::CaPath::issued_by), because every CA numbers its own.
    #[must_use]
    pub fn serial(serial: SerialNumber) -> Self {
        Self::new(Field::Serial, Some(Value::Serial(serial)))
    }

    /// The whole subject is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn subject(name: DistinguishedName) -> Result<Self, InvalidNameTest> {
        Self::name(Field::Subject, name)
    }

    fn name(field: Field, name: DistinguishedName) -> Result<Self, InvalidNameTest> {
        let shown = name.to_string();
        let value = Value::wanted(&field, Value::name(name), &shown)?;
        Ok(Self::new(field, Some(value)))
    }

    /// The user principal name is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute).
    pub fn upn(name: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Upn, name)
    }

    /// The alternative name `uniformResourceIdentifier` is this.
    ///
    /// # Errors
    /// As [`attribute`](Self::attribute); so is what RFC 3986, section 6.2.2 takes for the same as something else: `%61` for `a`, and
    /// `.` and `..` between slashes.
    pub fn uri(uri: &str) -> Result<Self, InvalidNameTest> {
        Self::text(Field::Uri, uri)
    }

    /// What it looks at.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// True if no certificate passes both: they want different values at one place, or one wants its own everywhere.
    fn contradicts(&self, other: &Self) -> bool {
        let everywhere = |test: &Self| matches!(test.quantifier, Quantifier::All | Quantifier::ExactlyOne);
        let same_place = self.quantifier == other.quantifier && self.quantifier != Quantifier::Any;
        let meet = everywhere(self) || everywhere(other) || same_place;
        self.field == other.field && meet && self.wants_another_than(other)
    }

    /// True if no value is what both look for.
    fn wants_another_than(&self, other: &Self) -> bool {
        let (Some(one), Some(other_value)) = (&self.value, &other.value) else { return false };
        let folded = |value| Value::folded(value, &self.field).unwrap_or(Cow::Borrowed(value));
        if self.ignoring_case || other.ignoring_case { folded(one) != folded(other_value) } else { one != other_value }
    }

    /// True if every certificate that passes this has what the other, under a `not`, leaves out.
    fn is_left_out_by(&self, excluded: &Self) -> bool {
        let same = match (&self.value, &excluded.value) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(value), Some(excluded)) => [Alike::Anything, excluded.alike()].contains(&value.alike()),
        };
        self.field == excluded.field && same
    }

    /// Says which of several values is meant; without, there must be exactly one. Where no certificate has several (serial
    /// number, subject, the value of an extension), it says nothing.
    #[must_use]
    pub fn with_quantifier(self, quantifier: Quantifier) -> Self {
        match quantifier {
            // The second of one is never there, and that is what the test then says.
            Quantifier::Nth(nth) if nth.get() > 1 => Self { quantifier, ..self },
            _ if self.field.is_single() => Self { quantifier: Quantifier::ExactlyOne, ..self },
            _ => Self { quantifier, ..self },
        }
    }

    /// Compares ASCII letters of a DNS name, or of an e-mail address's domain, without case. Other letters never.
    ///
    /// # Errors
    /// [`InvalidNameTest::Case`] for other fields, and without a value.
    pub fn ignoring_case(self) -> Result<Self, InvalidNameTest> {
        match self.value.as_ref().and_then(|value| value.folded(&self.field)).map(Cow::into_owned) {
            Some(folded) => Ok(Self { ignoring_case: true, value: Some(folded), ..self }),
            None => Err(InvalidNameTest::Case { field: self.field }),
        }
    }

    /// Counts attributes that share their RDN with others; without, they match nothing.
    ///
    /// Programs differ on what such a name says, and a CA that checks one attribute may let another one pass beside it.
    ///
    /// # Errors
    /// [`InvalidNameTest::MultiValued`] for other fields than attributes of the subject.
    pub fn in_multi_valued_rdns(self) -> Result<Self, InvalidNameTest> {
        match self.field {
            Field::Attribute(_) => Ok(Self { multi_valued: true, ..self }),
            field => Err(InvalidNameTest::MultiValued { field }),
        }
    }

    pub(super) fn strength(&self) -> Strength {
        if self.field == Field::Serial { Strength::Serial } else { Strength::Name }
    }
}

/// What a certificate under a CA must say: tests, combined.
///
/// ```
/// use certmap::map::{NameTest, ValueTest};
/// let test = NameTest::all([ValueTest::dns("api.acme.example")?, ValueTest::attribute("2.5.4.10".parse()?, "Acme")?])?;
/// let test = test.and_not(ValueTest::attribute("2.5.4.11".parse()?, "Test")?)?;
/// assert_eq!(test.to_string(), r#"all(attribute O "Acme", dns "api.acme.example", not attribute OU "Test")"#);
/// assert_eq!(test.to_string().parse::<NameTest>()?, test);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameTest(pub(super) Node);

/// INVARIANT: sorted and without repetition, so that equal tests are equal; `tests` are not empty; no `all` directly in an
/// `all`, no `any` directly in an `any`; no `none` within a `none`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    All { tests: Vec<NameTest>, none: Vec<NameTest> },
    Any { tests: Vec<NameTest> },
    Every,
    Value(ValueTest),
}

impl From<ValueTest> for NameTest {
    fn from(test: ValueTest) -> Self {
        Self(Node::Value(test))
    }
}

impl NameTest {
    /// Every certificate under the CA, whatever it says: for a CA that one partner runs for itself.
    #[must_use]
    pub fn every_certificate() -> Self {
        Self(Node::Every)
    }

    /// All of these hold.
    ///
    /// # Errors
    /// [`InvalidNameTest::Empty`], [`InvalidNameTest::Never`] if two of them want different values at one place, and
    /// [`InvalidNameTest::TooDeep`] and [`InvalidNameTest::TooMany`] beyond [`SELECTOR_DEPTH`] and [`SELECTOR_TESTS`].
    pub fn all(tests: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidNameTest> {
        Self::conjunction(tests.into_iter().map(Into::into), Vec::new())
    }

    /// At least one of these holds.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn any(tests: impl IntoIterator<Item = impl Into<Self>>) -> Result<Self, InvalidNameTest> {
        let mut flat = Vec::new();
        for test in tests {
            match test.into().0 {
                Node::Any { tests } => flat.extend(tests),
                node => flat.push(Self(node)),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match <[Self; 1]>::try_from(flat) {
            Ok([one]) => Ok(one),
            Err(tests) if tests.is_empty() => Err(InvalidNameTest::Empty),
            Err(tests) => Self(Node::Any { tests }).within_limits(),
        }
    }

    /// This holds, and the other surely does not.
    ///
    /// A certificate is left out if one of its values is what `excluded` looks for, or could be: quantifiers do not matter
    /// here, attributes of multi-valued RDNs count, and so does every value that programs may read differently. Texts are
    /// alike in any case of letters (`straße` and `STRASSE` too) and with any number of blanks, those within a name too; an IPv4
    /// address in IPv6 is that address, and `anyPolicy` is every policy. DER of another type than `BOOLEAN`, `INTEGER`, `NULL`,
    /// `OBJECT IDENTIFIER` and `ENUMERATED` (of 127 octets at most) could be anything. Nothing is normalized: `ü` as two characters, full-width letters and letters of
    /// other scripts are others, so what matters is better said by what has to be there.
    ///
    /// # Errors
    /// [`InvalidNameTest::NestedNot`] if `excluded` has a `not` itself, [`InvalidNameTest::ExcludesEverything`] if it is
    /// every certificate, [`InvalidNameTest::Unsure`] if it
    /// looks for DER that could be written otherwise, [`InvalidNameTest::LeavesOut`] if it leaves out whatever this is for; else as [`all`](Self::all).
    pub fn and_not(self, excluded: impl Into<Self>) -> Result<Self, InvalidNameTest> {
        Self::conjunction([self].into_iter(), vec![excluded.into()])
    }

    pub(super) fn conjunction(
        tests: impl Iterator<Item = Self>,
        mut excluded: Vec<Self>,
    ) -> Result<Self, InvalidNameTest> {
        excluded.iter().try_for_each(Self::check_excluded)?;
        let mut flat = Vec::new();
        for test in tests {
            match test.0 {
                Node::All { tests, none } => {
                    flat.extend(tests);
                    excluded.extend(none);
                }
                node => flat.push(Self(node)),
            }
        }
        for tests in [&mut flat, &mut excluded] {
            tests.sort_unstable();
            tests.dedup();
        }
        contradiction(&flat, &excluded)?;
        match (<[Self; 1]>::try_from(flat), excluded.is_empty()) {
            (Ok([one]), true) => Ok(one),
            (Ok(one), false) => Self(Node::All { tests: one.into(), none: excluded }).within_limits(),
            (Err(tests), _) if tests.is_empty() => Err(InvalidNameTest::Empty),
            (Err(tests), _) => Self(Node::All { tests, none: excluded }).within_limits(),
        }
    }

    fn check_excluded(&self) -> Result<(), InvalidNameTest> {
        match &self.0 {
            Node::All { none, .. } if !none.is_empty() => Err(InvalidNameTest::NestedNot),
            Node::All { tests, .. } | Node::Any { tests } => tests.iter().try_for_each(Self::check_excluded),
            Node::Every => Err(InvalidNameTest::ExcludesEverything),
            Node::Value(test) => match &test.value {
                Some(value) if value.alike() == Alike::Anything => {
                    Err(InvalidNameTest::Unsure { field: test.field.clone(), value: value.to_string() })
                }
                _ => Ok(()),
            },
        }
    }

    /// Its members are within the limits, since they were made by the same constructors.
    fn within_limits(self) -> Result<Self, InvalidNameTest> {
        let (depth, tests) = self.size();
        if depth > SELECTOR_DEPTH {
            Err(InvalidNameTest::TooDeep)
        } else if tests > SELECTOR_TESTS {
            Err(InvalidNameTest::TooMany { tests })
        } else {
            Ok(self)
        }
    }

    fn as_value(&self) -> Option<&ValueTest> {
        match &self.0 {
            Node::Value(test) => Some(test),
            Node::All { .. } | Node::Any { .. } | Node::Every => None,
        }
    }

    /// How many tests of values it consists of.
    pub(super) fn tests(&self) -> usize {
        self.size().1
    }

    fn size(&self) -> (usize, usize) {
        let members = match &self.0 {
            Node::All { tests, none } => tests.iter().chain(none),
            Node::Any { tests } => tests.iter().chain(&[]),
            Node::Every | Node::Value(_) => return (0, 1),
        };
        members.map(Self::size).fold((1, 0), |(depth, tests), (inner, more)| (depth.max(inner + 1), tests + more))
    }

    /// The least that an adversary would have to obtain.
    pub(super) fn strength(&self) -> Strength {
        let strengths = |tests: &[Self]| tests.iter().map(Self::strength).collect::<Vec<_>>();
        match &self.0 {
            Node::All { tests, .. } => strengths(tests).into_iter().max().unwrap_or(Strength::Name),
            Node::Any { tests } => strengths(tests).into_iter().min().unwrap_or(Strength::Name),
            Node::Every => Strength::Name,
            Node::Value(test) => test.strength(),
        }
    }
}

/// An error if two tests of an `all` never both hold, or if one holds only where its `not` leaves the certificate out.
fn contradiction(tests: &[NameTest], excluded: &[NameTest]) -> Result<(), InvalidNameTest> {
    if tests.len() + excluded.len() > SELECTOR_TESTS {
        return Ok(());
    }
    let values =
        |tests: &'_ [NameTest]| -> Vec<ValueTest> { tests.iter().filter_map(NameTest::as_value).cloned().collect() };
    let (tests, excluded) = (values(tests), values(excluded));
    for (at, one) in tests.iter().enumerate() {
        if let Some(other) = tests.iter().skip(at + 1).find(|other| one.contradicts(other)) {
            return Err(InvalidNameTest::Never { tests: Box::new((one.clone(), other.clone())) });
        }
        if let Some(other) = excluded.iter().find(|other| one.is_left_out_by(other)) {
            return Err(InvalidNameTest::LeavesOut { tests: Box::new((one.clone(), other.clone())) });
        }
    }
    Ok(())
}
