//! Decryption under a password: PBES2 (RFC 8018, section 6.2), and what PKCS#12 has of its own (RFC 7292, appendix C).
//!
//! All parameters are read and bounded here before any work is done; keys and plain text are wiped. That padding is right
//! proves nothing, so callers look at what came out before they call a password right.

use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use cbc::cipher::{BlockCipherDecrypt, InnerIvInit as _, KeyInit};
use des::TdesEde3;
use pbkdf2::pbkdf2_hmac;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::ber::{INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};
use super::cipher::decrypt_in_place;
use super::foreign::Shape;
use super::import::Format;
use super::import_error::ImportError;
use super::import_error::REWRITE;
use super::opener::Opener;
use crate::cert::ObjectIdentifier;
use crate::limits::SALT_BYTES;

pub(super) const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5];
const HASHES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
const AES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];
const SCRYPT: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 0x0b];

/// An `AlgorithmIdentifier`: its number, and what stands behind it.
pub(super) struct Algorithm<'a> {
    pub(super) oid: &'a [u8],
    pub(super) parameters: Reader<'a>,
}

impl<'a> Algorithm<'a> {
    pub(super) fn take(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let mut parts = reader.enter(SEQUENCE)?;
        let oid = parts.take(OBJECT_IDENTIFIER)?.content;
        Ok(Self { oid, parameters: parts })
    }

    /// The last number, if the others are these.
    pub(super) fn under(&self, arc: &[u8]) -> Option<u8> {
        match self.oid.strip_prefix(arc)? {
            [last] => Some(*last),
            _ => None,
        }
    }

    pub(super) fn unsupported(&self, format: Format, what: &str) -> ImportError {
        unsupported(self.oid, format, what)
    }
}

fn unsupported(oid: &[u8], format: Format, what: &str) -> ImportError {
    let oid = ObjectIdentifier::from_der_content(oid).map_or_else(|_| "…".to_owned(), |oid| oid.to_string());
    ImportError::Unsupported { format, what: format!("{what} {oid}"), cure: REWRITE }
}

pub(super) fn damaged(format: Format, part: &'static str) -> impl Fn(Malformed) -> ImportError {
    move |_| ImportError::Damaged { format, part }
}

/// An `EncryptedPrivateKeyInfo` (RFC 5958, section 3), opened.
pub(super) fn private_key(
    encrypted: &[u8],
    format: Format,
    passwords: &mut Passwords<'_>,
    opener: &mut Opener<'_>,
) -> Result<PrivateKeyDer<'static>, ImportError> {
    let read = || {
        let mut parts = Reader::only(encrypted, SEQUENCE)?.parts()?;
        let algorithm = Algorithm::take(&mut parts)?;
        Ok((algorithm, parts.next().ok_or(Malformed)?.octets()?))
    };
    let (algorithm, data) = read().map_err(damaged(format, "encrypted private key"))?;
    let is_key = |plain: &[u8]| Shape::of(plain) == Shape::Pkcs8;
    let mut plain = passwords.decrypt(&algorithm, data, format, opener, is_key)?;
    Ok(PrivatePkcs8KeyDer::from(core::mem::take(&mut *plain)).into())
}

/// The passwords that a file may have been encrypted with. One, but that "none" is written in two ways.
pub(super) struct Passwords<'a> {
    pub(super) text: &'a str,
    /// As PKCS#12 hashes it, the next one to try last.
    #[cfg(feature = "pkcs12")]
    pub(super) pkcs12: Vec<Zeroizing<Vec<u8>>>,
}

impl<'a> Passwords<'a> {
    pub(super) fn of(opener: &Opener<'a>, format: Format) -> Result<Self, ImportError> {
        let text = opener.needed_password(format)?;
        Ok(Self {
            text,
            #[cfg(feature = "pkcs12")]
            pkcs12: super::kdf::encodings(text),
        })
    }

    /// Decrypts, and looks whether it is what it should be.
    pub(super) fn decrypt(
        &mut self,
        algorithm: &Algorithm<'_>,
        data: Zeroizing<Vec<u8>>,
        format: Format,
        opener: &mut Opener<'_>,
        is_right: impl Fn(&[u8]) -> bool,
    ) -> Result<Zeroizing<Vec<u8>>, ImportError> {
        let wrong = ImportError::WrongPassword { format };
        #[cfg(feature = "pkcs12")]
        if let Some(number) = algorithm.under(super::pkcs12::PBE) {
            // With the encoding that a MAC proved there is one left.
            while let Some(password) = self.pkcs12.pop() {
                let plain = pkcs12_pbe(number, algorithm, &password, data.clone(), format, opener)?;
                if let Some(plain) = plain.filter(|plain| is_right(plain)) {
                    self.pkcs12 = vec![password];
                    return Ok(plain);
                }
            }
            return Err(wrong);
        }
        if algorithm.under(PKCS5) != Some(13) {
            return Err(algorithm.unsupported(format, "the encryption"));
        }
        pbes2(algorithm, self.text, data, format, opener)?.filter(|plain| is_right(plain)).ok_or(wrong)
    }
}

/// `None` if the padding is wrong.
type Plain = Option<Zeroizing<Vec<u8>>>;

/// Key, initialization vector, and what is encrypted.
type Decrypt = fn(&[u8], &[u8], Zeroizing<Vec<u8>>) -> Result<Plain, Malformed>;

fn pbes2(
    algorithm: &Algorithm<'_>,
    password: &str,
    data: Zeroizing<Vec<u8>>,
    format: Format,
    opener: &mut Opener<'_>,
) -> Result<Plain, ImportError> {
    let damaged = damaged(format, "encryption parameters");
    let read = || {
        let mut parts = algorithm.parameters.clone().enter(SEQUENCE)?;
        let kdf = Algorithm::take(&mut parts)?;
        let mut cipher = Algorithm::take(&mut parts)?;
        Ok((kdf, cipher.parameters.next(), cipher))
    };
    let (kdf, iv, cipher) = read().map_err(&damaged)?;
    let (key_bytes, decrypt): (usize, Decrypt) = match (cipher.under(AES), cipher.oid) {
        (Some(2), _) => (16, cbc::<Aes128Dec>),
        (Some(22), _) => (24, cbc::<Aes192Dec>),
        (Some(42), _) => (32, cbc::<Aes256Dec>),
        (_, TRIPLE_DES) => (24, cbc::<TdesEde3>),
        _ => return Err(cipher.unsupported(format, "the cipher")),
    };
    let iv = iv.filter(|iv| iv.tag == OCTET_STRING).ok_or(Malformed).map_err(&damaged)?;
    let mut key = Zeroizing::new([0; 32]);
    let (key, _) = key.split_at_mut(key_bytes);
    if kdf.oid == SCRYPT {
        scrypt(&kdf, password, key, format, opener)?;
    } else if kdf.under(PKCS5) == Some(12) {
        pbkdf2(&kdf, password, key, format, opener)?;
    } else {
        return Err(kdf.unsupported(format, "the key derivation"));
    }
    decrypt(key, iv.content, data).map_err(&damaged)
}

/// Of RFC 8018, appendix A.2.
fn pbkdf2(
    kdf: &Algorithm<'_>,
    password: &str,
    key: &mut [u8],
    format: Format,
    opener: &mut Opener<'_>,
) -> Result<(), ImportError> {
    let read = || {
        let mut parts = kdf.parameters.clone().enter(SEQUENCE)?;
        let salt = parts.take(OCTET_STRING)?.content;
        let iterations = parts.take(INTEGER)?.number()?;
        let length = parts.take_if(INTEGER)?.map(|length| length.number()).transpose()?;
        let prf = if parts.is_empty() { None } else { Some(Algorithm::take(&mut parts)?) };
        if salt.len() > SALT_BYTES || length.is_some_and(|length| usize::try_from(length) != Ok(key.len())) {
            return Err(Malformed);
        }
        Ok((salt, iterations, prf))
    };
    let (salt, iterations, prf) = read().map_err(damaged(format, "parameters of PBKDF2"))?;
    let hash = match &prf {
        None => 7,
        Some(prf) => prf.under(HASHES).ok_or_else(|| prf.unsupported(format, "the hash"))?,
    };
    let derive: fn(&[u8], &[u8], u32, &mut [u8]) = match (hash, prf) {
        (7, _) => pbkdf2_hmac::<Sha1>,
        (8, _) => pbkdf2_hmac::<Sha224>,
        (9, _) => pbkdf2_hmac::<Sha256>,
        (10, _) => pbkdf2_hmac::<Sha384>,
        (11, _) => pbkdf2_hmac::<Sha512>,
        (_, Some(prf)) => return Err(prf.unsupported(format, "the hash")),
        (_, None) => return Err(kdf.unsupported(format, "the hash")),
    };
    derive(password.as_bytes(), salt, opener.pay(iterations, format)?, key);
    Ok(())
}

/// Of RFC 7914, section 7.1.
fn scrypt(
    kdf: &Algorithm<'_>,
    password: &str,
    key: &mut [u8],
    format: Format,
    opener: &mut Opener<'_>,
) -> Result<(), ImportError> {
    let damaged = damaged(format, "parameters of scrypt");
    let read = || {
        let mut parts = kdf.parameters.clone().enter(SEQUENCE)?;
        let salt = parts.take(OCTET_STRING)?.content;
        let mut number = || parts.take(INTEGER)?.number();
        let numbers = (number()?, number()?, number()?);
        let length = parts.take_if(INTEGER)?.map(|length| length.number()).transpose()?;
        if salt.len() > SALT_BYTES || length.is_some_and(|length| usize::try_from(length) != Ok(key.len())) {
            return Err(Malformed);
        }
        Ok((salt, numbers))
    };
    let (salt, (cost, block, lanes)) = read().map_err(&damaged)?;
    opener.pay_scrypt([128, cost, block, lanes].into_iter().try_fold(1u64, u64::checked_mul))?;
    if !cost.is_power_of_two() || cost < 2 {
        return Err(damaged(Malformed));
    }
    let small = |number: u64| u32::try_from(number).map_err(|_| Malformed);
    let mut derive = || {
        let log = u8::try_from(cost.trailing_zeros()).map_err(|_| Malformed)?;
        let parameters = scrypt::Params::new(log, small(block)?, small(lanes)?).map_err(|_| Malformed)?;
        scrypt::scrypt(password.as_bytes(), salt, &parameters, key).map_err(|_| Malformed)
    };
    derive().map_err(&damaged)
}

/// In the place where it is.
pub(super) fn cbc<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    data: Zeroizing<Vec<u8>>,
) -> Result<Plain, Malformed> {
    cbc_by(C::new_from_slice(key).map_err(|_| Malformed)?, iv, data)
}

fn cbc_by<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], data: Zeroizing<Vec<u8>>) -> Result<Plain, Malformed> {
    Ok(decrypt_in_place(cbc::Decryptor::inner_iv_slice_init(cipher, iv).map_err(|_| Malformed)?, data))
}

/// `pbeWithSHAAnd…` of RFC 7292, appendix C: what was written before 2015, and by Windows still.
#[cfg(feature = "pkcs12")]
fn pkcs12_pbe(
    number: u8,
    algorithm: &Algorithm<'_>,
    password: &[u8],
    data: Zeroizing<Vec<u8>>,
    format: Format,
    opener: &mut Opener<'_>,
) -> Result<Plain, ImportError> {
    use super::kdf::{Purpose, derive};

    let damaged = damaged(format, "encryption parameters");
    let key_bytes = match number {
        3 => 24,
        4 | 5 => 16,
        6 => 5,
        _ => return Err(algorithm.unsupported(format, "the encryption")),
    };
    let (salt, iterations) = pbe_parameters(algorithm).map_err(&damaged)?;
    let iterations = opener.pay(iterations, format)?;
    let mut key = Zeroizing::new([0; 24]);
    let (key, _) = key.split_at_mut(key_bytes);
    derive::<Sha1>(password, salt, Purpose::Key, iterations, key);
    let mut iv = [0; 8];
    derive::<Sha1>(password, salt, Purpose::Iv, iterations, &mut iv);
    let plain = match number {
        3 => cbc::<TdesEde3>(key, &iv, data),
        4 => cbc::<des::TdesEde2>(key, &iv, data),
        _ => cbc_by(rc2::Rc2::new_with_eff_key_len(key, key_bytes * 8), &iv, data),
    };
    plain.map_err(&damaged)
}

/// `pkcs-12PbeParams`: salt and iterations.
#[cfg(feature = "pkcs12")]
fn pbe_parameters<'a>(algorithm: &Algorithm<'a>) -> Result<(&'a [u8], u64), Malformed> {
    let mut parts = algorithm.parameters.clone().enter(SEQUENCE)?;
    let salt = parts.take(OCTET_STRING)?.content;
    if salt.len() > SALT_BYTES {
        return Err(Malformed);
    }
    Ok((salt, parts.take(INTEGER)?.number()?))
}
