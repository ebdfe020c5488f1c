//! What rules over names cost: for a certificate as devices have them, and for the one that is made to cost the most.
//!
//! Nothing is remembered here, so every row finds the path too: what that costs is [`no_name_at_all`], to be taken off.

use std::sync::LazyLock;

use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Certificate, Evidence, Host, Policy, PolicyBuilder, Selector, TrustBundle};
use divan::{Bencher, black_box};

/// As many anchors as may have one name; all of them vouch.
const ANCHORS: usize = 4;
const NAMES: usize = certmap::limits::NAMES_PER_CERTIFICATE;

fn main() {
    divan::main();
}

/// Anchors, and one issuing CA that all of them signed.
struct Hierarchy {
    anchors: Vec<TestIdentity>,
    issuing: Vec<TestIdentity>,
}

static HIERARCHY: LazyLock<Hierarchy> = LazyLock::new(|| {
    let anchor = |number| TestCertificate::new(&format!("CN=root {number}")).as_ca().self_signed();
    let anchors: Vec<_> = (0..ANCHORS).map(anchor).collect();
    let first = TestCertificate::new("CN=issuing").as_ca().issued_by(&anchors[0]);
    let cross = |anchor| TestCertificate::new("CN=issuing").as_ca().with_key_of(&first).issued_by(anchor);
    let issuing = [first.clone()].into_iter().chain(anchors[1..].iter().map(cross)).collect();
    Hierarchy { anchors, issuing }
});

impl Hierarchy {
    /// What a peer presents who has these DNS names.
    fn evidence(&self, policy: &Policy, names: &[String], subject: &str) -> Evidence {
        let names: Vec<_> = names.iter().map(|name| TestName::Dns(name)).collect();
        let client = TestCertificate::new(subject).with_purpose(2).with_alternative_names(&names);
        let client = client.issued_by(&self.issuing[0]);
        let issuing = self.issuing.iter().map(|one| &one.chain()[0]);
        let host = policy.hosts().next().expect("there is one").id().clone();
        Evidence::after_handshake(host, [&client.chain()[0]].into_iter().chain(issuing))
    }

    /// The same rules under every anchor; each is what stands behind the anchor in a selector, and the user.
    fn policy(&self, rules: &[(String, String)]) -> Policy {
        let mut bundle = TrustBundle::new("cas".parse().expect("a label"));
        for anchor in &self.anchors {
            bundle.add_anchor(anchor.certificate().clone()).expect("an anchor");
        }
        let under = |anchor: &TestIdentity| {
            let anchor = anchor.certificate().fingerprint();
            let rule = move |(test, user): &(String, String)| {
                let selector = format!("under {anchor} {test}").parse().expect("a selector");
                let name = "all".parse().expect("a label");
                CertUserMapping::from_source(selector, user.parse().expect("a user source")).with_name(name)
            };
            rules.iter().map(rule).collect::<Vec<_>>()
        };
        let host = Host::new("gateway".parse().expect("a label"), bundle);
        let builder = PolicyBuilder::for_host(host).mappings(self.anchors.iter().flat_map(under)).remembered_paths(0);
        builder.build().unwrap_or_else(|error| panic!("{error}"))
    }
}

fn name(number: usize) -> String {
    format!("h{number}.example")
}

fn decide(bencher: Bencher<'_, '_>, policy: &Policy, evidence: &Evidence) {
    let decision = policy.decide(evidence, NOW);
    eprintln!("{}", decision.record().code().unwrap_or("admitted"));
    bencher.bench_local(|| policy.decide(black_box(evidence), NOW));
}

/// The certificate itself is mapped, and no name is looked at.
#[divan::bench]
fn no_name_at_all(bencher: Bencher<'_, '_>) {
    let nobody = HIERARCHY.policy(&[]);
    let evidence = HIERARCHY.evidence(&nobody, &[name(1)], "O=Devices");
    let own = Certificate::from_der(&evidence.chain()[0]).expect("a certificate");
    let rule = CertUserMapping::new(Selector::certificate(own.fingerprint()), "u".parse().expect("a user"));
    let host = nobody.hosts().next().expect("there is one").clone();
    let policy = PolicyBuilder::for_host(host).mapping(rule).remembered_paths(0).build().expect("a policy");
    decide(bencher, &policy, &evidence);
}

#[divan::bench]
fn one_name_of_a_fleet(bencher: Bencher<'_, '_>) {
    let policy = HIERARCHY.policy(&[("dns".to_owned(), r#""iot/" + dns"#.to_owned())]);
    decide(bencher, &policy, &HIERARCHY.evidence(&policy, &[name(1)], "O=Devices"));
}

#[divan::bench(args = [1000, 25_000])]
fn one_name_of_many_rules(bencher: Bencher<'_, '_>, rules: usize) {
    let rules: Vec<_> = (0..rules).map(|number| (format!("dns \"{}\"", name(number)), r#""u""#.to_owned())).collect();
    let policy = HIERARCHY.policy(&rules);
    decide(bencher, &policy, &HIERARCHY.evidence(&policy, &[name(1)], "O=Devices"));
}

/// Every name of a certificate leads to so many rules of so many tests, all of which hold.
#[divan::bench(args = [(1, 1), (4, 1), (32, 1), (1, 8), (1, 31)])]
fn as_many_names_as_a_certificate_may_have(bencher: Bencher<'_, '_>, (rules, tests): (usize, usize)) {
    let names: Vec<_> = (0..NAMES).map(name).collect();
    let rule = |first: usize, which: usize| {
        let also = (0..tests).map(|test| name((first + test * (which + 1)) % NAMES));
        let also: Vec<_> = also.map(|name| format!("dns any \"{name}\"")).collect();
        // One that differs from rule to rule, and holds.
        format!("all({}, not uri \"urn:{first}:{which}\")", also.join(", "))
    };
    let rules: Vec<_> =
        (0..NAMES).flat_map(|first| (0..rules).map(move |which| (rule(first, which), r#""u""#.to_owned()))).collect();
    let policy = HIERARCHY.policy(&rules);
    decide(bencher, &policy, &HIERARCHY.evidence(&policy, &names, "O=Devices"));
}
