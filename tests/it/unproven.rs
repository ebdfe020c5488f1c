//! A resumed handshake shows the old certificates before anybody has proven anything. A recorded first message, replayed
//! by anybody, must yield no caller.

use std::sync::Arc;

use certmap::rustls::server::{ProducesTickets, ServerSessionMemoryCache};
use certmap::rustls::{ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use certmap::testing::{Handshake, TestCertificate, handshake};
use certmap::tls::NoCaller;

use crate::common::{Backend, Gateway, SERVER, Version, everywhere};

#[derive(Clone, Copy, Debug)]
enum Memory {
    Store,
    Tickets,
}

/// Our configuration, changed by somebody so that it resumes.
fn resuming(gateway: &Gateway, memory: Memory, backend: Backend) -> Arc<ServerConfig> {
    let mut config = (*gateway.endpoint.only().unwrap().config()).clone();
    config.send_tls13_tickets = 2;
    match memory {
        Memory::Store => config.session_storage = ServerSessionMemoryCache::new(32),
        Memory::Tickets => config.ticketer = ticketer(backend),
    }
    Arc::new(config)
}

fn ticketer(backend: Backend) -> Arc<dyn ProducesTickets> {
    match backend {
        Backend::AwsLcRs => certmap::rustls::crypto::aws_lc_rs::Ticketer::new().unwrap(),
        Backend::Ring => certmap::rustls::crypto::ring::Ticketer::new().unwrap(),
    }
}

/// The first message of a client that has called before and wants to resume.
fn recorded_hello(client: &Arc<certmap::rustls::ClientConfig>, server: &Arc<ServerConfig>) -> Vec<u8> {
    let first = handshake(Arc::clone(client), Arc::clone(server), SERVER);
    assert_eq!((&first.client_error, &first.server_error), (&None, &None));
    let mut second = ClientConnection::new(Arc::clone(client), SERVER.try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    second.write_tls(&mut hello).unwrap();
    hello
}

#[test]
fn a_replayed_first_message_shows_the_certificates_and_yields_no_caller() {
    for (backend, version) in everywhere() {
        for memory in [Memory::Store, Memory::Tickets] {
            let place = format!("{backend:?} {version:?} {memory:?}");
            let victim = TestCertificate::new("CN=victim").self_signed();
            let gateway = Gateway::new(crate::common::one_partner(&victim), backend);
            let server = resuming(&gateway, memory, backend);
            let client = Arc::new(gateway.client(victim.identity_on(&backend.provider()), backend, version));
            let hello = recorded_hello(&client, &server);

            let mut replayed = ServerConnection::new(Arc::clone(&server)).unwrap();
            replayed.read_tls(&mut &hello[..]).unwrap();
            replayed.process_new_packets().unwrap();

            // The danger is real: the victim's certificate is there for whoever does not ask further.
            assert_eq!(replayed.peer_certificates(), Some(victim.chain()), "{place}");
            let caller = gateway.endpoint.only().unwrap().caller(&replayed);
            assert!(matches!(caller, Err(NoCaller::HandshakeUnfinished)), "{place}");
        }
    }
}

#[test]
fn a_resumed_handshake_that_is_finished_is_decided_again_and_says_that_it_was_resumed() {
    // Our configuration never resumes; somebody else's may, and the decision does not depend on it.
    for (backend, version) in everywhere() {
        let victim = TestCertificate::new("CN=victim").self_signed();
        let gateway = Gateway::new(crate::common::one_partner(&victim), backend);
        let server = resuming(&gateway, Memory::Store, backend);
        let client = Arc::new(gateway.client(victim.identity_on(&backend.provider()), backend, version));
        let call = || -> Handshake { handshake(Arc::clone(&client), Arc::clone(&server), SERVER) };
        assert_eq!(call().server.handshake_kind(), Some(HandshakeKind::Full));
        let resumed = call();
        assert_eq!(resumed.server.handshake_kind(), Some(HandshakeKind::Resumed), "{backend:?} {version:?}");
        let caller = gateway.endpoint.only().unwrap().caller(&resumed.server).unwrap();
        let decision = caller.decide(certmap::testing::NOW);
        assert!(decision.principal().is_some());
        assert!(decision.record().resumed());

        let other = TestCertificate::new("CN=other").self_signed();
        gateway.policy.replace(crate::common::one_partner(&other));
        let again = call();
        assert_eq!(again.server.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(
            gateway.refusal(&again).as_deref(),
            Some("untrusted"),
            "the verifier was not asked, the decision was"
        );
    }
}

#[test]
fn our_configuration_does_not_resume_whatever_the_client_tries() {
    for (backend, version) in everywhere() {
        let partner = TestCertificate::new("CN=partner").self_signed();
        let gateway = Gateway::new(crate::common::one_partner(&partner), backend);
        let client = Arc::new(gateway.client(partner.identity_on(&backend.provider()), backend, version));
        let server = gateway.endpoint.only().unwrap().config();
        for _ in 0..3 {
            let ends = handshake(Arc::clone(&client), Arc::clone(&server), SERVER);
            assert_eq!(ends.server.handshake_kind(), Some(HandshakeKind::Full), "{backend:?} {version:?}");
            assert_eq!(ends.client.tls13_tickets_received(), 0);
        }
        // The same client against a server that resumes: so the above says something.
        let server = resuming(&gateway, Memory::Store, backend);
        let kinds =
            [(); 2].map(|()| handshake(Arc::clone(&client), Arc::clone(&server), SERVER).server.handshake_kind());
        assert_eq!(kinds, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)], "{backend:?} {version:?}");
    }
}

#[test]
fn an_unfinished_handshake_of_any_length_yields_no_caller() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    for version in [Version::Tls12, Version::Tls13] {
        let gateway = Gateway::of(&partner);
        let client = Arc::new(gateway.client(partner.identity(), Backend::AwsLcRs, version));
        let mut client = ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(gateway.endpoint.only().unwrap().config()).unwrap();
        let selected = gateway.endpoint.only().unwrap();
        let mut seen_unfinished = 0;
        while server.is_handshaking() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            for byte in bytes {
                assert!(selected.caller(&server).is_err());
                seen_unfinished += 1;
                server.read_tls(&mut &[byte][..]).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut answer = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut answer).unwrap();
            }
            client.read_tls(&mut &answer[..]).unwrap();
            client.process_new_packets().unwrap();
        }
        assert!(seen_unfinished > 500, "{seen_unfinished}");
        assert!(selected.caller(&server).is_ok());
    }
}
