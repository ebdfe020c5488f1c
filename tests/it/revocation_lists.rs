//! Revocation lists: what is read, what is found, and every reason not to take one.

use std::error::Error as _;
use std::fmt::Write as _;

use certmap::cert::{InvalidRevocationList, RevocationList, RevocationReason, SerialNumber};
use certmap::limits::{REVOCATION_LIST_BYTES, REVOCATION_LIST_FILE_BYTES};
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::{Fingerprint, NewKey};

const HOUR: u64 = 3_600;

fn ca() -> TestIdentity {
    TestCertificate::new("CN=CA,O=Acme").as_ca().self_signed()
}

fn empty() -> TestRevocationList {
    TestRevocationList::new()
}

#[track_caller]
fn read(list: &TestRevocationList) -> RevocationList {
    RevocationList::from_der(list.signed_by(&ca()).der()).unwrap()
}

#[track_caller]
fn error(list: &TestRevocationList) -> String {
    RevocationList::from_der(list.signed_by(&ca()).der()).unwrap_err().to_string()
}

#[track_caller]
fn number(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

#[test]
fn a_list_says_whose_it_is_when_and_what() {
    let made = empty().with_number(&[1, 0]).revoking(&[5]).with_reason(1).revoking(&[6]);
    let list = read(&made);
    assert_eq!(list.issuer().to_string(), "CN=CA,O=Acme");
    assert_eq!(list.this_update().as_secs(), NOW.as_secs() - HOUR);
    assert_eq!(list.next_update().as_secs(), NOW.as_secs() + 7 * 24 * HOUR);
    assert_eq!(*list.number(), number("0100"));
    assert_eq!((list.len(), list.is_empty()), (2, false));
    assert_eq!(list.fingerprint(), Fingerprint::of(list.der()));
    let debug = format!("RevocationList(CN=CA,O=Acme, number 0100, 2 entries, {})", list.fingerprint());
    assert_eq!(format!("{list:?}"), debug);
    let revoked = list.revoked(&number("05")).unwrap();
    assert_eq!((revoked.date.as_secs(), revoked.reason), (NOW.as_secs() - HOUR, Some(RevocationReason::KeyCompromise)));
    assert_eq!(list.revoked(&number("06")).unwrap().reason, None);
    assert_eq!(list.revoked(&number("07")), None);
    let list = read(&empty());
    assert_eq!((list.len(), list.is_empty(), list.revoked(&number("05"))), (0, true, None));
}

#[test]
fn text_and_der_are_inverse() {
    let list = read(&empty().revoking(&[5]));
    let pem = list.to_pem();
    assert!(pem.starts_with("-----BEGIN X509 CRL-----\n"), "{pem}");
    for file in [pem.as_bytes(), list.der(), pem.replace('\n', "\r\n").as_bytes()] {
        assert_eq!(RevocationList::from_pem(file).unwrap(), list);
    }
    let other = read(&empty());
    let both = RevocationList::all_from_pem((pem + &other.to_pem()).as_bytes()).unwrap();
    assert_eq!(both, [list, other]);
}

#[test]
fn serials_are_found_as_integers() {
    let long = [0x7f; 21];
    let forms: [&[u8]; 8] = [&[0, 0, 0x12], &[0xff], &[0xff, 0xff, 0x01], &[0], &[0, 0x80], &[0x80], &long, &[0x12, 0]];
    let made = forms.iter().fold(empty(), |list, serial| list.revoking(serial));
    let list = read(&made);
    for text in ["12", "-01", "-ff", "00", "80", "-80", &"7f".repeat(21), "1200"] {
        assert!(list.revoked(&number(text)).is_some(), "{text}");
    }
    for text in ["-12", "01", "ff", "-7f", "81", &"7f".repeat(20), &"7f".repeat(22), "0120"] {
        assert!(list.revoked(&number(text)).is_none(), "{text}");
    }
    assert_eq!(error(&empty().revoking(&[])), "this is no revocation list: expected a serial number at offset 84");
}

#[test]
fn of_two_entries_for_one_serial_the_first_counts() {
    let list = read(&empty().revoking(&[9]).revoking(&[0, 5]).with_reason(3).revoking(&[5]).with_reason(1));
    assert_eq!(list.len(), 3);
    assert_eq!(list.revoked(&number("05")).unwrap().reason, Some(RevocationReason::AffiliationChanged));
}

#[test]
fn every_reason_revokes() {
    let names = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "reason 7",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
        "reason 11",
    ];
    let made = (0..).take(names.len()).fold(empty(), |list, code| list.revoking(&[code]).with_reason(code));
    let list = read(&made);
    for (code, name) in names.iter().enumerate() {
        let reason = list.revoked(&number(&format!("{code:02x}"))).unwrap().reason.unwrap();
        assert_eq!(reason.to_string(), *name);
    }
}

#[test]
fn a_list_of_100_000_entries_is_searched() {
    let made = (0..100_000u32).fold(empty(), |list, at| {
        list.revoking(&[&[1][..], &(at.wrapping_mul(2_654_435_761) & !1).to_be_bytes()].concat())
    });
    let list = read(&made);
    assert_eq!(list.len(), 100_000);
    for at in (0..100_000u32).step_by(7) {
        let serial = at.wrapping_mul(2_654_435_761) & !1;
        assert!(list.revoked(&number(&format!("01{serial:08x}"))).is_some());
        assert!(list.revoked(&number(&format!("01{:08x}", serial | 1))).is_none());
    }
}

#[test]
fn extensions_that_only_inform_do_not_matter() {
    let key = [0x30, 3, 0x80, 1, 7];
    let informed = empty()
        .with_extension("2.5.29.35", true, &key)
        .with_extension("2.5.29.46", false, b"\x30\x00")
        .with_extension("1.2.3", false, b"")
        .revoking(&[5])
        .with_entry_extension("2.5.29.24", true, b"\x18\x0f20200101000000Z")
        .with_entry_extension("1.2.3", false, b"");
    assert!(read(&informed).revoked(&number("05")).is_some());
}

#[test]
fn a_list_that_nobody_can_rely_on_is_told_with_the_cure() {
    let of_entry = |oid, critical, value| empty().revoking(&[0, 0x99]).with_entry_extension(oid, critical, value);
    let twice = empty().revoking(&[5]).with_reason(1).with_reason(1);
    let (from, to) = (NOW.as_secs(), NOW.as_secs() - 1);
    let number_of = |octets: &[u8]| empty().with_number(octets);
    let critical = "is not processed: ask the CA for a list without it";
    let delta = "it is a delta list (deltaCRLIndicator), which only amends another: give the complete list of this CA";
    let none = "it has no number (cRLNumber), so an older one could take its place: with openssl, set `crlnumber`";
    let not_read = "extension 2.5.29.20 of the list cannot be read";
    let rows = [
        (empty().with_extension("2.5.29.27", true, &[2, 1, 1]), delta),
        (empty().with_extension("2.5.29.27", false, b"odd"), delta),
        (
            of_entry("2.5.29.29", true, b""),
            "it is an indirect list, of certificates of other CAs too: give the list that each CA signs for its own",
        ),
        (
            empty().with_extension("2.5.29.60", true, b""),
            &format!("critical extension 2.5.29.60 of the list {critical}"),
        ),
        (
            of_entry("2.5.29.23", true, b""),
            &format!("critical extension 2.5.29.23 of the entry for serial number 99 {critical}"),
        ),
        (
            of_entry("2.5.29.21", false, &[10, 2, 0, 1]),
            "extension 2.5.29.21 of the entry for serial number 99 cannot be read",
        ),
        (empty().with_extension("2.5.29.20", false, &[2, 1, 2]), "extension 2.5.29.20 of the list stands there twice"),
        (twice, "extension 2.5.29.21 of the entry for serial number 05 stands there twice"),
        (empty().without_number(), none),
        (empty().without_number().with_extension("1.2.3", false, b""), none),
        (number_of(&[]), not_read),
        (number_of(&[0xff]), not_read),
        (number_of(&[1; 21]), not_read),
        (
            empty().with_critical_number(),
            "its number (cRLNumber) is critical, which RFC 5280 forbids: ask the CA for one that is not",
        ),
        (
            empty().with_dates(from, None),
            "it does not say when the next one is due (nextUpdate), so it would never be stale: ask the CA to say it",
        ),
        (
            empty().with_dates(from, Some(to)),
            "it was made at 2026-12-01T12:00:00Z, after its next update at 2026-12-01T11:59:59Z: ask the CA for a list with the right dates",
        ),
        (
            empty().with_version1().with_dates(from, None),
            "it is of version 1, which cannot carry a number: with openssl, set `crl_extensions` and `crlnumber` in the section of the CA",
        ),
        (empty().with_issuer_der(&[0x30, 2, 0x31, 0]), "the issuer's name cannot be read"),
    ];
    for (list, expected) in rows {
        assert_eq!(error(&list), expected);
    }
    assert_eq!(read(&number_of(&[1; 20])).number().to_string(), "01".repeat(20));
    assert_eq!(read(&empty().with_dates(from, Some(from))).this_update(), NOW);
    let issuer = RevocationList::from_der(empty().with_issuer_der(&[0x30, 2, 0x31, 0]).signed_by(&ca()).der());
    assert_eq!(issuer.unwrap_err().source().unwrap().to_string(), "expected an attribute at offset 4 of the DER");
}

#[test]
fn a_list_for_a_part_of_the_certificates_is_not_taken() {
    let partitioned =
        "it may cover only a part of the CA's certificates (issuingDistributionPoint): give the list that covers all";
    let indirect =
        "it is an indirect list, of certificates of other CAs too: give the list that each CA signs for its own";
    let malformed = "extension 2.5.29.28 of the list cannot be read";
    let name = [&[0xa0, 13, 0xa0, 11, 0x86, 9][..], b"http://a/"].concat();
    let rows: [(&[u8], &str); 17] = [
        (&[], partitioned),
        (&name, partitioned),
        (&[0x81, 1, 0xff], partitioned),
        (&[0x82, 1, 0xff], partitioned),
        (&[0x85, 1, 0xff], partitioned),
        (&[0x83, 2, 1, 0x06], partitioned),
        (&[0x81, 1, 0], partitioned),
        (&[0x84, 1, 0], partitioned),
        (&[0x84, 1, 0xff], indirect),
        (&[0x83, 2, 1, 0x06, 0x84, 1, 0xff], indirect),
        // An empty bit string: the input of RUSTSEC-2026-0104.
        (&[0x83, 1, 0], malformed),
        (&[0x83, 0], malformed),
        (&[0x83, 2, 8, 0], malformed),
        (&[0x84, 1, 0xff, 0x81, 1, 0xff], malformed),
        (&[0x84, 1, 0xff, 0x84, 1, 0xff], malformed),
        (&[0x84, 1, 1], malformed),
        (&[0xa0, 0], malformed),
    ];
    for (parts, expected) in rows {
        let value = [&[0x30, u8::try_from(parts.len()).unwrap()][..], parts].concat();
        for critical in [true, false] {
            assert_eq!(error(&empty().with_extension("2.5.29.28", critical, &value)), expected, "{parts:x?}");
        }
    }
    assert_eq!(error(&empty().with_extension("2.5.29.28", true, &[0x30, 1])), malformed);
}

#[test]
fn files_that_are_something_else_are_told_as_what_they_are() {
    let list = empty().signed_by(&ca());
    let file = |pem: &str| RevocationList::from_pem(pem.as_bytes()).unwrap_err();
    assert_eq!(
        RevocationList::from_der(list.pem().as_bytes()).unwrap_err().to_string(),
        "this is PEM, not DER: read it with `RevocationList::from_pem`"
    );
    assert_eq!(file(&list.pem().repeat(2)).to_string(), "2 revocation lists where one was expected");
    let certificate = ca().certificate().to_pem();
    assert_eq!(file(&certificate).to_string(), "section 1 is a `CERTIFICATE`, not a revocation list");
    assert_eq!(file(&(list.pem() + &certificate)).to_string(), "section 2 is a `CERTIFICATE`, not a revocation list");
    let second = file(&(list.pem() + &empty().with_version1().signed_by(&ca()).pem()));
    assert_eq!(second.to_string(), "section 2 cannot be read");
    assert!(second.source().unwrap().to_string().starts_with("it is of version 1"));
    let nothing = file("");
    assert_eq!(nothing.to_string(), "the file cannot be read");
    assert_eq!(nothing.source().unwrap().to_string(), "the file is empty");
    // Ed25519, since the length of an ECDSA signature moves the offset.
    let certificate = TestCertificate::new("CN=a").with_new_key(NewKey::Ed25519).self_signed();
    let certificate = RevocationList::from_der(&certificate.certificate().der()).unwrap_err().to_string();
    assert_eq!(certificate, "this is no revocation list: expected version 2 at offset 5");
    let mut trailing = list.der().to_vec();
    trailing.extend([5, 0]);
    let trailing = RevocationList::from_der(&trailing).unwrap_err();
    assert_eq!(trailing.to_string(), "2 bytes follow the revocation list");
}

#[test]
fn both_places_name_one_algorithm() {
    let der = empty().signed_by(&ca()).der().to_vec();
    let ecdsa = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let places: Vec<_> = der.windows(ecdsa.len()).enumerate().filter(|(_, at)| *at == ecdsa).collect();
    assert_eq!(places.len(), 2);
    for (at, _) in places {
        let mut other = der.clone();
        other[at + 9] = 3;
        let error = RevocationList::from_der(&other).unwrap_err();
        assert_eq!(error, InvalidRevocationList::SignatureAlgorithms);
        assert_eq!(error.to_string(), "the signed part and the signature name different algorithms");
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let error = RevocationList::from_der(&vec![0x30; REVOCATION_LIST_BYTES + 1]).unwrap_err();
    assert_eq!(error.to_string(), "a revocation list of 67108865 bytes is too large, at most 67108864 are read");
    let error = RevocationList::from_pem(&vec![b'A'; REVOCATION_LIST_FILE_BYTES + 1]).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "100663297 bytes are too many, at most 100663296 are read");
}

#[test]
fn a_list_that_was_cut_or_changed_anywhere_is_an_error_or_a_list_and_never_a_panic() {
    let name = [&[0x30, 15, 0xa0, 13, 0xa0, 11, 0x86, 9][..], b"http://a/"].concat();
    let whole = empty().revoking(&[5]).with_reason(1).revoking(&[6]);
    for list in [whole.clone(), whole.with_extension("2.5.29.28", true, &name)] {
        let der = list.signed_by(&ca()).der().to_vec();
        for end in 0..der.len() {
            assert!(RevocationList::from_der(&der[..end]).is_err(), "{end}");
        }
        let mut text = String::new();
        for at in 0..der.len() {
            for flip in [1, 0x20, 0x80, 0xff] {
                let mut other = der.clone();
                other[at] ^= flip;
                if let Ok(list) = RevocationList::from_der(&other) {
                    write!(text, "{list:?} {:?}", list.revoked(&number("05"))).unwrap();
                }
            }
        }
        drop(text);
    }
}
