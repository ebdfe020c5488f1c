//! What is measured: policies of any size, and the certificates that are looked for in them.
//!
//! The partners that only fill a policy up are copies of one certificate with another number in them. Their signatures
//! are wrong and nobody looks: a pin is compared, not verified.

use certmap::decision::Evidence;
use certmap::identity::NewKey;
use certmap::policy::{Host, Policy, PolicyBuilder};
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Certificate, Identity, Role, RoleAssignment, Selector, SpkiFingerprint, TrustBundle};

/// The role that every partner has.
pub const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");

/// Stands for the number of a partner in serial number, issuer and subject of [`Partners`]' template.
const NUMBER: &str = "NUMBERED";

/// The version 1 RSA-2048 certificate of the examples, as SAP systems make them.
///
/// # Panics
/// If the example is gone.
#[must_use]
pub fn erp_v1() -> Certificate {
    let pem = include_bytes!("../examples/data/erp-v1-test-only.pem");
    Identity::from_pem(pem).expect("an identity").certificate().clone()
}

/// A self-signed version 3 certificate for clients, on a new key of this kind.
#[must_use]
pub fn partner_v3(kind: NewKey) -> TestIdentity {
    TestCertificate::new("CN=measured").with_new_key(kind).with_ca_false().with_purpose(2).self_signed()
}

/// Partners without end, each with a version 3 P-256 certificate of its own on the key of all.
#[derive(Debug)]
pub struct Partners {
    template: Vec<u8>,
}

impl Partners {
    /// Makes the one certificate that the others are copies of.
    #[must_use]
    pub fn new() -> Self {
        let template = TestCertificate::new(&format!("CN=partner-{NUMBER},O=Example"))
            .with_serial(NUMBER.as_bytes())
            .with_ca_false()
            .with_purpose(2)
            .self_signed();
        Self { template: template.certificate().der().to_vec() }
    }

    /// The certificate of one partner.
    ///
    /// # Panics
    /// If `number` has more than eight digits.
    #[must_use]
    pub fn certificate(&self, number: usize) -> Certificate {
        let digits = format!("{number:08}");
        let mut der = self.template.clone();
        for at in 0..=der.len() - NUMBER.len() {
            if self.template[at..].starts_with(NUMBER.as_bytes()) {
                der[at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
            }
        }
        Certificate::from_der(&der).expect("a number of another value is a certificate of another value")
    }

    /// A policy of `size` pins, `size` mappings and a role for every user: these certificates and as many partners as
    /// it takes.
    ///
    /// Every certificate is mapped by its fingerprint. Of the partners every second one is; the other mappings name
    /// public keys that nobody has, so that neither table is small.
    ///
    /// # Panics
    /// If there are more certificates than `size`.
    #[must_use]
    pub fn policy(&self, size: usize, certificates: &[Certificate]) -> Policy {
        let rest = size.checked_sub(certificates.len()).expect("room for the certificates");
        let partners = (0..rest).map(|number| self.certificate(number));
        let mut bundle = TrustBundle::with_limit("partners".parse().expect("a label"), size);
        let (mut mappings, mut assignments) = (Vec::new(), Vec::new());
        for (number, certificate) in certificates.iter().cloned().chain(partners).enumerate() {
            let selector = if number < certificates.len() || number.is_multiple_of(2) {
                Selector::certificate(certificate.fingerprint())
            } else {
                Selector::key(SpkiFingerprint::of(&number.to_le_bytes()))
            };
            let user: certmap::UserName = format!("USER{number}").parse().expect("a user name");
            assignments.push(RoleAssignment::new(user.clone(), SEND));
            mappings.push(CertUserMapping::new(selector, user));
            bundle.add_pin(certificate).expect("a certificate that was not there");
        }
        let host = Host::new("gateway".parse().expect("a label"), bundle);
        let builder = assignments.into_iter().fold(PolicyBuilder::for_host(host), PolicyBuilder::assignment);
        builder.mappings(mappings).build().expect("a policy without contradiction")
    }
}

impl Default for Partners {
    fn default() -> Self {
        Self::new()
    }
}

/// What a finished handshake with this certificate leaves.
///
/// # Panics
/// Never: a policy has a host.
#[must_use]
pub fn evidence(policy: &Policy, certificate: &Certificate) -> Evidence {
    let host = policy.hosts().next().expect("a policy has a host");
    Evidence::after_handshake(host.id().clone(), [certificate.der()])
}
