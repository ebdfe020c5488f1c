//! (private) What rules and roles say of a certificate: who it is, and what it may.

use std::sync::Arc;

use super::{Rules, Standing};
use crate::cert::{Certificate, Fingerprint};
use crate::map::{Lookup, Matched, RuleId};
use crate::strength::Strength;
use crate::trace::NoTrace;
use crate::trust::{PinPlace, TrustIndex};
use crate::user::UserName;

/// A user who is not disabled, by which certificate, the rule that says so, and the user's roles.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) certificate: Fingerprint,
    pub(crate) strength: Strength,
    pub(crate) user: UserName,
    pub(crate) rule: RuleId,
    pub(crate) standing: Standing,
}

/// The answers about the pins of a bundle, found before anybody asks: a decision about a pin has one place to look.
///
/// INVARIANT: what is here is what the rules say when they are asked.
#[derive(Debug, Default)]
pub(super) struct PinAnswers(Box<[Option<Arc<Answer>>]>);

impl Rules {
    /// Who it is that a rule matched with this certificate, and what it may, believed so strongly; the user itself if it is disabled.
    pub(super) fn answer(
        &self,
        matched: Matched,
        certificate: Fingerprint,
        believed: Strength,
    ) -> Result<Answer, UserName> {
        if self.disabled.contains(&matched.user) {
            return Err(matched.user);
        }
        let strength = believed.min(matched.strength());
        let standing = self.roles.standing(&matched, strength);
        Ok(Answer { certificate, strength, user: matched.user, rule: matched.rule, standing })
    }
}

impl PinAnswers {
    pub(super) fn new(index: &TrustIndex, rules: &Rules) -> Self {
        let mut answers: Box<[_]> = core::iter::repeat_n(None, index.pins().len()).collect();
        for (place, certificate) in index.pins() {
            if let Some(answer) = answers.get_mut(place.number()) {
                *answer = about(certificate, rules).map(Arc::new);
            }
        }
        Self(answers)
    }

    pub(super) fn get(&self, place: PinPlace) -> Option<&Arc<Answer>> {
        self.0.get(place.number())?.as_ref()
    }
}

/// What rules for exactly this pin say. Where none does, names may, and that depends on the time.
fn about(pinned: &Certificate, rules: &Rules) -> Option<Answer> {
    let certificate = pinned.fingerprint();
    match rules.table.exact(certificate, pinned.spki_fingerprint(), &mut NoTrace) {
        Lookup::One(matched) => rules.answer(matched, certificate, Strength::Certificate).ok(),
        Lookup::Ambiguous(_) | Lookup::None | Lookup::TooManyTests | Lookup::Unnamed(_) => None,
    }
}
