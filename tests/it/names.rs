//! Distinguished names: text, structure and DER agree, case by case; `name_laws` has the laws, on random names.

use std::error::Error as _;

use certmap::cert::{AttributeValue, DistinguishedName, InvalidDistinguishedName, ObjectIdentifier};

use crate::random_names::*;

#[track_caller]
pub fn name(rdns: &[&[Attribute<'_>]]) -> DistinguishedName {
    DistinguishedName::from_der(&der(rdns)).expect("a name")
}

#[track_caller]
fn dn(text: &str) -> DistinguishedName {
    text.parse().unwrap_or_else(|error: InvalidDistinguishedName| panic!("`{text}`: {error}"))
}

#[track_caller]
fn dn_err(text: &str) -> String {
    text.parse::<DistinguishedName>().expect_err(text).to_string()
}

#[track_caller]
fn der_err(der: &[u8]) -> String {
    DistinguishedName::from_der(der).expect_err("no name").to_string()
}

#[track_caller]
fn oid_err(text: &str) -> String {
    text.parse::<ObjectIdentifier>().expect_err(text).to_string()
}

/// `text` is read as the name of these RDNs, and that is printed as `printed`.
#[track_caller]
fn row(text: &str, printed: &str, rdns: &[&[Attribute<'_>]]) {
    let expected = name(rdns);
    assert_eq!(dn(text), expected, "`{text}`");
    assert_eq!(expected.to_string(), printed);
    laws(&expected);
}

#[track_caller]
pub fn laws(name: &DistinguishedName) {
    let text = name.to_string();
    assert_eq!(text.parse().as_ref(), Ok(name), "`{text}`");
    let der = name.to_der();
    assert_eq!(DistinguishedName::from_der(&der).as_ref(), Ok(name), "`{text}`");
    assert_eq!(dn(&text).to_der(), der, "`{text}`");
}

pub fn text(kind: &'static str, text: &'static str) -> Attribute<'static> {
    (kind, UTF8, text.as_bytes())
}

#[test]
fn examples_of_rfc_4514_are_read_and_printed() {
    let net: &[&[Attribute<'_>]] = &[&[text(DC, "net")], &[text(DC, "example")]];
    row("UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net", &[net[0], net[1], &[text(UID, "jsmith")]]);
    row(
        "OU=Sales+CN=J.  Smith,DC=example,DC=net",
        "CN=J.  Smith+OU=Sales,DC=example,DC=net",
        &[net[0], net[1], &[text(OU, "Sales"), text(CN, "J.  Smith")]],
    );
    row(
        r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
        r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
        &[net[0], net[1], &[text(CN, "James \"Jim\" Smith, III")]],
    );
    row(
        r"CN=Before\0dAfter,DC=example,DC=net",
        r"CN=Before\0DAfter,DC=example,DC=net",
        &[net[0], net[1], &[text(CN, "Before\rAfter")]],
    );
    row("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869", &[&[(UNKNOWN, 0x04, b"Hi")]]);
    row(r"CN=Lu\C4\8Di\C4\87", "CN=Lučić", &[&[text(CN, "Lučić")]]);
}

#[test]
fn every_keyword_names_its_type() {
    let printed = [
        ("CN", CN),
        ("SN", SN),
        ("serialNumber", SERIAL_NUMBER),
        ("C", C),
        ("L", L),
        ("ST", ST),
        ("STREET", STREET),
        ("O", O),
        ("OU", OU),
        ("title", TITLE),
        ("givenName", GIVEN_NAME),
        ("DC", DC),
        ("UID", UID),
        ("emailAddress", EMAIL_ADDRESS),
    ];
    for (keyword, kind) in printed {
        let canonical = format!("{keyword}=x");
        let spellings = [
            keyword.to_owned(),
            keyword.to_lowercase(),
            keyword.to_uppercase(),
            kind.to_owned(),
            format!("OID.{kind}"),
        ];
        for spelling in spellings {
            row(&format!("{spelling}=x"), &canonical, &[&[text(kind, "x")]]);
        }
    }
}

#[test]
fn keywords_of_other_tools_are_read_and_not_printed() {
    row("S=x", "ST=x", &[&[text(ST, "x")]]);
    row("SP=x", "ST=x", &[&[text(ST, "x")]]);
    row("E=x", "emailAddress=x", &[&[text(EMAIL_ADDRESS, "x")]]);
    row("EMAIL=x", "emailAddress=x", &[&[text(EMAIL_ADDRESS, "x")]]);
    row("EMAILADDRESS=x", "emailAddress=x", &[&[text(EMAIL_ADDRESS, "x")]]);
    row("G=x", "givenName=x", &[&[text(GIVEN_NAME, "x")]]);
    row("GN=x", "givenName=x", &[&[text(GIVEN_NAME, "x")]]);
    row("T=x", "title=x", &[&[text(TITLE, "x")]]);
    row("oid.2.5.4.3=x", "CN=x", &[&[text(CN, "x")]]);
}

#[test]
fn text_and_structure_agree() {
    // Separators and blanks.
    row("", "", &[]);
    row("CN=", "CN=", &[&[text(CN, "")]]);
    row("CN=,O=", "CN=,O=", &[&[text(O, "")], &[text(CN, "")]]);
    row("CN=+CN=", "CN=+CN=", &[&[text(CN, ""), text(CN, "")]]);
    row("CN=a, O=b , C=DE", "CN=a,O=b,C=DE", &[&[text(C, "DE")], &[text(O, "b")], &[text(CN, "a")]]);
    row("  CN  =  a  ", "CN=a", &[&[text(CN, "a")]]);
    row("O=b + CN=a", "CN=a+O=b", &[&[text(CN, "a"), text(O, "b")]]);
    row("CN=a,CN=b", "CN=a,CN=b", &[&[text(CN, "b")], &[text(CN, "a")]]);
    row("CN=a b  c", "CN=a b  c", &[&[text(CN, "a b  c")]]);
    // Escapes.
    row(r"CN=\ a\ ", r"CN=\ a\ ", &[&[text(CN, " a ")]]);
    row(r"CN=\ ", r"CN=\ ", &[&[text(CN, " ")]]);
    row(r"CN=\ \ ", r"CN=\ \ ", &[&[text(CN, "  ")]]);
    row(r"CN=a \ ", r"CN=a \ ", &[&[text(CN, "a  ")]]);
    row(r"CN=a\  ,O=b", r"CN=a\ ,O=b", &[&[text(O, "b")], &[text(CN, "a ")]]);
    row(r"CN=a\20", r"CN=a\ ", &[&[text(CN, "a ")]]);
    row(r"CN=\#1", r"CN=\#1", &[&[text(CN, "#1")]]);
    row(r"CN=\231", r"CN=\#1", &[&[text(CN, "#1")]]);
    row("CN=1#", "CN=1#", &[&[text(CN, "1#")]]);
    row(r"CN=\ #", r"CN=\ #", &[&[text(CN, " #")]]);
    row("CN=a=b", "CN=a=b", &[&[text(CN, "a=b")]]);
    row(r"CN=a\=b", "CN=a=b", &[&[text(CN, "a=b")]]);
    row("CN==", "CN==", &[&[text(CN, "=")]]);
    row(r#"CN=\"\+\,\;\<\>\\"#, r#"CN=\"\+\,\;\<\>\\"#, &[&[text(CN, "\"+,;<>\\")]]);
    row(r"CN=\2C\2b", r"CN=\,\+", &[&[text(CN, ",+")]]);
    row(r"CN=\5c00", r"CN=\\00", &[&[text(CN, "\\00")]]);
    row(r"CN=\61\62", "CN=ab", &[&[text(CN, "ab")]]);
    row("CN=a/O=b", "CN=a/O=b", &[&[text(CN, "a/O=b")]]);
    // What cannot be seen.
    row(r"CN=admin\00.evil", r"CN=admin\00.evil", &[&[text(CN, "admin\0.evil")]]);
    row("CN=a\nb\tc", r"CN=a\0Ab\09c", &[&[text(CN, "a\nb\tc")]]);
    row(r"CN=\7f\1b[2J", r"CN=\7F\1B[2J", &[&[text(CN, "\u{7f}\u{1b}[2J")]]);
    row(r"CN=\c2\85", r"CN=\C2\85", &[&[text(CN, "\u{85}")]]);
    row("CN=\u{202e}nimda", r"CN=\E2\80\AEnimda", &[&[text(CN, "\u{202e}nimda")]]);
    row("CN=\u{61c}\u{feff}", r"CN=\D8\9C\EF\BB\BF", &[&[text(CN, "\u{61c}\u{feff}")]]);
    row("CN=a\u{2028}b\u{200b}", r"CN=a\E2\80\A8b\E2\80\8B", &[&[text(CN, "a\u{2028}b\u{200b}")]]);
    row("CN=\u{a0}a\u{3000}", r"CN=\C2\A0a\E3\80\80", &[&[text(CN, "\u{a0}a\u{3000}")]]);
    row("CN=日本 \u{1f600}", "CN=日本 \u{1f600}", &[&[text(CN, "日本 \u{1f600}")]]);
    // Values that are no text, types that have no keyword.
    row("CN=#0C0161", "CN=a", &[&[text(CN, "a")]]);
    row("CN= #0c0161 ,O=b", "CN=a,O=b", &[&[text(O, "b")], &[text(CN, "a")]]);
    row("CN=#1e020061", "CN=#1e020061", &[&[(CN, BMP, &[0, 0x61])]]);
    row("CN=#14027ce9", "CN=#14027ce9", &[&[(CN, TELETEX, &[0x7c, 0xe9])]]);
    row("CN=#1c0400000061", "CN=#1c0400000061", &[&[(CN, UNIVERSAL, &[0, 0, 0, 0x61])]]);
    row("CN=#0c01ff", "CN=#0c01ff", &[&[(CN, UTF8, &[0xff])]]);
    row("CN=#1301e9", "CN=#1301e9", &[&[(CN, PRINTABLE, &[0xe9])]]);
    row("CN=#1302c3a9", "CN=#1302c3a9", &[&[(CN, PRINTABLE, "é".as_bytes())]]);
    row("CN=#3000", "CN=#3000", &[&[(CN, 0x30, &[])]]);
    row("1.2.3=abc", "1.2.3=#0c03616263", &[&[text("1.2.3", "abc")]]);
    row("1.2.3=", "1.2.3=#0c00", &[&[text("1.2.3", "")]]);
    row("OID.2.999.1=#1303616263", "2.999.1=#0c03616263", &[&[text("2.999.1", "abc")]]);
}

#[test]
fn a_value_with_a_long_tag_is_opaque() {
    let opaque = [&[0xdf, 0x8a, 0x39, 0x01][..], b"a"].concat();
    let kind = element(0x06, &[0x55, 0x04, 0x03]);
    let der = element(0x30, &element(0x31, &element(0x30, &[kind, opaque.clone()].concat())));
    let name = DistinguishedName::from_der(&der).expect("a name");
    let value = name.rdns().next().and_then(|rdn| rdn.attributes().first()).map(certmap::cert::Attribute::value);
    assert_eq!(value, Some(&AttributeValue::Opaque(opaque)));
    assert_eq!(name.to_string(), "CN=#df8a390161");
    laws(&name);
    // 31 is the first number that needs the long form.
    laws(&dn("CN=#1f1f00"));
    assert_eq!(dn_err("CN=#1f1e00"), "expected `#` and the hexadecimal of one whole DER value at offset 3");
}

#[test]
fn a_name_is_taken_apart_in_encoded_order() {
    let name = dn("CN=b+CN=a+CN=b,O=Acme");
    let apart: Vec<Vec<(String, &AttributeValue)>> = name
        .rdns()
        .map(|rdn| rdn.attributes().iter().map(|one| (one.kind().to_string(), one.value())).collect())
        .collect();
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let (acme, a, b) = (text("Acme"), text("a"), text("b"));
    let cn = || CN.to_owned();
    assert_eq!(apart, [vec![(O.to_owned(), &acme)], vec![(cn(), &a), (cn(), &b), (cn(), &b)]]);
    assert!(!name.is_empty());
    assert!(dn("").is_empty());
    assert_eq!(format!("{name:?}"), "DistinguishedName(CN=a+CN=b+CN=b,O=Acme)");
}

#[test]
fn der_is_written_with_the_string_types_of_rfc_5280() {
    let written = |kind, text: &'static str, tag| {
        assert_eq!(
            name(&[&[(kind, UTF8, text.as_bytes())]]).to_der(),
            der(&[&[(kind, tag, text.as_bytes())]]),
            "{text}"
        );
    };
    written(C, "DE", PRINTABLE);
    written(C, "D*", UTF8);
    written(SERIAL_NUMBER, "Aa0 '()+,-./:=?", PRINTABLE);
    written(SERIAL_NUMBER, "a@b", UTF8);
    written(EMAIL_ADDRESS, "a@example.com", IA5);
    written(EMAIL_ADDRESS, "ä@example.com", UTF8);
    written(DC, "example", IA5);
    written(CN, "plain", UTF8);
    written(UNKNOWN, "plain", UTF8);
    let long = "x".repeat(300);
    assert_eq!(
        name(&[&[(CN, PRINTABLE, long.as_bytes()), (O, UTF8, &[b'y'; 200])]]).to_der(),
        der(&[&[(O, UTF8, &[b'y'; 200]), (CN, UTF8, long.as_bytes())]])
    );
}

#[test]
fn attributes_of_an_rdn_are_written_in_der_order_and_read_in_any() {
    let ordered = der(&[&[text(O, "b"), text(CN, "aa")]]);
    assert_eq!(name(&[&[text(CN, "aa"), text(O, "b")]]).to_der(), ordered);
    assert_eq!(name(&[&[text(O, "b"), text(CN, "aa")]]).to_der(), ordered);
}

#[test]
fn same_text_in_another_of_five_string_types_is_the_same_name() {
    for tag in [UTF8, NUMERIC, PRINTABLE, IA5, VISIBLE] {
        assert_eq!(name(&[&[(CN, tag, b"*.a@b 1")]]), dn("CN=*.a@b 1"), "tag {tag:#x}");
    }
}

#[test]
fn same_text_as_bmp_teletex_or_universal_string_is_another_name() {
    let encodings: [(u8, &[u8]); 5] =
        [(BMP, &[0, 0x61]), (TELETEX, b"a"), (UNIVERSAL, &[0, 0, 0, 0x61]), (0x2c, &[0x0c, 1, 0x61]), (0x1b, b"a")];
    let mut names = vec![dn("CN=a")];
    for (tag, content) in encodings {
        let other = name(&[&[(CN, tag, content)]]);
        laws(&other);
        assert!(!names.contains(&other), "tag {tag:#x}");
        names.push(other);
    }
}

#[test]
fn order_of_rdns_counts_and_order_of_attributes_does_not() {
    assert_ne!(dn("CN=a,O=b"), dn("O=b,CN=a"));
    assert_ne!(dn("CN=a+O=b"), dn("CN=a,O=b"));
    assert_eq!(dn("CN=a+O=b"), dn("O=b+CN=a"));
    assert_ne!(dn("CN=a,OU=x+O=b"), dn("CN=a+OU=x,O=b"));
}

#[test]
fn duplicate_attributes_are_counted() {
    assert_ne!(dn("CN=a+CN=a+CN=b"), dn("CN=a+CN=b+CN=b"));
    assert_ne!(dn("CN=a+CN=a"), dn("CN=a"));
    assert_ne!(dn("CN=a,CN=a"), dn("CN=a+CN=a"));
    assert_eq!(dn("CN=a+CN=b+CN=a"), dn("CN=b+CN=a+CN=a"));
}

#[test]
fn an_empty_value_at_the_end_drops_nothing() {
    assert_ne!(dn("CN=a,OU="), dn("CN=a"));
    assert_ne!(dn("CN=a+OU="), dn("CN=a"));
    assert_eq!(dn("CN=a,OU=").rdns().count(), 2);
}

#[test]
fn a_value_that_looks_like_an_attribute_stays_a_value() {
    for value in ["x,CN=admin", "CN=admin", "bob, CN=admin", "admin\\", " admin", "", "a+CN=admin", "x\0", "#0c0161"] {
        let literal = name(&[&[(O, UTF8, value.as_bytes())]]);
        assert_eq!(literal.rdns().count(), 1);
        assert_ne!(literal, dn("CN=admin"));
        assert_ne!(literal, dn("O=admin"));
        laws(&literal);
    }
}

#[test]
fn case_blanks_and_unicode_forms_of_values_are_kept() {
    assert_ne!(dn("CN=a"), dn("CN=A"));
    assert_ne!(dn("CN=a b"), dn("CN=a  b"));
    assert_ne!(dn("CN=\u{e9}"), dn("CN=e\u{301}"));
}

#[test]
fn an_overlong_or_huge_arc_never_becomes_a_common_name() {
    let with_kind = |content: &[u8]| {
        let attribute = [element(0x06, content), element(UTF8, b"admin")].concat();
        DistinguishedName::from_der(&element(0x30, &element(0x31, &element(0x30, &attribute))))
    };
    // 2.5.4.(2^64 + 3): the low 64 bits say common name.
    let huge = with_kind(&[0x55, 0x04, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x03]).expect("a name");
    assert_ne!(huge, dn("CN=admin"));
    assert_eq!(huge.to_string(), "2.5.4.18446744073709551619=#0c0561646d696e");
    laws(&huge);
    let padded = with_kind(&[0x55, 0x04, 0x80, 0x03]).expect_err("padding");
    assert_eq!(padded.to_string(), "the attribute type at offset 8 is no object identifier");
    assert_eq!(padded.source().expect("a cause").to_string(), "expected an arc without padding at offset 2");
    assert!(with_kind(&[&[0x55, 0x04, 0x84][..], &[0x80; 17], &[0x03]].concat()).is_err());
}

#[test]
fn text_that_is_no_name_is_refused_with_the_reason() {
    assert_eq!(dn_err("CN=a,"), "expected an attribute after the `,` at offset 4");
    assert_eq!(dn_err("CN=a+ "), "expected an attribute after the `+` at offset 4");
    assert_eq!(dn_err("CN=a,,O=b"), "expected an attribute after the `,` at offset 4");
    assert_eq!(dn_err("CN=a,=b"), "expected an attribute after the `,` at offset 4");
    assert_eq!(dn_err(",CN=a"), "expected an attribute at offset 0");
    assert_eq!(dn_err("  "), "expected an attribute at offset 2");
    assert_eq!(dn_err("CN"), "expected a `=` after the attribute type at offset 2");
    assert_eq!(dn_err("CN=a,b"), "expected a `=` after the attribute type at offset 6");
    assert_eq!(dn_err("CNN=a"), "unknown attribute keyword `CNN` at offset 0: a name is written as in `CN=erp,O=Acme`");
    assert_eq!(
        dn_err("/CN=foo/O=bar"),
        "unknown attribute keyword `/CN` at offset 0: a name is written as in `CN=erp,O=Acme`"
    );
    assert_eq!(
        dn_err("CN=a,\u{202e}Ü\\=a"),
        "unknown attribute keyword `\\u{202e}\\u{dc}\\\\` at offset 5: a name is written as in `CN=erp,O=Acme`"
    );
    let long =
        format!("unknown attribute keyword `{}` at offset 0: a name is written as in `CN=erp,O=Acme`", "x".repeat(64));
    assert_eq!(dn_err(&format!("{}=a", "x".repeat(1000))), long);
    assert_eq!(dn_err(r#"CN="a""#), "expected a backslash before the `\"` at offset 3");
    assert_eq!(dn_err("CN=a;O=b"), "expected a backslash before the `;` at offset 4");
    assert_eq!(dn_err("CN=a<"), "expected a backslash before the `<` at offset 4");
    assert_eq!(dn_err("CN=>"), "expected a backslash before the `>` at offset 3");
    assert_eq!(dn_err("CN=a\0b"), r"expected `\00` instead of a raw NUL at offset 4");
    for text in ["CN=a\\", "CN=a\\x", "CN=a\\4", "CN=a\\ü", "CN=a\\,CN=b\\"] {
        let expected = "expected a special character or two hexadecimal digits after the backslash at offset ";
        assert_eq!(dn_err(text), format!("{expected}{}", text.rfind('\\').expect("a backslash") + 1));
    }
    assert_eq!(dn_err(r"CN=a,O=b\C4"), "expected hexadecimal pairs that form UTF-8 at offset 7");
    assert_eq!(dn_err(r"CN=\C4č\8D"), "expected hexadecimal pairs that form UTF-8 at offset 3");
    for digits in
        ["", "0", "0c", "0c01", "0c016", "0c01616", "0c016100", "0g", "0c 00", "0c8100", "0000", "1f0c00", "éa"]
    {
        let text = format!("CN=#{digits}");
        assert_eq!(dn_err(&text), "expected `#` and the hexadecimal of one whole DER value at offset 3", "`{text}`");
    }
    assert_eq!(dn_err("1.2.03=a"), "the attribute type at offset 0 is no object identifier");
    assert_eq!(dn_err("CN=a,oid.CN=a"), "the attribute type at offset 9 is no object identifier");
    let cause = "OID.=a".parse::<DistinguishedName>().expect_err("no arcs");
    assert_eq!(
        cause.source().expect("a cause").to_string(),
        "expected a decimal number without leading zeros at offset 0"
    );
}

#[test]
fn text_that_is_no_object_identifier_is_refused_with_the_reason() {
    for text in ["", ".", "1.", ".1", "1..2", "01.2", "1.2.00", "+1.2", "1.-2", "1.2 ", "a.b", "1.٣"] {
        assert!(oid_err(text).starts_with("expected a decimal number without leading zeros at offset "), "`{text}`");
    }
    assert_eq!(oid_err("1.2.03"), "expected a decimal number without leading zeros at offset 4");
    assert_eq!(oid_err("3.1"), "expected a first arc of 0, 1 or 2 at offset 0");
    assert_eq!(oid_err("1.40"), "expected a second arc of at most 39 at offset 2");
    assert_eq!(oid_err("2"), "expected a second arc at offset 1");
    assert_eq!(oid_err("1.2.340282366920938463463374607431768211456"), "the arc at offset 4 is larger than 128 bits");
    assert_eq!(oid_err("2.340282366920938463463374607431768211376"), "the arc at offset 2 is larger than 128 bits");
    assert_eq!(oid_err(&format!("1.2{}", ".1".repeat(64))), "an object identifier of more than 64 octets is too long");
}

#[test]
fn der_that_is_no_name_is_refused_with_the_reason() {
    assert_eq!(der_err(&[]), "expected a SEQUENCE at offset 0 of the DER");
    assert_eq!(der_err(&[0x31, 0x00]), "expected a SEQUENCE at offset 0 of the DER");
    assert_eq!(der_err(&[0x30, 0x00, 0x00]), "expected the end of the name at offset 2 of the DER");
    assert_eq!(der_err(&[0x30, 0x02, 0x30, 0x00]), "expected a SET at offset 2 of the DER");
    assert_eq!(der_err(&[0x30, 0x02, 0x31, 0x00]), "expected an attribute at offset 4 of the DER");
    assert_eq!(der_err(&[0x30, 0x04, 0x31, 0x02, 0x31, 0x00]), "expected an attribute at offset 4 of the DER");
    let attribute = |content: &[u8]| element(0x30, &element(0x31, &element(0x30, content)));
    assert_eq!(der_err(&attribute(&[])), "expected an OBJECT IDENTIFIER at offset 6 of the DER");
    assert_eq!(der_err(&attribute(&[0x0c, 0x00])), "expected an OBJECT IDENTIFIER at offset 6 of the DER");
    assert_eq!(
        der_err(&attribute(&[0x06, 0x00, 0x0c, 0x00])),
        "the attribute type at offset 8 is no object identifier"
    );
    // An attribute that is empty, and behind it what it lacks.
    assert_eq!(der_err(&[0x30, 6, 0x31, 4, 0x30, 0, 0x06, 0]), "expected an OBJECT IDENTIFIER at offset 6 of the DER");
    let with_value = |value: &[u8]| attribute(&[&[0x06, 0x03, 0x55, 0x04, 0x03][..], value].concat());
    for no_value in [&[][..], &[0x00, 0x00], &[0x1f, 0x0c, 0x00], &[0x9f, 0x80, 0x20, 0x00]] {
        assert_eq!(der_err(&with_value(no_value)), "expected a value at offset 11 of the DER");
    }
    assert_eq!(
        der_err(&with_value(&[0x0c, 0x00, 0x0c, 0x00])),
        "expected the end of the attribute at offset 13 of the DER"
    );
    // No length, indefinite, padded, padded again, and beyond the attribute.
    for length in [&[0x0c][..], &[0x0c, 0x80, 0, 0], &[0x0c, 0x81, 0x01, 0x61], &[0x0c, 0x82, 0, 0], &[0x0c, 0x01]] {
        let expected = "expected a DER length that fits what is around it at offset 12 of the DER";
        assert_eq!(der_err(&with_value(length)), expected);
    }
    // An inner element that is longer than the one around it, while the bytes are there.
    let mut beyond = der(&[&[text(CN, "a")], &[text(CN, "b")]]);
    assert_eq!(beyond.get(3), Some(&10));
    beyond[5] += 1;
    assert_eq!(der_err(&beyond), "expected a DER length that fits what is around it at offset 5 of the DER");
}

#[test]
fn what_passes_a_limit_is_refused_and_what_reaches_it_is_not() {
    let too_many = "a name of more than 128 attributes is too long";
    for separator in ["+", ","] {
        laws(&dn(&["CN=a"; 128].join(separator)));
        assert_eq!(dn_err(&["CN=a"; 129].join(separator)), too_many);
    }
    let (a, rdn) = (text(CN, "a"), &[text(CN, "a")][..]);
    laws(&name(&[&[a; 128]]));
    assert_eq!(der_err(&der(&[&[a; 129]])), too_many);
    assert_eq!(der_err(&der(&[rdn; 129])), too_many);

    let with_text = |c: u8, length: usize| der(&[&[(CN, UTF8, &vec![c; length])]]);
    // The headers around the text need 21 bytes as DER, `CN=` needs 3 as text.
    laws(&DistinguishedName::from_der(&with_text(b'a', 16384 - 21)).expect("a name"));
    assert_eq!(der_err(&with_text(b'a', 16385 - 21)), "a name of 16385 bytes is too long, at most 16384 are read");
    assert_eq!(
        dn_err(&format!("CN={}", "a".repeat(16382))),
        "a name of 16385 bytes is too long, at most 16384 are read"
    );
    assert_eq!(
        dn_err(&format!("CN={}", "a".repeat(16381))),
        "a name of 16402 bytes is too long, at most 16384 are read"
    );
    // A name whose text nobody could read back is no name either: three characters for each of these.
    laws(&DistinguishedName::from_der(&with_text(1, 5460)).expect("a name"));
    assert_eq!(der_err(&with_text(1, 5461)), "a name of 16386 bytes is too long, at most 16384 are read");
    assert_eq!(
        dn_err(&format!("1.2.3={}", "a".repeat(9000))),
        "a name of 18015 bytes is too long, at most 16384 are read"
    );
}
