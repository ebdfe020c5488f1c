//! Reading everything again: at once, whole, and whatever happens meanwhile.

use std::os::unix::fs::symlink;
use std::time::Duration;
use std::{fs, thread};

use certmap::Certificate;

use crate::client::Client;
use crate::desk::{Desk, status};
use crate::gateway::Gateway;

const WORDS: [&str; 6] = ["--policy", "mount", "--identity", "gw=mount/gw.pem", "--identity", "other=mount/gw.pem"];

fn fingerprint(desk: &Desk, name: &str) -> String {
    Certificate::from_pem(desk.text(name).as_bytes()).expect("made by us").fingerprint().to_string()
}

#[test]
fn a_gateway_that_was_killed_while_it_reloaded_begins_with_a_whole_policy() {
    let desk = Desk::new("kill");
    let texts = [desk.text("policy.toml"), desk.text("two.toml")];
    let digests = texts.clone().map(|text| {
        desk.replace("policy.toml", &text);
        desk.gateway(&[]).policy.clone()
    });
    assert_ne!(digests[0], digests[1]);
    for round in 0..12 {
        // The last round but one left the other one.
        let gateway = desk.gateway(&[]);
        assert_eq!(gateway.policy, digests[(round + 1) % 2], "round {round}");
        desk.replace("policy.toml", &texts[round % 2]);
        let mut files = desk.files();
        gateway.signal("-HUP");
        // Wherever it is by then: from before the first step until after the last.
        thread::sleep(Duration::from_micros(400 * round as u64));
        gateway.kill();
        let mut left = desk.files();
        assert_eq!((left.remove("http.log"), files.remove("http.log")).0.as_deref(), Some(""), "it logged requests");
        assert!(left == files, "round {round}: it wrote to its files");
    }
}

#[test]
fn a_renewed_certificate_is_shown_to_new_connections_and_touches_nothing_else() {
    let desk = Desk::new("renewal");
    let gateway = desk.gateway(&[]);
    let mut open = Client::new(&desk, &gateway, "acme.pem");
    assert_eq!(open.server(), fingerprint(&desk, "gw.crt"));
    let answer = open.get("/whoami");
    assert_eq!(answer.0, 200);

    // Half of the new file keeps the old one in force.
    let renewed = desk.text("gw2.pem");
    desk.replace("gw.pem", renewed.split_at(renewed.len() - 100).0);
    gateway.says("not reloaded: gw.pem: ");
    assert_eq!(Client::new(&desk, &gateway, "acme.pem").server(), fingerprint(&desk, "gw.crt"));
    desk.replace("gw.pem", &renewed);
    let said = gateway.says("policy ");
    let certificate = fingerprint(&desk, "gw2.crt");
    assert_eq!(
        said,
        format!("policy {} is in force; host gw is {certificate}; host other is {certificate}", gateway.policy)
    );

    let mut new = Client::new(&desk, &gateway, "acme.pem");
    assert_eq!(new.server(), certificate);
    assert_eq!([open.get("/whoami"), new.get("/whoami")], [answer.clone(), answer]);
    let records = gateway.end();
    assert!(records.iter().all(|record| record.policy() == records[0].policy()));
    let connections: Vec<_> = records.iter().map(|record| record.connection().expect("a number")).collect();
    assert_eq!(connections, ["1", "1", "3"]);
}

/// A folder as it is mounted into a container: all in it are links through `..data`, which is swapped.
struct Mount<'a> {
    desk: &'a Desk,
    number: usize,
}

impl Mount<'_> {
    fn swap(&mut self, policy: &str, identity: &str) {
        let mount = self.desk.path("mount");
        let [before, now] = [self.number, self.number + 1].map(|number| mount.join(format!("..{number}")));
        fs::create_dir_all(&now).expect("a folder");
        for (from, to) in [(policy, "policy.toml"), (identity, "gw.pem")] {
            fs::copy(self.desk.path(from), now.join(to)).expect("a file");
            if self.number == 0 {
                symlink(format!("..data/{to}"), mount.join(to)).expect("a link");
            }
        }
        symlink(&now, mount.join("..data_tmp")).expect("a link");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("in one step");
        let _ = fs::remove_dir_all(before);
        self.number += 1;
    }
}

#[test]
fn policy_and_certificate_of_a_folder_that_is_swapped_are_of_one_generation() {
    let desk = Desk::new("mount");
    let mut mount = Mount { desk: &desk, number: 0 };
    let mut known = Vec::new();
    for (policy, identity) in [("policy.toml", "gw.pem"), ("two.toml", "gw2.pem"), ("less.toml", "gw.pem")] {
        mount.swap(policy, identity);
        let certificate = fingerprint(&desk, &identity.replace(".pem", ".crt"));
        let digest = &Gateway::start(&desk, &WORDS).policy;
        known.push(format!("policy {digest} is in force; host gw is {certificate}; host other is {certificate}"));
    }
    mount.swap("policy.toml", "gw.pem");
    let gateway = Gateway::start(&desk, &WORDS);
    for _ in 0..150 {
        mount.swap("two.toml", "gw2.pem");
        gateway.signal("-HUP");
        mount.swap("policy.toml", "gw.pem");
    }
    // The last one without being told.
    mount.swap("less.toml", "gw.pem");
    let mut seen = 0;
    loop {
        let line = gateway.line().expect("it runs");
        seen += 1;
        if line == known[2] {
            break;
        }
        let changing = line == "not reloaded: the files change while they are read";
        assert!(changing || known.contains(&line), "after {seen}: {line}");
    }
    assert!(seen > 1, "nothing was read while it was swapped");
    assert_eq!(desk.curl(&gateway.port, Some("acme"), "gw.example/whoami", &[]).0, "401");
    mount.swap("two.toml", "gw2.pem");
    gateway.says(&known[1]);
    let mut client = Client::new(&desk, &gateway, "beta.pem");
    assert_eq!(client.server(), fingerprint(&desk, "gw2.crt"));
    assert_eq!(client.get("/send"), (200, "admitted".to_owned()));
}

#[test]
fn a_file_that_the_policy_refers_to_is_read_again_when_it_changes() {
    let desk = Desk::new("reference");
    fs::create_dir(desk.path("folder")).expect("a folder");
    let begin = desk.text("policy.toml");
    // `beta` is pinned by a file of its own.
    let at = begin.find("alias = \"beta\"").expect("a pin");
    let (start, end) = (begin[..at].rfind("[[").expect("a table"), at + begin[at..].find("-----END").expect("a pin"));
    let end = end + begin[end..].find("\"\"\"\n").expect("its end") + 4;
    let entry = "[[certificates]]\nbundle = \"partners\"\nkind = \"pin\"\nalias = \"beta\"\nreference = \"beta.crt\"\n";
    desk.write("folder/policy.toml", &(begin[..start].to_owned() + entry + &begin[end..]));
    desk.write("folder/beta.crt", &desk.text("beta.crt"));
    let words = ["--policy", "folder", "--identity", "gw=gw.pem", "--identity", "other=gw.pem"];
    let gateway = Gateway::start(&desk, &words);
    let ask = |who| desk.curl(&gateway.port, Some(who), "gw.example/monitor", &[]);
    assert_eq!(ask("beta"), status("200", "admitted"));
    desk.replace("folder/beta.crt", &desk.text("stranger.crt"));
    gateway.says("policy ");
    assert_eq!([ask("beta").0, ask("stranger").0], ["401", "200"]);
}
