//! (private) How near rules are to a certificate that they do not match, for whoever asks why. Decides nothing.
//!
//! INVARIANT: a rule that lacks nothing here is one that the table finds, and the other way round.

use core::fmt;
use std::collections::{BTreeMap, HashMap};

use super::name_test::Node;
use super::names::{Found, Names, Taken};
use super::selector::Kind;
use super::table::Rule;
use super::{MappingTable, NameTest, RuleId, UserSource};
use crate::cert::{Certificate, DistinguishedName, Fingerprint, SpkiFingerprint};
use crate::trace::Check;
use crate::user::UserName;
use crate::voucher::Voucher;

/// Rules in the order of how near they are.
pub(crate) struct Nearest {
    /// Those that lack nothing, in the order of their selectors.
    pub(crate) matching: Vec<Near>,
    /// The nearest of the others.
    pub(crate) nearby: Vec<Near>,
    /// How many others there are besides.
    pub(crate) others: usize,
}

/// A rule, and what a certificate lacks for it.
#[derive(Clone, Debug)]
pub(crate) struct Near {
    pub(crate) rule: RuleId,
    pub(crate) source: UserSource,
    /// The user it gives, if it gives one for this certificate.
    pub(crate) user: Option<UserName>,
    /// In the order in which it is asked.
    pub(crate) lacks: Vec<Lack>,
    pub(crate) distance: usize,
}

impl Near {
    /// From this distance on a rule has nothing to do with the certificate.
    pub(crate) const FAR: usize = 4;
}

/// One criterion that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Lack {
    pub(crate) check: Check,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

/// Certificates that are known to the operator: what a rule for exactly one of them means by its fingerprint.
#[derive(Default)]
pub(crate) struct Known<'a> {
    certificates: HashMap<Fingerprint, &'a Certificate>,
    keys: HashMap<SpkiFingerprint, &'a Certificate>,
}

impl<'a> FromIterator<&'a Certificate> for Known<'a> {
    fn from_iter<T: IntoIterator<Item = &'a Certificate>>(certificates: T) -> Self {
        let mut known = Self::default();
        for certificate in certificates {
            known.certificates.insert(certificate.fingerprint(), certificate);
            let key = known.keys.entry(certificate.spki_fingerprint()).or_insert(certificate);
            // Of several the one with the smallest fingerprint is told, whatever their order.
            if certificate.fingerprint() < key.fingerprint() {
                *key = certificate;
            }
        }
        known
    }
}

/// A certificate that rules are asked about.
struct Asked<'a> {
    certificate: &'a Certificate,
    /// The fingerprint by which rules know it.
    fingerprint: Fingerprint,
    /// Its subject, read once.
    subject: DistinguishedName,
    names: Names,
    vouchers: &'a [Voucher],
    known: &'a Known<'a>,
}

impl Asked<'_> {
    /// How little it has to do with the certificate that a rule means: 1 with its key or its names, much with neither.
    fn unlikeness(&self, meant: Option<&Certificate>) -> usize {
        let Some(meant) = meant else { return Near::FAR };
        if self.certificate.spki_fingerprint() == meant.spki_fingerprint() {
            return 1;
        }
        if self.subject.is_empty() || self.subject != meant.subject() {
            return Near::FAR;
        }
        if self.certificate.issuer() == meant.issuer() { 1 } else { 2 }
    }
}

/// Hears of each criterion that does not hold: what is asked, how far off it is, what was expected and what there is.
type Hear<'h> = dyn FnMut(Check, usize, fmt::Arguments<'_>, fmt::Arguments<'_>) + 'h;

impl MappingTable {
    /// The rules that match this certificate under these anchors, and of the others the `most` nearest ones.
    pub(crate) fn nearest(
        &self,
        certificate: &Certificate,
        vouchers: &[Voucher],
        known: &Known<'_>,
        most: usize,
    ) -> Nearest {
        let names = Names::of(certificate);
        let fingerprint = if vouchers.is_empty() { certificate.fingerprint() } else { self.known_as(certificate) };
        let asked = Asked { certificate, fingerprint, subject: certificate.subject(), names, vouchers, known };
        // No two rules have both the same selector and the same user source.
        let mut matching = BTreeMap::new();
        let mut ranked = BTreeMap::new();
        let mut others = 0;
        for rule in self.rules() {
            let mut distance = 0;
            rule.lacks(&asked, &mut |_, weight, _, _| distance += weight);
            if distance == 0 {
                matching.insert((distance, rule.selector, rule.source), rule);
                continue;
            }
            ranked.insert((distance, rule.selector, rule.source), rule);
            if ranked.len() > most {
                ranked.pop_last();
                others += 1;
            }
        }
        let near = |((distance, ..), rule): ((usize, _, _), Rule<'_>)| rule.near(&asked, distance);
        Nearest {
            matching: matching.into_iter().map(near).collect(),
            nearby: ranked.into_iter().map(near).collect(),
            others,
        }
    }
}

impl Rule<'_> {
    fn near(&self, asked: &Asked<'_>, distance: usize) -> Near {
        let mut lacks = Vec::new();
        self.lacks(asked, &mut |check, _, expected, actual| {
            lacks.push(Lack { check, expected: expected.to_string(), actual: actual.to_string() });
        });
        let user = self.source.take(&asked.names).and_then(Result::ok);
        Near { rule: self.id(), source: self.source.clone(), user, lacks, distance }
    }

    fn lacks(&self, asked: &Asked<'_>, hear: &mut Hear<'_>) {
        let Asked { certificate, fingerprint, subject: _, names, vouchers, known } = asked;
        match &self.selector.0 {
            Kind::Certificate(wanted) => {
                let actual = *fingerprint;
                if *wanted != actual {
                    let meant = known.certificates.get(wanted).copied();
                    let weight = asked.unlikeness(meant);
                    hear(
                        Check::CertificateRule,
                        weight,
                        format_args!("{wanted}{}", Meant(meant)),
                        format_args!("{actual}"),
                    );
                }
            }
            Kind::Key(wanted) => {
                let actual = certificate.spki_fingerprint();
                if *wanted != actual {
                    let meant = known.keys.get(wanted).copied();
                    let weight = asked.unlikeness(meant);
                    hear(Check::KeyRule, weight, format_args!("{wanted}{}", Meant(meant)), format_args!("{actual}"));
                }
            }
            Kind::Under(under) => {
                let path = &under.path;
                let voucher = vouchers.iter().find(|voucher| voucher.anchor == path.anchor);
                match voucher {
                    None => {
                        let meant = known.certificates.get(&path.anchor).copied();
                        let expected = format_args!("under {}{}", path.anchor, Meant(meant));
                        match vouchers.first() {
                            Some(other) => hear(Check::NameRule, 1, expected, format_args!("{other}")),
                            None => hear(Check::NameRule, 1, expected, format_args!("no anchor vouches")),
                        }
                    }
                    Some(voucher) => {
                        let through = path.through.iter().all(|ca| voucher.goes_through(ca));
                        if !(through && path.issuer_key.is_none_or(|key| key == voucher.issuer_key)) {
                            hear(Check::CaPath, 1, format_args!("{path}"), format_args!("{voucher}"));
                        }
                    }
                }
                if names.has_control_character() {
                    hear(
                        Check::PlainNames,
                        1,
                        format_args!("names without control characters"),
                        format_args!("a name with one"),
                    );
                }
                let direct = voucher.is_none_or(|voucher| voucher.intermediates.is_empty());
                under.test.lacks(names, path.issuer_key.is_some() || direct, hear);
                let source = &self.source;
                match source.take(names) {
                    Some(Ok(_)) => {}
                    Some(Err(cause)) => {
                        let taken = cause.taken();
                        hear(Check::UserName, 1, format_args!("{source}"), format_args!("`{taken}`: {cause}"));
                    }
                    None => {
                        hear(Check::UserName, 1, format_args!("{source}"), format_args!("{}", Taken(names, source)));
                    }
                }
            }
        }
    }
}

impl NameTest {
    /// What keeps it from holding: nothing if and only if it holds.
    fn lacks(&self, names: &Names, one_issuer: bool, hear: &mut Hear<'_>) {
        match &self.0 {
            Node::All { tests, none } => {
                for test in tests {
                    test.lacks(names, one_issuer, hear);
                }
                for excluded in none.iter().filter(|test| test.may_match(names)) {
                    let actual = Found(names, excluded);
                    hear(Check::NotExcluded, 1, format_args!("no {excluded}"), format_args!("{actual}"));
                }
            }
            // The alternative that comes nearest is told.
            Node::Any { tests } => {
                let distance = |test: &&Self| {
                    let mut distance = 0;
                    test.lacks(names, one_issuer, &mut |_, weight, _, _| distance += weight);
                    distance
                };
                if let Some(nearest) = tests.iter().min_by_key(distance) {
                    nearest.lacks(names, one_issuer, hear);
                }
            }
            Node::Every => {}
            Node::Value(test) => {
                if !test.holds(names) {
                    let one = if test.wants_one_of_several(names) { "exactly one " } else { "" };
                    hear(Check::NameTest, 1, format_args!("{one}{self}"), format_args!("{}", Found(names, self)));
                } else if test.field == super::Field::Serial && !one_issuer {
                    let actual = format_args!("{} of an intermediate that the rule does not state", Found(names, self));
                    hear(Check::NameTest, 1, format_args!("{self} of a stated issuer"), actual);
                }
            }
        }
    }
}

/// The subject of a certificate that a fingerprint stands for, if it is known.
struct Meant<'a>(Option<&'a Certificate>);

impl fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |certificate| write!(f, " (`{}`)", certificate.subject()))
    }
}
