//! `admin role`: which user has which role.

use certmap::{Enforcement, Holder, Role, RoleAssignment, RuleName, Strength, UserName};
use clap::{Args, Subcommand};

use crate::Common;
use crate::answer::{Answer, Failure};
use crate::store::Store;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Gives a role to a user, or to everybody whom a rule matches
    #[command(after_help = "Examples:
  admin role grant iflmap/ESBMessaging.send --user ACME
  admin role grant iflmap/ESBMessaging.send --rule fleet --at-least key")]
    Grant {
        /// The application, `/` and the role
        role: Role,
        #[command(flatten)]
        holder: Holds,
        /// How strongly the holder has to be known
        #[arg(long, value_name = "STRENGTH")]
        at_least: Option<Strength>,
        /// What becomes of the role if the holder is not known so strongly: enforce, warn or observe
        #[arg(long)]
        enforcement: Option<Enforcement>,
    },
    /// Takes a role away
    #[command(after_help = "Example:\n  admin role revoke iflmap/ESBMessaging.send --user ACME")]
    Revoke {
        /// The application, `/` and the role
        role: Role,
        #[command(flatten)]
        holder: Holds,
    },
    /// Lists who has which role, as it is written
    #[command(after_help = "Example:\n  admin role list")]
    List,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Holds {
    /// A user
    #[arg(long)]
    user: Option<UserName>,
    /// Everybody whom the rules of this name match
    #[arg(long)]
    rule: Option<RuleName>,
}

impl Holds {
    fn holder(self) -> Result<Holder, Failure> {
        let holder = self.user.map(Holder::User).or(self.rule.map(Holder::Rule));
        holder.ok_or_else(|| Failure::usage("say who: `--user` or `--rule`"))
    }
}

const COLUMNS: &[(&str, &str)] = &[
    ("role", "ROLE"),
    ("user", "USER"),
    ("rule", "RULE"),
    ("at-least", "AT LEAST"),
    ("enforcement", "ENFORCEMENT"),
    ("file", "FILE"),
];

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::Grant { role, holder, at_least, enforcement } => {
                let assignment = RoleAssignment::to(holder.holder()?, role)
                    .at_least(at_least.unwrap_or(Strength::Name))
                    .with_enforcement(enforcement.unwrap_or_default());
                Store::open(common)?.edit(|edit| Ok(edit.assign(&assignment)?))
            }
            Self::Revoke { role, holder } => {
                let holder = holder.holder()?;
                Store::open(common)?.edit(|edit| Ok(edit.revoke(&holder, &role)?))
            }
            Self::List => Ok(Answer::table(COLUMNS, Store::open(common)?.written("assignments")?)),
        }
    }
}
