//! `admin lint`: what is odd about the policy.

use std::time::Duration;

use certmap::review;
use certmap::rustls::pki_types::UnixTime;
use clap::Args;

use crate::Common;
use crate::answer::{Answer, Failure, form};
use crate::store::Store;

/// How far ahead ends are told.
pub(crate) const DAYS: u32 = 30;

#[derive(Args)]
#[command(after_help = "Exit code 1 says that something is odd.\n\nExample:\n  admin lint --days 60")]
pub(crate) struct Command {
    /// What ends within so many days is told
    #[arg(long, default_value_t = DAYS)]
    days: u32,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let findings = review::lint(&Store::open(common)?.policy()?, UnixTime::now(), horizon(self.days));
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let text = if lines.is_empty() { "nothing is odd".to_owned() } else { lines.join("\n") };
        Ok(Answer::new(text, form(&findings)).noteworthy(!findings.is_empty()))
    }
}

pub(crate) fn horizon(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}
