//! Why a certificate is who it is: the same answer as the decision, with its reasons.

use std::collections::BTreeMap;

use certmap::limits::{CERTIFICATE_BYTES, CHAIN_LENGTH};
use certmap::policy::ClientAuth;
use certmap::review::{Candidate, Explanation, Step, explain};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::trust::EntryKind;
use certmap::{CertUserMapping, Decision, Evidence, Host, Outcome, Policy, PolicyBuilder, RefusalCode, Selector};
use fastrand::Rng;

use crate::anchors::{bundle, client, hierarchy};
use crate::common::{tries, user};
use crate::corpus_of_policies::{Spec, World};

fn under(ca: &TestIdentity, rest: &str) -> Selector {
    format!("under {} {rest}", ca.certificate().fingerprint()).parse().unwrap()
}

fn policy(root: &TestIdentity, rules: impl IntoIterator<Item = CertUserMapping>) -> Policy {
    PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[root]))).mappings(rules).build().unwrap()
}

fn explained(policy: &Policy, chain: &[impl AsRef<[u8]>]) -> Explanation {
    explain(policy, &Evidence::after_handshake("gw".parse().unwrap(), chain), NOW)
}

#[test]
fn explaining_and_deciding_agree_on_every_pair() {
    let mut rng = Rng::with_seed(6);
    let world = World::new(&mut rng, 150);
    let evidences = world.evidences();
    let mut policies = Vec::new();
    while policies.len() * evidences.len() < tries(10_000) {
        policies.push(Spec::buildable(&mut rng, &world).1);
    }
    // In two halves, because there is nothing to wait for.
    let halves: Vec<_> = policies.chunks(policies.len().div_ceil(2)).collect();
    let told: Vec<&str> = std::thread::scope(|scope| {
        let started: Vec<_> = halves.iter().map(|half| scope.spawn(|| all_agree(half, &evidences))).collect();
        started.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(told.len() >= tries(10_000));
    let mut outcomes = BTreeMap::<&str, usize>::new();
    for outcome in told {
        *outcomes.entry(outcome).or_default() += 1;
    }
    // The corpus is of use only if it has every kind.
    for (outcome, least) in [
        ("admitted", 500),
        ("admitted, pinned", 40),
        ("ambiguous", 50),
        ("certificate-expired", 50),
        ("certificate-revoked", 20),
        ("denied", 20),
        ("not-mapped", 500),
        ("path-invalid", 20),
        ("untrusted", 500),
        ("user-disabled", 50),
    ] {
        // Keys are new in each process, so rare kinds may be missing where little is tried.
        let (least, seen) = (tries(least), outcomes.get(outcome).copied().unwrap_or_default());
        assert!(least < 5 || seen >= least, "{outcome}: {outcomes:?}");
    }
}

fn all_agree(policies: &[Policy], evidences: &[Evidence]) -> Vec<&'static str> {
    // An explanation asks the rules, and a decision about a pin has asked them before: all that they say has to be the same.
    let said = |decision: &Decision| {
        let principal = decision.principal();
        let principal =
            principal.map(|one| (one.roles().to_vec(), format!("{:?}", one.shortfalls()), one.valid_until()));
        (decision.record().to_string(), format!("{:?}", decision.outcome()), principal)
    };
    let pairs = policies.iter().flat_map(|policy| evidences.iter().map(move |evidence| (policy, evidence)));
    let outcome = |(policy, evidence): (&Policy, &Evidence)| {
        let (decision, explanation) = (policy.decide(evidence, NOW), explain(policy, evidence, NOW));
        assert_eq!(said(explanation.decision()), said(&decision));
        let presented = decision.certificate().and_then(|presented| policy.hosts().next()?.bundle().find(&presented));
        let pinned = presented.is_some_and(|entry| entry.kind() == EntryKind::Pin);
        match agrees(&explanation) {
            "admitted" if pinned => "admitted, pinned",
            outcome => outcome,
        }
    };
    pairs.map(outcome).collect()
}

/// Checks that what is told of the rules fits the decision, and says which that was.
fn agrees(explanation: &Explanation) -> &'static str {
    let users = || explanation.matching().iter().map(|rule| rule.user().unwrap().clone());
    let last = explanation.steps().last().unwrap();
    assert!(explanation.nearest().iter().all(|rule| !rule.failed().is_empty()), "{explanation}");
    assert!(explanation.matching().iter().all(|rule| rule.failed().is_empty()), "{explanation}");
    assert!(explanation.nearest().len() == 16 || explanation.others() == 0);
    match explanation.decision().outcome() {
        Outcome::Admitted(principal) => {
            let this = |rule: &Candidate| rule.rule() == principal.rule() && rule.user() == Some(principal.user());
            assert!(explanation.matching().iter().any(this), "{explanation}");
            assert!(last.holds() && explanation.nearest_miss().is_none(), "{explanation}");
            "admitted"
        }
        Outcome::Anonymous => {
            assert_eq!((last.check(), last.holds()), ("anonymous", true));
            "anonymous"
        }
        Outcome::Refused(refusal) => {
            assert!(!last.holds(), "{explanation}");
            match refusal.code() {
                RefusalCode::NotMapped => assert_eq!(explanation.matching(), [], "{explanation}"),
                RefusalCode::Ambiguous => assert!(users().any(|user| Some(user) != users().next()), "{explanation}"),
                RefusalCode::UserDisabled => assert!(users().count() > 0, "{explanation}"),
                _ => {}
            }
            refusal.code().as_str()
        }
    }
}

#[test]
fn an_explanation_tells_each_check_the_nearest_rules_and_the_nearest_miss() {
    let (root, issuing) = hierarchy();
    let rules = [
        CertUserMapping::new(under(&root, "dns \"a.example\""), user("billing")).with_name("bills".parse().unwrap()),
        CertUserMapping::new(under(&root, "all(attribute CN \"x\", dns \"c.example\")"), user("shipping")),
    ];
    let policy = policy(&root, rules);
    let partner = client("CN=p").with_alternative_names(&[TestName::Dns("b.example")]).issued_by(&issuing);
    let explanation = explained(&policy, partner.chain_without_root());
    let (own, key) = (partner.certificate().fingerprint(), partner.certificate().spki_fingerprint());
    let (anchor, through) = (root.certificate().fingerprint(), issuing.certificate().fingerprint());
    let issuer = issuing.certificate().spki_fingerprint();
    let digest = policy.digest();
    assert_eq!(
        explanation.to_string(),
        format!(
            "refused: not-mapped: no rule says whose certificate {own} is
cure: map `{own}` to a user
host `gw`, at 2026-12-01T12:00:00Z, policy {digest}
certificate {own} `CN=p`
checks (`-`: not so, and no fault):
  yes host: expected a host of the policy, found `gw`
  -   anonymous: expected a host that lets in whoever presents nothing, found require
  yes presented: expected a certificate, found 2 certificates
  yes size: expected a chain and a certificate within their limits, found 2 certificates, the first of {} bytes
  -   pin: expected a pin, found {own}, which is none of bundle `partners`
  yes denied: expected no denial of the key, or of the issuer and serial number, found none for {own}
  -   key-pin: expected a pinned key, found {key}
  yes path: expected a path to an anchor, found under {anchor} through {through} issued-by {issuer}
  -   certificate-rule: expected a rule for exactly this certificate, found {own}
  -   key-rule: expected a rule for exactly this key, found {key}
  yes plain-names: expected names without control characters, found {own}
  no  one-user: expected one user, found no rule that matches
rules that do not match, the nearest first:
  `bills` for `billing`: name-test: expected dns \"a.example\", found dns \"b.example\"
  `under {anchor} all(attribute CN \"x\", dns \"c.example\")` for `shipping`: name-test: expected attribute CN \"x\", found attribute CN \"p\", and 1 other criterion fails
nearest miss: would be `billing` if it had dns \"a.example\", instead of dns \"b.example\"
",
            partner.certificate().der().len()
        )
    );
}

#[test]
fn the_nearest_miss_is_told_whatever_is_missing() {
    let (root, issuing) = hierarchy();
    let twin = TestCertificate::new("CN=twin").as_ca().self_signed();
    let rule = |rest: &str| CertUserMapping::new(under(&root, rest), user("billing"));
    let named =
        |issuer: &TestIdentity| client("CN=p").with_alternative_names(&[TestName::Dns("a.example")]).issued_by(issuer);
    let miss = |policy: &Policy, peer: &TestIdentity| explained(policy, peer.chain_without_root()).nearest_miss();
    let anchor = root.certificate().fingerprint();

    // Below another anchor.
    let both = Host::new("gw".parse().unwrap(), bundle(&[&root, &twin]));
    let both = PolicyBuilder::for_host(both).mapping(rule("dns \"a.example\"")).build().unwrap();
    let (other, key) = (twin.certificate().fingerprint(), twin.certificate().spki_fingerprint());
    assert_eq!(
        miss(&both, &named(&twin)),
        Some(format!(
            "would be `billing` if the anchor that vouches for it were under {anchor} (`CN=root`), instead of under {other} issued-by {key}"
        ))
    );
    // Below no anchor.
    let stranger = TestCertificate::new("CN=stranger").as_ca().self_signed();
    let expected = format!(
        "would be `billing` if the anchor that vouches for it were under {anchor} (`CN=root`), instead of no anchor vouches"
    );
    assert_eq!(miss(&both, &named(&stranger)), Some(expected));
    // By another CA below the anchor.
    for test in ["dns \"a.example\"", "every-certificate"] {
        let direct = policy(&root, [rule(&format!("issued-by {} {test}", root.certificate().spki_fingerprint()))]);
        let text = miss(&direct, &named(&issuing)).unwrap();
        assert!(text.starts_with("would be `billing` if its path were under sha256:"), "{text}");
        assert!(!text.contains("criterion"), "{text}");
    }
    // What is left out.
    let excluding = policy(&root, [rule("all(dns \"a.example\", not attribute CN \"p\")")]);
    let expected = "would be `billing` if it had no attribute CN \"p\", instead of attribute CN \"p\"";
    assert_eq!(miss(&excluding, &named(&issuing)).as_deref(), Some(expected));
    // What is looked for is there, beside another one.
    let exact = policy(&root, [rule("dns \"a.example\"")]);
    let both_names = [TestName::Dns("a.example"), TestName::Dns("b.example")];
    let beside = client("CN=p").with_alternative_names(&both_names).issued_by(&issuing);
    let expected =
        "would be `billing` if it had exactly one dns \"a.example\", instead of dns \"a.example\", dns \"b.example\"";
    assert_eq!(miss(&exact, &beside).as_deref(), Some(expected));
    let all = policy(&root, [rule("dns all \"a.example\"")]);
    let expected =
        "would be `billing` if it had dns all \"a.example\", instead of dns \"a.example\", dns \"b.example\"";
    assert_eq!(miss(&all, &beside).as_deref(), Some(expected));
    // It has another name than those that are listed, or one that is no user.
    let templated =
        |source: &str| policy(&root, [CertUserMapping::from_source(under(&root, "dns"), source.parse().unwrap())]);
    let expected =
        "would be a user of dns among (\"b\") if dns among (\"b\") gave a user name, instead of dns \"a.example\"";
    assert_eq!(miss(&templated("dns among (\"b\")"), &named(&issuing)).as_deref(), Some(expected));
    let starred = client("CN=a*").with_alternative_names(&[TestName::Dns("a.example")]).issued_by(&issuing);
    let text = explained(&templated("\"d/\" + attribute CN"), starred.chain_without_root()).to_string();
    assert!(text.contains("user-name: expected \"d/\" + attribute CN, found `d/a*`"), "{text}");
    // All is right, and it is disabled.
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    let disabled = builder.mapping(rule("dns \"a.example\"")).disabled_user(user("billing")).build().unwrap();
    let expected = "would be `billing` were it not refused: user-disabled";
    assert_eq!(miss(&disabled, &named(&issuing)).as_deref(), Some(expected));
    // Nothing has to do with it.
    let exact = CertUserMapping::new(Selector::certificate(twin.certificate().fingerprint()), user("billing"));
    assert_eq!(miss(&policy(&root, [exact]), &named(&issuing)), None);
}

#[test]
fn a_denial_is_told_by_what_it_denies() {
    let (root, issuing) = hierarchy();
    let client = client("CN=p").issued_by(&issuing);
    let denial = certmap::trust::Denial::key(client.certificate().spki_fingerprint());
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle(&[&root])));
    let policy = builder.denial(denial.clone()).build().unwrap();
    let explanation = explained(&policy, client.chain_without_root());
    let step = explanation.steps().last().unwrap();
    assert_eq!((step.check(), step.holds()), ("denied", false));
    assert_eq!(step.actual(), format!("`{denial}`"));
}

#[test]
fn of_many_rules_the_sixteen_nearest_are_told_and_the_rest_counted() {
    let (root, issuing) = hierarchy();
    let rules = (0..40).map(|n| {
        let test =
            format!("all(attribute CN \"p\", dns \"d{n}.example\"{})", if n % 2 == 0 { ", uri \"u:x\"" } else { "" });
        CertUserMapping::new(under(&root, &test), user(&format!("u{n}")))
    });
    let explanation = explained(&policy(&root, rules), client("CN=p").issued_by(&issuing).chain_without_root());
    assert_eq!((explanation.nearest().len(), explanation.others()), (16, 24));
    assert!(explanation.nearest().iter().all(|rule| rule.failed().len() == 1));
    assert!(explanation.to_string().contains("\n  and 24 others\n"));
}

#[test]
fn what_a_peer_chose_begins_no_line_of_an_explanation() {
    let (root, _) = hierarchy();
    let policy = policy(&root, [CertUserMapping::new(under(&root, "dns \"a.example\""), user("billing"))]);
    let posing = client("CN=x\\0Aadmitted as `admin`\u{202e}").with_alternative_names(&[TestName::Dns("y\nadmitted")]);
    for peer in [posing.clone().issued_by(&root), posing.self_signed()] {
        let text = explained(&policy, peer.chain_without_root()).to_string();
        assert!(!text.lines().any(|line| line.starts_with("admitted")), "{text}");
        assert!(!text.contains('\u{202e}'), "{text}");
    }
    // What cannot be read, nothing, and too much.
    let junk = explained(&policy, &[b"junk"]).to_string();
    assert!(junk.contains(", which cannot be read\n"), "{junk}");
    assert!(
        junk.contains("\n  -   pin: ") && junk.contains("\n  no  certificate: expected a certificate that can be read"),
        "{junk}"
    );
    assert!(explained(&policy, &[] as &[&[u8]]).to_string().contains("\nno certificate\n"));
    assert!(explained(&policy, &[&root.certificate().der(); 9]).to_string().starts_with("refused: chain-too-long"));
}

#[test]
fn on_a_host_that_asks_nothing_there_is_nothing_to_explain() {
    let (root, issuing) = hierarchy();
    let host = Host::new("gw".parse().unwrap(), bundle(&[&root])).with_client_auth(ClientAuth::None);
    let policy = PolicyBuilder::for_host(host).build().unwrap();
    let explanation = explained(&policy, client("CN=p").issued_by(&issuing).chain());
    assert!(matches!(explanation.decision().outcome(), Outcome::Anonymous));
    assert!(explanation.to_string().starts_with("anonymous\nhost `gw`, at "));
    assert_eq!((explanation.nearest(), explanation.matching(), explanation.others()), (&[][..], &[][..], 0));
}

#[test]
fn what_is_refused_before_any_certificate_is_read_is_told_as_the_check_that_failed() {
    let (root, issuing) = hierarchy();
    let (policy, partner) = (policy(&root, []), client("CN=p").issued_by(&issuing));
    let own = partner.certificate().der();
    let elsewhere = Evidence::after_handshake("elsewhere".parse().unwrap(), [own.clone()]);
    assert_eq!(agrees(&explain(&policy, &elsewhere, NOW)), "unknown-host");
    assert_eq!(agrees(&explained(&policy, &vec![own; CHAIN_LENGTH + 1])), "chain-too-long");
    assert_eq!(agrees(&explained(&policy, &[vec![0; CERTIFICATE_BYTES + 1]])), "certificate-too-large");
    // What just fits is looked at.
    assert_eq!(agrees(&explained(&policy, &[vec![0; CERTIFICATE_BYTES]])), "untrusted");
}

#[test]
fn a_rule_for_a_known_certificate_is_as_near_as_that_certificate_is_like_this_one() {
    let made = |name: &str| TestCertificate::new(name);
    let ca = made("CN=ca").as_ca().self_signed();
    let nearest = |known: &[&TestIdentity], peer: &TestIdentity| {
        let mut bundle = bundle(&[]);
        for identity in known {
            bundle.add_pin(identity.certificate().clone()).unwrap();
        }
        let rule = |identity: &&TestIdentity| {
            CertUserMapping::new(Selector::certificate(identity.certificate().fingerprint()), user("billing"))
        };
        let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle));
        let policy = builder.mappings(known.iter().map(rule)).build().unwrap();
        let explanation = explained(&policy, peer.chain());
        let first = explanation.nearest().first().map(|rule| rule.rule().to_owned());
        (first.unwrap(), explanation.nearest_miss().is_some())
    };
    let rule = |identity: &TestIdentity| identity.certificate().fingerprint().to_string();
    let (old, stranger) = (made("CN=erp").self_signed(), made("CN=stranger").self_signed());
    // Its key under another name, its name under another key, and neither.
    assert_eq!(nearest(&[&old], &made("CN=erp v2").with_key_of(&old).self_signed()), (rule(&old), true));
    assert_eq!(nearest(&[&old], &made("CN=erp").self_signed()), (rule(&old), true));
    assert_eq!(nearest(&[&old], &stranger), (rule(&old), false));
    // No name is no likeness.
    assert!(!nearest(&[&made("").self_signed()], &made("").self_signed()).1);
    // A certificate of the same issuer is more alike than one of another, whatever their fingerprints.
    let peer = made("CN=erp").issued_by(&ca);
    let [mut same_first, mut other_first] = [false; 2];
    while !(same_first && other_first) {
        let (same, other) = (made("CN=erp").issued_by(&ca), made("CN=erp").self_signed());
        assert_eq!(nearest(&[&same, &other], &peer), (rule(&same), true));
        let in_order = same.certificate().fingerprint() < other.certificate().fingerprint();
        (same_first, other_first) = (same_first || in_order, other_first || !in_order);
    }
}

#[test]
fn a_rule_for_a_key_is_told_with_the_first_certificate_that_has_it() {
    let one = TestCertificate::new("CN=one").self_signed();
    let two = TestCertificate::new("CN=two").with_key_of(&one).self_signed();
    let (first, second) =
        if one.certificate().fingerprint() < two.certificate().fingerprint() { (one, two) } else { (two, one) };
    let key = Selector::key(first.certificate().spki_fingerprint());
    for order in [[&first, &second], [&second, &first]] {
        let mut bundle = bundle(&[]);
        for identity in order {
            bundle.add_pin(identity.certificate().clone()).unwrap();
        }
        let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle));
        let policy = builder.mapping(CertUserMapping::new(key.clone(), user("billing"))).build().unwrap();
        let explanation = explained(&policy, TestCertificate::new("CN=three").self_signed().chain());
        let expected = format!("{} (`{}`)", first.certificate().spki_fingerprint(), first.certificate().subject());
        assert_eq!(explanation.nearest()[0].failed()[0].expected(), expected);
    }
}

#[test]
fn eight_values_are_told_and_the_others_counted() {
    let (root, issuing) = hierarchy();
    let policy = policy(&root, [CertUserMapping::new(under(&root, "dns \"x.example\""), user("billing"))]);
    let names: Vec<_> = (1..=9).map(|n| format!("h{n}.example")).collect();
    for (count, end) in [(8, "dns \"h8.example\""), (9, "dns \"h8.example\" and 1 more")] {
        let names: Vec<_> = names[..count].iter().map(|name| TestName::Dns(name)).collect();
        let peer = client("CN=p").with_alternative_names(&names).issued_by(&issuing);
        let found = explained(&policy, peer.chain_without_root()).nearest()[0].failed()[0].actual().to_owned();
        assert!(found.ends_with(end), "{found}");
    }
}

#[test]
fn of_alternatives_the_one_that_lacks_least_is_told() {
    let (root, issuing) = hierarchy();
    let test = "any(all(email \"a@b\", uri \"u:a\", upn \"a@b\"), dns \"x.example\")";
    let policy = policy(&root, [CertUserMapping::new(under(&root, test), user("billing"))]);
    let explanation = explained(&policy, client("CN=p").issued_by(&issuing).chain_without_root());
    let failed: Vec<_> = explanation.nearest()[0].failed().iter().map(Step::expected).collect();
    assert_eq!(failed, ["dns \"x.example\""]);
}

#[test]
fn a_serial_number_without_its_issuer_is_told_as_such() {
    let (root, issuing) = hierarchy();
    let stated = format!("issued-by {} serial 09", issuing.certificate().spki_fingerprint());
    for (test, issuer, lacks) in [
        ("serial 09", &root, &[][..]),
        ("serial 09", &issuing, &["serial 09 of a stated issuer"]),
        (&stated, &issuing, &[]),
    ] {
        let policy = policy(&root, [CertUserMapping::new(under(&root, test), user("billing"))]);
        let explanation = explained(&policy, client("CN=p").issued_by(issuer).chain_without_root());
        let nearest = explanation.nearest().iter().flat_map(Candidate::failed);
        assert_eq!(nearest.map(Step::expected).collect::<Vec<_>>(), lacks, "{test}");
        assert_eq!(explanation.matching().len(), usize::from(lacks.is_empty()), "{test}");
    }
}

#[test]
fn values_that_are_not_there_are_left_out_by_no_rule() {
    let (root, issuing) = hierarchy();
    let names = |test: &str, subject: &str| {
        let policy = policy(&root, [CertUserMapping::new(under(&root, test), user("billing"))]);
        let explanation = explained(&policy, client(subject).issued_by(&issuing).chain_without_root());
        explanation.matching().len() == 1
    };
    assert!(names("all(attribute CN \"p\", not upn, not other 1.2.3 \"x\")", "CN=p"));
    // Two of one type in one RDN have no order, one beside another type has.
    let first = "attribute CN nth(1) in-multi-valued-rdns \"p\"";
    assert!(names(first, "CN=p+O=x"));
    assert!(!names(first, "CN=p+CN=q"));
}

#[test]
fn an_explanation_is_the_same_whatever_was_decided_before() {
    let (root, issuing) = hierarchy();
    let policy = policy(&root, [CertUserMapping::new(under(&root, "attribute CN \"p\""), user("billing"))]);
    let partner = client("CN=p").issued_by(&issuing);
    let fresh = explained(&policy, partner.chain_without_root()).to_string();
    let evidence = Evidence::after_handshake("gw".parse().unwrap(), partner.chain_without_root());
    assert!(policy.decide(&evidence, NOW).principal().is_some());
    assert_eq!(explained(&policy, partner.chain_without_root()).to_string(), fresh);
}

#[test]
fn a_name_that_cannot_be_read_is_told_as_what_no_rule_matches() {
    let (root, issuing) = hierarchy();
    let policy = policy(&root, [CertUserMapping::new(under(&root, "upn \"a@b\""), user("billing"))]);
    // An otherName whose type is no object identifier.
    let unreadable = client("CN=p").with_extension("2.5.29.17", false, &[0x30, 5, 0xa0, 3, 6, 1, 0x80]);
    let explanation = explained(&policy, unreadable.issued_by(&issuing).chain_without_root());
    assert_eq!(explanation.nearest()[0].failed()[0].actual(), "upn with something that no rule matches");
}
