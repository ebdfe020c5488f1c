//! (private) Writing a certificate: the frame around the parts, of any version, with any extensions. The parts serve
//! revocation lists too.
//!
//! rcgen makes keys for us but not these certificates: it cannot write a name with two organizational units (every name
//! that STRUST proposes), nor version 1. RFC 5280, section 4.1.

use der::asn1::{BitStringRef, GeneralizedTime, OctetStringRef, UtcTime};
use der::{AnyRef, DateTime, Encode as _, Tag, TagNumber};

/// What is to be signed. Names, key and algorithm are complete DER values.
pub(crate) struct Tbs<'a> {
    /// 1, 2 or 3.
    pub(crate) version: u8,
    /// Content octets of the serial number.
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: &'a [u8],
    /// Seconds since 1970, first and last.
    pub(crate) validity: (u64, u64),
    pub(crate) subject: &'a [u8],
    pub(crate) public_key: &'a [u8],
    pub(crate) extensions: &'a [Extension],
}

pub(crate) struct Extension {
    /// Content octets of the object identifier.
    pub(crate) oid: Vec<u8>,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

/// `id-ce` (2.5.29) and a number below 128.
pub(crate) fn id_ce(number: u8) -> Vec<u8> {
    vec![0x55, 0x1d, number]
}

impl Tbs<'_> {
    /// `None` if a date lies beyond the year 9999.
    pub(crate) fn to_der(&self, algorithm: &[u8]) -> Option<Vec<u8>> {
        let mut parts = Vec::new();
        if self.version > 1 {
            parts.push(tagged(0, &tlv(Tag::Integer, &[self.version - 1])));
        }
        parts.push(tlv(Tag::Integer, self.serial));
        parts.push(algorithm.to_vec());
        parts.push(self.issuer.to_vec());
        parts.push(sequence(&[moment(self.validity.0)?, moment(self.validity.1)?]));
        parts.push(self.subject.to_vec());
        parts.push(self.public_key.to_vec());
        if !self.extensions.is_empty() {
            let extensions: Vec<_> = self.extensions.iter().map(Extension::to_der).collect();
            parts.push(tagged(3, &sequence(&extensions)));
        }
        Some(sequence(&parts))
    }
}

impl Extension {
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let mut parts = vec![tlv(Tag::ObjectIdentifier, &self.oid)];
        if self.critical {
            parts.push(tlv(Tag::Boolean, &[0xff]));
        }
        parts.push(octet_string(&self.value));
        sequence(&parts)
    }
}

/// A certificate or a revocation list: what was signed, how, and the signature.
pub(crate) fn signed(tbs: Vec<u8>, algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    let signature = BitStringRef::from_bytes(signature).and_then(|bits| bits.to_der()).expect(FITS);
    sequence(&[tbs, algorithm.to_vec(), signature])
}

/// DER lengths go to 256 MiB, and everything written here is far below.
const FITS: &str = "what is written here is far below the largest DER length";

pub(crate) fn tlv(tag: Tag, content: &[u8]) -> Vec<u8> {
    AnyRef::new(tag, content).and_then(|any| any.to_der()).expect(FITS)
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(Tag::Sequence, &parts.concat())
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    OctetStringRef::new(content).and_then(|octets| octets.to_der()).expect(FITS)
}

/// An explicit context tag around an element.
pub(crate) fn tagged(number: u32, content: &[u8]) -> Vec<u8> {
    tlv(Tag::ContextSpecific { constructed: true, number: TagNumber(number) }, content)
}

/// `UTCTime` up to 2049, `GeneralizedTime` after (RFC 5280, section 4.1.2.5).
pub(crate) fn moment(seconds: u64) -> Option<Vec<u8>> {
    let date = DateTime::from_unix_duration(core::time::Duration::from_secs(seconds)).ok()?;
    let der = match UtcTime::from_date_time(date) {
        Ok(time) => time.to_der(),
        Err(_) => GeneralizedTime::from_date_time(date).to_der(),
    };
    der.ok()
}
