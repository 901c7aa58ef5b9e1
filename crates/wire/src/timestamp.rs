//! Points in time.

use std::fmt;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z; JSON 1.1 writes seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Milliseconds of one day.
const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// The point that many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The beginning of its second.
    pub const fn to_the_second(self) -> Self {
        Self(self.seconds().saturating_mul(1000))
    }

    /// The same time of day that many days later; saturates at the end of time.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_MS)))
    }

    /// The text of an audit record's members, in UTC: `May 21, 2025, 5:47:45 AM`.
    pub(crate) fn spelled(self, form: DateForm) -> String {
        let format = match form {
            DateForm::Iso8601 => return self.to_string(),
            DateForm::Spelled => "%b %-d, %Y, %-I:%M:%S %p",
            DateForm::SpelledWithoutComma => "%b %-d, %Y %-I:%M:%S %p",
        };
        let instant = jiff::Timestamp::from_second(self.seconds()).unwrap_or_default();
        instant.strftime(format).to_string()
    }

    /// Parses ISO 8601, as the query protocol writes timestamps.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Some(Self(parsed.as_millisecond()))
    }
}

/// How an audit record writes the points in time among parameters and answers. The services differ,
/// as observed of CloudTrail's records of them; all are to the second and in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// `2025-05-21T05:47:45Z`
    Iso8601,
    /// `May 21, 2025, 5:47:45 AM`: KMS and STS.
    Spelled,
    /// `May 21, 2025 5:47:45 AM`: IAM.
    SpelledWithoutComma,
}

/// ISO 8601 to the second, in UTC: `2026-11-21T20:47:36Z`, as CloudTrail and XML write it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Outside of years -9999 to 9999 there is no such text; the epoch stands in.
        let instant = jiff::Timestamp::from_second(self.seconds()).unwrap_or_default();
        write!(f, "{instant}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_both_ways() {
        let time = Timestamp::from_millis(1_440_938_160_000);
        assert_eq!(time.to_string(), "2015-08-30T12:36:00Z");
        assert_eq!(Timestamp::parse_iso8601("2015-08-30T12:36:00Z"), Some(time));
        assert_eq!(Timestamp::parse_iso8601("yesterday"), None);
    }

    #[test]
    fn dates_are_spelled_as_records_have_them() {
        let spelled = |millis, form| Timestamp::from_millis(millis).spelled(form);
        let morning = 1_747_806_465_000;
        assert_eq!(spelled(morning, DateForm::Spelled), "May 21, 2025, 5:47:45 AM");
        assert_eq!(spelled(morning, DateForm::SpelledWithoutComma), "May 21, 2025 5:47:45 AM");
        assert_eq!(spelled(morning, DateForm::Iso8601), "2025-05-21T05:47:45Z");
        assert_eq!(spelled(0, DateForm::Spelled), "Jan 1, 1970, 12:00:00 AM");
        assert_eq!(spelled(43_200_000, DateForm::Spelled), "Jan 1, 1970, 12:00:00 PM");
        assert_eq!(spelled(i64::MAX, DateForm::Spelled), "Jan 1, 1970, 12:00:00 AM");
    }

    #[test]
    fn seconds_begin_at_or_before() {
        for (millis, begins) in [(1_999, 1_000), (1_000, 1_000), (-1, -1_000)] {
            assert_eq!(Timestamp::from_millis(millis).to_the_second().millis(), begins);
        }
    }

    #[test]
    fn days_saturate() {
        assert_eq!(Timestamp::from_millis(0).plus_days(7).seconds(), 604_800);
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_days(7).millis(), i64::MAX);
    }
}
