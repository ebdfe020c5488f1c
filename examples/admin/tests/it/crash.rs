//! A writer that is killed, whenever, leaves the old document or the new one.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use certmap::document::{Document, NoReferences};
use certmap::{RoleAssignment, UserName};

use crate::tool::Desk;

const KILLS: u32 = 50;
/// Longer than a write takes where disks are quick.
const WRITING: Duration = Duration::from_millis(4);

#[test]
fn a_writer_killed_at_any_moment_leaves_the_old_document_or_the_new_one() {
    let desk = Desk::with_partner("killed");
    // Something to write, so that writing takes its time.
    let users = (0..300).map(|user| format!("{{ name = \"user-{user}\", note = \"{}\" }}", "x".repeat(400)));
    desk.write(
        "policy.toml",
        &format!("users = [{}]\n{}", users.collect::<Vec<_>>().join(", "), desk.text("policy.toml")),
    );
    let start = Instant::now();
    desk.done("role grant a/start --user ACME");
    let (whole, mut written, mut left) = (start.elapsed(), 0, 0);
    for kill in 0..KILLS {
        let old: Document = toml::from_str(&desk.text("policy.toml")).expect("whole");
        let role = format!("a/role-{kill}");
        let user: UserName = "ACME".parse().expect("a user");
        let mut new = old.clone();
        let assignment = RoleAssignment::new(user, role.parse().expect("a role"));
        new.edit(&NoReferences).assign(&assignment).expect("nothing is wrong with it");

        let mut command = desk.command(&["role", "grant", &role, "--user", "ACME"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        if kill % 2 == 0 {
            // Every moment of its life.
            thread::sleep(whole * kill / KILLS);
        } else {
            // Every moment of its writing, which begins with this file and is short.
            let temporary = desk.path(&format!(".policy.toml.{}.new", child.id()));
            while !temporary.exists() && child.try_wait().expect("it is ours").is_none() {}
            let begun = Instant::now();
            while begun.elapsed() < WRITING * kill / KILLS {}
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");

        let found: Document = toml::from_str(&desk.text("policy.toml")).expect("what is there is whole");
        assert!(found == old || found == new, "kill {kill}: neither the old document nor the new one");
        written += u32::from(found == new);
        left = desk.names(".").iter().filter(|name| name.starts_with(".policy.toml.")).count();
    }
    // Not `eprintln`, so that it is there to read when the test passes.
    let told =
        format!("{KILLS} kills within {whole:?}: {written} documents were written, {left} temporary files left\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
    // What the killed ones left disturbs nobody.
    desk.done("role grant a/end --user ACME");
    desk.done("check");
}
