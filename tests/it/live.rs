//! What is taken out of the policy bites at the next decision of an open connection, and at the next connection.

use std::sync::Arc;

use certmap::testing::{Handshake, NOW, TestCertificate, TestIdentity};
use certmap::{Authority, Caller, CertUserMapping, Host, Policy, PolicyBuilder, RoleAssignment, Selector, TrustBundle};

use crate::common::{Backend, Gateway, SEND, SERVER, Version, user};

/// A policy in which each part can be left out. Another partner is always there, so that it is never empty.
fn policy(partner: &TestIdentity, other: &TestIdentity, pinned: bool, mapped: bool, role: bool) -> Policy {
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    if pinned {
        bundle.add_pin(partner.certificate().clone()).unwrap();
    }
    let host = Host::new("default".parse().unwrap(), bundle);
    let mut builder = PolicyBuilder::for_host(host).partner(user("OTHER"), other.certificate().clone(), [SEND]);
    if mapped {
        let selector = Selector::certificate(partner.certificate().fingerprint());
        builder = builder.mapping(CertUserMapping::new(selector, user("SAPERPUSER")));
    }
    if role {
        builder = builder.assignment(RoleAssignment::new(user("SAPERPUSER"), SEND));
    }
    builder.build().unwrap()
}

/// What a request gets: the role, or the code of what is missing.
fn request(caller: &Caller) -> Result<(), String> {
    let principal = caller.admit(Authority::NotHttp, NOW).map_err(|refusal| refusal.code().to_string())?;
    principal.require(&SEND).map_err(|missing| missing.code().to_owned())
}

#[test]
fn removal_of_a_mapping_a_pin_or_a_role_bites_on_an_open_connection_and_on_the_next_one() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let other = TestCertificate::new("CN=other").self_signed();
    let whole = || policy(&partner, &other, true, true, true);
    for version in [Version::Tls12, Version::Tls13] {
        for (pinned, mapped, role, expected) in
            [(false, true, true, "untrusted"), (true, false, true, "not-mapped"), (true, true, false, "role-missing")]
        {
            let gateway = Gateway::new(whole(), Backend::AwsLcRs);
            let call = || -> Handshake { gateway.call(gateway.client(partner.identity(), Backend::AwsLcRs, version)) };
            let open = gateway.endpoint.only().unwrap().caller(&call().server).unwrap();
            assert_eq!(request(&open), Ok(()));
            assert_eq!(request(&open), Ok(()), "remembered");

            let previous = gateway.policy.replace(policy(&partner, &other, pinned, mapped, role));
            assert_eq!(request(&open), Err(expected.to_owned()));
            let next = call();
            let answer = match gateway.endpoint.only().unwrap().caller(&next.server) {
                Ok(caller) => request(&caller),
                Err(_) => Err(gateway.refusal(&next).unwrap()),
            };
            assert_eq!(answer, Err(expected.to_owned()));

            gateway.policy.replace(previous);
            assert_eq!(request(&open), Ok(()), "after rollback");
        }
    }
}

#[test]
fn a_remembered_admission_ends_with_the_validity_and_with_a_clock_set_back() {
    let (first, last) = (NOW.as_secs() - 10, NOW.as_secs() + 10);
    let partner = TestCertificate::new("CN=partner").with_validity(first, last).self_signed();
    let gateway = Gateway::of(&partner);
    let ends = gateway.call(gateway.client(partner.identity(), Backend::AwsLcRs, Version::Tls13));
    let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
    let at = |seconds| {
        let now = certmap::rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        caller.admit(Authority::NotHttp, now).map(|_| ()).map_err(|refusal| refusal.code().as_str())
    };
    assert_eq!(at(NOW.as_secs()), Ok(()));
    assert_eq!(at(last), Ok(()));
    assert_eq!(at(last + 1), Err("certificate-expired"));
    assert_eq!(at(first - 1), Err("certificate-not-yet-valid"));
    assert_eq!(at(first), Ok(()));
}

#[test]
fn a_replaced_policy_is_freed_while_connections_and_decisions_live_on() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let other = TestCertificate::new("CN=other").self_signed();
    let gateway = Gateway::of(&partner);
    let ends = gateway.call(gateway.client(partner.identity(), Backend::AwsLcRs, Version::Tls13));
    let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
    let decision = caller.decide(NOW);
    let principal = caller.admit(Authority::NotHttp, NOW).unwrap();

    let previous = gateway.policy.replace(policy(&partner, &other, true, true, true));
    let freed = Arc::downgrade(&previous);
    drop(previous);
    assert!(freed.upgrade().is_none());
    assert_eq!(decision.policy(), principal.policy());
    assert_ne!(caller.decide(NOW).policy(), principal.policy());
}

#[test]
fn a_request_for_another_host_than_the_connection_was_made_to_is_misdirected() {
    let partner = TestCertificate::new("CN=partner").self_signed();
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    bundle.add_pin(partner.certificate().clone()).unwrap();
    let names = ["gw.example.com", SERVER].map(|name| name.parse().unwrap());
    let host = Host::new("default".parse().unwrap(), bundle).with_server_names(names);
    let policy = PolicyBuilder::for_host(host).partner(user("erp"), partner.certificate().clone(), []).build().unwrap();
    let gateway = Gateway::new(policy, Backend::AwsLcRs);
    let ends = gateway.call(gateway.client(partner.identity(), Backend::AwsLcRs, Version::Tls13));
    let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
    for remembered in [false, true] {
        let refusal = caller.admit(Authority::Host("other.example.com"), NOW).unwrap_err();
        assert_eq!((refusal.code().as_str(), refusal.http_status()), ("misdirected", 421), "{remembered}");
        assert!(caller.admit(Authority::Host("GW.example.com:8443"), NOW).is_ok());
    }
}
