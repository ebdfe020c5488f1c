//! Small policies by what they are about: each family has every policy that its choices make.

use super::pick::Pick;
use super::plan::{
    Assignment, Bundle, Denied, Enforce, Field, Holder, HostPlan, Kind, List, Mode, Plan, Quantifier, Rule, Selector,
    Source, Strong, Template, Test, ValueTest,
};
use super::world::ROLES;

/// A name, and what makes its policies.
pub type Family = (&'static str, fn(&mut Pick<'_>) -> Plan);

/// Every family whose choices can all be made.
pub const FAMILIES: [Family; 10] = [
    ("trust", trust),
    ("two tests", two_tests),
    ("two rules", two_rules),
    ("users", users),
    ("roles", roles),
    ("revocation", revocation),
    ("denials", denials),
    ("exceptions", exceptions),
    ("purposes", purposes),
    ("hosts", hosts),
];

fn pins(names: &[&'static str]) -> Vec<(Kind, &'static str)> {
    names.iter().map(|name| (Kind::Pin, *name)).collect()
}

fn anchors(names: &[&'static str]) -> Vec<(Kind, &'static str)> {
    names.iter().map(|name| (Kind::Anchor, *name)).collect()
}

fn bundle(entries: Vec<(Kind, &'static str)>) -> Bundle {
    Bundle { name: "partners", entries, most: None, stated: false, pins_stated: None }
}

fn gateway(bundle: Bundle) -> HostPlan {
    HostPlan { id: "gw", mode: Mode::Require, names: Vec::new(), default: false, bundle }
}

fn one_host(entries: Vec<(Kind, &'static str)>, rules: Vec<Rule>) -> Plan {
    Plan { hosts: vec![gateway(bundle(entries))], rules, ..Plan::default() }
}

fn rule(selector: Selector, user: &'static str) -> Rule {
    Rule { selector, source: Source::User(user), name: None, exception: false }
}

fn under(anchor: &'static str, test: Test) -> Selector {
    Selector::Under { anchor, through: Vec::new(), by: None, test }
}

fn value(field: Field, which: Quantifier, value: impl Into<Option<&'static str>>) -> Test {
    Test::Value(ValueTest { field, which, any_case: false, value: value.into() })
}

fn any_case(which: Quantifier, value: &'static str) -> Test {
    Test::Value(ValueTest { field: Field::Dns, which, any_case: true, value: Some(value) })
}

fn dns(name: &'static str) -> Test {
    value(Field::Dns, Quantifier::Any, name)
}

/// None of these, or one.
fn perhaps<T: Clone>(pick: &mut Pick<'_>, of: &[T]) -> Option<T> {
    pick.of(of.len() + 1).checked_sub(1).map(|at| of[at].clone())
}

fn trust(pick: &mut Pick<'_>) -> Plan {
    let mut entries = Vec::new();
    entries.extend(perhaps(pick, &[(Kind::Pin, "a"), (Kind::KeyPin, "a")]));
    entries.extend(perhaps(pick, &[(Kind::Pin, "q")]));
    entries.extend(perhaps(pick, &[(Kind::Pin, "c1"), (Kind::KeyPin, "c1")]));
    let anchors = pick.some(&anchors(&["R1", "R2", "S1"]));
    entries.extend(anchors.iter().copied());
    let mut rules = pick.some(&[
        rule(Selector::Certificate("a"), "U1"),
        rule(Selector::Key("a"), "U1"),
        rule(Selector::Certificate("b"), "U2"),
    ]);
    rules.extend(perhaps(pick, &[rule(Selector::Certificate("c1"), "U1")]));
    rules.extend(perhaps(pick, &[rule(Selector::Key("c1"), "U1"), rule(Selector::Key("c1"), "U2")]));
    for (_, anchor) in anchors {
        let names = [rule(under(anchor, dns("a.example")), "U1"), rule(under(anchor, Test::Every), "U2")];
        rules.extend(if anchor == "S1" { Some(names[1].clone()) } else { perhaps(pick, &names) });
    }
    one_host(entries, rules)
}

/// Tests of one value.
fn tests() -> Vec<Test> {
    let which = [Quantifier::Only, Quantifier::Any, Quantifier::All, Quantifier::Nth(1), Quantifier::Nth(2)];
    let mut tests = Vec::new();
    for which in which {
        for name in [None, Some("a.example"), Some("b.example"), Some("X.dev.example")] {
            tests.push(value(Field::Dns, which, name));
        }
        for unit in [None, Some("x"), Some("y")] {
            tests.push(value(Field::Attribute("OU"), which, unit));
        }
    }
    tests.extend([
        any_case(Quantifier::Any, "b.example"),
        any_case(Quantifier::Only, "A.example"),
        any_case(Quantifier::Nth(2), "b.example"),
        value(Field::Attribute("CN"), Quantifier::Only, "c"),
        value(Field::Attribute("CN"), Quantifier::Only, "n"),
        value(Field::Serial, Quantifier::Only, "07"),
        value(Field::Serial, Quantifier::Only, "08"),
        value(Field::Subject, Quantifier::Only, "OU=x,CN=c"),
        value(Field::Subject, Quantifier::Only, "CN=c,OU=x"),
    ]);
    tests
}

/// Whose paths a test is about.
fn ways() -> Vec<Selector> {
    let way = |anchor, through: &[&'static str], by| Selector::Under {
        anchor,
        through: through.to_vec(),
        by,
        test: Test::Every,
    };
    vec![
        way("R1", &[], None),
        way("R1", &[], Some("S1")),
        way("R1", &[], Some("R1")),
        way("R1", &[], Some("T")),
        way("R1", &["S1"], None),
        way("R1", &["T", "S1"], None),
        way("R1", &["T"], Some("T")),
        way("R2", &[], None),
        way("R2", &["S2"], None),
        way("R2", &["S1"], None),
        way("R2", &[], Some("S2")),
        way("R1", &["R1"], None),
    ]
}

fn with_test(way: &Selector, test: Test) -> Selector {
    match way {
        Selector::Under { anchor, through, by, .. } => {
            Selector::Under { anchor, through: through.clone(), by: *by, test }
        }
        exact => exact.clone(),
    }
}

fn two_tests(pick: &mut Pick<'_>) -> Plan {
    let way = pick.one(&ways()[..2]);
    let (one, other) = (pick.one(&tests()), pick.one(&tests()));
    let test = match pick.of(4) {
        0 if one == other => one,
        0 => Test::Any(vec![one, other]),
        1 => Test::All(vec![one, other], Vec::new()),
        2 => Test::All(vec![one], vec![other]),
        _ => Test::All(
            vec![Test::Any(vec![one, value(Field::Serial, Quantifier::Only, "07")])],
            vec![Test::All(vec![other, value(Field::Attribute("OU"), Quantifier::Any, "x")], Vec::new())],
        ),
    };
    one_host(anchors(&["R1"]), vec![rule(with_test(&way, test), "U1")])
}

fn two_rules(pick: &mut Pick<'_>) -> Plan {
    let tests = [
        Test::Every,
        dns("a.example"),
        value(Field::Serial, Quantifier::Only, "07"),
        value(Field::Attribute("OU"), Quantifier::Only, "x"),
    ];
    let ways = ways();
    let mut selectors: Vec<_> =
        ways.iter().flat_map(|way| tests.iter().map(|test| with_test(way, test.clone()))).collect();
    selectors.extend([Selector::Certificate("c1"), Selector::Key("m"), Selector::Certificate("n")]);
    let rules = vec![rule(pick.one(&selectors), "U1"), rule(pick.one(&selectors), "U2")];
    let mut entries = anchors(&["R1", "R2"]);
    entries.extend(perhaps(pick, &[(Kind::Anchor, "S1")]));
    one_host(entries, rules)
}

/// Sources of users.
fn sources() -> Vec<Source> {
    let from = |before, field, after| Template {
        before,
        field,
        nth: None,
        prefix: "",
        suffix: "",
        lower: false,
        after,
        among: Vec::new(),
    };
    let dns = |before, suffix| Template { suffix, ..from(before, Field::Dns, "") };
    let templates = [
        from("iot/", Field::Dns, ""),
        dns("iot/", ".dev.example"),
        dns("iot/", ".example"),
        Template { lower: true, ..from("iot/", Field::Attribute("CN"), "") },
        Template { prefix: "X", ..from("iot/", Field::Dns, "") },
        Template { prefix: "a", ..from("iot/", Field::Dns, "") },
        Template { nth: Some(1), ..from("iot/", Field::Dns, "") },
        Template { nth: Some(2), ..from("iot/", Field::Dns, "") },
        from("iot/", Field::Attribute("CN"), ""),
        from("", Field::Attribute("CN"), "@sub"),
        from("i", Field::Attribute("CN"), "@sub"),
        from("x-", Field::Attribute("OU"), "-y"),
        Template { nth: Some(2), ..from("x-", Field::Attribute("OU"), "-y") },
        Template { among: vec!["c", "x/y"], ..from("", Field::Attribute("CN"), "") },
        Template { among: vec!["n"], ..from("", Field::Attribute("CN"), "") },
        Template { among: vec!["iot/c", "iot/n"], ..from("iot/", Field::Attribute("CN"), "") },
    ];
    let mut sources: Vec<_> = templates.into_iter().map(Source::Template).collect();
    sources.extend(["U1", "iot/a.example", "c@sub", "x-", "x-y", "iot"].map(Source::User));
    sources
}

fn users(pick: &mut Pick<'_>) -> Plan {
    let sources = sources();
    let ways = [under("R1", Test::Every), under("R1", dns("a.example")), under("R2", Test::Every), Selector::Key("c1")];
    let names: [[Option<&'static str>; 2]; 3] =
        [[None, None], [Some("fleet"), Some("fleet")], [Some("fleet"), Some("other")]];
    let (one, other) = (pick.one(&sources), pick.one(&sources));
    let (first, second) = (pick.one(&ways[..2]), pick.one(&ways));
    let [name, other_name] = pick.one(&names);
    let rules = vec![
        Rule { selector: first, source: one, name, exception: false },
        Rule { selector: second, source: other, name: other_name, exception: false },
    ];
    Plan { disabled: vec!["c@sub"], ..one_host(anchors(&["R1", "R2"]), rules) }
}

fn assignment(pick: &mut Pick<'_>, roles: &[&'static str]) -> Assignment {
    Assignment {
        holder: pick.one(&[Holder::User("U1"), Holder::User("U2"), Holder::Rule("key"), Holder::Rule("name")]),
        role: pick.one(roles),
        least: pick.one(&[Strong::Name, Strong::Serial, Strong::Key, Strong::Certificate]),
        enforce: pick.one(&[Enforce::Enforce, Enforce::Warn, Enforce::Observe]),
    }
}

fn roles(pick: &mut Pick<'_>) -> Plan {
    let named = |selector, user, name| Rule { name: Some(name), ..rule(selector, user) };
    let serial = value(Field::Serial, Quantifier::Only, "07");
    let mut rules = vec![
        named(Selector::Key("c1"), "U1", "key"),
        named(under("R1", dns("a.example")), "U1", "name"),
        named(Selector::Certificate("a"), "U1", "certificate"),
        named(under("R2", serial.clone()), "U2", "serial"),
    ];
    if pick.yes() {
        rules.push(named(under("R1", Test::Any(vec![serial, dns("X.dev.example")])), "U1", "name"));
    }
    let mut plan = one_host([pins(&["a"]), anchors(&["R1", "R2"])].concat(), rules);
    plan.assignments = vec![assignment(pick, &ROLES[..1]), assignment(pick, &ROLES)];
    plan
}

fn list(issuer: &'static str, signer: &'static str, serials: &[u8], dates: (i64, i64)) -> List {
    List { issuer, signer, serials: serials.to_vec(), dates }
}

const CURRENT: (i64, i64) = (-1, 600);
const OLD: (i64, i64) = (-500, -1);
const FUTURE: (i64, i64) = (600, 2001);

/// A rule for each key, so that trust is what decides.
fn every_key() -> Vec<Rule> {
    ["a", "q", "c1", "c2", "c3", "c4", "m", "n"].map(|name| rule(Selector::Key(name), "U1")).into()
}

fn lists(pick: &mut Pick<'_>) -> Vec<List> {
    let none = Vec::new;
    let mut lists = pick.one(&[
        none(),
        vec![list("R1", "R1", &[], CURRENT)],
        vec![list("R1", "R1", &[7], CURRENT)],
        vec![list("R1", "R1", &[20], CURRENT)],
        vec![list("R1", "R1", &[1], CURRENT)],
        vec![list("R1", "R1", &[], OLD)],
        vec![list("R1", "R1", &[7], OLD), list("R1", "R1", &[], CURRENT)],
        vec![list("R1", "R1", &[], CURRENT), list("R1", "R1", &[8], FUTURE)],
        vec![list("R1", "z", &[7], CURRENT)],
    ]);
    lists.extend(pick.one(&[
        none(),
        vec![list("S1", "S1", &[], CURRENT)],
        vec![list("S1", "S1", &[7], FUTURE)],
        vec![list("S2", "S2", &[22], CURRENT)],
        vec![list("S1", "z", &[7], CURRENT)],
    ]));
    lists.extend(pick.one(&[none(), vec![list("R2", "R2", &[21], CURRENT)], vec![list("R2", "R2", &[7], FUTURE)]]));
    lists.extend(perhaps(pick, &[list("T", "T", &[], CURRENT)]));
    lists
}

fn revocation(pick: &mut Pick<'_>) -> Plan {
    let entries = pick.one(&[
        anchors(&["R1"]),
        anchors(&["R1", "R2"]),
        anchors(&["R1", "S1"]),
        anchors(&["S1", "S2"]),
        [pins(&["c1"]), anchors(&["R1"])].concat(),
    ]);
    let mut rules = every_key();
    rules.extend(
        entries.iter().filter(|(kind, _)| *kind == Kind::Anchor).map(|(_, name)| rule(under(name, Test::Every), "U1")),
    );
    Plan { lists: lists(pick), grace: pick.one(&[0, 200]), ..one_host(entries, rules) }
}

const DENIALS: [Denied; 9] = [
    Denied::Key("a"),
    Denied::Key("c1"),
    Denied::Key("R1"),
    Denied::Key("S1"),
    Denied::Serial("c1"),
    Denied::Serial("m"),
    Denied::Serial("S1"),
    Denied::Serial("R2"),
    Denied::Serial("b"),
];

fn denials(pick: &mut Pick<'_>) -> Plan {
    let entries = pick.one(&[
        [pins(&["a", "c1"]), anchors(&["R1"])].concat(),
        [vec![(Kind::KeyPin, "a")], anchors(&["R1", "R2"])].concat(),
        anchors(&["S1", "R2"]),
    ]);
    let mut rules = every_key();
    rules.push(Rule { exception: true, ..rule(Selector::Certificate("c1"), "U1") });
    Plan { denials: pick.some(&DENIALS), ..one_host(entries, rules) }
}

fn exceptions(pick: &mut Pick<'_>) -> Plan {
    let mut entries = anchors(&["R1"]);
    entries.extend(perhaps(pick, &[(Kind::Anchor, "R2")]));
    entries.extend(perhaps(pick, &[(Kind::Pin, "c1"), (Kind::KeyPin, "c1")]));
    entries.extend(perhaps(pick, &[(Kind::Pin, "o")]));
    let mut rules = Vec::new();
    let exceptions = [
        rule(Selector::Certificate("c1"), "U1"),
        rule(Selector::Key("c1"), "U1"),
        rule(Selector::Certificate("m"), "U1"),
        rule(under("R1", dns("a.example")), "U2"),
        rule(under("R1", Test::Every), "U2"),
    ];
    for plain in exceptions {
        let exception = Rule { exception: true, ..plain.clone() };
        rules.extend(perhaps(pick, &[plain, exception]));
    }
    rules.extend(perhaps(pick, &[rule(Selector::Certificate("o"), "U2"), rule(Selector::Certificate("o"), "U1")]));
    one_host(entries, rules)
}

fn purposes(pick: &mut Pick<'_>) -> Plan {
    let mut plan = one_host(
        pick.one(&[
            anchors(&["R1", "R2"]),
            [pins(&["a", "q", "c4", "R1"]), anchors(&["R2"])].concat(),
            [vec![(Kind::KeyPin, "a"), (Kind::KeyPin, "q"), (Kind::Pin, "c2")], anchors(&["R1", "S1"])].concat(),
        ]),
        every_key(),
    );
    if pick.yes() {
        plan.rules.push(rule(Selector::Certificate("R1"), "U2"));
    }
    let bundle = &mut plan.hosts[0].bundle;
    bundle.most = pick.one(&[None, Some(0), Some(1), Some(2)]);
    bundle.stated = pick.yes();
    bundle.pins_stated = pick.one(&[None, Some(false), Some(true)]);
    plan
}

fn host(pick: &mut Pick<'_>) -> HostPlan {
    let (name, entries) =
        pick.one(&[("one", pins(&["a"])), ("one", anchors(&["R1"])), ("two", Vec::new()), ("two", anchors(&["R1"]))]);
    let (names, default) = pick.one(&[
        (vec![], false),
        (vec!["gw.example"], false),
        (vec!["ask.example"], true),
        (vec!["gw.example", "ask.example"], false),
    ]);
    HostPlan {
        id: pick.one(&["gw", "ask"]),
        mode: pick.one(&[Mode::Require, Mode::Request, Mode::None]),
        names,
        default,
        bundle: Bundle { name, ..bundle(entries) },
    }
}

fn hosts(pick: &mut Pick<'_>) -> Plan {
    let mut plan = Plan { hosts: vec![host(pick), host(pick)], ..Plan::default() };
    plan.rules = vec![rule(Selector::Certificate("a"), "U1"), rule(Selector::Key("c1"), "U2")];
    plan
}

/// Some of everything: for choices by chance, because nobody can make them all.
#[must_use]
pub fn mixed(pick: &mut Pick<'_>) -> Plan {
    let mut plan = Plan { disabled: pick.some(&["U2", "iot/a.example"]), ..Plan::default() };
    for id in ["gw", "ask"] {
        let kind = |pick: &mut Pick<'_>| pick.one(&[Kind::Pin, Kind::KeyPin, Kind::Anchor]);
        let mut entries = Vec::new();
        for name in pick.some(&["R1", "R2", "S1", "S2"]) {
            let kind = if pick.of(8) == 7 { kind(pick) } else { Kind::Anchor };
            entries.push((kind, name));
        }
        for name in pick.some(&["a", "b", "q", "c1", "c3", "o", "m"]) {
            entries.push((pick.one(&[Kind::Pin, Kind::KeyPin]), name));
        }
        let bundle = Bundle {
            name: id,
            entries,
            most: pick.one(&[None, None, None, Some(1), Some(0)]),
            stated: pick.of(8) == 7,
            pins_stated: pick.one(&[None, None, Some(false), Some(true)]),
        };
        let mode = pick.one(&[Mode::Require, Mode::Require, Mode::Request, Mode::None]);
        plan.hosts.push(HostPlan {
            id,
            mode,
            names: if id == "gw" { Vec::new() } else { vec!["ask.example"] },
            default: false,
            bundle,
        });
        if pick.yes() {
            break;
        }
    }
    let known: Vec<_> = plan.hosts.iter().flat_map(|host| host.bundle.entries.iter().copied()).collect();
    let (ways, tests, sources) = (ways(), tests(), sources());
    for _ in 0..pick.of(6) {
        let anchors: Vec<_> = known.iter().filter(|(kind, _)| *kind == Kind::Anchor).map(|(_, name)| *name).collect();
        let exact = ["a", "b", "q", "c1", "c3", "o", "m", "n", "R1"];
        let selector = match pick.of(4) {
            0 => Selector::Certificate(pick.one(&exact)),
            1 => Selector::Key(pick.one(&exact)),
            _ if anchors.is_empty() => Selector::Key(pick.one(&exact)),
            _ => {
                let test = if pick.yes() { pick.one(&tests) } else { Test::Every };
                match with_test(&pick.one(&ways), test) {
                    Selector::Under { through, by, test, .. } if pick.yes() => {
                        Selector::Under { anchor: pick.one(&anchors), through, by, test }
                    }
                    Selector::Under { test, .. } => under(pick.one(&anchors), test),
                    exact => exact,
                }
            }
        };
        let named = matches!(selector, Selector::Under { .. });
        let source = match pick.of(6) {
            0 if named => pick.one(&sources),
            1 => Source::User("U2"),
            2 => Source::User("U3"),
            _ => Source::User("U1"),
        };
        let exception = matches!(selector, Selector::Certificate(_)) && pick.of(3) == 2;
        let name = if pick.yes() { None } else { Some(pick.one(&["key", "name", "fleet", "other"])) };
        plan.rules.push(Rule { selector, source, name, exception });
    }
    for _ in 0..pick.of(4) {
        let mut new = assignment(pick, &ROLES);
        let names: Vec<_> = plan.rules.iter().filter_map(|rule| rule.name).collect();
        if let (Holder::Rule(_), false) = (new.holder, names.is_empty()) {
            new.holder = Holder::Rule(pick.one(&names));
        }
        plan.assignments.push(new);
    }
    if pick.yes() {
        plan.denials = (0..pick.of(3)).map(|_| pick.one(&DENIALS)).collect();
    }
    if pick.yes() {
        plan.lists = lists(pick);
    }
    plan.grace = pick.one(&[0, 0, 200]);
    plan.remembered = pick.one(&[None, Some(0), Some(1)]);
    plan
}
