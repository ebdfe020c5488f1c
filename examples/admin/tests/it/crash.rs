//! A writer that is killed, whenever, leaves the old document or the new one.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use certmap::document::{Document, NoReferences};
use certmap::{Holder, RoleAssignment, UserName};

use crate::tool::Desk;

const KILLS: u32 = 50;

/// Something to write, so that writing takes its time.
fn users() -> String {
    let users = (0..300).map(|user| format!("{{ name = \"user-{user}\", note = \"{}\" }}", "x".repeat(400)));
    format!("users = [{}]\n", users.collect::<Vec<_>>().join(", "))
}

fn acme() -> UserName {
    "ACME".parse().expect("a user")
}

/// The names of what writers begin.
struct Begun<'a>(&'a Desk, &'static str);

impl Begun<'_> {
    fn names(&self) -> BTreeSet<String> {
        self.0.names(".").into_iter().filter(|name| name.starts_with(self.1)).collect()
    }

    fn start(&self, line: &str) -> Child {
        let mut command = self.0.command(&line.split(' ').collect::<Vec<_>>());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    /// Waits until the writer has begun to write, or has ended.
    fn wait(&self, before: &BTreeSet<String>, child: &mut Child) {
        while self.names().is_subset(before) && child.try_wait().expect("it is ours").is_none() {}
    }

    /// How long a writer lives that is not killed, and how long of that it writes.
    fn measure(&self, line: &str) -> (Duration, Duration) {
        let (before, start) = (self.names(), Instant::now());
        let mut child = self.start(line);
        self.wait(&before, &mut child);
        let writing = Instant::now();
        assert!(child.wait().expect("it is ours").success(), "{line}");
        (start.elapsed(), writing.elapsed())
    }
}

/// Kills a writer again and again, half of them while they write. What is read afterwards is the document before or after.
fn kill_writers(
    begun: &Begun<'_>,
    (whole, writing): (Duration, Duration),
    line: impl Fn(u32) -> String,
    read: impl Fn() -> Document,
    edit: impl Fn(u32, &mut Document),
) {
    let (mut written, mut left) = (0, 0);
    for kill in 0..KILLS {
        let old = read();
        let mut new = old.clone();
        edit(kill, &mut new);
        let before = begun.names();
        let mut child = begun.start(&line(kill));
        if kill % 2 == 0 {
            // Every moment of its life.
            thread::sleep(whole * kill / KILLS);
        } else {
            // Every moment of its writing.
            begun.wait(&before, &mut child);
            thread::sleep(writing * kill / KILLS);
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");

        let found = read();
        assert!(found == old || found == new, "kill {kill}: neither the old document nor the new one");
        written += u32::from(found == new);
        left = begun.names().len();
    }
    // Not `eprintln`, so that it is there to read when the test passes.
    let told = format!(
        "{KILLS} kills within {whole:?}, of which {writing:?} of writing: {written} documents were written, {left} left\n"
    );
    let _ = std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes());
}

#[test]
fn a_writer_killed_at_any_moment_leaves_the_old_document_or_the_new_one() {
    let desk = Desk::with_partner("killed");
    desk.write("policy.toml", &(users() + &desk.text("policy.toml")));
    let begun = Begun(&desk, ".policy.toml.");
    kill_writers(
        &begun,
        begun.measure("role grant a/start --user ACME"),
        |kill| format!("role grant a/role-{kill} --user ACME"),
        || toml::from_str(&desk.text("policy.toml")).expect("what is there is whole"),
        |kill, document| {
            let role = format!("a/role-{kill}").parse().expect("a role");
            document.edit(&NoReferences).assign(&RoleAssignment::new(acme(), role)).expect("nothing is wrong with it");
        },
    );
    // What the killed ones left disturbs nobody, and goes.
    desk.done("role grant a/end --user ACME");
    desk.done("check");
    assert_eq!(desk.names("."), ["acme.crt", "acme.pem", "policy.toml"]);
}

#[cfg(unix)]
#[test]
fn a_writer_of_two_files_killed_at_any_moment_leaves_the_old_document_or_the_new_one() {
    let desk = Desk::with_partner("killed-generation");
    fs::create_dir(desk.path("policies.1")).expect("writable");
    std::os::unix::fs::symlink("policies.1", desk.path("policies")).expect("writable");
    fs::rename(desk.path("policy.toml"), desk.path("policies/acme.toml")).expect("writable");
    for (file, strength) in [("one.toml", "key"), ("two.toml", "certificate")] {
        let roles = (0..=KILLS + 1)
            .map(|role| format!("{{ role = \"a/role-{role}\", user = \"ACME\", at-least = \"{strength}\" }}"));
        let roles = roles.collect::<Vec<_>>().join(", ");
        let users = if file == "one.toml" { users() } else { String::new() };
        desk.write(&format!("policies/{file}"), &format!("version = 1\nassignments = [{roles}]\n{users}"));
    }
    let revoke = |role: u32| format!("-p policies role revoke a/role-{role} --user ACME");
    assert!(desk.done(&revoke(KILLS)).ends_with("written to one.toml, two.toml\n"));
    let begun = Begun(&desk, ".policies.");
    kill_writers(
        &begun,
        begun.measure(&revoke(KILLS + 1)),
        revoke,
        || {
            // As a gateway does: the link is followed once, and everything is read there.
            let folder = desk.path("policies").canonicalize().expect("there is always a generation");
            let parts = ["acme.toml", "one.toml", "two.toml"].map(|name| {
                let text = fs::read_to_string(folder.join(name)).expect("it is whole");
                (name.parse().expect("a name"), toml::from_str(&text).expect("what is there is whole"))
            });
            Document::merge(parts).expect("they have names")
        },
        |kill, document| {
            let role = format!("a/role-{kill}").parse().expect("a role");
            document.edit(&NoReferences).revoke(&Holder::User(acme()), &role).expect("nothing is wrong with it");
        },
    );
    desk.noted("-p policies user disable SMITH");
    desk.done("-p policies check");
    // The generation in force and the one before.
    assert_eq!(begun.names().len(), 2, "{:?}", begun.names());
}
