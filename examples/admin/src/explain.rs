//! `admin explain`: who a certificate is, and why.

use std::path::PathBuf;

use certmap::review;
use certmap::rustls::pki_types::UnixTime;
use certmap::{Evidence, HostId, Outcome, Policy};
use clap::Args;

use crate::Common;
use crate::answer::{Answer, Failure, form};
use crate::files;
use crate::store::Store;

#[derive(Args)]
#[command(after_help = "Exit code 1 says that it is refused.

Examples:
  admin explain acme.pem
  admin explain chain.pem --host api --json")]
pub(crate) struct Command {
    /// What the peer presents: its own certificate, then its issuers
    chain: PathBuf,
    /// The host that it connects to; without it, the only one
    #[arg(long)]
    host: Option<HostId>,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let chain = files::certificates(&self.chain)?;
        let policy = Store::open(common)?.policy()?;
        let host = host_or_only(&policy, self.host)?;
        // Nobody has proven here to have the key; for explaining that does not matter.
        let evidence = Evidence::after_handshake(host, chain.iter().map(certmap::Certificate::der));
        let explanation = review::explain(&policy, &evidence, UnixTime::now());
        let refused = matches!(explanation.decision().outcome(), Outcome::Refused(_));
        Ok(Answer::new(explanation.to_string(), form(&explanation)).noteworthy(refused))
    }
}

/// The host that was named, or the one that there is.
pub(crate) fn host_or_only(policy: &Policy, named: Option<HostId>) -> Result<HostId, Failure> {
    match (named, policy.hosts().len()) {
        (Some(host), _) => Ok(host),
        (None, 1) => policy.hosts().map(|host| host.id().clone()).next().ok_or_else(|| Failure::usage("no host")),
        (None, _) => Err(Failure::usage("the policy has several hosts: say which with `--host`")),
    }
}
