//! This crate against the TLS of others, over sockets: `openssl s_client`, `openssl s_server` and `curl`.
//!
//! A test of ourselves against ourselves would not see a mistake that both ends make. Certificates are made by the
//! openssl command where it can make them, and every clock of ours stands an hour into the certificate it has to judge.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use certmap::rustls::server::ServerConfig;
use certmap::rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};
use certmap::testing::{NOW, TestCertificate, TestClock, handshake};
use certmap::tls::{End, Trouble, TroubleKind};
use certmap::trust::Entry;
use certmap::{Certificate, ClientConfigBuilder, Identity, RefusalCode, TrustBundle};

use crate::common::{Backend, Gateway, SERVER, Version, erp, everywhere, one_partner};
use crate::service::{ANSWER, Met, Service, close, limit, resuming, within};
use crate::tool::{CURL, EC, OPENSSL, Output, RSA, Running, SHAPES, Shape, Workshop, certificate, found};

const ERP: &[u8] = include_bytes!("../../examples/data/erp-v1-test-only.pem");

fn switch(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    }
}

/// The client of OpenSSL, which asks for `/` when the handshake is done.
fn s_client(workshop: &Workshop, port: u16, version: Version, more: &str) -> Running {
    let server = format!("-connect 127.0.0.1:{port} -servername {SERVER} -CAfile root.pem -verify_return_error");
    let arguments = format!("s_client {server} {} -ign_eof {more}", switch(version));
    let mut client = Running::start(OPENSSL, workshop.path(), arguments.split_whitespace());
    client.type_in(&format!("GET / HTTP/1.1\r\nHost: {SERVER}:{port}\r\n\r\n"));
    client
}

fn curl(workshop: &Workshop, port: u16, version: Version, more: &str) -> Running {
    let version = match version {
        Version::Tls12 => "--tlsv1.2 --tls-max 1.2",
        Version::Tls13 => "--tlsv1.3",
    };
    let address = format!("--resolve {SERVER}:{port}:127.0.0.1 https://{SERVER}:{port}/");
    let arguments = format!("-q -sS --noproxy * --max-time 30 --http1.1 {version} --cacert root.pem {more} {address}");
    Running::start(CURL, workshop.path(), arguments.split_whitespace())
}

/// Asserts both ends: the server admitted `SAPERPUSER` after a full handshake, and its answer reached the client.
#[track_caller]
fn assert_admitted((met, output): &(Met, Output), partner: &Certificate, version: Version) {
    let principal = met.outcome.as_ref().unwrap_or_else(|_| panic!("{}; {output:?}", met.record));
    assert_eq!(principal.user().as_str(), "SAPERPUSER");
    assert_eq!(principal.certificate(), partner.fingerprint());
    assert_eq!(met.handshake, Some((version.protocol(), HandshakeKind::Full)));
    assert!(output.stdout.contains(&format!("{ANSWER}SAPERPUSER")), "{output:?}");
    assert!(output.success, "{output:?}");
}

/// Asserts both ends: the server refused with this code, and the client got the alert of this number and no answer.
#[track_caller]
fn assert_refused((met, output): &(Met, Output), code: RefusalCode, alert: u8) {
    let refusal = met.outcome.as_ref().expect_err("refused");
    assert_eq!((refusal.code(), met.handshake), (code, None), "{}", met.record);
    assert!(output.stderr.contains(&format!("SSL alert number {alert}\n")), "{output:?}");
    assert!(!output.stdout.contains(ANSWER), "{output:?}");
}

#[test]
fn openssl_as_a_client_is_admitted_with_every_shape_of_pinned_certificate() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    for shape in SHAPES {
        let partner = shape.make(&workshop, "partner");
        for (backend, version) in everywhere() {
            let service = Service::of(&partner, backend, &workshop);
            let pair = "-cert partner.pem -key partner.key";
            let met = service.meet(|port| s_client(&workshop, port, version, pair));
            assert_admitted(&met, &partner, version);
        }
    }
}

#[test]
fn curl_is_admitted_with_every_shape_of_pinned_certificate() {
    if !found(&[CURL, OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    for shape in SHAPES {
        let partner = shape.make(&workshop, "partner");
        for (backend, version) in everywhere() {
            let service = Service::of(&partner, backend, &workshop);
            let pair = "--cert partner.pem --key partner.key";
            let met = service.meet(|port| curl(&workshop, port, version, pair));
            assert_admitted(&met, &partner, version);
            assert_eq!(met.1.stdout, format!("{ANSWER}SAPERPUSER"));
        }
    }
}

#[test]
fn openssl_as_a_client_without_a_certificate_gets_an_alert_and_no_answer() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    for (backend, version) in everywhere() {
        let service = Service::of(erp().certificate(), backend, &workshop);
        let met = service.meet(|port| s_client(&workshop, port, version, ""));
        assert_refused(&met, RefusalCode::NoCertificate, 116);
        assert_eq!(met.0.record.certificate(), None);
    }
}

#[test]
fn openssl_as_a_client_with_an_unknown_certificate_gets_an_alert_and_leaves_its_fingerprint() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let partner = Shape::CaTrue(EC).make(&workshop, "partner");
    let stranger = Shape::Version1(EC, "-sha256").make(&workshop, "stranger");
    // The partner's certificate says that it is a CA, and that is not what it is pinned for.
    workshop.openssl("req -new -newkey rsa:2048 -nodes -keyout issued.key -out issued.csr -subj /CN=issued");
    workshop.openssl("x509 -req -in issued.csr -CA partner.pem -CAkey partner.key -set_serial 7 -out issued.pem");
    let issued = certificate(&workshop, "issued");
    let offers = [
        (stranger, "-cert stranger.pem -key stranger.key"),
        (issued, "-cert issued.pem -key issued.key -cert_chain partner.pem"),
    ];
    for (backend, version) in everywhere() {
        let service = Service::of(&partner, backend, &workshop);
        for (certificate, pair) in &offers {
            let met = service.meet(|port| s_client(&workshop, port, version, pair));
            assert_refused(&met, RefusalCode::Untrusted, 46);
            let (fingerprint, record) = (certificate.fingerprint().to_string(), &met.0.record);
            assert!(fingerprint.starts_with("sha256:"));
            assert_eq!(record.certificate(), Some(fingerprint.as_str()));
            assert_eq!(record.code(), Some("untrusted"));
        }
    }
}

/// Calls `openssl s_server`, which demands and believes the certificate of ERP, as ERP: `server.pem` and `server.key`
/// are its pair. Returns what it answered, or why there was no answer, and its own words.
fn call_s_server(workshop: &Workshop, client: ClientConfig, version: Version) -> (io::Result<String>, Output) {
    workshop.write("erp.pem", erp().chain_pem());
    let client_side = format!("-Verify 1 -verify_return_error -CAfile erp.pem -attime {}", NOW.as_secs());
    let server_side = format!("-accept 127.0.0.1:0 -naccept 1 -cert server.pem -key server.key {}", switch(version));
    let arguments = format!("s_server {server_side} {client_side} -www");
    let server = Running::start(OPENSSL, workshop.path(), arguments.split_whitespace());
    let address = server.wait_for("ACCEPT ");
    let mut tcp = TcpStream::connect(&address).unwrap_or_else(|cause| panic!("{address}: {cause}"));
    limit(&tcp).unwrap();
    let mut connection = ClientConnection::new(Arc::new(client), SERVER.try_into().unwrap()).unwrap();
    let mut answer = Vec::new();
    let result = connection.complete_io(&mut tcp).and_then(|_| {
        assert_eq!(connection.protocol_version(), Some(version.protocol()));
        let mut stream = Stream::new(&mut connection, &mut tcp);
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        match stream.read_to_end(&mut answer) {
            // OpenSSL ends a page without a `close_notify`.
            Err(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => Err(cause),
            _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
        }
    });
    close(tcp);
    (result, server.finish())
}

/// ERP's configuration for calling the server of `server.pem`, if it is in the bundle.
fn erp_client(workshop: &Workshop, backend: Backend, servers: TrustBundle) -> ClientConfig {
    let provider = backend.provider();
    let identity = Identity::from_pem_with_provider(ERP, &provider).unwrap();
    let mut client = ClientConfigBuilder::new(identity, servers).with_provider(provider).build().unwrap();
    client.time_provider = TestClock::at(within(&certificate(workshop, "server")));
    client
}

fn bundle(entry: Entry) -> TrustBundle {
    let mut bundle = TrustBundle::new("servers".parse().unwrap());
    bundle.add(entry).unwrap();
    bundle
}

/// Asserts that the server answered, and that its answer, a page about the client, has ERP's certificate in it.
#[track_caller]
fn assert_known_as_erp((answer, output): (io::Result<String>, Output)) {
    let answer = answer.unwrap_or_else(|cause| panic!("{cause}; {output:?}"));
    assert!(answer.starts_with("HTTP/1.0 200 ok"), "{answer}");
    assert!(answer.contains("Verify return code: 0 (ok)"), "{answer}");
    assert!(answer.contains("Client certificate"), "{answer}");
    assert!(answer.contains(&erp().certificate().to_pem()), "{answer}");
}

/// Makes a root and a server certificate that it issued, `server.pem` and `server.key`. Returns the root.
#[track_caller]
fn make_issued_server(workshop: &Workshop) -> Certificate {
    let root = Shape::CaTrue(RSA).make(workshop, "root");
    workshop.write("names.cnf", format!("subjectAltName=DNS:{SERVER}"));
    workshop.openssl(&format!("req -new -newkey {EC} -nodes -keyout server.key -out server.csr -subj /CN=gateway"));
    let signer = "-CA root.pem -CAkey root.key -set_serial 7 -days 30";
    workshop.openssl(&format!("x509 -req -in server.csr {signer} -extfile names.cnf -out server.pem"));
    root
}

#[test]
fn a_version_1_identity_is_presented_to_openssl_as_a_server_that_an_anchor_vouches_for() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let root = make_issued_server(&workshop);
    for (backend, version) in everywhere() {
        let client = erp_client(&workshop, backend, bundle(Entry::anchor(root.clone()).unwrap()));
        assert_known_as_erp(call_s_server(&workshop, client, version));
    }
}

#[test]
fn a_version_1_identity_is_presented_to_openssl_as_a_pinned_server_of_every_shape() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    for shape in SHAPES {
        let pin = Entry::pin(shape.make(&workshop, "server")).unwrap();
        for (backend, version) in everywhere() {
            let pin = pin.clone().with_server_names([SERVER.try_into().unwrap()]);
            assert_known_as_erp(call_s_server(&workshop, erp_client(&workshop, backend, bundle(pin)), version));
        }
    }
}

#[test]
fn openssl_as_a_server_that_is_not_in_the_bundle_or_not_for_the_name_is_not_believed() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let _ = make_issued_server(&workshop);
    let server = Entry::pin(certificate(&workshop, "server")).unwrap();
    let other = Shape::CaTrue(EC).make(&workshop, "other");
    // Named like the root that issued the server's certificate, on a key of its own.
    let namesake = Shape::CaTrue(RSA).make(&workshop, "root");
    let bundles = [
        (bundle(Entry::anchor(other.clone()).unwrap()), "its issuer `CN=root,O=Partner` is not in bundle"),
        (
            bundle(Entry::pin(other).unwrap().with_server_names([SERVER.try_into().unwrap()])),
            "its issuer `CN=root,O=Partner` is not in bundle",
        ),
        (bundle(Entry::anchor(namesake).unwrap()), "but with another key"),
        (bundle(server.with_server_names(["other.example".try_into().unwrap()])), "answers only for other.example"),
    ];
    for (backend, version) in everywhere() {
        for (servers, reason) in &bundles {
            let client = erp_client(&workshop, backend, servers.clone());
            let (answer, output) = call_s_server(&workshop, client, version);
            let trouble = Trouble::new(End::Client, &answer.unwrap_err());
            assert_eq!(trouble.kind(), TroubleKind::ServerUntrusted, "{trouble}");
            assert!(trouble.detail().contains(reason), "{trouble}");
            assert!(output.stderr.contains("SSL alert number 46\n"), "{output:?}");
        }
    }
}

/// What `openssl s_client` says of a connection's session.
#[track_caller]
fn assert_session((met, output): &(Met, Output), kind: HandshakeKind) {
    let word = if kind == HandshakeKind::Resumed { "Reused, TLSv1" } else { "New, TLSv1" };
    assert!(output.stdout.contains(word), "{output:?}");
    assert_eq!(met.handshake.map(|(_, kind)| kind), Some(kind), "{}", met.record);
    assert_eq!(met.record.resumed(), kind == HandshakeKind::Resumed);
    assert!(output.stdout.contains(ANSWER), "{output:?}");
}

#[test]
fn openssl_as_a_client_can_neither_keep_a_session_of_ours_nor_bring_one() {
    if !found(&[OPENSSL]) {
        return;
    }
    for (backend, version) in everywhere() {
        let workshop = Workshop::new();
        let partner = Shape::Strust.make(&workshop, "partner");
        let ours = Service::of(&partner, backend, &workshop);
        let theirs = ours.resuming();
        let call = |service: &Service, session: &str| {
            let pair = format!("-cert partner.pem -key partner.key {session}");
            service.meet(|port| s_client(&workshop, port, version, &pair))
        };
        assert_session(&call(&ours, "-sess_out ours"), HandshakeKind::Full);
        if workshop.has("ours") {
            assert_session(&call(&ours, "-sess_in ours"), HandshakeKind::Full);
        }
        assert!(!workshop.has("ours"), "a session was given out: {}", String::from_utf8_lossy(&workshop.read("ours")));

        assert_session(&call(&theirs, "-sess_out theirs"), HandshakeKind::Full);
        assert_session(&call(&ours, "-sess_in theirs"), HandshakeKind::Full);
        // The same file where it came from: without this, the line above would say nothing.
        assert_session(&call(&theirs, "-sess_in theirs"), HandshakeKind::Resumed);
    }
}

#[test]
fn a_rustls_client_that_would_resume_makes_a_full_handshake_every_time() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(one_partner(&partner), backend);
        let kinds = |server: Arc<ServerConfig>| {
            let identity = partner.identity_on(&backend.provider());
            let client = Arc::new(gateway.client(identity, backend, version));
            [(); 2].map(|()| {
                let ends = handshake(Arc::clone(&client), Arc::clone(&server), SERVER);
                assert!(ends.client_error.is_none() && ends.server_error.is_none(), "{ends:?}");
                let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
                assert!(caller.decide(NOW).principal().is_some());
                assert_eq!(ends.client.handshake_kind(), ends.server.handshake_kind());
                ends.server.handshake_kind().unwrap()
            })
        };
        let ours = gateway.endpoint.only().unwrap().config();
        assert_eq!(kinds(resuming(&ours)), [HandshakeKind::Full, HandshakeKind::Resumed], "{backend:?} {version:?}");
        assert_eq!(kinds(ours), [HandshakeKind::Full; 2], "{backend:?} {version:?}");
    }
}
