//! A policy is a number, the rules that a guard counts, and one answer for everybody.

#[path = "../../../src/policy/handle.rs"]
mod handle;

use core::fmt;

pub use handle::{Guard, Overtaken, PolicyHandle, Tripped};

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct PolicyDigest(pub u8);

impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a policy says of everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Says {
    /// Nobody is asked for a certificate.
    Anonymous,
    /// Refused.
    Refused,
    /// This user, with this role.
    User(&'static str, &'static str),
}

/// Immutable, as the crate's own is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Policy {
    pub(crate) number: u8,
    pub(crate) rules: Vec<Rule>,
    pub(crate) says: Says,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) selector: u8,
}

/// A digest says all that a policy of the models is.
pub(crate) type Edition = PolicyDigest;

impl Policy {
    /// Says this, under this number.
    #[must_use]
    pub fn new(number: u8, says: Says) -> Self {
        Self { number, rules: Vec::new(), says }
    }

    /// With a rule of this selector.
    #[must_use]
    pub fn with_rules(mut self, selectors: &[u8]) -> Self {
        self.rules = selectors.iter().map(|selector| Rule { selector: *selector }).collect();
        self
    }

    /// Its number.
    #[must_use]
    pub fn digest(&self) -> PolicyDigest {
        PolicyDigest(self.number)
    }

    pub(crate) fn edition(&self) -> Edition {
        self.digest()
    }

    pub(crate) fn mapping_count(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn table(&self) -> Table<'_> {
        Table(&self.rules)
    }

    pub(crate) fn host_table(&self) -> HostTable {
        HostTable(HostState(HostId))
    }
}

pub(crate) struct Table<'a>(&'a [Rule]);

impl<'a> Table<'a> {
    /// Borrowed as the crate's own, which hands out selectors by reference.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Borrowed<'a>> + use<'a> {
        self.0.iter().map(|rule| Borrowed { selector: &rule.selector })
    }
}

pub(crate) struct Borrowed<'a> {
    pub(crate) selector: &'a u8,
}

/// The one host that there is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HostId;

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Authority<'a> {
    /// This host.
    Host(&'a str),
    /// No HTTP.
    NotHttp,
}

pub(crate) struct HostTable(HostState);

pub(crate) struct HostState(HostId);

impl HostTable {
    pub(crate) fn get(&self, _: &HostId) -> Option<&HostState> {
        Some(&self.0)
    }

    pub(crate) fn answers(&self, _: &HostState, authority: Authority<'_>) -> bool {
        matches!(authority, Authority::NotHttp)
    }
}

impl HostState {
    pub(crate) fn host(&self) -> &Self {
        self
    }

    pub(crate) fn id(&self) -> &HostId {
        &self.0
    }
}
