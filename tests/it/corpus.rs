//! `corpus.md` cannot rot: every test that it names exists, every id has a row, every test of a row is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file)
}

/// The text of a module; empty if there is none.
fn source(module: &str) -> String {
    // `map::tests` and the like are inside the crate, `gateway::proxy` is of the example, all others are here.
    let inside = module.replace("::", "/");
    let path = match inside.strip_prefix("gateway/") {
        Some(rest) => place(&format!("../../examples/gateway/tests/it/{rest}.rs")),
        None if inside == module => place(&format!("{module}.rs")),
        None => place(&format!("../../src/{inside}.rs")),
    };
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The functions of a module that are tests.
fn tests(module: &str) -> BTreeSet<String> {
    let text = source(module);
    let after_attribute = text.split("#[test]\nfn ").skip(1);
    after_attribute.filter_map(|rest| Some(format!("{module}::{}", rest.split_once('(')?.0))).collect()
}

/// The cells of every row, without the heads of the tables.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect::<Vec<_>>()).filter(|cells| cells[0] != "Id").collect()
}

/// The ids that have a reason: in bold, with commas between, at the beginning of an item.
fn reasons(text: &str) -> BTreeSet<&str> {
    let items = text.lines().filter_map(|line| line.strip_prefix("- **")?.split_once(".**"));
    items.flat_map(|(ids, _)| ids.split(", ")).collect()
}

/// The answer of a cell, and what stands in brackets behind it.
fn answer(cell: &str) -> (&str, Vec<&str>) {
    match cell.strip_suffix(')').and_then(|cell| cell.split_once(" (")) {
        Some((answer, words)) => (answer, words.split(", ").collect()),
        None => (cell, Vec::new()),
    }
}

/// How many of these rows there are, and how many of each answer, in the words of the page.
fn counted(rows: &[(&str, &str)]) -> String {
    let of = |of: &str| rows.iter().filter(|(_, naive)| answer(naive).0 == of).count();
    let [yes, path, no, not] = ["yes", "path", "no", "n.a."].map(of);
    format!("{} rows, {yes} yes, {path} path, {no} no, {not} n.a.", rows.len())
}

/// Who falls for the attacks of these rows, and for what, in the words of the page.
fn fallen(rows: &[(&str, &str)]) -> String {
    let yes: Vec<_> = rows.iter().map(|(_, naive)| answer(naive)).filter(|(answer, _)| *answer == "yes").collect();
    let of = |word: &str| yes.iter().filter(|(_, words)| words.contains(&word)).count();
    let [home_made, cost, text] = ["home-made", "cost", "text"].map(of);
    format!("{} of the naive build, {home_made} home-made; {cost} of cost, {text} of text", yes.len() - home_made)
}

/// Where home-made lines are.
const HOME_MADE: [&str; 7] = [
    "corpus_homemade",
    "corpus_homemade_names",
    "corpus_bounds",
    "corpus_clients",
    "corpus_hosts",
    "corpus_revocation",
    "corpus_secrets",
];

/// True if a test runs the naive build, or a function beside it does that it calls.
fn runs_the_naive_build(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    let code = source(module);
    let functions = || code.split("\nfn ").skip(1).filter_map(|rest| rest.split_once("\n}\n")).map(|(body, _)| body);
    let named = |body: &&str, name: &str| body.starts_with(&format!("{name}("));
    let body = functions().find(|body| named(body, name)).unwrap_or_default();
    let called =
        functions().filter(|other| other.split('(').next().is_some_and(|name| body.contains(&format!(" {name}("))));
    let ways = [".naively(", ".naive()", "Naive::new(", "Naive::beside(", "NaiveHosts::beside("];
    std::iter::once(body).chain(called).any(|body| ways.iter().any(|way| body.contains(way)))
}

const FAMILIES: [(&str, usize); 11] = [
    ("TR", 28),
    ("RV", 23),
    ("RES", 16),
    ("VH", 12),
    ("MP", 35),
    ("CK", 3),
    ("DS", 14),
    ("HD", 5),
    ("LG", 7),
    ("CL", 5),
    ("PE", 26),
];

#[test]
fn the_counts_are_right_and_the_naive_builds_fall_for_nearly_everything() {
    let corpus = std::fs::read_to_string(place("corpus.md")).unwrap();
    let all: Vec<_> = rows(&corpus).iter().map(|row| (row[0], row[3])).collect();
    let added =
        |id: &str| id.starts_with("PE-") || id.starts_with('S') || matches!(id, "RV-20" | "RV-21" | "RV-22" | "RV-23");
    let elsewhere: Vec<_> = all.iter().copied().filter(|(id, _)| !added(id)).collect();
    for (of, rows) in [("of all rows", &all), ("without PE, S and RV-20 to RV-23, which we added", &elsewhere)] {
        let line = format!("Count {of}: {}.", counted(rows).trim_end_matches('.'));
        assert!(corpus.lines().any(|said| said == line), "{line}");
        let line = format!("Yes {of}: {}.", fallen(rows));
        assert!(corpus.lines().any(|said| said == line), "{line}");
    }
    let refused = elsewhere.iter().filter(|(_, naive)| *naive == "no").count();
    let arises = elsewhere.iter().filter(|(_, naive)| *naive != "n.a.").count();
    assert!(refused * 20 <= arises, "{refused} of {arises} are refused there too");
}

#[test]
fn a_row_says_whether_the_naive_build_falls_for_it_or_home_made_lines() {
    let corpus = std::fs::read_to_string(place("corpus.md")).unwrap();
    for module in HOME_MADE {
        assert!(corpus.contains(&format!("`{module}.rs`")), "{module}");
    }
    for row in rows(&corpus) {
        let [id, _, tests_of_row, naive] = row[..] else { panic!("{row:?}") };
        let (answer, words) = answer(naive);
        let (home_made, kind) = match words[..] {
            [] => (false, None),
            ["home-made"] => (true, None),
            ["home-made", kind] => (true, Some(kind)),
            [kind] => (false, Some(kind)),
            _ => panic!("{id}: {naive}"),
        };
        assert!(kind.is_none_or(|kind| ["cost", "text"].contains(&kind)), "{id}: {naive}");
        if answer != "yes" {
            assert!(words.is_empty(), "{id}: {naive}");
            continue;
        }
        let mut named = tests_of_row.split(", ").map(|test| test.trim_matches('`'));
        if home_made {
            let there = |test: &str| HOME_MADE.iter().any(|module| tests(module).contains(test));
            assert!(named.any(there), "{id} names no test of home-made lines");
        } else if !corpus.contains(&format!("the **yes** of {id},")) {
            assert!(named.any(runs_the_naive_build), "{id} names no test of the naive build");
        }
    }
}

#[test]
fn every_test_that_the_corpus_names_exists_and_every_row_has_one_or_a_reason() {
    let corpus = std::fs::read_to_string(place("corpus.md")).unwrap();
    let reasons = reasons(&corpus);
    let (mut known, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(&corpus) {
        let [id, _, tests_of_row, naive] = row[..] else { panic!("{row:?}") };
        assert!(ids.insert(id), "{id} stands there twice");
        assert!(["yes", "no", "n.a.", "path"].contains(&answer(naive).0), "{id}: {naive}");
        if ["no", "n.a."].contains(&naive) || tests_of_row == "see below" {
            assert!(reasons.contains(id), "{id} is `{naive}` and has no reason");
        }
        if tests_of_row == "see below" {
            continue;
        }
        for test in tests_of_row.split(", ") {
            let name = test.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or_else(|| panic!("{id}"));
            let (module, _) = name.rsplit_once("::").unwrap_or_else(|| panic!("{id}: {name}"));
            assert!(tests(module).contains(name), "{id}: there is no test `{name}`");
            known.insert(name.to_owned());
        }
    }
    for (family, count) in FAMILIES {
        for number in 1..=count {
            assert!(ids.contains(&format!("{family}-{number:02}")[..]), "{family}-{number:02} has no row");
        }
    }
    let modules = [
        "corpus_bounds",
        "corpus_clients",
        "corpus_homemade",
        "corpus_homemade_names",
        "corpus_hosts",
        "corpus_names",
        "corpus_peers",
        "corpus_revocation",
        "corpus_secrets",
        "corpus_sessions",
        "corpus_trust",
    ];
    let here = modules.map(tests).into_iter().flatten();
    let unnamed: Vec<_> = here.filter(|test| !known.contains(test)).collect();
    assert!(unnamed.is_empty(), "not in corpus.md: {unnamed:?}");
}

/// Number and test families of every promise of a page: rows that begin with a number.
fn promises(text: &str) -> Vec<(usize, String)> {
    let numbered = rows(text).into_iter().filter_map(|row| Some((row[0].parse().ok()?, (*row.last()?).to_owned())));
    numbered.collect()
}

/// True if there are tests of this name: a module here or in the crate, a package beside them, or a step of CI.
fn is_family(name: &str) -> bool {
    let packages = ["campaigns", "misuse", "models"].map(|folder| place(&format!("../{folder}/Cargo.toml")));
    let called = format!("name = \"{name}\"\n");
    !tests(name).is_empty()
        || packages.iter().any(|package| std::fs::read_to_string(package).unwrap().contains(&called))
        || name.starts_with(".ci/") && place("../..").join(name).is_file()
}

#[test]
fn every_promise_names_the_tests_that_keep_it_and_they_exist() {
    let [readme, threats] =
        ["../../README.md", "../../src/manual/threats.md"].map(|page| std::fs::read_to_string(place(page)).unwrap());
    let (short, long) = (promises(&readme), promises(&threats));
    assert_eq!(short, long, "both pages promise the same");
    assert_eq!(long.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=16).collect::<Vec<_>>());
    // The details below have no number, and tests all the same.
    let details = threats.split("## In more detail").nth(1).unwrap();
    let details: Vec<_> = rows(details).iter().skip(1).map(|row| (*row.last().unwrap()).to_owned()).collect();
    assert!(details.len() > 20, "{}", details.len());
    for families in long.iter().map(|(_, families)| families).chain(&details) {
        let named: Vec<_> = families.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{families}");
        for family in named {
            assert!(is_family(family), "there are no tests `{family}`");
        }
    }
}
