//! Open connections of those who lose their standing.

use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::{Identity, IdentityRequest};

use crate::backend::Backend;
use crate::client::Client;
use crate::desk::Desk;

#[test]
fn the_connection_of_a_removed_user_is_closed_and_no_other() {
    let desk = Desk::new("removed");
    let gateway = desk.gateway(&[]);
    let [mut acme, mut beta] = ["acme.pem", "beta.pem"].map(|who| Client::new(&desk, &gateway, who));
    assert_eq!([acme.get("/whoami").0, beta.get("/whoami").0], [200, 200]);
    desk.replace("policy.toml", &desk.text("less.toml"));
    gateway.signal("-HUP");
    let policy = gateway.says("policy ");
    acme.closed();
    assert_eq!(beta.get("/whoami").0, 200);
    // The connection was made for `gw`, which lets the unknown in to be told so.
    assert_eq!(Client::new(&desk, &gateway, "acme.pem").get("/whoami").0, 401);
    let records = gateway.end();
    let record = records.iter().find(|record| record.code() == Some("not-mapped")).expect("it says why");
    assert!(policy.contains(record.policy().expect("a digest")), "{record}");
    assert!(record.peer().is_some() && record.connection().is_some(), "{record}");
}

#[test]
fn a_request_of_a_removed_user_may_go_on_for_a_while_and_no_longer() {
    let (desk, backend) = (Desk::new("cut"), Backend::new());
    let gateway = desk.gateway(&["--upstream", &backend.url]);
    let mut acme = Client::new(&desk, &gateway, "acme.pem");
    acme.send("GET /slow HTTP/1.1\r\nHost: gw.example\r\n\r\n");
    assert_eq!(backend.asked().line, "GET /slow HTTP/1.1");
    desk.replace("policy.toml", &desk.text("less.toml"));
    gateway.signal("-HUP");
    acme.closed();
    assert!(gateway.says("connection 1 of ").ends_with("cut, because its standing is lost"));
}

#[test]
fn the_connection_of_an_expired_certificate_is_closed() {
    let desk = Desk::new("expired");
    let gateway = desk.gateway(&[]);
    // Long enough to connect on a slow machine.
    let request = IdentityRequest::new("CN=brief".parse().expect("a name"), UnixTime::now(), Duration::from_secs(12));
    let brief = Identity::generate(&request).expect("a key");
    let chain = brief.chain_pem();
    desk.write("brief.pem", &(chain.clone() + &brief.private_key_pem().expect("ours")));
    let pin = "kind = \"pin\"\nbundle = \"partners\"\nalias = \"brief\"";
    let entry = format!("\n[[certificates]]\n{pin}\ncertificate = \"\"\"\n{chain}\"\"\"\n");
    let rule = "\n[[mappings]]\nmatch = \"@brief\"\nuser = \"BRIEF\"\n";
    desk.replace("policy.toml", &(desk.text("policy.toml") + &entry + rule));
    gateway.signal("-HUP");
    gateway.says("policy ");
    let mut client = Client::new(&desk, &gateway, "brief.pem");
    assert_eq!(client.get("/whoami").0, 200);
    client.closed();
    let records = gateway.end();
    let codes: Vec<_> = records.iter().map(|record| (record.user(), record.code())).collect();
    assert_eq!(codes, [(Some("BRIEF"), None), (None, Some("certificate-expired"))]);
}
