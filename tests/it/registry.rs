//! The policy in force, swapped with care, and the open connections that lose their standing by it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use certmap::live::{Callers, Change};
use certmap::policy::{ClientAuth, Guard};
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{Caller, Evidence, Host, Policy, PolicyBuilder, PolicyHandle, Role, RoleAssignment, TrustBundle};

use crate::common::{SEND, user};

const ADMIN: Role = Role::from_static("iflmap/Admin");

fn partners(count: u8) -> Vec<TestIdentity> {
    (0..count).map(|n| TestCertificate::new(&format!("CN=p{n}")).with_serial(&[n]).self_signed()).collect()
}

fn builder(partners: &[TestIdentity]) -> PolicyBuilder {
    let add = |builder: PolicyBuilder, (n, partner): (usize, &TestIdentity)| {
        builder.partner(user(&format!("u{n}")), partner.certificate().clone(), [SEND])
    };
    partners.iter().enumerate().fold(PolicyBuilder::new(), add)
}

fn policy(partners: &[TestIdentity]) -> Policy {
    builder(partners).build().unwrap()
}

fn caller(handle: &Arc<PolicyHandle>, chain: &[impl AsRef<[u8]>]) -> Caller {
    Caller::new(Arc::clone(handle), Evidence::after_handshake("default".parse().unwrap(), chain))
}

/// Who has to close and why, and who is what now.
fn told(changes: Vec<Change<u8>>) -> Vec<String> {
    let one = |change| match change {
        Change::Changed { handle, principal: Some(principal) } => format!("{handle} is {principal:?}"),
        Change::Changed { handle, principal: None } => format!("{handle} is anonymous"),
        Change::Ended { handle, refused } => format!("{handle} ends: {}", refused.code()),
    };
    changes.into_iter().map(one).collect()
}

#[test]
fn a_reload_that_loses_more_than_its_guard_allows_changes_nothing() {
    let all = partners(10);
    let handle = PolicyHandle::new(policy(&all));
    let before = handle.current().digest();
    let tripped = handle.try_replace(policy(&all[..7]), Guard::lost_mappings(20)).unwrap_err();
    assert_eq!((tripped.lost, tripped.of, tripped.percent), (3, 10, 20));
    assert_eq!(handle.current().digest(), before);
    assert_eq!(
        tripped.to_string(),
        "the next policy loses 3 of 10 mapping rules, and at most 20 per cent were to be lost: look whether it was read whole; if it is meant, replace without guard"
    );
    let previous = handle.try_replace(policy(&all[..8]), Guard::lost_mappings(20)).unwrap();
    assert_eq!(previous.digest(), before);
    assert_eq!(handle.current().mapping_count(), 8);
    // A rule that names another user is not lost, and rollback is a replacement like any other.
    let renamed: Vec<_> = all.iter().rev().cloned().collect();
    handle.replace(previous);
    assert!(handle.try_replace(policy(&renamed), Guard::lost_mappings(0)).is_ok());
}

#[test]
fn of_two_who_reload_at_once_the_second_is_told() {
    let all = partners(3);
    let handle = PolicyHandle::new(policy(&all));
    let seen = handle.current().digest();
    handle.compare_and_replace(seen, policy(&all[..2])).unwrap();
    let overtaken = handle.compare_and_replace(seen, policy(&all[..1])).unwrap_err();
    assert_eq!(overtaken.in_force, policy(&all[..2]).digest());
    assert_eq!(handle.current().mapping_count(), 2);
}

#[test]
fn who_is_refused_when_it_is_registered_is_told_once() {
    let all = partners(2);
    let handle = Arc::new(PolicyHandle::new(policy(&all)));
    let during_its_handshake = caller(&handle, all[1].chain());
    handle.replace(policy(&all[..1]));
    let callers = Callers::with_limit(2);
    let _kept = callers.register(during_its_handshake, 1, NOW).unwrap();
    assert_eq!(told(callers.review(NOW)), ["1 ends: untrusted"]);
    assert_eq!(told(callers.review(NOW)), [""; 0]);
}

#[test]
fn a_replaced_policy_is_freed_while_connections_live_on() {
    let all = partners(2);
    let handle = Arc::new(PolicyHandle::new(policy(&all)));
    let callers: Callers<u8> = Callers::with_limit(9);
    let caller = caller(&handle, all[0].chain());
    let _registered = callers.register(caller.clone(), 1, NOW).unwrap();
    let (decision, principal) = (caller.decide(NOW), caller.admit(certmap::Authority::NotHttp, NOW).unwrap());
    let old: Weak<Policy> = Arc::downgrade(&handle.current());
    assert!(old.upgrade().is_some());
    drop(handle.replace(policy(&all[1..])));
    assert!(old.upgrade().is_none(), "somebody keeps it: {decision:?} {principal:?}");
    assert_eq!(told(callers.review(NOW)), ["1 ends: untrusted"]);
}

#[test]
fn a_review_tells_each_change_once() {
    let all = partners(3);
    let handle = Arc::new(PolicyHandle::new(policy(&all)));
    let callers: Callers<u8> = Callers::with_limit(9);
    let _open: Vec<_> =
        (0..3u8).map(|n| callers.register(caller(&handle, all[usize::from(n)].chain()), n, NOW).unwrap()).collect();
    assert!(told(callers.review(NOW)).is_empty());
    // One lost its pin, one has another role, one is as before.
    let next = builder(&all[..2]).assignment(RoleAssignment::new(user("u1"), ADMIN));
    let digest = handle.replace(next.clone().build().unwrap()).digest();
    assert_eq!(
        told(callers.review(NOW)),
        [
            "1 is Principal(u1, by ".to_owned() + &all[1].certificate().fingerprint().to_string() + ", 2 roles)",
            "2 ends: untrusted".to_owned()
        ]
    );
    assert!(told(callers.review(NOW)).is_empty());
    // Back again: who ended was told to close, and is told again if it is still there and somebody once more.
    handle.replace(policy(&all));
    assert_ne!(handle.current().digest(), next.build().unwrap().digest());
    assert_eq!(handle.current().digest(), digest);
    assert_eq!(told(callers.review(NOW)).len(), 2);
}

#[test]
fn what_ends_by_itself_is_told_when_it_has_ended() {
    let soon = TestCertificate::new("CN=soon").with_validity(1, NOW.as_secs() + 60).self_signed();
    let all = [soon, partners(1).remove(0)];
    let handle = Arc::new(PolicyHandle::new(policy(&all)));
    let callers: Callers<u8> = Callers::with_limit(9);
    assert_eq!(callers.next_end(), None);
    let first = callers.register(caller(&handle, all[0].chain()), 0, NOW).unwrap();
    let _second = callers.register(caller(&handle, all[1].chain()), 1, NOW).unwrap();
    let at = |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs() + seconds));
    assert_eq!(callers.next_end(), Some(at(60)));
    assert!(told(callers.review(at(60))).is_empty());
    assert_eq!(told(callers.review(at(61))), ["0 ends: certificate-expired"]);
    // A clock that was set back is a reason to look again.
    assert_eq!(told(callers.review(at(30))).len(), 1);
    drop(first);
    assert_eq!(callers.len(), 1);
}

#[test]
fn the_registry_is_bounded_and_forgets_who_is_gone() {
    let all = partners(1);
    let handle = Arc::new(PolicyHandle::new(policy(&all)));
    let callers: Callers<u8> = Callers::with_limit(2);
    let register = || callers.register(caller(&handle, all[0].chain()), 0, NOW);
    let (one, _two) = (register().unwrap(), register().unwrap());
    assert_eq!(register().unwrap_err().limit, 2);
    drop(one);
    assert!(register().is_ok());
    assert_eq!(callers.len(), 1);
}

#[test]
fn the_anonymous_stay_anonymous_until_a_certificate_is_required() {
    let partner = partners(1).remove(0);
    let with = |auth: ClientAuth| {
        let bundle = TrustBundle::new("b".parse().unwrap());
        let host = Host::new("default".parse().unwrap(), bundle).with_client_auth(auth);
        PolicyBuilder::for_host(host).partner(user("p"), partner.certificate().clone(), []).build().unwrap()
    };
    let handle = Arc::new(PolicyHandle::new(with(ClientAuth::Request)));
    let callers: Callers<u8> = Callers::with_limit(2);
    let _open = callers.register(caller(&handle, &[] as &[&[u8]]), 7, NOW).unwrap();
    handle.replace(with(ClientAuth::Require));
    assert_eq!(told(callers.review(NOW)), ["7 ends: no-certificate"]);
    handle.replace(with(ClientAuth::None));
    assert_eq!(told(callers.review(NOW)), ["7 is anonymous"]);
}
