//! OpenSSL's path validation with every partner as a trusted certificate, as servers on OpenSSL do it.

use certmap::Certificate;
use certmap::testing::NOW;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509StoreContext};

/// A store of these certificates, for clients at the time of the tests. A certificate that is trusted itself is enough, as
/// `X509_V_FLAG_PARTIAL_CHAIN` has it: these are no CAs.
///
/// # Panics
/// If OpenSSL cannot read one of them.
#[must_use]
pub fn store(trusted: &[Certificate]) -> X509Store {
    let mut store = X509StoreBuilder::new().expect("memory");
    for certificate in trusted {
        store.add_cert(x509(certificate)).expect("a certificate");
    }
    let mut parameters = X509VerifyParam::new().expect("memory");
    parameters.set_time(NOW.as_secs().try_into().expect("a time of this era"));
    parameters.set_purpose(X509PurposeId::SSL_CLIENT).expect("a purpose");
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN).expect("a flag");
    store.set_param(&parameters).expect("memory");
    store.build()
}

/// The certificate as OpenSSL reads it.
///
/// # Panics
/// If it cannot.
#[must_use]
pub fn x509(certificate: &Certificate) -> X509 {
    X509::from_der(&certificate.der()).expect("a certificate")
}

/// `X509_verify_cert` on certificates that it has read, as in a handshake: from the DER each time.
pub fn admits(store: &X509Store, der: &[u8]) -> bool {
    let Ok(certificate) = X509::from_der(der) else { return false };
    let (Ok(chain), Ok(mut context)) = (Stack::new(), X509StoreContext::new()) else { return false };
    context.init(store, &certificate, &chain, |context| context.verify_cert()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use certmap::identity::NewKey;
    use certmap_bench::partner_v3;

    #[test]
    fn what_is_measured_tells_the_trusted_from_the_others() {
        let [one, other] = [(); 2].map(|()| partner_v3(NewKey::EcP256).certificate().clone());
        let store = store(std::slice::from_ref(&one));
        assert!(admits(&store, &one.der()));
        assert!(!admits(&store, &other.der()));
    }
}
