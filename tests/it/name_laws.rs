//! Laws of distinguished names, on random and damaged ones: text, structure and DER agree, unequal names never look equal,
//! and nothing panics.

use std::collections::HashMap;

use certmap::cert::DistinguishedName;

use crate::common::tries;
use crate::names::{laws, name, text};
use crate::random_names::{Attribute, CN, O, random_attribute, random_der};

#[test]
fn printing_is_injective_and_inverse_to_parsing() {
    let mut random = fastrand::Rng::with_seed(0x4514);
    let mut by_text: HashMap<String, DistinguishedName> = HashMap::new();
    let mut by_name: HashMap<DistinguishedName, String> = HashMap::new();
    for _ in 0..tries(100_000) {
        let name = DistinguishedName::from_der(&random_der(&mut random)).expect("a name");
        laws(&name);
        let text = name.to_string();
        assert!(
            !text.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{2066}' | '\u{200b}' | '\u{feff}')),
            "{text:?}"
        );
        assert_eq!(*by_text.entry(text.clone()).or_insert_with(|| name.clone()), name);
        assert_eq!(*by_name.entry(name).or_insert_with(|| text.clone()), text);
    }
    assert_eq!(by_text.len(), by_name.len());
    assert!((tries(25_000)..tries(100_000)).contains(&by_text.len()), "{} different names", by_text.len());
}

#[test]
fn shuffled_attributes_are_the_same_name_and_shuffled_rdns_are_not() {
    let mut random = fastrand::Rng::with_seed(0x501);
    for _ in 0..2_000 {
        let owned: Vec<_> = (0..4).map(|_| random_attribute(&mut random)).collect();
        let mut attributes: Vec<Attribute<'_>> =
            owned.iter().map(|(kind, tag, content)| (kind.as_str(), *tag, content.as_slice())).collect();
        let (together, apart) =
            (name(&[&attributes]), name(&attributes.iter().map(std::slice::from_ref).collect::<Vec<_>>()));
        random.shuffle(&mut attributes);
        assert_eq!(name(&[&attributes]), together);
        assert_ne!(together, apart);
        let shuffled = name(&attributes.iter().map(std::slice::from_ref).collect::<Vec<_>>());
        assert_eq!(shuffled == apart, shuffled.rdns().eq(apart.rdns()));
    }
    assert_ne!(name(&[&[text(CN, "a")], &[text(O, "b")]]), name(&[&[text(O, "b")], &[text(CN, "a")]]));
}

/// Whatever is accepted keeps the laws; whatever is not is an error with a message in one printable line.
fn never_panics(der: &[u8]) {
    match DistinguishedName::from_der(der) {
        Ok(name) => laws(&name),
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
}

#[test]
fn damaged_der_is_refused_or_another_name_and_never_a_panic() {
    let mut random = fastrand::Rng::with_seed(0x690);
    for _ in 0..60 {
        let der = random_der(&mut random);
        for length in 0..der.len() {
            assert!(DistinguishedName::from_der(&der[..length]).is_err(), "cut to {length} bytes");
        }
        for bit in 0..der.len() * 8 {
            let mut damaged = der.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            never_panics(&damaged);
        }
    }
    for _ in 0..tries(100_000) {
        let mut garbage: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
        never_panics(&garbage);
        // Into depths that plain garbage does not reach.
        for octet in &mut garbage {
            let likely = [0x30, 0x31, 0x06, 0x0c, 0x13, 0x1f, 0x55, 0x04, 0x03, 0x00, 0x80, 0x81, 0x82, 0x84, 0xff];
            *octet = likely[random.usize(..likely.len())];
        }
        never_panics(&garbage);
    }
}

#[test]
fn garbage_text_is_refused_or_a_name_and_never_a_panic() {
    const PIECES: [&str; 26] = [
        "CN", "O", "OID.", "1.2.3", "2.5.4.3", "=", "=", "=", ",", "+", " ", "\\", "#", "0c", "0161", "C4", "8D", "č",
        "\"", "\0", "\u{202e}", "日", "a", "/", ";", ".",
    ];
    let mut random = fastrand::Rng::with_seed(0x2253);
    let mut names = 0;
    for _ in 0..tries(100_000) {
        let text: String = (0..random.usize(..12)).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        match text.parse::<DistinguishedName>() {
            Ok(name) => {
                laws(&name);
                names += 1;
            }
            Err(error) => assert!(!error.to_string().contains(|c: char| c.is_control() || !c.is_ascii()), "{error}"),
        }
    }
    assert!(names > tries(100_000) / 15, "{names} names");
}
