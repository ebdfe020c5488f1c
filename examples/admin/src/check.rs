//! `admin check`: builds the policy and lists every problem with its place.

use certmap::Role;
use clap::Args;
use serde_json::json;

use crate::Common;
use crate::answer::{Answer, Failure, form};
use crate::store::Store;

#[derive(Args)]
#[command(after_help = "Examples:
  admin check
  admin check --policy partners/ --expect-role iflmap/ESBMessaging.send")]
pub(crate) struct Command {
    /// A role that a program asks for, and that somebody should have
    #[arg(long, value_name = "ROLE", value_delimiter = ',')]
    expect_role: Vec<Role>,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let store = Store::open(common)?;
        let policy = store.policy()?;
        let findings = store.document().expect_roles(self.expect_role);
        let (hosts, mappings, digest) = (policy.hosts().len(), policy.mapping_count(), policy.digest());
        let mut lines = vec![format!("no problem; hosts: {hosts}, mappings: {mappings}, digest: {digest}")];
        lines.extend(findings.iter().map(|finding| format!("{finding}: {}", finding.cure())));
        let json =
            json!({ "hosts": hosts, "mappings": mappings, "digest": digest.to_string(), "roles": form(&findings) });
        Ok(Answer::new(lines.join("\n"), json).noteworthy(!findings.is_empty()))
    }
}
