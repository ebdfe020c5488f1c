//! `admin forecast`: what stops working when.

use std::time::Duration;

use certmap::review;
use certmap::rustls::pki_types::UnixTime;
use clap::Args;
use serde_json::json;

use crate::Common;
use crate::answer::{Answer, Failure};
use crate::store::Store;

#[derive(Args)]
#[command(after_help = "Exit code 1 says that something ends.\n\nExample:\n  admin forecast --days 90")]
pub(crate) struct Command {
    /// How many days to look ahead
    #[arg(long, default_value_t = 90)]
    days: u32,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let horizon = Duration::from_secs(u64::from(self.days) * 86_400);
        let endings = review::forecast(&Store::open(common)?.policy()?, UnixTime::now(), horizon);
        let row = |ending: &review::Ending| {
            let hosts: Vec<_> = ending.hosts().iter().map(ToString::to_string).collect();
            let (whose, cause) = (ending.whose().to_string(), ending.cause().to_string());
            json!({ "at": ending.at().as_secs(), "whose": whose, "cause": cause, "hosts": hosts })
        };
        let lines: Vec<_> = endings.iter().map(ToString::to_string).collect();
        let text = if lines.is_empty() { "nothing ends".to_owned() } else { lines.join("\n") };
        Ok(Answer::new(text, endings.iter().map(row).collect()).noteworthy(!endings.is_empty()))
    }
}
