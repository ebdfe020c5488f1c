//! Many real connections while the policy is replaced under them, and what that does to the decisions.
//!
//! Every generation of the policy calls every partner by a name of its own (`p3.g17`) with a role of its own, and leaves
//! some partners out. So an answer tells by which policy it was given, and one that is made of two policies is seen.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use certmap::live::{Callers, Change};
use certmap::policy::{ClientAuth, Guard};
use certmap::rustls::client::Resumption as ClientResumption;
use certmap::rustls::crypto::{CryptoProvider, aws_lc_rs};
use certmap::rustls::{ClientConfig, SupportedProtocolVersion, version};
use certmap::testing::{NOW, TestCertificate, TestClock, TestIdentity};
use certmap::tls::{Resumption, TicketKey, TicketKeys};
use certmap::{
    CertUserMapping, ClientConfigBuilder, Endpoint, Host, Policy, PolicyBuilder, PolicyDigest, PolicyHandle, Role,
    RoleAssignment, Selector, TrustBundle,
};

use crate::line::{Answer, Line, SERVER};

/// The first half is pinned, the second below a CA.
const PARTNERS: usize = 8;
const THREADS: usize = 2;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections.
    pub handshakes: u64,
    /// Reloads, every other of which fails on purpose.
    pub reloads: u64,
    /// Removals of a partner that is connected.
    pub removals: u64,
    /// After so long the connections end, however many there were.
    pub seconds: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Connections that were answered as a policy says that was in force between their begin and their end.
    pub right: u64,
    /// Those of them that were admitted.
    pub admitted: u64,
    /// Those of them that resumed a session.
    pub resumed: u64,
    /// Those of them that were refused in their handshake.
    pub refused_early: u64,
    /// Answered as no such policy says, or not at all: each in words.
    pub wrong: Vec<String>,
    /// Reloads that were put in force, and those that failed as they were meant to.
    pub reloads: [u64; 2],
    /// How long each removal took until the last refusal.
    pub removals: Vec<Duration>,
    /// Resident memory at each quarter of the connections, in KiB; nothing where the system does not tell.
    pub memory: Vec<u64>,
}

impl Seen {
    /// True unless memory grew by more than a tenth from the first quarter on, which fills the stores of sessions.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let after_first = self.memory.get(1).zip(self.memory.last());
        after_first.is_none_or(|(first, last)| last * 10 <= first * 11)
    }
}

struct World {
    ca: TestIdentity,
    partners: Vec<TestIdentity>,
    server: TestIdentity,
    provider: Arc<CryptoProvider>,
}

impl World {
    fn new() -> Self {
        let ca = TestCertificate::new("CN=CA").as_ca().self_signed();
        let partners = (0..PARTNERS).map(|n| {
            let partner = TestCertificate::new(&format!("CN=p{n}")).with_purpose(2);
            if n < PARTNERS / 2 { partner.self_signed() } else { partner.issued_by(&ca) }
        });
        let partners = partners.collect();
        let server = TestCertificate::new("CN=gateway").with_server_name(SERVER).self_signed();
        Self { partners, ca, server, provider: Arc::new(aws_lc_rs::default_provider()) }
    }

    /// Whether this generation knows the partner.
    fn knows(generation: u64, partner: usize) -> bool {
        !(generation + partner as u64).is_multiple_of(5)
    }

    /// Whether this generation trusts the partner: it is pinned, or below the CA.
    fn trusts(generation: u64, partner: usize) -> bool {
        partner >= PARTNERS / 2 || !(generation.is_multiple_of(16) && partner == 0)
    }

    fn builder(&self, generation: u64) -> PolicyBuilder {
        let mut bundle = TrustBundle::new("partners".parse().expect("a name"));
        bundle.add_anchor(self.ca.certificate().clone()).expect("a CA");
        let pinned = self.partners.iter().take(PARTNERS / 2).enumerate();
        for (_, partner) in pinned.filter(|(n, _)| Self::trusts(generation, *n)) {
            bundle.add_pin(partner.certificate().clone()).expect("an end entity");
        }
        let host = Host::new("gw".parse().expect("an id"), bundle).with_client_auth(ClientAuth::Require);
        let known = self.partners.iter().enumerate().filter(|(n, _)| Self::knows(generation, *n));
        known.fold(PolicyBuilder::for_host(host), |builder, (n, partner)| {
            let user: certmap::UserName = format!("p{n}.g{generation}").parse().expect("a user name");
            let selector = Selector::certificate(partner.certificate().fingerprint());
            let role = role(generation);
            builder.mapping(CertUserMapping::new(selector, user.clone())).assignment(RoleAssignment::new(user, role))
        })
    }

    fn policy(&self, generation: u64) -> Policy {
        self.builder(generation).build().expect("a policy")
    }

    fn endpoint(&self, policy: &Arc<PolicyHandle>, tickets: bool) -> Endpoint {
        let identity = self.server.identity_on(&self.provider);
        let provider = Arc::clone(&self.provider);
        let endpoint = Endpoint::single_with_provider(Arc::clone(policy), identity, provider).expect("an endpoint");
        let resumption = Resumption::scoped(Duration::from_hours(24)).expect("a lifetime");
        let keys = || TicketKeys::new_with_provider(TicketKey::new([7; 32]), Arc::clone(&self.provider));
        let resumption = if tickets { resumption.with_tickets(keys().expect("a suite")) } else { resumption };
        endpoint.with_time_provider(TestClock::at(NOW)).with_resumption(resumption).expect("resumption")
    }

    fn client(&self, partner: usize, version: &SupportedProtocolVersion, resumes: bool) -> Arc<ClientConfig> {
        let mut servers = TrustBundle::new("servers".parse().expect("a name"));
        servers.add_pin(self.server.certificate().clone()).expect("an end entity");
        let mut provider = (*self.provider).clone();
        provider.cipher_suites.retain(|suite| suite.version() == version);
        let identity = self.partners.get(partner).expect("a partner").identity_on(&provider);
        let builder = ClientConfigBuilder::new(identity, servers).with_provider(Arc::new(provider));
        let mut client = builder.with_time_provider(TestClock::at(NOW)).build().expect("a client");
        if !resumes {
            client.resumption = ClientResumption::disabled();
        }
        Arc::new(client)
    }
}

fn role(generation: u64) -> Role {
    format!("soak/g{generation}").parse().expect("a role")
}

/// The policy in force, and between which two generations it is.
struct InForce {
    handle: Arc<PolicyHandle>,
    /// By generation.
    digests: RwLock<Vec<PolicyDigest>>,
    /// The newest that may be in force, and the oldest that may.
    begun: AtomicU64,
    done: AtomicU64,
}

impl InForce {
    fn new(world: &World) -> Self {
        let first = world.policy(0);
        let digests = RwLock::new(vec![first.digest()]);
        let handle = Arc::new(PolicyHandle::new(first));
        Self { handle, digests, begun: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// Puts the next generation in force.
    fn replace(&self, world: &World) {
        let generation = self.begun.load(Ordering::SeqCst) + 1;
        let next = world.policy(generation);
        self.digests.write().expect("no panic").push(next.digest());
        self.begun.store(generation, Ordering::SeqCst);
        self.handle.replace(next);
        self.done.store(generation, Ordering::SeqCst);
    }

    /// A reload that must not succeed; false if it did, or changed something.
    fn fail(&self, world: &World, kind: u64) -> bool {
        let before = self.handle.current().digest();
        let generation = self.done.load(Ordering::SeqCst);
        let failed = match kind % 4 {
            0 => {
                // Two users for one certificate.
                let partner = world.partners.first().expect("a partner").certificate().fingerprint();
                let contradiction = ["x", "y"].map(|user| {
                    CertUserMapping::new(Selector::certificate(partner), user.parse().expect("a user name"))
                });
                world.builder(generation).mappings(contradiction).build().is_err()
            }
            1 => {
                let half = PolicyBuilder::new().partner("x".parse().expect("a user name"), world.ca_free(), []);
                self.handle.try_replace(half.build().expect("a policy"), Guard::lost_mappings(20)).is_err()
            }
            2 => {
                let stale = world.policy(generation + 1_000_000);
                self.handle.compare_and_replace(stale.digest(), stale).is_err()
            }
            _ => {
                let empty = TrustBundle::new("partners".parse().expect("a name"));
                PolicyBuilder::for_host(Host::new("gw".parse().expect("an id"), empty)).build().is_err()
            }
        };
        failed && self.handle.current().digest() == before
    }
}

impl World {
    /// Whom no generation has a rule for.
    fn ca_free(&self) -> certmap::Certificate {
        self.server.certificate().clone()
    }
}

/// Whether a policy that was in force meanwhile says this; otherwise what is wrong.
fn judge(in_force: &InForce, partner: usize, range: [u64; 2], answer: &Answer) -> Result<(), String> {
    let of = |digest: PolicyDigest| {
        let digests = in_force.digests.read().expect("no panic");
        let found = digests.iter().rposition(|known| *known == digest).map(|at| at as u64);
        found
            .filter(|at| range[0] <= *at && *at <= range[1])
            .ok_or_else(|| format!("policy {digest}, not of {range:?}"))
    };
    match answer {
        Answer::Admitted { user, policy, caller } => {
            let generation = of(*policy)?;
            let expected = format!("p{partner}.g{generation}");
            if *user != expected || !World::knows(generation, partner) || !World::trusts(generation, partner) {
                return Err(format!("p{partner} is {user} under generation {generation}"));
            }
            // As a request is admitted: perhaps by a newer policy, but whole.
            if let Ok(principal) = caller.admit(certmap::Authority::NotHttp, NOW) {
                let newer = in_force.begun.load(Ordering::SeqCst);
                let user = principal.user().to_string();
                let of_user = user.rsplit_once(".g").and_then(|(_, number)| number.parse().ok()).unwrap_or(u64::MAX);
                let whole = user == format!("p{partner}.g{of_user}")
                    && (generation..=newer).contains(&of_user)
                    && principal.require(&role(of_user)).is_ok()
                    && in_force.digests.read().expect("no panic").get(usize::try_from(of_user).expect("small"))
                        == Some(&principal.policy());
                if !whole {
                    return Err(format!("p{partner} is {principal:?}, between {generation} and {newer}"));
                }
            }
            Ok(())
        }
        Answer::Refused { code, early, policy } => {
            let range = match policy {
                Some(digest) => [of(*digest)?; 2],
                None => range,
            };
            let said = |generation: u64| match (World::trusts(generation, partner), World::knows(generation, partner)) {
                (false, _) => "untrusted",
                (true, false) if !early => "not-mapped",
                (true, _) => "",
            };
            if (range[0]..=range[1]).any(|generation| said(generation) == code) {
                return Ok(());
            }
            Err(format!("p{partner} is refused: {code} in {range:?}, early: {early}"))
        }
    }
}

/// What is shared by those who call and who reloads.
struct Shared<'a> {
    world: &'a World,
    in_force: InForce,
    endpoints: [Endpoint; 2],
    begun: AtomicU64,
    ended: AtomicU64,
    callers: AtomicUsize,
    late: AtomicBool,
}

/// Runs a plan.
///
/// # Errors
/// If this host has no network of its own.
///
/// # Panics
/// If a thread does.
pub fn run(plan: Plan) -> io::Result<Seen> {
    let world = World::new();
    let in_force = InForce::new(&world);
    let endpoints = [false, true].map(|tickets| world.endpoint(&in_force.handle, tickets));
    let shared = Shared {
        world: &world,
        in_force,
        endpoints,
        begun: AtomicU64::new(0),
        ended: AtomicU64::new(0),
        callers: AtomicUsize::new(THREADS),
        late: AtomicBool::new(false),
    };
    let lines = (0..THREADS).map(|_| Line::new()).collect::<io::Result<Vec<_>>>()?;
    let mut seen = std::thread::scope(|scope| {
        let calling: Vec<_> = lines
            .iter()
            .zip(0..)
            .map(|(line, seed)| {
                let shared = &shared;
                scope.spawn(move || calls(shared, line, plan, seed))
            })
            .collect();
        let mut seen = reloads(&shared, plan);
        for one in calling {
            let of_one = one.join().expect("no panic");
            seen.right += of_one.right;
            seen.admitted += of_one.admitted;
            seen.resumed += of_one.resumed;
            seen.refused_early += of_one.refused_early;
            seen.wrong.extend(of_one.wrong);
        }
        seen
    });
    removals(&world, plan.removals, &mut seen)?;
    Ok(seen)
}

fn calls(shared: &Shared<'_>, line: &Line, plan: Plan, number: u64) -> Seen {
    let mut random = fastrand::Rng::with_seed(number);
    let mut seen = Seen::default();
    let clients: Vec<_> = (0..PARTNERS)
        .map(|partner| {
            [&version::TLS12, &version::TLS13].map(|version| {
                [true, false]
                    .map(|resumes| shared.endpoints.each_ref().map(|_| shared.world.client(partner, version, resumes)))
            })
        })
        .collect();
    let start = Instant::now();
    while shared.begun.fetch_add(1, Ordering::SeqCst) < plan.handshakes {
        if start.elapsed().as_secs() >= plan.seconds {
            shared.late.store(true, Ordering::SeqCst);
            break;
        }
        let (partner, version) = (random.usize(..PARTNERS), random.usize(..2));
        // One of four never resumes.
        let (fresh, memory) = (usize::from(random.u8(..4) == 0), random.usize(..2));
        let from = shared.in_force.done.load(Ordering::SeqCst);
        let called = line.call(&shared.endpoints[memory], &clients[partner][version][fresh][memory]);
        let to = shared.in_force.begun.load(Ordering::SeqCst);
        let judged = called.and_then(|(answer, resumed)| {
            judge(&shared.in_force, partner, [from, to], &answer).map(|()| (answer, resumed))
        });
        match judged {
            Ok((answer, resumed)) => {
                seen.right += 1;
                seen.resumed += u64::from(resumed);
                seen.admitted += u64::from(matches!(answer, Answer::Admitted { .. }));
                seen.refused_early += u64::from(matches!(answer, Answer::Refused { early: true, .. }));
            }
            Err(wrong) => seen.wrong.push(wrong),
        }
        shared.ended.fetch_add(1, Ordering::SeqCst);
    }
    shared.callers.fetch_sub(1, Ordering::SeqCst);
    seen
}

/// Reloads as often as planned, evenly among the connections; every other one fails.
fn reloads(shared: &Shared<'_>, plan: Plan) -> Seen {
    let mut seen = Seen::default();
    let mut done = 0;
    loop {
        let ended = shared.ended.load(Ordering::SeqCst);
        while done < plan.reloads && done * plan.handshakes < ended * plan.reloads {
            if done.is_multiple_of(2) {
                shared.in_force.replace(shared.world);
                seen.reloads[0] += 1;
            } else if shared.in_force.fail(shared.world, done / 2) {
                seen.reloads[1] += 1;
            } else {
                seen.wrong.push(format!("reload {done} changed something"));
            }
            done += 1;
        }
        while seen.memory.len() <= 4 && ended * 4 >= plan.handshakes * seen.memory.len() as u64 {
            seen.memory.push(resident());
        }
        if shared.callers.load(Ordering::SeqCst) == 0 {
            let all = !shared.late.load(Ordering::SeqCst);
            // The last few may have come due after the last look.
            if !all || (done == plan.reloads && seen.memory.len() > 4) || ended == shared.ended.load(Ordering::SeqCst) {
                return seen;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// A partner is connected and has a session. Its rule goes, and from then on the clock runs: until the policy is built and in
/// force, the registry has told of the open connection, the next request on it is refused, and so is a new connection that
/// resumes the session.
fn removals(world: &World, count: u64, seen: &mut Seen) -> io::Result<()> {
    let line = Line::new()?;
    let in_force = InForce::new(world);
    let endpoint = world.endpoint(&in_force.handle, true);
    let callers = Callers::with_limit(16);
    let versions = [&version::TLS12, &version::TLS13];
    for trial in 0..count {
        // Generation 0 knows all but 0 and 5.
        let partner = [1, 2, 3, 4, 6, 7][usize::try_from(trial % 6).expect("small")];
        in_force.handle.replace(world.policy(0));
        let client = world.client(partner, versions[usize::from(trial / 6 % 2 == 1)], true);
        let Ok((Answer::Admitted { caller: open, .. }, false)) = line.call(&endpoint, &client) else {
            seen.wrong.push(format!("trial {trial}: not admitted before it was removed"));
            continue;
        };
        let registered = callers.register(open.clone(), trial, NOW);
        // A generation that leaves this partner out.
        let without = (1..=5).find(|generation| !World::knows(*generation, partner)).expect("one of five");
        let removed = Instant::now();
        in_force.handle.replace(world.policy(without));
        let told = callers.review(NOW);
        let asked = open.admit(certmap::Authority::NotHttp, NOW);
        let called = line.call(&endpoint, &client);
        let took = removed.elapsed();
        let ended = matches!(&told[..], [Change::Ended { handle, .. }] if *handle == trial);
        let refused = matches!(&called, Ok((Answer::Refused { code, .. }, _)) if code == "not-mapped");
        if ended && asked.is_err() && refused && registered.is_ok() {
            seen.removals.push(took);
        } else {
            seen.wrong.push(format!("trial {trial}: ended {ended}, asked {asked:?}, refused {refused}"));
        }
    }
    Ok(())
}

#[test]
fn no_decision_is_wrong_lost_or_made_of_two_policies() {
    let seen = run(Plan { handshakes: 800, reloads: 80, removals: 12, seconds: u64::MAX }).unwrap();
    assert_eq!(seen.wrong, [""; 0]);
    assert_eq!((seen.right, seen.reloads, seen.removals.len()), (800, [40, 40], 12));
    assert!(seen.resumed > 100 && seen.refused_early > 0 && seen.admitted > 400, "{seen:?}");
}

#[test]
fn memory_may_grow_until_the_first_quarter() {
    let of = |memory: &[u64]| Seen { memory: memory.to_vec(), ..Seen::default() }.is_steady();
    assert!(of(&[]) && of(&[10]) && of(&[10, 100, 110, 105, 110]));
    assert!(!of(&[10, 100, 101, 105, 111]));
}
