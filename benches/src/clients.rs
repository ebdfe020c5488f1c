//! Clients below an anchor among many, and the policy that lets them in.

use certmap::identity::NewKey;
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Certificate, Evidence, Host, Policy, PolicyBuilder, TrustBundle};

use crate::Copies;

/// A CA, one below it, and clients of either.
#[derive(Debug)]
pub struct Clients {
    root: TestIdentity,
    issuing: TestIdentity,
}

impl Clients {
    /// CAs on keys of this kind.
    #[must_use]
    pub fn new(kind: NewKey) -> Self {
        let root = TestCertificate::new("CN=root,O=Example").with_new_key(kind).as_ca().self_signed();
        let issuing = TestCertificate::new("CN=issuing,O=Example").with_new_key(kind).as_ca().issued_by(&root);
        Self { root, issuing }
    }

    /// The anchor.
    #[must_use]
    pub fn root(&self) -> &Certificate {
        self.root.certificate()
    }

    /// A client that the anchor issued, or the CA below it: device `number` of the fleet.
    #[must_use]
    pub fn client(&self, number: usize, through_another: bool) -> TestIdentity {
        let client = TestCertificate::new("O=Devices").with_server_name(&format!("h{number}.example")).with_purpose(2);
        client.issued_by(if through_another { &self.issuing } else { &self.root })
    }

    /// A policy with so many anchors, where every client of these CAs is a user of its DNS name.
    ///
    /// # Panics
    /// If there are to be no anchors.
    #[must_use]
    pub fn policy(&self, anchors: usize, remembered: usize) -> Policy {
        let mut bundle = TrustBundle::with_limit("cas".parse().expect("a label"), anchors);
        let root = bundle.add_anchor(self.root().clone()).expect("an anchor");
        for other in Copies::new(TestCertificate::as_ca).first(anchors - 1) {
            bundle.add_anchor(other).expect("an anchor");
        }
        let selector = format!("under {root} dns").parse().expect("a selector");
        let source = r#""iot/" + dns"#.parse().expect("a user source");
        let host = Host::new("gateway".parse().expect("a label"), bundle);
        let builder = PolicyBuilder::for_host(host).mapping(CertUserMapping::from_source(selector, source));
        builder.remembered_paths(remembered).build().expect("a policy without contradiction")
    }
}

/// What a finished handshake with this client leaves, its chain without the root.
///
/// # Panics
/// Never: a policy has a host.
#[must_use]
pub fn presented(policy: &Policy, client: &TestIdentity) -> Evidence {
    let host = policy.hosts().next().expect("a policy has a host");
    let chain = client.chain();
    Evidence::after_handshake(host.id().clone(), &chain[..chain.len() - 1])
}
