//! (private) What a decision checked, step by step, for whoever wants to know.
//!
//! `decide` and what it calls report each check to a [`Trace`]. [`NoTrace`] does nothing and costs nothing; an
//! explanation is the same code with a trace that listens.

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

pub(crate) trait Trace {
    /// Called once per check, with whether it held and the facts it looked at (not formatted unless printed).
    fn step(&mut self, check: Check, holds: bool, facts: fmt::Arguments<'_>);
}

/// Listens to nothing.
pub(crate) struct NoTrace;

impl Trace for NoTrace {
    #[inline]
    fn step(&mut self, _: Check, _: bool, _: fmt::Arguments<'_>) {}
}
