//! Peers that are slow, or many.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::Duration;

use crate::backend::Backend;
use crate::client::Client;
use crate::desk::Desk;
use crate::gateway::DEADLINE;

#[test]
fn connections_on_which_nothing_moves_are_closed() {
    let (desk, backend) = (Desk::new("slow"), Backend::new());
    let gateway = desk.gateway(&["--idle", "1", "--upstream", &backend.url]);
    // This one is silent too, but because it waits for the upstream.
    let mut waiting = Client::new(&desk, &gateway, "acme.pem");
    waiting.send("GET /slow HTTP/1.1\r\nHost: gw.example\r\n\r\n");
    assert_eq!(backend.asked().line, "GET /slow HTTP/1.1");
    for beginning in ["", "GET /whoami HTTP/1.1\r\nHost: gw.ex", "GET /whoami HTTP/1.1\r\nHost: gw.example\r\n\r\n"] {
        let mut client = Client::new(&desk, &gateway, "acme.pem");
        client.send(beginning);
        if beginning.ends_with("\r\n\r\n") {
            assert_eq!(client.answer().expect("an answer").0, 200);
        }
        client.closed();
    }
    // HTTP/2 was agreed on, and then nothing comes; the gateway has sent its settings.
    let mut mute = Client::prepared(&desk, &gateway, "acme.pem", "h2", DEADLINE);
    mute.shake_hands().expect("a handshake");
    mute.rest();
    gateway.says("connection 5 of ");
    backend.go_on();
    assert_eq!(waiting.answer().expect("an answer").0, 200);
    waiting.closed();
}

#[test]
fn whoever_begins_no_handshake_is_closed() {
    let desk = Desk::new("mute");
    let gateway = desk.gateway(&[]);
    let mut mute = TcpStream::connect(format!("127.0.0.1:{}", gateway.port)).expect("it listens");
    mute.set_read_timeout(Some(DEADLINE)).expect("a time");
    assert_eq!(mute.read(&mut [0; 8]).expect("it is closed"), 0);
    assert!(gateway.says("connection 1 of ").ends_with("the handshake takes too long"));
}

#[test]
fn connections_beyond_the_limit_wait_until_there_is_room() {
    let desk = Desk::new("limit");
    let gateway = desk.gateway(&["--connections", "1"]);
    let mut first = Client::new(&desk, &gateway, "acme.pem");
    assert_eq!(first.get("/whoami").0, 200);
    let mut second = Client::prepared(&desk, &gateway, "beta.pem", "http/1.1", Duration::from_millis(500));
    assert!(second.shake_hands().is_err());
    assert_eq!(first.get("/whoami").0, 200);
    drop(first);
    second.set_patience(DEADLINE);
    second.shake_hands().expect("there is room");
    assert_eq!(second.get("/whoami").0, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_stops_nobody_and_is_told() {
    let desk = Desk::new("full");
    let gateway = desk.gateway(&["--http-log", "/dev/full"]);
    let mut client = Client::new(&desk, &gateway, "acme.pem");
    assert_eq!(client.get("/whoami").0, 200);
    gateway.says("the access log cannot be written: ");
    assert_eq!(client.get("/whoami").0, 200);
}
