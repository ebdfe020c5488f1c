//! Names written as DER, one octet after the other, and random ones. Not written by the code that reads them.

use certmap::cert::ObjectIdentifier;

pub const CN: &str = "2.5.4.3";
pub const SN: &str = "2.5.4.4";
pub const SERIAL_NUMBER: &str = "2.5.4.5";
pub const C: &str = "2.5.4.6";
pub const L: &str = "2.5.4.7";
pub const ST: &str = "2.5.4.8";
pub const STREET: &str = "2.5.4.9";
pub const O: &str = "2.5.4.10";
pub const OU: &str = "2.5.4.11";
pub const TITLE: &str = "2.5.4.12";
pub const GIVEN_NAME: &str = "2.5.4.42";
pub const DC: &str = "0.9.2342.19200300.100.1.25";
pub const UID: &str = "0.9.2342.19200300.100.1.1";
pub const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";
pub const UNKNOWN: &str = "1.3.6.1.4.1.1466.0";

pub const UTF8: u8 = 0x0c;
pub const NUMERIC: u8 = 0x12;
pub const PRINTABLE: u8 = 0x13;
pub const TELETEX: u8 = 0x14;
pub const IA5: u8 = 0x16;
pub const VISIBLE: u8 = 0x1a;
pub const UNIVERSAL: u8 = 0x1c;
pub const BMP: u8 = 0x1e;

/// Type, tag and content octets.
pub type Attribute<'a> = (&'a str, u8, &'a [u8]);

pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..=0x7f => vec![tag, u8::try_from(length).expect("below 128")],
        0x80..=0xff => vec![tag, 0x81, u8::try_from(length).expect("below 256")],
        _ => [&[tag, 0x82][..], &u16::try_from(length).expect("tests stay below 64 KiB").to_be_bytes()].concat(),
    };
    [&header[..], content].concat()
}

fn attribute((kind, tag, content): Attribute<'_>) -> Vec<u8> {
    let kind: ObjectIdentifier = kind.parse().expect("an object identifier");
    element(0x30, &[element(0x06, kind.as_der_content()), element(tag, content)].concat())
}

/// The DER of a name, RDNs in encoded order and attributes in any.
pub fn der(rdns: &[&[Attribute<'_>]]) -> Vec<u8> {
    let rdn = |attributes: &&[Attribute<'_>]| {
        element(0x31, &attributes.iter().map(|one| attribute(*one)).collect::<Vec<_>>().concat())
    };
    element(0x30, &rdns.iter().map(rdn).collect::<Vec<_>>().concat())
}

/// An attribute as `from_der` reads it: few enough choices that equal names come up by chance.
pub fn random_attribute(random: &mut fastrand::Rng) -> (String, u8, Vec<u8>) {
    const PIECES: [&str; 24] = [
        "a",
        "b",
        "",
        " ",
        "#",
        ",",
        "+",
        "=",
        "\\",
        "\"",
        ";",
        "<>",
        "\0",
        "\n",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "č",
        "日",
        "CN=a",
        "\\2C",
        "é\u{301}",
    ];
    let kinds = [CN, O, OU, C, SERIAL_NUMBER, DC, EMAIL_ADDRESS, UNKNOWN, "1.2.3", "2.999.18446744073709551619"];
    let kind = kinds[random.usize(..kinds.len())].to_owned();
    let mut text = String::new();
    for _ in 0..random.usize(..4) {
        text.push_str(PIECES[random.usize(..PIECES.len())]);
    }
    let ascii_tags = [NUMERIC, PRINTABLE, IA5, VISIBLE];
    match random.u8(..10) {
        0 => (kind, BMP, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        1 => (kind, [TELETEX, UNIVERSAL, 0x04, 0x30, 0x80, 0x2c][random.usize(..6)], text.into_bytes()),
        2 => (kind, [UTF8, PRINTABLE, IA5][random.usize(..3)], vec![0xff; random.usize(1..3)]),
        3 if text.is_ascii() => (kind, ascii_tags[random.usize(..4)], text.into_bytes()),
        _ => (kind, UTF8, text.into_bytes()),
    }
}

/// A name as `from_der` reads it, of such attributes.
pub fn random_der(random: &mut fastrand::Rng) -> Vec<u8> {
    let rdns: Vec<Vec<(String, u8, Vec<u8>)>> = (0..random.usize(..4))
        .map(|_| {
            let mut attributes: Vec<_> = (0..random.usize(1..4)).map(|_| random_attribute(random)).collect();
            if random.u8(..4) == 0 {
                attributes.push(attributes[0].clone());
            }
            attributes
        })
        .collect();
    let borrowed: Vec<Vec<Attribute<'_>>> = rdns
        .iter()
        .map(|rdn| rdn.iter().map(|(kind, tag, content)| (kind.as_str(), *tag, content.as_slice())).collect())
        .collect();
    der(&borrowed.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
