//! What old sessions did to others (RES), and clocks (CK): each attack against an endpoint that resumes in scopes and,
//! where that says something, against what people build first, which is let in by it. The list is `corpus.md`.

use std::sync::Arc;

use certmap::policy::ClientAuth;
use certmap::rustls::client::TicketRequest;
use certmap::rustls::pki_types::CertificateRevocationListDer;
use certmap::rustls::server::{
    NoServerSessionStorage, ProducesTickets, ServerConfig, ServerSessionMemoryCache, StoresServerSessions,
    WebPkiClientVerifier,
};
use certmap::rustls::{
    ClientConfig, ClientConnection, Error, HandshakeKind, NamedGroup, PeerIncompatible, RootCertStore,
};
use certmap::testing::{Handshake, TestCertificate, TestCrl, TestIdentity, TestRevocationList, handshake};
use certmap::tls::NoCaller;
use certmap::{Authority, Certificate, ClientConfigBuilder, Endpoint, TrustBundle};

use crate::common::{Backend, SERVER, Version};
use crate::hosting::{
    Change, Clock, DAY, Memory, Met, Promiscuous, Site, World, accept, believing, every_memory, read_by, scoped,
    written_by,
};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;

/// What people build first: the verifier of rustls, its defaults for sessions, and whoever comes through is who its
/// certificate says.
pub struct Naive {
    backend: Backend,
    certificate: TestIdentity,
    clock: Arc<Clock>,
    store: Arc<dyn StoresServerSessions>,
    tickets: Option<Arc<dyn ProducesTickets>>,
}

impl Naive {
    /// Beside a site of ours, with its certificate and clock, so that one client can call both.
    pub fn beside(site: &Site, memory: Memory, backend: Backend) -> Self {
        let tickets = || match backend {
            Backend::AwsLcRs => certmap::rustls::crypto::aws_lc_rs::Ticketer::new().unwrap(),
            Backend::Ring => certmap::rustls::crypto::ring::Ticketer::new().unwrap(),
        };
        Self {
            backend,
            certificate: site.certificate.clone(),
            clock: Arc::clone(&site.clock),
            store: match memory {
                Memory::Store => ServerSessionMemoryCache::new(256),
                Memory::Tickets => Arc::new(NoServerSessionStorage {}),
            },
            tickets: (memory == Memory::Tickets).then(tickets),
        }
    }

    /// A configuration that trusts this CA; all of them share their sessions, as clones of one do.
    pub fn config(&self, ca: &TestIdentity, auth: ClientAuth) -> Arc<ServerConfig> {
        self.config_with_lists(ca, auth, &[])
    }

    fn config_with_lists(&self, ca: &TestIdentity, auth: ClientAuth, lists: &[TestCrl]) -> Arc<ServerConfig> {
        let provider = self.backend.provider();
        let mut roots = RootCertStore::empty();
        roots.add(ca.certificate().der().into_owned()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let lists = lists.iter().map(|list| CertificateRevocationListDer::from(list.der().to_vec()));
        let verifier = verifier.with_crls(lists);
        let verifier = if auth == ClientAuth::Request { verifier.allow_unauthenticated() } else { verifier };
        let clock = Arc::<Clock>::clone(&self.clock);
        let builder = ServerConfig::builder_with_details(provider, clock).with_safe_default_protocol_versions();
        let builder = builder.unwrap().with_client_cert_verifier(verifier.build().unwrap());
        let mut config = builder.with_single_cert(self.certificate.chain().to_vec(), self.certificate.key()).unwrap();
        config.session_storage = Arc::clone(&self.store);
        if let Some(tickets) = &self.tickets {
            config.ticketer = Arc::clone(tickets);
        }
        Arc::new(config)
    }
}

/// Whom the naive build takes the peer for; `None` if it did not let it in.
pub fn naive_user(ends: &Handshake) -> Option<String> {
    if ends.server_error.is_some() || ends.server.is_handshaking() {
        return None;
    }
    let own = ends.server.peer_certificates().and_then(<[_]>::first);
    Some(own.map_or("anybody".to_owned(), |der| Certificate::from_der(der).unwrap().subject().to_string()))
}

fn naively(config: &Arc<ServerConfig>, client: &Arc<ClientConfig>) -> (Option<HandshakeKind>, Option<String>) {
    let ends = handshake(Arc::clone(client), Arc::clone(config), SERVER);
    (ends.server.handshake_kind(), naive_user(&ends))
}

/// Let in by an old session.
fn let_in(user: &str) -> (Option<HandshakeKind>, Option<String>) {
    (Some(RESUMED), Some(user.to_owned()))
}

fn resuming(world: &World, change: Change, memory: Memory, backend: Backend) -> Site {
    Site::new(world.policy(change), backend).resuming(scoped(memory, 7 * DAY, backend))
}

/// A session made where one CA is trusted, brought to where another one is, in this memory.
fn another_ca(memory: Memory) {
    let world = World::new();
    for (backend, version, _, place) in every_memory().filter(|(_, _, this, _)| *this == memory) {
        let resumption = scoped(memory, 7 * DAY, backend);
        let one = Site::new(world.policy(Change::Nothing), backend).resuming(resumption.clone());
        let other = one.beside(world.policy(Change::OtherCa), backend).resuming(resumption);
        let client = one.client(Some(&world.partner), backend, version);
        assert_eq!(one.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(other.meet(&client), Met::refused(None, "untrusted"), "{place}");

        let naive = Naive::beside(&one, memory, backend);
        let [a, b] = [&world.ca, &world.other_ca].map(|ca| naive.config(ca, ClientAuth::Require));
        let client = one.client(Some(&world.partner), backend, version);
        assert_eq!(naively(&a, &client).0, Some(FULL), "{place}");
        assert_eq!(naively(&b, &client), let_in("CN=partner"), "{place}");
    }
}

#[test]
fn res_01_two_listeners_that_share_a_cache_and_trust_different_cas() {
    another_ca(Memory::Store);
}

#[test]
fn res_02_two_hosts_that_share_ticket_keys_and_trust_different_cas() {
    another_ca(Memory::Tickets);
}

#[test]
fn res_03_a_cloned_configuration_after_its_trust_was_changed() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        let selected = site.endpoint.only().unwrap();
        let config = Arc::new((*selected.config()).clone());
        let kind = || handshake(Arc::clone(&client), Arc::clone(&config), SERVER).server.handshake_kind();
        assert_eq!([kind(), kind()], [Some(FULL), Some(RESUMED)], "{place}");
        site.policy.replace(world.policy(Change::OtherCa));
        let ends = handshake(Arc::clone(&client), Arc::clone(&config), SERVER);
        let refused = selected.refused(ends.server_error.as_ref().unwrap(), site.clock.now()).unwrap();
        assert_eq!(refused.code().as_str(), "untrusted", "{place}");
    }
}

#[test]
fn res_04_a_certificate_that_expired_or_was_revoked_since_the_session_was_made() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        let before = site.policy.replace(world.policy(Change::Revoked));
        assert_eq!(site.meet(&client), Met::refused(Some(RESUMED), "certificate-revoked"), "{place}");
        site.policy.replace(before);
        site.clock.set(2 * DAY + 1);
        assert_eq!(site.meet(&client), Met::refused(Some(RESUMED), "certificate-expired"), "{place}");

        let naive = Naive::beside(&site, memory, backend);
        let config = naive.config(&world.ca, ClientAuth::Require);
        site.clock.set(0);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(naively(&config, &client).0, Some(FULL), "{place}");
        site.clock.set(2 * DAY + 1);
        // The keys of rustls' tickets go by the clock of the machine, so they do not end it either.
        assert_eq!(naively(&config, &client), let_in("CN=partner"), "{place}");
    }
}

#[test]
fn res_05_a_session_from_before_certificates_were_required() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let policy = |auth| world.policy_in(Change::Nothing, auth);
        let site = Site::new(policy(ClientAuth::Request), backend).resuming(scoped(memory, 7 * DAY, backend));
        let client = site.client(None, backend, version);
        assert_eq!(site.meet(&client).kind, Some(FULL), "{place}");
        site.policy.replace(policy(ClientAuth::Require));
        assert_eq!(site.meet(&client), Met::refused(None, "no-certificate"), "{place}");

        let naive = Naive::beside(&site, memory, backend);
        let client = site.client(None, backend, version);
        assert_eq!(naively(&naive.config(&world.ca, ClientAuth::Request), &client).0, Some(FULL), "{place}");
        let strict = naive.config(&world.ca, ClientAuth::Require);
        assert_eq!(naively(&strict, &client), let_in("anybody"), "{place}");
    }
}

/// What a server that resumes makes of the second first message of a client that it asked to retry, changed on its way.
pub fn retried(backend: Backend, memory: Memory, change: impl Fn(&mut [u8])) -> (Result<(), Error>, NoCaller) {
    let world = World::new();
    let groups = |groups: &[NamedGroup]| {
        let mut provider = (*backend.speaking(Version::Tls13)).clone();
        let of = |name: &NamedGroup| provider.kx_groups.iter().copied().find(|group| group.name() == *name).unwrap();
        provider.kx_groups = groups.iter().map(of).collect();
        Arc::new(provider)
    };
    let policy = world.policy(Change::Nothing);
    let mut site = Site::new(policy, backend);
    let provider = groups(&[NamedGroup::secp256r1]);
    let identity = site.certificate.identity_on(&provider);
    let endpoint = Endpoint::single_with_provider(Arc::clone(&site.policy), identity, provider).unwrap();
    let clock = Arc::<Clock>::clone(&site.clock);
    let endpoint = endpoint.with_time_provider(clock).with_resumption(scoped(memory, DAY, backend)).unwrap();
    site.endpoint = endpoint;
    let mut client = site.client_on(Some(&world.partner), groups(&[NamedGroup::secp384r1, NamedGroup::secp256r1]));
    client.resumption = Promiscuous::resumption();
    let client = Arc::new(client);
    let retry = HandshakeKind::FullWithHelloRetryRequest;
    assert_eq!(site.call(&client, "a.example").met(site.clock.now()), Met::admitted(retry, "PARTNER"));

    let mut client = ClientConnection::new(client, "a.example".try_into().unwrap()).unwrap();
    let accepted = accept(&written_by(&mut client)).unwrap();
    let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
    let Ok(mut server) = accepted.into_connection(selected.config()) else { panic!("a retry is asked for") };
    read_by(&mut client, &written_by(&mut server)).unwrap();
    let mut second = written_by(&mut client);
    change(&mut second);
    let result = read_by(&mut server, &second);
    assert_eq!(server.peer_certificates().is_some(), result.is_ok(), "the ticket was in it");
    (result, selected.caller(&server).unwrap_err())
}

/// Replaces octets, which stand there once, by others.
pub fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:?}");
    bytes[places[0]..places[0] + to.len()].copy_from_slice(to);
}

#[test]
fn res_06_a_retry_that_falls_back_to_tls_12_with_the_ticket() {
    for (backend, version, memory, place) in every_memory().filter(|(_, version, ..)| *version == Version::Tls13) {
        assert_eq!(version, Version::Tls13);
        assert_eq!(retried(backend, memory, |_| ()), (Ok(()), NoCaller::HandshakeUnfinished), "{place}");
        // The extension that says 1.3 is one that nobody knows.
        let (result, caller) = retried(backend, memory, |second| {
            replace(second, &[0, 0x2b, 0, 3, 2, 3, 4], &[0xfa, 0xce, 0, 3, 2, 3, 4]);
        });
        let required = PeerIncompatible::SupportedVersionsExtensionRequired;
        assert_eq!(result, Err(Error::PeerIncompatible(required)), "{place}");
        assert_eq!(caller, NoCaller::HandshakeUnfinished);
    }
}

#[test]
fn res_07_sixteen_ways_in_by_an_old_session() {
    let world = World::new();
    let (mut ours, mut theirs) = (0, 0);
    for (backend, version, memory, place) in every_memory().filter(|(backend, ..)| *backend == Backend::AwsLcRs) {
        for way in ["other CA", "revoked", "anonymous", "expired"] {
            let (before, identity) = match way {
                "anonymous" => (ClientAuth::Request, None),
                _ => (ClientAuth::Require, Some(&world.partner)),
            };
            let change = match way {
                "other CA" => Change::OtherCa,
                "revoked" => Change::Revoked,
                _ => Change::Nothing,
            };
            let policy = world.policy_in(Change::Nothing, before);
            let site = Site::new(policy, backend).resuming(scoped(memory, 7 * DAY, backend));
            let naive = Naive::beside(&site, memory, backend);
            let [to_us, to_them] = [(); 2].map(|()| site.client(identity, backend, version));
            assert_eq!(site.meet(&to_us).kind, Some(FULL), "{place} {way}");
            assert_eq!(naively(&naive.config(&world.ca, before), &to_them).0, Some(FULL), "{place} {way}");
            site.policy.replace(world.policy(change));
            site.clock.set(if way == "expired" { 2 * DAY + 1 } else { 0 });
            ours += usize::from(site.meet(&to_us).answer.is_ok());
            let ca = if way == "other CA" { &world.other_ca } else { &world.ca };
            let list = TestRevocationList::new().revoking(&[7]).signed_by(ca);
            let lists = if way == "revoked" { &[list][..] } else { &[] };
            let config = naive.config_with_lists(ca, ClientAuth::Require, lists);
            // The session alone lets it in: who comes without one is refused there too.
            let fresh = site.client(identity, backend, version);
            assert_eq!(naively(&config, &fresh).1, None, "{place} {way}");
            theirs += usize::from(naively(&config, &to_them).1.is_some());
        }
    }
    assert_eq!((ours, theirs), (0, 16));
}

#[test]
fn res_08_four_reloads_under_one_session() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        for (change, met) in [
            (Change::OtherCa, Met::refused(None, "untrusted")),
            (Change::NotMapped, Met::refused(Some(RESUMED), "not-mapped")),
            (Change::Revoked, Met::refused(Some(RESUMED), "certificate-revoked")),
            (Change::RoleRemoved, Met { may_send: false, ..Met::admitted(RESUMED, "PARTNER") }),
        ] {
            let site = resuming(&world, Change::Nothing, memory, backend);
            let client = site.client(Some(&world.partner), backend, version);
            assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
            site.policy.replace(world.policy(change));
            assert_eq!(site.meet(&client), met, "{place} {change:?}");
        }
    }
}

#[test]
fn res_09_every_resumed_connection_is_decided_anew() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        for round in 0..4 {
            site.policy.replace(world.policy(Change::UserDisabled));
            assert_eq!(site.meet(&client), Met::refused(Some(RESUMED), "user-disabled"), "{place} {round}");
            site.policy.replace(world.policy(Change::Nothing));
            assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place} {round}");
        }
    }
}

#[test]
fn res_10_a_client_with_other_trust_offers_no_session_of_before() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
        let mut servers = TrustBundle::new("servers".parse().unwrap());
        let other = TestCertificate::new("CN=other").with_server_name(SERVER).self_signed();
        servers.add_pin(other.certificate().clone()).unwrap();
        let identity = world.partner.identity_on(&backend.provider());
        let distrusts = ClientConfigBuilder::new(identity, servers).with_provider(backend.speaking(version));
        let ends = site.call(&Arc::new(distrusts.build().unwrap()), SERVER);
        assert!(matches!(ends.client_error, Some(Error::InvalidCertificate(_))), "{place} {:?}", ends.client_error);
    }
}

#[test]
fn res_11_two_identities_have_two_memories() {
    let world = World::new();
    let second = TestCertificate::new("CN=second").with_serial(&[8]).with_purpose(2).issued_by(&world.ca);
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        for identity in [&world.partner, &second, &world.partner] {
            let ends = site.call(&site.client(Some(identity), backend, version), SERVER);
            assert_eq!(ends.server().handshake_kind(), Some(FULL), "{place}");
            let caller = ends.selected().caller(ends.server()).unwrap();
            assert_eq!(caller.evidence().chain(), identity.chain(), "{place}");
        }
    }
}

#[test]
fn res_12_a_resumed_peer_has_its_certificate_its_user_and_its_roles() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        let [full, resumed] = [(); 2].map(|()| {
            let ends = site.call(&client, SERVER);
            let caller = ends.selected().caller(ends.server()).unwrap();
            (caller.admit(Authority::NotHttp, site.clock.now()).unwrap(), caller.decide(site.clock.now()).record())
        });
        assert_eq!((full.1.resumed(), resumed.1.resumed()), (false, true), "{place}");
        assert_eq!(full.0.user(), resumed.0.user());
        assert_eq!(full.0.roles(), resumed.0.roles());
        assert_eq!((full.0.strength(), full.0.certificate()), (resumed.0.strength(), resumed.0.certificate()));
        assert_eq!(full.1.certificate(), resumed.1.certificate());
    }
}

#[test]
fn res_14_off_is_off_a_thousand_times() {
    let world = World::new();
    for version in [Version::Tls12, Version::Tls13] {
        let site = Site::new(world.policy(Change::Nothing), Backend::AwsLcRs);
        let mut client = site.plain_client(Some(&world.partner), Backend::AwsLcRs, version);
        // Asked for by number too (RFC 9149).
        client.send_ticket_request = Some(TicketRequest { new_session_count: 4, resumption_count: 4 });
        let client = Arc::new(client);
        for call in 0..500 {
            let ends = site.call(&client, SERVER);
            assert_eq!(ends.server().handshake_kind(), Some(FULL), "{version:?} {call}");
            assert_eq!(ends.client.tls13_tickets_received(), 0, "{version:?} {call}");
        }
    }
}

#[test]
fn res_15_who_is_refused_on_a_resumed_session_is_refused_after_the_handshake() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        site.policy.replace(world.policy(Change::Denied));
        let ends = site.call(&client, SERVER);
        assert_eq!((&ends.server_error, &ends.client_error), (&None, &None), "{place}: no failed handshake");
        assert_eq!(ends.met(site.clock.now()), Met::refused(Some(RESUMED), "denied"), "{place}");
    }
}

#[test]
fn res_16_no_configuration_reads_early_data() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let off = Site::new(world.policy(Change::Nothing), backend);
        let on = resuming(&world, Change::Nothing, memory, backend);
        for site in [&off, &on] {
            let client = site.client(Some(&world.partner), backend, version);
            for selected in [site.endpoint.only().unwrap(), site.call(&client, SERVER).selected().clone()] {
                assert_eq!(selected.config().max_early_data_size, 0, "{place}");
            }
        }
        let unknown = off.beside(
            world
                .builder(believing("gw", &world.ca).with_server_names(["a.example".parse().unwrap()]))
                .build()
                .unwrap(),
            backend,
        );
        let mut client =
            ClientConnection::new(unknown.client(None, backend, version), SERVER.try_into().unwrap()).unwrap();
        let accepted = accept(&written_by(&mut client)).unwrap();
        let refused = unknown.endpoint.select(&accepted.client_hello()).unwrap_err();
        assert_eq!(refused.config().max_early_data_size, 0, "{place}");
    }
}

#[test]
fn ck_02_a_clock_that_is_set_back_brings_no_session_of_the_future() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, 3_600, backend));
        let client = site.client(Some(&world.partner), backend, version);
        site.clock.set(DAY);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        site.clock.set(0);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn ck_03_a_resumed_connection_does_not_outlive_certificate_user_or_policy() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(&world, Change::Nothing, memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        let ends = site.call(&client, SERVER);
        let caller = ends.selected().caller(ends.server()).unwrap();
        assert!(caller.evidence().resumed(), "{place}");
        let code =
            || caller.admit(Authority::NotHttp, site.clock.now()).err().map(|refused| refused.code().to_string());
        assert_eq!(code(), None, "{place}");
        let before = site.policy.replace(world.policy(Change::UserDisabled));
        assert_eq!(code().as_deref(), Some("user-disabled"), "{place}");
        site.policy.replace(before);
        site.clock.set(2 * DAY);
        assert_eq!(code(), None, "{place}: its last second");
        site.clock.set(2 * DAY + 1);
        assert_eq!(code().as_deref(), Some("certificate-expired"), "{place}");
    }
}
