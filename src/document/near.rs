//! (private) What was probably meant by a word that nobody knows.

use core::cell::Cell;

use crate::limits::GUESSES;
use crate::text::within_edits;

/// Words that are compared letter by letter; longer ones are told without a guess.
const CHARACTERS: usize = 96;

/// The candidate that is nearest to `text`: alike but for the case, or but for a letter or two.
pub(super) fn near<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = text.chars().count();
    if length > CHARACTERS {
        return None;
    }
    // In a short word two letters make another word.
    let most = if length < 5 { 1 } else { 2 };
    let letters = |text: &str| text.to_ascii_lowercase().chars().collect::<Vec<_>>();
    let (wanted, marks) = (letters(text), marks(text));
    let distance = |candidate: &'a str| {
        // An edit takes away one letter at most, and brings another.
        let differ = usize::try_from((self::marks(candidate) ^ marks).count_ones()).unwrap_or(usize::MAX);
        if candidate == text || differ > 2 * most || candidate.chars().count().abs_diff(length) > most {
            return None;
        }
        let there = letters(candidate);
        let edits = (0..=most).find(|edits| within_edits(&wanted, &there, *edits))?;
        (edits < there.len()).then_some((edits, candidate))
    };
    candidates.filter_map(distance).min().map(|(_, candidate)| candidate)
}

/// Which letters are in it, several of them by one mark.
fn marks(text: &str) -> u64 {
    text.chars().fold(0, |marks, c| marks | 1 << (u32::from(c.to_ascii_lowercase()) % u64::BITS))
}

/// Guesses at what was meant by names that nobody knows. Somebody may write a thousand of them beside a thousand others, so
/// that the names that are looked at are counted.
pub(super) struct Guesses(Cell<usize>);

impl Guesses {
    pub(super) fn new() -> Self {
        Self(Cell::new(GUESSES))
    }

    /// The candidate that is [`near`] to `text`, while there is a guess left.
    pub(super) fn near<'a>(&self, text: &str, candidates: impl ExactSizeIterator<Item = &'a str>) -> Option<&'a str> {
        self.0.set(self.0.get().checked_sub(candidates.len())?);
        near(text, candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_come_to_an_end() {
        let words: Vec<_> = (0..GUESSES / 4).map(|number| format!("name {number}")).collect();
        let guesses = Guesses::new();
        let guess = |_| guesses.near("nam 7", words.iter().map(String::as_str));
        assert_eq!([0; 5].map(guess), [Some("name 7"), Some("name 7"), Some("name 7"), Some("name 7"), None]);
    }

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let words = ["match", "name", "user", "user-from"];
        let nearest = |text| near(text, words.into_iter());
        assert_eq!(nearest("mtch"), Some("match"));
        assert_eq!(nearest("Name"), Some("name"));
        assert_eq!(nearest("user_from"), Some("user-from"));
        assert_eq!(nearest("usr"), Some("user"));
        assert_eq!(nearest("user-form"), Some("user-from"));
        for other in ["host", "user", "", "x", "gateway"] {
            assert_eq!(nearest(other), None, "{other}");
        }
        assert_eq!(near(&"x".repeat(97), words.into_iter()), None);
    }
}
