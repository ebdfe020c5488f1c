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
    #[command(after_help = ADD_HELP)]
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

/// The whole grammar is at `certmap::Selector` and `certmap::UserSource`.
const ADD_HELP: &str = r#"MATCH is a certificate, a key, or a CA and a test of what it wrote into the certificate:
  @acme                         this certificate of a bundle, by its alias
  sha256:DIGITS                 this certificate, by its fingerprint
  spki-sha256:DIGITS            whatever certificate has this key
  under @corp TEST              what this CA issued, itself or through others, and the test holds for
  under @corp issued-by spki-sha256:DIGITS TEST
                                only what the holder of this key issued

TEST is one of
  FIELD "VALUE"                 the field has this value and no other; `FIELD any "VALUE"`: this one among others
  FIELD                         the field has one value, whichever
  all(TEST, not TEST)           all hold, and what stands behind `not` does not
  any(TEST, TEST)               one of them holds
  every-certificate             always
and FIELD one of `attribute CN` (or another attribute of the subject), `dns`, `email`, `ip`, `uri`, `upn`, `policy`,
`directory`, `extension OID`, `other OID`; or, never without value, `subject "CN=erp,O=Corp"`, `serial 0a20`.
Addresses, policies and serial numbers stand without quotes: `ip 192.0.2.1`, `policy 1.3.6.1`.

TEMPLATE joins texts and fields with `+`, and needs a text before or behind the field, or a list of users:
  "iot/" + dns without-suffix ".devices.example"
  attribute CN in-lower-case + "@corp"
  attribute CN among ("alice", "bob")

Examples:
  admin map add @acme --user ACME
  admin map add --certificate acme.pem --user ACME
  admin map add 'under @corp attribute CN "erp"' --user ERP --name erp
  admin map add 'under @corp dns' --user-from '"iot/" + dns without-suffix ".devices.example"' --name fleet"#;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_rule(text: &str) {
        let digits = "0a".repeat(32);
        let certificate = format!("sha256:{digits}");
        let text = text
            .replace("@acme", &certificate)
            .replace("@corp", &certificate)
            .replace("DIGITS", &digits)
            .replace("OID", "1.2.3")
            .replace("FIELD", "dns")
            .replace("VALUE", "a.example")
            .replace("TEST, not TEST", "dns, not email")
            .replace("TEST", "dns");
        if let Err(error) = text.parse::<Selector>() {
            panic!("{text}: {error}");
        }
    }

    #[test]
    fn what_the_help_says_about_rules_is_what_is_read() {
        let below = |begin: &str, end: &str| {
            let lines = ADD_HELP.lines().skip_while(|line| !line.starts_with(begin)).skip(1);
            let lines = lines.take_while(|line| !line.starts_with(end)).filter_map(|line| line.strip_prefix("  "));
            lines.filter(|line| !line.is_empty() && !line.starts_with(' ')).collect::<Vec<_>>()
        };
        // What is said about a form stands behind two blanks.
        let form = |line: &&'static str| line.split("  ").next().unwrap_or_default();
        let matches: Vec<_> = below("MATCH", "TEST").iter().map(form).collect();
        let tests: Vec<_> = below("TEST", "and FIELD").iter().map(form).collect();
        assert_eq!((matches.len(), tests.len()), (5, 5));
        for rule in matches {
            is_rule(rule);
        }
        for test in tests.into_iter().chain(["FIELD any \"VALUE\""]) {
            is_rule(&format!("under @corp {test}"));
        }
        let fields = ADD_HELP.split("and FIELD one of").nth(1).and_then(|rest| rest.split("TEMPLATE").next());
        let fields: Vec<_> = fields.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        assert_eq!(fields.len(), 14);
        for field in fields {
            is_rule(&format!("under @corp {field}"));
        }
        let templates = below("TEMPLATE", "Examples");
        assert_eq!(templates.len(), 3);
        for template in templates {
            assert!(template.parse::<UserSource>().is_ok_and(|source| source.constant().is_none()), "{template}");
        }
    }
}
