//! What a finished handshake proved: which certificates the peer presented, and to which host.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::policy::HostId;

/// The certificates that the peer of a finished handshake presented, and the host it presented them to.
///
/// From a rustls connection it is taken by [`Selected::caller`](crate::tls::Selected::caller), which checks that the
/// handshake is finished. Cheap to clone.
#[derive(Clone)]
pub struct Evidence {
    host: HostId,
    chain: Arc<[CertificateDer<'static>]>,
    resumed: bool,
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
        Self { host, chain, resumed: false }
    }

    /// Says that the session was resumed; stands in the record and changes no decision.
    #[must_use]
    pub fn with_resumed(self, resumed: bool) -> Self {
        Self { resumed, ..self }
    }

    /// The host that was asked for.
    #[must_use]
    pub fn host(&self) -> &HostId {
        &self.host
    }

    /// The certificates, own certificate of the peer first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// True if the session was resumed.
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.resumed
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, chain, resumed } = self;
        write!(f, "Evidence({host}, {} certificates, resumed: {resumed})", chain.len())
    }
}
