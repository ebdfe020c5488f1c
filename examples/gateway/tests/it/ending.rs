//! How it ends.

use std::net::TcpStream;

use crate::backend::Backend;
use crate::client::Client;
use crate::desk::Desk;

#[test]
fn a_request_ends_before_the_gateway_and_no_other_begins() {
    let (desk, backend) = (Desk::new("drain"), Backend::new());
    let mut gateway = desk.gateway(&["--upstream", &backend.url]);
    let mut idle = Client::new(&desk, &gateway, "beta.pem");
    assert_eq!(idle.get("/whoami").0, 200);
    let mut busy = Client::new(&desk, &gateway, "acme.pem");
    busy.send("GET /slow HTTP/1.1\r\nHost: gw.example\r\n\r\n");
    assert_eq!(backend.asked().line, "GET /slow HTTP/1.1");

    gateway.signal("-TERM");
    gateway.says("draining");
    idle.closed();
    let refused = TcpStream::connect(format!("127.0.0.1:{}", gateway.port));
    assert!(refused.is_err(), "it listens");
    busy.send("GET /send HTTP/1.1\r\nHost: gw.example\r\n\r\n");
    backend.go_on();
    let (code, _, body) = busy.answer().expect("an answer");
    assert_eq!((code, &*body), (200, "hello"));
    // The one that came too late is not answered.
    busy.closed();
    gateway.ended();
    let log = desk.text("http.log");
    assert!(log.lines().any(|line| line.contains("\"GET /slow HTTP/1.1\" 200 5")), "{log}");
    assert!(!log.contains("/send"), "{log}");
}
