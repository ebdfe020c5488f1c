//! The period in which a certificate may be used.

use core::fmt;

use rustls::pki_types::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The validity period of a certificate, both ends included (RFC 5280, section 4.1.2.5).
///
/// It has no clock: whoever asks says what time it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Validity {
    /// Seconds since 1970, negative before: certificates may begin in 1950.
    not_before: i64,
    not_after: i64,
}

/// Where a time lies, seen from a validity period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Early,
    Late,
    Within,
}

impl Validity {
    pub(crate) fn new(not_before: i64, not_after: i64) -> Self {
        Self { not_before, not_after }
    }

    /// The first second in which the certificate may be used; a date before 1970 reads as 1970.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        unix(self.not_before)
    }

    /// The last second in which the certificate may be used; a date before 1970 reads as 1970.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        unix(self.not_after)
    }

    /// True if the certificate may be used at this time.
    #[must_use]
    pub fn contains(&self, now: UnixTime) -> bool {
        self.standing(now) == Standing::Within
    }

    /// The seconds from which on the answer of [`contains`](Self::contains) may be another.
    pub(crate) fn changes(&self) -> [i64; 2] {
        [self.not_before, self.not_after.saturating_add(1)]
    }

    pub(crate) fn standing(&self, now: UnixTime) -> Standing {
        let now = seconds(now);
        // Late first: a period that ends before it begins contains nothing and was never valid.
        if now > self.not_after {
            Standing::Late
        } else if now < self.not_before {
            Standing::Early
        } else {
            Standing::Within
        }
    }
}

/// Seconds since 1970; a time beyond all dates reads as the last one.
pub(crate) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// A date before 1970 reads as 1970.
pub(crate) fn unix(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(core::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", Moment(self.not_before), Moment(self.not_after))
    }
}

impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Validity({self})")
    }
}

/// Prints seconds since 1970 as RFC 3339, or as a number where the calendar ends.
struct Moment(i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp(self.0).ok().and_then(|t| t.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "unix:{}", self.0),
        }
    }
}

/// A time for people: RFC 3339 in UTC.
pub(crate) fn show(time: UnixTime) -> impl fmt::Display {
    Moment(seconds(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(seconds))
    }

    #[test]
    fn both_ends_are_included() {
        let validity = Validity::new(100, 200);
        let standings = [99, 100, 200, 201].map(|now| validity.standing(at(now)));
        assert_eq!(standings, [Standing::Early, Standing::Within, Standing::Within, Standing::Late]);
    }

    #[test]
    fn a_period_that_ends_before_it_begins_contains_nothing() {
        let validity = Validity::new(200, 100);
        assert!((50..300).all(|now| !validity.contains(at(now))));
    }

    #[test]
    fn dates_of_every_century_print() {
        assert_eq!(
            Validity::new(-631_152_000, 253_402_300_799).to_string(),
            "1950-01-01T00:00:00Z to 9999-12-31T23:59:59Z"
        );
        assert_eq!(show(at(u64::MAX)).to_string(), format!("unix:{}", i64::MAX));
    }
}
