//! What the upstream gets, and what it does not.

use std::net::TcpListener;

use crate::backend::Backend;
use crate::client::Client;
use crate::desk::{Desk, status};

const OURS: [&str; 2] = ["x-certmap-roles: iflmap/ESBMessaging.send", "x-certmap-user: ACME"];

#[test]
fn the_upstream_is_told_who_it_is_by_the_gateway_alone() {
    let (desk, backend) = (Desk::new("headers"), Backend::new());
    let gateway = desk.gateway(&["--upstream", &backend.url]);
    let host = format!("host: {}", &backend.url["http://".len()..]);

    let mut client = Client::new(&desk, &gateway, "acme.pem");
    let forged = "x-certmap-user: EVIL\r\nX-CERTMAP-USER: EVIL\r\nX_Certmap_User: EVIL\r\nx.certmap.user: EVIL\r\n\
        X-Certmap_Roles: iflmap/Monitor\r\nx-certmap-roles: iflmap/Monitor\r\nx-certmap-new: EVIL\r\n";
    let hop = "Connection: keep-alive, x-certmap-user, X-Certmap-Roles, x-secret\r\nConnection: host\r\nX-Secret: EVIL\r\n\
        TE: trailers\r\nKeep-Alive: timeout=9\r\nProxy-Connection: EVIL\r\nUpgrade: websocket\r\nTrailer: EVIL\r\n";
    client.send(&format!("GET /send?a=b HTTP/1.1\r\nHost: gw.example\r\nX-Kept: 1\r\n{forged}{hop}\r\n"));
    let (code, head, body) = client.answer().expect("an answer");
    assert_eq!((code, &*body), (200, "hello"));
    assert!(head.contains("x-answer: yes\r\n"), "{head}");
    assert!(!head.contains("private") && !head.contains("keep-alive"), "{head}");
    let asked = backend.asked();
    assert_eq!(asked.line, "GET /send?a=b HTTP/1.1");
    assert_eq!(asked.headers, [&host, OURS[0], OURS[1], "x-kept: 1"]);

    // The same over HTTP/2, with a body.
    let more = ["--http2", "--header", "X-Certmap-User: EVIL", "--header", "x_certmap_roles: EVIL", "--data", "text"];
    let plain = ["--header", "Accept:", "--header", "User-Agent:", "--header", "Content-Type:"];
    let answer = desk.curl(&gateway.port, Some("acme"), "gw.example/send", &[&more[..], &plain[..]].concat());
    assert_eq!(answer, status("200", "hello"));
    let asked = backend.asked();
    assert_eq!((&*asked.line, &*asked.body), ("POST /send HTTP/1.1", "text"));
    assert_eq!(asked.headers, ["content-length: 4", &host, OURS[0], OURS[1]]);

    // Nobody is nobody, whatever it says.
    desk.replace("policy.toml", &desk.text("policy.toml").replace("path = \"/metrics\"", "path = \"/open\""));
    gateway.signal("-HUP");
    gateway.says("policy ");
    let answer = desk.curl(&gateway.port, None, "gw.example/open", &[&more[..], &plain[..]].concat());
    assert_eq!(answer, status("200", "hello"));
    assert_eq!(backend.asked().headers, ["content-length: 4", &*host]);
}

#[test]
fn no_request_is_smuggled_in_another() {
    let (desk, backend) = (Desk::new("smuggle"), Backend::new());
    let gateway = desk.gateway(&["--upstream", &backend.url]);
    // `acme` may not ask for this.
    let inner = "GET /monitor HTTP/1.1\r\nHost: gw.example\r\nX: y\r\n\r\n";
    let length = inner.len();
    let chunks = format!("{length:x}\r\n{inner}\r\n0\r\n\r\n");
    let framings = [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", chunks.clone()),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", chunks.clone()),
        ("Connection: transfer-encoding\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", chunks.clone()),
        ("Connection: content-length\r\nContent-Length: 0", inner.to_owned()),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", format!("0\r\n\r\n{inner}")),
        ("Transfer-Encoding: identity, chunked, identity", chunks.clone()),
        ("Transfer-Encoding: xchunked", chunks.clone()),
        ("Transfer-Encoding : chunked", chunks.clone()),
        ("Transfer-Encoding:\x0bchunked", chunks.clone()),
        ("X: y\r\n Transfer-Encoding: chunked", chunks),
        ("Content-Length: 0\r\nContent-Length: 70", inner.to_owned()),
        ("Content-Length: +0", inner.to_owned()),
        ("Content-Length: 0, 70", inner.to_owned()),
        ("X: y\nContent-Length: 0", inner.to_owned()),
    ];
    let count = framings.len();
    for (number, (framing, body)) in framings.into_iter().enumerate() {
        let mut client = Client::new(&desk, &gateway, "acme.pem");
        client.send(&format!("POST /send?{number} HTTP/1.1\r\nHost: gw.example\r\n{framing}\r\n\r\n{body}"));
        client.send("GET /whoami HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n");
        while let Some((code, ..)) = client.answer() {
            assert!([200, 400, 403].contains(&code), "{framing:?}: {code}");
        }
    }
    // What follows comes as it was sent.
    let last = desk.curl(&gateway.port, Some("beta"), "gw.example/monitor", &[]);
    assert_eq!(last, status("200", "hello"));
    let mut sent = 0;
    loop {
        let asked = backend.asked();
        if asked.line == "GET /monitor HTTP/1.1" {
            assert!(asked.headers.contains(&"x-certmap-user: BETA".to_owned()), "{asked:?}");
            break;
        }
        assert!(asked.line.starts_with("POST /send?"), "{asked:?}");
        assert!(asked.headers.contains(&OURS[1].to_owned()), "{asked:?}");
        sent += 1;
    }
    assert!((1..count).contains(&sent), "{sent} of {count} were no attempts");
}

#[test]
fn an_upstream_that_is_down_is_a_problem_of_its_own() {
    let desk = Desk::new("down");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let gateway = desk.gateway(&["--upstream", &format!("http://{nobody}")]);
    let problem = status("502", r#"{"status":502,"code":"upstream"}"#);
    assert_eq!(desk.curl(&gateway.port, Some("acme"), "gw.example/send", &[]), problem);
    // Whoever may not, or asks for what no path is, does not get that far.
    assert_eq!(desk.curl(&gateway.port, Some("beta"), "gw.example/send", &[]).0, "403");
    let mut client = Client::new(&desk, &gateway, "acme.pem");
    client.send("OPTIONS * HTTP/1.1\r\nHost: gw.example\r\n\r\n");
    assert_eq!(client.answer().expect("an answer").0, 400);
    assert_eq!(client.get("/whoami").0, 200);
}
