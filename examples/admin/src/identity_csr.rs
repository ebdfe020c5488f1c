//! `admin identity csr`: asks a CA for a certificate on a key that we have.

use std::io::Write as _;
use std::path::PathBuf;

use certmap::DistinguishedName;
use certmap::cert::GeneralName;
use clap::Args;
use serde_json::json;

use crate::answer::{Answer, Failure, causes};
use crate::identity::{load, new_file};

#[derive(Args)]
#[command(after_help = "The identity stays in use; what the CA answers is put on its key by `admin identity answer`.

Examples:
  admin identity csr erp.pem --out erp.csr
  admin identity csr erp.pem --name dns:erp.example --name email:erp@example.com
  admin identity csr erp.crt --key erp.key --subject CN=ERP,O=Acme --out erp.csr")]
pub(crate) struct Command {
    /// PEM with certificate, chain and private key
    identity: PathBuf,
    /// The private key, if it is in another file
    #[arg(long)]
    key: Option<PathBuf>,
    /// Whose the certificate shall be (RFC 4514); without it, as the present one
    #[arg(long)]
    subject: Option<DistinguishedName>,
    /// An alternative name: dns:HOST, email:ADDRESS, ip:ADDRESS, uri:URI, dn:NAME; may be given several times
    #[arg(long = "name", value_name = "KIND:NAME", value_parser = name)]
    names: Vec<GeneralName>,
    /// Where it is written; without it, to the standard output
    #[arg(short, long)]
    out: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(self) -> Result<Answer, Failure> {
        let identity = load(&self.identity, self.key.as_deref())?;
        let request = match &self.subject {
            Some(subject) => identity.certificate_request_for(subject, &self.names),
            None => identity.certificate_request(&self.names),
        };
        let pem = request.map_err(|error| Failure::refused("request", causes(&error)))?.to_pem();
        match self.out {
            None => Ok(Answer::new(pem.clone(), json!({ "request": pem }))),
            Some(out) => {
                new_file(&out, 0o644, |file| file.write_all(pem.as_bytes()))?;
                let text = format!("written to {}", out.display());
                Ok(Answer::new(text, json!({ "request": pem, "file": out.display().to_string() })))
            }
        }
    }
}

fn name(text: &str) -> Result<GeneralName, String> {
    let (kind, value) = text.split_once(':').ok_or("write the kind and the name: `dns:erp.example`")?;
    match kind {
        "dns" => Ok(GeneralName::Dns(value.to_owned())),
        "email" => Ok(GeneralName::Email(value.to_owned())),
        "uri" => Ok(GeneralName::Uri(value.to_owned())),
        "ip" => value.parse().map(GeneralName::Ip).map_err(|error| error.to_string()),
        "dn" => value.parse().map(GeneralName::Directory).map_err(|error| causes(&error)),
        _ => Err("the kinds are `dns`, `email`, `ip`, `uri` and `dn`".to_owned()),
    }
}
