//! The second opinion about a decision: lists and loops, written from the documentation and not from the code.
//!
//! It uses nothing of the crate, so a mistake would have to be made twice to go unseen. Where the documentation leaves open
//! which of several reasons is told, each of them is right.

use super::plan::{
    Answer, Assignment, Bundle, Cert, Denied, Enforce, Field, Holder, Kind, List, Mode, Plan, Quantifier, Selector,
    Source, Strong, Template, Test, ValueTest, cert,
};

/// What the documentation promises to a peer that presents these certificates to this host at this second.
///
/// # Panics
/// If `presented` has a name of no certificate.
#[must_use]
pub fn expected(plan: &Plan, host: &str, presented: &[&str], second: i64) -> Answer {
    let refused = |code| Answer::Refused(vec![code]);
    let Some(host) = plan.hosts.iter().find(|known| known.id == host) else { return refused("unknown-host") };
    match (host.mode, presented) {
        (Mode::None, _) | (Mode::Request, []) => Answer::Anonymous,
        (Mode::Require, []) => refused("no-certificate"),
        (_, [own, others @ ..]) => {
            let others: Vec<_> = others.iter().map(|name| cert(name)).collect();
            of_certificate(plan, &host.bundle, cert(own), &others, second)
        }
    }
}

fn of_certificate(plan: &Plan, bundle: &Bundle, own: &Cert, others: &[&'static Cert], second: i64) -> Answer {
    let refused = |code| Answer::Refused(vec![code]);
    if denied(plan, own) {
        return refused("denied");
    }
    let pinned = bundle.entries.iter().any(|(kind, name)| *kind == Kind::Pin && *name == own.name);
    let key_pinned = bundle.entries.iter().any(|(kind, name)| *kind == Kind::KeyPin && cert(name).key == own.key);
    if !pinned && !key_pinned {
        return match paths(plan, bundle, own, others, second) {
            Ok(paths) => of_rules(plan, &matching(plan, own, &paths, Strong::Certificate)),
            Err(reasons) => Answer::Refused(reasons),
        };
    }
    let mut reasons = outside(own, second);
    if bundle.pins_stated.is_some_and(|always| wrong_purpose(own, always)) {
        reasons.push("wrong-purpose");
    }
    if !reasons.is_empty() {
        return Answer::Refused(reasons);
    }
    let trust = if pinned { Strong::Certificate } else { Strong::Key };
    let mut found = matching(plan, own, &[], trust);
    if found.is_empty() {
        // For the sake of the anchors that vouch for it too, if there are any.
        let paths = paths(plan, bundle, own, others, second).unwrap_or_default();
        found = matching(plan, own, &paths, trust);
    }
    of_rules(plan, &found)
}

/// Who the rules that match say that it is.
fn of_rules(plan: &Plan, found: &[Matched]) -> Answer {
    let refused = |code| Answer::Refused(vec![code]);
    let unnamed = found.iter().any(|matched| matched.user.is_none());
    let mut users: Vec<_> = found.iter().filter_map(|matched| matched.user.clone()).collect();
    users.sort();
    users.dedup();
    let user = match users.len() {
        2.. => return refused("ambiguous"),
        _ if unnamed => return refused("user-name"),
        1 => users.remove(0),
        _ => return refused("not-mapped"),
    };
    if plan.disabled.iter().any(|disabled| *disabled == user) {
        return refused("user-disabled");
    }
    let strong = found.iter().map(|matched| matched.strong).max().unwrap_or(Strong::Name);
    let mut roles = Vec::new();
    let mut short = Vec::new();
    for Assignment { role, .. } in &plan.assignments {
        let has = |assignment: &&Assignment| {
            assignment.role == *role
                && match assignment.holder {
                    Holder::User(holder) => holder == user,
                    Holder::Rule(name) => found.iter().any(|matched| matched.rule == Some(name)),
                }
        };
        let all: Vec<_> = plan.assignments.iter().filter(has).collect();
        let Some(least) = all.iter().map(|assignment| assignment.least).min() else { continue };
        let mildest = all.iter().map(|assignment| assignment.enforce).min().unwrap_or(Enforce::Enforce);
        if least <= strong {
            roles.push(*role);
        } else {
            short.push((*role, least, mildest));
            if mildest < Enforce::Enforce {
                roles.push(*role);
            }
        }
    }
    roles.sort_unstable();
    roles.dedup();
    short.sort_unstable();
    short.dedup();
    Answer::Admitted { user, strong, roles, short }
}

/// What a rule that matches says.
pub(super) struct Matched {
    /// `None` if what stands in the certificate cannot be one.
    pub(super) user: Option<String>,
    strong: Strong,
    rule: Option<&'static str>,
}

/// The rules that match: those for exactly this certificate or key, and those under anchors if paths lead there.
pub(super) fn matching(plan: &Plan, own: &Cert, paths: &[Path], trust: Strong) -> Vec<Matched> {
    let mut exact = Vec::new();
    let mut names = Vec::new();
    let mut exception = false;
    for rule in &plan.rules {
        let how = match &rule.selector {
            Selector::Certificate(name) if *name == own.name => {
                exception |= rule.exception;
                Some(Strong::Certificate.min(trust))
            }
            Selector::Key(name) if cert(name).key == own.key => Some(Strong::Key.min(trust)),
            Selector::Certificate(_) | Selector::Key(_) => None,
            Selector::Under { .. } => paths.iter().filter_map(|path| under(&rule.selector, own, path)).max(),
        };
        let Some(strong) = how else { continue };
        let (user, strong) = match &rule.source {
            Source::User(user) => (Some((*user).to_owned()), strong),
            Source::Template(template) => match made(template, own) {
                Made::Nothing => continue,
                Made::NoUser => (None, Strong::Name),
                Made::User(user) => (Some(user), Strong::Name),
            },
        };
        let matched = Matched { user, strong, rule: rule.name };
        if matches!(rule.selector, Selector::Under { .. }) { names.push(matched) } else { exact.push(matched) }
    }
    if !exception {
        exact.append(&mut names);
    }
    exact
}

/// From a certificate to an anchor: what stands between them, nearest to the certificate first.
#[derive(Clone)]
pub(super) struct Path {
    pub(super) between: Vec<&'static Cert>,
    pub(super) anchor: &'static Cert,
}

/// Every valid path; if there is none, why.
fn paths(
    plan: &Plan,
    bundle: &Bundle,
    own: &Cert,
    others: &[&'static Cert],
    second: i64,
) -> Result<Vec<Path>, Vec<&'static str>> {
    let mut valid = Vec::new();
    let mut reasons = Vec::new();
    let mut beside = false;
    for (_, anchor) in bundle.entries.iter().filter(|(kind, _)| *kind == Kind::Anchor) {
        let anchor = cert(anchor);
        beside |= others.iter().any(|other| cert(other.issuer).subject == anchor.subject);
        for between in by_name(own, others, anchor, 0) {
            let path = Path { between, anchor };
            let mut why = what_is_wrong(plan, bundle, own, &path, second);
            if why.is_empty() {
                valid.push(path);
            }
            reasons.append(&mut why);
        }
    }
    if !valid.is_empty() {
        return Ok(valid);
    }
    if reasons.is_empty() {
        reasons.push("untrusted");
        if beside {
            // What was presented beside it leads to an anchor, so all that was presented was looked at.
            for member in core::iter::once(own).chain(others.iter().copied()) {
                reasons.append(&mut outside(member, second));
            }
            reasons.push("path-invalid");
            reasons.extend(wrong_purpose(own, bundle.stated).then_some("wrong-purpose"));
        }
    }
    Err(reasons)
}

/// Every list of presented CAs that leads from one name to the next, and to the anchor.
fn by_name(below: &Cert, others: &[&'static Cert], anchor: &Cert, length: usize) -> Vec<Vec<&'static Cert>> {
    let mut found = Vec::new();
    if cert(below.issuer).subject == anchor.subject {
        found.push(Vec::new());
    }
    for other in others {
        // The anchor needs no other certificate of its own name above it.
        let next = other.ca && other.subject != anchor.subject && cert(below.issuer).subject == other.subject;
        if next && other.name != below.name && length < 3 {
            for mut more in by_name(other, others, anchor, length + 1) {
                more.insert(0, other);
                found.push(more);
            }
        }
    }
    found
}

pub(super) fn what_is_wrong(plan: &Plan, bundle: &Bundle, own: &Cert, path: &Path, second: i64) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let mut below = vec![own];
    below.extend(path.between.iter().copied());
    let mut above = path.between.clone();
    above.push(path.anchor);
    for (below, above) in below.iter().zip(&above) {
        if cert(below.signer).key != above.key {
            wrong.push("path-invalid");
        }
    }
    if denied(plan, own) {
        wrong.push("denied");
    }
    if own.ca || bundle.most.is_some_and(|most| path.between.len() > most as usize) {
        wrong.push("path-invalid");
    }
    if wrong_purpose(own, bundle.stated) {
        wrong.push("wrong-purpose");
    }
    wrong.append(&mut outside(own, second));
    for member in &above {
        wrong.append(&mut outside(member, second));
        if denied(plan, member) {
            wrong.push("denied");
        }
    }
    // An anchor with a list makes lists due for everybody below it.
    let due = plan.lists.iter().any(|list| named(list, path.anchor));
    for (below, above) in below.iter().zip(&above) {
        wrong.extend(taken_back(plan, below, above, due, second));
    }
    if path.anchor.issuer == path.anchor.name && has_serial(plan, path.anchor, path.anchor) {
        wrong.push("certificate-revoked");
    }
    wrong
}

pub(super) fn named(list: &List, ca: &Cert) -> bool {
    cert(list.issuer).subject == ca.subject
}

pub(super) fn of(list: &List, ca: &Cert) -> bool {
    named(list, ca) && cert(list.signer).key == ca.key
}

fn has_serial(plan: &Plan, below: &Cert, above: &Cert) -> bool {
    plan.lists.iter().any(|list| of(list, above) && list.serials.contains(&below.serial))
}

/// How far in the future a list may begin.
const SKEW: i64 = 300;

/// Why `below` is not known to be good, if it is not.
fn taken_back(plan: &Plan, below: &Cert, above: &Cert, due: bool, second: i64) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if has_serial(plan, below, above) {
        wrong.push("certificate-revoked");
    }
    let current = |list: &List| list.dates.0 - SKEW <= second && second <= list.dates.1 + i64::from(plan.grace);
    let asked = due || plan.lists.iter().any(|list| named(list, above));
    let answered = plan.lists.iter().filter(|list| of(list, above)).any(current);
    if asked && !answered {
        wrong.push("revocation-unknown");
    }
    wrong
}

fn outside(cert: &Cert, second: i64) -> Vec<&'static str> {
    if second < cert.validity.0 {
        vec!["certificate-not-yet-valid"]
    } else if second > cert.validity.1 {
        vec!["certificate-expired"]
    } else {
        Vec::new()
    }
}

fn wrong_purpose(cert: &Cert, always: bool) -> bool {
    match cert.purpose {
        None => always,
        Some(purpose) => purpose != 2,
    }
}

fn denied(plan: &Plan, presented: &Cert) -> bool {
    plan.denials.iter().any(|denial| match denial {
        Denied::Key(name) => cert(name).key == presented.key,
        Denied::Serial(name) => {
            let denied = cert(name);
            cert(denied.issuer).subject == cert(presented.issuer).subject && denied.serial == presented.serial
        }
    })
}

/// How strongly a certificate on this path is matched, if it is.
fn under(selector: &Selector, own: &Cert, path: &Path) -> Option<Strong> {
    let Selector::Under { anchor, through, by, test } = selector else { return None };
    let issuer_key = path.between.first().unwrap_or(&path.anchor).key;
    let meant = *anchor == path.anchor.name
        && through.iter().all(|through| path.between.iter().any(|between| between.name == *through))
        && by.is_none_or(|by| cert(by).key == issuer_key);
    // A serial number is that of one issuer.
    let one_issuer = by.is_some() || path.between.is_empty();
    if meant { holds(test, own, one_issuer) } else { None }
}

pub(super) fn holds(test: &Test, own: &Cert, one_issuer: bool) -> Option<Strong> {
    match test {
        Test::Every => Some(Strong::Name),
        Test::Value(test) => value_holds(test, own, one_issuer),
        Test::Any(tests) => tests.iter().filter_map(|test| holds(test, own, one_issuer)).max(),
        Test::All(tests, nots) => {
            let mut strongest = Strong::Name;
            for test in tests {
                strongest = strongest.max(holds(test, own, one_issuer)?);
            }
            if nots.iter().any(|not| could_hold(not, own)) { None } else { Some(strongest) }
        }
    }
}

/// What stands in a field; `None` for what no rule may match.
fn values(field: Field, own: &Cert) -> Vec<Option<String>> {
    match field {
        Field::Attribute(kind) => {
            let of_kind = own.subject.iter().filter(|(attribute, _)| *attribute == kind);
            of_kind.map(|(_, value)| Some((*value).to_owned())).collect()
        }
        Field::Dns => own.dns.iter().map(|name| (!name.contains('*')).then(|| (*name).to_owned())).collect(),
        Field::Serial => vec![Some(format!("{:02x}", own.serial))],
        Field::Subject => vec![Some(subject(own))],
    }
}

/// The subject as RFC 4514 writes it: the last attribute first.
#[must_use]
pub fn subject(own: &Cert) -> String {
    let attributes: Vec<_> = own.subject.iter().rev().map(|(kind, value)| format!("{kind}={value}")).collect();
    attributes.join(",")
}

fn value_holds(test: &ValueTest, own: &Cert, one_issuer: bool) -> Option<Strong> {
    if test.field == Field::Serial && !one_issuer {
        return None;
    }
    let values = values(test.field, own);
    let is = |value: &Option<String>| match (value, test.value) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(value), Some(wanted)) if test.any_case => value.eq_ignore_ascii_case(wanted),
        (Some(value), Some(wanted)) => value == wanted,
    };
    let holds = match test.which {
        Quantifier::All => !values.is_empty() && values.iter().all(is),
        Quantifier::Any => values.iter().any(is),
        Quantifier::Only => values.len() == 1 && values.iter().all(is),
        Quantifier::Nth(place) => values.get(place - 1).is_some_and(is),
    };
    holds.then_some(if test.field == Field::Serial { Strong::Serial } else { Strong::Name })
}

/// Under a `not`: true unless it surely does not hold.
fn could_hold(test: &Test, own: &Cert) -> bool {
    match test {
        Test::Every => true,
        Test::Any(tests) => tests.iter().any(|test| could_hold(test, own)),
        Test::All(tests, _) => tests.iter().all(|test| could_hold(test, own)),
        Test::Value(test) => values(test.field, own).iter().any(|value| match (value, test.value) {
            (None, _) | (Some(_), None) => true,
            (Some(value), Some(wanted)) => alike(test.field, value) == alike(test.field, wanted),
        }),
    }
}

/// What values have in common that a `not` takes for one: the case of letters, and of a name where its attributes stand.
pub(super) fn alike(field: Field, text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    let mut parts: Vec<_> = match field {
        Field::Subject => text.split([',', '+']).map(str::to_owned).collect(),
        _ => vec![text],
    };
    parts.sort_unstable();
    parts
}

enum Made {
    NoUser,
    Nothing,
    User(String),
}

fn made(template: &Template, own: &Cert) -> Made {
    let values = values(template.field, own);
    let place = match template.nth {
        None if values.len() != 1 => return Made::Nothing,
        None => 0,
        Some(place) => place - 1,
    };
    let Some(Some(value)) = values.get(place) else { return Made::Nothing };
    let stripped = value.strip_prefix(template.prefix).and_then(|value| value.strip_suffix(template.suffix));
    let Some(value) = stripped else { return Made::Nothing };
    // A host has no case.
    let lower = template.lower || matches!(template.field, Field::Dns);
    let value = if lower { value.to_ascii_lowercase() } else { value.to_owned() };
    let user = format!("{}{value}{}", template.before, template.after);
    if !template.among.is_empty() {
        return if template.among.contains(&user.as_str()) { Made::User(user) } else { Made::Nothing };
    }
    let separates = |c: char| {
        "*?#+%$".contains(c)
            || [template.before, template.after].iter().any(|text| text.contains(c))
                && !(c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if value.contains(separates) { Made::NoUser } else { Made::User(user) }
}
