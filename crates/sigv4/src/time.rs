//! The dates that a signature is made with: ISO 8601 basic, and HTTP's RFC 1123 form.
//!
//! Owns their parsing and writing. Must not know what time it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

const SECONDS_A_DAY: i64 = 86_400;

/// The moment of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Unix seconds.
    pub(crate) unix: i64,
    /// `YYYYMMDD'T'HHMMSS'Z'`, as it stands in the string to sign.
    pub(crate) stamp: [u8; 16],
}

impl Moment {
    /// Reads `YYYYMMDD'T'HHMMSS'Z'`, and nothing that looks like it.
    pub(crate) fn from_basic(text: &[u8]) -> Option<Self> {
        let stamp: [u8; 16] = text.try_into().ok()?;
        if stamp[8] != b'T' || stamp[15] != b'Z' {
            return None;
        }
        let year = i16::try_from(number(&stamp[..4])?).ok()?;
        let month = small(&stamp[4..6])?;
        let day = small(&stamp[6..8])?;
        let hour = small(&stamp[9..11])?;
        let minute = small(&stamp[11..13])?;
        let second = small(&stamp[13..15])?;
        let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let unix = TimeZone::UTC.to_timestamp(civil).ok()?.as_second();
        Some(Self { unix, stamp })
    }

    /// Reads a Date header: RFC 1123's form, or ISO 8601 basic, which AWS takes there as well.
    pub(crate) fn from_date_header(text: &[u8]) -> Option<Self> {
        if let Some(moment) = Self::from_basic(text) {
            return Some(moment);
        }
        let unix = DateTimeParser::new().parse_timestamp(text).ok()?.as_second();
        Self::from_basic(stamp(unix).as_bytes())
    }

    /// The stamp as text.
    pub(crate) fn text(&self) -> &str {
        // `from_basic` admits digits, `T` and `Z` only, so this never falls back.
        std::str::from_utf8(&self.stamp).unwrap_or_default()
    }
}

/// `YYYYMMDD'T'HHMMSS'Z'` of a moment in Unix seconds; one beyond the calendar is clamped to it.
pub(crate) fn stamp(unix: i64) -> String {
    timestamp(unix).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The days whose signing keys are worth keeping: yesterday to tomorrow, as `YYYYMMDD` numbers.
/// Midnight, clock skew and time zones of careless clients lie within.
pub(crate) fn current_days(now: i64) -> (u32, u32) {
    (day(now.saturating_sub(SECONDS_A_DAY)), day(now.saturating_add(SECONDS_A_DAY)))
}

/// `YYYYMMDD` as a number, which sorts as days do.
pub(crate) fn day_number(text: &str) -> Option<u32> {
    if text.len() == 8 { number(text.as_bytes()) } else { None }
}

fn day(unix: i64) -> u32 {
    // The stamp of a clamped moment begins with eight digits.
    stamp(unix).get(..8).and_then(day_number).unwrap_or(0)
}

fn timestamp(unix: i64) -> Timestamp {
    // Years below zero would be written with a sign.
    const YEAR_0000: i64 = -62_167_219_200;
    Timestamp::from_second(unix.max(YEAR_0000)).unwrap_or(Timestamp::MAX)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

fn small(digits: &[u8]) -> Option<i8> {
    number(digits).and_then(|number| i8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_give_the_same_moment() {
        let basic = Moment::from_basic(b"20150830T123600Z").unwrap();
        assert_eq!(basic.unix, 1_440_938_160);
        let http = Moment::from_date_header(b"Sun, 30 Aug 2015 12:36:00 GMT").unwrap();
        assert_eq!(http, basic);
        assert_eq!(Moment::from_date_header(b"20150830T123600Z"), Some(basic));
        assert_eq!(stamp(basic.unix), "20150830T123600Z");
    }

    #[test]
    fn what_only_looks_like_a_date_is_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830 123600Z",
            "2015083OT123600Z",
            "20150230T123600Z",
            "20151330T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123661Z",
            "+0150830T123600Z",
            "20150830T1236000Z",
            "Sun, 30 Aug 2015",
            "1440938160",
        ] {
            assert_eq!(Moment::from_basic(text.as_bytes()), None, "{text}");
            assert_eq!(Moment::from_date_header(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_window_of_days_is_three_days_wide_and_total() {
        assert_eq!(current_days(1_440_938_160), (20_150_829, 20_150_831));
        assert_eq!(current_days(i64::MAX), (99_991_230, 99_991_230));
        assert_eq!(current_days(i64::MIN), (101, 101));
    }
}
