//! A partner below a sloppy CA wants to be somebody else, and an operator who writes a rule a little wrong: nobody is admitted
//! by mistake, and what a rule does not protect from is told too.

use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, RefusalCode, Strength};

use crate::anchors::{bundle, client, decide_at, hierarchy, refusal};
use crate::fleets::{NOBODY, dns, exact, of, policy, rule, who};

const HOST: &str = "api.acme.example";

/// A root, the CA that checks what it signs, and the one that signs everything.
fn careful_and_sloppy() -> (TestIdentity, TestIdentity, TestIdentity) {
    let (root, careful) = hierarchy();
    let sloppy = TestCertificate::new("CN=sloppy").as_ca().with_serial(&[3]).issued_by(&root);
    (root, careful, sloppy)
}

#[test]
fn a_name_from_a_sloppy_ca_is_worth_what_the_rule_says() {
    let (root, careful, sloppy) = careful_and_sloppy();
    let (honest, thief) = (dns(HOST).issued_by(&careful), dns(HOST).issued_by(&sloppy));
    let (key, fingerprint) = (careful.certificate().spki_fingerprint(), careful.certificate().fingerprint());
    let with = |path: &str| policy(bundle(&[&root]), [rule(&root, &format!("{path} dns \"{HOST}\""), "\"api\"")]);
    // A root vouches for all its children; the strength says so, and a role can ask for more.
    let whole = with("");
    assert_eq!((who(&whole, &honest), who(&whole, &thief)), (of("api"), of("api")));
    let decision = decide_at(&whole, thief.chain_without_root(), NOW);
    assert_eq!(decision.principal().unwrap().strength(), Strength::Name);
    for path in
        [format!("issued-by {key}"), format!("through {fingerprint}"), format!("through {fingerprint} issued-by {key}")]
    {
        let bound = with(&path);
        assert_eq!((who(&bound, &honest), who(&bound, &thief)), (of("api"), NOBODY), "{path}");
        // The careful CA's certificate beside the path is not on it.
        let beside = [&thief.chain()[0], &thief.chain()[1], &careful.chain()[0]];
        assert_eq!(decide_at(&bound, &beside, NOW).refusal().unwrap().code(), RefusalCode::NotMapped, "{path}");
        // Its name is not its key: neither on an intermediate of the sloppy one nor as an issuer that did not sign.
        let twin = TestCertificate::new("CN=issuing").as_ca().with_serial(&[2]).issued_by(&sloppy);
        assert_eq!(who(&bound, &dns(HOST).issued_by(&twin)), NOBODY, "{path}");
        let forged = dns(HOST).signed_with_wrong_key(&careful, &sloppy);
        assert_eq!(who(&bound, &forged), Err(RefusalCode::PathInvalid), "{path}");
        // A CA that the careful one lets sign is not it, but below it.
        let below = TestCertificate::new("CN=below").as_ca().issued_by(&careful);
        let expected = if path.contains("issued-by") { NOBODY } else { of("api") };
        assert_eq!(who(&bound, &dns(HOST).issued_by(&below)), expected, "{path}");
    }
}

#[test]
fn whoever_carries_a_stolen_name_oddly_is_nobody() {
    let (root, _, sloppy) = careful_and_sloppy();
    let by_dns = policy(bundle(&[&root]), [rule(&root, &format!("dns \"{HOST}\""), "\"api\"")]);
    let by_cn = policy(bundle(&[&root]), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    let by_subject = policy(bundle(&[&root]), [rule(&root, "subject \"CN=admin,O=Acme\"", "\"admin\"")]);
    let names = |names: &[TestName<'_>]| client("O=Thief").with_alternative_names(names).issued_by(&sloppy);
    for odd in [
        vec![TestName::Dns("thief.example"), TestName::Dns(HOST)],
        vec![TestName::Dns(HOST), TestName::Dns(HOST)],
        vec![TestName::Dns(HOST), TestName::Dns("*.example")],
        vec![TestName::Dns("API.acme.example")],
        vec![TestName::Dns("api.acme.example.")],
        vec![TestName::Dns("*.acme.example")],
        vec![TestName::Uri("dns:api.acme.example")],
        vec![TestName::Email("x@api.acme.example")],
        vec![TestName::Other("1.2.3.4", b"\x0c\x10api.acme.example")],
        vec![TestName::Directory("CN=api.acme.example")],
        vec![TestName::Raw(0x82, b"api.acme.example\0.thief.example")],
        vec![TestName::Dns(HOST), TestName::Raw(0x81, b"x@y\n")],
    ] {
        // webpki refuses some of them before rules are asked.
        assert!(who(&by_dns, &names(&odd)).is_err(), "{odd:?}");
    }
    for odd in [
        "CN=admin,CN=thief",
        "CN=admin+OU=x",
        "CN=Admin",
        "CN=admin\\ ",
        "CN=\\ admin",
        "CN=adm\\C4\\B1n",
        "CN=admin\\00",
        "CN=admin\\E2\\80\\8B",
        "CN=#140561646d696e",
        "CN=#1e0a00610064006d0069006e",
        "O=x\\, CN\\=admin",
        "UID=admin",
    ] {
        assert_eq!(who(&by_cn, &client(odd).issued_by(&sloppy)), NOBODY, "{odd}");
    }
    for odd in ["O=Acme,CN=admin", "CN=admin,O=Acme,C=DE", "CN=admin,OU=x,O=Acme", "CN=admin+O=Acme", "CN=admin,O=acme"]
    {
        assert_eq!(who(&by_subject, &client(odd).issued_by(&sloppy)), NOBODY, "{odd}");
    }
    assert_eq!(who(&by_subject, &client("CN=admin,O=Acme").issued_by(&sloppy)), of("admin"), "and so it is stolen");
}

#[test]
fn a_second_name_locks_out_its_own_certificate_only() {
    let (root, careful, sloppy) = careful_and_sloppy();
    let rules =
        || ["alpha", "beta"].map(|name| rule(&root, &format!("dns any \"{name}.example\""), &format!("\"{name}\"")));
    let policy = policy(bundle(&[&root]), rules());
    let both = [TestName::Dns("alpha.example"), TestName::Dns("beta.example")];
    let greedy = client("O=Thief").with_alternative_names(&both).issued_by(&sloppy);
    assert_eq!(who(&policy, &greedy), Err(RefusalCode::Ambiguous));
    for name in ["alpha", "beta"] {
        assert_eq!(who(&policy, &dns(&format!("{name}.example")).issued_by(&careful)), of(name));
    }
}

#[test]
fn a_device_ca_names_no_partner_and_no_other_fleet() {
    let (root, careful, sloppy) = careful_and_sloppy();
    let (key, careful_key) = (sloppy.certificate().spki_fingerprint(), careful.certificate().spki_fingerprint());
    let devices = rule(&root, &format!("issued-by {key} attribute CN"), r#""iot/" + attribute CN"#);
    let staff = rule(&root, &format!("issued-by {careful_key} attribute CN"), r#"attribute CN among ("billing")"#);
    let policy = policy(bundle(&[&root]), [devices, staff]);
    assert_eq!(who(&policy, &client("CN=billing").issued_by(&careful)), of("billing"));
    assert_eq!(who(&policy, &client("CN=billing").issued_by(&sloppy)), of("iot/billing"));
    for hostile in ["CN=../billing", "CN=/billing", "CN=x/../../billing", "CN=*"] {
        assert_eq!(who(&policy, &client(hostile).issued_by(&sloppy)), Err(RefusalCode::UserName), "{hostile}");
    }
}

#[test]
fn an_ambiguous_certificate_is_told_how_to_be_one_user() {
    let (root, careful, _) = careful_and_sloppy();
    let device = client("CN=pump,OU=Ops").with_alternative_names(&[TestName::Dns(HOST)]).issued_by(&careful);
    let by_name = || rule(&root, &format!("dns \"{HOST}\""), "\"api\"").with_name("hosts".parse().unwrap());
    let cure = |other: CertUserMapping| {
        refusal(&policy(bundle(&[&root]), [by_name(), other]), device.chain_without_root()).cure()
    };
    let fingerprint = device.certificate().fingerprint();
    assert_eq!(
        cure(exact(&device, "pump")),
        format!(
            "remove the rule `{fingerprint}` or the rule `hosts`, or declare the one for exactly this certificate an exception over name rules"
        )
    );
    let ops = rule(&root, "attribute OU \"Ops\"", "\"ops\"").with_name("ops".parse().unwrap());
    assert_eq!(
        cure(ops),
        format!(
            "remove the rule `hosts` or the rule `ops`, or map `{fingerprint}` to a user, as an exception over name rules"
        )
    );
}
