//! One revocation list.

use std::hint::black_box;

use certmap::cert::{RevocationList, SerialNumber};
use certmap::limits::REVOCATION_LIST_NUMBER_BYTES;
use sha2::{Digest as _, Sha256};

use crate::{der, names, one_line, plain_error};

/// What is read is exactly these bytes, its form as a file reads back, what is cut or longer is none, and it revokes what a
/// plain reader finds in it and nothing else.
pub(crate) fn law(input: &[u8]) {
    let list = match RevocationList::from_der(input) {
        Ok(list) => list,
        Err(error) => {
            plain_error(&error);
            return;
        }
    };
    assert_eq!(list.der().as_ref(), input);
    assert_eq!(list.fingerprint().as_bytes()[..], Sha256::digest(input)[..]);
    assert_eq!(RevocationList::from_pem(list.to_pem().as_bytes()).as_ref(), Ok(&list));
    assert_eq!(RevocationList::from_pem(input).as_ref(), Ok(&list));
    assert!(RevocationList::from_der(&input[..input.len() - 1]).is_err(), "cut");
    assert!(RevocationList::from_der(&[input, &[0]].concat()).is_err(), "with more");
    names::laws(&list.issuer());
    one_line(&format!("{list:?}"));
    let number = list.number().to_string();
    assert!(!number.starts_with('-') && number.len() <= 2 * REVOCATION_LIST_NUMBER_BYTES);
    assert_eq!(number.parse().as_ref(), Ok(list.number()));
    assert_eq!(list.is_empty(), list.len() == 0);

    let Some(serials) = serials(input) else { return };
    assert_eq!(list.len(), serials.len());
    for content in &serials {
        let serial = serial(content);
        let revoked = list.revoked(&serial);
        assert!(revoked.is_some(), "{serial} stands in the list");
        let next: SerialNumber = format!("{serial}00").parse().expect("a number");
        assert_eq!(list.revoked(&next).is_some(), serials.iter().any(|other| self::serial(other) == next));
    }
}

/// The content octets of each serial number, as a plain reader finds them.
fn serials(input: &[u8]) -> Option<Vec<&[u8]>> {
    let whole = der::all(der::only(input)?.content)?;
    let fields = der::all(whole.first()?.content)?;
    // Version, algorithm, issuer, this update, next update; then the entries, if there are any, and the extensions.
    let entries = fields.get(5).filter(|field| field.tag == 0x30);
    let Some(entries) = entries else { return Some(Vec::new()) };
    // The law looks at each pair.
    let entries = der::all(entries.content).filter(|entries| entries.len() < 200)?;
    entries.into_iter().map(|entry| Some(der::first(entry.content)?.0.content)).collect()
}

/// The number of these content octets, by its text.
fn serial(content: &[u8]) -> SerialNumber {
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    let mut digits = content.to_vec();
    if negative {
        digits.iter_mut().for_each(|digit| *digit = !*digit);
        for digit in digits.iter_mut().rev() {
            *digit = digit.wrapping_add(1);
            if *digit != 0 {
                break;
            }
        }
    }
    let sign = if negative { "-" } else { "" };
    let text = digits.iter().fold(sign.to_owned(), |text, digit| text + &format!("{digit:02x}"));
    text.parse().expect("a number")
}

pub(crate) fn work(input: &[u8]) {
    let _ = black_box(RevocationList::from_der(input));
}
