//! What is forbidden stays forbidden: unsafe code, and lints that somebody switched off.

use std::path::{Path, PathBuf};

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("target") && !entry.ends_with(".git") {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") || entry.ends_with("Cargo.toml") {
            found.push(entry);
        }
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

#[test]
fn unsafe_code_is_forbidden_in_the_crate_and_in_every_package_beside_it() {
    assert!(read("src/lib.rs").lines().any(|line| line == "#![forbid(unsafe_code)]"));
    let workspace = read("Cargo.toml");
    assert!(workspace.lines().any(|line| line == r#"unsafe_code = "forbid""#));

    let members = workspace.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members: Vec<_> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 5, "{members:?}");
    for manifest in members.into_iter().map(|member| format!("{member}/Cargo.toml")).chain(["Cargo.toml".to_owned()]) {
        assert!(read(&manifest).contains("[lints]\nworkspace = true"), "{manifest}");
    }
}

#[test]
fn nobody_switches_the_fence_off() {
    let mut files = Vec::new();
    sources(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    // This file names what it looks for.
    files.retain(|path| !path.ends_with("fences.rs"));
    assert!(files.len() > 200, "{} files", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in
            ["allow(unsafe_code", "expect(unsafe_code", "warn(unsafe_code", "unsafe {", "unsafe fn", "unsafe impl"]
        {
            assert!(!text.contains(word), "{} has `{word}`", path.display());
        }
    }
}
