//! What went wrong with a connection, told at both ends, with its cure.

use std::io;
use std::sync::Arc;

use certmap::rustls::{AlertDescription, ClientConfig, Error, ServerConnection};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity, handshake};
use certmap::tls::{End, Trouble, TroubleKind};
use certmap::trust::{Entry, TrustError};
use certmap::{ClientConfigBuilder, Fingerprint, TrustBundle};

use crate::common::{Backend, Gateway, SERVER, Version, erp, everywhere};

fn partner() -> TestIdentity {
    TestCertificate::new("CN=partner").self_signed()
}

/// A client that presents `partner` and believes what `fill` puts into its bundle.
fn client(
    partner: &TestIdentity,
    version: Version,
    fill: impl FnOnce(&mut TrustBundle) -> Result<Fingerprint, TrustError>,
) -> ClientConfig {
    let mut servers = TrustBundle::new("erp-servers".parse().unwrap());
    fill(&mut servers).unwrap();
    let identity = partner.identity().with_name("ERP");
    let builder = ClientConfigBuilder::new(identity, servers).with_provider(Backend::AwsLcRs.speaking(version));
    let mut config = builder.build().unwrap();
    config.time_provider = TestClock::at(NOW);
    config
}

#[test]
fn a_client_that_does_not_trust_the_server_says_what_to_add_to_which_identity() {
    let root = TestCertificate::new("CN=Corp Root,O=Corp").with_ca_true().self_signed();
    let other = TestCertificate::new("CN=Other Root").with_ca_true().self_signed();
    let partner = partner();
    let gateway = Gateway::of(&partner);
    let server = TestCertificate::new("CN=gw").with_server_name(SERVER).with_purpose(1).issued_by(&root);
    let endpoint = certmap::Endpoint::single(Arc::clone(&gateway.policy), server.identity()).unwrap();
    let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
    for version in [Version::Tls12, Version::Tls13] {
        let config = client(&partner, version, |servers| servers.add_anchor(other.certificate().clone()));
        let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER);
        let trouble = Trouble::new(End::Client, ends.client_error.as_ref().unwrap());
        assert_eq!(trouble.kind(), TroubleKind::ServerUntrusted);
        let fingerprint = server.certificate().fingerprint();
        assert_eq!(
            trouble.detail(),
            format!(
                "server certificate {fingerprint} of `{SERVER}` is not trusted by identity `ERP`: its issuer `CN=Corp Root,O=Corp` is not in bundle `erp-servers`"
            )
        );
        assert_eq!(
            trouble.cure(),
            format!(
                "if `{SERVER}` is the right server, add the certificate of `CN=Corp Root,O=Corp` to bundle `erp-servers` of identity `ERP` as an anchor"
            )
        );
        // The server is told by an alert only, and knows what to do about it.
        let theirs = Trouble::new(End::Server, ends.server_error.as_ref().unwrap());
        assert_eq!(theirs.kind(), TroubleKind::ServerUntrusted);
        assert_eq!(
            theirs.cure(),
            "give the client's operator the root of this server's certificate, to add to the client's own list (in STRUST: the PSE's certificate list)"
        );

        let config = client(&partner, version, |servers| servers.add_anchor(root.certificate().clone()));
        let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER);
        assert_eq!((ends.client_error, ends.server_error), (None, None));
    }
}

#[test]
fn a_server_below_an_anchor_must_have_the_name_and_the_anchor_must_be_valid_now() {
    let partner = partner();
    let gateway = Gateway::of(&partner);
    let now = NOW.as_secs();
    let root = |first, last| TestCertificate::new("CN=Root").with_ca_true().with_validity(first, last).self_signed();
    let root_again = root(now, now);
    for (root, name, reason) in [
        (root(now, now), SERVER, None),
        (
            root(now, now),
            SERVER,
            Some((
                "has a certificate of its issuer `CN=Root`, but with another key",
                "ask `CN=Root` for its present certificate",
            )),
        ),
        (root(now, now), "other.example", Some(("certificate not valid for name", "call the server by a name"))),
        (root(now - 9, now - 1), SERVER, Some(("its issuer is the anchor", "check this end's clock"))),
        (root(now + 1, now + 9), SERVER, Some(("its issuer is the anchor", "check this end's clock"))),
    ] {
        let another_key = reason.is_some_and(|(reason, _)| reason.contains("another key"));
        let issuer = if another_key { root_again.clone() } else { root.clone() };
        let server = TestCertificate::new("CN=gw").with_server_name(SERVER).issued_by(&issuer);
        let endpoint = certmap::Endpoint::single(Arc::clone(&gateway.policy), server.identity()).unwrap();
        let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
        let config = client(&partner, Version::Tls13, |servers| servers.add_anchor(root.certificate().clone()));
        let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), name);
        match reason {
            None => assert_eq!((ends.client_error, ends.server_error), (None, None)),
            Some((reason, cure)) => {
                let trouble = Trouble::new(End::Client, ends.client_error.as_ref().unwrap());
                assert_eq!(trouble.kind(), TroubleKind::ServerUntrusted);
                assert!(trouble.detail().contains(reason) && trouble.cure().starts_with(cure), "{trouble}");
            }
        }
    }
}

#[test]
fn a_pinned_server_of_any_shape_answers_only_for_its_names() {
    let partner = partner();
    let gateway = Gateway::of(&partner);
    let shapes = [
        TestCertificate::new("CN=v1").with_version(1).self_signed(),
        TestCertificate::new("CN=ca").with_ca_true().self_signed(),
        TestCertificate::new("CN=critical").with_extension("1.2.3", true, &[5, 0]).self_signed(),
    ];
    for (server, (backend, version)) in shapes.iter().flat_map(|shape| everywhere().map(move |place| (shape, place))) {
        let identity = server.identity_on(&backend.provider());
        let policy = Arc::clone(&gateway.policy);
        let endpoint = certmap::Endpoint::single_with_provider(policy, identity, backend.provider()).unwrap();
        let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
        let pin = Entry::pin(server.certificate().clone()).unwrap();
        let named = pin.with_server_names([SERVER.try_into().unwrap(), "192.0.2.1".try_into().unwrap()]);
        let config = Arc::new(client(&partner, version, |servers| servers.add(named)));
        for good in [SERVER, "GATEWAY.example", "192.0.2.1"] {
            let ends = handshake(Arc::clone(&config), endpoint.only().unwrap().config(), good);
            assert_eq!((ends.client_error, ends.server_error), (None, None), "{backend:?} {version:?} {good}");
        }
        let ends = handshake(config, endpoint.only().unwrap().config(), "other.example");
        let trouble = Trouble::new(End::Client, ends.client_error.as_ref().unwrap());
        assert!(
            trouble.detail().ends_with("it is pinned, but answers only for gateway.example, 192.0.2.1"),
            "{trouble}"
        );
    }
}

#[test]
fn a_dns_name_that_looks_like_an_address_is_no_address() {
    let certificate = |content: &[u8]| {
        let value =
            [&[0x30, u8::try_from(content.len()).unwrap() + 2, 0x82, u8::try_from(content.len()).unwrap()], content];
        TestCertificate::new("CN=x").with_extension("2.5.29.17", false, &value.concat()).self_signed()
    };
    let names = |content: &[u8]| Entry::pin(certificate(content).certificate().clone()).unwrap().server_names();
    assert_eq!(names(b"gw.example"), ["gw.example".try_into().unwrap()]);
    let address = certmap::rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    assert!(!names(b"127.0.0.1").contains(&address));
    assert_eq!(names(b"*.example"), []);
}

#[test]
fn a_pinned_server_issues_nothing_and_expires() {
    let partner = partner();
    let gateway = Gateway::of(&partner);
    let pinned = TestCertificate::new("CN=gw").with_ca_true().with_server_name(SERVER).self_signed();
    let minted = TestCertificate::new("CN=other").with_server_name(SERVER).issued_by(&pinned);
    let (first, last) = (NOW.as_secs() - 9, NOW.as_secs() - 1);
    let expired = TestCertificate::new("CN=old").with_server_name(SERVER).with_validity(first, last).self_signed();
    for (pin, presented, reason) in [
        (&pinned, &minted, "and a pin issues nothing"),
        (&expired, &expired, "its validity ended at 2026-12-01T11:59:59Z"),
    ] {
        let endpoint = certmap::Endpoint::single(Arc::clone(&gateway.policy), presented.identity()).unwrap();
        let config = client(&partner, Version::Tls13, |servers| servers.add_pin(pin.certificate().clone()));
        let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER);
        let trouble = Trouble::new(End::Client, ends.client_error.as_ref().unwrap());
        assert!(trouble.detail().ends_with(reason), "{trouble}");
    }
}

#[test]
fn a_client_configuration_that_could_trust_nobody_or_anybody_is_not_built() {
    let build =
        |servers| ClientConfigBuilder::new(erp(), servers).build().map(|_| ()).map_err(|error| error.to_string());
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    assert_eq!(
        build(servers.clone()),
        Err("bundle `servers` is empty, so no server would be trusted: add the server's root as an anchor, or its own certificate as a pin".to_owned())
    );
    let fingerprint = servers.add_pin(erp().certificate().clone()).unwrap();
    assert_eq!(
        build(servers),
        Err(format!(
            "pin {fingerprint} has no server name: say for which names it answers (`Entry::with_server_names`)"
        ))
    );
}

#[test]
fn a_tls_13_client_learns_of_its_refusal_only_when_it_reads() {
    let (partner, stranger) = (partner(), TestCertificate::new("CN=stranger").self_signed());
    let gateway = Gateway::of(&partner);
    let config = gateway.client(stranger.identity(), Backend::AwsLcRs, Version::Tls13);
    let name = SERVER.try_into().unwrap();
    let mut client = certmap::rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(gateway.endpoint.only().unwrap().config()).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    server.read_tls(&mut &bytes[..]).unwrap();
    server.process_new_packets().unwrap();
    bytes.clear();
    while server.wants_write() {
        server.write_tls(&mut bytes).unwrap();
    }
    client.read_tls(&mut &bytes[..]).unwrap();
    client.process_new_packets().unwrap();
    assert!(!client.is_handshaking(), "the client is done before the server has judged");
    bytes.clear();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    server.read_tls(&mut &bytes[..]).unwrap();
    let refused = server.process_new_packets().unwrap_err();
    let on_server = Trouble::new(End::Server, &refused);
    assert_eq!(on_server.kind(), TroubleKind::ClientRefused);
    let fingerprint = stranger.certificate().fingerprint();
    assert_eq!(
        on_server.cure(),
        format!("if this is a partner, add `{fingerprint}` to bundle `partners` as a pin and map it to a user")
    );
    bytes.clear();
    server.write_tls(&mut bytes).unwrap();
    client.read_tls(&mut &bytes[..]).unwrap();
    let told = client.process_new_packets().unwrap_err();
    // As a stream gives it: an I/O error around it.
    let told = io::Error::new(io::ErrorKind::InvalidData, told);
    let on_client = Trouble::new(End::Client, &told);
    assert_eq!(
        on_client.to_string(),
        "client-refused: received fatal alert: CertificateUnknown; ask the server's operator to trust and map this identity's certificate, and check that it has not expired"
    );
}

#[test]
fn every_kind_of_trouble_has_its_cure() {
    let alert = |alert| Error::AlertReceived(alert);
    let not_tls = {
        let partner = partner();
        let mut server = ServerConnection::new(Gateway::of(&partner).endpoint.only().unwrap().config()).unwrap();
        server.read_tls(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).unwrap();
        server.process_new_packets().unwrap_err()
    };
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let cases: [(End, &(dyn std::error::Error + 'static), TroubleKind, &str); 11] = [
        (
            End::Client,
            &alert(AlertDescription::CertificateRequired),
            TroubleKind::CertificateRequired,
            "configure the client's identity for this connection",
        ),
        (
            End::Server,
            &Error::NoCertificatesPresented,
            TroubleKind::CertificateRequired,
            "configure the client's identity for this connection",
        ),
        (
            End::Client,
            &alert(AlertDescription::UnknownCA),
            TroubleKind::ClientRefused,
            "ask the server's operator to trust and map this identity's certificate, and check that it has not expired",
        ),
        (
            End::Server,
            &alert(AlertDescription::UnknownCA),
            TroubleKind::ServerUntrusted,
            "give the client's operator the root of this server's certificate, to add to the client's own list (in STRUST: the PSE's certificate list)",
        ),
        (
            End::Client,
            &alert(AlertDescription::HandshakeFailure),
            TroubleKind::NothingInCommon,
            "allow TLS 1.2 (with extended master secret) or TLS 1.3 with today's cipher suites on both ends; a TLS 1.2 server says the same to a client that presents no certificate",
        ),
        (
            End::Client,
            &alert(AlertDescription::DecryptError),
            TroubleKind::KeyNotProven,
            "check at both ends that certificate and private key belong together",
        ),
        (
            End::Client,
            &alert(AlertDescription::UnrecognisedName),
            TroubleKind::NoSuchName,
            "call the server by a name that it has a certificate for",
        ),
        (End::Server, &not_tls, TroubleKind::NotTls, "have whoever called use TLS: `https`, not `http`"),
        (
            End::Client,
            &reset,
            TroubleKind::Closed,
            "look at the other end's log; if it has none, a firewall or a timeout closed the connection",
        ),
        (End::Client, &refused, TroubleKind::Other, "look at the detail, and at the other end's log"),
        (
            End::Server,
            &alert(AlertDescription::InternalError),
            TroubleKind::Other,
            "look at the detail, and at the other end's log",
        ),
    ];
    for (end, error, kind, cure) in cases {
        let trouble = Trouble::new(end, error);
        assert_eq!((trouble.kind(), trouble.cure()), (kind, cure), "{error}");
    }
}

#[test]
fn the_cure_for_a_server_fits_what_is_in_the_bundle_already() {
    let partner = partner();
    let gateway = Gateway::of(&partner);
    let own = TestCertificate::new("CN=own").with_ca_true().with_server_name(SERVER).self_signed();
    let root = TestCertificate::new("CN=Root").with_ca_true().with_server_name("root.example").self_signed();
    let below = TestCertificate::new("CN=gw").with_server_name(SERVER).issued_by(&root);
    let other = TestCertificate::new("CN=Other").with_ca_true().self_signed();
    let [own_is, root_is] = [&own, &root].map(|made| made.certificate().fingerprint());
    let anchor = |of: &TestIdentity| Entry::anchor(of.certificate().clone()).unwrap();
    let pin = |of: &TestIdentity| Entry::pin(of.certificate().clone()).unwrap();
    for (server, entry, cure) in [
        (&own, anchor(&own), format!("take `{own_is}` out of bundle `erp-servers` and add it again as a pin")),
        (
            &own,
            anchor(&other),
            format!(
                "if `{SERVER}` is the right server, add its certificate `{own_is}` to bundle `erp-servers` of identity `ERP` as a pin"
            ),
        ),
        (
            &below,
            pin(&root),
            format!(
                "if `{root_is}` is the CA of `{SERVER}`, take it out of bundle `erp-servers` and add it again as an anchor"
            ),
        ),
    ] {
        let endpoint = certmap::Endpoint::single(Arc::clone(&gateway.policy), server.identity()).unwrap();
        let config = client(&partner, Version::Tls13, |servers| servers.add(entry));
        let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER);
        let trouble = Trouble::new(End::Client, ends.client_error.as_ref().unwrap());
        assert_eq!(trouble.cure(), cure, "{trouble}");
    }
}

/// An error as an HTTP stack makes it.
#[derive(Debug)]
struct Wrapped(Box<dyn std::error::Error + Send + Sync>);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("client error (Connect)")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[test]
fn trouble_is_found_behind_what_http_stacks_wrap_around_it() {
    let alert = Error::AlertReceived(AlertDescription::CertificateUnknown);
    let wrapped = Wrapped(Box::new(Wrapped(Box::new(io::Error::other(Wrapped(Box::new(alert)))))));
    assert_eq!(Trouble::new(End::Client, &wrapped).kind(), TroubleKind::ClientRefused);
    let closed = Wrapped(Box::new(io::Error::from(io::ErrorKind::UnexpectedEof)));
    assert_eq!(Trouble::new(End::Client, &closed).kind(), TroubleKind::Closed);
    let unknown = Wrapped(Box::new(io::Error::other("strange")));
    assert_eq!(Trouble::new(End::Client, &unknown).detail(), "client error (Connect): strange");
}

#[test]
fn a_client_that_cannot_verify_our_key_is_not_accused_of_a_wrong_signature() {
    let partner = partner();
    let gateway = Gateway::of(&partner);
    for version in [Version::Tls12, Version::Tls13] {
        let mut provider = (*Backend::AwsLcRs.speaking(version)).clone();
        // The gateway's key is P-256, and this client knows RSA signatures only.
        let rsa_only = |(scheme, _): &&(certmap::rustls::SignatureScheme, _)| {
            scheme.as_str().is_some_and(|name| name.starts_with("RSA"))
        };
        let mapping: Vec<_> =
            provider.signature_verification_algorithms.mapping.iter().filter(rsa_only).copied().collect();
        provider.signature_verification_algorithms.mapping = mapping.leak();
        let mut servers = TrustBundle::new("servers".parse().unwrap());
        servers.add_pin(gateway.certificate.certificate().clone()).unwrap();
        let builder = ClientConfigBuilder::new(partner.identity(), servers).with_provider(Arc::new(provider));
        let ends = gateway.call(builder.with_time_provider(TestClock::at(NOW)).build().unwrap());
        let error = ends.server_error.as_ref().unwrap();
        assert!(gateway.endpoint.only().unwrap().refused(error, NOW).is_none(), "{version:?} {error}");
        assert_eq!(Trouble::new(End::Server, error).kind(), TroubleKind::NothingInCommon, "{version:?}");
    }
}
