//! Every refusal code: its HTTP status, what it tells the operator, and that it tells the peer nothing.

use std::time::Duration;

use certmap::policy::ClientAuth;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestIdentity};
use certmap::trust::Entry;
use certmap::{
    Authority, Caller, CertUserMapping, Evidence, Host, Outcome, Policy, PolicyBuilder, PolicyHandle, Refusal,
    RefusalCode, Role, Selector, TrustBundle,
};

use crate::anchors::{builder, client, hierarchy, policy};
use crate::common::{SEND, one_partner, user};

/// Code, status, detail and cure; and that what a peer might see has no facts in it.
#[track_caller]
fn told(refusal: &Refusal, code: &str, status: u16, detail: &str, cure: &str) {
    assert_eq!((refusal.code().as_str(), refusal.http_status()), (code, status));
    assert_eq!(refusal.detail(), detail);
    assert_eq!(refusal.cure(), cure);
    assert_eq!(refusal.to_string(), format!("refused: {code}"));
}

#[track_caller]
fn refused(policy: &Policy, chain: &[impl AsRef<[u8]>], now: UnixTime) -> Refusal {
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), chain);
    let decision = policy.decide(&evidence, now);
    let refusal = decision.refusal().expect("refused").clone();
    let record = decision.record();
    assert_eq!((record.code(), record.user()), (Some(refusal.code().as_str()), None));
    assert_eq!(record.to_string().parse::<certmap::AuditRecord>().unwrap(), record);
    refusal
}

fn partner() -> TestIdentity {
    TestCertificate::new("CN=partner").self_signed()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn every_code_is_listed_once_and_is_401_or_421() {
    let codes: Vec<_> = RefusalCode::ALL.iter().map(|code| (code.as_str(), code.http_status())).collect();
    assert_eq!(
        codes,
        [
            ("ambiguous", 401),
            ("certificate-expired", 401),
            ("certificate-not-yet-valid", 401),
            ("certificate-revoked", 401),
            ("certificate-too-large", 401),
            ("chain-too-long", 401),
            ("denied", 401),
            ("key-not-proven", 401),
            ("misdirected", 421),
            ("no-certificate", 401),
            ("not-mapped", 401),
            ("path-invalid", 401),
            ("revocation-unknown", 401),
            ("too-many-rules", 401),
            ("unknown-host", 421),
            ("untrusted", 401),
            ("user-disabled", 401),
            ("user-name", 401),
            ("wrong-purpose", 401),
        ]
    );
}

#[test]
fn an_anonymous_peer_is_told_as_one_without_certificate_where_a_user_is_wanted() {
    let partner = partner();
    let mut trust = TrustBundle::new("b".parse().unwrap());
    trust.add_pin(partner.certificate().clone()).unwrap();
    let host = Host::new("gw".parse().unwrap(), trust).with_client_auth(ClientAuth::Request);
    let policy = PolicyBuilder::for_host(host).build().unwrap();
    let nothing = Evidence::after_handshake("gw".parse().unwrap(), [] as [&[u8]; 0]);
    let decision = policy.decide(&nothing, NOW);
    assert!(matches!(decision.outcome(), Outcome::Anonymous));
    let wanted = decision.into_result().unwrap_err();
    assert_eq!((wanted.policy(), wanted.at()), (policy.digest(), NOW));
    let required = refused(&one_partner(&partner), &[] as &[&[u8]], NOW);
    assert_eq!(wanted.refusal().to_string(), required.to_string());
    assert_eq!((wanted.refusal().detail(), wanted.refusal().cure()), (required.detail(), required.cure()));
}

#[test]
fn no_certificate() {
    let refusal = refused(&one_partner(&partner()), &[] as &[&[u8]], NOW);
    told(
        &refusal,
        "no-certificate",
        401,
        "no certificate was presented",
        "have the partner configure its client certificate for this connection (in SOAMANAGER: X.509 SSL client certificate)",
    );
}

#[test]
fn expired_and_not_yet_valid() {
    let partner = TestCertificate::new("CN=x").with_validity(1_700_000_000, 1_800_000_000).self_signed();
    let (policy, fingerprint) = (one_partner(&partner), partner.certificate().fingerprint());
    told(
        &refused(&policy, partner.chain(), at(1_800_000_001)),
        "certificate-expired",
        401,
        &format!("the validity of certificate {fingerprint} ended at 2027-01-15T08:00:00Z"),
        "have the partner renew its certificate, add the new one beside this one, then remove this one",
    );
    told(
        &refused(&policy, partner.chain(), at(1_699_999_999)),
        "certificate-not-yet-valid",
        401,
        &format!("the validity of certificate {fingerprint} begins at 2023-11-14T22:13:20Z"),
        "check the clocks of both sides, or wait until the validity begins",
    );
}

#[test]
fn untrusted_by_cause() {
    let pinned = TestCertificate::new("CN=partner").self_signed();
    let policy = one_partner(&pinned);
    let pin = pinned.certificate().fingerprint();
    let check =
        |chain: &[certmap::rustls::pki_types::CertificateDer<'static>], cause: &str, cure: &dyn Fn(&str) -> String| {
            let fingerprint = certmap::Fingerprint::of(&chain[0]).to_string();
            let detail = format!("nothing in bundle `partners` vouches for certificate {fingerprint}: {cause}");
            told(&refused(&policy, chain, NOW), "untrusted", 401, &detail, &cure(&fingerprint));
        };
    let stranger = TestCertificate::new("CN=stranger").self_signed();
    check(stranger.chain(), "it is not in the bundle", &|fingerprint| {
        format!("if this is a partner, add `{fingerprint}` to bundle `partners` as a pin and map it to a user")
    });
    // Beside anchors too: nobody should make it one.
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let anchored = crate::anchors::policy(&[&root], &[]);
    let own = stranger.certificate().fingerprint();
    let cure = format!("if this is a partner, add `{own}` to bundle `partners` as a pin and map it to a user");
    assert_eq!(refused(&anchored, stranger.chain(), NOW).cure(), cure);
    let renewed = TestCertificate::new("CN=renewed").with_key_of(&pinned).self_signed();
    check(
        renewed.chain(),
        &format!("it carries the key of the pinned certificate {pin}, but is another certificate"),
        &|fingerprint| {
            format!(
                "if the partner renewed its certificate, add `{fingerprint}` to bundle `partners` as a pin and map it to the same user"
            )
        },
    );
    let rekeyed = TestCertificate::new("CN=partner").self_signed();
    check(
        rekeyed.chain(),
        &format!("it carries the name of the pinned certificate {pin}, on another key"),
        &|fingerprint| {
            format!(
                "ask the partner whether it made a new key; only then add `{fingerprint}` to bundle `partners` as a pin and map it"
            )
        },
    );
    // What the partner had before it renewed is not to be pinned again.
    let before =
        |subject: &str| TestCertificate::new(subject).with_validity(NOW.as_secs() - 9_000_000, NOW.as_secs() + 9_000);
    for (old, what) in [
        (
            before("CN=partner").with_key_of(&pinned),
            format!("it carries the key of the pinned certificate {pin}, but is an older certificate"),
        ),
        (
            before("CN=partner"),
            format!("it carries the name of the pinned certificate {pin}, on another key and is older"),
        ),
    ] {
        check(old.self_signed().chain(), &what, &|_| {
            format!(
                "do not add it: if it is the partner's, it is the one before `{pin}`, which the partner has to present"
            )
        });
    }
    let minted = TestCertificate::new("CN=admin").issued_by(&pinned);
    check(
        minted.chain(),
        &format!("it claims to be issued by the pinned certificate {pin}, and a pin issues nothing"),
        &|_| "refuse it unless the partner explains it: a pin admits one certificate and issues none".to_owned(),
    );
    let ca = TestCertificate::new("CN=CA").with_ca_true().self_signed();
    let (policy_of_ca, client) = (one_partner(&ca), TestCertificate::new("CN=client").issued_by(&ca));
    let (ca, client_is) = (ca.certificate().fingerprint(), client.certificate().fingerprint());
    let refusal = refused(&policy_of_ca, client.chain(), NOW);
    assert_eq!(
        refusal.cure(),
        format!(
            "if this is a partner and its CA `{ca}` was pinned by mistake, pin this certificate, `{client_is}`, and take the CA out of bundle `partners`; if it is not, refuse it"
        )
    );
    let followed = [stranger.chain(), pinned.chain()].concat();
    check(
        &followed,
        &format!("the pinned certificate {pin} follows it in the chain, but only the first one counts"),
        &|_| "have the partner present the pinned certificate itself, as the first of its chain".to_owned(),
    );
    let junk = [certmap::rustls::pki_types::CertificateDer::from(vec![1, 2, 3])];
    let refusal = refused(&policy, &junk, NOW);
    assert_eq!(refusal.code(), RefusalCode::Untrusted);
    assert!(refusal.detail().contains("it cannot be read: this is no X.509 certificate"), "{}", refusal.detail());
    assert_eq!(refusal.cure(), "have the partner make a proper certificate");
}

#[test]
fn where_a_bundle_has_anchors_too_a_pin_or_a_self_issued_certificate_is_told_as_such() {
    let (root, _) = hierarchy();
    let pinned = TestCertificate::new("CN=partner").self_signed();
    let foreign = TestCertificate::new("CN=foreign").as_ca().self_signed();
    let bundle_of = |anchors: &[&TestIdentity]| {
        let mut both = crate::anchors::bundle(anchors);
        both.add_pin(pinned.certificate().clone()).unwrap();
        builder(both, &[&pinned]).build().unwrap()
    };
    let (anchored, pins_only) = (bundle_of(&[&root]), bundle_of(&[]));
    let told = |policy: &Policy, client: &TestIdentity| {
        refused(policy, client.chain(), NOW).detail().split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    for (client, with_anchors) in [
        (client("CN=p").issued_by(&foreign), "no anchor"),
        (client("CN=stranger").self_signed(), "nothing in"),
        (client("CN=admin").issued_by(&pinned), "nothing in"),
        (client("CN=partner").issued_by(&foreign), "nothing in"),
    ] {
        assert_eq!(told(&anchored, &client), with_anchors, "{}", client.certificate().subject());
        assert_eq!(told(&pins_only, &client), "nothing in", "{}", client.certificate().subject());
    }
}

#[test]
fn too_long_and_too_large() {
    let partner = partner();
    let policy = one_partner(&partner);
    let chain = vec![partner.chain()[0].clone(); 9];
    told(
        &refused(&policy, &chain, NOW),
        "chain-too-long",
        401,
        "9 certificates were presented, at most 8 are read",
        "have the partner present only its own certificate and its issuers",
    );
    told(
        &refused(&policy, &[vec![0x30; 16 * 1024 + 1]], NOW),
        "certificate-too-large",
        401,
        "the certificate has 16385 bytes, at most 16384 are read",
        "have the partner make a smaller certificate",
    );
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), &chain[..8]);
    assert!(policy.decide(&evidence, NOW).principal().is_some());
}

#[test]
fn a_certificate_for_other_uses_is_told_from_one_for_other_purposes() {
    let told_below = |anchor: &TestIdentity, client: TestIdentity, code: &str, cause: &str, cure: &str| {
        let fingerprint = client.certificate().fingerprint();
        let detail = format!(
            "no anchor in bundle `partners` vouches for certificate {fingerprint}: {}",
            cause.replace("{client}", &format!("certificate `CN=p` ({fingerprint})"))
        );
        told(&refused(&policy(&[anchor], &[&client]), client.chain(), NOW), code, 401, &detail, cure);
    };
    let (root, _) = hierarchy();
    told_below(
        &root,
        TestCertificate::new("CN=p").with_key_usage(&[KeyUsageBit::KeyEncipherment]).issued_by(&root),
        "path-invalid",
        "the certificate's key usage does not include digitalSignature",
        "have the CA issue a certificate with digitalSignature in its key usage, because a TLS client signs; or add this one as a pin",
    );
    told_below(
        &root,
        TestCertificate::new("CN=p").with_purpose(1).issued_by(&root),
        "wrong-purpose",
        "{client} is for other purposes than client authentication: it is for serverAuth",
        "have the CA issue a certificate with clientAuth in its extended key usage, or add this one as a pin",
    );
    let for_mail = TestCertificate::new("CN=mail").as_ca().with_purpose(4).self_signed();
    told_below(
        &for_mail,
        client("CN=p").issued_by(&for_mail),
        "wrong-purpose",
        &format!(
            "anchor `CN=mail` ({}) is for other purposes than client authentication: it is for emailProtection",
            for_mail.certificate().fingerprint()
        ),
        "have the partner get a certificate of a CA that issues for client authentication, or add this one as a pin",
    );
}

#[test]
fn a_pin_that_is_barred_for_its_purpose_is_no_matter_of_anchors() {
    let partner = TestCertificate::new("CN=p").with_purpose(1).self_signed();
    let fingerprint = partner.certificate().fingerprint();
    for entry in [Entry::pin, Entry::key_pin] {
        let mut bundle =
            TrustBundle::new("partners".parse().unwrap()).with_pin_purpose(certmap::trust::ClientPurpose::IfStated);
        bundle.add(entry(partner.certificate().clone()).unwrap()).unwrap();
        let refusal = refused(&builder(bundle, &[&partner]).build().unwrap(), partner.chain(), NOW);
        told(
            &refusal,
            "wrong-purpose",
            401,
            &format!(
                "certificate {fingerprint} is pinned in bundle `partners`, which asks pins to be for client authentication: it is for serverAuth"
            ),
            "have the partner make a certificate with clientAuth in its extended key usage, or let bundle `partners` ask no purpose of its pins",
        );
        assert_eq!(refusal.path_failure(), None);
    }
}

#[test]
fn not_mapped() {
    let (mapped, pinned) = (partner(), TestCertificate::new("CN=pinned").self_signed());
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    let fingerprint = bundle.add_pin(pinned.certificate().clone()).unwrap();
    let builder = PolicyBuilder::for_host(Host::new("default".parse().unwrap(), bundle));
    let policy = builder.partner(user("x"), mapped.certificate().clone(), []).build().unwrap();
    told(
        &refused(&policy, pinned.chain(), NOW),
        "not-mapped",
        401,
        &format!("no rule says whose certificate {fingerprint} is"),
        &format!("map `{fingerprint}` to a user"),
    );
}

#[test]
fn a_contradiction_is_a_build_error_so_nobody_is_ambiguous_in_this_version() {
    // Both selectors of a pinned certificate are known when the policy is built; the refusal waits for rules on names.
    let one = partner();
    let rule = |selector, name: &str| CertUserMapping::new(selector, user(name));
    let builder = PolicyBuilder::new()
        .partner(user("a"), one.certificate().clone(), [])
        .mapping(rule(Selector::key(one.certificate().spki_fingerprint()), "b"));
    assert_eq!(builder.build().unwrap_err().problems()[0].code(), "ambiguous-certificate");
}

#[test]
fn misdirected_and_unknown_host() {
    let partner = partner();
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    bundle.add_pin(partner.certificate().clone()).unwrap();
    let host = Host::new("gw".parse().unwrap(), bundle).with_server_names(["gw.example".parse().unwrap()]);
    let policy = PolicyBuilder::for_host(host).partner(user("x"), partner.certificate().clone(), []).build().unwrap();
    let handle = std::sync::Arc::new(PolicyHandle::new(policy));
    let caller =
        |host: &str| Caller::new(handle.clone(), Evidence::after_handshake(host.parse().unwrap(), partner.chain()));
    told(
        caller("gw").admit(Authority::Host("x\n.example"), NOW).unwrap_err().refusal(),
        "misdirected",
        421,
        "the request is for `x\\u{a}.example`, which host `gw` does not answer for",
        "have the client open a connection of its own for that host",
    );
    let no_host = caller("gw").admit(Authority::Host(""), NOW).unwrap_err();
    assert_eq!(no_host.refusal().detail(), "the request names no host, and host `gw` answers only for its own names");
    told(
        caller("other").admit(Authority::NotHttp, NOW).unwrap_err().refusal(),
        "unknown-host",
        421,
        "the connection was made to host `other`, which the policy in force does not have",
        "add host `other` to the policy, or have the client open another connection",
    );
}

#[test]
fn a_misdirected_request_leaves_a_record_of_its_own() {
    let partner = partner();
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    bundle.add_pin(partner.certificate().clone()).unwrap();
    let host = Host::new("gw".parse().unwrap(), bundle).with_server_names(["gw.example".parse().unwrap()]);
    let policy = PolicyBuilder::for_host(host).partner(user("x"), partner.certificate().clone(), []).build().unwrap();
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), partner.chain());
    let caller = Caller::new(std::sync::Arc::new(PolicyHandle::new(policy)), evidence);
    let record = caller.admit(Authority::Host("other.example"), NOW).unwrap_err().record();
    // The peer would be admitted, so that the record of the connection says another thing than that of the request.
    assert_eq!((record.code(), record.user()), (Some("misdirected"), None));
    assert_eq!(record.certificate(), Some(partner.certificate().fingerprint().to_string().as_str()));
    assert_eq!(caller.decide(NOW).record().user(), Some("x"));
}

#[test]
fn role_missing_is_another_type_and_403() {
    let partner = partner();
    let near: Role = "iflmap/ESBmessaging.send".parse().unwrap();
    let principal = |roles: Vec<Role>| {
        let policy =
            PolicyBuilder::new().partner(user("SAPERPUSER"), partner.certificate().clone(), roles).build().unwrap();
        let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), partner.chain());
        policy.decide(&evidence, NOW).principal().unwrap().clone()
    };
    let missing = principal(vec![near.clone()]).require(&SEND).unwrap_err();
    assert_eq!((missing.code(), missing.http_status(), missing.near_miss()), ("role-missing", 403, Some(&near)));
    assert_eq!(missing.to_string(), "role missing");
    assert_eq!(missing.detail(), "user `SAPERPUSER` does not have the role `iflmap/ESBMessaging.send`");
    assert_eq!(
        missing.cure(),
        "the user has `iflmap/ESBmessaging.send`: if that is meant, correct one of the two names to match the other"
    );
    let missing = principal(vec![Role::from_static("iflmap/Admin")]).require(&SEND).unwrap_err();
    assert_eq!(missing.near_miss(), None);
    assert_eq!(missing.cure(), "assign `iflmap/ESBMessaging.send` to `SAPERPUSER` if it may do this");
    let missing_elsewhere = principal(vec![Role::from_static("billing/ESBMessaging.send")]).require(&SEND).unwrap_err();
    assert_eq!(
        missing_elsewhere.cure(),
        "the user has `billing/ESBMessaging.send`, the same role of another application: assign `iflmap/ESBMessaging.send` to `SAPERPUSER` if it may do this"
    );
    // Of another application by case only is no other application.
    let missing_by_case = principal(vec!["IFLMAP/esbmessaging.SEND".parse().unwrap()]).require(&SEND).unwrap_err();
    assert_eq!(
        missing_by_case.cure(),
        "the user has `IFLMAP/esbmessaging.SEND`: if that is meant, correct one of the two names to match the other"
    );
    assert!(principal(vec![SEND]).require(&SEND).is_ok());
    let record = principal(vec![SEND]).record(NOW);
    assert_eq!((record.user(), record.code()), (Some("SAPERPUSER"), None));
    assert_eq!(record.outcome(), certmap::decision::RecordOutcome::Admitted);
    let record = missing.record(NOW).with_peer("192.0.2.7:40000".parse().unwrap());
    assert_eq!((record.user(), record.code()), (Some("SAPERPUSER"), Some("role-missing")));
    assert_eq!(record.certificate(), Some(partner.certificate().fingerprint().to_string().as_str()));
    assert_eq!(record.cure(), Some(missing.cure().as_str()));
    assert_eq!(record.to_string().parse::<certmap::AuditRecord>().unwrap(), record);
}

#[test]
fn an_admission_leaves_a_record_that_reads_back() {
    let partner = TestCertificate::new("CN=a\\0Ab\\\" user=admin").self_signed();
    let policy = one_partner(&partner);
    let evidence = Evidence::after_handshake(policy.hosts().next().unwrap().id().clone(), partner.chain());
    let record =
        policy.decide(&evidence, NOW).record().with_peer("192.0.2.7:40000".parse().unwrap()).with_connection("c-17");
    let fingerprint = partner.certificate().fingerprint();
    let line = record.to_string();
    let expected = format!(
        "certmap time=2026-12-01T12:00:00Z outcome=admitted host=default resumed=false peer=192.0.2.7:40000 user=SAPERPUSER rule={fingerprint} strength=certificate certificate={fingerprint} issuer=\"CN=a\\\\0Ab\\\\\\\" user=admin\" subject=\"CN=a\\\\0Ab\\\\\\\" user=admin\" policy={} connection=c-17",
        policy.digest()
    );
    assert_eq!(line, expected);
    assert_eq!(line.parse::<certmap::AuditRecord>().unwrap(), record);
}

#[test]
fn what_belongs_to_a_decision_prints_as_one_line_without_what_the_peer_wrote() {
    let (policy, stranger) = (one_partner(&partner()), TestCertificate::new("CN=stranger").self_signed());
    let evidence = Evidence::after_handshake("default".parse().unwrap(), stranger.chain());
    let decision = policy.decide(&evidence, NOW);
    assert_eq!(decision.to_string(), decision.record().to_string());
    assert_eq!(format!("{evidence:?}"), "Evidence(default, 1 certificates, resumed: false)");
    let refused = decision.into_result().unwrap_err();
    assert_eq!(refused.to_string(), "refused: untrusted");
    assert_eq!(format!("{:?}", refused.refusal()), format!("Refusal(untrusted: {})", refused.refusal().detail()));
    let caller = Caller::new(std::sync::Arc::new(PolicyHandle::new(policy)), evidence);
    assert_eq!(format!("{caller:?}"), "Caller(Evidence(default, 1 certificates, resumed: false))");
}
