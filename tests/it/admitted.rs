//! Certificates as people have them, pinned and mapped: each is admitted as its user, on both providers, in both
//! protocol versions.

use certmap::rustls::pki_types::PrivateKeyDer;
use certmap::rustls::pki_types::pem::PemObject as _;
use certmap::testing::{NOW, TestCertificate};
use certmap::{Authority, Certificate, Identity, NewKey, PolicyBuilder};

use crate::common::{Backend, Gateway, SEND, data, erp, everywhere, user};

/// Name, certificate, and how to make an identity of it on a provider.
fn shapes() -> Vec<(&'static str, Identity)> {
    let partner = || TestCertificate::new("C=DE,O=Partner,CN=partner");
    let made = |certificate: TestCertificate| certificate.self_signed().identity();
    let file = |name: &str| Identity::from_pem(&data(name)).unwrap();
    vec![
        ("v1 RSA 2048 as STRUST makes it", erp()),
        ("v1 RSA 4096", made(partner().with_version(1).with_new_key(NewKey::Rsa4096))),
        ("v1 P-256", made(partner().with_version(1))),
        ("v2 P-256", made(partner().with_version(2))),
        ("openssl req -x509 default, CA:TRUE", file("openssl-req-x509.pem")),
        ("CA:FALSE and clientAuth", made(partner().with_ca_false().with_purpose(2))),
        ("no extensions", made(partner())),
        ("serverAuth only", made(partner().with_purpose(1))),
        ("SHA-1 self-signature", file("v1-sha1.pem")),
        ("unknown critical extension", made(partner().with_extension("1.2.3.4", true, &[5, 0]))),
        ("serial of 21 bytes", made(partner().with_serial(&[0x7f; 21]))),
        ("negative serial", made(partner().with_serial(&[0x80]))),
        ("serial zero", made(partner().with_serial(&[0]))),
        ("empty subject", made(TestCertificate::new(""))),
        ("P-384", made(partner().with_new_key(NewKey::EcP384))),
        ("Ed25519", made(partner().with_new_key(NewKey::Ed25519))),
        ("RSA 3072", made(partner().with_new_key(NewKey::Rsa3072))),
        ("key in PKCS#1 form", file("rsa-pkcs1.pem")),
        ("key in SEC1 form", file("ec-sec1.pem")),
        ("issued by a CA that is not trusted", {
            let ca = TestCertificate::new("CN=some CA").with_ca_true().self_signed();
            partner().issued_by(&ca).identity()
        }),
    ]
}

/// The same identity, held by another provider.
fn on(identity: &Identity, backend: Backend) -> Identity {
    let pem = identity.chain_pem() + &identity.private_key_pem().unwrap();
    Identity::from_pem_with_provider(pem.as_bytes(), &backend.provider()).unwrap()
}

#[test]
fn every_shape_that_real_systems_make_is_admitted_as_its_user() {
    // A second partner, so that a verifier which admits everything as the first user would be seen.
    let other = TestCertificate::new("CN=other").self_signed();
    for (name, identity) in shapes() {
        let builder = PolicyBuilder::new().partner(user("OTHER"), other.certificate().clone(), []).partner(
            user("SAPERPUSER"),
            identity.certificate().clone(),
            [SEND],
        );
        for (backend, version) in everywhere() {
            let place = format!("{name} {backend:?} {version:?}");
            let gateway = Gateway::new(builder.clone().build().unwrap(), backend);
            let ends = gateway.call(gateway.client(on(&identity, backend), backend, version));
            assert_eq!((&ends.client_error, &ends.server_error), (&None, &None), "{place}");
            assert_eq!(ends.server.protocol_version(), Some(version.protocol()), "{place}");
            let caller = gateway.endpoint.only().unwrap().caller(&ends.server).unwrap();
            let principal =
                caller.admit(Authority::NotHttp, NOW).unwrap_or_else(|refusal| panic!("{place}: {refusal:?}"));
            assert_eq!(principal.user(), &user("SAPERPUSER"), "{place}");
            assert_eq!(principal.certificate(), identity.certificate().fingerprint(), "{place}");
            principal.require(&SEND).unwrap();
        }
    }
}

#[test]
fn stock_rustls_refuses_what_we_admit() {
    // Else this crate would have no reason to exist; if it goes red, rustls has learned it.
    let erp = erp();
    let key = PrivateKeyDer::from_pem_slice(erp.private_key_pem().unwrap().as_bytes()).unwrap();
    let roots = std::sync::Arc::new(certmap::rustls::RootCertStore::empty());
    let builder = certmap::rustls::ClientConfig::builder_with_provider(Backend::AwsLcRs.provider())
        .with_protocol_versions(certmap::rustls::ALL_VERSIONS)
        .unwrap()
        .with_root_certificates(roots);
    let error = builder.with_client_auth_cert(erp.chain().to_vec(), key).unwrap_err();
    assert!(error.to_string().contains("UnsupportedCertVersion"), "{error}");
}

#[test]
fn weak_and_strange_keys_are_refused_at_import_with_the_reason() {
    let pin = |file: &str| {
        let pem = data(file);
        let text = String::from_utf8_lossy(&pem);
        let end = text.find("-----BEGIN PRIVATE").unwrap_or(text.len());
        let certificate = Certificate::from_pem(&pem[..end]).unwrap();
        let error = certmap::trust::Entry::pin(certificate).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let weak = "RSA key of 1024 bits is too weak, at least 2048 are needed: have a new key made";
    let unsupported = |key: &str| {
        format!("keys of type {key} cannot be used: use RSA of at least 2048 bits, EC P-256, EC P-384 or Ed25519")
    };
    assert_eq!(pin("v1-rsa1024.pem"), weak);
    assert_eq!(pin("secp256k1.pem"), unsupported("1.3.132.0.10"));
    assert_eq!(pin("dsa.pem"), unsupported("1.2.840.10040.4.1"));
    assert_eq!(pin("ec-explicit-parameters.pem"), unsupported("1.2.840.10045.2.1"));
    for (backend, _) in everywhere() {
        let error = Identity::from_pem_with_provider(&data("v1-rsa1024.pem"), &backend.provider()).unwrap_err();
        assert_eq!(error.to_string(), weak);
    }
}
