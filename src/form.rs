//! (private) What the forms for programs share: values as their text, holders and denials by their facts (feature `serde`).
//!
//! The forms are types of their own, so that how a public type is laid out inside is nobody's contract. They are told in
//! [`manual::programs`](https://docs.rs/certmap/latest/certmap/manual/programs/), whose examples a test compares.

use core::fmt::Display;

use serde::{Serialize, Serializer};

use crate::cert::{DistinguishedName, SerialNumber, SpkiFingerprint};
use crate::map::RuleName;
use crate::role::{Enforcement, Holder, Role, RoleAssignment};
use crate::strength::Strength;
use crate::trust::Denial;
use crate::user::UserName;

/// A value as it prints.
pub(crate) struct AsText<T>(pub(crate) T);

impl<T: Display> Serialize for AsText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Each value as it prints.
pub(crate) fn texts<T: Display>(values: impl IntoIterator<Item = T>) -> Vec<AsText<T>> {
    values.into_iter().map(AsText).collect()
}

/// Who has a role: one of the two.
#[derive(Serialize)]
pub(crate) struct HolderForm<'a> {
    user: Option<AsText<&'a UserName>>,
    rule: Option<AsText<&'a RuleName>>,
}

impl<'a> From<&'a Holder> for HolderForm<'a> {
    fn from(holder: &'a Holder) -> Self {
        match holder {
            Holder::Rule(rule) => Self { user: None, rule: Some(AsText(rule)) },
            Holder::User(user) => Self { user: Some(AsText(user)), rule: None },
        }
    }
}

#[derive(Serialize)]
pub(crate) struct AssignmentForm<'a> {
    role: AsText<&'a Role>,
    #[serde(flatten)]
    holder: HolderForm<'a>,
    at_least: AsText<Strength>,
    enforcement: AsText<Enforcement>,
}

impl<'a> From<&'a RoleAssignment> for AssignmentForm<'a> {
    fn from(assignment: &'a RoleAssignment) -> Self {
        Self {
            role: AsText(assignment.role()),
            holder: assignment.holder().into(),
            at_least: AsText(assignment.least()),
            enforcement: AsText(assignment.enforcement()),
        }
    }
}

/// What is denied: a key, or a certificate by issuer and serial number.
#[derive(Serialize)]
pub(crate) struct DenialForm<'a> {
    key: Option<AsText<&'a SpkiFingerprint>>,
    issuer: Option<AsText<&'a DistinguishedName>>,
    serial: Option<AsText<&'a SerialNumber>>,
}

impl<'a> From<&'a Denial> for DenialForm<'a> {
    fn from(denial: &'a Denial) -> Self {
        let (issuer, serial) = denial.denied_serial().unzip();
        Self { key: denial.denied_key().map(AsText), issuer: issuer.map(AsText), serial: serial.map(AsText) }
    }
}
