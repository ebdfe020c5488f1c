//! The audit record: one decision, or one refused handshake, as one line for the gateway's log.
//!
//! Writing and reading are inverse to each other, so that a log can be taken as evidence: no value, whoever chose it,
//! ends a line, begins a second pair or makes the line longer than [`AuditRecord::MAX_LENGTH`]. Writes nothing
//! anywhere; knows no policy, only the words the decision hands over.

use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;
use std::collections::BTreeMap;

use rustls::pki_types::UnixTime;

use super::field::{RFC_3339, Shown, exact, excerpt, read_time, words, write_time};

const NAME: &str = "certmap";

/// A name of the DNS has at most 253 bytes.
const HOST_ROOM: usize = 280;
/// An IPv6 address, its scope and port.
const PEER_ROOM: usize = 64;

/// One decision, or one refused handshake, as one line of `key=value` pairs.
///
/// Values that a peer can choose are quoted and escaped to printable ASCII, and long ones are cut when the record is
/// made: the beginning in quotes, then `~` and the byte count of the whole. `Display` and `FromStr` are inverse to each
/// other, and a line has exactly one spelling: pairs in another order, a second spelling of a value or anything behind
/// the last pair is an error. A record states what was decided; it is no proof of anything and holds no secret.
///
/// ```
/// use certmap::decision::AuditRecord;
///
/// let line = r#"certmap time=2026-11-23T22:46:00Z outcome=refused host=api.example.com resumed=false code=not-mapped subject="CN=x\u{a}ALLOW user=admin""#;
/// let record: AuditRecord = line.parse()?;
/// assert_eq!(record.subject(), Some("CN=x\nALLOW user=admin"));
/// assert_eq!(record.user(), None);
/// assert_eq!(record.to_string(), line);
/// # Ok::<(), certmap::decision::InvalidAuditRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuditRecord {
    time: UnixTime,
    outcome: RecordOutcome,
    host: Shown,
    resumed: bool,
    peer: Option<SocketAddr>,
    texts: BTreeMap<RecordKey, Shown>,
}

impl AuditRecord {
    /// No line is longer than this, in bytes: a peer that fails handshakes all day must not fill a disk with its names.
    pub const MAX_LENGTH: usize = 4096;

    /// A record with what every decision has.
    pub(crate) fn new(time: UnixTime, outcome: RecordOutcome, host: &str, resumed: bool) -> Self {
        let host = Shown::quoted(host, HOST_ROOM);
        Self { time, outcome, host, resumed, peer: None, texts: BTreeMap::new() }
    }

    /// The record with this value, if there is one.
    pub(crate) fn with(mut self, key: RecordKey, value: Option<impl ToString>) -> Self {
        let shown = value.map(|value| Shown::quoted(&value.to_string(), key.room()));
        self.texts.extend(shown.map(|shown| (key, shown)));
        self
    }

    /// The record with the address the connection came from.
    #[must_use]
    pub fn with_peer(mut self, mut peer: SocketAddr) -> Self {
        if let SocketAddr::V6(peer) = &mut peer {
            // The text form of an address has no flow label; what cannot be read back is not kept.
            peer.set_flowinfo(0);
        }
        self.peer = Some(peer);
        self
    }

    /// The record with the gateway's own name for the connection.
    #[must_use]
    pub fn with_connection(self, connection: impl Into<String>) -> Self {
        self.with(RecordKey::Connection, Some(connection.into()))
    }

    /// When the decision was made.
    #[must_use]
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// What was decided.
    #[must_use]
    pub fn outcome(&self) -> RecordOutcome {
        self.outcome
    }

    /// The host that was asked for.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.as_str()
    }

    /// Whether the TLS session was resumed.
    #[must_use]
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// The address the connection came from.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// How many bytes the value of a key had before it was cut; `None` if the record has all of it.
    ///
    /// A value that was cut is not the value: two names with one beginning look the same here.
    #[must_use]
    pub fn elided(&self, key: &str) -> Option<usize> {
        self.all().find(|(name, _)| *name == key)?.1.total()
    }

    /// Every value that can be cut, with its key.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &Shown)> {
        core::iter::once(("host", &self.host)).chain(self.texts())
    }

    /// The texts that it has, in the order of the line.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, &Shown)> {
        self.texts.iter().map(|(key, shown)| (key.name(), shown))
    }

    /// The time as the line has it.
    pub(super) fn written_time(&self) -> String {
        write_time(self.time, &RFC_3339)
    }
}

/// The texts a record may have, in the order of the line: getter, key and room in bytes for the spelled value.
macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident $key:ident $room:literal;)+) => {
        /// A text that a record may have; all others have a type of their own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum RecordKey {
            $($(#[$doc])+ $key,)+
        }

        impl RecordKey {
            const ALL: &[Self] = &[$(Self::$key),+];

            /// The key as the line has it.
            const fn name(self) -> &'static str {
                match self { $(Self::$key => stringify!($name),)+ }
            }

            const fn room(self) -> usize {
                match self { $(Self::$key => $room,)+ }
            }
        }

        impl AuditRecord {
            $($(#[$doc])+ #[must_use] pub fn $name(&self) -> Option<&str> {
                self.texts.get(&RecordKey::$key).map(Shown::as_str)
            })+
        }
    };
}

texts! {
    /// The code of the refusal, such as `not-mapped`.
    code Code 64;
    /// The user the certificate belongs to.
    user User 300;
    /// The name of the rule that named the user.
    rule Rule 200;
    /// How strongly the user is known.
    strength Strength 40;
    /// Roles that were given although their assignments ask for more strength.
    warning Warning 120;
    /// The fingerprint of the end-entity certificate.
    certificate Certificate 96;
    /// The issuer of the end-entity certificate, as text of RFC 4514.
    issuer Issuer 640;
    /// The subject of the end-entity certificate, as text of RFC 4514.
    subject Subject 650;
    /// The digest of the policy that decided.
    policy Policy 96;
    /// The gateway's own name for the connection.
    connection Connection 160;
    /// The facts behind a refusal.
    detail Detail 700;
    /// What the operator can do about a refusal.
    cure Cure 480;
}

impl fmt::Display for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, outcome) = (self.written_time(), self.outcome.as_str());
        let (host, resumed) = (self.host.to_quoted(), self.resumed);
        write!(f, "{NAME} time={time} outcome={outcome} host={host} resumed={resumed}")?;
        if let Some(peer) = self.peer {
            write!(f, " peer={}", Shown::quoted(&peer.to_string(), PEER_ROOM).to_quoted())?;
        }
        self.texts().try_for_each(|(key, shown)| write!(f, " {key}={}", shown.to_quoted()))
    }
}

impl FromStr for AuditRecord {
    type Err = InvalidAuditRecord;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let pairs = Pairs(words(line));
        if pairs.0.first() != Some(&NAME) {
            return Err(InvalidAuditRecord::NotARecord { found: excerpt(line) });
        }
        let read = Shown::from_quoted;
        let mut record = Self {
            time: pairs.required("time", |written| read_time(written, &RFC_3339))?,
            outcome: pairs.required("outcome", RecordOutcome::read)?,
            host: pairs.required("host", |written| read(written, HOST_ROOM))?,
            resumed: pairs.required("resumed", |written| written.parse().ok())?,
            peer: pairs.optional("peer", |written| exact(read(written, PEER_ROOM)?.as_str()))?,
            texts: BTreeMap::new(),
        };
        for &key in RecordKey::ALL {
            let shown = pairs.optional(key.name(), |written| read(written, key.room()))?;
            record.texts.extend(shown.map(|shown| (key, shown)));
        }
        pairs.end(&record)?;
        Ok(record)
    }
}

/// What an audit record says was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordOutcome {
    /// The caller was let in.
    Admitted,
    /// The caller presented no certificate, and none was required.
    Anonymous,
    /// The caller was not let in, or the handshake failed.
    Refused,
}

impl RecordOutcome {
    /// The outcome as the line has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Anonymous => "anonymous",
            Self::Refused => "refused",
        }
    }

    fn read(written: &str) -> Option<Self> {
        [Self::Admitted, Self::Anonymous, Self::Refused].into_iter().find(|outcome| outcome.as_str() == written)
    }
}

/// Why a line is not an audit record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAuditRecord {
    /// Every record has this key.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// The line is something else.
    #[error("an audit record begins with `certmap`, found `{found}`")]
    NotARecord {
        /// The beginning of the line, escaped.
        found: String,
    },
    /// No record has this key, or not in this place, or not twice.
    #[error("key `{key}` is unknown, stands twice or is out of order")]
    Unexpected {
        /// The key, escaped.
        key: String,
    },
    /// The value cannot be read, is too long, or has another spelling than records use.
    #[error("`{key}` cannot be `{found}`")]
    Value {
        /// The key.
        key: &'static str,
        /// The value as written, escaped.
        found: String,
    },
}

/// The words of a line: its name, then pairs in any order, until `end` compares.
struct Pairs<'a>(Vec<&'a str>);

type Read<T> = Result<T, InvalidAuditRecord>;

impl Pairs<'_> {
    fn optional<T>(&self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Read<Option<T>> {
        let value = self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let Some(written) = value else { return Ok(None) };
        let value = read(written).ok_or_else(|| InvalidAuditRecord::Value { key, found: excerpt(written) })?;
        Ok(Some(value))
    }

    fn required<T>(&self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Read<T> {
        self.optional(key, read)?.ok_or(InvalidAuditRecord::Missing { key })
    }

    /// INVARIANT: what was read is written the same; a word too many, or in another place, shows here.
    fn end(&self, record: &AuditRecord) -> Read<()> {
        let written = record.to_string();
        let mut expected = words(&written).into_iter();
        let misfit = self.0.iter().find(|word| expected.next() != Some(**word));
        let Some(word) = misfit else { return Ok(()) };
        let key = excerpt(word.split('=').next().unwrap_or_default());
        Err(InvalidAuditRecord::Unexpected { key })
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn full(time: u64, value: &str) -> AuditRecord {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
        let record = AuditRecord::new(time, RecordOutcome::Admitted, value, false);
        RecordKey::ALL.iter().fold(record, |record, key| record.with(*key, Some(value)))
    }

    #[test]
    fn the_longest_record_fits() {
        let peer = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535".parse();
        let record = full(u64::MAX, "").with_peer(peer.expect("an address"));
        let rooms: usize = RecordKey::ALL.iter().map(|key| key.room()).sum();
        let longest = record.to_string().len() + HOST_ROOM + rooms;
        assert!(longest <= AuditRecord::MAX_LENGTH, "{longest}");
    }

    #[test]
    fn hostile_values_give_one_printable_line_that_reads_back() {
        const SIGNS: &str = "\n\r\u{1b}\u{202e}\u{2028}\0\"\\ ~=9aé\u{10ffff}";
        let signs: Vec<char> = SIGNS.chars().collect();
        let mut rng = fastrand::Rng::with_seed(14);
        for round in 0..5_000 {
            let count = if round % 500 == 0 { 65_536 } else { rng.usize(..99) };
            let value: String = (0..count).map(|_| signs[rng.usize(..signs.len())]).collect();
            let record = full(rng.u64(..) >> rng.u32(..64), &value);
            let line = record.to_string();
            assert!(line.len() <= AuditRecord::MAX_LENGTH, "{line}");
            let printable = line.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            assert!(printable, "{line}");
            assert_eq!(line.parse(), Ok(record), "{line}");
        }
    }
}
