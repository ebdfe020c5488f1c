//! `admin diff`: what another policy would change.

use std::path::PathBuf;

use certmap::review;
use clap::Args;

use crate::Common;
use crate::answer::{Answer, Failure, form};
use crate::store::Store;

#[derive(Args)]
#[command(
    after_help = "Exit code 1 says that they differ.\n\nExample:\n  admin diff policy.new.toml --policy policy.toml"
)]
pub(crate) struct Command {
    /// The newer policy, a file or a folder
    new: PathBuf,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let old = Store::open(common)?.policy()?;
        let new = Store::read(&self.new, &common.file)?.policy()?;
        let difference = review::diff(&old, &new);
        let differs = !difference.is_empty();
        let text = if differs { difference.to_string() } else { "no difference".to_owned() };
        Ok(Answer::new(text, form(&difference)).noteworthy(differs))
    }
}
