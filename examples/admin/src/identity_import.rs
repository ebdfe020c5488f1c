//! `admin identity import`: an identity from whatever file it is in.

use std::path::{Path, PathBuf};

use certmap::identity::{Import, ImportError, Imported};
use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::answer::{Answer, Failure, causes};
use crate::files;
use crate::identity::{describe, save, show};

#[derive(Args)]
#[command(
    after_help = "PEM and DER in odd shapes, PKCS#12, SAP's PSE, and keys under a password are read; what is written is one PEM \
file with certificate, chain and unencrypted key that only its owner can read. Notes say what may not be as you think (exit \
code 1).

Examples:
  admin identity import erp.p12 --password-file erp.password --out erp.pem
  admin identity import SAPSSLC.pse --password-file pin --out erp.pem
  admin identity import erp.crt --key erp.key --out erp.pem"
)]
pub(crate) struct Command {
    /// The file, of whatever kind
    // Another id than that of `--file`, which every command takes.
    #[arg(id = "identity-file", value_name = "FILE")]
    file: PathBuf,
    /// The private key, if it is in another file
    #[arg(long)]
    key: Option<PathBuf>,
    /// A file whose first line is the password, or the PIN of a PSE: other users see the arguments of a command
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Reads a PKCS#12 file without MAC: nothing tells then whether somebody changed it
    #[arg(long)]
    danger_accept_no_mac: bool,
    /// Where it is written; a file that is there stays as it is
    #[arg(short, long)]
    out: PathBuf,
}

impl Command {
    pub(crate) fn run(self) -> Result<Answer, Failure> {
        let password = self.password_file.as_deref().map(first_line).transpose()?;
        let file = files::read(&self.file)?;
        let mut import = Import::new();
        if let Some(password) = &password {
            import = import.with_password(password);
        }
        if self.danger_accept_no_mac {
            import = import.danger_accept_no_mac();
        }
        let imported = match &self.key {
            Some(key) => import.read_files(&file, &files::read(key)?),
            None => import.read(&file),
        };
        let imported = imported.map_err(|error| {
            let option = match error {
                ImportError::PasswordNeeded { .. } => "; here: `--password-file`",
                ImportError::NoMac => "; here: `--danger-accept-no-mac`",
                _ => "",
            };
            Failure::refused("identity", causes(&error) + option)
        })?;
        save(imported.identity(), &self.out)?;
        Ok(told(&imported, &self.out))
    }
}

fn told(imported: &Imported, out: &Path) -> Answer {
    let identity = imported.identity();
    let notes: Vec<String> = imported.notes().iter().map(ToString::to_string).collect();
    let mut text = show(identity.certificate()).text().to_owned();
    text.extend(notes.iter().map(|note| format!("\nnote         {note}")));
    text.extend([format!("\nread as      {}\nwritten to {}", imported.format(), out.display())]);
    let mut json = describe(identity.certificate());
    json["chain"] = identity.chain().len().into();
    json["format"] = imported.format().to_string().into();
    json["notes"] = notes.iter().cloned().map(Value::String).collect();
    json["file"] = out.display().to_string().into();
    Answer::new(text, json).noteworthy(!notes.is_empty())
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let content = files::read(path)?;
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = core::str::from_utf8(line).map_err(|_| {
        Failure::refused("password", format!("the first line of `{}` is no text in UTF-8", path.display()))
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
