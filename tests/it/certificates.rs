//! What stands in a certificate, read back: alternative names of every kind, and what cannot be read.

use certmap::cert::{GeneralName, KeyType};
use certmap::testing::TestCertificate;
use certmap::{Certificate, DistinguishedName};

const ALTERNATIVE_NAMES: &str = "2.5.29.17";

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80);
    [&[tag, length], content].concat()
}

fn certificate(names: &[Vec<u8>]) -> Certificate {
    let value = element(0x30, &names.concat());
    TestCertificate::new("CN=x").with_extension(ALTERNATIVE_NAMES, false, &value).self_signed().certificate().clone()
}

/// Reads a certificate whose extension of this number (2.5.29.x) has this value, which no certificate should have.
fn damaged(number: u8, value: &[u8]) -> String {
    // Made under a number that nobody reads, and given its own one in the DER.
    let made = TestCertificate::new("CN=x").with_extension("2.5.29.99", true, value).self_signed();
    let mut der = made.certificate().der().to_vec();
    let at = der.windows(3).position(|octets| octets == [0x55, 0x1d, 99]).unwrap();
    der[at + 2] = number;
    Certificate::from_der(&der).unwrap_err().to_string()
}

#[test]
fn every_kind_of_alternative_name_is_a_variant_of_its_own() {
    let directory: DistinguishedName = "CN=a\\, b,C=DE".parse().unwrap();
    let names = [
        element(0xa0, &[&element(6, &[0x2a, 3, 4])[..], &element(0xa0, &element(0x0c, b"u"))].concat()),
        element(0x81, b"a@b.example"),
        element(0x82, b"gw.example"),
        element(0x82, b"x\n*"),
        element(0xa4, &directory.to_der()),
        element(0x86, b"spiffe://a/b"),
        element(0x87, &[192, 0, 2, 1]),
        element(0x87, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        element(0x87, &[192, 0, 2]),
        element(0x88, &[0x2a, 3, 4]),
    ];
    let read = certificate(&names).subject_alternative_names();
    let [other, email, dns, hostile, directory_read, uri, v4, v6, malformed, id] = &read[..] else {
        panic!("{read:?}")
    };
    assert!(matches!(other, GeneralName::Other { kind, .. } if kind.to_string() == "1.2.3.4"), "{other:?}");
    assert_eq!(email, &GeneralName::Email("a@b.example".to_owned()));
    assert_eq!(dns, &GeneralName::Dns("gw.example".to_owned()));
    assert_eq!(hostile, &GeneralName::Dns("x\n*".to_owned()));
    assert_eq!(directory_read, &GeneralName::Directory(directory));
    assert_eq!(uri, &GeneralName::Uri("spiffe://a/b".to_owned()));
    assert_eq!(v4, &GeneralName::Ip("192.0.2.1".parse().unwrap()));
    assert_eq!(v6, &GeneralName::Ip("2001:db8::1".parse().unwrap()));
    assert_eq!(malformed, &GeneralName::Malformed { tag: 7, content: vec![192, 0, 2] });
    assert!(matches!(id, GeneralName::RegisteredId(oid) if oid.to_string() == "1.2.3.4"), "{id:?}");

    let shown: Vec<_> = read.iter().skip(1).map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "email:a@b.example",
            "DNS:gw.example",
            "DNS:x\\u{a}*",
            "DirName:CN=a\\, b,C=DE",
            "URI:spiffe://a/b",
            "IP:192.0.2.1",
            "IP:2001:db8::1",
            "malformed:[7] of 3 bytes",
            "RID:1.2.3.4",
        ]
    );
    assert_eq!(TestCertificate::new("CN=x").self_signed().certificate().subject_alternative_names(), []);
}

#[test]
fn an_extension_that_matters_and_cannot_be_read_makes_the_certificate_unreadable() {
    for number in [15, 17, 19, 37] {
        assert_eq!(damaged(number, &[0x30, 5, 1]), format!("extension 2.5.29.{number} cannot be read"));
    }
    let names = |count: usize| {
        let names = element(0x82, b"a").repeat(count);
        let [high, low] = u16::try_from(names.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82, high, low][..], &names].concat()
    };
    let most = TestCertificate::new("CN=x").with_extension(ALTERNATIVE_NAMES, false, &names(256)).self_signed();
    assert_eq!(most.certificate().subject_alternative_names().len(), 256);
    assert_eq!(damaged(17, &names(257)), "257 subject alternative names are too many, at most 256 are read");
}

#[test]
fn an_rsa_key_is_fit_from_2048_to_8192_bits() {
    let check = |bits: usize| KeyType::Rsa { bits }.check().map_err(|unfit| unfit.to_string());
    assert_eq!((check(2048), check(8192)), (Ok(()), Ok(())));
    let weak = "RSA key of 2047 bits is too weak, at least 2048 are needed: have a new key made";
    assert_eq!(check(2047), Err(weak.to_owned()));
    assert_eq!(check(8193), Err("RSA key of 8193 bits is too large, at most 8192 are verified".to_owned()));
}

#[test]
fn a_certificate_is_a_sequence_and_nothing_with_the_number_of_one() {
    let der = TestCertificate::new("CN=x").self_signed().certificate().der().to_vec();
    assert!(Certificate::from_der(&der).is_ok());
    // The number of a SEQUENCE, in the other three classes, and not constructed.
    for first in [0x70, 0xb0, 0xf0, 0x10] {
        let other = [&[first], &der[1..]].concat();
        let error = Certificate::from_der(&other).unwrap_err();
        assert_eq!(error.to_string(), "this is no X.509 certificate: expected a SEQUENCE at offset 0");
    }
}
