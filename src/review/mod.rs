//! What would happen: what a policy means, what is odd about it, what a change of it does, and when parts of it end.
//!
//! Asks the same code that decides and changes nothing. Whatever stands in what it returns is shown on one line, hidden
//! characters escaped, because peers chose some of it. Asks no clock: `now` is an argument.
//!
//! With the feature `serde` what it returns serializes, in the form for programs that
//! [`manual::programs`](https://docs.rs/certmap/latest/certmap/manual/programs/) tells. There peers' texts stand as they
//! are: who prints them escapes them.

mod change;
mod concern;
mod diff;
mod explain;
mod finding;
mod forecast;
#[cfg(feature = "serde")]
mod form;
mod lint;
mod lint_entries;
mod lint_lists;
mod lint_rules;
mod lint_users;
mod near;
mod place;
mod preflight;
#[cfg(feature = "serde")]
mod preflight_serde;
mod rotation;
mod shadow;
mod trust_diff;

pub use change::{Change, Effect, Presence, RuleTerms, Terms};
pub use diff::{Difference, UserChange, diff};
pub use explain::{Candidate, Explanation, Step, explain};
pub use finding::{Finding, FindingCode};
pub use forecast::{Ending, EndingCause, Successor, Turn, Whose, forecast, forecast_own};
pub use lint::lint;
pub use place::Place;
pub use preflight::{HintFit, Preflight, ServerPreflight, preflight, preflight_server, preflight_server_with_provider};
pub use rotation::{KeepOld, LastSeen, NoRotation, Rotation, RotationKey, RotationProblem};
pub use shadow::{Disagreement, Shadow};
