//! (private) Preflights for programs: stable codes, and texts for people as they are printed.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::preflight::roles;
use super::{HintFit, Preflight, ServerPreflight};
use crate::decision::{Decision, Outcome, Refusal};
use crate::tls::Trouble;

impl Serialize for HintFit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Preflight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let decision = self.decision();
        let (principal, refusal) = (decision.principal(), decision.refusal());
        let mut fields = serializer.serialize_struct("Preflight", 12)?;
        fields.serialize_field("host", decision.host().as_str())?;
        fields.serialize_field("outcome", outcome(decision))?;
        fields.serialize_field("user", &principal.map(|principal| principal.user().as_str()))?;
        fields.serialize_field("roles", &principal.map(roles))?;
        fields.serialize_field("refusal", &refusal.map(|refusal| refusal.code().as_str()))?;
        fields.serialize_field("detail", &refusal.map(Refusal::detail))?;
        fields.serialize_field("cure", &refusal.map(Refusal::cure))?;
        fields.serialize_field("in_handshake", &self.in_handshake())?;
        fields.serialize_field("hints", &self.hint_fit())?;
        fields.serialize_field("hinted", &self.hinted())?;
        fields.serialize_field("obeying", &self.obeying().map(outcome))?;
        fields.serialize_field("hint_cure", &self.hint_cure())?;
        fields.end()
    }
}

fn outcome(decision: &Decision) -> &'static str {
    match decision.outcome() {
        Outcome::Admitted(_) => "admitted",
        Outcome::Anonymous => "anonymous",
        Outcome::Refused(_) => "refused",
    }
}

impl Serialize for ServerPreflight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ServerPreflight", 5)?;
        fields.serialize_field("bundle", self.bundle().as_str())?;
        fields.serialize_field("name", &*self.server_name().to_str())?;
        fields.serialize_field("believed", &self.is_believed())?;
        fields.serialize_field("detail", &self.trouble().map(Trouble::detail))?;
        fields.serialize_field("cure", &self.trouble().map(Trouble::cure))?;
        fields.end()
    }
}
