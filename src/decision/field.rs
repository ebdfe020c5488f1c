//! How one value stands in a line of a log: text that a peer chose, and points in time.
//!
//! Whatever comes in, printable ASCII goes out, and reading takes only the one spelling that writing gives: two
//! different spellings of a value would be two ways to tell a log apart from what wrote it. The only door to `time`
//! for the lines of this module.

use core::fmt::{self, Write as _};
use core::str::FromStr;
use core::time::Duration;

use rustls::pki_types::UnixTime;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::formatting::Formattable;
use time::macros::format_description;
use time::parsing::Parsable;

use crate::text::repeated;

/// Room kept free for an elision marker: one or two signs and the digits of the largest `usize`.
const MARKER: usize = 22;

/// The longest text of a stranger's that an error message repeats, in characters.
const EXCERPT: usize = 64;

/// 9999-12-31T23:59:59Z: later years do not fit into either date format.
const LAST_DATE: i64 = 253_402_300_799;

/// `2025-07-24T22:55:27Z`
pub(crate) const RFC_3339: Rfc3339 = Rfc3339;

/// `24/Jul/2025:22:55:27 +0000`
pub(crate) const COMMON_LOG: &[BorrowedFormatItem<'_>] = format_description!(
    "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// Writes one character in the printable ASCII of some line format.
pub(crate) type Spelling = fn(char, &mut String);

/// A value as a line shows it: all of it, or its beginning and how long it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    text: String,
    /// Bytes of the original. `None`: nothing was left out.
    total: Option<usize>,
}

impl Shown {
    /// As much of the value as fits into `room` bytes once spelled; a marker, if needed, fits as well.
    pub(crate) fn new(value: &str, room: usize, spell: Spelling) -> Self {
        let mut written = String::new();
        let mut kept = 0;
        for (before, c) in value.chars().enumerate() {
            if written.len() + MARKER <= room {
                kept = before;
            }
            spell(c, &mut written);
            if written.len() > room {
                return Self { text: value.chars().take(kept).collect(), total: Some(value.len()) };
            }
        }
        Self { text: value.to_owned(), total: None }
    }

    /// The value for a `key=value` line; see [`Shown::to_quoted`].
    pub(crate) fn quoted(value: &str, room: usize) -> Self {
        Self::new(value, room, spell_quoted)
    }

    /// What was read from a line, unless `new` could not have left it there.
    pub(crate) fn read(text: String, total: Option<usize>, room: usize, spell: Spelling) -> Option<Self> {
        let room = if total.is_some() { room.checked_sub(MARKER)? } else { room };
        let fits = Self::new(&text, room, spell).total.is_none();
        let says_more = total.is_none_or(|total| total > text.len());
        (fits && says_more).then_some(Self { text, total })
    }

    /// The inverse of [`Shown::to_quoted`], and of nothing else.
    pub(crate) fn from_quoted(written: &str, room: usize) -> Option<Self> {
        let (text, total) = match written.strip_prefix('"') {
            None => (written.to_owned(), None),
            Some(inner) => {
                let (content, tail) = inner.rsplit_once('"')?;
                let total = match tail {
                    "" => None,
                    marker => Some(marker.strip_prefix('~')?.parse().ok()?),
                };
                (unescape_quoted(content)?, total)
            }
        };
        let shown = Self::read(text, total, room, spell_quoted)?;
        (shown.to_quoted() == written).then_some(shown)
    }

    /// A bare word if the value is one, else quoted; `~` and the byte count of the original follow the closing quote
    /// where something was left out: no content can stand there.
    pub(crate) fn to_quoted(&self) -> String {
        if self.total.is_none() && is_bare(&self.text) {
            return self.text.clone();
        }
        let mut written = String::from('"');
        written.push_str(&self.spelled(spell_quoted));
        written.push('"');
        if let Some(total) = self.total {
            let _ = write!(written, "~{total}");
        }
        written
    }

    /// The shown text in a spelling, without quotes or marker.
    pub(crate) fn spelled(&self, spell: Spelling) -> String {
        let mut written = String::with_capacity(self.text.len());
        self.text.chars().for_each(|c| spell(c, &mut written));
        written
    }

    /// The text, or its beginning.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of the original, if only its beginning is shown.
    pub(crate) fn total(&self) -> Option<usize> {
        self.total
    }

    /// Bytes of the original.
    pub(crate) fn full_length(&self) -> usize {
        self.total.unwrap_or(self.text.len())
    }
}

/// A value whose one spelling this is.
pub(crate) fn exact<T: FromStr + fmt::Display>(written: &str) -> Option<T> {
    written.parse().ok().filter(|value: &T| value.to_string() == written)
}

/// The words of a line: what stands between the blanks outside quotes.
pub(crate) fn words(line: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == ' ' && !quoted,
        }
        false
    };
    line.split(ends).collect()
}

/// A stranger's text for an error message: escaped, at most 64 characters, and no private key.
pub(crate) fn excerpt(text: &str) -> String {
    const DOTS: &str = "...";
    let mut written = String::new();
    let mut kept = 0;
    for c in repeated(text).chars() {
        if written.len() + DOTS.len() <= EXCERPT {
            kept = written.len();
        }
        spell_quoted(c, &mut written);
        if written.len() > EXCERPT {
            written.truncate(kept);
            written.push_str(DOTS);
            break;
        }
    }
    written
}

/// The time in UTC, or `unix:` and the seconds when its year has more than four digits.
pub(crate) fn write_time(time: UnixTime, format: &(impl Formattable + ?Sized)) -> String {
    let seconds = time.as_secs();
    // Asked here and not of `time`: its range grows with a feature that any crate of the program may switch on.
    let dated = i64::try_from(seconds).ok().filter(|seconds| *seconds <= LAST_DATE);
    let date = dated.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let written = date.and_then(|date| date.format(format).ok());
    written.unwrap_or_else(|| format!("unix:{seconds}"))
}

/// The inverse of [`write_time`], and of nothing else.
pub(crate) fn read_time<F>(written: &str, format: &F) -> Option<UnixTime>
where
    F: Formattable + Parsable + ?Sized,
{
    let seconds = match written.strip_prefix("unix:") {
        Some(seconds) => seconds.parse().ok()?,
        None => u64::try_from(OffsetDateTime::parse(written, format).ok()?.unix_timestamp()).ok()?,
    };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    (write_time(time, format) == written).then_some(time)
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b))
}

fn spell_quoted(c: char, written: &mut String) {
    match c {
        '"' | '\\' => written.extend(['\\', c]),
        ' '..='~' => written.push(c),
        _ => written.extend(c.escape_unicode()),
    }
}

fn unescape_quoted(content: &str) -> Option<String> {
    let mut text = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        rest = if let Some(hex) = escape.strip_prefix("u{") {
            let (hex, after) = hex.split_once('}')?;
            text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
            after
        } else {
            let after = escape.strip_prefix(['"', '\\'])?;
            text.extend(escape.chars().next());
            after
        };
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 40;

    #[track_caller]
    fn written(value: &str, expected: &str) {
        let shown = Shown::quoted(value, ROOM);
        assert_eq!(shown.to_quoted(), expected);
        assert_eq!(Shown::from_quoted(expected, ROOM), Some(shown));
    }

    #[test]
    fn words_stay_bare_and_everything_else_is_quoted() {
        written("a.B_9:/@+-", "a.B_9:/@+-");
        written("", r#""""#);
        written("~", r#""~""#);
        written("CN=a, O=\"b\\c\"", r#""CN=a, O=\"b\\c\"""#);
        written("x\ny\u{202e}\u{0}\u{7f}é", r#""x\u{a}y\u{202e}\u{0}\u{7f}\u{e9}""#);
    }

    #[test]
    fn a_long_value_keeps_its_beginning_and_its_byte_count() {
        written(&"a".repeat(ROOM), &"a".repeat(ROOM));
        written(&"a".repeat(ROOM + 1), "\"aaaaaaaaaaaaaaaaaa\"~41");
        written(&"é".repeat(ROOM), r#""\u{e9}\u{e9}\u{e9}"~80"#);
        assert_eq!(Shown::quoted(&"é".repeat(ROOM), ROOM).total(), Some(80));
    }

    #[test]
    fn a_second_spelling_of_a_value_is_not_read() {
        const QUOTED: &str = r#""|"a b|"a"|"\u{61} "|"\u{0a}"|"\u{A}"|"\u{+a}"|"\u{d800}"|"\u{a"|"\n"|" \"|"a "b""#;
        const ELIDED: &str = r#""a b"c|"a b"~|"a b"~03|"a b"~+9|"a b"~3|"a b"~9~9|"a b"~99999999999999999999"#;
        let others = QUOTED.split('|').chain(ELIDED.split('|'));
        for other in others.chain(["", "a b", "é", "a\"", "\"a\nb\""]) {
            assert_eq!(Shown::from_quoted(other, ROOM), None, "{other}");
        }
        assert_eq!(Shown::from_quoted(&"a".repeat(ROOM + 1), ROOM), None);
        assert_eq!(Shown::from_quoted(&format!("\"{}\"~99", "a".repeat(ROOM)), ROOM), None);
    }

    #[test]
    fn an_excerpt_has_at_most_64_characters_and_whole_escapes() {
        assert_eq!(excerpt(&"a".repeat(64)), "a".repeat(64));
        assert_eq!(excerpt(&"a".repeat(65)), format!("{}...", "a".repeat(61)));
        assert_eq!(excerpt(&"\u{202e}".repeat(20)), format!("{}...", "\\u{202e}".repeat(7)));
    }
}
