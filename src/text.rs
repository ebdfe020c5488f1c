//! (private) Which characters cannot be shown as they are, how they are shown instead, which texts are shown to nobody, and which
//! are nearly alike.

use core::fmt::{self, Write as _};

/// Characters that a person does not see, or that change what a person sees: control, bidirectional and invisible ones
/// (Unicode categories Cc, Zl, Zp and the default-ignorable ones of Cf, Lo and Mn), and the blanks other than the space.
pub(crate) fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// True if one of them is hidden.
pub(crate) fn has_hidden(text: &str) -> bool {
    if text.is_ascii() { has_control(text) } else { text.chars().any(is_hidden) }
}

/// True if one of them is a control character (Unicode category Cc).
pub(crate) fn has_control(text: &str) -> bool {
    // Of those in ASCII each is one octet, and no part of another character looks like one. To look at all of them is quicker than
    // to stop at the first, which hardly any text has.
    text.bytes().fold(false, |found, octet| found | octet.is_ascii_control())
        || (!text.is_ascii() && text.contains(char::is_control))
}

/// True if a private key begins or ends somewhere in this text, as PEM of any kind.
pub(crate) fn has_private_key(text: &[u8]) -> bool {
    const MARK: &[u8] = b"PRIVATE KEY-----";
    text.windows(MARK.len()).any(|window| window == MARK)
}

/// What a message repeats of a text that others wrote: nothing of one with a private key.
pub(crate) fn repeated(text: &str) -> &str {
    if has_private_key(text.as_bytes()) { "a text with a private key" } else { text }
}

/// What all texts have in common that are the same but for the case of letters, the number of blanks and what nobody sees (X.520,
/// section 7.6; RFC 4518, without normalization: what is written with other characters is another text), and for UTF-8 that somebody
/// read as Latin-1. Not a form to show.
pub(crate) fn alike(text: &str) -> String {
    let octets: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    let utf8 = octets.and_then(|octets| String::from_utf8(octets).ok());
    let text = utf8.as_deref().unwrap_or(text);
    let text: String = text.chars().filter(|c| c.is_whitespace() || !is_hidden(*c)).collect();
    let blanks = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // There and back: of `ſ`, `ς`, `ß` and their like there are several small ones, or none, to a capital.
    blanks.to_lowercase().to_uppercase().to_lowercase()
}

/// Shows text on one line, every hidden character as `\u{…}`. For people; not a form to read back.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| if is_hidden(c) { write!(f, "{}", c.escape_unicode()) } else { f.write_char(c) })
    }
}

/// Shows an error and everything behind it on one line, `outer: inner: innermost`.
pub(crate) struct WithCauses<'a>(pub(crate) &'a (dyn core::error::Error + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let causes = core::iter::successors(self.0.source(), |error| error.source()).take(16);
        causes.map(ToString::to_string).try_for_each(|cause| {
            // Some print their cause themselves.
            if !said.ends_with(&cause) {
                write!(f, ": {cause}")?;
            }
            said = cause;
            Ok(())
        })
    }
}

/// True if at most so many insertions, deletions or replacements of a member turn one into the other.
///
/// Goes as deep as there may be edits, however long the texts are.
pub(crate) fn within_edits<T: PartialEq>(one: &[T], other: &[T], edits: usize) -> bool {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    match (one.split_at(same).1, other.split_at(same).1) {
        ([], rest) | (rest, []) => rest.len() <= edits,
        (one @ [_, one_rest @ ..], other @ [_, other_rest @ ..]) => {
            edits > 0
                && (within_edits(one_rest, other_rest, edits - 1)
                    || within_edits(one, other_rest, edits - 1)
                    || within_edits(one_rest, other, edits - 1))
        }
    }
}
