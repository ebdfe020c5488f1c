//! Policies of any size, and the certificates that are looked for in them.
//!
//! What only fills a policy up are copies of one certificate with another number in them. Their signatures are wrong and
//! nobody looks: a pin is compared, and an anchor is not verified by itself.

use std::sync::Arc;
use std::thread;

use certmap::identity::NewKey;
use certmap::policy::{Host, Policy, PolicyBuilder};
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{
    Caller, CertUserMapping, Certificate, Evidence, Fingerprint, Identity, PolicyHandle, Role, RoleAssignment,
    Selector, SpkiFingerprint, TrustBundle, UserName,
};

/// The role that every partner has.
pub const SEND: Role = Role::from_static("iflmap/ESBMessaging.send");
/// The role that every second partner has.
const READ: Role = Role::from_static("iflmap/Read");

/// Stands for the number in serial number, issuer and subject of the certificate that is copied.
const NUMBER: &str = "NUMBERED";
/// Every mapping of this many names a public key that nobody has, so that no table is small.
const ONE_KEY_IN: usize = 8;
/// Of more partners than this, only so many are pinned; the others are mapped all the same. A million certificates to be
/// parsed take longer than all that is measured.
pub const PINS: usize = 100_000;
/// Rules over names that a policy has beside the exact ones.
const NAME_RULES: usize = 20;

/// The version 1 RSA-2048 certificate of the examples, as SAP systems make them.
///
/// # Panics
/// If the example is gone.
#[must_use]
pub fn erp_v1() -> Certificate {
    let pem = include_bytes!("../../examples/data/erp-v1-test-only.pem");
    Identity::from_pem(pem).expect("an identity").certificate().clone()
}

/// A self-signed version 3 certificate for clients, on a new key of this kind.
#[must_use]
pub fn partner_v3(kind: NewKey) -> TestIdentity {
    TestCertificate::new("CN=partner-measured,O=Example")
        .with_new_key(kind)
        .with_ca_false()
        .with_purpose(2)
        .self_signed()
}

/// The user of this number.
///
/// # Panics
/// Never: it is a good name.
#[must_use]
pub fn user(number: usize) -> UserName {
    format!("USER{number}").parse().expect("a user name")
}

/// Certificates without end: copies of one, with another number in each.
#[derive(Clone, Debug)]
pub struct Copies {
    template: Vec<u8>,
    /// Where the number stands.
    places: Vec<usize>,
}

impl Copies {
    /// Copies of what this makes self-signed, for a subject with a number in it.
    #[must_use]
    pub fn new(certificate: impl FnOnce(TestCertificate) -> TestCertificate) -> Self {
        let subject = format!("CN=partner-{NUMBER},O=Example");
        let template = certificate(TestCertificate::new(&subject)).with_serial(NUMBER.as_bytes()).self_signed();
        let template = template.certificate().der().to_vec();
        let places = 0..=template.len() - NUMBER.len();
        let places = places.filter(|at| template[*at..].starts_with(NUMBER.as_bytes())).collect();
        Self { template, places }
    }

    /// One copy.
    ///
    /// # Panics
    /// If `number` has more than eight digits.
    #[must_use]
    pub fn certificate(&self, number: usize) -> Certificate {
        let digits = format!("{number:08}");
        let mut der = self.template.clone();
        for at in &self.places {
            der[*at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
        Certificate::from_der(&der).expect("a number of another value is a certificate of another value")
    }

    /// The copies of the numbers below `count`, made on two threads.
    ///
    /// # Panics
    /// If `count` has more than eight digits.
    #[must_use]
    pub fn first(&self, count: usize) -> Vec<Certificate> {
        thread::scope(|scope| {
            let half = scope.spawn(|| (count / 2..count).map(|number| self.certificate(number)).collect::<Vec<_>>());
            let mut certificates: Vec<_> = (0..count / 2).map(|number| self.certificate(number)).collect();
            certificates.extend(half.join().expect("nothing panics there"));
            certificates
        })
    }
}

/// Partners without end, each with a self-signed version 3 certificate of its own on the key of all.
#[derive(Clone, Debug)]
pub struct Partners(Copies);

impl Partners {
    /// Makes the one certificate that the others are copies of, on a key of this kind.
    #[must_use]
    pub fn new(kind: NewKey) -> Self {
        Self(Copies::new(|certificate| certificate.with_new_key(kind).with_ca_false().with_purpose(2)))
    }

    /// The certificate of one partner.
    ///
    /// # Panics
    /// If `number` has more than eight digits.
    #[must_use]
    pub fn certificate(&self, number: usize) -> Certificate {
        self.0.certificate(number)
    }

    /// The certificates of the partners below `count`.
    ///
    /// # Panics
    /// If `count` has more than eight digits.
    #[must_use]
    pub fn first(&self, count: usize) -> Vec<Certificate> {
        self.0.first(count)
    }

    /// True if [`policy`](Self::policy) maps the partner of this number by its certificate.
    #[must_use]
    pub fn is_mapped(number: usize) -> bool {
        !number.is_multiple_of(ONE_KEY_IN)
    }

    /// A policy of `size` mappings with everything in use: these certificates and as many partners as it takes, pinned up to
    /// 100,000; three hosts with names, an anchor with rules over names, a role or two for every user.
    ///
    /// Every certificate of these is mapped by its fingerprint, and so are seven of eight partners; the eighth mapping
    /// names a public key that nobody has.
    ///
    /// # Panics
    /// If there are more certificates than `size`.
    #[must_use]
    pub fn policy(&self, size: usize, certificates: &[Certificate]) -> Policy {
        let rest = size.checked_sub(certificates.len()).expect("room for the certificates");
        let mut bundle = TrustBundle::with_limit("partners".parse().expect("a label"), size + 1);
        let (mut mappings, mut assignments) = (Vec::with_capacity(size), Vec::with_capacity(size));
        let mut add = |number: usize, certificate: Option<Certificate>, selector: Selector| {
            assignments.push(RoleAssignment::new(user(number), SEND));
            if number.is_multiple_of(2) {
                assignments.push(RoleAssignment::new(user(number), READ));
            }
            mappings.push(CertUserMapping::new(selector, user(number)));
            if let Some(certificate) = certificate {
                bundle.add_pin(certificate).expect("a certificate that was not there");
            }
        };
        let mut pinned = self.first(rest.min(PINS)).into_iter();
        for number in 0..rest {
            let certificate = pinned.next();
            let own =
                certificate.as_ref().map_or_else(|| Fingerprint::of(&number.to_le_bytes()), Certificate::fingerprint);
            let selector = if Self::is_mapped(number) {
                Selector::certificate(own)
            } else {
                Selector::key(SpkiFingerprint::of(&number.to_le_bytes()))
            };
            add(number, certificate, selector);
        }
        for (number, certificate) in certificates.iter().cloned().enumerate() {
            let selector = Selector::certificate(certificate.fingerprint());
            add(rest + number, Some(certificate), selector);
        }
        let root = TestCertificate::new("CN=root").as_ca().self_signed();
        let anchor = bundle.add_anchor(root.certificate().clone()).expect("an anchor");
        mappings.extend((0..NAME_RULES).map(|number| {
            let selector = format!("under {anchor} dns \"h{number}.example\"").parse().expect("a selector");
            CertUserMapping::new(selector, format!("device-{number}").parse().expect("a user name"))
        }));
        let host = |id: &str, names: &[&str], bundle: TrustBundle| {
            let names = names.iter().map(|name| name.parse().expect("a host name"));
            Host::new(id.parse().expect("a label"), bundle).with_server_names(names)
        };
        let mut others = TrustBundle::new("others".parse().expect("a label"));
        others.add_anchor(root.certificate().clone()).expect("an anchor");
        PolicyBuilder::for_host(host("gateway", &["gateway.example", "*.api.example"], bundle).as_default())
            .host(host("desk", &["desk.example"], others.clone()))
            .host(host("shop", &["shop.example"], others))
            .mappings(mappings)
            .assignments(assignments)
            .build()
            .expect("a policy without contradiction")
    }
}

/// What a finished handshake with this certificate leaves, on the host `gateway`, which the client asked for by its name.
///
/// # Panics
/// If the policy has no such host.
#[must_use]
pub fn evidence(policy: &Policy, certificate: &Certificate) -> Evidence {
    let host = policy.host(&"gateway".parse().expect("a label")).expect("every policy here has it");
    let asked = host.server_names().first().map(ToString::to_string);
    let evidence = Evidence::after_handshake(host.id().clone(), [certificate.der()]);
    evidence.with_server_name(host.listener().clone(), asked.as_deref())
}

/// Up to so many of the partners that [`Partners::policy`] pins and maps, below `count`, far from each other: what a cache cannot
/// have of one it does not have for the next one's sake.
#[must_use]
pub fn another_each_time(count: usize, most: usize) -> Vec<usize> {
    let count = count.min(PINS);
    // A prime that does not divide the sizes: every number is visited once before one comes back.
    let numbers = (0..count).map(|visit| visit * 786_433 % count);
    numbers.filter(|number| Partners::is_mapped(*number)).take(most).collect()
}

/// So many mappings of fingerprints that no certificate has, each of a user of its own.
#[must_use]
pub fn fingerprint_mappings(count: usize) -> Vec<CertUserMapping> {
    let selector = |number: usize| Selector::certificate(Fingerprint::of(&number.to_le_bytes()));
    (0..count).map(|number| CertUserMapping::new(selector(number), user(number))).collect()
}

/// The peer of a connection whose user has a hundred roles, among a hundred partners, and one of the roles.
///
/// # Panics
/// Never: the policy has no contradiction.
#[must_use]
pub fn with_many_roles() -> (Caller, Role) {
    let (own, others) = (erp_v1(), Partners::new(NewKey::EcP256));
    let role = |number: usize| format!("iflmap/Role{number}").parse::<Role>().expect("a role");
    let name: UserName = "SAPERPUSER".parse().expect("a user name");
    let host = Host::new("gateway".parse().expect("a label"), TrustBundle::new("partners".parse().expect("a label")))
        .with_server_names(["gateway.example".parse().expect("a host name")]);
    let builder = PolicyBuilder::for_host(host).partner(name, own.clone(), (0..100).map(role));
    let other = |builder: PolicyBuilder, number| builder.partner(user(number), others.certificate(number), [SEND]);
    let policy = (0..100).fold(builder, other).build().expect("a policy without contradiction");
    let seen = evidence(&policy, &own);
    (Caller::new(Arc::new(PolicyHandle::new(policy)), seen), role(50))
}
