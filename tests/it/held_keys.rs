//! Keys outside our memory: proven by their signatures, refused if they are not right, and used by both ends.

use std::sync::Arc;

use certmap::rustls::sign::{Signer, SigningKey};
use certmap::rustls::{Error, SignatureAlgorithm, SignatureScheme};
use certmap::testing::{Handshake, NOW, TestCertificate, TestIdentity, handshake};
use certmap::{Authority, Endpoint, Identity, IdentityError, NewKey};

use crate::common::{Backend, Gateway, SERVER, everywhere, one_partner};
use crate::tool::{OPENSSL, Workshop, found};

/// What a module does with the requests that it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Works,
    Fails,
    /// Signs by this scheme, whatever it is asked for.
    Stubborn(SignatureScheme),
    /// Offers this scheme too, and signs by it with whatever it has.
    Boasts(SignatureScheme),
    /// Signs by these schemes and no others.
    Only(&'static [SignatureScheme]),
}

/// A hardware module: signs, and tells not even its public half.
#[derive(Debug)]
struct Module {
    key: Arc<dyn SigningKey>,
    mood: Mood,
}

impl SigningKey for Module {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let named = |scheme, inner| Some(Box::new(Signature { scheme, inner, fails: self.mood == Mood::Fails }) as _);
        match self.mood {
            Mood::Works | Mood::Fails => {
                let inner = self.key.choose_scheme(offered)?;
                named(inner.scheme(), inner)
            }
            Mood::Stubborn(scheme) => named(scheme, self.key.choose_scheme(&ALL)?),
            Mood::Boasts(scheme) if offered.contains(&scheme) => named(scheme, self.key.choose_scheme(&ALL)?),
            Mood::Boasts(_) => self.key.choose_scheme(offered),
            Mood::Only(schemes) => {
                let offered: Vec<_> = offered.iter().copied().filter(|scheme| schemes.contains(scheme)).collect();
                self.key.choose_scheme(&offered)
            }
        }
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

#[derive(Debug)]
struct Signature {
    scheme: SignatureScheme,
    inner: Box<dyn Signer>,
    fails: bool,
}

impl Signer for Signature {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.fails { Err(Error::General("slot 3 is locked".to_owned())) } else { self.inner.sign(message) }
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

const ALL: [SignatureScheme; 4] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
];

fn module(of: &TestIdentity, mood: Mood, backend: Backend) -> Arc<dyn SigningKey> {
    let key = backend.provider().key_provider.load_private_key(of.key()).unwrap();
    Arc::new(Module { key, mood })
}

fn held(of: &TestIdentity, mood: Mood, backend: Backend) -> Result<Identity, IdentityError> {
    Identity::from_signing_key_with_provider(of.chain().to_vec(), module(of, mood, backend), &backend.provider())
}

const KINDS: [NewKey; 4] = [NewKey::EcP256, NewKey::EcP384, NewKey::Ed25519, NewKey::Rsa2048];

#[test]
fn both_ends_shake_hands_with_keys_that_tell_nothing() {
    for (backend, version) in everywhere() {
        for kind in KINDS {
            let partner = TestCertificate::new("CN=partner").with_version(1).with_new_key(kind).self_signed();
            let server = TestCertificate::new("CN=gateway").with_server_name(SERVER).with_new_key(kind).self_signed();
            let mut gateway = Gateway::new(one_partner(&partner), backend);
            gateway.certificate = server.clone();
            let identity = held(&server, Mood::Works, backend).unwrap();
            gateway.endpoint = Endpoint::single_with_provider(gateway.policy.clone(), identity, backend.provider())
                .unwrap()
                .with_time_provider(certmap::testing::TestClock::at(NOW));
            let client = held(&partner, Mood::Works, backend).unwrap();
            let ends = gateway.call(gateway.client(client, backend, version));
            let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
            let user = caller.admit(Authority::NotHttp, NOW).unwrap().user().to_string();
            assert_eq!(user, "SAPERPUSER", "{backend:?} {version:?} {kind:?}");
        }
    }
}

#[test]
fn a_key_of_another_certificate_is_refused_and_the_error_says_of_which() {
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let (one, two) = (TestCertificate::new("CN=one").self_signed(), TestCertificate::new("CN=two").self_signed());
        let rsa = TestCertificate::new("CN=rsa").with_new_key(NewKey::Rsa2048).self_signed();
        let provider = backend.provider();
        for other in [&two, &rsa] {
            let key = module(other, Mood::Works, backend);
            let error = Identity::from_signing_key_with_provider(one.chain().to_vec(), key, &provider).unwrap_err();
            assert_eq!(
                error.to_string(),
                "private key does not match the certificate `CN=one`: give the key that was made with this certificate"
            );
        }
        let both = [one.chain(), two.chain()].concat();
        let swapped = Identity::from_signing_key_with_provider(both, module(&two, Mood::Works, backend), &provider);
        assert!(matches!(swapped, Err(IdentityError::NotFirst { ordinal: 2, .. })), "{swapped:?}");
    }
}

#[test]
fn a_key_that_fails_or_signs_otherwise_than_it_says_is_refused() {
    let (p256, rsa) = (SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256);
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let one = TestCertificate::new("CN=one").self_signed();
        assert_eq!(
            held(&one, Mood::Fails, backend).unwrap_err().to_string(),
            "the private key cannot be used: unexpected error: slot 3 is locked"
        );
        assert_eq!(
            held(&one, Mood::Boasts(SignatureScheme::ED25519), backend).unwrap_err().to_string(),
            "private key fits the certificate `CN=one`, but it also offers to sign by ED25519, which does not: have what \
             holds it offer only what the certificate's key can do"
        );
        // Asked for one scheme it signs by another: whatever it is asked for, the peer would be deceived.
        for scheme in [p256, rsa] {
            let refused = held(&one, Mood::Stubborn(scheme), backend).unwrap_err();
            let (mismatch, other) =
                (matches!(refused, IdentityError::KeyMismatch { .. }), matches!(refused, IdentityError::Scheme { .. }));
            assert!(mismatch || other, "{scheme:?}: {refused:?}");
        }
        assert_eq!(
            held(&one, Mood::Only(&[]), backend).unwrap_err().to_string(),
            "the private key cannot be used: it offers no signature scheme that can be verified here"
        );
    }
}

#[test]
fn a_module_that_signs_by_one_scheme_only_is_used_where_that_serves() {
    // PKCS#1 is for TLS 1.2 only, PSS for both.
    const PKCS1: &[SignatureScheme] = &[SignatureScheme::RSA_PKCS1_SHA256];
    const PSS: &[SignatureScheme] = &[SignatureScheme::RSA_PSS_SHA256];
    let partner = TestCertificate::new("CN=partner").with_new_key(NewKey::Rsa2048).self_signed();
    for (backend, version) in everywhere() {
        for schemes in [PKCS1, PSS] {
            let gateway = Gateway::new(one_partner(&partner), backend);
            let client = held(&partner, Mood::Only(schemes), backend).unwrap();
            let ends: Handshake = handshake(
                Arc::new(gateway.client(client, backend, version)),
                gateway.endpoint.only().unwrap().config(),
                SERVER,
            );
            let presented = !(schemes == PKCS1 && version == crate::common::Version::Tls13);
            let refusal = gateway.refusal(&ends);
            let expected = if presented { None } else { Some("no-certificate") };
            assert_eq!(refusal.as_deref(), expected, "{backend:?} {version:?} {schemes:?}");
        }
    }
}

#[test]
fn a_held_key_has_nothing_to_export_and_asks_for_certificates_all_the_same() {
    const PSS: &[SignatureScheme] = &[SignatureScheme::RSA_PSS_SHA256];
    let ec = TestCertificate::new("CN=ec").self_signed();
    let rsa = TestCertificate::new("CN=rsa").with_new_key(NewKey::Rsa2048).self_signed();
    for (made, mood) in [(&ec, Mood::Works), (&rsa, Mood::Works), (&rsa, Mood::Only(PSS))] {
        let identity = held(made, mood, Backend::AwsLcRs).unwrap();
        assert!(identity.private_key_pem().is_none() && identity.private_key_der().is_none());
        let refused = identity.encrypted_key_pem("secret", certmap::limits::KEY_ITERATIONS).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the private key is not in memory: export it with the tools of what holds it, if that allows it"
        );
        let request = identity.certificate_request(&[]).unwrap();
        if found(&[OPENSSL]) {
            let workshop = Workshop::new();
            workshop.write("r.csr", request.to_pem());
            workshop.openssl("req -in r.csr -verify -noout");
        }
    }
}
