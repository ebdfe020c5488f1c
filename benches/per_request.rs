//! What does one more request on a kept connection cost, whose user has a hundred roles?

use std::hint::black_box;

use certmap::Authority;
use certmap::testing::NOW;
use certmap_bench::{Bound, Comparison, Report, with_many_roles};

fn main() {
    let report = Report::new("9. One more request on a kept connection, a user with 100 roles, policy unchanged");
    let (caller, role) = with_many_roles();
    let authority = Authority::Host("gateway.example");
    assert!(caller.admit(authority, NOW).is_ok_and(|principal| principal.require(&role).is_ok()));
    let times = Comparison::new()
        .row("both", || {
            let principal = black_box(&caller).admit(black_box(authority), NOW);
            principal.map(|principal| principal.require(black_box(&role)).is_ok())
        })
        .row("no HTTP", || black_box(&caller).admit(Authority::NotHttp, NOW))
        .run();
    report.bounded_time(9, "`admit` by host name and `require`", times.of("both"), Bound::AtMost(150.0));
    report.time("`admit` alone, without an authority", times.of("no HTTP"));
}
