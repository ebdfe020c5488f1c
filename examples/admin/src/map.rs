//! `admin map`: which certificate is which user.

use std::path::PathBuf;

use certmap::document::Editor;
use certmap::{CertUserMapping, RuleName, Selector, UserName, UserSource};
use clap::{Args, Subcommand};

use crate::answer::{Answer, Failure};
use crate::store::Store;
use crate::{Common, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Adds a rule: what this matches is this user
    #[command(after_help = "Examples:
  admin map add @acme --user ACME
  admin map add --certificate acme.pem --user ACME
  admin map add 'under @corp attribute CN \"erp\"' --user ERP --name erp")]
    Add {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        who: Who,
        /// A name for the rule, to which roles can be given
        #[arg(long)]
        name: Option<RuleName>,
        /// Lets this certificate be another user than a rule under its CA says
        #[arg(long)]
        exception: bool,
    },
    /// Lists the rules as they are written
    #[command(after_help = "Examples:\n  admin map list\n  admin map list --json")]
    List,
    /// Takes out every rule that matches this
    #[command(after_help = "Examples:\n  admin map remove @acme\n  admin map remove --certificate acme.pem")]
    Remove {
        #[command(flatten)]
        what: What,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct What {
    /// What in a certificate identifies its holder; `@alias` stands for a certificate of the policy
    #[arg(id = "match", value_name = "MATCH")]
    selector: Option<String>,
    /// Exactly the certificate in this file
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Who {
    /// The user
    #[arg(long)]
    user: Option<UserName>,
    /// How the user is made from the certificate
    #[arg(long, value_name = "TEMPLATE")]
    user_from: Option<UserSource>,
}

const COLUMNS: &[(&str, &str)] = &[
    ("match", "MATCH"),
    ("user", "USER"),
    ("user-from", "USER FROM"),
    ("name", "NAME"),
    ("exception", "EXCEPTION"),
    ("file", "FILE"),
];

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::Add { what, who, name, exception } => Store::open(common)?.edit(|edit| {
                let source = who.user.map(UserSource::from).or(who.user_from);
                let source = source.ok_or_else(|| Failure::usage("say which user: `--user` or `--user-from`"))?;
                let mut mapping = CertUserMapping::from_source(what.selector(edit)?, source);
                if let Some(name) = name {
                    mapping = mapping.with_name(name);
                }
                if exception {
                    mapping = mapping.as_exception_over_name_rules();
                }
                Ok(edit.map(&mapping)?)
            }),
            Self::List => Ok(Answer::table(COLUMNS, Store::open(common)?.written("mappings")?)),
            Self::Remove { what } => Store::open(common)?.edit(|edit| {
                let selector = what.selector(edit)?;
                Ok(edit.unmap(&selector)?)
            }),
        }
    }
}

impl What {
    fn selector(&self, edit: &Editor<'_>) -> Result<Selector, Failure> {
        match (&self.selector, &self.certificate) {
            (Some(text), _) => Ok(edit.selector(text)?),
            (None, Some(path)) => Ok(Selector::certificate(files::certificate_alone(path)?.fingerprint())),
            (None, None) => Err(Failure::usage("say which certificates: a selector, or `--certificate`")),
        }
    }
}
