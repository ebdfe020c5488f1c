//! What went wrong elsewhere with names, where a table of common names is taken in and where it is not. The other tests of
//! the rows are in `map`.

use certmap::testing::TestIdentity;
use certmap::{Policy, RefusalCode};

use crate::anchors::{bundle, client, hierarchy, refusal};
use crate::fleets::{NOBODY, of, policy, rule, who};
use crate::naive::Attack;
use crate::parts::{sequence, tlv};

/// `CN=admin` below the root is `admin`, who is let in by both builds.
fn admin_below(root: &TestIdentity, issuing: &TestIdentity) -> Policy {
    let policy = policy(bundle(&[root]), [rule(root, "attribute CN \"admin\"", "\"admin\"")]);
    assert_eq!(who(&policy, &client("CN=admin").issued_by(issuing)), of("admin"));
    policy
}

/// Row, subject, and whom the naive build takes its holder for.
const SUBJECTS: [(&str, &str, Result<&str, &str>); 24] = [
    ("MP-01", "O=x\\,CN\\=admin", Err("no common name")),
    ("MP-01", "OU=CN\\=admin", Err("no common name")),
    ("MP-02", "CN=bob\\, CN\\=admin", Ok("bob, CN=admin")),
    ("MP-02", "CN=admin\\\\", Ok("admin\\")),
    ("MP-02", "CN=\\ admin", Ok(" admin")),
    ("MP-02", "CN=", Ok("")),
    ("MP-03", "CN=admin+O=Thief", Ok("admin")),
    ("MP-05", "L=Somewhere+CN=admin", Ok("admin")),
    ("MP-10", "CN=admin\\00.evil", Ok("admin\0.evil")),
    ("MP-21", "CN=admin.evil.example", Ok("admin.evil.example")),
    ("MP-23", "CN=adm\u{131}n", Ok("adm\u{131}n")),
    ("MP-23", "CN=Admin", Ok("Admin")),
    // Encoded in the reverse order of the text: `admin` comes first.
    ("MP-24", "CN=thief,CN=admin", Ok("admin")),
    ("MP-24", "CN=admin,CN=admin", Ok("admin")),
    ("MP-24", "2.5.4.18446744073709551619=#0c0561646d696e", Err("no common name")),
    ("MP-26", "CN=#140561646d696e", Err("no common name")),
    ("MP-26", "CN=#1e0a00610064006d0069006e", Err("no common name")),
    ("MP-26", "CN=#1c0400000061", Err("no common name")),
    ("MP-27", "CN=admin\\ ", Ok("admin ")),
    ("MP-32", "", Err("no common name")),
    ("MP-32", "O=Thief", Err("no common name")),
    ("MP-34", "CN=*", Ok("*")),
    ("MP-35", "CN=192.0.2.1", Ok("192.0.2.1")),
    ("PE-21", "CN=\\1b[1madmin", Ok("\x1b[1madmin")),
];

#[test]
fn odd_subjects_are_not_the_name_and_the_naive_build_takes_some_for_it() {
    let (root, issuing) = hierarchy();
    let policy = admin_below(&root, &issuing);
    let trust = bundle(&[&root]);
    for (row, subject, naive) in SUBJECTS {
        let attacker = client(subject).issued_by(&issuing);
        assert_eq!(refusal(&policy, attacker.chain_without_root()).code(), RefusalCode::NotMapped, "{row} {subject}");
        let taken_for = Attack::on(&trust, attacker.chain_without_root()).naive();
        assert_eq!(taken_for.as_deref().map_err(String::as_str), naive, "{row} {subject}");
    }
}

/// The tags of strings (X.680, section 41): the first five types are text if their octets are; T61, graphic, general,
/// universal and BMP strings never are.
const STRINGS: [u8; 10] = [0x0c, 0x12, 0x13, 0x16, 0x1a, 0x14, 0x19, 0x1b, 0x1c, 0x1e];

/// Content octets, and who is admitted by them in each of these types: `a` for `admin`, `u` for the one with an umlaut, and
/// nobody for a dot.
const CONTENTS: [(&[u8], &str); 9] = [
    (b"admin", "aaaaa....."),
    (b"\xc3\xa4dmin", "u........."),
    // In Latin-1, as T61 strings are often read.
    (b"\xe4dmin", ".........."),
    (b"a\xcc\x88dmin", ".........."),
    // As BMP and universal strings have it.
    (b"\0a\0d\0m\0i\0n", ".........."),
    (b"\0\0\0a\0\0\0d\0\0\0m\0\0\0i\0\0\0n", ".........."),
    (b"admin\0", ".........."),
    (b"\xffadmin", ".........."),
    (b"", ".........."),
];

#[test]
fn mp_26_every_type_of_string_with_every_kind_of_octets() {
    let (root, issuing) = hierarchy();
    let rules = [("admin", "\"a\""), ("\u{e4}dmin", "\"u\"")];
    let rules = rules.map(|(name, user)| rule(&root, &format!("attribute CN \"{name}\""), user));
    let policy = policy(bundle(&[&root]), rules);
    for (content, expected) in CONTENTS {
        let row = STRINGS.map(|tag| {
            let name = sequence(&[&tlv(0x31, &sequence(&[&[6, 3, 0x55, 4, 3], &tlv(tag, content)]))]);
            match who(&policy, &client("CN=any").with_subject_der(&name).issued_by(&issuing)) {
                Ok(user) => user,
                nobody => {
                    assert_eq!(nobody, NOBODY, "{tag:x} {content:x?}");
                    ".".to_owned()
                }
            }
        });
        assert_eq!(row.concat(), expected, "{content:x?}");
    }
}

#[test]
fn mp_15_mp_28_the_name_below_another_ca_of_the_bundle_is_another_name() {
    let (root, issuing) = hierarchy();
    let other = certmap::testing::TestCertificate::new("CN=other root").as_ca().self_signed();
    admin_below(&root, &issuing);
    let both = bundle(&[&root, &other]);
    let policy = policy(both.clone(), [rule(&root, "attribute CN \"admin\"", "\"admin\"")]);
    let attacker = client("CN=admin").issued_by(&other);
    assert_eq!(refusal(&policy, attacker.chain_without_root()).code(), RefusalCode::NotMapped);
    Attack::on(&both, attacker.chain_without_root()).naively("admin");
}
