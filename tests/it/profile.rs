//! Each remark of a profile is made of a certificate that deserves it and not of one near it, and its words are these.

use std::fmt::Write as _;

use certmap::Certificate;
use certmap::cert::{Peer, Profile, Remark, RemarkCode, Usage};

use crate::common::erp;
use crate::parts::Parts;
use crate::profile_shapes::{recipes, sha1, sound};

#[track_caller]
pub fn read(der: &[u8]) -> Certificate {
    Certificate::from_der(der).unwrap()
}

/// The certificate of the recipe of this name, or signed with SHA-1, or not.
#[track_caller]
pub fn made(name: &str) -> Certificate {
    if name == "SHA-1" {
        // Whether its signature is right is not for a profile to say.
        return read(&sha1(Parts::of(&sound()), |_| vec![0x30, 6, 2, 1, 1, 2, 1, 1]));
    }
    let recipe = recipes().into_iter().find(|recipe| recipe.name == name);
    read(&recipe.unwrap_or_else(|| panic!("there is no shape `{name}`")).make())
}

/// A remark, a certificate that deserves it in this use, one near it that does not, and what it says.
type Row = (RemarkCode, Usage, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        RemarkCode::AnyPurpose,
        Usage::Client,
        "any purpose",
        "client only",
        "any-purpose: it is for any purpose, and does not say clientAuth (refused by certmap, openssl, rustls): have it issued with the purpose clientAuth",
    ),
    (
        RemarkCode::CaTrue,
        Usage::Client,
        "CA",
        "no CA, not critical",
        "ca-true: it says of itself that it is a CA (CA:TRUE), as `openssl req -x509` writes (refused by certmap, openssl, rustls): have it made with basicConstraints=CA:FALSE",
    ),
    (
        RemarkCode::CriticalExtension,
        Usage::Client,
        "unknown critical",
        "unknown, not critical",
        "critical-extension: its critical extension 1.2.3.4 is not processed by everybody (refused by certmap, java, openssl, rustls): have it issued with that extension not critical, or without it",
    ),
    (
        RemarkCode::EmptySubject,
        Usage::Client,
        "no subject",
        "no subject, critical names",
        "empty-subject: its subject is empty, and no critical alternative name stands for it (refused by java, openssl): have it issued with a subject, or with its alternative names critical",
    ),
    (
        RemarkCode::KeyCertSign,
        Usage::Client,
        "keyCertSign",
        "cRLSign",
        "key-cert-sign: its key usage has keyCertSign, and it is no CA (refused by certmap, openssl): have it issued without keyCertSign",
    ),
    (
        RemarkCode::LargeKey,
        Usage::Client,
        "RSA 8193",
        "RSA 8192",
        "large-key: its key has 8193 bits of RSA, more than are verified (refused by certmap, rustls): make a new key: RSA 4096 at most",
    ),
    (
        RemarkCode::LongValidity,
        Usage::Server,
        "200 days and a second",
        "200 days",
        "long-validity: it is valid for 201 days; browsers take 200 if a public CA issued it then, and Apple's 825 from any (may be refused by browsers): have one issued that is valid for less, and renew it by a program",
    ),
    (
        RemarkCode::NameConstraints,
        Usage::Client,
        "name constraints",
        "sound",
        "name-constraints: it has name constraints, which are for CAs (refused by certmap): have it issued without name constraints",
    ),
    (
        RemarkCode::NeverValid,
        Usage::Client,
        "never",
        "a second",
        "never-valid: it ends before it begins (refused by certmap, go, java, openssl, rustls, sap): have it issued with an end after its beginning",
    ),
    (
        RemarkCode::NoAlternativeName,
        Usage::Server,
        "mail name only",
        "address only",
        "no-alternative-name: no DNS name and no address is among its alternative names, and a common name does not count as one (refused by browsers, certmap, go, rustls): have it issued with every name that clients call as an alternative name",
    ),
    (
        RemarkCode::NoAuthorityKey,
        Usage::Client,
        "no authority key identifier",
        "self-signed",
        "no-authority-key: it has no authority key identifier, which OpenSSL wants in its strict mode (refused by openssl): have it issued with an authority key identifier",
    ),
    (
        RemarkCode::NoCommonName,
        Usage::Client,
        "no common name",
        "sound",
        "no-common-name: its subject has no common name, from which many systems take the user (its name is overlooked by sap): have it issued with a common name, if the peer takes users from it",
    ),
    (
        RemarkCode::NoDigitalSignature,
        Usage::Client,
        "keyEncipherment",
        "no key usage",
        "no-digital-signature: its key usage has no digitalSignature, and TLS proves by a signature who has the key (refused by certmap, java, openssl): have it issued with digitalSignature, or without key usage",
    ),
    (
        RemarkCode::NoPurpose,
        Usage::Server,
        "no extended key usage",
        "server only",
        "no-purpose: it has no extended key usage, and so does not say that it is for serverAuth (refused by browsers): have it issued with the purpose serverAuth",
    ),
    (
        RemarkCode::OddString,
        Usage::Client,
        "BMP",
        "Printable with others",
        "odd-string: attribute 2.5.4.3 of its subject is in an old string type, such as TeletexString or BMPString, in which programs read different texts (its name is overlooked by certmap, strict-readers): have it issued with names in UTF8String or PrintableString",
    ),
    (
        RemarkCode::OddTime,
        Usage::Client,
        "no seconds",
        "generalized before 2050",
        "odd-time: its dates are not written with seconds, in UTC and without fractions (refused by certmap, openssl, rustls): have it issued by a CA that writes dates as RFC 5280 has them",
    ),
    (
        RemarkCode::OldSignature,
        Usage::Client,
        "SHA-1",
        "sound",
        "old-signature: it is signed by the old algorithm 1.2.840.10045.4.1 (refused by certmap, go, openssl, rustls; may be refused by java): have it issued with a signature by SHA-256",
    ),
    (
        RemarkCode::OldVersion,
        Usage::Client,
        "version 1",
        "no basic constraints",
        "old-version: it is X.509 version 1, which the verifiers of rustls and its usual way to present a certificate refuse, and certmap below an anchor, where it is not pinned (refused by certmap, rustls): have a certificate of version 3 made, or have the peer pin this one",
    ),
    (
        RemarkCode::PathLength,
        Usage::Client,
        "path length, no CA",
        "CA with path length",
        "path-length: it has a path length, and it is no CA (refused by openssl): have it issued without path length",
    ),
    (
        RemarkCode::SelfSigned,
        Usage::Client,
        "self-signed",
        "sound",
        "self-signed: it is issued by itself: only a peer that knows exactly this certificate believes it, and SAP Cloud Integration takes no such certificate of a client (may be refused by sap): give the peer this certificate to pin, or have a CA that it trusts issue one",
    ),
    (
        RemarkCode::SerialEncoding,
        Usage::Client,
        "serial padded",
        "serial 20",
        "serial-encoding: its serial number has octets too many, so that it is not DER (refused by openssl): have it issued with a positive serial number of at most 20 octets",
    ),
    (
        RemarkCode::SerialLong,
        Usage::Client,
        "serial 21",
        "serial 20",
        "serial-long: its serial number has 21 octets, and readers need not handle more than 20 (may be refused by strict-readers): have it issued with a positive serial number of at most 20 octets",
    ),
    (
        RemarkCode::SerialNegative,
        Usage::Client,
        "serial negative",
        "serial 128",
        "serial-negative: its serial number is negative, and Go 1.23 and later do not read it (refused by go; may be refused by strict-readers): have it issued with a positive serial number of at most 20 octets",
    ),
    (
        RemarkCode::SerialZero,
        Usage::Client,
        "serial 0",
        "serial 128",
        "serial-zero: its serial number is 0, and serial numbers are to be positive (may be refused by strict-readers): have it issued with a positive serial number of at most 20 octets",
    ),
    (
        RemarkCode::SignatureMismatch,
        Usage::Client,
        "two algorithms",
        "sound",
        "signature-mismatch: it names two different algorithms for its signature (refused by certmap, java, openssl, rustls): have it issued again: it was put together wrongly, or changed",
    ),
    (
        RemarkCode::SmallKey,
        Usage::Client,
        "RSA 2047",
        "RSA 2048",
        "small-key: its key has 2047 bits of RSA, and 2048 are the least that counts as safe (refused by certmap, rustls): make a new key: RSA 2048 or EC P-256",
    ),
    (
        RemarkCode::UncommonKey,
        Usage::Client,
        "P-521",
        "P-384",
        "uncommon-key: its key is of type EC P-521, which much software does not verify, nor does every build of rustls (may be refused by certmap, rustls, strict-readers): make a key of type EC P-256 or RSA 2048 for the next one",
    ),
    (
        RemarkCode::UniqueIdentifier,
        Usage::Client,
        "unique id",
        "sound",
        "unique-identifier: it has a unique identifier of issuer or subject (refused by certmap, rustls): have it issued without, as RFC 5280 has CAs do",
    ),
    (
        RemarkCode::UnsupportedKey,
        Usage::Client,
        "Ed448",
        "Ed25519",
        "unsupported-key: its key is of type 1.3.101.113, for which rustls verifies no signature (refused by certmap, rustls; may be refused by go, java, openssl): make a new key: EC P-256 or RSA 2048",
    ),
    (
        RemarkCode::WrongPurpose,
        Usage::Client,
        "server only",
        "no extended key usage",
        "wrong-purpose: its extended key usage has other purposes than clientAuth (refused by certmap, go, java, openssl, rustls, sap): have it issued with the purpose clientAuth",
    ),
];

#[test]
fn each_remark_is_made_of_what_deserves_it_and_not_of_what_is_near() {
    let mut wrong = String::new();
    for (code, usage, deserving, near, told) in ROWS {
        let profile = made(deserving).profile(*usage);
        assert_eq!(profile.usage(), *usage);
        let said = profile.find(*code).map(ToString::to_string).unwrap_or_default();
        if said != *told {
            let _ = writeln!(wrong, "{code:?} {said}");
        }
        let other = made(near).profile(*usage);
        if let Some(remark) = other.find(*code) {
            let _ = writeln!(wrong, "{near}: {remark}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let tested: Vec<_> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(tested, RemarkCode::ALL, "one row for each");
}

#[test]
fn a_certificate_in_order_has_no_remarks_and_the_committed_one_of_strust_has_three() {
    for usage in Usage::ALL {
        let profile = made("sound").profile(*usage);
        assert_eq!((profile.remarks(), profile.to_string().as_str()), (&[][..], "no peer is known to mind anything"));
    }
    let profile = erp().certificate().profile(Usage::Client);
    let codes = |profile: &Profile| profile.remarks().iter().map(Remark::code).collect::<Vec<_>>();
    assert_eq!(codes(&profile), [RemarkCode::NoPurpose, RemarkCode::OldVersion, RemarkCode::SelfSigned]);
    let refused: Vec<_> = profile.refusals(Peer::Rustls).map(Remark::code).collect();
    assert_eq!(refused, [RemarkCode::OldVersion]);
    assert_eq!(profile.refusals(Peer::OpenSsl).count(), 0);
}

#[test]
fn remarks_are_sorted_and_each_is_somebodys() {
    for recipe in recipes() {
        let certificate = read(&recipe.make());
        for usage in Usage::ALL {
            let profile = certificate.profile(*usage);
            assert!(profile.remarks().windows(2).all(|pair| pair[0].code() < pair[1].code()), "{}", recipe.name);
            for remark in profile.remarks() {
                let peers: Vec<_> = remark.reactions().iter().map(|reaction| reaction.peer).collect();
                assert!(!peers.is_empty() && peers.windows(2).all(|pair| pair[0] < pair[1]), "{remark}");
                assert!(
                    !peers.contains(if *usage == Usage::Client { &Peer::Browsers } else { &Peer::Sap }),
                    "{remark}"
                );
                assert!(!remark.cure().is_empty() && !remark.to_string().contains('\n'), "{remark}");
            }
        }
    }
}

#[test]
fn a_profile_is_written_for_programs_by_its_stable_texts() {
    let written = serde_json::to_value(made("version 1").profile(Usage::Client)).unwrap();
    let remark = written["remarks"].as_array().unwrap().iter().find(|remark| remark["code"] == "old-version").unwrap();
    let reaction = |peer: &str| serde_json::json!({ "peer": peer, "effect": "refuses" });
    assert_eq!(written["usage"], "client");
    assert_eq!(remark["reactions"], serde_json::json!([reaction("certmap"), reaction("rustls")]));
    assert!(remark["sentence"].as_str().unwrap().starts_with("it is X.509 version 1"));
    assert_eq!(remark["cure"], "have a certificate of version 3 made, or have the peer pin this one");
}
