//! PKCS#12 files (RFC 7292): bags of certificates and keys under a password.
//!
//! The MAC is verified before anything is decrypted. Certificates that stand there as trusted ones, and those of a chain, are
//! not told apart: what belongs to the key is found by the key. Secrets, revocation lists and names are passed over.

use hmac::{EagerHash, Hmac, KeyInit as _, Mac as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::ber::{INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, context};
use super::found::Found;
use super::import::{Format, ImportNote};
use super::import_error::ImportError;
use super::import_error::REWRITE;
use super::kdf::{Purpose, derive, encodings};
use super::opener::Opener;
use super::pbes::{Algorithm, PKCS5, Passwords, damaged as damaged_in, private_key};
use crate::limits::{CONTAINER_PARTS, SALT_BYTES};

/// `pkcs-12PbeIds`.
pub(super) const PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];
const BAGS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1];
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

fn damaged(part: &'static str) -> impl Fn(Malformed) -> ImportError {
    damaged_in(Format::Pkcs12, part)
}

fn unsupported(what: &str, cure: &'static str) -> ImportError {
    ImportError::Unsupported { format: Format::Pkcs12, what: what.to_owned(), cure }
}

/// Takes what is in the file.
pub(super) fn read(file: &[u8], opener: &mut Opener<'_>, found: &mut Found) -> Result<(), ImportError> {
    let pfx = || {
        let mut parts = Reader::only(file, SEQUENCE)?.parts()?;
        parts.take(INTEGER)?;
        let content = parts.enter(SEQUENCE)?;
        let mac = if parts.is_empty() { None } else { Some(parts.enter(SEQUENCE)?) };
        Ok((content, mac))
    };
    let (content, mac) = pfx().map_err(damaged("outer structure"))?;
    let safes = match content_info(content)? {
        Content::Plain(safes) => safes,
        Content::Encrypted(_) => return Err(unsupported("an encrypted whole", REWRITE)),
    };
    let text = opener.password().unwrap_or_default();
    let mut bags = Bags { passwords: Passwords { text, pkcs12: encodings(text) }, opener, found, parts: 0 };
    match mac {
        Some(mac) => bags.verify(mac, &safes)?,
        None if bags.opener.accepts_no_mac() => bags.found.notes.push(ImportNote::NoMac),
        None => return Err(ImportError::NoMac),
    }
    let mut safes = Reader::only(&safes, SEQUENCE).and_then(|safes| safes.parts()).map_err(damaged("list of safes"))?;
    while !safes.is_empty() {
        bags.count()?;
        let content = content_info(safes.enter(SEQUENCE).map_err(damaged("safe"))?)?;
        bags.safe(content)?;
    }
    Ok(())
}

/// What is in a `ContentInfo`.
enum Content<'a> {
    Plain(Zeroizing<Vec<u8>>),
    Encrypted(Reader<'a>),
}

fn content_info(mut info: Reader<'_>) -> Result<Content<'_>, ImportError> {
    let mut read = || {
        let kind = info.take(OBJECT_IDENTIFIER)?.content.strip_prefix(PKCS7);
        Ok((kind, info.enter(context(0))?))
    };
    let (kind, mut content) = read().map_err(damaged("content"))?;
    match kind {
        Some([1]) => {
            let plain = content.next().ok_or(Malformed).and_then(|plain| plain.octets());
            Ok(Content::Plain(plain.map_err(damaged("content"))?))
        }
        Some([6]) => Ok(Content::Encrypted(content.enter(SEQUENCE).map_err(damaged("encrypted content"))?)),
        _ => Err(unsupported("public keys instead of a password", "export it under a password")),
    }
}

struct Bags<'a, 'b, 'c> {
    passwords: Passwords<'a>,
    opener: &'b mut Opener<'a>,
    found: &'c mut Found,
    parts: usize,
}

impl Bags<'_, '_, '_> {
    /// One part more.
    fn count(&mut self) -> Result<(), ImportError> {
        self.parts += 1;
        if self.parts > CONTAINER_PARTS {
            return Err(ImportError::TooMany { what: "parts", limit: CONTAINER_PARTS });
        }
        Ok(())
    }

    /// Wrong in all its encodings, or there is none.
    fn wrong_password(&self) -> ImportError {
        let format = Format::Pkcs12;
        match self.opener.password() {
            Some(_) => ImportError::WrongPassword { format },
            None => ImportError::PasswordNeeded { format },
        }
    }

    /// Verifies the MAC, and keeps the encoding of the password that fits it.
    fn verify(&mut self, mut mac: Reader<'_>, content: &[u8]) -> Result<(), ImportError> {
        let mut read = || {
            let mut digest = mac.enter(SEQUENCE)?;
            let algorithm = Algorithm::take(&mut digest)?;
            let expected = digest.take(OCTET_STRING)?.content;
            let salt = mac.take(OCTET_STRING)?.content;
            let iterations = mac.take_if(INTEGER)?.map_or(Ok(1), |iterations| iterations.number())?;
            if salt.len() > SALT_BYTES { Err(Malformed) } else { Ok((algorithm, expected, salt, iterations)) }
        };
        let (algorithm, expected, salt, iterations) = read().map_err(damaged("MAC"))?;
        if algorithm.under(PKCS5) == Some(14) {
            return Err(unsupported(
                "PBMAC1",
                "export it with a MAC of SHA-256, `openssl pkcs12 -export -macalg sha256`",
            ));
        }
        let fits: Fits = match (algorithm.under(SHA2), algorithm.oid) {
            (_, SHA1) => mac_fits::<Sha1>,
            (Some(1), _) => mac_fits::<Sha256>,
            (Some(2), _) => mac_fits::<Sha384>,
            (Some(3), _) => mac_fits::<Sha512>,
            (Some(4), _) => mac_fits::<Sha224>,
            _ => return Err(algorithm.unsupported(Format::Pkcs12, "the MAC")),
        };
        while let Some(password) = self.passwords.pkcs12.pop() {
            let iterations = self.opener.pay(iterations, Format::Pkcs12)?;
            if fits(&password, salt, iterations, content, expected) {
                self.passwords.pkcs12 = vec![password];
                return Ok(());
            }
        }
        Err(self.wrong_password())
    }

    fn safe(&mut self, content: Content<'_>) -> Result<(), ImportError> {
        let bags = match content {
            Content::Plain(bags) => bags,
            Content::Encrypted(mut parts) => {
                let mut read = || {
                    parts.take(INTEGER)?;
                    let mut parts = parts.enter(SEQUENCE)?;
                    parts.take(OBJECT_IDENTIFIER)?;
                    let algorithm = Algorithm::take(&mut parts)?;
                    let data = parts.next().ok_or(Malformed)?;
                    // [0] IMPLICIT OCTET STRING, whole or in parts.
                    if data.tag & !0x20 == 0x80 { Ok((algorithm, data.octets()?)) } else { Err(Malformed) }
                };
                let (algorithm, data) = read().map_err(damaged("encrypted safe"))?;
                let is_bags = |plain: &[u8]| Reader::only(plain, SEQUENCE).is_ok();
                let opened = self.passwords.decrypt(&algorithm, data, Format::Pkcs12, self.opener, is_bags);
                opened.map_err(|error| self.told(error))?
            }
        };
        let bags = Reader::only(&bags, SEQUENCE).and_then(|bags| bags.parts()).map_err(damaged("bags"))?;
        self.bags(bags, 0)
    }

    fn told(&self, error: ImportError) -> ImportError {
        if matches!(error, ImportError::WrongPassword { .. }) { self.wrong_password() } else { error }
    }

    fn bags(&mut self, mut bags: Reader<'_>, depth: usize) -> Result<(), ImportError> {
        while !bags.is_empty() {
            self.count()?;
            let mut read = || {
                let mut bag = bags.enter(SEQUENCE)?;
                let kind = bag.take(OBJECT_IDENTIFIER)?.content.strip_prefix(BAGS);
                Ok((kind, bag.enter(context(0))?))
            };
            let (kind, mut value) = read().map_err(damaged("bag"))?;
            match kind {
                Some([1 | 2]) if self.opener.certificates_only() => return Err(ImportError::PrivateKey),
                Some([1]) => {
                    let key = value.take(SEQUENCE).map_err(damaged("key"))?;
                    self.found.key(PrivatePkcs8KeyDer::from(key.whole.to_vec()).into())?;
                }
                Some([2]) => {
                    let key = value.take(SEQUENCE).map_err(damaged("key"))?;
                    let key = self.shrouded(key.whole)?;
                    self.found.key(key)?;
                }
                Some([3]) => {
                    if let Some(certificate) = certificate(value).map_err(damaged("certificate"))? {
                        self.found.certificate(certificate)?;
                    }
                }
                Some([6]) if depth < 4 => self.bags(value.enter(SEQUENCE).map_err(damaged("bag"))?, depth + 1)?,
                Some([6]) => return Err(damaged("nesting of bags")(Malformed)),
                _ => {}
            }
        }
        Ok(())
    }

    fn shrouded(&mut self, key: &[u8]) -> Result<PrivateKeyDer<'static>, ImportError> {
        let key = private_key(key, Format::Pkcs12, &mut self.passwords, self.opener);
        key.map_err(|error| self.told(error))
    }
}

/// A `CertBag`; `None` if it holds an SDSI certificate, which nobody ever did.
fn certificate(mut value: Reader<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    let mut bag = value.enter(SEQUENCE)?;
    if bag.take(OBJECT_IDENTIFIER)?.content != X509_CERTIFICATE {
        return Ok(None);
    }
    let certificate = bag.enter(context(0))?.next().ok_or(Malformed)?.octets()?;
    Ok(Some(certificate.to_vec()))
}

/// Password, salt, iterations, what is protected, and the MAC that it should have.
type Fits = fn(&[u8], &[u8], u32, &[u8], &[u8]) -> bool;

fn mac_fits<D>(password: &[u8], salt: &[u8], iterations: u32, content: &[u8], expected: &[u8]) -> bool
where
    D: EagerHash + sha1::digest::Digest + sha1::digest::block_api::BlockSizeUser,
{
    let mut key = Zeroizing::new([0; 64]);
    let (key, _) = key.split_at_mut(<D as sha1::digest::Digest>::output_size());
    derive::<D>(password, salt, Purpose::Mac, iterations, key);
    let Ok(mac) = Hmac::<D>::new_from_slice(key) else { return false };
    mac.chain_update(content).verify_slice(expected).is_ok()
}
