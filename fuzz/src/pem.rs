//! Files of sections: certificates, revocation lists and keys as people have them.

use std::hint::black_box;

use certmap::cert::RevocationList;
use certmap::identity::Import;
use certmap::{Certificate, Identity};

use crate::{one_line, plain_error};

/// A key that is in no error and no text, whatever is done to the file around it.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nQ2FuYXJ5U2VjcmV0TmV2ZXJUb2xkQnlBbnlFcnJvcjEyMzQ1Njc4OTA=\n-----END PRIVATE KEY-----\n";
const SECRET: &str = "Q2FuYXJ5U2VjcmV0TmV2ZXJUb2xkQnlBbnlFcnJvcjEyMzQ1Njc4OTA";
/// Of its letters so many in a row are told nowhere.
const TOLD: usize = 8;

/// What is read is written and read back as the same, in the same order, with other line ends and text around it too; what is
/// not is told in one line; and a private key that stands anywhere in the file is told nowhere.
pub(crate) fn law(input: &[u8]) {
    read(input);
    // The first two bytes say where the key is put.
    if let [high, low, file @ ..] = input {
        let place = (usize::from(*high) << 8 | usize::from(*low)) % (file.len() + 1);
        let (before, after) = file.split_at(place);
        let with_key = [before, KEY.as_bytes(), after].concat();
        for said in read(&with_key) {
            let mut windows = SECRET.as_bytes().windows(TOLD);
            let told = windows.any(|window| said.as_bytes().windows(TOLD).any(|part| part == window));
            assert!(
                !told || file.windows(TOLD).any(|part| SECRET.as_bytes().windows(TOLD).any(|key| key == part)),
                "{said}"
            );
        }
    }
}

/// Every reader of such files; what it said.
fn read(file: &[u8]) -> Vec<String> {
    let mut said = Vec::new();
    match Certificate::all_from_pem(file) {
        Ok(all) => {
            assert!(!all.is_empty());
            certificates(&all);
            // As the importer reads them, which knows more forms.
            assert_eq!(Import::new().certificates(file).as_ref(), Ok(&all));
        }
        Err(error) => said.push(plain_error(&error)),
    }
    match RevocationList::all_from_pem(file) {
        Ok(all) => {
            assert!(!all.is_empty());
            let written: String = all.iter().map(RevocationList::to_pem).collect();
            assert_eq!(RevocationList::all_from_pem(written.as_bytes()).as_ref(), Ok(&all));
        }
        Err(error) => said.push(plain_error(&error)),
    }
    let import = Import::new().with_password("secret").with_max_iterations(50);
    match import.certificates(file) {
        Ok(all) => certificates(&all),
        Err(error) => said.push(plain_error(&error)),
    }
    match import.read(file) {
        Ok(imported) => identity(imported.identity()),
        Err(error) => said.push(plain_error(&error)),
    }
    said
}

/// Written and read back as they were, with CRLF, glued, and with text around them.
fn certificates(all: &[Certificate]) {
    let written: Vec<String> = all.iter().map(Certificate::to_pem).collect();
    let plain = written.concat();
    let around = written.join("\n  a comment, and # another\n");
    for text in [&plain, &plain.replace('\n', "\r\n"), &plain.replace('\n', "\\n"), &around] {
        assert_eq!(Certificate::all_from_pem(text.as_bytes()).as_deref(), Ok(all));
    }
}

/// What was imported can be exported, and is the same then.
pub(crate) fn identity(identity: &Identity) {
    one_line(&format!("{identity:?}"));
    let key = identity.private_key_pem().expect("an imported key can be exported");
    let again =
        Identity::from_pem([&identity.chain_pem(), key.as_str()].concat().as_bytes()).expect("what we write we read");
    assert_eq!(again.chain(), identity.chain());
    assert_eq!(again.private_key_der(), identity.private_key_der());
}

pub(crate) fn work(input: &[u8]) {
    let _ = black_box(Certificate::all_from_pem(input));
    let _ = black_box(RevocationList::all_from_pem(input));
    let _ = black_box(Import::new().read(input));
}
