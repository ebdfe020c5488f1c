//! Sessions that `openssl s_client` keeps in a file and brings again: resumed where they may be, and never a way in.

use std::sync::Arc;

use certmap::policy::ClientAuth;
use certmap::rustls::HandshakeKind;
use certmap::trust::Denial;
use certmap::{Certificate, Endpoint, Host, Policy, PolicyBuilder, PolicyHandle, TrustBundle};

use crate::common::{Backend, SERVER, Version, user};
use crate::hosting::{DAY, Memory, every_memory, keys, scoped};
use crate::service::{ANSWER, Met, Service, within};
use crate::tool::{EC, OPENSSL, Output, Running, Shape, Workshop, found};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;

/// Two partners, of which only one calls.
struct Openssl {
    workshop: Workshop,
    partner: Certificate,
    other: Certificate,
}

impl Openssl {
    fn new() -> Self {
        let workshop = Workshop::new();
        let partner = Shape::CaTrue(EC).make(&workshop, "partner");
        let other = Shape::CaTrue(EC).make(&workshop, "other");
        Self { workshop, partner, other }
    }

    /// The policy of one host that pins these.
    fn builder(&self, auth: ClientAuth, pinned: &[&Certificate]) -> PolicyBuilder {
        let bundle = TrustBundle::new("partners".parse().unwrap());
        let host = Host::new("gateway".parse().unwrap(), bundle).with_server_names([SERVER.parse().unwrap()]);
        let names = ["SAPERPUSER", "OTHER"];
        pinned.iter().fold(PolicyBuilder::for_host(host.with_client_auth(auth)), |builder, certificate| {
            let name = names[usize::from(**certificate == self.other)];
            builder.partner(user(name), (*certificate).clone(), [])
        })
    }

    fn policy(&self, auth: ClientAuth, pinned: &[&Certificate]) -> Policy {
        self.builder(auth, pinned).build().unwrap()
    }

    /// An endpoint that resumes, and the handle of its policy.
    fn service(&self, policy: Policy, memory: Memory, backend: Backend) -> (Service, Arc<PolicyHandle>) {
        let (policy, provider) = (Arc::new(PolicyHandle::new(policy)), backend.provider());
        let identity = Service::certificate(&self.workshop).identity_on(&provider);
        let endpoint = Endpoint::single_with_provider(Arc::clone(&policy), identity, provider).unwrap();
        let endpoint = endpoint.with_resumption(scoped(memory, 7 * DAY, backend)).unwrap();
        (Service::on(endpoint, within(&self.partner)), policy)
    }

    fn call(&self, service: &Service, version: Version, more: &str) -> (Met, Output) {
        service.meet(|port| {
            let version = match version {
                Version::Tls12 => "-tls1_2",
                Version::Tls13 => "-tls1_3",
            };
            let server =
                format!("-connect 127.0.0.1:{port} -servername {SERVER} -CAfile root.pem -verify_return_error");
            let arguments = format!("s_client {server} {version} -ign_eof {more}");
            let mut client = Running::start(OPENSSL, self.workshop.path(), arguments.split_whitespace());
            client.type_in(&format!("GET / HTTP/1.1\r\nHost: {SERVER}:{port}\r\n\r\n"));
            client
        })
    }
}

const PAIR: &str = "-cert partner.pem -key partner.key";

/// Asserts how the session was made and what became of the request: whose it was, or which code refused it.
#[track_caller]
fn assert_met((met, output): &(Met, Output), kind: HandshakeKind, answer: Result<&str, &str>, place: &str) {
    let word = if kind == RESUMED { "Reused, TLSv1" } else { "New, TLSv1" };
    assert!(output.stdout.contains(word), "{place} {output:?}");
    assert_eq!(met.handshake.map(|(_, kind)| kind), Some(kind), "{place} {}", met.record);
    assert_eq!(met.record.resumed(), kind == RESUMED);
    match answer {
        Ok(user) => assert!(output.stdout.contains(&format!("{ANSWER}{user}")), "{place} {output:?}"),
        Err(code) => {
            assert_eq!(met.outcome.as_ref().unwrap_err().code().as_str(), code, "{place}");
            assert!(output.stdout.contains("HTTP/1.1 401 "), "{place} {output:?}");
            assert!(!output.stdout.contains(ANSWER), "{place} {output:?}");
        }
    }
}

#[test]
fn openssl_resumes_its_session_as_the_same_user_until_something_changes() {
    if !found(&[OPENSSL]) {
        return;
    }
    let openssl = Openssl::new();
    let (partner, other) = (&openssl.partner, &openssl.other);
    for (backend, version, memory, place) in every_memory() {
        let policy = |pinned: &[&Certificate]| openssl.policy(ClientAuth::Require, pinned);
        let (service, handle) = openssl.service(policy(&[partner, other]), memory, backend);
        let first = format!("{PAIR} -sess_out session");
        // In TLS 1.3 a stored session is good for one call, so the new one is kept each time.
        let again = format!("{PAIR} -sess_in session -sess_out session");
        assert_met(&openssl.call(&service, version, &first), FULL, Ok("SAPERPUSER"), &place);
        assert_met(&openssl.call(&service, version, &again), RESUMED, Ok("SAPERPUSER"), &place);
        assert_met(&openssl.call(&service, version, &again), RESUMED, Ok("SAPERPUSER"), &place);

        // Denied: the session is what it was, and the decision refuses.
        let denial = Denial::serial(partner.issuer(), partner.serial().clone());
        let builder = openssl.builder(ClientAuth::Require, &[partner, other]);
        let before = handle.replace(builder.denials([denial]).build().unwrap());
        assert_met(&openssl.call(&service, version, &again), RESUMED, Err("denied"), &place);
        handle.replace(before);
        assert_met(&openssl.call(&service, version, &again), RESUMED, Ok("SAPERPUSER"), &place);

        // Another bundle: a full handshake, in which who is not trusted any more is refused.
        handle.replace(policy(&[partner]));
        assert_met(&openssl.call(&service, version, &again), FULL, Ok("SAPERPUSER"), &place);
        handle.replace(policy(&[other]));
        let (met, output) = openssl.call(&service, version, &again);
        assert_eq!(met.outcome.unwrap_err().code().as_str(), "untrusted", "{place}");
        assert_eq!(met.handshake, None, "{place}");
        assert!(output.stderr.contains("SSL alert number 46\n"), "{place} {output:?}");
    }
}

#[test]
fn openssl_brings_an_anonymous_session_to_a_host_that_requires_a_certificate_for_nothing() {
    if !found(&[OPENSSL]) {
        return;
    }
    let openssl = Openssl::new();
    for (backend, version, memory, place) in every_memory() {
        let policy = |auth| openssl.policy(auth, &[&openssl.partner]);
        let (service, handle) = openssl.service(policy(ClientAuth::Request), memory, backend);
        let call = |more: &str| openssl.call(&service, version, more);
        assert_met(&call("-sess_out session"), FULL, Err("no-certificate"), &place);
        let again = "-sess_in session -sess_out session";
        assert_met(&call(again), RESUMED, Err("no-certificate"), &place);
        handle.replace(policy(ClientAuth::Require));
        let (met, output) = call(again);
        assert_eq!(met.outcome.unwrap_err().code().as_str(), "no-certificate", "{place}");
        assert_eq!(met.handshake, None, "{place}");
        assert!(output.stderr.contains("SSL alert number 116\n"), "{place} {output:?}");
    }
}

#[test]
fn openssl_brings_the_ticket_of_one_gateway_to_another_of_the_same_keys() {
    if !found(&[OPENSSL]) {
        return;
    }
    let openssl = Openssl::new();
    for (backend, version, memory, place) in every_memory() {
        if memory == Memory::Store {
            continue;
        }
        let service = |octet: u8| {
            let policy = Arc::new(PolicyHandle::new(openssl.policy(ClientAuth::Require, &[&openssl.partner])));
            let provider = backend.provider();
            let identity = Service::certificate(&openssl.workshop).identity_on(&provider);
            let endpoint = Endpoint::single_with_provider(policy, identity, provider).unwrap();
            let tickets = scoped(Memory::Store, 7 * DAY, backend).with_tickets(keys(octet, backend));
            Service::on(endpoint.with_resumption(tickets).unwrap(), within(&openssl.partner))
        };
        let call = |service: &Service, more: &str| openssl.call(service, version, &format!("{PAIR} {more}"));
        // Each writes its own root, so each is called when it is made.
        assert_met(&call(&service(1), "-sess_out one"), FULL, Ok("SAPERPUSER"), &place);
        assert_met(&call(&service(1), "-sess_in one"), RESUMED, Ok("SAPERPUSER"), &place);
        assert_met(&call(&service(2), "-sess_in one"), FULL, Ok("SAPERPUSER"), &place);
    }
}
