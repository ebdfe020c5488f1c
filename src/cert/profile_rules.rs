//! (private) The table behind profiles: what is minded, by whom, and what to do about it. Each fact stands here once; who
//! else needs it asks here.

use super::profile::{Effect, Peer, Reaction, Remark, RemarkCode, Usage};
use super::profile_facts::{Facts, Purposes, Time};
use super::{
    AttributeValue, COMMON_NAME, Certificate, GeneralName, KeyType, ObjectIdentifier, RelativeDistinguishedName,
    UnfitKey,
};

use Peer::{Browsers, Certmap, Go, Java, OpenSsl, Rustls, Sap, StrictReaders};

/// Signatures with MD2, MD5 and SHA-1: of RSA, of DSA, of ECDSA, and the other number of RSA with SHA-1.
const OLD_SIGNATURES: [&str; 6] = [
    "1.2.840.113549.1.1.2",
    "1.2.840.113549.1.1.4",
    "1.2.840.113549.1.1.5",
    "1.2.840.10040.4.3",
    "1.2.840.10045.4.1",
    "1.3.14.3.2.29",
];
const MD2_AND_MD5: [&str; 2] = ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4"];

const DAY: i64 = 86_400;
/// How many days browsers take from which day on; before, 825.
const PUBLIC_DAYS: [(i64, i64); 4] =
    [(1_868_227_200, 47), (1_805_068_800, 100), (1_773_532_800, 200), (1_598_918_400, 398)];
const APPLE_DAYS: i64 = 825;

/// OpenSSL counts 112 bits of security from so many bits of RSA on, and asks for them at level 2.
const OPENSSL_RSA_BITS: usize = 1963;
const JAVA_RSA_BITS: (usize, usize) = (1024, 16_384);

/// The algorithm of the signature, if much software does not believe it any more.
pub(crate) fn old_signature(certificate: &Certificate) -> Option<ObjectIdentifier> {
    certificate.signature_algorithm().filter(|algorithm| OLD_SIGNATURES.contains(&algorithm.to_string().as_str()))
}

/// True for keys that are verified, but not by everybody.
pub(crate) fn is_uncommon(key: &KeyType) -> bool {
    match key {
        KeyType::EcP521 | KeyType::Ed25519 => true,
        KeyType::EcP256 | KeyType::EcP384 | KeyType::Other(_) | KeyType::Rsa { .. } => false,
    }
}

pub(super) fn remarks(certificate: &Certificate, usage: Usage) -> Vec<Remark> {
    let mut table = Table { certificate, usage, facts: Facts::of(certificate), remarks: Vec::new() };
    table.form();
    table.serial();
    table.dates();
    table.names();
    table.keys();
    table.signature();
    table.purposes();
    table.key_usage();
    table.constraints();
    table.remarks.sort_by_key(Remark::code);
    table.remarks
}

struct Table<'a> {
    certificate: &'a Certificate,
    usage: Usage,
    facts: Facts,
    remarks: Vec<Remark>,
}

/// Refuses if that is so.
fn refuses(peer: Peer, so: bool) -> Option<Reaction> {
    so.then_some(Reaction { peer, effect: Effect::Refuses })
}

fn may_refuse(peer: Peer, so: bool) -> Option<Reaction> {
    so.then_some(Reaction { peer, effect: Effect::MayRefuse })
}

fn ignores_name(peer: Peer, so: bool) -> Option<Reaction> {
    so.then_some(Reaction { peer, effect: Effect::IgnoresName })
}

impl Table<'_> {
    /// Remarks it if somebody minds it who is a peer in this use.
    fn say<const N: usize>(
        &mut self,
        code: RemarkCode,
        reactions: [Option<Reaction>; N],
        sentence: impl Into<String>,
        cure: &'static str,
    ) {
        let concerned = |reaction: &Reaction| match reaction.peer {
            Browsers => self.usage == Usage::Server,
            Sap => self.usage == Usage::Client,
            Certmap | Go | Java | OpenSsl | Rustls | StrictReaders => true,
        };
        let mut reactions: Vec<_> = reactions.into_iter().flatten().filter(concerned).collect();
        reactions.sort_by_key(|reaction| reaction.peer);
        if !reactions.is_empty() {
            self.remarks.push(Remark::new(code, reactions, sentence.into(), cure));
        }
    }

    fn is_client(&self) -> bool {
        self.usage == Usage::Client
    }

    /// Version, and what stands beside the extensions.
    fn form(&mut self) {
        let version = self.certificate.version();
        if version < 3 {
            self.say(
                RemarkCode::OldVersion,
                [refuses(Rustls, true), refuses(Certmap, true)],
                format!(
                    "it is X.509 version {version}, which the verifiers of rustls and its usual way to present a certificate refuse, and certmap below an anchor, where it is not pinned"
                ),
                "have a certificate of version 3 made, or have the peer pin this one",
            );
        }
        if self.facts.unique_identifier {
            self.say(
                RemarkCode::UniqueIdentifier,
                [refuses(Rustls, true), refuses(Certmap, true)],
                "it has a unique identifier of issuer or subject",
                "have it issued without, as RFC 5280 has CAs do",
            );
        }
        if self.certificate.is_self_issued() {
            self.say(
                RemarkCode::SelfSigned,
                [may_refuse(Browsers, true), may_refuse(Sap, true)],
                if self.is_client() {
                    "it is issued by itself: only a peer that knows exactly this certificate believes it, and SAP Cloud Integration takes no such certificate of a client"
                } else {
                    "it is issued by itself: only a peer that knows exactly this certificate believes it"
                },
                "give the peer this certificate to pin, or have a CA that it trusts issue one",
            );
        }
        self.critical_extensions();
    }

    fn critical_extensions(&mut self) {
        let critical = &self.facts.critical;
        if critical.is_empty() {
            return;
        }
        let names: Vec<_> = critical.iter().map(|critical| critical.oid.to_string()).collect();
        let refused = critical.iter().any(|critical| critical.processed_by_others == Some(false));
        let unsure = !refused && critical.iter().any(|critical| critical.processed_by_others.is_none());
        let other = |peer| refuses(peer, refused).or_else(|| may_refuse(peer, unsure));
        self.say(
            RemarkCode::CriticalExtension,
            [refuses(Rustls, true), refuses(Certmap, true), other(OpenSsl), other(Java)],
            format!("its critical extension {} is not processed by everybody", names.join(", ")),
            "have it issued with that extension not critical, or without it",
        );
    }

    fn serial(&mut self) {
        let serial = self.certificate.serial();
        let (zero, negative) = (serial.magnitude_bytes() == 0, serial.is_negative());
        let octets = self.facts.serial.len();
        if self.facts.serial_padded() {
            self.say(
                RemarkCode::SerialEncoding,
                [refuses(OpenSsl, true)],
                "its serial number has octets too many, so that it is not DER",
                REISSUE_WITH_SERIAL,
            );
        }
        if octets > 20 {
            self.say(
                RemarkCode::SerialLong,
                [may_refuse(StrictReaders, true)],
                format!("its serial number has {octets} octets, and readers need not handle more than 20"),
                REISSUE_WITH_SERIAL,
            );
        }
        if negative {
            self.say(
                RemarkCode::SerialNegative,
                [refuses(Go, true), may_refuse(StrictReaders, true)],
                "its serial number is negative, and Go 1.23 and later do not read it",
                REISSUE_WITH_SERIAL,
            );
        }
        if zero {
            self.say(
                RemarkCode::SerialZero,
                [may_refuse(StrictReaders, true)],
                "its serial number is 0, and serial numbers are to be positive",
                REISSUE_WITH_SERIAL,
            );
        }
    }

    fn dates(&mut self) {
        match self.facts.time {
            Time::Sound => {}
            Time::Early => self.say(
                RemarkCode::OddTime,
                [refuses(Rustls, true), refuses(Certmap, true)],
                "it is dated before 1970, which rustls does not read",
                "have it issued with dates of today",
            ),
            Time::Odd => self.say(
                RemarkCode::OddTime,
                [refuses(Rustls, true), refuses(Certmap, true), refuses(OpenSsl, true)],
                "its dates are not written with seconds, in UTC and without fractions",
                "have it issued by a CA that writes dates as RFC 5280 has them",
            ),
        }
        let [first, after] = self.certificate.validity().changes();
        if after <= first {
            self.say(
                RemarkCode::NeverValid,
                [Rustls, Certmap, OpenSsl, Java, Go, Browsers, Sap].map(|peer| refuses(peer, true)),
                "it ends before it begins",
                "have it issued with an end after its beginning",
            );
        }
        let seconds = after.saturating_sub(first);
        let public = PUBLIC_DAYS.iter().find(|(from, _)| first >= *from).map_or(APPLE_DAYS, |(_, days)| *days);
        if seconds > public * DAY {
            let too_long = seconds > APPLE_DAYS * DAY;
            let days = seconds.saturating_add(DAY - 1) / DAY;
            self.say(
                RemarkCode::LongValidity,
                [refuses(Browsers, too_long), may_refuse(Browsers, !too_long)].map(|one| one.filter(|_| !self.is_client())),
                format!(
                    "it is valid for {days} days; browsers take {public} if a public CA issued it then, and Apple's {APPLE_DAYS} from any"
                ),
                "have one issued that is valid for less, and renew it by a program",
            );
        }
    }

    fn names(&mut self) {
        let subject = self.certificate.subject();
        if subject.is_empty() && !self.facts.names_critical {
            self.say(
                RemarkCode::EmptySubject,
                [refuses(OpenSsl, true), refuses(Java, true)],
                "its subject is empty, and no critical alternative name stands for it",
                "have it issued with a subject, or with its alternative names critical",
            );
        }
        let attributes = || subject.rdns().flat_map(RelativeDistinguishedName::attributes);
        if let Some(odd) = attributes().find(|attribute| matches!(attribute.value(), AttributeValue::Opaque(_))) {
            let sentence = format!(
                "attribute {} of its subject is in an old string type, such as TeletexString or BMPString, in which programs read different texts",
                odd.kind()
            );
            self.say(
                RemarkCode::OddString,
                [ignores_name(Certmap, true), ignores_name(StrictReaders, true)],
                sentence,
                "have it issued with names in UTF8String or PrintableString",
            );
        }
        if !attributes().any(|attribute| attribute.kind().is(COMMON_NAME)) {
            self.say(
                RemarkCode::NoCommonName,
                [ignores_name(Sap, self.is_client())],
                "its subject has no common name, from which many systems take the user",
                "have it issued with a common name, if the peer takes users from it",
            );
        }
        let names = self.certificate.subject_alternative_names();
        let of_server = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
        if !self.is_client() && !names.iter().any(of_server) {
            self.say(
                RemarkCode::NoAlternativeName,
                [Rustls, Certmap, Go, Browsers].map(|peer| refuses(peer, true)),
                "no DNS name and no address is among its alternative names, and a common name does not count as one",
                "have it issued with every name that clients call as an alternative name",
            );
        }
    }

    fn keys(&mut self) {
        let key = self.certificate.key_type().clone();
        let bits = key.bits().unwrap_or_default();
        let (least, most) = JAVA_RSA_BITS;
        match key.check() {
            Ok(()) if is_uncommon(&key) => self.say(
                RemarkCode::UncommonKey,
                [
                    may_refuse(Browsers, true),
                    may_refuse(Rustls, key == KeyType::EcP521),
                    may_refuse(Certmap, key == KeyType::EcP521),
                    may_refuse(Java, key == KeyType::Ed25519),
                    may_refuse(StrictReaders, true),
                ],
                format!(
                    "its key is of type {key}, which much software does not verify, nor does every build of rustls"
                ),
                "make a key of type EC P-256 or RSA 2048 for the next one",
            ),
            Ok(()) => {}
            Err(UnfitKey::Weak { .. }) => self.say(
                RemarkCode::SmallKey,
                [
                    refuses(Rustls, true),
                    refuses(Certmap, true),
                    refuses(Browsers, true),
                    refuses(OpenSsl, bits < OPENSSL_RSA_BITS),
                    refuses(Java, bits < least),
                ],
                format!("its key has {bits} bits of RSA, and 2048 are the least that counts as safe"),
                "make a new key: RSA 2048 or EC P-256",
            ),
            Err(UnfitKey::Large { .. }) => self.say(
                RemarkCode::LargeKey,
                [
                    refuses(Rustls, true),
                    refuses(Certmap, true),
                    may_refuse(OpenSsl, bits > most),
                    refuses(Java, bits > most),
                ],
                format!("its key has {bits} bits of RSA, more than are verified"),
                "make a new key: RSA 4096 at most",
            ),
            Err(UnfitKey::Unsupported { .. }) => self.say(
                RemarkCode::UnsupportedKey,
                [
                    refuses(Rustls, true),
                    refuses(Certmap, true),
                    may_refuse(Browsers, true),
                    may_refuse(Go, true),
                    may_refuse(Java, true),
                    may_refuse(OpenSsl, true),
                ],
                format!("its key is of type {key}, for which rustls verifies no signature"),
                "make a new key: EC P-256 or RSA 2048",
            ),
        }
    }

    fn signature(&mut self) {
        if self.facts.algorithms_differ {
            self.say(
                RemarkCode::SignatureMismatch,
                [Rustls, Certmap, OpenSsl, Java].map(|peer| refuses(peer, true)),
                "it names two different algorithms for its signature",
                "have it issued again: it was put together wrongly, or changed",
            );
        }
        let Some(algorithm) = old_signature(self.certificate) else { return };
        let broken = MD2_AND_MD5.contains(&algorithm.to_string().as_str());
        // OpenSSL does not look at the signature of what it trusts by itself.
        let by_ca = !self.certificate.is_self_issued();
        self.say(
            RemarkCode::OldSignature,
            [
                refuses(Rustls, true),
                refuses(Certmap, true),
                refuses(Browsers, true),
                refuses(Go, by_ca),
                refuses(OpenSsl, by_ca),
                refuses(Java, broken && by_ca),
                may_refuse(Java, !broken && by_ca),
            ],
            format!("it is signed by the old algorithm {algorithm}"),
            "have it issued with a signature by SHA-256",
        );
    }

    fn purposes(&mut self) {
        let (wanted, missing) = match self.usage {
            Usage::Client => ("clientAuth", "have it issued with the purpose clientAuth"),
            Usage::Server => ("serverAuth", "have it issued with the purpose serverAuth"),
        };
        let Some(Purposes { any, client, server }) = self.facts.purposes else {
            self.say(
                RemarkCode::NoPurpose,
                [refuses(Browsers, true), may_refuse(Certmap, self.is_client())],
                format!("it has no extended key usage, and so does not say that it is for {wanted}"),
                missing,
            );
            return;
        };
        let allowed = if self.is_client() { client } else { server };
        match (allowed, any) {
            (true, _) => {}
            (false, true) => self.say(
                RemarkCode::AnyPurpose,
                [refuses(Rustls, true), refuses(Certmap, true), refuses(OpenSsl, true), may_refuse(Browsers, true)],
                format!("it is for any purpose, and does not say {wanted}"),
                missing,
            ),
            (false, false) => self.say(
                RemarkCode::WrongPurpose,
                [Rustls, Certmap, OpenSsl, Java, Go, Browsers, Sap].map(|peer| refuses(peer, true)),
                format!("its extended key usage has other purposes than {wanted}"),
                missing,
            ),
        }
    }

    fn key_usage(&mut self) {
        let Some(usage) = self.certificate.extensions().key_usage() else { return };
        let openssl = usage.key_agreement() || (usage.key_encipherment() && !self.is_client());
        let (signs, cert_sign) = (usage.digital_signature(), usage.key_cert_sign());
        if !signs {
            self.say(
                RemarkCode::NoDigitalSignature,
                [refuses(Java, true), refuses(OpenSsl, !openssl), refuses(Certmap, self.is_client())],
                "its key usage has no digitalSignature, and TLS proves by a signature who has the key",
                "have it issued with digitalSignature, or without key usage",
            );
        }
        if cert_sign && !self.certificate.is_ca() {
            self.say(
                RemarkCode::KeyCertSign,
                [refuses(OpenSsl, true), refuses(Certmap, self.is_client())],
                "its key usage has keyCertSign, and it is no CA",
                "have it issued without keyCertSign",
            );
        }
    }

    fn constraints(&mut self) {
        let extensions = self.certificate.extensions();
        let constraints = extensions.basic_constraints();
        let path_len = constraints.and_then(|constraints| constraints.path_len).is_some();
        let cert_sign = self.certificate.extensions().key_cert_sign();
        if let Some(constraints) = constraints.filter(|constraints| constraints.ca) {
            let strict = !constraints.critical
                || cert_sign.is_none()
                || !self.facts.subject_key
                || (path_len && cert_sign != Some(true));
            self.say(
                RemarkCode::CaTrue,
                [refuses(Rustls, true), refuses(Certmap, true), refuses(OpenSsl, strict), may_refuse(Browsers, true)],
                "it says of itself that it is a CA (CA:TRUE), as `openssl req -x509` writes",
                "have it made with basicConstraints=CA:FALSE",
            );
        } else if path_len {
            self.say(
                RemarkCode::PathLength,
                [refuses(OpenSsl, true)],
                "it has a path length, and it is no CA",
                "have it issued without path length",
            );
        }
        if extensions.name_constraints().is_some() {
            self.say(
                RemarkCode::NameConstraints,
                [refuses(Certmap, self.is_client())],
                "it has name constraints, which are for CAs",
                "have it issued without name constraints",
            );
        }
        if self.certificate.version() == 3 && !self.facts.authority_key && !self.certificate.is_self_issued() {
            self.say(
                RemarkCode::NoAuthorityKey,
                [refuses(OpenSsl, true)],
                "it has no authority key identifier, which OpenSSL wants in its strict mode",
                "have it issued with an authority key identifier",
            );
        }
    }
}

const REISSUE_WITH_SERIAL: &str = "have it issued with a positive serial number of at most 20 octets";
