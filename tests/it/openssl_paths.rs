//! Path validation agrees with `openssl verify` on generated chains: valid ones, and such as are broken in one way each.
//!
//! openssl is asked for a TLS client (`-purpose sslclient`) at the same time, with revocation lists for every certificate
//! (`-crl_check_all`) where a case has lists, and in its strict mode (`-x509_strict`): without, it takes version 1 and other
//! certificates without basic constraints for roots. So it asks for key identifiers too, and all certificates have them.
//! Where the two differ, [`DIFFERENCES`] says so and why; nothing else may differ, and with the version that was looked at
//! nothing there may agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::thread;

use certmap::cert::RevocationList;
use certmap::testing::NOW;
use certmap::trust::Revocation;
use certmap::{CertUserMapping, Certificate, Evidence, Host, PolicyBuilder, Refusal, Selector, TrustBundle};
use fastrand::Rng;

use crate::common::user;
use crate::path_cases::Place::{self, EndEntity, Intermediate, Root};
use crate::path_cases::{Case, cases};
use crate::tool::{OPENSSL, Running, Workshop, found};

/// How many cases there are of each class at each of its places.
const ROUNDS: usize = 5;
/// The version that [`DIFFERENCES`] was written for. Another may have come round to our view.
const VERSION: &str = "OpenSSL 3.0.";
/// How many cases one process of openssl verifies.
const BATCH: usize = 40;

/// Who admits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    OnlyOpenssl,
    OnlyWe,
}
use Who::{OnlyOpenssl, OnlyWe};

/// The classes of cases in which the two differ, and the sentence that is on our side.
const DIFFERENCES: &[(Who, &str, &[Place], &str)] = &[
    (
        OnlyWe,
        "last second",
        &[EndEntity, Intermediate, Root],
        "RFC 5280, section 4.1.2.5: the validity is the period from notBefore through notAfter, inclusive.",
    ),
    (
        OnlyWe,
        "list in its last second",
        &[Intermediate, Root],
        "RFC 5280, section 6.3.3 (a): a list is out of date if the time is after its next update.",
    ),
    (
        OnlyWe,
        "list of the near future",
        &[Intermediate, Root],
        "RFC 5280, section 6.3.3 compares the time with the next update only; clocks differ, and 300 seconds are allowed for that.",
    ),
    (
        OnlyWe,
        "no key usage",
        &[Intermediate, Root],
        "RFC 5280, section 6.1.4 (n): if a key usage is present, it includes keyCertSign; section 4.2.1.3 has CAs write one.",
    ),
    (
        OnlyWe,
        "common name like a DNS name not permitted",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10: restrictions apply only when a name of their form is present, and a common name is none.",
    ),
    (
        OnlyOpenssl,
        "CA by its basic constraints",
        &[EndEntity],
        "RFC 5280, section 6.2: paths may be limited further, and whoever holds a CA is no client.",
    ),
    (
        OnlyOpenssl,
        "own certificate not first, but one that may sign anything",
        &[Intermediate],
        "RFC 5280, section 6.2: paths may be limited further, and whoever holds a CA is no client.",
    ),
    (
        OnlyOpenssl,
        "DNS name permitted with a leading period",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10 has a leading period for hosts in URIs and for mail only.",
    ),
    (
        OnlyOpenssl,
        "empty constraints",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10: a CA must not issue name constraints that are an empty sequence.",
    ),
    (
        OnlyOpenssl,
        "mail address permitted",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10: constraints are processed or the certificate is rejected; these are not processed.",
    ),
    (
        OnlyOpenssl,
        "URI permitted",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10: constraints are processed or the certificate is rejected; these are not processed.",
    ),
    (
        OnlyOpenssl,
        "directory name not excluded",
        &[Intermediate, Root],
        "RFC 5280, section 4.2.1.10: constraints are processed or the certificate is rejected; these are not processed.",
    ),
    (
        OnlyOpenssl,
        "constraints",
        &[EndEntity],
        "RFC 5280, section 4.2.1.10: name constraints must be used in CA certificates only.",
    ),
    (
        OnlyOpenssl,
        "critical policies",
        &[EndEntity, Intermediate, Root],
        "RFC 5280, section 4.2: a critical extension that is not processed rejects the certificate, and policies are not.",
    ),
    (
        OnlyOpenssl,
        "keyAgreement only",
        &[EndEntity],
        "RFC 5280, section 4.2.1.3: digitalSignature is for keys that verify signatures, and a client proves that it has its key by one.",
    ),
    (
        OnlyOpenssl,
        "version 1",
        &[EndEntity],
        "RFC 5280, section 6.2: paths may be limited further, and version 1 cannot say that it is no CA.",
    ),
    (
        OnlyOpenssl,
        "self-issued beyond the path length",
        &[Intermediate],
        "RFC 5280, section 6.2: paths may be limited further, and the validator underneath counts the self-issued of the path too.",
    ),
    (
        OnlyOpenssl,
        "list without a number",
        &[Intermediate, Root],
        "RFC 5280, section 5.2.3: a CA must number its lists; without, an older one could take the place of a newer.",
    ),
    (
        OnlyOpenssl,
        "revoked by the older of two lists",
        &[EndEntity],
        "RFC 5280, section 3.3: an entry is not removed before the certificate has expired; so an older list still says what is true.",
    ),
];

#[test]
fn path_validation_agrees_with_openssl_or_it_is_said_why_not() {
    if !found(&[OPENSSL]) {
        return;
    }
    let cases = cases(ROUNDS, &mut Rng::with_seed(3));
    assert!(cases.len() >= 500, "{}", cases.len());
    let exact = Workshop::new().openssl("version").starts_with(VERSION);
    let mut wrong = String::new();
    let (mut admitted, mut refused) = (0, 0);
    let mut differ = [0; DIFFERENCES.len()];
    for (case, (they_admit, they_say)) in cases.iter().zip(all_theirs(&cases)) {
        let (we_admit, we_say) = ours(case);
        let listed =
            DIFFERENCES.iter().position(|(_, class, places, _)| *class == case.class && places.contains(&case.place));
        let expected = match listed.map(|listed| DIFFERENCES[listed].0) {
            Some(OnlyOpenssl) => (false, true),
            Some(OnlyWe) => (true, false),
            None => (case.valid, case.valid),
        };
        match listed {
            Some(listed) => differ[listed] += 1,
            None if case.valid => admitted += 1,
            None => refused += 1,
        }
        let they_count = exact || listed.is_none();
        if we_admit != expected.0 || they_count && they_admit != expected.1 {
            let Case { class, place, .. } = case;
            let _ = writeln!(wrong, "{class}, {place:?}: expected {expected:?}; we: {we_say}; openssl: {they_say}");
        }
    }
    for ((_, class, places, sentence), count) in DIFFERENCES.iter().zip(differ) {
        assert_eq!(count, ROUNDS * places.len(), "there is no such class: {class}, {places:?}");
        assert!(sentence.starts_with("RFC ") && sentence.ends_with('.'), "{class}");
    }
    let differences: usize = differ.iter().sum();
    // Not `eprintln`, which the test harness swallows when a test passes.
    let _ = writeln!(
        io::stderr(),
        "openssl verify: {admitted} chains admitted by both, {refused} refused by both, {differences} differ as listed"
    );
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Whether we admit; and what we say to it.
pub fn ours(case: &Case) -> (bool, String) {
    let mut bundle = TrustBundle::new("anchors".parse().unwrap());
    if let Err(error) = bundle.add_anchor(case.anchor.clone()) {
        return (false, format!("{error:?}"));
    }
    let mut revocation = Revocation::new();
    for list in &case.lists {
        match RevocationList::from_pem(list.as_bytes()) {
            Ok(list) => revocation.add(list),
            Err(error) => return (false, error.to_string()),
        }
    }
    let rule = CertUserMapping::new(Selector::certificate(case.presented[0].fingerprint()), user("u"));
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().unwrap(), bundle));
    let policy = match builder.mapping(rule).revocation(revocation).build() {
        Ok(policy) => policy,
        Err(error) => return (false, format!("{error:?}")),
    };
    let chain: Vec<_> = case.presented.iter().map(Certificate::der).collect();
    let decision = policy.decide(&Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), &chain), NOW);
    let says = decision.refusal().map_or_else(|| "admitted".to_owned(), Refusal::detail);
    (decision.principal().is_some(), says)
}

/// What openssl says to each case, in their order.
pub fn all_theirs(cases: &[Case]) -> Vec<(bool, String)> {
    let workshop = Workshop::new();
    // With lists and without they are asked differently.
    let (with, without): (Vec<_>, Vec<_>) = cases.iter().enumerate().partition(|(_, case)| !case.lists.is_empty());
    let batches: Vec<_> = with.chunks(BATCH).chain(without.chunks(BATCH)).collect();
    let mut answers = BTreeMap::new();
    for pair in batches.chunks(2) {
        thread::scope(|scope| {
            let asked: Vec<_> = pair.iter().map(|batch| scope.spawn(|| theirs(&workshop, batch))).collect();
            for (batch, asked) in pair.iter().zip(asked) {
                answers.extend(batch.iter().map(|(number, _)| *number).zip(asked.join().unwrap()));
            }
        });
    }
    answers.into_values().collect()
}

/// What openssl says to each of these cases: whether it admits, and its words.
fn theirs(workshop: &Workshop, batch: &[(usize, &Case)]) -> Vec<(bool, String)> {
    let number = batch[0].0;
    let file = |what: &str| format!("{number}-{what}.pem");
    let all = |of: &dyn Fn(&Case) -> String| batch.iter().map(|(_, case)| of(case)).collect::<String>();
    workshop.write(&file("anchors"), all(&|case| case.anchor.to_pem()));
    workshop.write(&file("untrusted"), all(&|case| case.presented[1..].iter().map(Certificate::to_pem).collect()));
    let mut arguments: Vec<String> =
        ["verify", "-x509_strict", "-purpose", "sslclient", "-no-CApath", "-no-CAstore", "-attime"]
            .map(str::to_owned)
            .into();
    arguments.extend([
        NOW.as_secs().to_string(),
        "-CAfile".to_owned(),
        file("anchors"),
        "-untrusted".to_owned(),
        file("untrusted"),
    ]);
    if batch.iter().any(|(_, case)| !case.lists.is_empty()) {
        workshop.write(&file("lists"), all(&|case| case.lists.concat()));
        arguments.extend(["-crl_check_all".to_owned(), "-CRLfile".to_owned(), file("lists")]);
    }
    for (number, case) in batch {
        let target = format!("case-{number}.pem");
        workshop.write(&target, case.presented[0].to_pem());
        arguments.push(target);
    }
    let output = Running::start(OPENSSL, workshop.path(), arguments).finish();
    let admitted: BTreeSet<_> = output.stdout.lines().filter_map(|line| line.strip_suffix(": OK")).collect();
    let mut words: BTreeMap<&str, String> = BTreeMap::new();
    let mut since = String::new();
    for line in output.stderr.lines() {
        match line.strip_prefix("error ").and_then(|rest| rest.strip_suffix(": verification failed")) {
            Some(target) => {
                words.insert(target, core::mem::take(&mut since));
            }
            None => since = format!("{since}{line}; "),
        }
    }
    let verdict = |(number, _): &(usize, &Case)| {
        let target = format!("case-{number}.pem");
        match (admitted.contains(&*target), words.remove(&*target)) {
            (true, None) => (true, "OK".to_owned()),
            (false, Some(words)) => (false, words),
            answer => panic!("openssl says nothing of {target}: {answer:?} {}", output.stderr),
        }
    };
    batch.iter().map(verdict).collect()
}
