//! SAP's PSE files of version 2 and 4: own RSA key and own certificates, under a PIN or plain.
//!
//! There is no specification. This reads what is known of the format from files, and says `Unsupported` to the rest: version
//! 256 (bound to one machine), other ciphers, DSA and EC keys. The list of trusted certificates (`PKList`) is not read; an
//! identity that has one is imported without, and told so.

use cbc::cipher::KeyIvInit as _;
use des::TdesEde3;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::IdentityError;
use super::ber::{
    BIT_STRING, GENERALIZED_TIME, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET,
};
use super::cipher::decrypt_in_place;
use super::found::Found;
use super::import::{Format, ImportNote};
use super::import_error::ImportError;
use super::kdf::{Purpose, derive, encodings};
use super::opener::Opener;
use super::rsa_key::Primes;
use crate::cert::{Certificate, ObjectIdentifier};
use crate::limits::{CONTAINER_PARTS, SALT_BYTES};

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`.
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// Of SECUDE: 1.3.36.2.
const SECUDE: &[u8] = &[0x2b, 36, 2];

const OTHER_KEY: &str =
    "convert it with SAP's own tool, `sapgenpse export_p12 -p FILE new.p12`, and import that (feature `pkcs12`)";

fn damaged(part: &'static str) -> impl Fn(Malformed) -> ImportError {
    move |_| ImportError::Damaged { format: Format::Pse, part }
}

fn unsupported(what: impl Into<String>) -> ImportError {
    ImportError::Unsupported { format: Format::Pse, what: what.into(), cure: OTHER_KEY }
}

const WRONG_PIN: ImportError = ImportError::WrongPassword { format: Format::Pse };

/// Takes what is in the file.
pub(super) fn read(file: &[u8], opener: &mut Opener<'_>, found: &mut Found) -> Result<(), ImportError> {
    let outer = || {
        let mut parts = Reader::only(file, SEQUENCE)?.parts()?;
        let version = parts.take(INTEGER)?.number()?;
        let body = parts.next().ok_or(Malformed)?;
        parts.end()?;
        Ok((version, body))
    };
    let (version, body) = outer().map_err(damaged("outer structure"))?;
    let protected = body.tag != SEQUENCE;
    let inner = || if protected { body.parts() } else { Reader::only(body.whole, SEQUENCE)?.parts() };
    let parts = inner().map_err(damaged("body"))?;
    match version {
        2 if protected => content(&version_2(parts, opener)?, opener, found),
        2 => content(body.whole, opener, found),
        4 => content(&version_4(parts, opener)?, opener, found),
        256 => Err(unsupported("a key bound to one machine (LPS)")),
        other => Err(unsupported(format!("version {other}"))),
    }
}

/// The PIN is proven by itself: it stands there encrypted like the content.
fn version_2(mut parts: Reader<'_>, opener: &mut Opener<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut read =
        || Ok((parts.take(OCTET_STRING)?.octets()?, Cipher::take(&mut parts)?, parts.take(OCTET_STRING)?.octets()?));
    let (pin, cipher, data) = read().map_err(damaged("encrypted content"))?;
    let keys = cipher.keys(opener)?;
    let proof = keys.decrypt(pin).ok_or(WRONG_PIN)?;
    if *proof != *opener.needed_password(Format::Pse)?.as_bytes() {
        return Err(WRONG_PIN);
    }
    keys.decrypt(data).ok_or(Malformed).map_err(damaged("encrypted content"))
}

/// The content is proven by its SHA-1.
fn version_4(mut parts: Reader<'_>, opener: &mut Opener<'_>) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut read = || {
        let flag = parts.take(INTEGER)?.number()?;
        let before = parts.clone();
        parts.take(SEQUENCE)?;
        Ok((flag, before, parts.take(OCTET_STRING)?.octets()?, parts.take(OCTET_STRING)?.octets()?))
    };
    let (flag, mut algorithm, data, check) = read().map_err(damaged("content"))?;
    let is_right = |plain: &[u8]| Sha1::digest(plain)[..] == **check;
    match flag {
        0 if is_right(&data) => Ok(data),
        0 => Err(damaged("check value")(Malformed)),
        1 => {
            let cipher = Cipher::take(&mut algorithm).map_err(damaged("encryption parameters"))?;
            cipher.keys(opener)?.decrypt(data).filter(|plain| is_right(plain)).ok_or(WRONG_PIN)
        }
        other => Err(unsupported(format!("the protection {other}"))),
    }
}

struct Cipher<'a> {
    oid: &'a [u8],
    parameters: Reader<'a>,
}

impl<'a> Cipher<'a> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut parts = reader.enter(SEQUENCE)?;
        Ok(Self { oid: parts.take(OBJECT_IDENTIFIER)?.content, parameters: parts })
    }

    fn keys(&self, opener: &mut Opener<'_>) -> Result<Keys, ImportError> {
        if self.oid != TRIPLE_DES {
            return Err(unsupported(format!("the encryption {}", oid(self.oid))));
        }
        let read = || {
            let mut parts = self.parameters.clone().enter(SEQUENCE)?;
            let salt = parts.take(OCTET_STRING)?.content;
            if salt.len() > SALT_BYTES { Err(Malformed) } else { Ok((salt, parts.take(INTEGER)?.number()?)) }
        };
        let (salt, iterations) = read().map_err(damaged("encryption parameters"))?;
        let pin = opener.needed_password(Format::Pse)?;
        let iterations = opener.pay(iterations, Format::Pse)?;
        let mut keys = Keys { key: Zeroizing::new([0; 24]), iv: [0; 8] };
        if let Some(pin) = encodings(pin).last() {
            derive::<Sha1>(pin, salt, Purpose::Key, iterations, &mut *keys.key);
            derive::<Sha1>(pin, salt, Purpose::Iv, iterations, &mut keys.iv);
        }
        Ok(keys)
    }
}

struct Keys {
    key: Zeroizing<[u8; 24]>,
    iv: [u8; 8],
}

impl Keys {
    /// `None` if the padding is wrong.
    fn decrypt(&self, data: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
        decrypt_in_place(cbc::Decryptor::<TdesEde3>::new((&*self.key).into(), (&self.iv).into()), data)
    }
}

/// `1.3.36.2.3.4`, or `…` for a number longer than numbers are.
fn oid(content: &[u8]) -> String {
    ObjectIdentifier::from_der_content(content).map_or_else(|_| "…".to_owned(), |oid| oid.to_string())
}

/// The objects of a PSE: keys and certificates, each by a number of SECUDE's.
fn content(plain: &[u8], opener: &Opener<'_>, found: &mut Found) -> Result<(), ImportError> {
    let read = || {
        let mut parts = Reader::only(plain, SEQUENCE)?.parts()?;
        parts.take(SEQUENCE)?;
        parts.take(GENERALIZED_TIME)?;
        parts.take(INTEGER)?;
        parts.enter(SET)
    };
    let mut objects = read().map_err(damaged("content"))?;
    let mut primes = Vec::new();
    let mut has_list = false;
    for count in 0.. {
        if objects.is_empty() {
            break;
        }
        if count >= CONTAINER_PARTS {
            return Err(ImportError::TooMany { what: "objects", limit: CONTAINER_PARTS });
        }
        let mut read = || {
            let mut object = objects.enter(SEQUENCE)?;
            object.next().ok_or(Malformed)?;
            object.take(GENERALIZED_TIME)?;
            Ok((object.take(OBJECT_IDENTIFIER)?.content, object.next().ok_or(Malformed)?))
        };
        let (kind, value) = read().map_err(damaged("object"))?;
        match kind.strip_prefix(SECUDE) {
            Some([3, 4]) if opener.certificates_only() => return Err(ImportError::PrivateKey),
            Some([3, 4]) => primes.push(private_key(value.whole)?),
            Some([3, _]) => return Err(unsupported("an old form of private key")),
            // Own certificate: for everything, for signatures, for encryption.
            Some([1, 1..=3]) => found.certificate(value.whole.to_vec())?,
            Some([0]) => {
                let mut chain = value.parts().map_err(damaged("own certificates"))?;
                while !chain.is_empty() {
                    let certificate = chain.take(SEQUENCE).map_err(damaged("own certificates"))?;
                    found.certificate(certificate.whole.to_vec())?;
                }
            }
            Some([6, 1]) => has_list = true,
            _ => {}
        }
    }
    if has_list && opener.certificates_only() {
        return Err(ImportError::Unsupported {
            format: Format::Pse,
            what: "a list of trusted certificates".to_owned(),
            cure: "export them from STRUST one by one, or with `sapgenpse maintain_pk -l -x PIN -p FILE`",
        });
    }
    if has_list {
        found.notes.push(ImportNote::CertificateListNotRead);
    }
    primes.into_iter().try_for_each(|primes| own_key(&primes, found))
}

/// `SKnew`: like a public key, but with the two primes.
fn private_key(value: &[u8]) -> Result<Primes, ImportError> {
    let read = || {
        let mut parts = Reader::only(value, SEQUENCE)?.parts()?;
        let algorithm = parts.enter(SEQUENCE)?.take(OBJECT_IDENTIFIER)?.content;
        // The first byte says how many bits at the end are unused: none.
        match parts.take(BIT_STRING)?.content {
            [0, key @ ..] => Ok((algorithm, key)),
            _ => Err(Malformed),
        }
    };
    let (algorithm, key) = read().map_err(damaged("private key"))?;
    if algorithm != RSA {
        return Err(unsupported(format!("a private key of the type {}", oid(algorithm))));
    }
    let primes = || {
        let mut parts = Reader::only(key, SEQUENCE)?.parts()?;
        let primes = Primes::new(parts.take(INTEGER)?.content, parts.take(INTEGER)?.content)?;
        parts.end()?;
        Ok(primes)
    };
    primes().map_err(damaged("private key"))
}

/// The whole key. Its public exponent stands in the certificate only.
fn own_key(primes: &Primes, found: &mut Found) -> Result<(), ImportError> {
    let mut first = None;
    for (index, der) in found.certificates.iter().enumerate() {
        let certificate = Certificate::from_der(der);
        let certificate = certificate.map_err(|cause| ImportError::Certificate { ordinal: index + 1, cause })?;
        if let Some(exponent) = exponent(&certificate.public_key(), primes) {
            let key = primes.key(exponent).map_err(damaged("private key"))?;
            return found.key(key.into());
        }
        first = first.or(Some(certificate));
    }
    Err(match first {
        None => ImportError::NoCertificate,
        Some(first) => IdentityError::KeyMismatch { subject: Box::new(first.subject()) }.into(),
    })
}

/// The exponent of this public key, if it is of these primes.
fn exponent<'a>(spki: &'a [u8], primes: &Primes) -> Option<&'a [u8]> {
    let read = || {
        let mut parts = Reader::only(spki, SEQUENCE)?.parts()?;
        parts.take(SEQUENCE)?;
        let [0, key @ ..] = parts.take(BIT_STRING)?.content else { return Err(Malformed) };
        let mut key = Reader::only(key, SEQUENCE)?.parts()?;
        Ok((key.take(INTEGER)?.content, key.take(INTEGER)?.content))
    };
    let (modulus, exponent) = read().ok()?;
    primes.have_modulus(modulus).then_some(exponent)
}
