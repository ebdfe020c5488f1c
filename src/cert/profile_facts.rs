//! (private) What a profile needs to know of a certificate and nobody else does, read again from its DER.

use der::Tag;

use super::elements::Element;
use super::extension::Extension;
use super::extensions::{ALTERNATIVE_NAMES, AUTHORITY_KEY, CLIENT_AUTH, SUBJECT_KEY, is_processed};
use super::serial::minimal;
use super::values::CERTIFICATE_POLICIES;
use super::{Certificate, ObjectIdentifier};

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a certificate says or not")]
pub(super) struct Facts {
    /// The algorithm beside the signature is not the one that is signed.
    pub(super) algorithms_differ: bool,
    pub(super) authority_key: bool,
    /// Critical extensions that rustls does not process.
    pub(super) critical: Vec<Critical>,
    pub(super) names_critical: bool,
    pub(super) purposes: Option<Purposes>,
    /// Content octets.
    pub(super) serial: Vec<u8>,
    pub(super) subject_key: bool,
    pub(super) time: Time,
    pub(super) unique_identifier: bool,
}

/// A critical extension, and whether OpenSSL and Java process it; `None` where that depends.
#[derive(Debug)]
pub(super) struct Critical {
    pub(super) oid: ObjectIdentifier,
    pub(super) processed_by_others: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Purposes {
    pub(super) any: bool,
    pub(super) client: bool,
    pub(super) server: bool,
}

impl Purposes {
    fn among(all: &[ObjectIdentifier]) -> Self {
        let has = |content: &[u8]| all.iter().any(|purpose| purpose.as_der_content() == content);
        Self { any: has(ANY_PURPOSE), client: has(CLIENT_AUTH), server: has(SERVER_AUTH) }
    }
}

/// How the dates are written, the worse one of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Time {
    #[default]
    Sound,
    /// Before 1970.
    Early,
    /// Not as RFC 5280, section 4.1.2.5 wants them: with seconds, in UTC, without fractions.
    Odd,
}

/// Content octets of `anyExtendedKeyUsage`.
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 37, 0];
/// Content octets of `id-kp-serverAuth`.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

impl Facts {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let fields = certificate.fields();
        let mut facts = Self {
            algorithms_differ: fields.signed_algorithm != fields.algorithm,
            purposes: certificate.extended_key_usage().map(|all| Purposes::among(&all)),
            serial: fields.serial.to_vec(),
            time: fields.dates.iter().map(time).max().unwrap_or_default(),
            unique_identifier: fields.unique_identifier,
            ..Self::default()
        };
        fields.extensions().flatten().for_each(|extension| facts.read(&extension));
        facts
    }

    fn read(&mut self, extension: &Extension<'_>) {
        let oid = extension.oid;
        if extension.critical
            && !is_processed(oid)
            && let Ok(number) = extension.number()
        {
            self.critical.push(Critical { oid: number, processed_by_others: processed_by_others(oid) });
        }
        match oid {
            AUTHORITY_KEY => self.authority_key = true,
            ALTERNATIVE_NAMES => self.names_critical = extension.critical,
            SUBJECT_KEY => self.subject_key = true,
            // Whatever else there is, nobody says anything about it.
            _ => {}
        }
    }

    /// Too many octets for the integer.
    pub(super) fn serial_padded(&self) -> bool {
        minimal(&self.serial).len() < self.serial.len()
    }
}

/// Measured for policies, and for numbers that nobody knows. Of the rest some are processed by some.
fn processed_by_others(oid: &[u8]) -> Option<bool> {
    // id-ce 2.5.29, id-pe 1.3.6.1.5.5.7.1, Netscape's 2.16.840.1.113730.1
    let known: [&[u8]; 3] = [&[0x55, 0x1d], &[0x2b, 6, 1, 5, 5, 7, 1], &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1]];
    match oid {
        CERTIFICATE_POLICIES => Some(true),
        _ if known.iter().any(|known| oid.starts_with(known)) => None,
        _ => Some(false),
    }
}

fn time(date: &Element<'_>) -> Time {
    let Some((b'Z', digits)) = date.content.split_last() else { return Time::Odd };
    let length = match date.tag {
        Tag::UtcTime => 12,
        Tag::GeneralizedTime => 14,
        _ => return Time::Odd,
    };
    if digits.len() != length || !digits.iter().all(u8::is_ascii_digit) {
        return Time::Odd;
    }
    let early = match (date.tag, digits) {
        // RFC 5280, section 4.1.2.5.1: two digits of 50 and more are of the last century.
        (Tag::UtcTime, [b'5' | b'6', ..]) => true,
        (Tag::GeneralizedTime, [year @ .., _, _, _, _, _, _, _, _, _, _]) => year < &b"1970"[..],
        _ => false,
    };
    if early { Time::Early } else { Time::Sound }
}
