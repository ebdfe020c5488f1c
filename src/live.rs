//! Open connections, and which of them have lost their standing: for gateways that close what they should.
//!
//! A decision is made for every request anyhow; this is for connections on which nothing is asked for a long time, and for
//! protocols that ask once. Owns no socket and starts no thread: the gateway says when to look, and is given back the
//! handles that it gave.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::pki_types::UnixTime;

use crate::decision::{Caller, Outcome, Principal, Refused};
use crate::policy::Edition;
use crate::role::Role;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::user::UserName;

/// The callers of open connections, each with a handle of the gateway's own: a cancellation token, for instance.
///
/// Bounded: at most as many as it was made for. What [`register`](Self::register) returns takes its caller out when it is
/// dropped, so connections that are gone leave nothing behind. Cheap to clone; clones are one.
///
/// ```
/// use std::sync::Arc;
/// use certmap::live::{Callers, Change};
/// use certmap::rustls::pki_types::UnixTime;
/// use certmap::{Caller, Evidence, PolicyBuilder, PolicyHandle};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// # let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_435_200));
/// let with_partner = PolicyBuilder::new().partner("erp".parse()?, certificate.clone(), []);
/// let policy = Arc::new(PolicyHandle::new(with_partner.clone().build()?));
/// let caller = Caller::new(policy.clone(), Evidence::after_handshake("default".parse()?, [certificate.der()]));
///
/// let callers: Callers<&str> = Callers::with_limit(10_000);
/// let _until_dropped = callers.register(caller, "connection 7", now)?;
/// assert!(callers.review(now).is_empty());
///
/// policy.replace(with_partner.disabled_user("erp".parse()?).build()?);
/// let [Change::Ended { handle, refused }] = &callers.review(now)[..] else { panic!("one has to close") };
/// assert_eq!((*handle, refused.code().as_str()), ("connection 7", "user-disabled"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Callers<T>(Arc<Mutex<Inner<T>>>);

struct Inner<T> {
    limit: usize,
    next: u64,
    open: BTreeMap<u64, Open<T>>,
}

struct Open<T> {
    caller: Caller,
    handle: T,
    seen: Seen,
}

/// What a caller was when somebody looked last.
#[derive(Clone)]
struct Seen {
    policy: Edition,
    from: UnixTime,
    /// `None` for the anonymous, whose standing no time ends.
    until: Option<UnixTime>,
    standing: Standing,
    /// The gateway does not know: the caller was refused when it was registered.
    untold: bool,
    /// How many reviews have decided.
    review: u64,
}

/// Who it is, and what it may do: what a gateway may have remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Anonymous,
    Refused,
    User(UserName, Vec<Role>),
}

/// What has become of an open connection since somebody looked last.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever matches must act on each; a new one must break their build")]
pub enum Change<T> {
    /// It is somebody else now, or has other roles: what was remembered of it is not true any more.
    Changed {
        /// The gateway's handle.
        handle: T,
        /// Who it is now; `None` if it is anonymous now.
        principal: Option<Principal>,
    },
    /// It is refused now: close it. Told once.
    Ended {
        /// The gateway's handle.
        handle: T,
        /// Why.
        refused: Refused,
    },
}

/// Keeps a caller registered as long as it lives.
#[must_use = "dropping it takes the caller out"]
pub struct Registered<T> {
    callers: Callers<T>,
    id: u64,
}

impl<T: Clone> Callers<T> {
    /// Room for so many callers.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Inner { limit, next: 0, open: BTreeMap::new() })))
    }

    /// Registers the caller of an open connection, as it stands now. One that is refused already, because a policy was replaced
    /// during its handshake, is told as [`Change::Ended`] at the next [`review`](Self::review).
    ///
    /// # Errors
    /// [`TooManyCallers`] if there is no room.
    pub fn register(&self, caller: Caller, handle: T, now: UnixTime) -> Result<Registered<T>, TooManyCallers> {
        loop {
            let mut seen = Seen::of(&caller, now).0;
            seen.untold = seen.standing == Standing::Refused;
            let mut inner = self.lock();
            if inner.open.len() >= inner.limit {
                return Err(TooManyCallers { limit: inner.limit });
            }
            // A review of what is in force now did not find it, and there may be no other for long. Whoever replaces the
            // policy from here on finds it.
            if seen.policy != caller.policy_in_force() {
                continue;
            }
            let id = inner.next;
            inner.next += 1;
            inner.open.insert(id, Open { caller, handle, seen });
            return Ok(Registered { callers: Self(Arc::clone(&self.0)), id });
        }
    }

    /// Decides again about everybody whose standing may have changed: because another policy is in force, a validity has
    /// ended, or the clock was set back. Returns those whose standing has changed, in the order in which they came.
    ///
    /// Call it after a policy was replaced, and at [`next_end`](Self::next_end). While nothing can have changed it costs a
    /// comparison for each caller. Callers may come and go meanwhile, policies may be replaced, and several may review at
    /// once: each change is told to one of them, and what is told last is what is in force.
    #[must_use]
    pub fn review(&self, now: UnixTime) -> Vec<Change<T>> {
        let mut stale: Vec<(u64, Caller, u64)> = {
            let inner = self.lock();
            let stale = inner.open.iter().filter(|(_, open)| open.seen.may_have_changed(&open.caller, now));
            stale.map(|(id, open)| (*id, open.caller.clone(), open.seen.review)).collect()
        };
        let mut changes = BTreeMap::new();
        while !stale.is_empty() {
            // Decided without the lock: signatures may have to be verified.
            let decide = |(id, caller, review): (u64, Caller, u64)| (id, review, Seen::of(&caller, now), caller);
            let decided: Vec<_> = core::mem::take(&mut stale).into_iter().map(decide).collect();
            let mut inner = self.lock();
            for (id, review, (seen, answer), caller) in decided {
                // Whom another review has told of meanwhile, it told of by what was in force then, later than this one looked.
                let Some(open) = inner.open.get_mut(&id).filter(|open| open.seen.review == review) else { continue };
                // Decided by a policy that is not in force any more: that may not be the last word.
                if seen.policy != caller.policy_in_force() {
                    stale.push((id, caller, review));
                    continue;
                }
                let tell = open.seen.untold || open.seen.standing != seen.standing;
                // Before anything changes: it is the gateway's code, and may panic.
                let handle = tell.then(|| open.handle.clone());
                open.seen = Seen { review: review + 1, ..seen };
                if let Some(handle) = handle {
                    let change = match answer {
                        Ok(principal) => Change::Changed { handle, principal },
                        Err(refused) => Change::Ended { handle, refused },
                    };
                    changes.insert(id, change);
                }
            }
        }
        changes.into_values().collect()
    }

    /// The last second in which nobody's standing ends by itself: [`review`](Self::review) after it. `None` if none ends.
    #[must_use]
    pub fn next_end(&self) -> Option<UnixTime> {
        self.lock().open.values().filter_map(|open| open.seen.until).min()
    }
}

impl<T> Callers<T> {
    /// How many callers are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// True if nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that can panic happens between two changes under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// As the caller stands now, and the answer behind it.
    fn of(caller: &Caller, now: UnixTime) -> (Self, Result<Option<Principal>, Refused>) {
        let (policy, decision) = caller.decide_by(now);
        let seen = |until, standing| Self { policy, from: now, until, standing, untold: false, review: 0 };
        if matches!(decision.outcome(), Outcome::Anonymous) {
            return (seen(None, Standing::Anonymous), Ok(None));
        }
        match decision.into_result() {
            Ok(principal) => {
                let standing = Standing::User(principal.user().clone(), principal.roles().to_vec());
                (seen(Some(principal.valid_until()), standing), Ok(Some(principal)))
            }
            Err(refused) => (seen(None, Standing::Refused), Err(refused)),
        }
    }

    fn may_have_changed(&self, caller: &Caller, now: UnixTime) -> bool {
        self.untold
            || self.policy != caller.policy_in_force()
            || now < self.from
            || self.until.is_some_and(|until| now > until)
    }
}

impl<T> Clone for Callers<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Registered<T> {
    fn drop(&mut self) {
        // The handle goes after the lock: what the gateway does then is its own, and may ask the registry.
        let gone = self.callers.lock().open.remove(&self.id);
        drop(gone);
    }
}

impl<T> fmt::Debug for Callers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        write!(f, "Callers({} of {})", inner.open.len(), inner.limit)
    }
}

impl<T> fmt::Debug for Registered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registered({})", self.id)
    }
}

/// There is no room for another caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{limit} callers are registered already, and there is room for no more: close connections, or make the registry larger"
)]
#[non_exhaustive]
pub struct TooManyCallers {
    /// How many there is room for.
    pub limit: usize,
}
