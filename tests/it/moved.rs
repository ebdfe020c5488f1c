//! Connections that are open when a new policy takes their name or their listener from their host.

use certmap::policy::HostName;
use certmap::testing::NOW;
use certmap::{Authority, Caller, Evidence, Host, Policy};

use crate::common::{Backend, Version, everywhere};
use crate::hosting::{Site, World, believing};

fn named(host: Host, names: &[&str]) -> Host {
    host.with_server_names(names.iter().map(|name| name.parse::<HostName>().unwrap()))
}

fn both(world: &World) -> Policy {
    world.builder(named(believing("gw", &world.ca), &["a.example", "b.example"])).build().unwrap()
}

/// The callers of two connections, to `a.example` and to `b.example`, both of one host.
fn callers(site: &Site, world: &World, backend: Backend, version: Version) -> [Caller; 2] {
    let client = site.client(Some(&world.partner), backend, version);
    ["a.example", "b.example"].map(|name| {
        let ends = site.call(&client, name);
        ends.selected().caller(ends.server()).unwrap()
    })
}

fn code(caller: &Caller, authority: Authority<'_>) -> Option<&'static str> {
    caller.admit(authority, NOW).err().map(|refused| refused.code().as_str())
}

#[test]
fn a_connection_ends_with_the_name_that_it_asked_for() {
    let world = World::new();
    let one = || named(believing("gw", &world.ca), &["a.example"]);
    let other = || named(believing("other", &world.other_ca), &["b.example"]);
    for (backend, version) in everywhere() {
        for moved in [world.builder(one()), world.builder(one()).host(other())] {
            let site = Site::new(both(&world), backend);
            let callers = callers(&site, &world, backend, version);
            let codes = || callers.each_ref().map(|caller| code(caller, Authority::NotHttp));
            assert_eq!(codes(), [None, None]);
            let before = site.policy.replace(moved.build().unwrap());
            assert_eq!(codes(), [None, Some("misdirected")], "{backend:?} {version:?}");
            // Not even for the name that the host still has: a new connection is due.
            assert_eq!(code(&callers[1], Authority::Host("a.example")), Some("misdirected"));
            assert_eq!(code(&callers[0], Authority::Host("a.example")), None);
            assert_eq!(callers[1].identify(Authority::NotHttp, NOW).unwrap_err().http_status(), 421);
            site.policy.replace(before);
            assert_eq!(codes(), [None, None]);
        }
    }
}

#[test]
fn a_connection_ends_when_its_host_goes_to_another_listener() {
    let world = World::new();
    let site = Site::new(both(&world), Backend::AwsLcRs);
    let [caller, _] = callers(&site, &world, Backend::AwsLcRs, Version::Tls13);
    let inside = named(believing("gw", &world.ca), &["a.example", "b.example"]);
    site.policy.replace(world.builder(inside.with_listener("inside".parse().unwrap())).build().unwrap());
    for authority in [Authority::Host("a.example"), Authority::NotHttp] {
        assert_eq!(code(&caller, authority), Some("misdirected"));
    }
    let refusal = caller.decide(NOW).refusal().unwrap().clone();
    assert_eq!(
        refusal.detail(),
        "the connection asked for `a.example` on listener `main`, which is not for host `gw` by the policy in force"
    );
    assert_eq!(refusal.cure(), "have the client open another connection");
}

#[test]
fn a_connection_without_name_stays_with_the_default_host() {
    let world = World::new();
    let policy = |default: &str| {
        let host = |id: &str| {
            let host = named(believing(id, &world.ca), &[&format!("{id}.example")]);
            if id == default { host.as_default() } else { host }
        };
        world.builder(host("one")).host(host("two")).build().unwrap()
    };
    let handle = std::sync::Arc::new(certmap::PolicyHandle::new(policy("one")));
    let evidence = Evidence::after_handshake("one".parse().unwrap(), world.partner.chain());
    let asked = Caller::new(handle.clone(), evidence.clone().with_server_name("main".parse().unwrap(), None));
    let unsaid = Caller::new(handle.clone(), evidence);
    let codes = || [&asked, &unsaid].map(|caller| code(caller, Authority::NotHttp));
    assert_eq!(codes(), [None, None]);
    handle.replace(policy("two"));
    assert_eq!(codes(), [Some("misdirected"), None]);
    assert_eq!(
        asked.decide(NOW).refusal().unwrap().detail(),
        "the connection asked for no name on listener `main`, which is not for host `one` by the policy in force"
    );
}
