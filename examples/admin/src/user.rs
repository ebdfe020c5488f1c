//! `admin user`: which users are refused by whatever certificate they come.

use certmap::UserName;
use clap::Subcommand;

use crate::Common;
use crate::answer::{Answer, Failure};
use crate::store::Store;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Refuses a user, by whatever certificate and rule it comes
    #[command(after_help = "Example:\n  admin user disable ACME")]
    Disable {
        /// The user
        user: UserName,
    },
    /// Refuses a user no more
    #[command(after_help = "Example:\n  admin user enable ACME")]
    Enable {
        /// The user
        user: UserName,
    },
    /// Lists what is written of users
    #[command(after_help = "Example:\n  admin user list")]
    List,
}

const COLUMNS: &[(&str, &str)] = &[("name", "USER"), ("disabled", "DISABLED"), ("note", "NOTE"), ("file", "FILE")];

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        match self {
            Self::Disable { user } => Store::open(common)?.edit(|edit| Ok(edit.disable(&user)?)),
            Self::Enable { user } => Store::open(common)?.edit(|edit| Ok(edit.enable(&user)?)),
            Self::List => Ok(Answer::table(COLUMNS, Store::open(common)?.written("users")?)),
        }
    }
}
