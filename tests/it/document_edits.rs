//! Editing documents: what changed, what is refused, and that whoever undoes an edit has the document of before.

use certmap::document::{AddedAs, Change, Changes, Document, EditError, HostSettings, NoReferences, Removal};
use certmap::policy::{ClientAuth, Hints, UntrustedClients};
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::trust::Denial;
use certmap::{BundleName, CertUserMapping, HostId, RoleAssignment, Selector, Strength};

use crate::common::{SEND, user};
use crate::documents::read;

fn bundle() -> BundleName {
    "partners".parse().unwrap()
}

fn gateway() -> HostId {
    "gw".parse().unwrap()
}

fn pem(identity: &TestIdentity) -> Vec<u8> {
    identity.certificate().to_pem().into_bytes()
}

fn partner(number: u8) -> TestIdentity {
    TestCertificate::new(&format!("CN=partner {number}")).with_serial(&[number]).self_signed()
}

/// A host that believes one partner, `acme`.
fn beginning(acme: &TestIdentity) -> Document {
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    edit.add_ca(&bundle(), &pem(acme), None, Some(&"acme".parse().unwrap())).unwrap();
    edit.set_ssl_host(&gateway(), &HostSettings::new().with_bundle(bundle(), ClientAuth::Require)).unwrap();
    document
}

#[track_caller]
fn refused(result: Result<Changes, EditError>) -> String {
    let error = result.unwrap_err();
    format!("{}: {error}", error.code())
}

#[track_caller]
fn lines(result: Result<Changes, EditError>) -> Vec<String> {
    result.unwrap().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn an_empty_document_becomes_a_policy_edit_by_edit() {
    let acme = partner(1);
    let (f, k) = (acme.certificate().fingerprint(), acme.certificate().spki_fingerprint());
    let mut document = Document::new();
    assert_eq!(
        document.build(&NoReferences).unwrap_err().to_string(),
        "the document has a problem: hosts: a host is missing: add one, because nobody can connect to none"
    );
    let mut edit = document.edit(&NoReferences);
    let alias = "acme".parse().unwrap();
    assert_eq!(
        lines(edit.add_ca(&bundle(), &pem(&acme), None, Some(&alias))),
        ["+ bundle partners".to_owned(), format!("+ pin {f} in partners: CN=partner 1")]
    );
    assert_eq!(lines(edit.add_ca(&bundle(), &pem(&acme), None, Some(&alias))), ["no change"]);
    assert_eq!(
        lines(edit.set_ssl_host(&gateway(), &HostSettings::new().with_bundle(bundle(), ClientAuth::Request))),
        ["+ host gw", "~ host gw: bundle was nothing, is partners", "~ host gw: client-auth was require, is request",]
    );
    let selector = edit.selector("@acme").unwrap();
    assert_eq!(selector, Selector::certificate(f));
    let rule = CertUserMapping::new(selector, user("SAPERPUSER")).with_name("acme".parse().unwrap());
    assert_eq!(lines(edit.map(&rule)), [format!("+ mapping {f} to \"SAPERPUSER\"")]);
    assert_eq!(lines(edit.map(&rule)), ["no change"]);
    let send = RoleAssignment::new(user("SAPERPUSER"), SEND);
    assert_eq!(lines(edit.assign(&send)), ["+ role iflmap/ESBMessaging.send of user SAPERPUSER"]);
    assert_eq!(lines(edit.assign(&send)), ["no change"]);
    let stricter = send.clone().at_least(Strength::Key);
    assert_eq!(
        refused(edit.assign(&stricter)),
        "already-given: user SAPERPUSER has the role `iflmap/ESBMessaging.send` from strength `name` on already, and that would still count: take it away first"
    );
    let denial = Denial::key(k);
    assert_eq!(lines(edit.deny(&denial, Some("stolen"))), [format!("+ denial {k}")]);
    assert_eq!(lines(edit.deny(&denial, None)), ["no change"]);
    assert_eq!(lines(edit.allow(&denial)), [format!("- denial {k}")]);
    assert_eq!(lines(edit.disable(&user("SAPERPUSER"))), ["~ user SAPERPUSER: disabled"]);
    assert_eq!(lines(edit.disable(&user("SAPERPUSER"))), ["no change"]);
    assert_eq!(lines(edit.enable(&user("SAPERPUSER"))), ["~ user SAPERPUSER: enabled"]);
    assert_eq!(lines(edit.enable(&user("SAPERPUSER"))), ["no change"]);
    let policy = document.build(&NoReferences).unwrap();
    assert_eq!(policy.mapping_count(), 1);
    let text = toml::to_string(&document).unwrap();
    assert!(text.contains("match = \"@acme\"\nuser = \"SAPERPUSER\""), "{text}");
    let mut edit = document.edit(&NoReferences);
    assert_eq!(lines(edit.revoke(send.holder(), send.role())), ["- role iflmap/ESBMessaging.send of user SAPERPUSER"]);
    assert_eq!(lines(edit.unmap(rule.selector())), [format!("- mapping {f} to \"SAPERPUSER\"")]);
    assert_eq!(
        refused(edit.unmap(rule.selector())),
        format!("not-found: a mapping of `{f}` is not there: list what is")
    );
    assert_eq!(
        refused(edit.revoke(send.holder(), send.role())),
        "not-found: the role `iflmap/ESBMessaging.send` of user SAPERPUSER is not there: list what is"
    );
    assert_eq!(refused(edit.allow(&denial)), format!("not-found: the denial `{k}` is not there: list what is"));
}

#[test]
fn a_ca_is_added_only_with_a_word() {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let sub = TestCertificate::new("CN=sub").as_ca().issued_by(&root);
    let v1 = TestCertificate::new("CN=v1").with_version(1).self_signed();
    let f = root.certificate().fingerprint();
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    assert_eq!(
        refused(edit.add_ca(&bundle(), &pem(&root), None, None)),
        format!(
            "pin-or-anchor: certificate {f} (`CN=root`) says that it is a CA: say `pin` if it is a partner's own, `anchor` if everything that it issues shall be believed"
        )
    );
    assert_eq!(edit.document(), &Document::new());
    for kind in [AddedAs::Pin, AddedAs::KeyPin, AddedAs::Anchor, AddedAs::OddAnchor] {
        let changes = edit.add_ca(&bundle(), &pem(&root), Some(kind), None).unwrap();
        let added = changes
            .as_slice()
            .iter()
            .any(|change| matches!(change, Change::CertificateAdded { kind: as_, .. } if *as_ == kind));
        assert!(added);
        edit.remove_ca(&bundle(), Removal::Bundle).unwrap();
        assert_eq!(edit.document(), &Document::new());
    }
    // A CA's that somebody else issued, or that says so.
    assert!(refused(edit.add_ca(&bundle(), &pem(&sub), None, None)).starts_with("pin-or-anchor: "));
    assert_eq!(
        lines(edit.add_ca(&bundle(), &pem(&v1), None, None)),
        ["+ bundle partners".to_owned(), format!("+ pin {} in partners: CN=v1", v1.certificate().fingerprint())]
    );
    edit.add_ca(&bundle(), &pem(&sub), Some(AddedAs::Anchor), None).unwrap();
    // What is there as something else, or is no anchor, is refused.
    assert_eq!(
        refused(edit.add_ca(&bundle(), &pem(&sub), Some(AddedAs::Pin), None)).split(" (see").next().unwrap(),
        format!(
            "new-problem: the document would have a new problem: certificates[+].certificate: certificate {} of bundle `partners` is there a second time: remove one of the two",
            sub.certificate().fingerprint()
        )
    );
    let other = partner(3);
    assert_eq!(
        refused(edit.add_ca(&bundle(), &pem(&other), Some(AddedAs::Anchor), None)),
        format!(
            "new-problem: the document would have a new problem: certificates[+].certificate: certificate {} cannot be an anchor: it is no CA certificate (basic constraints without cA): add it as a pin if it is a partner's own certificate",
            other.certificate().fingerprint()
        )
    );
    assert_eq!(
        refused(edit.add_ca(&bundle(), b"hello", None, None)),
        "invalid-certificate: the file cannot be read: no PEM section, no DER and no base64 found"
    );
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(
        refused(edit.add_ca(&bundle(), key.as_bytes(), None, None)),
        "invalid-certificate: section 1 is a `PRIVATE KEY`, not a certificate"
    );
    assert_eq!(
        refused(edit.add_ca(&bundle(), &[pem(&v1), pem(&sub)].concat(), None, Some(&"x".parse().unwrap()))),
        "invalid-certificate: 2 certificates where one was expected: give the partner's own certificate alone, without its chain"
    );
}

#[test]
fn a_bundle_has_room_for_150_and_names_as_sap_has_them() {
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    let key = partner(0);
    let many = |numbers: std::ops::Range<u8>| -> Vec<u8> {
        let certificate = |number: u8| TestCertificate::new(&format!("CN=p{number}")).with_key_of(&key).self_signed();
        numbers.flat_map(|number| pem(&certificate(number))).collect()
    };
    for name in ["my_bundle-2026", "a", "bundle.1"] {
        assert!(name.parse::<BundleName>().is_ok());
    }
    let name: BundleName = "my_bundle-2026".parse().unwrap();
    assert_eq!(edit.add_ca(&name, &many(0..150), None, None).unwrap().as_slice().len(), 151);
    let before = edit.document().clone();
    assert_eq!(
        refused(edit.add_ca(&name, &many(150..151), None, None)),
        "new-problem: the document would have a new problem: certificates[+].certificate: bundle `my_bundle-2026` is full: its limit is 150 certificates (`TrustBundle::with_limit` chooses another)"
    );
    assert_eq!(edit.document(), &before);
    assert_eq!(document.list_cas(Some(&name), &NoReferences).len(), 150);
}

#[test]
fn certificates_are_removed_by_serial_list_by_fingerprint_and_when_they_ended() {
    let partners: Vec<_> = (1..=5).map(partner).collect();
    let ended = TestCertificate::new("CN=ended").with_serial(&[9]).with_validity(0, NOW.as_secs() - 1).self_signed();
    let all: Vec<u8> = partners.iter().chain([&ended]).flat_map(pem).collect();
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    edit.add_ca(&bundle(), &all, None, None).unwrap();
    edit.set_ssl_host(&gateway(), &HostSettings::new().with_bundle(bundle(), ClientAuth::Require)).unwrap();
    let whole = edit.document().clone();
    let serials = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    assert_eq!(
        refused(edit.remove_ca(&bundle(), Removal::Serials(&serials(&["01", "77", "78"])))),
        "not-found: a certificate with serial number 77, 78 in bundle `partners` is not there: list what is"
    );
    assert_eq!(edit.document(), &whole);
    let removed = |changes: Result<Changes, EditError>| -> Vec<String> {
        let subject = |change: Change| match change {
            Change::CertificateRemoved { subject, .. } => subject.to_string(),
            other => other.to_string(),
        };
        changes.unwrap().into_iter().map(subject).collect()
    };
    assert_eq!(
        removed(edit.remove_ca(&bundle(), Removal::Serials(&serials(&["00:01", "03"])))),
        ["CN=partner 1", "CN=partner 3"]
    );
    assert_eq!(removed(edit.remove_ca(&bundle(), Removal::Expired(NOW))), ["CN=ended"]);
    assert_eq!(lines(edit.remove_ca(&bundle(), Removal::Expired(NOW))), ["no change"]);
    let second = partners[1].certificate().fingerprint();
    assert_eq!(removed(edit.remove_ca(&bundle(), Removal::Fingerprint(&second))), ["CN=partner 2"]);
    assert_eq!(
        refused(edit.remove_ca(&bundle(), Removal::Fingerprint(&second))),
        format!("not-found: a certificate {second} in bundle `partners` is not there: list what is")
    );
    assert_eq!(
        refused(edit.remove_ca(&"other".parse().unwrap(), Removal::Bundle)),
        "not-found: bundle `other` is not there: list what is"
    );
    // A host is not left with nobody to believe, nor without its bundle.
    assert_eq!(
        refused(edit.remove_ca(&bundle(), Removal::Serials(&serials(&["04", "05"])))),
        "new-problem: the document would have a new problem: hosts[+].bundle: host `gw` asks for a client certificate, but its bundle `partners` is empty: add a certificate to it (see also bundles[+])"
    );
    assert_eq!(
        refused(edit.remove_ca(&bundle(), Removal::Bundle)),
        "new-problem: the document would have a new problem: hosts[+].bundle: no bundle is named `partners`: define it under `bundles`, or correct the name"
    );
    let fourth = &partners[3];
    let listed = edit.document().list_cas(Some(&bundle()), &NoReferences);
    assert_eq!(listed.len(), 2);
    let line = format!(
        "partners pin - subject=\"CN=partner 4\" issuer=\"CN=partner 4\" serial=04 not-after=2027-11-30T12:00:00Z {}",
        fourth.certificate().fingerprint()
    );
    assert!(listed.iter().any(|one| one.to_string() == line && one.certificate() == fourth.certificate()));
    assert_eq!(edit.document().list_cas(None, &NoReferences), listed);
    assert!(edit.document().list_cas(Some(&"other".parse().unwrap()), &NoReferences).is_empty());
}

#[test]
fn the_documented_way_around_a_failed_removal_is_one_edit_after_the_other() {
    // Download, edit, add to a new bundle, switch the host, remove the old bundle.
    let (one, two) = (partner(1), partner(2));
    let mut document = beginning(&one);
    let mut edit = document.edit(&NoReferences);
    edit.add_ca(&bundle(), &pem(&two), None, None).unwrap();
    let kept: String = edit
        .document()
        .list_cas(Some(&bundle()), &NoReferences)
        .iter()
        .filter(|listed| listed.alias().is_none())
        .map(|listed| listed.certificate().to_pem())
        .collect();
    let next: BundleName = "partners-2".parse().unwrap();
    edit.add_ca(&next, kept.as_bytes(), None, None).unwrap();
    assert_eq!(
        lines(edit.set_ssl_host(&gateway(), &HostSettings::new().with_bundle(next, ClientAuth::Request))),
        ["~ host gw: bundle was partners, is partners-2", "~ host gw: client-auth was require, is request"]
    );
    assert_eq!(edit.remove_ca(&bundle(), Removal::Bundle).unwrap().as_slice().len(), 3);
    let policy = document.build(&NoReferences).unwrap();
    let host = policy.hosts().next().unwrap();
    assert_eq!((host.bundle().name().as_str(), host.bundle().len()), ("partners-2", 1));
}

#[test]
fn an_edit_that_adds_a_problem_is_refused_and_changes_nothing() {
    let acme = partner(1);
    let f = acme.certificate().fingerprint();
    let mut document = beginning(&acme);
    let mut edit = document.edit(&NoReferences);
    let selector = edit.selector("@acme").unwrap();
    edit.map(&CertUserMapping::new(selector.clone(), user("a"))).unwrap();
    let before = edit.document().clone();
    let new = "new-problem: the document would have a new problem:";
    let rule = "fleet".parse::<certmap::RuleName>().unwrap();
    let ca = TestCertificate::new("CN=other").as_ca().self_signed().certificate().fingerprint();
    let under: Selector = format!("under {ca} dns").parse().unwrap();
    for (result, expected) in [
        (
            edit.map(&CertUserMapping::new(selector.clone(), user("b"))),
            format!(
                "{new} mappings[+].match: `{f}` is mapped to user `a` and to `b`: remove one of the two rules (see also mappings[+].match)"
            ),
        ),
        (
            edit.map(&CertUserMapping::new(under.clone(), user("b"))),
            format!(
                "{new} mappings[+].match: `{under}` is written under {ca}, which is no anchor of any host's bundle: add the CA to the bundle as an anchor, or correct the fingerprint"
            ),
        ),
        (
            edit.assign(&RoleAssignment::to_rule(rule, SEND)),
            format!(
                "{new} assignments[+].rule: role `iflmap/ESBMessaging.send` is given to rule `fleet`, but no rule has that name: give the name to a rule, or the role to a user"
            ),
        ),
        (
            edit.deny(&Denial::key(acme.certificate().spki_fingerprint()), Some("-----BEGIN PRIVATE KEY-----")),
            format!(
                "{new} denials[+].note: a private key stands here: take it out, keep it where only its owner reads it, and treat it as disclosed if others could read this file"
            ),
        ),
        (
            edit.remove_ca(&bundle(), Removal::Fingerprint(&f)),
            format!(
                "{new} mappings[+].match: `@acme` at column 1 stands for no certificate: no certificate has this alias; hosts[+].bundle: host `gw` asks for a client certificate, but its bundle `partners` is empty: add a certificate to it (see also bundles[+])"
            ),
        ),
        (
            edit.set_ssl_host(
                &gateway(),
                &HostSettings::new().with_bundle("partner".parse().unwrap(), ClientAuth::None),
            ),
            format!("{new} hosts[+].bundle: no bundle is named `partner`: is `partners` meant?"),
        ),
        (
            edit.set_ssl_host(&"second".parse().unwrap(), &HostSettings::new()),
            format!("{new} hosts[+]: `bundle` is missing: say which bundle the host believes"),
        ),
        (
            edit.set_ssl_host(&"second".parse().unwrap(), &HostSettings::new().with_bundle(bundle(), ClientAuth::None)),
            format!(
                "{new} hosts[+].default: hosts `gw` and `second` are both the default host of listener `main`: give one of them server names, and do not make it the default (see also hosts[+].default)"
            ),
        ),
        (
            edit.remove_ssl_host(&gateway()),
            format!("{new} hosts: a host is missing: add one, because nobody can connect to none"),
        ),
    ] {
        assert_eq!(refused(result), expected);
    }
    assert_eq!(edit.document(), &before);
    assert_eq!(
        edit.selector("@acne").unwrap_err().to_string(),
        "`@acne` at column 1 stands for no certificate: no certificate has this alias, is `acme` meant?"
    );
    let said = |text: &str| edit.selector(text).unwrap_err().to_string();
    assert_eq!(said("acme"), "expected `@` before the name of a certificate at column 1");
    assert!(said("acne").starts_with("expected `@` and the name of a certificate, `sha256:`"), "{}", said("acne"));
    assert_eq!(refused(edit.remove_ssl_host(&"g".parse().unwrap())), "not-found: host `g` is not there: list what is");
}

#[test]
fn problems_that_are_there_do_not_stand_in_the_way() {
    let acme = partner(1);
    let text = toml::to_string(&beginning(&acme)).unwrap();
    let broken = "mappings = [{ match = \"@nobody\", user = \"a\" }, { match = \"@acme\", user = \"a\" }, { match = \"@acme\", user = \"b\" }]\nversion = 1";
    let mut document = read(&text.replace("version = 1", broken));
    assert_eq!(document.build(&NoReferences).unwrap_err().problems().len(), 2);
    let mut edit = document.edit(&NoReferences);
    edit.assign(&RoleAssignment::new(user("a"), SEND)).unwrap();
    edit.add_ca(&bundle(), &pem(&partner(2)), None, None).unwrap();
    // One of the problems goes with what made it.
    edit.unmap(&Selector::certificate(acme.certificate().fingerprint())).unwrap();
    assert_eq!(document.build(&NoReferences).unwrap_err().problems().len(), 1);
}

#[test]
fn a_host_is_set_key_by_key() {
    let mut document = beginning(&partner(1));
    let mut edit = document.edit(&NoReferences);
    let before = edit.document().clone();
    let names = || ["b.example", "a.example"].map(|name| name.parse().unwrap());
    let settings = HostSettings::new()
        .with_client_auth(ClientAuth::None)
        .with_listener("second".parse().unwrap())
        .with_server_names(names())
        .with_untrusted(UntrustedClients::LetDecide)
        .with_hints(Hints::All)
        .as_default();
    assert_eq!(
        lines(edit.set_ssl_host(&gateway(), &settings)),
        [
            "~ host gw: client-auth was require, is none",
            "~ host gw: listener was main, is second",
            "~ host gw: untrusted was refuse-in-handshake, is let-decide",
            "~ host gw: hints was none, is all",
            "~ host gw: server-names was nothing, is a.example, b.example",
            "~ host gw: default was false, is true",
        ]
    );
    assert_eq!(lines(edit.set_ssl_host(&gateway(), &settings)), ["no change"]);
    let back = HostSettings::new()
        .with_client_auth(ClientAuth::Require)
        .with_listener("main".parse().unwrap())
        .with_untrusted(UntrustedClients::RefuseInHandshake)
        .with_hints(Hints::None)
        .as_no_default();
    assert_eq!(edit.set_ssl_host(&gateway(), &back).unwrap().as_slice().len(), 5);
    let text = toml::to_string(edit.document()).unwrap();
    assert_eq!(read(&text.replace("server-names = [\"a.example\", \"b.example\"]\n", "")), before, "{text}");
    edit.set_ssl_host(&"second".parse().unwrap(), &HostSettings::new().with_bundle(bundle(), ClientAuth::None))
        .unwrap();
    assert_eq!(lines(edit.remove_ssl_host(&gateway())), ["- host gw"]);
}

#[test]
fn whoever_undoes_an_edit_has_the_document_of_before() {
    let partners: Vec<_> = (1..=6).map(partner).collect();
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let mut start = beginning(&partners[0]);
    start
        .edit(&NoReferences)
        .add_ca(&bundle(), &pem(&root), Some(AddedAs::Anchor), Some(&"corp".parse().unwrap()))
        .unwrap();
    // As it comes from a file, with a user who is only listed.
    let text = toml::to_string(&start).unwrap();
    let mut document = read(&text.replace("version = 1", "version = 1\nusers = [{ name = \"listed\" }]"));
    let mut random = fastrand::Rng::with_seed(9);
    for _ in 0..60 {
        let before = document.clone();
        let mut edit = document.edit(&NoReferences);
        let number = random.usize(1..6);
        let one = &partners[number];
        let (fingerprint, key) = (one.certificate().fingerprint(), one.certificate().spki_fingerprint());
        let name = user(random.choice(["a", "listed", "b c"]).unwrap());
        let keep = random.u8(0..4) == 0;
        let done = match random.u8(0..5) {
            0 => {
                let done = edit.add_ca(&bundle(), &pem(one), None, None).unwrap();
                if !done.is_empty() && !keep {
                    edit.remove_ca(&bundle(), Removal::Fingerprint(&fingerprint)).unwrap();
                }
                done
            }
            1 => {
                let rule = CertUserMapping::new(
                    edit.selector(&format!("under @corp dns \"d{number}.example\"")).unwrap(),
                    user("a"),
                );
                let done = edit.map(&rule).unwrap();
                if !done.is_empty() && !keep {
                    edit.unmap(rule.selector()).unwrap();
                }
                done
            }
            2 => {
                let role = RoleAssignment::new(name, format!("a/r{number}").parse().unwrap());
                let done = edit.assign(&role).unwrap();
                if !done.is_empty() && !keep {
                    edit.revoke(role.holder(), role.role()).unwrap();
                }
                done
            }
            3 => {
                let denial = Denial::key(key);
                let done = edit.deny(&denial, Some("note")).unwrap();
                if !done.is_empty() && !keep {
                    edit.allow(&denial).unwrap();
                }
                done
            }
            _ => {
                let done = edit.disable(&name).unwrap();
                if !done.is_empty() && !keep {
                    edit.enable(&name).unwrap();
                }
                done
            }
        };
        if !keep || done.is_empty() {
            assert_eq!(document, before, "{done}");
        } else {
            assert_ne!(document, before, "{done}");
        }
        // What was edited is read back as it is.
        assert_eq!(read(&toml::to_string(&document).unwrap()), document);
    }
}
