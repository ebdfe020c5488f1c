//! The TLS endpoint that clients connect to, as the policy sees it.

use core::fmt;
use std::sync::Arc;

use super::HostName;
use crate::label::label;
use crate::trust::TrustBundle;

label! {
    /// The id of a host, for records and evidence.
    HostId, "host id"
}

label! {
    /// The name of a listener: one socket, behind which hosts are told apart by server name.
    ListenerName, "listener name"
}

/// A TLS endpoint: on which listener it is, for which names it answers, whether it asks for a client certificate, and the
/// bundle that says whom it lets in.
///
/// Without names it is the default host of its listener: the one for clients that ask for no name, or for one that no
/// host has.
///
/// ```
/// use certmap::policy::ClientAuth;
/// use certmap::{Host, TrustBundle};
/// let partners = TrustBundle::new("partners".parse()?);
/// let host = Host::new("api".parse()?, partners).with_server_names(["api.example.com".parse()?]);
/// assert_eq!(host.client_auth(), ClientAuth::Require);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Host {
    id: HostId,
    listener: ListenerName,
    bundle: Arc<TrustBundle>,
    /// `None`: never said. Said and empty is a problem, because somebody meant to say something.
    server_names: Option<Vec<HostName>>,
    default: bool,
    client_auth: ClientAuth,
    untrusted: UntrustedClients,
    hints: Hints,
}

/// Whether a host asks its clients for a certificate: what SAP's `set-ssl-host` calls `none`, `request`, `require`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "TLS has these three and no other (RFC 8446, section 4.3.2)")]
pub enum ClientAuth {
    /// It does not ask; every peer is anonymous.
    None,
    /// It asks, and who presents none is anonymous. What is presented has to be good.
    Request,
    /// It asks, and who presents none is refused.
    #[default]
    Require,
}

/// What becomes of a client that presents a certificate which nothing vouches for, or none where one is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UntrustedClients {
    /// The handshake is finished, and every decision refuses it: so a gateway can answer 401 with the code.
    LetDecide,
    /// The handshake fails.
    #[default]
    RefuseInHandshake,
}

/// Which names of CAs a host hints to its clients (`certificate_authorities`, RFC 8446, section 4.2.4).
///
/// Some clients present a certificate only if they find its issuer among the hints, some choke on a long list, and a
/// client that finds no hints presents what it has. So what is hinted has to be all there is: a list that is longer than
/// [`HINT_ENTRIES`](crate::limits::HINT_ENTRIES) or [`HINT_BYTES`](crate::limits::HINT_BYTES) is a problem when the policy
/// is built, never cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hints {
    /// The subjects of the bundle's anchors, and the issuers of its pins, octet by octet as they stand there: what SAP's
    /// client library needs.
    All,
    /// The subjects of the bundle's anchors.
    Anchors,
    /// None.
    #[default]
    None,
}

impl Host {
    /// A host on the listener `main` that requires a certificate and admits whom `bundle` vouches for.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the label is a good one")]
    pub fn new(id: HostId, bundle: impl Into<Arc<TrustBundle>>) -> Self {
        Self {
            id,
            listener: "main".parse().expect("a good label"),
            bundle: bundle.into(),
            server_names: None,
            default: false,
            client_auth: ClientAuth::default(),
            untrusted: UntrustedClients::default(),
            hints: Hints::default(),
        }
    }

    /// Puts it behind another listener.
    #[must_use]
    pub fn with_listener(self, listener: ListenerName) -> Self {
        Self { listener, ..self }
    }

    /// Says for which server names the host answers; a request for another is refused with 421
    /// ([`Authority`](super::Authority)).
    #[must_use]
    pub fn with_server_names(self, names: impl IntoIterator<Item = HostName>) -> Self {
        Self { server_names: Some(names.into_iter().collect()), ..self }
    }

    /// Makes a host with names the default host of its listener too.
    #[must_use]
    pub fn as_default(self) -> Self {
        Self { default: true, ..self }
    }

    /// Says whether it asks for a certificate.
    #[must_use]
    pub fn with_client_auth(self, client_auth: ClientAuth) -> Self {
        Self { client_auth, ..self }
    }

    /// Says what becomes of clients that nothing vouches for.
    #[must_use]
    pub fn with_untrusted(self, untrusted: UntrustedClients) -> Self {
        Self { untrusted, ..self }
    }

    /// Says what is hinted to clients.
    #[must_use]
    pub fn with_hints(self, hints: Hints) -> Self {
        Self { hints, ..self }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &HostId {
        &self.id
    }

    /// The listener behind which it is.
    #[must_use]
    pub fn listener(&self) -> &ListenerName {
        &self.listener
    }

    /// Whom it lets in.
    #[must_use]
    pub fn bundle(&self) -> &TrustBundle {
        &self.bundle
    }

    /// The server names it answers for. The default host answers for every other name too.
    #[must_use]
    pub fn server_names(&self) -> &[HostName] {
        self.server_names.as_deref().unwrap_or_default()
    }

    /// True if it is for clients that ask for no name, or for one that no host of its listener has.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.default || self.server_names.is_none()
    }

    /// Whether it asks for a certificate.
    #[must_use]
    pub fn client_auth(&self) -> ClientAuth {
        self.client_auth
    }

    /// What becomes of clients that nothing vouches for.
    #[must_use]
    pub fn untrusted(&self) -> UntrustedClients {
        self.untrusted
    }

    /// What is hinted to clients.
    #[must_use]
    pub fn hints(&self) -> Hints {
        self.hints
    }

    pub(super) fn bundle_mut(&mut self) -> &mut TrustBundle {
        Arc::make_mut(&mut self.bundle)
    }

    /// True if names were said, and there are none.
    pub(super) fn has_no_name_where_some_were_meant(&self) -> bool {
        self.server_names.as_ref().is_some_and(Vec::is_empty)
    }
}

impl ClientAuth {
    /// The word for it: `none`, `request`, `require`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Request => "request",
            Self::Require => "require",
        }
    }
}

impl UntrustedClients {
    /// The word for it: `let-decide`, `refuse-in-handshake`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LetDecide => "let-decide",
            Self::RefuseInHandshake => "refuse-in-handshake",
        }
    }
}

impl Hints {
    /// The word for it: `all`, `anchors`, `none`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Anchors => "anchors",
            Self::None => "none",
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, listener, bundle, server_names, default: _, client_auth, untrusted, hints } = self;
        let (auth, untrusted, hints) = (client_auth.as_str(), untrusted.as_str(), hints.as_str());
        write!(f, "Host({id} on {listener}, {bundle:?}, {server_names:?}, {auth}, {untrusted}, hints: {hints})")
    }
}
