//! Who may import whom. The table is the architecture; a module that reaches past it fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Module, what of ours it may use, which foreign crates it may use. A foreign crate written `crate@file` may be used in
/// that file of the module only. Everybody may use `rustls::pki_types` and thiserror.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("limits", &[], &[]),
    ("code", &[], &[]),
    ("form", &["cert", "map", "role", "strength", "trust", "user"], &["serde"]),
    ("label", &["limits"], &[]),
    ("user", &["limits", "text"], &[]),
    ("strength", &[], &[]),
    ("sync", &[], &[]),
    ("trace", &[], &[]),
    ("memory", &["table"], &[]),
    ("table", &[], &["foldhash"]),
    ("text", &[], &[]),
    ("pem", &["limits"], &["pem", "zeroize"]),
    ("provider", &[], &["rustls::crypto"]),
    ("signature", &[], &["rustls", "webpki"]),
    (
        "cert",
        &["code", "limits", "pem", "text"],
        &[
            "der@crl_read",
            "der@elements",
            "der@extension",
            "der@extensions",
            "der@fields",
            "der@general_name",
            "der@date",
            "der@profile_facts",
            "der@name_elements",
            "der@key_type",
            "der@name_constraints",
            "der@encode",
            "der@values",
            "der@resigned",
            "serde@profile_serde",
            "sha2@fingerprint",
            "time@date",
            "time@validity",
        ],
    ),
    ("role", &["label", "limits", "map", "strength", "user"], &[]),
    (
        "identity",
        &["cert", "pem", "limits", "provider", "signature", "sync"],
        &[
            "rcgen@generate",
            "zeroize",
            "rustls::sign",
            "rustls::crypto",
            "rustls::SignatureScheme@mod",
            "rustls::SignatureScheme@sign",
            "der@answer",
            "der@generate",
            "der@request",
            "der@write",
            "pkcs8@write",
            "aes@pbes",
            "cbc@cipher",
            "cbc@pbes",
            "cbc@pse",
            "crypto_bigint@rsa_key",
            "des@pbes",
            "des@pse",
            "hmac@pkcs12",
            "pbkdf2@pbes",
            "rc2@pbes",
            "scrypt@pbes",
            "sha1@kdf",
            "sha1@pbes",
            "sha1@pkcs12",
            "sha1@pse",
            "sha2@pbes",
            "sha2@pkcs12",
        ],
    ),
    ("voucher", &["cert"], &[]),
    (
        "trust",
        &["cert", "label", "limits", "memory", "strength", "table", "trace", "voucher"],
        &["webpki@anchors", "webpki@chain", "webpki@path", "webpki@signatures", "rustls::crypto@signatures"],
    ),
    ("map", &["cert", "label", "limits", "memory", "strength", "table", "text", "trace", "user", "voucher"], &[]),
    (
        "policy",
        &[
            "trust", "map", "role", "user", "cert", "label", "limits", "provider", "strength", "sync", "table", "text",
            "trace",
        ],
        &["rustls::crypto@builder"],
    ),
    (
        "decision",
        &[
            "policy", "trust", "map", "role", "user", "cert", "code", "form", "limits", "strength", "sync", "text",
            "trace", "voucher",
        ],
        &["serde@form", "time@field"],
    ),
    (
        "review",
        &[
            "decision", "policy", "trust", "map", "role", "user", "cert", "code", "form", "limits", "provider",
            "strength", "text", "tls", "trace",
        ],
        &["rustls::crypto@preflight", "serde@form", "serde@preflight_serde"],
    ),
    ("live", &["decision", "policy", "role", "sync", "user"], &[]),
    (
        "document",
        &["policy", "trust", "map", "role", "user", "cert", "form", "label", "limits", "pem", "strength", "text"],
        &["serde", "rustls::crypto@mod", "rustls::crypto@understood", "rustls::crypto@edit"],
    ),
    (
        "tls",
        &["decision", "policy", "trust", "identity", "cert", "limits", "provider", "signature", "text", "trace"],
        &["rustls", "rustls_platform_verifier@client", "zeroize@tickets"],
    ),
    ("testing", &["cert", "identity", "pem", "provider"], &["der", "rustls"]),
];

pub fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

/// Code without comments, strings left alone: paths do not stand in our strings.
pub fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path that begins with this name and `::`, up to its second segment: `crate::cert`, `rustls::crypto`. Groups in
/// braces give one path for each member.
fn paths(code: &str, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let needle = format!("{root}::");
    for (at, _) in code.match_indices(&needle) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') && !code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + needle.len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut member = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(word(member.trim()));
                        member.clear();
                        continue;
                    }
                    _ => {}
                }
                member.push(c);
            }
            found.insert(word(member.trim()));
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

#[test]
fn every_module_imports_only_what_its_layer_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    // What the crate root re-exports under its own name counts as the module it comes from.
    let reexports: BTreeMap<&str, &str> = [("NoCryptoProvider", "provider")].into();
    let foreign = [
        "aes",
        "cbc",
        "crypto_bigint",
        "der",
        "des",
        "hmac",
        "pbkdf2",
        "rc2",
        "scrypt",
        "sha1",
        "pem",
        "pkcs8",
        "rcgen",
        "rustls",
        "rustls_platform_verifier",
        "serde",
        "sha2",
        "time",
        "webpki",
        "x509_parser",
        "zeroize",
    ];
    let mut wrong = Vec::new();
    let mut checked = 0;
    for file in &files {
        let relative = file.strip_prefix(&root).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let stem = file.file_stem().unwrap().to_str().unwrap();
        if ["lib", "manual"].contains(&module) || stem.ends_with("tests") {
            continue;
        }
        let Some((_, ours, theirs)) = LAYERS.iter().find(|(name, _, _)| *name == module) else {
            wrong.push(format!("{module} has no layer"));
            continue;
        };
        checked += 1;
        let code = code(file);
        for used in paths(&code, "crate") {
            let used = reexports.get(used.as_str()).copied().unwrap_or(&used);
            if used != module && !ours.contains(&used) {
                wrong.push(format!("{} uses crate::{used}", relative.display()));
            }
        }
        for name in foreign {
            // Our own module `pem` has the name of the crate behind it.
            if name == "pem" && module != "pem" {
                continue;
            }
            for second in paths(&code, name) {
                let full = format!("{name}::{second}");
                let allowed = theirs.iter().any(|allowed| {
                    let (path, only) =
                        allowed.split_once('@').map_or((*allowed, None), |(path, only)| (path, Some(only)));
                    (path == name || path == full) && only.is_none_or(|only| only == stem)
                });
                if !allowed && full != "rustls::pki_types" {
                    wrong.push(format!("{} uses {full}", relative.display()));
                }
            }
        }
    }
    assert!(checked > 30, "{checked} files");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_layers_have_no_cycle() {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while done.len() < LAYERS.len() {
        let next =
            LAYERS.iter().find(|(name, ours, _)| !done.contains(name) && ours.iter().all(|used| done.contains(used)));
        let (name, _, _) = next.unwrap_or_else(|| panic!("a cycle among the modules beyond {done:?}"));
        done.insert(name);
    }
}

#[test]
fn nothing_asks_a_clock_and_no_file_is_longer_than_500_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    for file in &files {
        let code = code(file);
        for clock in ["::now()", "SystemTime", "Instant"] {
            assert!(!code.contains(clock), "{} has {clock}", file.display());
        }
        assert!(!code.contains("println!"), "{}", file.display());
    }
    for folder in ["tests/it", "benches", "examples"] {
        sources(&root.join(folder), &mut files);
    }
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}
