//! (private) A certificate taken apart, without a look at what most of its parts say. RFC 5280, section 4.1.
//!
//! Reads DER and nothing else: what two readers may read differently has no place here.

use der::Tag;

use super::elements::{Element, Elements, Unexpected, bit_string, context, inner};
use super::extension::ExtensionList;
use super::{InvalidCertificate, Validity, date};

/// The parts of a certificate, as far as somebody asks for them.
pub(super) struct Fields<'a> {
    /// 1, 2 or 3.
    pub(super) version: u8,
    /// Content octets.
    pub(super) serial: &'a [u8],
    /// The algorithm as it is signed too.
    pub(super) signed_algorithm: Algorithm<'a>,
    pub(super) issuer: &'a [u8],
    /// As they are written.
    pub(super) dates: [Element<'a>; 2],
    pub(super) validity: Validity,
    pub(super) subject: &'a [u8],
    pub(super) public_key: &'a [u8],
    /// Of the issuer or of the subject.
    pub(super) unique_identifier: bool,
    extensions: Option<Elements<'a>>,
    /// The algorithm beside the signature.
    pub(super) algorithm: Algorithm<'a>,
    pub(super) signed: Signed<'a>,
}

/// A signature's algorithm and its parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Algorithm<'a> {
    content: &'a [u8],
    /// Content octets of its number.
    pub(super) oid: &'a [u8],
}

/// What is signed, and how.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) message: &'a [u8],
    /// Content octets of the algorithm, parameters included.
    pub(crate) algorithm: &'a [u8],
    /// Empty if the signature is not one of whole octets.
    pub(crate) signature: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, InvalidCertificate> {
        let mut file = Elements::new(der, 0)?;
        let certificate = file.next(Tag::Sequence, "a SEQUENCE")?;
        nothing_behind(&file)?;
        let mut certificate = Elements::inside(certificate)?;
        let to_be_signed = certificate.next(Tag::Sequence, "what was signed")?;
        let algorithm = Algorithm::read(&mut certificate)?;
        let signature = certificate.next(Tag::BitString, "the signature")?;
        bit_string(signature.content).ok_or_else(|| signature.is_no("a bit string"))?;
        nothing_behind(&certificate)?;

        let octets = if let [0, octets @ ..] = signature.content { octets } else { &[] };
        let signed = Signed { message: to_be_signed.whole, algorithm: algorithm.content, signature: octets };

        let mut tbs = Elements::inside(to_be_signed)?;
        let version = version(&mut tbs)?;
        let serial = tbs.next(Tag::Integer, "the serial number")?;
        let signed_algorithm = Algorithm::read(&mut tbs)?;
        let issuer = tbs.next(Tag::Sequence, "the issuer's name")?.whole;
        let (dates, validity) = period(tbs.next(Tag::Sequence, "the period of validity")?)?;
        let subject = tbs.next(Tag::Sequence, "the subject's name")?.whole;
        let public_key = tbs.next(Tag::Sequence, "the public key")?.whole;
        let mut unique_identifier = false;
        for number in [1, 2] {
            if let Some(identifier) = tbs.optional(context(number, false))? {
                bit_string(identifier.content).ok_or_else(|| identifier.is_no("a bit string"))?;
                unique_identifier = true;
            }
        }
        let extensions = tbs.optional(context(3, true))?;
        let extensions =
            extensions.map(|outer| Elements::inside(inner(outer, Tag::Sequence, "the extensions")?)).transpose()?;
        tbs.finish("the end of what was signed")?;
        Ok(Self {
            version,
            serial: serial.content,
            signed_algorithm,
            issuer,
            dates,
            validity,
            subject,
            public_key,
            unique_identifier,
            extensions,
            algorithm,
            signed,
        })
    }

    /// One after the other; none if there are none.
    pub(super) fn extensions(&self) -> ExtensionList<'a> {
        ExtensionList::of(self.extensions.clone())
    }
}

impl<'a> Algorithm<'a> {
    fn read(elements: &mut Elements<'a>) -> Result<Self, Unexpected> {
        let algorithm = elements.next(Tag::Sequence, "the algorithm of the signature")?;
        let mut parts = Elements::inside(algorithm)?;
        let oid = parts.next(Tag::ObjectIdentifier, "an object identifier")?.content;
        if !parts.is_finished() {
            parts.any("the parameters of the algorithm")?;
        }
        parts.finish("the end of the algorithm")?;
        Ok(Self { content: algorithm.content, oid })
    }
}

/// 1 where it is not said. DER has a default not be written, which not everybody knows.
fn version(tbs: &mut Elements<'_>) -> Result<u8, InvalidCertificate> {
    let Some(explicit) = tbs.optional(context(0, true))? else { return Ok(1) };
    let number = inner(explicit, Tag::Integer, "the version")?;
    match number.content {
        [number @ 0..=2] => Ok(number + 1),
        [number @ 3..=0x7f] => Err(InvalidCertificate::Malformed { reason: format!("version number {number}") }),
        _ => Err(number.is_no("the number of a version").into()),
    }
}

fn period(period: Element<'_>) -> Result<([Element<'_>; 2], Validity), Unexpected> {
    let mut parts = Elements::inside(period)?;
    let mut date = || {
        let date = parts.any("a date")?;
        Ok((date, date::read(date).ok_or_else(|| date.is_no("a date"))?))
    };
    let ((first, not_before), (last, not_after)) = (date()?, date()?);
    parts.finish("the end of the period of validity")?;
    Ok(([first, last], Validity::new(not_before, not_after)))
}

fn nothing_behind(elements: &Elements<'_>) -> Result<(), InvalidCertificate> {
    match elements.remaining() {
        0 => Ok(()),
        bytes => Err(InvalidCertificate::TrailingData { bytes }),
    }
}
