//! `admin identity preflight`: what would come of a connection, before it is made.

use std::fmt::Display;
use std::path::PathBuf;

use certmap::review;
use certmap::rustls::pki_types::{ServerName, UnixTime};
use certmap::{BundleName, Certificate, HostId, TrustBundle};
use clap::Args;
use serde::Serialize;

use crate::Common;
use crate::answer::{Answer, Failure, form};
use crate::store::Store;
use crate::{explain, files};

#[derive(Args)]
#[command(after_help = "Exit code 1 says that it is refused, or that some clients would present nothing.

Examples: a client of ours or of a partner; a server that we would call
  admin identity preflight erp.pem --host gateway
  admin identity preflight --server chain.pem --name gw.example.com --bundle partners")]
pub(crate) struct Command {
    /// What a client presents: its own certificate, then its issuers
    #[arg(required_unless_present = "server", conflicts_with = "server")]
    chain: Option<PathBuf>,
    /// The host that the client connects to; without it, the only one
    #[arg(long, conflicts_with = "server")]
    host: Option<HostId>,
    /// What a server presents: its own certificate, then its issuers
    #[arg(long, requires_all = ["name", "bundle"])]
    server: Option<PathBuf>,
    /// By which name the server is called
    #[arg(long, requires = "server", value_parser = server_name)]
    name: Option<ServerName<'static>>,
    /// Which bundle the client believes
    #[arg(long, requires = "server")]
    bundle: Option<BundleName>,
}

fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "write a DNS name or an IP address, without a port".to_owned())
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let store = Store::open(common)?;
        match (self.chain, self.server, self.name, self.bundle) {
            (Some(chain), ..) => client(&store, &files::certificates(&chain)?, self.host),
            (None, Some(chain), Some(name), Some(bundle)) => {
                let servers = bundle_of(&store, &bundle)?;
                let chain = files::certificates(&chain)?;
                let chain = chain.iter().map(Certificate::der);
                let flight = review::preflight_server(&servers, &name, chain, UnixTime::now())
                    .map_err(|error| Failure::refused("servers", error.to_string()))?;
                Ok(answer(&flight, !flight.is_believed()))
            }
            _ => Err(Failure::usage("say `--server`, `--name` and `--bundle`, or what a client presents")),
        }
    }
}

fn client(store: &Store, chain: &[Certificate], host: Option<HostId>) -> Result<Answer, Failure> {
    let policy = store.policy()?;
    let host = explain::host_or_only(&policy, host)?;
    let flight = review::preflight(&policy, &host, chain.iter().map(Certificate::der), UnixTime::now());
    Ok(answer(&flight, !flight.is_good()))
}

fn answer(flight: &(impl Display + Serialize), noteworthy: bool) -> Answer {
    Answer::new(flight.to_string(), form(flight)).noteworthy(noteworthy)
}

/// A bundle of the policy, whether a host believes it or not.
fn bundle_of(store: &Store, name: &BundleName) -> Result<TrustBundle, Failure> {
    let listed = store.document().list_cas(Some(name), store.references());
    let mut bundle = TrustBundle::with_limit(name.clone(), listed.len().max(1));
    for one in listed {
        let entry = one.kind().entry(one.certificate().clone());
        entry
            .and_then(|entry| bundle.add(entry))
            .map_err(|error| Failure::refused("bundle", format!("bundle `{name}`: {error}")))?;
    }
    Ok(bundle)
}
