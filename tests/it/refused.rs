//! Who must not get in, each refused for the right reason, on both providers, in both protocol versions.

use std::sync::Arc;

use certmap::Identity;
use certmap::RefusalCode;
use certmap::rustls::client::ResolvesClientCert;
use certmap::rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use certmap::rustls::{
    ClientConfig, ClientConnection, Error, PeerIncompatible, ServerConnection, SignatureAlgorithm, SignatureScheme,
};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::trust::Untrusted;
use certmap::{Evidence, NewKey, PolicyBuilder};

use crate::common::{Backend, Gateway, SERVER, Version, everywhere, user};

const DAY: u64 = 86_400;

fn partner() -> TestCertificate {
    // The subject key identifier is part of what an impostor copies.
    TestCertificate::new("C=DE,O=Partner,CN=partner").with_serial(&[7]).with_extension(
        "2.5.29.14",
        false,
        &[4, 2, 1, 2],
    )
}

/// Calls a gateway that trusts `pinned` as `presented`, everywhere, and hands both ends to `check`.
fn call_as(
    pinned: &TestIdentity,
    presented: &TestIdentity,
    check: impl Fn(&Gateway, &certmap::testing::Handshake, &str),
) {
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(crate::common::one_partner(pinned), backend);
        let identity = presented.identity_on(&backend.provider());
        let ends = gateway.call(gateway.client(identity, backend, version));
        check(&gateway, &ends, &format!("{backend:?} {version:?}"));
    }
}

/// Refused in the handshake as untrusted, for this cause; the client is told no more than that its certificate is
/// unknown; the record holds what the operator needs.
fn untrusted(pinned: &TestIdentity, presented: &TestIdentity, cause: &Untrusted) {
    call_as(pinned, presented, |gateway, ends, place| {
        let error = ends.server_error.as_ref().unwrap_or_else(|| panic!("admitted {place}"));
        let refused = gateway.endpoint.only().unwrap().refused(error, NOW).unwrap();
        let refusal = refused.refusal();
        assert_eq!(refusal.code(), RefusalCode::Untrusted, "{place}");
        assert_eq!(refusal.untrusted(), Some(cause), "{place}");
        assert_eq!(
            ends.client_error,
            Some(Error::AlertReceived(certmap::rustls::AlertDescription::CertificateUnknown))
        );
        let record = refused.record();
        assert_eq!(record.certificate(), Some(presented.certificate().fingerprint().to_string().as_str()));
        assert_eq!(refused.evidence().chain(), presented.chain(), "the gateway can keep what was presented");
        assert_eq!(record.issuer(), Some(presented.certificate().issuer().to_string().as_str()));
        assert!(gateway.endpoint.only().unwrap().caller(&ends.server).is_err(), "{place}");
    });
}

#[test]
fn another_certificate_with_the_pinned_key_and_name_is_refused() {
    let pinned = partner().self_signed();
    let renewed = partner().with_key_of(&pinned).with_serial(&[8]).self_signed();
    untrusted(&pinned, &renewed, &Untrusted::KeyOfPin { pin: pinned.certificate().fingerprint(), older: false });
}

#[test]
fn another_key_with_the_pinned_name_serial_and_key_identifier_is_refused() {
    let pinned = partner().self_signed();
    let impostor = partner().self_signed();
    assert_eq!(impostor.certificate().serial(), pinned.certificate().serial());
    untrusted(&pinned, &impostor, &Untrusted::NameOfPin { pin: pinned.certificate().fingerprint(), older: false });
}

#[test]
fn a_certificate_minted_with_a_pinned_key_is_refused() {
    for pinned in
        [partner().self_signed(), partner().with_ca_true().self_signed(), partner().with_version(1).self_signed()]
    {
        let admin = TestCertificate::new("CN=admin").issued_by(&pinned);
        let pin_is_ca = pinned.certificate().is_ca();
        untrusted(&pinned, &admin, &Untrusted::IssuedByPin { pin: pinned.certificate().fingerprint(), pin_is_ca });
        // Under the pin's own name too: it is nobody's renewal.
        let same_name = partner().issued_by(&pinned);
        let pin = pinned.certificate().fingerprint();
        untrusted(&pinned, &same_name, &Untrusted::IssuedByPin { pin, pin_is_ca: false });
        // Two levels below, the whole chain presented: the pin in it counts for nothing.
        let below = TestCertificate::new("CN=admin")
            .issued_by(&TestCertificate::new("CN=sub").with_ca_true().issued_by(&pinned));
        untrusted(&pinned, &below, &Untrusted::PinInChain { pin: pinned.certificate().fingerprint() });
    }
}

#[test]
fn a_pin_that_is_only_the_second_of_the_chain_admits_nobody() {
    let pinned = partner().self_signed();
    let stranger = TestCertificate::new("CN=stranger").self_signed();
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
        let provider = backend.provider();
        let chain = [stranger.chain(), pinned.chain()].concat();
        let identity = Identity::new_with_provider(chain, stranger.key(), &provider).unwrap();
        let ends = gateway.call(gateway.client(identity, backend, version));
        let refused = gateway.endpoint.only().unwrap().refused(ends.server_error.as_ref().unwrap(), NOW).unwrap();
        let cause = Untrusted::PinInChain { pin: pinned.certificate().fingerprint() };
        assert_eq!(refused.refusal().untrusted(), Some(&cause));
    }
}

#[test]
fn an_unknown_certificate_is_refused() {
    untrusted(&partner().self_signed(), &TestCertificate::new("CN=unknown").self_signed(), &Untrusted::Unknown);
}

#[test]
fn a_pin_is_refused_before_and_after_its_validity_and_admitted_in_its_first_and_last_second() {
    let now = NOW.as_secs();
    for (validity, expected) in [
        ((now - DAY, now - 1), Some("certificate-expired")),
        ((now - DAY, now), None),
        ((now, now + DAY), None),
        ((now + 1, now + DAY), Some("certificate-not-yet-valid")),
        ((now + 1, now - 1), Some("certificate-expired")),
    ] {
        let pinned = partner().with_validity(validity.0, validity.1).self_signed();
        call_as(&pinned, &pinned, |gateway, ends, place| {
            assert_eq!(gateway.refusal(ends).as_deref(), expected, "{validity:?} {place}");
            assert_eq!(ends.server_error.is_some(), expected.is_some(), "refused in the handshake, {place}");
        });
    }
}

#[test]
fn who_does_not_have_the_key_of_the_pinned_certificate_is_refused() {
    let pinned = partner().self_signed();
    let thief = TestCertificate::new("CN=thief").self_signed();
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
        let mut client = gateway.client(thief.identity_on(&backend.provider()), backend, version);
        let key = backend.provider().key_provider.load_private_key(thief.key()).unwrap();
        let stolen = CertifiedKey::new(pinned.chain().to_vec(), key);
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(stolen));
        let ends = gateway.call(client);
        let error = ends.server_error.as_ref().unwrap();
        let refused = gateway.endpoint.only().unwrap().refused(error, NOW).unwrap();
        assert_eq!(refused.code().as_str(), "key-not-proven", "{backend:?} {version:?}");
        assert_eq!((refused.policy(), refused.at()), (gateway.endpoint.policy().current().digest(), NOW));
        let refusal = refused.refusal();
        let detail = "the peer did not prove that it has the key of the certificate it presented: ";
        assert!(refusal.detail().starts_with(detail), "{}", refusal.detail());
        assert!(refusal.cure().contains("somebody poses as it"), "{}", refusal.cure());
        let alert = certmap::rustls::AlertDescription::DecryptError;
        assert_eq!(ends.client_error, Some(Error::AlertReceived(alert)), "{backend:?} {version:?}");
        assert!(gateway.endpoint.only().unwrap().caller(&ends.server).is_err());
    }
}

#[test]
fn who_presents_no_certificate_is_refused() {
    let pinned = partner().self_signed();
    for (backend, version) in everywhere() {
        let gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
        let mut client = gateway.client(pinned.identity_on(&backend.provider()), backend, version);
        client.client_auth_cert_resolver = Arc::new(Nothing);
        let ends = gateway.call(client);
        assert_eq!(gateway.refusal(&ends).as_deref(), Some("no-certificate"), "{backend:?} {version:?}");
        assert!(ends.client_error.is_some());
    }
}

#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A key that signs by one scheme and says it was another, whatever the server offered.
#[derive(Debug)]
struct Stubborn {
    key: Arc<dyn SigningKey>,
    signs: SignatureScheme,
    says: SignatureScheme,
}

#[derive(Debug)]
struct StubbornSigner(Box<dyn Signer>, SignatureScheme);

impl SigningKey for Stubborn {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(StubbornSigner(self.key.choose_scheme(&[self.signs])?, self.says)))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

impl Signer for StubbornSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.1
    }
}

/// Calls with the right key, which signs by `signs` and says `says`; the code of the refusal, if any.
fn stubborn(
    kind: NewKey,
    signs: SignatureScheme,
    says: SignatureScheme,
    backend: Backend,
    version: Version,
) -> Option<String> {
    let pinned = partner().with_version(1).with_new_key(kind).self_signed();
    let gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
    let mut client: ClientConfig = gateway.client(pinned.identity_on(&backend.provider()), backend, version);
    let key = backend.provider().key_provider.load_private_key(pinned.key()).unwrap();
    let key = Arc::new(Stubborn { key, signs, says });
    client.client_auth_cert_resolver =
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(pinned.chain().to_vec(), key)));
    gateway.refusal(&gateway.call(client))
}

#[test]
fn tls_13_refuses_pkcs1_signatures_and_a_scheme_of_another_curve() {
    use SignatureScheme as S;
    let refused = Some("key-not-proven".to_owned());
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let rsa = |signs, version| stubborn(NewKey::Rsa2048, signs, signs, backend, version);
        assert_eq!(rsa(S::RSA_PKCS1_SHA256, Version::Tls13), refused);
        assert_eq!(rsa(S::RSA_PSS_SHA256, Version::Tls13), None);
        assert_eq!(rsa(S::RSA_PKCS1_SHA256, Version::Tls12), None);
        let p384 = |says, version| stubborn(NewKey::EcP384, S::ECDSA_NISTP384_SHA384, says, backend, version);
        assert_eq!(p384(S::ECDSA_NISTP256_SHA256, Version::Tls13), refused);
        assert_eq!(p384(S::ECDSA_NISTP256_SHA256, Version::Tls12), refused, "the signature is over another hash");
        assert_eq!(p384(S::ECDSA_NISTP384_SHA384, Version::Tls13), None);
        assert_eq!(p384(S::ED25519, Version::Tls12), refused);
    }
}

#[test]
fn tls_12_refuses_a_scheme_that_has_no_meaning_there_although_the_provider_verifies_it() {
    // ML-DSA by its number, which the provider takes for a signature that the key can make.
    let strange = SignatureScheme::from(0x0904);
    let pinned = partner().self_signed();
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let mut provider = (*backend.provider()).clone();
        let mut mapping = provider.signature_verification_algorithms.mapping.to_vec();
        let known = mapping.iter().find(|(scheme, _)| *scheme == SignatureScheme::ECDSA_NISTP256_SHA256);
        let algorithms = known.unwrap().1;
        mapping.insert(0, (strange, algorithms));
        provider.signature_verification_algorithms.mapping = mapping.leak();
        let mut gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
        let (policy, identity) = (Arc::clone(&gateway.policy), gateway.certificate.identity_on(&provider));
        let endpoint = certmap::Endpoint::single_with_provider(policy, identity, Arc::new(provider)).unwrap();
        gateway.endpoint = endpoint.with_time_provider(TestClock::at(NOW));

        let mut client = gateway.client(pinned.identity_on(&backend.provider()), backend, Version::Tls12);
        let key = backend.provider().key_provider.load_private_key(pinned.key()).unwrap();
        let key = Stubborn { key, signs: SignatureScheme::ECDSA_NISTP256_SHA256, says: strange };
        let presented = CertifiedKey::new(pinned.chain().to_vec(), Arc::new(key));
        client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(presented));
        assert_eq!(gateway.refusal(&gateway.call(client)).as_deref(), Some("key-not-proven"), "{backend:?}");
    }
}

#[test]
fn a_tls_12_client_without_extended_master_secret_is_refused() {
    let pinned = partner().self_signed();
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let gateway = Gateway::new(crate::common::one_partner(&pinned), backend);
        let client = gateway.client(pinned.identity_on(&backend.provider()), backend, Version::Tls12);
        let mut client = ClientConnection::new(Arc::new(client), SERVER.try_into().unwrap()).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        let answer = |hello: &[u8]| {
            let mut server = ServerConnection::new(gateway.endpoint.only().unwrap().config()).unwrap();
            server.read_tls(&mut &hello[..]).unwrap();
            server.process_new_packets().map(|_| ())
        };
        assert_eq!(answer(&hello), Ok(()));
        // The extension is number 23 and empty (RFC 7627, section 5.1); here it gets a number that nobody knows.
        let at = hello.windows(4).position(|octets| octets == [0, 23, 0, 0]).unwrap();
        hello[at..at + 2].copy_from_slice(&[0xfa, 0xce]);
        let required = PeerIncompatible::ExtendedMasterSecretExtensionRequired;
        assert_eq!(answer(&hello), Err(Error::PeerIncompatible(required)), "{backend:?}");
    }
}

#[test]
fn a_pinned_certificate_that_no_rule_names_passes_the_handshake_and_is_refused_by_the_decision() {
    let (mapped, unmapped) = (partner().self_signed(), TestCertificate::new("CN=unmapped").self_signed());
    let mut bundle = certmap::TrustBundle::new("partners".parse().unwrap());
    bundle.add_pin(unmapped.certificate().clone()).unwrap();
    let host = certmap::Host::new("default".parse().unwrap(), bundle);
    let policy = PolicyBuilder::for_host(host).partner(user("erp"), mapped.certificate().clone(), []).build().unwrap();
    let gateway = Gateway::new(policy, Backend::AwsLcRs);
    for (identity, expected) in [(&unmapped, Some("not-mapped")), (&mapped, None)] {
        let ends = gateway.call(gateway.client(identity.identity(), Backend::AwsLcRs, Version::Tls13));
        assert_eq!((&ends.client_error, &ends.server_error), (&None, &None));
        assert_eq!(gateway.refusal(&ends).as_deref(), expected);
    }
}

/// A pin is found by its bytes: one that is different in a single one of them is another certificate.
#[test]
fn a_certificate_that_differs_from_the_pinned_one_in_one_octet_is_not_it() {
    let pinned = crate::common::erp();
    let policy = PolicyBuilder::new().partner(user("ERP"), pinned.certificate().clone(), []).build().unwrap();
    let host = policy.hosts().next().unwrap().id().clone();
    let decide = |der: &[u8]| policy.decide(&Evidence::after_handshake(host.clone(), [der]), NOW);
    let der = pinned.certificate().der();
    assert!(decide(&der).principal().is_some());
    for at in 0..der.len() {
        let mut other = der.to_vec();
        other[at] ^= 1 << (at % 8);
        assert!(decide(&other).principal().is_none(), "octet {at}");
    }
    for length in 0..der.len() {
        assert!(decide(&der[..length]).principal().is_none(), "{length} octets");
    }
    assert!(decide(&[&der[..], &[0]].concat()).principal().is_none(), "one octet more");
}
