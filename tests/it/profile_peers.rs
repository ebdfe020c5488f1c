//! What a profile says of rustls, of OpenSSL, of Java and of this crate is what they do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;

use certmap::cert::{Effect, Peer, Usage};
use certmap::review::preflight_server;
use certmap::rustls::client::WebPkiServerVerifier;
use certmap::rustls::client::danger::ServerCertVerifier;
use certmap::rustls::pki_types::{CertificateDer, ServerName};
use certmap::rustls::server::WebPkiClientVerifier;
use certmap::rustls::server::danger::ClientCertVerifier;
use certmap::rustls::{RootCertStore, SignatureScheme};
use certmap::testing::NOW;
use certmap::{CertUserMapping, Certificate, Selector};

use crate::anchors::{bundle, decide_at};
use crate::common::{Backend, user};
use crate::parts::Parts;
use crate::profile::{made, read};
use crate::profile_shapes::{HOST, Recipe, recipes, root, sha1, sound};
use crate::tool::{JAVA, JAVAC, OPENSSL, Running, Tool, Workshop, at_hand, found};

/// A certificate, and what it is called.
type Shaped = (String, Certificate);

/// Every shape that peers are asked about.
fn shapes() -> Vec<Shaped> {
    let measured = recipes().into_iter().filter(Recipe::is_measured);
    measured.map(|recipe| (recipe.name.to_owned(), read(&recipe.make()))).collect()
}

/// As our providers do not sign.
fn signed_with_sha1(workshop: &Workshop) -> Shaped {
    workshop.write("root.key", root().key().secret_der());
    let der = sha1(Parts::of(&sound()), |tbs| {
        workshop.write("tbs", tbs);
        workshop.openssl("dgst -sha1 -keyform DER -sign root.key -out signature tbs");
        workshop.read("signature")
    });
    ("signed with SHA-1".to_owned(), read(&der))
}

/// What peers say to each shape: `None` if they take it.
type Verdicts = Vec<Option<String>>;

struct Stock {
    client: Arc<dyn ClientCertVerifier>,
    server: Arc<WebPkiServerVerifier>,
}

impl Stock {
    fn new() -> Self {
        let provider = Backend::AwsLcRs.provider();
        let mut roots = RootCertStore::empty();
        roots.add(root().certificate().der().into_owned()).unwrap();
        let roots = Arc::new(roots);
        let client = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let server = WebPkiServerVerifier::builder_with_provider(roots, provider);
        Self { client: client.build().unwrap(), server: server.build().unwrap() }
    }

    fn says(&self, usage: Usage, certificate: &Certificate) -> Option<String> {
        let der = certificate.der();
        let result = if usage == Usage::Client {
            self.client.verify_client_cert(&der, &[], NOW).map(|_| ())
        } else {
            let name = ServerName::try_from(HOST).unwrap();
            self.server.verify_server_cert(&der, &[], &name, &[], NOW).map(|_| ())
        };
        result.err().map(|error| error.to_string())
    }
}

fn ours(certificate: &Certificate) -> Option<String> {
    let rule = CertUserMapping::new(Selector::key(certificate.spki_fingerprint()), user("u"));
    let host = certmap::Host::new("gw".parse().unwrap(), bundle(&[root()]));
    let policy = certmap::PolicyBuilder::for_host(host).mapping(rule).build().unwrap();
    let chain = [CertificateDer::from(certificate.der().to_vec())];
    decide_at(&policy, &chain, NOW).refusal().map(certmap::Refusal::detail)
}

/// What a client of ours says to it as a server's.
fn our_client(certificate: &Certificate) -> Option<String> {
    let name = ServerName::try_from(HOST).unwrap();
    let flight = preflight_server(&bundle(&[root()]), &name, [certificate.der()], NOW).unwrap();
    flight.trouble().map(ToString::to_string)
}

/// What OpenSSL says to `0.pem` and so on.
fn openssl(workshop: &Workshop, usage: Usage, count: usize) -> Verdicts {
    let purpose =
        if usage == Usage::Client { "sslclient".to_owned() } else { format!("sslserver -verify_hostname {HOST}") };
    let fixed = format!(
        "verify -x509_strict -auth_level 2 -purpose {purpose} -no-CApath -no-CAstore -attime {} -CAfile root.pem",
        NOW.as_secs()
    );
    let files = (0..count).map(|number| format!("{number}.pem"));
    let arguments: Vec<_> = fixed.split_whitespace().map(str::to_owned).chain(files).collect();
    let output = Running::start(OPENSSL, workshop.path(), arguments).finish();
    let good: BTreeSet<_> = output.stdout.lines().filter_map(|line| line.strip_suffix(".pem: OK")).collect();
    let verdict = |number: usize| {
        // `error 7.pem: …`, or `Could not read … from 7.pem` and the like.
        let bad = output.stderr.contains(&format!(" {number}.pem"));
        assert!(good.contains(&*number.to_string()) != bad, "openssl says nothing of {number}: {output:?}");
        bad.then(|| "no".to_owned())
    };
    (0..count).map(verdict).collect()
}

/// What Java says to `0.der` and so on.
fn java(workshop: &Workshop, usage: Usage, count: usize) -> Verdicts {
    workshop.write("Trust.java", include_str!("../data/Trust.java"));
    let fixed = ["Trust.java", usage.as_str(), &NOW.as_secs().to_string(), "root.der"].map(str::to_owned);
    let arguments = fixed.into_iter().chain((0..count).map(|number| format!("{number}.der")));
    let output = Running::start(JAVA, workshop.path(), arguments).finish();
    let said: BTreeMap<_, _> = output.stdout.lines().filter_map(|line| line.split_once(".der: ")).collect();
    let verdict = |number: usize| match said.get(&*number.to_string()) {
        Some(&"OK") => None,
        Some(refused) => Some((*refused).to_owned()),
        None => panic!("java says nothing of {number}: {output:?}"),
    };
    (0..count).map(verdict).collect()
}

/// Where the profile and the peer differ: it may say that a peer may refuse, whatever that does.
fn differences(peer: Peer, shapes: &[Shaped], usage: Usage, verdicts: &Verdicts) -> String {
    let mut wrong = String::new();
    for ((name, certificate), verdict) in shapes.iter().zip(verdicts) {
        let profile = certificate.profile(usage);
        let effects: BTreeSet<_> = profile.remarks().iter().filter_map(|remark| remark.effect(peer)).collect();
        let right = match verdict {
            None => !effects.contains(&Effect::Refuses),
            Some(_) => effects.contains(&Effect::Refuses) || effects.contains(&Effect::MayRefuse),
        };
        if !right {
            let _ = writeln!(wrong, "{peer}, {usage}, {name}: it says {verdict:?}; the profile: {profile}");
        }
    }
    wrong
}

/// Shapes of which rustls minds the key alone, which it looks at when the peer proves that it has it.
fn by_its_key(certificate: &Certificate) -> bool {
    certificate.key_type().check().is_err()
}

#[test]
fn profiles_say_of_rustls_and_of_this_crate_what_they_do() {
    let mut shapes = shapes();
    shapes.push(("SHA-1, wrongly".to_owned(), made("SHA-1")));
    let (client, server) = (Usage::Client, Usage::Server);
    let verdicts = shapes.iter().map(|(_, certificate)| ours(certificate)).collect();
    let mut wrong = differences(Peer::Certmap, &shapes, client, &verdicts);
    shapes.retain(|(_, certificate)| !by_its_key(certificate));
    let verdicts = shapes.iter().map(|(_, certificate)| our_client(certificate)).collect();
    wrong += &differences(Peer::Certmap, &shapes, server, &verdicts);
    let stock = Stock::new();
    for usage in [client, server] {
        let verdicts = shapes.iter().map(|(_, certificate)| stock.says(usage, certificate)).collect();
        wrong += &differences(Peer::Rustls, &shapes, usage, &verdicts);
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(shapes.len() > 50, "{}", shapes.len());
}

#[test]
fn profiles_say_of_openssl_and_java_what_they_do() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let mut shapes = shapes();
    shapes.push(signed_with_sha1(&workshop));
    workshop.write("root.pem", root().certificate().to_pem());
    workshop.write("root.der", root().certificate().der());
    for (number, (_, certificate)) in shapes.iter().enumerate() {
        workshop.write(&format!("{number}.der"), certificate.der());
        workshop.write(&format!("{number}.pem"), certificate.to_pem());
    }
    let java_too = at_hand(&[JAVA, JAVAC]) && is_version(&workshop, JAVA, "--version", "openjdk 17.");
    let openssl_too = is_version(&workshop, OPENSSL, "version", "OpenSSL 3.0.");
    let mut wrong = String::new();
    for usage in [Usage::Client, Usage::Server] {
        if openssl_too {
            wrong += &differences(Peer::OpenSsl, &shapes, usage, &openssl(&workshop, usage, shapes.len()));
        }
        if java_too {
            wrong += &differences(Peer::Java, &shapes, usage, &java(&workshop, usage, shapes.len()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// True if it is the version that was looked at when the table was written. Others say other things.
fn is_version(workshop: &Workshop, tool: Tool, question: &str, wanted: &str) -> bool {
    let output = Running::start(tool, workshop.path(), [question]).finish();
    let right = output.stdout.starts_with(wanted);
    if !right {
        let _ = writeln!(io::stderr(), "SKIPPED: {tool:?} is not `{wanted}`: {}", output.stdout);
    }
    right
}

/// True if this provider believes a signature by this key of RSA, which OpenSSL makes.
fn believes_a_signature(workshop: &Workshop, bits: usize, backend: Backend) -> bool {
    workshop.write("message", b"message");
    workshop.openssl(&format!("genrsa -out rsa.key {bits}"));
    workshop.openssl("rsa -in rsa.key -RSAPublicKey_out -outform DER -out public");
    workshop.openssl("dgst -sha256 -sign rsa.key -out signature message");
    let (key, signature) = (workshop.read("public"), workshop.read("signature"));
    let provider = backend.provider();
    let mut algorithms = provider.signature_verification_algorithms.all.iter();
    algorithms.any(|algorithm| algorithm.verify_signature(&key, b"message", &signature).is_ok())
}

#[test]
fn rustls_verifies_no_signature_of_a_small_key_and_ring_none_of_p521() {
    let scheme = SignatureScheme::ECDSA_NISTP521_SHA512;
    let knows = [Backend::AwsLcRs, Backend::Ring]
        .map(|backend| backend.provider().signature_verification_algorithms.supported_schemes().contains(&scheme));
    assert_eq!(knows, [true, false]);
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let believed = [1024, 2040, 2048].map(|bits| believes_a_signature(&workshop, bits, backend));
        assert_eq!(believed, [false, false, true], "{backend:?}");
    }
}
