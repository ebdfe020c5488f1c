//! A gateway and its partner both change their certificates, again and again, while requests go on: none fails, and none
//! is taken for somebody else's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use certmap::document::{AddedAs, Document, HostSettings, NoReferences};
use certmap::policy::ClientAuth;
use certmap::review::{KeepOld, LastSeen, Rotation};
use certmap::rustls::pki_types::UnixTime;
use certmap::rustls::{ClientConfig, HandshakeKind};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::{
    CertUserMapping, ClientConfigBuilder, ClientConfigs, Fingerprint, IdentityHandle, RoleAssignment, Selector,
    TrustBundle,
};

use crate::common::{Backend, SEND, SERVER, Version, user};
use crate::hosting::{DAY, Met, Site, every_memory, scoped};

const HOUR: u64 = 3_600;
const ROTATIONS: u64 = 5;

fn document(partners: &[(&TestIdentity, &str)]) -> Document {
    let mut document = Document::new();
    let mut edit = document.edit(&NoReferences);
    let bundle = "partners".parse().unwrap();
    for (partner, name) in partners {
        let certificate = partner.certificate();
        edit.add_ca(&bundle, &certificate.der(), Some(AddedAs::Pin), None).unwrap();
        let selector = Selector::certificate(certificate.fingerprint());
        edit.map(&CertUserMapping::new(selector, user(name))).unwrap();
        edit.assign(&RoleAssignment::new(user(name), SEND)).unwrap();
    }
    let settings = HostSettings::new().with_bundle(bundle, ClientAuth::Require);
    edit.set_ssl_host(&"gw".parse().unwrap(), &settings).unwrap();
    document
}

fn builder(
    identity: impl Into<Arc<IdentityHandle>>,
    ca: &TestIdentity,
    backend: Backend,
    version: Version,
) -> ClientConfigBuilder {
    let mut servers = TrustBundle::new("servers".parse().unwrap());
    servers.add_anchor(ca.certificate().clone()).unwrap();
    ClientConfigBuilder::new(identity, servers)
        .with_provider(backend.speaking(version))
        .with_time_provider(TestClock::at(NOW))
}

fn server(ca: &TestIdentity, serial: u8) -> TestIdentity {
    TestCertificate::new("CN=gateway").with_serial(&[serial]).with_server_name(SERVER).issued_by(ca)
}

/// One who calls without end, and who it is.
struct Calling<'a> {
    name: &'a str,
    config: Box<dyn Fn() -> Arc<ClientConfig> + Send + Sync + 'a>,
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl<'a> Calling<'a> {
    fn new(name: &'a str, config: impl Fn() -> Arc<ClientConfig> + Send + Sync + 'a) -> Self {
        Self { name, config: Box::new(config), begun: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }
}

/// What the gateway saw.
#[derive(Default)]
struct Seen {
    last: Mutex<BTreeMap<Fingerprint, UnixTime>>,
    wrong: Mutex<Vec<String>>,
    full: AtomicUsize,
    resumed: AtomicUsize,
}

impl Seen {
    fn call(&self, site: &Site, caller: &Calling<'_>) {
        caller.begun.fetch_add(1, Ordering::SeqCst);
        let config = (caller.config)();
        let now = site.clock.now();
        let ends = site.call(&config, SERVER);
        let met = ends.met(now);
        match met.kind {
            Some(HandshakeKind::Resumed) => self.resumed.fetch_add(1, Ordering::SeqCst),
            _ => self.full.fetch_add(1, Ordering::SeqCst),
        };
        if met.answer.as_deref() == Ok(caller.name) && met.may_send {
            let certificate = Fingerprint::of(&ends.server().peer_certificates().unwrap()[0]);
            self.last.lock().unwrap().insert(certificate, now);
        } else {
            self.wrong.lock().unwrap().push(format!("{}: {met:?} {:?}", caller.name, ends.client_error));
        }
        caller.done.fetch_add(1, Ordering::SeqCst);
    }

    fn last(&self, of: &TestIdentity) -> Option<UnixTime> {
        self.last.lock().unwrap().get(&of.certificate().fingerprint()).copied()
    }
}

/// Until each caller has ended every call that it has begun, and one more.
fn settle(callers: &[Calling<'_>], stop: &AtomicBool) {
    for caller in callers {
        let begun = caller.begun.load(Ordering::SeqCst);
        while caller.done.load(Ordering::SeqCst) < begun + 1 {
            assert!(!stop.load(Ordering::SeqCst), "a caller has ended early");
            thread::yield_now();
        }
    }
}

/// Stops everybody also if something fails, so that the test ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn both_ends_rotate_five_times_under_requests_and_none_fails_or_is_somebody_else() {
    // Half of the combinations, so that every two of backend, version and memory meet.
    let kept = |(at, combination)| [0, 3, 5, 6].contains(&at).then_some(combination);
    for (backend, version, memory, place) in every_memory().enumerate().filter_map(kept) {
        let provider = backend.provider();
        let ca = TestCertificate::new("CN=servers' CA").as_ca().self_signed();
        let other = TestCertificate::new("CN=other").self_signed();
        let mut old = TestCertificate::new("CN=partner").self_signed();
        let mut document = document(&[(&old, "PARTNER"), (&other, "OTHER")]);
        let build = |document: &Document| document.build_with_provider(&NoReferences, &provider).unwrap();
        let site = Site::new(build(&document), backend).resuming(scoped(memory, DAY, backend));
        site.endpoint.replace_identity("gw".parse().unwrap(), server(&ca, 1).identity_on(&provider)).unwrap();

        let handle = Arc::new(IdentityHandle::new(old.identity_on(&provider)));
        let configs: ClientConfigs = builder(Arc::clone(&handle), &ca, backend, version).build_per_identity().unwrap();
        let live = Arc::new(builder(Arc::clone(&handle), &ca, backend, version).build_live().unwrap());
        let of_other = Arc::new(builder(other.identity_on(&provider), &ca, backend, version).build().unwrap());
        let callers = [
            Calling::new("PARTNER", || configs.current()),
            Calling::new("PARTNER", || Arc::clone(&live)),
            Calling::new("OTHER", || Arc::clone(&of_other)),
        ];
        let (seen, stop) = (Seen::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            let _stop = Stop(&stop);
            for caller in &callers {
                let (site, seen, stop) = (&site, &seen, &stop);
                scope.spawn(move || {
                    let _stop = Stop(stop);
                    while !stop.load(Ordering::SeqCst) {
                        seen.call(site, caller);
                    }
                });
            }
            for round in 1..=ROTATIONS {
                let place = format!("{place}, rotation {round}");
                let new = TestCertificate::new("CN=partner").self_signed();
                let (from, to) = (old.certificate().clone(), new.certificate().clone());
                let rotation = Rotation::new(from.clone(), to.clone(), Duration::from_secs(HOUR)).unwrap();
                let before = configs.current();

                // Stage.
                document.edit(&NoReferences).stage_rotation(&from, &to, None).unwrap();
                let staged = build(&document);
                assert_eq!(rotation.check(&staged, site.clock.now()), [], "{place}");
                site.policy.replace(staged);
                settle(&callers, &stop);
                let ask = || {
                    let last = LastSeen::default().with_old(seen.last(&old).unwrap());
                    let last = seen.last(&new).map_or(last, |at| last.with_new(at));
                    rotation.safe_to_remove(last, site.clock.now())
                };
                assert_eq!(ask(), Err(KeepOld::NewNeverSeen), "{place}");

                // Switch, and the gateway its own at the same time.
                handle.replace(new.identity_on(&provider));
                let renewed = server(&ca, u8::try_from(round).unwrap() + 1);
                site.endpoint.replace_identity("gw".parse().unwrap(), renewed.identity_on(&provider)).unwrap();
                settle(&callers, &stop);
                assert!(matches!(ask(), Err(KeepOld::OldSeen { .. })), "{place}");
                site.clock.set(round * 2 * HOUR);
                settle(&callers, &stop);
                assert_eq!(ask(), Ok(()), "{place}");

                // Finish.
                document.edit(&NoReferences).finish_rotation(&from, &to).unwrap();
                site.policy.replace(build(&document));
                settle(&callers, &stop);
                let met = site.meet(&before);
                assert_eq!(met.answer, Err("untrusted".to_owned()), "{place}: the old one is nobody now");
                old = new;
            }
        });
        let wrong = seen.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{place}: {} wrong, {:?}", wrong.len(), wrong.first());
        assert!(seen.resumed.load(Ordering::SeqCst) > 0, "{place}: sessions were resumed meanwhile");
        assert_eq!(document.list_cas(None, &NoReferences).len(), 2, "{place}: nothing is left behind");
        assert_eq!(site.meet(&live), Met::admitted(HandshakeKind::Full, "PARTNER"), "{place}");
    }
}
