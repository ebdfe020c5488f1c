//! `admin diff`: what another policy would change.

use std::path::PathBuf;

use certmap::{Role, review};
use clap::Args;
use serde_json::json;

use crate::Common;
use crate::answer::{Answer, Failure};
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
        let changes = difference.changes().iter();
        let changes: Vec<_> =
            changes.map(|one| json!({ "effect": one.effect().to_string(), "change": one.to_string() })).collect();
        let roles = |roles: &[Role]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
        let users = difference.users().iter();
        let users: Vec<_> = users
            .map(|one| json!({ "user": one.user.as_str(), "gained": roles(&one.gained), "lost": roles(&one.lost) }))
            .collect();
        let differs = !difference.is_empty();
        let text = if differs { difference.to_string() } else { "no difference".to_owned() };
        Ok(Answer::new(text, json!({ "changes": changes, "users": users })).noteworthy(differs))
    }
}
