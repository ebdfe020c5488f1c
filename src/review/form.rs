//! (private) What reviews say, in the form for programs (feature `serde`).

use serde::{Serialize, Serializer};

use super::{
    Candidate, Change, Difference, Disagreement, Effect, Ending, EndingCause, Explanation, Finding, FindingCode, Place,
    Presence, RuleTerms, Step, Successor, Terms, Turn, UserChange, Whose,
};
use crate::cert::{DistinguishedName, Fingerprint, SpkiFingerprint, show};
use crate::decision::Decision;
use crate::form::{AsText, DenialForm, HolderForm, texts};
use crate::map::{RuleName, Selector, UserSource};
use crate::policy::HostId;
use crate::role::{Enforcement, Role};
use crate::strength::Strength;
use crate::trust::{BundleName, EntryKind};
use crate::user::UserName;

/// Serializes a type in another one's form.
macro_rules! serialize_as {
    ($($(#[$doc:meta])* $name:ty => $form:ident;)+) => {
        $(impl Serialize for $name {
            $(#[$doc])*
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $form::from(self).serialize(serializer)
            }
        })+
    };
}

serialize_as! {
    /// The form for programs (feature `serde`).
    Candidate => CandidateForm;
    /// The form for programs (feature `serde`).
    Change => ChangeForm;
    /// The form for programs (feature `serde`).
    Difference<'_> => DifferenceForm;
    /// The form for programs (feature `serde`).
    Disagreement => DisagreementForm;
    /// The form for programs (feature `serde`).
    Ending => EndingForm;
    /// The form for programs (feature `serde`).
    Explanation => ExplanationForm;
    /// The form for programs (feature `serde`).
    Finding => FindingForm;
    /// The form for programs (feature `serde`).
    Place => PlaceForm;
    /// The form for programs (feature `serde`).
    Step => StepForm;
    /// The form for programs (feature `serde`).
    UserChange => UserChangeForm;
}

#[derive(Serialize)]
struct ExplanationForm<'a> {
    decision: &'a Decision,
    subject: Option<&'a str>,
    steps: &'a [Step],
    matching: &'a [Candidate],
    nearest: &'a [Candidate],
    others: usize,
    nearest_miss: Option<String>,
}

impl<'a> From<&'a Explanation> for ExplanationForm<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        Self {
            decision: explanation.decision(),
            subject: explanation.subject(),
            steps: explanation.steps(),
            matching: explanation.matching(),
            nearest: explanation.nearest(),
            others: explanation.others(),
            nearest_miss: explanation.nearest_miss(),
        }
    }
}

#[derive(Serialize)]
struct StepForm<'a> {
    check: &'static str,
    holds: bool,
    expected: &'a str,
    actual: &'a str,
}

impl<'a> From<&'a Step> for StepForm<'a> {
    fn from(step: &'a Step) -> Self {
        Self { check: step.check(), holds: step.holds(), expected: step.expected(), actual: step.actual() }
    }
}

#[derive(Serialize)]
struct CandidateForm<'a> {
    rule: &'a str,
    source: AsText<&'a UserSource>,
    user: Option<AsText<&'a UserName>>,
    failed: &'a [Step],
}

impl<'a> From<&'a Candidate> for CandidateForm<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        Self {
            rule: candidate.rule(),
            source: AsText(candidate.source()),
            user: candidate.user().map(AsText),
            failed: candidate.failed(),
        }
    }
}

#[derive(Serialize)]
struct FindingForm<'a> {
    code: AsText<FindingCode>,
    place: &'a Place,
    sentence: &'a str,
    cure: &'a str,
}

impl<'a> From<&'a Finding> for FindingForm<'a> {
    fn from(finding: &'a Finding) -> Self {
        let (sentence, cure) = (finding.sentence(), finding.cure());
        Self { code: AsText(finding.code()), place: finding.place(), sentence, cure }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum PlaceForm<'a> {
    Assignment {
        role: AsText<&'a Role>,
        #[serde(flatten)]
        holder: HolderForm<'a>,
    },
    Bundle {
        bundle: AsText<&'a BundleName>,
    },
    Denial(DenialForm<'a>),
    Entry {
        bundle: AsText<&'a BundleName>,
        certificate: AsText<&'a Fingerprint>,
    },
    Host {
        host: AsText<&'a HostId>,
    },
    List {
        list: AsText<&'a Fingerprint>,
    },
    Policy,
    Rule {
        selector: AsText<&'a Selector>,
    },
    User {
        user: AsText<&'a UserName>,
    },
}

impl<'a> From<&'a Place> for PlaceForm<'a> {
    fn from(place: &'a Place) -> Self {
        match place {
            Place::Assignment { holder, role } => Self::Assignment { role: AsText(role), holder: holder.into() },
            Place::Bundle(bundle) => Self::Bundle { bundle: AsText(bundle) },
            Place::Denial(denial) => Self::Denial(denial.into()),
            Place::Entry { bundle, certificate } => {
                Self::Entry { bundle: AsText(bundle), certificate: AsText(certificate) }
            }
            Place::Host(host) => Self::Host { host: AsText(host) },
            Place::List(list) => Self::List { list: AsText(list) },
            Place::Policy => Self::Policy,
            Place::Rule(selector) => Self::Rule { selector: AsText(selector) },
            Place::User(user) => Self::User { user: AsText(user) },
        }
    }
}

#[derive(Serialize)]
struct DifferenceForm<'a> {
    changes: &'a [Change],
    users: &'a [UserChange],
}

impl<'a> From<&'a Difference<'_>> for DifferenceForm<'a> {
    fn from(difference: &'a Difference<'_>) -> Self {
        Self { changes: difference.changes(), users: difference.users() }
    }
}

#[derive(Serialize)]
struct UserChangeForm<'a> {
    user: AsText<&'a UserName>,
    effect: AsText<Effect>,
    gained: Vec<AsText<&'a Role>>,
    lost: Vec<AsText<&'a Role>>,
}

impl<'a> From<&'a UserChange> for UserChangeForm<'a> {
    fn from(change: &'a UserChange) -> Self {
        let UserChange { user, gained, lost } = change;
        Self { user: AsText(user), effect: AsText(change.effect()), gained: texts(gained), lost: texts(lost) }
    }
}

#[derive(Serialize)]
struct ChangeForm<'a> {
    #[serde(flatten)]
    facts: ChangeFacts<'a>,
    effect: AsText<Effect>,
    text: AsText<&'a Change>,
}

impl<'a> From<&'a Change> for ChangeForm<'a> {
    fn from(change: &'a Change) -> Self {
        Self { facts: change.into(), effect: AsText(change.effect()), text: AsText(change) }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum ChangeFacts<'a> {
    Assignment {
        role: AsText<&'a Role>,
        #[serde(flatten)]
        holder: HolderForm<'a>,
        from: Vec<TermsForm>,
        to: Vec<TermsForm>,
    },
    Certificate {
        certificate: AsText<&'a Fingerprint>,
        from: Option<AsText<&'a UserName>>,
        to: Option<AsText<&'a UserName>>,
    },
    Denial {
        #[serde(flatten)]
        denial: DenialForm<'a>,
        presence: &'static str,
    },
    Disabled {
        user: AsText<&'a UserName>,
        presence: &'static str,
    },
    Entry {
        bundle: AsText<&'a BundleName>,
        certificate: AsText<Fingerprint>,
        subject: AsText<DistinguishedName>,
        from: Option<AsText<&'a EntryKind>>,
        to: Option<AsText<&'a EntryKind>>,
    },
    Host {
        host: AsText<&'a HostId>,
        presence: &'static str,
    },
    List {
        list: AsText<&'a Fingerprint>,
        issuer: AsText<&'a DistinguishedName>,
        presence: &'static str,
    },
    Rule {
        selector: AsText<&'a Selector>,
        from: Option<RuleTermsForm<'a>>,
        to: Option<RuleTermsForm<'a>>,
    },
    Setting {
        place: &'a Place,
        setting: &'static str,
        from: &'a str,
        to: &'a str,
    },
}

impl<'a> From<&'a Change> for ChangeFacts<'a> {
    fn from(change: &'a Change) -> Self {
        let terms = |terms: &[Terms]| terms.iter().map(TermsForm::from).collect();
        match change {
            Change::Assignment { holder, role, from, to } => {
                Self::Assignment { role: AsText(role), holder: holder.into(), from: terms(from), to: terms(to) }
            }
            Change::Certificate { certificate, from, to } => Self::Certificate {
                certificate: AsText(certificate),
                from: from.as_ref().map(AsText),
                to: to.as_ref().map(AsText),
            },
            Change::Denial { denial, presence } => Self::Denial { denial: denial.into(), presence: word(*presence) },
            Change::Disabled { user, presence } => Self::Disabled { user: AsText(user), presence: word(*presence) },
            Change::Entry { bundle, certificate, from, to } => Self::Entry {
                bundle: AsText(bundle),
                certificate: AsText(certificate.fingerprint()),
                subject: AsText(certificate.subject()),
                from: from.as_ref().map(AsText),
                to: to.as_ref().map(AsText),
            },
            Change::Host { host, presence } => Self::Host { host: AsText(host), presence: word(*presence) },
            Change::List { list, issuer, presence } => {
                Self::List { list: AsText(list), issuer: AsText(issuer), presence: word(*presence) }
            }
            Change::Rule { selector, from, to } => Self::Rule {
                selector: AsText(selector),
                from: from.as_ref().map(RuleTermsForm::from),
                to: to.as_ref().map(RuleTermsForm::from),
            },
            Change::Setting { place, setting, from, to, effect: _ } => Self::Setting { place, setting, from, to },
        }
    }
}

fn word(presence: Presence) -> &'static str {
    match presence {
        Presence::Added => "added",
        Presence::Removed => "removed",
    }
}

#[derive(Serialize)]
struct TermsForm {
    at_least: AsText<Strength>,
    enforcement: AsText<Enforcement>,
}

impl From<&Terms> for TermsForm {
    fn from(terms: &Terms) -> Self {
        Self { at_least: AsText(terms.least), enforcement: AsText(terms.enforcement) }
    }
}

#[derive(Serialize)]
struct RuleTermsForm<'a> {
    source: AsText<&'a UserSource>,
    names: Vec<AsText<&'a RuleName>>,
    exception: bool,
}

impl<'a> From<&'a RuleTerms> for RuleTermsForm<'a> {
    fn from(terms: &'a RuleTerms) -> Self {
        let RuleTerms { source, names, exception } = terms;
        Self { source: AsText(source), names: texts(names), exception: *exception }
    }
}

#[derive(Serialize)]
struct EndingForm<'a> {
    at: String,
    whose: WhoseForm<'a>,
    cause: EndingCauseForm<'a>,
    successor: Option<SuccessorForm<'a>>,
    hosts: Vec<AsText<&'a HostId>>,
    turn: AsText<Turn>,
    cure: &'static str,
    text: AsText<&'a Ending>,
}

impl<'a> From<&'a Ending> for EndingForm<'a> {
    fn from(ending: &'a Ending) -> Self {
        Self {
            at: show(ending.at()).to_string(),
            whose: ending.whose().into(),
            cause: ending.cause().into(),
            successor: ending.successor().map(Into::into),
            hosts: texts(ending.hosts()),
            turn: AsText(ending.turn()),
            cure: ending.cure(),
            text: AsText(ending),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum WhoseForm<'a> {
    Below { issuer: AsText<&'a DistinguishedName> },
    Everybody,
    RuleUsers { rule: &'a str },
    User { user: AsText<&'a UserName> },
}

impl<'a> From<&'a Whose> for WhoseForm<'a> {
    fn from(whose: &'a Whose) -> Self {
        match whose {
            Whose::Below(issuer) => Self::Below { issuer: AsText(issuer) },
            Whose::Everybody => Self::Everybody,
            Whose::RuleUsers(rule) => Self::RuleUsers { rule },
            Whose::User(user) => Self::User { user: AsText(user) },
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum EndingCauseForm<'a> {
    Anchor { certificate: AsText<&'a Fingerprint> },
    List { issuer: AsText<&'a DistinguishedName> },
    Own { certificate: AsText<&'a Fingerprint> },
    Pin { certificate: AsText<&'a Fingerprint> },
}

impl<'a> From<&'a EndingCause> for EndingCauseForm<'a> {
    fn from(cause: &'a EndingCause) -> Self {
        match cause {
            EndingCause::Anchor(anchor) => Self::Anchor { certificate: AsText(anchor) },
            EndingCause::List(issuer) => Self::List { issuer: AsText(issuer) },
            EndingCause::Own(own) => Self::Own { certificate: AsText(own) },
            EndingCause::Pin(pin) => Self::Pin { certificate: AsText(pin) },
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum SuccessorForm<'a> {
    Anchor { certificate: AsText<&'a Fingerprint> },
    Key { key: AsText<&'a SpkiFingerprint> },
    Pin { certificate: AsText<&'a Fingerprint> },
}

impl<'a> From<&'a Successor> for SuccessorForm<'a> {
    fn from(successor: &'a Successor) -> Self {
        match successor {
            Successor::Anchor(anchor) => Self::Anchor { certificate: AsText(anchor) },
            Successor::Key(key) => Self::Key { key: AsText(key) },
            Successor::Pin(pin) => Self::Pin { certificate: AsText(pin) },
        }
    }
}

#[derive(Serialize)]
struct DisagreementForm<'a> {
    one: &'a Decision,
    other: &'a Decision,
    gained: Vec<AsText<Role>>,
    lost: Vec<AsText<Role>>,
    text: AsText<&'a Disagreement>,
}

impl<'a> From<&'a Disagreement> for DisagreementForm<'a> {
    fn from(disagreement: &'a Disagreement) -> Self {
        Self {
            one: disagreement.one(),
            other: disagreement.other(),
            gained: texts(disagreement.gained()),
            lost: texts(disagreement.lost()),
            text: AsText(disagreement),
        }
    }
}
