//! Policy documents, as TOML or JSON.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use certmap::document::{Document, DocumentError, FileName, NoReferences};
use certmap::policy::ClientAuth;
use certmap::review::lint;
use certmap::testing::{NOW, TestCertificate, TestIdentity};
use certmap::{Evidence, Policy};

use crate::{one_line, plain_error};

/// Somebody of whom no document can know, because the key is made here.
fn stranger() -> &'static TestIdentity {
    static STRANGER: OnceLock<TestIdentity> = OnceLock::new();
    STRANGER.get_or_init(|| TestCertificate::new("CN=stranger").with_server_name("a.example").self_signed())
}

/// What is read is written in one form, which reads back as equal, in TOML and in JSON; merged and split it is the same; it
/// builds the same policy or has the same problems each time; a policy's own document builds that policy; and whatever is
/// written in it, a stranger is nobody. Only one with a private key in it is not written, and not built.
pub(crate) fn law(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let read = if text.starts_with('{') { serde_json::from_str(text).ok() } else { toml::from_str(text).ok() };
    let Some(document): Option<Document> = read else { return };
    if let Err(error) = toml::to_string(&document) {
        // Where a private key stood, nothing is written any more, and nothing is built.
        assert!(error.to_string().contains("a private key stood in the document"), "{error}");
        assert!(document.build(&NoReferences).is_err());
        return;
    }
    written(&document);
    let file: FileName = "a.toml".parse().expect("a file name");
    let merged = Document::merge([(file.clone(), document.clone())]).expect("one file");
    assert_eq!(merged, document);
    let split = merged.split(&file);
    assert!(split.len() <= 1);
    assert_eq!(split.into_values().next().unwrap_or_default(), document);

    match document.build(&NoReferences) {
        Ok(policy) => built(&document, &policy),
        Err(error) => {
            let problems = problems(&error);
            assert!(!problems.is_empty());
            let again = document.build(&NoReferences).expect_err("it had problems");
            assert_eq!(self::problems(&again), problems);
        }
    }
}

/// The text is one, and so is what it says.
#[track_caller]
fn written(document: &Document) {
    let text = toml::to_string(document).expect("a document can be written");
    let json = serde_json::to_string(document).expect("a document can be written");
    let from_toml: Document = toml::from_str(&text).expect("what we write we read");
    let from_json: Document = serde_json::from_str(&json).expect("what we write we read");
    assert!(from_toml == *document && from_json == *document, "{text}");
    assert_eq!(toml::to_string(&from_toml).as_ref(), Ok(&text));
}

fn problems(error: &DocumentError) -> Vec<String> {
    plain_error(error);
    let told = |problem: &certmap::document::DocumentProblem| {
        let told = problem.to_string();
        one_line(&told);
        told
    };
    error.problems().iter().map(told).collect()
}

fn built(document: &Document, policy: &Policy) {
    let again = document.build(&NoReferences).expect("it was built");
    assert_eq!(again.canonical_form(), policy.canonical_form());
    let of_policy = Document::from(policy);
    written(&of_policy);
    let rebuilt = of_policy.build(&NoReferences).expect("the document of a policy builds it");
    assert_eq!(rebuilt.canonical_form(), policy.canonical_form());
    assert_eq!((rebuilt.digest(), again.digest()), (policy.digest(), policy.digest()));
    assert!(Document::from(&rebuilt) == of_policy);
    for finding in lint(policy, NOW, Duration::from_secs(30 * 86_400)) {
        one_line(&finding.to_string());
    }
    for host in policy.hosts() {
        let somebody = Evidence::after_handshake(host.id().clone(), stranger().chain());
        let nobody = Evidence::after_handshake(host.id().clone(), [] as [&[u8]; 0]);
        assert!(policy.decide(&somebody, NOW).principal().is_none(), "{}", policy.canonical_form());
        let decision = policy.decide(&nobody, NOW);
        assert!(decision.principal().is_none());
        assert_eq!(decision.refusal().is_some(), host.client_auth() == ClientAuth::Require);
    }
}

pub(crate) fn work(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok(document) = toml::from_str::<Document>(text) {
        let _ = black_box(document.build(&NoReferences));
    }
}

/// The parser of TOML reads the whole text before anything of ours is asked.
pub(crate) fn foreign(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let _ = black_box(toml::Deserializer::parse(text));
}
