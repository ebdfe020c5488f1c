//! Which names of CAs a host hints to its clients, and what clients of others make of many or none.

use std::sync::{Arc, Mutex, OnceLock};

use certmap::policy::{Hints, Problem};
use certmap::rustls::client::ResolvesClientCert;
use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::sign::CertifiedKey;
use certmap::rustls::{HandshakeKind, SignatureScheme};
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{Certificate, Endpoint, Host, Policy, PolicyBuilder, PolicyHandle, TrustBundle};

use crate::common::{Backend, SERVER, Version, everywhere, user};
use crate::hosting::{Met, Site, call_fixed};
use crate::service::{ANSWER, Service, within};
use crate::tool::{CURL, EC, GO, JAVA, JAVAC, OPENSSL, Output, Running, Shape, Workshop, at_hand, found};

const FULL: HandshakeKind = HandshakeKind::Full;

/// Two anchors and three pins: one that is self-signed, one that somebody issued, one trusted by its key.
struct Trusted {
    bundle: TrustBundle,
    partner: TestIdentity,
    anchors: Vec<Vec<u8>>,
    all: Vec<Vec<u8>>,
}

/// The DER of `CN=text`, with the value in this string type.
fn common_name(string_type: u8, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    let head = [0x30, 11 + length, 0x31, 9 + length, 0x30, 7 + length, 6, 3, 0x55, 4, 3, string_type, length];
    [&head[..], text.as_bytes()].concat()
}

const PRINTABLE: u8 = 0x13;
const UTF8: u8 = 0x0c;

impl Trusted {
    fn new() -> Self {
        // One text in two encodings is two names, because clients compare octets.
        let names =
            [common_name(PRINTABLE, "root"), common_name(UTF8, "root"), common_name(PRINTABLE, "own")].map(Vec::from);
        let [one, other] =
            [&names[0], &names[1]].map(|name| TestCertificate::new("").with_subject_der(name).as_ca().self_signed());
        let own = TestCertificate::new("").with_subject_der(&names[2]).self_signed();
        let issued = TestCertificate::new("CN=issued").with_issuer_der(&common_name(UTF8, "its CA")).self_signed();
        let by_key = TestCertificate::new("CN=key").with_issuer_der(&common_name(UTF8, "CA of key")).self_signed();
        let mut bundle = TrustBundle::new("partners".parse().unwrap());
        for anchor in [&one, &other] {
            bundle.add_anchor(anchor.certificate().clone()).unwrap();
        }
        for pin in [&own, &issued] {
            bundle.add_pin(pin.certificate().clone()).unwrap();
        }
        bundle.add(certmap::trust::Entry::key_pin(by_key.certificate().clone()).unwrap()).unwrap();
        let sorted = |mut names: Vec<Vec<u8>>| {
            names.sort();
            names
        };
        let anchors = sorted(names[..2].to_vec());
        let others = [common_name(UTF8, "its CA"), common_name(UTF8, "CA of key")];
        let all = sorted(names.into_iter().chain(others).collect());
        Self { bundle, partner: own, anchors, all }
    }

    fn policy(&self, hints: Hints) -> Policy {
        let host = Host::new("gw".parse().unwrap(), self.bundle.clone()).with_hints(hints);
        PolicyBuilder::for_host(host)
            .partner(user("PARTNER"), self.partner.certificate().clone(), [crate::common::SEND])
            .build()
            .unwrap()
    }
}

/// A client that writes down what it is hinted, and presents what it has all the same.
#[derive(Debug)]
struct Listening {
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    presents: Arc<dyn ResolvesClientCert>,
}

impl ResolvesClientCert for Listening {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.seen.lock().unwrap() = hints.iter().map(|hint| hint.to_vec()).collect();
        self.presents.resolve(hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn nothing_is_hinted_unless_said_and_then_every_octet_of_it() {
    let trusted = Trusted::new();
    for (backend, version) in everywhere() {
        for (hints, expected) in
            [(Hints::None, &Vec::new()), (Hints::Anchors, &trusted.anchors), (Hints::All, &trusted.all)]
        {
            let place = format!("{backend:?} {version:?} {hints:?}");
            let site = Site::new(trusted.policy(hints), backend);
            let mut client = site.plain_client(Some(&trusted.partner), backend, version);
            let seen = Arc::new(Mutex::new(vec![b"not asked".to_vec()]));
            let presents = client.client_auth_cert_resolver;
            client.client_auth_cert_resolver = Arc::new(Listening { seen: Arc::clone(&seen), presents });
            let client = Arc::new(client);
            assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
            let mut hinted = seen.lock().unwrap().clone();
            hinted.sort();
            assert_eq!(hinted, *expected, "{place}");
        }
    }
    assert_eq!(Host::new("gw".parse().unwrap(), trusted.bundle).hints(), Hints::None);
}

#[test]
fn hints_of_a_new_policy_reach_the_next_client_and_those_of_a_fixed_configuration_stay() {
    let trusted = Trusted::new();
    for (backend, version) in everywhere() {
        let site = Site::new(trusted.policy(Hints::None), backend);
        let mut client = site.plain_client(Some(&trusted.partner), backend, version);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let presents = client.client_auth_cert_resolver;
        client.client_auth_cert_resolver = Arc::new(Listening { seen: Arc::clone(&seen), presents });
        let client = Arc::new(client);
        let fixed = site.endpoint.only().unwrap();
        site.policy.replace(trusted.policy(Hints::All));
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"));
        assert_eq!(seen.lock().unwrap().len(), 5);
        assert_eq!(call_fixed(&fixed, &client, SERVER).met(NOW), Met::admitted(FULL, "PARTNER"));
        assert_eq!(seen.lock().unwrap().len(), 0, "as the documentation says");
    }
}

/// An endpoint for one host with this bundle, and the certificates that clients need.
fn service(policy: Policy, workshop: &Workshop, backend: Backend, now: UnixTime) -> Service {
    let provider = backend.provider();
    let identity = Service::certificate(workshop).identity_on(&provider);
    let policy = Arc::new(PolicyHandle::new(policy));
    Service::on(Endpoint::single_with_provider(policy, identity, provider).unwrap(), now)
}

fn s_client(workshop: &Workshop, port: u16, version: Version) -> Running {
    let version = match version {
        Version::Tls12 => "-tls1_2",
        Version::Tls13 => "-tls1_3",
    };
    let server = format!("-connect 127.0.0.1:{port} -servername {SERVER} -CAfile root.pem -verify_return_error");
    let arguments = format!("s_client {server} {version} -ign_eof -cert partner.pem -key partner.key");
    let mut client = Running::start(OPENSSL, workshop.path(), arguments.split_whitespace());
    client.type_in(&format!("GET / HTTP/1.1\r\nHost: {SERVER}:{port}\r\n\r\n"));
    client
}

/// The names under the heading of `openssl s_client`, as it writes them, without blanks; `None` without the heading.
fn acceptable(output: &Output) -> Option<Vec<String>> {
    let (_, after) = output.stdout.split_once("\nAcceptable client certificate CA names\n")?;
    let names = after.lines().take_while(|line| line.contains('=') || line.is_empty());
    Some(names.map(|line| line.replace(' ', "")).collect())
}

#[test]
fn openssl_sees_the_hints_and_is_admitted_with_them_and_without() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let partner = Shape::CaTrue(EC).make(&workshop, "partner");
    let ca = TestCertificate::new("CN=CA of others").as_ca().self_signed();
    let now = within(&partner);
    for (backend, version) in everywhere() {
        let pin = partner.subject().to_string();
        assert_eq!(pin, "CN=partner,O=Partner");
        for (hints, expected) in [
            (Hints::None, None),
            (Hints::Anchors, Some(vec!["CN=CAofothers"])),
            (Hints::All, Some(vec!["CN=CAofothers", "O=Partner,CN=partner"])),
        ] {
            let mut bundle = TrustBundle::new("partners".parse().unwrap());
            bundle.add_anchor(ca.certificate().clone()).unwrap();
            let host = Host::new("gw".parse().unwrap(), bundle).with_hints(hints);
            let policy =
                PolicyBuilder::for_host(host).partner(user("SAPERPUSER"), partner.clone(), []).build().unwrap();
            let service = service(policy, &workshop, backend, now);
            let (met, output) = service.meet(|port| s_client(&workshop, port, version));
            assert!(met.outcome.is_ok(), "{}; {output:?}", met.record);
            let mut seen = acceptable(&output);
            if let Some(seen) = &mut seen {
                seen.sort();
            } else {
                assert!(output.stdout.contains("No client certificate CA names sent"), "{output:?}");
            }
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(seen, expected, "{backend:?} {version:?} {hints:?}");
        }
    }
}

/// 9,999 pins.
fn crowd() -> TrustBundle {
    // Nobody looks at the signature of a pin, so one is enough for all: another name is another pin.
    let first = TestCertificate::new("CN=partner 0000").self_signed();
    let first = first.certificate().der();
    let places = first.windows(12).enumerate().filter(|(_, part)| *part == b"partner 0000");
    let places: Vec<_> = places.map(|(at, _)| at + 8).collect();
    assert_eq!(places.len(), 2, "issuer and subject");
    let mut bundle = TrustBundle::with_limit("partners".parse().unwrap(), 10_000);
    for number in 1..10_000 {
        let mut other = first.to_vec();
        for at in &places {
            other[*at..*at + 4].copy_from_slice(format!("{number:04}").as_bytes());
        }
        bundle.add_pin(Certificate::from_der(&other).unwrap()).unwrap();
    }
    bundle
}

/// A host with 10,000 pins, this one among them, and its hints.
fn crowded(partner: &Certificate, hints: Hints) -> Result<Policy, Vec<Problem>> {
    static CROWD: OnceLock<TrustBundle> = OnceLock::new();
    let host = Host::new("gw".parse().unwrap(), CROWD.get_or_init(crowd).clone()).with_hints(hints);
    let builder = PolicyBuilder::for_host(host).partner(user("SAPERPUSER"), partner.clone(), []);
    builder.build().map_err(|error| error.problems().to_vec())
}

const JAVA_CLIENT: &str = include_str!("../data/Client.java");
const GO_CLIENT: &str = include_str!("../data/client.go");

#[test]
fn ten_thousand_pins_are_hinted_to_nobody_and_every_client_is_admitted() {
    if !found(&[CURL, OPENSSL]) {
        return;
    }
    let (java, go) = (at_hand(&[JAVA, JAVAC]), at_hand(&[GO]));
    let workshop = Workshop::new();
    let partner = Shape::CaTrue(EC).make(&workshop, "partner");
    let problems = crowded(&partner, Hints::All).unwrap_err();
    let [Problem::TooManyHints { entries: 10_000, bytes, .. }] = &problems[..] else { panic!("{problems:?}") };
    assert!(*bytes > 200_000, "{bytes}");

    workshop.write("Client.java", JAVA_CLIENT);
    workshop.write("client.go", GO_CLIENT);
    workshop.openssl("pkcs12 -export -in partner.pem -inkey partner.key -out partner.p12 -passout pass:secret");
    let service = service(crowded(&partner, Hints::None).unwrap(), &workshop, Backend::AwsLcRs, within(&partner));
    for version in [Version::Tls12, Version::Tls13] {
        let met = service.meet(|port| s_client(&workshop, port, version));
        assert!(acceptable(&met.1).is_none());
        let mut calls = vec![("openssl", met)];
        calls.push(("curl", service.meet(|port| curl(&workshop, port, version))));
        let words = match version {
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        };
        if java {
            let arguments =
                |port: u16| ["Client.java".to_owned(), port.to_string(), SERVER.to_owned(), words.to_owned()];
            calls.push(("java", service.meet(|port| Running::start(JAVA, workshop.path(), arguments(port)))));
        }
        if go {
            let arguments = |port: u16| {
                ["run".to_owned(), "client.go".to_owned(), port.to_string(), SERVER.to_owned(), words.to_owned()]
            };
            calls.push(("go", service.meet(|port| Running::start(GO, workshop.path(), arguments(port)))));
        }
        for (client, (met, output)) in calls {
            let principal = met.outcome.as_ref().unwrap_or_else(|_| panic!("{client}: {}; {output:?}", met.record));
            assert_eq!(principal.user().as_str(), "SAPERPUSER", "{client}");
            assert_eq!(met.handshake, Some((version.protocol(), FULL)), "{client}");
            assert!(output.stdout.contains(&format!("{ANSWER}SAPERPUSER")), "{client}: {output:?}");
        }
    }
}

fn curl(workshop: &Workshop, port: u16, version: Version) -> Running {
    let version = match version {
        Version::Tls12 => "--tlsv1.2 --tls-max 1.2",
        Version::Tls13 => "--tlsv1.3",
    };
    let address = format!("--resolve {SERVER}:{port}:127.0.0.1 https://{SERVER}:{port}/");
    let pair = "--cert partner.pem --key partner.key";
    let arguments = format!("-q -sS --noproxy * --max-time 30 --http1.1 {version} --cacert root.pem {pair} {address}");
    Running::start(CURL, workshop.path(), arguments.split_whitespace())
}

#[test]
fn ten_thousand_pins_are_no_burden_for_a_rustls_client() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let policy = Arc::new(crowded(partner.certificate(), Hints::None).unwrap());
    for (backend, version) in everywhere() {
        let site = Site::new(Arc::clone(&policy), backend);
        let met = site.meet(&site.client(Some(&partner), backend, version));
        let expected = Met { may_send: false, ..Met::admitted(FULL, "SAPERPUSER") };
        assert_eq!(met, expected, "{backend:?} {version:?}");
    }
}

#[test]
fn a_java_client_finds_itself_among_the_hints_of_the_pins() {
    if !found(&[OPENSSL]) || !at_hand(&[JAVA, JAVAC]) {
        return;
    }
    // It presents a certificate only if it finds the issuer among the hints, or there are none.
    let workshop = Workshop::new();
    let partner = Shape::CaTrue(EC).make(&workshop, "partner");
    let ca = TestCertificate::new("CN=CA of others").as_ca().self_signed();
    workshop.write("Client.java", JAVA_CLIENT);
    workshop.openssl("pkcs12 -export -in partner.pem -inkey partner.key -out partner.p12 -passout pass:secret");
    for (hints, code) in [(Hints::All, None), (Hints::None, None), (Hints::Anchors, Some("no-certificate"))] {
        let mut bundle = TrustBundle::new("partners".parse().unwrap());
        bundle.add_anchor(ca.certificate().clone()).unwrap();
        let host = Host::new("gw".parse().unwrap(), bundle).with_hints(hints);
        let policy = PolicyBuilder::for_host(host).partner(user("SAPERPUSER"), partner.clone(), []).build().unwrap();
        let service = service(policy, &workshop, Backend::AwsLcRs, within(&partner));
        let arguments =
            |port: u16| ["Client.java".to_owned(), port.to_string(), SERVER.to_owned(), "TLSv1.3".to_owned()];
        let (met, output) = service.meet(|port| Running::start(JAVA, workshop.path(), arguments(port)));
        let refused = met.outcome.as_ref().err().map(|refused| refused.code().as_str());
        assert_eq!(refused, code, "{hints:?} {output:?}");
    }
}
