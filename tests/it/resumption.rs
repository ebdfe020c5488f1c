//! Resumed sessions, as rustls resumes them when nobody stops it (R1 to R12 of what was measured there), each against an
//! endpoint that resumes in scopes: who was let in is let in again without a full handshake, and nobody else is.

use std::sync::Arc;

use certmap::policy::ClientAuth;
use certmap::rustls::{AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind};
use certmap::tls::NoCaller;
use certmap::{Host, Policy};

use crate::common::{Backend, SERVER, Version, everywhere};
use crate::hosting::{
    Change, DAY, Memory, Met, Promiscuous, Site, World, accept, believing, carry, every_memory, read_by, scoped,
    written_by,
};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;
const WEEK: u64 = 7 * DAY;
const YEAR: u64 = 365 * DAY;

/// A gateway that resumes, with this policy.
fn resuming(policy: Policy, memory: Memory, backend: Backend) -> Site {
    Site::new(policy, backend).resuming(scoped(memory, WEEK, backend))
}

/// Calls twice, so that the second call resumes what the first one made.
#[track_caller]
fn make_a_session(site: &Site, client: &Arc<ClientConfig>, place: &str) {
    assert_eq!(site.meet(client), Met::admitted(FULL, "PARTNER"), "{place}");
    assert_eq!(site.meet(client), Met::admitted(RESUMED, "PARTNER"), "{place}");
}

#[test]
fn r1_the_same_client_resumes_as_the_same_user_with_the_same_chain() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(world.policy(Change::Nothing), memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        for call in 0..5 {
            let ends = site.call(&client, SERVER);
            let kind = if call == 0 { FULL } else { RESUMED };
            assert_eq!(ends.met(site.clock.now()), Met::admitted(kind, "PARTNER"), "{place} {call}");
            let caller = ends.selected().caller(ends.server()).unwrap();
            assert_eq!(caller.evidence().chain(), world.partner.chain(), "{place}");
            assert_eq!(caller.decide(site.clock.now()).record().resumed(), call > 0);
        }
    }
}

#[test]
fn r2_what_the_policy_refuses_now_is_refused_on_a_resumed_session() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        // The scope is the same, so the session is resumed, and the decision sees the change.
        for (change, code) in [
            (Change::Revoked, "certificate-revoked"),
            (Change::Denied, "denied"),
            (Change::NotMapped, "not-mapped"),
            (Change::UserDisabled, "user-disabled"),
        ] {
            let site = resuming(world.policy(Change::Nothing), memory, backend);
            let client = site.client(Some(&world.partner), backend, version);
            make_a_session(&site, &client, &place);
            let before = site.policy.replace(world.policy(change));
            assert_eq!(site.meet(&client), Met::refused(Some(RESUMED), code), "{place} {change:?}");

            // R2b: who comes for the first time is refused for the same reason; for trust in the handshake already.
            let fresh = site.client(Some(&world.partner), backend, version);
            let in_handshake = matches!(change, Change::Revoked | Change::Denied);
            let kind = if in_handshake { None } else { Some(FULL) };
            assert_eq!(site.meet(&fresh), Met::refused(kind, code), "{place} {change:?}");

            // Rolled back, the session is good again: nothing of it was changed.
            site.policy.replace(before);
            assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place} {change:?}");
        }
        let site = resuming(world.policy(Change::Nothing), memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        make_a_session(&site, &client, &place);
        site.policy.replace(world.policy(Change::RoleRemoved));
        let met = site.meet(&client);
        assert_eq!(met, Met { may_send: false, ..Met::admitted(RESUMED, "PARTNER") }, "{place}");
    }
}

#[test]
fn r3_a_session_made_under_another_bundle_is_not_resumed_although_all_else_is_shared() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let resumption = scoped(memory, WEEK, backend);
        let one = Site::new(world.policy(Change::Nothing), backend).resuming(resumption.clone());
        let other = one.beside(world.policy(Change::OtherCa), backend).resuming(resumption);
        let client = one.client(Some(&world.partner), backend, version);
        make_a_session(&one, &client, &place);
        assert_eq!(other.meet(&client), Met::refused(None, "untrusted"), "{place}");

        // The same by a change of the policy.
        let one = resuming(world.policy(Change::Nothing), memory, backend);
        let client = one.client(Some(&world.partner), backend, version);
        make_a_session(&one, &client, &place);
        one.policy.replace(world.policy(Change::OtherCa));
        assert_eq!(one.meet(&client), Met::refused(None, "untrusted"), "{place}");
    }
}

/// A policy of two hosts, `a.example` and `b.example`, both of which believe the partner's CA.
fn two_hosts(world: &World) -> Policy {
    let named = |id: &str, name: &str| -> Host { believing(id, &world.ca).with_server_names([name.parse().unwrap()]) };
    world.builder(named("a", "a.example")).host(named("b", "b.example")).build().unwrap()
}

#[test]
fn r4_a_session_of_one_host_is_offered_to_another_for_nothing() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(two_hosts(&world), memory, backend);
        let mut client = site.plain_client(Some(&world.partner), backend, version);
        client.resumption = Promiscuous::resumption();
        let client = Arc::new(client);
        let met = |name: &str| site.call(&client, name).met(site.clock.now());
        assert_eq!(met("a.example"), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(met("b.example"), Met::admitted(FULL, "PARTNER"), "{place}");
        // It offers what it has: where it came from it is good.
        assert_eq!(met("b.example"), Met::admitted(RESUMED, "PARTNER"), "{place}");
    }
}

#[test]
fn r5_without_server_name_a_session_crosses_neither_endpoints_nor_hosts() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let resumption = scoped(memory, WEEK, backend);
        let one = Site::new(world.policy(Change::Nothing), backend).resuming(resumption.clone());
        let other = one.beside(world.policy(Change::OtherCa), backend).resuming(resumption.clone());
        let namesake = world.builder(believing("other", &world.ca)).build().unwrap();
        let namesake = one.beside(namesake, backend).resuming(resumption);
        let client = one.client(Some(&world.partner), backend, version);
        let met = |site: &Site| site.call(&client, "192.0.2.1").met(site.clock.now());
        assert_eq!(met(&one), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(met(&one), Met::admitted(RESUMED, "PARTNER"), "{place}");
        assert_eq!(met(&namesake), Met::admitted(FULL, "PARTNER"), "{place}: the same trust, another host");
        assert_eq!(met(&other), Met::refused(None, "untrusted"), "{place}");
    }
}

#[test]
fn r6_endpoints_that_share_nothing_resume_nothing_of_each_other() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let one = resuming(world.policy(Change::Nothing), memory, backend);
        let twin = one.beside(world.policy(Change::Nothing), backend);
        let apart = match memory {
            Memory::Store => scoped(Memory::Store, WEEK, backend),
            Memory::Tickets => scoped(Memory::Store, WEEK, backend).with_tickets(crate::hosting::keys(8, backend)),
        };
        let twin = twin.resuming(apart);
        let client = one.client(Some(&world.partner), backend, version);
        make_a_session(&one, &client, &place);
        assert_eq!(twin.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn r7_after_three_days_a_session_is_over_whatever_the_client_kept() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, DAY, backend));
        let client = site.client(Some(&world.partner), backend, version);
        make_a_session(&site, &client, &place);
        site.clock.set(DAY + DAY / 2);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        site.clock.set(3 * DAY);
        assert_eq!(site.meet(&client), Met::refused(None, "certificate-expired"), "{place}");
    }
}

#[test]
fn r8_a_certificate_that_expired_admits_nobody_in_the_epoch_and_after_it() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let last = 2 * DAY;
        let met = |seconds: u64| {
            let site = resuming(world.policy(Change::Nothing), memory, backend);
            let client = site.client(Some(&world.partner), backend, version);
            make_a_session(&site, &client, &place);
            site.clock.set(seconds);
            site.meet(&client)
        };
        // The epoch of `gw` has more than two days to go at the time of the test, so these are resumed.
        assert_eq!(met(last), Met::admitted(RESUMED, "PARTNER"), "{place}");
        assert_eq!(met(last + 1), Met::refused(Some(RESUMED), "certificate-expired"), "{place}");
        assert_eq!(met(20 * YEAR), Met::refused(None, "certificate-expired"), "{place}");
    }
}

#[test]
fn r9_an_anonymous_session_does_not_enter_where_a_certificate_is_required() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let resumption = scoped(memory, WEEK, backend);
        let policy = |auth| world.policy_in(Change::Nothing, auth);
        let lax = Site::new(policy(ClientAuth::Request), backend).resuming(resumption.clone());
        let strict = lax.beside(policy(ClientAuth::Require), backend).resuming(resumption);
        let client = lax.client(None, backend, version);
        assert_eq!(lax.meet(&client), Met::refused(Some(FULL), "no-certificate"), "{place}");
        assert_eq!(lax.meet(&client), Met::refused(Some(RESUMED), "no-certificate"), "{place}");
        assert_eq!(strict.meet(&client), Met::refused(None, "no-certificate"), "{place}");

        // The same by a change of the policy, from `none` and from `request`.
        for auth in [ClientAuth::None, ClientAuth::Request] {
            let site = resuming(policy(auth), memory, backend);
            let client = site.client(None, backend, version);
            assert_eq!(site.meet(&client).kind, Some(FULL), "{place}");
            assert_eq!(site.meet(&client).kind, Some(RESUMED), "{place}");
            site.policy.replace(policy(ClientAuth::Require));
            assert_eq!(site.meet(&client), Met::refused(None, "no-certificate"), "{place} {auth:?}");
        }
    }
}

#[test]
fn r10_a_scope_that_changed_means_a_full_handshake_and_never_a_failed_one() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let mut roomier = believing("gw", &world.ca);
        let mut bundle = certmap::TrustBundle::new("of-gw".parse().unwrap());
        for ca in [&world.ca, &world.other_ca] {
            bundle.add_anchor(ca.certificate().clone()).unwrap();
        }
        roomier = Host::new(roomier.id().clone(), bundle);
        let lenient = believing("gw", &world.ca).with_untrusted(certmap::policy::UntrustedClients::LetDecide);
        let requesting = believing("gw", &world.ca).with_client_auth(ClientAuth::Request);
        for changed in [roomier, lenient, requesting] {
            let site = resuming(world.policy(Change::Nothing), memory, backend);
            let client = site.client(Some(&world.partner), backend, version);
            make_a_session(&site, &client, &place);
            let before = site.policy.replace(world.builder(changed.clone()).build().unwrap());
            assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place} {changed:?}");
            assert_eq!(site.meet(&client), Met::admitted(RESUMED, "PARTNER"), "{place} {changed:?}");
            site.policy.replace(before);
            assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place} {changed:?}");
        }
    }
}

#[test]
fn r11_without_further_words_nothing_is_resumed() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(world.policy(Change::Nothing), backend);
        let client = site.client(Some(&world.partner), backend, version);
        for _ in 0..3 {
            let ends = site.call(&client, SERVER);
            assert_eq!(ends.met(site.clock.now()), Met::admitted(FULL, "PARTNER"), "{backend:?} {version:?}");
            assert_eq!(ends.client.tls13_tickets_received(), 0);
        }
    }
}

#[test]
fn r12_a_tls_13_client_believes_that_it_is_done_before_it_is_refused() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(world.policy(Change::OtherCa), memory, backend);
        let config = site.client(Some(&world.partner), backend, version);
        let mut client = ClientConnection::new(config, SERVER.try_into().unwrap()).unwrap();
        let accepted = accept(&written_by(&mut client)).unwrap();
        let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
        let Ok(mut server) = accepted.into_connection(selected.config()) else { panic!("{place}") };
        let mut refusal = None;
        while refusal.is_none() {
            read_by(&mut client, &written_by(&mut server)).unwrap();
            carry(&mut client, &mut server, &mut refusal);
        }
        assert_eq!(client.is_handshaking(), version == Version::Tls12, "{place}");
        assert_eq!(selected.caller(&server).unwrap_err(), NoCaller::HandshakeUnfinished, "{place}");
        let alert = read_by(&mut client, &written_by(&mut server)).unwrap_err();
        assert_eq!(alert, Error::AlertReceived(AlertDescription::CertificateUnknown), "{place}");
    }
}

#[test]
fn a_first_message_that_is_replayed_to_our_own_resuming_endpoint_yields_no_caller() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let site = resuming(world.policy(Change::Nothing), memory, backend);
        let client = site.client(Some(&world.partner), backend, version);
        make_a_session(&site, &client, &place);
        let hello = written_by(&mut ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap());

        let accepted = accept(&hello).unwrap();
        let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
        let Ok(replayed) = accepted.into_connection(selected.config()) else { panic!("{place}") };
        // The danger is real: the victim's certificate is there for whoever does not ask further.
        assert_eq!(replayed.peer_certificates(), Some(world.partner.chain()), "{place}");
        assert_eq!(selected.caller(&replayed).unwrap_err(), NoCaller::HandshakeUnfinished, "{place}");
    }
}
