//! Identities replaced under way: the next handshake presents the new one, and no session of the old one is resumed.

use std::sync::Arc;

use certmap::rustls::client::Resumption as ClientResumption;
use certmap::rustls::pki_types::ServerName;
use certmap::rustls::{ClientConfig, HandshakeKind};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::trust::Entry;
use certmap::{ClientConfigBuilder, Identity, IdentityHandle, PolicyBuilder, TrustBundle};

use crate::common::{Backend, SEND, SERVER, Version, user};
use crate::hosting::{DAY, Memory, Met, NAMES, Site, every_memory, scoped, waiting};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;

/// A gateway that resumes and knows two partners, `ONE` and `TWO`, and their identities.
fn two_partners(memory: Memory, backend: Backend) -> (Site, Identity, Identity) {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let policy = PolicyBuilder::new()
        .partner(user("ONE"), one.certificate().clone(), [SEND])
        .partner(user("TWO"), two.certificate().clone(), [SEND])
        .build()
        .unwrap();
    let site = Site::new(policy, backend).resuming(scoped(memory, DAY, backend));
    let provider = backend.provider();
    (site, one.identity_on(&provider), two.identity_on(&provider))
}

fn builder(
    handle: &Arc<IdentityHandle>,
    servers: &[&TestIdentity],
    backend: Backend,
    version: Version,
) -> ClientConfigBuilder {
    let mut bundle = TrustBundle::new("servers".parse().unwrap());
    for server in servers {
        let names = NAMES.map(|name| ServerName::try_from(name).unwrap());
        bundle.add(Entry::pin(server.certificate().clone()).unwrap().with_server_names(names)).unwrap();
    }
    ClientConfigBuilder::new(Arc::clone(handle), bundle)
        .with_provider(backend.speaking(version))
        .with_time_provider(TestClock::at(NOW))
}

#[test]
fn configurations_per_identity_resume_within_one_and_never_across() {
    for (backend, version, memory, place) in every_memory() {
        let (site, one, two) = two_partners(memory, backend);
        let handle = Arc::new(IdentityHandle::new(one));
        let configs = builder(&handle, &[&site.certificate], backend, version).build_per_identity().unwrap();
        let meet = || site.meet(&configs.current());
        let kept = configs.current();
        assert_eq!([meet(), meet()], [Met::admitted(FULL, "ONE"), Met::admitted(RESUMED, "ONE")], "{place}");
        let one = handle.replace(two);
        assert_eq!([meet(), meet()], [Met::admitted(FULL, "TWO"), Met::admitted(RESUMED, "TWO")], "{place}");
        // Who kept the old configuration is who it was, and disturbs nobody.
        assert_eq!(site.meet(&kept), Met::admitted(RESUMED, "ONE"), "{place}");
        assert_eq!(meet(), Met::admitted(RESUMED, "TWO"), "{place}");
        // Rolled back it is a replacement like any other.
        handle.replace(one);
        assert_eq!([meet(), meet()], [Met::admitted(FULL, "ONE"), Met::admitted(RESUMED, "ONE")], "{place}");
        assert!(Arc::ptr_eq(configs.identity(), &handle));
    }
}

#[test]
fn a_session_that_arrives_after_the_replacement_is_not_resumed_by_the_new_identity() {
    for (backend, version, memory, place) in every_memory() {
        let (site, one, two) = two_partners(memory, backend);
        let handle = Arc::new(IdentityHandle::new(one));
        let configs = builder(&handle, &[&site.certificate], backend, version).build_per_identity().unwrap();
        let live = Arc::new(builder(&handle, &[&site.certificate], backend, version).build_live().unwrap());
        let selected = site.endpoint.only().unwrap();
        let mut late = waiting(&selected, &configs.current(), SERVER);
        let mut live_late = waiting(&selected, &live, SERVER);
        handle.replace(two);
        late.run();
        live_late.run();
        assert_eq!(late.met(NOW), Met::admitted(FULL, "ONE"), "{place}");
        assert_eq!(live_late.met(NOW), Met::admitted(FULL, "TWO"), "{place}");
        assert_eq!(site.meet(&configs.current()), Met::admitted(FULL, "TWO"), "{place}");
    }
}

#[test]
fn one_live_configuration_presents_what_is_in_force_and_resumes_nothing() {
    for (backend, version, memory, place) in every_memory() {
        let (site, one, two) = two_partners(memory, backend);
        let handle = Arc::new(IdentityHandle::new(one));
        let live = builder(&handle, &[&site.certificate], backend, version).build_live().unwrap();
        let mut resuming = live.clone();
        resuming.resumption = ClientResumption::default();
        let (live, resuming) = (Arc::new(live), Arc::new(resuming));
        let fixed = Arc::new(builder(&handle, &[&site.certificate], backend, version).build().unwrap());
        assert_eq!([site.meet(&live), site.meet(&live)], [(); 2].map(|()| Met::admitted(FULL, "ONE")), "{place}");
        site.meet(&resuming);
        site.meet(&fixed);
        handle.replace(two);
        assert_eq!([site.meet(&live), site.meet(&live)], [(); 2].map(|()| Met::admitted(FULL, "TWO")), "{place}");
        // What it does not do, and why: with sessions it would go on as the user before.
        assert_eq!(site.meet(&resuming), Met::admitted(RESUMED, "ONE"), "{place}");
        // And what was built for one identity stays with it.
        assert_eq!(site.meet(&fixed), Met::admitted(RESUMED, "ONE"), "{place}");
    }
}

#[test]
fn after_a_server_renewed_its_identity_old_sessions_go_on_as_who_they_are_and_new_ones_see_the_new_certificate() {
    for (backend, version, memory, place) in every_memory() {
        let (site, one, _) = two_partners(memory, backend);
        let renewed = TestCertificate::new("CN=gateway").self_signed();
        let handle = Arc::new(IdentityHandle::new(one));
        let both = [&site.certificate, &renewed];
        let client = Arc::new(builder(&handle, &both, backend, version).build().unwrap());
        let certificate = |client: &Arc<ClientConfig>| {
            let ends = site.call(client, SERVER);
            let seen = ends.client.peer_certificates().map(|chain| chain[0].to_vec());
            (ends.met(NOW), seen)
        };
        let der = |of: &TestIdentity| Some(of.certificate().der().to_vec());
        assert_eq!(certificate(&client), (Met::admitted(FULL, "ONE"), der(&site.certificate)), "{place}");
        let host = site.policy.current().hosts().next().unwrap().id().clone();
        let before = site.endpoint.replace_identity(host, renewed.identity_on(&backend.provider())).unwrap();
        assert_eq!(before.certificate(), site.certificate.certificate());
        // The client believed the old certificate when the session was made; the user was decided anew.
        assert_eq!(certificate(&client), (Met::admitted(RESUMED, "ONE"), der(&site.certificate)), "{place}");
        let fresh = Arc::new(builder(&handle, &[&renewed], backend, version).build().unwrap());
        assert_eq!(certificate(&fresh), (Met::admitted(FULL, "ONE"), der(&renewed)), "{place}");
        assert_eq!(certificate(&fresh), (Met::admitted(RESUMED, "ONE"), der(&renewed)), "{place}");
        // Who believes the old one only is not lied to.
        let stale = Arc::new(builder(&handle, &[&site.certificate], backend, version).build().unwrap());
        assert!(site.call(&stale, SERVER).client_error.is_some(), "{place}");
    }
}
