//! Why a certificate is who it is, or nobody.

use core::fmt;

use rustls::pki_types::{CertificateDer, UnixTime};

use crate::cert::{Certificate, show};
use crate::decision::{Decision, Evidence, Outcome, Refusal};
use crate::limits::{CHAIN_LENGTH, EXPLAINED_RULES};
use crate::map::{Lack, Near, Nearest, UserSource};
use crate::policy::{HostId, Policy};
use crate::text::OneLine;
use crate::trace::{Check, NoTrace, Trace};
use crate::trust::Entry;
use crate::user::UserName;

/// Explains one decision: every check that was made, the rules that match, and those that come nearest.
///
/// The decision is the one that [`Policy::decide`] makes, by the same code. The rules that did not match are looked at
/// afterwards, all of them: a policy of 100,000 rules takes some time.
///
/// ```
/// use certmap::review::explain;
/// use certmap::{Evidence, PolicyBuilder};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let (known, renewed) = (TestCertificate::new("CN=erp").self_signed(), TestCertificate::new("CN=erp").self_signed());
/// let policy = PolicyBuilder::new().partner("billing".parse()?, known.certificate().clone(), []).build()?;
/// let explanation = explain(&policy, &Evidence::after_handshake("default".parse()?, renewed.chain()), now);
/// assert_eq!(explanation.decision().refusal().map(|refusal| refusal.code().as_str()), Some("untrusted"));
/// let miss = explanation.nearest_miss().ok_or("a rule comes near")?;
/// assert!(miss.starts_with("would be `billing` if it were the certificate sha256:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn explain(policy: &Policy, evidence: &Evidence, now: UnixTime) -> Explanation {
    let mut steps = Steps(Vec::new());
    let decision = policy.decide_traced(evidence, now, &mut steps);
    let certificate = evidence.chain().first().and_then(|der| Certificate::from_der(der).ok());
    let asked = !matches!(decision.outcome(), Outcome::Anonymous);
    // The decision has searched in vain already.
    let pathless = |refusal: &Refusal| refusal.path_failure().is_some() || refusal.untrusted().is_some();
    let searched = !decision.refusal().is_some_and(pathless);
    let nearest =
        |certificate| nearest(policy, evidence.host(), if searched { evidence.chain() } else { &[] }, certificate, now);
    let nearest = certificate.as_ref().filter(|_| asked).map(nearest);
    let nearest = nearest.unwrap_or(Nearest { matching: Vec::new(), nearby: Vec::new(), others: 0 });
    let candidates = |rules: Vec<Near>| rules.into_iter().map(Candidate::new).collect();
    Explanation {
        decision,
        subject: certificate.map(|certificate| certificate.subject().to_string()),
        steps: steps.0,
        matching: candidates(nearest.matching),
        nearest: candidates(nearest.nearby),
        others: nearest.others,
    }
}

/// The rules about this certificate, under the anchors that vouch for the chain.
fn nearest(
    policy: &Policy,
    host: &HostId,
    chain: &[CertificateDer<'_>],
    certificate: &Certificate,
    now: UnixTime,
) -> Nearest {
    let parts = policy.parts();
    let host = parts.hosts.get(host).filter(|_| chain.len() <= CHAIN_LENGTH);
    let path =
        host.and_then(|host| host.trust().also_under_anchors(chain, certificate.fingerprint(), now, &mut NoTrace));
    let vouchers = path.as_ref().map(|path| path.vouchers()).unwrap_or_default();
    let known = parts.hosts.iter().flat_map(|host| host.host().bundle().entries()).map(Entry::certificate).collect();
    parts.rules.nearest(certificate, vouchers, &known, EXPLAINED_RULES)
}

/// A decision with its reasons, for operators.
///
/// Prints as several lines, in which nothing that a peer chose can begin a line of its own.
#[derive(Clone, Debug)]
pub struct Explanation {
    decision: Decision,
    subject: Option<String>,
    steps: Vec<Step>,
    matching: Vec<Candidate>,
    nearest: Vec<Candidate>,
    others: usize,
}

/// One check: what was looked for, and what was there.
///
/// The texts contain what the peer chose; print them escaped, as the explanation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    check: Check,
    holds: bool,
    expected: String,
    actual: String,
}

/// A rule, and what a certificate lacks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    rule: String,
    source: UserSource,
    user: Option<UserName>,
    failed: Vec<Step>,
    distance: usize,
}

impl Explanation {
    /// The decision, the same that [`Policy::decide`] makes.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The subject of the certificate, as text of RFC 4514; `None` if there is none that can be read. The peer chose it;
    /// print it escaped, as the explanation does.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Every check, in the order in which they were made. One that does not hold need be no fault: what is not pinned may
    /// have an anchor that vouches.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The rules that match, whether or not the certificate is trusted or its user enabled.
    #[must_use]
    pub fn matching(&self) -> &[Candidate] {
        &self.matching
    }

    /// Of the rules that do not match the nearest, at most [`EXPLAINED_RULES`].
    #[must_use]
    pub fn nearest(&self) -> &[Candidate] {
        &self.nearest
    }

    /// How many other rules do not match.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others
    }

    /// What would have to be different for the certificate to be a user, in one sentence; `None` if it is one, if what
    /// is wrong is not a matter of one rule, or if no rule comes near.
    #[must_use]
    pub fn nearest_miss(&self) -> Option<String> {
        let refusal = self.decision.refusal()?;
        let [first, others @ ..] = self.matching.as_slice() else {
            let nearest = self.nearest.first().filter(|candidate| candidate.distance < Near::FAR)?;
            let wishes: Vec<_> = nearest.failed.iter().map(Step::wish).collect();
            return Some(format!("would be {} if {}", nearest.who(), wishes.join(", and if ")));
        };
        let one_user = others.iter().all(|other| other.user == first.user);
        one_user.then(|| format!("would be {} were it not refused: {}", first.who(), refusal.code()))
    }
}

impl Candidate {
    fn new(near: Near) -> Self {
        let Near { rule, source, user, lacks, distance } = near;
        Self { rule: rule.to_string(), source, user, failed: lacks.into_iter().map(Step::failed).collect(), distance }
    }

    /// The rule: its name, or its selector if it has none.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Where the user's name comes from.
    #[must_use]
    pub fn source(&self) -> &UserSource {
        &self.source
    }

    /// The user it gives, or would give, for this certificate.
    #[must_use]
    pub fn user(&self) -> Option<&UserName> {
        self.user.as_ref()
    }

    /// The criteria that do not hold, in the order in which they are asked; none if the rule matches.
    #[must_use]
    pub fn failed(&self) -> &[Step] {
        &self.failed
    }

    fn who(&self) -> String {
        match &self.user {
            Some(user) => format!("`{user}`"),
            None => format!("a user of {}", OneLine(&self.source.to_string())),
        }
    }
}

impl Step {
    fn failed(lack: Lack) -> Self {
        let Lack { check, expected, actual } = lack;
        Self { check, holds: false, expected, actual }
    }

    /// A stable word for what was checked: `certificate-rule`.
    #[must_use]
    pub fn check(&self) -> &'static str {
        self.check.as_str()
    }

    /// Whether it held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// What was looked for.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was there.
    #[must_use]
    pub fn actual(&self) -> &str {
        &self.actual
    }

    fn wish(&self) -> String {
        let (expected, actual) = (OneLine(&self.expected), OneLine(&self.actual));
        match self.check {
            Check::CertificateRule => format!("it were the certificate {expected}"),
            Check::KeyRule => format!("its key were {expected}"),
            Check::NameRule => format!("the anchor that vouches for it were {expected}, instead of {actual}"),
            Check::CaPath => format!("its path were {expected}, instead of {actual}"),
            Check::UserName => format!("{expected} gave a user name, instead of {actual}"),
            _ => format!("it had {expected}, instead of {actual}"),
        }
    }
}

/// Writes every check down.
struct Steps(Vec<Step>);

impl Trace for Steps {
    fn step(&mut self, check: Check, holds: bool, facts: fmt::Arguments<'_>) {
        self.compare(check, holds, format_args!("{}", check.expects()), facts);
    }

    fn compare(&mut self, check: Check, holds: bool, expected: fmt::Arguments<'_>, actual: fmt::Arguments<'_>) {
        self.0.push(Step { check, holds, expected: expected.to_string(), actual: actual.to_string() });
    }
}

impl Step {
    fn print(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        let (expected, actual) = (OneLine(&self.expected), OneLine(&self.actual));
        write!(f, "{word} {}: expected {expected}, found {actual}", self.check())
    }
}

impl fmt::Display for Step {
    /// `no  key-pin: expected a pinned key, found spki-sha256:…`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, if self.holds { "yes" } else { "no " })
    }
}

impl fmt::Display for Candidate {
    /// The rule, its user, and the first criterion that fails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` for {}", OneLine(&self.rule), self.who())?;
        let Some(first) = self.failed.first() else { return Ok(()) };
        write!(f, ": {}: expected {}", first.check(), OneLine(&first.expected))?;
        write!(f, ", found {}", OneLine(&first.actual))?;
        match self.failed.len() - 1 {
            0 => Ok(()),
            1 => f.write_str(", and 1 other criterion fails"),
            more => write!(f, ", and {more} other criteria fail"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = &self.decision;
        match decision.outcome() {
            Outcome::Admitted(principal) => {
                let roles: Vec<_> = principal.roles().iter().map(ToString::to_string).collect();
                let roles = if roles.is_empty() { "no role".to_owned() } else { format!("roles {}", roles.join(", ")) };
                writeln!(
                    f,
                    "admitted as `{}` by rule `{}`, strength {}, {roles}",
                    principal.user(),
                    OneLine(&principal.rule()),
                    principal.strength()
                )?;
            }
            Outcome::Anonymous => writeln!(f, "anonymous")?,
            Outcome::Refused(refusal) => {
                writeln!(f, "{refusal}: {}", OneLine(&refusal.detail()))?;
                writeln!(f, "cure: {}", OneLine(&refusal.cure()))?;
            }
        }
        writeln!(f, "host `{}`, at {}, policy {}", decision.host(), show(decision.at()), decision.policy())?;
        match (decision.certificate(), &self.subject) {
            (Some(certificate), Some(subject)) => writeln!(f, "certificate {certificate} `{}`", OneLine(subject))?,
            (Some(certificate), None) => writeln!(f, "certificate {certificate}, which cannot be read")?,
            (None, _) => writeln!(f, "no certificate")?,
        }
        writeln!(f, "checks (`-`: not so, and no fault):")?;
        for (at, step) in self.steps.iter().enumerate() {
            // A refusal ends a decision. Where it went on, what did not hold need not have.
            let is_last = at + 1 == self.steps.len();
            let word = match step.holds {
                true => "yes",
                false if is_last => "no ",
                false => "-  ",
            };
            f.write_str("  ")?;
            step.print(f, word)?;
            writeln!(f)?;
        }
        if !self.matching.is_empty() {
            writeln!(f, "rules that match:")?;
            self.matching.iter().try_for_each(|rule| writeln!(f, "  {rule}"))?;
        }
        if !self.nearest.is_empty() {
            writeln!(f, "rules that do not match, the nearest first:")?;
            self.nearest.iter().try_for_each(|rule| writeln!(f, "  {rule}"))?;
        }
        if self.others > 0 {
            writeln!(f, "  and {} others", self.others)?;
        }
        self.nearest_miss().map_or(Ok(()), |miss| writeln!(f, "nearest miss: {miss}"))
    }
}
