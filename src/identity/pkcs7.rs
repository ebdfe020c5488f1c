//! The certificates of a PKCS#7 file (`.p7b`, `.p7c`): a signed message without message and signatures. RFC 2315, section 9.

use super::ber::{INTEGER, Malformed, OBJECT_IDENTIFIER, Reader, SEQUENCE, SET, context};
use super::foreign::ForeignFile;
use super::import::Format;
use super::import_error::ImportError;
use crate::limits::IMPORTED_CERTIFICATES;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

/// The certificates in the order of the file, which says nothing: it is a set. Never empty.
///
/// If there are signatures they are not looked at: the certificates are judged by what becomes of them.
pub(super) fn certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, ImportError> {
    let damaged = |part| move |_: Malformed| ImportError::Damaged { format: Format::Pkcs7, part };
    let mut parts = Reader::only(file, SEQUENCE).and_then(|whole| whole.parts()).map_err(damaged("beginning"))?;
    let kind = parts.take(OBJECT_IDENTIFIER).map_err(damaged("type"))?;
    if kind.content != SIGNED_DATA {
        return Err(ImportError::Foreign { file: ForeignFile::CmsMessage });
    }
    let set = certificate_set(parts).map_err(damaged("certificates"))?;
    let Some(mut set) = set else { return Err(ImportError::NoCertificate) };
    let mut found = Vec::new();
    while !set.is_empty() {
        // The other choices of RFC 5652, section 10.2.2 are obsolete forms that nobody presents.
        let certificate = set.take(SEQUENCE).map_err(damaged("certificate"))?;
        if found.len() >= IMPORTED_CERTIFICATES {
            return Err(ImportError::TooMany { what: "certificates", limit: IMPORTED_CERTIFICATES });
        }
        found.push(certificate.whole.to_vec());
    }
    if found.is_empty() { Err(ImportError::NoCertificate) } else { Ok(found) }
}

fn certificate_set(mut parts: Reader<'_>) -> Result<Option<Reader<'_>>, Malformed> {
    let mut wrapped = parts.enter(context(0))?;
    parts.end()?;
    let mut message = wrapped.enter(SEQUENCE)?;
    message.take(INTEGER)?;
    message.take(SET)?;
    message.take(SEQUENCE)?;
    message.take_if(context(0))?.map(|set| set.parts()).transpose()
}
