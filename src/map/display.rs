//! (private) Printing selectors, tests and user sources.
//!
//! INVARIANT: `grammar` reads what is printed here as an equal value, so different values print differently.

use core::fmt::{self, Write as _};

use super::index::Probe;
use super::name_test::Node;
use super::selector::Kind;
use super::user_source::Source;
use super::{CaPath, NameTest, Part, Piece, Quantifier, Selector, UserSource, ValueTest};

pub(super) const MULTI_VALUED: &str = "in-multi-valued-rdns";
pub(super) const IGNORING_CASE: &str = "ignoring-case";

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Certificate(fingerprint) => fingerprint.fmt(f),
            Kind::Key(fingerprint) => fingerprint.fmt(f),
            Kind::Under(under) => write!(f, "{} {}", under.path, under.test),
        }
    }
}

impl fmt::Display for CaPath {
    /// As it stands in a selector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "under {}", self.anchor)?;
        self.through.iter().try_for_each(|ca| write!(f, " through {ca}"))?;
        self.issuer_key.iter().try_for_each(|key| write!(f, " issued-by {key}"))
    }
}

impl fmt::Display for NameTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::All { tests, none } => {
                f.write_str("all(")?;
                write_list(f, tests)?;
                none.iter().try_for_each(|test| write!(f, ", not {test}"))?;
                f.write_char(')')
            }
            Node::Any { tests } => {
                f.write_str("any(")?;
                write_list(f, tests)?;
                f.write_char(')')
            }
            Node::Every => f.write_str("every-certificate"),
            Node::Value(test) => test.fmt(f),
        }
    }
}

impl fmt::Display for ValueTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field.fmt(f)?;
        match self.quantifier {
            Quantifier::All => f.write_str(" all")?,
            Quantifier::Any => f.write_str(" any")?,
            Quantifier::ExactlyOne => {}
            Quantifier::Nth(nth) => write!(f, " nth({nth})")?,
        }
        for (said, word) in [(self.multi_valued, MULTI_VALUED), (self.ignoring_case, IGNORING_CASE)] {
            if said {
                write!(f, " {word}")?;
            }
        }
        self.value.iter().try_for_each(|value| write!(f, " {value}"))
    }
}

impl fmt::Display for UserSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Constant(user) => Quoted(user.as_str()).fmt(f),
            Source::Template(template) => {
                let mut separator = "";
                for piece in &template.pieces {
                    write!(f, "{separator}{piece}")?;
                    separator = " + ";
                }
                if template.among.is_empty() {
                    return Ok(());
                }
                f.write_str(" among (")?;
                write_list(f, template.among.iter().map(|user| Quoted(user.as_str())))?;
                f.write_char(')')
            }
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => part.fmt(f),
            Self::Text(text) => Quoted(text).fmt(f),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.field.fmt(f)?;
        self.nth.iter().try_for_each(|nth| write!(f, " nth({nth})"))?;
        if self.multi_valued {
            write!(f, " {MULTI_VALUED}")?;
        }
        for (word, text) in [("without-prefix", &self.prefix), ("without-suffix", &self.suffix)] {
            if !text.is_empty() {
                write!(f, " {word} {}", Quoted(text))?;
            }
        }
        if self.lower_case { f.write_str(" in-lower-case") } else { Ok(()) }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, members: impl IntoIterator<Item = impl fmt::Display>) -> fmt::Result {
    let mut separator = "";
    members.into_iter().try_for_each(|member| {
        write!(f, "{separator}{member}")?;
        separator = ", ";
        Ok(())
    })
}

/// Text in quotes. What is hidden cannot be in it: such text is refused where values are made.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

pub(super) fn word_of_bytes(f: &mut fmt::Formatter<'_>, der: &[u8]) -> fmt::Result {
    f.write_char('#')?;
    crate::cert::write_hex(f, der)
}

impl fmt::Display for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("every-certificate"),
            Self::Folded(field, value) => write!(f, "{field} {IGNORING_CASE} {value}"),
            Self::Is(field, value) => write!(f, "{field} {value}"),
            Self::Present(field) => field.fmt(f),
        }
    }
}
