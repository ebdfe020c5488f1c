//! Administration of a certmap policy: identities, bundles, hosts, mappings, roles, and what a policy means.
//!
//! `cargo run -p admin -- --help`. The policy is one file, TOML or JSON, or a folder of `*.toml` files. Each command is an
//! operation of the library and says what came of it: a table for people, `--json` for programs, in the forms of
//! `certmap::manual::programs`.

mod answer;
mod atomic;
mod bundle;
mod check;
mod deny;
mod diff;
mod edited;
mod explain;
mod files;
mod forecast;
mod generation;
mod graph;
mod host;
mod identity;
mod identity_answer;
mod identity_csr;
mod identity_import;
mod identity_rotate;
mod lint;
mod map;
mod preflight;
mod profile;
mod role;
mod store;
#[cfg(test)]
mod testing;
mod user;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use answer::{Answer, Failure, ascii};

#[derive(Parser)]
#[command(
    name = "admin",
    version,
    about = "Administers a certmap policy: who may connect, as which user, with which roles",
    after_help = "The policy is written anew by every change, in one order: what should stay beside it belongs into notes, \
not into comments. A change is written in one step: whoever reads meanwhile finds the policy before it or after it. A
change of several files needs a folder that is a link to one (`policies -> policies.1`), or has such a link `..data`: the
link is turned to a new folder beside it, and the one before is kept.

What a change makes odd is done all the same, and noted on the error output as `admin lint` says it; in JSON under `notes`.

Exit codes: 0 done; 1 refused, or there is something to look at; 2 wrong usage; 3 a file cannot be read or written.

Example: from nothing to a policy for one partner
  admin bundle add-ca partners acme.pem --alias acme
  admin host set gateway --ca-bundle partners:require
  admin map add @acme --user ACME
  admin role grant iflmap/ESBMessaging.send --user ACME
  admin check"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// The policy: a file (TOML, or JSON if it is named so), or a folder of *.toml files
    #[arg(short, long, global = true, default_value = "policy.toml")]
    policy: PathBuf,
    /// The file of the folder that new things are written to; what is there already is changed where it is
    #[arg(long, global = true, value_name = "NAME", default_value = "policy.toml")]
    file: String,
    /// Answers in JSON, for programs; errors too
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Certificate and private key of our own
    #[command(subcommand)]
    Identity(identity::Command),
    /// Whom hosts believe: named sets of certificates
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// The TLS endpoints that clients connect to
    #[command(subcommand)]
    Host(host::Command),
    /// Which certificate is which user
    #[command(subcommand)]
    Map(map::Command),
    /// Which user has which role
    #[command(subcommand)]
    Role(role::Command),
    /// Which certificates are refused whatever vouches for them
    #[command(subcommand)]
    Deny(deny::Command),
    /// Which users are refused by whatever certificate they come
    #[command(subcommand)]
    User(user::Command),
    /// Builds the policy and lists every problem with its place
    Check(check::Command),
    /// Lists what is odd about the policy
    Lint(lint::Command),
    /// Explains who a certificate is, and why
    Explain(explain::Command),
    /// Compares the policy with another one, fit for a code review
    Diff(diff::Command),
    /// Lists what stops working when, by user
    Forecast(forecast::Command),
    /// Draws the policy as a Mermaid graph
    Graph(graph::Command),
}

fn main() -> ExitCode {
    let Cli { common, command } = Cli::parse();
    let json = common.json;
    match run(command, &common).and_then(|answer| print(&answer, json)) {
        Ok(exit) => exit,
        Err(failure) => {
            let text = if json { ascii(&failure.json()) } else { failure.to_string() };
            // Nobody is left to be told if this fails.
            let _ = writeln!(io::stderr(), "{text}");
            failure.exit()
        }
    }
}

fn run(command: Command, common: &Common) -> Result<Answer, Failure> {
    match command {
        Command::Identity(command) => command.run(common),
        Command::Bundle(command) => command.run(common),
        Command::Host(command) => command.run(common),
        Command::Map(command) => command.run(common),
        Command::Role(command) => command.run(common),
        Command::Deny(command) => command.run(common),
        Command::User(command) => command.run(common),
        Command::Check(command) => command.run(common),
        Command::Lint(command) => command.run(common),
        Command::Explain(command) => command.run(common),
        Command::Diff(command) => command.run(common),
        Command::Forecast(command) => command.run(common),
        Command::Graph(command) => command.run(common),
    }
}

fn print(answer: &Answer, json: bool) -> Result<ExitCode, Failure> {
    let text = if json { ascii(answer.json()) } else { answer.text().to_owned() };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut stdout = io::stdout().lock();
    let written = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unreadable("output", format!("the answer cannot be written: {cause}")))
        }
        _ => {
            if !json {
                // It was done, whether or not anybody reads these.
                let _ = answer.notes().iter().try_for_each(|note| writeln!(io::stderr(), "note: {note}"));
            }
            Ok(answer.exit())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The words of a line as a shell reads them, as far as examples need it.
    fn words(line: &str) -> Vec<String> {
        let pieces = line.split('\'').enumerate();
        let words = pieces.flat_map(|(at, piece)| match at % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        });
        words.collect()
    }

    /// Every command that has no commands of its own.
    fn leaves<'a>(command: &'a clap::Command, path: &str, found: &mut Vec<(String, &'a clap::Command)>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_subcommands().next().is_none() {
            found.push((path, command));
            return;
        }
        command.get_subcommands().for_each(|command| leaves(command, &path, found));
    }

    /// The rule of a command line, with a fingerprint for each alias: an example has no policy that knows them.
    fn rule(line: &str) -> Option<String> {
        let matches = Cli::command().try_get_matches_from(words(line)).expect("it can be typed");
        let mut command = &matches;
        while let Some((_, below)) = command.subcommand() {
            command = below;
        }
        let rule = command.try_get_one::<String>("match").ok().flatten()?;
        let fingerprint = format!("sha256:{}", "0a".repeat(32));
        let known = |word: &str| if word.starts_with('@') { fingerprint.clone() } else { word.to_owned() };
        Some(rule.split(' ').map(known).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_rule_in_an_example_parses() {
        let command = Cli::command();
        let mut found = vec![(String::new(), &command)];
        leaves(&command, "", &mut found);
        let helps = found.iter().filter_map(|(_, command)| command.get_after_help());
        let help = helps.map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let examples = help.lines().filter(|line| line.starts_with("  admin "));
        let rules: Vec<_> = examples.filter_map(|example| Some((example, rule(example)?))).collect();
        assert!(rules.len() >= 4, "{rules:?}");
        for (example, rule) in rules {
            if let Err(error) = rule.parse::<certmap::Selector>() {
                panic!("{example}: {error}");
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_of_itself_that_can_be_typed() {
        let command = Cli::command();
        let mut found = Vec::new();
        leaves(&command, "", &mut found);
        assert!(found.len() > 20, "{} commands", found.len());
        for (path, command) in found {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<_> = help.lines().filter(|line| line.starts_with("  admin ")).collect();
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                assert!(example.starts_with(&format!(" {path}")), "{path} has an example of something else: {example}");
                let parsed = Cli::try_parse_from(words(example));
                assert!(
                    parsed.is_ok(),
                    "{example}: {}",
                    parsed.err().map(|error| error.to_string()).unwrap_or_default()
                );
            }
        }
    }
}
