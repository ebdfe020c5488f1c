//! `admin identity rotate`: a partner changes its certificate, and stays who it is.

use std::path::Path;
use std::time::Duration;

use certmap::document::{Document, References};
use certmap::review::{LastSeen, Rotation, RotationKey, RotationProblem};
use certmap::rustls::pki_types::UnixTime;
use certmap::trust::Alias;
use certmap::{Certificate, Fingerprint, Policy};
use clap::{Args, Subcommand};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::{Answer, Failure, Trouble};
use crate::store::Store;
use crate::{Common, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Puts the new certificate beside the old one, as the same user by the same kind of rule
    #[command(
        after_help = "Nothing is changed unless both are the same user with the same roles on every host afterwards, and
the new one has the key or the subject of the old one: with neither, only the partner can say that it is its own.

Examples:
  admin identity rotate stage @acme acme-2027.pem --alias acme-2027
  admin identity rotate stage acme.pem acme-2027.pem"
    )]
    Stage {
        #[command(flatten)]
        pair: Pair,
        /// A name for the new one, for rules: `@acme-2027`
        #[arg(long)]
        alias: Option<Alias>,
        /// The partner said that the new certificate, of another key and another subject, is its own
        #[arg(long)]
        other_name: bool,
    },
    /// Says whether both certificates are the same user with the same roles, and how long both are valid
    #[command(after_help = "Exit code 1 says that something is wrong.

Example:
  admin identity rotate check @acme acme-2027.pem")]
    Check {
        #[command(flatten)]
        pair: Pair,
    },
    /// Takes out the old certificate and its rules, once the new one is in use
    #[command(after_help = "Times are as records write them, or seconds since 1970.

Examples:
  admin identity rotate finish @acme @acme-2027 --old-seen 2026-12-01T12:00:00Z --new-seen 2026-12-08T12:00:00Z
  admin identity rotate finish @acme @acme-2027 --danger-unseen")]
    Finish {
        #[command(flatten)]
        pair: Pair,
        #[command(flatten)]
        seen: Seen,
    },
}

#[derive(Args)]
pub(crate) struct Pair {
    /// The certificate that goes: `@alias` or fingerprint of one in the policy, or a file
    #[arg(value_name = "OLD")]
    old: String,
    /// The certificate that comes, told in the same ways
    #[arg(value_name = "NEW")]
    new: String,
}

#[derive(Args)]
pub(crate) struct Seen {
    /// When the records have the old one last; without it, never
    #[arg(id = "old_seen", long = "old-seen", value_name = "TIME", value_parser = moment)]
    old: Option<UnixTime>,
    /// Since when there are records without a gap: needed if the old one is not in them
    #[arg(long = "records-since", value_name = "TIME", value_parser = moment)]
    since: Option<UnixTime>,
    /// When the records have the new one last; without it, never
    #[arg(id = "new_seen", long = "new-seen", value_name = "TIME", value_parser = moment)]
    new: Option<UnixTime>,
    /// For how many days the old one must not have been seen: longer than its holder ever pauses
    #[arg(long, value_name = "DAYS", default_value_t = 35)]
    quiet: u32,
    /// Takes it out whatever the records have: its holder may be shut out
    #[arg(long = "danger-unseen", conflicts_with_all = ["old_seen", "new_seen"])]
    danger: bool,
}

impl Command {
    pub(crate) fn run(self, common: &Common) -> Result<Answer, Failure> {
        let mut store = Store::open(common)?;
        match self {
            Self::Stage { pair, alias, other_name } => {
                // What is put into the policy comes from a partner, who keeps the key.
                let rotation = pair.rotation(&store, 0, files::certificates_alone)?;
                let claims = claims(&rotation, store.document(), store.references())?;
                if !claims.is_empty() {
                    let message = "the new certificate is somebody else's; nothing was changed";
                    return Err(Failure::refused("rotation", message).with(claims));
                }
                if !other_name {
                    known_by_key_or_name(&rotation)?;
                }
                let plan = store.plan(|edit| {
                    let changes = edit.stage_rotation(rotation.old(), rotation.new_certificate(), alias.as_ref())?;
                    let troubles = troubles(&rotation, edit.document(), store.references())?;
                    if !troubles.is_empty() {
                        let message = "the two certificates are not the same user; nothing was changed";
                        return Err(Failure::refused("rotation", message).with(troubles));
                    }
                    Ok(changes)
                })?;
                Ok(store.write(plan)?.into_answer())
            }
            Self::Check { pair } => {
                let rotation = pair.rotation(&store, 0, files::certificates)?;
                let troubles = troubles(&rotation, store.document(), store.references())?;
                Ok(told(&rotation, &troubles))
            }
            Self::Finish { pair, seen } => {
                let rotation = pair.rotation(&store, seen.quiet, files::certificates)?;
                if !seen.danger {
                    let safe = rotation.safe_to_remove(seen.last(), UnixTime::now());
                    let told =
                        if seen.new.is_some() { "" } else { " (`--new-seen` says when the records have it last)" };
                    safe.map_err(|error| Failure::refused("keep-old", format!("{error}{told}")))?;
                }
                store.edit(|edit| Ok(edit.finish_rotation(rotation.old(), rotation.new_certificate())?))
            }
        }
    }
}

/// Refuses the file of somebody else, which nobody would notice afterwards: then both are the same user.
fn known_by_key_or_name(rotation: &Rotation) -> Result<(), Failure> {
    let (old, new) = (rotation.old().subject(), rotation.new_certificate().subject());
    if rotation.key() == RotationKey::Same || old == new {
        return Ok(());
    }
    let message = format!(
        "the new certificate has another key and another subject, `{new}` instead of `{old}`: ask the partner whether it is its \
         own, and say --other-name if it is"
    );
    Err(Failure::refused("other-name", message))
}

impl Pair {
    fn rotation(&self, store: &Store, quiet_days: u32, read: ReadFile) -> Result<Rotation, Failure> {
        let quiet = Duration::from_secs(u64::from(quiet_days) * 86_400);
        let (old, new) = (find(&self.old, store, read)?, find(&self.new, store, read)?);
        let rotation = Rotation::new(old.own, new.own, quiet);
        let rotation = rotation.map_err(|error| Failure::refused("same-certificate", error.to_string()))?;
        Ok(rotation.with_intermediates(&old.above, &new.above))
    }
}

impl Seen {
    fn last(&self) -> LastSeen {
        let seen = self.old.map_or(LastSeen::default(), |old| LastSeen::default().with_old(old));
        let seen = self.new.map_or(seen, |new| seen.with_new(new));
        self.since.map_or(seen, |since| seen.with_records_since(since))
    }
}

/// A time of a record, or seconds since 1970.
fn moment(text: &str) -> Result<UnixTime, &'static str> {
    let seconds = text.parse().ok().or_else(|| {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(time.unix_timestamp()).ok()
    });
    let seconds = seconds.ok_or("expected a time as in `2026-12-01T12:00:00Z`, or seconds since 1970")?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// How the certificates of a file are read.
type ReadFile = fn(&Path) -> Result<Vec<Certificate>, Failure>;

struct Found {
    own: Certificate,
    /// What stands behind it in its file.
    above: Vec<Certificate>,
}

fn find(text: &str, store: &Store, read: ReadFile) -> Result<Found, Failure> {
    let alias = text.strip_prefix('@');
    let fingerprint = text.parse::<Fingerprint>().ok();
    if alias.is_none() && fingerprint.is_none() {
        let mut certificates = read(Path::new(text))?.into_iter();
        let own = certificates.next().ok_or_else(|| Failure::refused("not-found", format!("`{text}` is empty")))?;
        return Ok(Found { own, above: certificates.collect() });
    }
    let mut listed = store.document().list_cas(None, store.references());
    listed.retain(|one| match alias {
        Some(alias) => one.alias().is_some_and(|name| name.as_str() == alias),
        None => Some(one.certificate().fingerprint()) == fingerprint,
    });
    listed.dedup_by(|one, other| one.certificate() == other.certificate());
    match &listed[..] {
        [one] => Ok(Found { own: one.certificate().clone(), above: Vec::new() }),
        [] => {
            Err(Failure::refused("not-found", format!("`{text}` is not there: list what is, `admin bundle list-cas`")))
        }
        several => {
            let count = several.len();
            Err(Failure::refused(
                "ambiguous",
                format!("`{text}` stands for {count} certificates: give its fingerprint"),
            ))
        }
    }
}

fn troubles(rotation: &Rotation, document: &Document, references: &dyn References) -> Result<Vec<Trouble>, Failure> {
    Ok(listed(&rotation.check(&build(document, references)?, UnixTime::now())))
}

fn claims(rotation: &Rotation, document: &Document, references: &dyn References) -> Result<Vec<Trouble>, Failure> {
    Ok(listed(&rotation.claims(&build(document, references)?, UnixTime::now())))
}

fn build(document: &Document, references: &dyn References) -> Result<Policy, Failure> {
    document.build(references).map_err(|error| {
        let troubles = error.problems().iter().map(Trouble::from).collect();
        Failure::refused("problems", "the policy has problems, so nobody can say who is who").with(troubles)
    })
}

fn listed(problems: &[RotationProblem]) -> Vec<Trouble> {
    let trouble = |problem: &RotationProblem| Trouble::new(problem.code(), None, "rotation", &problem.to_string());
    problems.iter().map(trouble).collect()
}

fn told(rotation: &Rotation, troubles: &[Trouble]) -> Answer {
    let key = match rotation.key() {
        RotationKey::Same => "the same",
        _ => "a new one",
    };
    let names = if rotation.keeps_names() { "the same" } else { "others" };
    let until = |certificate: &Certificate| certificate.validity().to_string();
    let mut lines = vec![
        format!("old    {} {}", rotation.old().fingerprint(), until(rotation.old())),
        format!("new    {} {}", rotation.new_certificate().fingerprint(), until(rotation.new_certificate())),
        format!("key    {key}"),
        format!("names  {names}"),
    ];
    match troubles {
        [] => lines.push("both are the same user with the same roles".to_owned()),
        troubles => lines.extend(troubles.iter().map(ToString::to_string)),
    }
    let both = rotation.both_valid().map(|(from, until)| json!({ "from": from.as_secs(), "until": until.as_secs() }));
    let json = json!({
        "old": rotation.old().fingerprint().to_string(),
        "new": rotation.new_certificate().fingerprint().to_string(),
        "same-key": rotation.key() == RotationKey::Same,
        "same-names": rotation.keeps_names(),
        "both-valid": both,
        "problems": troubles.iter().map(Trouble::json).collect::<Vec<_>>(),
    });
    Answer::new(lines.join("\n"), json).noteworthy(!troubles.is_empty())
}
