//! A client that says what it is told to, octet by octet, over a connection that stays open.

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use certmap::rustls::{ClientConnection, StreamOwned};
use certmap::{Certificate, ClientConfigBuilder, Identity, TrustBundle};

use crate::desk::Desk;
use crate::gateway::{DEADLINE, Gateway};

pub(crate) struct Client(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Client {
    /// A connection to `gw.example` with the identity of this file, the handshake done.
    pub(crate) fn new(desk: &Desk, gateway: &Gateway, who: &str) -> Self {
        let mut client = Self::prepared(desk, gateway, who, "http/1.1", DEADLINE);
        client.shake_hands().expect("a handshake");
        client
    }

    /// A connection for this protocol that has said nothing yet, and waits so long for answers.
    pub(crate) fn prepared(desk: &Desk, gateway: &Gateway, who: &str, protocol: &str, patience: Duration) -> Self {
        let identity = Identity::from_pem(desk.text(who).as_bytes()).expect("made by us");
        let mut servers = TrustBundle::new("servers".parse().expect("a name"));
        for name in ["gw.crt", "gw2.crt"] {
            let certificate = Certificate::from_pem(desk.text(name).as_bytes()).expect("made by us");
            servers.add_pin(certificate).expect("a pin");
        }
        let config = ClientConfigBuilder::new(identity, servers).with_alpn([protocol]).build().expect("fits");
        let name = "gw.example".try_into().expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("fits");
        let tcp = TcpStream::connect(format!("127.0.0.1:{}", gateway.port)).expect("it listens");
        tcp.set_read_timeout(Some(patience)).expect("a time");
        Self(BufReader::new(StreamOwned::new(tls, tcp)))
    }

    pub(crate) fn shake_hands(&mut self) -> std::io::Result<()> {
        let StreamOwned { conn, sock } = self.0.get_mut();
        while conn.is_handshaking() {
            conn.complete_io(sock)?;
        }
        Ok(())
    }

    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.0.get_ref().sock.set_read_timeout(Some(patience)).expect("a time");
    }

    /// The fingerprint of the server's certificate.
    pub(crate) fn server(&self) -> String {
        let chain = self.0.get_ref().conn.peer_certificates().expect("after the handshake");
        Certificate::from_der(&chain[0]).expect("made by us").fingerprint().to_string()
    }

    pub(crate) fn send(&mut self, text: &str) {
        let stream = self.0.get_mut();
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).expect("it is open");
    }

    /// Asks for a path, and returns status and body.
    pub(crate) fn get(&mut self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: gw.example\r\n\r\n"));
        let (status, _, body) = self.answer().expect("an answer");
        (status, body)
    }

    /// Status, head and body of the next answer; `None` if the connection is closed.
    pub(crate) fn answer(&mut self) -> Option<(u16, String, String)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match self.0.read_line(&mut head) {
                Ok(1..) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no answer, and it is open: {head}"),
                Ok(0) | Err(_) => return None,
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut body).expect("a body");
        let status = head[9..12].parse().expect("a status");
        Some((status, head, String::from_utf8(body).expect("text").trim_end().to_owned()))
    }

    /// Waits until the gateway has closed the connection, and has said nothing more.
    pub(crate) fn closed(&mut self) {
        assert_eq!(self.rest(), 0, "it answers");
    }

    /// Waits until the gateway has closed the connection, and returns how many octets it sent before.
    pub(crate) fn rest(&mut self) -> usize {
        let mut rest = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut rest) {
            assert!(error.kind() != ErrorKind::WouldBlock, "it stays open");
        }
        rest.len()
    }
}
