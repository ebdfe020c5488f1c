//! What went wrong elsewhere with trust anchors, pins and chains, one test for each row of `corpus.md`.

use std::sync::Arc;

use certmap::rustls::RootCertStore;
use certmap::rustls::pki_types::pem::PemObject as _;
use certmap::rustls::pki_types::{CertificateDer, alg_id};
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestClock, TestIdentity, TestName, handshake};
use certmap::trust::{ClientPurpose, Entry, PathFailure, TrustError};
use certmap::{Certificate, ClientConfigBuilder, Endpoint, PolicyHandle, RefusalCode, TrustBundle};

use crate::anchors::{builder, bundle, client, decide_at, hierarchy};
use crate::common::{Backend, Gateway, SERVER, Version, everywhere, user};
use crate::naive::{Attack, Naive, pins};
use crate::parts::{Parts, algorithm, sequence, tlv};

fn named(name: &str) -> TestCertificate {
    TestCertificate::new(name)
}

fn key_pin(partner: &TestIdentity) -> TrustBundle {
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    bundle.add_key_pin(partner.certificate().clone()).unwrap();
    bundle
}

/// The failure of a path that is not valid.
#[track_caller]
fn failure(attack: &Attack) -> PathFailure {
    let decision = attack.decision();
    decision.refusal().and_then(|refusal| refusal.path_failure()).unwrap_or_else(|| panic!("{decision}")).clone()
}

#[test]
fn tr_01_leaf_trust_by_serial_and_key_identifier() {
    let partner = || {
        let names = [TestName::Dns("erp.example"), TestName::Email("erp@example.com")];
        let made = named("CN=partner,O=Acme").with_serial(&[7]).with_key_identifier(&[1, 2, 3]);
        made.with_extension("2.5.29.35", false, &[0x30, 5, 0x80, 3, 1, 2, 3]).with_alternative_names(&names)
    };
    let (pinned, forged) = (partner().self_signed(), partner().self_signed());
    Attack::on(&pins(&[&pinned]), forged.chain()).refused(RefusalCode::Untrusted).naively_refused();
    Attack::on(&key_pin(&pinned), forged.chain()).refused(RefusalCode::Untrusted).naively_refused();
}

#[test]
fn tr_02_the_pinned_key_under_another_name() {
    let pinned = named("CN=partner").self_signed();
    let admin = named("CN=admin").with_issuer_name("CN=partner").with_key_of(&pinned).self_signed();
    Attack::on(&pins(&[&pinned]), admin.chain()).refused(RefusalCode::Untrusted).naively("admin");
    // Whoever pins the key says so, and then only the key says who it is: no name is believed.
    let attack = Attack::on(&key_pin(&pinned), admin.chain());
    assert_eq!(attack.admitted().decision().principal().unwrap().strength(), certmap::Strength::Key);
    attack.naively("admin");
}

#[test]
fn tr_03_a_pin_as_issuer_one_and_two_levels_up() {
    let pinned = named("CN=partner").self_signed();
    let direct = client("CN=admin").issued_by(&pinned);
    let below = client("CN=admin").issued_by(&named("CN=sub").as_ca().issued_by(&pinned));
    for trust in [pins(&[&pinned]), key_pin(&pinned)] {
        Attack::on(&trust, direct.chain()).refused(RefusalCode::Untrusted).naively("admin");
        Attack::on(&trust, below.chain_without_root()).refused(RefusalCode::Untrusted).naively("admin");
    }
}

#[test]
fn tr_04_an_anchor_that_has_expired() {
    let last = NOW.as_secs() - 1;
    let ca = named("CN=ca").as_ca().with_validity(1, last).self_signed();
    let partner = client("CN=partner").issued_by(&ca);
    let attack = Attack::on(&bundle(&[&ca]), partner.chain());
    attack.refused(RefusalCode::CertificateExpired).naively("partner");
    assert!(failure(&attack).to_string().starts_with("the validity of anchor `CN=ca`"));
}

#[test]
fn tr_05_an_anchor_that_is_none() {
    let good = named("CN=good").as_ca().self_signed();
    let critical = named("CN=bad").as_ca().with_extension("1.2.3", true, &[5, 0]);
    let no_sign = named("CN=bad").with_ca_true().with_key_usage(&[KeyUsageBit::CrlSign]);
    for bad in [named("CN=bad"), named("CN=bad").with_ca_false(), critical, no_sign] {
        let bad = bad.self_signed();
        let file = good.certificate().to_pem() + &bad.certificate().to_pem();
        let mut trust = bundle(&[]);
        let TrustError::NotAnAnchor { fingerprint, .. } = trust.add_anchors_pem(file.as_bytes()).unwrap_err() else {
            panic!()
        };
        assert_eq!((fingerprint, trust.len()), (bad.certificate().fingerprint(), 0));
        // Pinned, it is what the naive build has: it issues there, and nothing here.
        let admin = client("CN=admin").issued_by(&bad);
        Attack::on(&pins(&[&bad]), admin.chain()).refused(RefusalCode::Untrusted).naively("admin");
    }
}

#[test]
fn tr_06_an_intermediate_without_key_cert_sign() {
    let root = named("CN=root").as_ca().self_signed();
    for usage in [KeyUsageBit::DigitalSignature, KeyUsageBit::CrlSign] {
        let odd = named("CN=odd").with_ca_true().with_key_usage(&[usage]).issued_by(&root);
        let partner = client("CN=partner").issued_by(&odd);
        let attack = Attack::on(&bundle(&[&root]), partner.chain_without_root());
        attack.refused(RefusalCode::PathInvalid).naively("partner");
        assert!(matches!(failure(&attack), PathFailure::Issuer { .. }));
    }
}

/// Calls with this chain and key; the user, or the code of the refusal.
fn call(gateway: &Gateway, chain: &[&TestIdentity], key: &TestIdentity, backend: Backend, version: Version) -> String {
    let chain = chain.iter().map(|one| one.chain()[0].clone()).collect();
    let mut client = gateway.client(key.identity_on(&backend.provider()), backend, version);
    let key = backend.provider().key_provider.load_private_key(key.key()).unwrap();
    client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
    let ends = gateway.call(client);
    gateway.refusal(&ends).unwrap_or_else(|| {
        let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
        caller.decide(NOW).principal().unwrap().user().to_string()
    })
}

#[test]
fn tr_07_the_identity_of_another_certificate_of_the_chain() {
    let (root, _) = hierarchy();
    let [victim, other] = ["CN=victim", "CN=other"].map(|name| client(name).issued_by(&root));
    for trust in [bundle(&[&root]), pins(&[&victim, &other])] {
        let rule = |name: &str, of: &TestIdentity| {
            certmap::CertUserMapping::new(certmap::Selector::key(of.certificate().spki_fingerprint()), user(name))
        };
        let rules = [rule("victim", &victim), rule("other", &other)];
        for (backend, version) in everywhere() {
            let policy = builder(trust.clone(), &[]).mappings(rules.clone()).build_with_provider(&backend.provider());
            let gateway = Gateway::new(policy.unwrap(), backend);
            let call = |chain: &[&TestIdentity]| call(&gateway, chain, &other, backend, version);
            assert_eq!(call(&[&other, &victim]), "other", "{backend:?} {version:?}");
            assert_eq!(call(&[&other, &other, &victim, &victim]), "other", "{backend:?} {version:?}");
            assert_eq!(call(&[&victim, &other]), "key-not-proven", "{backend:?} {version:?}");
        }
    }
}

#[test]
fn tr_08_the_ca_of_the_server_vouches_for_no_client() {
    let (public, partners) = (named("CN=public").as_ca().self_signed(), named("CN=partners").as_ca().self_signed());
    let visitor = client("CN=visitor").issued_by(&public);
    Attack::on(&bundle(&[&partners]), visitor.chain()).refused(RefusalCode::Untrusted);
    // The naive build that takes its server's chain for its trust.
    Attack::on(&bundle(&[&partners, &public]), visitor.chain()).naively("visitor");
    // Our server's identity is no part of what it trusts.
    let server = named("CN=gateway").with_server_name(SERVER).issued_by(&public);
    let policy = builder(bundle(&[&partners]), &[&visitor]).build().unwrap();
    let handle = Arc::new(PolicyHandle::new(policy));
    let endpoint = Endpoint::single(handle, server.identity()).unwrap().with_time_provider(TestClock::at(NOW));
    let built = ClientConfigBuilder::new(visitor.identity(), bundle(&[&public])).build();
    let mut config = built.unwrap();
    config.time_provider = TestClock::at(NOW);
    let ends = handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER);
    let refused = endpoint.only().unwrap().refused(ends.server_error.as_ref().unwrap(), NOW).unwrap();
    assert_eq!(refused.code(), RefusalCode::Untrusted);
}

/// Anchors that the naive build has after it read this file: it skips what it cannot read.
pub fn naive_anchors(file: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(file).flatten());
    roots
}

#[test]
fn tr_09_a_file_of_cas_that_is_missing_a_part() {
    let pem = |name: &str| named(name).as_ca().self_signed().certificate().to_pem();
    let (one, two) = (pem("CN=one"), pem("CN=two"));
    let whole = one.clone() + &two;
    let damaged = one.clone() + &two.replacen("MII", "AAAA", 1);
    let rows: [(&str, Vec<u8>, usize); 7] = [
        ("empty", Vec::new(), 0),
        ("no PEM", b"certificates follow next week".to_vec(), 0),
        ("cut off", whole.as_bytes()[..whole.len() - 40].to_vec(), 1),
        ("one of two damaged", damaged.into_bytes(), 1),
        ("first line damaged", whole.replacen("-----BEGIN C", "----BEGIN C", 1).into_bytes(), 1),
        ("another label", whole.replacen(" CERTIFICATE", " TRUSTED CERTIFICATE", 2).into_bytes(), 1),
        (
            "a key among them",
            (one.clone() + "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n").into_bytes(),
            1,
        ),
    ];
    for (name, file, naive) in rows {
        let mut trust = bundle(&[]);
        assert!(matches!(trust.add_anchors_pem(&file), Err(TrustError::Unreadable(_))), "{name}");
        assert_eq!((trust.len(), naive_anchors(&file).len()), (0, naive), "{name}: no error there");
    }
    // A byte order mark is no reason to lose the first certificate.
    let marked = ["\u{feff}", &whole].concat();
    assert_eq!(bundle(&[]).add_anchors_pem(marked.as_bytes()).unwrap().len(), 2);
    assert_eq!(naive_anchors(marked.as_bytes()).len(), 1);
}

#[test]
fn tr_10_nobody_to_trust_is_an_error_and_not_everybody() {
    let error = builder(bundle(&[]), &[]).build().unwrap_err();
    assert_eq!(error.problems()[0].code(), "empty-bundle");
    assert!(Naive::new(&bundle(&[]), &[]).is_err());
}

#[test]
fn tr_13_a_stricter_option_admits_nobody_more() {
    let (root, issuing) = hierarchy();
    let stranger = named("CN=stranger").as_ca().self_signed();
    let broken = [
        client("CN=p").with_validity(1, 2).issued_by(&issuing),
        client("CN=p").signed_with_wrong_key(&issuing, &stranger),
        client("CN=p").issued_by(&client("CN=leaf").issued_by(&issuing)),
        client("CN=p").with_extension("1.2.3", true, &[5, 0]).issued_by(&issuing),
        client("CN=p").issued_by(&stranger),
        named("CN=p").as_ca().issued_by(&issuing),
    ];
    for partner in broken {
        let options = [None, Some(ClientPurpose::IfStated), Some(ClientPurpose::Required)];
        for (path, pin) in options.iter().flat_map(|path| options.iter().map(move |pin| (*path, *pin))) {
            let mut trust = bundle(&[&root]);
            trust = path.map_or(trust.clone(), |path| trust.with_purpose(path));
            trust = pin.map_or(trust.clone(), |pin| trust.with_pin_purpose(pin));
            let policy = builder(trust, &[&partner]).build().unwrap();
            for chain in [partner.chain(), partner.chain_without_root(), &partner.chain()[..1]] {
                assert!(decide_at(&policy, chain, NOW).principal().is_none(), "{partner:?}");
            }
        }
    }
}

#[test]
fn tr_14_a_certificate_of_a_client_on_an_alternate_chain_as_ca() {
    let root = named("CN=root").as_ca().self_signed();
    // Of one name: the CA, and a client's certificate that the same root issued.
    let real = named("CN=issuing").as_ca().issued_by(&root);
    let leaf = client("CN=issuing").issued_by(&root);
    let admin = client("CN=admin").issued_by(&leaf);
    let own = &admin.chain()[0];
    for others in [vec![&real, &leaf], vec![&leaf, &real], vec![&leaf]] {
        let chain: Vec<_> = std::iter::once(own).chain(others.iter().map(|one| &one.chain()[0])).collect();
        let attack = Attack::on(&bundle(&[&root]), &chain);
        attack.refused(RefusalCode::PathInvalid).naively_refused();
    }
}

#[test]
fn tr_15_a_key_on_a_curve_of_the_peers_own_making() {
    let root = named("CN=root").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&root);
    // The same point, on a curve whose parameters stand beside it.
    let mut parts = Parts::of(&partner);
    let point = crate::parts::inside(&parts.public_key)[1].clone();
    let curve = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1][..], &sequence(&[&[2, 1, 1]])].concat();
    parts.public_key = sequence(&[&algorithm(curve), &point]);
    let forged = parts.signed_by(&root);
    let certificate = Certificate::from_der(&forged).unwrap();
    assert_ne!(certificate.spki_fingerprint(), partner.certificate().spki_fingerprint());
    assert!(matches!(Entry::pin(certificate), Err(TrustError::UnfitKey { .. })));
    Attack::on(&key_pin(&partner), &[&forged]).refused(RefusalCode::Untrusted).naively_refused();
    let attack = Attack::on(&bundle(&[&root]), &[&forged]);
    attack.refused(RefusalCode::PathInvalid).naively("partner");
}

#[test]
fn tr_16_a_certificate_for_another_purpose() {
    let root = named("CN=root").as_ca().self_signed();
    let attack = |partner: &TestIdentity| Attack::on(&bundle(&[&root]), partner.chain_without_root());
    for purposes in [&[1][..], &[4], &[3], &[8, 9], &[]] {
        let leaf = named("CN=partner").with_purposes(purposes).issued_by(&root);
        attack(&leaf).refused(RefusalCode::WrongPurpose).naively_refused();
        let ca = named("CN=ca").as_ca().with_purposes(purposes).issued_by(&root);
        attack(&client("CN=partner").issued_by(&ca)).refused(RefusalCode::WrongPurpose).naively_refused();
    }
    attack(&named("CN=partner").with_any_purpose().issued_by(&root)).refused(RefusalCode::WrongPurpose);
    // Of the anchor itself the naive build knows nothing but name and key.
    let for_mail = named("CN=mail").as_ca().with_purpose(4).self_signed();
    let below = client("CN=partner").issued_by(&for_mail);
    Attack::on(&bundle(&[&for_mail]), below.chain()).refused(RefusalCode::WrongPurpose).naively("partner");
}

#[test]
fn tr_18_trusted_and_named_by_no_rule() {
    let root = named("CN=root").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&root);
    let policy = builder(bundle(&[&root]), &[]).build().unwrap();
    let decision = decide_at(&policy, partner.chain(), NOW);
    assert_eq!(decision.refusal().unwrap().code(), RefusalCode::NotMapped);
    // Everybody who has a name is somebody there.
    Attack::on(&bundle(&[&root]), partner.chain()).naively("partner");
}

#[test]
fn tr_19_eleven_files_that_people_call_pem() {
    let ca = named("CN=ca").as_ca().self_signed();
    let (pem, der) = (ca.certificate().to_pem(), ca.certificate().der().to_vec());
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let relabelled = |label: &str| pem.replace(" CERTIFICATE", &format!(" {label}")).into_bytes();
    let rows: [(&str, Vec<u8>, Option<usize>, usize); 11] = [
        ("PEM", pem.clone().into_bytes(), Some(1), 1),
        ("CRLF", pem.replace('\n', "\r\n").into_bytes(), Some(1), 1),
        ("byte order mark", ["\u{feff}", &pem].concat().into_bytes(), Some(1), 0),
        ("text around", ["subject: ca\n", &pem, "end\n"].concat().into_bytes(), Some(1), 1),
        ("DER", der, Some(1), 0),
        ("bare base64", body.into_bytes(), Some(1), 0),
        ("OpenSSL's old label", relabelled("X509 CERTIFICATE"), Some(1), 0),
        ("trusted certificate", relabelled("TRUSTED CERTIFICATE"), None, 0),
        ("PKCS#7", relabelled("PKCS7"), None, 0),
        ("UTF-16", pem.encode_utf16().flat_map(u16::to_le_bytes).collect(), None, 0),
        ("blank", b" \n\n".to_vec(), None, 0),
    ];
    for (name, file, ours, naive) in rows {
        let added = bundle(&[]).add_anchors_pem(&file).ok().map(|added| added.len());
        assert_eq!((added, naive_anchors(&file).len()), (ours, naive), "{name}");
    }
}

#[test]
fn tr_20_a_key_usage_that_is_not_for_signing() {
    let root = named("CN=root").as_ca().self_signed();
    for usage in
        [KeyUsageBit::KeyEncipherment, KeyUsageBit::KeyAgreement, KeyUsageBit::KeyCertSign, KeyUsageBit::CrlSign]
    {
        let partner = named("CN=partner").with_key_usage(&[usage]).issued_by(&root);
        Attack::on(&bundle(&[&root]), partner.chain()).refused(RefusalCode::PathInvalid).naively("partner");
    }
    let plain = named("CN=partner").issued_by(&root);
    Attack::on(&bundle(&[&root]), plain.chain()).admitted().naively("partner");
    let strict = bundle(&[&root]).with_purpose(ClientPurpose::Required);
    Attack::on(&strict, plain.chain()).refused(RefusalCode::WrongPurpose).naively("partner");
}

/// Issued to `names` by a CA with these name constraints; both builds refuse, and we say why.
#[track_caller]
fn constrained(permitted: &[TestName<'_>], excluded: &[TestName<'_>], names: &[TestName<'_>]) {
    for critical in [true, false] {
        let root = named("CN=root").as_ca().self_signed();
        let ca = named("CN=ca").as_ca().with_name_constraints(permitted, excluded, critical).issued_by(&root);
        let partner = match names {
            [] => client("CN=partner"),
            names => client("CN=partner").with_alternative_names(names),
        };
        let partner = partner.issued_by(&ca);
        let attack = Attack::on(&bundle(&[&root]), partner.chain_without_root());
        attack.refused(RefusalCode::PathInvalid).naively_refused();
        assert!(matches!(failure(&attack), PathFailure::NameConstraint { .. }), "{}", failure(&attack));
    }
}

#[test]
fn tr_21_name_constraints_of_a_kind_that_is_not_processed() {
    let (acme, mail) = (TestName::Directory("O=Acme"), TestName::Email("acme.example"));
    let uri = TestName::Uri("acme.example");
    constrained(&[acme], &[], &[]);
    constrained(&[], &[TestName::Directory("CN=partner")], &[]);
    constrained(&[mail], &[], &[TestName::Email("erp@acme.example")]);
    constrained(&[], &[mail], &[TestName::Email("erp@elsewhere.example")]);
    constrained(&[uri], &[], &[TestName::Uri("https://acme.example/")]);
    constrained(&[], &[uri], &[TestName::Uri("https://evil.example/")]);
    let upn = TestName::Upn("erp@acme.example");
    constrained(&[upn], &[], &[upn]);
    constrained(&[TestName::RegisteredId("1.2.3")], &[], &[TestName::RegisteredId("1.2.3")]);
}

#[test]
fn tr_22_names_that_slip_past_name_constraints() {
    let (acme, evil) = (TestName::Dns("acme.example"), TestName::Dns("evil.example"));
    constrained(&[acme], &[], &[evil]);
    constrained(&[acme], &[], &[TestName::Dns("acme.example"), evil]);
    constrained(&[acme], &[], &[TestName::Dns("*.example")]);
    constrained(&[acme], &[], &[TestName::Dns("notacme.example")]);
    constrained(&[], &[evil], &[TestName::Dns("a.EVIL.Example")]);
    constrained(&[], &[evil], &[TestName::Dns("*.evil.example")]);
    constrained(&[], &[TestName::Dns("www.evil.example")], &[TestName::Dns("*.evil.example")]);
    let mails = [TestName::Email("a@acme.example"), TestName::Email("b@evil.example")];
    constrained(&[TestName::Email("acme.example"), TestName::Email("b.example")], &[], &mails);
    let net = |text: &str, bits| TestName::Network(text.parse().unwrap(), bits);
    constrained(&[net("10.0.0.0", 8)], &[], &[TestName::Ip("::ffff:10.0.0.1".parse().unwrap())]);
    constrained(&[], &[net("10.0.0.0", 8)], &[TestName::Ip("10.255.0.1".parse().unwrap())]);
}

#[test]
fn tr_23_a_common_name_that_looks_like_a_dns_name() {
    let root = named("CN=root").as_ca().self_signed();
    let partner = named("CN=partner").self_signed();
    let server = |certificate: TestCertificate| {
        let handle = Arc::new(PolicyHandle::new(crate::common::one_partner(&partner)));
        let endpoint = Endpoint::single(handle, certificate.issued_by(&root).identity()).unwrap();
        let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
        let mut config = ClientConfigBuilder::new(partner.identity(), bundle(&[&root])).build().unwrap();
        config.time_provider = TestClock::at(NOW);
        handshake(Arc::new(config), endpoint.only().unwrap().config(), SERVER).client_error
    };
    assert!(server(named(&format!("CN={SERVER}"))).is_some());
    assert!(server(named(&format!("CN={SERVER}")).with_server_name("other.example")).is_some());
    assert_eq!(server(named("CN=anything").with_server_name(SERVER)), None);
}

#[test]
fn tr_24_cas_that_issued_each_other() {
    let [a, b] = ["CN=a", "CN=b"].map(|name| named(name).as_ca().self_signed());
    let a_by_b = named("CN=a").as_ca().with_key_of(&a).issued_by(&b);
    let b_by_a = named("CN=b").as_ca().with_key_of(&b).issued_by(&a);
    let partner = client("CN=partner").issued_by(&a);
    let chain = [&partner, &a_by_b, &b_by_a].map(|one| &one.chain()[0]);
    let stranger = named("CN=stranger").as_ca().self_signed();
    Attack::on(&bundle(&[&stranger]), &chain).refused(RefusalCode::Untrusted).naively_refused();
    for anchor in [&a, &b] {
        Attack::on(&bundle(&[anchor]), &chain).admitted().naively("partner");
    }
}

#[test]
fn tr_26_the_same_certificate_many_times() {
    let ca = named("CN=ca").as_ca().self_signed();
    let file = ca.certificate().to_pem().repeat(1_000);
    let error = TrustBundle::with_limit("cas".parse().unwrap(), 2_000).add_anchors_pem(file.as_bytes()).unwrap_err();
    assert!(matches!(error, TrustError::Duplicate { .. }), "{error}");
    assert_eq!(naive_anchors(file.as_bytes()).len(), 1_000, "each costs a signature");
    // Of one name and key they are one CA, and the answer is the same however many there are.
    let renewed = |serial| named("CN=ca").as_ca().with_key_of(&ca).with_serial(&[serial]).self_signed();
    let many: Vec<_> = (2..50).map(renewed).collect();
    let partner = client("CN=partner").issued_by(&ca);
    let all: Vec<_> = many.iter().chain([&ca]).collect();
    Attack::on(&bundle(&all), &partner.chain()[..1]).admitted().naively("partner");
    let minted = client("CN=partner").signed_with_wrong_key(&ca, &partner);
    Attack::on(&bundle(&all), &minted.chain()[..1]).refused(RefusalCode::PathInvalid).naively_refused();
}

#[test]
fn tr_27_a_weak_key_or_signature_below_a_ca() {
    let root = named("CN=root").as_ca().self_signed();
    let sign = |edit: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::of(&client("CN=partner").issued_by(&root));
        edit(&mut parts);
        Attack::on(&bundle(&[&root]), &[parts.signed_by(&root)])
    };
    let rsa = |octets: usize| {
        let modulus = [&[0, 0x80][..], &vec![0x5a; octets - 2], &[1]].concat();
        let key = sequence(&[&tlv(2, &modulus), &[2, 3, 1, 0, 1]]);
        sequence(&[&algorithm(alg_id::RSA_ENCRYPTION), &tlv(3, &[&[0], &key[..]].concat())])
    };
    for octets in [128, 255, 1_025] {
        let attack = sign(&|parts| parts.public_key = rsa(octets));
        attack.refused(RefusalCode::PathInvalid).naively("partner");
        assert!(matches!(failure(&attack), PathFailure::WeakKey(_)));
    }
    let dsa = sequence(&[&algorithm([6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1]), &[3, 2, 0, 1]]);
    sign(&|parts| parts.public_key.clone_from(&dsa)).refused(RefusalCode::PathInvalid).naively("partner");
    let sha1 = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
    sign(&|parts| parts.algorithm = algorithm(sha1)).refused(RefusalCode::PathInvalid).naively_refused();
    let mut weak = Parts::of(&root);
    weak.public_key = rsa(128);
    let weak = Certificate::from_der(&weak.signed_by(&root)).unwrap();
    assert!(matches!(Entry::anchor(weak), Err(TrustError::UnfitKey { .. })));
}

#[test]
fn tr_28_version_1_cannot_say_that_it_is_a_ca() {
    let old = named("CN=old root").with_version(1).self_signed();
    assert!(matches!(Entry::anchor(old.certificate().clone()), Err(TrustError::NotAnAnchor { .. })));
    let partner = client("CN=partner").issued_by(&old);
    Attack::on(&pins(&[&old]), partner.chain()).refused(RefusalCode::Untrusted).naively("partner");
    let root = named("CN=root").as_ca().self_signed();
    let below = client("CN=partner").issued_by(&named("CN=sub").with_version(1).issued_by(&root));
    Attack::on(&bundle(&[&root]), below.chain_without_root()).refused(RefusalCode::PathInvalid).naively_refused();
}
