//! Chains that are made to cost much. What is counted are signatures that are verified.

use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;

use certmap::rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use certmap::rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{CertUserMapping, Evidence, Host, Policy, PolicyBuilder, TrustBundle};

use super::der::{sequence, signed_anew, tlv};

thread_local! {
    static VERIFIED: Cell<usize> = const { Cell::new(0) };
}

/// Counts, and verifies.
#[derive(Debug)]
struct Counting(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Counting {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        VERIFIED.set(VERIFIED.get() + 1);
        self.0.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

static COUNTING: LazyLock<CryptoProvider> = LazyLock::new(|| {
    let provider = aws_lc_rs::default_provider();
    let counting = |one: &&'static dyn SignatureVerificationAlgorithm| {
        &*Box::leak(Box::new(Counting(*one))) as &'static dyn SignatureVerificationAlgorithm
    };
    let all = provider.signature_verification_algorithms.all.iter().map(counting).collect::<Vec<_>>().leak();
    let mapping = provider.signature_verification_algorithms.mapping;
    CryptoProvider { signature_verification_algorithms: WebPkiSupportedAlgorithms { all, mapping }, ..provider }
});

/// What one decision may cost: a promise, and not whatever `certmap::limits` says.
const SIGNATURES: usize = 16;

/// One chain, and what it cost.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub name: String,
    /// Signatures that were verified.
    pub signatures: usize,
    /// The code of the refusal; `None` if somebody was admitted.
    pub refused: Option<String>,
    /// Whether somebody should be.
    pub admitted: bool,
}

impl Row {
    /// True if it cost no more than it may, and the answer is the right one.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.signatures <= SIGNATURES && self.refused.is_none() == self.admitted
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, signatures, refused, .. } = self;
        write!(f, "{signatures:>3} signatures, {:<22} {name}", refused.as_deref().unwrap_or("admitted"))
    }
}

fn client(subject: &str) -> TestCertificate {
    TestCertificate::new(subject).with_ca_false().with_purpose(2)
}

fn ca(subject: &str) -> TestCertificate {
    TestCertificate::new(subject).as_ca()
}

fn ders(identities: &[&TestIdentity]) -> Vec<Vec<u8>> {
    identities.iter().map(|identity| identity.chain()[0].to_vec()).collect()
}

/// A policy with these anchors, in which everybody below them is a user.
pub(super) fn policy(anchors: &[&TestIdentity]) -> Policy {
    built(builder(anchors))
}

/// What [`policy`] is built of.
pub(super) fn builder(anchors: &[&TestIdentity]) -> PolicyBuilder {
    let mut bundle = TrustBundle::new("anchors".parse().expect("a name"));
    let mut rules = Vec::new();
    for anchor in anchors {
        bundle.add_anchor(anchor.certificate().clone()).expect("an anchor");
        let selector = format!("under {} every-certificate", anchor.certificate().fingerprint());
        let user = "somebody".parse().expect("a user");
        rules.push(CertUserMapping::new(selector.parse().expect("a selector"), user));
    }
    let builder = PolicyBuilder::for_host(Host::new("gw".parse().expect("an id"), bundle)).mappings(rules);
    builder.remembered_paths(0)
}

/// The policy, with signatures counted.
pub(super) fn built(builder: PolicyBuilder) -> Policy {
    builder.build_with_provider(&COUNTING).unwrap_or_else(|error| panic!("{:?}", error.problems()))
}

/// What is asked of [`policy`].
pub(super) fn evidence(presented: &[Vec<u8>]) -> Evidence {
    Evidence::after_handshake("gw".parse().expect("an id"), presented)
}

/// A client below so many CAs, each below the next; nearest first. The root is not in it.
pub(super) fn deep(intermediates: usize) -> (TestIdentity, Vec<Vec<u8>>) {
    let root = ca("CN=root").self_signed();
    let above = (0..intermediates).fold(root.clone(), |above, number| ca(&format!("CN=ca {number}")).issued_by(&above));
    let own = client("CN=deep").issued_by(&above);
    (root, own.chain_without_root().iter().map(|der| der.to_vec()).collect())
}

/// A client and so many CAs of one name, any of which may have issued any other; and so many anchors of that name.
pub(super) fn ring(cas: usize, anchors: usize) -> (Vec<TestIdentity>, Vec<Vec<u8>>) {
    let anchors = (0..anchors).map(|_| ca("CN=ring").self_signed()).collect();
    let ring: Vec<_> = (0..cas.max(1)).map(|_| ca("CN=ring").self_signed()).collect();
    let own = client("CN=p").issued_by(&ring[0]);
    let mut presented = ders(&[&own]);
    presented.extend(ring.iter().take(cas).map(|one| one.chain()[0].to_vec()));
    (anchors, presented)
}

/// A client with so many DNS names, below a root.
pub(super) fn named(count: usize) -> (TestIdentity, Vec<Vec<u8>>) {
    let root = ca("CN=root").self_signed();
    // Thousands of names only fit into a certificate that is read at all if they are short.
    let name = |number: usize| {
        tlv(0x82, if count > 600 { "a".to_owned() } else { format!("h{number:03}.example") }.as_bytes())
    };
    let names = tlv(0x30, &(0..count).flat_map(name).collect::<Vec<_>>());
    let extension = sequence(&[&[6, 3, 0x55, 0x1d, 17], &tlv(4, &names)]);
    let own = signed_anew(&client("CN=named").issued_by(&root), None, &extension, &root);
    (root, vec![own])
}

/// A client of the root with an RSA key of so many bits.
pub(super) fn large_key(bits: usize) -> (TestIdentity, Vec<Vec<u8>>) {
    let root = ca("CN=root").self_signed();
    let own = signed_anew(&client("CN=large").issued_by(&root), Some(&rsa_key(bits)), &[], &root);
    (root, vec![own])
}

/// A client below a CA of the root that has an RSA key of so many bits.
fn below_large_key(bits: usize) -> (TestIdentity, Vec<Vec<u8>>) {
    let root = ca("CN=root").self_signed();
    let issuing = ca("CN=issuing").issued_by(&root);
    let large = signed_anew(&issuing, Some(&rsa_key(bits)), &[], &root);
    (root, vec![client("CN=p").issued_by(&issuing).chain()[0].to_vec(), large])
}

/// The public key of an odd number whose highest bit is one.
fn rsa_key(bits: usize) -> Vec<u8> {
    let modulus = [&[0][..], &vec![0xff; bits / 8]].concat();
    let key = sequence(&[&tlv(2, &modulus), &tlv(2, &[1, 0, 1])]);
    let rsa = sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]]);
    sequence(&[&rsa, &tlv(3, &[&[0], &key[..]].concat())])
}

/// Two CAs that issued each other, so many times over, and a client of one of them.
fn cycle(times: usize) -> (TestIdentity, Vec<Vec<u8>>) {
    let (one, two) = (ca("CN=one").self_signed(), ca("CN=two").self_signed());
    let crossed = |subject: &str, of: &TestIdentity, by: &TestIdentity, number: usize| {
        let serial = u8::try_from(number + 1).expect("few");
        ca(subject).with_key_of(of).with_serial(&[serial]).issued_by(by).chain()[0].to_vec()
    };
    let mut presented = vec![client("CN=p").issued_by(&one).chain()[0].to_vec()];
    for number in 0..times {
        presented.extend([crossed("CN=one", &one, &two, number), crossed("CN=two", &two, &one, number)]);
    }
    // An anchor of the name, so that a search begins.
    (ca("CN=two").self_signed(), presented)
}

/// Every chain.
///
/// # Panics
/// Never: what is made here is well formed.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name: String, anchors: &[&TestIdentity], presented: &[Vec<u8>], admitted: bool| {
        let policy = policy(anchors);
        VERIFIED.set(0);
        let decision = policy.decide(&evidence(presented), NOW);
        let refused = decision.refusal().map(|refusal| refusal.code().to_string());
        rows.push(Row { name, signatures: VERIFIED.get(), refused, admitted });
    };
    for (count, admitted) in [(0, true), (3, true), (6, true), (7, false), (100, false)] {
        let (root, presented) = deep(count);
        row(format!("{count} intermediates"), &[&root], &presented, admitted);
    }
    let (root, mut presented) = deep(2);
    presented.reverse();
    presented.rotate_right(1);
    presented.extend(ders(&[&root]));
    row("2 intermediates in the wrong order, and the root".to_owned(), &[&root], &presented, true);
    for times in [1, 2, 3] {
        let (anchor, presented) = cycle(times);
        row(format!("two CAs that issued each other, {times} times"), &[&anchor], &presented, false);
    }
    for (cas, count) in [(1, 1), (2, 1), (4, 1), (7, 1), (7, 4), (7, 8), (14, 4)] {
        let (anchors, presented) = ring(cas, count.min(4));
        let more: Vec<_> = (4..count).map(|_| ca("CN=other").self_signed()).collect();
        let anchors: Vec<_> = anchors.iter().chain(&more).collect();
        row(format!("{cas} CAs of one name, {count} anchors"), &anchors, &presented, false);
    }
    for (count, admitted) in [(100, true), (256, true), (257, false), (1_000, false), (5_000, false)] {
        let (root, presented) = named(count);
        row(format!("{count} names"), &[&root], &presented, admitted);
    }
    for (bits, admitted) in [(2_048, true), (8_192, true), (8_200, false), (65_536, false)] {
        let (root, presented) = large_key(bits);
        row(format!("an RSA key of {bits} bits"), &[&root], &presented, admitted);
        let (root, presented) = below_large_key(bits);
        row(format!("an RSA key of {bits} bits above the client"), &[&root], &presented, false);
    }
    rows
}
