//! `admin deny`: which certificates are refused whatever vouches for them.

use std::path::PathBuf;

use certmap::cert::SerialNumber;
use certmap::trust::Denial;
use certmap::{DistinguishedName, SpkiFingerprint};
use clap::{Args, Subcommand};

use crate::answer::{Answer, Failure};
use crate::store::Store;
use crate::{Common, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Denies a key, or one certificate of a CA
    #[command(after_help = "Examples:
  admin deny add --certificate stolen.pem --note 'laptop lost'
  admin deny add --serial-of stolen.pem
  admin deny add --issuer CN=Corp --serial 0a20")]
    Add {
        #[command(flatten)]
        what: What,
        /// Why
        #[arg(long)]
        note: Option<String>,
    },
    /// Lists the denials as they are written
    #[command(after_help = "Example:\n  admin deny list")]
    List,
    /// Takes a denial back
    #[command(after_help = "Example:\n  admin deny remove --certificate stolen.pem")]
    Remove {
        #[command(flatten)]
        what: What,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct What {
    /// The key of the certificate in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "issuer", "serial"])]
    certificate: Option<PathBuf>,
    /// The certificate in this file by its issuer and serial number: another one on its key is not denied
    #[arg(long, value_name = "FILE", conflicts_with_all = ["certificate", "key", "issuer", "serial"])]
    serial_of: Option<PathBuf>,
    /// This key
    #[arg(long, conflicts_with_all = ["issuer", "serial"])]
    key: Option<SpkiFingerprint>,
    /// The certificate to which this issuer gave … Case, blanks and the order of attributes do not matter
    #[arg(long, requires = "serial")]
    issuer: Option<DistinguishedName>,
    /// … this serial number, in hexadecimal
    #[arg(long, requires = "issuer")]
    serial: Option<SerialNumber>,
}

impl What {
    fn denial(self) -> Result<Denial, Failure> {
        match self {
            Self { certificate: Some(path), .. } => {
                Ok(Denial::key(files::certificate_alone(&path)?.spki_fingerprint()))
            }
            Self { serial_of: Some(path), .. } => {
                let certificate = files::certificate_alone(&path)?;
                Ok(Denial::serial(certificate.issuer(), certificate.serial().clone()))
            }
            Self { key: Some(key), .. } => Ok(Denial::key(key)),
            Self { issuer: Some(issuer), serial: Some(serial), .. } => Ok(Denial::serial(issuer, serial)),
            _ => Err(Failure::usage(
                "say what is denied: `--certificate`, `--serial-of`, `--key`, or `--issuer` and `--serial`",
            )),
        }
    }
}

const COLUMNS: &[(&str, &str)] =
    &[("key", "KEY"), ("issuer", "ISSUER"), ("serial", "SERIAL"), ("note", "NOTE"), ("file", "FILE")];

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::Add { what, note } => {
                let denial = what.denial()?;
                Store::open(common)?.edit(|edit| Ok(edit.deny(&denial, note.as_deref())?))
            }
            Self::List => Ok(Answer::table(COLUMNS, Store::open(common)?.written("denials")?)),
            Self::Remove { what } => {
                let denial = what.denial()?;
                Store::open(common)?.edit(|edit| Ok(edit.allow(&denial)?))
            }
        }
    }
}
