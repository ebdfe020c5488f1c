//! The client's side while identities are replaced: no session crosses from one to the next.
//!
//! rustls resumes a session if verifier and resolver are the same objects, and does not ask the resolver again: one resolver
//! that changes its mind would resume as the user before. A store that forgets at a replacement does not help, because a
//! ticket may come long after the handshake in which the old certificate was presented.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::SignatureScheme;
use rustls::client::{ClientConfig, ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;

use super::hints::{Presenter, UnfitHints};
use crate::identity::IdentityHandle;

/// The configurations of an outgoing call, one for each identity that comes into force; made by
/// [`ClientConfigBuilder::build_per_identity`](crate::ClientConfigBuilder::build_per_identity).
///
/// Sessions are resumed within one identity and never with another: whoever was in force when a session was made, it is
/// resumed only by the configuration of that time. Ask for [`current`](Self::current) before each connection, and do not
/// keep what it gives.
///
/// ```
/// use std::sync::Arc;
/// use certmap::identity::IdentityHandle;
/// use certmap::{ClientConfigBuilder, TrustBundle};
/// # use certmap::testing::TestCertificate;
/// # let (old, new) = (TestCertificate::new("CN=erp").self_signed(), TestCertificate::new("CN=erp").self_signed());
/// # let (old, new) = (old.identity(), new.identity());
/// # let server = TestCertificate::new("CN=gw").with_server_name("gw.example").self_signed();
/// let mut servers = TrustBundle::new("servers".parse()?);
/// servers.add_pin(server.certificate().clone())?;
/// let handle = Arc::new(IdentityHandle::new(old));
/// let configs = ClientConfigBuilder::new(handle.clone(), servers).build_per_identity()?;
///
/// let first = configs.current();
/// assert!(Arc::ptr_eq(&first, &configs.current()));
/// handle.replace(new);
/// assert!(!Arc::ptr_eq(&first, &configs.current()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientConfigs {
    identity: Arc<IdentityHandle>,
    unfit_hints: UnfitHints,
    /// Of which identity, by its number in the handle.
    latest: Mutex<(u64, Arc<ClientConfig>)>,
}

impl ClientConfigs {
    pub(super) fn new(
        identity: Arc<IdentityHandle>,
        unfit_hints: UnfitHints,
        number: u64,
        first: ClientConfig,
    ) -> Self {
        Self { identity, unfit_hints, latest: Mutex::new((number, Arc::new(first))) }
    }

    /// The configuration that presents the identity in force: the same one as long as that is.
    #[must_use]
    pub fn current(&self) -> Arc<ClientConfig> {
        // Poisoning cannot leave half a pair: both are made before one assignment.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that no slow caller puts an older one in the place of a newer one.
        let (number, identity) = self.identity.numbered();
        if latest.0 != number {
            let mut next = (*latest.1).clone();
            let presenter = Presenter::new(identity.certified_key(), self.unfit_hints.clone());
            next.client_auth_cert_resolver = Arc::new(presenter);
            // A store of its own: the other one may still be in use, and has sessions for the same servers.
            next.resumption = Resumption::default();
            *latest = (number, Arc::new(next));
        }
        Arc::clone(&latest.1)
    }

    /// The handle of the identity: replace it here, and the next connection presents the new one.
    #[must_use]
    pub fn identity(&self) -> &Arc<IdentityHandle> {
        &self.identity
    }
}

impl fmt::Debug for ClientConfigs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientConfigs({:?})", self.identity)
    }
}

/// Presents what is in force. Only for configurations that resume nothing.
#[derive(Debug)]
pub(super) struct LivePresenter {
    identity: Arc<IdentityHandle>,
    unfit_hints: UnfitHints,
}

impl LivePresenter {
    pub(super) fn new(identity: Arc<IdentityHandle>, unfit_hints: UnfitHints) -> Self {
        Self { identity, unfit_hints }
    }
}

impl ResolvesClientCert for LivePresenter {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Presenter::new(self.identity.current().certified_key(), self.unfit_hints.clone()).resolve(hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}
