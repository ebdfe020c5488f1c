//! Rules over names of every kind, under several anchors, and a device that has one of each kind.

use certmap::identity::NewKey;
use certmap::testing::{TestCertificate, TestIdentity, TestName};
use certmap::{CertUserMapping, Host, Policy, PolicyBuilder, Selector, TrustBundle};

/// How many anchors there are.
pub const ANCHORS: usize = 20;
/// How many rules there are, under all anchors together.
pub const RULES: usize = 10_000;

/// Anchors, and one device below the first.
#[derive(Debug)]
pub struct Fleet {
    anchors: Vec<TestIdentity>,
    device: TestIdentity,
}

impl Fleet {
    /// On RSA-2048 keys, whose signatures are verified fastest: what is left is easier to see.
    ///
    /// # Panics
    /// Never: the names are good ones.
    #[must_use]
    pub fn new() -> Self {
        let anchor = |number| {
            let anchor = TestCertificate::new(&format!("CN=root {number}")).with_new_key(NewKey::Rsa2048);
            anchor.as_ca().self_signed()
        };
        let anchors: Vec<_> = (0..ANCHORS).map(anchor).collect();
        let names = [
            TestName::Dns("h1.example"),
            TestName::Email("h1@example"),
            TestName::Uri("urn:h:1"),
            TestName::Upn("h1@corp"),
            TestName::Ip("10.0.0.1".parse().expect("an address")),
        ];
        let device = TestCertificate::new("CN=h1,OU=d1,O=Devices").with_purpose(2).with_alternative_names(&names);
        let device = device.issued_by(&anchors[0]);
        Self { anchors, device }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &TestIdentity {
        &self.device
    }

    /// A policy with [`RULES`] rules over names, eight kinds in turn; one of them fits the device.
    ///
    /// # Panics
    /// Never: they are good rules.
    #[must_use]
    pub fn with_rules(&self) -> Policy {
        let rule = |number: usize| {
            let anchor = self.anchors[number % ANCHORS].certificate().fingerprint();
            // The number of the rule under its anchor; nobody has these but the device, which is 1.
            let (kind, n) = (number / ANCHORS % 8, number / ANCHORS / 8);
            let name = if kind == 0 && n == 1 { 1 } else { n + 1000 };
            let (high, low) = (name / 250, name % 250);
            let test = match kind {
                0 => format!("dns \"h{name}.example\""),
                1 => format!("email ignoring-case \"H{name}@example\""),
                2 => format!("uri \"urn:h:{name}\""),
                3 => format!("upn \"h{name}@corp\""),
                4 => format!("ip 10.1.{high}.{low}"),
                5 => format!("attribute CN \"h{name}\""),
                6 => format!("subject \"CN=h{name},OU=d{name},O=Devices\""),
                _ => format!("all(attribute OU \"d{name}\", not dns any \"bad{name}.example\")"),
            };
            let selector = format!("under {anchor} {test}").parse().unwrap_or_else(|error| panic!("{test}: {error}"));
            CertUserMapping::new(selector, format!("device-{number}").parse().expect("a user name"))
        };
        self.policy((0..RULES).map(rule))
    }

    /// A policy with one rule, for the certificate of the device: no name is looked at.
    ///
    /// # Panics
    /// Never: it is a good rule.
    #[must_use]
    pub fn without_names(&self) -> Policy {
        let selector = Selector::certificate(self.device.certificate().fingerprint());
        self.policy([CertUserMapping::new(selector, "device".parse().expect("a user name"))])
    }

    fn policy(&self, rules: impl IntoIterator<Item = CertUserMapping>) -> Policy {
        let mut bundle = TrustBundle::new("cas".parse().expect("a label"));
        for anchor in &self.anchors {
            bundle.add_anchor(anchor.certificate().clone()).expect("an anchor");
        }
        let host = Host::new("gateway".parse().expect("a label"), bundle);
        let builder = PolicyBuilder::for_host(host).mappings(rules).remembered_paths(0);
        builder.build().unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}
