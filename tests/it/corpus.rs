//! `corpus.md` cannot rot: every test that it names exists, every id has a row, every test of a row is named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file)
}

/// The functions of a module that are tests.
fn tests(module: &str) -> BTreeSet<String> {
    // `map::tests` and the like are inside the crate, all others here.
    let inside = module.replace("::", "/");
    let path = if inside == module { place(&format!("{module}.rs")) } else { place(&format!("../../src/{inside}.rs")) };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let after_attribute = text.split("#[test]\nfn ").skip(1);
    after_attribute.filter_map(|rest| Some(format!("{module}::{}", rest.split_once('(')?.0))).collect()
}

/// The cells of every row, without the heads of the tables.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect::<Vec<_>>()).filter(|cells| cells[0] != "Id").collect()
}

#[test]
fn every_test_that_the_corpus_names_exists_and_every_row_has_one_or_a_reason() {
    let corpus = std::fs::read_to_string(place("corpus.md")).unwrap();
    let (mut known, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(&corpus) {
        let [id, _, tests_of_row, naive] = row[..] else { panic!("{row:?}") };
        assert!(ids.insert(id), "{id} stands there twice");
        assert!(["yes", "no", "n.a.", "path"].contains(&naive), "{id}: {naive}");
        if tests_of_row == "see below" {
            assert!(corpus.contains(&format!("- **{id}.**")), "{id} has neither test nor reason");
            continue;
        }
        for test in tests_of_row.split(", ") {
            let name = test.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or_else(|| panic!("{id}"));
            let (module, _) = name.rsplit_once("::").unwrap_or_else(|| panic!("{id}: {name}"));
            assert!(tests(module).contains(name), "{id}: there is no test `{name}`");
            known.insert(name.to_owned());
        }
    }
    for (family, count) in [("TR", 28), ("RV", 23), ("RES", 16), ("VH", 12), ("MP", 35), ("CK", 3), ("PE", 26)] {
        for number in 1..=count {
            assert!(ids.contains(&format!("{family}-{number:02}")[..]), "{family}-{number:02} has no row");
        }
    }
    let modules =
        ["corpus_trust", "corpus_revocation", "corpus_peers", "corpus_names", "corpus_hosts", "corpus_sessions"];
    let here = modules.map(tests).into_iter().flatten();
    let unnamed: Vec<_> = here.filter(|test| !known.contains(test)).collect();
    assert!(unnamed.is_empty(), "not in corpus.md: {unnamed:?}");
}
