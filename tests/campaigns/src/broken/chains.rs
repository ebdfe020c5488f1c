//! Twenty chains in the shapes that partners send, and one policy that knows them all.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use certmap::identity::NewKey;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Certificate, Evidence, Host, Outcome, Policy, PolicyBuilder, TrustBundle};

use super::der::inside;
use super::{Damage, Peak, Tally, damages, variant};

/// A name, what is presented, and the anchor if there is one.
type Made = (&'static str, &'static [u8], Option<&'static [u8]>);

/// Made by OpenSSL.
const FILES: [Made; 10] = [
    ("strust-v1", include_bytes!("../../../data/chains/strust-v1.pem"), None),
    ("req-x509", include_bytes!("../../../data/chains/req-x509.pem"), None),
    ("p384", include_bytes!("../../../data/chains/p384.pem"), None),
    ("ed25519", include_bytes!("../../../data/chains/ed25519.pem"), None),
    ("public", include_bytes!("../../../data/chains/public.pem"), Some(PUBLIC)),
    (
        "corporate",
        include_bytes!("../../../data/chains/corporate.pem"),
        Some(include_bytes!("../../../data/chains/corporate-root.pem")),
    ),
    (
        "rsa-pss",
        include_bytes!("../../../data/chains/rsa-pss.pem"),
        Some(include_bytes!("../../../data/chains/rsa-pss-root.pem")),
    ),
    ("many-names", include_bytes!("../../../data/chains/many-names.pem"), Some(PUBLIC)),
    (
        "old-strings",
        include_bytes!("../../../data/chains/old-strings.pem"),
        Some(include_bytes!("../../../data/chains/old-strings-root.pem")),
    ),
    (
        "device",
        include_bytes!("../../../data/chains/device.pem"),
        Some(include_bytes!("../../../data/chains/device-root.pem")),
    ),
];
const PUBLIC: &[u8] = include_bytes!("../../../data/chains/public-root.pem");

/// How a chain is believed.
#[derive(Clone, Debug)]
enum Trust {
    /// Exactly its first certificate.
    Pin,
    /// The public key of its first certificate, of which another certificate was given.
    Key(Certificate),
    /// This anchor vouches.
    Anchor(Certificate),
}

/// One of the twenty.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its name, and that of its user.
    pub name: &'static str,
    /// What is presented.
    pub presented: Vec<Vec<u8>>,
    trust: Trust,
}

/// Everything that [`decided`] asks of.
#[derive(Debug)]
pub struct Chains {
    /// All of them.
    pub all: Vec<Chain>,
    /// Admits each as the user of its name.
    pub policy: Policy,
}

fn read_one(pem: &[u8]) -> Certificate {
    Certificate::from_pem(pem).expect("a certificate")
}

impl Chains {
    /// # Panics
    /// If one of them is not admitted as it is.
    #[must_use]
    pub fn new() -> Self {
        let mut all: Vec<_> = FILES
            .iter()
            .map(|(name, presented, root)| Chain {
                name,
                presented: ders(&Certificate::all_from_pem(presented).expect("certificates")),
                trust: root.map_or(Trust::Pin, |root| Trust::Anchor(read_one(root))),
            })
            .collect();
        all.extend(made());
        assert_eq!(all.len(), 20);
        let policy = policy(&all);
        let chains = Self { all, policy };
        for chain in &chains.all {
            assert_eq!(chains.user(&chain.presented).as_deref(), Some(chain.name));
        }
        chains
    }

    /// Whom this chain is admitted as.
    fn user(&self, presented: &[Vec<u8>]) -> Option<String> {
        let evidence = Evidence::after_handshake("gw".parse().expect("an id"), presented);
        self.policy.decide(&evidence, NOW).principal().map(|principal| principal.user().to_string())
    }
}

impl Default for Chains {
    fn default() -> Self {
        Self::new()
    }
}

fn ders(certificates: &[Certificate]) -> Vec<Vec<u8>> {
    certificates.iter().map(|one| one.der().to_vec()).collect()
}

/// Ten that no tool at hand writes, or that have no other reason to be files.
fn made() -> Vec<Chain> {
    let of = TestCertificate::new;
    let client = |subject: &str| of(subject).with_ca_false().with_purpose(2);
    let below = |identity: &TestIdentity, root: &TestIdentity| {
        let presented = identity.chain_without_root().iter().map(|der| der.to_vec()).collect();
        (presented, Trust::Anchor(root.certificate().clone()))
    };
    let root = of("CN=root,O=Own").as_ca().with_key_identifier(&[1; 20]).self_signed();
    let policy_ca = of("CN=policy,O=Own").as_ca().issued_by(&root);
    let issuing = of("CN=issuing,O=Own").with_basic_constraints(true, Some(0), true).issued_by(&policy_ca);
    let constrained = of("CN=constrained,O=Own")
        .as_ca()
        .with_name_constraints(&[TestName::Dns("inside.example")], &[TestName::Email(".outside.example")], true)
        .issued_by(&root);
    let v1 = of("CN=ERP,OU=SAP Web AS,O=SAP Trust Community,C=DE").with_version(1).self_signed();
    let old = of("CN=renews").with_new_key(NewKey::Rsa2048).self_signed();
    let renewed = of("CN=renews,O=later").with_key_of(&old).with_serial(&[2]).self_signed();
    let names = [
        TestName::Uri("spiffe://own.example/ns/prod/sa/billing"),
        TestName::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        TestName::Directory("CN=directory,O=Own"),
        TestName::RegisteredId("1.3.6.1.4.1.99999.7"),
    ];
    let odd =
        client("CN=Lu\\C4\\8Di\\C4\\87\\, \\22the first\\22+SN=c+UID=7,OU=a,OU=a,O=Own").with_serial(&[0x80, 0xff, 1]);
    let bulky = client("CN=bulky").with_extension("1.3.6.1.4.1.99999.2", false, &[0x55; 2000]);
    let wide = client("CN=wide").with_new_key(NewKey::EcP521);
    let server = of("CN=both").with_server_name("both.example").with_purposes(&[1, 2]).with_key_identifier(&[7; 20]);
    let pinned_chain = client("CN=pinned below").issued_by(&root);
    let chain = |name, (presented, trust): (Vec<Vec<u8>>, Trust)| Chain { name, presented, trust };
    let pinned = |identity: &TestIdentity| (identity.chain().iter().map(|der| der.to_vec()).collect(), Trust::Pin);
    vec![
        chain("v1-p256", pinned(&v1)),
        chain("renewed-key", (vec![renewed.chain()[0].to_vec()], Trust::Key(old.certificate().clone()))),
        chain("pinned-with-chain", pinned(&pinned_chain)),
        chain("three-levels", below(&client("CN=three").issued_by(&issuing), &root)),
        chain("spiffe", below(&client("CN=workload").with_alternative_names(&names).issued_by(&issuing), &root)),
        chain(
            "constrained",
            below(&client("CN=in").with_server_name("a.inside.example").issued_by(&constrained), &root),
        ),
        chain("odd-name", below(&odd.issued_by(&root), &root)),
        chain("bulky", below(&bulky.issued_by(&policy_ca), &root)),
        chain("p521", below(&wide.issued_by(&root), &root)),
        chain("both-purposes", below(&server.issued_by(&issuing), &root)),
    ]
}

/// Each chain is the user of its name, by a rule of its own; what an anchor vouches for by its subject.
fn policy(chains: &[Chain]) -> Policy {
    let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
    let mut rules = Vec::new();
    let mut anchors = Vec::new();
    for chain in chains {
        let own = Certificate::from_der(&chain.presented[0]).expect("a certificate");
        let mut selector = String::new();
        match &chain.trust {
            Trust::Pin => {
                bundle.add_pin(own.clone()).expect("a pin");
                write!(selector, "{}", own.fingerprint()).expect("text");
            }
            Trust::Key(given) => {
                bundle.add_key_pin(given.clone()).expect("a key pin");
                write!(selector, "{}", own.spki_fingerprint()).expect("text");
            }
            Trust::Anchor(root) => {
                if !anchors.contains(&root.fingerprint()) {
                    anchors.push(root.fingerprint());
                    bundle.add_anchor(root.clone()).expect("an anchor");
                }
                let subject = own.subject().to_string().replace('\\', "\\\\").replace('"', "\\\"");
                if subject.contains("=#") {
                    // Of a string type that no test of a name takes.
                    write!(selector, "{}", own.spki_fingerprint()).expect("text");
                } else {
                    write!(selector, "under {} subject \"{subject}\"", root.fingerprint()).expect("text");
                }
            }
        }
        let selector = selector.parse().unwrap_or_else(|error| panic!("{selector}: {error}"));
        rules.push(CertUserMapping::new(selector, chain.name.parse().expect("a user")));
    }
    let host = Host::new("gw".parse().expect("an id"), bundle);
    PolicyBuilder::for_host(host).mappings(rules).build().unwrap_or_else(|error| panic!("{:?}", error.problems()))
}

/// What is signed of a certificate.
fn signed(certificate: &[u8]) -> Option<&[u8]> {
    inside(certificate)?.first().copied()
}

/// Why somebody may still be admitted who presents this instead of `chain`, in the words of the documentation; `None` if he
/// may not.
fn excuse(chain: &Chain, presented: &[Vec<u8>]) -> Option<&'static str> {
    let [own, others @ ..] = presented else { return None };
    match &chain.trust {
        Trust::Pin => (*own == chain.presented[0]).then_some("of a pin only the first certificate counts"),
        Trust::Key(given) => {
            let key = Certificate::from_der(own).ok()?.spki_fingerprint();
            (key == given.spki_fingerprint()).then_some("of a key pin only the key counts")
        }
        Trust::Anchor(root) => {
            // From the certificate up to the anchor, by names: whoever is needed has to be there as it was signed.
            let mut next = Certificate::from_der(&chain.presented[0]).ok()?;
            let needed = |wanted: &Certificate, among: &[Vec<u8>]| {
                among.iter().any(|one| signed(one).is_some() && signed(one) == signed(&wanted.der()))
            };
            if !needed(&next, std::slice::from_ref(own)) {
                return None;
            }
            while next.issuer() != root.subject() {
                let issuers = chain.presented.iter().filter_map(|der| Certificate::from_der(der).ok());
                let issuer = issuers.into_iter().find(|one| one.subject() == next.issuer())?;
                if !needed(&issuer, others) {
                    return None;
                }
                next = issuer;
            }
            if presented.iter().zip(&chain.presented).all(|(one, was)| one == was || !is_needed(chain, root, was)) {
                Some("a certificate that is not needed does not count")
            } else {
                Some("a signature has more than one form")
            }
        }
    }
}

/// True if this certificate of the chain stands between the user and the anchor.
fn is_needed(chain: &Chain, root: &Certificate, der: &[u8]) -> bool {
    let readable = |der: &Vec<u8>| Certificate::from_der(der).ok();
    let mut next = readable(&chain.presented[0]);
    while let Some(one) = next {
        if one.der().as_ref() == der {
            return true;
        }
        if one.issuer() == root.subject() {
            return false;
        }
        next = chain.presented.iter().filter_map(readable).find(|other| other.subject() == one.issuer());
    }
    false
}

/// Each certificate of each chain, damaged in every way: whoever presents it is refused, or is who it was and for a reason.
#[must_use]
pub fn decided(every: usize, peak: Peak) -> Tally {
    let chains = Chains::new();
    let mut tally = Tally::of("chains, decided");
    for chain in &chains.all {
        for (at, certificate) in chain.presented.iter().enumerate() {
            for damage in damages(certificate.len(), every) {
                let mut presented = chain.presented.clone();
                presented[at] = damage.of(certificate);
                let name = format!("{}, certificate {at}, {damage}", chain.name);
                let bytes = presented.iter().map(Vec::len).sum();
                tally.take(&name, bytes, peak, &|| decide(&chains.policy, chain, &presented));
            }
        }
    }
    tally
}

fn decide(policy: &Policy, chain: &Chain, presented: &[Vec<u8>]) -> Result<String, String> {
    let evidence = Evidence::after_handshake("gw".parse().expect("an id"), presented);
    let decision = policy.decide(&evidence, NOW);
    match decision.outcome() {
        Outcome::Refused(refusal) => Ok(format!("refused: {}", refusal.code())),
        Outcome::Anonymous => Err("it is anonymous".to_owned()),
        Outcome::Admitted(principal) if principal.user().as_str() != chain.name => {
            Err(format!("it is {} now", principal.user()))
        }
        Outcome::Admitted(_) => match excuse(chain, presented) {
            Some(reason) => Ok(format!("itself: {reason}")),
            None => Err("it is admitted, and nothing says why".to_owned()),
        },
    }
}

/// Each certificate as DER, and each chain as a file of PEM, damaged in every way: an error of its type, or what was read.
///
/// # Panics
/// Never: the chains can be read as they are.
#[must_use]
pub fn read(every: usize, peak: Peak) -> Tally {
    let chains = Chains::new();
    let mut tally = Tally::of("chains, read");
    for chain in &chains.all {
        for (at, der) in chain.presented.iter().enumerate() {
            for damage in damages(der.len(), every) {
                let damaged = damage.of(der);
                tally.take(
                    &format!("{} {at}, {damage}", chain.name),
                    der.len(),
                    peak,
                    &|| match Certificate::from_der(&damaged) {
                        Ok(_) if matches!(damage, Damage::Cut(_)) => Err("it was cut and is read".to_owned()),
                        Ok(read) if read.der().as_ref() != damaged => Err("it is not what was read".to_owned()),
                        Ok(_) => Ok("DER: read".to_owned()),
                        Err(error) => Ok(format!("DER: {}", variant(&error))),
                    },
                );
            }
        }
        let was: Vec<_> = chain.presented.iter().map(|der| Certificate::from_der(der).expect("readable")).collect();
        let file: String = was.iter().map(Certificate::to_pem).collect();
        for damage in damages(file.len(), every) {
            let damaged = damage.of(file.as_bytes());
            tally.take(&format!("{} as PEM, {damage}", chain.name), file.len(), peak, &|| {
                match Certificate::all_from_pem(&damaged) {
                    // Cut between two sections it is a shorter file.
                    Ok(read) if was.starts_with(&read) => Ok("PEM: read, as it was".to_owned()),
                    Ok(_) if matches!(damage, Damage::Cut(_)) => Err("it was cut and is something else".to_owned()),
                    Ok(_) => Ok("PEM: read, as others".to_owned()),
                    Err(error) => Ok(format!("PEM: {}", variant(&error))),
                }
            });
        }
    }
    tally
}
