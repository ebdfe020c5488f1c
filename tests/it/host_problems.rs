//! What is wrong with hosts beside each other, each problem with its whole message.

use certmap::policy::{ClientAuth, Hints, HostName, Problem};
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{Host, PolicyBuilder, TrustBundle};

fn bundle(name: &str, pins: &[&TestIdentity]) -> TrustBundle {
    let mut bundle = TrustBundle::with_limit(name.parse().unwrap(), 20_000);
    for pin in pins {
        bundle.add_pin(pin.certificate().clone()).unwrap();
    }
    bundle
}

fn host(id: &str, bundle: TrustBundle, names: &[&str]) -> Host {
    let host = Host::new(id.parse().unwrap(), bundle);
    match names {
        [] => host,
        names => host.with_server_names(names.iter().map(|name| name.parse::<HostName>().unwrap())),
    }
}

/// The code and the message of every problem.
fn problems(hosts: impl IntoIterator<Item = Host>) -> Vec<(String, String)> {
    let mut hosts = hosts.into_iter();
    let first = PolicyBuilder::for_host(hosts.next().unwrap());
    let builder = hosts.fold(first, PolicyBuilder::host);
    let problems = builder.build().map_or_else(|error| error.problems().to_vec(), |_| Vec::new());
    problems.iter().map(|problem: &Problem| (problem.code().to_owned(), problem.to_string())).collect()
}

fn one(code: &str, message: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), message.to_owned())]
}

#[test]
fn hosts_that_cannot_be_told_apart_are_a_problem() {
    let pin = TestCertificate::new("CN=partner").self_signed();
    let good = || bundle("partners", &[&pin]);
    let named = |id: &str, names: &[&str]| host(id, good(), names);
    assert_eq!(problems([named("a", &["a.example"]), named("b", &["b.example"]), named("c", &[])]), []);
    assert_eq!(
        problems([named("a", &["a.example"]), named("a", &["b.example"])]),
        one("duplicate-host", "two hosts have the id `a`: give one of them another")
    );
    assert_eq!(
        problems([named("a", &["a.example", "x.example"]), named("b", &["A.Example."])]),
        one(
            "duplicate-server-name",
            "hosts `a` and `b` of listener `main` both answer for `a.example`: take it from one of them"
        )
    );
    assert_eq!(
        problems([named("a", &["*.example"]), named("b", &["*.EXAMPLE."])]),
        one(
            "duplicate-server-name",
            "hosts `a` and `b` of listener `main` both answer for `*.example`: take it from one of them"
        )
    );
    let defaults = "hosts `a` and `b` are both the default host of listener `main`: give one of them server names, and do \
                    not make it the default";
    assert_eq!(problems([named("a", &[]), named("b", &[])]), one("duplicate-default", defaults));
    let said = named("b", &["b.example"]).as_default();
    assert_eq!(problems([named("a", &[]), said.clone()]), one("duplicate-default", defaults));

    // What is on another listener is no contradiction; what one host says twice neither.
    let elsewhere = |host: Host| host.with_listener("public".parse().unwrap());
    assert_eq!(problems([named("a", &["a.example"]), elsewhere(named("b", &["a.example"]))]), []);
    assert_eq!(problems([named("a", &[]), elsewhere(said)]), []);
    assert_eq!(problems([named("a", &["a.example", "A.EXAMPLE."])]), []);
    // An exact name goes before a wildcard, whoever has it.
    assert_eq!(problems([named("a", &["*.example"]), named("b", &["b.example"])]), []);
}

#[test]
fn an_empty_list_of_names_is_not_everybody() {
    let pin = TestCertificate::new("CN=partner").self_signed();
    let message = "host `a` was given an empty list of server names: name them, or leave the list out to make it the default host";
    let nobody = || Host::new("a".parse().unwrap(), bundle("partners", &[&pin])).with_server_names([]);
    assert_eq!(problems([nobody()]), one("no-server-names", message));
    assert_eq!(problems([nobody().as_default()]), one("no-server-names", message));
}

#[test]
fn bundles_of_one_name_trust_the_same_and_none_is_empty_where_it_is_asked() {
    let [one_pin, other_pin] = ["CN=1", "CN=2"].map(|name| TestCertificate::new(name).self_signed());
    let a = host("a", bundle("partners", &[&one_pin]), &["a.example"]);
    assert_eq!(
        problems([a.clone(), host("b", bundle("partners", &[&other_pin]), &["b.example"])]),
        one(
            "duplicate-bundle",
            "two bundles are named `partners` and do not trust the same: give the hosts one bundle, or the bundles two \
             names"
        )
    );
    assert_eq!(problems([a.clone(), host("b", bundle("partners", &[&one_pin]), &["b.example"])]), []);
    let empty = host("b", bundle("nobody", &[]), &["b.example"]);
    let message = "host `b` asks for a client certificate, but its bundle `nobody` is empty: add a certificate to it";
    for auth in [ClientAuth::Request, ClientAuth::Require] {
        assert_eq!(problems([a.clone(), empty.clone().with_client_auth(auth)]), one("empty-bundle", message));
    }
    assert_eq!(problems([a, empty.with_client_auth(ClientAuth::None)]), []);
}

#[test]
fn every_problem_is_told_at_once() {
    let empty = || bundle("nobody", &[]);
    let all = problems([
        host("a", empty(), &[]),
        host("a", empty(), &["a.example"]),
        host("b", empty(), &["x.example"]).as_default(),
        host("c", empty(), &["x.example"]),
        host("d", empty(), &[]).with_server_names([]),
    ]);
    let codes: Vec<_> = all.iter().map(|(code, _)| code.as_str()).collect();
    let expected = ["duplicate-host", "duplicate-default", "duplicate-server-name", "no-server-names"];
    assert_eq!(codes[..4], expected);
    assert!(codes[4..].iter().all(|code| *code == "empty-bundle"), "{codes:?}");
}

#[test]
fn more_hints_than_clients_read_are_a_problem_and_are_never_cut() {
    let pins = |count: usize, length: usize| -> Vec<TestIdentity> {
        let one = TestCertificate::new("CN=first").self_signed();
        let name = |number: usize| format!("CN={number:0length$}");
        (0..count).map(|number| TestCertificate::new(&name(number)).with_key_of(&one).self_signed()).collect()
    };
    let hinting = |pins: &[TestIdentity], hints: Hints| {
        let pins: Vec<_> = pins.iter().collect();
        problems([host("gw", bundle("partners", &pins), &[]).with_hints(hints)])
    };
    let message = |entries: usize, bytes: usize| {
        one(
            "too-many-hints",
            &format!(
                "host `gw` would hint {entries} names of {bytes} bytes, at most 150 of 12288 bytes are possible: hint none, \
                 or make its bundle smaller"
            ),
        )
    };
    // A name of four digits is 17 octets, and its length two more.
    let short = pins(151, 4);
    assert_eq!(hinting(&short[..150], Hints::All), []);
    assert_eq!(hinting(&short, Hints::All), message(151, 151 * 19));
    assert_eq!(hinting(&short, Hints::Anchors), [], "pins are no anchors");
    assert_eq!(hinting(&short, Hints::None), []);
    // Names with 110 digits are 123 octets: 98 of them are just below, 99 just above.
    let long = pins(99, 110);
    assert_eq!(hinting(&long[..98], Hints::All), []);
    assert_eq!(hinting(&long, Hints::All), message(99, 99 * 125));
    // Each name counts once.
    let one_name: Vec<_> = (0..200u8)
        .map(|number| TestCertificate::new("CN=same").with_key_of(&short[0]).with_serial(&[1, number]).self_signed())
        .collect();
    assert_eq!(hinting(&one_name, Hints::All), []);
}
