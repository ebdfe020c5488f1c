//! `admin forecast`: what stops working when.

use std::path::PathBuf;
use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::{HostId, review};
use clap::Args;

use crate::answer::{Answer, Failure, form};
use crate::store::Store;
use crate::{Common, files};

#[derive(Args)]
#[command(after_help = "Exit code 1 says that something ends.\n\nExamples:\n  admin forecast --days 90\n  \
admin forecast --own gateway=gateway.pem")]
pub(crate) struct Command {
    /// How many days to look ahead
    #[arg(long, default_value_t = 90)]
    days: u32,
    /// What a host itself presents, in this file; may be given several times
    #[arg(long, value_name = "HOST=FILE", value_parser = of_host)]
    own: Vec<(HostId, PathBuf)>,
}

fn of_host(text: &str) -> Result<(HostId, PathBuf), String> {
    let (host, file) = text.split_once('=').ok_or("write the host and the file: `gateway=gateway.pem`")?;
    Ok((host.parse().map_err(|error: certmap::InvalidLabel| error.to_string())?, file.into()))
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let horizon = Duration::from_secs(u64::from(self.days) * 86_400);
        let (policy, now) = (Store::open(common)?.policy()?, UnixTime::now());
        let mut own = Vec::new();
        for (host, path) in &self.own {
            if policy.host(host).is_none() {
                return Err(Failure::refused("not-found", format!("there is no host `{host}`: list what is")));
            }
            own.extend(files::certificates(path)?.into_iter().map(|certificate| (host, certificate)));
        }
        let mut endings = review::forecast(&policy, now, horizon);
        endings.extend(review::forecast_own(own.iter().map(|(host, one)| (*host, one)), now, horizon));
        endings.sort_by_key(review::Ending::at);
        let lines: Vec<_> = endings.iter().map(|ending| format!("{ending}: {}", ending.cure())).collect();
        let text = if lines.is_empty() { "nothing ends".to_owned() } else { lines.join("\n") };
        Ok(Answer::new(text, form(&endings)).noteworthy(!endings.is_empty()))
    }
}
