//! What people use without certmap.

use std::collections::HashMap;
use std::sync::Arc;

use certmap::Certificate;
use certmap::rustls::RootCertStore;
use certmap::rustls::crypto::aws_lc_rs;
use certmap::rustls::pki_types::{CertificateDer, UnixTime};
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::rustls::server::danger::ClientCertVerifier;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// rustls' own verifier with these roots, on aws-lc-rs, which is the fastest here.
///
/// # Panics
/// If one of them cannot be a root.
#[must_use]
pub fn stock<'a>(roots: impl IntoIterator<Item = &'a Certificate>) -> Arc<dyn ClientCertVerifier> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from(root.der().to_vec())).expect("a root");
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider).build().expect("roots")
}

/// What is written by hand where rustls' verifier stands alone: every partner's certificate is a root, the certificate is
/// read once more, and the first common name is looked up.
///
/// It is measured because it is common, not because it is safe: every partner is a certificate authority here.
#[derive(Debug)]
pub struct WrittenByHand {
    verifier: Arc<dyn ClientCertVerifier>,
    users: HashMap<String, String>,
}

impl WrittenByHand {
    /// For these partners; each is the user of its common name.
    ///
    /// # Panics
    /// If one cannot be a root or has no common name.
    #[must_use]
    pub fn new(partners: &[Certificate]) -> Self {
        let user = |partner: &Certificate| {
            let name = common_name(&partner.der()).expect("a common name");
            let user = format!("user of {name}");
            (name, user)
        };
        Self { verifier: stock(partners), users: partners.iter().map(user).collect() }
    }

    /// The user of this certificate.
    #[must_use]
    pub fn user(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Option<&str> {
        self.verifier.verify_client_cert(certificate, &[], now).ok()?;
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let name = parsed.subject().iter_common_name().next()?.as_str().ok()?;
        self.users.get(name).map(String::as_str)
    }
}

/// Reads a certificate with x509-parser and nothing else, its extensions as far as that reads them.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn parse(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).expect("a certificate").1
}

fn common_name(der: &[u8]) -> Option<String> {
    let parsed = parse(der);
    parsed.subject().iter_common_name().next()?.as_str().ok().map(str::to_owned)
}
