//! What is odd about a policy, as data.

use core::fmt;

use super::Place;
use crate::code::codes;
use crate::text::OneLine;

/// One thing that is odd about a policy: it was built, and is perhaps not what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: FindingCode,
    place: Place,
    sentence: String,
    cure: String,
}

codes! {
    /// The stable code of a [`Finding`].
    FindingCode {
        /// There are revocation lists of an anchor's name, and it signed none of them.
        AnchorWithoutList = "anchor-without-list",
        /// No rule can match what an anchor vouches for.
        AnchorWithoutRule = "anchor-without-rule",
        /// A bundle has reached nine tenths of its limit.
        BundleNearlyFull = "bundle-nearly-full",
        /// A rule is for the certificate of an anchor itself, which is refused as that of a client.
        CaAsClient = "ca-as-client",
        /// A rule under a CA rests on the common name alone, or takes the user from it.
        CommonNameRule = "common-name-rule",
        /// A denial hits nobody who could be admitted.
        DenialHitsNothing = "denial-hits-nothing",
        /// A user is disabled, and in another case of letters another user that is not.
        DisabledUserByCase = "disabled-user-by-case",
        /// No rule can name a user that is disabled.
        DisabledUserUnnamed = "disabled-user-unnamed",
        /// There is no rule, so nobody is a user.
        EmptyMappingTable = "empty-mapping-table",
        /// All certificates under a CA are one user.
        EveryCertificate = "every-certificate",
        /// The validity of a pin or anchor has ended.
        Expired = "expired",
        /// The validity of a pin or anchor ends before the horizon.
        ExpiresSoon = "expires-soon",
        /// The hints of a host have reached nine tenths of what clients read.
        HintsNearlyFull = "hints-nearly-full",
        /// A host asks for no certificate.
        HostAsksNothing = "host-asks-nothing",
        /// A host finishes handshakes with clients that nothing vouches for.
        HostLetsDecide = "host-lets-decide",
        /// A name rule takes certificates of any CA below its anchor.
        IssuerNotStated = "issuer-not-stated",
        /// There is a revocation list, and no anchor that it could be for.
        ListConcernsNobody = "list-concerns-nobody",
        /// The newest revocation list of a CA ends before the horizon, and a new one should be there.
        ListEndsSoon = "list-ends-soon",
        /// A revocation list is signed by an anchor and bears another name.
        ListOfOtherName = "list-of-other-name",
        /// The newest revocation list of a CA has ended.
        ListStale = "list-stale",
        /// A denial names an issuer that looks like a known CA's name with a typing error.
        NearMissIssuer = "near-miss-issuer",
        /// Two roles look like one with a typing error.
        NearMissRole = "near-miss-role",
        /// Two users look like one with a typing error.
        NearMissUser = "near-miss-user",
        /// The validity of a pin or anchor has not begun.
        NotYetValid = "not-yet-valid",
        /// An anchor does not say what an anchor should.
        OddAnchor = "odd-anchor",
        /// A pinned certificate is signed with SHA-1 or older.
        OldSignature = "old-signature",
        /// A rule names a certificate or key that is in no bundle, and no anchor could vouch for it.
        OutsideEveryBundle = "outside-every-bundle",
        /// Whatever one rule matches is another user by another rule.
        OverlappingRules = "overlapping-rules",
        /// A role that asks for strength is given without it.
        RoleNotEnforced = "role-not-enforced",
        /// A role asks for more strength than any rule of its holder has.
        RoleOutOfReach = "role-out-of-reach",
        /// A role is given to a user that no rule can name.
        RoleWithoutUser = "role-without-user",
        /// Revocation lists are believed after their end.
        StaleListGrace = "stale-list-grace",
        /// A pinned key is of a type that much software does not know.
        UncommonKey = "uncommon-key",
        /// A pinned certificate is mapped to nobody.
        UnmappedCertificate = "unmapped-certificate",
        /// A user has no role, where others have some.
        UserWithoutRole = "user-without-role",
        /// A host answers for a wildcard.
        WildcardServerName = "wildcard-server-name",
    }
}

impl Finding {
    pub(super) fn new(code: FindingCode, place: Place, sentence: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { code, place, sentence: sentence.into(), cure: cure.into() }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> FindingCode {
        self.code
    }

    /// Where.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What is odd, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What to do about it, if it is not meant so.
    #[must_use]
    pub fn cure(&self) -> &str {
        &self.cure
    }
}

impl fmt::Display for Finding {
    /// `code: place: sentence: cure`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, place, sentence, cure } = self;
        write!(f, "{code}: {place}: {}: {}", OneLine(sentence), OneLine(cure))
    }
}
