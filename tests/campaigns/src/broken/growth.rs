//! How much more work twice as large an input is: each case made in any size.

use std::hint::black_box;

use certmap::cert::{DistinguishedName, RevocationList};
use certmap::document::{Document, NoReferences};
use certmap::identity::Import;
use certmap::review::explain;
use certmap::testing::{NOW, TestCertificate, TestRevocationList};
use certmap::{Certificate, Selector};

use super::der::{sequence, tlv};
use super::hostile::{deep, evidence, large_key, named, policy, ring};

/// A question, asked again and again of one input.
pub type Work = Box<dyn Fn()>;

/// Something that grows.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is a question about, and what there are so many of.
    pub name: &'static str,
    /// The smaller of two sizes; the larger is twice that.
    pub sizes: &'static [usize],
    /// Makes the input in a size.
    pub make: fn(usize) -> Work,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.name, self.sizes)
    }
}

/// Every case. Below a bound it grows with the input, and beyond it no more.
pub const CASES: &[Case] = &[
    Case { name: "decide: intermediates, each below the next", sizes: &[1, 2, 3], make: intermediates },
    Case { name: "decide: intermediates, more than are looked at", sizes: &[4, 8, 50, 100], make: intermediates },
    Case { name: "decide: CAs of one name, four anchors of it", sizes: &[1, 2, 3, 7], make: of_one_name },
    Case { name: "explain: the same", sizes: &[1, 2, 3, 7], make: of_one_name_explained },
    Case { name: "decide: anchors beside the one that counts", sizes: &[32, 64], make: anchors },
    Case { name: "decide: names in the certificate", sizes: &[32, 64, 128, 1_000], make: names },
    Case { name: "decide: bits of an RSA key that is not computed with", sizes: &[16_384, 32_768], make: key_bits },
    Case { name: "read: octets of an unknown extension", sizes: &[2_000, 4_000, 7_000], make: extension },
    Case { name: "read: certificates in a PEM file", sizes: &[50, 100, 200], make: pem_certificates },
    Case { name: "read: lines that are no PEM", sizes: &[1_000, 2_000, 4_000], make: pem_lines },
    Case { name: "read: sections that never end", sizes: &[250, 500, 1_000], make: pem_begins },
    Case { name: "read: attributes of a name, as text", sizes: &[16, 32, 64], make: name_text },
    Case { name: "read: attributes of a name, as DER", sizes: &[16, 32, 64], make: name_der },
    Case { name: "read: attributes of one RDN", sizes: &[16, 32, 64], make: rdn },
    Case { name: "read: revoked certificates in a list", sizes: &[500, 1_000, 2_000], make: revoked },
    Case { name: "read: DER in DER", sizes: &[500, 1_000, 5_000], make: nested },
    Case { name: "read: signs that are no TOML", sizes: &[4_000, 8_000, 16_000, 32_000], make: no_toml },
    Case { name: "read: lists in lists of TOML", sizes: &[1_000, 2_000, 4_000, 8_000], make: lists_of_toml },
    Case { name: "read: users in a rule", sizes: &[250, 500, 1_000], make: rule },
    Case { name: "import: bags of a PKCS#12 file", sizes: &[250, 500, 1_000], make: bags },
    Case { name: "import: objects of a PSE", sizes: &[250, 500, 1_000], make: objects },
    Case { name: "build: mappings in a document", sizes: &[250, 500, 1_000], make: mappings },
    Case { name: "build: users in a document", sizes: &[250, 500, 1_000], make: users },
    Case { name: "build: hosts in a document, none of them whole", sizes: &[250, 500, 1_000], make: hosts },
    Case { name: "build: bundles and as many names that are nearly theirs", sizes: &[125, 250, 500], make: misspelled },
    Case {
        name: "build: aliases and as many names that are nearly theirs",
        sizes: &[125, 250, 500],
        make: misspelled_aliases,
    },
    Case { name: "build: rules under anchors that there are not", sizes: &[250, 500, 1_000], make: unknown_anchors },
    Case { name: "build: roles of rules that there are not", sizes: &[250, 500, 1_000], make: unknown_rules },
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
