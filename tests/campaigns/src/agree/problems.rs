//! The second opinion about what cannot be built or written: contradictions, told from the documentation too.

use super::model::{Path, alike, holds, matching, named, of, what_is_wrong};
use super::plan::{
    Bundle, CERTS, Cert, Holder, HostPlan, Kind, Mode, Plan, Quantifier, Rule, Selector, Source, Strong, Template,
    Test, ValueTest, cert,
};

/// What keeps a policy from being built, by code and sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// What is told.
    pub told: Vec<&'static str>,
    /// What need not be told beside it, because it may only follow from it.
    pub perhaps: Vec<&'static str>,
}

/// Everything that keeps this policy from being built.
#[must_use]
pub fn problems(plan: &Plan) -> Problems {
    let mut told = Vec::new();
    let mut perhaps = Vec::new();
    let twice = of_hosts(&plan.hosts, &mut told);
    if twice { &mut perhaps } else { &mut told }.append(&mut of_hosts_beside(&plan.hosts));
    for (at, rule) in plan.rules.iter().enumerate() {
        told.append(&mut of_rule(plan, rule));
        for other in plan.rules.get(at + 1..).unwrap_or_default() {
            told.append(&mut of_two(plan, rule, other));
        }
    }
    for assignment in &plan.assignments {
        if let Holder::Rule(name) = assignment.holder
            && !plan.rules.iter().any(|rule| rule.name == Some(name))
        {
            told.push("unknown-rule");
        }
    }
    let anchors: Vec<_> = plan.hosts.iter().flat_map(anchors).collect();
    for list in &plan.lists {
        let mut of_name = anchors.iter().filter(|anchor| named(list, anchor)).peekable();
        if of_name.peek().is_some() && !of_name.any(|anchor| of(list, anchor)) {
            told.push("revocation");
        }
    }
    let conflict = told.contains(&"conflicting-rules");
    for host in &plan.hosts {
        for (kind, name) in &host.bundle.entries {
            if of_entry(plan, &host.bundle, *kind, cert(name)) > 1 {
                if conflict { &mut perhaps } else { &mut told }.push("ambiguous-certificate");
            }
        }
    }
    for codes in [&mut told, &mut perhaps] {
        codes.sort_unstable();
        codes.dedup();
    }
    Problems { told, perhaps }
}

fn anchors(host: &HostPlan) -> Vec<&'static Cert> {
    let anchors = host.bundle.entries.iter().filter(|(kind, _)| *kind == Kind::Anchor);
    anchors.map(|(_, name)| cert(name)).collect()
}

/// What is wrong with each; true if two of them have one id.
fn of_hosts(hosts: &[HostPlan], found: &mut Vec<&'static str>) -> bool {
    let mut twice = false;
    for (at, host) in hosts.iter().enumerate() {
        if host.mode != Mode::None && host.bundle.entries.is_empty() {
            found.push("empty-bundle");
        }
        if hosts.iter().skip(at + 1).any(|other| host.id == other.id) {
            found.push("duplicate-host");
            twice = true;
        }
    }
    twice
}

/// What is wrong with two of them.
fn of_hosts_beside(hosts: &[HostPlan]) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        for other in hosts.iter().skip(at + 1) {
            if host.names.iter().any(|name| other.names.contains(name)) {
                found.push("duplicate-server-name");
            }
            let default = |host: &HostPlan| host.default || host.names.is_empty();
            if default(host) && default(other) {
                found.push("duplicate-default");
            }
            if host.bundle.name == other.bundle.name && host.bundle != other.bundle {
                found.push("duplicate-bundle");
            }
        }
    }
    found
}

fn of_rule(plan: &Plan, rule: &Rule) -> Vec<&'static str> {
    let mut found = Vec::new();
    match &rule.selector {
        Selector::Under { anchor, through, .. } => {
            if !plan.hosts.iter().flat_map(anchors).any(|known| known.name == *anchor) {
                found.push("unknown-anchor");
            }
            if through.contains(anchor) {
                found.push("through-anchor");
            }
        }
        Selector::Certificate(_) | Selector::Key(_) => {
            if matches!(rule.source, Source::Template(_)) {
                found.push("template-without-ca");
            }
        }
    }
    if rule.exception && !matches!(rule.selector, Selector::Certificate(_)) {
        found.push("no-exception");
    }
    found
}

fn of_two(plan: &Plan, one: &Rule, other: &Rule) -> Vec<&'static str> {
    let mut found = Vec::new();
    if same_who(&one.selector, &other.selector) && one.source == other.source {
        // One rule with two names.
        return found;
    }
    if same_who(&one.selector, &other.selector) && one.source != other.source && !apart(&one.source, &other.source) {
        found.push("conflicting-rules");
    }
    if one.name.is_some() && one.name == other.name && one.source != other.source {
        found.push("rule-name-twice");
    }
    for (rule, beside) in [(one, other), (other, one)] {
        let Some(reserved) = reservation(rule) else { continue };
        let users = match &beside.source {
            Source::User(user) => vec![*user],
            Source::Template(template) => template.among.clone(),
        };
        let mine = |user: &&str| user.starts_with(reserved.before) && user.ends_with(reserved.after);
        if users.iter().any(mine) {
            found.push("reserved-user");
        }
    }
    if let (Some(mine), Some(theirs)) = (reservation(one), reservation(other)) {
        let begin = mine.before.starts_with(theirs.before) || theirs.before.starts_with(mine.before);
        let end = mine.after.ends_with(theirs.after) || theirs.after.ends_with(mine.after);
        // One fleet has one name and one source.
        let theirs = names(plan, other);
        let shared = one.source == other.source && names(plan, one).iter().any(|name| theirs.contains(name));
        if begin && end && !shared {
            found.push("overlapping-reservations");
        }
    }
    found
}

/// The names of a rule: of rules that say the same each may have one.
fn names(plan: &Plan, rule: &Rule) -> Vec<&'static str> {
    let same = plan.rules.iter().filter(|one| same_who(&one.selector, &rule.selector) && one.source == rule.source);
    same.filter_map(|one| one.name).collect()
}

/// True if both are for the same certificates, word for word but for which of those on one key is named.
fn same_who(one: &Selector, other: &Selector) -> bool {
    let key = |by: Option<&str>| by.map(|by| cert(by).key);
    match (one, other) {
        (Selector::Key(one), Selector::Key(other)) => cert(one).key == cert(other).key,
        (
            Selector::Under { anchor, through, by, test },
            Selector::Under { anchor: other_anchor, through: other_through, by: other_by, test: other_test },
        ) => (anchor, through, test, key(*by)) == (other_anchor, other_through, other_test, key(*other_by)),
        _ => one == other,
    }
}

/// True if no certificate gives a user by both.
fn apart(one: &Source, other: &Source) -> bool {
    let (Source::Template(one), Source::Template(other)) = (one, other) else { return false };
    let same_place = one.field == other.field && one.nth == other.nth;
    let differ = |one: &str, other: &str, cut: fn(&str, &str) -> bool| !cut(one, other) && !cut(other, one);
    let strips = differ(one.prefix, other.prefix, |a, b| a.starts_with(b))
        || differ(one.suffix, other.suffix, |a, b| a.ends_with(b));
    let listed = |template: &Template| !template.among.is_empty();
    let same_template =
        Template { among: Vec::new(), ..one.clone() } == Template { among: Vec::new(), ..other.clone() };
    let lists =
        listed(one) && listed(other) && same_template && !one.among.iter().any(|user| other.among.contains(user));
    same_place && strips || lists
}

/// Which users a CA can name by this rule, if they are not listed.
fn reservation(rule: &Rule) -> Option<&Template> {
    match (&rule.selector, &rule.source) {
        (Selector::Under { .. }, Source::Template(template)) if template.among.is_empty() => Some(template),
        _ => None,
    }
}

/// How many users rules say that a certificate of a bundle is: those for exactly it; for a pin also those under anchors that
/// issued it themselves.
fn of_entry(plan: &Plan, bundle: &Bundle, kind: Kind, own: &'static Cert) -> usize {
    let anchors = bundle.entries.iter().filter(|(kind, _)| *kind == Kind::Anchor).map(|(_, name)| cert(name));
    let of_its_name: Vec<_> = anchors.filter(|anchor| cert(own.issuer).subject == anchor.subject).collect();
    // The first moment in which all of them are valid, whatever is revoked.
    let first = of_its_name.iter().map(|anchor| anchor.validity.0).chain([own.validity.0]).max().unwrap_or(0);
    let mut paths = Vec::new();
    for anchor in of_its_name.into_iter().filter(|_| kind != Kind::Anchor) {
        let path = Path { between: Vec::new(), anchor };
        if what_is_wrong(&Plan { lists: Vec::new(), ..plan.clone() }, bundle, own, &path, first).is_empty() {
            paths.push(path);
        }
    }
    let found = matching(plan, own, &paths, Strong::Certificate);
    let mut users: Vec<_> = found.into_iter().filter_map(|found| found.user).collect();
    users.sort();
    users.dedup();
    users.len()
}

/// True if the documentation says that such tests cannot be written: two that want different values at one place, or what is
/// left out whatever it says.
#[must_use]
pub fn cannot_be_written(test: &Test) -> bool {
    let (tests, nots) = match test {
        Test::All(tests, nots) => (tests, nots),
        Test::Any(tests) => return tests.iter().any(cannot_be_written),
        Test::Every | Test::Value(_) => return false,
    };
    if tests.iter().chain(nots).any(cannot_be_written) {
        return true;
    }
    let simple = |test: &Test| if let Test::Value(test) = test { Some(*test) } else { None };
    let tests: Vec<_> = tests.iter().filter_map(simple).collect();
    let never = |one: &ValueTest, other: &ValueTest| {
        let (Some(this), Some(that)) = (one.value, other.value) else { return false };
        let alike = if one.any_case || other.any_case { this.eq_ignore_ascii_case(that) } else { this == that };
        one.field == other.field
            && !alike
            && match (one.which, other.which) {
                (Quantifier::Any, Quantifier::Any | Quantifier::Nth(_)) | (Quantifier::Nth(_), Quantifier::Any) => {
                    false
                }
                (Quantifier::Nth(one), Quantifier::Nth(other)) => one == other,
                _ => true,
            }
    };
    let left_out = |test: &ValueTest, not: &ValueTest| {
        let wanted = |test: &ValueTest| test.value.map(|value| alike(test.field, value));
        test.field == not.field && (not.value.is_none() || wanted(not) == wanted(test))
    };
    tests.iter().enumerate().any(|(at, one)| tests.iter().skip(at + 1).any(|other| never(one, other)))
        || nots.iter().filter_map(simple).any(|not| tests.iter().any(|test| left_out(test, &not)))
}

/// True if some certificate that is presented would be matched by this test on some path.
#[must_use]
pub fn ever_holds(test: &Test) -> bool {
    CERTS.iter().any(|cert| holds(test, cert, true).is_some())
}
