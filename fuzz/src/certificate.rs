//! One certificate.

use std::hint::black_box;

use certmap::cert::{Certificate, DistinguishedName, Fingerprint, SpkiFingerprint, Usage};
use certmap::limits::{CERTIFICATE_BYTES, NAMES_PER_CERTIFICATE};
use certmap::trust::Entry;
use sha2::{Digest as _, Sha256};

use crate::{alike, der, names, one_line, plain_error};

/// What is read is exactly these bytes and is said as a plain reader says it; every form of it reads back; what is cut or
/// longer is none; and the rest of the crate takes it, or says why not.
pub(crate) fn law(input: &[u8]) {
    match Certificate::from_der(input) {
        Ok(certificate) => read(&certificate, input),
        Err(error) => {
            plain_error(&error);
        }
    }
}

#[track_caller]
pub(crate) fn read(certificate: &Certificate, input: &[u8]) {
    assert_eq!(certificate.der().as_ref(), input);
    assert!(input.len() <= CERTIFICATE_BYTES);
    let again = Certificate::from_pem(certificate.to_pem().as_bytes());
    assert_eq!(again.as_ref(), Ok(certificate));
    assert_eq!(Certificate::from_pem(input).as_ref(), Ok(certificate));
    assert!(Certificate::from_der(&input[..input.len() - 1]).is_err(), "cut");
    assert!(Certificate::from_der(&[input, &[0]].concat()).is_err(), "with more");

    assert_eq!(certificate.fingerprint().as_bytes()[..], Sha256::digest(input)[..]);
    assert_eq!(certificate.fingerprint().to_string().parse(), Ok::<Fingerprint, _>(certificate.fingerprint()));
    let spki = certificate.spki_fingerprint();
    assert_eq!(spki.to_string().parse(), Ok::<SpkiFingerprint, _>(spki));
    let serial = certificate.serial();
    assert_eq!(serial.to_string().parse().as_ref(), Ok(serial));
    assert_eq!(alike::difference(certificate, input), None, "x509-parser reads it otherwise");
    names::laws(&certificate.issuer());
    names::laws(&certificate.subject());
    plainly(certificate, input);

    let validity = certificate.validity();
    for text in [validity.to_string(), format!("{validity:?}"), certificate.key_type().to_string()] {
        one_line(&text);
    }
    one_line(&format!("{certificate:?}"));
    let names = certificate.subject_alternative_names();
    assert!(names.len() <= NAMES_PER_CERTIFICATE);
    names.iter().for_each(|name| one_line(&name.to_string()));
    match certificate.certificate_policies() {
        Ok(policies) => policies.iter().for_each(|policy| {
            assert_eq!(policy.to_string().parse().as_ref(), Ok(policy));
        }),
        Err(error) => {
            plain_error(&error);
        }
    }
    for usage in [Usage::Client, Usage::Server] {
        let profile = certificate.profile(usage);
        profile.remarks().iter().for_each(|remark| {
            one_line(remark.sentence());
            one_line(remark.cure());
        });
        assert_eq!(certificate.profile(usage).to_string(), profile.to_string());
    }
    entries(certificate);
}

/// What an anchor must be, an anchor is; and a certificate that is one can be pinned as well.
fn entries(certificate: &Certificate) {
    let anchor = Entry::anchor(certificate.clone());
    if let Ok(entry) = &anchor {
        assert!(certificate.is_ca() && certificate.version() == 3);
        one_line(&entry.to_string());
        assert!(Entry::danger_odd_anchor(certificate.clone()).is_ok_and(|odd| odd.oddity().is_none()));
    }
    for entry in [anchor, Entry::pin(certificate.clone()), Entry::key_pin(certificate.clone())] {
        match entry {
            Ok(entry) => {
                assert_eq!(entry.certificate(), certificate);
                one_line(&format!("{:?}", entry.server_names()));
            }
            Err(error) => {
                plain_error(&error);
            }
        }
    }
}

/// The parts as a plain reader finds them.
fn plainly(certificate: &Certificate, input: &[u8]) {
    let parts = der::only(input).and_then(|whole| der::all(whole.content)).expect("DER");
    let tbs = der::all(parts[0].content).expect("DER");
    let (version, fields) = match tbs.split_first().expect("fields") {
        (first, rest) if first.tag == 0xa0 => (first.content.last().copied().unwrap_or_default() + 1, rest),
        (first, _) => {
            assert_eq!(first.tag, 2);
            (1, &tbs[..])
        }
    };
    let [_serial, _algorithm, issuer, _validity, subject, spki, ..] = fields else { panic!("fields that are missing") };
    assert_eq!(certificate.version(), version);
    for (name, der) in [(certificate.issuer(), issuer.whole), (certificate.subject(), subject.whole)] {
        assert_eq!(DistinguishedName::from_der(der), Ok(name));
    }
    assert_eq!(certificate.spki_fingerprint().as_bytes()[..], Sha256::digest(spki.whole)[..]);
}

pub(crate) fn work(input: &[u8]) {
    if let Ok(certificate) = black_box(Certificate::from_der(input)) {
        black_box(certificate.subject_alternative_names());
        black_box(certificate.subject());
    }
}
