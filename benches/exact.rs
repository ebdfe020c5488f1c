//! What can be counted exactly and is therefore asserted: what a decision takes from the heap, what a policy keeps of it, and
//! what a server sends. No times.

use std::hint::black_box;

use allocation_counter::measure;
use certmap::identity::NewKey;
use certmap::testing::{NOW, TestCertificate};
use certmap::trust::Denial;
use certmap::{Authority, CertUserMapping, Evidence, Host, Policy, PolicyBuilder, TrustBundle};
use certmap_bench::clients::{Clients, presented};
use certmap_bench::ends::{Ends, Server};
use certmap_bench::{Partners, erp_v1, evidence, fingerprint_mappings, with_many_roles};

const SIZES: [usize; 2] = [150, 10_000];

/// An admission copies fixed-size values and counts references to texts that the policy and the evidence hold already.
#[track_caller]
fn assert_nothing_allocated(what: &str, call: impl FnOnce()) {
    assert_eq!(measure(call).count_total, 0, "{what}");
}

fn policy(size: usize) -> Policy {
    Partners::new(NewKey::EcP256).policy(size, &[erp_v1()])
}

#[test]
fn an_admission_takes_nothing_from_the_heap_whatever_the_size_of_the_policy() {
    // A million partners take minutes to make in a debug build.
    let million = std::env::var_os("CERTMAP_LONG").map(|_| 1_000_000);
    for size in SIZES.into_iter().chain(million) {
        let policy = policy(size);
        let asked = evidence(&policy, &erp_v1());
        let without_name = Evidence::after_handshake(asked.host().clone(), asked.chain());
        for evidence in [without_name, asked] {
            assert!(policy.decide(&evidence, NOW).principal().is_some());
            assert_nothing_allocated("decide", || drop(black_box(policy.decide(&evidence, NOW))));
        }
        println!("{size} partners: nothing allocated");
    }
}

#[test]
fn a_request_on_a_kept_connection_takes_nothing_from_the_heap() {
    let (caller, role) = with_many_roles();
    let names = ["gateway.example", "gateway.example:443"].map(Authority::Host);
    for authority in [Authority::NotHttp].into_iter().chain(names) {
        assert!(caller.admit(authority, NOW).is_ok_and(|principal| principal.roles().len() == 100));
        assert_nothing_allocated("admit and require", || {
            let principal = caller.admit(authority, NOW).expect("admitted a moment ago");
            principal.require(&role).expect("has the role");
        });
    }
}

#[test]
fn a_refusal_takes_the_same_from_the_heap_whatever_the_size_of_the_policy() {
    let counts = SIZES.map(|size| {
        let policy = Partners::new(NewKey::EcP256).policy(size, &[]);
        let evidence = evidence(&policy, &erp_v1());
        assert!(policy.decide(&evidence, NOW).refusal().is_some());
        measure(|| drop(black_box(policy.decide(&evidence, NOW)))).count_total
    });
    assert_eq!(counts[0], counts[1]);
}

#[test]
fn the_first_decision_about_a_client_takes_the_same_from_the_heap_whatever_the_number_of_anchors() {
    let clients = Clients::new(NewKey::EcP256);
    let client = clients.client(1, true);
    let counts = [1, 1_000].map(|anchors| {
        let policy = clients.policy(anchors, 0);
        let seen = presented(&policy, &client);
        assert!(policy.decide(&seen, NOW).principal().is_some());
        measure(|| drop(black_box(policy.decide(&seen, NOW)))).count_total
    });
    assert_eq!(counts[0], counts[1]);
}

#[test]
fn denials_of_others_take_nothing_from_the_heap() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let client = TestCertificate::new("CN=client").with_ca_false().issued_by(&root);
    let counts = [&[][..], &["8a", "-76", "0a20"]].map(|serials| {
        let mut bundle = TrustBundle::new("partners".parse().expect("a label"));
        let anchor = bundle.add_anchor(root.certificate().clone()).expect("an anchor");
        let rule = format!("under {anchor} attribute CN \"client\"").parse().expect("a rule");
        let denied =
            serials.iter().map(|one| Denial::serial(root.certificate().subject(), one.parse().expect("a number")));
        let builder = PolicyBuilder::for_host(Host::new("gateway".parse().expect("a label"), bundle)).denials(denied);
        let mapping = CertUserMapping::new(rule, "u".parse().expect("a user"));
        let policy = builder.mapping(mapping).build().expect("a policy without contradiction");
        let seen = presented(&policy, &client);
        assert!(policy.decide(&seen, NOW).principal().is_some());
        measure(|| drop(black_box(policy.decide(&seen, NOW)))).count_total
    });
    // Two for whoever comes back below an anchor, and none for looking among the denials.
    assert_eq!(counts, [2, 2]);
}

/// The worst size there is for a table of places that are doubled: one more than seven of eight of them.
#[test]
fn a_mapping_takes_no_more_than_160_bytes_beyond_the_name_of_its_user() {
    const SIZE: usize = 131_072 * 7 / 8 + 1;
    let mut bundle = TrustBundle::new("partners".parse().expect("a label"));
    bundle.add_pin(erp_v1()).expect("a pin");
    let host = Host::new("gateway".parse().expect("a label"), bundle);
    let mut policy = None;
    let taken = measure(|| {
        let builder = PolicyBuilder::for_host(host).mappings(fingerprint_mappings(SIZE));
        policy = Some(builder.build().expect("a policy without contradiction"));
    });
    // What is left of all that was made in there is the policy, with the names; each has two counts before its text.
    let names: usize = (0..SIZE).map(|number| 2 * size_of::<usize>() + format!("USER{number}").len()).sum();
    let kept = usize::try_from(taken.bytes_current).expect("a policy takes room");
    let beyond = kept.checked_sub(names).expect("a policy holds the names of its users");
    println!("{} bytes a mapping, {} of them beyond the name of the user", kept / SIZE, beyond / SIZE);
    assert!(beyond / SIZE <= 160, "{} bytes a mapping", beyond / SIZE);
    assert_eq!(policy.map(|policy| policy.mapping_count()), Some(SIZE));
}

#[test]
fn the_first_flight_of_a_server_is_a_fifth_of_what_rustls_sends_with_150_roots() {
    let ends = Ends::new(150);
    let [ours, stock, least] = [Server::Ours, Server::Stock, Server::Accepting].map(|server| ends.first_flight(server));
    println!("{ours} bytes, rustls' own {stock}, a server that hints nothing {least}");
    assert!(ours * 5 <= stock, "{ours} of {stock} bytes");
}

/// The counter counts: otherwise the tests above would pass for any reason.
#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(black_box(Box::new(1)))).count_total, 1);
}
