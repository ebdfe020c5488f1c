//! What the types forbid: each program in `cases` breaks one promise, and must not build, for the reason that stands beside it.
//!
//! `TRYBUILD=overwrite cargo test -p certmap-misuse` writes the reasons anew; read them before they are kept. Compilers word
//! them differently: the words are compared with the one below, with any other the codes of the errors are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler that the words are of.
const COMPILER: &str = "rustc 1.95.";
/// Set where this program calls itself: the folder of a copy of the cases.
const COPY: &str = "CERTMAP_MISUSE_COPY";

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = found.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    found.sort();
    found
}

/// `[E0308]`, or nothing where an error has no code.
fn codes(stderr: &str) -> Vec<&str> {
    let errors = stderr.lines().filter_map(|line| line.strip_prefix("error"));
    errors.map(|rest| rest.split(':').next().unwrap_or_default()).collect()
}

fn compare_codes(cases: &Path) {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("misuse");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).unwrap();
    for case in files(cases, "rs") {
        fs::copy(&case, copy.join(case.file_name().unwrap())).unwrap();
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "no_misuse_builds"]).env(COPY, &copy).env("TRYBUILD", "overwrite");
    assert!(child.status().unwrap().success(), "one of the cases builds");
    let mut wrong = Vec::new();
    for expected in files(cases, "stderr") {
        let found = fs::read_to_string(copy.join(expected.file_name().unwrap())).unwrap();
        let told = fs::read_to_string(&expected).unwrap();
        if codes(&found) != codes(&told) {
            wrong.push(found);
        }
    }
    assert!(wrong.is_empty(), "other errors than expected:\n{}", wrong.join("\n"));
}

#[test]
fn no_misuse_builds() {
    let compiler = Command::new(env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())).arg("--version").output();
    let compiler = String::from_utf8(compiler.unwrap().stdout).unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    if let Ok(copy) = env::var(COPY) {
        trybuild::TestCases::new().compile_fail(format!("{copy}/*.rs"));
    } else if compiler.starts_with(COMPILER) {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
    } else {
        println!("words are those of {COMPILER}, this is {}: codes are compared", compiler.trim());
        compare_codes(&cases);
    }
}

#[test]
fn every_case_says_what_it_breaks_and_why_it_fails() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (programs, reasons) = (files(&cases, "rs"), files(&cases, "stderr"));
    assert!(programs.len() >= 70, "{} cases", programs.len());
    assert_eq!(programs.len(), reasons.len());
    for program in programs {
        assert!(fs::read_to_string(&program).unwrap().starts_with("//! "), "{}", program.display());
        let reason = fs::read_to_string(program.with_extension("stderr")).unwrap();
        // One error is one reason.
        assert_eq!(codes(&reason).len(), 1, "{reason}");
    }
}
