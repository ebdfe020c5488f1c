//! PKCS#12 by hand: what tools do not write, or only when asked; every damage.

use certmap::identity::{Format, Import, ImportError, ImportNote};
use certmap::testing::{TestCertificate, TestIdentity};

use crate::import::said;
use crate::import_writer::{parts, sequence, split, tlv, with_unknown_lengths};
use crate::tool::{OPENSSL, Workshop, found};

/// A chain of two in a file of openssl's.
struct Made {
    workshop: Workshop,
    end: TestIdentity,
}

impl Made {
    fn new() -> Self {
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let end = TestCertificate::new("CN=end").issued_by(&ca);
        let workshop = Workshop::new();
        workshop.write("key.pem", end.identity().private_key_pem().unwrap().as_bytes());
        workshop.write("end.pem", end.certificate().to_pem());
        workshop.write("ca.pem", ca.certificate().to_pem());
        Self { workshop, end }
    }

    fn export(&self, how: &str) -> Vec<u8> {
        let files = "-inkey key.pem -in end.pem -certfile ca.pem -out file.p12";
        self.workshop.openssl(&format!("pkcs12 -export {files} {how}"));
        self.workshop.read("file.p12")
    }

    #[track_caller]
    fn reads(&self, import: Import<'_>, file: &[u8], how: &str) {
        let imported = import.read(file).unwrap_or_else(|error| panic!("{how}: {}", said(&error)));
        assert_eq!(imported.identity().certificate(), self.end.certificate(), "{how}");
        assert_eq!(imported.identity().chain().len(), 2, "{how}");
        assert_eq!(imported.format(), Format::Pkcs12);
    }
}

#[test]
fn an_empty_password_is_read_in_both_its_encodings() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    for how in ["-passout pass:", "-passout pass: -legacy", "-passout pass: -keypbe NONE -certpbe NONE"] {
        let file = made.export(how);
        made.reads(Import::new(), &file, how);
        made.reads(Import::new().with_password(""), &file, how);
        let wrong = Import::new().with_password("x").read(&file);
        assert_eq!(wrong.unwrap_err(), ImportError::WrongPassword { format: Format::Pkcs12 }, "{how}");
    }
    let file = made.export("-passout pass:secret");
    assert_eq!(
        Import::new().read(&file).unwrap_err().to_string(),
        "the PKCS#12 file is under a password: give it with `Import::with_password`"
    );
    assert_eq!(
        Import::new().with_password("Secret").read(&file).unwrap_err().to_string(),
        "the password of the PKCS#12 file is wrong, or the file was changed"
    );
}

#[test]
fn without_a_mac_it_is_read_only_if_told() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    for (how, password) in [
        ("-nomac -passout pass:secret", "secret"),
        ("-nomac -passout pass:secret -legacy", "secret"),
        ("-nomac -passout pass: -legacy", ""),
        ("-nomac -passout pass: -keypbe NONE -certpbe NONE", ""),
    ] {
        let file = made.export(how);
        let import = Import::new().with_password(password);
        assert_eq!(
            import.read(&file).unwrap_err().to_string(),
            "the PKCS#12 file has no MAC, so anybody can have changed it: export it with one, or allow it with `Import::danger_accept_no_mac`"
        );
        let told = import.danger_accept_no_mac();
        made.reads(told, &file, how);
        assert!(told.read(&file).unwrap().notes().contains(&ImportNote::NoMac));
        if !how.contains("NONE") {
            let wrong = Import::new().with_password("wrong").danger_accept_no_mac().read(&file);
            assert_eq!(wrong.unwrap_err(), ImportError::WrongPassword { format: Format::Pkcs12 }, "{how}");
        }
    }
}

/// The same file, everything in it written as BER, as deep as nothing is encrypted or under a MAC.
fn ber(file: &[u8], inside: bool) -> Vec<u8> {
    let (_, pfx, _) = split(file);
    let pfx = parts(pfx);
    let (_, info, _) = split(pfx[1]);
    let info = parts(info);
    let (_, octets, _) = split(info[1]);
    let (_, safes, _) = split(octets);
    let safes = if inside { with_unknown_lengths(safes) } else { safes.to_vec() };
    let content = sequence(&[info[0], &tlv(0xa0, &tlv(0x04, &safes))]);
    with_unknown_lengths(&sequence(&[&[pfx[0], &content[..]], &pfx[2..]].concat()))
}

#[test]
fn lengths_that_are_not_told_are_read() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    let import = Import::new().with_password("secret");
    for how in ["-passout pass:secret", "-passout pass:secret -legacy"] {
        let file = made.export(how);
        let odd = ber(&file, false);
        assert!(odd.starts_with(&[0x30, 0x80]) && odd.len() > file.len());
        made.reads(import, &odd, how);
        let file = made.export(&format!("-nomac {how}"));
        made.reads(import.danger_accept_no_mac(), &ber(&file, true), how);
    }
}

/// A file without a MAC in which are these safes.
fn unprotected(safes: &[u8]) -> Vec<u8> {
    let data = tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1]);
    let wrap = |content: &[u8]| sequence(&[&data, &tlv(0xa0, &tlv(0x04, content))]);
    sequence(&[&[2, 1, 3], &wrap(&sequence(&[&wrap(safes)]))])
}

fn bag(number: u8, value: &[u8]) -> Vec<u8> {
    let kind = tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, number]);
    sequence(&[&kind, &tlv(0xa0, value)])
}

fn certificate_bag(made: &TestIdentity) -> Vec<u8> {
    let kind = tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 22, 1]);
    bag(3, &sequence(&[&kind, &tlv(0xa0, &tlv(0x04, &made.certificate().der()))]))
}

#[test]
fn bags_in_bags_and_bags_of_others_are_read_within_limits() {
    let made = TestCertificate::new("CN=x").self_signed();
    let key = bag(1, made.key().secret_der());
    let other = [bag(4, &sequence(&[])), bag(5, &sequence(&[]))].concat();
    let told = Import::new().danger_accept_no_mac();
    let mut bags = [key.clone(), other, certificate_bag(&made)].concat();
    for depth in 0..6 {
        let read = told.read(&unprotected(&tlv(0x30, &bags)));
        if depth < 5 {
            assert_eq!(read.unwrap().identity().certificate(), made.certificate());
        } else {
            assert_eq!(
                read.unwrap_err().to_string(),
                "the PKCS#12 file is damaged (nesting of bags): fetch or export it again"
            );
        }
        bags = bag(6, &tlv(0x30, &bags));
    }
    let another = bag(1, TestCertificate::new("CN=x").self_signed().key().secret_der());
    let two = unprotected(&sequence(&[&key, &another, &certificate_bag(&made)]));
    assert_eq!(told.read(&two).unwrap_err().to_string(), "2 private keys where one was expected: give a file for each");
    assert_eq!(told.certificates(&two), Err(ImportError::PrivateKey));
    let store = unprotected(&sequence(&[&certificate_bag(&made)]));
    assert_eq!(told.certificates(&store).unwrap(), [made.certificate().clone()]);
    assert_eq!(Import::new().certificates(&store), Err(ImportError::NoMac));
    let many = unprotected(&tlv(0x30, &bag(5, &sequence(&[])).repeat(4096)));
    assert_eq!(told.read(&many).unwrap_err().to_string(), "parts beyond the limit of 4096: split the file");
}

/// A file with a MAC of this algorithm, so often hashed.
fn with_mac(algorithm: &[u8], salt: &[u8], iterations: &[u8]) -> Vec<u8> {
    let file = unprotected(&sequence(&[]));
    let (_, pfx, _) = split(&file);
    let digest = sequence(&[&sequence(&[&tlv(0x06, algorithm)]), &tlv(0x04, &[0; 20])]);
    let mac = sequence(&[&digest, &tlv(0x04, salt), &tlv(0x02, iterations)]);
    sequence(&[pfx, &mac])
}

#[test]
fn a_mac_costs_no_more_than_is_said() {
    const SHA1: &[u8] = &[0x2b, 14, 3, 2, 26];
    let said = |file: &[u8]| Import::new().with_password("x").read(file).unwrap_err().to_string();
    assert_eq!(
        said(&with_mac(SHA1, &[1; 8], &[1])),
        "the password of the PKCS#12 file is wrong, or the file was changed"
    );
    let hashed = |times: &str| {
        format!(
            "the password is to be hashed {times} times, at most 1000000 are done: if the file is from whom you trust, allow them with `Import::with_max_iterations`"
        )
    };
    assert_eq!(said(&with_mac(SHA1, &[1; 8], &[0x7f, 0xff, 0xff, 0xff])), hashed("2147483647"));
    assert_eq!(said(&with_mac(SHA1, &[1; 8], &[0x7f; 20])), hashed("18446744073709551615"));
    for damaged in [with_mac(SHA1, &[1; 257], &[1]), with_mac(SHA1, &[1; 8], &[0xff])] {
        assert_eq!(said(&damaged), "the PKCS#12 file is damaged (MAC): fetch or export it again");
    }
    assert_eq!(
        said(&with_mac(SHA1, &[1; 8], &[0])),
        "the PKCS#12 file is damaged (iteration count): fetch or export it again"
    );
    assert_eq!(
        said(&with_mac(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 14], &[1; 8], &[1])),
        "the PKCS#12 file uses PBMAC1, which is not read: export it with a MAC of SHA-256, `openssl pkcs12 -export -macalg sha256`"
    );
    assert!(
        said(&with_mac(&[0x2a, 3], &[1; 8], &[1]))
            .starts_with("the PKCS#12 file uses the MAC 1.2.3, which is not read")
    );
}

#[test]
fn the_parts_of_a_file_share_one_budget() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    // MAC, certificates and key: 100 each.
    let file = made.export("-passout pass:secret -iter 100");
    let import = Import::new().with_password("secret");
    made.reads(import.with_max_iterations(100), &file, "as many as there are");
    assert_eq!(
        import.with_max_iterations(99).read(&file).unwrap_err(),
        ImportError::TooManyIterations { iterations: 100, limit: 99 }
    );
    // Five times the same key, each hashed 100 times.
    let (_, pfx, _) = split(&file);
    let pfx = parts(pfx);
    let (_, info, _) = split(pfx[1]);
    let (_, octets, _) = split(parts(info)[1]);
    let (_, safes, _) = split(octets);
    let (_, safes, _) = split(safes);
    let (_, safe, _) = split(parts(safes)[1]);
    let (_, octets, _) = split(parts(safe)[1]);
    let (_, bags, _) = split(octets);
    let (_, bags, _) = split(bags);
    let many = unprotected(&tlv(0x30, &bags.repeat(5)));
    let told = import.danger_accept_no_mac();
    assert_eq!(told.read(&many).unwrap_err(), ImportError::NoCertificate);
    assert_eq!(
        told.with_max_iterations(100).read(&many).unwrap_err(),
        ImportError::TooManyIterations { iterations: 500, limit: 400 }
    );
}

#[test]
fn no_damage_does_more_than_refuse() {
    if !found(&[OPENSSL]) {
        return;
    }
    let made = Made::new();
    let import = Import::new().with_password("secret");
    let files = [
        (made.export("-passout pass:secret -iter 1"), import),
        (made.export("-passout pass:secret -legacy -nomac -iter 1"), import.danger_accept_no_mac()),
    ];
    for (file, import) in files {
        made.reads(import, &file, "whole");
        for cut in 0..file.len() {
            assert!(import.read(&file[..cut]).is_err(), "{cut}");
        }
        let protected = import.read(&file).unwrap().notes().is_empty();
        for at in 0..file.len() {
            // One bit of each byte, each bit in turn.
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            if let Ok(imported) = import.read(&damaged) {
                // What the MAC does not cover: the version, and names of the MAC's own parameters.
                assert_eq!(imported.identity().certificate(), made.end.certificate(), "{at}");
                assert!(!protected || at < 40 || at > file.len() - 80, "{at} of {}", file.len());
            }
        }
    }
}
