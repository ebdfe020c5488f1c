//! What would come of a connection that nobody has made yet, at either end of it.
//!
//! Asks the code that decides about real ones: [`Policy::decide`] at the server's end, the verifier of
//! [`ClientConfigBuilder`](crate::ClientConfigBuilder) at the client's. Only that a peer has its key cannot be known before.

use core::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::cert::Certificate;
use crate::decision::{Decision, Evidence, Outcome, Principal};
use crate::policy::{ClientAuth, Hints, Host, HostId, HostState, Policy, UntrustedClients};
use crate::provider;
use crate::text::OneLine;
use crate::tls::{ClientConfigError, Trouble, distrust_of, fits, issuers};
use crate::trace::NoTrace;
use crate::trust::{BundleName, TrustBundle};

/// What would come of a client that connects to `host` with this chain at this time, its own certificate first; empty if it
/// has none. No private key is needed.
///
/// ```
/// use certmap::review::{HintFit, preflight};
/// use certmap::{Certificate, PolicyBuilder};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let partner = TestCertificate::new("CN=erp").self_signed().certificate().clone();
/// let policy = PolicyBuilder::new().partner("erp".parse()?, partner.clone(), ["app/send".parse()?]).build()?;
/// let flight = preflight(&policy, &"default".parse()?, [&partner].map(Certificate::der), now);
/// assert_eq!(flight.decision().principal().map(|principal| principal.user().as_str()), Some("erp"));
/// assert_eq!(flight.hint_fit(), HintFit::NoHints);
/// assert_eq!(flight.to_string().lines().next(), Some("admitted to host `default` as user `erp` with the roles app/send"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn preflight(
    policy: &Policy,
    host: &HostId,
    chain: impl IntoIterator<Item = impl AsRef<[u8]>>,
    now: UnixTime,
) -> Preflight {
    let evidence = Evidence::after_handshake(host.clone(), chain);
    let state = policy.host_table().get(host);
    let hint_fit = hint_fit(state, evidence.chain());
    let nothing = || Evidence::after_handshake(host.clone(), [] as [&[u8]; 0]);
    Preflight {
        in_handshake: refused_in_handshake(policy, state, &evidence, now),
        hinted: state.map(|state| state.hints().len()).unwrap_or_default(),
        obeying: (hint_fit == HintFit::Unfit).then(|| policy.decide(&nothing(), now)),
        hint_cure: state.filter(|_| hint_fit == HintFit::Unfit).and_then(|state| hint_cure(state.host(), &evidence)),
        decision: policy.decide(&evidence, now),
        hint_fit,
    }
}

/// What the verifier behind the host's configuration refuses, asked the same way.
fn refused_in_handshake(policy: &Policy, state: Option<&HostState>, evidence: &Evidence, now: UnixTime) -> bool {
    let Some(host) = state.map(HostState::host) else { return false };
    let refuses = match host.untrusted() {
        UntrustedClients::LetDecide => false,
        UntrustedClients::RefuseInHandshake => true,
    };
    let judged = match host.client_auth() {
        ClientAuth::None => false,
        ClientAuth::Request => !evidence.chain().is_empty(),
        ClientAuth::Require => true,
    };
    refuses && judged && policy.judge(evidence, now, &mut NoTrace).is_err()
}

fn hint_fit(state: Option<&HostState>, chain: &[CertificateDer<'_>]) -> HintFit {
    match state {
        Some(state) if state.host().client_auth() != ClientAuth::None => {
            if chain.is_empty() {
                HintFit::NothingToPresent
            } else if state.hints().is_empty() {
                HintFit::NoHints
            } else if fits(&issuers(chain), state.hints()) {
                HintFit::Fits
            } else {
                HintFit::Unfit
            }
        }
        Some(_) | None => HintFit::NotAsked,
    }
}

/// How the host could come to hint an issuer of the chain.
fn hint_cure(host: &Host, evidence: &Evidence) -> Option<String> {
    let (bundle, own) = (host.bundle(), Certificate::from_der(evidence.chain().first()?).ok()?);
    let (id, name, issuer) = (host.id(), bundle.name(), own.issuer());
    let known = bundle.entries().any(|entry| entry.certificate().spki_fingerprint() == own.spki_fingerprint());
    Some(match host.hints() {
        Hints::Anchors | Hints::None if known => {
            format!("have host `{id}` hint the issuers of pins too (`all`), or hint nothing (`none`)")
        }
        Hints::All | Hints::Anchors | Hints::None => format!(
            "add its issuer `{issuer}` to bundle `{name}` as an anchor, or have host `{id}` hint nothing (`none`)"
        ),
    })
}

/// What would come of a client that connects to a host.
///
/// Prints as a few lines for people, in which nothing that a peer chose can begin a line of its own.
#[derive(Clone, Debug)]
pub struct Preflight {
    decision: Decision,
    in_handshake: bool,
    hint_fit: HintFit,
    hinted: usize,
    obeying: Option<Decision>,
    hint_cure: Option<String>,
}

/// How the hints of a host fit a client's chain ([`Hints`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HintFit {
    /// An issuer of the chain is hinted: every client presents it.
    Fits,
    /// The host hints nothing: every client presents what it has.
    NoHints,
    /// The host asks for no certificate, or there is no such host.
    NotAsked,
    /// The client has no certificate.
    NothingToPresent,
    /// No issuer of the chain is hinted, octet by octet. Browsers, Go (`CertificateRequestInfo.SupportsCertificate`), Java
    /// (its key manager), SAP's library ("no certificate fitting to CA names") and Windows present nothing then; curl,
    /// OpenSSL, rustls and the clients of this crate present the chain all the same.
    Unfit,
}

impl HintFit {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Fits, Self::NoHints, Self::NotAsked, Self::NothingToPresent, Self::Unfit];

    /// The stable code: `no-hints`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::NoHints => "no-hints",
            Self::NotAsked => "not-asked",
            Self::NothingToPresent => "nothing-to-present",
            Self::Unfit => "unfit",
        }
    }
}

impl Preflight {
    /// The decision about the client if it presents its chain: the one that [`Policy::decide`] makes.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// True if the handshake already fails, so that the client is told by a TLS alert and not by an answer.
    #[must_use]
    pub fn in_handshake(&self) -> bool {
        self.in_handshake
    }

    /// Whether a client that obeys hints presents its chain.
    #[must_use]
    pub fn hint_fit(&self) -> HintFit {
        self.hint_fit
    }

    /// How many names the host hints.
    #[must_use]
    pub fn hinted(&self) -> usize {
        self.hinted
    }

    /// The decision about a client that obeys hints and therefore presents nothing; `None` if it presents what it has.
    #[must_use]
    pub fn obeying(&self) -> Option<&Decision> {
        self.obeying.as_ref()
    }

    /// How the hints come to fit, if they do not.
    #[must_use]
    pub fn hint_cure(&self) -> Option<&str> {
        self.hint_cure.as_deref()
    }

    /// True if every client with this chain is admitted as a user.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.decision.principal().is_some() && self.obeying.is_none()
    }
}

/// What a client that believes `servers` would say of a server that is called by this name and presents this chain at this
/// time, its own certificate first. Believes no operating system.
///
/// ```
/// use certmap::review::preflight_server;
/// use certmap::{Certificate, TrustBundle};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let root = TestCertificate::new("CN=root").as_ca().self_signed();
/// # let server = TestCertificate::new("CN=gw").with_server_name("gw.example").issued_by(&root);
/// let mut servers = TrustBundle::new("servers".parse()?);
/// servers.add_anchor(root.certificate().clone())?;
/// let chain = [&server.certificate().der()];
/// assert!(preflight_server(&servers, &"gw.example".try_into()?, chain, now)?.is_believed());
/// let other = preflight_server(&servers, &"other.example".try_into()?, chain, now)?;
/// assert!(other.trouble().is_some_and(|trouble| trouble.cure().starts_with("call the server by a name")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ClientConfigError`] if no client could be made that believes this bundle: if it is empty, if a pin in it has no name to
/// answer for, or if there is no provider.
pub fn preflight_server(
    servers: &TrustBundle,
    name: &ServerName<'_>,
    chain: impl IntoIterator<Item = impl AsRef<[u8]>>,
    now: UnixTime,
) -> Result<ServerPreflight, ClientConfigError> {
    preflight_server_with_provider(servers, name, chain, now, provider::default()?)
}

/// As [`preflight_server`], with the signatures that this provider verifies.
///
/// # Errors
/// As [`preflight_server`].
pub fn preflight_server_with_provider(
    servers: &TrustBundle,
    name: &ServerName<'_>,
    chain: impl IntoIterator<Item = impl AsRef<[u8]>>,
    now: UnixTime,
    provider: Arc<CryptoProvider>,
) -> Result<ServerPreflight, ClientConfigError> {
    let chain: Vec<_> = chain.into_iter().map(|der| CertificateDer::from(der.as_ref().to_vec())).collect();
    let (end_entity, intermediates) = match chain.split_first() {
        Some((end_entity, intermediates)) => (end_entity.clone(), intermediates),
        // No bytes are no certificate, which is what the verifier says of them.
        None => (CertificateDer::from(Vec::new()), &[][..]),
    };
    let trouble = distrust_of(servers.clone(), provider, &end_entity, intermediates, name, now)?;
    Ok(ServerPreflight { bundle: servers.name().clone(), server_name: name.to_owned(), trouble })
}

/// What a client would say of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPreflight {
    bundle: BundleName,
    server_name: ServerName<'static>,
    trouble: Option<Trouble>,
}

impl ServerPreflight {
    /// What the client believes.
    #[must_use]
    pub fn bundle(&self) -> &BundleName {
        &self.bundle
    }

    /// The name that the server is called by.
    #[must_use]
    pub fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// True if the client believes the server.
    #[must_use]
    pub fn is_believed(&self) -> bool {
        self.trouble.is_none()
    }

    /// Why the client does not believe the server, and what to do about it.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}

/// The roles as one text.
pub(super) fn roles(principal: &Principal) -> Vec<String> {
    principal.roles().iter().map(ToString::to_string).collect()
}

impl fmt::Display for HintFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.decision.host();
        match self.decision.outcome() {
            Outcome::Admitted(principal) => {
                let roles = roles(principal).join(", ");
                let roles =
                    if roles.is_empty() { "without roles".to_owned() } else { format!("with the roles {roles}") };
                write!(f, "admitted to host `{host}` as user `{}` {roles}", principal.user())?;
            }
            Outcome::Anonymous => write!(f, "let in to host `{host}` as nobody: anonymous")?,
            Outcome::Refused(refusal) => {
                let when = if self.in_handshake { "in the handshake" } else { "after the handshake" };
                let (detail, cure) = (refusal.detail(), refusal.cure());
                write!(f, "refused by host `{host}` {when}: {}: {}", refusal.code(), OneLine(&detail))?;
                write!(f, "\n  cure: {}", OneLine(&cure))?;
            }
        }
        match self.hint_fit {
            HintFit::Fits => write!(f, "\nhints: an issuer of the chain is among the {} that are hinted", self.hinted),
            HintFit::NoHints => f.write_str("\nhints: none, so every client presents what it has"),
            HintFit::NotAsked => f.write_str("\nhints: none, for no certificate is asked for"),
            HintFit::NothingToPresent => f.write_str("\nhints: they do not matter, for there is nothing to present"),
            HintFit::Unfit => write!(
                f,
                "\nhints: no issuer of the chain is among the {} that are hinted: a client that obeys hints (browsers, Go, Java, SAP, Windows) presents nothing, {}; one that does not (curl, OpenSSL, rustls, this crate) presents it all the same",
                self.hinted,
                self.obeying.as_ref().map_or(String::new(), unheard)
            ),
        }?;
        match &self.hint_cure {
            Some(cure) => write!(f, "\n  cure: {}", OneLine(cure)),
            None => Ok(()),
        }
    }
}

/// What becomes of a client that presented nothing.
fn unheard(decision: &Decision) -> String {
    match decision.outcome() {
        Outcome::Refused(refusal) => format!("and is refused: {}", refusal.code()),
        Outcome::Admitted(_) | Outcome::Anonymous => "and is anonymous".to_owned(),
    }
}

impl fmt::Display for ServerPreflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bundle, server_name, trouble } = self;
        match trouble {
            None => write!(f, "believed: bundle `{bundle}` vouches for `{}`", server_name.to_str()),
            Some(trouble) => {
                let (detail, cure) = (OneLine(trouble.detail()), OneLine(trouble.cure()));
                write!(f, "not believed: {detail}\n  cure: {cure}")
            }
        }
    }
}
