//! What a finished handshake proved: which certificates the peer presented, and to which host.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::policy::{HostId, HostTable, ListenerName};

/// The certificates that the peer of a finished handshake presented, and the host it presented them to.
///
/// From a rustls connection it is taken by [`Selected::caller`](crate::tls::Selected::caller), which checks that the
/// handshake is finished. Cheap to clone.
#[derive(Clone)]
pub struct Evidence(Arc<Seen>);

/// One thing to count, because every decision and every principal keeps it.
#[derive(Clone)]
struct Seen {
    host: HostId,
    chain: Box<[CertificateDer<'static>]>,
    resumed: bool,
    asked: Option<Asked>,
}

/// By which listener and name a connection came to its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(super) listener: ListenerName,
    pub(super) name: Option<Arc<str>>,
}

impl Evidence {
    /// For stacks that hand over certificates and no connection: the chain as the peer presented it, own certificate
    /// first; empty if it presented none.
    ///
    /// # Security
    /// Whoever calls this vouches for two things: the handshake is *finished*, and it was made with the configuration of
    /// this host. While a handshake is going on, the certificates of a resumed session are already visible and nobody
    /// has proven anything: a replayed first message shows them.
    #[must_use]
    pub fn after_handshake(host: HostId, chain: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let chain = chain.into_iter().map(|der| CertificateDer::from(der.as_ref().to_vec())).collect();
        Self(Arc::new(Seen { host, chain, resumed: false, asked: None }))
    }

    /// Says on which listener the connection was made, and for which server name it asked (SNI), if it did: then a decision
    /// refuses it from when the policy in force gives that name, or the listener, to another host. Without it the connection
    /// is the host's for as long as it lives. [`Selected::caller`](crate::tls::Selected::caller) says it.
    #[must_use]
    pub fn with_server_name(mut self, listener: ListenerName, name: Option<&str>) -> Self {
        Arc::make_mut(&mut self.0).asked = Some(Asked { listener, name: name.map(Arc::from) });
        self
    }

    /// Says that the session was resumed; stands in the record and changes no decision.
    #[must_use]
    pub fn with_resumed(mut self, resumed: bool) -> Self {
        Arc::make_mut(&mut self.0).resumed = resumed;
        self
    }

    /// The host that was asked for.
    #[must_use]
    pub fn host(&self) -> &HostId {
        &self.0.host
    }

    /// What the connection asked for, if a connection that asks for it now would not come to this host.
    pub(super) fn moved(&self, hosts: &HostTable) -> Option<&Asked> {
        let asked = self.0.asked.as_ref()?;
        let now = hosts.select(&asked.listener, asked.name.as_deref()).map(|state| state.host().id());
        (now != Some(&self.0.host)).then_some(asked)
    }

    /// The certificates, own certificate of the peer first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.chain
    }

    /// True if the session was resumed.
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.0.resumed
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { host, chain, resumed, asked: _ } = &*self.0;
        write!(f, "Evidence({host}, {} certificates, resumed: {resumed})", chain.len())
    }
}
