//! (private) What was probably meant by a word that nobody knows.

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
    let wanted = letters(text);
    let distance = |candidate: &'a str| {
        if candidate == text || candidate.chars().count().abs_diff(length) > most {
            return None;
        }
        let there = letters(candidate);
        let edits = (0..=most).find(|edits| within_edits(&wanted, &there, *edits))?;
        (edits < there.len()).then_some((edits, candidate))
    };
    candidates.filter_map(distance).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

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
