//! Reading the policy again: when it was told to, and when it has changed. What cannot be read leaves all as it was.

use std::sync::Arc;

use certmap::live::Change;
use certmap::policy::Guard;
use certmap::rustls::pki_types::UnixTime;
use tokio::sync::watch;

use crate::Gateway;
use crate::config::{Routes, Source, Stamp};

/// A reload may lose this many per cent of the rules.
const GUARD: u8 = 50;

#[derive(Debug)]
pub(crate) struct Watcher {
    source: Source,
    /// What was read last, well or not.
    stamp: Stamp,
    routes: watch::Sender<Arc<Routes>>,
}

impl Watcher {
    pub(crate) fn new(source: Source, stamp: Stamp, routes: watch::Sender<Arc<Routes>>) -> Self {
        Self { source, stamp, routes }
    }

    /// Puts in force what has changed, or everything if it was asked for; and ends whose standing is lost.
    pub(crate) fn reload(&mut self, gateway: &Gateway, asked: bool) {
        let stamp = self.source.stamp();
        if asked || stamp != self.stamp {
            self.stamp = stamp;
            match self.source.read() {
                Ok(generation) => {
                    let handle = gateway.endpoint.policy();
                    match handle.try_replace(generation.policy, Guard::lost_mappings(GUARD)) {
                        Ok(_) => {
                            for (host, identity) in generation.identities {
                                gateway.endpoint.replace_identity(host, identity);
                            }
                            self.routes.send_replace(Arc::new(generation.routes));
                            println!("policy {} is in force", handle.current().digest());
                        }
                        Err(tripped) => eprintln!("not reloaded: {tripped}"),
                    }
                }
                Err(error) => eprintln!("not reloaded: {error}"),
            }
        }
        for change in gateway.callers.review(UnixTime::now()) {
            if let Change::Ended { handle, refused } = change {
                eprintln!("{}", refused.record());
                handle.notify_one();
            }
        }
    }
}
