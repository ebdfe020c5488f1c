//! Files under a password: PKCS#12 and SAP's PSE.

use std::hint::black_box;

use certmap::identity::{Format, Import, ImportNote, Imported};

use crate::{one_line, pem, plain_error};

/// The password of every seed.
const PASSWORD: &str = "secret";
/// So many times a password is hashed here at most; the seeds hash it once. A program that imports files allows a million,
/// which whoever opens the file waits for: no law about time is stated there.
const ITERATIONS: u32 = 20;

fn import() -> Import<'static> {
    Import::new().with_password(PASSWORD).with_max_iterations(ITERATIONS)
}

/// What every imported file keeps.
fn imported(imported: &Imported, file: &[u8], import: Import<'_>) {
    pem::identity(imported.identity());
    imported.notes().iter().for_each(|note| one_line(&note.to_string()));
    let again = import.read(file).expect("the same file is read again");
    assert_eq!(again.identity().chain(), imported.identity().chain());
    assert_eq!(again.identity().private_key_der(), imported.identity().private_key_der());
    assert_eq!((again.format(), again.notes()), (imported.format(), imported.notes()));
    // A file with a key is nobody's list of certificates.
    assert!(import.certificates(file).is_err());
}

/// Reads it; what went wrong is told in one line and without the password.
fn read(file: &[u8], import: Import<'_>) -> Option<Imported> {
    if let Err(error) = import.certificates(file) {
        assert!(!plain_error(&error).contains(PASSWORD));
    }
    match import.read(file) {
        Ok(found) => {
            imported(&found, file, import);
            Some(found)
        }
        Err(error) => {
            assert!(!plain_error(&error).contains(PASSWORD));
            None
        }
    }
}

/// A PKCS#12 file that is read has a MAC, unless that was given up in so many words; then it is read as well, and as the same.
/// What the MAC protects is read with no other password, and with fewer iterations than it asks for not at all.
pub(crate) fn pkcs12_law(input: &[u8]) {
    let strict = read(input, import());
    let lax = read(input, import().danger_accept_no_mac());
    let Some(strict) = strict else {
        if let Some(lax) = lax.filter(|lax| lax.format() == Format::Pkcs12) {
            assert!(lax.notes().contains(&ImportNote::NoMac), "refused, but for no missing MAC: {:?}", lax.notes());
        }
        return;
    };
    let lax = lax.expect("what is read strictly is read otherwise too");
    assert_eq!(lax.identity().chain(), strict.identity().chain());
    assert!(!strict.notes().contains(&ImportNote::NoMac));
    if strict.format() == Format::Pkcs12 {
        let wrong = import().with_password("another");
        assert!(wrong.read(input).is_err() && wrong.danger_accept_no_mac().read(input).is_err());
        assert!(Import::new().read(input).is_err() && import().with_max_iterations(0).read(input).is_err());
    }
}

/// A PSE keeps the same, but for the MAC, which it has none of: the identity is whole, key and certificate belong together.
pub(crate) fn pse_law(input: &[u8]) {
    if let Some(found) = read(input, import())
        && found.format() == Format::Pse
    {
        // What is read without its PIN needs none.
        if let Ok(open) = Import::new().read(input) {
            assert_eq!(open.identity().chain(), found.identity().chain());
            assert!(import().with_password("another").read(input).is_ok());
        } else {
            assert!(import().with_password("another").read(input).is_err());
        }
    }
}

pub(crate) fn pkcs12_work(input: &[u8]) {
    let _ = black_box(import().read(input));
}

/// Of a PSE as of a list of certificates: an RSA key is made of its primes, which takes what it takes.
pub(crate) fn pse_work(input: &[u8]) {
    let _ = black_box(import().certificates(input));
}
