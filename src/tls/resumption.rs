//! Resumed sessions: each only on the host, under the trust and in the time that it was made for.
//!
//! rustls asks no verifier when a session is resumed, and compares nothing but the server name and the cipher suite. So
//! every session that leaves us is sealed with its scope; what comes back under another scope is as if it were unknown, and
//! becomes a full handshake. The user is in no session: it is decided after every handshake.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use rustls::server::{ProducesTickets, ServerConfig, ServerSessionMemoryCache, StoresServerSessions};
use rustls::time_provider::TimeProvider;

use super::tickets::TicketKeys;
use crate::cert::Fingerprint;
use crate::limits::{RESUMPTION_LIFETIME, SESSION_BYTES, STORED_SESSIONS};
use crate::policy::{HostId, PolicyHandle};

/// How an endpoint resumes sessions.
///
/// A session is resumed only on the host that made it, while that host has the same bundle and asks for certificates in the
/// same way, and in the same epoch. Epochs are as long as the lifetime; at the end of one every session dies, although
/// tickets are renewed with every use, so nobody goes without a full handshake for longer. Each host has its epochs shifted,
/// so that a fleet does not come back in one second. Denial, revocation, rules and roles are not part of it, because every
/// decision asks for them. Early data (0-RTT) is never read.
///
/// Cheap to clone; clones share the stored sessions, and so do the hosts of an endpoint: the clients of one host can push out
/// the sessions of another, and cannot resume them. Who is pushed out makes a full handshake. Hosts that must not feel each
/// other have endpoints with a `Resumption` each, or tickets, which are stored nowhere.
///
/// ```
/// use std::time::Duration;
/// use certmap::tls::Resumption;
/// assert!(Resumption::scoped(Duration::from_secs(4 * 3600)).is_ok());
/// assert!(Resumption::scoped(Duration::from_secs(30 * 86_400)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Resumption {
    lifetime: Duration,
    store: Arc<dyn StoresServerSessions>,
    keys: Option<TicketKeys>,
}

impl Resumption {
    /// Remembers sessions in memory, at most [`STORED_SESSIONS`] of them, for at most `lifetime`.
    ///
    /// # Errors
    /// [`InvalidLifetime`] if it is shorter than a second or longer than [`RESUMPTION_LIFETIME`].
    pub fn scoped(lifetime: Duration) -> Result<Self, InvalidLifetime> {
        if lifetime.as_secs() == 0 || lifetime > RESUMPTION_LIFETIME {
            return Err(InvalidLifetime { seconds: lifetime.as_secs() });
        }
        Ok(Self { lifetime, store: ServerSessionMemoryCache::new(STORED_SESSIONS), keys: None })
    }

    /// Gives the sessions to the clients, sealed into tickets, instead of remembering them.
    #[must_use]
    pub fn with_tickets(self, keys: TicketKeys) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Makes a configuration resume the sessions of this scope.
    pub(super) fn apply(&self, config: &mut ServerConfig, scope: Scope) {
        config.send_tls13_tickets = 2;
        if let Some(keys) = &self.keys {
            config.ticketer = Arc::new(ScopedTickets { keys: keys.clone(), scope });
        } else {
            config.session_storage = Arc::new(ScopedStore { inner: Arc::clone(&self.store), scope });
        }
    }
}

impl fmt::Debug for Resumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lifetime, store: _, keys } = self;
        write!(f, "Resumption({} s, {})", lifetime.as_secs(), if keys.is_some() { "tickets" } else { "stored" })
    }
}

/// A lifetime of sessions that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sessions cannot be resumed for {seconds} s: say at least a second and at most {} s (RFC 8446, section 4.6.1)", RESUMPTION_LIFETIME.as_secs())]
#[non_exhaustive]
pub struct InvalidLifetime {
    /// What was asked for.
    pub seconds: u64,
}

/// Where and when a session may be resumed, on the policy in force whenever it is asked.
pub(super) struct Scope {
    policy: Arc<PolicyHandle>,
    host: HostId,
    clock: Arc<dyn TimeProvider>,
    /// Seconds of an epoch, not zero.
    lifetime: u64,
    /// Seconds by which the epochs of this host begin earlier.
    offset: u64,
}

/// The mark on every session: the host's scope, and the epoch.
type Mark = [u8; 40];

impl Scope {
    pub(super) fn new(
        policy: Arc<PolicyHandle>,
        host: HostId,
        clock: Arc<dyn TimeProvider>,
        resumption: &Resumption,
    ) -> Self {
        let lifetime = resumption.lifetime.as_secs().max(1);
        let spread = Fingerprint::of(host.as_str().as_bytes());
        let spread = spread.as_bytes().first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets));
        let offset = spread % lifetime;
        Self { policy, host, clock, lifetime, offset }
    }

    /// `None` if the host is not there any more, or the clock does not tell the time.
    fn mark(&self) -> Option<Mark> {
        let current = self.policy.current();
        let scope = current.host_table().get(&self.host)?.scope();
        let now = self.clock.current_time()?.as_secs();
        let epoch = now.saturating_add(self.offset) / self.lifetime;
        let mut mark = [0; 40];
        let (head, tail) = mark.split_at_mut(32);
        head.copy_from_slice(scope.as_bytes());
        tail.copy_from_slice(&epoch.to_be_bytes());
        Some(mark)
    }

    fn seal(&self, session: &[u8]) -> Option<Vec<u8>> {
        Some([&self.mark()?[..], session].concat())
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        sealed.strip_prefix(&self.mark()?[..]).map(<[u8]>::to_vec)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({}, {} s)", self.host, self.lifetime)
    }
}

/// Sessions in memory, each under its scope.
#[derive(Debug)]
struct ScopedStore {
    inner: Arc<dyn StoresServerSessions>,
    scope: Scope,
}

impl StoresServerSessions for ScopedStore {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        // What peers present is in it, so its size is theirs to choose where a handshake refuses nobody.
        let sealed = self.scope.seal(&value).filter(|sealed| sealed.len() <= SESSION_BYTES);
        sealed.is_some_and(|sealed| self.inner.put(key, sealed))
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.scope.open(&self.inner.get(key)?)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.scope.open(&self.inner.take(key)?)
    }

    fn can_cache(&self) -> bool {
        self.inner.can_cache()
    }
}

/// Sessions in tickets, each under its scope.
#[derive(Debug)]
struct ScopedTickets {
    keys: TicketKeys,
    scope: Scope,
}

impl ProducesTickets for ScopedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(self.scope.lifetime).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.keys.seal(&self.scope.seal(plain)?)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.scope.open(&self.keys.open(cipher)?)
    }
}
