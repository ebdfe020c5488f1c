//! How much more work twice as large an input is: each case made in any size.

use core::time::Duration;
use std::hint::black_box;

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::document::{Document, NoReferences};
use certmap::identity::Import;
use certmap::review::{explain, lint};
use certmap::testing::{NOW, TestCertificate, TestRevocationList};
use certmap::trust::Denial;
use certmap::{CertUserMapping, Certificate, Role, RoleAssignment, Selector, Strength, UserName};

use super::der::{sequence, tlv};
use super::hostile::{builder, built, deep, evidence, large_key, named, policy, ring};

/// A question, asked again and again of one input.
pub type Work = Box<dyn Fn()>;

/// Something that grows.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is a question about, and what there are so many of.
    pub name: &'static str,
    /// The smaller of two sizes; the larger is twice that.
    pub sizes: &'static [usize],
    /// How many times as many instructions the larger may take, in thousandths.
    pub most: u64,
    /// Makes the input in a size.
    pub make: fn(usize) -> Work,
}

/// Twice as much, and a tenth more.
const fn twice(name: &'static str, sizes: &'static [usize], make: fn(usize) -> Work) -> Case {
    Case { name, sizes, most: 2_200, make }
}

/// As much, and a tenth more: there is more in the policy, and nobody who asks pays for it.
const fn as_much(name: &'static str, sizes: &'static [usize], make: fn(usize) -> Work) -> Case {
    Case { name, sizes, most: 1_100, make }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.name, self.sizes)
    }
}

/// Every case. Below a bound it grows with the input, and beyond it no more.
pub const CASES: &[Case] = &[
    twice("decide: intermediates, each below the next", &[1, 2, 3], intermediates),
    twice("decide: intermediates, more than are looked at", &[4, 8, 50, 100], intermediates),
    twice("decide: CAs of one name, four anchors of it", &[1, 2, 3, 7], of_one_name),
    twice("explain: the same", &[1, 2, 3, 7], of_one_name_explained),
    as_much("decide: anchors beside the one that counts", &[32, 64], anchors),
    twice("decide: names in the certificate", &[32, 64, 128, 1_000], names),
    as_much("decide: denials of one serial number", &[1_000, 2_000, 4_000], denials),
    twice("decide: bits of an RSA key that is not computed with", &[16_384, 32_768], key_bits),
    twice("read: octets of an unknown extension", &[2_000, 4_000, 7_000], extension),
    twice("read: certificates in a PEM file", &[50, 100, 200], pem_certificates),
    twice("read: lines that are no PEM", &[1_000, 2_000, 4_000], pem_lines),
    twice("read: sections that never end", &[250, 500, 1_000], pem_begins),
    twice("read: attributes of a name, as text", &[16, 32, 64], name_text),
    twice("read: attributes of a name, as DER", &[16, 32, 64], name_der),
    twice("read: attributes of one RDN", &[16, 32, 64], rdn),
    twice("read: revoked certificates in a list", &[500, 1_000, 2_000], revoked),
    twice("read: DER in DER", &[500, 1_000, 5_000], nested),
    twice("read: signs that are no TOML", &[4_000, 8_000, 16_000, 32_000], no_toml),
    twice("read: lists in lists of TOML", &[1_000, 2_000, 4_000, 8_000], lists_of_toml),
    twice("read: users in a rule", &[250, 500, 1_000], rule),
    twice("import: bags of a PKCS#12 file", &[250, 500, 1_000], bags),
    twice("import: objects of a PSE", &[250, 500, 1_000], objects),
    twice("lint: disabled users, each with a rule and a role", &[250, 500, 1_000], disabled_users),
    twice("lint: templates, some disabled users", &[250, 500, 1_000], templates),
    twice("build: mappings in a document", &[250, 500, 1_000], mappings),
    twice("build: users in a document", &[250, 500, 1_000], users),
    twice("build: hosts in a document, none of them whole", &[250, 500, 1_000], hosts),
    twice("build: bundles and as many names that are nearly theirs", &[125, 250, 500], misspelled),
    twice("build: aliases and as many names that are nearly theirs", &[125, 250, 500], misspelled_aliases),
    twice("build: rules under anchors that there are not", &[250, 500, 1_000], unknown_anchors),
    twice("build: roles of rules that there are not", &[250, 500, 1_000], unknown_rules),
];

fn decides(anchors: &[&certmap::testing::TestIdentity], presented: &[Vec<u8>]) -> Work {
    let (policy, evidence) = (policy(anchors), evidence(presented));
    Box::new(move || drop(black_box(policy.decide(&evidence, NOW))))
}

fn intermediates(count: usize) -> Work {
    let (root, presented) = deep(count);
    decides(&[&root], &presented)
}

fn of_one_name(count: usize) -> Work {
    let (anchors, presented) = ring(count, 4);
    decides(&anchors.iter().collect::<Vec<_>>(), &presented)
}

fn of_one_name_explained(count: usize) -> Work {
    let (anchors, presented) = ring(count, 4);
    let (policy, evidence) = (policy(&anchors.iter().collect::<Vec<_>>()), evidence(&presented));
    Box::new(move || drop(black_box(explain(&policy, &evidence, NOW).to_string())))
}

fn anchors(count: usize) -> Work {
    let (root, presented) = deep(1);
    let others: Vec<_> =
        (0..count).map(|number| TestCertificate::new(&format!("CN=other {number}")).as_ca().self_signed()).collect();
    decides(&others.iter().chain([&root]).collect::<Vec<_>>(), &presented)
}

fn names(count: usize) -> Work {
    let (root, presented) = named(count);
    decides(&[&root], &presented)
}

/// Of other CAs' certificates; the client has the serial number of all of them.
fn denials(count: usize) -> Work {
    let (root, presented) = deep(1);
    let serial = Certificate::from_der(&presented[0]).expect("a certificate").serial().clone();
    let denial = |number: usize| Denial::serial(format!("CN=other {number}").parse().expect("a name"), serial.clone());
    let builder = builder(&[&root]).denials((0..count).map(denial));
    let (policy, evidence) = (built(builder), evidence(&presented));
    Box::new(move || drop(black_box(policy.decide(&evidence, NOW))))
}

fn key_bits(count: usize) -> Work {
    let (root, presented) = large_key(count);
    decides(&[&root], &presented)
}

fn extension(count: usize) -> Work {
    let made = TestCertificate::new("CN=a").with_extension("1.2.3.4", false, &vec![0x30; count]).self_signed();
    let der = made.certificate().der().to_vec();
    Box::new(move || drop(black_box(Certificate::from_der(&der))))
}

fn reads_pem(text: String) -> Work {
    Box::new(move || {
        drop(black_box(Certificate::all_from_pem(text.as_bytes())));
        drop(black_box(RevocationList::all_from_pem(text.as_bytes())));
        drop(black_box(Import::new().certificates(text.as_bytes())));
    })
}

fn pem_certificates(count: usize) -> Work {
    reads_pem(TestCertificate::new("CN=a").self_signed().certificate().to_pem().repeat(count))
}

fn pem_lines(count: usize) -> Work {
    reads_pem("MIIBszCCAVmgAwIBAgIBATAKBggqhkjOPQQDAjAAMB4XDTI2----- \n".repeat(count))
}

fn pem_begins(count: usize) -> Work {
    reads_pem("-----BEGIN CERTIFICATE-----\nMIIB\n".repeat(count))
}

fn name_text(count: usize) -> Work {
    let text = (0..count).map(|number| format!("CN=\\4a{number}")).collect::<Vec<_>>().join(",");
    Box::new(move || drop(black_box(text.parse::<DistinguishedName>().map(|name| name.to_string()))))
}

fn attribute(number: usize) -> Vec<u8> {
    sequence(&[&[6, 3, 0x55, 4, 3], &tlv(0x0c, format!("a{number:04}").as_bytes())])
}

fn reads_name(der: Vec<u8>) -> Work {
    Box::new(move || drop(black_box(DistinguishedName::from_der(&der).map(|name| name.to_string()))))
}

fn name_der(count: usize) -> Work {
    reads_name(tlv(0x30, &(0..count).flat_map(|number| tlv(0x31, &attribute(number))).collect::<Vec<_>>()))
}

fn rdn(count: usize) -> Work {
    reads_name(sequence(&[&tlv(0x31, &(0..count).flat_map(attribute).collect::<Vec<_>>())]))
}

fn revoked(count: usize) -> Work {
    let ca = TestCertificate::new("CN=ca").as_ca().self_signed();
    let number = |number: usize| u16::try_from(number + 0x100).expect("few").to_be_bytes();
    let list = (0..count).fold(TestRevocationList::new(), |list, at| list.revoking(&number(at))).signed_by(&ca);
    let der = list.der().to_vec();
    Box::new(move || drop(black_box(RevocationList::from_der(&der))))
}

fn nested(count: usize) -> Work {
    let mut der = vec![5, 0];
    while der.len() < 2 * count {
        der = tlv(0x30, &der);
    }
    Box::new(move || {
        drop(black_box(Certificate::from_der(&der)));
        drop(black_box(DistinguishedName::from_der(&der)));
        drop(black_box(Import::new().with_password("a").read(&der)));
    })
}

fn rule(count: usize) -> Work {
    let users: Vec<_> = (0..count).map(|number| format!("\"u{number}\"")).collect();
    let text = format!("dns among ({})", users.join(", "));
    let selector = format!("under sha256:{} any({}dns)", "0".repeat(64), "dns \"a\", ".repeat(count));
    Box::new(move || {
        drop(black_box(text.parse::<certmap::map::UserSource>()));
        drop(black_box(selector.parse::<Selector>()));
    })
}

/// All of these users are disabled. So many of them have a rule of their own, and a role that asks for more strength than the
/// rule gives; so many templates take users of other forms.
fn lints(users: usize, named: usize, templates: usize) -> Work {
    let (root, _) = deep(0);
    let anchor = root.certificate().fingerprint();
    let rule = |number: usize, source: String| {
        let selector = format!("under {anchor} attribute OU \"o{number}\"").parse().expect("a selector");
        CertUserMapping::from_source(selector, source.parse().expect("a source"))
    };
    let sends: Role = "app/send".parse().expect("a role");
    let mut builder = builder(&[&root]);
    for number in 0..templates {
        builder = builder.mapping(rule(number, format!("\"t{number}/\" + dns")));
    }
    for number in 0..users {
        let user: UserName = format!("u{number}").parse().expect("a user");
        if number < named {
            builder = builder
                .mapping(rule(templates + number, format!("\"{user}\"")))
                .assignment(RoleAssignment::new(user.clone(), sends.clone()).at_least(Strength::Key));
        }
        builder = builder.disabled_user(user);
    }
    let policy = built(builder);
    Box::new(move || drop(black_box(lint(&policy, NOW, Duration::from_hours(24)))))
}

fn disabled_users(count: usize) -> Work {
    lints(count, count, 20)
}

fn templates(count: usize) -> Work {
    lints(50, 0, count)
}

const DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];

fn imports(file: Vec<u8>) -> Work {
    Box::new(move || drop(black_box(Import::new().with_password("secret").danger_accept_no_mac().read(&file))))
}

fn bags(count: usize) -> Work {
    let certificate = TestCertificate::new("CN=a").self_signed().certificate().der().to_vec();
    let kind = [6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 3];
    let x509 = [6, 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1];
    let bag = sequence(&[&kind, &tlv(0xa0, &sequence(&[&x509, &tlv(0xa0, &tlv(4, &certificate))]))]);
    let data = |content: &[u8]| sequence(&[DATA, &tlv(0xa0, &tlv(4, content))]);
    let safe = data(&tlv(0x30, &bag.repeat(count)));
    imports(sequence(&[&[2, 1, 3], &data(&sequence(&[&safe]))]))
}

fn objects(count: usize) -> Work {
    let time = tlv(0x18, b"20260101000000Z");
    let object = sequence(&[&tlv(0x13, b"x"), &time, &tlv(6, &[0x2b, 36, 2, 9, 9]), &[5, 0]]);
    let algorithm = sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]]);
    let content = sequence(&[&algorithm, &time, &[2, 1, 1], &tlv(0x31, &object.repeat(count))]);
    imports(sequence(&[&[2, 1, 2], &content]))
}

fn builds(text: String) -> Work {
    Box::new(move || {
        let document: Document = toml::from_str(&text).expect("a document");
        drop(black_box(document.build(&NoReferences)));
    })
}

/// The parser is not ours; what it costs is.
fn no_toml(count: usize) -> Work {
    let text = "=".repeat(count);
    Box::new(move || drop(black_box(toml::from_str::<Document>(&text))))
}

fn lists_of_toml(count: usize) -> Work {
    let text = "a = [".repeat(count);
    Box::new(move || drop(black_box(toml::from_str::<Document>(&text))))
}

fn mappings(count: usize) -> Work {
    let one = |number: usize| format!("[[mappings]]\nmatch = \"sha256:{number:064x}\"\nuser = \"u{number}\"\n");
    builds(format!("version = 1\n{}", (0..count).map(one).collect::<String>()))
}

fn users(count: usize) -> Work {
    let one = |number: usize| {
        format!("[[users]]\nname = \"u{number}\"\n[[mappings]]\nmatch = \"@a{number}\"\nuser = \"u{number}\"\n")
    };
    builds(format!("version = 1\n{}", (0..count).map(one).collect::<String>()))
}

fn hosts(count: usize) -> Work {
    let one = |number: usize| format!("[[hosts]]\nid = \"h{number}\"\nbundle = \"b{number}\"\n");
    builds(format!("version = 1\n{}", (0..count).map(one).collect::<String>()))
}

fn misspelled(count: usize) -> Work {
    let one = |number: usize| {
        format!("[[bundles]]\nname = \"a{number}\"\n[[hosts]]\nid = \"h{number}\"\nbundle = \"b{number}\"\n")
    };
    builds(format!("version = 1\n{}", (0..count).map(one).collect::<String>()))
}

fn misspelled_aliases(count: usize) -> Work {
    let one = |number: usize| {
        format!(
            "[[certificates]]\nbundle = \"p\"\nkind = \"pin\"\nalias = \"a{number}\"\nreference = \"r\"\n[[mappings]]\nmatch = \"@b{number}\"\nuser = \"u\"\n"
        )
    };
    builds(format!("version = 1\n{}", (0..count).map(one).collect::<String>()))
}

fn unknown_anchors(count: usize) -> Work {
    let one =
        |number: usize| format!("[[mappings]]\nmatch = \"under sha256:{number:064x} dns \\\"a\\\"\"\nuser = \"u\"\n");
    let beginning = "version = 1\nhosts = [{ id = \"gw\", bundle = \"p\" }]\nbundles = [{ name = \"p\" }]\n";
    builds(format!("{beginning}{}", (0..count).map(one).collect::<String>()))
}

fn unknown_rules(count: usize) -> Work {
    let one = |number: usize| {
        format!(
            "[[mappings]]\nname = \"n{number}\"\nmatch = \"sha256:{number:064x}\"\nuser = \"u\"\n[[assignments]]\nrole = \"a/b\"\nrule = \"m{number}\"\n"
        )
    };
    let beginning = "version = 1\nhosts = [{ id = \"gw\", bundle = \"p\" }]\nbundles = [{ name = \"p\" }]\n";
    builds(format!("{beginning}{}", (0..count).map(one).collect::<String>()))
}

#[test]
fn every_case_can_be_made() {
    for case in CASES {
        (case.make)(case.sizes[0])();
    }
}
