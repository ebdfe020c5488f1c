//! The words of a policy: users, roles, labels, fingerprints. What could harm a log or pass for another word is refused
//! when it is made, never cleaned up.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use certmap::policy::HostId;
use certmap::{BundleName, Fingerprint, InvalidUserName, Role, RuleName, Selector, SpkiFingerprint, UserName};

/// The code points with the property `Default_Ignorable_Code_Point` (Unicode, `DerivedCoreProperties`): nobody sees them.
const IGNORABLE: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

#[track_caller]
fn error<T: FromStr<Err: Display> + Debug>(text: &str) -> String {
    text.parse::<T>().expect_err(text).to_string()
}

#[test]
fn a_user_name_has_no_character_that_a_person_does_not_see() {
    let ignorable = IGNORABLE.iter().flat_map(|(first, last)| *first..=*last).filter_map(char::from_u32);
    let blanks = ('\0'..=char::MAX).filter(|c| c.is_control() || (c.is_whitespace() && *c != ' '));
    for character in ignorable.chain(blanks) {
        let refused = format!("ad{character}min").parse::<UserName>();
        assert_eq!(refused, Err(InvalidUserName::Character { character, offset: 2 }), "{character:?}");
    }
}

#[test]
fn a_user_name_is_visible_short_and_has_no_blank_at_either_end() {
    for good in ["SAPERPUSER", "SAP ERP", "-", "a@b", "Łukasz", "利用者", &"ä".repeat(150)] {
        assert_eq!(good.parse::<UserName>().unwrap().as_str(), good);
    }
    assert_eq!(error::<UserName>(""), "user name is empty");
    for blank in [" ", " a", "a "] {
        assert_eq!(error::<UserName>(blank), "user name begins or ends with a blank");
    }
    assert_eq!(error::<UserName>(&"ä".repeat(151)), "user name has 151 characters, at most 150 are possible");
    assert_ne!("erp".parse::<UserName>(), "ERP".parse());
}

#[test]
fn a_role_is_an_application_and_a_name() {
    let long = "a".repeat(128);
    assert_eq!(format!("{long}/{long}").parse::<Role>().unwrap().name(), long);
    for slashes in ["", "ESBMessaging.send", "a/b/c"] {
        assert_eq!(error::<Role>(slashes), "a role is written `application/name`, with one slash");
    }
    for empty in ["/", "/b", "a/"] {
        assert_eq!(error::<Role>(empty), "a role is written `application/name`, and one of the two is empty");
    }
    let character = |character: char, offset: usize| {
        format!(
            "the character {character:?} at offset {offset} cannot stand in a role: use letters, digits, `.`, `_`, `-`"
        )
    };
    for (text, refused, offset) in [("a b/c", ' ', 1), ("a/b\n", '\n', 3), ("a/bä", 'ä', 3), ("а/b", 'а', 0)] {
        assert_eq!(error::<Role>(text), character(refused, offset));
    }
    for long in [format!("{long}a/b"), format!("b/{long}a")] {
        assert_eq!(error::<Role>(&long), "application and name of a role have at most 128 bytes each");
    }
}

#[test]
fn a_label_says_what_it_was_to_name() {
    assert_eq!("partners-2026_a.b".parse::<BundleName>().unwrap().as_str(), "partners-2026_a.b");
    assert_eq!("9".repeat(128).parse::<HostId>().unwrap().as_str().len(), 128);
    assert_eq!(error::<HostId>(&"9".repeat(129)), "a host id has at most 128 bytes, this one has 129");
    let character = |kind: &str, character: char, offset: usize| {
        format!(
            "character {character:?} at offset {offset} cannot stand in a {kind}: use letters, digits, `.`, `_`, `-`, and begin with a letter or digit"
        )
    };
    assert_eq!(error::<BundleName>("../x"), character("bundle name", '.', 0));
    assert_eq!(error::<BundleName>("a/b"), character("bundle name", '/', 1));
    assert_eq!(error::<HostId>("a\n"), character("host id", '\n', 1));
    assert_eq!(error::<RuleName>("-a"), character("rule name", '-', 0));
    assert_eq!(error::<RuleName>("а"), character("rule name", 'а', 0), "a Cyrillic letter");
}

#[test]
fn a_fingerprint_is_read_in_the_forms_of_other_tools_and_never_as_the_other_kind() {
    let certificate = Fingerprint::of(b"certificate");
    let key = SpkiFingerprint::of(b"certificate");
    let (text, key_text) = (certificate.to_string(), key.to_string());
    let digits = text.strip_prefix("sha256:").unwrap();
    assert_eq!(format!("sha256:{}", digits.to_uppercase()).parse(), Ok(certificate));
    let pairs: Vec<_> = (0..32).map(|at| &digits[2 * at..2 * at + 2]).collect();
    assert_eq!(format!("sha256:{}", pairs.join(":")).parse(), Ok(certificate));

    let message = |found: &str| {
        format!("expected `sha256:` and 64 hexadecimal digits (colons between pairs are fine), found {found}")
    };
    let beginning = message("another beginning: write `sha256:` or `spki-sha256:` in front of the digits");
    for other in [digits, &key_text, &text.to_uppercase(), &format!(" {text}"), ""] {
        assert_eq!(error::<Fingerprint>(other), beginning);
    }
    assert_eq!(error::<Fingerprint>(&text[..69]), message("62 digits"));
    assert_eq!(error::<Fingerprint>(&format!("{text}00")), message("66 digits"));
    assert_eq!(error::<Fingerprint>(&format!("{text}:")), message("the character ':' at offset 71"));
    assert_eq!(error::<Fingerprint>(&format!("{text}\n")), message("the character '\\n' at offset 71"));
    assert_eq!(error::<Fingerprint>("sha256:a:b"), message("the character ':' at offset 8"));
    assert!(text.parse::<SpkiFingerprint>().is_err());

    assert_eq!(text.parse(), Ok(Selector::certificate(certificate)));
    assert_eq!(key_text.parse(), Ok(Selector::key(key)));
    assert_ne!(Selector::certificate(certificate).to_string(), Selector::key(key).to_string());
    assert_eq!(
        error::<Selector>("CN=admin"),
        "expected `@` and the name of a certificate, `sha256:` and its fingerprint, `spki-sha256:` and that of a key, or `under` and a CA at column 1"
    );
}
