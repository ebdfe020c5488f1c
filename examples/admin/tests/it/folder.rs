//! A folder of policy files: each thing is changed where it is, and each change is one file.

use std::fs;

use crate::tool::{Desk, expired};

/// `acme.toml` has the partner, `policy.toml` is for what is new.
fn folder(name: &str) -> Desk {
    let desk = Desk::with_partner(name);
    fs::create_dir(desk.path("policies")).expect("writable");
    fs::rename(desk.path("policy.toml"), desk.path("policies/acme.toml")).expect("writable");
    desk
}

#[test]
fn things_are_changed_where_they_are_and_added_where_it_is_said() {
    let desk = folder("where");
    assert!(desk.done("-p policies role grant a/b --user ACME").ends_with("written to policy.toml\n"));
    assert!(desk.done("-p policies --file roles.toml role grant a/c --user ACME").ends_with("written to roles.toml\n"));
    let changed = desk.done("-p policies host set gateway --client-auth request");
    assert!(changed.ends_with("written to acme.toml\n"), "{changed}");
    assert_eq!(desk.names("policies"), ["acme.toml", "policy.toml", "roles.toml"]);
    let files: Vec<_> =
        desk.json("-p policies role list").as_array().expect("a list").iter().map(|row| row["file"].clone()).collect();
    assert_eq!(files, ["policy.toml", "roles.toml"]);

    // Of a file that has nothing more to say the version is left.
    desk.done("-p policies role revoke a/c --user ACME");
    assert_eq!(desk.text("policies/roles.toml"), "version = 1\n");
    desk.refused(2, "-p policies --file ../else.toml role grant a/d --user ACME");
    desk.refused(2, "-p policies --file roles.txt role grant a/d --user ACME");
}

#[test]
fn problems_keep_their_file() {
    let desk = folder("problems");
    desk.write("policies/b.toml", "version = 1\nmappings = [{ match = \"@acne\", user = \"B\" }]\n");
    desk.write("policies/c.toml", "version = 1\nhosts = [{ id = \"c\", bundle = \"partner\" }]\n");
    desk.write("policies/.hidden.toml", "no policy");
    desk.write("policies/notes.txt", "no policy");
    let said = desk.run("-p policies check");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_eq!(
        said.err,
        "error: the policy has 2 problems\n  \
        c.toml: hosts[0].bundle: no bundle is named `partner`: is `partners` meant? [unknown-bundle]\n  \
        b.toml: mappings[0].match: `@acne` at column 1 stands for no certificate: no certificate has this alias, \
        is `acme` meant? [invalid-selector]\n"
    );
    // What is wrong already does not keep anybody from working on the rest.
    desk.done("-p policies role grant a/b --user ACME");
    desk.done("-p policies map list");

    desk.write("policies/b.toml", "version = 2\n");
    desk.write("policies/c.toml", "verison = 1\n");
    let said = desk.run("-p policies check");
    assert_eq!(said.code, Some(3));
    assert!(said.err.contains("\n  b.toml: line 1: version 2 is not known"), "{}", said.err);
    assert!(said.err.contains("\n  c.toml: line 1: unknown key `verison`: is `version` meant?"), "{}", said.err);
}

#[test]
fn a_change_of_two_files_is_refused_or_made_in_whole_steps() {
    let desk = folder("two");
    for (name, file) in [("one", "one.toml"), ("two", "two.toml")] {
        desk.write("old.crt", &expired(&format!("CN={name}")));
        desk.noted(&format!("-p policies --file {file} bundle add-ca partners old.crt"));
        desk.done(&format!("-p policies --file {file} role grant a/b --user ACME --at-least {}", strength(name)));
    }
    let refusal = desk.refused(1, "-p policies role revoke a/b --user ACME");
    assert_eq!(
        refusal,
        "error: this would change `one.toml` and `two.toml`, and whoever reads them meanwhile would see half of it; \
        nothing was changed: do it in steps that change one file each, or make the folder a link (`mv policies policies.1; \
        ln -s policies.1 policies`), and it is one step\n"
    );
    let removed = desk.done("-p policies bundle remove-ca partners --expired");
    assert!(removed.ends_with("written to one.toml, two.toml\n"), "{removed}");
    assert_eq!(desk.json("-p policies bundle list-cas").as_array().map(Vec::len), Some(1));
    desk.done("-p policies check");
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_a_link_is_changed_in_one_step_as_a_reader_of_the_link_sees_it() {
    use std::os::unix::fs::symlink;

    for (layout, link) in [("linked", "policies"), ("mounted", "policies/..data")] {
        let desk = folder(layout);
        for (name, file) in [("one", "one.toml"), ("two", "two.toml")] {
            desk.done(&format!("-p policies --file {file} role grant a/b --user ACME --at-least {}", strength(name)));
        }
        fs::rename(desk.path("policies"), desk.path("first")).expect("writable");
        if link == "policies" {
            symlink("first", desk.path(link)).expect("writable");
        } else {
            fs::create_dir(desk.path("policies")).expect("writable");
            fs::rename(desk.path("first"), desk.path("policies/first")).expect("writable");
            symlink("first", desk.path(link)).expect("writable");
        }
        let old = desk.path(link).canonicalize().expect("there");
        let before = desk.names(old.to_str().expect("UTF-8"));
        let revoked = desk.done("-p policies/ role revoke a/b --user ACME");
        assert!(revoked.ends_with("written to one.toml, two.toml\n"), "{revoked}");
        let new = desk.path(link).canonicalize().expect("there");
        assert_ne!(new, old);
        assert_eq!(desk.names(new.to_str().expect("UTF-8")), before);
        // Whoever is reading the old one still can.
        assert!(fs::read_to_string(old.join("one.toml")).expect("there").contains("a/b"));
        assert!(!fs::read_to_string(new.join("one.toml")).expect("there").contains("a/b"));
        // References are followed in the generation, new files come into it, and what is refused makes none.
        desk.done("-p policies --file three.toml role grant a/c --user ACME");
        let third = desk.path(link).canonicalize().expect("there");
        assert!(third.join("three.toml").exists() && !new.join("three.toml").exists());
        assert!(old.exists(), "what was not made here is not taken away");
        desk.refused(1, "-p policies host set gateway --ca-bundle nobody:require");
        assert_eq!(desk.path(link).canonicalize().expect("there"), third);
        desk.done("-p policies check");
    }
}

#[test]
fn of_what_several_write_at_a_time_nothing_is_lost() {
    const WRITERS: usize = 3;
    const ROLES: usize = 6;
    /// Whoever is overtaken tries again; two can overtake each other some times.
    const TRIES: usize = 1_000;

    for linked in [false, cfg!(unix)] {
        let desk = folder(if linked { "several-linked" } else { "several-plain" });
        #[cfg(unix)]
        if linked {
            fs::rename(desk.path("policies"), desk.path("first")).expect("writable");
            std::os::unix::fs::symlink("first", desk.path("policies")).expect("writable");
        }
        let write = |writer: usize, role: usize| {
            // Each has a file of its own.
            let line = format!("-p policies --file w{writer}.toml role grant w{writer}/r{role} --user ACME");
            let granted = |_| {
                let said = desk.run(&line);
                assert!(said.code == Some(0) || said.err.contains("changed by somebody else"), "{said:?}");
                said.code == Some(0)
            };
            assert!((0..TRIES).any(granted), "{line}");
        };
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || (0..ROLES).for_each(|role| write(writer, role)));
            }
        });
        let listed = desk.json("-p policies role list");
        assert_eq!(listed.as_array().map(Vec::len), Some(WRITERS * ROLES), "{listed}");
        desk.done("-p policies check");
    }
}

fn strength(name: &str) -> &'static str {
    if name == "one" { "certificate" } else { "key" }
}

#[test]
fn references_stay_in_the_folder() {
    let desk = folder("references");
    fs::copy(desk.path("acme.crt"), desk.path("policies/acme.crt")).expect("writable");
    let policy = |reference: &str| {
        format!(
            "version = 1\nhosts = [{{ id = \"g\", bundle = \"b\" }}]\nbundles = [{{ name = \"b\" }}]\n\
            certificates = [{{ bundle = \"b\", kind = \"pin\", reference = \"{reference}\" }}]\n"
        )
    };
    desk.write("policies/acme.toml", &policy("acme.crt"));
    desk.done("-p policies check");
    // A reference stays one when its file is written anew.
    desk.done("-p policies host set g --client-auth request");
    assert!(desk.text("policies/acme.toml").contains("reference = \"acme.crt\""));
    desk.write("policies/acme.toml", &policy("../acme.crt"));
    let refusal = desk.run("-p policies check").err;
    assert!(refusal.contains("write the path of a file in the folder of the policy, without `..`"), "{refusal}");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(desk.path("acme.crt"), desk.path("policies/link.crt")).expect("writable");
        desk.write("policies/acme.toml", &policy("link.crt"));
        let refusal = desk.run("-p policies check").err;
        assert!(refusal.contains("the file is outside the folder of the policy: copy it there"), "{refusal}");
    }
}

#[test]
fn a_policy_in_json_stays_json() {
    let desk = Desk::with_partner("json");
    let digest = desk.json("check")["digest"].clone();
    for line in [
        "bundle add-ca partners acme.crt --alias acme",
        "host set gateway --ca-bundle partners:require",
        "map add @acme --user ACME",
    ] {
        desk.done(&format!("-p policy.json {line}"));
    }
    let written: serde_json::Value = serde_json::from_str(&desk.text("policy.json")).expect("it is JSON");
    assert_eq!(written["version"], 1);
    assert_eq!(desk.json("-p policy.json check")["digest"], digest);
}
