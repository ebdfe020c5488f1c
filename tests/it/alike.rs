//! Whether a certificate is read as x509-parser reads it. Fuzzing asks it too.

use certmap::cert::{GeneralName, KeyType, ObjectIdentifier, SerialNumber};
use certmap::{Certificate, DistinguishedName, SpkiFingerprint};
use x509_parser::asn1_rs::Oid;
use x509_parser::extensions::{GeneralName as Their, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// What x509-parser makes of a certificate that we read otherwise, if that is so.
pub fn difference(ours: &Certificate, der: &[u8]) -> Option<&'static str> {
    let Ok(([], theirs)) = X509Certificate::from_der(der) else { return Some("not read") };
    let alike = |same: bool, what| (!same).then_some(what);
    let period = [theirs.validity().not_before, theirs.validity().not_after].map(|date| date.timestamp().max(0));
    let validity = [ours.validity().not_before(), ours.validity().not_after()];
    let name = |raw: &[u8]| DistinguishedName::from_der(raw).ok();
    let serial = ours.serial().to_string();
    let their_serial = theirs.raw_serial();
    let values = theirs.extensions().iter().all(|extension| {
        let Ok(number) = extension.oid.to_id_string().parse::<ObjectIdentifier>() else { return true };
        !is_number(extension.oid.as_bytes()) || ours.extension(&number).as_deref() == Some(extension.value)
    });
    alike(u32::from(ours.version()) == theirs.version().0 + 1, "version")
        .or(alike(plain_number(their_serial) == serial, "serial number"))
        .or(alike(validity.map(|date| date.as_secs()) == period.map(i64::unsigned_abs), "validity"))
        .or(alike(name(theirs.issuer().as_raw()) == Some(ours.issuer()), "issuer"))
        .or(alike(name(theirs.subject().as_raw()) == Some(ours.subject()), "subject"))
        .or(alike(SpkiFingerprint::of(theirs.public_key().raw) == ours.spki_fingerprint(), "public key"))
        .or(alike(key(&theirs) == bits(ours.key_type()), "size of the key"))
        .or(alike(values, "values of extensions"))
        .or_else(|| extensions(ours, &theirs))
}

/// Without the octets that only repeat the sign, as text.
fn plain_number(content: &[u8]) -> String {
    let number = x509_parser::num_bigint::BigInt::from_signed_bytes_be(content);
    let digits = format!("{:x}", number.magnitude());
    let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    let sign = if number.sign() == x509_parser::num_bigint::Sign::Minus { "-" } else { "" };
    let text = format!("{sign}{digits}");
    text.parse::<SerialNumber>().unwrap().to_string()
}

fn bits(key: &KeyType) -> Option<usize> {
    if let KeyType::Rsa { bits } = key { Some(*bits) } else { None }
}

fn key(theirs: &X509Certificate<'_>) -> Option<usize> {
    match theirs.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) if theirs.public_key().algorithm.algorithm.to_id_string() == "1.2.840.113549.1.1.1" => {
            let zeros = rsa.modulus.iter().take_while(|octet| **octet == 0).count();
            let first = rsa.modulus.get(zeros).map_or(8, |octet| octet.leading_zeros() as usize);
            Some(((rsa.modulus.len() - zeros) * 8).saturating_sub(first))
        }
        _ => None,
    }
}

fn extensions(ours: &Certificate, theirs: &X509Certificate<'_>) -> Option<&'static str> {
    let mut ca = false;
    let mut names = 0;
    let mut found = None;
    for extension in theirs.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => ca = constraints.ca,
            ParsedExtension::SubjectAlternativeName(all) => {
                let read = ours.subject_alternative_names();
                names = all.general_names.len();
                let same = |(ours, theirs): (&GeneralName, &Their<'_>)| alike(ours, theirs);
                if read.len() != names || !read.iter().zip(&all.general_names).all(same) {
                    found = Some("alternative names");
                }
            }
            _ => {}
        }
    }
    if names == 0 && !ours.subject_alternative_names().is_empty() {
        found = Some("alternative names that the other does not have");
    }
    found.or((ca != ours.is_ca()).then_some("basic constraints"))
}

/// One name; what is malformed for us may be a name for the other.
fn alike(ours: &GeneralName, theirs: &Their<'_>) -> bool {
    match (ours, theirs) {
        (GeneralName::Malformed { .. }, _) => true,
        (GeneralName::Dns(ours), Their::DNSName(theirs))
        | (GeneralName::Email(ours), Their::RFC822Name(theirs))
        | (GeneralName::Uri(ours), Their::URI(theirs)) => ours == theirs,
        (GeneralName::Directory(ours), Their::DirectoryName(theirs)) => {
            DistinguishedName::from_der(theirs.as_raw()).as_ref() == Ok(ours)
        }
        (GeneralName::Ip(ours), Their::IPAddress(theirs)) => match ours {
            std::net::IpAddr::V4(ours) => ours.octets()[..] == **theirs,
            std::net::IpAddr::V6(ours) => ours.octets()[..] == **theirs,
        },
        (GeneralName::RegisteredId(ours), Their::RegisteredID(theirs)) => same_number(ours, theirs),
        (GeneralName::Other { kind, value }, Their::OtherName(oid, rest)) => same_number(kind, oid) && value == rest,
        _ => false,
    }
}

/// True if every arc is written without padding and ends, and the first octet is one that the other prints rightly. What is no number
/// is left out by us, and the other prints one.
fn is_number(octets: &[u8]) -> bool {
    let padded = |at: usize| octets[at] == 0x80 && (at == 0 || octets[at - 1] & 0x80 == 0);
    let ends = octets.last().is_some_and(|octet| octet & 0x80 == 0);
    ends && octets[0] & 0x80 == 0 && !(0..octets.len()).any(padded)
}

/// True if both are the same number, or the other cannot print it.
fn same_number(ours: &ObjectIdentifier, theirs: &Oid<'_>) -> bool {
    !is_number(theirs.as_bytes()) || ours.to_string() == theirs.to_id_string()
}
