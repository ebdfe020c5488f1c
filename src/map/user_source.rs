//! Where the name of a rule's user comes from: written in the rule, or taken from the certificate.
//!
//! INVARIANT: what a CA can make names of stays inside a reservation, or is one of listed users.

use core::num::NonZeroU16;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::field::{fold_email, fold_host, lower};
use super::names::Names;
use super::{Field, InvalidUserSource};
use crate::strength::Strength;
use crate::text::is_hidden;
use crate::user::{InvalidUserName, UserName};

/// Where the name of a rule's user comes from: a constant, or a template that takes values from the certificate.
///
/// A template is for fleets where nobody lists every user. Its users carry a text of their own at the beginning or the
/// end, which reserves all names of that form for the rule ([`reserved`](Self::reserved)); or they are listed
/// ([`among`](Self::among)). So the CA of the devices can never make the user `billing`.
///
/// What is taken becomes a user name as it is or the certificate is refused (`user-name`): with what a
/// [`UserName`] cannot have, with a character that separates the pieces (`/` in `"iot/" + dns`), or with one that is a
/// pattern in access lists (`*`, `?`, `#`, `+`, `%`, `$`). Listed users may have those. DNS names and the domains of mail
/// addresses (`emailAddress` of the subject too) become small letters before anything is stripped: a host in capitals is the same user,
/// disabled or not (RFC 4343; RFC 5321, section 2.4). Other values keep their case unless [`in_lower_case`](Part::in_lower_case) is said.
///
/// Text form: pieces joined with `+`, a text in quotes or a field and what is done to its value; then, perhaps, the list.
/// One text alone is a constant.
///
/// ```text
/// source = piece *( "+" piece ) [ "among" "(" text *( "," text ) ")" ]
/// piece  = text | field [ "nth" "(" number ")" ] [ "in-multi-valued-rdns" ]
///                       [ "without-prefix" text ] [ "without-suffix" text ] [ "in-lower-case" ]
/// ```
///
/// ```
/// use certmap::UserSource;
/// for text in [
///     r#""billing""#,
///     r#""iot/" + dns without-suffix ".devices.example""#,
///     r#"attribute CN in-lower-case + "@partner-ca""#,
///     r#"attribute CN among ("alice", "bob")"#,
/// ] {
///     assert_eq!(text.parse::<UserSource>()?.to_string(), text);
/// }
/// let error = "attribute CN".parse::<UserSource>().unwrap_err();
/// assert_eq!(error.to_string(), "users from a certificate need a text of their own before or behind the value, or `among` and a list");
/// # Ok::<(), certmap::map::InvalidUserSource>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserSource(pub(super) Source);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Source {
    Constant(UserName),
    Template(Arc<Template>),
}

/// INVARIANT: at least one part, text between two parts; closed, or with text at the beginning or the end.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
    /// Empty if the users are not listed.
    pub(super) among: BTreeSet<UserName>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Piece {
    /// A value of the certificate.
    Part(Part),
    /// Text as it is.
    Text(String),
}

/// A value of the certificate that becomes part of a user name. There must be exactly one, or it is said which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub(super) field: Field,
    pub(super) nth: Option<NonZeroU16>,
    pub(super) multi_valued: bool,
    pub(super) prefix: String,
    pub(super) suffix: String,
    pub(super) lower_case: bool,
}

impl Part {
    /// The value of this field.
    ///
    /// # Errors
    /// [`InvalidUserSource::NoText`] if the values of the field are no text.
    pub fn of(field: Field) -> Result<Self, InvalidUserSource> {
        let field = field.canonical();
        if !field.is_text() {
            return Err(InvalidUserSource::NoText { field });
        }
        let (prefix, suffix) = (String::new(), String::new());
        Ok(Self { field, nth: None, multi_valued: false, prefix, suffix, lower_case: false })
    }

    /// Of several values the one at this place, counted from 1.
    #[must_use]
    pub fn nth(self, nth: NonZeroU16) -> Self {
        Self { nth: Some(nth), ..self }
    }

    pub(super) fn is_attribute(&self) -> bool {
        matches!(self.field, Field::Attribute(_))
    }

    /// Takes an attribute also if it shares its RDN with others. Other fields do not stand in RDNs; to them it does nothing.
    #[must_use]
    pub fn in_multi_valued_rdns(self) -> Self {
        Self { multi_valued: self.is_attribute(), ..self }
    }

    /// The value begins with this, which is left out; without it, the rule does not match.
    #[must_use]
    pub fn without_prefix(self, prefix: &str) -> Self {
        let prefix = self.small(prefix).into_owned();
        Self { prefix, ..self }
    }

    /// The value ends with this, which is left out; without it, the rule does not match.
    #[must_use]
    pub fn without_suffix(self, suffix: &str) -> Self {
        // The end of an address is its domain's.
        let is_host = self.field.is_mail() && !suffix.contains('@');
        let suffix = if is_host { lower(suffix) } else { self.small(suffix) }.into_owned();
        Self { suffix, ..self }
    }

    /// Turns ASCII capital letters into small ones after stripping; other letters keep their case. To DNS names and mail addresses it
    /// does nothing: of those hosts and domains are in small letters anyway, before stripping, and what stands before the `@` never is.
    #[must_use]
    pub fn in_lower_case(self) -> Self {
        Self { lower_case: self.field != Field::Dns && !self.field.is_mail(), ..self }
    }

    /// The text with its host in small letters.
    fn small<'a>(&self, text: &'a str) -> Cow<'a, str> {
        fold_host(&self.field, text).unwrap_or(Cow::Borrowed(text))
    }

    /// True if no value of the field fits both.
    fn excludes(&self, other: &Self) -> bool {
        let kept = |part: &Self| Reservation { prefix: part.prefix.clone(), suffix: part.suffix.clone() };
        self.field == other.field && self.nth == other.nth && !kept(self).meets(&kept(other))
    }

    fn take(&self, names: &Names) -> Option<String> {
        let text = self.small(names.part(self)?);
        let text = text.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())?;
        if text.is_empty() {
            return None;
        }
        Some(self.folded(text))
    }

    /// What is left of a value after stripping, in small letters where there is no case.
    fn folded(&self, text: &str) -> String {
        if !self.keeps_case() {
            text.to_ascii_lowercase()
        } else if self.field.is_mail() {
            fold_email(text).into_owned()
        } else {
            text.to_owned()
        }
    }

    /// True if one value in two cases gives two users.
    fn keeps_case(&self) -> bool {
        // Of an address, which has one `@`, the domain is left if that went with the prefix.
        let is_host = self.field == Field::Dns || self.field.is_mail() && self.prefix.contains('@');
        !self.lower_case && !is_host
    }
}

impl From<UserName> for UserSource {
    fn from(user: UserName) -> Self {
        Self(Source::Constant(user))
    }
}

impl UserSource {
    /// Users that are made of these pieces and share the first text, the last text, or both. No other rule may name a user
    /// of that form.
    ///
    /// # Errors
    /// [`InvalidUserSource`].
    pub fn reserved(pieces: impl IntoIterator<Item = Piece>) -> Result<Self, InvalidUserSource> {
        Self::template(pieces.into_iter().collect(), BTreeSet::new())
    }

    /// Users that are made of these pieces, if they are among the listed ones. A certificate that gives another name is
    /// not matched.
    ///
    /// # Errors
    /// [`InvalidUserSource`], also if nobody is listed.
    pub fn among(
        pieces: impl IntoIterator<Item = Piece>,
        users: impl IntoIterator<Item = UserName>,
    ) -> Result<Self, InvalidUserSource> {
        let users: BTreeSet<_> = users.into_iter().collect();
        if users.is_empty() {
            return Err(InvalidUserSource::NobodyListed);
        }
        Self::template(pieces.into_iter().collect(), users)
    }

    pub(super) fn template(pieces: Vec<Piece>, among: BTreeSet<UserName>) -> Result<Self, InvalidUserSource> {
        let mut after_part = false;
        let mut parts = 0usize;
        for piece in &pieces {
            match piece {
                Piece::Part(_) if after_part => return Err(InvalidUserSource::AdjacentParts),
                Piece::Part(part) => {
                    plain(&part.prefix)?;
                    plain(&part.suffix)?;
                    parts += 1;
                    after_part = true;
                }
                Piece::Text(text) if text.is_empty() => return Err(InvalidUserSource::EmptyText),
                Piece::Text(text) => {
                    plain(text)?;
                    // Between two parts there must be something that neither can contain.
                    after_part &= !text.chars().any(separates);
                }
            }
        }
        let ends = [pieces.first(), pieces.last()];
        let reserved = ends.iter().any(|piece| matches!(piece, Some(Piece::Text(_))));
        if parts == 0 {
            Err(InvalidUserSource::NoPart)
        } else if !reserved && among.is_empty() {
            Err(InvalidUserSource::NotReserved)
        } else {
            let template = Template { pieces, among };
            match template.among.iter().find(|user| !template.has_form_of(user.as_str())) {
                Some(user) => Err(InvalidUserSource::NeverGiven { user: user.clone() }),
                None => Ok(Self(Source::Template(Arc::new(template)))),
            }
        }
    }

    /// The user, if it is a constant.
    #[must_use]
    pub fn constant(&self) -> Option<&UserName> {
        match &self.0 {
            Source::Constant(user) => Some(user),
            Source::Template(_) => None,
        }
    }

    /// The most that a user of this source can be known by: a name that a CA wrote is no more than a name.
    #[must_use]
    pub fn strength(&self) -> Strength {
        match &self.0 {
            Source::Constant(_) => Strength::Certificate,
            Source::Template(_) => Strength::Name,
        }
    }

    /// What all its users begin and end with, if that is what keeps them apart.
    pub(super) fn reservation(&self) -> Option<Reservation> {
        let Source::Template(template) = &self.0 else { return None };
        let text = |piece: Option<&Piece>| match piece {
            Some(Piece::Text(text)) => text.clone(),
            Some(Piece::Part(_)) | None => String::new(),
        };
        let reservation = Reservation { prefix: text(template.pieces.first()), suffix: text(template.pieces.last()) };
        template.among.is_empty().then_some(reservation)
    }

    /// True if it could give this user.
    pub(crate) fn may_name(&self, user: &UserName) -> bool {
        let Source::Template(template) = &self.0 else { return self.constant() == Some(user) };
        let reserved =
            || self.reservation().is_some_and(|reserved| reserved.holds(user)) && template.gives(user.as_str());
        template.among.contains(user) || reserved()
    }

    /// True if it could give this user, and others that differ from it by case only.
    pub(crate) fn may_name_by_case(&self, user: &UserName) -> bool {
        let Source::Template(template) = &self.0 else { return false };
        let beyond_ascii = user.as_str().chars().any(|c| !c.is_ascii() && (c.is_lowercase() || c.is_uppercase()));
        let keeps_case = |part: &Part| part.keeps_case() || part.lower_case && beyond_ascii;
        template.among.is_empty() && template.parts().any(keeps_case) && self.may_name(user)
    }

    /// The user of this template that differs from this one only in letters that the template makes small, if there is one.
    pub(crate) fn folded(&self, user: &UserName) -> Option<UserName> {
        let Source::Template(template) = &self.0 else { return None };
        let (part, value) = template.value_of(user.as_str())?;
        let folded = part.folded(value?);
        let text = template.pieces.iter().map(|piece| match piece {
            Piece::Part(_) => folded.as_str(),
            Piece::Text(text) => text,
        });
        text.collect::<String>().parse().ok().filter(|folded| self.may_name(folded))
    }

    /// True if no certificate gives a user by both: they strip different texts from one value, or list different users of
    /// one template.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let (Source::Template(one), Source::Template(other)) = (&self.0, &other.0) else { return false };
        let listed = !one.among.is_empty() && !other.among.is_empty();
        (listed && one.pieces == other.pieces && one.among.is_disjoint(&other.among))
            || one.parts().any(|part| other.parts().any(|other| part.excludes(other)))
    }

    /// Every user that is written down in it.
    pub(crate) fn named(&self) -> impl Iterator<Item = &UserName> {
        let (constant, among) = match &self.0 {
            Source::Constant(user) => (Some(user), None),
            Source::Template(template) => (None, Some(&template.among)),
        };
        constant.into_iter().chain(among.into_iter().flatten())
    }

    /// What of a certificate it takes.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        let template = match &self.0 {
            Source::Constant(_) => None,
            Source::Template(template) => Some(template),
        };
        template.into_iter().flat_map(|template| template.parts()).map(|part| &part.field)
    }

    /// The user for this certificate; `None` if it has not what is asked for, or gives a user that is not listed.
    pub(super) fn take(&self, names: &Names) -> Option<Result<UserName, NoUserName>> {
        match &self.0 {
            Source::Constant(user) => Some(Ok(user.clone())),
            Source::Template(template) => template.take(names),
        }
    }

    /// For messages: the user, or the text form of the template.
    pub(crate) fn describe(&self) -> String {
        self.constant().map_or_else(|| self.to_string(), ToString::to_string)
    }
}

impl Template {
    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) => None,
        })
    }

    fn take(&self, names: &Names) -> Option<Result<UserName, NoUserName>> {
        let mut taken = String::new();
        let (mut separator, mut pattern, mut place) = (None, None, false);
        for piece in &self.pieces {
            match piece {
                Piece::Part(part) => {
                    let text = part.take(names)?;
                    separator = separator.or_else(|| text.chars().find(|c| self.separates(*c)));
                    pattern = pattern.or_else(|| text.chars().find(|c| PATTERNS.contains(c)));
                    place |= matches!(text.as_str(), "." | "..");
                    taken.push_str(&text);
                }
                Piece::Text(text) => taken.push_str(text),
            }
        }
        if !self.among.is_empty() {
            let listed = self.among.get(taken.as_str()).cloned()?;
            // Of one part the list says it all; of several another division could give the same user.
            let several = self.parts().nth(1).is_some();
            return Some(match separator.filter(|_| several) {
                Some(character) => Err(NoUserName::Separator { character, taken }),
                None => Ok(listed),
            });
        }
        if let Some(character) = separator {
            return Some(Err(NoUserName::Separator { character, taken }));
        }
        if let Some(character) = pattern {
            return Some(Err(NoUserName::Pattern { character, taken }));
        }
        if place {
            return Some(Err(NoUserName::Place { taken }));
        }
        Some(taken.parse().map_err(|cause| NoUserName::Invalid { cause, taken }))
    }

    /// The part, if there is one alone, and what it would have to give for this user: nothing does if the texts around it are others.
    fn value_of<'a>(&self, user: &'a str) -> Option<(&Part, Option<&'a str>)> {
        let mut parts = self.parts();
        let part = parts.next().filter(|_| parts.next().is_none())?;
        let text = |piece: &Piece| match piece {
            Piece::Part(_) => None,
            Piece::Text(text) => Some(text.clone()),
        };
        let before: String = self.pieces.iter().map_while(text).collect();
        let mut after: Vec<_> = self.pieces.iter().rev().map_while(text).collect();
        after.reverse();
        let value = user.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.concat().as_str()));
        Some((part, value.filter(|value| !value.is_empty())))
    }

    /// True unless the pieces never make this name, whatever stands in a certificate.
    fn has_form_of(&self, user: &str) -> bool {
        match self.value_of(user) {
            Some((part, value)) => value.is_some_and(|value| part.folded(value) == value),
            None => true,
        }
    }

    /// As [`has_form_of`](Self::has_form_of), for a name that is not listed.
    fn gives(&self, user: &str) -> bool {
        let value = self.value_of(user).and_then(|(_, value)| value);
        let odd = |value: &str| {
            matches!(value, "." | "..") || value.chars().any(|c| self.separates(c) || PATTERNS.contains(&c))
        };
        self.has_form_of(user) && !value.is_some_and(odd)
    }

    /// A value with such a character could look like the pieces around it: `iot/../../x`, `a@b@corp`.
    fn separates(&self, c: char) -> bool {
        let text = |piece: &Piece| match piece {
            Piece::Part(_) => false,
            Piece::Text(text) => text.contains(c),
        };
        separates(c) && self.pieces.iter().any(text)
    }
}

/// What means several users, topics or accounts in the access lists of others.
const PATTERNS: [char; 6] = ['#', '$', '%', '*', '+', '?'];

/// Anything but letters, digits and what stands within names.
fn separates(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.')
}

fn plain(text: &str) -> Result<(), InvalidUserSource> {
    match text.chars().find(|c| is_hidden(*c)) {
        Some(character) => Err(InvalidUserSource::Character { character }),
        None => Ok(()),
    }
}

/// All texts that begin and end so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) prefix: String,
    pub(super) suffix: String,
}

impl Reservation {
    pub(super) fn holds(&self, user: &UserName) -> bool {
        let user = user.as_str();
        user.starts_with(&self.prefix) && user.ends_with(&self.suffix)
    }

    /// True if some text could lie in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let prefixes = self.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&self.prefix);
        let suffixes = self.suffix.ends_with(&other.suffix) || other.suffix.ends_with(&self.suffix);
        prefixes && suffixes
    }
}

/// What a template took from a certificate is no user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoUserName {
    #[error("{cause}")]
    Invalid { cause: InvalidUserName, taken: String },
    #[error("the value has the character {character:?}, which is a pattern in access lists")]
    Pattern { character: char, taken: String },
    #[error("the value is `.` or `..`, which is a place wherever names are paths")]
    Place { taken: String },
    #[error("the value has the character {character:?}, which separates the pieces of the name")]
    Separator { character: char, taken: String },
}

impl NoUserName {
    pub(crate) fn taken(&self) -> &str {
        match self {
            Self::Invalid { cause: _, taken }
            | Self::Pattern { character: _, taken }
            | Self::Place { taken }
            | Self::Separator { character: _, taken } => taken,
        }
    }
}
