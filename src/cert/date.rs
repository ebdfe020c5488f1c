//! (private) Dates as certificates and lists write them. RFC 5280, section 4.1.2.5; X.680, sections 46 and 47.
//!
//! More forms are read than RFC 5280 allows: without seconds, a `GeneralizedTime` with fractions, a `UTCTime` in another zone.
//! Partners have such certificates, and a pin is what it is; a profile tells them, and path validation refuses them.

use der::Tag;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::elements::Element;

/// Seconds since 1970, what is beyond a second cut off; `None` if it is no date.
pub(super) fn read(element: Element<'_>) -> Option<i64> {
    let (year, rest) = match element.tag {
        Tag::UtcTime => {
            let (year, rest) = two_digits(element.content)?;
            // RFC 5280, section 4.1.2.5.1: two digits of 50 and more are of the last century.
            (if year >= 50 { 1900 } else { 2000 } + i32::from(year), rest)
        }
        Tag::GeneralizedTime => {
            let (century, rest) = two_digits(element.content)?;
            let (year, rest) = two_digits(rest)?;
            (i32::from(century) * 100 + i32::from(year), rest)
        }
        _ => return None,
    };
    let (month, rest) = two_digits(rest)?;
    let (day, rest) = two_digits(rest)?;
    let (hour, rest) = two_digits(rest)?;
    let (minute, rest) = two_digits(rest)?;
    let (second, rest) = match rest {
        [] | [_] => (0, rest),
        _ => two_digits(rest)?,
    };
    let offset = match (element.tag, rest) {
        (_, [b'Z']) => UtcOffset::UTC,
        (Tag::GeneralizedTime, [b'.', fraction @ .., b'Z'])
            if (1..=3).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit) =>
        {
            UtcOffset::UTC
        }
        (Tag::UtcTime, [sign @ (b'+' | b'-'), digits @ ..]) => {
            let (hours, digits) = two_digits(digits)?;
            let (minutes, []) = two_digits(digits)? else { return None };
            let sign = if *sign == b'-' { -1 } else { 1 };
            UtcOffset::from_hms(sign * i8::try_from(hours).ok()?, i8::try_from(minutes).ok()?, 0).ok()?
        }
        _ => return None,
    };
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some(OffsetDateTime::new_in_offset(date, time, offset).unix_timestamp())
}

fn two_digits(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => Some(((tens - b'0') * 10 + (ones - b'0'), rest)),
        _ => None,
    }
}
