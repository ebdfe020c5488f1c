//! Secrets with known bytes, and every text that comes out of whatever held or saw them: none of the bytes are in it.

use std::any::type_name;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use certmap::identity::{EncryptKeyError, IdentityHandle, Import};
use certmap::limits::KEY_ITERATIONS_MIN;
use certmap::map::ValueTest;
use certmap::policy::PolicyHandle;
use certmap::review::{Rotation, preflight};
use certmap::testing::{NOW, TestCertificate};
use certmap::tls::{End, Resumption, TicketKey, TicketKeys, Trouble};
use certmap::{AccessLine, AuditRecord, ClientConfigBuilder, Endpoint, Identity, NewKey, TrustBundle};

use crate::common::{data, one_partner};
use crate::import_writer::{Pse, object, private_key};
use crate::tool::{OPENSSL, Workshop, found};

/// Long enough to be found in pieces, and what no text of ours contains.
pub const PASSWORD: &str = "KANARIENVOGEL-im-Bergwerk-0815";
/// How many octets of a secret in a row are a leak.
const WINDOW: usize = 8;

/// Every spelling in which octets get into a text.
fn spellings(octets: &[u8]) -> Vec<String> {
    let each = |form: fn(&u8) -> String, between: &str| octets.iter().map(form).collect::<Vec<_>>().join(between);
    let hex = |octet: &u8| format!("{octet:02x}");
    let mut spelled = vec![
        each(hex, ""),
        each(hex, ":"),
        each(hex, " "),
        each(|octet| format!("0x{octet:02x}"), ", "),
        each(|octet| format!("\\x{octet:02x}"), ""),
        each(u8::to_string, ", "),
        each(u8::to_string, ","),
    ];
    spelled.extend(std::str::from_utf8(octets).map(str::to_lowercase));
    spelled
}

/// Secrets, and the texts that must not tell of them.
pub struct Watch {
    canaries: Vec<(String, String)>,
    /// True for what four octets at the beginning of a canary come to: few places of a text have to be looked at closer.
    begins: Vec<bool>,
    pub looked: usize,
    /// The types of which a value was shown, by the names that the compiler gives them: for programmers, for people, and with all
    /// that it comes from.
    pub debugged: BTreeSet<&'static str>,
    pub displayed: BTreeSet<&'static str>,
    pub errors: BTreeSet<&'static str>,
}

/// A number for the first four octets.
fn beginning(text: &[u8]) -> Option<usize> {
    let first = u32::from_le_bytes(*text.first_chunk()?);
    Some(usize::from((first.wrapping_mul(0x9e37_79b1) >> 16) as u16))
}

impl Watch {
    pub fn new() -> Self {
        let mut watch = Self {
            canaries: Vec::new(),
            begins: vec![false; 1 << 16],
            looked: 0,
            debugged: BTreeSet::new(),
            displayed: BTreeSet::new(),
            errors: BTreeSet::new(),
        };
        watch.secret("the password", PASSWORD.as_bytes());
        watch
    }

    /// Each run of octets of this is one, in every spelling, and so is the base64 of the whole, wherever a line begins.
    pub fn secret(&mut self, name: &str, octets: &[u8]) {
        for window in octets.windows(WINDOW) {
            for spelled in spellings(window) {
                self.canary(name, spelled);
            }
        }
    }

    /// The private half of an identity: the end of its DER for elliptic curves and RSA alike has secret numbers, the middle too.
    pub fn key(&mut self, identity: &Identity) {
        let der = identity.private_key_der().unwrap();
        // The first octets say the algorithm, and elliptic curves end with the public half.
        let secret = if der.len() > 400 { &der[der.len() - 200..] } else { &der[36..68.min(der.len())] };
        self.secret("the key", secret);
        let pem = identity.private_key_pem().unwrap();
        let body: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for line in &body[1.min(body.len() - 1)..] {
            if der.len() > 400 {
                self.letters("the PEM", line);
            } else {
                // The rest of a key on a curve is its public half.
                return self.letters("the PEM", &line[..31.min(line.len())]);
            }
        }
    }

    /// Each sixteen of these in a row.
    pub fn letters(&mut self, name: &str, letters: &str) {
        let letters: Vec<char> = letters.to_lowercase().chars().collect();
        for window in letters.windows(16) {
            self.canary(name, window.iter().collect());
        }
    }

    /// What another watch knows.
    pub fn learn(&mut self, other: Self) {
        other.canaries.into_iter().for_each(|(name, spelled)| self.canary(&name, spelled));
    }

    /// This text, as it is.
    pub fn canary(&mut self, name: &str, spelled: String) {
        self.begins[beginning(spelled.as_bytes()).expect("long enough to be found")] = true;
        self.canaries.push((name.to_owned(), spelled));
    }

    #[track_caller]
    pub fn text(&mut self, text: &str) {
        self.looked += 1;
        let lower = text.to_lowercase();
        for (at, four) in lower.as_bytes().windows(4).enumerate() {
            if beginning(four).is_some_and(|number| self.begins[number]) {
                let rest = &lower.as_bytes()[at..];
                let found = self.canaries.iter().find(|(_, spelled)| rest.starts_with(spelled.as_bytes()));
                assert!(found.is_none(), "{} is in {text}", found.map_or("", |(name, _)| name));
            }
        }
    }

    #[track_caller]
    pub fn debug<T: Debug>(&mut self, shown: &T) {
        self.debugged.insert(type_name::<T>());
        self.text(&format!("{shown:?}"));
        self.text(&format!("{shown:#?}"));
    }

    /// What people see, and what programmers do.
    #[track_caller]
    pub fn display<T: Debug + Display>(&mut self, shown: &T) {
        self.displayed.insert(type_name::<T>());
        self.text(&shown.to_string());
        self.debug(shown);
    }

    /// An error with all that it comes from.
    #[track_caller]
    pub fn error<T: Error + 'static>(&mut self, error: &T) {
        self.errors.insert(type_name::<T>());
        self.display(error);
        let mut next = error.source();
        while let Some(error) = next {
            self.text(&format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
    }

    #[track_caller]
    pub fn result<T: Debug>(&mut self, result: Result<T, impl Error + 'static>) {
        match result {
            Ok(shown) => self.debug(&shown),
            Err(error) => self.error(&error),
        }
    }
}

/// The same with one octet less, one more, one turned, and cut short, here and there.
fn damaged(file: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in (0..file.len()).step_by(file.len() / 12 + 1) {
        let mut turned = file.to_vec();
        turned[at] ^= 0x55;
        let mut shorter = file.to_vec();
        shorter.remove(at);
        all.extend([turned, shorter, file[..at].to_vec()]);
    }
    all
}

fn identities() -> Vec<Identity> {
    let made = [NewKey::EcP256, NewKey::EcP384, NewKey::Ed25519, NewKey::Rsa2048];
    made.map(|kind| TestCertificate::new("CN=made").with_new_key(kind).self_signed().identity()).into()
}

#[test]
fn the_watch_sees_every_spelling() {
    let secret = *b"\x01\xfe\x80geheim\x7f\x00";
    for shown in [format!("{secret:?}"), format!("{secret:x?}").replace(", ", " "), "fe8067656865696d7f".to_owned()] {
        let mut watch = Watch::new();
        watch.secret("it", &secret);
        let shown = shown.replace("[1 ", "[01 ").replace(" 0]", " 00]");
        let seen = std::panic::catch_unwind(move || watch.text(&shown));
        assert!(seen.is_err());
    }
    let mut watch = Watch::new();
    watch.text("nothing");
    assert!(std::panic::catch_unwind(move || watch.text(&format!("no {PASSWORD} here"))).is_err());
    let identity = TestCertificate::new("CN=erp").self_signed().identity();
    let pem = identity.private_key_pem().unwrap().to_string();
    let mut watch = Watch::new();
    watch.key(&identity);
    assert!(std::panic::catch_unwind(move || watch.text(&pem.replace('\n', ""))).is_err());
}

#[test]
fn whoever_holds_a_key_tells_nothing_of_it() {
    for identity in identities() {
        let mut watch = Watch::new();
        watch.key(&identity);
        let key = identity.private_key_der().unwrap();
        let pem = identity.private_key_pem().unwrap();
        watch.debug(&identity);
        watch.text(&identity.name());
        watch.text(&identity.chain_pem());
        watch.debug(&IdentityHandle::new(identity.clone()));
        watch.result(identity.certificate_request(&[]));
        let request = identity.certificate_request(&[]).unwrap();
        watch.debug(&request);
        // Whatever is taken for an answer, a password or a chain.
        watch.result(identity.with_answer([&key[..]]));
        watch.result(identity.with_answer([pem.as_bytes()]));
        watch.result(identity.encrypted_key_pem(PASSWORD, 1));
        watch.result(identity.encrypted_key_der(PASSWORD, 1));
        watch.result::<String>(Err(EncryptKeyError::Iterations { iterations: 1 }));
        watch.result(Identity::from_files(&key, pem.as_bytes()));
        watch.result(Identity::from_files(pem.as_bytes(), pem.as_bytes()));
        watch.result(pem.parse::<certmap::UserName>());
        watch.result(pem.parse::<certmap::Role>());
        watch.result(certmap::Certificate::from_pem(pem.as_bytes()));
        watch.result(certmap::Certificate::from_der(&key));
        let other = TestCertificate::new("CN=other").self_signed().identity();
        watch.result(Identity::new(other.chain().to_vec(), key.to_vec().try_into().unwrap()));
        let mut bundle = TrustBundle::new("servers".parse().unwrap());
        watch.result(bundle.add_pins_pem(pem.as_bytes()));
        watch.result(bundle.add_anchors_pem(pem.as_bytes()));
        // Both ends of a connection, and those that look after them.
        bundle.add_pin(identity.certificate().clone()).unwrap();
        let builder = ClientConfigBuilder::new(identity.clone(), bundle.clone());
        watch.debug(&builder);
        watch.result(builder.build());
        watch.result(ClientConfigBuilder::new(identity.clone(), bundle.clone()).build_per_identity());
        let partner = TestCertificate::new("CN=partner").self_signed();
        let policy = Arc::new(PolicyHandle::new(one_partner(&partner)));
        let endpoint = Endpoint::single(Arc::clone(&policy), identity.clone()).unwrap();
        watch.debug(&endpoint);
        watch.debug(&endpoint.only().unwrap());
        watch.debug(&endpoint.replace_identity("gateway".parse().unwrap(), identity.clone()));
        watch.debug(&policy);
        let host = policy.current().hosts().next().unwrap().id().clone();
        watch.debug(&preflight(&policy.current(), &host, identity.chain(), NOW));
        let (old, new) = (identity.certificate().clone(), other.certificate().clone());
        watch.result(Rotation::new(old, new, Duration::from_secs(60)));
        assert!(watch.looked > 40, "{}", watch.looked);
    }
}

#[test]
fn whoever_reads_a_key_or_a_password_tells_nothing_of_it() {
    for identity in identities() {
        let mut watch = Watch::new();
        watch.key(&identity);
        let chain = identity.chain_pem();
        let plain = chain.clone() + &identity.private_key_pem().unwrap();
        let encrypted = chain + &identity.encrypted_key_pem(PASSWORD, KEY_ITERATIONS_MIN).unwrap();
        for file in [plain.as_bytes(), encrypted.as_bytes(), &identity.private_key_der().unwrap()[..]] {
            for import in [Import::new().with_password(PASSWORD), Import::new().with_password("wrong"), Import::new()] {
                watch.debug(&import);
                watch.result(import.read(file));
                watch.result(import.certificates(file));
                watch.result(import.read_files(file, file));
            }
        }
        for file in damaged(plain.as_bytes()).into_iter().chain(damaged(&identity.private_key_der().unwrap())) {
            watch.result(Identity::from_pem(&file));
            watch.result(Import::new().with_password(PASSWORD).certificates(&file));
        }
        assert!(watch.looked > 200, "{}", watch.looked);
    }
}

#[test]
fn an_error_says_that_it_found_a_key_and_not_which() {
    let key = TestCertificate::new("CN=a").self_signed().identity().private_key_pem().unwrap();
    let error = ValueTest::dns(&key).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no certificate is matched by `a text with a private key` as `dns`: it has a control, bidirectional or invisible character"
    );
    let error = format!("192.0.2.1 - a [{}]", key.as_str()).parse::<AccessLine>().unwrap_err();
    assert_eq!(error.to_string(), "expected a time in UTC in square brackets, found `a text with a private key`");
    let error = key.parse::<AuditRecord>().unwrap_err();
    assert_eq!(error.to_string(), "an audit record begins with `certmap`, found `a text with a private key`");
    let error = io::Error::other(format!("cannot use {}", key.as_str()));
    assert_eq!(
        Trouble::new(End::Client, &error).to_string(),
        "other: a text with a private key; look at the detail, and at the other end's log"
    );
    let error = certmap::rustls::Error::General(key.to_string());
    assert_eq!(Trouble::new(End::Client, &error).detail(), "a text with a private key");
}

#[test]
fn files_of_others_under_a_password_tell_nothing() {
    if !found(&[OPENSSL]) {
        return;
    }
    let identity = Identity::from_pem(&data("rsa-pkcs1.pem")).unwrap();
    let mut watch = Watch::new();
    watch.key(&identity);
    let workshop = Workshop::new();
    workshop.write("own.pem", identity.chain_pem());
    workshop.write("key.pem", identity.private_key_pem().unwrap().as_bytes());
    workshop.openssl(&format!("pkcs12 -export -in own.pem -inkey key.pem -out own.p12 -passout pass:{PASSWORD}"));
    workshop.openssl("rsa -in key.pem -outform DER -traditional -out pkcs1.der");
    let objects =
        vec![private_key(&workshop.read("pkcs1.der")), object("Cert", &[1, 3], &identity.certificate().der())];
    let pse = Pse { version: 4, pin: Some(PASSWORD), iterations: 10_000, objects };
    for file in [workshop.read("own.p12"), pse.write(&workshop)] {
        assert!(Import::new().with_password(PASSWORD).read(&file).is_ok());
        for import in [Import::new().with_password(PASSWORD), Import::new().with_password("wrong"), Import::new()] {
            watch.result(import.read(&file));
            watch.result(import.danger_accept_no_mac().read(&file));
        }
        for file in damaged(&file) {
            watch.result(Import::new().with_password(PASSWORD).read(&file));
        }
    }
    assert!(watch.looked > 80, "{}", watch.looked);
}

#[test]
fn keys_of_tickets_tell_nothing() {
    let octets: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 % 251).unwrap() ^ 0xa5);
    let mut watch = Watch::new();
    watch.secret("the ticket key", &octets);
    watch.debug(&TicketKey::new(octets));
    let keys = TicketKeys::new(TicketKey::new(octets)).unwrap();
    watch.debug(&keys);
    keys.rotate(TicketKey::new(octets));
    watch.debug(&keys);
    watch.debug(&Resumption::scoped(Duration::from_secs(60)).unwrap().with_tickets(keys));
}
