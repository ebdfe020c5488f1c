//! Reading everything again: when it was told to, and when it has changed. What cannot be read leaves all as it was.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use certmap::live::Change;
use certmap::policy::{Guard, Tripped};
use certmap::rustls::pki_types::UnixTime;
use certmap::{Endpoint, PolicyHandle};
use tokio::signal::unix::Signal;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::Gateway;
use crate::config::{Generation, Seen, Source};

/// A reload may lose this many per cent of the rules.
const GUARD: u8 = 50;
/// How often it is looked whether something has changed, or somebody's standing has ended.
const TICK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Watcher {
    source: Source,
    /// What was read last, well or not.
    seen: Seen,
    /// What had changed when it was looked last: whoever writes a file in place should have ended by now.
    settling: Option<Seen>,
}

impl Watcher {
    pub(crate) fn new(source: Source, seen: Seen) -> Self {
        Self { source, seen, settling: None }
    }

    /// Watches until it panics, beside the threads that serve: files are read and signatures verified.
    pub(crate) async fn watch(mut self, gateway: Arc<Gateway>, mut hangup: Signal) -> JoinError {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                Some(()) = hangup.recv() => true,
                _ = tick.tick() => false,
            };
            let gateway = Arc::clone(&gateway);
            let look = move || {
                self.reload(&gateway, asked);
                end_who_lost_their_standing(&gateway);
                self
            };
            match spawn_blocking(look).await {
                Ok(watcher) => self = watcher,
                Err(panic) => return panic,
            }
        }
    }

    /// Puts in force what has changed, or everything if it was asked for.
    fn reload(&mut self, gateway: &Gateway, asked: bool) {
        if !asked && self.source.still(&self.seen) {
            return;
        }
        let (read, seen) = self.source.read();
        if !asked && self.settling.as_ref() != Some(&seen) {
            self.settling = Some(seen);
            return;
        }
        (self.seen, self.settling) = (seen, None);
        let said = match read.map(|generation| put_in_force(gateway, generation)) {
            Ok(Ok(said)) => said,
            Ok(Err(tripped)) => format!("not reloaded: {tripped}; or start the gateway anew"),
            Err(error) => format!("not reloaded: {error}"),
        };
        gateway.log.say_blocking(said);
    }
}

/// All of it at once, or nothing.
fn put_in_force(gateway: &Gateway, generation: Generation) -> Result<String, Tripped> {
    let Generation { policy, routes: next, identities, mut warnings } = generation;
    let policy = Arc::new(policy);
    let mut said = vec![format!("policy {} is in force", policy.digest())];
    said.extend(identities.iter().map(|(host, own)| format!("; host {host} is {}", own.certificate().fingerprint())));
    // A host without an identity refuses everybody, which is no reason to leave the old policy in force.
    let listener = gateway.endpoint.listener().clone();
    let trial = Endpoint::new(PolicyHandle::new(Arc::clone(&policy)), listener, identities.clone());
    warnings.extend(trial.err().map(|error| error.to_string()));
    said.extend(warnings.iter().map(|warning| format!("\nwarning: {warning}")));
    let mut routes = gateway.routes.write().unwrap_or_else(PoisonError::into_inner);
    gateway.endpoint.policy().try_replace(policy, Guard::lost_mappings(GUARD))?;
    for (host, identity) in identities {
        gateway.endpoint.replace_identity(host, identity);
    }
    *routes = next;
    Ok(said.concat())
}

fn end_who_lost_their_standing(gateway: &Gateway) {
    for change in gateway.callers.review(UnixTime::now()) {
        if let Change::Ended { handle, refused } = change {
            gateway
                .log
                .say_blocking(refused.record().with_peer(handle.peer).with_connection(handle.number.to_string()));
            handle.lost.notify_one();
        }
    }
}
