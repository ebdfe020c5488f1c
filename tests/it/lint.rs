//! Every finding: a policy that has it, told whole, and one near it that has not.

use std::collections::BTreeSet;
use std::time::Duration;

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::policy::{ClientAuth, Hints, UntrustedClients};
use certmap::review::{FindingCode, lint};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::{Denial, Entry, Revocation};
use certmap::{
    CertUserMapping, Certificate, Enforcement, Host, NewKey, PolicyBuilder, Role, RoleAssignment, Selector, Strength,
    TrustBundle,
};

use crate::common::{SEND, user};

const DAY: u64 = 86_400;
const MONTH: Duration = Duration::from_secs(30 * DAY);
const OTHER: Role = Role::from_static("iflmap/Admin");

/// One code: what is told of the first policy, with fingerprints left out, and not of the second.
struct Case {
    code: FindingCode,
    told: &'static str,
    odd: PolicyBuilder,
    near: PolicyBuilder,
}

pub fn bundle() -> TrustBundle {
    TrustBundle::new("partners".parse().unwrap())
}

fn host(bundle: TrustBundle) -> Host {
    Host::new("gw".parse().unwrap(), bundle)
}

fn pinning(certificates: &[&Certificate]) -> TrustBundle {
    let mut bundle = bundle();
    for certificate in certificates {
        bundle.add_pin((*certificate).clone()).unwrap();
    }
    bundle
}

/// A policy in which these users have one pinned certificate each, and a role.
fn users(names: &[&str]) -> PolicyBuilder {
    let made = |name: &str| TestCertificate::new(&format!("CN={name}")).self_signed();
    let add =
        |builder: PolicyBuilder, name: &&str| builder.partner(user(name), made(name).certificate().clone(), [SEND]);
    names.iter().fold(PolicyBuilder::for_host(host(bundle())), add)
}

fn mapped(host: Host, certificates: &[&Certificate]) -> PolicyBuilder {
    let rule = |one: &&Certificate| CertUserMapping::new(Selector::certificate(one.fingerprint()), user("erp"));
    PolicyBuilder::for_host(host).mappings(certificates.iter().map(rule))
}

fn pinned(certificate: &Certificate) -> PolicyBuilder {
    mapped(host(pinning(&[certificate])), &[certificate])
}

fn lasting(first: u64, last: u64) -> PolicyBuilder {
    pinned(TestCertificate::new("CN=erp").with_validity(first, last).self_signed().certificate())
}

/// One CA, whose path may not have intermediates, and rules under it.
pub fn below(rules: &[(&str, &str)]) -> PolicyBuilder {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    below_ca(&root, bundle().with_path_length(0), rules)
}

pub fn below_ca(root: &TestIdentity, mut trust: TrustBundle, rules: &[(&str, &str)]) -> PolicyBuilder {
    trust.add_anchor(root.certificate().clone()).unwrap();
    let rule = |(test, source): &(&str, &str)| {
        let selector = format!("under {} {test}", root.certificate().fingerprint());
        CertUserMapping::from_source(selector.parse().unwrap(), source.parse().unwrap())
    };
    PolicyBuilder::for_host(host(trust)).mappings(rules.iter().map(rule))
}

fn listed(of: &TestIdentity, builder: PolicyBuilder, made: u64, until: u64, grace: u64) -> PolicyBuilder {
    with_list(of, &TestRevocationList::new().with_dates(made, Some(until)), builder, grace)
}

fn with_list(by: &TestIdentity, list: &TestRevocationList, builder: PolicyBuilder, grace: u64) -> PolicyBuilder {
    let list = list.signed_by(by);
    let mut revocation = Revocation::new().danger_accept_stale_lists(Duration::from_secs(grace));
    revocation.add(RevocationList::from_der(list.der()).unwrap());
    builder.revocation(revocation)
}

/// The certificate as if it were signed with SHA-1: what is pinned is not asked for its signature.
fn with_old_signature(certificate: &Certificate) -> Certificate {
    let (sha256, sha1) = (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05");
    let mut der = certificate.der().to_vec();
    while let Some(at) = der.windows(sha256.len()).position(|window| window == sha256) {
        der[at..at + sha1.len()].copy_from_slice(sha1);
    }
    Certificate::from_der(&der).unwrap()
}

fn long_names(count: usize) -> PolicyBuilder {
    let name = |n: usize| format!("O={n}{}", "x".repeat(1_900));
    let made: Vec<_> = (0..count).map(|n| TestCertificate::new(&name(n)).self_signed()).collect();
    let certificates: Vec<_> = made.iter().map(TestIdentity::certificate).collect();
    mapped(host(pinning(&certificates)).with_hints(Hints::All), &certificates)
}

fn trust_cases() -> Vec<Case> {
    let odd = TestCertificate::new("CN=odd").with_version(1).self_signed();
    let rsa = TestCertificate::new("CN=rsa").with_new_key(NewKey::Rsa2048).self_signed();
    let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
    let full = |limit: usize| {
        let mut trust = TrustBundle::with_limit("partners".parse().unwrap(), limit);
        for certificate in [one.certificate(), two.certificate()] {
            trust.add_pin(certificate.clone()).unwrap();
        }
        mapped(host(trust), &[one.certificate(), two.certificate()])
    };
    let odd_anchor = || {
        let mut trust = bundle();
        trust.add(Entry::danger_odd_anchor(odd.certificate().clone()).unwrap()).unwrap();
        PolicyBuilder::for_host(host(trust))
    };
    let dns: &[(&str, &str)] = &[("dns \"a.example\"", "\"erp\"")];
    let key = |kind: NewKey| pinned(TestCertificate::new("CN=erp").with_new_key(kind).self_signed().certificate());
    vec![
        Case {
            code: FindingCode::AnchorWithoutRule,
            told: "anchor-without-rule: certificate sha256:… in bundle `partners`: no rule can match what it vouches for: write a rule under it, or take it out",
            odd: below(&[]),
            near: below(dns),
        },
        Case {
            code: FindingCode::BundleNearlyFull,
            told: "bundle-nearly-full: bundle `partners`: it has 2 certificates, and room for 2: take out expired ones, or make it with a higher limit",
            odd: full(2),
            near: full(3),
        },
        Case {
            code: FindingCode::DenialHitsNothing,
            told: "denial-hits-nothing: denial `spki-sha256:…`: it hits no certificate of any bundle, and nobody else is admitted: lift it, or correct it",
            odd: pinned(one.certificate()).denial(Denial::key(two.certificate().spki_fingerprint())),
            near: pinned(one.certificate()).denial(Denial::key(one.certificate().spki_fingerprint())),
        },
        Case {
            code: FindingCode::HintsNearlyFull,
            told: "hints-nearly-full: host `gw`: it hints 6 names of 11544 bytes, and at most 150 of 12288 are possible: hint none, or make its bundle smaller",
            odd: long_names(6),
            near: long_names(5),
        },
        Case {
            code: FindingCode::OddAnchor,
            told: "odd-anchor: certificate sha256:… in bundle `partners`: it was added although it is of X.509 version 1, and only version 3 can say that it is a CA: add it as a pin if it is a partner's own certificate: take it out if it is no CA: its holder can make certificates for everybody",
            odd: odd_anchor(),
            near: below(dns),
        },
        Case {
            code: FindingCode::OldSignature,
            told: "old-signature: certificate sha256:… in bundle `partners`: it is signed by the old algorithm 1.2.840.113549.1.1.5: a pin does not mind, most other programs do: have the partner make a certificate that is signed with SHA-256",
            odd: pinned(&with_old_signature(rsa.certificate())),
            near: pinned(rsa.certificate()),
        },
        Case {
            code: FindingCode::UncommonKey,
            told: "uncommon-key: certificate sha256:… in bundle `partners`: its key is of type Ed25519, which many servers and some builds of this program do not verify: have the partner make a key of type EC P-256 or RSA when it renews",
            odd: key(NewKey::Ed25519),
            near: key(NewKey::EcP384),
        },
        Case {
            code: FindingCode::UnmappedCertificate,
            told: "unmapped-certificate: certificate sha256:… in bundle `partners`: it is trusted, and no rule says whose it is: map it to a user, or take it out",
            odd: mapped(host(pinning(&[one.certificate(), two.certificate()])), &[one.certificate()]),
            near: pinned(one.certificate()),
        },
    ]
}

fn time_cases() -> Vec<Case> {
    let now = NOW.as_secs();
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let one = TestCertificate::new("CN=one").self_signed();
    let dns: &[(&str, &str)] = &[("dns \"a.example\"", "\"erp\"")];
    let lists = |made: u64, until: u64, grace: u64| listed(&root, below_ca(&root, bundle(), dns), made, until, grace);
    let renamed = |name: &str| {
        let list = TestRevocationList::new().with_issuer_der(&name.parse::<DistinguishedName>().unwrap().to_der());
        with_list(&root, &list, below_ca(&root, bundle(), dns), 0)
    };
    let beside = |name: &str| {
        let other = TestCertificate::new(name).as_ca().with_new_key(NewKey::EcP256).self_signed();
        let mut trust = bundle();
        trust.add_anchor(other.certificate().clone()).unwrap();
        listed(&root, below_ca(&root, trust, dns), now - DAY, now + 7 * DAY, 0)
    };
    vec![
        Case {
            code: FindingCode::AnchorWithoutList,
            told: "anchor-without-list: certificate sha256:… in bundle `partners`: there are revocation lists of its name, and its key signed none of them, so nobody below it is admitted: fetch the list that it signs itself, or take it out if the CA has a new key",
            odd: beside("CN=ROOT"),
            near: beside("CN=root 2"),
        },
        Case {
            code: FindingCode::Expired,
            told: "expired: certificate sha256:… in bundle `partners`: its validity ended at 2026-12-01T11:59:59Z: ask the partner for the renewed one, add it as pin, and remove this one",
            odd: lasting(now - DAY, now - 1),
            near: lasting(now - DAY, now),
        },
        Case {
            code: FindingCode::ExpiresSoon,
            told: "expires-soon: certificate sha256:… in bundle `partners`: its validity ends at 2026-12-31T12:00:00Z: ask the partner for the renewed one, and add it as pin beside this one",
            odd: lasting(now - DAY, now + 30 * DAY),
            near: lasting(now - DAY, now + 30 * DAY + 1),
        },
        Case {
            code: FindingCode::ListConcernsNobody,
            told: "list-concerns-nobody: revocation list sha256:…: it is of `CN=root`, and there is no anchor at all: pins are not revoked: take it out, or add the CA as an anchor",
            odd: listed(&root, pinned(one.certificate()), now - DAY, now + 7 * DAY, 0),
            near: lists(now - DAY, now + 7 * DAY, 0),
        },
        Case {
            code: FindingCode::ListEndsSoon,
            told: "list-ends-soon: revocation list sha256:…: three quarters of its time are over, and it ends at 2026-12-02T12:00:00Z: fetch the current list of `CN=root`",
            odd: lists(now - 6 * DAY, now + DAY, 0),
            near: lists(now - DAY, now + 6 * DAY, 0),
        },
        Case {
            code: FindingCode::ListOfOtherName,
            told: "list-of-other-name: revocation list sha256:…: it is of `CN=Root Inc`, and signed by the key of the anchor `CN=root`: of what that issued it revokes nothing: if that is one CA, ask for a list that bears the name of its certificate, and until then deny what it revokes by serial number of `CN=root`",
            odd: renamed("CN=Root Inc"),
            near: renamed("CN=ROOT"),
        },
        Case {
            code: FindingCode::ListStale,
            told: "list-stale: revocation list sha256:…: it was to be replaced until 2026-12-01T11:59:59Z: fetch the current list of `CN=root`",
            odd: lists(now - DAY, now - 1, 0),
            near: lists(now - DAY, now, 0),
        },
        Case {
            code: FindingCode::NotYetValid,
            told: "not-yet-valid: certificate sha256:… in bundle `partners`: its validity begins at 2026-12-01T12:00:01Z: check the clock of this machine, or wait",
            odd: lasting(now + 1, now + 300 * DAY),
            near: lasting(now, now + 300 * DAY),
        },
        Case {
            code: FindingCode::StaleListGrace,
            told: "stale-list-grace: policy: revocation lists are believed for 60 s after their end: fetch lists in time, and take the grace back",
            odd: lists(now - DAY, now + 7 * DAY, 60),
            near: lists(now - DAY, now + 7 * DAY, 0),
        },
    ]
}

fn host_cases() -> Vec<Case> {
    let one = TestCertificate::new("CN=one").self_signed();
    let with = |change: &dyn Fn(Host) -> Host| {
        let host = change(host(pinning(&[one.certificate()])));
        mapped(host, &[one.certificate()])
    };
    let named = |name: &str| with(&|host| host.with_server_names([name.parse().unwrap()]));
    vec![
        Case {
            code: FindingCode::HostAsksNothing,
            told: "host-asks-nothing: host `gw`: it asks for no certificate, so everybody is anonymous: have it request or require one",
            odd: with(&|host| host.with_client_auth(ClientAuth::None)),
            near: with(&|host| host.with_client_auth(ClientAuth::Request)),
        },
        Case {
            code: FindingCode::HostLetsDecide,
            told: "host-lets-decide: host `gw`: handshakes succeed with certificates that nothing vouches for, and only decisions refuse them: have it refuse in the handshake unless every request is decided about",
            odd: with(&|host| host.with_untrusted(UntrustedClients::LetDecide)),
            near: with(&|host| host),
        },
        Case {
            code: FindingCode::WildcardServerName,
            told: "wildcard-server-name: host `gw`: it answers for every name in `*.example.com` that no other host has: name its names",
            odd: named("*.example.com"),
            near: named("a.example.com"),
        },
    ]
}

fn rule_cases() -> Vec<Case> {
    let one = TestCertificate::new("CN=one").self_signed();
    let two = TestCertificate::new("CN=two").self_signed();
    let exact_of =
        |one: &TestIdentity| CertUserMapping::new(Selector::certificate(one.certificate().fingerprint()), user("crm"));
    let exact = exact_of(&two);
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let dns: &[(&str, &str)] = &[("dns \"a.example\"", "\"erp\"")];
    vec![
        Case {
            code: FindingCode::CaAsClient,
            told: "ca-as-client: rule `sha256:…`: it names the certificate of an anchor, which is refused as a client's: write `under` and a test for what that CA issues, or add the certificate as a pin if it is a partner's own",
            odd: below_ca(&root, bundle(), dns).mapping(exact_of(&root)),
            near: below_ca(&root, bundle(), dns).mapping(exact_of(&two)),
        },
        Case {
            code: FindingCode::CommonNameRule,
            told: "common-name-rule: rule `under sha256:… attribute CN \"erp\"`: it rests on the common name, which CAs let their customers write more freely than alternative names: look for an alternative name, or for more of the subject",
            odd: below(&[("attribute CN \"erp\"", "\"erp\"")]),
            near: below(&[("all(attribute CN \"erp\", attribute O \"Acme\")", "\"erp\"")]),
        },
        Case {
            code: FindingCode::EmptyMappingTable,
            told: "empty-mapping-table: policy: it has no rule, so it admits nobody as a user: map certificates to users",
            odd: mapped(host(pinning(&[one.certificate()])), &[]),
            near: pinned(one.certificate()),
        },
        Case {
            code: FindingCode::EveryCertificate,
            told: "every-certificate: rule `under sha256:… every-certificate`: whoever gets a certificate below this CA is user `erp`: leave it if one partner runs this CA for itself; else say which certificates are meant",
            odd: below(&[("every-certificate", "\"erp\"")]),
            near: below(&[("every-certificate", "\"iot/\" + dns")]),
        },
        Case {
            code: FindingCode::IssuerNotStated,
            told: "issuer-not-stated: rule `under sha256:… dns \"a.example\"`: any CA below this anchor can issue what it matches, the most careless one too: say which one with `issued-by` or `through`, or limit the path length of the bundle to 0",
            odd: below_ca(&root, bundle(), dns),
            near: below_ca(&root, bundle().with_path_length(0), dns),
        },
        Case {
            code: FindingCode::OutsideEveryBundle,
            told: "outside-every-bundle: rule `sha256:…`: no bundle has what it names, and there is no anchor that could vouch for it: add the certificate to a bundle, or remove the rule",
            odd: pinned(one.certificate()).mapping(exact.clone()),
            near: below(dns).mapping(exact),
        },
        Case {
            code: FindingCode::OverlappingRules,
            told: "overlapping-rules: rule `under sha256:… all(attribute O \"Acme\", dns \"a.example\")`: whatever it matches is another user by `under sha256:… dns \"a.example\"`, and so refused: remove one of the two, or exclude with `not` what the other one is for",
            odd: below(&[dns[0], ("all(attribute O \"Acme\", dns \"a.example\")", "\"acme\"")]),
            near: below(&[dns[0], ("all(attribute O \"Acme\", dns \"b.example\")", "\"acme\"")]),
        },
    ]
}

fn user_cases() -> Vec<Case> {
    let role = |holder: &str, role: Role| RoleAssignment::new(user(holder), role);
    let strict = |enforcement| role("erp", OTHER).at_least(Strength::Key).with_enforcement(enforcement);
    let corp = TestCertificate::new("CN=corp CA,O=Corp").as_ca().self_signed();
    let denied = |issuer: &str| {
        let denial = Denial::serial(issuer.parse().unwrap(), "09".parse().unwrap());
        below_ca(&corp, bundle(), &[("dns", "\"erp\"")]).denial(denial)
    };
    let misspelt = Role::from_static("iflmap/ESBmessaging.send");
    vec![
        Case {
            code: FindingCode::DisabledUserByCase,
            told: "disabled-user-by-case: user `iot/lost`: it is disabled, and `\"iot/\" + attribute CN` makes another user of it in another case: write `in-lower-case` behind the field, unless its values have a case; before an `@` and beyond ASCII it does nothing: disable the user in every case that the CA writes",
            odd: below(&[("attribute CN", "\"iot/\" + attribute CN")]).disabled_user(user("iot/lost")),
            near: below(&[("attribute CN", "\"iot/\" + attribute CN in-lower-case")]).disabled_user(user("iot/lost")),
        },
        Case {
            code: FindingCode::DisabledUserUnnamed,
            told: "disabled-user-unnamed: user `aperp`: it is disabled, and no rule can name it, but one names `saperp`: correct the name, or leave it out",
            odd: users(&["saperp"]).disabled_user(user("aperp")),
            near: users(&["erp"]).disabled_user(user("erp")),
        },
        Case {
            code: FindingCode::NearMissIssuer,
            told: "near-miss-issuer: denial `serial 09 of CN=corp CA,O=Crop`: no CA that is known has this name, but `CN=corp CA,O=Corp` is one: correct the issuer, unless that is another CA",
            odd: denied("CN=corp CA,O=Crop"),
            near: denied("O=corp,CN=Corp CA"),
        },
        Case {
            code: FindingCode::NearMissRole,
            told: "near-miss-role: role `iflmap/ESBmessaging.send` of user crm: others have `iflmap/ESBMessaging.send`, which is another role: correct one of the two names if they are one role",
            odd: users(&["erp", "crm"]).assignment(role("crm", misspelt)),
            near: users(&["erp", "crm"]).assignment(role("crm", OTHER)),
        },
        Case {
            code: FindingCode::NearMissUser,
            told: "near-miss-user: user `SAPERPUSR`: it has roles and no rule names it, but one names `SAPERPUSER`: correct one of the two names to match the other",
            odd: users(&["SAPERPUSER"]).assignment(role("SAPERPUSR", OTHER)),
            near: users(&["SAPERPUSER"]).assignment(role("SAPERPUSER", OTHER)),
        },
        Case {
            code: FindingCode::NearMissUser,
            told: "near-miss-user: user `erp`: another rule names `Erp`, which differs by case only and is another user: correct one of the two names if they are one user",
            odd: users(&["Erp", "erp"]),
            near: users(&["Erp1", "erp2"]),
        },
        Case {
            code: FindingCode::RoleNotEnforced,
            told: "role-not-enforced: role `iflmap/Admin` of user erp: it asks for strength key, and is given without it (warn): enforce it when nobody falls short any more",
            odd: users(&["erp"]).assignment(strict(Enforcement::Warn)),
            near: users(&["erp"]).assignment(strict(Enforcement::Enforce)),
        },
        Case {
            code: FindingCode::RoleOutOfReach,
            told: "role-out-of-reach: role `iflmap/Admin` of user erp: it asks for strength key, which no rule of its holder gives: nobody has the role by this assignment: ask for less, or map by key or certificate",
            odd: below(&[("dns", "\"erp\"")]).assignment(strict(Enforcement::Enforce)),
            near: below(&[("dns", "\"erp\"")]).assignment(strict(Enforcement::Warn)),
        },
        Case {
            code: FindingCode::RoleWithoutUser,
            told: "role-without-user: user `shipping`: it has roles, and no rule can name it: map a certificate to it, or take its roles away",
            odd: users(&["erp"]).assignment(role("shipping", OTHER)),
            near: below(&[("dns", "\"ship\" + dns")]).assignment(role("shipping", OTHER)),
        },
        Case {
            code: FindingCode::UserWithoutRole,
            told: "user-without-role: user `crm`: it has no role, by itself or by its rules: give it one, or leave it if it needs none",
            odd: users(&["erp"]).partner(
                user("crm"),
                TestCertificate::new("CN=c").self_signed().certificate().clone(),
                [],
            ),
            near: users(&["erp", "crm"]),
        },
    ]
}

pub fn told(builder: PolicyBuilder) -> Vec<(FindingCode, String)> {
    let findings = lint(&builder.build().unwrap(), NOW, MONTH);
    findings.iter().map(|finding| (finding.code(), without_digits(&finding.to_string()))).collect()
}

/// The text with each fingerprint as `…`.
fn without_digits(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short += "sha256:…";
        short += &part[64..];
    }
    short
}

#[test]
fn each_finding_is_told_of_what_has_it_and_not_of_what_is_near_it() {
    let cases: Vec<_> =
        [trust_cases(), time_cases(), host_cases(), rule_cases(), user_cases()].into_iter().flatten().collect();
    let covered: BTreeSet<_> = cases.iter().map(|case| case.code).collect();
    assert_eq!(covered, FindingCode::ALL.iter().copied().collect());
    for Case { code, told: expected, odd, near } in cases {
        let of_code = |builder| told(builder).into_iter().filter(|(found, _)| *found == code).map(|(_, text)| text);
        assert_eq!(of_code(odd).collect::<Vec<_>>(), [expected]);
        assert_eq!(of_code(near).collect::<Vec<_>>(), [] as [&str; 0], "near {code}");
    }
}

#[test]
fn a_user_that_no_value_gives_is_told_with_the_one_that_is_meant() {
    let told_of = |name: &str, source: &str| {
        let told = told(below(&[("dns", source)]).disabled_user(user(name)));
        told.into_iter().filter(|(code, _)| *code == FindingCode::DisabledUserUnnamed).map(|(_, text)| text).next()
    };
    let source = "\"iot/\" + dns without-suffix \".example\"";
    let meant = told_of("iot/PUMP7", source).unwrap();
    assert!(meant.contains("no rule can name it, but one can name `iot/pump7`"), "{meant}");
    for nobody in ["iot/", "iot/a/b", "iot/*", "iot/.", "iot/..", "pump7"] {
        assert!(told_of(nobody, source).is_some(), "{nobody}");
    }
    for somebody in ["iot/pump7", "iot/a.b", "iot/..."] {
        assert_eq!(told_of(somebody, source), None, "{somebody}");
    }
    // Of two values no one knows where one ends, and a mailbox has a case.
    assert_eq!(told_of("iot/A/b", "\"iot/\" + attribute CN + \"/\" + attribute OU"), None);
    assert_eq!(told_of("iot/Eve@acme.example", "\"iot/\" + email"), None);
    assert!(told_of("iot/Eve@ACME.example", "\"iot/\" + email").is_some());
    assert!(told_of("iot/ACME.example", "\"iot/\" + email without-prefix \"Eve@\"").is_some());
}

#[test]
fn a_denial_hits_in_another_spelling_of_the_issuer() {
    let erp = TestCertificate::new("CN=erp").self_signed();
    let hits_nothing = |issuer: &str, serial: &str| {
        let denial = Denial::serial(issuer.parse().unwrap(), serial.parse().unwrap());
        told(pinned(erp.certificate()).denial(denial)).iter().any(|(code, _)| *code == FindingCode::DenialHitsNothing)
    };
    let own = erp.certificate().serial().to_string();
    assert_eq!(
        [hits_nothing("CN=ERP\\ ", &own), hits_nothing("CN=ERP", "0b"), hits_nothing("CN=crm", &own)],
        [false, true, true]
    );
}

#[test]
fn a_policy_as_it_should_be_has_no_findings() {
    assert_eq!(told(users(&["erp", "crm"])), []);
}

#[test]
fn codes_are_sorted_words_and_different() {
    let texts: Vec<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    let sorted: BTreeSet<_> = texts.iter().copied().collect();
    assert_eq!(texts, sorted.into_iter().collect::<Vec<_>>());
    assert!(texts.iter().all(|text| text.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')));
}
