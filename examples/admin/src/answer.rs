//! What a command says: a text for people and the same for programs, or why there is none.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use certmap::document::{DocumentProblem, EditError};
use serde::Serialize;
use serde_json::{Value, json};

/// What came of a command.
pub(crate) struct Answer {
    text: String,
    json: Value,
    /// What people should know besides, one line each; in JSON they stand in it.
    notes: Vec<String>,
    /// True if somebody should look at it.
    noteworthy: bool,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, notes: Vec::new(), noteworthy: false }
    }

    /// With exit code 1 if there is something to look at.
    pub(crate) fn noteworthy(self, noteworthy: bool) -> Self {
        Self { noteworthy, ..self }
    }

    pub(crate) fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// Rows, each an object; the table shows these keys of it under these heads.
    pub(crate) fn table(columns: &[(&str, &str)], rows: Vec<Value>) -> Self {
        let head: Vec<_> = columns.iter().map(|(_, head)| (*head).to_owned()).collect();
        let cells = |row: &Value| columns.iter().map(|(key, _)| cell(&row[*key])).collect::<Vec<_>>();
        let body: Vec<_> = rows.iter().map(cells).collect();
        let text = if body.is_empty() { "none".to_owned() } else { lay_out(&head, &body) };
        Self::new(text, Value::Array(rows))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(u8::from(self.noteworthy))
    }
}

/// The form for programs, as the library defines it.
pub(crate) fn form(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("the forms have texts for keys, and no number that JSON has not")
}

/// JSON in printable ASCII: peers chose some of it, and somebody looks at it on a terminal.
pub(crate) fn ascii(json: &Value) -> String {
    let mut written = String::new();
    for c in json.to_string().chars() {
        match c {
            ' '..='~' => written.push(c),
            // Outside of texts JSON is ASCII, so these stand in texts.
            _ => written.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    written
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => one_line(text),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Hidden characters as `\u{…}`: peers chose some of what is shown.
pub(crate) fn one_line(text: &str) -> String {
    let shown = |c: char| match c {
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    };
    text.chars().map(shown).collect()
}

fn lay_out(head: &[String], body: &[Vec<String>]) -> String {
    let lines = || std::iter::once(head).chain(body.iter().map(Vec::as_slice));
    let width = |column: usize| lines().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    code: String,
    message: String,
    problems: Vec<Trouble>,
    /// What to type, one line each: the library knows no options.
    help: Vec<String>,
}

/// One problem of a policy, and where it is.
#[derive(Debug)]
pub(crate) struct Trouble {
    text: String,
    json: Value,
}

impl Trouble {
    /// One that no document knows, in the form of those that it does.
    pub(crate) fn new(code: &str, file: Option<&str>, place: &str, message: &str) -> Self {
        let text = format!("{place}: {message} [{code}]");
        let place = json!({ "file": file, "list": null, "item": null, "key": null, "text": place });
        Self { text, json: json!({ "code": code, "place": place, "others": [], "message": message }) }
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&DocumentProblem> for Trouble {
    fn from(problem: &DocumentProblem) -> Self {
        Self { text: format!("{problem} [{}]", problem.code()), json: form(problem) }
    }
}

impl Failure {
    /// The answer is no.
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self { exit: 1, code: code.to_owned(), message: message.into(), problems: Vec::new(), help: Vec::new() }
    }

    /// What was asked for makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: 2, code: "usage".to_owned(), message: message.into(), problems: Vec::new(), help: Vec::new() }
    }

    /// A file, or what is in it, is out of reach.
    pub(crate) fn unreadable(code: &str, message: impl Into<String>) -> Self {
        Self { exit: 3, code: code.to_owned(), message: message.into(), problems: Vec::new(), help: Vec::new() }
    }

    /// The same, because of these.
    pub(crate) fn with(self, problems: Vec<Trouble>) -> Self {
        Self { problems, ..self }
    }

    pub(crate) fn with_help(self, help: Vec<String>) -> Self {
        Self { help, ..self }
    }

    pub(crate) fn json(&self) -> Value {
        let Self { exit: _, code, message, problems, help } = self;
        let problems: Vec<_> = problems.iter().map(Trouble::json).collect();
        json!({ "error": { "code": code, "message": message, "problems": problems, "help": help } })
    }

    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        self.help.iter().try_for_each(|help| write!(f, "\nhelp: {help}"))
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let code = error.code();
        match error {
            EditError::Problems { problems } => {
                let message = "refused, because the policy would have a new problem; nothing was changed";
                Self::refused(code, message).with(problems.iter().map(Trouble::from).collect())
            }
            other => Self::refused(code, other.to_string()),
        }
    }
}

/// An error and everything behind it, on one line.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_printable_ascii_and_says_the_same() {
        let said = json!({ "subject": "CN=a\n\u{202e}\u{7f}\u{85}é\u{10ffff}\"" });
        let written = ascii(&said);
        assert_eq!(written, r#"{"subject":"CN=a\n\u202e\u007f\u0085\u00e9\udbff\udfff\""}"#);
        assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), said);
    }

    #[test]
    fn tables_are_aligned_and_show_hidden_characters() {
        let rows = vec![json!({ "user": "a\u{202e}b", "roles": ["x", "y"] }), json!({ "user": "c" })];
        let answer = Answer::table(&[("user", "USER"), ("roles", "ROLES")], rows);
        assert_eq!(answer.text(), "USER        ROLES\na\\u{202e}b  x y\nc           -");
        assert_eq!(Answer::table(&[("user", "USER")], Vec::new()).text(), "none");
    }
}
