//! The access line: one HTTP request in the Common Log Format, the line in which log tools look for the user.
//!
//! `remotehost ident authuser [date] "request" status bytes`. Reading is the inverse of writing. What a client chose is
//! written as Apache httpd does it, each octet that could harm a log as `\xHH`.

use core::fmt::{self, Write as _};
use core::net::IpAddr;
use core::str::FromStr;

use rustls::pki_types::UnixTime;

use super::field::{COMMON_LOG, Shown, Spelling, exact, excerpt, read_time, write_time};

/// Bytes of a line for the user and for the request, the marker of an elided one included.
const USER_ROOM: usize = 512;
const REQUEST_ROOM: usize = 2048;

/// What the line has for an unknown ident, and for no user.
const NOBODY: &str = "-";
/// The user whose name is empty, as Apache httpd writes it.
const EMPTY: &str = "\"\"";

/// One HTTP request as one line of the Common Log Format.
///
/// A line is printable ASCII and shorter than 4096 bytes. A request or user that would take more than its share ends
/// in `\~` and the byte count of the whole, which no escaped content can contain. A time after the year 9999 is written
/// `unix:` with its seconds. `Display` and `FromStr` are inverse to each other; other spellings of the format, such as
/// `-` for no bytes, are not read.
///
/// ```
/// use certmap::decision::AccessLine;
///
/// let text = r#"10.36.128.7 - SAPERPUSER [24/Jul/2025:22:55:27 +0000] "POST /sample/iflow HTTP/1.1" 404 5"#;
/// let line: AccessLine = text.parse()?;
/// assert_eq!(line.user(), Some("SAPERPUSER"));
/// assert_eq!(line.status(), 404);
/// assert_eq!(line.to_string(), text);
/// # Ok::<(), certmap::decision::InvalidAccessLine>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessLine {
    remote: IpAddr,
    user: Option<Shown>,
    time: UnixTime,
    request: Shown,
    status: u16,
    bytes: u64,
}

impl AccessLine {
    /// A request nobody has authenticated for. `request` is the request line, such as `POST /sample/iflow HTTP/1.1`;
    /// `bytes` counts the body of the answer.
    #[must_use]
    pub fn new(remote: IpAddr, time: UnixTime, request: &str, status: u16, bytes: u64) -> Self {
        let request = Shown::new(request, REQUEST_ROOM, spell_request);
        Self { remote, user: None, time, request, status, bytes }
    }

    /// The line with the user who was authenticated, or with none. A user called `-` is written `\x2d`, not like nobody.
    #[must_use]
    pub fn with_user<'a>(mut self, user: impl Into<Option<&'a str>>) -> Self {
        self.user = user.into().map(|user| Shown::new(user, USER_ROOM, spell_user));
        self
    }

    /// The client's address.
    #[must_use]
    pub fn remote(&self) -> IpAddr {
        self.remote
    }

    /// The authenticated user, if there is one; its beginning, if it was elided.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_ref().map(Shown::as_str)
    }

    /// How many bytes the user's name has; more than [`AccessLine::user`] shows if it was elided.
    #[must_use]
    pub fn user_length(&self) -> Option<usize> {
        self.user.as_ref().map(Shown::full_length)
    }

    /// When the request came.
    #[must_use]
    pub fn time(&self) -> UnixTime {
        self.time
    }

    /// The request line, or its beginning if it was elided.
    #[must_use]
    pub fn request(&self) -> &str {
        self.request.as_str()
    }

    /// How many bytes the request line had; more than [`AccessLine::request`] shows if it was elided.
    #[must_use]
    pub fn request_length(&self) -> usize {
        self.request.full_length()
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The size of the answer's body.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl fmt::Display for AccessLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remote, user, time, request, status, bytes } = self;
        let user = user.as_ref().map_or_else(|| NOBODY.to_owned(), write_user);
        let time = write_time(*time, COMMON_LOG);
        let request = write_shown(request, spell_request);
        write!(f, "{remote} - {user} [{time}] \"{request}\" {status} {bytes}")
    }
}

impl FromStr for AccessLine {
    type Err = InvalidAccessLine;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let (found, rest) = split_once_or_all(line, " ");
        let remote = exact(found).ok_or_else(|| InvalidAccessLine::Remote { found: excerpt(found) })?;
        let (found, rest) = split_once_or_all(rest, " ");
        if found != NOBODY {
            return Err(InvalidAccessLine::Ident { found: excerpt(found) });
        }
        let (found, rest) = split_once_or_all(rest, " ");
        let user = match found {
            NOBODY => None,
            _ => Some(read_user(found).ok_or_else(|| InvalidAccessLine::User { found: excerpt(found) })?),
        };
        let (found, rest) = split_once_or_all(rest, " \"");
        let time = found.strip_prefix('[').and_then(|found| found.strip_suffix(']'));
        let time = time.and_then(|written| read_time(written, COMMON_LOG));
        let time = time.ok_or_else(|| InvalidAccessLine::Time { found: excerpt(found) })?;
        // The last one: behind the request there are only numbers, and within it a quote has a backslash.
        let (found, rest) = rest.rsplit_once("\" ").unwrap_or((rest, ""));
        let request = read_shown(found, REQUEST_ROOM, spell_request);
        let request = request.ok_or_else(|| InvalidAccessLine::Request { found: excerpt(found) })?;
        let (found, rest) = split_once_or_all(rest, " ");
        let status = exact(found).ok_or_else(|| InvalidAccessLine::Status { found: excerpt(found) })?;
        let bytes = exact(rest).ok_or_else(|| InvalidAccessLine::Bytes { found: excerpt(rest) })?;
        Ok(Self { remote, user, time, request, status, bytes })
    }
}

/// Which part of a line is not as [`AccessLine`] writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAccessLine {
    /// The last field is not a number, or something follows it.
    #[error("expected a number of bytes and the end of the line, found `{found}`")]
    Bytes {
        /// What stands there, escaped.
        found: String,
    },
    /// No client is asked for its ident.
    #[error("expected `-` for the ident, found `{found}`")]
    Ident {
        /// What stands there, escaped.
        found: String,
    },
    /// The first field is not an address.
    #[error("expected the client's address, found `{found}`")]
    Remote {
        /// What stands there, escaped.
        found: String,
    },
    /// The request is not in quotes, is too long, or has an escape that is never written.
    #[error("expected a quoted request, found `{found}`")]
    Request {
        /// What stands there, escaped.
        found: String,
    },
    /// The field behind the request is not a number.
    #[error("expected a status, found `{found}`")]
    Status {
        /// What stands there, escaped.
        found: String,
    },
    /// The time is not UTC, not in brackets or not a time.
    #[error("expected a time in UTC in square brackets, found `{found}`")]
    Time {
        /// What stands there, escaped.
        found: String,
    },
    /// The user is too long, or has a character or an escape that is never written.
    #[error("expected a user or `-`, found `{found}`")]
    User {
        /// What stands there, escaped.
        found: String,
    },
}

fn spell_user(c: char, written: &mut String) {
    match c {
        '"' | '\\' | '[' | ']' => spell_octets(c, written),
        '!'..='~' => written.push(c),
        _ => spell_octets(c, written),
    }
}

fn spell_request(c: char, written: &mut String) {
    match c {
        '"' | '\\' => written.extend(['\\', c]),
        ' '..='~' => written.push(c),
        _ => spell_octets(c, written),
    }
}

fn spell_octets(c: char, written: &mut String) {
    for octet in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(written, "\\x{octet:02x}");
    }
}

fn write_user(user: &Shown) -> String {
    match (user.as_str(), user.total()) {
        ("", None) => EMPTY.to_owned(),
        (NOBODY, None) => "\\x2d".to_owned(),
        _ => write_shown(user, spell_user),
    }
}

fn read_user(written: &str) -> Option<Shown> {
    let user = match written {
        EMPTY => Shown::new("", USER_ROOM, spell_user),
        _ => unescape(written, USER_ROOM, spell_user)?,
    };
    (write_user(&user) == written).then_some(user)
}

fn write_shown(shown: &Shown, spell: Spelling) -> String {
    let mut written = shown.spelled(spell);
    if let Some(total) = shown.total() {
        let _ = write!(written, "\\~{total}");
    }
    written
}

fn read_shown(written: &str, room: usize, spell: Spelling) -> Option<Shown> {
    let shown = unescape(written, room, spell)?;
    (write_shown(&shown, spell) == written).then_some(shown)
}

/// Takes more spellings than are written; the callers compare.
fn unescape(written: &str, room: usize, spell: Spelling) -> Option<Shown> {
    let mut rest = written;
    let mut total = None;
    let mut octets = Vec::with_capacity(rest.len());
    while let Some((before, escape)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        if let Some(hex) = escape.strip_prefix('x') {
            let (hex, after) = hex.split_at_checked(2)?;
            octets.push(u8::from_str_radix(hex, 16).ok()?);
            rest = after;
        } else if let Some(digits) = escape.strip_prefix('~') {
            total = Some(digits.parse().ok()?);
            rest = "";
        } else {
            rest = escape.strip_prefix(['"', '\\'])?;
            octets.extend(escape.bytes().next());
        }
    }
    octets.extend_from_slice(rest.as_bytes());
    Shown::read(String::from_utf8(octets).ok()?, total, room, spell)
}

fn split_once_or_all<'a>(text: &'a str, separator: &str) -> (&'a str, &'a str) {
    text.split_once(separator).unwrap_or((text, ""))
}
