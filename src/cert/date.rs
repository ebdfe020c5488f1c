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
            // X.680, section 47.3: a difference of hours and minutes, as of a clock.
            Time::from_hms(hours, minutes, 0).ok()?;
            let seconds = i32::from(hours) * 3_600 + i32::from(minutes) * 60;
            UtcOffset::from_whole_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::elements::whole;

    fn utc(text: &str) -> Option<i64> {
        read(whole(&[&[0x17, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()).unwrap())
    }

    #[test]
    fn west_of_greenwich_it_is_later() {
        let noon = utc("250101120000Z").unwrap();
        let ahead = |zone: &str| utc(&format!("250101120000{zone}")).map(|second| noon - second);
        for (zone, seconds) in [
            ("+0000", 0),
            ("-0000", 0),
            ("+0030", 1_800),
            ("-0030", -1_800),
            ("+0130", 5_400),
            ("-0130", -5_400),
            ("+2359", 86_340),
            ("-2359", -86_340),
        ] {
            assert_eq!(ahead(zone), Some(seconds), "{zone}");
        }
        for zone in ["+2400", "-2500", "+0060", "0100", "+01", "+010", "+01000", "+0100Z"] {
            assert_eq!(ahead(zone), None, "{zone}");
        }
    }
}
