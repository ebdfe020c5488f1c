//! What an admission takes from the heap: nothing, however many mappings there are.

use std::hint::black_box;

use allocation_counter::measure;
use certmap::testing::NOW;
use certmap::{Authority, Caller, Policy, PolicyHandle};
use certmap_bench::{Partners, SEND, erp_v1, evidence};

/// An admission copies fixed-size values and counts references to texts that the policy and the evidence hold already.
const ALLOCATIONS_PER_DECISION: u64 = 0;

const SIZES: [usize; 2] = [150, 20_000];

#[track_caller]
fn assert_allocations(policy: &Policy, what: &str, call: impl FnOnce()) {
    let size = policy.mapping_count();
    assert_eq!(measure(call).count_total, ALLOCATIONS_PER_DECISION, "{what} among {size} mappings");
}

#[test]
fn an_admission_takes_nothing_from_the_heap_whatever_the_size_of_the_policy() {
    let (partners, certificate) = (Partners::new(), erp_v1());
    for size in SIZES {
        let policy = partners.policy(size, std::slice::from_ref(&certificate));
        let evidence = evidence(&policy, &certificate);
        assert!(policy.decide(&evidence, NOW).principal().is_some());
        assert_allocations(&policy, "decide", || drop(black_box(policy.decide(&evidence, NOW))));
    }
}

#[test]
fn a_request_on_a_kept_connection_takes_nothing_from_the_heap() {
    let (partners, certificate) = (Partners::new(), erp_v1());
    for size in SIZES {
        let policy = std::sync::Arc::new(partners.policy(size, std::slice::from_ref(&certificate)));
        let handle = std::sync::Arc::new(PolicyHandle::new(policy.clone()));
        let caller = Caller::new(handle, evidence(&policy, &certificate));
        assert!(caller.admit(Authority::NotHttp, NOW).is_ok());
        assert_allocations(&policy, "admit and require", || {
            let principal = caller.admit(Authority::NotHttp, NOW).expect("admitted a moment ago");
            principal.require(&SEND).expect("has the role");
        });
    }
}

#[test]
fn a_refusal_takes_the_same_from_the_heap_whatever_the_size_of_the_policy() {
    let (partners, certificate) = (Partners::new(), erp_v1());
    let counts = SIZES.map(|size| {
        let policy = partners.policy(size, &[]);
        let evidence = evidence(&policy, &certificate);
        assert!(policy.decide(&evidence, NOW).refusal().is_some());
        measure(|| drop(black_box(policy.decide(&evidence, NOW)))).count_total
    });
    assert_eq!(counts[0], counts[1]);
}

/// The counter counts: otherwise the tests above would pass for any reason.
#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(black_box(Box::new(1)))).count_total, 1);
}
