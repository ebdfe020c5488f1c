//! The keys that seal tickets: an input, so that the machines of a fleet can resume each other's sessions.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, InboundOpaqueMessage, Iv, OutboundChunks, OutboundPlainMessage};
use rustls::{ContentType, ProtocolVersion, SupportedCipherSuite, Tls13CipherSuite};
use zeroize::Zeroizing;

use super::EndpointError;
use crate::cert::Fingerprint;
use crate::limits::SESSION_BYTES;

/// A secret of 32 octets that seals tickets.
///
/// Whoever has it can read every session that it sealed, the client's certificates among it, and make sessions of his own:
/// keep it as you keep a private key. It prints nothing of itself, and its octets are wiped when it goes.
#[derive(Clone)]
pub struct TicketKey {
    secret: Zeroizing<[u8; 32]>,
    /// Says by which key a ticket was sealed, without telling anything of it.
    id: [u8; 8],
}

impl TicketKey {
    /// From a secret that is random and of full strength; not from a password.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a hash is longer than what is taken of it")]
    pub fn new(secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        let labelled = Zeroizing::new([&b"certmap ticket key id"[..], &*secret].concat());
        let id = *Fingerprint::of(&labelled).as_bytes().first_chunk().expect("a hash is longer than that");
        Self { secret, id }
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, id: _ } = self;
        f.write_str("TicketKey")
    }
}

/// The keys of an endpoint's tickets: one that seals, and those of before, that still open.
///
/// Machines that share them, and have the same policy, hosts and lifetime, resume each other's sessions. What may be shared
/// is this and nothing else: two endpoints whose hosts have equal ids and bundles are one to a session, so give endpoints
/// that are not the same thing different keys. Rotate at least once in a lifetime of sessions; a key that is not in use any
/// more cannot open what somebody recorded. Cheap to clone; clones are one.
///
/// The seal is the AEAD of a TLS 1.3 cipher suite of the crypto provider, under a key of its own for each ticket, made by
/// HKDF (RFC 5869) from the secret and 32 random octets.
#[derive(Clone)]
pub struct TicketKeys(Arc<Inner>);

struct Inner {
    provider: Arc<CryptoProvider>,
    suite: &'static Tls13CipherSuite,
    /// INVARIANT: not empty. The first one seals.
    keys: RwLock<Vec<TicketKey>>,
}

/// Random octets in front of each ticket.
const SALT: usize = 32;
/// Keys of before that still open.
const KEPT: usize = 3;

impl TicketKeys {
    /// Seals with this key, on the default crypto provider.
    ///
    /// # Errors
    /// [`EndpointError::NoProvider`], and [`EndpointError::Unusable`] if the provider has no TLS 1.3 suite with a key of 32
    /// octets.
    pub fn new(key: TicketKey) -> Result<Self, EndpointError> {
        Self::new_with_provider(key, crate::provider::default()?)
    }

    /// As [`new`](Self::new), on a crypto provider.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_with_provider(key: TicketKey, provider: Arc<CryptoProvider>) -> Result<Self, EndpointError> {
        let suite = provider.cipher_suites.iter().find_map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) if suite.aead_alg.key_len() == 32 => Some(*suite),
            _ => None,
        });
        let reason = || "it has no TLS 1.3 cipher suite with a key of 32 octets to seal tickets with".to_owned();
        let suite = suite.ok_or_else(|| EndpointError::Unusable { reason: reason() })?;
        Ok(Self(Arc::new(Inner { provider, suite, keys: RwLock::new(vec![key]) })))
    }

    /// With a random key that nobody else has: tickets end with the process.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`EndpointError::Unusable`] if the provider has no random numbers.
    pub fn random() -> Result<Self, EndpointError> {
        let provider = crate::provider::default()?;
        let mut secret = Zeroizing::new([0; 32]);
        let filled = provider.secure_random.fill(&mut *secret);
        filled.map_err(|_| EndpointError::Unusable { reason: "it has no random numbers".to_owned() })?;
        Self::new_with_provider(TicketKey::new(*secret), provider)
    }

    /// Seals with this key from now on; the last three others still open. The key that seals already changes nothing, so a
    /// file that is read again and is the same takes no key away.
    pub fn rotate(&self, key: TicketKey) {
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|known| known.id != key.id);
        keys.insert(0, key);
        keys.truncate(KEPT + 1);
    }

    pub(super) fn seal(&self, session: &[u8]) -> Option<Vec<u8>> {
        if session.len() > SESSION_BYTES {
            return None;
        }
        let key = self.0.keys.read().unwrap_or_else(PoisonError::into_inner).first()?.clone();
        let mut salt = [0; SALT];
        self.0.provider.secure_random.fill(&mut salt).ok()?;
        let (aead_key, iv) = self.0.derive(&key, &salt)?;
        let message = OutboundPlainMessage {
            typ: ContentType::ApplicationData,
            version: ProtocolVersion::TLSv1_3,
            payload: OutboundChunks::Single(session),
        };
        let sealed = self.0.suite.aead_alg.encrypter(aead_key, iv).encrypt(message, 0).ok()?;
        Some([&key.id[..], &salt, sealed.payload.as_ref()].concat())
    }

    pub(super) fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (id, rest) = ticket.split_first_chunk::<8>()?;
        let (salt, sealed) = rest.split_first_chunk::<SALT>()?;
        if sealed.len() > SESSION_BYTES + 256 {
            return None;
        }
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| key.id == *id)?.clone();
        drop(keys);
        let (aead_key, iv) = self.0.derive(&key, salt)?;
        let mut sealed = sealed.to_vec();
        let message = InboundOpaqueMessage::new(ContentType::ApplicationData, ProtocolVersion::TLSv1_2, &mut sealed);
        let opened = self.0.suite.aead_alg.decrypter(aead_key, iv).decrypt(message, 0).ok()?;
        (opened.typ == ContentType::ApplicationData).then(|| opened.payload.to_vec())
    }
}

impl Inner {
    /// Key and nonce of one ticket.
    fn derive(&self, key: &TicketKey, salt: &[u8; SALT]) -> Option<(AeadKey, Iv)> {
        let expander = self.suite.hkdf_provider.extract_from_secret(Some(salt), &*key.secret);
        let mut secret = Zeroizing::new([0; 32]);
        expander.expand_slice(&[b"certmap ticket key"], &mut *secret).ok()?;
        let mut nonce = [0; 12];
        expander.expand_slice(&[b"certmap ticket nonce"], &mut nonce).ok()?;
        Some((AeadKey::from(*secret), Iv::from(nonce)))
    }
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "TicketKeys({})", keys.len())
    }
}

#[cfg(all(test, any(feature = "aws-lc-rs", feature = "ring")))]
mod tests {
    use super::*;

    fn keys(octet: u8) -> TicketKeys {
        TicketKeys::new(TicketKey::new([octet; 32])).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_no_other() {
        for size in [0, 1, 4_000, SESSION_BYTES] {
            let session = vec![7; size];
            let sealed = keys(1).seal(&session).unwrap();
            assert_eq!(keys(1).open(&sealed), Some(session));
            assert_eq!(keys(2).open(&sealed), None);
        }
        assert_eq!(keys(1).seal(&vec![7; SESSION_BYTES + 1]), None);
        assert_ne!(keys(1).seal(b"a"), keys(1).seal(b"a"));
    }

    #[test]
    fn no_bit_of_a_ticket_can_be_changed_and_none_left_out() {
        let keys = keys(1);
        let sealed = keys.seal(b"session").unwrap();
        for at in 0..sealed.len() {
            assert_eq!(keys.open(&sealed[..at]), None);
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(keys.open(&changed), None, "{at} {bit}");
            }
        }
        assert_eq!(keys.open(&[]), None);
        assert_eq!(keys.open(&vec![0; 100_000]), None);
    }

    #[test]
    fn rotation_keeps_three_keys_of_before() {
        let keys = keys(0);
        let first = keys.seal(b"first").unwrap();
        for octet in 1..=3 {
            keys.rotate(TicketKey::new([octet; 32]));
            assert!(keys.open(&first).is_some());
        }
        keys.rotate(TicketKey::new([4; 32]));
        assert_eq!(keys.open(&first), None);
        assert!(keys.open(&self::keys(4).seal(b"other machine").unwrap()).is_some());
    }

    #[test]
    fn a_key_that_is_given_again_pushes_no_other_out() {
        let keys = keys(0);
        let (first, second) = (keys.seal(b"first").unwrap(), self::keys(1).seal(b"second").unwrap());
        keys.rotate(TicketKey::new([1; 32]));
        // Somebody reloads a file that has not changed, and goes back and forth between two.
        for octet in [1, 1, 1, 1, 0, 1, 0, 1] {
            keys.rotate(TicketKey::new([octet; 32]));
            assert!(keys.open(&first).is_some() && keys.open(&second).is_some());
            assert!(self::keys(octet).open(&keys.seal(b"now").unwrap()).is_some());
        }
        assert_eq!(format!("{keys:?}"), "TicketKeys(2)");
    }

    #[test]
    fn keys_print_nothing_of_themselves() {
        let printed = format!("{:?} {:?}", TicketKey::new([0xab; 32]), keys(0xab));
        assert_eq!(printed, "TicketKey TicketKeys(1)");
    }
}
