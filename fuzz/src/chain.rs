//! A chain and what is decided about it.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use certmap::policy::ClientAuth;
use certmap::review::explain;
use certmap::rustls::pki_types::UnixTime;
use certmap::testing::{NOW, TestCertificate, TestIdentity, TestRevocationList};
use certmap::trust::Revocation;
use certmap::{AuditRecord, CertUserMapping, Certificate, Evidence, Host, Outcome, Policy, PolicyBuilder, TrustBundle};

use crate::{der, one_line};

/// What the certificates are valid for, from [`NOW`] on, if nothing else is said.
const VALID: u64 = 1000;
const HOSTS: [(&str, ClientAuth); 3] =
    [("gw", ClientAuth::Require), ("ask", ClientAuth::Request), ("open", ClientAuth::None)];

/// A certificate that exists, and whom it may be.
struct Known {
    der: Vec<u8>,
    /// What of it was signed.
    signed: Vec<u8>,
    spki: Vec<u8>,
    /// Its user, if it is somebody, and the certificate that has to be beside it, if one has to.
    user: Option<(&'static str, Option<usize>)>,
}

struct World {
    known: Vec<Known>,
    policy: Policy,
    /// The same, which remembers nothing.
    forgetful: Policy,
}

/// The place of the key pin among the known certificates.
const KEY_PIN: usize = 1;

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(make)
}

fn make() -> World {
    let first = NOW.as_secs();
    let of = |subject: &str| TestCertificate::new(subject).with_validity(first, first + VALID);
    let client = |subject: &str| of(subject).with_purpose(2);

    let pin = of("CN=pin").with_version(1).self_signed();
    let key_pin = of("CN=key pin").self_signed();
    let pinned_ca = of("CN=pinned ca").with_ca_true().self_signed();
    let root = of("CN=root").as_ca().self_signed();
    let issuing = of("CN=issuing").as_ca().issued_by(&root);
    let direct = client("CN=direct").with_serial(&[2]).issued_by(&root);
    let below = client("CN=below").with_server_name("below.example").issued_by(&issuing);
    let revoked = client("CN=revoked").with_serial(&[0x66]).issued_by(&root);

    let mut known = Vec::new();
    let mut add = |identity: &TestIdentity, user: Option<(&'static str, Option<usize>)>| {
        let der = identity.certificate().der().to_vec();
        let parts = der::all(der::only(&der).expect("a certificate").content).expect("parts");
        let fields = der::all(parts[0].content).expect("fields");
        let spki = fields[if fields[0].tag == 0xa0 { 6 } else { 5 }].whole.to_vec();
        known.push(Known { signed: parts[0].whole.to_vec(), spki, user, der });
    };
    add(&pin, Some(("pin", None)));
    add(&key_pin, Some(("key", None)));
    add(&pinned_ca, Some(("ca", None)));
    add(&root, None);
    add(&issuing, None);
    add(&direct, Some(("direct", None)));
    add(&below, Some(("below", Some(4))));
    add(&revoked, None);
    // The same key in another certificate.
    add(&of("CN=renewed").with_key_of(&key_pin).with_serial(&[9]).self_signed(), Some(("key", None)));
    // Nobody: minted with a pinned key, with a key pin, with a client's key, in another's name, for another purpose, too
    // early, too late, self-signed under a good name, and a CA that the root did not make.
    add(&client("CN=pin").issued_by(&pinned_ca), None);
    add(&client("CN=direct").issued_by(&key_pin), None);
    add(&client("CN=direct").issued_by(&direct), None);
    let evil = of("CN=root").as_ca().self_signed();
    add(&evil, None);
    add(&client("CN=direct").with_serial(&[2]).issued_by(&evil), None);
    add(&client("CN=direct").with_serial(&[2]).signed_with_wrong_key(&root, &evil), None);
    let evil_issuing = of("CN=issuing").as_ca().signed_with_wrong_key(&root, &evil);
    add(&evil_issuing, None);
    add(&client("CN=below").with_server_name("below.example").issued_by(&evil_issuing), None);
    add(&of("CN=direct").with_purpose(1).issued_by(&root), None);
    add(&client("CN=direct").with_validity(first - 10, first - 1).issued_by(&root), None);
    add(&client("CN=direct").with_validity(first + VALID + 1, first + VALID + 2).issued_by(&root), None);
    add(&of("CN=stranger").self_signed(), None);
    // Somebody by no rule, two of a kind, and a bridge.
    add(&client("CN=unmapped").with_serial(&[3]).issued_by(&root), None);
    add(&client("CN=below").with_server_name("other.example").issued_by(&issuing), None);
    add(&of("CN=issuing").as_ca().with_key_of(&issuing).issued_by(&evil), None);

    let list = TestRevocationList::new().revoking(&[0x66]).with_dates(first, Some(first + VALID)).signed_by(&root);
    let other = TestRevocationList::new().with_dates(first, Some(first + VALID)).signed_by(&issuing);
    let mut revocation = Revocation::new();
    revocation.add_pem([list.pem(), other.pem()].concat().as_bytes()).expect("two lists");
    let build = |remembered: usize| {
        let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
        bundle.add_pin(pin.certificate().clone()).expect("a pin");
        bundle.add_pin(pinned_ca.certificate().clone()).expect("a pin");
        bundle.add_key_pin(key_pin.certificate().clone()).expect("a pin");
        bundle.add_anchor(root.certificate().clone()).expect("an anchor");
        let hosts = HOSTS.map(|(id, mode)| {
            let host = Host::new(id.parse().expect("an id"), bundle.clone()).with_client_auth(mode);
            if id == "gw" { host } else { host.with_server_names([format!("{id}.example").parse().expect("a name")]) }
        });
        let [gw, others @ ..] = hosts;
        let under = root.certificate().fingerprint();
        let rules = [
            (pin.certificate().fingerprint().to_string(), "pin"),
            (pinned_ca.certificate().fingerprint().to_string(), "ca"),
            (key_pin.certificate().spki_fingerprint().to_string(), "key"),
            (format!("under {under} subject \"CN=direct\""), "direct"),
            (format!("under {under} dns \"below.example\""), "below"),
            (format!("under {under} subject \"CN=revoked\""), "revoked"),
        ];
        let rules = rules.map(|(selector, user)| {
            CertUserMapping::new(selector.parse().expect("a selector"), user.parse().expect("a user"))
        });
        let builder = others.into_iter().fold(PolicyBuilder::for_host(gw), PolicyBuilder::host);
        let builder = builder.mappings(rules).revocation(revocation.clone()).remembered_paths(remembered);
        builder.build().unwrap_or_else(|error| panic!("{:?}", error.problems()))
    };
    World { policy: build(64), forgetful: build(0), known }
}

/// A question: to whom, when, and with which chain.
struct Question {
    evidence: Evidence,
    host: usize,
    now: UnixTime,
    /// Seconds after [`NOW`].
    second: i64,
    chain: Vec<Vec<u8>>,
    /// Which known certificates it is made of, if nothing else is in it.
    whole: Option<Vec<usize>>,
}

/// Host, time in seconds, and what the chain is made of: a known certificate by number; one with an octet changed, cut, or
/// with the end of another; or bytes.
fn question(input: &[u8], known: &[Vec<u8>]) -> Option<Question> {
    let [host, high, low, rest @ ..] = input else { return None };
    let host = usize::from(host % 4);
    let id = HOSTS.get(host).map_or("elsewhere", |(id, _)| id);
    let second = i64::from(i16::from_be_bytes([*high, *low]));
    let (chain, whole) = chain(rest, known);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs().saturating_add_signed(second)));
    let evidence = Evidence::after_handshake(id.parse().expect("an id"), &chain);
    Some(Question { evidence, host, now, second, chain, whole })
}

/// A chain that is made of known certificates and of bytes.
pub(crate) fn chain(mut rest: &[u8], known: &[Vec<u8>]) -> (Vec<Vec<u8>>, Option<Vec<usize>>) {
    let mut chain = Vec::new();
    let mut whole = Some(Vec::new());
    let one = |which: u8| known[usize::from(which) % known.len()].clone();
    while chain.len() < 12 {
        let (certificate, after) = match rest {
            [which @ 0..=0x7f, after @ ..] => {
                if let Some(whole) = &mut whole {
                    whole.push(usize::from(*which) % known.len());
                }
                chain.push(one(*which));
                rest = after;
                continue;
            }
            [0x80..=0x8f, high, low, after @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
                let (der, after) = after.split_at(length);
                (der.to_vec(), after)
            }
            [0x90..=0xbf, which, high, low, change, after @ ..] => {
                let mut der = one(*which);
                let place = usize::from(u16::from_be_bytes([*high, *low])) % der.len();
                der[place] ^= change;
                (der, after)
            }
            [0xc0..=0xdf, which, high, low, after @ ..] => {
                let mut der = one(*which);
                der.truncate(usize::from(u16::from_be_bytes([*high, *low])) % der.len());
                (der, after)
            }
            [0xe0..=0xff, head, tail, high, low, after @ ..] => {
                let (mut der, tail) = (one(*head), one(*tail));
                let length = usize::from(u16::from_be_bytes([*high, *low])) % der.len().min(tail.len());
                der.truncate(length);
                der.extend_from_slice(&tail[length..]);
                (der, after)
            }
            _ => break,
        };
        whole = None;
        chain.push(certificate);
        rest = after;
    }
    (chain, whole)
}

/// Whom the chain may be, from what was made: `None` for nobody.
fn may_be(world: &World, question: &Question) -> Option<&'static str> {
    let end_entity = question.chain.first()?;
    if !(0..=VALID as i64).contains(&question.second) {
        return None;
    }
    if let Some(exact) = world.known.iter().find(|known| known.der == *end_entity && known.user.is_some()) {
        let (user, beside) = exact.user?;
        let is_there = |which: usize| question.chain.contains(&world.known[which].der);
        return beside.is_none_or(is_there).then_some(user);
    }
    let parts = der::all(der::only(end_entity)?.content)?;
    // What was signed counts: a signature has more than one form.
    if let Some(signed) = world.known.iter().find(|known| parts.first().is_some_and(|one| one.whole == known.signed)) {
        return signed.user.map(|(user, _)| user).filter(|user| !matches!(*user, "pin" | "ca"));
    }
    let fields = der::all(parts.first()?.content)?;
    let key = &world.known[KEY_PIN];
    fields.iter().any(|field| field.whole == key.spki).then_some("key")
}

/// Whoever is admitted is pinned, or below the anchor, by construction, and as the user of that certificate, within its
/// validity; a known chain that belongs to somebody is admitted; a host that asks nobody names nobody; and the answer is the
/// same twice, explained, and without memory. Its record is one line and reads back.
pub(crate) fn law(input: &[u8]) {
    let world = world();
    let known: Vec<_> = world.known.iter().map(|known| known.der.clone()).collect();
    let Some(question) = question(input, &known) else { return };
    let decision = world.policy.decide(&question.evidence, question.now);
    let line = decision.record().to_string();
    one_line(&line);
    assert!(line.is_ascii() && line.len() <= 4096, "{line}");
    assert_eq!(line.parse::<AuditRecord>().map(|record| record.to_string()).as_ref(), Ok(&line));
    for again in [
        world.policy.decide(&question.evidence, question.now),
        world.forgetful.decide(&question.evidence, question.now),
        explain(&world.policy, &question.evidence, question.now).decision().clone(),
    ] {
        assert_eq!(again.record().to_string(), line);
    }

    let mode = HOSTS.get(question.host).map(|(_, mode)| *mode);
    let nothing = question.chain.is_empty();
    let may_be = may_be(world, &question);
    match decision.outcome() {
        Outcome::Admitted(principal) => {
            assert!(matches!(mode, Some(ClientAuth::Require | ClientAuth::Request)), "{line}");
            assert_eq!(Some(principal.user().as_str()), may_be, "{line}");
            let until = principal.valid_until().as_secs();
            // Whoever has a pinned key writes the dates of the certificates on it.
            let most = if may_be == Some("key") { u64::MAX } else { NOW.as_secs() + VALID };
            assert!((question.now.as_secs()..=most).contains(&until), "until {until}: {line}");
        }
        Outcome::Anonymous => {
            assert!(mode == Some(ClientAuth::None) || mode == Some(ClientAuth::Request) && nothing, "{line}");
        }
        Outcome::Refused(refusal) => {
            one_line(&refusal.detail());
            one_line(&refusal.cure());
            assert_ne!(mode, Some(ClientAuth::None), "{line}");
            assert!(!(mode == Some(ClientAuth::Request) && nothing), "{line}");
            // Known certificates alone, few enough, and among them what is needed.
            let good = may_be.is_some() && question.whole.as_ref().is_some_and(|whole| whole.len() <= 3);
            assert!(!good || mode.is_none(), "{line}");
        }
    }
}

pub(crate) fn work(input: &[u8]) {
    static KNOWN: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let world = world();
    let known = KNOWN.get_or_init(|| world.known.iter().map(|known| known.der.clone()).collect());
    if let Some(question) = question(input, known) {
        let _ = black_box(world.forgetful.decide(&question.evidence, question.now));
    }
    let _ = black_box(Certificate::from_der(input));
}
