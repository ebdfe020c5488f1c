//! `admin identity`: certificate and private key of our own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use certmap::rustls::pki_types::UnixTime;
use certmap::{Certificate, DistinguishedName, Identity, IdentityRequest, NewKey};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::answer::{Answer, Failure, causes};
use crate::{Common, files, identity_answer, identity_csr, identity_import, identity_rotate, preflight, profile};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a private key and a self-signed client certificate, in one PEM file that only its owner can read
    #[command(after_help = "Example:\n  admin identity new CN=ERP,O=Acme --days 730 --out erp.pem")]
    New {
        /// Whose it is (RFC 4514)
        subject: DistinguishedName,
        /// Where it is written; a file that is there stays as it is
        #[arg(short, long)]
        out: PathBuf,
        /// How long it can be used, from now on
        #[arg(long, default_value_t = 730)]
        days: u32,
        /// What kind of key
        #[arg(long, value_enum, default_value_t = Key::EcP256)]
        key: Key,
    },
    /// Shows the certificate of an identity, and proves that its key belongs to it
    #[command(after_help = "Examples:\n  admin identity show erp.pem\n  admin identity show erp.crt --key erp.key")]
    Show {
        /// PEM with certificate, chain and private key
        identity: PathBuf,
        /// The private key, if it is in another file
        #[arg(long)]
        key: Option<PathBuf>,
    },
    /// Gives out the certificate of an identity, without its key: what partners are sent
    #[command(after_help = "Examples:\n  admin identity export erp.pem --out erp.crt\n  admin identity export erp.pem")]
    Export {
        /// PEM with certificate, chain and private key
        identity: PathBuf,
        /// The private key, if it is in another file
        #[arg(long)]
        key: Option<PathBuf>,
        /// Where it is written; without it, to the standard output
        #[arg(short, long)]
        out: Option<PathBuf>,
    },
    /// Tells what common peers say about a certificate: who refuses it, and what to do
    Profile(profile::Command),
    /// Tells what would come of a connection: whether a client is admitted, or a server believed
    Preflight(preflight::Command),
    /// Reads an identity from whatever file it is in: PEM and DER in odd shapes, PKCS#12, SAP's PSE
    Import(identity_import::Command),
    /// Asks a CA for a certificate (PKCS#10)
    Csr(identity_csr::Command),
    /// Puts what a CA answered on the key that asked
    Answer(identity_answer::Command),
    /// Changes a partner from one certificate to the next in the policy: stage, check, finish
    #[command(subcommand)]
    Rotate(identity_rotate::Command),
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Key {
    EcP256,
    EcP384,
    EcP521,
    Ed25519,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl From<Key> for NewKey {
    fn from(key: Key) -> Self {
        match key {
            Key::EcP256 => Self::EcP256,
            Key::EcP384 => Self::EcP384,
            Key::EcP521 => Self::EcP521,
            Key::Ed25519 => Self::Ed25519,
            Key::Rsa2048 => Self::Rsa2048,
            Key::Rsa3072 => Self::Rsa3072,
            Key::Rsa4096 => Self::Rsa4096,
        }
    }
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::Profile(command) => command.run(),
            Self::Preflight(command) => command.run(common),
            Self::Import(command) => command.run(),
            Self::Csr(command) => command.run(),
            Self::Answer(command) => command.run(),
            Self::Rotate(command) => command.run(common),
            Self::New { subject, out, days, key } => {
                let lifetime = Duration::from_secs(u64::from(days) * 86_400);
                let request = IdentityRequest::new(subject, UnixTime::now(), lifetime).with_key(key.into());
                let identity = Identity::generate(&request).map_err(|error| refused(&error))?;
                save(&identity, &out)?;
                Ok(show(identity.certificate()))
            }
            Self::Show { identity, key } => Ok(show(load(&identity, key.as_deref())?.certificate())),
            Self::Export { identity, key, out } => {
                let pem = load(&identity, key.as_deref())?.certificate().to_pem();
                match out {
                    None => Ok(Answer::new(pem.clone(), json!({ "certificate": pem }))),
                    Some(out) => {
                        new_file(&out, 0o644, |file| file.write_all(pem.as_bytes()))?;
                        let text = format!("written to {}", out.display());
                        Ok(Answer::new(text, json!({ "certificate": pem, "file": out.display().to_string() })))
                    }
                }
            }
        }
    }
}

pub(crate) fn load(identity: &Path, key: Option<&Path>) -> Result<Identity, Failure> {
    let read = files::read(identity)?;
    let loaded = match key {
        Some(key) => Identity::from_files(&read, &files::read(key)?),
        None => Identity::from_pem(&read),
    };
    loaded.map_err(|error| refused(&error))
}

pub(crate) fn save(identity: &Identity, out: &Path) -> Result<(), Failure> {
    let key = identity.private_key_pem().ok_or_else(|| Failure::refused("identity", "the key cannot be exported"))?;
    new_file(out, 0o600, |file| {
        file.write_all(identity.chain_pem().as_bytes())?;
        file.write_all(key.as_bytes())
    })
}

/// A key that is there is never written over: it may be the only copy.
pub(crate) fn new_file(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let cannot = |cause: io::Error| {
        let cure = match cause.kind() {
            io::ErrorKind::AlreadyExists => ": it is not written over, name another or move it away",
            _ => "",
        };
        Failure::unreadable("file", format!("`{}` cannot be written: {cause}{cure}", path.display()))
    };
    let mut file = options.open(path).map_err(cannot)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    written.map_err(|cause| {
        // Half an identity is none.
        let _ = fs::remove_file(path);
        cannot(cause)
    })
}

fn refused(error: &dyn std::error::Error) -> Failure {
    Failure::refused("identity", causes(error))
}

pub(crate) fn show(certificate: &Certificate) -> Answer {
    let json = describe(certificate);
    let names = certificate.subject_alternative_names().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let text = format!(
        "subject      {}\nissuer       {}\nserial       {}\nversion      {}\nkey          {}\nvalidity     {}\n\
        names        {}\nfingerprint  {}\nkey          {}",
        certificate.subject(),
        certificate.issuer(),
        certificate.serial(),
        certificate.version(),
        certificate.key_type(),
        certificate.validity(),
        if names.is_empty() { "-" } else { &names },
        certificate.fingerprint(),
        certificate.spki_fingerprint(),
    );
    Answer::new(text, json)
}

/// A certificate, for programs.
pub(crate) fn describe(certificate: &Certificate) -> Value {
    let validity = certificate.validity();
    let names: Vec<_> = certificate.subject_alternative_names().iter().map(ToString::to_string).collect();
    json!({
        "subject": certificate.subject().to_string(),
        "issuer": certificate.issuer().to_string(),
        "serial": certificate.serial().to_string(),
        "version": certificate.version(),
        "key-type": certificate.key_type().to_string(),
        "names": names,
        "validity": validity.to_string(),
        "not-before": validity.not_before().as_secs(),
        "not-after": validity.not_after().as_secs(),
        "fingerprint": certificate.fingerprint().to_string(),
        "key": certificate.spki_fingerprint().to_string(),
    })
}
