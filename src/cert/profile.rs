//! What common peers say about a certificate: who refuses it, who overlooks its name, and what to do about it.
//!
//! It is data, a table of facts about others, and decides nothing here. It asks no clock: whether a certificate is valid
//! now is not its matter, nor who trusts its issuer. What is said of rustls, of OpenSSL and of Java is measured by a test
//! on certificates of each shape; what is said of the others stands in the sources that [`RemarkCode`] names.

use core::fmt;

use super::Certificate;
use super::profile_rules::remarks;
use crate::code::codes;
use crate::text::OneLine;

/// What common peers say about a certificate that they are shown.
///
/// A profile speaks of path validation under an issuer that the peer trusts: of the certificate and not of its issuers, its
/// revocation, or the time. A peer that knows exactly this certificate, as a pin of this crate does, minds little of it.
///
/// ```
/// use certmap::cert::{Effect, Peer, RemarkCode, Usage};
/// # let pem = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/erp-v1-test-only.pem"))?;
/// # let certificate = certmap::Identity::from_pem(&pem)?.certificate().clone();
/// let profile = certificate.profile(Usage::Client); // one that STRUST made: X.509 version 1
/// let remark = profile.find(RemarkCode::OldVersion).ok_or("version 1 is remarked")?;
/// assert_eq!(remark.effect(Peer::Rustls), Some(Effect::Refuses));
/// assert_eq!(remark.effect(Peer::OpenSsl), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    usage: Usage,
    remarks: Vec<Remark>,
}

/// One thing about a certificate that some peer minds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    code: RemarkCode,
    reactions: Vec<Reaction>,
    sentence: String,
    cure: &'static str,
}

/// What one peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair, of which every combination is one")]
pub struct Reaction {
    /// Who.
    pub peer: Peer,
    /// What it does.
    pub effect: Effect,
}

impl Certificate {
    /// What common peers say about this certificate in this use.
    #[must_use]
    pub fn profile(&self, usage: Usage) -> Profile {
        Profile { usage, remarks: remarks(self, usage) }
    }
}

impl Profile {
    /// The use that it speaks of.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Everything that some peer minds, sorted by code, each code once; empty if there is nothing.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The remark of this code.
    #[must_use]
    pub fn find(&self, code: RemarkCode) -> Option<&Remark> {
        self.remarks.iter().find(|remark| remark.code == code)
    }

    /// The remarks for which this peer refuses the certificate.
    pub fn refusals(&self, peer: Peer) -> impl Iterator<Item = &Remark> {
        self.remarks.iter().filter(move |remark| remark.effect(peer) == Some(Effect::Refuses))
    }
}

impl Remark {
    pub(super) fn new(code: RemarkCode, reactions: Vec<Reaction>, sentence: String, cure: &'static str) -> Self {
        Self { code, reactions, sentence, cure }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> RemarkCode {
        self.code
    }

    /// The peers that mind it, and what they do; never empty. Who is not among them takes the certificate all the same, or
    /// nothing is known of it.
    #[must_use]
    pub fn reactions(&self) -> &[Reaction] {
        &self.reactions
    }

    /// What this peer does.
    #[must_use]
    pub fn effect(&self, peer: Peer) -> Option<Effect> {
        self.reactions.iter().find(|reaction| reaction.peer == peer).map(|reaction| reaction.effect)
    }

    /// What is so about the certificate, in one sentence. May hold what a peer chose: print it escaped, as
    /// [`Display`](fmt::Display) does.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What to do about it.
    #[must_use]
    pub fn cure(&self) -> &str {
        self.cure
    }
}

codes! {
    /// Whether a certificate is presented by a client or by a server.
    Usage {
        /// A client presents it.
        Client = "client",
        /// A server presents it.
        Server = "server",
    }
}

codes! {
    /// Whoever is shown the certificate.
    Peer {
        /// Chrome, Firefox and Safari, as clients.
        Browsers = "browsers",
        /// This crate, where a trust anchor vouches for the certificate. A pin minds none of it but the key.
        Certmap = "certmap",
        /// Go's `crypto/tls`.
        Go = "go",
        /// Java's `PKIX` trust manager, of Java 17.
        Java = "java",
        /// OpenSSL with `-x509_strict` at security level 2, which is the default since OpenSSL 3.2.
        OpenSsl = "openssl",
        /// rustls with its own verifiers.
        Rustls = "rustls",
        /// SAP systems that users log on to.
        Sap = "sap",
        /// Whoever reads certificates as RFC 5280 has CAs write them, and not as it has everybody read them.
        StrictReaders = "strict-readers",
    }
}

codes! {
    /// What a peer does with a certificate.
    Effect {
        /// It takes the certificate, and does not see the name that it is known by.
        IgnoresName = "ignores-name",
        /// Some versions, builds or settings refuse it.
        MayRefuse = "may-refuse",
        /// It refuses it.
        Refuses = "refuses",
    }
}

codes! {
    /// The stable code of a [`Remark`], with the source of what is said of peers that no test here runs.
    RemarkCode {
        /// Extended key usage has `anyExtendedKeyUsage` instead of the purpose (RFC 5280, section 4.2.1.12).
        AnyPurpose = "any-purpose",
        /// It says of itself that it is a CA. Firefox: `MOZILLA_PKIX_ERROR_CA_CERT_USED_AS_END_ENTITY`.
        CaTrue = "ca-true",
        /// A critical extension that not everybody processes (RFC 5280, section 4.2).
        CriticalExtension = "critical-extension",
        /// There is no subject, and no critical alternative name in its place (RFC 5280, section 4.2.1.6).
        EmptySubject = "empty-subject",
        /// Key usage has `keyCertSign`, and it is no CA (RFC 5280, section 4.2.1.3).
        KeyCertSign = "key-cert-sign",
        /// RSA of more bits than are verified. OpenSSL: `OPENSSL_RSA_MAX_MODULUS_BITS`.
        LargeKey = "large-key",
        /// Valid for longer than browsers take. CA/Browser Forum, Baseline Requirements, section 6.3.2: 398 days from
        /// 2020-09-01, 200 from 2026-03-15, 100 from 2027-03-15, 47 from 2029-03-15, for public CAs; Apple, support article
        /// 103769: 825 days for every CA.
        LongValidity = "long-validity",
        /// Name constraints outside of a CA certificate (RFC 5280, section 4.2.1.10).
        NameConstraints = "name-constraints",
        /// It ends before it begins.
        NeverValid = "never-valid",
        /// No DNS name and no address among the alternative names of a server. Chrome 58; Apple, support article 103769;
        /// Go 1.15 release notes.
        NoAlternativeName = "no-alternative-name",
        /// No authority key identifier (RFC 5280, section 4.2.1.1).
        NoAuthorityKey = "no-authority-key",
        /// A client without common name: SAP's rules (`CERTRULE`) and many others take users from it.
        NoCommonName = "no-common-name",
        /// Key usage without `digitalSignature` (RFC 5280, section 4.2.1.3).
        NoDigitalSignature = "no-digital-signature",
        /// No extended key usage. Apple, support article 103769, wants it of servers.
        NoPurpose = "no-purpose",
        /// A name in a string type that programs read differently (RFC 5280, section 4.1.2.4).
        OddString = "odd-string",
        /// A date that is not written as RFC 5280, section 4.1.2.5 has it, or is before 1970.
        OddTime = "odd-time",
        /// Signed with SHA-1 or older. Go 1.18 release notes; Apple, support article 103769; `jdk.certpath.disabledAlgorithms`
        /// of Java.
        OldSignature = "old-signature",
        /// X.509 version 1 or 2.
        OldVersion = "old-version",
        /// A path length, and it is no CA (RFC 5280, section 4.2.1.9).
        PathLength = "path-length",
        /// Issued by itself. SAP Cloud Integration, FAQ on inbound client certificates.
        SelfSigned = "self-signed",
        /// A serial number whose DER has octets too many.
        SerialEncoding = "serial-encoding",
        /// A serial number of more than 20 octets, as many as RFC 5280, section 4.1.2.2 has readers handle.
        SerialLong = "serial-long",
        /// A negative serial number. Go 1.23 release notes (`x509negativeserial`).
        SerialNegative = "serial-negative",
        /// The serial number 0 (RFC 5280, section 4.1.2.2).
        SerialZero = "serial-zero",
        /// Two names for the algorithm of the signature (RFC 5280, section 4.1.1.2).
        SignatureMismatch = "signature-mismatch",
        /// RSA of less than 2048 bits. Apple, support article 103769.
        SmallKey = "small-key",
        /// A key of a type that much software does not know. CA/Browser Forum, Baseline Requirements, section 6.1.1.3; Java 15
        /// release notes for Ed25519 (JEP 339).
        UncommonKey = "uncommon-key",
        /// A unique identifier of issuer or subject (RFC 5280, section 4.1.2.8).
        UniqueIdentifier = "unique-identifier",
        /// A key that rustls cannot verify at all.
        UnsupportedKey = "unsupported-key",
        /// Extended key usage for something else. SAP: note 3711618. Go: `x509.VerifyOptions.KeyUsages`.
        WrongPurpose = "wrong-purpose",
    }
}

impl fmt::Display for Remark {
    /// `code: sentence (refused by rustls; may be refused by java): cure`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, reactions, sentence, cure } = self;
        let by = |effect: Effect| {
            let peers = reactions.iter().filter(|reaction| reaction.effect == effect);
            peers.map(|reaction| reaction.peer.as_str()).collect::<Vec<_>>().join(", ")
        };
        let told = [
            ("refused by", by(Effect::Refuses)),
            ("may be refused by", by(Effect::MayRefuse)),
            ("its name is overlooked by", by(Effect::IgnoresName)),
        ];
        let told = told.into_iter().filter(|(_, peers)| !peers.is_empty());
        let told: Vec<_> = told.map(|(words, peers)| format!("{words} {peers}")).collect();
        write!(f, "{code}: {} ({}): {cure}", OneLine(sentence), told.join("; "))
    }
}

impl fmt::Display for Profile {
    /// One line for each remark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.remarks.is_empty() {
            return f.write_str("no peer is known to mind anything");
        }
        let lines: Vec<_> = self.remarks.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}
