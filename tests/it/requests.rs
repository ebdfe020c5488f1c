//! Requests for certificates, and answers: verified and issued by others, and put on the right key only.

use certmap::cert::GeneralName;
use certmap::identity::{AnswerError, RequestError};
use certmap::testing::{TestCertificate, TestIdentity};
use certmap::{Certificate, Identity, NewKey};

use crate::common::{Backend, erp};
use crate::tool::{CERTTOOL, KEYTOOL, OPENSSL, Running, Workshop, at_hand, found};

const KINDS: [NewKey; 5] = [NewKey::EcP256, NewKey::EcP384, NewKey::EcP521, NewKey::Ed25519, NewKey::Rsa2048];

fn names() -> Vec<GeneralName> {
    vec![
        GeneralName::Dns("erp.example".to_owned()),
        GeneralName::Email("erp@example.com".to_owned()),
        GeneralName::Ip("192.0.2.7".parse().unwrap()),
        GeneralName::Ip("2001:db8::7".parse().unwrap()),
        GeneralName::Uri("urn:acme:erp".to_owned()),
        GeneralName::Directory("CN=erp,O=Acme".parse().unwrap()),
        GeneralName::RegisteredId("1.2.3.4".parse().unwrap()),
    ]
}

fn made(kind: NewKey) -> Identity {
    TestCertificate::new("CN=erp,OU=SAP,OU=Web AS").with_new_key(kind).self_signed().identity()
}

#[test]
fn openssl_verifies_our_requests_and_issues_from_them() {
    if !found(&[OPENSSL]) {
        return;
    }
    for identity in KINDS.map(made).into_iter().chain([erp()]) {
        let kind = identity.certificate().key_type().to_string();
        let workshop = Workshop::new();
        workshop.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 30",
        );
        let request = identity.certificate_request(&names()).unwrap();
        workshop.write("r.csr", request.to_pem());
        workshop.write("r.der", request.der());
        let text = workshop.openssl("req -in r.csr -verify -noout -text");
        for name in [
            "DNS:erp.example",
            "email:erp@example.com",
            "IP Address:192.0.2.7",
            "IP Address:2001:DB8:0:0:0:0:0:7",
            "URI:urn:acme:erp",
            "DirName:/O=Acme/CN=erp",
            "Registered ID:1.2.3.4",
        ] {
            assert!(text.contains(name), "{kind}: {name} in {text}");
        }
        workshop.openssl("req -inform DER -in r.der -verify -noout");
        workshop.openssl(
            "x509 -req -in r.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -copy_extensions copy -out own.pem",
        );
        let issued = Certificate::from_pem(&workshop.read("own.pem")).unwrap();
        assert_eq!(issued.subject(), identity.certificate().subject(), "{kind}");
        assert_eq!(issued.subject_alternative_names(), names(), "{kind}");
        let files = [workshop.read("ca.pem"), workshop.read("own.pem")];
        let answered = identity.with_answer(files.iter().map(Vec::as_slice)).unwrap();
        assert_eq!((answered.missing_issuer(), answered.unused()), (None, &[][..]), "{kind}");
        let renewed = answered.complete().unwrap();
        assert_eq!((renewed.certificate(), renewed.chain().len()), (&issued, 2), "{kind}");
        // Its key is the one that asked, and belongs to what came.
        let key = renewed.private_key_pem().unwrap();
        assert!(Identity::from_files(renewed.chain_pem().as_bytes(), key.as_bytes()).is_ok(), "{kind}");
    }
}

#[test]
fn a_request_without_names_has_no_extensions_and_one_without_subject_has_critical_names() {
    if !found(&[OPENSSL]) {
        return;
    }
    let workshop = Workshop::new();
    let identity = made(NewKey::EcP256);
    workshop.write("r.csr", identity.certificate_request(&[]).unwrap().to_pem());
    let text = workshop.openssl("req -in r.csr -verify -noout -text");
    assert!(text.contains("(none)") && !text.contains("X509v3"), "{text}");
    let nobody = "".parse().unwrap();
    workshop.write("r.csr", identity.certificate_request_for(&nobody, &names()[..1]).unwrap().to_pem());
    let text = workshop.openssl("req -in r.csr -verify -noout -text");
    assert!(text.contains("X509v3 Subject Alternative Name: critical"), "{text}");
    assert_eq!(identity.certificate_request_for(&nobody, &[]), Err(RequestError::Nobody));
}

#[test]
fn keytool_and_certtool_read_our_requests_and_keytool_issues_from_them() {
    let identity = made(NewKey::Rsa2048);
    let workshop = Workshop::new();
    workshop.write("r.csr", identity.certificate_request(&names()[..1]).unwrap().to_pem());
    if at_hand(&[CERTTOOL]) {
        let output = Running::start(CERTTOOL, workshop.path(), ["--crq-info", "--infile", "r.csr"]).finish();
        assert!(output.success && output.stdout.contains("DNSname: erp.example"), "{output:?}");
        assert!(output.stdout.contains("Self signature: verified"), "{output:?}");
    }
    if !at_hand(&[KEYTOOL]) {
        return;
    }
    let keytool = |arguments: &str| {
        let output = Running::start(KEYTOOL, workshop.path(), arguments.split_whitespace()).finish();
        assert!(output.success, "keytool {arguments}: {output:?}");
        output.stdout
    };
    assert!(keytool("-printcertreq -file r.csr").contains("DNSName: erp.example"));
    let store = "-keystore ca.p12 -storepass storepass";
    keytool(&format!("-genkeypair -alias ca -keyalg RSA -keysize 2048 -dname CN=CA -ext bc:c {store}"));
    keytool(&format!("-gencert -alias ca -infile r.csr -outfile own.pem -rfc -ext san=dns:erp.example {store}"));
    let answer = workshop.read("own.pem");
    let answered = identity.with_answer([&answer[..]]).unwrap();
    assert_eq!(answered.identity().certificate().issuer().to_string(), "CN=CA");
    assert_eq!(answered.missing_issuer().unwrap().to_string(), "CN=CA");
    let ca = keytool(&format!("-exportcert -alias ca -rfc {store}"));
    assert!(identity.with_answer([&answer[..], ca.as_bytes()]).unwrap().complete().is_ok());
}

/// A root, an intermediate below it, and a certificate of an identity below that.
fn hierarchy() -> (TestIdentity, TestIdentity, Identity, TestIdentity) {
    let root = TestCertificate::new("CN=root").as_ca().self_signed();
    let issuing = TestCertificate::new("CN=issuing").as_ca().issued_by(&root);
    let pending = TestCertificate::new("CN=erp").self_signed();
    let issued = TestCertificate::new("CN=erp,O=as the CA likes it").with_key_of(&pending).issued_by(&issuing);
    (root, issuing, pending.identity().with_name("ERP"), issued)
}

#[test]
fn an_answer_is_brought_into_order_whatever_its_order() {
    let (root, issuing, pending, issued) = hierarchy();
    let stranger = TestCertificate::new("CN=stranger").as_ca().self_signed();
    let pems = [&root, &issuing, &issued, &stranger].map(|one| one.certificate().to_pem());
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 1, 0, 3], [1, 3, 0, 2], [2, 0, 3, 1]];
    for order in orders {
        let answer: String = order.iter().map(|at| pems[*at].as_str()).collect();
        for answered in [
            pending.with_answer([answer.as_bytes()]).unwrap(),
            pending.with_answer(order.iter().map(|at| pems[*at].as_bytes())).unwrap(),
            // Twice the same is once.
            pending.with_answer([answer.as_bytes(), answer.as_bytes()]).unwrap(),
            pending.with_answer_and_provider([answer.as_bytes()], &Backend::Ring.provider()).unwrap(),
        ] {
            assert_eq!(answered.unused(), [stranger.certificate().clone()]);
            assert_eq!(answered.missing_issuer(), None);
            let identity = answered.complete().unwrap();
            assert_eq!(identity.chain(), issued.chain());
            assert_eq!((identity.name().as_str(), identity.certificate()), ("ERP", issued.certificate()));
        }
    }
}

#[test]
fn what_is_missing_at_the_end_of_a_chain_is_said_and_no_error_unless_asked() {
    let (root, issuing, pending, issued) = hierarchy();
    for (present, missing) in
        [(vec![&issued], "CN=issuing"), (vec![&issued, &issuing], "CN=root"), (vec![&root, &issued], "CN=issuing")]
    {
        let answer: String = present.iter().map(|one| one.certificate().to_pem()).collect();
        let answered = pending.with_answer([answer.as_bytes()]).unwrap();
        assert_eq!(answered.missing_issuer().unwrap().to_string(), missing);
        assert_eq!(
            answered.complete().unwrap_err().to_string(),
            format!(
                "the certificate of `{missing}` is missing in the answer: ask the CA for it, and give it as another file"
            )
        );
    }
}

#[test]
fn of_two_keys_of_one_ca_the_one_that_signed_is_taken() {
    let (root, issuing, pending, issued) = hierarchy();
    // Newer, of the same name, and on another key.
    let renewed =
        TestCertificate::new("CN=issuing").as_ca().with_validity(1_796_126_400, 1_996_126_400).issued_by(&root);
    let older = TestCertificate::new("CN=issuing").as_ca().with_serial(&[9]).with_validity(1, 1_996_126_400);
    let older = older.with_key_of(&issuing).issued_by(&root);
    let answer: String =
        [&renewed, &older, &issued, &issuing, &root].iter().map(|one| one.certificate().to_pem()).collect();
    let answered = pending.with_answer([answer.as_bytes()]).unwrap();
    assert_eq!(answered.identity().chain(), issued.chain());
    assert_eq!(answered.unused().len(), 2);
}

#[test]
fn an_answer_for_another_key_is_refused_and_names_both() {
    let (root, issuing, pending, _) = hierarchy();
    let other = TestCertificate::new("CN=crm").issued_by(&issuing);
    let answer: String = [&root, &issuing, &other].iter().map(|one| one.certificate().to_pem()).collect();
    let error = pending.with_answer([answer.as_bytes()]).unwrap_err();
    let (ours, theirs) = (pending.certificate().spki_fingerprint(), other.certificate().spki_fingerprint());
    assert_eq!(
        error.to_string(),
        format!(
            "the answer is for another key: it certifies `CN=crm` on {theirs}, and this identity is `CN=erp` on {ours}; give \
             the identity that made the request"
        )
    );
}

#[test]
fn what_is_no_answer_is_refused() {
    let (_, issuing, pending, issued) = hierarchy();
    let error = |answer: &[u8]| pending.with_answer([answer]).unwrap_err();
    assert_eq!(error(pending.chain_pem().as_bytes()), AnswerError::OnlyAsked);
    assert_eq!(error(&pending.certificate().der()), AnswerError::OnlyAsked);
    let request = pending.certificate_request(&[]).unwrap();
    assert_eq!(
        error(request.to_pem().as_bytes()).to_string(),
        "this is what was sent to the CA, not its answer: give the file that came back"
    );
    assert_eq!(pending.with_answer([]).unwrap_err(), AnswerError::Empty);
    let key = pending.private_key_pem().unwrap();
    assert_eq!(
        error(key.as_bytes()).to_string(),
        "section 1 of the answer is a `PRIVATE KEY`, and answers consist of certificates"
    );
    assert!(matches!(error(b""), AnswerError::Pem(_)));
    let mut broken = issued.certificate().der().to_vec();
    broken.truncate(100);
    assert!(matches!(error(&broken), AnswerError::Certificate { ordinal: 1, .. }));
    let twice = TestCertificate::new("CN=erp").with_serial(&[2]).with_version(1);
    let pem = issued.certificate().to_pem();
    // The same key, certified twice.
    let again = twice.with_key_of(&issued).issued_by(&issuing).certificate().to_pem();
    assert!(
        matches!(error((pem.clone() + &again).as_bytes()), AnswerError::Several { fingerprints } if fingerprints.len() == 2)
    );
    // With the self-signed one that was sent along, there is one answer.
    assert!(pending.with_answer([(pem + &pending.chain_pem()).as_bytes()]).is_ok());
}

#[test]
fn names_that_no_certificate_can_have_are_refused() {
    let identity = made(NewKey::EcP256);
    let error = |name| identity.certificate_request(&[name]).unwrap_err().to_string();
    assert_eq!(
        error(GeneralName::Dns("bücher.example".to_owned())),
        "`DNS:bücher.example` cannot be asked for: it is not ASCII: write a host in its `xn--` form, and an address as a user \
         principal name"
    );
    assert_eq!(error(GeneralName::Uri(String::new())), "`URI:` cannot be asked for: it is empty");
    let malformed = GeneralName::Malformed { tag: 7, content: vec![1] };
    assert!(error(malformed).ends_with("it is malformed"));
    let many = vec![GeneralName::Dns("a.example".to_owned()); 257];
    assert_eq!(identity.certificate_request(&many).unwrap_err(), RequestError::TooManyNames { names: 257 });
}
