//! What people build first, kept for contrast: a `WebPkiClientVerifier` over every certificate that they were given, the
//! leaf's common name looked up in a table, rustls' defaults for the rest. Each attack runs against both; where this
//! build admits, the test shows that it tests something.

use std::collections::HashSet;
use std::sync::Arc;

use certmap::cert::RevocationList;
use certmap::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use certmap::rustls::server::danger::ClientCertVerifier;
use certmap::rustls::server::{ServerConnection, WebPkiClientVerifier};
use certmap::rustls::{RootCertStore, ServerConfig};
use certmap::testing::{NOW, TestClock, TestCrl, TestIdentity};
use certmap::trust::{Denial, Revocation};
use certmap::{
    CertUserMapping, Certificate, Decision, Fingerprint, Host, Policy, PolicyBuilder, PolicyError, Refusal,
    RefusalCode, Selector, TrustBundle,
};

use crate::anchors::decide_at;
use crate::common::{Backend, user};

/// The naive build. Its table maps every common name to itself.
pub struct Naive {
    verifier: Arc<dyn ClientCertVerifier>,
    denied: HashSet<Fingerprint>,
}

impl Naive {
    /// Trusts what the bundle holds, pin or anchor; lists in the order given.
    pub fn new(bundle: &TrustBundle, lists: &[TestCrl]) -> Result<Self, String> {
        let lists = lists.iter().map(|list| CertificateRevocationListDer::from(list.der().to_vec()));
        let builder = WebPkiClientVerifier::builder_with_provider(Self::roots(bundle), Backend::AwsLcRs.provider());
        let verifier = builder.with_crls(lists).build().map_err(|error| error.to_string())?;
        Ok(Self { verifier, denied: HashSet::new() })
    }

    pub fn roots(bundle: &TrustBundle) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(bundle.entries().map(|entry| entry.certificate().der().into_owned()));
        Arc::new(roots)
    }

    pub fn user(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<String, String> {
        let [own, others @ ..] = chain else { return Err("no certificate".to_owned()) };
        if self.denied.contains(&Fingerprint::of(own)) {
            return Err("denied".to_owned());
        }
        self.verifier.verify_client_cert(own, others, now).map_err(|error| error.to_string())?;
        common_name(own).ok_or_else(|| "no common name".to_owned())
    }

    /// A server of it, as the builder of rustls gives it: it remembers sessions.
    pub fn server(&self, identity: &TestIdentity) -> ServerConfig {
        server_with(self.verifier(), identity)
    }

    pub fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.verifier)
    }

    /// Whom its handler takes the peer of a connection for.
    pub fn user_of(connection: &ServerConnection) -> Option<String> {
        common_name(connection.peer_certificates()?.first()?)
    }
}

/// A server with this verifier and rustls' defaults.
pub fn server_with(verifier: Arc<dyn ClientCertVerifier>, identity: &TestIdentity) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Backend::AwsLcRs.provider());
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_client_cert_verifier(verifier);
    let mut config = builder.with_single_cert(identity.chain().to_vec(), identity.key()).unwrap();
    config.time_provider = TestClock::at(NOW);
    config
}

/// Read by the parser underneath, not by ours: what only we refuse to read must not look as if this build refused it.
pub fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

/// One attack: whom both builds trust, and what is presented to them.
#[derive(Clone)]
pub struct Attack {
    bundle: TrustBundle,
    lists: Vec<TestCrl>,
    denied: Option<Certificate>,
    presented: Vec<CertificateDer<'static>>,
    now: UnixTime,
}

impl Attack {
    pub fn on(bundle: &TrustBundle, presented: &[impl AsRef<[u8]>]) -> Self {
        let presented = presented.iter().map(|der| CertificateDer::from(der.as_ref().to_vec())).collect();
        Self { bundle: bundle.clone(), lists: Vec::new(), denied: None, presented, now: NOW }
    }

    pub fn at(self, seconds: u64) -> Self {
        Self { now: UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)), ..self }
    }

    pub fn with_lists(self, lists: &[&TestCrl]) -> Self {
        Self { lists: lists.iter().map(|list| (*list).clone()).collect(), ..self }
    }

    /// Denied in the way that each build offers: by issuer and serial number here, by fingerprint there.
    pub fn denying(self, certificate: &Certificate) -> Self {
        Self { denied: Some(certificate.clone()), ..self }
    }

    /// Our policy. Everything that can be mapped is, by its key, so that only trust is left to refuse.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        let mut revocation = Revocation::new();
        for list in &self.lists {
            revocation.add(RevocationList::from_der(list.der()).unwrap());
        }
        let readable = self.presented.first().and_then(|der| Certificate::from_der(der).ok());
        let rule = readable.map(|own| CertUserMapping::new(Selector::key(own.spki_fingerprint()), user("u")));
        let denial = self.denied.as_ref().map(|denied| Denial::serial(denied.issuer(), denied.serial().clone()));
        let host = Host::new("gw".parse().unwrap(), self.bundle.clone());
        PolicyBuilder::for_host(host).mappings(rule).denials(denial).revocation(revocation).build()
    }

    pub fn decision(&self) -> Decision {
        let policy = self.policy().unwrap();
        decide_at(&policy, &self.presented, self.now)
    }

    pub fn naive(&self) -> Result<String, String> {
        let mut naive = Naive::new(&self.bundle, &self.lists)?;
        naive.denied.extend(self.denied.as_ref().map(Certificate::fingerprint));
        naive.user(&self.presented, self.now)
    }

    /// We refuse, for this reason.
    #[track_caller]
    pub fn refused(&self, code: RefusalCode) -> &Self {
        let decision = self.decision();
        assert_eq!(decision.refusal().map(Refusal::code), Some(code), "{decision}");
        self
    }

    /// We admit.
    #[track_caller]
    pub fn admitted(&self) -> &Self {
        let decision = self.decision();
        assert!(decision.principal().is_some(), "{decision}");
        self
    }

    /// The naive build takes the peer for this user: there is something to be defended against.
    #[track_caller]
    pub fn naively(&self, user: &str) {
        assert_eq!(self.naive().as_deref(), Ok(user));
    }

    /// The naive build is not taken in either.
    #[track_caller]
    pub fn naively_refused(&self) {
        assert!(self.naive().is_err(), "{:?}", self.naive());
    }
}

/// A bundle of pins.
pub fn pins(pinned: &[&TestIdentity]) -> TrustBundle {
    let mut bundle = TrustBundle::new("partners".parse().unwrap());
    for pin in pinned {
        bundle.add_pin(pin.certificate().clone()).unwrap();
    }
    bundle
}
