//! `admin identity profile`: what common peers say about a certificate.

use std::path::PathBuf;

use certmap::cert::{Effect, Profile, Remark, Usage};
use clap::Args;
use serde_json::{Value, json};

use crate::answer::{Answer, Failure, one_line};
use crate::files;

#[derive(Args)]
#[command(after_help = "Exit code 1 says that some peer refuses it.

Examples:
  admin identity profile acme.pem
  admin identity profile gateway.pem --server --json")]
pub(crate) struct Command {
    /// The certificate, or an identity or chain that begins with it
    certificate: PathBuf,
    /// It is for a server; without it, for a client
    #[arg(long)]
    server: bool,
}

const COLUMNS: &[(&str, &str)] = &[
    ("code", "REMARK"),
    ("refuses", "REFUSED BY"),
    ("may-refuse", "MAY BE REFUSED BY"),
    ("ignores-name", "NAME OVERLOOKED BY"),
];

impl Command {
    pub(crate) fn run(self) -> Result<Answer, Failure> {
        let certificate = files::first_certificate(&self.certificate)?;
        let profile = certificate.profile(if self.server { Usage::Server } else { Usage::Client });
        let refused = profile.remarks().iter().any(|remark| !peers(remark, Effect::Refuses).is_empty());
        let table = Answer::table(COLUMNS, rows(&profile));
        let lines: Vec<_> = profile.remarks().iter().map(line).collect();
        let text = match lines.as_slice() {
            [] => profile.to_string(),
            lines => format!("{}\n\n{}", table.text(), lines.join("\n")),
        };
        Ok(Answer::new(text, table.json().clone()).noteworthy(refused))
    }
}

fn line(remark: &Remark) -> String {
    format!("{}: {}\n  cure: {}", remark.code(), one_line(remark.sentence()), remark.cure())
}

fn rows(profile: &Profile) -> Vec<Value> {
    let row = |remark: &Remark| {
        json!({
            "code": remark.code().as_str(),
            "refuses": peers(remark, Effect::Refuses),
            "may-refuse": peers(remark, Effect::MayRefuse),
            "ignores-name": peers(remark, Effect::IgnoresName),
            "sentence": remark.sentence(),
            "cure": remark.cure(),
        })
    };
    profile.remarks().iter().map(row).collect()
}

fn peers(remark: &Remark, effect: Effect) -> Vec<&'static str> {
    let reactions = remark.reactions().iter().filter(|reaction| reaction.effect == effect);
    reactions.map(|reaction| reaction.peer.as_str()).collect()
}
