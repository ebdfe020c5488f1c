//! What the wrong host's rules did to others (VH), and the failures of other software that are about hosts and sessions
//! (PE): the attack, and where that says something, what a naive build does. The list is `corpus.md`.

use std::collections::HashMap;
use std::sync::Arc;

use certmap::policy::ClientAuth;
use certmap::rustls::server::ServerConfig;
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind, InconsistentKeys, PeerMisbehaved,
    ServerConnection,
};
use certmap::testing::{NOW, TestCertificate};
use certmap::tls::NoCaller;
use certmap::{Authority, Host, PolicyBuilder};

use crate::common::{Backend, SERVER, Version, everywhere};
use crate::corpus_sessions::{Naive, replace, retried};
use crate::hosting::{
    Change, DAY, Memory, Met, Promiscuous, Site, World, accept, answer, believing, call_fixed, carry, every_memory,
    read_by, scoped, written_by,
};

const FULL: HandshakeKind = HandshakeKind::Full;
const DENIED: Error = Error::AlertReceived(AlertDescription::AccessDenied);

fn named(host: Host, name: &str) -> Host {
    host.with_server_names([name.parse().unwrap()])
}

/// `secret` for `a.example` and `*.wild.example`, which requires; the default host `public`, which does not ask.
fn secret_and_public(world: &World) -> PolicyBuilder {
    let names = ["a.example", "*.wild.example"].map(|name| name.parse().unwrap());
    let public = believing("public", &world.ca).with_client_auth(ClientAuth::None);
    world.builder(believing("secret", &world.ca).with_server_names(names)).host(public)
}

/// What a gateway builds first: a table of configurations by name as it was sent, and the first one for all others.
struct NaiveHosts {
    by_name: HashMap<String, Arc<ServerConfig>>,
    first: Arc<ServerConfig>,
}

impl NaiveHosts {
    fn beside(site: &Site, world: &World, backend: Backend) -> Self {
        let naive = Naive::beside(site, Memory::Store, backend);
        let secret = naive.config(&world.ca, ClientAuth::Require);
        Self { by_name: [("a.example".to_owned(), secret)].into(), first: naive.config(&world.ca, ClientAuth::Request) }
    }

    /// True if who has no certificate is let in where this name was read.
    fn lets_in(&self, client: &Arc<ClientConfig>, name: &str, read: Option<&str>) -> bool {
        let mut client = ClientConnection::new(Arc::clone(client), name.to_owned().try_into().unwrap()).unwrap();
        let accepted = accept(&written_by(&mut client)).unwrap();
        let config = read.and_then(|name| self.by_name.get(name)).unwrap_or(&self.first);
        let Ok(mut server) = accepted.into_connection(Arc::clone(config)) else { return false };
        let mut failed = None;
        while carry(&mut server, &mut client, &mut None) | carry(&mut client, &mut server, &mut failed) {}
        failed.is_none() && !server.is_handshaking()
    }
}

#[test]
fn vh_01_a_request_for_the_secret_host_on_a_connection_to_the_public_one() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(secret_and_public(&world).build().unwrap(), backend);
        let ends = site.call(&site.client(None, backend, version), "nobody.example");
        let caller = ends.selected().caller(ends.server()).unwrap();
        for authority in ["a.example", "A.EXAMPLE.:443", "x.wild.example"] {
            let admitted = caller.admit(Authority::Host(authority), NOW).unwrap_err();
            let identified = caller.identify(Authority::Host(authority), NOW).unwrap_err();
            for refused in [admitted, identified] {
                assert_eq!((refused.code().as_str(), refused.http_status()), ("misdirected", 421), "{authority}");
            }
        }
        assert!(caller.identify(Authority::Host("nobody.example"), NOW).is_ok());
        // There nobody asks for which host a connection was made: the handler goes by the header of the request.
        let naive = NaiveHosts::beside(&site, &world, backend);
        assert!(naive.lets_in(&site.client(None, backend, version), "nobody.example", Some("nobody.example")));
    }
}

#[test]
fn vh_02_a_first_message_in_records_of_one_byte() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(secret_and_public(&world).build().unwrap(), backend);
        let client = site.client(None, backend, version);
        let mut client = ClientConnection::new(client, "a.example".try_into().unwrap()).unwrap();
        let whole = written_by(&mut client);
        let pieces: Vec<u8> = whole[5..].iter().flat_map(|byte| [22, 3, 1, 0, 1, *byte]).collect();
        let ends = answer(&site.endpoint, client, &pieces);
        assert_eq!(ends.met(NOW), Met::refused(None, "no-certificate"), "{backend:?} {version:?}");
        // Who decides by the first record sees no name, and takes the first configuration.
        let naive = NaiveHosts::beside(&site, &world, backend);
        let lets_in = |sent: &[u8]| {
            let nobody = site.client(None, backend, version);
            naive.lets_in(&nobody, "a.example", accept_first_record(sent).as_deref())
        };
        assert_eq!([lets_in(&pieces), lets_in(&whole)], [true, false], "{backend:?} {version:?}");
    }
}

/// The server name, if the first record has it.
fn accept_first_record(bytes: &[u8]) -> Option<String> {
    let length = usize::from(bytes[3]) * 256 + usize::from(bytes[4]);
    let mut acceptor = certmap::rustls::server::Acceptor::default();
    acceptor.read_tls(&mut &bytes[..5 + length]).unwrap();
    acceptor.accept().ok()??.client_hello().server_name().map(str::to_owned)
}

#[test]
fn vh_03_a_host_that_is_meant_by_a_wildcard() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(secret_and_public(&world).build().unwrap(), backend);
        let nobody = site.client(None, backend, version);
        let met = site.call(&nobody, "x.wild.example").met(NOW);
        assert_eq!(met, Met::refused(None, "no-certificate"), "{backend:?} {version:?}");
        let naive = NaiveHosts::beside(&site, &world, backend);
        assert!(naive.lets_in(&nobody, "x.wild.example", Some("x.wild.example")));
        assert!(!naive.lets_in(&nobody, "a.example", Some("a.example")));
    }
}

#[test]
fn vh_04_a_name_in_capitals_and_with_a_dot_at_its_end() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(secret_and_public(&world).build().unwrap(), backend);
        let nobody = site.client(None, backend, version);
        let naive = NaiveHosts::beside(&site, &world, backend);
        for sent in ["A.EXAMPLE", "a.Example."] {
            let mut client =
                ClientConnection::new(Arc::clone(&nobody), "q".repeat(sent.len()).try_into().unwrap()).unwrap();
            let mut hello = written_by(&mut client);
            replace(&mut hello, "q".repeat(sent.len()).as_bytes(), sent.as_bytes());
            let accepted = accept(&hello).unwrap();
            let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
            assert_eq!(selected.host().as_str(), "secret", "{backend:?} {version:?} {sent}");
            // rustls reads it as it stands in the table; who reads the octets does not find it there.
            let read = accepted.client_hello().server_name().map(str::to_owned);
            let lets_in = |read| naive.lets_in(&site.client(None, backend, version), "a.example", read);
            assert!(!lets_in(read.as_deref()), "{backend:?} {version:?} {sent}");
            assert!(lets_in(Some(sent)), "{backend:?} {version:?} {sent}");
        }
    }
}

#[test]
fn vh_08_a_bad_certificate_on_a_host_that_only_requests_one() {
    let world = World::new();
    let bad = TestCertificate::new("CN=partner").with_purpose(2).issued_by(&world.other_ca);
    for (backend, version) in everywhere() {
        let host = believing("gw", &world.ca).with_client_auth(ClientAuth::Request);
        let site = Site::new(world.builder(host).build().unwrap(), backend);
        let ends = site.call(&site.client(Some(&bad), backend, version), SERVER);
        assert_eq!(ends.met(NOW), Met::refused(None, "untrusted"), "{backend:?} {version:?}");
        assert_eq!(ends.client_error, Some(Error::AlertReceived(AlertDescription::CertificateUnknown)));
    }
}

#[test]
fn vh_09_a_name_that_no_host_has() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let secret = named(believing("secret", &world.ca), "a.example");
        let lax = named(believing("lax", &world.ca).with_client_auth(ClientAuth::None), "b.example");
        let site = Site::new(world.builder(secret).host(lax).build().unwrap(), backend);
        let nobody = site.client(None, backend, version);
        for name in ["nobody.example", "192.0.2.1"] {
            let ends = site.call(&nobody, name);
            assert!(ends.selected.is_none(), "not the lax one");
            assert_eq!(ends.client_error, Some(DENIED), "{backend:?} {version:?} {name}");
        }
        assert!(NaiveHosts::beside(&site, &world, backend).lets_in(&nobody, "nobody.example", Some("nobody.example")));
    }
}

/// The records of a flight.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = bytes.split_at(5 + usize::from(bytes[3]) * 256 + usize::from(bytes[4]));
        records.push(record.to_vec());
        bytes = rest;
    }
    records
}

/// A client's second flight as `change` makes it, and what the server says.
fn second_flight(site: &Site, client: Arc<ClientConfig>, change: impl Fn(&mut Vec<Vec<u8>>)) -> Result<(), Error> {
    let mut client = ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap();
    let selected = site.endpoint.only().unwrap();
    let mut server = ServerConnection::new(selected.config()).unwrap();
    read_by(&mut server, &written_by(&mut client)).unwrap();
    read_by(&mut client, &written_by(&mut server)).unwrap();
    let mut flight = records(&written_by(&mut client));
    let before = flight.len();
    change(&mut flight);
    assert!(flight.len() < before);
    let result = read_by(&mut server, &flight.concat());
    assert_eq!(selected.caller(&server).unwrap_err(), NoCaller::HandshakeUnfinished);
    result
}

#[test]
fn vh_10_messages_that_prove_something_and_are_left_out() {
    let world = World::new();
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let site = Site::new(world.policy(Change::Nothing), backend);
        let client = |version| site.client(Some(&world.partner), backend, version);
        // The type of a handshake message in the open is the first octet of its record's content.
        let without = |types: &'static [u8]| {
            second_flight(&site, client(Version::Tls12), move |flight| {
                flight.retain(|record| !(record[0] == 22 && types.contains(&record[5])));
            })
        };
        // Certificate is 11, CertificateVerify 15 (RFC 5246, section 7.4).
        for result in [without(&[11]), without(&[15]), without(&[11, 15])] {
            let error = result.unwrap_err();
            let unexpected =
                matches!(error, Error::InappropriateHandshakeMessage { .. } | Error::InappropriateMessage { .. });
            assert!(unexpected, "{backend:?} {error:?}");
        }
        // In 1.3 they are encrypted: without a record nothing after it can be read, and without the last one the handshake waits.
        let places = records(&written_in_13(&site, client(Version::Tls13))).len();
        assert!(places > 1);
        for left_out in 1..places {
            let result = second_flight(&site, client(Version::Tls13), |flight| {
                flight.remove(left_out);
            });
            let expected = if left_out + 1 == places { Ok(()) } else { Err(Error::DecryptError) };
            assert_eq!(result, expected, "{backend:?} {left_out}");
        }
    }
}

fn written_in_13(site: &Site, client: Arc<ClientConfig>) -> Vec<u8> {
    let mut client = ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(site.endpoint.only().unwrap().config()).unwrap();
    read_by(&mut server, &written_by(&mut client)).unwrap();
    read_by(&mut client, &written_by(&mut server)).unwrap();
    written_by(&mut client)
}

#[test]
fn vh_11_an_empty_list_of_certificates_where_one_is_required() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(world.policy(Change::Nothing), backend);
        let ends = site.call(&site.client(None, backend, version), SERVER);
        assert_eq!(ends.server_error, Some(Error::NoCertificatesPresented), "{backend:?} {version:?}");
        assert_eq!(ends.met(NOW), Met::refused(None, "no-certificate"));
    }
}

#[test]
fn vh_12_the_certificate_of_another_without_its_key() {
    let world = World::new();
    let thief = TestCertificate::new("CN=thief").self_signed();
    for (backend, version, memory, place) in every_memory() {
        for host in [believing("gw", &world.ca), believing("gw", &world.ca).with_client_auth(ClientAuth::Request)] {
            for way in [certmap::policy::UntrustedClients::LetDecide, certmap::policy::UntrustedClients::default()] {
                let host = host.clone().with_untrusted(way);
                let site = Site::new(world.builder(host).build().unwrap(), backend);
                let site = site.resuming(scoped(memory, DAY, backend));
                let mut client = site.plain_client(Some(&thief), backend, version);
                let key = backend.provider().key_provider.load_private_key(thief.key()).unwrap();
                let stolen = CertifiedKey::new(world.partner.chain().to_vec(), key);
                assert!(!matches!(
                    stolen.keys_match(),
                    Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown))
                ));
                client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(stolen));
                let client = Arc::new(client);
                for _ in 0..2 {
                    assert_eq!(site.meet(&client), Met::refused(None, "key-not-proven"), "{place} {way:?}");
                }
            }
        }
    }
}

#[test]
fn pe_13_a_name_that_changes_when_the_client_is_asked_to_retry() {
    for (backend, _, memory, place) in every_memory().filter(|(_, version, ..)| *version == Version::Tls13) {
        let (result, caller) = retried(backend, memory, |second| replace(second, b"a.example", b"b.example"));
        assert_eq!(result, Err(Error::PeerMisbehaved(PeerMisbehaved::ServerNameDifferedOnRetry)), "{place}");
        assert_eq!(caller, NoCaller::HandshakeUnfinished);
    }
}

#[test]
fn pe_14_a_session_that_a_client_brings_to_another_name() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let policy = world.builder(believing("gw", &world.ca)).build().unwrap();
        let site = Site::new(policy, backend).resuming(scoped(memory, DAY, backend));
        // By itself a client keeps its sessions apart.
        let client = site.client(Some(&world.partner), backend, version);
        let met = |client: &Arc<ClientConfig>, name: &str| site.call(client, name).met(NOW);
        assert_eq!(met(&client, "a.example"), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(met(&client, "b.example"), Met::admitted(FULL, "PARTNER"), "{place}");
        // And who does not gets no further, even at one host.
        let mut client = site.plain_client(Some(&world.partner), backend, version);
        client.resumption = Promiscuous::resumption();
        let client = Arc::new(client);
        assert_eq!(met(&client, "a.example"), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(met(&client, "b.example"), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn pe_17_the_configuration_of_another_host_and_the_caller_of_the_right_one() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(secret_and_public(&world).build().unwrap(), backend);
        let nobody = site.client(None, backend, version);
        let public = site.endpoint.fixed("public".parse().unwrap()).unwrap();
        let secret = site.endpoint.fixed("secret".parse().unwrap()).unwrap();
        assert_eq!(call_fixed(&public, &nobody, "a.example").client_error, Some(DENIED));
        let ends = call_fixed(&public, &nobody, "nobody.example");
        assert_eq!(secret.caller(ends.server()).unwrap_err(), NoCaller::OtherServerName, "{backend:?} {version:?}");
    }
}
