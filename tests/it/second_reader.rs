//! What we read of a certificate is what x509-parser reads of it, which shares nothing with our reading.
//!
//! Ours is the stricter: it reads DER alone. So whatever we read the other reads too, and alike; what only the other reads is
//! counted. Below an anchor webpki is a third; see `two_readers`.

use std::io::{self, Write as _};

use certmap::Certificate;
use certmap::cert::Usage;
use certmap::testing::{KeyUsageBit, TestCertificate, TestName};
use fastrand::Rng;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::alike::difference;
use crate::common::tries;

fn samples() -> Vec<Vec<u8>> {
    let names = [
        TestName::Dns("a.example"),
        TestName::Email("a@b.example"),
        TestName::Uri("urn:a"),
        TestName::Dns("b.example"),
    ];
    let rich = TestCertificate::new("CN=client,OU=devices,O=Acme,C=DE")
        .with_serial(&[0x0a, 0x20])
        .with_basic_constraints(true, Some(3), true)
        .with_key_usage(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign])
        .with_purposes(&[1, 2])
        .with_alternative_names(&names)
        .with_extension("2.5.29.32", false, &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3])
        .with_extension("2.5.29.14", false, &[4, 3, 1, 2, 3])
        .with_extension("2.5.29.35", false, &[0x30, 5, 0x80, 3, 1, 2, 3]);
    let general = [
        &[0x30, 0x82, 0, 43][..],
        &[0xa0, 9, 6, 2, 0x2a, 3, 0xa0, 3, 0x0c, 1, b'x'],
        &[0xa4, 14, 0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'x'],
        &[0x87, 4, 127, 0, 0, 1, 0x88, 2, 0x2a, 3, 0xa3, 0, 0xa5, 0],
    ]
    .concat();
    let odd = TestCertificate::new("CN=x").with_extension("2.5.29.17", true, &with_length(&general[4..]));
    let made = [rich, odd, TestCertificate::new("CN=old").with_version(1)];
    let mut samples: Vec<_> = made.into_iter().map(|one| one.self_signed().certificate().der().to_vec()).collect();
    for file in ["v1-sha1.pem", "openssl-req-x509.pem"] {
        let identity = certmap::Identity::from_pem(&crate::common::data(file)).unwrap();
        samples.push(identity.certificate().der().to_vec());
    }
    samples
}

fn with_length(content: &[u8]) -> Vec<u8> {
    [&[0x30, u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn what_we_read_the_other_reads_too_and_alike() {
    let mut random = Rng::with_seed(5280);
    let (mut tried, mut read, mut others) = (0_usize, 0_usize, 0_usize);
    for sample in samples() {
        assert_eq!(difference(&Certificate::from_der(&sample).unwrap(), &sample), None);
        let bits = sample.len() * 8;
        let mut changes: Vec<Vec<usize>> = (0..bits).map(|bit| vec![bit]).collect();
        changes.extend((0..tries(20_000)).map(|_| (0..random.usize(2..4)).map(|_| random.usize(..bits)).collect()));
        for flips in changes {
            let mut der = sample.clone();
            for bit in &flips {
                der[bit / 8] ^= 1 << (bit % 8);
            }
            tried += 1;
            match Certificate::from_der(&der) {
                Ok(ours) => {
                    read += 1;
                    let pem = || ours.to_pem();
                    assert_eq!(difference(&ours, &der), None, "{flips:?} of {}", pem());
                    // What is read is told as well.
                    let _ = (ours.profile(Usage::Client), ours.certificate_policies());
                }
                Err(_) => others += usize::from(matches!(X509Certificate::from_der(&der), Ok(([], _)))),
            }
        }
    }
    let _ =
        writeln!(io::stderr(), "{tried} changed certificates, {read} read alike, {others} read by x509-parser alone");
    assert!(read > tried / 3);
}

/// The dates of a certificate, written anyhow: read as the other reads them, or by neither.
#[test]
fn every_date_is_read_as_the_other_reads_it_or_by_neither() {
    let made = TestCertificate::new("CN=x").with_extension("1.2.3", false, &[4; 300]).self_signed();
    let der = made.certificate().der().to_vec();
    let (_, theirs) = X509Certificate::from_der(&der).unwrap();
    let issuer = theirs.issuer().as_raw();
    let at = issuer.as_ptr().addr() - der.as_ptr().addr() + issuer.len();
    let old = usize::from(der[at + 1]) + 2;
    let mut random = Rng::with_seed(1950);
    let (mut both, mut neither) = (0_usize, 0_usize);
    for _ in 0..tries(100_000) {
        let tag = *random.choice(&[0x17, 0x18]).unwrap();
        let mut date = match (tag, random.bool()) {
            (0x17, true) => b"490101000000".to_vec(),
            (0x17, false) => b"500228235959".to_vec(),
            (_, true) => b"19991231235959".to_vec(),
            (_, false) => b"20000229000000".to_vec(),
        };
        date.truncate(date.len() - 2 * random.usize(..2));
        for _ in 0..random.u8(..2) {
            let place = random.usize(..date.len());
            date[place] = *random.choice(b"0123456789").unwrap();
        }
        let end = random.choice(&[
            "Z", "Z", "Z", "", ".5Z", ".123", ".1234Z", ",0Z", ".Z", "+0100", "-0130", "+2460", "+01", "ZZ", "z",
        ]);
        date.extend_from_slice(end.unwrap().as_bytes());
        if random.u8(..8) == 0 {
            date.pop();
        }
        let element = |date: &[u8]| [&[tag, u8::try_from(date.len()).unwrap()], date].concat();
        let period = with_length(&[element(&date), [&[0x17, 13][..], b"491231235959Z"].concat()].concat());
        let changed = with_period(&der, at, old, &period);
        match (Certificate::from_der(&changed), X509Certificate::from_der(&changed)) {
            (Ok(ours), Ok(_)) => {
                both += 1;
                assert_eq!(difference(&ours, &changed), None, "{tag:x} {}", String::from_utf8_lossy(&date));
            }
            (Err(_), Err(_)) => neither += 1,
            // A point with nothing behind it.
            (Err(_), Ok(_)) if date.ends_with(b".Z") => neither += 1,
            (ours, theirs) => {
                panic!("{tag:x} {}: {:?}, {:?}", String::from_utf8_lossy(&date), ours.map(drop), theirs.map(drop))
            }
        }
    }
    let _ = writeln!(io::stderr(), "{both} dates read alike, {neither} by neither");
    assert!(both > neither / 10 && neither > both / 10);
}

/// The certificate with another period of validity, which stands at `at` in `old` octets.
fn with_period(der: &[u8], at: usize, old: usize, period: &[u8]) -> Vec<u8> {
    // Both outer lengths take two octets: 30 82 .. .. 30 82 .. ..
    assert_eq!((der[1], der[5]), (0x82, 0x82));
    let mut changed = [&der[..at], period, &der[at + old..]].concat();
    for length in [2, 6] {
        let before = u16::from_be_bytes([der[length], der[length + 1]]);
        let now = usize::from(before) + period.len() - old;
        changed[length..length + 2].copy_from_slice(&u16::try_from(now).unwrap().to_be_bytes());
    }
    changed
}
