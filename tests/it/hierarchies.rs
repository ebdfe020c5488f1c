//! The hierarchies and revocation lists that `testing` makes are what they claim, by the judgement of stock rustls.

use std::net::IpAddr;
use std::sync::Arc;

use certmap::cert::GeneralName;
use certmap::rustls::pki_types::CertificateRevocationListDer;
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::rustls::{CertificateError, Error, RootCertStore};
use certmap::testing::{KeyUsageBit, NOW, TestCertificate, TestCrl, TestIdentity, TestName, TestRevocationList};
use certmap::{DistinguishedName, NewKey};

use crate::common::Backend;

/// What stock rustls says of the chain without its root, below that root.
fn stock(partner: &TestIdentity, root: &TestIdentity, lists: &[TestCrl]) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.certificate().der().into_owned()).unwrap();
    let lists = lists.iter().map(|list| CertificateRevocationListDer::from(list.der().to_vec()));
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Backend::AwsLcRs.provider())
        .with_crls(lists)
        .build()
        .unwrap();
    let (own, above) = partner.chain_without_root().split_first().unwrap();
    verifier.verify_client_cert(own, above, NOW).map(drop)
}

fn root() -> TestIdentity {
    TestCertificate::new("CN=root").as_ca().self_signed()
}

fn partner() -> TestCertificate {
    TestCertificate::new("CN=partner").with_ca_false().with_purpose(2)
}

/// The value of an extension as it stands in the certificate; the identifier by its last octet.
#[track_caller]
fn value(made: TestCertificate, last: u8, critical: bool) -> Vec<u8> {
    let der = made.self_signed().certificate().der().to_vec();
    let head = [&[6, 3, 0x55, 0x1d, last][..], if critical { &[1, 1, 0xff] } else { &[] }].concat();
    let at = der.windows(head.len()).position(|window| window == head).unwrap() + head.len();
    assert_eq!(der[at], 4);
    der[at + 2..][..usize::from(der[at + 1])].to_vec()
}

#[test]
fn hierarchies_on_every_kind_of_key_are_valid() {
    let kinds = [NewKey::EcP256, NewKey::EcP384, NewKey::EcP521, NewKey::Ed25519, NewKey::Rsa2048, NewKey::Rsa3072];
    for kind in kinds {
        let root = TestCertificate::new("CN=root").as_ca().with_new_key(kind).self_signed();
        let below = TestCertificate::new("CN=issuing,O=Acme").as_ca().with_new_key(kind).issued_by(&root);
        let partner = partner().with_new_key(kind).issued_by(&below);
        assert_eq!(partner.chain().len(), 3);
        assert_eq!(partner.chain_without_root(), &partner.chain()[..2]);
        assert_eq!(stock(&partner, &root, &[]), Ok(()), "{kind:?}");
    }
    let alone = partner().self_signed();
    assert_eq!(alone.chain_without_root(), alone.chain());
    let unsigned = partner().with_issuer_name("CN=root").self_signed();
    assert_eq!(unsigned.chain_without_root(), unsigned.chain());
}

#[test]
fn what_is_broken_is_broken_as_it_says() {
    let root = root();
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let refused = |partner: &TestIdentity| match stock(partner, &root, &[]) {
        Err(Error::InvalidCertificate(cause)) => format!("{cause:?}"),
        answer => panic!("{answer:?}"),
    };
    assert_eq!(refused(&partner().signed_with_wrong_key(&root, &other)), "BadSignature");
    assert_eq!(refused(&partner().with_issuer_name("CN=other").issued_by(&root)), "UnknownIssuer");
    let teletex = [0x30, 15, 0x31, 13, 0x30, 11, 6, 3, 0x55, 4, 3, 0x14, 4, b'r', b'o', b'o', b't'];
    let odd = partner().with_issuer_der(&teletex).with_subject_der(&teletex).issued_by(&root);
    assert_eq!(odd.certificate().issuer().to_string(), "CN=#1404726f6f74");
    assert_eq!(refused(&odd), "UnknownIssuer");
    assert!(refused(&partner_for(&[1]).issued_by(&root)).starts_with("InvalidPurpose"));
    assert!(refused(&TestCertificate::new("CN=a").with_any_purpose().issued_by(&root)).starts_with("InvalidPurpose"));
    let shallow = TestCertificate::new("CN=shallow").with_basic_constraints(true, Some(0), true).issued_by(&root);
    let below = TestCertificate::new("CN=below").as_ca().issued_by(&shallow);
    assert_eq!(stock(&partner().issued_by(&shallow), &root, &[]), Ok(()));
    assert!(refused(&partner().issued_by(&below)).contains("PathLenConstraintViolated"));
}

fn partner_for(purposes: &[u8]) -> TestCertificate {
    TestCertificate::new("CN=partner").with_purposes(purposes)
}

#[test]
fn name_constraints_constrain() {
    let v4 = |text: &str| text.parse::<IpAddr>().unwrap();
    let permitted = [TestName::Dns("example"), TestName::Network(v4("10.1.0.0"), 20)];
    let excluded = [TestName::Dns("bad.example")];
    let made = TestCertificate::new("CN=root").as_ca().with_name_constraints(&permitted, &excluded, true);
    let root = made.self_signed();
    let with = |name| partner().with_alternative_names(&[name]).issued_by(&root);
    assert_eq!(stock(&with(TestName::Dns("a.example")), &root, &[]), Ok(()));
    assert_eq!(stock(&with(TestName::Ip(v4("10.1.15.255"))), &root, &[]), Ok(()));
    assert!(stock(&with(TestName::Dns("a.test")), &root, &[]).is_err());
    assert!(stock(&with(TestName::Ip(v4("10.1.16.0"))), &root, &[]).is_err());
    assert!(stock(&with(TestName::Dns("bad.example")), &root, &[]).is_err());
    let made = TestCertificate::new("CN=a").with_name_constraints(&[], &[TestName::Directory("CN=b")], false);
    let name = [0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'b'];
    assert_eq!(value(made, 30, false), [&[0x30, 20, 0xa1, 18, 0x30, 16, 0xa4, 14][..], &name].concat());
}

#[test]
fn alternative_names_of_every_kind_are_read_back() {
    let names = [
        TestName::Dns("a.example"),
        TestName::Email("a@b.example"),
        TestName::Uri("spiffe://a/b"),
        TestName::Ip("10.0.0.1".parse().unwrap()),
        TestName::Ip("2001:db8::1".parse().unwrap()),
        TestName::Directory("CN=a,O=b"),
        TestName::RegisteredId("1.2.3"),
        TestName::Upn("a@b"),
        TestName::Other("1.2.4", &[5, 0]),
        TestName::Raw(0x87, &[1, 2, 3]),
    ];
    let upn = GeneralName::Other {
        kind: "1.3.6.1.4.1.311.20.2.3".parse().unwrap(),
        value: vec![0xa0, 5, 0x0c, 3, b'a', b'@', b'b'],
    };
    let expected = [
        GeneralName::Dns("a.example".to_owned()),
        GeneralName::Email("a@b.example".to_owned()),
        GeneralName::Uri("spiffe://a/b".to_owned()),
        GeneralName::Ip("10.0.0.1".parse().unwrap()),
        GeneralName::Ip("2001:db8::1".parse().unwrap()),
        GeneralName::Directory("CN=a,O=b".parse::<DistinguishedName>().unwrap()),
        GeneralName::RegisteredId("1.2.3".parse().unwrap()),
        upn,
        GeneralName::Other { kind: "1.2.4".parse().unwrap(), value: vec![0xa0, 2, 5, 0] },
        GeneralName::Malformed { tag: 7, content: vec![1, 2, 3] },
    ];
    let made = partner().with_alternative_names(&names).self_signed();
    assert_eq!(made.certificate().subject_alternative_names(), expected);
}

#[test]
fn extensions_are_written_in_their_only_form() {
    use KeyUsageBit::{CrlSign, DecipherOnly, DigitalSignature, EncipherOnly, KeyCertSign, KeyEncipherment};
    let usage = |bits: &[KeyUsageBit]| value(TestCertificate::new("CN=a").with_key_usage(bits), 15, true);
    assert_eq!(usage(&[]), [3, 1, 0]);
    assert_eq!(usage(&[DigitalSignature]), [3, 2, 7, 0x80]);
    assert_eq!(usage(&[KeyEncipherment, DigitalSignature]), [3, 2, 5, 0xa0]);
    assert_eq!(usage(&[KeyCertSign, CrlSign]), [3, 2, 1, 0x06]);
    assert_eq!(usage(&[EncipherOnly]), [3, 2, 0, 0x01]);
    assert_eq!(usage(&[DigitalSignature, DecipherOnly]), [3, 3, 7, 0x80, 0x80]);
    let constraints = |ca, most| value(TestCertificate::new("CN=a").with_basic_constraints(ca, most, false), 19, false);
    assert_eq!(constraints(false, None), [0x30, 0]);
    assert_eq!(constraints(true, None), [0x30, 3, 1, 1, 0xff]);
    assert_eq!(constraints(true, Some(0)), [0x30, 6, 1, 1, 0xff, 2, 1, 0]);
    assert_eq!(constraints(false, Some(200)), [0x30, 4, 2, 2, 0, 200]);
    assert_eq!(value(partner_for(&[]), 37, false), [0x30, 0]);
    assert_eq!(value(partner_for(&[1, 2]), 37, false).len(), 22);
    assert_eq!(value(TestCertificate::new("CN=a").with_any_purpose(), 37, false), [0x30, 6, 6, 4, 0x55, 0x1d, 37, 0]);
}

#[test]
fn revocation_lists_revoke() {
    let root = root();
    let list = TestRevocationList::new().revoking(&[7]).with_reason(1).revoking(&[0, 0x99]);
    let (good, bad) = (partner().with_serial(&[8]).issued_by(&root), partner().with_serial(&[7]).issued_by(&root));
    let revoked = Err(Error::InvalidCertificate(CertificateError::Revoked));
    assert_eq!(stock(&good, &root, &[list.signed_by(&root)]), Ok(()));
    assert_eq!(stock(&bad, &root, &[list.signed_by(&root)]), revoked);
    assert_eq!(stock(&partner().with_serial(&[0, 0x99]).issued_by(&root), &root, &[list.signed_by(&root)]), revoked);
    assert_eq!(stock(&bad, &root, &[TestRevocationList::new().signed_by(&root)]), Ok(()));
    let other = TestCertificate::new("CN=other").as_ca().self_signed();
    let forged = stock(&good, &root, &[list.signed_with_wrong_key(&root, &other)]);
    assert!(matches!(forged, Err(Error::InvalidCertRevocationList(_))), "{forged:?}");
}
