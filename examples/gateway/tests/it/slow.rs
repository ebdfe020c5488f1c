//! Peers that are slow, or many.

use std::io::{Read as _, Write as _};
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

/// How many connections there can be: 1,000, or what the limit on open files leaves; the other tests of this process need
/// some too.
#[cfg(target_os = "linux")]
fn half_open() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("as Linux has it");
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("as Linux has it");
    let soft = files.split_whitespace().next().expect("a limit").parse().unwrap_or(usize::MAX);
    (soft / 2).min(1_000)
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_half_open_handshakes_take_less_than_64_mib_and_stop_nobody() {
    let (desk, count) = (Desk::new("half"), half_open());
    let gateway = desk.gateway(&["--idle", "600"]);
    // A record of 16 KiB that never comes; a message of 64 KiB less one octet, which is the most that is waited for; one of
    // 16 MiB, which is refused at once.
    let beginnings =
        [&[22, 3, 1, 0x40, 0][..], &[22, 3, 1, 0, 4, 1, 0, 0xff, 0xff], &[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]];
    let open = beginnings.into_iter().cycle().take(count).map(|beginning| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{}", gateway.port)).expect("it listens");
        stream.write_all(beginning).expect("it is open");
        stream
    });
    let open: Vec<_> = open.collect();
    let mut honest = Client::new(&desk, &gateway, "acme.pem");
    assert_eq!(honest.get("/whoami").0, 200);
    // Every one of them has been read when it is closed, and the most that was held is known then.
    let ended = (0..count).map(|_| gateway.says("connection "));
    let (waited, refused): (Vec<_>, Vec<_>) = ended.partition(|line| line.ends_with("the handshake takes too long"));
    assert_eq!(refused.len(), count / 3, "{refused:?}");
    assert_eq!(waited.len(), count - count / 3);
    let most = gateway.most_memory();
    println!("{count} half-open handshakes, {most} KiB at most");
    assert!(most < 64 * 1024, "{most} KiB");
    assert_eq!(honest.get("/whoami").0, 200);
    assert_eq!(Client::new(&desk, &gateway, "beta.pem").get("/whoami").0, 200);
    drop(open);
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
