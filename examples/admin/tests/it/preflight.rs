//! What peers say about a certificate, and what would come of a connection.

use crate::tool::{Desk, openssl};

#[test]
fn a_profile_says_who_refuses_what_and_what_to_do() {
    let desk = Desk::with_partner("profile");
    let said = desk.done("identity profile acme.pem");
    assert!(
        said.starts_with(
            "REMARK       REFUSED BY  MAY BE REFUSED BY  NAME OVERLOOKED BY\nself-signed              sap\n\n"
        ),
        "{said}"
    );
    assert!(said.contains("\nself-signed: it is issued by itself: "), "{said}");
    assert!(said.contains("\n  cure: give the peer this certificate to pin"), "{said}");
    // For a server it is the wrong one: no name, and another purpose.
    let said = desk.run("identity profile acme.crt --server --json");
    assert_eq!(said.code, Some(1), "{said:?}");
    let rows: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let codes: Vec<_> =
        rows.as_array().expect("rows").iter().map(|row| row["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["long-validity", "no-alternative-name", "self-signed", "wrong-purpose"]);
    let refuses: Vec<_> =
        rows[1]["refuses"].as_array().expect("peers").iter().map(|one| one.as_str().expect("a peer")).collect();
    assert_eq!(refuses, ["browsers", "certmap", "go", "rustls"]);
}

#[test]
fn a_preflight_says_who_a_client_would_be() {
    let desk = Desk::with_partner("preflight");
    desk.done("role grant iflmap/ESBMessaging.send --user ACME");
    for line in ["identity preflight acme.pem", "identity preflight acme.crt --host gateway"] {
        assert_eq!(
            desk.done(line),
            "admitted to host `gateway` as user `ACME` with the roles iflmap/ESBMessaging.send\n\
             hints: none, so every client presents what it has\n"
        );
    }
    desk.done("identity new CN=ERP,O=Other --out other.pem");
    let said = desk.run("identity preflight other.pem");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.starts_with("refused by host `gateway` in the handshake: untrusted: "), "{said:?}");
    let said = desk.run("identity preflight other.pem --json");
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&json["outcome"], &json["refusal"], &json["hints"]),
        (&"refused".into(), &"untrusted".into(), &"no-hints".into())
    );
    assert!(desk.run("identity preflight acme.pem --host other").out.contains("unknown-host"));
}

#[test]
fn a_preflight_says_whether_a_server_would_be_believed() {
    let desk = Desk::with_partner("preflight-server");
    let line = "identity preflight --server acme.crt --name gw.example.com --bundle";
    // The pinned client certificate names no server.
    let refusal = desk.refused(1, &format!("{line} partners"));
    assert!(refusal.contains("has no server name"), "{refusal}");
    assert!(desk.refused(1, &format!("{line} nobody")).contains("bundle `nobody` is empty"));
    desk.refused(2, "identity preflight --server acme.crt --name gw.example.com");
    believed(&desk);
    desk.refused(2, "identity preflight --server acme.crt --name https://gw --bundle partners");
    desk.refused(2, "identity preflight");
    desk.refused(2, "identity preflight acme.pem --server acme.pem --name a --bundle partners");
}

fn believed(desk: &Desk) {
    let make = "req -x509 -newkey rsa:2048 -nodes -keyout gw.key -out gw.crt -days 30 -subj /CN=gw -addext subjectAltName=DNS:gw.example.com";
    if !openssl(desk, &make.split(' ').collect::<Vec<_>>()) {
        return;
    }
    // No host believes this bundle; a client does.
    desk.done("bundle add-ca servers gw.crt --kind pin");
    let said = desk.done("identity preflight --server gw.crt --name gw.example.com --bundle servers");
    assert_eq!(said, "believed: bundle `servers` vouches for `gw.example.com`\n");
    let said = desk.run("identity preflight --server gw.crt --name other.example.com --bundle servers");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.starts_with("not believed: server certificate sha256:"), "{said:?}");
    assert!(said.out.contains("\n  cure: call the server by a name that its certificate has"), "{said:?}");
}
