//! What a session is sealed with: its epoch, its host, the keys of its endpoint.

use std::sync::Arc;
use std::time::Duration;

use certmap::Host;
use certmap::policy::{ClientAuth, UntrustedClients};
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::rustls::{ClientConfig, ClientConnection, Error, HandshakeKind};
use certmap::testing::TestCertificate;
use certmap::tls::{EndpointError, ExtendedMasterSecret, Resumption, TicketKey, TicketKeys};

use crate::common::{Backend, SERVER, Version, everywhere};
use crate::hosting::{
    Change, DAY, Memory, Met, Promiscuous, Site, World, accept, believing, carry, every_memory, keys, scoped,
    written_by,
};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;
const HOUR: u64 = 3_600;
const MINUTE: u64 = 60;

/// When a client that calls every minute for these hours had to make a full handshake.
fn full_handshakes(site: &Site, client: &Arc<ClientConfig>, name: &str, hours: u64) -> Vec<u64> {
    let mut full = Vec::new();
    for minute in 0..hours * 60 {
        site.clock.set(minute * MINUTE);
        let met = site.call(client, name).met(site.clock.now());
        assert_eq!(met.answer.as_deref(), Ok("PARTNER"), "never a failed one");
        if met.kind == Some(FULL) {
            full.push(minute);
        }
    }
    full
}

#[test]
fn a_session_that_is_renewed_every_minute_ends_with_its_epoch_all_the_same() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, HOUR, backend));
        let client = site.client(Some(&world.partner), backend, version);
        let full = full_handshakes(&site, &client, SERVER, 5);
        // The first one, and one at the end of each epoch.
        assert_eq!(full.len(), 6, "{place} {full:?}");
        assert!(full[1] <= 60, "{place} {full:?}");
        assert!(full[1..].windows(2).all(|pair| pair[1] - pair[0] == 60), "{place} {full:?}");
    }
}

#[test]
fn the_epochs_of_two_hosts_do_not_end_together() {
    let world = World::new();
    let named = |id: &str, name: &str| -> Host { believing(id, &world.ca).with_server_names([name.parse().unwrap()]) };
    let policy = world.builder(named("a", "a.example")).host(named("b", "b.example")).build().unwrap();
    let site = Site::new(policy, Backend::AwsLcRs).resuming(scoped(Memory::Tickets, HOUR, Backend::AwsLcRs));
    let client = site.client(Some(&world.partner), Backend::AwsLcRs, Version::Tls13);
    let ends = ["a.example", "b.example"].map(|name| full_handshakes(&site, &client, name, 2)[1]);
    assert_ne!(ends[0], ends[1]);
}

#[test]
fn a_clock_that_is_set_back_ends_sessions_and_fails_no_handshake() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, HOUR, backend));
        let client = site.client(Some(&world.partner), backend, version);
        site.clock.set(3 * HOUR);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        site.clock.set(0);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
    }
}

#[test]
fn endpoints_with_the_same_keys_resume_tickets_of_each_other_and_with_other_keys_they_do_not() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let tickets = |octet: u8| scoped(Memory::Store, DAY, backend).with_tickets(keys(octet, backend));
        let one = Site::new(world.policy(Change::Nothing), backend).resuming(tickets(1));
        let beside = |octet: u8| one.beside(world.policy(Change::Nothing), backend).resuming(tickets(octet));
        let client = one.client(Some(&world.partner), backend, version);
        assert_eq!(one.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(beside(1).meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
        assert_eq!(beside(2).meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");

        // The same keys, and another host.
        let other = world.builder(believing("other", &world.ca)).build().unwrap();
        let other = one.beside(other, backend).resuming(tickets(2));
        assert_eq!(other.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(other.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
    }
}

#[test]
fn tickets_outlive_a_rotation_of_their_keys_and_not_four() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let keys = keys(0, backend);
        let resumption = scoped(Memory::Store, DAY, backend).with_tickets(keys.clone());
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(resumption);
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        keys.rotate(TicketKey::new([1; 32]));
        assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
        // The ticket of the last call is sealed with the second key.
        for octet in 2..=5 {
            keys.rotate(TicketKey::new([octet; 32]));
        }
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn random_keys_are_those_of_one_process() {
    let [one, other] = [(); 2].map(|()| TicketKeys::random().unwrap());
    let world = World::new();
    let backend = Backend::AwsLcRs;
    let tickets = |keys: &TicketKeys| scoped(Memory::Store, DAY, backend).with_tickets(keys.clone());
    let site = Site::new(world.policy(Change::Nothing), backend).resuming(tickets(&one));
    let beside = |keys: &TicketKeys| site.beside(world.policy(Change::Nothing), backend).resuming(tickets(keys));
    let client = site.client(Some(&world.partner), backend, Version::Tls13);
    assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"));
    assert_eq!(beside(&one).meet(&client), Met::admitted(RESUMED, "PARTNER"));
    assert_eq!(beside(&other).meet(&client), Met::admitted(FULL, "PARTNER"));
}

#[test]
fn a_store_that_clones_share_is_shared_by_equal_hosts_only() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let resumption = scoped(Memory::Store, DAY, backend);
        let policy = |id: &str| world.builder(believing(id, &world.ca)).build().unwrap();
        let one = Site::new(policy("gw"), backend).resuming(resumption.clone());
        let twin = one.beside(policy("gw"), backend).resuming(resumption.clone());
        let other = one.beside(policy("other"), backend).resuming(resumption);
        let client = one.client(Some(&world.partner), backend, version);
        assert_eq!(one.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(twin.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place}");
        assert_eq!(other.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn the_mode_of_a_host_is_part_of_the_scope_in_every_direction() {
    let world = World::new();
    let modes = [ClientAuth::None, ClientAuth::Request, ClientAuth::Require];
    for (backend, version, memory, place) in every_memory() {
        for (before, after) in modes.into_iter().flat_map(|before| modes.map(|after| (before, after))) {
            let place = format!("{place} {before:?} {after:?}");
            let policy = |auth| world.policy_in(Change::Nothing, auth);
            let site = Site::new(policy(before), backend).resuming(scoped(memory, DAY, backend));
            let client = site.client(Some(&world.partner), backend, version);
            let kind = || {
                let ends = site.call(&client, SERVER);
                assert_eq!((&ends.server_error, &ends.client_error), (&None, &None), "{place}");
                ends.server().handshake_kind()
            };
            assert_eq!([kind(), kind()], [Some(FULL), Some(RESUMED)], "{place}");
            site.policy.replace(policy(after));
            assert_eq!(kind(), Some(if before == after { RESUMED } else { FULL }), "{place}");
        }
    }
}

#[test]
fn a_policy_that_changes_in_the_middle_of_a_handshake_lets_nobody_in_then_or_later() {
    // Whatever the session is sealed with: who came without a certificate stays without.
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        for fixed in [false, true] {
            let policy = |auth| world.policy_in(Change::Nothing, auth);
            let site = Site::new(policy(ClientAuth::Request), backend).resuming(scoped(memory, DAY, backend));
            let config = site.client(None, backend, version);
            let mut client = ClientConnection::new(Arc::clone(&config), SERVER.try_into().unwrap()).unwrap();
            let accepted = accept(&written_by(&mut client)).unwrap();
            let selected = if fixed {
                site.endpoint.only().unwrap()
            } else {
                site.endpoint.select(&accepted.client_hello()).unwrap()
            };
            let Ok(mut server) = accepted.into_connection(selected.config()) else { panic!("{place}") };
            site.policy.replace(policy(ClientAuth::Require));
            let mut failed: Option<Error> = None;
            while carry(&mut server, &mut client, &mut None) | carry(&mut client, &mut server, &mut failed) {}
            let refused = match &failed {
                Some(error) => selected.refused(error, site.clock.now()).unwrap(),
                None => selected.caller(&server).unwrap().decide(site.clock.now()).into_result().unwrap_err(),
            };
            assert_eq!(refused.code().as_str(), "no-certificate", "{place} {fixed}");
            let met = site.meet(&config);
            assert_eq!(met.answer, Err("no-certificate".to_owned()), "{place} {fixed} {met:?}");
        }
    }
}

#[test]
fn no_early_data_is_read_and_none_is_offered() {
    let world = World::new();
    for (backend, _, memory, place) in every_memory() {
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, DAY, backend));
        let mut client = site.plain_client(Some(&world.partner), backend, Version::Tls13);
        client.enable_early_data = true;
        client.resumption = Promiscuous::resumption();
        let client = Arc::new(client);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        let mut second = ClientConnection::new(Arc::clone(&client), SERVER.try_into().unwrap()).unwrap();
        assert!(second.early_data().is_none(), "{place}: the ticket does not allow it");
        let accepted = accept(&written_by(&mut second)).unwrap();
        let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
        let Ok(mut server) = accepted.into_connection(selected.config()) else { panic!("{place}") };
        assert!(server.early_data().is_none(), "{place}");
        assert_eq!(server.handshake_kind(), Some(RESUMED), "{place}");
        for config in [selected.config(), site.endpoint.only().unwrap().config()] {
            assert_eq!((config.max_early_data_size, config.send_half_rtt_data), (0, false), "{place}");
        }
    }
}

#[test]
fn resumption_without_extended_master_secret_is_an_error_in_whatever_order_it_is_asked_for() {
    let world = World::new();
    for (backend, _, memory, place) in every_memory() {
        let endpoint = Site::new(world.policy(Change::Nothing), backend).endpoint;
        let resumption = || scoped(memory, DAY, backend);
        let one = endpoint.clone().with_resumption(resumption()).unwrap();
        let one = one.with_extended_master_secret(ExtendedMasterSecret::Prefer).unwrap_err();
        let other = endpoint.clone().with_extended_master_secret(ExtendedMasterSecret::Prefer).unwrap();
        let other = other.with_resumption(resumption()).unwrap_err();
        assert_eq!([&one, &other], [&EndpointError::ResumptionNeedsEms; 2], "{place}");
        let message = "sessions are resumed only with extended master secret: require it, or switch resumption off";
        assert_eq!(one.to_string(), message);
        let good = endpoint.with_resumption(resumption()).unwrap();
        let good = good.with_extended_master_secret(ExtendedMasterSecret::Require).unwrap();
        assert!(good.only().unwrap().config().require_ems);
    }
}

#[test]
fn a_lifetime_that_cannot_be_is_an_error() {
    let error = |lifetime| Resumption::scoped(lifetime).unwrap_err().to_string();
    let tail = "say at least a second and at most 604800 s (RFC 8446, section 4.6.1)";
    assert_eq!(error(Duration::ZERO), format!("sessions cannot be resumed for 0 s: {tail}"));
    assert_eq!(error(Duration::from_millis(999)), format!("sessions cannot be resumed for 0 s: {tail}"));
    assert_eq!(error(Duration::from_secs(604_801)), format!("sessions cannot be resumed for 604801 s: {tail}"));
    assert!(Resumption::scoped(Duration::from_secs(604_800)).is_ok());
    assert!(Resumption::scoped(Duration::from_secs(1)).is_ok());
}

#[test]
fn a_chain_that_is_too_long_for_a_session_is_not_kept_and_fails_no_handshake() {
    // Where the decision is left to decide, everybody finishes the handshake, so everybody could fill the memory.
    let world = World::new();
    let padding = vec![4; 9_000];
    let long = TestCertificate::new("CN=long").with_extension("1.3.6.1.4.1.99999.1", false, &padding).self_signed();
    for (backend, version, memory, place) in every_memory() {
        let host = believing("gw", &world.ca).with_untrusted(UntrustedClients::LetDecide);
        let site = Site::new(world.builder(host).build().unwrap(), backend).resuming(scoped(memory, DAY, backend));
        for (copies, second) in [(1, RESUMED), (2, FULL)] {
            let mut client = site.plain_client(Some(&long), backend, version);
            let key = backend.provider().key_provider.load_private_key(long.key()).unwrap();
            let chain = vec![long.chain()[0].clone(); copies];
            let presented = SingleCertAndKey::from(CertifiedKey::new(chain, key));
            client.client_auth_cert_resolver = Arc::new(presented);
            let client = Arc::new(client);
            assert_eq!(site.meet(&client), Met::refused(Some(FULL), "untrusted"), "{place}");
            assert_eq!(site.meet(&client), Met::refused(Some(second), "untrusted"), "{place} {copies}");
        }
    }
}
