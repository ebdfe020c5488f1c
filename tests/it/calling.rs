//! The client's side: whose sessions are resumed, what servers hint, and whom else the operating system believes.

use std::process::Command;
use std::sync::Arc;

use certmap::rustls::pki_types::{ServerName, UnixTime};
use certmap::rustls::{ClientConfig, ClientConnection, HandshakeKind};
use certmap::testing::{Handshake, NOW, TestCertificate, TestClock, TestIdentity, handshake};
use certmap::tls::{End, Resumption, Trouble, TroubleKind, UnfitHints};
use certmap::trust::{Entry, TrustError};
use certmap::{ClientConfigBuilder, Host, PolicyBuilder, TrustBundle};
use std::time::Duration;

use crate::common::{Backend, Gateway, SERVER, Version, everywhere, user};

fn two_partners(backend: Backend) -> (Gateway, TestIdentity, TestIdentity) {
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let builder = PolicyBuilder::new().partner(user("one"), one.certificate().clone(), []);
    let policy = builder.partner(user("two"), two.certificate().clone(), []).build().unwrap();
    let mut gateway = Gateway::new(policy, backend);
    let resumption = Resumption::scoped(Duration::from_secs(3_600)).unwrap();
    gateway.endpoint = gateway.endpoint.with_resumption(resumption).unwrap();
    (gateway, one, two)
}

fn builder(gateway: &Gateway, identity: &TestIdentity, backend: Backend, version: Version) -> ClientConfigBuilder {
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    servers.add_pin(gateway.certificate.certificate().clone()).unwrap();
    ClientConfigBuilder::new(identity.identity_on(&backend.provider()), servers)
        .with_provider(backend.speaking(version))
        .with_time_provider(TestClock::at(NOW))
}

fn call(client: &Arc<ClientConfig>, gateway: &Gateway) -> Handshake {
    let ends = handshake(Arc::clone(client), gateway.endpoint.only().unwrap().config(), SERVER);
    assert_eq!((&ends.client_error, &ends.server_error), (&None, &None));
    ends
}

fn who(ends: &Handshake, gateway: &Gateway) -> String {
    let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
    caller.decide(NOW).principal().unwrap().user().to_string()
}

#[test]
fn no_session_crosses_to_another_identity_or_to_other_trust() {
    for (backend, version) in everywhere() {
        let (gateway, one, two) = two_partners(backend);
        let build = |identity| builder(&gateway, identity, backend, version);
        let first = Arc::new(build(&one).build().unwrap());
        let kinds = |client: &Arc<ClientConfig>| {
            [call(client, &gateway), call(client, &gateway)].map(|ends| ends.server.handshake_kind().unwrap())
        };
        assert_eq!(kinds(&first), [HandshakeKind::Full, HandshakeKind::Resumed], "{backend:?} {version:?}");
        // Another identity for the same server, and the same builder once more: each begins anew, as itself.
        let other = Arc::new(build(&two).build().unwrap());
        let ends = call(&other, &gateway);
        assert_eq!((ends.server.handshake_kind(), who(&ends, &gateway)), (Some(HandshakeKind::Full), "two".to_owned()));
        let again = call(&Arc::new(build(&one).build().unwrap()), &gateway);
        assert_eq!(
            (again.server.handshake_kind(), who(&again, &gateway)),
            (Some(HandshakeKind::Full), "one".to_owned())
        );
    }
}

#[test]
fn hints_that_the_identity_does_not_fit_are_remembered_and_it_is_presented_all_the_same() {
    let ca = TestCertificate::new("CN=partners CA").as_ca().self_signed();
    let stranger = TestCertificate::new("CN=stranger").self_signed();
    let fitting = TestCertificate::new("CN=partner").issued_by(&ca);
    let mut bundle = TrustBundle::new("b".parse().unwrap());
    bundle.add_anchor(ca.certificate().clone()).unwrap();
    let host = Host::new("h".parse().unwrap(), bundle).with_hints(certmap::policy::Hints::Anchors);
    let gateway = Gateway::new(PolicyBuilder::for_host(host).build().unwrap(), Backend::AwsLcRs);
    for version in [Version::Tls12, Version::Tls13] {
        let seen = UnfitHints::default();
        let build = |identity| builder(&gateway, identity, Backend::AwsLcRs, version).with_unfit_hints(seen.clone());
        let run = |client| handshake(Arc::new(client), gateway.endpoint.only().unwrap().config(), SERVER);
        run(build(&fitting).build().unwrap());
        assert!(seen.latest().is_empty());
        let ends = run(build(&stranger).build().unwrap());
        assert_eq!(gateway.refusal(&ends).as_deref(), Some("untrusted"), "it was presented");
        assert_eq!(seen.latest(), [["CN=partners CA".parse().unwrap()]]);
        let trouble = Trouble::new(End::Client, &ends.client_error.unwrap()).with_unfit_hints(&seen);
        assert_eq!(trouble.kind(), TroubleKind::ClientRefused);
        assert!(trouble.detail().ends_with("; the server hinted the issuers `CN=partners CA`"), "{}", trouble.detail());
    }
}

#[test]
fn an_anchor_answers_for_no_names_of_its_own() {
    let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
    let entry = Entry::anchor(ca.certificate().clone()).unwrap().with_server_names(["a.example".try_into().unwrap()]);
    let error = TrustBundle::new("b".parse().unwrap()).add(entry).unwrap_err();
    assert!(matches!(error, TrustError::NamesOnAnchor { .. }), "{error}");
}

#[test]
fn a_key_pinned_server_may_renew_on_its_key_and_answers_for_its_names_only() {
    let server = TestCertificate::new("CN=server").with_server_name(SERVER).self_signed();
    let renewed = TestCertificate::new("CN=server").with_version(1).with_key_of(&server).self_signed();
    let expired = TestCertificate::new("CN=server").with_key_of(&server).with_validity(1, 2).self_signed();
    let partner = TestCertificate::new("CN=partner").self_signed();
    for (backend, version) in everywhere() {
        let believed = |presented: &TestIdentity, name: &str| {
            let policy = PolicyBuilder::new().partner(user("p"), partner.certificate().clone(), []).build().unwrap();
            let provider = backend.provider();
            let handle = certmap::PolicyHandle::new(policy);
            let identity = presented.identity_on(&provider);
            let endpoint = certmap::Endpoint::single_with_provider(handle, identity, provider).unwrap();
            let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
            let mut servers = TrustBundle::new("servers".parse().unwrap());
            servers.add_key_pin(server.certificate().clone()).unwrap();
            let client = ClientConfigBuilder::new(partner.identity_on(&backend.provider()), servers)
                .with_provider(backend.speaking(version))
                .with_time_provider(TestClock::at(NOW));
            let client = Arc::new(client.build().unwrap());
            handshake(client, endpoint.only().unwrap().config(), name).client_error.is_none()
        };
        assert!(believed(&server, SERVER) && believed(&renewed, SERVER), "{backend:?} {version:?}");
        assert!(!believed(&renewed, "other.example") && !believed(&expired, SERVER), "{backend:?} {version:?}");
    }
}

/// Set for the test binary that is started again as a child, with a file of roots for the operating system.
const CHILD: &str = "CERTMAP_TEST_PLATFORM_CHILD";

#[test]
fn the_operating_systems_roots_count_only_if_they_are_asked_for() {
    // The roots are read from a file that an environment variable names, so they are for a process of their own.
    if !cfg!(target_os = "linux") {
        return;
    }
    if let Ok(folder) = std::env::var(CHILD) {
        return the_child_believes_its_root(&std::fs::read(folder + "/server.pem").unwrap());
    }
    let now = UnixTime::now().as_secs();
    let root = TestCertificate::new("CN=platform root").as_ca().with_validity(now - 9, now + 999).self_signed();
    let server = TestCertificate::new("CN=server").with_validity(now - 9, now + 999).with_purpose(1);
    let server = server.with_server_name(SERVER).issued_by(&root);
    let folder = std::env::temp_dir().join(format!("certmap-platform-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let identity = server.identity();
    let pem = identity.chain_pem() + &identity.private_key_pem().unwrap();
    std::fs::write(folder.join("server.pem"), pem).unwrap();
    std::fs::write(folder.join("roots.pem"), root.certificate().to_pem()).unwrap();
    let name = "calling::the_operating_systems_roots_count_only_if_they_are_asked_for";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, &folder)
        .env("SSL_CERT_FILE", folder.join("roots.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn the_child_believes_its_root(server: &[u8]) {
    let partner = TestCertificate::new("CN=partner").with_validity(1, 4_000_000_000).self_signed();
    let policy = PolicyBuilder::new().partner(user("p"), partner.certificate().clone(), []).build().unwrap();
    let identity = certmap::Identity::from_pem(server).unwrap();
    let endpoint = certmap::Endpoint::single(certmap::PolicyHandle::new(policy), identity).unwrap();
    let believed = |builder: ClientConfigBuilder, name: &str| {
        let ends = handshake(Arc::new(builder.build().unwrap()), endpoint.only().unwrap().config(), name);
        ends.client_error.is_none()
    };
    let empty = || ClientConfigBuilder::new(partner.identity(), TrustBundle::new("none".parse().unwrap()));
    let other = || {
        let mut bundle = TrustBundle::new("other".parse().unwrap());
        let ca = TestCertificate::new("CN=other").as_ca().self_signed();
        bundle.add_anchor(ca.certificate().clone()).unwrap();
        ClientConfigBuilder::new(partner.identity(), bundle)
    };
    assert!(empty().build().is_err());
    assert!(believed(empty().with_platform_roots(), SERVER));
    assert!(!believed(empty().with_platform_roots(), "other.example"));
    assert!(!believed(other(), SERVER));
    assert!(believed(other().with_platform_roots(), SERVER));
    // What is pinned for another name is not believed for this one, whatever the system says.
    let pinned = || {
        let mut bundle = TrustBundle::new("pinned".parse().unwrap());
        let certificate = certmap::Identity::from_pem(server).unwrap().certificate().clone();
        let pin = Entry::pin(certificate).unwrap().with_server_names([ServerName::try_from("pinned.example").unwrap()]);
        bundle.add(pin).unwrap();
        ClientConfigBuilder::new(partner.identity(), bundle)
    };
    assert!(!believed(pinned().with_platform_roots(), SERVER));
    let client = Arc::new(pinned().with_platform_roots().build().unwrap());
    assert!(ClientConnection::new(client, "pinned.example".try_into().unwrap()).is_ok());
}
