//! (private) What a decision checked, step by step, for whoever wants to know.
//!
//! `decide` and what it calls report each check to a [`Trace`]. [`NoTrace`] does nothing and costs nothing; an
//! explanation is the same code with a trace that listens, and asks the rules where a decision may remember what they said.

use core::fmt;

/// One check of a decision, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The host is one of the policy's.
    Host,
    /// The peer is anonymous: it presented nothing and the host does not require anything.
    Anonymous,
    /// The peer presented a certificate.
    Presented,
    /// Chain and certificate are within their limits.
    Size,
    /// The certificate is pinned.
    Pin,
    /// What was presented is a certificate. Told only where it is none.
    Certificate,
    /// Nothing keeps the pin out at any time: no denial, no purpose that was asked for.
    Barred,
    /// Neither the certificate's key nor its issuer and serial number is denied.
    Denied,
    /// The certificate's public key is pinned.
    KeyPin,
    /// Anchors vouch for the certificate.
    Path,
    /// The time lies in the certificate's validity.
    Validity,
    /// A rule names the certificate.
    CertificateRule,
    /// A rule names the public key.
    KeyRule,
    /// The exact certificate is an exception over the rules under a CA.
    Exception,
    /// No name in the certificate has a NUL or another control character.
    PlainNames,
    /// A rule under a CA looks for something that the certificate has, and this is its CA.
    NameRule,
    /// The path to the CA has what the rule asks for.
    CaPath,
    /// One test of the rule.
    NameTest,
    /// The certificate has nothing that the rule leaves out.
    NotExcluded,
    /// The rule gives a user name.
    UserName,
    /// The rules agree on one user.
    OneUser,
    /// The user is not disabled.
    Enabled,
}

impl Check {
    /// A stable word for it: `certificate-rule`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Barred => "barred",
            Self::CaPath => "ca-path",
            Self::Certificate => "certificate",
            Self::CertificateRule => "certificate-rule",
            Self::Denied => "denied",
            Self::Enabled => "enabled",
            Self::Exception => "exception",
            Self::Host => "host",
            Self::KeyPin => "key-pin",
            Self::KeyRule => "key-rule",
            Self::NameRule => "name-rule",
            Self::NameTest => "name-test",
            Self::NotExcluded => "not-excluded",
            Self::OneUser => "one-user",
            Self::Path => "path",
            Self::Pin => "pin",
            Self::PlainNames => "plain-names",
            Self::Presented => "presented",
            Self::Size => "size",
            Self::UserName => "user-name",
            Self::Validity => "validity",
        }
    }

    /// What it looks for, for people.
    pub(crate) fn expects(self) -> &'static str {
        match self {
            Self::Anonymous => "a host that lets in whoever presents nothing",
            Self::Barred => "a pin that is neither denied nor for other purposes",
            Self::CaPath => "the path that the rule asks for",
            Self::Certificate => "a certificate that can be read",
            Self::CertificateRule => "a rule for exactly this certificate",
            Self::Denied => "no denial of the key, or of the issuer and serial number",
            Self::Enabled => "a user that is not disabled",
            Self::Exception => "an exception over rules under a CA",
            Self::Host => "a host of the policy",
            Self::KeyPin => "a pinned key",
            Self::KeyRule => "a rule for exactly this key",
            Self::NameRule => "a rule under the CA that vouches",
            Self::NameTest => "what the rule looks for",
            Self::NotExcluded => "nothing that the rule leaves out",
            Self::OneUser => "one user",
            Self::Path => "a path to an anchor",
            Self::Pin => "a pin",
            Self::PlainNames => "names without control characters",
            Self::Presented => "a certificate",
            Self::Size => "a chain and a certificate within their limits",
            Self::UserName => "a user name",
            Self::Validity => "a time within the validity",
        }
    }
}

pub(crate) trait Trace {
    /// False if nobody hears it: then an answer that is remembered may stand for its steps.
    const LISTENS: bool = true;

    /// Called once per check, with whether it held and the facts it looked at (not formatted unless printed).
    fn step(&mut self, check: Check, holds: bool, facts: fmt::Arguments<'_>);

    /// As [`step`](Self::step), where each rule looks for something else.
    #[inline]
    fn compare(&mut self, check: Check, holds: bool, expected: fmt::Arguments<'_>, actual: fmt::Arguments<'_>) {
        self.step(check, holds, format_args!("{actual}, expected {expected}"));
    }
}

/// A fact that costs something, found only if somebody listens.
pub(crate) struct Told<F>(pub(crate) F);

impl<F: Fn() -> T, T: fmt::Display> fmt::Display for Told<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0().fmt(f)
    }
}

/// Listens to nothing.
pub(crate) struct NoTrace;

impl Trace for NoTrace {
    const LISTENS: bool = false;

    #[inline]
    fn step(&mut self, _: Check, _: bool, _: fmt::Arguments<'_>) {}

    #[inline]
    fn compare(&mut self, _: Check, _: bool, _: fmt::Arguments<'_>, _: fmt::Arguments<'_>) {}
}
