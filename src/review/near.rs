//! (private) Names that look like a typing error of each other.

use crate::text::within_edits;

/// True if they differ by case, or by one or two octets that are no digits: those count members of a series.
pub(super) fn nearly(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let edits = match one.len().min(other.len()) {
        0..4 => return false,
        4..8 => 1,
        _ => 2,
    };
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    letters(one) != letters(other) && within_edits(one.as_bytes(), other.as_bytes(), edits)
}

#[cfg(test)]
mod tests {
    use super::nearly;

    #[test]
    fn a_typing_error_is_near_and_the_next_of_a_series_is_not() {
        for (one, other) in [("SAPERPUSER", "SAPERPUSR"), ("a/Send", "a/send"), ("billing", "biling"), ("ab", "AB")] {
            assert!(nearly(one, other) && nearly(other, one), "{one} {other}");
        }
        for (one, other) in
            [("erp", "erq"), ("device-01", "device-02"), ("billing", "shipping"), ("same", "same"), ("a", "")]
        {
            assert!(!nearly(one, other) && !nearly(other, one), "{one} {other}");
        }
    }
}
