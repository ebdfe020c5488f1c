//! (private) The rules, indexed: what a certificate says leads to the rules that look for it, however many there are.
//!
//! INVARIANT: no order of rules matters, in what is built, decided or reported.

use core::cmp::Reverse;
use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::contradiction::{alone, one_source_for_each_name};
use super::index::Index;
use super::names::Names;
use super::places::LookedAt;
use super::selector::{Kind, Under};
use super::{CertUserMapping, NoUserName, RuleName, RuleProblem, Selector, UserSource};
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::limits::TESTS_PER_DECISION;
use crate::memory::Memory;
use crate::strength::Strength;
use crate::table::Table;
use crate::trace::{Check, Told, Trace};
use crate::user::UserName;
use crate::voucher::Voucher;

/// Rules without contradiction: two of them have the same selector only if no certificate fits the templates of both.
#[derive(Debug, Default)]
pub(crate) struct MappingTable {
    /// The rules for exactly one certificate or key.
    exact: Table<Selector, Said>,
    /// True if one of them is for a key: else no key need be hashed.
    has_key_rules: bool,
    /// The rules under a CA, in the order of their selectors, and of their user sources.
    under: Vec<UnderCa>,
    /// What can lead to them.
    pub(super) index: Index,
    /// What the rules under a CA look at, in tests and for the user's name.
    looked_at: LookedAt,
    /// What the rules under a CA said. A rule sees the certificate and who vouches for it, and nothing else.
    remembered: Memory<(Fingerprint, Fingerprint), Arc<Remembered>>,
}

/// What the rules say of a certificate, if exactly these vouch for it.
#[derive(Debug)]
struct Remembered {
    vouchers: Box<[Voucher]>,
    lookup: Lookup,
}

/// What a rule says of whoever its selector means. Small, because there may be a million.
#[derive(Clone, Debug)]
struct Said {
    source: UserSource,
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    /// Sorted; of rules that say the same each may have a name.
    names: Vec<RuleName>,
    exception: bool,
}

#[derive(Debug)]
struct UnderCa {
    selector: Selector,
    said: Said,
    /// What a decision that looks at it does: its tests, and taking the user.
    cost: usize,
}

/// One rule of the table.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) selector: &'a Selector,
    pub(crate) source: &'a UserSource,
    /// Sorted.
    pub(crate) names: &'a [RuleName],
    pub(crate) exception: bool,
}

/// A rule under a CA that matched, how strongly, and the user that it gives.
type Found<'a> = (Rule<'a>, Strength, Result<UserName, NoUserName>);

/// What the table says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Two rules name different users.
    Ambiguous([Matched; 2]),
    None,
    One(Matched),
    /// The certificate leads to rules with more tests than [`TESTS_PER_DECISION`].
    TooManyTests,
    /// A rule takes from the certificate what is no user name.
    Unnamed(Unnamed),
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) user: UserName,
    pub(crate) rule: RuleId,
    /// Other names under which this user was matched: roles may be given to them.
    others: Vec<RuleName>,
    strength: Strength,
}

impl fmt::Display for Lookup {
    /// For traces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous([one, other]) => {
                write!(f, "`{}` by `{}` and `{}` by `{}`", one.user, one.rule, other.user, other.rule)
            }
            Self::None => f.write_str("no rule that matches"),
            Self::One(rule) => write!(f, "`{}` by `{}`", rule.user, rule.rule),
            Self::TooManyTests => f.write_str("more rules that could match than a decision looks at"),
            Self::Unnamed(unnamed) => write!(f, "no user name by `{}`: {}", unnamed.rule, unnamed.cause),
        }
    }
}

/// A rule that matched and gave no user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unnamed {
    pub(crate) rule: RuleId,
    pub(crate) cause: NoUserName,
}

/// Which rule it was. Prints its name, or its selector if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleId {
    name: Option<RuleName>,
    selector: Selector,
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => name.fmt(f),
            None => self.selector.fmt(f),
        }
    }
}

impl RuleId {
    pub(crate) fn selector(&self) -> &Selector {
        &self.selector
    }
}

impl Matched {
    /// The least of what the selector and the source of the user's name give.
    pub(crate) fn strength(&self) -> Strength {
        self.strength
    }

    /// Every rule name under which the user was matched.
    pub(crate) fn rule_names(&self) -> impl Iterator<Item = &RuleName> {
        self.rule.name.iter().chain(&self.others)
    }

    /// The strongest first, then by name, rules without name last.
    fn rank(&self) -> (Reverse<Strength>, bool, &Option<RuleName>, &Selector) {
        (Reverse(self.strength), self.rule.name.is_none(), &self.rule.name, &self.rule.selector)
    }
}

impl MappingTable {
    /// The table of these rules, and everything that is wrong with them; with problems, the table is good for finding more
    /// of them only.
    pub(crate) fn new(mappings: &[CertUserMapping]) -> (Self, Vec<RuleProblem>) {
        let mut table = Self::default();
        let mut problems = Vec::new();
        table.exact.reserve(mappings.iter().filter(|mapping| mapping.selector.ca().is_none()).count());
        let mut under: BTreeMap<(Selector, UserSource), Said> = BTreeMap::new();
        for mapping in mappings {
            problems.extend(alone(mapping));
            let selector = mapping.selector.clone();
            if selector.ca().is_some() {
                under.entry((selector, mapping.source.clone())).or_insert_with(|| Said::of(mapping)).join(mapping);
                continue;
            }
            table.has_key_rules |= selector.as_key().is_some();
            let said = table.exact.entry(selector).or_insert_with(|| Said::of(mapping));
            if said.source == mapping.source {
                said.join(mapping);
            } else {
                let (selector, users) = (mapping.selector.clone(), [said.source.clone(), mapping.source.clone()]);
                problems.push(RuleProblem::Conflict { selector, users });
            }
        }
        table.under = under.into_iter().map(|((selector, _), said)| UnderCa::new(selector, said)).collect();
        problems.extend(table.conflicts());
        problems.extend(one_source_for_each_name(mappings));
        problems.extend(table.reservations());
        for rule in table.under.iter().map(UnderCa::rule) {
            table.looked_at.add(&rule);
        }
        let (index, crowded) = Index::new(table.rules_under_anchors());
        problems.extend(crowded);
        (Self { index, ..table }, problems)
    }

    /// The user of a pinned certificate, by the rules that name exactly it or its key.
    pub(crate) fn exact(&self, certificate: Fingerprint, key: SpkiFingerprint, trace: &mut impl Trace) -> Lookup {
        self.agreed(self.rule_for(&Selector::certificate(certificate)), certificate, || key, trace)
    }

    /// What the rule for the certificate and the one for its key say together.
    fn agreed(
        &self,
        exact: Option<Rule<'_>>,
        certificate: Fingerprint,
        key: impl Fn() -> SpkiFingerprint,
        trace: &mut impl Trace,
    ) -> Lookup {
        trace.step(Check::CertificateRule, exact.is_some(), format_args!("{certificate}"));
        let by_key = if self.has_key_rules { self.rule_for(&Selector::key(key())) } else { None };
        trace.step(Check::KeyRule, by_key.is_some(), format_args!("{}", Told(key)));
        together([exact, by_key].into_iter().flatten().filter_map(Rule::exactly).collect())
    }

    /// Remembers so many answers of [`under`](Self::under).
    pub(crate) fn remembering(self, answers: usize) -> Self {
        Self { remembered: Memory::new(answers), ..self }
    }

    /// The user of a certificate that these anchors vouch for, by every rule that matches: exact ones and those under one
    /// of the anchors.
    pub(crate) fn under<T: Trace>(&self, certificate: &Certificate, vouchers: &[Voucher], trace: &mut T) -> Lookup {
        let Some(voucher) = vouchers.first().filter(|_| !T::LISTENS && !self.remembered.is_off()) else {
            return self.by_all_rules(certificate, vouchers, trace);
        };
        let key = (certificate.fingerprint(), voucher.anchor);
        let same = |known: &Arc<Remembered>| (*known.vouchers == *vouchers).then(|| known.lookup.clone());
        self.remembered.get(&key, same).unwrap_or_else(|| {
            let lookup = self.by_all_rules(certificate, vouchers, trace);
            let remembered = Remembered { vouchers: vouchers.into(), lookup: lookup.clone() };
            self.remembered.remember(key, Arc::new(remembered));
            lookup
        })
    }

    fn by_all_rules(&self, certificate: &Certificate, vouchers: &[Voucher], trace: &mut impl Trace) -> Lookup {
        let fingerprint = certificate.fingerprint();
        let rule = self.rule_for(&Selector::certificate(self.known_as(certificate)));
        let exact = self.agreed(rule, fingerprint, || certificate.spki_fingerprint(), trace);
        if matches!(exact, Lookup::Ambiguous(_)) {
            return exact;
        }
        if rule.is_some_and(|rule| rule.exception) {
            trace.step(Check::Exception, true, format_args!("{fingerprint}"));
            return exact;
        }
        let mut matched = Vec::new();
        let mut unnamed = Vec::new();
        let Some(found) = self.by_names(certificate, vouchers, trace) else { return Lookup::TooManyTests };
        for (rule, strength, user) in found {
            let taken = user.as_ref().map_or_else(|cause| cause.taken(), UserName::as_str);
            trace.compare(Check::UserName, user.is_ok(), format_args!("{}", rule.source), format_args!("`{taken}`"));
            match user {
                Ok(user) => matched.push(rule.matched(user, strength)),
                Err(cause) => {
                    unnamed.push(Unnamed { rule: rule.id(), cause });
                }
            }
        }
        if let Lookup::One(exact) = exact {
            matched.push(exact);
        }
        let agreed = together(matched);
        // A contradiction is one whatever else is wrong. Rules come in the order of their selectors, so it is always the same one
        // that is told.
        match unnamed.into_iter().next() {
            Some(first) if !matches!(agreed, Lookup::Ambiguous(_)) => Lookup::Unnamed(first),
            _ => agreed,
        }
    }

    /// The rules under these anchors that match, with strength and user, in the order of their selectors; `None` if there
    /// are too many to look at.
    fn by_names(
        &self,
        certificate: &Certificate,
        vouchers: &[Voucher],
        trace: &mut impl Trace,
    ) -> Option<Vec<Found<'_>>> {
        if !vouchers.iter().any(|voucher| self.index.has(&voucher.anchor)) {
            return Some(Vec::new());
        }
        let names = Names::looked_at(certificate, &self.looked_at);
        let plain = !names.has_control_character();
        trace.step(Check::PlainNames, plain, format_args!("{}", certificate.fingerprint()));
        if !plain {
            return Some(Vec::new());
        }
        // By its value, as it stands and folded.
        let mut leads = Vec::with_capacity(2 * names.count() + 1);
        names.probes(self.index.ways(), &mut |probe| leads.push(self.index.lead(probe)));
        let leads = sorted(leads);
        let mut found: Vec<(usize, Strength)> = Vec::new();
        // Whoever chooses the names chooses the rules that are looked at. What is counted depends on no order.
        let (mut led, mut tests) = (0usize, 0usize);
        for voucher in vouchers {
            let lists = self.index.rules(&voucher.anchor, &leads);
            led += lists.iter().map(|list| list.len()).sum::<usize>();
            if led > TESTS_PER_DECISION {
                return None;
            }
            for candidate in sorted(lists.concat()) {
                let Some(under) = self.under.get(candidate) else { continue };
                tests += under.cost;
                if tests > TESTS_PER_DECISION {
                    return None;
                }
                if let Some(strength) = under.rule().under(voucher, &names, trace) {
                    found.push((candidate, strength));
                }
            }
        }
        // A rule is under one anchor, and each anchor vouches once: no rule is here twice.
        found.sort_unstable_by_key(|(at, _)| *at);
        let taken = |(at, strength): (usize, Strength)| {
            let rule = self.under.get(at)?.rule();
            Some((rule, strength, rule.source.take(&names)?))
        };
        Some(found.into_iter().filter_map(taken).collect())
    }

    /// Every rule, in no order.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        self.exact.iter().map(|(selector, said)| said.rule(selector)).chain(self.rules_under_anchors())
    }

    /// The rules for exactly one certificate or key: exceptions first, each in the order of their selectors.
    ///
    /// There may be a million. Of each a number is sorted, and two references into the table, so that nothing is looked at out of
    /// order but the table itself.
    pub(crate) fn exact_rules_in_order(&self) -> impl Iterator<Item = Rule<'_>> {
        let number = |rule: Rule<'_>| u64::from(!rule.exception) << 63 | rule.selector.rank();
        let all = self.exact.iter().map(|(selector, said)| (number(said.rule(selector)), selector, said));
        let mut sorted: Vec<_> = all.collect();
        sorted.sort_unstable_by(|(one, selector, _), (other, with, _)| one.cmp(other).then_with(|| selector.cmp(with)));
        sorted.into_iter().map(|(_, selector, said)| said.rule(selector))
    }

    /// The rules under a CA, in the order of their selectors, and of their user sources.
    pub(crate) fn rules_under_anchors(&self) -> impl ExactSizeIterator<Item = Rule<'_>> + Clone {
        self.under.iter().map(UnderCa::rule)
    }

    /// The fingerprint by which rules know a certificate that anchors vouch for: its own or, if only that has a rule, the one in
    /// the other form of the CA's signature. Nobody leaves a rule behind by writing it so.
    pub(super) fn known_as(&self, certificate: &Certificate) -> Fingerprint {
        let own = certificate.fingerprint();
        let named = |fingerprint: &Fingerprint| self.exact.contains_key(&Selector::certificate(*fingerprint));
        let resigned = || certificate.resigned_fingerprint().filter(named);
        if self.exact.is_empty() || named(&own) { own } else { resigned().unwrap_or(own) }
    }

    fn rule_for(&self, exact: &Selector) -> Option<Rule<'_>> {
        self.exact.get_key_value(exact).map(|(selector, said)| said.rule(selector))
    }

    pub(crate) fn has_rules_under_anchors(&self) -> bool {
        !self.under.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.exact.len() + self.under.len()
    }
}

/// What rules that matched say together. Of those that agree the strongest is told.
fn together(mut matched: Vec<Matched>) -> Lookup {
    matched.sort_by(|one, other| one.rank().cmp(&other.rank()));
    let mut matched = matched.into_iter();
    let Some(mut first) = matched.next() else { return Lookup::None };
    for other in matched {
        if other.user != first.user {
            return Lookup::Ambiguous([first, other]);
        }
        first.others.extend(other.rule_names().cloned());
    }
    Lookup::One(first)
}

/// Each of these once, in order.
fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all.dedup();
    all
}

impl Rule<'_> {
    /// The rule as it was given, once for each of its names.
    pub(crate) fn mappings(&self) -> Vec<CertUserMapping> {
        let name = |name: Option<&RuleName>| CertUserMapping {
            selector: self.selector.clone(),
            source: self.source.clone(),
            name: name.cloned(),
            exception: self.exception,
        };
        if self.names.is_empty() { vec![name(None)] } else { self.names.iter().map(|one| name(Some(one))).collect() }
    }
}

impl Said {
    fn of(mapping: &CertUserMapping) -> Self {
        Self { source: mapping.source.clone(), more: None }
    }

    /// Adds what else a mapping says that gives the same user to the same selector.
    fn join(&mut self, mapping: &CertUserMapping) {
        if mapping.name.is_none() && !mapping.exception {
            return;
        }
        let More { names, exception } = &mut **self.more.get_or_insert_default();
        names.extend(mapping.name.clone());
        names.sort_unstable();
        names.dedup();
        *exception |= mapping.exception;
    }

    fn rule<'a>(&'a self, selector: &'a Selector) -> Rule<'a> {
        let Self { source, more } = self;
        let (names, exception) = more.as_ref().map_or((&[][..], false), |more| (&more.names[..], more.exception));
        Rule { selector, source, names, exception }
    }
}

impl UnderCa {
    fn new(selector: Selector, said: Said) -> Self {
        let cost = said.rule(&selector).as_under().map_or(0, |under| under.test.tests()) + 1;
        Self { selector, said, cost }
    }

    fn rule(&self) -> Rule<'_> {
        self.said.rule(&self.selector)
    }
}

impl<'a> Rule<'a> {
    pub(super) fn as_under(self) -> Option<&'a Under> {
        match &self.selector.0 {
            Kind::Certificate(_) | Kind::Key(_) => None,
            Kind::Under(under) => Some(under),
        }
    }

    /// How strongly a certificate that this anchor vouches for is matched, if it is.
    fn under(self, voucher: &Voucher, names: &Names, trace: &mut impl Trace) -> Option<Strength> {
        let Under { path, test } = self.as_under()?;
        let anchor = path.anchor == voucher.anchor;
        trace.step(Check::NameRule, anchor, format_args!("{}", self.selector));
        let through = path.through.iter().all(|ca| voucher.goes_through(ca));
        let issuer = path.issuer_key.is_none_or(|key| key == voucher.issuer_key);
        trace.compare(Check::CaPath, through && issuer, format_args!("{path}"), format_args!("{voucher}"));
        if !(anchor && through && issuer) {
            return None;
        }
        let one_issuer = path.issuer_key.is_some() || voucher.intermediates.is_empty();
        test.matched(names, one_issuer, trace)
    }

    pub(super) fn id(self) -> RuleId {
        RuleId { name: self.names.first().cloned(), selector: self.selector.clone() }
    }

    fn exactly(self) -> Option<Matched> {
        let user = self.source.constant()?.clone();
        Some(self.matched(user, self.selector.strength()))
    }

    fn matched(self, user: UserName, strength: Strength) -> Matched {
        Matched {
            user,
            rule: self.id(),
            others: self.names.get(1..).unwrap_or_default().to_vec(),
            strength: strength.min(self.source.strength()),
        }
    }
}
