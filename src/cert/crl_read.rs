//! (private) Reading the DER of a revocation list.
//!
//! One pass, then a sort; nothing is kept of an entry but where it stands.

use der::Tag;
use rustls::pki_types::CertificateRevocationListDer;

use super::{Inner, InvalidRevocationList, RevocationReason, Revoked};
use crate::cert::elements::{Element, Elements, Unexpected, context, inner, list, one, whole};
use crate::cert::extension::{Extension, ExtensionList};
use crate::cert::extensions::AUTHORITY_KEY;
use crate::cert::serial::minimal;
use crate::cert::{DistinguishedName, Fingerprint, SerialNumber, range_in};
use crate::cert::{date, unix};
use crate::limits::{REVOCATION_LIST_BYTES, REVOCATION_LIST_NUMBER_BYTES};

type Result<T> = core::result::Result<T, InvalidRevocationList>;

// Content octets of the object identifiers of `id-ce` 2.5.29.x that are processed (RFC 5280, section 5).
const NUMBER: &[u8] = &[0x55, 0x1d, 20];
const REASON: &[u8] = &[0x55, 0x1d, 21];
/// Says since when the key may have been in other hands: nothing depends on it.
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
const DELTA: &[u8] = &[0x55, 0x1d, 27];
const DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];

pub(super) fn read(der: &[u8]) -> Result<Inner> {
    if der.starts_with(b"-----BEGIN ") {
        return Err(InvalidRevocationList::IsPem);
    }
    if der.len() > REVOCATION_LIST_BYTES {
        return Err(InvalidRevocationList::TooLarge { bytes: der.len() });
    }
    let mut file = Elements::new(der, 0)?;
    let list = file.next(Tag::Sequence, "a SEQUENCE")?;
    let rest = file.remaining();
    if rest > 0 {
        return Err(InvalidRevocationList::TrailingData { bytes: rest });
    }
    let mut list = Elements::inside(list)?;
    let to_be_signed = list.next(Tag::Sequence, "what was signed")?;
    let algorithm = list.next(Tag::Sequence, "the algorithm of the signature")?.content;
    let offset = list.offset();
    let signature = list.next(Tag::BitString, "the signature")?.content;
    // X.690 §8.6.2: the first octet says how many bits of the last are unused; signatures are whole octets.
    let [0, signature @ ..] = signature else {
        return Err(malformed("a signature of whole octets", offset));
    };
    list.finish("the end of the list")?;

    let mut tbs = Elements::inside(to_be_signed)?;
    let offset = tbs.offset();
    match tbs.optional(Tag::Integer)?.map(|version| version.content) {
        None if tbs.peek() == Some(Tag::Sequence) => return Err(InvalidRevocationList::Version1),
        Some([1]) => {}
        _ => return Err(malformed("version 2", offset)),
    }
    if tbs.next(Tag::Sequence, "the algorithm of the signature")?.content != algorithm {
        return Err(InvalidRevocationList::SignatureAlgorithms);
    }
    let issuer = tbs.next(Tag::Sequence, "the issuer's name")?.whole;
    DistinguishedName::from_der(issuer).map_err(InvalidRevocationList::Issuer)?;
    let this_update = next_date(&mut tbs)?;
    let next_update = match tbs.peek() {
        Some(Tag::UtcTime | Tag::GeneralizedTime) => next_date(&mut tbs)?,
        _ => return Err(InvalidRevocationList::NoNextUpdate),
    };
    if this_update > next_update {
        let (this_update, next_update) = (unix(this_update), unix(next_update));
        return Err(InvalidRevocationList::Dates { this_update, next_update });
    }
    let entries = match tbs.optional(Tag::Sequence)? {
        Some(entries) => read_entries(entries)?,
        None => Box::default(),
    };
    let number = match tbs.optional(context(0, true))? {
        Some(extensions) => read_extensions(extensions)?,
        None => return Err(InvalidRevocationList::NoNumber),
    };
    tbs.finish("the end of what was signed")?;
    Ok(Inner {
        fingerprint: Fingerprint::of(der),
        this_update: unix(this_update),
        next_update: unix(next_update),
        number,
        entries,
        issuer: range_in(der, issuer),
        to_be_signed: range_in(der, to_be_signed.whole),
        algorithm: range_in(der, algorithm),
        signature: range_in(der, signature),
        der: CertificateRevocationListDer::from(der.to_vec()),
    })
}

/// Where the entries are, in the order of their serial numbers.
fn read_entries(entries: Element<'_>) -> Result<Box<[u32]>> {
    let mut elements = Elements::inside(entries)?;
    let mut found = Vec::new();
    while !elements.is_finished() {
        let offset = elements.offset();
        let entry = Entry::read(elements.next(Tag::Sequence, "an entry")?)?;
        entry.reason()?;
        let at = u32::try_from(offset).map_err(|_| InvalidRevocationList::TooLarge { bytes: offset })?;
        found.push((minimal(entry.serial), at));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, at)| at).collect())
}

/// The number of the list, if there is nothing in its extensions that forbids to rely on it.
fn read_extensions(explicit: Element<'_>) -> Result<SerialNumber> {
    let extensions = inner(explicit, Tag::Sequence, "the extensions")?;
    let mut number = None;
    for extension in ExtensionList::of(Some(Elements::inside(extensions)?)) {
        let extension = extension?;
        let fault = |fault: Fault| fault.of(&extension, None);
        match extension.oid {
            _ if extension.again => return Err(fault(Fault::Duplicate)),
            NUMBER if extension.critical => return Err(InvalidRevocationList::CriticalNumber),
            NUMBER => number = Some(list_number(extension.value).ok_or_else(|| fault(Fault::Malformed))?),
            DELTA => return Err(InvalidRevocationList::Delta),
            DISTRIBUTION_POINT => {
                let indirect = is_indirect(extension.value).ok_or_else(|| fault(Fault::Malformed))?;
                let cause = if indirect { InvalidRevocationList::Indirect } else { InvalidRevocationList::Partitioned };
                return Err(cause);
            }
            // Says which of its keys the issuer signed with: the signature says it too.
            AUTHORITY_KEY => {}
            _ if extension.critical => return Err(fault(Fault::Critical)),
            // What nothing here depends on may hold anything.
            _ => {}
        }
    }
    number.ok_or(InvalidRevocationList::NoNumber)
}

fn list_number(value: &[u8]) -> Option<SerialNumber> {
    let number = SerialNumber::from_der_content(one(value, Tag::Integer)?)?;
    let fits = !number.is_negative() && number.magnitude_bytes() <= REVOCATION_LIST_NUMBER_BYTES;
    fits.then_some(number)
}

/// Whether an `IssuingDistributionPoint` has `indirectCRL`; `None` if it cannot be read (RFC 5280, section 5.2.5).
fn is_indirect(value: &[u8]) -> Option<bool> {
    let mut parts = list(value)?;
    let mut indirect = false;
    let mut next = 0;
    while !parts.is_finished() {
        let part = parts.any("a part").ok()?;
        let number = (next..=5).find(|number| part.tag == context(*number, *number == 0))?;
        next = number + 1;
        match (number, part.content) {
            // The name of the point: one element, whatever it names.
            (0, name) => drop(whole(name)?),
            // The reasons: a bit string that has bits.
            (3, [0..=7, _, ..]) | (1 | 2 | 4 | 5, [0]) => {}
            (1 | 2 | 4 | 5, [0xff]) => indirect |= number == 4,
            _ => return None,
        }
    }
    Some(indirect)
}

/// One entry, without its frame.
struct Entry<'a> {
    /// Content octets.
    serial: &'a [u8],
    /// Seconds since 1970.
    date: i64,
    extensions: Option<Element<'a>>,
}

impl<'a> Entry<'a> {
    fn read(entry: Element<'a>) -> Result<Self> {
        let mut parts = Elements::inside(entry)?;
        let offset = parts.offset();
        let serial = parts.next(Tag::Integer, "a serial number")?.content;
        if serial.is_empty() {
            return Err(malformed("a serial number", offset));
        }
        let date = next_date(&mut parts)?;
        let extensions = parts.optional(Tag::Sequence)?;
        parts.finish("the end of the entry")?;
        Ok(Self { serial, date, extensions })
    }

    /// The reason, if there is nothing in its extensions that forbids to rely on the list.
    fn reason(&self) -> Result<Option<RevocationReason>> {
        let Some(extensions) = self.extensions else { return Ok(None) };
        let mut reason = None;
        for extension in ExtensionList::of(Some(Elements::inside(extensions)?)) {
            let extension = extension?;
            let fault = |fault: Fault| fault.of(&extension, Some(self.serial));
            match extension.oid {
                _ if extension.again => return Err(fault(Fault::Duplicate)),
                REASON => match one(extension.value, Tag::Enumerated) {
                    Some([code]) => reason = Some(RevocationReason::from_code(*code)),
                    _ => return Err(fault(Fault::Malformed)),
                },
                CERTIFICATE_ISSUER => return Err(InvalidRevocationList::Indirect),
                INVALIDITY_DATE => {}
                _ if extension.critical => return Err(fault(Fault::Critical)),
                _ => {}
            }
        }
        Ok(reason)
    }
}

/// The serial number of the entry that stands here, as minimal content octets.
pub(super) fn serial_at(der: &[u8], at: u32) -> &[u8] {
    let serial = entry_at(der, at).and_then(|entry| Elements::inside(entry)?.next(Tag::Integer, "a serial number"));
    minimal(serial.expect(READ_BEFORE).content)
}

/// What the entry that stands here says.
pub(super) fn revoked_at(der: &[u8], at: u32) -> Revoked {
    let entry = Entry::read(entry_at(der, at).expect(READ_BEFORE)).expect(READ_BEFORE);
    Revoked { date: unix(entry.date), reason: entry.reason().expect(READ_BEFORE) }
}

const READ_BEFORE: &str = "the same bytes were read in `from_der`";

fn entry_at(der: &[u8], at: u32) -> core::result::Result<Element<'_>, Unexpected> {
    let start = usize::try_from(at).expect(READ_BEFORE);
    Elements::new(der.get(start..).expect(READ_BEFORE), start)?.next(Tag::Sequence, "an entry")
}

/// What is wrong with an extension.
#[derive(Clone, Copy)]
enum Fault {
    Critical,
    Duplicate,
    Malformed,
}

impl Fault {
    /// `entry` is the content of the serial number of the entry, `None` for the list.
    fn of(self, extension: &Extension<'_>, entry: Option<&[u8]>) -> InvalidRevocationList {
        let entry = entry.and_then(SerialNumber::from_der_content);
        match (extension.number(), self) {
            (Err(unexpected), _) => unexpected.into(),
            (Ok(extension), Self::Critical) => InvalidRevocationList::CriticalExtension { entry, extension },
            (Ok(extension), Self::Duplicate) => InvalidRevocationList::DuplicateExtension { entry, extension },
            (Ok(extension), Self::Malformed) => InvalidRevocationList::MalformedExtension { entry, extension },
        }
    }
}

impl From<Unexpected> for InvalidRevocationList {
    fn from(Unexpected { expected, offset }: Unexpected) -> Self {
        malformed(expected, offset)
    }
}

fn malformed(expected: &'static str, offset: usize) -> InvalidRevocationList {
    InvalidRevocationList::Malformed { expected, offset }
}

/// Seconds since 1970.
fn next_date(elements: &mut Elements<'_>) -> Result<i64> {
    let date = elements.any("a date")?;
    date::read(date).ok_or_else(|| date.is_no("a date").into())
}
