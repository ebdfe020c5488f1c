//! The matrix of old sessions: wherever they are kept, in both versions, nobody comes in by a session whose reason is gone,
//! and whoever has done nothing wrong resumes as the user that it was. Each way in has its harmless twin.
//!
//! `cargo test --test it resumption_matrix -- --nocapture` prints every cell.

use certmap::cert::RevocationList;
use certmap::policy::ClientAuth;
use certmap::rustls::HandshakeKind;
use certmap::testing::{TestIdentity, TestRevocationList};
use certmap::trust::Revocation;
use certmap::{Policy, RoleAssignment};

use crate::common::{Backend, SEND, Version, user};
use crate::hosting::{Change, DAY, Met, Site, World, believing, every_memory, scoped};

const FULL: HandshakeKind = HandshakeKind::Full;
const RESUMED: HandshakeKind = HandshakeKind::Resumed;
/// The last second of the partner's certificate.
const LAST: u64 = 2 * DAY;

/// What happened to the reason for which a session was made.
#[derive(Clone, Copy, Debug)]
enum Way {
    OtherCa,
    Revoked,
    Anonymous,
    Expired,
    RoleRemoved,
}

const WAYS: [Way; 5] = [Way::OtherCa, Way::Revoked, Way::Anonymous, Way::Expired, Way::RoleRemoved];

/// One half of a cell: what is in force after the session was made, and what becomes of whoever brings it.
struct After {
    policy: Policy,
    seconds: u64,
    met: Met,
}

impl Way {
    /// Under which the session was made: who presents, and to a host that asks in which way.
    fn before(self, world: &World) -> (Option<&TestIdentity>, ClientAuth) {
        match self {
            Self::Anonymous => (None, ClientAuth::Request),
            Self::OtherCa | Self::Revoked | Self::Expired | Self::RoleRemoved => {
                (Some(&world.partner), ClientAuth::Require)
            }
        }
    }

    fn gone(self, world: &World) -> After {
        let (policy, seconds, met) = match self {
            Self::OtherCa => (world.policy(Change::OtherCa), 0, Met::refused(None, "untrusted")),
            Self::Revoked => (world.policy(Change::Revoked), 0, Met::refused(Some(RESUMED), "certificate-revoked")),
            Self::Anonymous => (world.policy(Change::Nothing), 0, Met::refused(None, "no-certificate")),
            Self::Expired => {
                (world.policy(Change::Nothing), LAST + 1, Met::refused(Some(RESUMED), "certificate-expired"))
            }
            Self::RoleRemoved => {
                let met = Met { may_send: false, ..Met::admitted(RESUMED, "PARTNER") };
                (world.policy(Change::RoleRemoved), 0, met)
            }
        };
        After { policy, seconds, met }
    }

    /// The nearest that is no reason to refuse the partner.
    fn harmless(self, world: &World) -> After {
        let host = believing("gw", &world.ca);
        let (policy, seconds) = match self {
            // The same CA, read again.
            Self::OtherCa => (world.policy(Change::Nothing), 0),
            Self::Revoked => {
                let mut revocation = Revocation::new();
                let another = TestRevocationList::new().revoking(&[8]).signed_by(&world.ca);
                revocation.add(RevocationList::from_der(another.der()).unwrap());
                (world.builder(host).revocation(revocation).build().unwrap(), 0)
            }
            // It presented a certificate where it need not.
            Self::Anonymous => (world.policy_in(Change::Nothing, ClientAuth::Request), 0),
            Self::Expired => (world.policy(Change::Nothing), LAST),
            // Another has the role too: this one keeps it.
            Self::RoleRemoved => {
                let another = RoleAssignment::new(user("ANOTHER"), SEND);
                (world.builder(host).assignment(another).build().unwrap(), 0)
            }
        };
        After { policy, seconds, met: Met::admitted(RESUMED, "PARTNER") }
    }
}

/// Makes a session and resumes it, changes what is in force, and brings the session again.
fn bring(site: &Site, who: Option<&TestIdentity>, place: (Backend, Version), after: After) -> Met {
    let client = site.client(who, place.0, place.1);
    assert_eq!(site.meet(&client).kind, Some(FULL), "{place:?}");
    assert_eq!(site.meet(&client).kind, Some(RESUMED), "{place:?}: there is a session, and it is offered");
    site.policy.replace(after.policy);
    site.clock.set(after.seconds);
    site.meet(&client)
}

/// Decided after the handshake, and the role is there: what a gateway that wants it lets in.
fn lets_in(met: &Met) -> bool {
    met.answer.is_ok() && met.may_send
}

#[test]
fn no_old_session_admits_and_every_good_one_resumes_as_the_same_user() {
    let world = World::new();
    let mut wrong = Vec::new();
    for backend in [Backend::AwsLcRs, Backend::Ring] {
        let (mut cells, mut admitted, mut resumed) = (0, 0, 0);
        for (_, version, memory, place) in every_memory().filter(|(this, ..)| *this == backend) {
            for way in WAYS {
                let (who, auth) = way.before(&world);
                let site = |auth| {
                    let site = Site::new(world.policy_in(Change::Nothing, auth), backend);
                    site.resuming(scoped(memory, 7 * DAY, backend))
                };
                let (gone, harmless) = (way.gone(&world), way.harmless(&world));
                let expected = [&gone.met, &harmless.met].map(|met| format!("{met:?}"));
                let attack = bring(&site(auth), who, (backend, version), gone);
                let twin = bring(&site(auth), Some(&world.partner), (backend, version), harmless);
                println!("{place} {way:?}: {attack:?}; harmless: {twin:?}");
                cells += 1;
                admitted += usize::from(lets_in(&attack));
                resumed += usize::from(lets_in(&twin) && twin == Met::admitted(RESUMED, "PARTNER"));
                for (met, expected) in [attack, twin].iter().zip(expected) {
                    if format!("{met:?}") != expected {
                        wrong.push(format!("{place} {way:?}: {met:?} instead of {expected}"));
                    }
                }
            }
        }
        println!("{backend:?}: {admitted} of {cells} admitted, {resumed} of {cells} resumed as the same user");
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!((cells, admitted, resumed), (20, 0, 20), "{backend:?}");
    }
}

/// The session is the only way in of these: who comes without one to what is in force then is not let in either, so that
/// no cell is empty because the handshake would have failed anyhow for another reason.
#[test]
fn who_comes_without_a_session_gets_the_same_answer() {
    let world = World::new();
    for (backend, version, memory, place) in every_memory() {
        for way in WAYS {
            let (who, _) = way.before(&world);
            let After { policy, seconds, met } = way.gone(&world);
            let site = Site::new(policy, backend).resuming(scoped(memory, 7 * DAY, backend));
            site.clock.set(seconds);
            let fresh = site.meet(&site.client(who, backend, version));
            assert_eq!((fresh.answer, fresh.may_send), (met.answer, met.may_send), "{place} {way:?}");
        }
    }
}
