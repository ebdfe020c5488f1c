//! The extensions that decide who may do what, by the names of RFC 5280, section 4.2.1.

use der::Tag;
use rustls::pki_types::ServerName;

use super::{TestCertificate, TestName};
use crate::cert::encode::{octet_string, sequence, tagged, tlv};

/// A bit of the key usage extension, by its number (RFC 5280, section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyUsageBit {
    /// `digitalSignature`.
    DigitalSignature = 0,
    /// `nonRepudiation`, `contentCommitment` today.
    NonRepudiation = 1,
    /// `keyEncipherment`.
    KeyEncipherment = 2,
    /// `dataEncipherment`.
    DataEncipherment = 3,
    /// `keyAgreement`.
    KeyAgreement = 4,
    /// `keyCertSign`.
    KeyCertSign = 5,
    /// `cRLSign`.
    CrlSign = 6,
    /// `encipherOnly`.
    EncipherOnly = 7,
    /// `decipherOnly`.
    DecipherOnly = 8,
}

impl TestCertificate {
    /// A certificate authority as it should be: version 3, critical basic constraints with `cA` true, critical key usage
    /// with `keyCertSign` and `cRLSign`.
    pub fn as_ca(self) -> Self {
        let usage = [KeyUsageBit::KeyCertSign, KeyUsageBit::CrlSign];
        self.with_version(3).with_basic_constraints(true, None, true).with_key_usage(&usage)
    }

    /// Basic constraints with `cA` true, as `openssl req -x509` writes them.
    pub fn with_ca_true(self) -> Self {
        self.with_basic_constraints(true, None, true)
    }

    /// Basic constraints with `cA` false.
    pub fn with_ca_false(self) -> Self {
        self.with_basic_constraints(false, None, true)
    }

    /// Basic constraints: whether it is a CA, and how many CAs may stand between it and an end-entity certificate.
    pub fn with_basic_constraints(self, ca: bool, path_len: Option<u8>, critical: bool) -> Self {
        let ca = ca.then(|| tlv(Tag::Boolean, &[0xff]));
        let path_len = path_len.map(|most| tlv(Tag::Integer, &integer(most)));
        let parts: Vec<_> = ca.into_iter().chain(path_len).collect();
        self.with_extension("2.5.29.19", critical, &sequence(&parts))
    }

    /// Critical key usage with these bits, in any order; without any, the empty bit string that RFC 5280 forbids.
    pub fn with_key_usage(self, bits: &[KeyUsageBit]) -> Self {
        let set = bits.iter().fold(0u16, |set, bit| set | (0x8000 >> *bit as u8));
        // X.690 §11.2.2: no trailing zero bits, hence no trailing zero octets.
        let content = bits.iter().map(|bit| *bit as u8).max().map_or(vec![0], |last| {
            let octets = set.to_be_bytes().into_iter().take(usize::from(last / 8) + 1);
            core::iter::once(7 - last % 8).chain(octets).collect()
        });
        self.with_extension("2.5.29.15", true, &tlv(Tag::BitString, &content))
    }

    /// Extended key usage with this one purpose, the last arc of `1.3.6.1.5.5.7.3`: 1 server, 2 client.
    pub fn with_purpose(self, purpose: u8) -> Self {
        self.with_purposes(&[purpose])
    }

    /// Extended key usage with these purposes, as [`with_purpose`](Self::with_purpose) counts them; may be none.
    pub fn with_purposes(self, purposes: &[u8]) -> Self {
        let purpose = |last: &u8| tlv(Tag::ObjectIdentifier, &[0x2b, 6, 1, 5, 5, 7, 3, *last]);
        self.with_extension("2.5.29.37", false, &sequence(&purposes.iter().map(purpose).collect::<Vec<_>>()))
    }

    /// Extended key usage with `anyExtendedKeyUsage` alone.
    pub fn with_any_purpose(self) -> Self {
        let any = tlv(Tag::ObjectIdentifier, &[0x55, 0x1d, 37, 0]);
        self.with_extension("2.5.29.37", false, &sequence(&[any]))
    }

    /// Name constraints: the subtrees that are permitted, those that are excluded; a list that is empty is left out.
    ///
    /// # Panics
    /// If a directory name or an object identifier among them cannot be read.
    pub fn with_name_constraints(self, permitted: &[TestName<'_>], excluded: &[TestName<'_>], critical: bool) -> Self {
        let subtrees = |number: u32, names: &[TestName<'_>]| {
            let subtrees: Vec<_> = names.iter().map(|name| sequence(&[name.to_der()])).collect();
            if subtrees.is_empty() { Vec::new() } else { tagged(number, &subtrees.concat()) }
        };
        let value = sequence(&[subtrees(0, permitted), subtrees(1, excluded)]);
        self.with_extension("2.5.29.30", critical, &value)
    }

    /// Subject alternative names, in this order.
    ///
    /// # Panics
    /// If a directory name or an object identifier among them cannot be read.
    pub fn with_alternative_names(self, names: &[TestName<'_>]) -> Self {
        let names: Vec<_> = names.iter().map(|name| name.to_der()).collect();
        self.with_extension("2.5.29.17", false, &sequence(&names))
    }

    /// A subject alternative name, DNS or IP.
    ///
    /// # Panics
    /// If `name` is neither.
    pub fn with_server_name(self, name: &str) -> Self {
        match ServerName::try_from(name).expect("a server name") {
            ServerName::IpAddress(address) => self.with_alternative_names(&[TestName::Ip(address.into())]),
            _ => self.with_alternative_names(&[TestName::Dns(name)]),
        }
    }

    /// A subject key identifier of these octets.
    pub fn with_key_identifier(self, octets: &[u8]) -> Self {
        self.with_extension("2.5.29.14", false, &octet_string(octets))
    }
}

/// Content octets of a number that is not negative.
fn integer(value: u8) -> Vec<u8> {
    if value < 0x80 { vec![value] } else { vec![0, value] }
}
