//! A preflight says of a connection what becomes of it when it is made: real handshakes and decisions after them, at both
//! ends, on both providers, in both versions of TLS.

use std::collections::BTreeSet;
use std::sync::Arc;

use certmap::cert::RevocationList;
use certmap::policy::{ClientAuth, Hints, UntrustedClients};
use certmap::review::{HintFit, Preflight, preflight, preflight_server_with_provider};
use certmap::rustls::client::ResolvesClientCert;
use certmap::rustls::pki_types::ServerName;
use certmap::rustls::sign::{CertifiedKey, SingleCertAndKey};
use certmap::rustls::{ALL_VERSIONS, ClientConfig, ServerConfig, SignatureScheme};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity, TestRevocationList, handshake};
use certmap::tls::{End, Trouble};
use certmap::trust::{Denial, Entry, Revocation};
use certmap::{
    CertUserMapping, Certificate, ClientConfigBuilder, Decision, Host, Outcome, Policy, PolicyBuilder, RoleAssignment,
    Selector, TrustBundle,
};

use crate::common::{Backend, SEND, SERVER, Version, everywhere, user};
use crate::hosting::{DAY, Ends, Site};

/// Clients of every kind, and what a policy needs to know of them.
struct World {
    ca: TestIdentity,
    pinned: TestIdentity,
    expired: TestIdentity,
    issued: TestIdentity,
    /// By name, those that are issued and not as they should be among them.
    clients: Vec<(&'static str, TestIdentity)>,
}

impl World {
    fn new() -> Self {
        let client = |name: &str| TestCertificate::new(name).with_purpose(2);
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let other = TestCertificate::new("CN=other CA").as_ca().self_signed();
        let below = TestCertificate::new("CN=issuing").as_ca().issued_by(&ca);
        let pinned = TestCertificate::new("CN=pinned").with_version(1).self_signed();
        let expired = client("CN=expired").with_validity(1, NOW.as_secs() - 1).self_signed();
        let issued = client("CN=issued").with_serial(&[2]).issued_by(&ca);
        let under = |name: &str, serial: u8| client(name).with_serial(&[serial]).issued_by(&ca);
        let clients = vec![
            ("pinned", pinned.clone()),
            ("expired", expired.clone()),
            ("issued", issued.clone()),
            ("not mapped", under("CN=nobody", 3)),
            ("disabled", under("CN=disabled", 4)),
            ("denied", under("CN=denied", 5)),
            ("revoked", under("CN=revoked", 6)),
            ("ambiguous", under("CN=ambiguous", 7)),
            ("below", client("CN=below").issued_by(&below)),
            ("server only", TestCertificate::new("CN=server").with_purpose(1).issued_by(&ca)),
            ("CA", TestCertificate::new("CN=too much").as_ca().issued_by(&ca)),
            ("unknown", client("CN=unknown").self_signed()),
            ("of another CA", client("CN=stranger").issued_by(&other)),
        ];
        Self { ca, pinned, expired, issued, clients }
    }

    fn fingerprint(&self, name: &str) -> &Certificate {
        self.clients.iter().find(|(other, _)| *other == name).unwrap().1.certificate()
    }

    fn policy(&self, auth: ClientAuth, untrusted: UntrustedClients, hints: Hints) -> Policy {
        let mut bundle = TrustBundle::new("partners".parse().unwrap());
        bundle.add_anchor(self.ca.certificate().clone()).unwrap();
        for pin in [&self.pinned, &self.expired] {
            bundle.add_pin(pin.certificate().clone()).unwrap();
        }
        let host = Host::new("gw".parse().unwrap(), bundle).with_client_auth(auth);
        let exact = |name: &str| Selector::certificate(self.fingerprint(name).fingerprint());
        let rule = |name: &str, who: &str| CertUserMapping::new(exact(name), user(who));
        let denied = self.fingerprint("denied");
        let mut revocation = Revocation::new();
        let list = TestRevocationList::new().revoking(&[6]).signed_by(&self.ca);
        revocation.add(RevocationList::from_der(list.der()).unwrap());
        let key = Selector::key(self.fingerprint("ambiguous").spki_fingerprint());
        let rules = [
            rule("pinned", "PINNED"),
            rule("expired", "EXPIRED"),
            rule("issued", "ISSUED"),
            rule("disabled", "DISABLED"),
            rule("denied", "DENIED"),
            rule("revoked", "REVOKED"),
            rule("below", "BELOW"),
            rule("ambiguous", "ONE"),
            CertUserMapping::new(key, user("OTHER")),
        ];
        PolicyBuilder::for_host(host.with_untrusted(untrusted).with_hints(hints))
            .mappings(rules)
            .assignment(RoleAssignment::new(user("PINNED"), SEND))
            .disabled_user(user("DISABLED"))
            .denials([Denial::serial(denied.issuer(), denied.serial().clone())])
            .revocation(revocation)
            .build()
            .unwrap()
    }

    fn policies(&self) -> Vec<(String, Policy)> {
        let mut policies = Vec::new();
        for auth in [ClientAuth::None, ClientAuth::Request, ClientAuth::Require] {
            for untrusted in [UntrustedClients::LetDecide, UntrustedClients::RefuseInHandshake] {
                // Who asks for nothing hints nothing.
                let hints = [Hints::None, Hints::Anchors, Hints::All];
                for hints in hints.into_iter().take(if auth == ClientAuth::None { 1 } else { 3 }) {
                    let name = format!("{} {} {}", auth.as_str(), untrusted.as_str(), hints.as_str());
                    policies.push((name, self.policy(auth, untrusted, hints)));
                }
            }
        }
        policies
    }
}

fn fly(policy: &Policy, client: Option<&TestIdentity>) -> Preflight {
    let chain = client.map(TestIdentity::chain).unwrap_or_default();
    preflight(policy, &"gw".parse().unwrap(), chain, NOW)
}

/// A client that presents what it has if it finds an issuer of it among the hints, or there are none; as Java and Go do.
#[derive(Debug)]
struct Obeying {
    issuers: Vec<Vec<u8>>,
    presents: Arc<dyn ResolvesClientCert>,
}

impl ResolvesClientCert for Obeying {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = hints.is_empty() || hints.iter().any(|hint| self.issuers.iter().any(|own| own == hint));
        if fits { self.presents.resolve(hints, schemes) } else { None }
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn obeying(client: &TestIdentity, mut config: ClientConfig) -> Arc<ClientConfig> {
    let presents = Arc::clone(&config.client_auth_cert_resolver);
    let issuer = |der: &_| Certificate::from_der(der).unwrap().issuer().to_der();
    let issuers = client.chain().iter().map(|der| issuer(der.as_ref())).collect();
    config.client_auth_cert_resolver = Arc::new(Obeying { issuers, presents });
    Arc::new(config)
}

/// What became of a call: whether the handshake failed, and the record of the answer without what names the connection.
fn came(ends: &Ends) -> (bool, String) {
    let selected = ends.selected();
    if let Some(error) = &ends.server_error {
        let refused = selected.refused(error, NOW).unwrap_or_else(|| panic!("not a refusal: {error}"));
        return (true, refused.code().to_string());
    }
    let decision = selected.caller(ends.server()).unwrap().decide(NOW);
    (false, answer(&decision))
}

/// Code of a refusal, or user and roles.
fn answer(decision: &Decision) -> String {
    match decision.outcome() {
        Outcome::Admitted(principal) => format!("{} {:?}", principal.user(), principal.roles()),
        Outcome::Anonymous => "anonymous".to_owned(),
        Outcome::Refused(refusal) => refusal.code().to_string(),
    }
}

#[test]
fn what_a_preflight_says_of_a_client_comes_to_pass() {
    let world = World::new();
    let clients = || world.clients.iter().map(|(name, client)| (*name, Some(client))).chain([("nothing", None)]);
    let mut seen = BTreeSet::new();
    let mut fits = BTreeSet::new();
    for (policy_name, policy) in world.policies() {
        let policy = Arc::new(policy);
        let flights: Vec<_> = clients().map(|(name, client)| (name, client, fly(&policy, client))).collect();
        for (backend, version) in everywhere() {
            let site = Site::new(Arc::clone(&policy), backend);
            for (name, client, flight) in &flights {
                let place = format!("{policy_name}, {name}, {backend:?} {version:?}");
                let ends = site.call(&site.client(*client, backend, version), SERVER);
                let (in_handshake, came) = came(&ends);
                assert_eq!((flight.in_handshake(), answer(flight.decision())), (in_handshake, came.clone()), "{place}");
                if !in_handshake {
                    let real = ends.selected().caller(ends.server()).unwrap().decide(NOW);
                    // A host that asks for nothing is shown nothing.
                    let shown = real.evidence().chain().len() == flight.decision().evidence().chain().len();
                    assert!(!shown || flight.decision().to_string() == real.to_string(), "{place}");
                }
                seen.insert(came);
                fits.insert(flight.hint_fit().as_str());
                if let Some(client) = client.filter(|_| flight.hinted() > 0) {
                    obedient(&site, client, flight, (backend, version), &place);
                }
            }
        }
    }
    for expected in [
        "ISSUED []",
        "PINNED [Role(iflmap/ESBMessaging.send)]",
        "ambiguous",
        "anonymous",
        "certificate-expired",
        "certificate-revoked",
        "denied",
        "no-certificate",
        "not-mapped",
        "path-invalid",
        "untrusted",
        "user-disabled",
        "wrong-purpose",
    ] {
        assert!(seen.contains(expected), "{expected} is not in {seen:?}");
    }
    assert_eq!(fits, HintFit::ALL.iter().map(|fit| fit.as_str()).collect());
}

/// The same for a client that obeys hints.
fn obedient(site: &Site, client: &TestIdentity, flight: &Preflight, on: (Backend, Version), place: &str) {
    let config = obeying(client, site.plain_client(Some(client), on.0, on.1));
    let (_, came) = came(&site.call(&config, SERVER));
    assert_eq!(flight.obeying().is_some(), flight.hint_fit() == HintFit::Unfit, "{place}");
    assert_eq!(answer(flight.obeying().unwrap_or(flight.decision())), came, "{place}, obeying");
    let good = flight.decision().principal().is_some() && !came.starts_with("no-certificate") && came != "anonymous";
    assert_eq!(flight.is_good(), good, "{place}");
}

#[test]
fn a_host_that_is_not_there_is_told() {
    let world = World::new();
    let policy = world.policy(ClientAuth::Require, UntrustedClients::RefuseInHandshake, Hints::All);
    let flight = preflight(&policy, &"other".parse().unwrap(), world.issued.chain(), NOW);
    assert_eq!((answer(flight.decision()).as_str(), flight.hint_fit()), ("unknown-host", HintFit::NotAsked));
    assert!(!flight.in_handshake() && !flight.is_good());
}

/// What a preflight prints, and what is written for programs.
fn told(policy: &Policy, client: Option<&TestIdentity>) -> (String, serde_json::Value) {
    let flight = fly(policy, client);
    let fingerprint = client.map(|client| client.certificate().fingerprint().to_string()).unwrap_or_default();
    let text = flight.to_string();
    let text = if fingerprint.is_empty() { text } else { text.replace(&fingerprint, "…") };
    (text, serde_json::to_value(&flight).unwrap())
}

#[test]
fn a_preflight_says_what_to_do() {
    let world = World::new();
    let require = |hints| world.policy(ClientAuth::Require, UntrustedClients::RefuseInHandshake, hints);
    let (text, json) = told(&require(Hints::Anchors), Some(&world.pinned));
    assert_eq!(
        text,
        "admitted to host `gw` as user `PINNED` with the roles iflmap/ESBMessaging.send\n\
         hints: no issuer of the chain is among the 1 that are hinted: a client that obeys hints (browsers, Go, Java, SAP, Windows) presents nothing, and is refused: no-certificate; one that does not (curl, OpenSSL, rustls, this crate) presents it all the same\n  \
         cure: have host `gw` hint the issuers of pins too (`all`), or hint nothing (`none`)"
    );
    assert_eq!(
        json,
        serde_json::json!({
            "host": "gw", "outcome": "admitted", "user": "PINNED", "roles": ["iflmap/ESBMessaging.send"],
            "refusal": null, "detail": null, "cure": null, "in_handshake": false,
            "hints": "unfit", "hinted": 1, "obeying": "refused",
            "hint_cure": "have host `gw` hint the issuers of pins too (`all`), or hint nothing (`none`)",
        })
    );
    let stranger = &world.clients.iter().find(|(name, _)| *name == "of another CA").unwrap().1;
    let (text, json) = told(&require(Hints::All), Some(&TestIdentity::clone(stranger)));
    assert!(text.starts_with("refused by host `gw` in the handshake: untrusted: "), "{text}");
    assert!(text.ends_with("\n  cure: add its issuer `CN=other CA` to bundle `partners` as an anchor, or have host `gw` hint nothing (`none`)"), "{text}");
    assert_eq!((&json["refusal"], &json["in_handshake"]), (&"untrusted".into(), &true.into()));
    let (text, _) = told(&require(Hints::All), Some(&world.issued));
    assert_eq!(
        text,
        "admitted to host `gw` as user `ISSUED` without roles\nhints: an issuer of the chain is among the 3 that are hinted"
    );
    let (text, _) = told(&require(Hints::None), None);
    assert!(text.starts_with("refused by host `gw` in the handshake: no-certificate: no certificate was presented\n"));
    assert!(text.ends_with("\nhints: they do not matter, for there is nothing to present"), "{text}");
    let open = world.policy(ClientAuth::None, UntrustedClients::LetDecide, Hints::None);
    let (text, json) = told(&open, Some(&world.issued));
    assert_eq!(text, "let in to host `gw` as nobody: anonymous\nhints: none, for no certificate is asked for");
    assert_eq!(json["outcome"], "anonymous");
    let asks = world.policy(ClientAuth::Request, UntrustedClients::LetDecide, Hints::Anchors);
    let (text, _) = told(&asks, Some(stranger));
    assert!(text.contains("presents nothing, and is anonymous;"), "{text}");
    assert!(text.starts_with("refused by host `gw` after the handshake: untrusted: "), "{text}");
}

/// What a client believes, and servers of every kind: what they are called here, what they present.
fn servers() -> (TrustBundle, Vec<(&'static str, TestIdentity)>) {
    let server = |name: &str| TestCertificate::new(name).with_purpose(1).with_server_name(SERVER);
    let ca = |name: &str| TestCertificate::new(name).as_ca();
    let root = ca("CN=root").self_signed();
    let below = ca("CN=below").issued_by(&root);
    let old = ca("CN=old").with_validity(1, NOW.as_secs() - 1).self_signed();
    let pinned = server("CN=pinned").with_version(1).self_signed();
    let late = server("CN=late").with_validity(1, NOW.as_secs() - 1).self_signed();
    let keyed = server("CN=keyed").self_signed();
    let renewed = server("CN=keyed anew").with_key_of(&keyed).self_signed();
    let stale = server("CN=keyed once").with_key_of(&keyed).with_validity(1, NOW.as_secs() - 1).self_signed();
    let as_anchor = ca("CN=itself").with_server_name(SERVER).self_signed();
    let issued_by_pin = server("CN=minted").issued_by(&pinned);
    let mut bundle = TrustBundle::new("servers".parse().unwrap());
    for anchor in [&root, &old, &as_anchor] {
        bundle.add_anchor(anchor.certificate().clone()).unwrap();
    }
    for pin in [&pinned, &late] {
        let name = ServerName::try_from(SERVER).unwrap();
        bundle.add(Entry::pin(pin.certificate().clone()).unwrap().with_server_names([name])).unwrap();
    }
    bundle.add_key_pin(keyed.certificate().clone()).unwrap();
    let imposter = ca("CN=root").self_signed();
    let servers = vec![
        ("issued", server("CN=a").issued_by(&root)),
        ("issued below", server("CN=b").issued_by(&below)),
        ("expired", server("CN=c").with_validity(1, NOW.as_secs() - 1).issued_by(&root)),
        ("not yet valid", server("CN=d").with_validity(NOW.as_secs() + 1, NOW.as_secs() + DAY).issued_by(&root)),
        ("client only", TestCertificate::new("CN=e").with_purpose(2).with_server_name(SERVER).issued_by(&root)),
        ("nameless", TestCertificate::new("CN=gateway.example").with_purpose(1).issued_by(&root)),
        ("CA", ca("CN=f").with_server_name(SERVER).issued_by(&root)),
        ("version 1", server("CN=g").with_version(1).issued_by(&root)),
        ("of an old root", server("CN=h").issued_by(&old)),
        ("of an imposter", server("CN=i").issued_by(&imposter)),
        ("pinned", pinned),
        ("pinned and late", late),
        ("on the pinned key", renewed),
        ("late on the pinned key", stale),
        ("in the bundle as an anchor", as_anchor),
        ("issued by a pin", issued_by_pin),
        ("unknown", server("CN=j").self_signed()),
    ];
    (bundle, servers)
}

#[test]
fn what_a_preflight_says_of_a_server_comes_to_pass() {
    let (bundle, servers) = servers();
    let own = TestCertificate::new("CN=client").self_signed();
    let mut believed = BTreeSet::new();
    for (backend, version) in everywhere() {
        let provider = backend.speaking(version);
        let client = ClientConfigBuilder::new(own.identity_on(&provider).with_name("ERP"), bundle.clone())
            .with_provider(Arc::clone(&provider))
            .with_time_provider(TestClock::at(NOW));
        let client = Arc::new(client.build().unwrap());
        for (name, server) in &servers {
            for (chain, called) in
                [(server.chain(), SERVER), (&server.chain()[..1], SERVER), (server.chain(), "other.example")]
            {
                let place = format!("{name} of {}, {called}, {backend:?} {version:?}", chain.len());
                let key = backend.provider().key_provider.load_private_key(server.key()).unwrap();
                let certified = SingleCertAndKey::from(CertifiedKey::new(chain.to_vec(), key));
                let config = ServerConfig::builder_with_provider(backend.provider())
                    .with_protocol_versions(ALL_VERSIONS)
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(Arc::new(certified));
                let ends = handshake(Arc::clone(&client), Arc::new(config), called);
                let server_name = ServerName::try_from(called).unwrap();
                let flight =
                    preflight_server_with_provider(&bundle, &server_name, chain, NOW, Arc::clone(&provider)).unwrap();
                let real = ends.client_error.as_ref().map(|error| Trouble::new(End::Client, error));
                // Only a real call is somebody's.
                let told = |trouble: &Trouble| {
                    trouble.to_string().replace(" by identity `ERP`", "").replace(" of identity `ERP`", "")
                };
                assert_eq!(flight.trouble().map(told), real.as_ref().map(told), "{place}");
                assert_eq!(flight.is_believed(), real.is_none(), "{place}");
                if flight.is_believed() {
                    believed.insert(*name);
                }
            }
        }
    }
    let expected = ["issued", "issued below", "on the pinned key", "pinned"];
    assert_eq!(believed, expected.into());
}

#[test]
fn a_preflight_of_a_server_says_what_to_do() {
    let (bundle, servers) = servers();
    let fly = |bundle: &TrustBundle, called: &str, chain: &[_]| {
        let name = ServerName::try_from(called.to_owned()).unwrap();
        certmap::review::preflight_server(bundle, &name, chain, NOW)
    };
    let flight = fly(&bundle, SERVER, servers[0].1.chain()).unwrap();
    assert_eq!(flight.to_string(), "believed: bundle `servers` vouches for `gateway.example`");
    assert_eq!((flight.bundle().as_str(), flight.server_name().to_str().as_ref()), ("servers", SERVER));
    let unknown = &servers.last().unwrap().1;
    let fingerprint = unknown.certificate().fingerprint();
    let flight = fly(&bundle, SERVER, unknown.chain()).unwrap();
    let detail = format!(
        "server certificate {fingerprint} of `gateway.example` is not trusted: it is issued by itself, and is not in bundle `servers`"
    );
    let cure = format!(
        "if `gateway.example` is the right server, add its certificate `{fingerprint}` to bundle `servers` as a pin"
    );
    assert_eq!(flight.to_string(), format!("not believed: {detail}\n  cure: {cure}"));
    let json = serde_json::to_value(&flight).unwrap();
    let expected = serde_json::json!({
        "bundle": "servers", "name": "gateway.example", "believed": false, "detail": detail, "cure": cure
    });
    assert_eq!(json, expected);
    assert!(!fly(&bundle, SERVER, &[]).unwrap().is_believed(), "nothing is no server");
    let empty = fly(&TrustBundle::new("none".parse().unwrap()), SERVER, servers[0].1.chain());
    assert!(empty.unwrap_err().to_string().starts_with("bundle `none` is empty"));
}
