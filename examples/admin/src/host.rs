//! `admin host`: the TLS endpoints; `set` is SAP's `set-ssl-host`.

use certmap::document::HostSettings;
use certmap::policy::{ClientAuth, Hints, HostName, ListenerName, UntrustedClients};
use certmap::{BundleName, HostId};
use clap::{Args, Subcommand};

use crate::Common;
use crate::answer::{Answer, Failure};
use crate::store::Store;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Says what shall be so of a host, which is made if there is none of that id; the rest stays
    #[command(after_help = "Examples:
  admin host set gateway --ca-bundle partners:require
  admin host set api --ca-bundle partners:request --server-name api.example.com,api.example.org")]
    Set {
        /// The host
        host: HostId,
        #[command(flatten)]
        settings: Settings,
    },
    /// Lists the hosts as they are written
    #[command(after_help = "Example:\n  admin host list")]
    List,
    /// Takes out a host
    #[command(after_help = "Example:\n  admin host remove api")]
    Remove {
        /// The host
        host: HostId,
    },
}

#[derive(Args)]
pub(crate) struct Settings {
    /// Which bundle it believes, and whether it asks for a certificate: none, request or require
    #[arg(long, value_name = "BUNDLE:MODE", value_parser = bundle_and_mode)]
    ca_bundle: Option<(BundleName, ClientAuth)>,
    /// Whether it asks for a certificate: none, request or require
    #[arg(long, value_name = "MODE", value_parser = mode, conflicts_with = "ca_bundle")]
    client_auth: Option<ClientAuth>,
    /// Behind which listener it is
    #[arg(long)]
    listener: Option<ListenerName>,
    /// For which names it answers, all of them
    #[arg(long, value_delimiter = ',')]
    server_name: Option<Vec<HostName>>,
    /// What becomes of clients that nothing vouches for: refuse-in-handshake or let-decide
    #[arg(long, value_parser = untrusted)]
    untrusted: Option<UntrustedClients>,
    /// What is hinted to clients: all, anchors or none
    #[arg(long, value_parser = hints)]
    hints: Option<Hints>,
    /// Whether it is the default host of its listener although it has names
    #[arg(long, value_name = "BOOL")]
    default: Option<bool>,
}

const COLUMNS: &[(&str, &str)] = &[
    ("id", "HOST"),
    ("listener", "LISTENER"),
    ("bundle", "BUNDLE"),
    ("client-auth", "CLIENT-AUTH"),
    ("server-names", "SERVER NAMES"),
    ("default", "DEFAULT"),
    ("untrusted", "UNTRUSTED"),
    ("hints", "HINTS"),
    ("file", "FILE"),
];

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            // No policy begins with a host: it needs a bundle.
            Self::Set { host, settings } => {
                Store::open(common)?.edit(|edit| Ok(edit.set_ssl_host(&host, &settings.into())?))
            }
            Self::List => Ok(Answer::table(COLUMNS, Store::open(common)?.written("hosts")?)),
            Self::Remove { host } => Store::open(common)?.edit(|edit| Ok(edit.remove_ssl_host(&host)?)),
        }
    }
}

impl From<Settings> for HostSettings {
    fn from(said: Settings) -> Self {
        let Settings { ca_bundle, client_auth, listener, server_name, untrusted, hints, default } = said;
        let mut settings = Self::new();
        if let Some((bundle, mode)) = ca_bundle {
            settings = settings.with_bundle(bundle, mode);
        }
        if let Some(mode) = client_auth {
            settings = settings.with_client_auth(mode);
        }
        if let Some(listener) = listener {
            settings = settings.with_listener(listener);
        }
        if let Some(names) = server_name {
            settings = settings.with_server_names(names);
        }
        if let Some(untrusted) = untrusted {
            settings = settings.with_untrusted(untrusted);
        }
        if let Some(hints) = hints {
            settings = settings.with_hints(hints);
        }
        match default {
            Some(true) => settings.as_default(),
            Some(false) => settings.as_no_default(),
            None => settings,
        }
    }
}

fn bundle_and_mode(text: &str) -> Result<(BundleName, ClientAuth), String> {
    let (bundle, mode) = text.split_once(':').ok_or("expected a bundle, `:` and `none`, `request` or `require`")?;
    Ok((bundle.parse().map_err(|error: certmap::InvalidLabel| error.to_string())?, self::mode(mode)?))
}

fn mode(text: &str) -> Result<ClientAuth, String> {
    word(text, &[ClientAuth::None, ClientAuth::Request, ClientAuth::Require], ClientAuth::as_str)
}

fn untrusted(text: &str) -> Result<UntrustedClients, String> {
    word(text, &[UntrustedClients::RefuseInHandshake, UntrustedClients::LetDecide], UntrustedClients::as_str)
}

fn hints(text: &str) -> Result<Hints, String> {
    word(text, &[Hints::All, Hints::Anchors, Hints::None], Hints::as_str)
}

fn word<T: Copy>(text: &str, all: &[T], as_str: impl Fn(T) -> &'static str) -> Result<T, String> {
    let words = || all.iter().map(|one| as_str(*one)).collect::<Vec<_>>().join("`, `");
    all.iter().copied().find(|one| as_str(*one) == text).ok_or_else(|| format!("expected one of `{}`", words()))
}
