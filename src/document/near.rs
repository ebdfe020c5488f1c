//! (private) What was probably meant by a word that nobody knows.

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
    let folded = text.to_ascii_lowercase();
    let distance = |candidate: &'a str| {
        let letters = candidate.chars().count();
        let fits = candidate != text && letters.abs_diff(length) <= most;
        let steps = fits.then(|| steps(&folded, &candidate.to_ascii_lowercase()))?;
        (steps <= most && steps < letters).then_some((steps, candidate))
    };
    candidates.filter_map(distance).min().map(|(_, candidate)| candidate)
}

/// How many letters have to be added, left out or changed to make one text of the other.
fn steps(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (above, same) in row.iter().skip(1).zip(other.chars().map(|c| c == letter)) {
            left = (diagonal + usize::from(!same)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
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
        assert_eq!(steps("kitten", "sitting"), 3);
        assert_eq!(steps("", "ab"), 2);
    }
}
