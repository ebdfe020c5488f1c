//! The small texts of policies, files and logs: each is read back as what was printed.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hint::black_box;
use std::str::FromStr;

use certmap::cert::{ObjectIdentifier, SerialNumber};
use certmap::document::{AddedAs, FileName};
use certmap::limits::{LABEL_BYTES, USER_NAME_CHARACTERS};
use certmap::map::NameTest;
use certmap::policy::HostName;
use certmap::{
    AccessLine, AuditRecord, Enforcement, Fingerprint, Holder, HostId, Role, Selector, SpkiFingerprint, Strength,
    UserName, UserSource,
};

use crate::{one_line, plain_error};

/// Two texts, one in each line: of every kind of text that reads them, printing is inverse to reading, is one line, and gives
/// two of them alike only if they are equal.
pub(crate) fn law(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    kind::<AccessLine>(one, other);
    kind::<AddedAs>(one, other);
    kind::<AuditRecord>(one, other);
    kind::<Enforcement>(one, other);
    kind::<FileName>(one, other);
    kind::<Fingerprint>(one, other);
    kind::<Holder>(one, other);
    kind::<HostName>(one, other);
    kind::<NameTest>(one, other);
    kind::<ObjectIdentifier>(one, other);
    kind::<Role>(one, other);
    kind::<Selector>(one, other);
    kind::<SerialNumber>(one, other);
    kind::<SpkiFingerprint>(one, other);
    kind::<Strength>(one, other);
    kind::<UserSource>(one, other);
    if let [Some(host), _] = kind::<HostId>(one, other) {
        assert!(host.as_str().len() <= LABEL_BYTES);
    }
    for user in kind::<UserName>(one, other).into_iter().flatten() {
        let name = user.as_str();
        assert!(!name.is_empty() && name.chars().count() <= USER_NAME_CHARACTERS && name.trim() == name);
        // A user of a rule is this user, whatever stands in its name.
        let source = UserSource::from(user.clone());
        assert_eq!(source.to_string().parse::<UserSource>().as_ref(), Ok(&source));
        assert_eq!(source.constant(), Some(&user));
    }
    // Who prints a line of a log prints one of ASCII.
    if let Ok(record) = one.parse::<AuditRecord>() {
        assert!(record.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
}

fn kind<T>(one: &str, other: &str) -> [Option<T>; 2]
where
    T: FromStr<Err: Error + 'static> + Display + PartialEq + Debug,
{
    let read = [one, other].map(|text| match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            one_line(&printed);
            match printed.parse::<T>() {
                Ok(again) => {
                    assert_eq!(again, value, "`{printed}` reads back as another");
                    assert_eq!(again.to_string(), printed);
                }
                Err(error) => panic!("`{printed}` does not read back: {error}"),
            }
            Some(value)
        }
        Err(error) => {
            plain_error(&error);
            None
        }
    });
    if let [Some(one), Some(other)] = &read {
        assert_eq!(one == other, one.to_string() == other.to_string(), "{one:?} and {other:?}");
    }
    read
}

pub(crate) fn work(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let _ = black_box(text.parse::<Selector>());
    let _ = black_box(text.parse::<UserSource>());
    let _ = black_box(text.parse::<AuditRecord>());
    let _ = black_box(text.parse::<AccessLine>());
    let _ = black_box(text.parse::<SerialNumber>());
    let _ = black_box(text.parse::<Holder>());
}
