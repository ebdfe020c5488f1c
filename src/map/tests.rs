//! One test per way in which rules over names were fooled elsewhere; the prefix of a test's name is the kind of failure.

use super::*;
use crate::cert::{Certificate, Fingerprint, SpkiFingerprint};
use crate::strength::Strength;
use crate::testing::{TestCertificate, TestName};
use crate::trace::NoTrace;
use crate::voucher::Voucher;

pub(super) fn ca(name: &str) -> Fingerprint {
    Fingerprint::of(name.as_bytes())
}

pub(super) fn key(name: &str) -> SpkiFingerprint {
    SpkiFingerprint::of(name.as_bytes())
}

/// The CA `name`, which signed the certificate itself.
pub(super) fn direct(name: &str) -> Voucher {
    Voucher { anchor: ca(name), issuer_key: key(name), intermediates: [].into(), rewritten: [].into() }
}

/// The CA `name`, through one intermediate.
pub(super) fn through(name: &str, intermediate: &str) -> Voucher {
    Voucher {
        anchor: ca(name),
        issuer_key: key(intermediate),
        intermediates: [ca(intermediate)].into(),
        rewritten: [].into(),
    }
}

#[track_caller]
pub(super) fn test(text: &str) -> NameTest {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[track_caller]
pub(super) fn under(name: &str, text: &str) -> Selector {
    Selector::under(ca(name), test(text))
}

#[track_caller]
pub(super) fn rule(selector: Selector, source: &str) -> CertUserMapping {
    CertUserMapping::from_source(selector, source.parse().unwrap_or_else(|error| panic!("{source}: {error:?}")))
}

#[track_caller]
pub(super) fn table(rules: &[CertUserMapping]) -> MappingTable {
    let (table, problems) = MappingTable::new(rules);
    assert_eq!(problems, []);
    table
}

pub(super) fn lookup(rules: &[CertUserMapping], certificate: &Certificate, vouchers: &[Voucher]) -> Lookup {
    table(rules).under(certificate, vouchers, &mut NoTrace)
}

/// The user, or in brackets why there is none.
#[track_caller]
pub(super) fn who(rules: &[CertUserMapping], certificate: &Certificate) -> String {
    word(&lookup(rules, certificate, &[direct("ca")]))
}

pub(super) fn word(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Ambiguous(_) => "[ambiguous]".to_owned(),
        Lookup::None => "[none]".to_owned(),
        Lookup::One(matched) => matched.user.to_string(),
        Lookup::TooManyTests => "[too many tests]".to_owned(),
        Lookup::Unnamed(unnamed) => format!("[{}]", unnamed.cause),
    }
}

/// True if a rule with this test, under the CA, matches.
#[track_caller]
pub(super) fn matches(text: &str, certificate: &Certificate) -> bool {
    who(&[rule(under("ca", text), "\"u\"")], certificate) == "u"
}

#[track_caller]
pub(super) fn subject(text: &str) -> Certificate {
    TestCertificate::new(text).self_signed().certificate().clone()
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 128);
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

pub(super) const EMAIL: u8 = 0x81;
pub(super) const DNS: u8 = 0x82;
pub(super) const URI: u8 = 0x86;
pub(super) const IP: u8 = 0x87;
pub(super) const UPN: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03];
/// 1.2.3.4
pub(super) const OTHER: &[u8] = &[0x2a, 3, 4];

pub(super) fn other(kind: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0xa0, &[tlv(6, kind), tlv(0xa0, value)].concat())
}

/// A certificate with these alternative names, each a whole DER element.
pub(super) fn san(names: &[Vec<u8>]) -> Certificate {
    let value = tlv(0x30, &names.concat());
    TestCertificate::new("O=x").with_extension("2.5.29.17", false, &value).self_signed().certificate().clone()
}

pub(super) fn san_text(tag: u8, text: &str) -> Certificate {
    san(&[tlv(tag, text.as_bytes())])
}

#[test]
fn strength_is_the_least_of_trust_selector_and_source() {
    let made = TestCertificate::new("CN=a,O=x").with_serial(&[7]).self_signed();
    let certificate = made.certificate();
    let exact = Selector::certificate(certificate.fingerprint());
    let by_key = Selector::key(certificate.spki_fingerprint());
    let (constant, template) = ("\"u\"", "\"t/\" + attribute CN");
    // What the rule gives; a decision has the least of this and of what trust gives (pin and anchor: certificate;
    // pinned key: key).
    for (selector, source, rule_gives, with_pinned_key) in [
        (exact, constant, Strength::Certificate, Strength::Key),
        (by_key, constant, Strength::Key, Strength::Key),
        (under("ca", "serial 07"), constant, Strength::Serial, Strength::Serial),
        (under("ca", "serial 07"), template, Strength::Name, Strength::Name),
        (under("ca", "subject \"CN=a,O=x\""), constant, Strength::Name, Strength::Name),
        (under("ca", "attribute CN \"a\""), constant, Strength::Name, Strength::Name),
        (under("ca", "attribute CN"), template, Strength::Name, Strength::Name),
        (under("ca", "every-certificate"), constant, Strength::Name, Strength::Name),
        (under("ca", "all(serial 07, attribute CN \"a\")"), constant, Strength::Serial, Strength::Serial),
        (under("ca", "any(serial 07, attribute CN \"a\")"), constant, Strength::Serial, Strength::Serial),
        (under("ca", "any(serial 08, attribute CN \"a\")"), constant, Strength::Name, Strength::Name),
        (under("ca", "all(attribute CN \"a\", not serial 08)"), constant, Strength::Name, Strength::Name),
    ] {
        let shown = selector.to_string();
        let Lookup::One(matched) = lookup(&[rule(selector, source)], certificate, &[direct("ca")]) else {
            panic!("{shown} does not match")
        };
        assert_eq!(matched.strength(), rule_gives, "{shown}");
        assert_eq!(matched.strength().min(Strength::Certificate), rule_gives, "{shown}");
        assert_eq!(matched.strength().min(Strength::Key), with_pinned_key, "{shown}");
    }
}

#[test]
fn mp_01_mp_02_a_value_that_looks_like_another_attribute_is_only_itself() {
    let admin = "attribute CN \"admin\"";
    assert!(matches(admin, &subject("CN=admin,O=x")));
    for hostile in [
        "O=x\\,CN=admin",
        "OU=CN\\=admin",
        "CN=bob\\, CN\\=admin",
        "CN=admin\\\\",
        "CN=\\ admin",
        "CN=admin\\ ",
        "CN=",
        "CN=\\\"admin\\\"",
        "CN=CN\\=admin",
        "CN=Admin",
        "CN=admin.",
        "CN=admi",
        "O=admin",
        "2.5.4.3.1=#0c0561646d696e",
    ] {
        assert!(!matches(admin, &subject(hostile)), "{hostile}");
    }
    assert!(matches("attribute CN \"bob, CN=admin\"", &subject("CN=bob\\, CN\\=admin")));
    assert!(matches("attribute CN \" admin\"", &subject("CN=\\ admin")));
    assert!(matches("attribute 2.5.4.3 \"admin\"", &subject("2.5.4.3=#0c0561646d696e")));
}

#[test]
fn mp_03_mp_04_mp_17_subjects_are_compared_as_structure() {
    let has = |rule: &str, presented: &str| matches(&format!("subject \"{rule}\""), &subject(presented));
    assert!(has("CN=a,O=b", "CN=a,O=b"));
    assert!(has("CN=a+O=b", "O=b+CN=a"), "an RDN has no order");
    for (rule, presented) in [
        ("CN=a+O=b", "CN=a,O=b"),
        ("CN=a,O=b", "O=b,CN=a"),
        ("CN=A,CN=A,O=N", "CN=A,O=N,OU=U"),
        ("CN=A+CN=A+O=B", "CN=A+O=B+O=B"),
        ("CN=a,O=b", "CN=a,O=b,OU="),
        ("CN=a,O=b", "CN=a,O=b,C=DE"),
        ("CN=a,O=b,C=DE", "CN=a,O=b"),
        ("CN=a,O=b", "CN=a,O=B"),
    ] {
        assert!(!has(rule, presented), "{rule} {presented}");
        assert!(!has(presented, rule), "{presented} {rule}");
    }
}

#[test]
fn mp_05_an_attribute_that_shares_its_rdn_matches_only_where_the_rule_says_so() {
    for presented in ["CN=evil+L=Somewhere", "L=Somewhere+CN=evil"] {
        assert!(!matches("attribute CN \"evil\"", &subject(presented)));
        assert!(!matches("attribute CN any \"evil\"", &subject(presented)));
        assert!(matches("attribute CN in-multi-valued-rdns \"evil\"", &subject(presented)));
    }
    // It is there, though: beside another one there is not exactly one.
    let beside = subject("CN=good,CN=evil+L=Somewhere");
    assert!(!matches("attribute CN \"good\"", &beside));
    assert!(!matches("attribute CN all \"good\"", &beside));
    assert!(matches("attribute CN any \"good\"", &beside));
    assert!(matches("attribute CN nth(2) \"good\"", &beside));
    assert!(!matches("attribute CN nth(1) \"evil\"", &beside));
}

#[test]
fn mp_08_what_a_template_takes_is_no_path() {
    let fleet = [rule(under("ca", "attribute CN"), "\"iot/\" + attribute CN")];
    assert_eq!(who(&fleet, &subject("CN=pump-1")), "iot/pump-1");
    for hostile in ["../../x", "/x", "x/", "iot/x"] {
        assert_eq!(
            who(&fleet, &subject(&format!("CN={hostile}"))),
            "[the value has the character '/', which separates the pieces of the name]"
        );
    }
}

#[test]
fn mp_13_a_dollar_more_is_another_user() {
    let upn = |text: &str| san(&[other(UPN, &tlv(0x0c, text.as_bytes()))]);
    assert!(matches("upn \"pc@corp\"", &upn("pc@corp")));
    assert!(!matches("upn \"pc@corp\"", &upn("pc$@corp")));
    assert!(!matches("upn \"pc$@corp\"", &upn("pc@corp")));
}

#[test]
fn mp_15_only_the_stated_ca_counts() {
    let rules = [rule(under("ca", "attribute CN \"admin\""), "\"u\"")];
    let certificate = subject("CN=admin");
    for voucher in [direct("other-ca"), through("other-ca", "ca")] {
        assert_eq!(lookup(&rules, &certificate, &[voucher]), Lookup::None);
    }
    assert_eq!(lookup(&rules, &certificate, &[]), Lookup::None);
    assert_eq!(word(&lookup(&rules, &certificate, &[direct("other-ca"), direct("ca")])), "u");
}

#[test]
fn mp_18_hexadecimal_pairs_are_octets() {
    assert!(matches("attribute CN \"Lučić\"", &subject("CN=Lu\\C4\\8Di\\C4\\87")));
}

#[test]
fn mp_20_a_value_is_never_a_pattern() {
    for hostile in [".*", "^", "%u", "${CN}", "\\1", "{0}"] {
        assert!(!matches(&format!("attribute CN \"{}\"", hostile.replace('\\', "\\\\")), &subject("CN=admin")));
    }
    let fleet = [rule(under("ca", "attribute CN"), "\"t:\" + attribute CN")];
    assert_eq!(who(&fleet, &subject("CN={0}\\\\1")), "t:{0}\\1");
}

#[test]
fn cve_2017_7650_a_pattern_is_no_user_unless_it_is_listed() {
    let fleet = [rule(under("ca", "attribute CN"), "\"t:\" + attribute CN")];
    let listed = [rule(under("ca", "attribute CN"), "attribute CN among (\"a*b\")")];
    for pattern in ["*", "?", "#", "+", "%", "$"] {
        let certificate = subject(&format!("CN=a\\{:02x}b", pattern.as_bytes()[0]));
        let c = pattern.chars().next().unwrap();
        assert_eq!(
            who(&fleet, &certificate),
            format!("[the value has the character {c:?}, which is a pattern in access lists]")
        );
        assert_eq!(who(&listed, &certificate), if pattern == "*" { "a*b" } else { "[none]" });
    }
}

#[test]
fn cve_2026_67231_cve_2024_2048_issuer_and_serial_in_a_certificate_are_no_ca() {
    let known = TestCertificate::new("CN=a").with_serial(&[7]).self_signed();
    let twin = TestCertificate::new("CN=a").with_serial(&[7]).self_signed();
    let exact = [
        rule(Selector::certificate(known.certificate().fingerprint()), "\"u\""),
        rule(Selector::key(known.certificate().spki_fingerprint()), "\"u\""),
    ];
    assert_eq!(who(&exact, known.certificate()), "u");
    assert_eq!(who(&exact, twin.certificate()), "[none]");
    // The same issuer's name, the same serial number, another CA.
    let serial = [rule(under("ca", "serial 07"), "\"u\"")];
    assert_eq!(word(&lookup(&serial, twin.certificate(), &[direct("another-ca-of-that-name")])), "[none]");
}

#[test]
fn mp_21_no_part_of_a_name_is_the_name() {
    for hostile in ["evil-good.example.com.evil", "good.example.com.evil", "evilgood.example.com", "good.example.co"] {
        assert!(!matches("dns any \"good.example.com\"", &san_text(DNS, hostile)), "{hostile}");
    }
}

#[test]
fn mp_24_two_values_are_neither_the_first_nor_the_last() {
    let two = subject("CN=admin,CN=bob");
    for rule in ["attribute CN \"admin\"", "attribute CN \"bob\"", "attribute CN", "attribute CN all \"bob\""] {
        assert!(!matches(rule, &two), "{rule}");
    }
    assert!(matches("attribute CN any \"admin\"", &two));
    // In the order of the certificate, which is the reverse of the text.
    assert!(matches("attribute CN nth(1) \"bob\"", &two));
    assert!(matches("attribute CN nth(2) \"admin\"", &two));
    assert!(!matches("attribute CN nth(3)", &two));
    assert!(matches("attribute CN all \"a\"", &subject("CN=a,CN=a")));
    assert!(!matches("attribute CN \"a\"", &subject("CN=a,CN=a")), "not exactly one");
    // Huge arcs: 2^64 + 3 is not 3.
    assert!(!matches("attribute CN \"admin\"", &subject("2.5.4.18446744073709551619=#0c0561646d696e")));
    let alice_and_bob = [
        rule(under("ca", "attribute CN any \"admin\""), "\"a\""),
        rule(under("ca", "attribute CN any \"bob\""), "\"b\""),
    ];
    assert_eq!(who(&alice_and_bob, &two), "[ambiguous]");
}

#[test]
fn a_name_that_no_test_looks_for_hides_none() {
    let others = [
        TestName::Raw(0xa3, &[]),
        TestName::Raw(0xa5, &[5, 0]),
        TestName::Raw(0x88, &[0x80]),
        TestName::Raw(0x89, &[]),
    ];
    let names = [&others[..], &[TestName::Dns("a.example")]].concat();
    let certificate = TestCertificate::new("CN=a").with_alternative_names(&names).self_signed().certificate().clone();
    assert!(matches("dns \"a.example\"", &certificate));
    for field in ["email", "uri", "ip", "directory", "other 1.2.3"] {
        assert!(!matches(&format!("{field} any"), &certificate), "{field}");
    }
}

#[test]
fn mp_28_a_serial_number_counts_for_one_issuer() {
    let made = TestCertificate::new("CN=a").with_serial(&[0x0a, 0x20]).self_signed();
    let certificate = made.certificate();
    let serial = |path: CaPath| [rule(Selector::under(path, test("serial 0a20")), "\"u\"")];
    let to = || CaPath::to(ca("ca"));
    let found = |path, voucher| word(&lookup(&serial(path), certificate, &[voucher]));
    assert_eq!(found(to(), direct("ca")), "u");
    assert_eq!(found(to(), direct("twin")), "[none]");
    // Every intermediate numbers its own.
    assert_eq!(found(to(), through("ca", "sub")), "[none]");
    assert_eq!(found(to().issued_by(key("sub")), through("ca", "sub")), "u");
    assert_eq!(found(to().issued_by(key("sub")), through("ca", "other")), "[none]");
    assert_eq!(found(to().issued_by(key("ca")), direct("ca")), "u");
    assert_eq!(found(to().through(ca("sub")).issued_by(key("sub")), through("ca", "sub")), "u");
    assert_eq!(found(to().through(ca("other")), through("ca", "sub")), "[none]");
}

#[test]
fn mp_31_two_users_are_none_and_one_user_twice_is_fine() {
    let certificate = subject("CN=a,O=x");
    let (by_cn, by_o) = (under("ca", "attribute CN \"a\""), under("ca", "attribute O \"x\""));
    assert_eq!(who(&[rule(by_cn.clone(), "\"u\""), rule(by_o.clone(), "\"v\"")], &certificate), "[ambiguous]");
    let named = |selector: &Selector, name: &str| rule(selector.clone(), "\"u\"").with_name(name.parse().unwrap());
    let serial = under("ca", "serial 01");
    for rules in [[named(&by_cn, "b"), named(&by_o, "a")], [named(&by_o, "a"), named(&by_cn, "b")]] {
        let Lookup::One(matched) = lookup(&rules, &certificate, &[direct("ca")]) else { panic!() };
        assert_eq!(matched.rule.to_string(), "a", "of equal strength the first name is reported");
        let stronger = [&rules[..], &[named(&serial, "z")]].concat();
        let Lookup::One(matched) = lookup(&stronger, &certificate, &[direct("ca")]) else { panic!() };
        assert_eq!((matched.rule.to_string().as_str(), matched.strength()), ("z", Strength::Serial));
        assert_eq!(matched.rule_names().count(), 3);
    }
}

#[test]
fn mp_31_an_exact_certificate_is_an_exception_only_where_it_says_so() {
    let certificate = subject("CN=a");
    let exact = rule(Selector::certificate(certificate.fingerprint()), "\"special\"");
    let by_name = rule(under("ca", "attribute CN \"a\""), "\"u\"");
    let bad_name = rule(under("ca", "every-certificate"), "\"t@\" + attribute CN");
    assert_eq!(who(&[exact.clone(), by_name.clone()], &certificate), "[ambiguous]");
    let exception = exact.clone().as_exception_over_name_rules();
    assert_eq!(who(&[exception.clone(), by_name.clone(), bad_name], &certificate), "special");
    assert_eq!(who(&[exception.clone(), by_name.clone()], &subject("CN=a")), "u", "another certificate");
    // Over names, not over keys.
    let by_key = rule(Selector::key(certificate.spki_fingerprint()), "\"k\"");
    assert_eq!(who(&[exception.clone(), by_key], &certificate), "[ambiguous]");
    let (_, problems) = MappingTable::new(&[by_name.as_exception_over_name_rules()]);
    assert_eq!(problems[0].code(), "no-exception");
}

#[test]
fn mp_32_nothing_is_nobody() {
    let empty = TestCertificate::new("").self_signed().certificate().clone();
    for rule in ["attribute CN", "attribute CN any", "dns any", "email any", "extension 1.2.3 any", "policy any"] {
        assert!(!matches(rule, &empty), "{rule}");
    }
    let fleet = [rule(under("ca", "every-certificate"), "\"t/\" + attribute CN")];
    assert_eq!(who(&fleet, &empty), "[none]");
    assert_eq!(who(&fleet, &subject("CN=")), "[none]");
    assert_eq!(
        who(&[rule(under("ca", "dns"), "\"t/\" + dns without-suffix \".x.example\"")], &san_text(DNS, "a.example")),
        "[none]"
    );
    assert_eq!(who(&[], &subject("CN=a")), "[none]");
    assert!("subject \"\"".parse::<NameTest>().is_err());
}

#[test]
fn a_not_leaves_out_what_could_be_meant() {
    let wanted = "all(attribute O \"x\", not attribute CN \"admin\")";
    assert!(matches(wanted, &subject("CN=bob,O=x")));
    assert!(matches(wanted, &subject("O=x")));
    for hostile in
        ["CN=admin,O=x", "CN=bob,CN=admin,O=x", "CN=admin+L=y,O=x", "CN=#140561646d696e,O=x", "CN=bob,CN=#1e020061,O=x"]
    {
        assert!(!matches(wanted, &subject(hostile)), "{hostile}");
    }
    assert!(!matches("all(attribute O \"x\", not any(attribute CN \"a\", attribute CN \"b\"))", &subject("CN=b,O=x")));
    assert!(matches("all(attribute O \"x\", not all(attribute CN \"a\", attribute L \"b\"))", &subject("CN=a,O=x")));
    // A serial number is left out whoever issued it.
    let certificate = subject("CN=a");
    let rules = [rule(under("ca", "all(attribute CN \"a\", not serial 01)"), "\"u\"")];
    assert_eq!(word(&lookup(&rules, &certificate, &[through("ca", "sub")])), "[none]");
}

#[test]
fn extensions_and_policies_are_what_the_ca_wrote() {
    let policies = tlv(0x30, &[tlv(0x30, &tlv(6, &[0x2a, 3])), tlv(0x30, &tlv(6, &[0x2a, 4]))].concat());
    let made = TestCertificate::new("CN=a")
        .with_extension("2.5.29.32", false, &policies)
        .with_extension("1.2.3.4", false, &[0x16, 1, b'x'])
        .with_extension("1.2.3.5", false, &[4, 1, 9])
        .with_extension("1.2.3.6", false, &[0x1e, 2, 0, b'x'])
        .self_signed();
    let certificate = made.certificate();
    for (rule, expected) in [
        ("policy any 1.2.3", true),
        ("policy nth(2) 1.2.4", true),
        ("policy 1.2.3", false),
        ("policy any 1.2.30", false),
        ("extension 1.2.3.4 \"x\"", true),
        ("extension 1.2.3.5 #040109", true),
        ("extension 1.2.3.5 #040108", false),
        ("extension 1.2.3.6 \"x\"", false),
        ("extension 1.2.3.6", false),
        ("extension 1.2.3.4 \"xy\"", false),
    ] {
        assert_eq!(matches(rule, certificate), expected, "{rule}");
    }
    let taken = |kind: &str| {
        let (rule_for, source) = (under("ca", &format!("extension {kind}")), format!("\"t/\" + extension {kind}"));
        who(&[rule(rule_for, &source)], certificate)
    };
    assert_eq!(taken("1.2.3.4"), "t/x");
    assert_eq!(taken("1.2.3.5"), "[none]", "octets are no text");
    let malformed = TestCertificate::new("CN=a").with_extension("2.5.29.32", false, &[5, 0]).self_signed();
    assert!(!matches("policy any", malformed.certificate()));
    assert!(!matches("all(attribute CN \"a\", not policy 1.2.3)", malformed.certificate()));
}

#[test]
fn what_the_rules_say_is_told_with_the_rules() {
    let certificate = subject("CN=a/b,O=x");
    let (by_name, template) = (under("ca", "attribute CN \"a/b\""), under("ca", "attribute CN"));
    let one = rule(by_name.clone(), "\"u\"");
    let other = rule(under("ca", "attribute O \"x\""), "\"v\"").with_name("second".parse().unwrap());
    let unnamed = rule(template.clone(), "\"t/\" + attribute CN");
    let told = |rules: &[CertUserMapping]| lookup(rules, &certificate, &[direct("ca")]).to_string();
    assert_eq!(told(&[]), "no rule that matches");
    assert_eq!(told(std::slice::from_ref(&one)), format!("`u` by `{by_name}`"));
    assert_eq!(told(std::slice::from_ref(&other)), "`v` by `second`");
    assert_eq!(told(&[one, other]), format!("`v` by `second` and `u` by `{by_name}`"));
    assert_eq!(
        told(&[unnamed]),
        format!(
            "no user name by `{template}`: the value has the character '/', which separates the pieces of the name"
        )
    );
    assert_eq!(Lookup::TooManyTests.to_string(), "more rules that could match than a decision looks at");
}

#[test]
fn what_stands_where_several_tests_look_is_told_field_by_field() {
    let names = super::names::Names::of(&subject("CN=a,O=x"));
    for test in ["any(dns any \"b.example\", attribute CN \"b\")", "all(attribute CN \"b\", dns any \"b.example\")"] {
        let found = super::names::Found(&names, &test.parse().unwrap()).to_string();
        assert_eq!(found, "attribute CN \"a\", no dns", "{test}");
    }
}
