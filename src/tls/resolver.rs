//! Which of our own certificates a client is shown.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::identity::Identity;
use crate::policy::{HostId, ListenerName, PolicyHandle};

/// Our own certificates and keys by host, replaceable.
#[derive(Debug)]
pub(super) struct Identities(RwLock<BTreeMap<HostId, Identity>>);

impl Identities {
    pub(super) fn new(identities: BTreeMap<HostId, Identity>) -> Self {
        Self(RwLock::new(identities))
    }

    /// Returns the identity of before.
    pub(super) fn replace(&self, host: HostId, identity: Identity) -> Option<Identity> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(host, identity)
    }

    pub(super) fn get(&self, host: &HostId) -> Option<Arc<CertifiedKey>> {
        let identities = self.0.read().unwrap_or_else(PoisonError::into_inner);
        identities.get(host).map(Identity::certified_key)
    }
}

/// Gives the certificate of one host, and only to clients that the policy in force sends to it.
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) policy: Arc<PolicyHandle>,
    pub(super) listener: ListenerName,
    pub(super) host: HostId,
    pub(super) identities: Arc<Identities>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.policy.current();
        let selected = current.host_table().select(&self.listener, hello.server_name())?;
        if *selected.host().id() != self.host {
            return None;
        }
        self.identities.get(&self.host)
    }
}

/// Gives no certificate to anybody.
#[derive(Debug)]
pub(super) struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
