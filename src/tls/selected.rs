//! The host that was chosen for a connection, and the only road from that connection to a caller.

use core::error::Error as StdError;
use core::fmt;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::{ServerConfig, ServerConnection};
use rustls::{CertificateError, HandshakeKind};

use super::Endpoint;
use super::trouble;
use crate::decision::{Caller, Evidence, Reason, Refusal, Refused};
use crate::policy::HostId;

/// The host and configuration that were chosen for a connection.
///
/// With tokio-rustls, where `serve` hands the caller to every request of the connection, in its extensions for instance:
///
/// ```text
/// let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
/// let selected = match endpoint.select(&start.client_hello()) {
///     Ok(selected) => selected,
///     Err(unknown) => return start.into_stream(unknown.config()).await.map(drop), // the client gets its alert
/// };
/// match start.into_stream(selected.config()).into_fallible().await {
///     Ok(tls) => serve(selected.caller(tls.get_ref().1)?, tls).await,
///     Err((error, mut tcp)) => {
///         match selected.refused(&error, UnixTime::now()) {
///             Some(refused) => log(refused.record().with_peer(peer)),
///             None => log(Trouble::new(End::Server, &error)),
///         }
///         // Else a reset may overtake the alert that tells the peer; with a limit in time and bytes.
///         tcp.shutdown().await?;
///         timeout(SECOND, copy(&mut tcp.take(LIMIT), &mut sink())).await.ok();
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Selected {
    endpoint: Endpoint,
    host: HostId,
    chosen: Chosen,
    config: Arc<ServerConfig>,
    presented: Presented,
}

/// How the host was chosen.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    /// For one connection, by the name that it asked for, if it did.
    ByName(Option<String>),
    /// For as many connections as there will be.
    ForMany,
}

/// What the peer of one connection presented, proven or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Presented(Arc<OnceLock<Vec<CertificateDer<'static>>>>);

impl Presented {
    pub(super) fn remember(&self, chain: &[CertificateDer<'static>]) {
        // A handshake presents once; what came first is what was judged.
        let _ = self.0.set(chain.to_vec());
    }

    fn chain(&self) -> &[CertificateDer<'static>] {
        self.0.get().map(Vec::as_slice).unwrap_or_default()
    }
}

impl Selected {
    pub(super) fn new(
        endpoint: Endpoint,
        host: HostId,
        chosen: Chosen,
        config: Arc<ServerConfig>,
        presented: Presented,
    ) -> Self {
        Self { endpoint, host, chosen, config, presented }
    }

    /// The configuration to continue the handshake with. Chosen for one connection it is good for that one.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The peer of a finished handshake.
    ///
    /// # Errors
    /// [`NoCaller`] while the handshake goes on (certificates may be visible by then and prove nothing), and for a connection
    /// that asked for another name, or for one that is not this host's by the policy in force.
    ///
    /// # Security
    /// The connection must have been made with [`config`](Self::config).
    pub fn caller(&self, connection: &ServerConnection) -> Result<Caller, NoCaller> {
        // INVARIANT: the only road from a connection to evidence. On a resumed session rustls fills in the old
        // certificates as soon as it has read the first message, before the peer has proven anything.
        if connection.is_handshaking() {
            return Err(NoCaller::HandshakeUnfinished);
        }
        let asked = connection.server_name();
        let as_chosen = match &self.chosen {
            Chosen::ByName(name) => name.as_deref() == asked,
            Chosen::ForMany => true,
        };
        let current = self.endpoint.policy.current();
        let hosts = current.host_table();
        let still_there = hosts.get(&self.host).is_some();
        let by_policy = hosts.select(&self.endpoint.listener, asked).map(|state| state.host().id());
        // A host that is not there any more is for the decision to refuse.
        let is_ours = as_chosen && (by_policy == Some(&self.host) || !still_there);
        if !is_ours {
            return Err(NoCaller::OtherServerName);
        }
        let chain = connection.peer_certificates().unwrap_or_default();
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        let evidence = Evidence::after_handshake(self.host.clone(), chain)
            .with_resumed(resumed)
            .with_server_name(self.endpoint.listener.clone(), asked);
        Ok(Caller::new(Arc::clone(&self.endpoint.policy), evidence))
    }

    /// The refused decision behind a failed handshake, if the peer was refused in it: the same answer and the same record as
    /// after a handshake. `None` if it failed for another reason ([`Trouble`](super::Trouble) says for which).
    ///
    /// Takes the error of rustls, or the I/O error that wraps it. If the peer's signature was wrong
    /// ([`KeyNotProven`](crate::RefusalCode::KeyNotProven)), the record names the certificate that was presented without its
    /// key where the configuration was chosen for this connection ([`Endpoint::select`]), and none where it serves many.
    ///
    /// The peer learns its alert only if it is sent: write what rustls still has to write, then shut down writing and read
    /// to the end before closing, because a reset can overtake the alert.
    #[must_use]
    pub fn refused(&self, error: &(dyn StdError + 'static), now: UnixTime) -> Option<Refused> {
        let error = trouble::rustls_error(error)?;
        if let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error
            && let Some(refused) = other.0.downcast_ref::<Refused>()
        {
            return Some(refused.clone());
        }
        let policy = self.endpoint.policy.current();
        match error {
            rustls::Error::NoCertificatesPresented => {
                let evidence = Evidence::after_handshake(self.host.clone(), [] as [&[u8]; 0]);
                policy.decide(&evidence, now).into_result().err()
            }
            error if trouble::is_signature_failure(error) => {
                let evidence = Evidence::after_handshake(self.host.clone(), self.presented.chain());
                let refusal = Refusal::new(Reason::KeyNotProven { cause: error.to_string() });
                Some(policy.refuse(refusal, &evidence, now))
            }
            _ => None,
        }
    }

    /// The id of the chosen host.
    #[must_use]
    pub fn host(&self) -> &HostId {
        &self.host
    }
}

impl fmt::Debug for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint: _, host, chosen, config: _, presented: _ } = self;
        write!(f, "Selected({host}, {chosen:?})")
    }
}

/// There is no caller to be had from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCaller {
    /// The handshake is not finished, so nobody has proven anything yet: ask again when it is.
    #[error("the handshake is not finished, so the peer has proven nothing yet")]
    HandshakeUnfinished,
    /// The connection was made for another host: it asked for another name than the one that was chosen by, or for one that
    /// a new policy has taken from the host meanwhile.
    #[error(
        "the connection asked for a server name that is not the one by which its host was chosen, or not that host's any more"
    )]
    OtherServerName,
}
