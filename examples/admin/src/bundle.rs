//! `admin bundle`: whom hosts believe; `add-ca`, `list-cas` and `remove-ca`, as SAP's console has them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use certmap::document::{AddedAs, Change, DocumentFault, DocumentProblem, EditError, ListedCertificate, Removal};
use certmap::rustls::pki_types::UnixTime;
use certmap::trust::Alias;
use certmap::{BundleName, Certificate, Fingerprint, cert::SerialNumber};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::answer::{Answer, Failure, form, one_line};
use crate::store::Store;
use crate::{Common, files, identity};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Puts the certificates of a file into a bundle, which is made if there is none of that name
    #[command(after_help = "Examples:
  admin bundle add-ca partners acme.pem --alias acme
  admin bundle add-ca partners corp-ca.pem --kind anchor --alias corp")]
    AddCa {
        /// The bundle
        bundle: BundleName,
        /// One or more certificates, PEM or DER
        certificates: PathBuf,
        /// As what: pin (this certificate), key-pin (its key), anchor (everything it issues), odd-anchor
        #[arg(long)]
        kind: Option<AddedAs>,
        /// A name for rules: `@acme`
        #[arg(long)]
        alias: Option<Alias>,
    },
    /// Lists the certificates of a bundle, or of all
    #[command(after_help = "Examples:\n  admin bundle list-cas\n  admin bundle list-cas partners --json")]
    ListCas {
        /// The bundle
        bundle: Option<BundleName>,
    },
    /// Takes certificates out of a bundle, or the whole bundle
    #[command(after_help = "Examples:
  admin bundle remove-ca partners --serial-number 0a20,0a21
  admin bundle remove-ca partners --alias acme
  admin bundle remove-ca partners --expired
  admin bundle remove-ca partners --all")]
    RemoveCa {
        /// The bundle
        bundle: BundleName,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Those with these serial numbers, in hexadecimal
    #[arg(long, value_delimiter = ',')]
    serial_number: Vec<SerialNumber>,
    /// This one
    #[arg(long)]
    fingerprint: Option<Fingerprint>,
    /// The one with this alias
    #[arg(long)]
    alias: Option<Alias>,
    /// Those whose validity has ended
    #[arg(long)]
    expired: bool,
    /// All of them, and the bundle itself
    #[arg(long)]
    all: bool,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::AddCa { bundle, certificates, kind, alias } => {
                let certificates = files::certificates_alone(&certificates)?;
                let pem: String = certificates.iter().map(Certificate::to_pem).collect();
                Store::begin(common)?
                    .edit(|edit| edit.add_ca(&bundle, pem.as_bytes(), kind, alias.as_ref()).map_err(unadded))
            }
            Self::ListCas { bundle } => {
                let store = Store::open(common)?;
                let listed = store.document().list_cas(bundle.as_ref(), store.references());
                if let Some(bundle) = bundle.filter(|_| listed.is_empty()) {
                    exists(&store, &bundle)?;
                }
                Ok(Answer::table(COLUMNS, listed.iter().map(row).collect()))
            }
            Self::RemoveCa { bundle, which } => {
                let mut store = Store::open(common)?;
                exists(&store, &bundle)?;
                let fingerprint = match &which.alias {
                    Some(alias) => Some(aliased(&store, &bundle, alias)?),
                    None => which.fingerprint,
                };
                let removal = match (&fingerprint, which.expired, which.all) {
                    (Some(fingerprint), ..) => Removal::Fingerprint(fingerprint),
                    (None, true, _) => Removal::Expired(UnixTime::now()),
                    (None, false, true) => Removal::Bundle,
                    (None, false, false) => Removal::Serials(&which.serial_number),
                };
                remove(&mut store, &bundle, removal)
            }
        }
    }
}

fn unadded(error: EditError) -> Failure {
    let help = match error {
        EditError::PinOrAnchor { .. } => vec!["say it with `--kind pin` or `--kind anchor`".to_owned()],
        _ => Vec::new(),
    };
    Failure::from(error).with_help(help)
}

/// Refuses the name of a bundle that is not there. One without certificates is.
fn exists(store: &Store, bundle: &BundleName) -> Result<(), Failure> {
    let bundles = store.written("bundles")?;
    let names: BTreeSet<_> = bundles.iter().filter_map(|bundle| bundle["name"].as_str()).collect();
    if names.contains(bundle.as_str()) {
        return Ok(());
    }
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", one_line(name))).collect();
    let there = match &names[..] {
        [] => "there is none at all".to_owned(),
        [name] => format!("there is {name}"),
        names => format!("there are {}", names.join(", ")),
    };
    Err(Failure::refused("not-found", format!("no bundle is named `{bundle}`: {there}")))
}

fn aliased(store: &Store, bundle: &BundleName, alias: &Alias) -> Result<Fingerprint, Failure> {
    let listed = store.document().list_cas(Some(bundle), store.references());
    let found = listed.iter().find(|one| one.alias() == Some(alias)).map(|one| one.certificate().fingerprint());
    let message = || {
        format!("no certificate of bundle `{bundle}` has alias `{alias}`: list them, `admin bundle list-cas {bundle}`")
    };
    found.ok_or_else(|| Failure::refused("not-found", message()))
}

const COLUMNS: &[(&str, &str)] = &[
    ("bundle", "BUNDLE"),
    ("kind", "KIND"),
    ("alias", "ALIAS"),
    ("serial", "SERIAL"),
    ("subject", "SUBJECT"),
    ("validity", "VALIDITY"),
    ("fingerprint", "FINGERPRINT"),
];

fn row(listed: &ListedCertificate) -> Value {
    let mut row = identity::describe(listed.certificate());
    row["bundle"] = listed.bundle().to_string().into();
    row["kind"] = listed.kind().as_str().into();
    row["alias"] = listed.alias().map(Alias::as_str).into();
    row
}

/// In one step where that can be, else one after the other: each step leaves a policy that is whole.
fn remove(store: &mut Store, bundle: &BundleName, removal: Removal<'_>) -> Result<Answer, Failure> {
    let plan = store.plan(|edit| edit.remove_ca(bundle, removal).map_err(|error| unremoved(store, error)))?;
    if store.is_one_step(&plan) || matches!(removal, Removal::Bundle) {
        return Ok(store.write(plan)?.into_answer());
    }
    let edited = plan.edited();
    for change in edited.changes.as_slice() {
        if let Change::CertificateRemoved { fingerprint, .. } = change {
            let step = store.plan(|edit| Ok(edit.remove_ca(bundle, Removal::Fingerprint(fingerprint))?))?;
            store.write(step)?;
        }
    }
    Ok(edited.into_answer())
}

/// With the rules that name what should be removed.
fn unremoved(store: &Store, error: EditError) -> Failure {
    let rules = match &error {
        EditError::Problems { problems } => problems.iter().filter_map(|problem| nameless(store, problem)).collect(),
        _ => Vec::new(),
    };
    Failure::from(error).with_help(rules)
}

/// The help for a rule in which an alias would stand for no certificate; `None` if the problem is another one.
fn nameless(store: &Store, problem: &DocumentProblem) -> Option<String> {
    let DocumentFault::Selector(_) = problem.fault() else { return None };
    let place = form(problem.path());
    let list = place["list"].as_str().filter(|list| *list == "mappings")?;
    let mut rules = store.written(list).ok()?;
    rules.retain(|rule| rule["file"] == place["file"]);
    let rule = rules.get(usize::try_from(place["item"].as_u64()?).ok()?)?["match"].as_str()?;
    let rule = one_line(rule);
    Some(format!("rule `{rule}` uses it: `admin map remove {}` first", shell_word(&rule)))
}

/// As it is typed in a shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@:._/-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
