//! `admin identity answer`: puts what a CA answered on the key that asked.

use std::path::PathBuf;

use certmap::Certificate;
use clap::Args;
use serde_json::Value;

use crate::answer::{Answer, Failure, causes};
use crate::files;
use crate::identity::{describe, load, save, show};

#[derive(Args)]
#[command(
    after_help = "An answer for another key is refused. A chain that does not end in a root is written and told, with exit \
code 1; `--complete` refuses it.

Examples:
  admin identity answer erp.pem erp-answer.pem --out erp-new.pem
  admin identity answer erp.pem erp.crt issuing-ca.crt root-ca.crt --complete --out erp-new.pem"
)]
pub(crate) struct Command {
    /// PEM with the identity that made the request
    identity: PathBuf,
    /// What the CA sent, and the certificates above if they are in files of their own; PEM or DER, in any order
    #[arg(required = true)]
    answers: Vec<PathBuf>,
    /// The private key, if it is in another file
    #[arg(long)]
    key: Option<PathBuf>,
    /// Where the new identity is written; a file that is there stays as it is
    #[arg(short, long)]
    out: PathBuf,
    /// Refuses a chain that does not end in a root
    #[arg(long)]
    complete: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<Answer, Failure> {
        let identity = load(&self.identity, self.key.as_deref())?;
        let read = self.answers.iter().map(|path| files::read(path)).collect::<Result<Vec<_>, _>>()?;
        let refused = |error: certmap::identity::AnswerError| Failure::refused("answer", causes(&error));
        let answered = identity.with_answer(read.iter().map(|file| file.as_slice())).map_err(refused)?;
        let missing = answered.missing_issuer().map(ToString::to_string);
        let unused: Vec<_> = answered.unused().iter().map(|one| one.subject().to_string()).collect();
        let renewed = if self.complete { answered.complete().map_err(refused)? } else { answered.into_identity() };
        save(&renewed, &self.out)?;
        let changed = changes(identity.certificate(), renewed.certificate());
        let mut text = show(renewed.certificate()).text().to_owned();
        let told = [("changed      ", &changed), ("unused       ", &unused)];
        let told = told.iter().flat_map(|(head, lines)| lines.iter().map(move |line| format!("\n{head}{line}")));
        text.extend(told.chain(missing.iter().map(|issuer| format!("\nmissing      {issuer}"))));
        text.extend(["\nwritten to ".to_owned(), self.out.display().to_string()]);
        let mut json = describe(renewed.certificate());
        json["chain"] = renewed.chain().len().into();
        json["changed"] = changed.into();
        json["missing-issuer"] = missing.clone().map_or(Value::Null, Value::String);
        json["unused"] = unused.into();
        json["file"] = self.out.display().to_string().into();
        Ok(Answer::new(text, json).noteworthy(missing.is_some()))
    }
}

/// What the CA made otherwise than the certificate before, and partners may have in a rule.
fn changes(before: &Certificate, after: &Certificate) -> Vec<String> {
    let mut changes = Vec::new();
    if before.subject() != after.subject() {
        changes.push(format!("subject was {}", before.subject()));
    }
    let self_signed = before.subject() == before.issuer();
    if before.issuer() != after.issuer() && !self_signed {
        changes.push(format!("issuer was {}", before.issuer()));
    }
    changes
}
