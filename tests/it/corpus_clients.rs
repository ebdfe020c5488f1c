//! What clients of servers did not check (CL), and which name of a server they took (MP-33). The list is `corpus.md`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use certmap::identity::IdentityError;
use certmap::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use certmap::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use certmap::testing::{Handshake, NOW, TestCertificate, TestClock, TestIdentity, TestName, handshake};
use certmap::tls::{End, Trouble, TroubleKind};
use certmap::{
    Certificate, ClientConfigBuilder, Endpoint, Fingerprint, Identity, IdentityHandle, PolicyHandle, RefusalCode,
    TrustBundle,
};

use crate::anchors::bundle;
use crate::common::{Backend, Gateway, SERVER, Version, everywhere, one_partner};
use crate::layers::{code, sources};
use crate::naive::{Attack, common_name, pins};

fn made(name: &str) -> TestCertificate {
    TestCertificate::new(name)
}

/// What stands in many programs under the names `NoVerifier` and `SkipServerVerification`; with `by_common_name`, it looks
/// for the server's name where it stood before RFC 2818, as clients do that fall back to it (RUSTSEC-2023-0027).
#[derive(Debug)]
struct NoVerifier {
    by_common_name: bool,
}

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.by_common_name && common_name(own).is_none_or(|common| common != name.to_str()) {
            return Err(Error::General("another name".to_owned()));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

/// A call of this client at a server with this identity that takes the partner for one.
fn call(client: ClientConfig, server: &TestIdentity, partner: &TestIdentity, backend: Backend) -> Handshake {
    let handle = Arc::new(PolicyHandle::new(one_partner(partner)));
    let provider = backend.provider();
    let endpoint = Endpoint::single_with_provider(handle, server.identity_on(&provider), provider).unwrap();
    let endpoint = endpoint.with_time_provider(TestClock::at(NOW));
    handshake(Arc::new(client), endpoint.only().unwrap().config(), SERVER)
}

fn ours(partner: &TestIdentity, servers: TrustBundle, backend: Backend, version: Version) -> ClientConfig {
    let identity = partner.identity_on(&backend.provider());
    let builder = ClientConfigBuilder::new(identity, servers).with_provider(backend.speaking(version));
    builder.with_time_provider(TestClock::at(NOW)).build().unwrap()
}

fn naive(partner: &TestIdentity, by_common_name: bool, backend: Backend, version: Version) -> ClientConfig {
    let key = backend.provider().key_provider.load_private_key(partner.key()).unwrap();
    let client = CertifiedKey::new(partner.chain().to_vec(), key);
    presenting(Some(client), by_common_name, backend, version)
}

/// A client that presents this, whether the two belong together or not, and believes every server.
pub fn presenting(own: Option<CertifiedKey>, by_common_name: bool, backend: Backend, version: Version) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(backend.speaking(version));
    let builder = builder.with_safe_default_protocol_versions().unwrap().dangerous();
    let builder = builder.with_custom_certificate_verifier(Arc::new(NoVerifier { by_common_name }));
    match own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
        None => builder.with_no_client_auth(),
    }
}

#[test]
fn cl_01_a_client_that_asks_nobody_who_the_server_is() {
    let partner = made("CN=partner").self_signed();
    let [right, wrong] = [(); 2].map(|()| made("CN=gateway").with_server_name(SERVER).self_signed());
    for (backend, version) in everywhere() {
        let call = |client| call(client, &wrong, &partner, backend);
        let refused = call(ours(&partner, pins(&[&right]), backend, version)).client_error.unwrap();
        assert_eq!(Trouble::new(End::Client, &refused).kind(), TroubleKind::ServerUntrusted, "{backend:?} {version:?}");
        assert_eq!(call(naive(&partner, false, backend, version)).client_error, None);
    }
    // There is no client without a statement whom it believes.
    assert!(ClientConfigBuilder::new(partner.identity(), pins(&[])).build().is_err());
}

#[test]
fn cl_01_every_way_around_a_check_says_so_in_its_name() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut named, mut rustls) = (Vec::new(), Vec::new());
    for file in files {
        let code = code(&file);
        let ways = code.split("pub fn danger_").skip(1).filter_map(|rest| rest.split('(').next());
        named.extend(ways.map(str::to_owned));
        // What rustls calls so is where our own verifier is put in, and nowhere else.
        if code.contains(".dangerous()") {
            rustls.push(file.file_name().unwrap().to_owned());
        }
    }
    named.sort();
    assert_eq!(named, ["accept_no_mac", "accept_stale_lists", "odd_anchor"]);
    assert_eq!(rustls, ["client.rs"]);
}

#[test]
fn mp_33_a_server_whose_name_stands_in_its_common_name_only() {
    let root = made("CN=root").as_ca().self_signed();
    let partner = made("CN=partner").self_signed();
    let subject = format!("CN={SERVER}");
    for server in [
        made(&subject).issued_by(&root),
        made(&subject).with_server_name("other.example").issued_by(&root),
        made(&subject).with_alternative_names(&[TestName::Email("a@b.example")]).issued_by(&root),
    ] {
        for (backend, version) in everywhere() {
            let call = |client| call(client, &server, &partner, backend).client_error;
            assert!(call(ours(&partner, bundle(&[&root]), backend, version)).is_some(), "{backend:?} {version:?}");
            assert_eq!(call(naive(&partner, true, backend, version)), None);
        }
    }
    let right = made("CN=anything").with_server_name(SERVER).issued_by(&root);
    let client = ours(&partner, bundle(&[&root]), Backend::AwsLcRs, Version::Tls13);
    assert_eq!(call(client, &right, &partner, Backend::AwsLcRs).client_error, None);
}

#[test]
fn cl_03_a_certificate_with_the_key_of_another() {
    let (one, other) = (made("CN=one").self_signed(), made("CN=other").self_signed());
    let error = Identity::new(one.chain().to_vec(), other.key()).unwrap_err();
    assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{error}");
    for (backend, version) in everywhere() {
        // What is put together by hand is presented, and nobody is told before a server refuses it.
        let gateway = Gateway::new(one_partner(&one), backend);
        let key = backend.provider().key_provider.load_private_key(other.key()).unwrap();
        let mut client = gateway.client(one.identity_on(&backend.provider()), backend, version);
        let naive = CertifiedKey::new(one.chain().to_vec(), key);
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(naive));
        let ends = gateway.call(client);
        assert_eq!(gateway.refusal(&ends).as_deref(), Some("key-not-proven"), "{backend:?} {version:?}");
    }
}

/// Certificate and key, each replaced by itself, as who reads two files does.
struct NaiveFiles {
    chain: Mutex<Vec<CertificateDer<'static>>>,
    key: Mutex<PrivateKeyDer<'static>>,
}

#[test]
fn cl_04_an_identity_that_is_replaced_while_it_is_read() {
    let pair = [made("CN=one").self_signed(), made("CN=other").self_signed()];
    let identities = [pair[0].identity(), pair[1].identity()];
    let handle = IdentityHandle::new(identities[0].clone());
    // Whatever is current was given as a whole: its certificate has its own key.
    let read = thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut read = [0, 0];
                    while read.iter().sum::<usize>() < 10_000 {
                        let current = handle.current();
                        let which = usize::from(current.certificate() == identities[1].certificate());
                        assert_eq!(current.certificate(), identities[which].certificate());
                        assert_eq!(current.private_key_der(), identities[which].private_key_der());
                        read[which] += 1;
                    }
                    read
                })
            })
            .collect();
        for number in 1..=10_000 {
            handle.replace(identities[number % 2].clone());
        }
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(read.len(), 2);
    // One who replaces the certificate first has for a while a certificate without its key.
    let files = NaiveFiles { chain: Mutex::new(pair[0].chain().to_vec()), key: Mutex::new(pair[0].key()) };
    *files.chain.lock().unwrap() = pair[1].chain().to_vec();
    let between = Identity::new(files.chain.lock().unwrap().clone(), files.key.lock().unwrap().clone_key());
    assert!(matches!(between, Err(IdentityError::KeyMismatch { .. })));
    *files.key.lock().unwrap() = pair[1].key();
    assert!(Identity::new(files.chain.lock().unwrap().clone(), files.key.lock().unwrap().clone_key()).is_ok());
}

/// Who is remembered under which name, and what is remembered replaced when the name comes again: trust on first use, and on
/// every use after it (CVE-2026-4740 accepted a renewal for another subject).
#[derive(Default)]
struct NaiveRenewal(HashMap<String, Fingerprint>);

impl NaiveRenewal {
    fn lets_in(&mut self, certificate: &Certificate) -> bool {
        let name = certificate.subject().to_string();
        let known = self.0.contains_key(&name);
        self.0.insert(name, certificate.fingerprint());
        known
    }
}

#[test]
fn cl_05_a_renewed_certificate_that_somebody_else_made() {
    let partner = || made("CN=partner,O=Acme").with_serial(&[1]);
    let pinned = partner().self_signed();
    let (forged, reused) = (partner().self_signed(), partner().with_serial(&[2]).with_key_of(&pinned).self_signed());
    let mut naive = NaiveRenewal::default();
    naive.lets_in(pinned.certificate());
    for renewed in [&forged, &reused] {
        Attack::on(&pins(&[&pinned]), renewed.chain()).refused(RefusalCode::Untrusted);
        assert!(naive.lets_in(renewed.certificate()));
    }
    Attack::on(&pins(&[&pinned]), pinned.chain()).admitted();
}
