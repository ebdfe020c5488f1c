//! Which rule matches this certificate, and why not: a policy from the command line, one chain, one explanation.
//!
//! To copy from: how a policy is put together, and what `review::explain` tells. It reads the files that it is given and
//! nothing else.

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use certmap::review::explain;
use certmap::rustls::pki_types::UnixTime;
use certmap::{CertUserMapping, Certificate, Evidence, Host, Identity, Outcome, PolicyBuilder, Selector, TrustBundle};

const HELP: &str = r#"Explains who a certificate is under a policy, and which rules come nearest.

Usage: explain [OPTION]... CHAIN.pem

  CHAIN.pem              what the peer presents: its own certificate, then its issuers
  --pin FILE=USER        trusts this certificate itself, and maps it to the user
  --anchor FILE          trusts what this CA issues
  --rule TEST=>SOURCE    maps what is under any of the anchors and has this: `dns "a.example"=>"billing"`,
                         `dns=>"iot/" + dns`; or a whole selector that begins with `under` or a fingerprint
  --at SECONDS           the time, in seconds since 1970; without, that of this machine
  --help                 this text

Exits with 0 if the certificate is a user, with 1 if it is none, with 2 if something cannot be read.

Example:
  cargo run --example explain -- --pin examples/data/erp-v1-test-only.pem=SAPERPUSER examples/data/erp-v1-test-only.pem
"#;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(code) => code,
        Err(error) => {
            let causes: String = std::iter::successors(error.source(), |cause| cause.source())
                .map(|cause| format!(": {cause}"))
                .collect();
            eprintln!("{error}{causes}");
            ExitCode::from(2)
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<ExitCode> {
    let mut partners = TrustBundle::new("partners".parse()?);
    let (mut rules, mut texts, mut chain) = (Vec::new(), Vec::new(), None);
    let mut now = UnixTime::since_unix_epoch(SystemTime::now().duration_since(UNIX_EPOCH)?);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("expected a value after `{argument}`, see --help"));
        match argument.as_str() {
            "--help" => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            "--anchor" => {
                partners.add_anchors_pem(&read(&value()?)?)?;
            }
            "--at" => now = UnixTime::since_unix_epoch(Duration::from_secs(value()?.parse()?)),
            "--pin" => {
                let value = value()?;
                let (file, user) = value.split_once('=').ok_or("expected FILE=USER after `--pin`, see --help")?;
                let pin = partners.add_pin(certificates(file)?.swap_remove(0))?;
                rules.push(CertUserMapping::new(Selector::certificate(pin), user.parse()?));
            }
            "--rule" => texts.push(value()?),
            file if !file.starts_with("--") => chain = Some(certificates(file)?),
            other => return Err(format!("`{other}` is no option, see --help").into()),
        }
    }
    let chain = chain.ok_or("expected the file of a chain, see --help")?;
    for text in &texts {
        rules.extend(mappings(text, &partners)?);
    }

    let policy = PolicyBuilder::for_host(Host::new("example".parse()?, partners)).mappings(rules).build();
    let policy = policy.inspect_err(|error| error.problems().iter().for_each(|problem| eprintln!("{problem}")))?;
    // Nobody has proven here to have the key; for explaining that does not matter.
    let evidence = Evidence::after_handshake("example".parse()?, chain.iter().map(Certificate::der));
    let explanation = explain(&policy, &evidence, now);
    print!("{explanation}");
    Ok(match explanation.decision().outcome() {
        Outcome::Admitted(_) => ExitCode::SUCCESS,
        Outcome::Anonymous | Outcome::Refused(_) => ExitCode::FAILURE,
    })
}

/// A rule as it is written, or one for each anchor if it names none.
fn mappings(text: &str, partners: &TrustBundle) -> Result<Vec<CertUserMapping>> {
    let (test, source) = text.split_once("=>").ok_or("expected TEST=>SOURCE after `--rule`, see --help")?;
    let source: certmap::UserSource = source.trim().parse()?;
    let whole = ["under ", "sha256:", "spki-sha256:"].iter().any(|start| test.starts_with(start));
    let selectors = if whole {
        vec![test.trim().to_owned()]
    } else {
        let anchors = partners.entries().filter(|entry| entry.kind() == certmap::trust::EntryKind::Anchor);
        anchors.map(|entry| format!("under {} {}", entry.certificate().fingerprint(), test.trim())).collect()
    };
    selectors.iter().map(|text| Ok(CertUserMapping::from_source(text.parse()?, source.clone()))).collect()
}

/// The certificates of a file; of one with a private key in it the certificate of that.
fn certificates(file: &str) -> Result<Vec<Certificate>> {
    let pem = read(file)?;
    Certificate::all_from_pem(&pem).or_else(|error| match Identity::from_pem(&pem) {
        Ok(identity) => Ok(vec![identity.certificate().clone()]),
        Err(_) => Err(error.into()),
    })
}

fn read(file: &str) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| format!("`{file}` cannot be read: {error}").into())
}
