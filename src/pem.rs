//! (private) Reading what people call a PEM file: PEM, DER, or bare base64.
//!
//! Tolerates what editors, mail programs and configuration tools do to such a file (byte order mark, CRLF, indentation,
//! text around the sections, sections glued together or on one line, blank lines, literal `\n`, missing padding) and
//! nothing that could lose a section: what begins must end. Errors name a line and an ordinal, never content, because
//! the content may be a key. RFC 7468.

use zeroize::{Zeroize as _, Zeroizing};

use crate::limits::PEM_BYTES;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Longer than every label in use (`BEGIN ENCRYPTED PRIVATE KEY`).
const LABEL_BYTES: usize = 64;

/// One section: its label (`DER` for a file that was DER) and what it holds.
pub(crate) struct Section {
    pub(crate) label: String,
    pub(crate) der: Zeroizing<Vec<u8>>,
    /// Counted from 1.
    pub(crate) ordinal: usize,
    /// True if the section has RFC 1421 headers. A private key with them is encrypted in OpenSSL's old way, and not read: its
    /// bytes are not here.
    pub(crate) has_headers: bool,
}

/// A file that is neither PEM nor DER nor base64.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPem {
    /// A section is not base64.
    #[error("section {ordinal} (`{label}`, line {line}) is not valid base64")]
    Base64 {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
        /// The line on which it begins, counted from 1.
        line: usize,
    },
    /// A section ends with another label than it began with.
    #[error("section {ordinal} (`{label}`, line {line}) ends with another label")]
    EndMismatch {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
        /// The line on which it begins, counted from 1.
        line: usize,
    },
    /// A section's first line is no `-----BEGIN …-----`.
    #[error("the label of section {ordinal} (line {line}) is not made of capital letters and closed by `-----`")]
    Label {
        /// Which section, counted from 1.
        ordinal: usize,
        /// The line on which it begins, counted from 1.
        line: usize,
    },
    /// Something outside every section looks like a section whose first line is damaged.
    #[error("line {line} stands in no section, but looks like part of one: mend its `-----BEGIN …-----`, or remove it")]
    Lost {
        /// The line, counted from 1.
        line: usize,
    },
    /// A section does not end: the file was cut.
    #[error("section {ordinal} (`{label}`, line {line}) has no `-----END {label}-----`: the file is cut off")]
    NoEnd {
        /// Which section, counted from 1.
        ordinal: usize,
        /// Its label.
        label: String,
        /// The line on which it begins, counted from 1.
        line: usize,
    },
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// There is nothing to read.
    #[error("no PEM section, no DER and no base64 found")]
    Nothing,
    /// The file is larger than what is read of its kind: [`PEM_BYTES`], or
    /// [`REVOCATION_LIST_FILE_BYTES`](crate::limits::REVOCATION_LIST_FILE_BYTES) of revocation lists.
    #[error("{bytes} bytes are too many, at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The file is text in UTF-16, as some Windows tools write it.
    #[error("the file is UTF-16 text: save it as UTF-8 or ASCII")]
    Utf16,
}

/// Forgets what may be a private key.
#[cfg(feature = "serde")]
pub(crate) fn wipe(mut text: Vec<u8>) {
    text.zeroize();
}

/// All sections of a file of at most [`PEM_BYTES`], in order; never empty.
pub(crate) fn read(input: &[u8]) -> Result<Vec<Section>, InvalidPem> {
    read_at_most(PEM_BYTES, input)
}

/// As [`read`], of a file that may be as large as this.
pub(crate) fn read_at_most(limit: usize, input: &[u8]) -> Result<Vec<Section>, InvalidPem> {
    if input.len() > limit {
        return Err(InvalidPem::TooLarge { bytes: input.len(), limit });
    }
    // With a byte order mark, or without one before the first dash.
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'-', 0, ..] | [0, b'-', ..] = input {
        return Err(InvalidPem::Utf16);
    }
    if input.iter().all(u8::is_ascii_whitespace) {
        return Err(InvalidPem::Empty);
    }
    // A DER file begins with a SEQUENCE. `0` followed by a long length is no text, and base64 of DER begins with `M`; a
    // short length (some keys) is that of the file.
    let is_short = |length: &u8, content: &[u8]| *length < 0x80 && usize::from(*length) == content.len();
    if let [0x30, length, content @ ..] = input
        && (matches!(length, 0x80..=0x84) || is_short(length, content))
    {
        return Ok(vec![Section {
            label: "DER".to_owned(),
            der: Zeroizing::new(input.to_vec()),
            ordinal: 1,
            has_headers: false,
        }]);
    }
    let text = text_of(input);
    if text.contains(BEGIN) { sections(&text) } else { bare(&text) }
}

/// The file as text with real line ends. What is not ASCII stands around the sections, in whatever encoding, and becomes
/// one sign that base64 does not have. In one pass, so that no copy of a key is left behind.
fn text_of(input: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(input.len()));
    let mut rest = input;
    loop {
        rest = match rest {
            [] => return text,
            [b'\\', b'n' | b'r', after @ ..] => {
                text.push('\n');
                after
            }
            [byte, after @ ..] => {
                text.push(if byte.is_ascii() { char::from(*byte) } else { '?' });
                after
            }
        };
    }
}

fn sections(text: &str) -> Result<Vec<Section>, InvalidPem> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let ordinal = found.len() + 1;
        nothing_lost(before, line)?;
        line += lines(before);
        let (label, after) = label(after).ok_or(InvalidPem::Label { ordinal, line })?;
        let (body, after) = after
            .split_once(END)
            .filter(|(body, _)| !body.contains(BEGIN))
            .ok_or_else(|| InvalidPem::NoEnd { ordinal, label: label.to_owned(), line })?;
        rest = after
            .strip_prefix(label)
            .and_then(|after| after.strip_prefix(DASHES))
            .ok_or_else(|| InvalidPem::EndMismatch { ordinal, label: label.to_owned(), line })?;
        let has_headers = body.contains(':');
        let der = match (has_headers, label.ends_with("PRIVATE KEY")) {
            // Encrypted: nobody here opens it.
            (true, true) => Some(Zeroizing::default()),
            (true, false) => decode(after_headers(body)),
            (false, _) => decode(body),
        };
        let der = der.ok_or_else(|| InvalidPem::Base64 { ordinal, label: label.to_owned(), line })?;
        found.push(Section { label: label.to_owned(), der, ordinal, has_headers });
        line += lines(body);
    }
    nothing_lost(rest, line)?;
    Ok(found)
}

/// Text around the sections may say anything, but not look like a section whose `-----BEGIN …-----` was damaged: half a
/// marker, or a line of base64 (hexadecimal alone is a fingerprint or a dump).
fn nothing_lost(text: &str, line: usize) -> Result<(), InvalidPem> {
    const BODY_LINE: usize = 60;
    if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Ok(());
    }
    let is_marker = |text: &str| {
        text.contains('-') && {
            let text = text.to_ascii_lowercase();
            text.contains("-begin ") || text.contains("-end ")
        }
    };
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let is_body = |text: &str| {
        let mut words = text.split(|c| !is_base64(c));
        text.len() >= BODY_LINE
            && words.any(|word| word.len() >= BODY_LINE && !word.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    match text.lines().position(|text| is_marker(text) || is_body(text)) {
        Some(position) => Err(InvalidPem::Lost { line: line + position }),
        None => Ok(()),
    }
}

/// What follows the line of the last colon, which base64 does not have.
fn after_headers(body: &str) -> &str {
    let after = body.rsplit_once(':').map_or(body, |(_, after)| after);
    after.split_once('\n').map_or("", |(_, after)| after)
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The label that begins here, and what follows its dashes.
fn label(after: &str) -> Option<(&str, &str)> {
    let (label, after) = after.split_once(DASHES)?;
    // No lower case, so that no part of a key is ever taken for a label and told in an error.
    let fits = |byte: u8| byte == b' ' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let fits = label.len() <= LABEL_BYTES && label.bytes().all(fits);
    fits.then_some((label, after))
}

/// Base64 without armour, as a field of a document or a value of an environment variable has it.
fn bare(text: &str) -> Result<Vec<Section>, InvalidPem> {
    // A byte order mark, as it looks after `text_of`.
    let text = text.strip_prefix("???").unwrap_or(text);
    let der = decode(text).filter(|der| der.first() == Some(&0x30)).ok_or(InvalidPem::Nothing)?;
    Ok(vec![Section { label: "DER".to_owned(), der, ordinal: 1, has_headers: false }])
}

/// Base64 with any blanks in it, through the `pem` crate, which wants armour and padding.
fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut armoured = Zeroizing::new(String::with_capacity(base64.len() + 48));
    armoured.push_str("-----BEGIN X-----\n");
    let before = armoured.len();
    base64.split(char::is_whitespace).for_each(|word| armoured.push_str(word));
    let length = armoured.len() - before;
    if length == 0 || base64.contains('-') {
        return None;
    }
    for _ in 0..length.wrapping_neg() % 4 {
        armoured.push('=');
    }
    armoured.push_str("\n-----END X-----\n");
    pem::parse(armoured.as_bytes()).ok().map(|section| Zeroizing::new(section.into_contents()))
}

/// One section as text, 64 characters a line, ended by a line feed.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    let section = pem::Pem::new(label, der);
    let text = pem::encode_config(&section, config);
    // It may have been a key.
    section.into_contents().zeroize();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIBCgKCAQEA";

    #[track_caller]
    fn labels(text: &str) -> Vec<String> {
        read(text.as_bytes()).unwrap().into_iter().map(|section| section.label).collect()
    }

    #[track_caller]
    fn error(text: &str) -> String {
        read(text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn what_editors_and_tools_do_to_a_file_loses_nothing() {
        let one = format!("-----BEGIN A-----\n{BODY}\n-----END A-----");
        for text in [
            one.clone(),
            format!("\u{feff}{one}"),
            one.replace('\n', "\r\n"),
            one.replace('\n', "\n    "),
            one.replace('\n', "\n\n"),
            one.replace('\n', ""),
            one.replace('\n', "\\n"),
            format!("Bag Attributes\n  localKeyID: 01\n{one}\nand more"),
        ] {
            assert_eq!(labels(&text), ["A"], "{text}");
        }
        assert_eq!(labels(&format!("{one}{}", one.replace('A', "B").replace(BODY, "MIIB"))), ["A", "B"]);
        assert_eq!(labels(BODY), ["DER"]);
        assert_eq!(labels("0\u{3}\u{2}\u{1}\u{1}"), ["DER"], "as short as some keys are");
        assert_eq!(labels("-----BEGIN A-----\nMIIBCg\n-----END A-----"), ["A"]);
    }

    #[test]
    fn what_could_lose_a_section_is_an_error_that_says_where() {
        assert_eq!(error(" \n"), "the file is empty");
        assert_eq!(error("hello"), "no PEM section, no DER and no base64 found");
        assert_eq!(
            error("x\n-----BEGIN A----\nAAAA"),
            "the label of section 1 (line 2) is not made of capital letters and closed by `-----`"
        );
        assert_eq!(
            error("-----BEGIN A-----\nAAAA\n"),
            "section 1 (`A`, line 1) has no `-----END A-----`: the file is cut off"
        );
        assert_eq!(
            error("-----BEGIN A-----\nAAAA\n-----BEGIN A-----\nAAAA\n-----END A-----"),
            "section 1 (`A`, line 1) has no `-----END A-----`: the file is cut off"
        );
        assert_eq!(
            error("-----BEGIN A-----\nAAAA\n-----END A-----\n-----BEGIN B-----\nAAAA\n-----END A-----"),
            "section 2 (`B`, line 4) ends with another label"
        );
        let whole = "-----BEGIN A-----\nAAAA\n-----END A-----\n";
        let lost = |text: &str| error(&format!("{whole}{text}{whole}"));
        let body = "MIIB+".repeat(14);
        for damaged in ["----BEGIN A-----\nAAAA\n-----END A-----", "-----begin A-----\n", "\u{2013}-END A-----", &body]
        {
            assert_eq!(
                lost(damaged),
                "line 4 stands in no section, but looks like part of one: mend its `-----BEGIN …-----`, or remove it",
                "{damaged}"
            );
        }
        assert_eq!(labels(&format!("{whole}sha256 {}, begin here - end there\n{whole}", "0a".repeat(32))), ["A", "A"]);
        assert_eq!(
            error("-----BEGIN aGVsbG8-----\n"),
            "the label of section 1 (line 1) is not made of capital letters and closed by `-----`"
        );
        assert_eq!(error("-----BEGIN A-----\nA!\n-----END A-----"), "section 1 (`A`, line 1) is not valid base64");
        assert_eq!(read(&[0xff, 0xfe, 0x2d]).err(), Some(InvalidPem::Utf16));
        let large = vec![b'A'; PEM_BYTES + 1];
        assert_eq!(read(&large).err().unwrap().to_string(), "8388609 bytes are too many, at most 8388608 are read");
        assert_eq!(read_at_most(PEM_BYTES + 1, &large).err(), Some(InvalidPem::Nothing));
    }
}
