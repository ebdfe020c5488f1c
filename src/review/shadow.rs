//! Two policies asked about the same: where they disagree.

use core::fmt;
use std::sync::Arc;

use crate::decision::{Decision, Outcome};
use crate::policy::Policy;
use crate::role::Role;

/// A second policy, asked about everything that the one in force decides, to see what it would change. Admits nobody.
///
/// ```
/// use certmap::review::Shadow;
/// use certmap::{Evidence, PolicyBuilder};
/// # use certmap::testing::{NOW as now, TestCertificate};
/// # let partner = TestCertificate::new("CN=erp").self_signed();
/// let builder = PolicyBuilder::new().partner("erp".parse()?, partner.certificate().clone(), []);
/// let shadow = Shadow::new(builder.clone().disabled_user("erp".parse()?).build()?);
///
/// let decision = builder.build()?.decide(&Evidence::after_handshake("default".parse()?, partner.chain()), now);
/// let disagreement = shadow.disagreement(&decision).ok_or("they agree")?;
/// assert!(disagreement.to_string().ends_with("admitted as `erp`; the other policy: refused: user-disabled"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shadow {
    policy: Arc<Policy>,
}

impl Shadow {
    /// Asks this policy.
    #[must_use]
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self { policy: policy.into() }
    }

    /// What the shadow says otherwise about the same evidence at the same time; `None` if it says the same.
    #[must_use]
    pub fn disagreement(&self, decision: &Decision) -> Option<Disagreement> {
        Disagreement::between(decision.clone(), self.policy.decide(decision.evidence(), decision.at()))
    }
}

/// Two decisions about one evidence that differ in their outcome, the code of the refusal, the user or the roles.
///
/// Another rule, strength or reason for the same answer is no disagreement.
#[derive(Clone, Debug)]
pub struct Disagreement {
    one: Decision,
    other: Decision,
}

impl Disagreement {
    pub(super) fn between(one: Decision, other: Decision) -> Option<Self> {
        (!agree(one.outcome(), other.outcome())).then_some(Self { one, other })
    }

    /// The decision of the policy in force, or of the older one.
    pub fn one(&self) -> &Decision {
        &self.one
    }

    /// The decision of the shadow, or of the newer one.
    pub fn other(&self) -> &Decision {
        &self.other
    }

    /// The roles that the user has under the other policy only.
    #[must_use]
    pub fn gained(&self) -> Vec<Role> {
        without(roles(&self.other), roles(&self.one))
    }

    /// The roles that the user does not have under the other policy.
    #[must_use]
    pub fn lost(&self) -> Vec<Role> {
        without(roles(&self.one), roles(&self.other))
    }
}

fn agree(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Admitted(one), Outcome::Admitted(other)) => {
            one.user() == other.user() && one.roles() == other.roles()
        }
        (Outcome::Anonymous, Outcome::Anonymous) => true,
        (Outcome::Refused(one), Outcome::Refused(other)) => one.code() == other.code(),
        (Outcome::Admitted(_) | Outcome::Anonymous | Outcome::Refused(_), _) => false,
    }
}

fn roles(decision: &Decision) -> &[Role] {
    decision.principal().map_or(&[], |principal| principal.roles())
}

fn without(all: &[Role], others: &[Role]) -> Vec<Role> {
    all.iter().filter(|role| !others.contains(role)).cloned().collect()
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host `{}`, ", self.one.host())?;
        match self.one.certificate() {
            Some(certificate) => write!(f, "certificate {certificate}: ")?,
            None => f.write_str("no certificate: ")?,
        }
        let user = |decision: &Decision| decision.principal().map(|principal| principal.user().clone());
        match (user(&self.one), user(&self.other)) {
            (Some(one), Some(other)) if one == other => {
                write!(f, "`{one}`")?;
                for (word, roles) in [(" gains ", self.gained()), (" loses ", self.lost())] {
                    let roles: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
                    if !roles.is_empty() {
                        write!(f, "{word}{}", roles.join(", "))?;
                    }
                }
                Ok(())
            }
            _ => {
                write_outcome(f, &self.one)?;
                f.write_str("; the other policy: ")?;
                write_outcome(f, &self.other)
            }
        }
    }
}

fn write_outcome(f: &mut fmt::Formatter<'_>, decision: &Decision) -> fmt::Result {
    match decision.outcome() {
        Outcome::Admitted(principal) => write!(f, "admitted as `{}`", principal.user()),
        Outcome::Anonymous => f.write_str("anonymous"),
        Outcome::Refused(refusal) => write!(f, "{refusal}"),
    }
}
