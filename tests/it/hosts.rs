//! Hosts behind one listener: the first message chooses, and nobody gets in by the rules of another host.

use std::sync::Arc;

use certmap::policy::{ClientAuth, HostName};
use certmap::rustls::pki_types::ServerName;
use certmap::rustls::{AlertDescription, ClientConfig, ClientConnection, Error, HandshakeKind};
use certmap::testing::{NOW, TestCertificate};
use certmap::tls::{EndpointError, NoCaller};
use certmap::{Authority, Caller, Endpoint, Host, Policy, PolicyBuilder};

use crate::common::{Backend, SERVER, Version, everywhere};
use crate::hosting::{
    Change, Ends, Met, Site, World, accept, answer, believing, call_fixed, every_memory, scoped, written_by,
};

const FULL: HandshakeKind = HandshakeKind::Full;
const DENIED: Error = Error::AlertReceived(AlertDescription::AccessDenied);

fn named(host: Host, names: &[&str]) -> Host {
    host.with_server_names(names.iter().map(|name| name.parse::<HostName>().unwrap()))
}

/// `strict` for `a.example`, `other` for `b.example`, which believes another CA, and `wild` for `*.wild.example`.
fn three_hosts(world: &World, lax: Option<Host>) -> Policy {
    let three = world
        .builder(named(believing("strict", &world.ca), &["a.example"]))
        .host(named(believing("other", &world.other_ca), &["b.example"]))
        .host(named(believing("wild", &world.ca), &["*.wild.example"]));
    lax.into_iter().fold(three, PolicyBuilder::host).build().unwrap()
}

/// A host for everybody who asks for no name that another one has, which wants to know nobody.
fn lax(world: &World) -> Host {
    believing("lax", &world.other_ca).with_client_auth(ClientAuth::None)
}

/// A first message that asks for any text at all, or for nothing, and the client that sent it.
fn hello(client: &Arc<ClientConfig>, name: Option<&str>) -> (ClientConnection, Vec<u8>) {
    let placeholder = name.map(|name| "q".repeat(name.len()));
    let asked = placeholder.clone().unwrap_or_else(|| "192.0.2.1".to_owned());
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from(asked).unwrap()).unwrap();
    let mut bytes = written_by(&mut client);
    if let (Some(name), Some(placeholder)) = (name, placeholder) {
        let at = bytes.windows(name.len()).position(|window| window == placeholder.as_bytes()).unwrap();
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
    }
    (client, bytes)
}

/// The host that is chosen, or what the client is told.
fn chosen(endpoint: &Endpoint, client: &Arc<ClientConfig>, name: Option<&str>) -> Result<String, Option<Error>> {
    let (client, bytes) = hello(client, name);
    let ends = answer(endpoint, client, &bytes);
    ends.selected.map(|selected| selected.host().to_string()).ok_or(ends.client_error)
}

#[test]
fn a_name_in_whatever_form_chooses_its_host_the_default_host_or_none() {
    let world = World::new();
    let illegal = || Err(Some(Error::AlertReceived(AlertDescription::IllegalParameter)));
    for (backend, version) in everywhere() {
        let with_default = Site::new(three_hosts(&world, Some(lax(&world))), backend);
        let without = Site::new(three_hosts(&world, None), backend);
        let client = with_default.client(Some(&world.partner), backend, version);
        for (name, host) in [
            ("a.example", Some("strict")),
            ("A.EXAMPLE", Some("strict")),
            ("a.EXAMPLE.", Some("strict")),
            ("b.example", Some("other")),
            ("x.wild.example", Some("wild")),
            ("X.Wild.Example.", Some("wild")),
            ("wild.example", None),
            ("a.b.wild.example", None),
            ("xwild.example", None),
            ("aa.example", None),
            ("a.example.evil", None),
            ("evil-a.example", None),
            ("a_example", None),
            ("192.0.2.1", None),
        ] {
            let place = format!("{backend:?} {version:?} {name}");
            let fallback = |other: Result<String, Option<Error>>| host.map(str::to_owned).map_or(other, Ok);
            assert_eq!(chosen(&with_default.endpoint, &client, Some(name)), fallback(Ok("lax".to_owned())), "{place}");
            assert_eq!(chosen(&without.endpoint, &client, Some(name)), fallback(Err(Some(DENIED))), "{place}");
        }
        assert_eq!(chosen(&with_default.endpoint, &client, None), Ok("lax".to_owned()));
        assert_eq!(chosen(&without.endpoint, &client, None), Err(Some(DENIED)));
        // What is no name of a host is refused before there is a host to choose.
        for name in ["*.wild.example", "a.example..", ".a.example", "a..example", "a.example/", "a.example:443", "a b"]
        {
            assert_eq!(chosen(&with_default.endpoint, &client, Some(name)), illegal(), "{name}");
        }
    }
}

/// The same bytes in records of these sizes; the last size goes on.
fn in_records(hello: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut rest = hello;
    while let [typ, major, minor, high, low, after @ ..] = rest {
        assert_eq!((typ, major, minor), (&22, &3, &1));
        let (fragment, next) = after.split_at(usize::from(*high) * 256 + usize::from(*low));
        content.extend_from_slice(fragment);
        rest = next;
    }
    let (mut sizes, mut records, mut rest) = (sizes.iter().cycle(), Vec::new(), &content[..]);
    while !rest.is_empty() {
        let (fragment, next) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        let length = u16::try_from(fragment.len()).unwrap().to_be_bytes();
        records.extend([&[22, 3, 1][..], &length, fragment].concat());
        rest = next;
    }
    records
}

#[test]
fn a_first_message_in_pieces_chooses_as_the_whole_one_does() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(three_hosts(&world, Some(lax(&world))), backend);
        let client = site.client(Some(&world.partner), backend, version);
        let (_, bytes) = hello(&client, Some("a.example"));
        let host_of = |bytes: &[u8]| {
            let accepted = accept(bytes).unwrap_or_else(|(error, _)| panic!("{error}"));
            site.endpoint.select(&accepted.client_hello()).unwrap().host().to_string()
        };
        // Two records, cut at every byte of the message.
        for cut in 1..bytes.len() - 5 {
            assert_eq!(host_of(&in_records(&bytes, &[cut, 1 << 14])), "strict", "{version:?} {cut}");
        }
        // Records of one byte each, and the handshake that follows.
        let mut connection = ClientConnection::new(client, "a.example".try_into().unwrap()).unwrap();
        let bytes = written_by(&mut connection);
        let ends = answer(&site.endpoint, connection, &in_records(&bytes, &[1]));
        assert_eq!(ends.selected().host().as_str(), "strict");
        assert_eq!(ends.met(NOW), Met::admitted(FULL, "PARTNER"), "{backend:?} {version:?}");
    }
}

#[test]
fn a_first_message_that_comes_byte_by_byte_chooses_nothing_until_it_is_whole() {
    let world = World::new();
    let site = Site::new(three_hosts(&world, Some(lax(&world))), Backend::AwsLcRs);
    for version in [Version::Tls12, Version::Tls13] {
        let client = site.client(Some(&world.partner), Backend::AwsLcRs, version);
        let (_, bytes) = hello(&client, Some("a.example"));
        let mut acceptor = certmap::rustls::server::Acceptor::default();
        let (last, before) = bytes.split_last().unwrap();
        for byte in before {
            acceptor.read_tls(&mut &[*byte][..]).unwrap();
            assert!(acceptor.accept().is_ok_and(|accepted| accepted.is_none()));
        }
        acceptor.read_tls(&mut &[*last][..]).unwrap();
        let Ok(Some(accepted)) = acceptor.accept() else { panic!("it is whole") };
        let selected = site.endpoint.select(&accepted.client_hello()).unwrap();
        assert_eq!(selected.host().as_str(), "strict");
    }
}

#[test]
fn who_asks_for_nobody_is_told_by_the_name() {
    let world = World::new();
    let site = Site::new(three_hosts(&world, None), Backend::AwsLcRs);
    let client = site.client(Some(&world.partner), Backend::AwsLcRs, Version::Tls13);
    for (name, told) in [(Some("other.example"), "`other.example`"), (None, "no name (no server name indication)")] {
        let (_, bytes) = hello(&client, name);
        let accepted = accept(&bytes).unwrap_or_else(|(error, _)| panic!("{error}"));
        let unknown = site.endpoint.select(&accepted.client_hello()).unwrap_err();
        assert_eq!(unknown.server_name(), name);
        let sentence = "listener `main` has no host for that, and no default host";
        assert_eq!(unknown.to_string(), format!("the client asks for {told}, {sentence}"));
    }
}

#[test]
fn there_is_no_caller_for_a_connection_that_asked_for_another_name() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let everything = named(believing("lax", &world.ca), &["nobody.example"]).as_default();
        let site = Site::new(three_hosts(&world, Some(everything)), backend);
        let client = site.client(Some(&world.partner), backend, version);
        let names = ["a.example", "x.wild.example", "y.wild.example", "nobody.example", SERVER, "192.0.2.1"];
        let calls = names.map(|name| site.call(&client, name));
        for (one, selected) in calls.iter().map(Ends::selected).enumerate() {
            for (other, connection) in calls.iter().map(Ends::server).enumerate() {
                let caller = selected.caller(connection).map(|_| ());
                let expected = if one == other { Ok(()) } else { Err(NoCaller::OtherServerName) };
                assert_eq!(caller, expected, "{place} {} {}", names[one], names[other]);
            }
        }
    }
}

#[test]
fn the_configuration_of_a_host_serves_no_client_that_asks_for_another_host() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let site = Site::new(three_hosts(&world, Some(lax(&world))), backend);
        let client = site.client(Some(&world.partner), backend, version);
        let hosts = [("strict", "a.example"), ("wild", "x.wild.example"), ("lax", "nobody.example")];
        for (host, own) in hosts {
            let fixed = site.endpoint.fixed(host.parse().unwrap()).unwrap();
            // The configuration that was chosen for one connection, and the one for ever.
            let chosen = site.call(&client, own).selected().clone();
            for selected in [fixed, chosen] {
                for (_, name) in hosts {
                    let ends = call_fixed(&selected, &client, name);
                    if name == own {
                        assert_eq!((&ends.client_error, &ends.server_error), (&None, &None), "{place} {host}");
                        assert!(selected.caller(ends.server()).is_ok());
                    } else {
                        assert_eq!(ends.client_error, Some(DENIED), "{place} {host} {name}");
                        assert!(selected.caller(ends.server()).is_err());
                    }
                }
            }
        }
    }
}

#[test]
fn a_fixed_configuration_reads_the_policy_in_force_at_every_handshake() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let place = format!("{backend:?} {version:?}");
        let site = Site::new(world.policy(Change::Nothing), backend);
        let fixed = site.endpoint.only().unwrap();
        let stranger = TestCertificate::new("CN=partner").with_purpose(2).issued_by(&world.other_ca);
        let [partner, stranger, nobody] =
            [Some(&world.partner), Some(&stranger), None].map(|identity| site.client(identity, backend, version));
        let met = |client| call_fixed(&fixed, client, SERVER).met(NOW);
        assert_eq!(met(&partner), Met::admitted(FULL, "PARTNER"), "{place}");
        assert_eq!(met(&stranger), Met::refused(None, "untrusted"), "{place}");
        assert_eq!(met(&nobody), Met::refused(None, "no-certificate"), "{place}");

        // Another bundle.
        let before = site.policy.replace(world.policy(Change::OtherCa));
        assert_eq!(met(&partner), Met::refused(None, "untrusted"), "{place}");
        assert_eq!(met(&stranger), Met::refused(Some(FULL), "not-mapped"), "{place}");

        // Another mode.
        site.policy.replace(world.policy_in(Change::Nothing, ClientAuth::Request));
        assert_eq!(met(&nobody), Met::refused(Some(FULL), "no-certificate"), "{place}");
        assert_eq!(met(&partner), Met::admitted(FULL, "PARTNER"), "{place}");
        site.policy.replace(world.policy_in(Change::Nothing, ClientAuth::None));
        assert_eq!(met(&partner), Met::refused(Some(FULL), "no-certificate"), "{place}: it is not asked for one");

        site.policy.replace(before);
        assert_eq!(met(&nobody), Met::refused(None, "no-certificate"), "{place}");
        assert_eq!(met(&partner), Met::admitted(FULL, "PARTNER"), "{place}");

        // The host is not there any more: refused, and so is who is connected already.
        let ends = call_fixed(&fixed, &partner, SERVER);
        let caller = fixed.caller(ends.server()).unwrap();
        site.policy.replace(world.builder(believing("another", &world.ca)).build().unwrap());
        assert_eq!(call_fixed(&fixed, &partner, SERVER).client_error, Some(DENIED), "{place}");
        assert_eq!(caller.admit(Authority::NotHttp, NOW).unwrap_err().code().as_str(), "unknown-host");
    }
}

#[test]
fn a_connection_whose_name_was_taken_from_its_host_meanwhile_has_no_caller() {
    let world = World::new();
    let both = || named(believing("gw", &world.ca), &["a.example", "b.example"]);
    let one = || named(believing("gw", &world.ca), &["a.example"]);
    let other = || named(believing("other", &world.other_ca), &["b.example"]);
    for (backend, version) in everywhere() {
        for moved in [world.builder(one()), world.builder(one()).host(other())] {
            let site = Site::new(world.builder(both()).build().unwrap(), backend);
            let client = site.client(Some(&world.partner), backend, version);
            let fixed = site.endpoint.only().unwrap();
            let many = ["a.example", "b.example"].map(|name| call_fixed(&fixed, &client, name));
            let single = ["a.example", "b.example"].map(|name| site.call(&client, name));
            let calls: Vec<_> = many.into_iter().chain(single).collect();
            let callers =
                || -> Vec<_> { calls.iter().map(|ends| ends.selected().caller(ends.server()).map(|_| ())).collect() };
            assert_eq!(callers(), [Ok(()); 4]);
            site.policy.replace(moved.build().unwrap());
            let gone = Err(NoCaller::OtherServerName);
            assert_eq!(callers(), [Ok(()), gone, Ok(()), gone], "{backend:?} {version:?}");
            let message = "the connection asked for a server name that is not the one by which its host was chosen, or not \
                           that host's any more";
            assert_eq!(NoCaller::OtherServerName.to_string(), message);
        }
    }
}

/// Whether a connection to this host may be asked for this authority.
fn admitted(caller: &Caller, authority: &str) -> Result<(), (String, u16)> {
    let refused = caller.admit(Authority::Host(authority), NOW).map(|_| ());
    refused.map_err(|refused| (refused.code().to_string(), refused.http_status()))
}

#[test]
fn a_request_for_another_host_is_misdirected_whatever_form_the_name_has() {
    let world = World::new();
    let misdirected = || Err(("misdirected".to_owned(), 421));
    for (backend, version) in everywhere() {
        let default = named(believing("default", &world.ca), &["d.example", "192.0.2.2"]).as_default();
        let site = Site::new(three_hosts(&world, Some(default)), backend);
        let client = site.client(Some(&world.partner), backend, version);
        let caller = |name: &str| {
            let ends = site.call(&client, name);
            ends.selected().caller(ends.server()).unwrap()
        };
        let [strict, wild, default] = ["a.example", "x.wild.example", "nobody.example"].map(caller);
        for (authority, host) in [
            ("a.example", Some(0)),
            ("A.example.:8443", Some(0)),
            ("a.example:", Some(0)),
            ("y.wild.example", Some(1)),
            ("Y.WILD.EXAMPLE.:1", Some(1)),
            ("wild.example", Some(2)),
            ("a.b.wild.example", Some(2)),
            ("d.example:443", Some(2)),
            ("192.0.2.2:443", Some(2)),
            ("[2001:db8::1]:443", Some(2)),
            ("nobody.example", Some(2)),
            // That of a host whose rules nobody here was admitted by.
            ("b.example", None),
            ("B.EXAMPLE.:443", None),
            // Nobody's.
            ("", None),
            ("*.wild.example", None),
            ("a.example@nobody.example", None),
            ("a.example, nobody.example", None),
            ("a.example:8443x", None),
            ("https://a.example", None),
            ("a.example/", None),
            ("[a.example]", None),
            ("[::1", None),
            ("a\u{ff0e}example", None),
            ("a%2eexample", None),
        ] {
            for (caller, one) in [(&strict, 0), (&wild, 1), (&default, 2)] {
                let expected = if host == Some(one) { Ok(()) } else { misdirected() };
                assert_eq!(admitted(caller, authority), expected, "{authority:?} {one}");
            }
        }
        // Nobody is less a user for the form of his question.
        assert_eq!(strict.admit(Authority::NotHttp, NOW).unwrap().user().as_str(), "PARTNER");
        let long = "a".repeat(1 << 20);
        let record = strict.admit(Authority::Host(&long), NOW).unwrap_err().record().to_string();
        assert!(record.len() < 4096, "{}", record.len());
    }
}

#[test]
fn the_only_host_without_names_answers_for_every_authority() {
    let world = World::new();
    let site = Site::new(world.policy(Change::Nothing), Backend::AwsLcRs);
    let ends = site.call(&site.client(Some(&world.partner), Backend::AwsLcRs, Version::Tls13), SERVER);
    let caller = ends.selected().caller(ends.server()).unwrap();
    for authority in [SERVER, "anything.example", "", "not a name"] {
        assert_eq!(admitted(&caller, authority), Ok(()), "{authority}");
    }
    // A second host takes what is its own, and what is nobody's.
    let second = named(believing("b", &world.ca), &["b.example"]);
    site.policy.replace(world.builder(believing("gw", &world.ca)).host(second).build().unwrap());
    assert_eq!(admitted(&caller, "anything.example"), Ok(()));
    for authority in ["b.example", "", "not a name"] {
        assert_eq!(admitted(&caller, authority).unwrap_err().1, 421, "{authority}");
    }
}

#[test]
fn our_own_certificate_is_renewed_without_touching_sessions_or_policy() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        let mut site = Site::new(world.policy(Change::Nothing), backend).resuming(scoped(memory, 86_400, backend));
        let old_client = site.client(Some(&world.partner), backend, version);
        let (digest, fixed) = (site.policy.current().digest(), site.endpoint.only().unwrap());
        assert_eq!(site.meet(&old_client), Met::admitted(FULL, "PARTNER"), "{place}");

        let renewed = TestCertificate::new("CN=renewed").self_signed();
        let host = || "gw".parse().unwrap();
        let before = site.endpoint.replace_identity(host(), renewed.identity_on(&backend.provider())).unwrap();
        assert_eq!(before.certificate(), site.certificate.certificate());
        assert_eq!(site.policy.current().digest(), digest);
        // A session goes on, and does not show a certificate.
        assert_eq!(site.meet(&old_client), Met::admitted(HandshakeKind::Resumed, "PARTNER"), "{place}");

        // Who comes for the first time sees the new one, by the old configuration too.
        site.certificate = renewed;
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(site.meet(&client), Met::admitted(FULL, "PARTNER"), "{place}");
        let client = site.client(Some(&world.partner), backend, version);
        assert_eq!(call_fixed(&fixed, &client, SERVER).met(NOW), Met::admitted(FULL, "PARTNER"), "{place}");
    }
}

#[test]
fn a_host_that_a_policy_adds_is_refused_until_it_has_a_certificate() {
    let world = World::new();
    for (backend, version) in everywhere() {
        let site = Site::new(world.policy(Change::Nothing), backend);
        let client = site.client(Some(&world.partner), backend, version);
        let new = named(believing("new", &world.ca), &["b.example"]);
        site.policy.replace(world.builder(believing("gw", &world.ca)).host(new).build().unwrap());
        let ends = site.call(&client, "b.example");
        assert!(ends.selected.is_none(), "and not by the rules of the default host");
        assert_eq!(ends.client_error, Some(DENIED));
        let missing = site.endpoint.fixed("new".parse().unwrap()).unwrap_err();
        let message = "host `new` has no identity: give the server certificate and key for it";
        assert_eq!(missing.to_string(), message);

        let identity = site.certificate.identity_on(&backend.provider());
        assert!(site.endpoint.replace_identity("new".parse().unwrap(), identity).is_none());
        assert_eq!(site.call(&client, "b.example").met(NOW), Met::admitted(FULL, "PARTNER"));
        assert_eq!(site.call(&client, "a.example").selected().host().as_str(), "gw");
    }
}

#[test]
fn an_endpoint_whose_hosts_and_identities_do_not_fit_is_an_error() {
    let world = World::new();
    let site = Site::new(three_hosts(&world, None), Backend::AwsLcRs);
    let identity = || site.certificate.identity();
    let listener = |name: &str| name.parse().unwrap();
    let made = |name: &str, hosts: &[&str]| {
        let identities = hosts.iter().map(|host| (host.parse().unwrap(), identity()));
        Endpoint::new(Arc::clone(&site.policy), listener(name), identities).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        made("main", &["strict", "wild"]),
        "host `other` has no identity: give the server certificate and key for it"
    );
    assert_eq!(
        made("main", &["strict", "wild", "other", "lax"]),
        "the policy has no host `lax` behind listener `main`"
    );
    assert_eq!(made("public", &["strict"]), "the policy has no host `strict` behind listener `public`");
    let several =
        "the policy or the listener has not just one host: say which one is meant (`Endpoint::new`, `Endpoint::fixed`)";
    let single = Endpoint::single(Arc::clone(&site.policy), identity()).map(|_| ()).unwrap_err();
    assert_eq!((single.to_string(), single), (several.to_owned(), EndpointError::SeveralHosts));
    assert_eq!(site.endpoint.only().map(|_| ()).unwrap_err().to_string(), several);
    let unknown = site.endpoint.fixed("lax".parse().unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(unknown.to_string(), "the policy has no host `lax` behind listener `main`");
}

#[test]
fn hosts_of_another_listener_are_not_there() {
    let world = World::new();
    let public = named(believing("public", &world.ca), &["b.example"]).with_listener("public".parse().unwrap());
    let policy = world.builder(named(believing("gw", &world.ca), &["a.example"])).host(public).build().unwrap();
    let policy = Arc::new(certmap::PolicyHandle::new(policy));
    let certificate = Site::new(world.policy(Change::Nothing), Backend::AwsLcRs);
    let identity = certificate.certificate.identity();
    let endpoint = Endpoint::new(policy, "main".parse().unwrap(), [("gw".parse().unwrap(), identity)]).unwrap();
    let client = certificate.client(Some(&world.partner), Backend::AwsLcRs, Version::Tls13);
    assert_eq!(chosen(&endpoint, &client, Some("a.example")), Ok("gw".to_owned()));
    assert_eq!(chosen(&endpoint, &client, Some("b.example")), Err(Some(DENIED)));
}
