//! (private) Names that look like a typing error of each other.

use crate::text::within_edits;

/// True if they differ by case, or by one or two octets that are no digits: those count members of a series.
pub(super) fn nearly(one: &str, other: &str) -> bool {
    let edits = match one.len().min(other.len()) {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    // First, because each of many is compared with each of many.
    if one.len().abs_diff(other.len()) > edits || one == other {
        return false;
    }
    one.eq_ignore_ascii_case(other)
        || (edits > 0 && within_edits(one.as_bytes(), other.as_bytes(), edits) && !letters(one).eq(letters(other)))
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_ascii_digit())
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
