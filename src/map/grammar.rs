//! (private) Reading the text form of selectors, tests and user sources: words, quoted texts, and where something else was
//! expected. The grammar stands at [`Selector`] and [`UserSource`]; printing is in `display`.

use core::num::NonZeroU16;
use core::str::FromStr;
use std::collections::BTreeSet;

use super::display::{IGNORING_CASE, MULTI_VALUED};
use super::{
    CaPath, Field, InvalidNameTest, InvalidSelector, InvalidUserSource, NameTest, Part, Piece, Quantifier, Selector,
    UserSource, ValueTest,
};
use crate::cert::{Fingerprint, InvalidFingerprint, ObjectIdentifier, SpkiFingerprint};
use crate::limits::{RULE_BYTES, SELECTOR_DEPTH};

/// Certificate and key that a name stands for, or why it stands for none.
pub(crate) type Named = Result<(Fingerprint, SpkiFingerprint), String>;

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::with_names(text, &no_names)
    }
}

impl Selector {
    /// As [`from_str`](FromStr::from_str), where `@` and a name may stand for a fingerprint: `@acme` for a certificate or
    /// the key of one, and `key @acme` for a selector by key.
    pub(crate) fn with_names(text: &str, named: &dyn Fn(&str) -> Named) -> Result<Self, InvalidSelector> {
        let mut input = Scanner { named, ..Scanner::new(text)? };
        let start = input;
        let selector = match input.next()? {
            Token::Word("under") => input.under()?,
            Token::Word("key") => {
                let expected = "`@` and the name of a certificate after `key`";
                let before = input;
                Self::key(before.named(input.word(expected)?, expected)?.1)
            }
            Token::Word(word) if word.starts_with('@') => Self::certificate(start.named(word, A_SELECTOR)?.0),
            Token::Word(word) if word.starts_with("spki-sha256:") => Self::key(start.fingerprint(word, A_SELECTOR)?),
            Token::Word(word) if word.starts_with("sha256:") => Self::certificate(start.fingerprint(word, A_SELECTOR)?),
            Token::Word(word) if (start.named)(word).is_ok() => {
                return Err(start.expected("`@` before the name of a certificate"));
            }
            Token::Word(word) if looks_like_a_fingerprint(word) => {
                return Err(start.expected("`sha256:` before the fingerprint of a certificate"));
            }
            _ => return Err(start.expected(A_SELECTOR)),
        };
        input.end("the end")?;
        Ok(selector)
    }
}

impl FromStr for NameTest {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut input = Scanner::new(text)?;
        let parsed = input.test(0)?;
        input.end("the end")?;
        Ok(parsed)
    }
}

impl FromStr for UserSource {
    type Err = InvalidUserSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut input = Scanner::new(text)?;
        let mut pieces = vec![input.piece()?];
        while input.take(&Token::Plus)? {
            pieces.push(input.piece()?);
        }
        let mut among = BTreeSet::new();
        if input.take(&Token::Word("among"))? {
            input.open("a `(` after `among`")?;
            loop {
                let start = input;
                let Token::Text(user) = input.next()? else { return Err(start.expected("a user in quotes").into()) };
                let user = user.parse().map_err(|cause| InvalidUserSource::User { column: start.column(), cause })?;
                among.insert(user);
                if !input.more()? {
                    break;
                }
            }
            input.end("the end")?;
        } else {
            input.end(AFTER_A_PIECE)?;
        }
        match (<[Piece; 1]>::try_from(pieces), among.is_empty()) {
            (Ok([Piece::Text(user)]), true) => {
                let user: Result<crate::user::UserName, _> = user.parse();
                user.map(Self::from).map_err(|cause| InvalidUserSource::User { column: 1, cause })
            }
            (Ok(one), _) => Self::template(one.into(), among),
            (Err(pieces), _) => Self::template(pieces, among),
        }
    }
}

const A_SELECTOR: &str = "`@` and the name of a certificate, `sha256:` and its fingerprint, `spki-sha256:` and that of a key, or `under` and a CA";
const A_TEST: &str = "a test such as `dns \"api.example\"` or `attribute CN \"erp\"` (also `all`, `any`, `every-certificate`, and fields such as `email`, `uri`, `serial`)";
const A_PIECE: &str = "a text in double quotes or a field such as `dns` or `attribute CN`";
const AFTER_A_PIECE: &str = "`+`, `among`, the end or, behind a field, in this order: `nth`, `in-multi-valued-rdns` (attributes only), `without-prefix`, `without-suffix`, `in-lower-case`";

#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    Close,
    Comma,
    End,
    Open,
    Plus,
    Text(String),
    Word(&'a str),
}

/// Reads from left to right. INVARIANT: `rest` is an end of `text`.
#[derive(Clone, Copy)]
struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
    named: &'a dyn Fn(&str) -> Named,
}

/// Bare digits, as other tools print them.
fn looks_like_a_fingerprint(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_hexdigit).count();
    digits == 64 && word.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
}

fn no_names(_: &str) -> Named {
    Err("names are known in a policy document only, write the fingerprint".to_owned())
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Result<Self, InvalidSelector> {
        if text.len() > RULE_BYTES {
            return Err(InvalidSelector::TooLong { bytes: text.len() });
        }
        Ok(Self { text, rest: text, named: &no_names })
    }

    /// Of the next token, or one beyond the end; counted in characters from 1.
    fn column(&self) -> usize {
        let here = self.text.len() - self.rest.trim_start_matches(' ').len();
        self.text.get(..here).unwrap_or_default().chars().count() + 1
    }

    fn expected(&self, expected: &'static str) -> InvalidSelector {
        InvalidSelector::Expected { expected, column: self.column() }
    }

    fn test_error(&self, cause: InvalidNameTest) -> InvalidSelector {
        InvalidSelector::Test { column: self.column(), cause }
    }

    fn next(&mut self) -> Result<Token<'a>, InvalidSelector> {
        let start = *self;
        self.rest = self.rest.trim_start_matches(' ');
        let mut chars = self.rest.chars();
        let single = match chars.next() {
            None => return Ok(Token::End),
            Some('(') => Token::Open,
            Some(')') => Token::Close,
            Some(',') => Token::Comma,
            Some('+') => Token::Plus,
            Some('"') => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\')) => text.push(c),
                            _ => {
                                return Err(
                                    start.expected("a text in which a backslash stands before `\"` or `\\` only")
                                );
                            }
                        },
                        Some(c) => text.push(c),
                        None => return Err(start.expected("a text that ends in a quote")),
                    }
                }
                Token::Text(text)
            }
            Some(_) => {
                let end = self.rest.find([' ', '(', ')', ',', '+', '"']).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                return Ok(Token::Word(word));
            }
        };
        self.rest = chars.as_str();
        Ok(single)
    }

    /// Moves on if this is what comes next.
    fn take(&mut self, token: &Token<'_>) -> Result<bool, InvalidSelector> {
        let mut ahead = *self;
        if ahead.next()? != *token {
            return Ok(false);
        }
        *self = ahead;
        Ok(true)
    }

    fn open(&mut self, expected: &'static str) -> Result<(), InvalidSelector> {
        if self.take(&Token::Open)? { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// After a member of a list: whether there is another one.
    fn more(&mut self) -> Result<bool, InvalidSelector> {
        if self.take(&Token::Comma)? {
            Ok(true)
        } else if self.take(&Token::Close)? {
            Ok(false)
        } else {
            Err(self.expected("a `,` or a `)`"))
        }
    }

    fn end(&self, expected: &'static str) -> Result<(), InvalidSelector> {
        let mut ahead = *self;
        if ahead.next()? == Token::End { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn word(&mut self, expected: &'static str) -> Result<&'a str, InvalidSelector> {
        let start = *self;
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => Err(start.expected(expected)),
        }
    }

    /// The fingerprint that this word is; `self` stands before it.
    fn fingerprint<T: FromStr<Err = InvalidFingerprint>>(
        &self,
        word: &str,
        expected: &'static str,
    ) -> Result<T, InvalidSelector> {
        word.parse().map_err(|cause| InvalidSelector::Fingerprint { expected, column: self.column(), cause })
    }

    /// What this word, `@` and a name, stands for; `self` stands before it.
    fn named(&self, word: &str, expected: &'static str) -> Result<(Fingerprint, SpkiFingerprint), InvalidSelector> {
        let name = word.strip_prefix('@').ok_or_else(|| self.expected(expected))?;
        (self.named)(name).map_err(|reason| InvalidSelector::Alias {
            name: name.to_owned(),
            column: self.column(),
            reason,
        })
    }

    fn ca(&mut self, expected: &'static str) -> Result<Fingerprint, InvalidSelector> {
        let start = *self;
        let word = self.word(expected)?;
        if word.starts_with('@') {
            return Ok(start.named(word, expected)?.0);
        }
        if word.starts_with("sha256:") { start.fingerprint(word, expected) } else { Err(start.expected(expected)) }
    }

    /// What follows `under`.
    fn under(&mut self) -> Result<Selector, InvalidSelector> {
        let mut path = CaPath::to(self.ca("a CA (`@` and its name, or `sha256:` and 64 digits) after `under`")?);
        while self.take(&Token::Word("through"))? {
            path = path.through(self.ca("a CA (`@` and its name, or `sha256:` and 64 digits) after `through`")?);
        }
        if self.take(&Token::Word("issued-by"))? {
            let expected = "a key (`spki-sha256:` and 64 digits) after `issued-by`";
            let start = *self;
            let word = self.word(expected)?;
            let named = word.starts_with('@').then(|| start.named(word, expected)).transpose()?;
            path = path.issued_by(match named {
                Some((_, key)) => key,
                None => start.fingerprint(word, expected)?,
            });
        }
        Ok(Selector::under(path, self.test(0)?))
    }

    fn test(&mut self, depth: usize) -> Result<NameTest, InvalidSelector> {
        let start = *self;
        if depth > SELECTOR_DEPTH {
            return Err(start.test_error(InvalidNameTest::TooDeep));
        }
        let word = self.word(A_TEST)?;
        match word {
            "all" | "any" => {
                self.open("a `(` after `all` or `any`")?;
                let (mut tests, mut none) = (Vec::new(), Vec::new());
                loop {
                    if word == "all" && self.take(&Token::Word("not"))? {
                        none.push(self.test(depth + 1)?);
                    } else {
                        tests.push(self.test(depth + 1)?);
                    }
                    if !self.more()? {
                        break;
                    }
                }
                let test =
                    if word == "any" { NameTest::any(tests) } else { NameTest::conjunction(tests.into_iter(), none) };
                test.map_err(|cause| start.test_error(cause))
            }
            "every-certificate" => Ok(NameTest::every_certificate()),
            "not" => Err(start.expected("a test: `not` stands in an `all` only, beside what it narrows")),
            _ => {
                *self = start;
                let field = self.field(A_TEST)?;
                self.value_test(field, start).map(NameTest::from)
            }
        }
    }

    fn field(&mut self, expected: &'static str) -> Result<Field, InvalidSelector> {
        let start = *self;
        Ok(match self.word(expected)? {
            "attribute" => {
                let expected = "an attribute type (`CN`, `2.5.4.3`) after `attribute`";
                let before = *self;
                let kind = ObjectIdentifier::from_attribute_keyword(self.word(expected)?);
                Field::Attribute(kind.ok_or_else(|| before.expected(expected))?)
            }
            "directory" => Field::Directory,
            "dns" => Field::Dns,
            "email" => Field::Email,
            "extension" => Field::Extension(self.oid("an object identifier after `extension`")?),
            "ip" => Field::Ip,
            "other" => Field::Other(self.oid("an object identifier after `other`")?),
            "policy" => Field::CertificatePolicy,
            "serial" => Field::Serial,
            "subject" => Field::Subject,
            "upn" => Field::Upn,
            "uri" => Field::Uri,
            _ => return Err(start.expected(expected)),
        })
    }

    fn oid(&mut self, expected: &'static str) -> Result<ObjectIdentifier, InvalidSelector> {
        let start = *self;
        self.word(expected)?.parse().map_err(|_| start.expected(expected))
    }

    fn nth(&mut self) -> Result<NonZeroU16, InvalidSelector> {
        let expected = "a place in brackets, counted from 1, after `nth`";
        self.open(expected)?;
        let start = *self;
        let word = self.word(expected)?;
        // `parse` would read a sign and leading zeros.
        let number = word.parse().ok().filter(|number: &NonZeroU16| number.to_string() == word);
        let number = number.ok_or_else(|| start.expected(expected))?;
        if self.take(&Token::Close)? { Ok(number) } else { Err(self.expected("a `)`")) }
    }

    /// What follows a field; `start` stands before it.
    fn value_test(&mut self, field: Field, start: Self) -> Result<ValueTest, InvalidSelector> {
        let at = |cause| start.test_error(cause);
        let mut quantifier = Quantifier::ExactlyOne;
        for (word, meant) in
            [("any", Quantifier::Any), ("all", Quantifier::All), ("exactly-one", Quantifier::ExactlyOne)]
        {
            if self.take(&Token::Word(word))? {
                quantifier = meant;
                break;
            }
        }
        if quantifier == Quantifier::ExactlyOne && self.take(&Token::Word("nth"))? {
            quantifier = Quantifier::Nth(self.nth()?);
        }
        let multi_valued = self.take(&Token::Word(MULTI_VALUED))?;
        let ignoring_case = self.take(&Token::Word(IGNORING_CASE))?;
        let mut test = self.value(field, start)?.with_quantifier(quantifier);
        if multi_valued {
            test = test.in_multi_valued_rdns().map_err(at)?;
        }
        if ignoring_case { test.ignoring_case().map_err(at) } else { Ok(test) }
    }

    /// The value of a test, if there is one.
    fn value(&mut self, field: Field, start: Self) -> Result<ValueTest, InvalidSelector> {
        let at = |cause| start.test_error(cause);
        let before = *self;
        let token = self.next()?;
        if matches!(token, Token::Close | Token::Comma | Token::End) {
            *self = before;
            return ValueTest::present(field).map_err(at);
        }
        let expected = |expected| before.expected(expected);
        match (field, token) {
            (Field::Attribute(kind), Token::Text(text)) => ValueTest::attribute(kind, &text).map_err(at),
            (Field::CertificatePolicy, Token::Word(word)) if !is_quantifier(word) => {
                let policy = word.parse().map_err(|_| expected("an object identifier after `policy`"))?;
                Ok(ValueTest::certificate_policy(policy))
            }
            (field @ (Field::Directory | Field::Subject), Token::Text(text)) => {
                let column = before.column();
                let name = text.parse().map_err(|cause| InvalidSelector::Name { column, cause })?;
                if field == Field::Subject { ValueTest::subject(name) } else { ValueTest::directory(name) }.map_err(at)
            }
            (Field::Dns, Token::Text(text)) => ValueTest::dns(&text).map_err(at),
            (Field::Email, Token::Text(text)) => ValueTest::email(&text).map_err(at),
            (Field::Extension(kind), Token::Text(text)) => ValueTest::extension(kind, &text).map_err(at),
            (field @ (Field::Extension(_) | Field::Other(_)), Token::Word(word)) if !is_quantifier(word) => {
                let der = bytes(word).ok_or_else(|| expected("a text in quotes, or `#` and the hexadecimal of DER"))?;
                ValueTest::der(field, &der).map_err(at)
            }
            (Field::Ip, Token::Word(word)) if !is_quantifier(word) => {
                let address = word.parse().map_err(|_| expected("an IP address after `ip`"))?;
                Ok(ValueTest::ip(address))
            }
            (Field::Other(kind), Token::Text(text)) => ValueTest::other(kind, &text).map_err(at),
            (Field::Serial, Token::Word(word)) if !is_quantifier(word) => {
                let serial = word.parse().map_err(|_| expected("a serial number in hexadecimal after `serial`"))?;
                Ok(ValueTest::serial(serial))
            }
            (Field::Upn, Token::Text(text)) => ValueTest::upn(&text).map_err(at),
            (Field::Uri, Token::Text(text)) => ValueTest::uri(&text).map_err(at),
            (_, Token::Word(word)) if is_quantifier(word) => Err(expected(
                "a value, or the end of the test: which of several values is meant comes first, then `in-multi-valued-rdns`, then `ignoring-case`",
            )),
            (Field::CertificatePolicy | Field::Ip | Field::Serial, _) => {
                Err(expected("a value without quotes, or the end of the test"))
            }
            _ => Err(expected("a value in double quotes, or the end of the test")),
        }
    }

    fn piece(&mut self) -> Result<Piece, InvalidUserSource> {
        let start = *self;
        if let Token::Text(text) = self.next()? {
            return Ok(Piece::Text(text));
        }
        *self = start;
        let field = self.field(A_PIECE)?;
        let mut part = Part::of(field)?;
        if self.take(&Token::Word("nth"))? {
            part = part.nth(self.nth()?);
        }
        let before = *self;
        if self.take(&Token::Word(MULTI_VALUED))? {
            if !part.is_attribute() {
                return Err(before.expected(AFTER_A_PIECE).into());
            }
            part = part.in_multi_valued_rdns();
        }
        if self.take(&Token::Word("without-prefix"))? {
            part = part.without_prefix(&self.stripped()?);
        }
        if self.take(&Token::Word("without-suffix"))? {
            part = part.without_suffix(&self.stripped()?);
        }
        if self.take(&Token::Word("in-lower-case"))? {
            part = part.in_lower_case();
        }
        Ok(Piece::Part(part))
    }

    fn stripped(&mut self) -> Result<String, InvalidSelector> {
        let start = *self;
        match self.next()? {
            Token::Text(text) if !text.is_empty() => Ok(text),
            _ => Err(start.expected("a text in quotes that is left out")),
        }
    }
}

/// True for what says how values are compared, at a place where it is too late.
fn is_quantifier(word: &str) -> bool {
    matches!(word, "any" | "all" | "exactly-one" | "nth" | MULTI_VALUED | IGNORING_CASE)
}

/// The bytes of `#` and hexadecimal pairs.
fn bytes(word: &str) -> Option<Vec<u8>> {
    let (pairs, odd) = word.strip_prefix('#')?.as_bytes().as_chunks::<2>();
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let octet = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    if odd.is_empty() { pairs.iter().map(octet).collect() } else { None }
}
