//! A partner from nothing to a role, and away again.

use crate::tool::{Desk, openssl};

#[test]
fn a_policy_is_made_from_nothing() {
    let desk = Desk::new("nothing");
    let shown = desk.done("identity new CN=ERP,O=Acme --out acme.pem");
    assert!(shown.starts_with("subject      CN=ERP,O=Acme\n"), "{shown}");
    assert_eq!(desk.done("identity export acme.pem --out acme.crt"), "written to acme.crt\n");
    assert_eq!(desk.text("acme.crt"), desk.done("identity export acme.pem"));
    assert!(!desk.text("acme.crt").contains("PRIVATE"));
    let fingerprint = desk.json("identity show acme.pem")["fingerprint"].as_str().expect("a text").to_owned();

    assert_eq!(
        desk.done("bundle add-ca partners acme.crt --alias acme"),
        format!(
            "+ bundle partners\n+ pin {fingerprint} in partners: CN=ERP,O=Acme\n\
            written to policy.toml\nnew policy: policy.toml\n"
        )
    );
    assert_eq!(
        desk.done("host set gateway --ca-bundle partners:request"),
        "+ host gateway\n~ host gateway: bundle was nothing, is partners\n\
        ~ host gateway: client-auth was require, is request\nwritten to policy.toml\n"
    );
    assert_eq!(
        desk.done("map add @acme --user ACME"),
        format!("+ mapping {fingerprint} to \"ACME\"\nwritten to policy.toml\n")
    );
    assert_eq!(
        desk.done("role grant iflmap/ESBMessaging.send --user ACME"),
        "+ role iflmap/ESBMessaging.send of user ACME\nwritten to policy.toml\n"
    );
    assert_eq!(desk.done("role grant iflmap/ESBMessaging.send --user ACME"), "no change\n");
    assert!(desk.done("check").starts_with("no problem; hosts: 1, mappings: 1, digest: sha256:"));
    assert_eq!(desk.names("."), ["acme.crt", "acme.pem", "policy.toml"]);
    assert!(!desk.text("policy.toml").contains("PRIVATE"));

    let explained = desk.json("explain acme.crt")["decision"]["principal"].clone();
    assert_eq!((&explained["user"], &explained["roles"][0]), (&"ACME".into(), &"iflmap/ESBMessaging.send".into()));
}

#[test]
fn lists_are_tables_for_people_and_json_for_programs() {
    let desk = Desk::with_partner("lists");
    desk.done("role grant a/b --user ACME --at-least key");
    desk.noted("deny add --issuer CN=Corp --serial 0a20 --note lost");
    desk.noted("user disable SMITH");
    assert_eq!(
        desk.done("map list"),
        "MATCH  USER  USER FROM  NAME  EXCEPTION  FILE\n@acme  ACME  -          -     -          policy.toml\n"
    );
    assert_eq!(
        desk.done("role list"),
        "ROLE  USER  RULE  AT LEAST  ENFORCEMENT  FILE\na/b   ACME  -     key       -            policy.toml\n"
    );
    let one = |line: &str| {
        let list = desk.json(line);
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{line}: {list}");
        list[0].clone()
    };
    assert_eq!(one("map list")["match"], "@acme");
    assert_eq!(one("role list")["at-least"], "key");
    assert_eq!(one("host list")["bundle"], "partners");
    assert_eq!(one("deny list")["note"], "lost");
    assert_eq!(one("user list")["disabled"], true);
    let listed = one("bundle list-cas");
    assert_eq!((&listed["kind"], &listed["alias"]), (&"pin".into(), &"acme".into()));
    assert_eq!(listed["fingerprint"], desk.json("identity show acme.pem")["fingerprint"]);
    assert_eq!(desk.json("check")["mappings"], 1);
}

#[test]
fn everything_added_can_be_taken_away() {
    let desk = Desk::with_partner("away");
    let start = desk.text("policy.toml");
    for (there, back) in [
        ("role grant a/b --user ACME", "role revoke a/b --user ACME"),
        ("deny add --certificate acme.crt", "deny remove --certificate acme.crt"),
        ("user disable ACME", "user enable ACME"),
        ("host set other --ca-bundle partners:request --server-name a.example", "host remove other"),
    ] {
        desk.done(there);
        assert_ne!(desk.text("policy.toml"), start, "{there}");
        desk.done(back);
    }
    desk.noted("map remove @acme");
    desk.done("map add --certificate acme.crt --user ACME");
    desk.noted("map remove --certificate acme.crt");
    // The bundle is what the host believes, so it goes last.
    desk.noted("host set gateway --client-auth none");
    let serial = desk.json("identity show acme.pem")["serial"].as_str().expect("a text").to_owned();
    for which in [format!("--serial-number {serial}"), "--alias acme".to_owned()] {
        desk.done(&format!("bundle remove-ca partners {which}"));
        assert_eq!(desk.done("bundle list-cas"), "none\n");
        desk.noted("bundle add-ca partners acme.crt --alias acme");
    }
}

#[test]
fn certificates_of_openssl_are_pinned_only_if_somebody_says_so() {
    let desk = Desk::new("openssl");
    let words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out partner.pem -days 90 -subj /CN=partner";
    if !openssl(&desk, &words.split(' ').collect::<Vec<_>>()) {
        return;
    }
    // What `openssl req -x509` makes is self-signed and says CA:TRUE.
    let refusal = desk.refused(1, "bundle add-ca partners partner.pem");
    assert!(refusal.contains("says that it is a CA: say `pin` if it is a partner's own, `anchor`"), "{refusal}");
    assert!(refusal.ends_with("\nhelp: say it with `--kind pin` or `--kind anchor`\n"), "{refusal}");
    assert_eq!(desk.names("."), ["key.pem", "partner.pem"]);
    desk.done("bundle add-ca partners partner.pem --kind pin --alias partner");
    desk.done("host set gateway --ca-bundle partners:require");
    desk.done("map add @partner --user PARTNER");
    assert_eq!(desk.json("explain partner.pem")["decision"]["principal"]["user"], "PARTNER");
    assert_eq!(desk.json("bundle list-cas")[0]["kind"], "pin");

    // As DER it is the same certificate, and its own identity too.
    assert!(openssl(&desk, &["x509", "-in", "partner.pem", "-outform", "DER", "-out", "partner.der"]));
    assert_eq!(desk.done("bundle add-ca partners partner.der --kind pin"), "no change\n");
    assert_eq!(desk.json("identity show partner.pem --key key.pem")["subject"], "CN=partner");
}

#[test]
fn a_picture_has_every_node_and_its_colour() {
    let desk = Desk::with_partner("picture");
    desk.done("role grant a/b --user ACME");
    desk.done("identity new CN=soon --days 10 --out soon.pem");
    desk.done("identity export soon.pem --out soon.crt");
    desk.noted("bundle add-ca partners soon.crt --alias soon");
    desk.done("identity new CN=stolen --out stolen.pem");
    desk.done("identity export stolen.pem --out stolen.crt");
    desk.noted("bundle add-ca partners stolen.crt");
    desk.done("deny add --certificate stolen.crt");
    let graph = desk.done("graph");
    for line in [
        "flowchart LR",
        "([\"gateway\"])",
        "[(\"partners\")]",
        "[\"@acme CN=ERP,O=Acme\"]\n",
        "[\"@soon CN=soon\"]:::ending\n",
        "[\"CN=stolen\"]:::denied\n",
        "(\"ACME\")",
        "{{\"a/b\"}}",
        "-->|\"require\"|",
        "classDef ending fill",
    ] {
        assert!(graph.contains(line), "{line} is not in {graph}");
    }
    let json = desk.json("graph --days 5");
    let nodes = json["nodes"].as_array().expect("a list");
    let soon = nodes.iter().find(|node| node["label"] == "@soon CN=soon").expect("it is there");
    assert_eq!(soon["state"], "good", "ten days are not within five");
    assert_eq!(json["edges"].as_array().map(Vec::len), Some(6));
}

#[test]
fn what_would_happen_is_told_with_an_exit_code() {
    let desk = Desk::with_partner("happen");
    desk.write("old.toml", &desk.text("policy.toml"));
    assert_eq!(desk.done("lint"), "nothing is odd\n");
    assert_eq!(desk.done("forecast"), "nothing ends\n");
    assert_eq!(desk.done("diff old.toml"), "no difference\n");

    desk.noted("role grant a/b --user ACMÉ");
    let odd = desk.run("lint --json");
    let findings: serde_json::Value = serde_json::from_str(&odd.out).expect("it is JSON");
    assert_eq!((odd.code, odd.err.as_str()), (Some(1), ""));
    assert!(findings[0]["cure"].is_string(), "{findings}");
    assert!(odd.out.contains(r"ACM\u00c9") && odd.out.is_ascii(), "{}", odd.out);
    let differs = desk.run("diff policy.toml --policy old.toml");
    assert_eq!(differs.code, Some(1));
    assert!(differs.out.contains("a/b"), "{}", differs.out);
    let ends = desk.run("forecast --days 800");
    assert_eq!(ends.code, Some(1));
    assert!(ends.out.contains("user `ACME` ends on host `gateway`"), "{}", ends.out);
    desk.done("identity new CN=stranger --out stranger.pem");
    let stranger = desk.run("explain stranger.pem");
    assert_eq!(stranger.code, Some(1));
    assert!(stranger.out.starts_with("refused: untrusted: "), "{}", stranger.out);

    let missing = desk.run("check --expect-role a/c");
    assert_eq!(missing.code, Some(1));
    assert!(missing.out.contains("nobody has the role `a/c`"), "{}", missing.out);
}
