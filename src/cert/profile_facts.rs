//! (private) What a profile needs to know of a certificate and nobody else does, read again from its DER.

use der::{AnyRef, Decode as _, SliceReader, Tag, Tagged as _};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::serial::minimal;
use super::{Certificate, ObjectIdentifier};

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a certificate says or not")]
pub(super) struct Facts {
    /// The algorithm beside the signature is not the one that is signed.
    pub(super) algorithms_differ: bool,
    pub(super) authority_key: bool,
    /// Critical extensions that rustls does not process.
    pub(super) critical: Vec<Critical>,
    pub(super) key_usage: Option<TlsKeyUsage>,
    pub(super) names: bool,
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

/// The bits of key usage that TLS looks at.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are bits of one bit string")]
pub(super) struct TlsKeyUsage {
    pub(super) digital_signature: bool,
    pub(super) key_agreement: bool,
    pub(super) key_cert_sign: bool,
    pub(super) key_encipherment: bool,
}

#[derive(Debug)]
pub(super) struct Purposes {
    pub(super) any: bool,
    pub(super) client: bool,
    pub(super) server: bool,
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

const POLICIES: &[u8] = &[0x55, 0x1d, 32];

impl Facts {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let der = certificate.bytes();
        let Ok((_, parsed)) = X509Certificate::from_der(der) else { return Self::default() };
        let tbs = &parsed.tbs_certificate;
        let mut facts = Self {
            algorithms_differ: tbs.signature != parsed.signature_algorithm,
            serial: tbs.raw_serial().to_vec(),
            time: times(der).unwrap_or(Time::Odd),
            unique_identifier: tbs.issuer_uid.is_some() || tbs.subject_uid.is_some(),
            ..Self::default()
        };
        tbs.extensions().iter().for_each(|extension| facts.read(extension));
        facts
    }

    fn read(&mut self, extension: &X509Extension<'_>) {
        if extension.critical
            && !super::extensions::is_processed(extension.oid.as_bytes())
            && let Ok(oid) = ObjectIdentifier::from_der_content(extension.oid.as_bytes())
        {
            self.critical.push(Critical { oid, processed_by_others: processed_by_others(extension.oid.as_bytes()) });
        }
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(_) => self.authority_key = true,
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let (any, client, server) = (usage.any, usage.client_auth, usage.server_auth);
                self.purposes = Some(Purposes { any, client, server });
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(TlsKeyUsage {
                    digital_signature: usage.digital_signature(),
                    key_agreement: usage.key_agreement(),
                    key_cert_sign: usage.key_cert_sign(),
                    key_encipherment: usage.key_encipherment(),
                });
            }
            ParsedExtension::SubjectAlternativeName(_) => {
                (self.names, self.names_critical) = (true, extension.critical);
            }
            ParsedExtension::SubjectKeyIdentifier(_) => self.subject_key = true,
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
        POLICIES => Some(true),
        _ if known.iter().any(|known| oid.starts_with(known)) => None,
        _ => Some(false),
    }
}

/// By hand, because x509-parser keeps no date as it was written.
fn times(der: &[u8]) -> Option<Time> {
    let whole = AnyRef::from_der(der).ok()?;
    let mut whole = SliceReader::new(whole.value()).ok()?;
    let tbs = AnyRef::decode(&mut whole).ok()?;
    let mut tbs = SliceReader::new(tbs.value()).ok()?;
    if AnyRef::decode(&mut tbs).ok()?.tag().is_context_specific() {
        // That was the version.
        AnyRef::decode(&mut tbs).ok()?;
    }
    // After the serial number: the algorithm, the issuer.
    AnyRef::decode(&mut tbs).ok()?;
    AnyRef::decode(&mut tbs).ok()?;
    let validity = AnyRef::decode(&mut tbs).ok()?;
    let mut validity = SliceReader::new(validity.value()).ok()?;
    let dates = [AnyRef::decode(&mut validity).ok()?, AnyRef::decode(&mut validity).ok()?];
    dates.iter().map(time).max()
}

fn time(date: &AnyRef<'_>) -> Time {
    let Some((b'Z', digits)) = date.value().split_last() else { return Time::Odd };
    let length = match date.tag() {
        Tag::UtcTime => 12,
        Tag::GeneralizedTime => 14,
        _ => return Time::Odd,
    };
    if digits.len() != length || !digits.iter().all(u8::is_ascii_digit) {
        return Time::Odd;
    }
    let early = match (date.tag(), digits) {
        // RFC 5280, section 4.1.2.5.1: two digits of 50 and more are of the last century.
        (Tag::UtcTime, [b'5' | b'6', ..]) => true,
        (Tag::GeneralizedTime, [year @ .., _, _, _, _, _, _, _, _, _, _]) => year < &b"1970"[..],
        _ => false,
    };
    if early { Time::Early } else { Time::Sound }
}
