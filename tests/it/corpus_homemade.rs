//! Home-made trust: checks of certificates, lists and sessions that people wrote in the place of those that they had, a few
//! lines each, as they stood in a product. Each is taken in by an attack that is refused here. The list is `corpus.md`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use certmap::policy::ClientAuth;
use certmap::review::diff;
use certmap::rustls::client::danger::HandshakeSignatureValid;
use certmap::rustls::crypto::CryptoProvider;
use certmap::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use certmap::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use certmap::rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use certmap::rustls::sign::CertifiedKey;
use certmap::rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, Error, HandshakeKind,
    RootCertStore, ServerConfig, ServerConnection, SignatureScheme,
};
use certmap::testing::{NOW, TestCertificate, TestCrl, TestIdentity, TestName, TestRevocationList, handshake};
use certmap::{Certificate, Evidence, Fingerprint, Host, RefusalCode, TrustBundle};

use crate::anchors::{builder, bundle, client, decide_at};
use crate::common::{Backend, SERVER, Version, everywhere};
use crate::corpus_clients::presenting;
use crate::corpus_trust::naive_anchors;
use crate::hosting::{read_by, written_by};
use crate::naive::{Attack, Naive, common_name, pins, server_with};
use crate::parts::{Parts, algorithm, inside, sequence};

fn named(name: &str) -> TestCertificate {
    TestCertificate::new(name)
}

/// Every certificate is signed by the next, the last is known, and that is all: no purpose, no constraint, no date.
fn only_signatures(chain: &[CertificateDer<'_>], known: &TestIdentity) -> bool {
    let signed = |pair: &[CertificateDer<'_>]| {
        let [tbs, _, signature] = <[Vec<u8>; 3]>::try_from(inside(&pair[0])).unwrap();
        let (_, issuer) = x509_parser::parse_x509_certificate(&pair[1]).unwrap();
        let (key, signature) =
            (&issuer.public_key().subject_public_key.data, &signature[signature.len() - signature[1] as usize + 1..]);
        let provider = Backend::AwsLcRs.provider();
        let mut all = provider.signature_verification_algorithms.all.iter();
        all.any(|one| one.verify_signature(key, &tbs, signature).is_ok())
    };
    let known = known.certificate().der().into_owned();
    let whole: Vec<_> = chain.iter().cloned().chain([known]).collect();
    whole.windows(2).all(signed)
}

#[test]
fn tr_14_tr_16_tr_21_tr_22_ck_01_signatures_and_nothing_else() {
    let root = named("CN=root").as_ca().self_signed();
    let leaf = client("CN=leaf").issued_by(&root);
    let expired = client("CN=admin").with_validity(1, 2).issued_by(&root);
    let constrained = |permitted: TestName<'_>| {
        named("CN=ca").as_ca().with_name_constraints(&[permitted], &[], true).issued_by(&root)
    };
    let (dns, mail) = (constrained(TestName::Dns("acme.example")), constrained(TestName::Email("acme.example")));
    let stranger = |ca: &TestIdentity| {
        client("CN=admin")
            .with_alternative_names(&[TestName::Dns("evil.example"), TestName::Email("a@evil.example")])
            .issued_by(ca)
    };
    for (row, attacker, code) in [
        ("TR-14", client("CN=admin").issued_by(&leaf), RefusalCode::PathInvalid),
        ("TR-16", named("CN=admin").with_purpose(1).issued_by(&root), RefusalCode::WrongPurpose),
        ("TR-21", stranger(&mail), RefusalCode::PathInvalid),
        ("TR-22", stranger(&dns), RefusalCode::PathInvalid),
        ("CK-01", expired, RefusalCode::CertificateExpired),
    ] {
        Attack::on(&bundle(&[&root]), attacker.chain_without_root()).refused(code);
        assert!(only_signatures(attacker.chain_without_root(), &root), "{row}");
    }
    let other = client("CN=admin").issued_by(&named("CN=root").as_ca().self_signed());
    assert!(!only_signatures(other.chain_without_root(), &root), "signatures it does check");
}

/// Serial number and authority key identifier, which a certificate says of itself: how Vault knew a certificate again
/// (CVE-2024-2048).
fn serial_and_key_identifier(certificate: &Certificate) -> (Vec<u8>, Option<Vec<u8>>) {
    let der = certificate.der();
    let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
    let identifier = read.extensions().iter().find(|one| one.oid.to_id_string() == "2.5.29.35");
    (read.raw_serial().to_vec(), identifier.map(|one| one.value.to_vec()))
}

#[test]
fn tr_01_tr_15_tr_25_a_pin_that_is_less_than_the_certificate() {
    let partner =
        || named("CN=partner").with_serial(&[7]).with_extension("2.5.29.35", false, &[0x30, 5, 0x80, 3, 1, 2, 3]);
    let (pinned, forged) = (partner().self_signed(), partner().self_signed());
    Attack::on(&pins(&[&pinned]), forged.chain()).refused(RefusalCode::Untrusted);
    assert_eq!(serial_and_key_identifier(pinned.certificate()), serial_and_key_identifier(forged.certificate()));
    // The point of the key without its curve (CVE-2020-0601).
    let mut parts = Parts::of(&pinned);
    let [_, point] = <[Vec<u8>; 2]>::try_from(inside(&parts.public_key)).unwrap();
    let curve = [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1][..], &sequence(&[&[2, 1, 1]])].concat();
    parts.public_key = sequence(&[&algorithm(curve), &point]);
    let odd = parts.signed_by(&pinned);
    let mut key_pin = TrustBundle::new("partners".parse().unwrap());
    key_pin.add_key_pin(pinned.certificate().clone()).unwrap();
    Attack::on(&key_pin, &[&odd]).refused(RefusalCode::Untrusted);
    assert_eq!(inside(&Parts::of(&pinned).public_key)[1], inside(&parts.public_key)[1]);
    // A fingerprint that is found in a list, whatever the date.
    let expired = named("CN=partner").with_validity(1, 2).self_signed();
    Attack::on(&pins(&[&expired]), expired.chain()).refused(RefusalCode::CertificateExpired);
    assert_eq!(Fingerprint::of(&expired.chain()[0]), expired.certificate().fingerprint());
}

#[test]
fn tr_07_the_last_certificate_of_the_list_is_who_it_is() {
    let root = named("CN=root").as_ca().self_signed();
    let [victim, thief] = ["CN=victim", "CN=thief"].map(|name| client(name).issued_by(&root));
    let chain = [thief.chain()[0].clone(), victim.chain()[0].clone()];
    // CVE-2023-2422: any certificate that the client sent.
    assert_eq!(common_name(chain.last().unwrap()).as_deref(), Some("victim"));
    let policy = builder(bundle(&[&root]), &[&thief]).build().unwrap();
    let decision = decide_at(&policy, &chain, NOW);
    assert_eq!(decision.certificate(), Some(thief.certificate().fingerprint()));
}

/// What a verifier of their own does with the answer of rustls' verifier, or in its place.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Remembers the user, and asks then (CVE-2024-49369).
    RemembersFirst,
    /// Warns if it is bad, and goes on (CVE-2026-28755, CVE-2021-20230).
    Warns,
    /// Refuses what it has an error for, and takes all other errors for success (CVE-2021-4044).
    KnowsOneError,
    /// Looks whether the certificate is the expected one, and takes every signature for one (CVE-2022-29222).
    AssertsSignatures(Fingerprint),
}

#[derive(Debug)]
struct HomeMade {
    inner: Arc<dyn ClientCertVerifier>,
    way: Way,
    user: Mutex<Option<String>>,
}

impl HomeMade {
    fn over(trust: &TrustBundle, way: Way) -> Arc<Self> {
        Arc::new(Self { inner: Naive::new(trust, &[]).unwrap().verifier(), way, user: Mutex::new(None) })
    }
}

impl ClientCertVerifier for HomeMade {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        *self.user.lock().unwrap() = common_name(own);
        let answer = self.inner.verify_client_cert(own, others, now);
        match (self.way, answer) {
            (Way::RemembersFirst, answer) => answer,
            (Way::KnowsOneError, Err(error @ Error::InvalidCertificate(CertificateError::UnknownIssuer))) => Err(error),
            (Way::AssertsSignatures(pin), _) if pin != Fingerprint::of(own) => Err(Error::General("no pin".to_owned())),
            _ => Ok(ClientCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.way {
            Way::AssertsSignatures(_) => Ok(HandshakeSignatureValid::assertion()),
            _ => self.inner.verify_tls12_signature(message, own, signed),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.way {
            Way::AssertsSignatures(_) => Ok(HandshakeSignatureValid::assertion()),
            _ => self.inner.verify_tls13_signature(message, own, signed),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whom a server of this configuration lets in: `anybody` is who presents nothing.
fn let_in(server: ServerConfig, client: ClientConfig) -> Option<String> {
    let ends = handshake(Arc::new(client), Arc::new(server), SERVER);
    crate::corpus_sessions::naive_user(&ends)
}

fn key_of(identity: &TestIdentity, chain: &TestIdentity, provider: &CryptoProvider) -> CertifiedKey {
    let key = provider.key_provider.load_private_key(identity.key()).unwrap();
    CertifiedKey::new(chain.chain_without_root().to_vec(), key)
}

/// A client with this key and the chain of that.
fn client_with(key: &TestIdentity, chain: &TestIdentity, backend: Backend, version: Version) -> ClientConfig {
    presenting(Some(key_of(key, chain, &backend.provider())), false, backend, version)
}

#[test]
fn tr_12_tr_13_rv_08_vh_08_vh_12_a_verifier_that_does_not_refuse() {
    let (root, server) = (named("CN=root").as_ca().self_signed(), named("CN=gateway").self_signed());
    let trust = bundle(&[&root]);
    let stranger = client("CN=admin").issued_by(&named("CN=elsewhere").as_ca().self_signed());
    let expired = client("CN=admin").with_validity(1, 2).issued_by(&root);
    let (pinned, thief) = (client("CN=admin").issued_by(&root), named("CN=thief").self_signed());
    Attack::on(&trust, stranger.chain_without_root()).refused(RefusalCode::Untrusted).naively_refused();
    Attack::on(&trust, expired.chain_without_root()).refused(RefusalCode::CertificateExpired).naively_refused();
    for (backend, version) in everywhere() {
        let with = |way: Way, key: &TestIdentity, chain: &TestIdentity| {
            let verifier = HomeMade::over(&trust, way);
            let client = client_with(key, chain, backend, version);
            (
                let_in(server_with(Arc::<HomeMade>::clone(&verifier), &server), client),
                verifier.user.lock().unwrap().clone(),
            )
        };
        let admin = Some("CN=admin".to_owned());
        let pin = Way::AssertsSignatures(pinned.certificate().fingerprint());
        // The connection is refused, and the program has a user.
        assert_eq!(with(Way::RemembersFirst, &stranger, &stranger), (None, Some("admin".to_owned())), "{version:?}");
        assert_eq!(with(Way::Warns, &stranger, &stranger).0, admin, "{version:?}");
        assert_eq!(with(Way::KnowsOneError, &stranger, &stranger).0, None, "{version:?}");
        assert_eq!(with(Way::KnowsOneError, &expired, &expired).0, admin, "{version:?}");
        assert_eq!(with(Way::Warns, &thief, &pinned).0, None, "rustls asks for a signature");
        assert_eq!(with(pin, &thief, &pinned).0, admin, "{version:?}");
    }
}

#[test]
fn tr_09_tr_10_tr_11_tr_19_without_cas_nobody_is_asked() {
    // CVE-2024-1351, CVE-2026-4370: what cannot be verified is not asked for.
    let server_of = |cas: RootCertStore, identity: &TestIdentity| {
        let builder = ServerConfig::builder_with_provider(Backend::AwsLcRs.provider());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if cas.is_empty() {
            builder.with_no_client_auth()
        } else {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(cas), Backend::AwsLcRs.provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        };
        builder.with_single_cert(identity.chain().to_vec(), identity.key()).unwrap()
    };
    let (root, server) = (named("CN=root").as_ca().self_signed(), named("CN=gateway").self_signed());
    for version in [Version::Tls12, Version::Tls13] {
        let nobody = || presenting(None, false, Backend::AwsLcRs, version);
        // CVE-2026-27586: no CA was read from the file, and that is no error.
        for file in [&b""[..], b"certificates follow next week"] {
            let cas = naive_anchors(file);
            assert_eq!(let_in(server_of(cas, &server), nobody()).as_deref(), Some("anybody"));
        }
        let mut cas = RootCertStore::empty();
        cas.add(root.certificate().der().into_owned()).unwrap();
        assert_eq!(let_in(server_of(cas, &server), nobody()), None);
    }
    assert_eq!(builder(bundle(&[]), &[]).build().unwrap_err().problems()[0].code(), "empty-bundle");
}

/// How deep a search for the issuer goes that remembers nothing; it gives up at 10,000.
fn depth(own: &Certificate, cas: &[Certificate]) -> usize {
    let (mut own, mut depth) = (own, 0);
    while let Some(issuer) = cas.iter().find(|ca| ca.subject() == own.issuer()) {
        (own, depth) = (issuer, depth + 1);
        if depth == 10_000 {
            break;
        }
    }
    depth
}

#[test]
fn tr_24_cas_that_issued_each_other_and_a_search_that_goes_on() {
    let [a, b] = ["CN=a", "CN=b"].map(|name| named(name).as_ca().self_signed());
    let cross =
        [named("CN=a").as_ca().with_key_of(&a).issued_by(&b), named("CN=b").as_ca().with_key_of(&b).issued_by(&a)];
    let partner = client("CN=partner").issued_by(&cross[0]);
    let root = named("CN=root").as_ca().self_signed();
    let chain = [&partner, &cross[0], &cross[1]].map(|one| one.chain()[0].clone());
    Attack::on(&bundle(&[&root]), &chain).refused(RefusalCode::Untrusted);
    let cas = cross.map(|ca| ca.certificate().clone());
    assert_eq!(depth(partner.certificate(), &cas), 10_000);
}

/// A verifier of rustls with lists, set up as `set` does.
fn revoking(
    trust: &TrustBundle,
    lists: &[&TestCrl],
    set: fn(ClientCertVerifierBuilder) -> ClientCertVerifierBuilder,
) -> Arc<dyn ClientCertVerifier> {
    let builder = WebPkiClientVerifier::builder_with_provider(Naive::roots(trust), Backend::AwsLcRs.provider());
    let lists = lists.iter().map(|list| CertificateRevocationListDer::from(list.der().to_vec()));
    set(builder.with_crls(lists)).build().unwrap()
}

fn verified(verifier: &Arc<dyn ClientCertVerifier>, chain: &[CertificateDer<'_>]) -> bool {
    verifier.verify_client_cert(&chain[0], &chain[1..], NOW).is_ok()
}

#[test]
fn rv_09_rv_10_rv_17_lists_that_somebody_has_and_nobody_asks() {
    let root = named("CN=root").as_ca().self_signed();
    let issuing = named("CN=issuing").as_ca().with_serial(&[2]).issued_by(&root);
    let partner = client("CN=partner").issued_by(&issuing);
    let (trust, chain) = (bundle(&[&root]), partner.chain_without_root());
    let list = TestRevocationList::new;
    // No list of the CA that issued: no answer, or no objection.
    let of_root = list().signed_by(&root);
    let attack = Attack::on(&trust, chain).with_lists(&[&of_root]);
    attack.refused(RefusalCode::RevocationUnknown).naively_refused();
    assert!(verified(
        &revoking(&trust, &[&of_root], ClientCertVerifierBuilder::allow_unknown_revocation_status),
        chain
    ));
    // The CA is revoked, and only the end entity is looked at.
    let (of_root, of_issuing) = (list().revoking(&[2]).signed_by(&root), list().signed_by(&issuing));
    let attack = Attack::on(&trust, chain).with_lists(&[&of_root, &of_issuing]);
    attack.refused(RefusalCode::CertificateRevoked).naively_refused();
    let only_own = ClientCertVerifierBuilder::only_check_end_entity_revocation;
    assert!(verified(&revoking(&trust, &[&of_root, &of_issuing], only_own), chain));
    // Who is revoked presents nothing.
    let server = named("CN=gateway").self_signed();
    let of_issuing = list().revoking(&[9]).signed_by(&issuing);
    let lists = [&list().signed_by(&root), &of_issuing];
    let optional = || revoking(&trust, &lists, ClientCertVerifierBuilder::allow_unauthenticated);
    let nobody = presenting(None, false, Backend::AwsLcRs, Version::Tls13);
    assert_eq!(let_in(server_with(optional(), &server), nobody).as_deref(), Some("anybody"));
    let revoked = client_with(&partner, &partner, Backend::AwsLcRs, Version::Tls13);
    assert_eq!(let_in(server_with(optional(), &server), revoked), None);
    let host = Host::new("gw".parse().unwrap(), trust).with_client_auth(ClientAuth::Request);
    let policy = certmap::PolicyBuilder::for_host(host).build().unwrap();
    assert!(decide_at(&policy, &[] as &[&[u8]], NOW).principal().is_none());
}

#[test]
fn rv_14_a_newer_list_that_has_lost_an_entry() {
    let ca = named("CN=ca").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&ca);
    let [old, new] =
        [TestRevocationList::new().with_number(&[1]).revoking(&[9]), TestRevocationList::new().with_number(&[2])]
            .map(|list| list.signed_by(&ca));
    let under = |lists: &[&TestCrl]| Attack::on(&bundle(&[&ca]), partner.chain_without_root()).with_lists(lists);
    // Lists that are given together all count.
    for lists in [[&old, &new], [&new, &old]] {
        under(&lists).refused(RefusalCode::CertificateRevoked);
    }
    // Who keeps the newest of each issuer has nobody revoked.
    let newest: HashMap<&str, &TestCrl> = [("CN=ca", &old), ("CN=ca", &new)].into();
    under(&newest.into_values().collect::<Vec<_>>()).naively("partner");
    // And who replaces the one by the other is told whom it lets in again, before it is in force.
    let [before, after] = [&old, &new].map(|list| under(&[list]).policy().unwrap());
    let difference = diff(&before, &after);
    assert!(difference.to_string().contains("is gone"), "{difference}");
    let host = before.hosts().next().unwrap().id().clone();
    let evidence = Evidence::after_handshake(host, partner.chain_without_root());
    assert_eq!(difference.decisions(&[evidence], NOW).len(), 1);
}

#[test]
fn rv_16_a_fingerprint_that_is_denied_and_a_reader_that_is_generous() {
    let root = named("CN=root").as_ca().self_signed();
    let partner = client("CN=partner").issued_by(&root);
    let der = partner.certificate().der().to_vec();
    let [tbs, algorithm, signature] = <[Vec<u8>; 3]>::try_from(inside(&der)).unwrap();
    let with_null = sequence(&[&tbs, &sequence(&[&inside(&algorithm)[0], &[5, 0]]), &signature]);
    // CVE-2014-8275: what is not signed, or not looked at, makes another fingerprint of the same certificate.
    let lets_in = |der: &[u8]| {
        let denied = Fingerprint::of(der) == partner.certificate().fingerprint();
        !denied && only_signatures(&[CertificateDer::from(der)], &root)
    };
    assert!(!lets_in(&der));
    for other in [with_null, [&der[..], &[0]].concat()] {
        let attack = Attack::on(&bundle(&[&root]), &[&other]).denying(partner.certificate());
        assert!(attack.decision().principal().is_none());
        assert!(lets_in(&other));
    }
}

#[test]
fn res_16_a_request_that_is_read_before_anybody_is_known() {
    let root = named("CN=root").as_ca().self_signed();
    let (partner, server) = (client("CN=partner").issued_by(&root), named("CN=gateway").self_signed());
    let mut config = Naive::new(&bundle(&[&root]), &[]).unwrap().server(&server);
    config.max_early_data_size = 1_000;
    let config = Arc::new(config);
    let mut client = client_with(&partner, &partner, Backend::AwsLcRs, Version::Tls13);
    client.enable_early_data = true;
    let client = Arc::new(client);
    let _ = handshake(Arc::clone(&client), Arc::clone(&config), SERVER);
    let mut second = ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap();
    second.early_data().expect("a session that allows it").write_all(b"DELETE /").unwrap();
    let recorded = written_by(&mut second);
    // Recorded once, it can be sent again by anybody (RFC 8446, section 8), and is read each time.
    let mut server = ServerConnection::new(config).unwrap();
    read_by(&mut server, &recorded).unwrap();
    let mut read = Vec::new();
    let _ = server.early_data().expect("accepted").read_to_end(&mut read);
    assert_eq!((&read[..], server.is_handshaking()), (&b"DELETE /"[..], true));
}

#[test]
fn pe_19_a_user_who_is_asked_for_before_the_handshake_is_finished() {
    let root = named("CN=root").as_ca().self_signed();
    let (partner, server) = (client("CN=partner").issued_by(&root), named("CN=gateway").self_signed());
    let config = Arc::new(Naive::new(&bundle(&[&root]), &[]).unwrap().server(&server));
    for version in [Version::Tls12, Version::Tls13] {
        let client = Arc::new(client_with(&partner, &partner, Backend::AwsLcRs, version));
        let _ = handshake(Arc::clone(&client), Arc::clone(&config), SERVER);
        let recorded = written_by(&mut ClientConnection::new(client, SERVER.try_into().unwrap()).unwrap());
        // Whoever sends the first message again has the certificate of who sent it first, and no key.
        let mut server = ServerConnection::new(Arc::clone(&config)).unwrap();
        read_by(&mut server, &recorded).unwrap();
        assert_eq!(Naive::user_of(&server).as_deref(), Some("partner"), "{version:?}");
        assert!(server.is_handshaking(), "{version:?}");
    }
}

#[test]
fn res_14_sessions_that_are_off_in_one_version() {
    let root = named("CN=root").as_ca().self_signed();
    let (partner, server) = (client("CN=partner").issued_by(&root), named("CN=gateway").self_signed());
    let mut config = Naive::new(&bundle(&[&root]), &[]).unwrap().server(&server);
    config.send_tls13_tickets = 0;
    let config = Arc::new(config);
    for (version, expected) in [(Version::Tls13, HandshakeKind::Full), (Version::Tls12, HandshakeKind::Resumed)] {
        let client = Arc::new(client_with(&partner, &partner, Backend::AwsLcRs, version));
        let kind = || handshake(Arc::clone(&client), Arc::clone(&config), SERVER).server.handshake_kind();
        assert_eq!([kind(), kind()], [Some(HandshakeKind::Full), Some(expected)], "{version:?}");
    }
}

#[test]
fn res_10_res_11_a_client_of_rustls_that_is_cloned_brings_no_session_of_before() {
    let root = named("CN=root").as_ca().self_signed();
    let server = named("CN=gateway").self_signed();
    let [one, other] = ["CN=one", "CN=other"].map(|name| client(name).issued_by(&root));
    let config = Arc::new(Naive::new(&bundle(&[&root]), &[]).unwrap().server(&server));
    for version in [Version::Tls12, Version::Tls13] {
        let first = client_with(&one, &one, Backend::AwsLcRs, version);
        let kind = |client: &ClientConfig| {
            handshake(Arc::new(client.clone()), Arc::clone(&config), SERVER).server.handshake_kind()
        };
        assert_eq!([kind(&first), kind(&first)], [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]);
        let donor = client_with(&other, &other, Backend::AwsLcRs, version);
        let mut another_identity = first.clone();
        another_identity.client_auth_cert_resolver = donor.client_auth_cert_resolver;
        assert_eq!(kind(&another_identity), Some(HandshakeKind::Full), "{version:?}");
    }
}
